"""A video's line as a drawing of a few hundred bytes: the data of an SVG path in a small box, north up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from ..geodesy import EARTH_RADIUS_M, centroid_deg, wrap_lon
from ..types import FloatArray

BOX_WIDTH, BOX_HEIGHT = 240, 150
"""Size of the box in its own units, which the path's integers count from its upper left corner."""
MOST_POINTS = 32
_MARGIN = 14
_LEAST_WIDTH_M = 20.0  # a standing camera's line has next to no extent
_FIRST_TOLERANCE, _TOLERANCE_FACTOR = 0.5, 1.4


@dataclass(frozen=True)
class LineThumbnail:
    """A drawn line.

    Args:
        path: the ``d`` of an SVG path in a box of ``BOX_WIDTH`` by ``BOX_HEIGHT``: integers, of at most ``MOST_POINTS`` points.
        box_width_m: what the whole width of the box measures on the ground, at the middle latitude of the line.
    """

    path: str
    box_width_m: float


def line_thumbnail(lines: Sequence[Sequence[tuple[float, float]]]) -> LineThumbnail | None:
    """Draw a line into the box, as large as fits, with the same scale in both directions.

    Args:
        lines: its parts, each of (lon_deg, lat_deg), cut at ±180°. Of more parts than the points suffice for, the longest are drawn.

    Returns:
        None where no coordinate is a finite number.
    """
    parts = [part for line in lines if len(part := _finite(line))]
    if not parts:
        return None
    metres = _plane_m(parts)
    together = np.concatenate(metres)
    low, high = together.min(axis=0), together.max(axis=0)
    span_m = high - low
    box_width_m = max(
        _LEAST_WIDTH_M,
        float(span_m[0]) * BOX_WIDTH / (BOX_WIDTH - 2 * _MARGIN),
        float(span_m[1]) * BOX_WIDTH / (BOX_HEIGHT - 2 * _MARGIN),
    )
    units_per_m = BOX_WIDTH / box_width_m
    centre, middle = (low + high) / 2.0, np.array([BOX_WIDTH / 2.0, BOX_HEIGHT / 2.0])
    # SVG counts downwards, so north is turned up here.
    drawn = [middle + (part - centre) * (units_per_m, -units_per_m) for part in metres]
    return LineThumbnail("".join(_path(part) for part in _simplified(drawn)), box_width_m)


def _finite(line: Sequence[tuple[float, float]]) -> FloatArray:
    """(n, 2) of lon and lat in degrees, without what is no place."""
    points = np.asarray(line, dtype=np.float64).reshape(-1, 2)
    known: FloatArray = points[np.isfinite(points).all(axis=1)]
    return known


def _plane_m(parts: list[FloatArray]) -> list[FloatArray]:
    """Metres east and north, with east as at the middle latitude. Longitudes are taken the short way, so that a cut at ±180° leaves no gap."""
    together = np.concatenate(parts)
    centre_lon = centroid_deg(together[:, 1], together[:, 0])[1]
    m_per_deg = EARTH_RADIUS_M * math.pi / 180.0
    shrink = max(math.cos(math.radians((together[:, 1].min() + together[:, 1].max()) / 2.0)), 1e-6)
    return [np.column_stack([wrap_lon(part[:, 0] - centre_lon) * (m_per_deg * shrink), part[:, 1] * m_per_deg]) for part in parts]


def _simplified(parts: list[FloatArray]) -> list[FloatArray]:
    """The parts with ``MOST_POINTS`` points at most, by Douglas and Peucker with the least tolerance that suffices."""
    if 2 * len(parts) > MOST_POINTS:
        lengths = [float(np.hypot(*np.diff(part, axis=0).T).sum()) for part in parts]
        longest = sorted(range(len(parts)), key=lengths.__getitem__, reverse=True)[: MOST_POINTS // 2]
        parts = [parts[i] for i in sorted(longest)]
    lines = shapely.linestrings(
        np.concatenate([part if len(part) > 1 else part.repeat(2, axis=0) for part in parts]),
        indices=np.repeat(np.arange(len(parts)), [max(len(part), 2) for part in parts]),
    )
    tolerance = _FIRST_TOLERANCE
    simple = shapely.simplify(lines, tolerance, preserve_topology=False)
    while shapely.get_num_coordinates(simple).sum() > MOST_POINTS:
        tolerance *= _TOLERANCE_FACTOR
        simple = shapely.simplify(lines, tolerance, preserve_topology=False)
    # A closed part that is smaller than the tolerance simplifies to nothing: it stays as the place where it starts.
    return [shapely.get_coordinates(line) if not line.is_empty else part[:1] for line, part in zip(simple, parts, strict=True)]


def _path(points: FloatArray) -> str:
    """One part as data of a path: its start, then steps; a part that falls into one unit is a step of no length, which round ends make a dot."""
    whole = np.rint(points).astype(np.int64).tolist()
    steps = [(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in pairwise(whole) if (x1, y1) != (x2, y2)]
    numbers = "".join(f" {number}" if number >= 0 else str(number) for step in steps for number in step)
    return f"M{whole[0][0]} {whole[0][1]}" + (f"l{numbers.lstrip()}" if steps else "h0")
