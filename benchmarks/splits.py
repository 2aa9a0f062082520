"""How a test drive lies to what training drove: the same way, only the other way, never, or across it. Every figure of accuracy and confidence is split so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from vidtag_engine.geodesy import EARTH_RADIUS_M, unit_vectors, wrap_lon
from vidtag_engine.types import FloatArray

from .isles_world import TEST_SPLITS, Drive, IslesWorld

SAME_WAY, OTHER_WAY, NEVER_DRIVEN, CROSSING = SPLITS = ("same_way", "other_way", "never_driven", "crossing")
NEAR_M = 25.0
FAR_M = 50.0
SAME_DEG = 45.0
OTHER_DEG = 135.0
_MOVED_M = 1.0  # between a frame's neighbours, below which they give no course


@dataclass(frozen=True)
class DriveSplit:
    """Where a drive belongs.

    Args:
        split: its frames' majority.
        frames: (T,) of each frame.
    """

    split: str
    frames: tuple[str, ...]


class TrainingWays:
    """Where training frames were, and which way they went.

    Args:
        tracks: (T, 2) latitude and longitude of each training drive's frames, in order.
    """

    def __init__(self, tracks: Sequence[FloatArray]) -> None:
        places = np.concatenate([np.zeros((0, 2)), *tracks])
        self._course_deg = np.concatenate([np.zeros(0), *map(courses_deg, tracks)])
        self._tree = cKDTree(_on_earth_m(places)) if len(places) else None

    def frames(self, track: FloatArray) -> tuple[str, ...]:
        """The split of each frame of a drive's true track (T, 2).

        A frame is *same way* with a training frame within 25 m whose course is at most 45° apart, *other way* with one within 25 m where all of those are more than
        135° apart, *never driven* without one within 50 m, else *crossing*. Where somebody stood still all the time there is no course to compare: crossing.
        """
        if self._tree is None:
            return (NEVER_DRIVEN,) * len(track)
        points, course = _on_earth_m(track), courses_deg(track)
        # Chords are shorter than the ground they span by less than a millimetre here.
        nearest_m, _ = self._tree.query(points)
        found = []
        for number, near in enumerate(self._tree.query_ball_point(points, NEAR_M)):
            apart_deg = np.abs((self._course_deg[near] - course[number] + 180.0) % 360.0 - 180.0)
            if (apart_deg <= SAME_DEG).any():
                found.append(SAME_WAY)
            elif near and (apart_deg > OTHER_DEG).all():
                found.append(OTHER_WAY)
            elif nearest_m[number] > FAR_M:
                found.append(NEVER_DRIVEN)
            else:
                found.append(CROSSING)
        return tuple(found)


def splits_of(world: IslesWorld, *splits: str) -> dict[str, DriveSplit]:
    """By a test drive's name, how it lies to the world's training drives.

    Args:
        world: with its truths.
        splits: of the drives asked about; none: all test drives.
    """
    ways = TrainingWays([drive.sequence.lat_lon_deg for drive in world.of("train")])
    return {drive.sequence.name: split_of(drive, ways) for drive in world.of(*(splits or TEST_SPLITS))}


def split_of(drive: Drive, ways: TrainingWays) -> DriveSplit:
    """How one drive lies to training."""
    frames = ways.frames(drive.sequence.lat_lon_deg)
    return DriveSplit(majority(frames), frames)


def majority(frames: Sequence[str]) -> str:
    """The split of most frames; a tie of the first two is crossing."""
    counts = Counter(frames).most_common(2)
    if not counts or (len(counts) == 2 and counts[0][1] == counts[1][1]):
        return CROSSING
    return counts[0][0]


def courses_deg(track: FloatArray) -> FloatArray:
    """Course over ground at each place of a track (T, 2), clockwise from north: from the place before to the one after.

    Where both are the same place, as of a vehicle that stands, it is that of the nearest frame that moves; NaN where none does.
    """
    if len(track) < 2:
        return np.full(len(track), np.nan)
    number = np.arange(len(track))
    before, after = track[np.maximum(number - 1, 0)], track[np.minimum(number + 1, len(track) - 1)]
    north = np.radians(after[:, 0] - before[:, 0]) * EARTH_RADIUS_M
    east = np.radians(wrap_lon(after[:, 1] - before[:, 1])) * EARTH_RADIUS_M * np.cos(np.radians(track[:, 0]))
    moves = np.flatnonzero(np.hypot(north, east) >= _MOVED_M)
    if not len(moves):
        return np.full(len(track), np.nan)
    nearest = moves[np.abs(number[:, None] - moves).argmin(axis=1)]
    course: FloatArray = np.degrees(np.arctan2(east, north))[nearest] % 360.0
    return course


def _on_earth_m(places: FloatArray) -> FloatArray:
    points: FloatArray = EARTH_RADIUS_M * unit_vectors(places[:, 0], places[:, 1])
    return points
