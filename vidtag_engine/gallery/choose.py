"""One face for both ways of searching an area: every point, or coarse to fine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch

from ..types import CancelCheck, Candidates, FloatArray, ProgressCallback
from .aoi import AreaOfInterest
from .coarse_to_fine import CoarseToFine
from .cover import Cover, gallery_cover
from .embedding_cache import EmbeddedGallery, LocationModel
from .grid import Grid, check_size
from .search import posterior_mass, top_k
from .smoothness import Smoothness

# Up to here every point is compared: a full-size location encoder on two cores embeds so many in about five seconds, once.
EXHAUSTIVE_POINTS = 20_000


class Search(Protocol):
    """An area's search for any number of videos. Arguments and answers as in :mod:`.search`."""

    grid: Grid

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

    def cover(self) -> Cover:
        """An even cover of the area, and the scores of frames over it."""


class ExhaustiveSearch:
    """Every point of a grid; see :class:`Search`."""

    exhaustive = True

    def __init__(self, gallery: EmbeddedGallery, grid: Grid, aoi: AreaOfInterest) -> None:
        self.grid, self._gallery, self._aoi = grid, gallery, aoi
        self._cover: Cover | None = None

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

    def cover(self) -> Cover:
        """The points themselves; of very many, a part."""
        if self._cover is None:
            self._cover = gallery_cover(self._gallery, self.grid, self._aoi)
        return self._cover


def search_over(
    model: LocationModel,
    grid: Grid,
    aoi: AreaOfInterest,
    device: torch.device,
    *,
    weights_sha256: str,
    exhaustive: bool = False,
    smoothness: Smoothness | None = None,
    cache_dir: Path | None = None,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> Search:
    """The search that suits a grid: every point of a small one, coarse to fine in a large one.

    Args:
        model: on ``device``.
        grid: of ``aoi``.
        exhaustive: every point, however many.
        weights_sha256, smoothness, cache_dir, progress, cancelled: as :class:`CoarseToFine`.

    Raises:
        InputError: there are too many points, or too many even of a coarse pass.
    """
    options = {"weights_sha256": weights_sha256, "cache_dir": cache_dir, "progress": progress, "cancelled": cancelled}
    if exhaustive or grid.count <= EXHAUSTIVE_POINTS or grid.kind == "points":
        gallery = EmbeddedGallery(model, grid, device, **options)  # type: ignore[arg-type]
        check_size(grid, gallery.dim)
        return ExhaustiveSearch(gallery, grid, aoi)
    return CoarseToFine(model, grid, aoi, device, smoothness=smoothness, **options)  # type: ignore[arg-type]
