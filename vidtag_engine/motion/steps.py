"""What is kept of a video for its motion: where some hundred points were at two moments, again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import FloatArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# A point's place is kept in whole parts of a pixel: two bytes a coordinate rather than eight, some 80 MB an hour of video.
PARTS = 64.0
# How overlays and the bonnet are found: on a grid of cells, by how often a point stood still in the picture while most others moved.
_CELLS = (18, 32)  # down, across
_STILL_PX = 0.35
_MOVING_PX = 2.0
_STILL_SHARE = 0.7
_LEAST_SEEN = 12
# Points far ahead stand still on a straight road: nothing in the middle of the picture is taken for an overlay, as shares of height and width.
_MIDDLE = (0.25, 0.66, 0.12, 0.88)


@dataclass(frozen=True)
class Step:
    """Points that were followed from one picture to a later one.

    Args:
        start_s, end_s: moments of both pictures, seconds after the video's start.
        first, second: (N, 2) uint16 places x, y in 64ths of a pixel; read them with :meth:`points_px`.
        kept_share: how much of the features that were begun with is left, 0..1.
    """

    start_s: float
    end_s: float
    first: NDArray[np.uint16]
    second: NDArray[np.uint16]
    kept_share: float

    @classmethod
    def of(cls, start_s: float, end_s: float, first_px: FloatArray, second_px: FloatArray, kept_share: float) -> Step:
        """A step of points (N, 2) in pixels, all within the picture."""
        coded = [np.round(np.clip(points, 0.0, 1023.0) * PARTS).astype(np.uint16) for points in (first_px, second_px)]
        return cls(start_s, end_s, coded[0], coded[1], kept_share)

    @property
    def length_s(self) -> float:
        """Seconds between both pictures."""
        return self.end_s - self.start_s

    def points_px(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(N, 2) places in the first and in the second picture, pixels from the centre of the upper left one."""
        return self.first.astype(np.float32) / PARTS, self.second.astype(np.float32) / PARTS


@dataclass(frozen=True)
class Gap:
    """A stretch over which nothing is known: the video is cut there, or too little could be followed."""

    start_s: float
    end_s: float
    cut: bool


@dataclass(frozen=True)
class Batch:
    """Steps side by side, each filled up with points that do not count; all arrays in pixels from the picture's middle.

    Args:
        first, second: (B, N, 2).
        valid: (B, N).
        length_s: (B,).
    """

    first: FloatArray
    second: FloatArray
    valid: NDArray[np.bool_]
    length_s: FloatArray


def batch_of(steps: Sequence[Step], size_px: tuple[int, int], overlay: NDArray[np.bool_] | None = None) -> Batch:
    """Steps as one batch.

    Args:
        steps: at least one.
        size_px: width and height of the pictures.
        overlay: cells as :func:`overlay_cells` finds them, whose points are left out.
    """
    longest = max(1, *(len(step.first) for step in steps))
    first, second = np.zeros((2, len(steps), longest, 2))
    valid = np.zeros((len(steps), longest), dtype=bool)
    middle = (np.array(size_px) - 1) / 2
    for i, step in enumerate(steps):
        before, after = step.points_px()
        count = len(before)
        first[i, :count], second[i, :count] = before - middle, after - middle
        valid[i, :count] = True if overlay is None else ~overlay[_cells_of(before, size_px)]
    return Batch(first, second, valid, np.array([step.length_s for step in steps]))


def overlay_cells(steps: Sequence[Step], size_px: tuple[int, int]) -> NDArray[np.bool_]:
    """Which cells (18, 32) of the picture show what is fixed to it: captions, the bonnet, a frame.

    Points in them nearly never moved while most others did. Cells in the middle never count, for what lies far ahead stands still as well.
    """
    seen: FloatArray = np.zeros(_CELLS)
    still: FloatArray = np.zeros(_CELLS)
    for step in steps:
        before, after = step.points_px()
        if len(before) < 20:
            continue
        moved = np.hypot(*(after - before).T)
        if np.median(moved) < _MOVING_PX:
            continue
        cells = _cells_of(before, size_px)
        np.add.at(seen, cells, 1)
        np.add.at(still, cells, moved < _STILL_PX)
    # A cell's neighbours speak for it too: few points fall on each.
    seen, still = (_with_neighbours(one) for one in (seen, still))
    found = (seen >= _LEAST_SEEN) & (still > _STILL_SHARE * seen)
    top, bottom, left, right = (round(share * size) for share, size in zip(_MIDDLE, (_CELLS[0],) * 2 + (_CELLS[1],) * 2, strict=True))
    found[top:bottom, left:right] = False
    return found


def _cells_of(points_px: NDArray[Any], size_px: tuple[int, int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    across = np.clip(points_px[:, 0] * _CELLS[1] / size_px[0], 0, _CELLS[1] - 1).astype(np.intp)
    down = np.clip(points_px[:, 1] * _CELLS[0] / size_px[1], 0, _CELLS[0] - 1).astype(np.intp)
    return down, across


def _with_neighbours(counts: FloatArray) -> FloatArray:
    padded = np.pad(counts, ((0, 0), (1, 1)))
    return counts + 0.5 * (padded[:, :-2] + padded[:, 2:])
