"""Regions of an area that hold a share of a posterior, as polygons."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from ..types import FloatArray, IntArray

_DEGREE_M = 111_195.0
_OVERLAP = 1.12  # rows of a grid lie up to a tenth farther apart than its step
_SIMPLER = 0.25  # of the spacing


def mass_before(share: FloatArray) -> FloatArray:
    """(M,) for each place the mass of all places that are likelier than it: it belongs to every region of that level and above.

    Args:
        share: (M,) of the posterior.
    """
    order = np.argsort(-share, kind="stable")
    before = np.empty(len(share))
    before[order] = np.cumsum(share[order], dtype=np.float64) - share[order]
    return before


def highest(share: FloatArray, level: float) -> IntArray:
    """Numbers of the places of the region of highest density that holds ``level`` of the mass; all places where the level is 1."""
    if level >= 1.0:
        return np.arange(len(share))
    return np.flatnonzero((mass_before(share) <= level) & (share > 0))


def outline(lat_lon_deg: FloatArray, spacing_m: float) -> shapely.Geometry:
    """Polygon or multipolygon (x = longitude) around the cells of places, a little simplified; empty for none.

    Args:
        lat_lon_deg: (N, 2) of an even cover.
        spacing_m: of the cover.
    """
    if not len(lat_lon_deg):
        return shapely.MultiPolygon()
    order = np.lexsort((lat_lon_deg[:, 1], lat_lon_deg[:, 0]))
    lat, lon = lat_lon_deg[order].T
    half_lat = 0.5 * _OVERLAP * spacing_m / _DEGREE_M
    half_lon = half_lat / np.maximum(np.cos(np.radians(lat)), 1e-3)
    # Neighbours of a row become one strip: few shapes to unite.
    first = np.flatnonzero(np.r_[True, (np.diff(lat) > 1e-9) | (np.diff(lon) > 2 * half_lon[1:])])
    last = np.r_[first[1:], len(lat)] - 1
    south, north = np.maximum(lat[first] - half_lat, -90.0), np.minimum(lat[first] + half_lat, 90.0)
    west, east = np.maximum(lon[first] - half_lon[first], -180.0), np.minimum(lon[last] + half_lon[last], 180.0)
    united = _united(shapely.box(west, south, east, north), lat[first], 2 * half_lat)
    return shapely.make_valid(shapely.simplify(united, _SIMPLER * spacing_m / _DEGREE_M))


def _united(strips: NDArray[np.object_], lat_deg: FloatArray, height_deg: float) -> shapely.Geometry:
    """The union of strips. Every other row of a grid overlaps none of its like: two shapes to unite instead of hundreds, in less than half of the time.

    Args:
        strips: boxes, those of a row apart from each other.
        lat_deg: of their middles, rising.
        height_deg: of each.
    """
    row = np.cumsum(np.r_[0, np.diff(lat_deg) > 1e-9])
    rows_deg = lat_deg[np.unique(row, return_index=True)[1]]
    if (rows_deg[2:] - rows_deg[:-2] <= height_deg * (1 + 1e-6)).any():  # not the rows of a grid
        return shapely.union_all(strips)
    return shapely.union(*(shapely.multipolygons(strips[row % 2 == side]) for side in (0, 1)))
