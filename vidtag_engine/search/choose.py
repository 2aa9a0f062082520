"""One face for the ways of searching an area: every point, coarse to fine, or a beam."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from ..feedback import Feedback
from ..grid.aoi import AreaOfInterest
from ..grid.grid import Grid, check_size
from ..grid.wide_grid import WideGrid
from ..types import Candidates, FloatArray
from .beam import BeamSearch
from .coarse_to_fine import CoarseToFine
from .embedder import MOST_EMBEDDED, Embedder
from .embedding_cache import EmbeddedGallery, LocationModel
from .exhaustive import posterior_mass, top_k
from .smoothness import Smoothness
from .state_grid import StateGrid, gallery_state_grid

# Up to here every point is compared: a full-size location encoder on two cores embeds so many in about five seconds, once.
EXHAUSTIVE_POINTS = 20_000


class Search(Protocol):
    """An area's search for any number of videos. Arguments and answers as in :mod:`.search`."""

    @property
    def grid(self) -> Grid | WideGrid:
        """What is searched."""

    @property
    def notes(self) -> list[str]:
        """Sentences for the user, so far."""

    @property
    def embedded(self) -> int:
        """Points embedded so far, not counting those from the cache."""

    @property
    def exhaustive(self) -> bool:
        """Whether every point is compared. Known once prepared."""

    def prepare(self) -> None:
        """Embed what every video needs."""

    def top_k(self, queries: torch.Tensor, k: int) -> Candidates:
        """The best points of each frame."""

    def posterior_mass(
        self, queries: torch.Tensor, centers: FloatArray, radius_m: float | Sequence[float], temperature: float | Sequence[float]
    ) -> FloatArray:
        """Mass about a place of each frame."""

    @property
    def most_places(self) -> int:
        """How many places :meth:`scorer` holds. Known once prepared."""

    def scorer(self, lat_lon_deg: FloatArray) -> Callable[[torch.Tensor], torch.Tensor]:
        """For (Q, 2) places of the area in degrees, what gives their scores (B, Q) with any queries (B, E) on the device."""

    def cover(self) -> StateGrid | None:
        """An even cover of the area, and the scores of frames over it; None where the area is too wide for one."""


class ExhaustiveSearch:
    """Every point of a grid; see :class:`Search`."""

    exhaustive = True

    most_places = MOST_EMBEDDED

    def __init__(self, gallery: EmbeddedGallery, grid: Grid, aoi: AreaOfInterest, embed: Embedder) -> None:
        self.grid, self._gallery, self._aoi, self._embed = grid, gallery, aoi, embed
        self._cover: StateGrid | None = None

    def scorer(self, lat_lon_deg: FloatArray) -> Callable[[torch.Tensor], torch.Tensor]:
        """Each place embedded."""
        return self._embed.scorer(lat_lon_deg)

    @property
    def notes(self) -> list[str]:
        """Sentences for the user, so far."""
        return self._gallery.notes

    @property
    def embedded(self) -> int:
        """Points embedded so far, not counting those from the cache."""
        return self._gallery.computed_points

    def prepare(self) -> None:
        """Embed the gallery."""
        self._gallery.prepare()

    def top_k(self, queries: torch.Tensor, k: int) -> Candidates:
        """As :func:`.search.top_k`."""
        return top_k(queries, self._gallery, k)

    def posterior_mass(
        self, queries: torch.Tensor, centers: FloatArray, radius_m: float | Sequence[float], temperature: float | Sequence[float]
    ) -> FloatArray:
        """As :func:`.search.posterior_mass`."""
        return posterior_mass(queries, self._gallery, centers, radius_m, temperature)

    def cover(self) -> StateGrid:
        """The points themselves; of very many, a part."""
        if self._cover is None:
            self._cover = gallery_state_grid(self._gallery, self.grid, self._aoi)
        return self._cover


def search_over(
    model: LocationModel,
    grid: Grid | WideGrid,
    aoi: AreaOfInterest,
    device: torch.device,
    *,
    weights_sha256: str,
    exhaustive: bool = False,
    smoothness: Smoothness | None = None,
    cache_dir: Path | None = None,
    feedback: Feedback = Feedback(),
) -> Search:
    """The search that suits a grid: every point of a small one, coarse to fine in a large one, a beam in a wide one.

    Args:
        model: on ``device``.
        grid: of ``aoi``.
        exhaustive: every point, however many.
        weights_sha256, smoothness, cache_dir, feedback: as :class:`CoarseToFine`.

    Raises:
        InputError: there are too many points, or too many even of a coarse pass.
    """
    options: dict[str, Any] = {"weights_sha256": weights_sha256, "cache_dir": cache_dir, "feedback": feedback}
    if isinstance(grid, WideGrid):
        return BeamSearch(model, grid, device, **options)
    if exhaustive or grid.count <= EXHAUSTIVE_POINTS or grid.kind == "points":
        gallery = EmbeddedGallery(model, grid, device, **options)
        check_size(grid, gallery.dim)
        return ExhaustiveSearch(gallery, grid, aoi, Embedder(model, device))
    return CoarseToFine(model, grid, aoi, device, smoothness=smoothness, **options)
