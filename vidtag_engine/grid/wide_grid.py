"""The grid of an area that is too large to plan row by row: a lattice over the globe, of which only the places looked at are made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from ..types import FloatArray, InputError, IntArray
from .aoi import AreaOfInterest
from .grid import KINDS, Grid, make_grid
from .lattice import Bounds, Lattice

# Beyond both, an area is searched by a beam. So many coarse points are held and compared without harm.
_WIDE_M2 = 400_000e6
_WIDE_POINTS = 400_000
_LEAST_RESOLUTION_M = 0.1
_FORMAT = "vidtag-wide-grid-1"
_FIRST = 2**62  # added to a lattice's numbers, which are negative in the south: a negative number means no point


@dataclass(frozen=True)
class WideGrid:
    """Places one step apart over an area of any size and any number of parts.

    Args:
        resolution_m: the step on the ground.
        aoi: the area; places beside it stand on its border.
    """

    resolution_m: float
    aoi: AreaOfInterest
    kind: str = "equal-earth"

    @property
    def area_m2(self) -> float:
        """Of the area."""
        return self.aoi.area_m2

    @property
    def count(self) -> int:
        """Number of points: area by step, since nobody counts them."""
        return round(self.aoi.area_m2 / self.resolution_m**2)

    @cached_property
    def bounds(self) -> Bounds:
        """What moves places into the area."""
        return Bounds(self.aoi)

    @cached_property
    def lattice(self) -> Lattice:
        """The lattice itself."""
        return Lattice(self.resolution_m, self.bounds)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of area, resolution and construction."""
        label = f"{_FORMAT}|{float(self.resolution_m)!r}|".encode()
        return hashlib.sha256(label + shapely.to_wkb(self.aoi.geometry, byte_order=1, output_dimension=2)).hexdigest()

    def number(self, lat_lon_deg: FloatArray) -> IntArray:
        """Number of the nearest point of each place, (n, 2) to (n,)."""
        return self.lattice.key(lat_lon_deg) + _FIRST

    def around(self, numbers: IntArray) -> IntArray:
        """(n,) to (n, 9): each point and its neighbours; the fifth is the point itself."""
        return self.lattice.around(numbers - _FIRST) + _FIRST

    def at(self, index: IntArray) -> FloatArray:
        """Points by number, (n,) to (n, 2) lat, lon in degrees; NaN for negative numbers."""
        made = np.full((len(index), 2), np.nan)
        known = np.flatnonzero(index >= 0)
        made[known] = self.lattice.places(index[known] - _FIRST)
        return made

    def to_summary(self) -> dict[str, Any]:
        """Plain JSON values for people and provenance."""
        return {
            "kind": self.kind,
            "search": "beam",
            "resolution_m": self.resolution_m,
            "count": self.count,
            "area_m2": self.area_m2,
            "parts": len(self.aoi.geometry.geoms),
            "digest": self.digest,
        }


def plan_grid(aoi: AreaOfInterest, resolution_m: float, kind: str = "equal-earth", *, exhaustive: bool = False) -> Grid | WideGrid:
    """The grid of an area, row by row or, where that would be too much, a wide one.

    Args:
        aoi: the area.
        resolution_m, kind: as :func:`.grid.make_grid`.
        exhaustive: every point will be compared: never a wide grid.

    Raises:
        InputError: as :func:`.grid.make_grid`; the paper's grid, or one below 0.1 m, over a wide area.
    """
    points = aoi.area_m2 / resolution_m**2 if resolution_m > 0 else 0.0
    if exhaustive or kind not in KINDS or aoi.area_m2 <= _WIDE_M2 or points <= _WIDE_POINTS:
        return make_grid(aoi, resolution_m, kind)
    if kind != "equal-earth":
        raise InputError(f"The area has {aoi.area_m2 / 1e6:,.0f} km²: a {kind} grid is for smaller ones; take the equal-earth grid.")
    if resolution_m < _LEAST_RESOLUTION_M:
        raise InputError(
            f"A resolution of {resolution_m:g} m over {aoi.area_m2 / 1e6:,.0f} km² makes {points:.1e} points;"
            f" take {_LEAST_RESOLUTION_M:g} m or more, or a smaller area."
        )
    return WideGrid(float(resolution_m), aoi)
