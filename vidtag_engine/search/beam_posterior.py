"""The posterior's mass about a place of a wide area: area-weighted sums, fine where it counts and coarse elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from ..geodesy import chord_m
from ..grid.ellipsoid import ecef_m
from ..grid.lattice import Lattice
from ..grid.wide_grid import WideGrid
from ..types import Candidates, FloatArray, IntArray
from .coarse import spiral
from .embedding_cache import EmbeddedGallery
from .running_softmax import RunningSoftmax

_RINGS = 96


@dataclass
class Level:
    """One level of a refined beam.

    Args:
        lattice: that its places lie on.
        lat_lon_deg: (S, 2).
        scores: (B, S) of some frames.
        refined: (S,) bool, whether the next level stands for a place's cell.
    """

    lattice: Lattice
    lat_lon_deg: FloatArray
    scores: torch.Tensor
    refined: np.ndarray


class Refining(Protocol):
    """What the sums need of a beam: see :class:`.beam.BeamSearch`."""

    grid: WideGrid
    coarse: EmbeddedGallery

    def refined(self, queries: torch.Tensor) -> tuple[list[Level], Candidates, IntArray]:
        """The levels of some frames, the coarse places that they grew from, and the first lattice's numbers of those that were refined."""

    def scorer(self, lat_lon_deg: FloatArray) -> Callable[[torch.Tensor], torch.Tensor]:
        """What gives the scores of places."""


def beam_mass(search: Refining, queries: torch.Tensor, centres: FloatArray, radii_m: FloatArray, temperatures: FloatArray) -> FloatArray:
    """Share of softmax(score / temperature) within each radius of each frame's centre.

    Samples each stand for their area: coarse places and levels of the beam where nothing finer does, and rings about the centre in place of
    whatever lies there.

    Args:
        search: prepared.
        queries: (B, E).
        centres: (B, 2) degrees.
        radii_m, temperatures: (R,), (K,).

    Returns:
        (K, R, B).
    """
    levels, _, first = search.refined(queries)
    reach_m = float(levels[-1].lattice.step_m / np.sqrt(np.pi))
    chords = chord_m(radii_m)
    there = ecef_m(centres[:, 0], centres[:, 1])
    sums = RunningSoftmax(len(queries), len(radii_m), temperatures)

    def add(lat_lon: FloatArray, score: torch.Tensor, area_m2: FloatArray) -> None:
        away = np.linalg.norm(ecef_m(lat_lon[:, 0], lat_lon[:, 1])[None] - there[:, None], axis=2)
        # The rings take the place of what else lies there.
        weight = torch.from_numpy(np.where(away < reach_m, 0.0, area_m2))
        sums.add(score.cpu(), [torch.from_numpy(away <= chord) for chord in chords], weight)

    for level in levels:
        # Of lattice places that were moved to the border one stands for its cell.
        own = np.zeros(len(level.lat_lon_deg), dtype=bool)
        own[np.unique(level.lattice.key(level.lat_lon_deg), return_index=True)[1]] = True
        alone = own & ~level.refined
        add(level.lat_lon_deg[alone], level.scores[:, torch.from_numpy(alone)], np.full(alone.sum(), level.lattice.step_m**2))
    area_m2 = search.grid.area_m2 / search.coarse.count
    for _, lat_lon, embeddings in search.coarse.chunks():
        alone = ~np.isin(levels[0].lattice.key(lat_lon), first)
        add(lat_lon[alone], queries @ embeddings[torch.from_numpy(alone).to(embeddings.device)].T, np.full(alone.sum(), area_m2))
    edges = np.linspace(0.0, reach_m, _RINGS + 1)
    rings = spiral(centres, np.sqrt((edges[:-1] ** 2 + edges[1:] ** 2) / 2))  # one place in each
    used, back = np.unique(rings.reshape(-1, 2), axis=0, return_inverse=True)
    embedded = search.scorer(used)(queries).double().cpu().numpy()
    score = np.take_along_axis(embedded, back.reshape(len(queries), _RINGS), axis=1)
    weight = np.diff(np.pi * edges**2)[None] * search.grid.bounds.inside(rings.reshape(-1, 2)).reshape(len(queries), _RINGS)
    # A ring that a radius cuts counts by the share of its area.
    share = np.clip((radii_m[:, None] ** 2 - edges[None, :-1] ** 2) / np.diff(edges**2)[None], 0.0, 1.0)
    sums.add(torch.from_numpy(score), [torch.from_numpy(one) for one in share], torch.from_numpy(weight))
    return sums.mass()
