"""Galleries that are no single area's grid: given points, and several grids as one."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np

from ..types import FloatArray, InputError
from .edges import Rows
from .grid import Grid

_FORMAT = "vidtag-points-1"


def points_grid(lat_lon_deg: FloatArray) -> Grid:
    """A gallery of given points (paper, App. D.2: the true places of the validation frames; Sec. 5.3: city centres).

    Args:
        lat_lon_deg: (N, 2); equal points are taken once, and all are sorted.

    Returns:
        a grid of ``kind`` "points"; unlike others it holds all its points.

    Raises:
        InputError: no points, or one that is no place.
    """
    points = np.unique(np.asarray(lat_lon_deg, dtype=np.float64).reshape(-1, 2), axis=0)
    if not len(points):
        raise InputError("The gallery has no points: give at least one place.")
    if not (np.isfinite(points).all() and np.abs(points[:, 0]).max() <= 90.0):
        raise InputError("A point of the gallery is no latitude and longitude: correct the data set's positions.")
    digest = hashlib.sha256(_FORMAT.encode() + points.tobytes()).hexdigest()
    return Grid(0.0, "points", digest, 0.0, 0.0, _rows([]), points)


def join_grids(grids: Sequence[Grid]) -> Grid:
    """Several grids as one gallery, each with its own rows and steps; areas that overlap keep the points of both.

    Numbers: first the rows of all grids in order, then their border points. What is held is what the grids hold.
    """
    if not grids:
        raise InputError("There is no area to make a gallery of: give at least one.")
    if len(grids) == 1:
        return grids[0]
    digest = hashlib.sha256("|".join([_FORMAT, *(grid.digest for grid in grids)]).encode()).hexdigest()
    area_m2 = sum(grid.area_m2 for grid in grids)
    resolution_m = min(grid.resolution_m for grid in grids)
    kind = grids[0].kind
    return Grid(resolution_m, kind, digest, area_m2, 0.0, _rows([g.rows for g in grids]), np.concatenate([g.border for g in grids]))


def _rows(parts: Sequence[Rows]) -> Rows:
    """Rows one after the other, numbered on."""
    starts = np.cumsum([0, *(int(part.row.max(initial=-1)) + 1 for part in parts)])
    none = np.zeros(0)
    return Rows(
        np.concatenate([none.astype(np.int64), *(part.row + start for part, start in zip(parts, starts, strict=False))]),
        np.concatenate([none, *(part.lat_deg for part in parts)]),
        np.concatenate([none, *(part.first_lon_deg for part in parts)]),
        np.concatenate([none, *(part.step_lon_deg for part in parts)]),
        np.concatenate([none.astype(np.int64), *(part.count for part in parts)]),
        0.0,
        math.nan,
    )
