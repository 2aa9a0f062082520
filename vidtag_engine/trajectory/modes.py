"""The modes of a frame's posterior: places that hold more of it about them than any place near by, far enough apart to be told from each other."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M, unit_vectors
from ..types import FloatArray, IntArray
from .decoder import Decoder

MOST_PLACES, LEAST_PLACES = 5, 3
_WORTH, _LEAST = 0.01, 0.0005  # of the posterior: of the places beyond the third, and of any
_IN_RADIUS = 4  # lumps from the middle of a disc to its rim
_BESIDE = 1.5  # lumps: a place is compared with those all about it


class Modes:
    """Finds them in any number of frames over the same places.

    Where the radius is many places wide, places are put together into lumps of a quarter of it, and masses are compared lump by lump; which place stands for a
    lump is its likeliest.

    Args:
        decoder: of the places.
        radius_m: about a place, that its mass is counted in.
    """

    def __init__(self, decoder: Decoder, radius_m: float) -> None:
        self.reach_m = max(radius_m, _BESIDE * decoder.spacing_m)
        """How far about a place its mass is counted; two places lie at least twice as far apart."""
        self._points_m = decoder.points_m
        side_m = radius_m / _IN_RADIUS
        if side_m <= decoder.spacing_m:
            self._lump = np.arange(len(self._points_m))
            middles_m = self._points_m
        else:
            box = np.floor(self._points_m / side_m).astype(np.int64)
            _, self._lump = np.unique(box, axis=0, return_inverse=True)
            self._lump = self._lump.ravel()
            count = np.bincount(self._lump)
            middles_m = np.stack([np.bincount(self._lump, axis) / count for axis in self._points_m.T], axis=1)
        self._near = _within(middles_m, self.reach_m)
        self._middles_m = middles_m

    def find(self, place: IntArray, share: FloatArray, answer: FloatArray | None = None) -> IntArray:
        """Numbers of a frame's places, those with the most mass about them first.

        Args:
            place, share: (K,) numbers and shares of the posterior, as a row of marginals has them.
            answer: (2,) lat, lon that all of them are to lie apart from; None: there is none.

        Returns:
            up to ``MOST_PLACES`` in all, the answer counted: those that hold a hundredth of the posterior, and as far as there are so many ``LEAST_PLACES``.
        """
        mass = np.bincount(self._lump[place], share, len(self._middles_m))
        about = self._near @ mass
        if not len(place):
            return np.zeros(0, dtype=np.int64)
        highest = np.maximum.reduceat(about[self._near.indices], self._near.indptr[:-1])
        lumps = np.flatnonzero((about >= highest) & (about >= _LEAST))
        chosen_m = [] if answer is None else [unit_vectors(answer[:1], answer[1:])[0] * EARTH_RADIUS_M]
        found: list[int] = []
        for lump in lumps[np.argsort(-about[lumps], kind="stable")]:
            if len(chosen_m) == MOST_PLACES or (len(chosen_m) >= LEAST_PLACES and about[lump] < _WORTH):
                break
            here = np.flatnonzero(self._lump[place] == lump)
            best = int(place[here[np.argmax(share[here])]]) if len(here) else self._nearest_with_mass(lump, place)
            point_m = self._points_m[best]
            if all(np.linalg.norm(point_m - other) >= 2.0 * self.reach_m for other in chosen_m):
                chosen_m.append(point_m)
                found.append(best)
        return np.array(found, dtype=np.int64)

    def _nearest_with_mass(self, lump: int, place: IntArray) -> int:
        """Of an empty lump between two full ones the nearest place that holds any mass."""
        return int(place[np.argmin(((self._points_m[place] - self._middles_m[lump]) ** 2).sum(axis=1))])


def _within(points_m: FloatArray, reach_m: float) -> sparse.csr_matrix:
    """(L, L) 1 where two points lie within reach of each other, and of each with itself."""
    pairs = cKDTree(points_m).query_pairs(reach_m, output_type="ndarray").astype(np.int32)
    every = np.arange(len(points_m), dtype=np.int32)
    rows, columns = np.concatenate([pairs[:, 0], pairs[:, 1], every]), np.concatenate([pairs[:, 1], pairs[:, 0], every])
    return sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=(len(points_m),) * 2)
