"""Course over ground: which way the camera goes at each frame, read off the solved line.

For a camera that looks ahead its course is its heading; one that looks aside or back has another heading, which nothing here tells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..geodesy import EARTH_RADIUS_M, WGS84, unit_vectors
from ..types import FloatArray, FrameState, IntArray, Trajectory
from .steps import parts

LEAST_SPACINGS = 3.0
"""Of a chord, in spacings of the places that were searched: the line is settled to a part of one, and scatters about as much."""
MOST_SPACING_M = 100.0
"""Of the places, beyond which no course is told: nearly half of them were off by more than 45° on places 250 m apart (simulated)."""
# The rest is chosen on simulated drives (benchmarks/course.py), for few that are wrong.
_STRAIGHT, _PIECES = 0.8, 6  # chord over the way in so many pieces: less is a bend, or places that scatter
_EVEN = 0.35  # of the chord, to be made in either half of its frames: less is a hop from place to place
_MOVES, _QUARTER = 0.3, 0.25  # of the chord's mean speed, a quarter of its frames to either side: less is a camera that stands
_LIKELY = 0.6  # chance that a frame's place is roughly right; where it is not, its course is wrong more often than not
_LEAST_PIECE_M = 0.1
_AGAINST_DEG = 90.0


def with_course(trajectory: Trajectory, spacing_m: float, cut_frames: Sequence[int] = ()) -> Trajectory:
    """The trajectory with ``course_deg`` of its line as it now is, and no other: see :func:`course_deg`.

    A frame has none where places lie farther apart than ``MOST_SPACING_M``, where its place is rated and not likely right, or its answer would be withheld.

    Args:
        trajectory: the answer in place.
        spacing_m: of the places that were searched.
        cut_frames: numbers, as in ``frame_index``, of frames that begin a new shot.
    """
    course, least_m = np.full(len(trajectory.state), np.nan), LEAST_SPACINGS * spacing_m
    if spacing_m > MOST_SPACING_M or (trajectory.verdict is not None and trajectory.verdict.state is not FrameState.LOCATED):
        return replace(trajectory, course_deg=course)
    cut = np.flatnonzero(np.isin(trajectory.frame_index, np.asarray(cut_frames, dtype=np.int64)))
    for part in parts(trajectory):
        inside = cut[(cut > part.start) & (cut < part.stop)].tolist()
        for start, stop in zip([part.start, *inside], [*inside, part.stop], strict=True):
            rows = slice(start, stop)
            course[rows] = course_deg(trajectory.lat_deg[rows], trajectory.lon_deg[rows], trajectory.time_s[rows], least_m)
    return replace(trajectory, course_deg=np.where(_likely(trajectory), course, np.nan))


def _likely(trajectory: Trajectory) -> NDArray[np.bool_]:
    """(T,) whether a frame's place is likely right within the widest radius that is told of: nearer than that a line may be off and yet go the right way."""
    chance, found = trajectory.confidence, trajectory.hypotheses
    if found is not None:
        chance = found.within[:, int(np.argmax(found.radii_m))]
    result: NDArray[np.bool_] = ~(chance < _LIKELY)  # not rated: the line alone tells
    return result


def course_deg(lat_deg: FloatArray, lon_deg: FloatArray, time_s: FloatArray, least_m: float) -> FloatArray:
    """(T,) course at each frame of an unbroken run, degrees clockwise from true north in [0, 360); NaN where the line does not tell it.

    It is the azimuth, where it passes the frame, of the geodesic from an earlier to a later one: the nearest that lie ``least_m`` apart, as many frames before
    as after, but where the run ends. A frame has none where no two lie so far apart, where the way between them is not straight and even, and where the
    camera stands beside how it goes between them.

    Args:
        lat_deg, lon_deg: (T,) places, none unknown.
        time_s: (T,) not falling.
        least_m: of the chord; shorter ones are the places' own scatter.
    """
    points_m = EARTH_RADIUS_M * unit_vectors(lat_deg, lon_deg)
    course = np.full(len(points_m), np.nan)
    before, after = _chords(points_m, least_m)
    rows = np.flatnonzero(after > before)
    before, after = before[rows], after[rows]
    told = _goes(points_m, before, after) & _moves(points_m, time_s, rows, before, after)
    rows, before, after = rows[told], before[told], after[told]
    behind_m, ahead_m = _apart_m(points_m[before], points_m[rows]), _apart_m(points_m[rows], points_m[after])
    azimuth_deg, _, length_m = WGS84.inv(lon_deg[before], lat_deg[before], lon_deg[after], lat_deg[after])
    # A geodesic's azimuth turns on the way, near a pole by much.
    passes_m = length_m * behind_m / (behind_m + ahead_m)
    backward_deg = WGS84.fwd(lon_deg[before], lat_deg[before], azimuth_deg, passes_m)[2]
    course[rows] = (backward_deg + 180.0) % 360.0 % 360.0  # a hair below 0 rounds up to 360
    return course


def way_course_deg(lat_deg: FloatArray, lon_deg: FloatArray, course_deg: float) -> float:
    """Course at the beginning of a way along roads, in [0, 360); NaN where the line's own course is not known there, or goes against it.

    Args:
        lat_deg, lon_deg: (N,) the way, N >= 2.
        course_deg: of the line at its beginning.
    """
    ahead, _, length_m = WGS84.inv(lon_deg[:-1], lat_deg[:-1], lon_deg[1:], lat_deg[1:])
    pieces = np.flatnonzero(np.asarray(length_m) > _LEAST_PIECE_M)
    if not len(pieces):
        return math.nan
    found = float(ahead[pieces[0]]) % 360.0 % 360.0  # a hair below 0 rounds up to 360
    return found if abs((found - course_deg + 180.0) % 360.0 - 180.0) < _AGAINST_DEG else math.nan


def _chords(points_m: FloatArray, least_m: float) -> tuple[IntArray, IntArray]:
    """(T,) rows where each frame's chord begins and ends; the same where it has none."""
    count = len(points_m)
    before, after = np.arange(count), np.arange(count)
    left = np.arange(count)
    for reach in range(1, count):
        first, last = np.maximum(left - reach, 0), np.minimum(left + reach, count - 1)
        far = _apart_m(points_m[first], points_m[last]) >= least_m
        before[left[far]], after[left[far]] = first[far], last[far]
        left = left[~far]
        if not len(left):
            break
    return before, after


def _goes(points_m: FloatArray, before: IntArray, after: IntArray) -> NDArray[np.bool_]:
    """Whether the way between rows leads straight and evenly from the one to the other."""
    chord = points_m[after] - points_m[before]
    chord_m = np.linalg.norm(chord, axis=1)
    marks = [before + np.round((after - before) * piece / _PIECES).astype(np.int64) for piece in range(_PIECES + 1)]
    way_m = sum(_apart_m(points_m[one], points_m[other]) for one, other in pairwise(marks))
    first = points_m[(before + after + 1) // 2] - points_m[before]
    second = points_m[after] - points_m[(before + after) // 2]
    made = np.minimum((first * chord).sum(axis=1), (second * chord).sum(axis=1))
    result: NDArray[np.bool_] = (chord_m >= _STRAIGHT * way_m) & (made >= _EVEN * chord_m**2)
    return result


def _moves(points_m: FloatArray, time_s: FloatArray, rows: IntArray, before: IntArray, after: IntArray) -> NDArray[np.bool_]:
    """Whether the camera does not stand at a row, beside how it goes between the other two."""
    reach = np.maximum(np.round(_QUARTER * (after - before)).astype(np.int64), 1)
    first, last = np.maximum(rows - reach, before), np.minimum(rows + reach, after)
    here_m, chord_m = _apart_m(points_m[first], points_m[last]), _apart_m(points_m[before], points_m[after])
    result: NDArray[np.bool_] = here_m * (time_s[after] - time_s[before]) >= _MOVES * chord_m * (time_s[last] - time_s[first])
    return result


def _apart_m(points_m: FloatArray, others_m: FloatArray) -> FloatArray:
    """Straight-line distances; at what a chord of places is long, those on the ground to a millionth."""
    result: FloatArray = np.linalg.norm(others_m - points_m, axis=1)
    return result
