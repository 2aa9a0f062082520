"""How frames lie to what was driven before: the same way, only the other way, never, or across it. Accuracy means little where these are mixed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M, unit_vectors, wrap_lon
from ..reference.database import StoredReferences
from ..types import FloatArray

SAME_WAY, OTHER_WAY, NEVER_DRIVEN, CROSSING = WAYS = ("same_way", "other_way", "never_driven", "crossing")
NEAR_M = 25.0
FAR_M = 50.0
SAME_DEG = 45.0
OTHER_DEG = 135.0
_MOVED_M = 1.0  # between a frame's neighbours, below which they give no course


class DrivenWays:
    """Where cameras were before, and which way they looked.

    Args:
        lat_lon_deg: (N, 2) of their frames.
        heading_deg: (N,) clockwise from north; NaN where it is not known, which is neither the same way nor the other.
    """

    def __init__(self, lat_lon_deg: FloatArray, heading_deg: FloatArray) -> None:
        self._heading_deg = heading_deg
        self._tree = cKDTree(_on_earth_m(lat_lon_deg)) if len(lat_lon_deg) else None

    @classmethod
    def of_tracks(cls, tracks: Sequence[FloatArray]) -> DrivenWays:
        """Of drives whose cameras looked ahead.

        Args:
            tracks: (T, 2) latitude and longitude in degrees of each drive's frames, in order.
        """
        return cls(np.concatenate([np.zeros((0, 2)), *tracks]), np.concatenate([np.zeros(0), *map(courses_deg, tracks)]))

    @classmethod
    def of_references(cls, references: StoredReferences, about: FloatArray) -> DrivenWays:
        """Of a database's reference images; those without a heading looked along their drive.

        Args:
            references: opened.
            about: (T, 2) places that frames will be asked of; images far from all of them are not read.
        """
        chosen = references.rows_about(about, FAR_M)
        rows, places = references.store.rows[chosen], references.store.lat_lon_deg[chosen]
        heading_deg = rows["heading_deg"].astype(np.float64)
        order = np.lexsort((rows["number"], rows["sequence"]))
        for drive in np.split(order, np.flatnonzero(np.diff(rows["sequence"][order])) + 1):
            unknown = np.isnan(heading_deg[drive])
            if unknown.any():
                heading_deg[drive[unknown]] = courses_deg(places[drive])[unknown]
        return cls(places, heading_deg)

    def frames(self, track: FloatArray) -> tuple[str, ...]:
        """The way of each frame of a drive's true track (T, 2), one of ``WAYS``.

        A frame is *same way* with an earlier one within 25 m whose heading is at most 45° apart, *other way* with some within 25 m all of which are more than
        135° apart, *never driven* without one within 50 m, else *crossing*. Where somebody stood still all the time there is no course to compare: crossing.
        """
        if self._tree is None:
            return (NEVER_DRIVEN,) * len(track)
        points, course = _on_earth_m(track), courses_deg(track)
        # Chords are shorter than the ground they span by less than a millimetre here.
        nearest_m, _ = self._tree.query(points)
        found = []
        for number, near in enumerate(self._tree.query_ball_point(points, NEAR_M)):
            apart_deg = np.abs((self._heading_deg[near] - course[number] + 180.0) % 360.0 - 180.0)
            if (apart_deg <= SAME_DEG).any():
                found.append(SAME_WAY)
            elif near and (apart_deg > OTHER_DEG).all():
                found.append(OTHER_WAY)
            elif nearest_m[number] > FAR_M:
                found.append(NEVER_DRIVEN)
            else:
                found.append(CROSSING)
        return tuple(found)


def majority(frames: Sequence[str]) -> str:
    """The way of most frames; a tie of the first two is crossing."""
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
    # Frames and those that move both rise: the nearest is one of the two about each.
    after_it = np.searchsorted(moves, number).clip(0, len(moves) - 1)
    before_it = (after_it - 1).clip(0)
    nearest = np.where(number - moves[before_it] <= moves[after_it] - number, moves[before_it], moves[after_it])
    course: FloatArray = np.degrees(np.arctan2(east, north))[nearest] % 360.0
    return course


def _on_earth_m(places: FloatArray) -> FloatArray:
    points: FloatArray = EARTH_RADIUS_M * unit_vectors(places[:, 0], places[:, 1])
    return points
