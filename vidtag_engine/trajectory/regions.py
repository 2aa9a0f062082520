"""Regions of an area that hold a share of a posterior, as polygons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from ..types import FloatArray, IntArray

_DEGREE_M = 111_195.0
_OVERLAP = 1.12  # rows of a grid lie up to a tenth farther apart than its step
_SIMPLER = 0.25  # of the spacing
_LOST = 0.01  # of a region's area
_MOST_PIECES = 64  # in bands, times as many as boxes


def mass_before(share: FloatArray) -> FloatArray:
    """(M,) for each place the mass of all places that are likelier than it: it belongs to every region of that level and above.

    Args:
        share: (M,) of the posterior.
    """
    order = np.argsort(-share, kind="stable")
    before = np.empty(len(share))
    before[order] = np.cumsum(share[order], dtype=np.float64) - share[order]
    return before


def highest(share: FloatArray, levels: Sequence[float] | FloatArray) -> NDArray[np.bool_]:
    """(L, M) the places of the regions of highest density that hold ``levels`` of the mass; all places where a level is 1.

    Args:
        share: (M,) of the posterior.
        levels: (L,).
    """
    falling = np.sort(share)[::-1]  # values alone: sorting their places as well takes ten times as long
    before = np.cumsum(falling, dtype=np.float64) - falling
    chosen = np.ones((len(levels), len(share)), dtype=bool)
    for row, level in enumerate(levels):
        if level >= 1.0:
            continue
        count = int(((before <= level) & (falling > 0)).sum())
        least = falling[count - 1] if count else np.inf
        np.greater(share, least, out=chosen[row])
        chosen[row, np.flatnonzero(share == least)[: count - int(chosen[row].sum())]] = True  # of equals the first
    return chosen


class Outliner:
    """Draws regions of one cover, any number of them.

    Args:
        lat_lon_deg: (M, 2) of an even cover.
        spacing_m: of the cover.
    """

    def __init__(self, lat_lon_deg: FloatArray, spacing_m: float) -> None:
        order = np.lexsort((lat_lon_deg[:, 1], lat_lon_deg[:, 0]))
        self._order = None if (order == np.arange(len(order))).all() else order
        self._lat, self._lon = lat_lon_deg[order].T
        self._half_lat = 0.5 * _OVERLAP * spacing_m / _DEGREE_M
        self._half_lon = self._half_lat / np.maximum(np.cos(np.radians(self._lat)), 1e-3)
        # Whether a place and the one before are neighbours in a row.
        self._meets = (np.diff(self._lat) <= 1e-9) & (np.diff(self._lon) <= 2 * self._half_lon[1:])
        self._simpler_deg = _SIMPLER * spacing_m / _DEGREE_M

    def outlines(self, chosen: NDArray[np.bool_]) -> NDArray[np.object_]:
        """(R,) polygons or multipolygons (x = longitude) around the cells of chosen places, a little simplified; empty for none.

        Args:
            chosen: (R, M) the places of each region.
        """
        united = unions_of_boxes(*self._strips(chosen), len(chosen))
        simple = shapely.simplify(united, self._simpler_deg, preserve_topology=False)
        # Where narrow necks cross themselves, more may be lost than was to be simplified.
        lost = np.abs(shapely.area(simple) - shapely.area(united)) > _LOST * shapely.area(united)
        simple[lost] = shapely.make_valid(shapely.simplify(shapely.make_valid(united[lost]), self._simpler_deg))
        result: NDArray[np.object_] = simple
        return result

    def _strips(self, chosen: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, IntArray]:
        """West, south, east, north and region of cells; neighbours of a row become one strip, as there are then fewer shapes to unite."""
        inside = chosen if self._order is None else chosen[:, self._order]
        apart = ~(inside[:, 1:] & inside[:, :-1] & self._meets)
        begins, ends = inside.copy(), inside.copy()
        begins[:, 1:] &= apart
        ends[:, :-1] &= apart
        region, first = np.divmod(np.flatnonzero(begins), inside.shape[1])
        last = np.flatnonzero(ends) % inside.shape[1]
        lat, half_lon = self._lat[first], self._half_lon[first]
        south, north = np.maximum(lat - self._half_lat, -90.0), np.minimum(lat + self._half_lat, 90.0)
        west, east = np.maximum(self._lon[first] - half_lon, -180.0), np.minimum(self._lon[last] + half_lon, 180.0)
        return west, south, east, north, region


def outline(lat_lon_deg: FloatArray, spacing_m: float) -> shapely.Geometry:
    """As :meth:`Outliner.outlines`, around all places (N, 2) of a cover."""
    return Outliner(lat_lon_deg, spacing_m).outlines(np.ones((1, len(lat_lon_deg)), dtype=bool))[0]


def unions_of_boxes(
    west: FloatArray, south: FloatArray, east: FloatArray, north: FloatArray, group: IntArray, groups: int
) -> NDArray[np.object_]:
    """(groups,) the union of each group's boxes (N,), as GEOS gives it for any shapes, in a tenth of the time.

    Between two neighbouring levels of their sides (a band) boxes are intervals, and these are united by sorting. The united intervals' ends are the
    outline's upright edges; along a level lie those of the band below and of the band above, and the outline runs between the first and the second
    of them from the west, the third and the fourth, and so on.
    """
    levels, sides = np.unique(np.r_[south, north], return_inverse=True)
    columns, ends = np.unique(np.r_[west, east], return_inverse=True)
    bands = len(levels)  # of a group
    (begin, end), (first, last) = sides.reshape(2, -1), ends.reshape(2, -1)
    if int((end - begin).sum()) > _MOST_PIECES * len(west):  # as good as no two boxes in a row
        boxes = shapely.box(west, south, east, north)
        return np.array([shapely.union_all(boxes[group == one]) for one in range(groups)], dtype=object)
    band, left, right = _intervals(first, last, begin + group * bands, end - begin)
    # Upright edges: the west sides, which run down, then the east sides, which run up, so that the inside lies on the left.
    x, low, many = np.r_[left, right], np.r_[band, band], len(left)
    upward = np.arange(2 * many) >= many
    after = _followers(x, low, upward)
    before = np.empty_like(after)
    before[after] = np.arange(len(after))
    edge, ring = _rings(after)
    starts = edge[np.flatnonzero(np.diff(ring, prepend=-1))]
    # Edges that go straight on make one.
    corner = np.stack([x[before] != x, x[after] != x], axis=1)[edge].ravel()
    y = levels[np.stack([low + ~upward, low + upward], axis=1)[edge].ravel() % bands]
    points = np.stack([columns[np.repeat(x[edge], 2)], y], axis=1)
    rings = shapely.linearrings(points[corner], indices=np.repeat(ring, 2)[corner])
    # A ring's edges follow each other, and both ends of an interval bound the same part, be it on two rings.
    links = np.r_[np.arange(2 * many), np.arange(many)], np.r_[after, np.arange(many) + many]
    part = connected_components(sparse.coo_array((np.ones(3 * many, dtype=bool), links), shape=(2 * many, 2 * many)), directed=False)[1]
    return _polygons(rings, part[starts], low[starts] // bands, groups)


def _intervals(west: IntArray, east: IntArray, begin: IntArray, count: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Band, west and east of what boxes cover in each band, by band and from the west; those that meet are one.

    Args:
        west, east: (N,) numbers of the boxes' columns.
        begin, count: (N,) first band of each, and how many.
    """
    box = np.repeat(np.arange(len(west)), count)
    band = begin[box] + np.arange(len(box)) - np.repeat(np.cumsum(count) - count, count)
    order = np.lexsort((west[box], band))
    box, band = box[order], band[order]
    apart = int(east.max(initial=0)) + 1
    reach = np.maximum.accumulate(east[box] + apart * band)  # the farthest east so far in a band
    starts = np.ones(len(box), dtype=bool)
    starts[1:] = west[box[1:]] + apart * band[1:] > reach[:-1]
    first = np.flatnonzero(starts)
    last = np.append(first, len(box))[1:] - 1
    return band[first], west[box[first]], reach[last] - apart * band[last]


def _followers(x: IntArray, low: IntArray, upward: NDArray[np.bool_]) -> IntArray:
    """(E,) the edge that follows each upright edge on its ring.

    Args:
        x: (E,) columns.
        low: (E,) bands.
        upward: (E,) whether it runs up.
    """
    arrives = np.r_[~upward, upward]  # at the band's lower level, at its upper one
    order = np.lexsort((np.r_[x, x], np.r_[low, low + 1]))
    pairs, comes = (order % len(x)).reshape(-1, 2), arrives[order].reshape(-1, 2)
    after = np.empty(len(x), dtype=np.int64)
    after[pairs[comes]] = pairs[~comes]
    return after


def _rings(after: IntArray) -> tuple[IntArray, IntArray]:
    """Edges in the order of their rings, and the ring of each, from what follows what."""
    follower = after.tolist()
    edges: list[int] = []
    sizes: list[int] = []
    for start in range(len(follower)):
        edge, size = start, len(edges)
        while (follows := follower[edge]) >= 0:
            edges.append(edge)
            follower[edge], edge = -1, follows
        if len(edges) > size:
            sizes.append(len(edges) - size)
    return np.array(edges, dtype=np.int64), np.repeat(np.arange(len(sizes)), sizes)


def _polygons(rings: NDArray[np.object_], part: IntArray, group: IntArray, groups: int) -> NDArray[np.object_]:
    """(groups,) rings as polygons: of each part the one that turns left is its rim, the others are holes.

    Args:
        rings: (K,).
        part, group: (K,) of the rings.
        groups: how many.
    """
    rim = shapely.is_ccw(rings)
    order = np.flatnonzero(rim)[np.argsort(group[rim], kind="stable")]
    holes: dict[int, list[shapely.LinearRing]] = {}
    for one, ring in zip(part[~rim].tolist(), rings[~rim], strict=True):
        holes.setdefault(one, []).append(ring)
    polygons = np.array([shapely.polygons(rings[one], holes.get(int(part[one]))) for one in order], dtype=object)
    found = np.full(groups, shapely.MultiPolygon(), dtype=object)
    shapely.multipolygons(polygons, indices=group[order], out=found)
    alone = np.flatnonzero(np.bincount(group[order], minlength=groups)[group[order]] == 1)
    found[group[order[alone]]] = polygons[alone]
    return found
