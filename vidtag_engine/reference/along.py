"""Sequences compared with sequences: a frame's nearest references are judged by what its neighbours in time see along the same drive (not in the paper).

Who drives a street sees its pictures in the order in which another drive took them, at a speed that is nearly the same for some seconds; look-alikes elsewhere do
not follow each other so. (The idea is SeqSLAM's, Milford and Wyeth 2012: there all pairs of two drives are compared, here those that a frame finds by itself.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geodesy import haversine_m
from ..types import FloatArray, IntArray
from .codes import CodeSearch, Neighbours

_SPEEDS = (0.0, 0.5, 0.75, 1.0, 1.35, 1.8)  # times what is usual
_WINDOW_M = 110.0  # to either side, at the usual speed
_EACH_SIDE = 5  # frames that are looked at, at most
_NEAR_M = 30.0  # that a reference may be off where it should be
_NEAR_STEPS = 0.75  # likewise, where references stand farther apart: of their usual steps
_APART_M = 1e7  # between two drives, in the one coordinate of all
_AT_ONCE = 16  # frames


@dataclass(frozen=True)
class Moments:
    """When a video's frames were taken, and how fast its camera is expected to go.

    Args:
        time_s: (T,) not falling.
        speed_mps: that is usual.
        cuts: rows that begin a new shot; frames of another shot are no neighbours.
    """

    time_s: FloatArray
    speed_mps: float
    cuts: tuple[int, ...] = ()

    def neighbours(self) -> tuple[IntArray, NDArray[np.bool_]]:
        """(T, F) of each frame those that it is judged with, itself among them, and which of them there are: evenly out of those within the window."""
        count, reach_s = len(self.time_s), _WINDOW_M / self.speed_mps
        shot = np.zeros(count, dtype=np.int64)
        shot[list(self.cuts)] = 1
        shot = shot.cumsum()
        first = np.searchsorted(self.time_s, self.time_s - reach_s, "left")
        last = np.searchsorted(self.time_s, self.time_s + reach_s, "right")
        begins, ends = np.searchsorted(shot, shot, "left"), np.searchsorted(shot, shot, "right")
        first, last = np.maximum(first, begins), np.minimum(last, ends) - 1
        every = np.arange(count)
        steps = [np.ceil(side / _EACH_SIDE).astype(np.int64).clip(1) for side in (every - first, last - every)]
        away = np.arange(1, _EACH_SIDE + 1)
        before, after = every[:, None] - away[::-1] * steps[0][:, None], every[:, None] + away * steps[1][:, None]
        rows = np.concatenate([before, every[:, None], after], axis=1)
        known = (rows >= first[:, None]) & (rows <= last[:, None])
        return np.where(known, rows, every[:, None]), known


class Ways:
    """References in the order in which their drives took them.

    Args:
        lat_lon_deg: (N, 2) where they were taken.
        sequence: (N,) of which sequence each is.
        number: (N,) its number in that.
    """

    def __init__(self, lat_lon_deg: FloatArray, sequence: IntArray, number: IntArray) -> None:
        self._order = np.lexsort((number, sequence))
        places, drive = np.asarray(lat_lon_deg)[self._order], np.asarray(sequence)[self._order]
        step_m = haversine_m(*places[:-1].T, *places[1:].T) if len(places) > 1 else np.zeros(0)
        same = drive[1:] == drive[:-1]
        moved = step_m[same & (step_m > 0.0)]
        self._near_m = max(_NEAR_M, _NEAR_STEPS * float(np.median(moved))) if len(moved) else _NEAR_M
        # One coordinate for all drives, so that one look-up serves all.
        self._along_m = np.concatenate([np.zeros(min(1, len(places))), np.where(same, step_m, _APART_M).cumsum()])
        self._place = np.empty(len(places), dtype=np.int64)
        self._place[self._order] = np.arange(len(places))

    def moved(self, rows: IntArray, by_m: FloatArray) -> IntArray:
        """References that lie so many metres on along the drives of others; -1 where there is none near enough. Both of any shapes that broadcast."""
        wanted = self._along_m[self._place[rows]] + by_m
        after = np.searchsorted(self._along_m, wanted).clip(0, len(self._along_m) - 1)
        before = np.maximum(after - 1, 0)
        nearer = np.where(wanted - self._along_m[before] < self._along_m[after] - wanted, before, after)
        found: IntArray = np.where(np.abs(self._along_m[nearer] - wanted) <= self._near_m, self._order[nearer], -1)
        return found


def least_of(found: Neighbours) -> FloatArray:
    """(T,) the least similarity that each frame found; 0 where it found nothing."""
    least = np.where(np.isfinite(found.similarity), found.similarity, np.inf).min(axis=1, initial=np.inf)
    result: FloatArray = np.where(np.isfinite(least), least, 0.0)
    return result


def in_sequence(
    search: CodeSearch,
    ways: Ways,
    frames: FloatArray,
    found: Neighbours,
    moments: Moments,
    hidden: NDArray[np.bool_] | None = None,
    *,
    backwards: bool = False,
    floor: FloatArray | None = None,
) -> FloatArray:
    """(T, k) similarities of a video's frames to what they found, each the mean along the drive that it was found on, at the speed and in the order that fit best.

    A neighbour whose reference is not there, or hidden, is taken to be no more similar than the least that it found itself.

    Args:
        search: of the references.
        ways: of the same.
        frames: (T, D) descriptors of all frames of the video.
        found: their nearest.
        moments: of the frames.
        hidden: (N,) references that are left out.
        backwards: the video runs against the drives: in no other order.
        floor: (T,) the least that each frame found, where ``found`` is a part of it.
    """
    others, there = moments.neighbours()
    known = np.isfinite(found.similarity)
    floor = least_of(found) if floor is None else floor
    # A camera that looks down, or back where the other one looked ahead, sees the same pictures from last to first.
    onwards = np.array(_SPEEDS) * moments.speed_mps
    speeds = -onwards if backwards else np.concatenate([onwards, -onwards[1:]])
    result = np.full(found.similarity.shape, -np.inf, dtype=np.float32)
    for begin in range(0, len(frames), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        of, weight = others[part], there[part].astype(np.float32)
        passed_s = moments.time_s[of] - moments.time_s[part][:, None]
        # Speeds, frames, their neighbours, what they found.
        rows = ways.moved(found.rows[part][None, :, None, :], speeds[:, None, None, None] * passed_s[None, :, :, None])
        usable = (rows >= 0) & known[part][None, :, None, :] & (weight > 0)[None, :, :, None]
        asked = np.unique(rows[usable])
        asked = asked[search.has(asked)]
        if hidden is not None:
            asked = asked[~hidden[asked]]
        if not len(asked):
            continue
        low, high = int(of.min()), int(of.max()) + 1
        alike = search.similarity(frames[low:high], asked)
        column = np.searchsorted(asked, rows).clip(0, len(asked) - 1)
        usable &= asked[column] == rows
        seen = np.where(usable, alike[(of - low)[None, :, :, None], column], floor[of][None, :, :, None])
        mean = (seen * weight[None, :, :, None]).sum(axis=2) / weight.sum(axis=1)[None, :, None]
        result[part] = np.where(known[part], mean.max(axis=0), -np.inf)
    return result
