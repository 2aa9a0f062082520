"""Points beside the border, where whole rows leave the area uncovered.

Rows of a grid clipped by a slanting border end too early or pass just outside: a sliver remains that is farther from every point
than the grid's inside ever is. Samples along the border find these places; each gets a point of its own, just inside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M
from ..types import FloatArray, IntArray
from .ellipsoid import ecef_m, meridian_arc_m, parallel_radius_m
from .scanline import sides

BoolArray = NDArray[np.bool_]

_SAMPLE_STEP = 0.06  # of the resolution
_COARSEST_STEP = 0.3
_MOST_SAMPLES = 4_000_000
_BLOCK = 200_000
# How far inside a point is set, in resolutions: deep, so that it serves both sides of the sliver; less where the area is thin.
_DEPTHS = (0.3, 0.15, 0.05, 0.01, 1e-3, 1e-4)
# Of the resolution: what a point is trusted to cover. Between two samples the distance grows by up to half their step: 0.795 in all.
_REACH = 0.765
_STRIDE = 0.7
_APART = 0.35  # border points keep this distance from others where they can


@dataclass(frozen=True)
class Rows:
    """A grid as evenly filled pieces of parallels, south to north, then west to east; all arrays (C,).

    Args:
        row: number of the parallel, counted from the south.
        lat_deg: its latitude.
        first_lon_deg, step_lon_deg: first point and spacing.
        count: points in the piece, at least 1.
        arc0_m, height_m: meridian arc of row 0 and the distance between rows.
    """

    row: IntArray
    lat_deg: FloatArray
    first_lon_deg: FloatArray
    step_lon_deg: FloatArray
    count: IntArray
    arc0_m: float
    height_m: float

    @property
    def total(self) -> int:
        """Number of points."""
        return int(self.count.sum())


def edge_points(geometry: shapely.Geometry, rows: Rows, resolution_m: float) -> FloatArray:
    """Points that bring the covering radius at the border down to that of the inside.

    Args:
        geometry: the area in the rows' longitudes, normalised (so that its inside lies to the right of every ring).
        rows: the grid so far.
        resolution_m: the grid's resolution.

    Returns:
        (M, 2) lat, lon in degrees, strictly inside, in border order. Empty where the border is longer than about a million steps: there
        the inside outnumbers the border beyond measure.
    """
    shapely.prepare(geometry)
    bare = _bare_border(geometry, rows, resolution_m)
    if not len(bare.lat_deg):
        return np.zeros((0, 2))
    inside_lat, inside_lon, valid = _move_inside(geometry, bare, resolution_m)
    crowded = _distance_to_rows_m(inside_lat, inside_lon, rows) < _APART * resolution_m
    return _greedy_cover(bare, inside_lat, inside_lon, valid, crowded, resolution_m)


@dataclass(frozen=True)
class _Bare:
    """Places that no row covers, in border order; all arrays (U,) or (U, 2).

    Args:
        lat_deg, lon_deg: of the places.
        inward: metres north and east, of length 1.
        onward: degrees north and east to the end of the side that the place was taken from.
        inner: set off the border.
    """

    lat_deg: FloatArray
    lon_deg: FloatArray
    inward: FloatArray
    onward: FloatArray
    inner: BoolArray


def _bare_border(geometry: shapely.Geometry, rows: Rows, resolution_m: float) -> _Bare:
    """Sample the border, and a line just inside of it, for places that no row covers."""
    start, end = sides(geometry)
    north = meridian_arc_m(end[:, 1]) - meridian_arc_m(start[:, 1])
    radius = np.maximum(parallel_radius_m(start[:, 1]), parallel_radius_m(end[:, 1]))
    east = np.radians(end[:, 0] - start[:, 0]) * radius
    length = np.hypot(north, east)
    step = max(_SAMPLE_STEP, float(length.sum()) / resolution_m / _MOST_SAMPLES)
    samples = np.maximum(np.ceil(length / (step * resolution_m)), 1).astype(np.int64) if step <= _COARSEST_STEP else np.zeros(0, np.int64)
    inward = np.stack([-east, north], axis=-1) / np.maximum(length, 1e-9)[:, None]
    offset = np.concatenate([[0], np.cumsum(samples)])
    nothing = np.zeros(0), np.zeros(0), np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, bool)
    found: list[tuple[FloatArray, FloatArray, FloatArray, FloatArray, BoolArray]] = [nothing]
    for begin in range(0, int(offset[-1]), _BLOCK):
        number = np.arange(begin, min(begin + _BLOCK, int(offset[-1])))
        side = np.searchsorted(offset, number, side="right") - 1
        t = ((number - offset[side]) / samples[side])[:, None]
        onward = (1.0 - t) * (end[side] - start[side])
        lon, lat = (end[side] - onward).T
        inner_lat, inner_lon = _moved(lat, lon, inward[side], _DEPTHS[0] * resolution_m)
        lat, lon = np.stack([lat, inner_lat], axis=-1).ravel(), np.stack([lon, inner_lon], axis=-1).ravel()
        bare = np.flatnonzero(_distance_to_rows_m(lat, lon, rows) > _REACH * resolution_m)
        inner = bare % 2 == 1
        keep = ~inner | shapely.contains_xy(geometry, lon[bare], lat[bare])
        bare, inner = bare[keep], inner[keep]
        found.append((lat[bare], lon[bare], inward[side[bare // 2]], onward[bare // 2, ::-1], inner))
    return _Bare(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _moved(lat_deg: FloatArray, lon_deg: FloatArray, direction: FloatArray, distance_m: float) -> tuple[FloatArray, FloatArray]:
    lat = lat_deg + np.degrees(direction[:, 0] * distance_m / EARTH_RADIUS_M)
    return lat, lon_deg + np.degrees(direction[:, 1] * distance_m / np.maximum(parallel_radius_m(lat_deg), 1e-3))


def _distance_to_rows_m(lat_deg: FloatArray, lon_deg: FloatArray, rows: Rows) -> FloatArray:
    """Distance to the nearest grid point among the three rows about each place (inf where these are empty)."""
    best = np.full(len(lat_deg), np.inf)
    if not len(rows.row):
        return best
    arc, radius = meridian_arc_m(lat_deg), parallel_radius_m(lat_deg)
    row_radius = parallel_radius_m(rows.lat_deg)
    home = np.rint((arc - rows.arc0_m) / rows.height_m).astype(np.int64)
    west = rows.first_lon_deg - rows.step_lon_deg / 2
    origin = float(west.min()) - 1.0
    key = rows.row * 1000.0 + (west - origin)  # rows, then longitudes: one sorted key for a single search
    for row in (home - 1, home, home + 1):
        after = np.searchsorted(key, row * 1000.0 + (lon_deg - origin), side="right")
        for neighbour in (after - 1, after):
            piece = np.clip(neighbour, 0, len(key) - 1)
            number = np.floor((lon_deg - west[piece]) / rows.step_lon_deg[piece])
            number = np.clip(number, 0, rows.count[piece] - 1)
            turn = np.radians(rows.first_lon_deg[piece] + number * rows.step_lon_deg[piece] - lon_deg)
            north = rows.arc0_m + rows.row[piece] * rows.height_m - arc
            distance = np.sqrt(north**2 + 4 * radius * row_radius[piece] * np.sin(turn / 2) ** 2)
            best = np.where(rows.row[piece] == row, np.minimum(best, distance), best)
    return best


def _move_inside(geometry: shapely.Geometry, bare: _Bare, resolution_m: float) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Each place moved inside as deep as the area allows; the mask says where there was room at all.

    At the tip of a needle there is none, however little a place is moved: there it is first moved along the side, to half its length and no farther than the
    greatest depth.
    """
    inside_lat, inside_lon, valid = bare.lat_deg.copy(), bare.lon_deg.copy(), bare.inner.copy()
    length_m = np.hypot(bare.onward[:, 0], bare.onward[:, 1] * np.cos(np.radians(bare.lat_deg))) * np.pi / 180.0 * EARTH_RADIUS_M
    along = bare.onward * np.minimum(0.5, _DEPTHS[0] * resolution_m / np.maximum(length_m, 1e-9))[:, None]
    for way in (0.0, 1.0):
        for depth in _DEPTHS:
            todo = np.flatnonzero(~valid)
            begin_lat, begin_lon = bare.lat_deg[todo] + way * along[todo, 0], bare.lon_deg[todo] + way * along[todo, 1]
            lat, lon = _moved(begin_lat, begin_lon, bare.inward[todo], depth * resolution_m)
            good = shapely.contains_xy(geometry, lon, lat)
            inside_lat[todo[good]], inside_lon[todo[good]] = lat[good], lon[good]
            valid[todo[good]] = True
    return inside_lat, inside_lon, valid


def _greedy_cover(
    bare: _Bare, inside_lat: FloatArray, inside_lon: FloatArray, valid: BoolArray, crowded: BoolArray, resolution_m: float
) -> FloatArray:
    """Choose few of the inside places so that every sample has one within reach, walking along the border."""
    places = np.flatnonzero(valid)
    if not len(places):
        return np.zeros((0, 2))
    samples = ecef_m(bare.lat_deg, bare.lon_deg)
    inside = ecef_m(inside_lat, inside_lon)
    sample_tree, place_tree = cKDTree(samples), cKDTree(inside[places])
    covered = np.zeros(len(samples), dtype=bool)
    chosen: list[int] = []
    ahead = math.ceil(4 * _STRIDE / _SAMPLE_STEP)
    for sample in range(len(samples)):
        if covered[sample]:
            continue
        covered[sample] = True
        near = places[place_tree.query_ball_point(samples[sample], _STRIDE * resolution_m)]
        if not len(near):
            continue
        apart = near[~crowded[near]]
        near = apart if len(apart) else near
        # As far along the border as still reaches back.
        along = near[(near >= sample) & (near <= sample + ahead)]
        pick = int(along.max()) if len(along) else int(near.min())
        chosen.append(pick)
        crowded[places[place_tree.query_ball_point(inside[pick], _APART * resolution_m)]] = True
        covered[sample_tree.query_ball_point(inside[pick], _REACH * resolution_m)] = True
    return np.stack([inside_lat[chosen], inside_lon[chosen]], axis=-1)
