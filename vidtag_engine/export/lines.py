"""Geometry of a trajectory: x before y, cut at the antimeridian, never invalid."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely
from shapely import MultiLineString

from ..trajectory.steps import parts as unbroken
from ..types import FloatArray, Trajectory

# A standing camera gives a line of no length, which GEOS calls invalid and which stops QGIS's Processing. It is drawn this long
# instead: 0.1 mm, far below any gallery's resolution.
STANDING_DEG = 1e-9


def cut_line(lat_deg: FloatArray, lon_deg: FloatArray) -> list[FloatArray]:
    """Coordinates of a line, cut where it crosses ±180°.

    Args:
        lat_deg: (N,) vertices, N >= 2.
        lon_deg: (N,). Neighbours go the short way round.

    Returns:
        Parts, each (n, 2) of lon, lat with n >= 2, all within ±180° and none shorter than ``STANDING_DEG``.
    """
    points = np.column_stack([np.asarray(lon_deg, dtype=np.float64), np.asarray(lat_deg, dtype=np.float64)])
    parts: list[FloatArray] = []
    part = [points[0]]
    for before, after in pairwise(points):
        if abs(after[0] - before[0]) > 180.0:
            side = 180.0 if before[0] > 0 else -180.0
            unwrapped = after[0] + 2.0 * side
            span = unwrapped - before[0]
            share = (side - before[0]) / span if span else 0.0
            lat = before[1] + share * (after[1] - before[1])
            parts.append(np.array([*part, (side, lat)]))
            part = [np.array((-side, lat))]
        part.append(after)
    parts.append(np.array(part))
    parts = [p for p in parts if np.ptp(p, axis=0).max() >= STANDING_DEG]
    if not parts:
        east = points[0] + ((-STANDING_DEG if points[0, 0] > 0 else STANDING_DEG), 0.0)
        parts = [np.array([points[0], east])]
    return parts


def cut_steps(from_lat_deg: FloatArray, from_lon_deg: FloatArray, to_lat_deg: FloatArray, to_lon_deg: FloatArray) -> np.ndarray:
    """(S,) array of MultiLineStrings, one a step; two parts where a step crosses ±180°."""
    count = len(from_lat_deg)
    if not count:
        return np.empty(0, dtype=object)
    xy = np.stack(
        [np.column_stack([from_lon_deg, from_lat_deg]).astype(float), np.column_stack([to_lon_deg, to_lat_deg]).astype(float)], axis=1
    )
    crossing = np.abs(xy[:, 1, 0] - xy[:, 0, 0]) > 180.0
    standing = np.abs(xy[:, 0] - xy[:, 1]).max(axis=1) < STANDING_DEG
    xy[standing, 1] = xy[standing, 0]
    xy[standing, 1, 0] += np.where(xy[standing, 0, 0] > 0, -STANDING_DEG, STANDING_DEG)
    # All at once for the many, one by one for the few that cross.
    lines = shapely.multilinestrings(shapely.linestrings(xy), indices=np.arange(count))
    for i in np.flatnonzero(crossing):
        lines[i] = MultiLineString(cut_line(xy[i, :, 1], xy[i, :, 0]))
    return lines


def cut_runs(trajectory: Trajectory) -> list[list[FloatArray]]:
    """For every unbroken run of two or more frames with an answer, the parts of its line (several where it crosses ±180°)."""
    return [cut_line(trajectory.lat_deg[run], trajectory.lon_deg[run]) for run in unbroken(trajectory) if run.stop - run.start > 1]


def video_line(trajectory: Trajectory) -> MultiLineString | None:
    """A video's whole line; None where no two neighbouring frames have an answer."""
    parts = [part for run in cut_runs(trajectory) for part in run]
    return MultiLineString(parts) if parts else None
