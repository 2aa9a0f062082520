"""Which grid points lie about a place: by arithmetic on rows, so that a grid of any size answers at once."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M
from ..types import FloatArray, IntArray
from .ellipsoid import ecef_m, meridian_arc_m, parallel_radius_m

_KEY = 1000.0  # degrees between rows in a key that sorts by row, then by longitude
_SLACK_M = 1e-3  # within this of the radius, the distance itself decides


class RowedGrid(Protocol):
    """What the index needs of a grid: see :class:`.grid.Grid`."""

    @property
    def resolution_m(self) -> float:
        """Step between points."""

    @property
    def border(self) -> FloatArray:
        """(B, 2) points along the area's border."""

    @property
    def rows(self) -> Any:
        """Its rows."""

    def at(self, number: IntArray) -> FloatArray:
        """Points by number."""


class Neighbours:
    """An index over a grid: sorted rows and a tree of border points; O(log rows + answers) a place.

    Distances are straight ones through the Earth (chords): below 10 km they are the geodesic's to a millimetre, and they know no seam.
    """

    def __init__(self, grid: RowedGrid) -> None:
        rows = grid.rows
        self._grid = grid
        # Rows of joined grids overlap: a row is a number, and rows are sorted by latitude, pieces by longitude.
        order = np.lexsort((rows.first_lon_deg, rows.row, rows.lat_deg))
        self._first_number = (np.cumsum(rows.count) - rows.count)[order]
        self._west, self._step, self._count = rows.first_lon_deg[order], rows.step_lon_deg[order], rows.count[order]
        row, lat = rows.row[order], rows.lat_deg[order]
        self._starts = np.flatnonzero(np.r_[True, row[1:] != row[:-1]]) if len(row) else np.zeros(0, np.int64)
        self._lat = lat[self._starts]
        self._arc = meridian_arc_m(self._lat)
        self._rank = np.repeat(np.arange(len(self._starts)), np.diff(np.r_[self._starts, len(row)]))
        self._origin = float(self._west.min(initial=0.0)) - 1.0
        self._east = self._west + self._step * (self._count - 1)
        self._key = self._rank * _KEY + (self._west - self._origin)
        self._radius = parallel_radius_m(self._lat)
        self._height = ecef_m(self._lat, np.zeros(len(self._lat)))[:, 2]
        self._border = cKDTree(ecef_m(grid.border[:, 0], grid.border[:, 1])) if len(grid.border) else None

    def within(self, lat_lon_deg: FloatArray, radius_m: float | FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
        """All grid points within a radius of each place.

        Args:
            lat_lon_deg: (n, 2) places.
            radius_m: straight distance, one or a place each; some grid steps (what is given back grows with its square).

        Returns:
            number of the place, number of the grid point, and their distance in metres: flat arrays, sorted by place, then by point.
        """
        radius = np.broadcast_to(np.asarray(radius_m, dtype=np.float64), len(lat_lon_deg))
        found = [self._in_rows(lat_lon_deg, radius), self._in_border(lat_lon_deg, radius)]
        place, number = (np.concatenate(column) for column in zip(*found, strict=True))
        # Joined turns may bring a point twice.
        pairs = np.unique(np.stack([place, number], axis=1), axis=0) if len(place) else np.zeros((0, 2), np.int64)
        place, number = pairs[:, 0], pairs[:, 1]
        there = self._grid.at(number)
        distance = np.linalg.norm(ecef_m(there[:, 0], there[:, 1]) - ecef_m(*lat_lon_deg[place].T), axis=1)
        near = distance <= radius[place]
        return place[near], number[near], distance[near]

    def nearest(self, lat_lon_deg: FloatArray, reach_m: float) -> IntArray:
        """The nearest grid point of each place, (n,); -1 where none lies within ``reach_m``. Equal distances: the lower number."""
        nearest = np.full(len(lat_lon_deg), -1, dtype=np.int64)
        todo = np.arange(len(lat_lon_deg))
        radius_m = min(reach_m, max(self._grid.resolution_m, reach_m / 64))
        while len(todo):
            place, number, distance = self.within(lat_lon_deg[todo], radius_m)
            order = np.lexsort((number, distance, place))
            hit, first = np.unique(place[order], return_index=True)
            nearest[todo[hit]] = number[order][first]
            todo = np.delete(todo, hit)
            if radius_m >= reach_m:
                break
            radius_m = min(2 * radius_m, reach_m)
        return nearest

    def _in_border(self, lat_lon_deg: FloatArray, radius_m: FloatArray) -> tuple[IntArray, IntArray]:
        if self._border is None or not len(lat_lon_deg):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        lists = self._border.query_ball_point(ecef_m(lat_lon_deg[:, 0], lat_lon_deg[:, 1]), radius_m)
        place = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
        inner = self._grid.rows.total
        return place, np.array([number for one in lists for number in one], dtype=np.int64) + inner

    def _in_rows(self, lat_lon_deg: FloatArray, radius_m: FloatArray) -> tuple[IntArray, IntArray]:
        """Points of rows, a little more than lie within the radius: row by row over all places at once."""
        places: list[IntArray] = [np.zeros(0, np.int64)]
        numbers: list[IntArray] = [np.zeros(0, np.int64)]
        lat, arc = lat_lon_deg[:, 0], meridian_arc_m(lat_lon_deg[:, 0])
        own_radius, own_height = parallel_radius_m(lat), ecef_m(lat, np.zeros(len(lat)))[:, 2]
        # An arc is longer than its chord.
        arc_m = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(1.0, radius_m / 2 / EARTH_RADIUS_M)) * 1.01 + 1e-3
        row, stop = np.searchsorted(self._arc, arc - arc_m), np.searchsorted(self._arc, arc + arc_m)
        active = np.flatnonzero(row < stop)
        while len(active):
            here = row[active]
            base = (own_height[active] - self._height[here]) ** 2 + (own_radius[active] - self._radius[here]) ** 2
            left = (radius_m[active] + _SLACK_M) ** 2 - base
            sine2 = left / np.maximum(4 * own_radius[active] * self._radius[here], 1e-6)
            half_deg = np.degrees(2 * np.arcsin(np.sqrt(np.clip(sine2, 0.0, 1.0))))
            good = left >= 0
            for turn in (-360.0, 0.0, 360.0):
                self._of_row(active[good], here[good], lat_lon_deg[active[good], 1] + turn, half_deg[good], places, numbers)
            row[active] += 1
            active = active[row[active] < stop[active]]
        return np.concatenate(places), np.concatenate(numbers)

    def _of_row(
        self, place: IntArray, row: IntArray, lon: FloatArray, half_deg: FloatArray, places: list[IntArray], numbers: list[IntArray]
    ) -> None:
        """Points of one row a place between two longitudes, added to the lists."""
        starts = self._starts[row]
        ends = np.append(self._starts, len(self._west))[row + 1]
        position = np.clip(lon - half_deg - self._origin, 0.0, _KEY / 2)
        piece = np.maximum(np.searchsorted(self._key, row * _KEY + position) - 2, starts)
        going = np.arange(len(place))
        while len(going):
            at, west, east = piece[going], lon[going] - half_deg[going], lon[going] + half_deg[going]
            first = np.maximum(np.ceil((west - self._west[at]) / self._step[at] - 1e-6), 0).astype(np.int64)
            last = np.minimum(np.floor((east - self._west[at]) / self._step[at] + 1e-6), self._count[at] - 1).astype(np.int64)
            many = np.maximum(last - first + 1, 0)
            if many.any():
                offset = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
                places.append(np.repeat(place[going], many))
                numbers.append(np.repeat(self._first_number[at] + first, many) + offset)
            piece[going] += 1
            on = piece[going] < ends[going]
            going = going[on]
            going = going[self._west[piece[going]] <= lon[going] + half_deg[going]]
