"""An even cover of an area by few enough places that whole videos can be decoded over them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ..grid.aoi import AreaOfInterest
from ..grid.grid import Grid, make_grid
from ..types import FloatArray
from .coarse import CoarsePass
from .coarse_posterior import CoarsePosterior, surface_scorer
from .embedding_cache import EmbeddedGallery

MOST_PLACES = 30_000
_WANTED = 20_000  # where there are too many
_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class StateGrid:
    """Places that stand for equal shares of an area.

    Args:
        lat_lon_deg: (M, 2).
        spacing_m: of the places: the square root of their share.
        score: (T, E) unit-normalised frame embeddings to (T, M) float32 cosines; not finite where a row is not.
    """

    lat_lon_deg: FloatArray
    spacing_m: float
    score: Callable[[torch.Tensor], FloatArray]


def gallery_state_grid(gallery: EmbeddedGallery, grid: Grid, aoi: AreaOfInterest) -> StateGrid:
    """A grid's own points; of very many, those nearest to a coarser grid's.

    Args:
        gallery: of the points.
        grid: of ``aoi``, or a list of points.
        aoi: the area.
    """
    if grid.count <= MOST_PLACES:
        chosen = np.arange(grid.count)
    elif grid.kind == "points":
        chosen = np.arange(0, grid.count, -(-grid.count // MOST_PLACES))
    else:
        wanted = make_grid(aoi, math.sqrt(aoi.area_m2 / _WANTED), grid.kind)
        nearest = grid.nearest(wanted.points(0, wanted.count), 3 * grid.resolution_m)
        chosen = np.unique(nearest[nearest >= 0])
    places, embeddings = [], []
    for start, lat_lon, part in gallery.chunks():
        kept = chosen[(chosen >= start) & (chosen < start + len(lat_lon))] - start
        places.append(lat_lon[kept])
        embeddings.append(part[torch.from_numpy(kept).to(part.device)])
    together, points = torch.cat(embeddings), np.concatenate(places)
    return StateGrid(points, math.sqrt(aoi.area_m2 / max(1, len(points))), lambda queries: _scores(queries, together))


def coarse_state_grid(coarse: CoarsePass, posterior: CoarsePosterior, aoi: AreaOfInterest, kind: str) -> StateGrid:
    """The places of a coarse pass's posterior, or a coarser grid where those are too many; scores come from its surfaces.

    Args:
        coarse: the pass.
        posterior: of it.
        aoi: its area.
        kind: of grid.
    """
    places = posterior.lat_lon_deg
    scorer: Callable[[torch.Tensor], torch.Tensor] = posterior.scores
    if len(places) > MOST_PLACES:
        grid = make_grid(aoi, math.sqrt(aoi.area_m2 / _WANTED), kind)
        places = grid.points(0, grid.count)
        scorer = surface_scorer(coarse, places)
    rows = max(1, _AT_ONCE // max(len(places), coarse.neighbours.size))

    def score(queries: torch.Tensor) -> FloatArray:
        asked = queries.detach().to(coarse.embeddings)
        parts = [scorer(asked[begin : begin + rows]).float().cpu().numpy() for begin in range(0, len(asked), rows)]
        result: FloatArray = np.concatenate(parts)
        return result

    return StateGrid(places, math.sqrt(aoi.area_m2 / len(places)), score)


def _scores(queries: torch.Tensor, embeddings: torch.Tensor) -> FloatArray:
    scores: FloatArray = (queries.detach().to(embeddings) @ embeddings.T).float().cpu().numpy()
    return scores
