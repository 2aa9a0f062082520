"""The posterior over an area from its coarse pass: what the exhaustive sum over a finer grid comes to, without its points."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import sparse
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M
from ..grid.ellipsoid import ecef_m
from ..grid.grid import make_grid
from ..types import FloatArray
from .coarse import CoarsePass, basis, offsets_m, spiral

if TYPE_CHECKING:
    from ..grid.aoi import AreaOfInterest

MOST_LOCATED = 1_000_000
_FINER = 5  # the sum's points to a coarse step
_DISC = 96  # points in a disc
_AT_ONCE = 4_000_000
_PLACES = 50_000  # whose weights are made at once


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
        self._weights = _weights(coarse, self._tree, self.lat_lon_deg)

    def scores(self, queries: torch.Tensor) -> torch.Tensor:
        """(T, Q) of queries (T, E) with the places, as :func:`surface_scorer` gives them."""
        return _interpolated(self._weights, queries @ self._coarse.embeddings.T)

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
        rows = max(1, _AT_ONCE // max(len(self.lat_lon_deg), coarse.neighbours.size))
        for begin in range(0, len(queries), rows):
            part = slice(begin, begin + rows)
            own = queries[part] @ coarse.embeddings.T
            surfaces = coarse.surfaces(own)
            everywhere = _interpolated(self._weights, own).double()
            top = everywhere.amax(dim=1, keepdim=True)
            for place, radius_m in enumerate(radii_m):
                points = disc(centres[part], float(radius_m))
                home, terms = _located(coarse, self._tree, points.reshape(-1, 2))
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


def surface_scorer(coarse: CoarsePass, lat_lon_deg: FloatArray) -> Callable[[torch.Tensor], torch.Tensor]:
    """For (Q, 2) degrees, what gives their scores (B, Q) with queries (B, E), off the surfaces; at most ``MOST_LOCATED`` places."""
    weights = _weights(coarse, cKDTree(ecef_m(coarse.lat_lon_deg[:, 0], coarse.lat_lon_deg[:, 1])), lat_lon_deg)
    return lambda queries: _interpolated(weights, queries @ coarse.embeddings.T)


def _weights(coarse: CoarsePass, tree: cKDTree, lat_lon_deg: FloatArray) -> sparse.csr_array:
    """(Q, N) float32 what each coarse point's score counts in a place's: its surface there, put in terms of the scores that it was fitted to."""
    home, terms = _located(coarse, tree, lat_lon_deg)
    places, neighbours = len(home), coarse.neighbours
    parts = [
        np.einsum("qk,qkm->qm", terms[begin : begin + _PLACES], coarse.fit[home[begin : begin + _PLACES]].cpu().numpy())
        for begin in range(0, places, _PLACES)
    ]
    share = np.concatenate(parts)
    share[:, 0] += 1.0 - share.sum(axis=1)  # a point's first neighbour is the point itself
    index = np.arange(places + 1) * neighbours.shape[1]
    return sparse.csr_array((share.astype(np.float32).ravel(), neighbours[home].ravel(), index), shape=(places, len(neighbours)))


def _interpolated(weights: sparse.csr_array, own: torch.Tensor) -> torch.Tensor:
    """(B, Q) scores from (B, N) ones of the coarse points."""
    scores = weights @ np.ascontiguousarray(own.detach().cpu().numpy().T)
    return torch.from_numpy(np.ascontiguousarray(scores.T)).to(own.device)


def _located(coarse: CoarsePass, tree: cKDTree, lat_lon_deg: FloatArray) -> tuple[np.ndarray, FloatArray]:
    """Each place's nearest coarse point, and the terms of its surface there."""
    home = np.asarray(tree.query(ecef_m(lat_lon_deg[:, 0], lat_lon_deg[:, 1]))[1])
    offset = np.nan_to_num(offsets_m(coarse.lat_lon_deg[home], lat_lon_deg)) / coarse.step_m
    return home, basis(np.clip(offset, -1.2, 1.2))


def disc(centres: FloatArray, radius_m: float) -> FloatArray:
    """(T, 2) to (T, _DISC, 2): places spread evenly over the discs about centres (a sunflower's seeds)."""
    return spiral(centres, radius_m * np.sqrt((np.arange(_DISC) + 0.5) / _DISC))
