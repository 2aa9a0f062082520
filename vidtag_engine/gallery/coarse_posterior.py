"""The posterior over an area from its coarse pass: what the exhaustive sum over a finer grid comes to, without its points."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M
from ..types import FloatArray
from .coarse import CoarsePass, basis, offsets_m, shifted
from .ellipsoid import ecef_m
from .grid import make_grid

if TYPE_CHECKING:
    from .aoi import AreaOfInterest

_FINER = 5  # the sum's points to a coarse step
_DISC = 96  # points in a disc
_AT_ONCE = 4_000_000
_TURN = np.pi * (3 - np.sqrt(5))


class CoarsePosterior:
    """Softmax mass over an area, scores between coarse points taken from surfaces.

    Args:
        coarse: the pass.
        aoi: its area.
        kind: of grid.
    """

    def __init__(self, coarse: CoarsePass, aoi: AreaOfInterest, kind: str) -> None:
        self._coarse = coarse
        self._tree = cKDTree(ecef_m(coarse.lat_lon_deg[:, 0], coarse.lat_lon_deg[:, 1]))
        grid = make_grid(aoi, coarse.step_m / _FINER, kind)
        self.lat_lon_deg = grid.points(0, grid.count)
        self._cell_m2 = aoi.area_m2 / grid.count
        self._home, self._terms = self._located(self.lat_lon_deg)

    def scores(self, queries: torch.Tensor) -> torch.Tensor:
        """(B, E) to (B, Q): scores at ``lat_lon_deg``, an even cover of the area (a heat map's numbers)."""
        coarse = self._coarse
        own = queries @ coarse.embeddings.T
        return self._at(own, coarse.surfaces(own), self._home, self._terms)

    def scorer(self, lat_lon_deg: FloatArray) -> Callable[[torch.Tensor], FloatArray]:
        """What gives (B, E) queries' (B, M) float32 scores at places of the area."""
        home, terms = self._located(lat_lon_deg)
        coarse = self._coarse

        def score(queries: torch.Tensor) -> FloatArray:
            asked, parts = queries.detach().to(coarse.embeddings), []
            rows = max(1, _AT_ONCE // max(len(home), coarse.neighbours.size))
            for begin in range(0, len(asked), rows):
                own = asked[begin : begin + rows] @ coarse.embeddings.T
                parts.append(self._at(own, coarse.surfaces(own), home, terms).float().cpu().numpy())
            result: FloatArray = np.concatenate(parts)
            return result

        return score

    def mass(
        self, queries: torch.Tensor, centres: FloatArray, radii_m: FloatArray, temperatures: FloatArray, inside: FloatArray
    ) -> FloatArray:
        """Mass within each radius of each frame's centre.

        Args:
            queries: (T, E).
            centres: (T, 2) degrees.
            radii_m, temperatures: (R,), (K,).
            inside: (T, R, _DISC) whether the points of `disc` lie in the area, as 0 and 1.

        Returns:
            (K, R, T).
        """
        coarse, result = self._coarse, np.empty((len(temperatures), len(radii_m), len(queries)))
        rows = max(1, _AT_ONCE // max(len(self._home), coarse.neighbours.size))
        for begin in range(0, len(queries), rows):
            part = slice(begin, begin + rows)
            own = queries[part] @ coarse.embeddings.T
            surfaces = coarse.surfaces(own)
            everywhere = self._at(own, surfaces, self._home, self._terms).double()
            top = everywhere.amax(dim=1, keepdim=True)
            for place, radius_m in enumerate(radii_m):
                points = disc(centres[part], float(radius_m))
                home, terms = self._located(points.reshape(-1, 2))
                frame = torch.arange(len(own), device=own.device).repeat_interleave(_DISC)
                index = torch.from_numpy(home).to(own.device)
                near = own[frame, index] + (surfaces[frame, index] * torch.from_numpy(terms).to(own)).sum(dim=1)
                near = near.reshape(-1, _DISC).double()
                share = torch.from_numpy(inside[part, place]).to(near)
                for number, temperature in enumerate(temperatures):
                    above = torch.exp((near - top) / temperature) * share
                    total = torch.exp((everywhere - top) / temperature).sum(dim=1) * self._cell_m2
                    mass = above.sum(dim=1) * (np.pi * min(radius_m, EARTH_RADIUS_M) ** 2 / _DISC) / total
                    result[number, place, part] = mass.clamp(0.0, 1.0).cpu().numpy()
        return result

    @staticmethod
    def _at(own: torch.Tensor, surfaces: torch.Tensor, home: np.ndarray, terms: FloatArray) -> torch.Tensor:
        index = torch.from_numpy(home).to(own.device)
        return own[:, index] + torch.einsum("bqk,qk->bq", surfaces[:, index], torch.from_numpy(terms).to(own))

    def _located(self, lat_lon_deg: FloatArray) -> tuple[np.ndarray, FloatArray]:
        """Each place's nearest coarse point, and the terms of its surface there."""
        home = np.asarray(self._tree.query(ecef_m(lat_lon_deg[:, 0], lat_lon_deg[:, 1]))[1])
        offset = np.nan_to_num(offsets_m(self._coarse.lat_lon_deg[home], lat_lon_deg)) / self._coarse.step_m
        return home, basis(np.clip(offset, -1.2, 1.2))


def disc(centres: FloatArray, radius_m: float) -> FloatArray:
    """(T, 2) to (T, _DISC, 2): places spread evenly over the discs about centres (a sunflower's seeds)."""
    number = np.arange(_DISC)
    away, turn = radius_m * np.sqrt((number + 0.5) / _DISC), number * _TURN
    offset = np.stack([away * np.cos(turn), away * np.sin(turn)], axis=1)
    places = shifted(np.repeat(centres, _DISC, axis=0), np.tile(offset, (len(centres), 1)))
    return places.reshape(len(centres), _DISC, 2)
