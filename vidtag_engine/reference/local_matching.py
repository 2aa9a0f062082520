"""Whether two pictures show the same things: details that are each other's most similar, and how many of them one affine map brings together.

What pictures have in common as a whole is found by descriptors (:mod:`.codes`); a look at their details tells a place from another one like it, but costs half a
millisecond a pair. So it is had for a frame's best references alone (re-ranking, as in image retrieval: Philbin et al. 2007).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..local_features import LocalRows
from ..types import FloatArray, IntArray

_LEAST_COSINE = 0.7  # of two details that may be the same
_LEAST_MATCHES = 4  # three are brought together by some affine map, whatever they are
_TOLERANCE_PX = 10.0  # that a map may miss a detail by: streets are no planes
_HYPOTHESES = 150
_LEAST_AREA_PX2 = 50.0  # twice the triangle's that a map is told by
# Cameras are carried upright, and both pictures show the place from about as far.
_LEAST_STRETCH, _MOST_SHEAR, _MOST_SCALE = 0.4, 0.5, 2.5


def inliers(frame: NDArray[np.void], references: NDArray[np.void], seed: int = 0) -> IntArray:
    """(R,) how many details of a frame an affine map brings to the like ones of each reference, at best; 0 where fewer than four are alike.

    Args:
        frame: () its record.
        references: (R,) records of the same kind.
        seed: of the hypotheses, which are the same share of the matches of each pair, whichever others are looked at.
    """
    matched = [_matches(frame["descriptors"], one["descriptors"]) for one in references]
    result = np.zeros(len(references), dtype=np.int64)
    worth = np.array([number for number, (own, _) in enumerate(matched) if len(own) >= _LEAST_MATCHES], dtype=np.int64)
    if not len(worth):
        return result
    counts = np.array([len(matched[number][0]) for number in worth])
    ours, theirs = np.zeros((2, len(worth), int(counts.max()), 2), dtype=np.float32)
    for place, number in enumerate(worth.tolist()):
        own, other = matched[number]
        ours[place, : len(own)] = frame["keypoints_px"][own]
        theirs[place, : len(own)] = references["keypoints_px"][number, other]
    result[worth] = _votes(ours, theirs, counts, seed)
    return result


def _matches(frame: NDArray[np.int8], reference: NDArray[np.int8]) -> tuple[IntArray, IntArray]:
    """Numbers of the details (n,) and (n,) that are each other's most similar and alike at all; descriptors (K, D) and (K', D)."""
    # The sum of the products of codes is a whole number that float32 holds exactly: the same on every machine.
    alike = frame.astype(np.float32) @ reference.astype(np.float32).T
    forth, back = alike.argmax(axis=1), alike.argmax(axis=0)
    every = np.arange(len(forth))
    own = np.flatnonzero((back[forth] == every) & (alike[every, forth] > _LEAST_COSINE * 127.0**2))
    return own, forth[own]


def _votes(ours: FloatArray, theirs: FloatArray, counts: IntArray, seed: int) -> IntArray:
    """(P,) inliers of the best of many affine maps, each told by three of a pair's matches.

    Args:
        ours, theirs: (P, n, 2) matched keypoints, padded.
        counts: (P,) of them.
        seed: of the threes.
    """
    share = np.random.default_rng(seed).random((_HYPOTHESES, 3))
    three = np.minimum((share * counts[:, None, None]).astype(np.int64), counts[:, None, None] - 1)
    pair = np.arange(len(counts))[:, None, None]
    from_px, to_px = ours[pair, three], theirs[pair, three]
    side, other = from_px[:, :, 1] - from_px[:, :, 0], from_px[:, :, 2] - from_px[:, :, 0]
    area = side[..., 0] * other[..., 1] - side[..., 1] * other[..., 0]
    safe = np.where(np.abs(area) > _LEAST_AREA_PX2, area, np.float32(1.0))[..., None]
    across, along = to_px[:, :, 1] - to_px[:, :, 0], to_px[:, :, 2] - to_px[:, :, 0]
    # What a step of one pixel to the right, and of one down, becomes: (P, H, 2) each.
    right = (across * other[..., 1:] - along * side[..., 1:]) / safe
    down = (along * side[..., :1] - across * other[..., :1]) / safe
    grown = np.abs(right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0])
    usable = (np.abs(area) > _LEAST_AREA_PX2) & (right[..., 0] > _LEAST_STRETCH) & (down[..., 1] > _LEAST_STRETCH)
    usable &= (np.abs(right[..., 1]) < _MOST_SHEAR) & (np.abs(down[..., 0]) < _MOST_SHEAR) & (grown < _MOST_SCALE**2)
    start = to_px[:, :, 0] - right * from_px[:, :, 0, :1] - down * from_px[:, :, 0, 1:]
    found = np.zeros((len(counts), _HYPOTHESES), dtype=np.int64)
    # A pair at a time stays in the cache.
    for number, (one, count) in enumerate(zip(usable, counts.tolist(), strict=True)):
        at_px, want_px = ours[number, :count], theirs[number, :count]
        missed_px2 = np.zeros((int(one.sum()), count), dtype=np.float32)
        for axis in (0, 1):
            led_px = np.outer(right[number, one, axis], at_px[:, 0]) + np.outer(down[number, one, axis], at_px[:, 1])
            missed_px2 += np.square(led_px + start[number, one, axis, None] - want_px[:, axis])
        found[number, one] = (missed_px2 < _TOLERANCE_PX**2).sum(axis=1)
    best: IntArray = found.max(axis=1)
    return best


class LocalFrames:
    """A video's frames, whose details are compared with those of references, each pair once: what was found is kept, some 100 bytes a pair.

    Args:
        rows: (T,) records.
    """

    def __init__(self, rows: LocalRows) -> None:
        self._rows = rows
        self._known: list[dict[int, int]] = [{} for _ in range(len(rows))]

    def __len__(self) -> int:
        return len(self._rows)

    def inliers(self, references: IntArray, stored: LocalRows) -> IntArray:
        """(T, n) how many details of each frame a map brings to the like ones of each of its references (T, n); see :func:`inliers`.

        Args:
            references: rows of the database.
            stored: of it, always the same one.
        """
        found = np.zeros(references.shape, dtype=np.int64)
        for number, (known, wanted) in enumerate(zip(self._known, references, strict=True)):
            new = np.array(sorted(set(wanted.tolist()) - set(known)), dtype=np.int64)
            if len(new):
                told = inliers(self._rows[np.array([number])][0], stored[new])
                known.update(zip(new.tolist(), told.tolist(), strict=True))
            found[number] = [known[row] for row in wanted.tolist()]
        return found
