"""Mass about points that stay, of many posteriors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from ..geodesy import EARTH_RADIUS_M, unit_vectors
from ..trajectory.decoder import Decoder
from ..trajectory.hypotheses import overlap
from ..types import FloatArray, IntArray


class LocalMass:
    """What :func:`.hypotheses.mass_about` gives, where the places near each point and their shares within each radius are sought once.

    Args:
        near: (T) the numbers of the places near each point.
        parts: (T) what part of each of them (R, N) counts within each radius.
    """

    def __init__(self, near: Sequence[IntArray], parts: Sequence[FloatArray]) -> None:
        self._near, self._parts = near, parts

    @classmethod
    def about(cls, decoder: Decoder, centres: FloatArray, radii_m: FloatArray) -> LocalMass:
        """Of points (T, 2) in lat, lon and radii (R,)."""
        cell_m = decoder.spacing_m / np.sqrt(np.pi)
        points_m = unit_vectors(*centres.T) * EARTH_RADIUS_M
        found = decoder.tree.query_ball_point(points_m, radii_m.max() + cell_m, return_sorted=True)
        near, parts = [np.array(places, dtype=np.int64) for places in found], []
        for point_m, places in zip(points_m, near, strict=True):
            apart_m = np.sqrt(decoder.apart2_m2(point_m, places))
            part = (apart_m <= radii_m[:, None] - cell_m).astype(np.float64)
            for row, radius_m in enumerate(radii_m):
                rim = np.flatnonzero(np.abs(apart_m - radius_m) < cell_m)
                part[row, rim] = overlap(apart_m[rim], cell_m, float(radius_m))
            parts.append(part)
        return cls(near, parts)

    def part(self, rows: slice) -> LocalMass:
        """Of some of the points."""
        return LocalMass(self._near[rows], self._parts[rows])

    def of(self, marginal: sparse.csr_matrix) -> FloatArray:
        """(T, R) mass within the radii, of a posterior (T, M)."""
        result = np.empty((len(self._near), len(self._parts[0]) if self._parts else 0))
        whole = np.zeros(marginal.shape[1])
        for row, (near, part) in enumerate(zip(self._near, self._parts, strict=True)):
            begin, end = marginal.indptr[row : row + 2]
            places = marginal.indices[begin:end]
            whole[places] = marginal.data[begin:end]
            result[row] = part @ whole[near]
            whole[places] = 0.0
        return np.clip(result, 0.0, 1.0)
