"""The lattices of places between a coarse grid and a fine one."""

from __future__ import annotations

import math

import numpy as np
import shapely

from ..geodesy import wrap_lon
from ..types import FloatArray, IntArray
from .aoi import AreaOfInterest
from .ellipsoid import lat_of_arc_deg, meridian_arc_m, parallel_radius_m

_COLUMNS = 2**31


class Lattice:
    """Places one step apart on the ground, numbered over the whole globe: rows on parallels, columns from the prime meridian.

    Frames that look about the same place ask for the same numbers, and so share embeddings. Places outside the area are moved to its
    border, so that a climb can follow it.

    Args:
        step_m: on the ground.
        bounds: what moves places into the area.
    """

    def __init__(self, step_m: float, bounds: Bounds) -> None:
        self.step_m = step_m
        self._bounds = bounds

    def key(self, lat_lon_deg: FloatArray) -> IntArray:
        """The nearest number of each place, (n, 2) to (n,)."""
        row = np.rint(meridian_arc_m(lat_lon_deg[:, 0]) / self.step_m).astype(np.int64)
        return self._joined(row, np.rint(lat_lon_deg[:, 1] / self._lon_step_deg(row)).astype(np.int64))

    def around(self, keys: IntArray) -> IntArray:
        """(n,) to (n, 9): the three nearest of each of three rows; the fifth is the number itself."""
        row, column = self._split(keys)
        lon = column * self._lon_step_deg(row)
        parts = []
        for up in (-1, 0, 1):
            middle = np.rint(lon / self._lon_step_deg(row + up)).astype(np.int64)
            parts += [self._joined(row + up, middle + across) for across in (-1, 0, 1)]
        return np.stack(parts, axis=1)

    def places(self, keys: IntArray) -> FloatArray:
        """(n,) to (n, 2) degrees, inside the area or on its border."""
        row, column = self._split(keys)
        lat = lat_of_arc_deg(row * self.step_m)
        return self._bounds.moved_in(np.stack([lat, wrap_lon(column * self._lon_step_deg(row))], axis=1))

    def _lon_step_deg(self, row: IntArray) -> FloatArray:
        radius = parallel_radius_m(lat_of_arc_deg(row * self.step_m))
        return np.degrees(self.step_m / np.maximum(radius, self.step_m / (2 * math.pi)))

    def _joined(self, row: IntArray, column: IntArray) -> IntArray:
        return row * _COLUMNS + (column + _COLUMNS // 2)

    def _split(self, keys: IntArray) -> tuple[IntArray, IntArray]:
        row = keys // _COLUMNS
        return row, keys - row * _COLUMNS - _COLUMNS // 2


class Bounds:
    """An area that places are moved into."""

    def __init__(self, aoi: AreaOfInterest) -> None:
        self._geometry = aoi.geometry
        _, south, _, north = aoi.bounds
        self._narrow = max(math.cos(math.radians((south + north) / 2)), 0.01)
        self._flat = shapely.transform(self._geometry, lambda xy: xy * np.array([self._narrow, 1.0]))
        shapely.prepare(self._geometry)

    def inside(self, lat_lon_deg: FloatArray) -> np.ndarray:
        """(n,) bool."""
        found: np.ndarray = shapely.intersects_xy(self._geometry, lat_lon_deg[:, 1], lat_lon_deg[:, 0])
        return found

    def moved_in(self, lat_lon_deg: FloatArray) -> FloatArray:
        """Places outside brought to the nearest place of the border (nearest at the area's middle latitude)."""
        result = lat_lon_deg.copy()
        out = np.flatnonzero(~self.inside(lat_lon_deg))
        if len(out):
            points = shapely.points(lat_lon_deg[out, 1] * self._narrow, lat_lon_deg[out, 0])
            ends = shapely.get_point(shapely.shortest_line(self._flat, points), 0)
            result[out] = np.stack([shapely.get_y(ends), shapely.get_x(ends) / self._narrow], axis=1)
        return result
