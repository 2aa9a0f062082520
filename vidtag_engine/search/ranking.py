"""The best points of each frame out of flat lists of points that were scored for it."""

from __future__ import annotations

import numpy as np

from ..types import FloatArray, IntArray


def ranked(total: int, k: int, frame: IntArray, number: IntArray, score: FloatArray, exact: np.ndarray) -> tuple[IntArray, FloatArray]:
    """The k best different points of each frame.

    Args:
        total: frames, B.
        k: at most.
        frame, number, score: (n,) what was scored; a negative number is no point.
        exact: (n,) bool, whether the score is that of the very point, and not of a place beside it, which never counts as better
            than the best exact one.

    Returns:
        (B, k) numbers and scores, best first; -1 and NaN where there are fewer.
    """
    top = np.full(total, -np.inf)
    np.maximum.at(top, frame[exact], score[exact])
    score = np.where(exact, score, np.minimum(score, np.nextafter(top[frame], -np.inf)))
    order = np.lexsort((-score, ~exact, number, frame))
    order = order[number[order] >= 0]
    first = np.r_[True, (frame[order][1:] != frame[order][:-1]) | (number[order][1:] != number[order][:-1])]
    order = order[first[: len(order)]]
    order = order[np.lexsort((number[order], -score[order], frame[order]))]
    start = np.searchsorted(frame[order], np.arange(total))
    rank = np.arange(len(order)) - start[frame[order]]
    order, rank = order[rank < k], rank[rank < k]
    index = np.full((total, k), -1, dtype=np.int64)
    found = np.full((total, k), np.nan, dtype=np.float32)
    index[frame[order], rank], found[frame[order], rank] = number[order], score[order]
    return index, found
