"""Gallery points: a uniform Equal Earth grid over an area, or the paper's latitude/longitude grid.

**Equal Earth.** In this projection parallels are straight lines of constant y, and meridians divide each of them evenly. Dividing the
axis steps by the local scale factors, row by row, makes rows that are one step apart on the ground, and points on each row that are
one step apart on the ground. So every row is its own "part", as narrow as a part can be. Nothing is left of the shear that EPSG:8857
shows far from its central meridian: it moves rows against each other, and here each row sets its own offset. No scale changes
within a part, no seams between parts can double points, and poles and ±180° need no special case. For a small area it is the plain
grid. As the projection keeps areas, cell width × cell height = area / count holds in the plane as on the ground.

Any place inside lies within half a step of a row, and there within half a step of a point: the covering radius is
√(½² + ½²) = 0.71 steps whatever the rows' offsets, and stays below 0.8 while steps stretch by up to 10 %. That slack is used twice: each
piece of a row is filled evenly from border to border, and points are added at the border where slivers remain (`edges`), while the
steps of the inside are fitted so that count × resolution² equals the area. An area that is mostly border (on average
less than some eight steps wide) keeps its cover, and so may get more points than its area asks for.

**Latitude/longitude.** Paper, App. D.1: the area's bounding box divided into dis_LAT // resolution by dis_LON // resolution cells,
dis_LON measured along the southern side; the points are the cells' centres, and those outside the area are left out.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from ..geodesy import wrap_lon
from ..types import FloatArray, InputError, IntArray
from .aoi import AreaOfInterest
from .edges import Rows, edge_points
from .ellipsoid import lat_of_arc_deg, meridian_arc_m, parallel_radius_m
from .neighbours import Neighbours
from .scanline import Chords, chords

KINDS = ("equal-earth", "latlon")
MAX_POINTS = 100_000_000
COVER = 0.8  # of the resolution: the promised covering radius
_INNER_COVER = 0.79
_MOST_STRETCH = 1.1
_LEAST_STRETCH = 0.8
_MOST_ROWS = 4_000_000
# Beyond this many points the border no longer counts, and nobody embeds them anyway (`check_size`).
_EDGE_POINTS_UP_TO = 1_000_000_000
_SEAM_DEG = 180.0 - 1e-9
_FORMAT = "vidtag-grid-1"


@dataclass(frozen=True)
class Grid:
    """Gallery points in a fixed order, made only when asked for: rows from south to north, each from west to east, then border points.

    What is held grows with the area's border and number of rows, never with the number of points.

    Args:
        resolution_m: the step on the ground.
        kind: ``"equal-earth"`` or ``"latlon"``.
        digest: SHA-256 (hex) of area, kind, resolution and construction: the same digest means the same points.
        area_m2: of the area of interest.
        central_meridian_deg: Equal Earth's ``lon_0``, the area's centre.
        rows: the pieces of parallels.
        border: (M, 2) lat, lon of the points added at the border.
    """

    resolution_m: float
    kind: str
    digest: str
    area_m2: float
    central_meridian_deg: float
    rows: Rows
    border: FloatArray

    @property
    def count(self) -> int:
        """Number of points, exact, known without making them."""
        return self.rows.total + len(self.border)

    def at(self, index: IntArray) -> FloatArray:
        """Points by number, (n,) → (n, 2) lat, lon in degrees, longitudes within ±180; NaN for negative numbers."""
        made = np.full((len(index), 2), np.nan)
        inner, ends = self.rows.total, self._ends
        row = np.flatnonzero((index >= 0) & (index < inner))
        piece = np.searchsorted(ends, index[row], side="right")
        place = index[row] - (ends[piece] - self.rows.count[piece])
        made[row, 0] = self.rows.lat_deg[piece]
        made[row, 1] = self.rows.first_lon_deg[piece] + place * self.rows.step_lon_deg[piece]
        outer = np.flatnonzero(index >= inner)
        made[outer] = self.border[index[outer] - inner]
        # A point on the seam itself lies on the border of both halves of the area; a tenth of a millimetre brings it inside.
        made[:, 1] = np.clip(wrap_lon(made[:, 1]), -_SEAM_DEG, _SEAM_DEG)
        return made

    def points(self, start: int, stop: int) -> FloatArray:
        """The points numbered start..stop-1 as (n, 2) lat, lon in degrees."""
        return self.at(np.arange(max(start, 0), min(stop, self.count)))

    def within(self, lat_lon_deg: FloatArray, radius_m: float | FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
        """All points within a radius of each place: see :meth:`.neighbours.Neighbours.within`."""
        return self._neighbours.within(lat_lon_deg, radius_m)

    def nearest(self, lat_lon_deg: FloatArray, reach_m: float) -> IntArray:
        """Number of the nearest point of each place, -1 where none lies within ``reach_m``."""
        return self._neighbours.nearest(lat_lon_deg, reach_m)

    @cached_property
    def plan_digest(self) -> str:
        """SHA-256 (hex) of the very numbers that points are made from: what `digest` promises, checked to the last bit of this machine."""
        arrays = (self.rows.lat_deg, self.rows.first_lon_deg, self.rows.step_lon_deg, self.rows.count, self.border)
        return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()

    def chunks(self, size: int = 65_536) -> Iterator[FloatArray]:
        """All points as (n <= size, 2) lat, lon in degrees, always in the same order."""
        for start in range(0, self.count, size):
            yield self.points(start, start + size)

    def to_summary(self) -> dict[str, Any]:
        """Plain JSON values for people and provenance."""
        return {
            "kind": self.kind,
            "resolution_m": self.resolution_m,
            "count": self.count,
            "area_m2": self.area_m2,
            "central_meridian_deg": self.central_meridian_deg,
            "rows": int(self.rows.row[-1] - self.rows.row[0] + 1) if len(self.rows.row) else 0,
            "border_points": len(self.border),
            "digest": self.digest,
        }

    @cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours(self)

    @cached_property
    def _ends(self) -> IntArray:
        return np.cumsum(self.rows.count)


def make_grid(aoi: AreaOfInterest, resolution_m: float, kind: str = "equal-earth") -> Grid:
    """Plan the gallery of an area; its count is known afterwards, its points are not yet made.

    Args:
        aoi: the area.
        resolution_m: step on the ground in metres, > 0.
        kind: ``"equal-earth"``, or ``"latlon"`` for the paper's grid (App. D.1).

    Returns:
        At least one point, none outside the area. Equal Earth: no place of the area farther than 0.8 × resolution from a point, and,
        above 1,000 points, count × resolution² within 1 % of the area unless that is less than some eight steps wide.

    Raises:
        InputError: unknown kind, or a resolution that is no positive length or that cannot be counted.
    """
    if kind not in KINDS:
        raise InputError(f"There is no grid kind {kind!r}; take one of {', '.join(KINDS)}.")
    if not (math.isfinite(resolution_m) and resolution_m > 0):
        raise InputError(f"The resolution is {resolution_m!r} m; give a positive number of metres.")
    geometry, cut_deg = _unroll(aoi.geometry)
    _, south, _, north = geometry.bounds
    span_m = float(meridian_arc_m(np.array(north)) - meridian_arc_m(np.array(south)))
    if span_m / resolution_m > _MOST_ROWS:
        raise InputError(
            f"A grid of {resolution_m:g} m over this area has more than {_MOST_ROWS:,} rows; take a coarser resolution or a smaller area."
        )
    rows, border = (
        _equal_earth(geometry, aoi.area_m2, resolution_m) if kind == "equal-earth" else (_latlon(geometry, resolution_m), np.zeros((0, 2)))
    )
    if rows.total + len(border) == 0:
        border = _one_point(geometry)
    west, _, east, _ = geometry.bounds
    label = f"{_FORMAT}|{kind}|{float(resolution_m)!r}|{cut_deg!r}|".encode()
    digest = hashlib.sha256(label + shapely.to_wkb(geometry, byte_order=1, output_dimension=2)).hexdigest()
    centre = float(wrap_lon(np.array((west + east) / 2)))
    return Grid(float(resolution_m), kind, digest, aoi.area_m2, centre, rows, border)


def check_size(grid: Grid, embedding_dim: int, *, max_points: int = MAX_POINTS, max_bytes: int | None = None) -> None:
    """Refuse a grid that is too large, before anything is made.

    Args:
        grid: the plan.
        embedding_dim: numbers in an embedding.
        max_points: the most points to accept.
        max_bytes: the most room for float32 embeddings, where they must be kept.

    Raises:
        InputError: with the count, the size and the resolution that would fit.
    """
    size = grid.count * embedding_dim * 4
    fitting = max_points if max_bytes is None else min(max_points, max_bytes // (embedding_dim * 4))
    if grid.count <= fitting:
        return
    coarser = math.ceil(grid.resolution_m * math.sqrt(grid.count / max(fitting, 1)) * 1.01)
    raise InputError(
        f"The area at {grid.resolution_m:g} m makes {grid.count:,} gallery points ({size / 1e9:,.1f} GB of embeddings), more than the "
        f"{fitting:,} that fit; "
        f"take a resolution of {coarser:,} m or more, or a smaller area."
    )


def _unroll(geometry: shapely.Geometry) -> tuple[shapely.Geometry, float]:
    """The area with longitudes from a cut in its widest gap on, so that ±180° runs through its middle unnoticed; and the cut."""
    parts = shapely.get_parts(geometry)
    bounds = shapely.bounds(parts)
    order = np.argsort(bounds[:, 0])
    west, east = bounds[order, 0], np.maximum.accumulate(bounds[order, 2])
    gaps = np.append(west[1:] - east[:-1], west[0] + 360.0 - east[-1])
    widest = int(np.argmax(gaps))
    if widest == len(parts) - 1 or gaps[widest] <= 0:
        return shapely.normalize(shapely.MultiPolygon(list(parts))), -180.0
    cut_deg = float(west[widest + 1])
    # Whole turns only: 360 added to -180 is exactly 180, and so both halves of a split polygon meet again.
    moved = [shapely.transform(part, lambda xy: xy + np.array([360.0, 0.0])) if part.bounds[0] < cut_deg else part for part in parts]
    joined = shapely.union_all(moved)
    return shapely.normalize(shapely.MultiPolygon(list(shapely.get_parts(joined)))), cut_deg


def _equal_earth(geometry: shapely.Geometry, area_m2: float, resolution_m: float) -> tuple[Rows, FloatArray]:
    """Rows and border points whose number times resolution² comes closest to the area."""
    wanted = area_m2 / resolution_m**2
    stretch = 1.0
    best: tuple[float, Rows, FloatArray] = (math.inf, _rows(geometry, resolution_m, stretch), np.zeros((0, 2)))
    tried: set[float] = set()
    while stretch not in tried and len(tried) < 6:
        tried.add(stretch)
        rows = _rows(geometry, resolution_m, stretch)
        border = edge_points(geometry, rows, resolution_m) if wanted <= _EDGE_POINTS_UP_TO else np.zeros((0, 2))
        count = rows.total + len(border)
        error = abs(count / wanted - 1.0)
        if error < best[0]:
            best = (error, rows, border)
        if error < 2e-3 or rows.total == 0:
            break
        # Border points hardly change with the step: the rows alone make up the difference.
        inner = max(wanted - len(border), rows.total / _MOST_STRETCH**2)
        stretch = float(np.clip(stretch * math.sqrt(rows.total / inner), _LEAST_STRETCH, _MOST_STRETCH))
    return best[1], best[2]


def _rows(geometry: shapely.Geometry, resolution_m: float, stretch: float) -> Rows:
    """Evenly filled rows: heights divide the area's north-south span, widths make up for what that changes in the cell's area."""
    _, south, _, north = geometry.bounds
    arc_south, arc_north = (float(meridian_arc_m(np.array(lat))) for lat in (south, north))
    span_m, step_m = arc_north - arc_south, stretch * resolution_m
    number = max(1, round(span_m / step_m))
    if span_m / number > 1.02 * _MOST_STRETCH * resolution_m:
        number += 1
    height_m = span_m / number
    widest_m = 2 * math.sqrt(max((_INNER_COVER * resolution_m) ** 2 - (height_m / 2) ** 2, 0.01 * resolution_m**2))
    width_m = min(step_m**2 / height_m, widest_m)
    arc0_m = arc_south + height_m / 2
    lat = lat_of_arc_deg(arc0_m + height_m * np.arange(number))
    pieces = chords(geometry, lat)
    length = np.radians(pieces.east_deg - pieces.west_deg) * parallel_radius_m(lat[pieces.row])
    count = _share(length, width_m, widest_m)
    return _filled(pieces, lat, count, arc0_m, height_m)


def _share(length_m: FloatArray, width_m: float, widest_m: float) -> IntArray:
    """Points of each piece: rounded so that the errors cancel over the pieces, never sparser than ``widest_m``.

    Pieces shorter than half a step may go without: their surroundings mostly cover them, and the border points the rest.
    """
    running = np.rint(np.cumsum(length_m / width_m))
    share = np.diff(running, prepend=0.0)
    least = np.where(length_m >= width_m / 2, np.ceil(length_m / widest_m - 1e-9), 0.0)
    # A hair's width has no inside in floating point.
    return np.where(length_m > 1e-6, np.maximum(share, least), 0.0).astype(np.int64)


def _filled(pieces: Chords, lat: FloatArray, count: IntArray, arc0_m: float, height_m: float) -> Rows:
    keep = count > 0
    row, west, east, count = pieces.row[keep], pieces.west_deg[keep], pieces.east_deg[keep], count[keep]
    step = (east - west) / count
    return Rows(row, lat[row], west + step / 2, step, count, arc0_m, height_m)


def _latlon(geometry: shapely.Geometry, resolution_m: float) -> Rows:
    """The paper's grid, App. D.1 steps 4 and 5, clipped."""
    west, south, east, north = geometry.bounds
    span_m = float(meridian_arc_m(np.array(north)) - meridian_arc_m(np.array(south)))
    number = max(1, math.floor(span_m / resolution_m))
    # At a pole the southern side may have no length; the paper has no such region.
    along_m = math.radians(east - west) * float(parallel_radius_m(np.array(south)))
    across = max(1, math.floor(along_m / resolution_m))
    row_step, step = (north - south) / number, (east - west) / across
    lat = south + (np.arange(number) + 0.5) * row_step
    pieces = chords(geometry, lat)
    first = np.ceil((pieces.west_deg - west) / step - 0.5)
    last = np.floor((pieces.east_deg - west) / step - 0.5)
    count = np.maximum(last - first + 1, 0).astype(np.int64)
    keep = count > 0
    row = pieces.row[keep]
    return Rows(row, lat[row], west + (first[keep] + 0.5) * step, np.full(len(row), step), count[keep], 0.0, span_m / number)


def _one_point(geometry: shapely.Geometry) -> FloatArray:
    """A point surely inside, for an area smaller than a cell."""
    largest = max(shapely.get_parts(geometry), key=lambda part: part.area)
    point = shapely.point_on_surface(largest)
    return np.array([[point.y, point.x]])
