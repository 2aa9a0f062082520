"""Coarse-to-fine search: nearly always the answer that comparing every grid point gives, from a thousandth of the points.

An area is embedded at the length below which its encoder is smooth (`smoothness`); between those points scores are foreseen as quadratic
surfaces (`coarse`); each frame's highest foreseen peaks are climbed on ever finer lattices down to the fine grid (`climb`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ..feedback import Feedback
from ..grid.aoi import AreaOfInterest
from ..grid.grid import Grid, check_size, make_grid
from ..grid.lattice import Bounds, Lattice
from ..types import Candidates, FloatArray, InputError, IntArray
from .climb import Climbers, Descent, climb_down, on_grid, steps_between
from .coarse import CoarsePass, coarse_pass
from .coarse_posterior import MOST_LOCATED, CoarsePosterior, disc, surface_scorer
from .embedder import MOST_EMBEDDED, Embedder
from .embedding_cache import EmbeddedGallery, LocationModel
from .exhaustive import checked, mass_of, posterior_mass, top_k
from .ranking import ranked
from .smoothness import LEVEL, Smoothness, measure_smoothness
from .state_grid import StateGrid, coarse_state_grid, gallery_state_grid

_WORTH = 3.0  # a coarse step of fewer fine ones saves nothing
_LEAST_POINTS = 150  # of a coarse grid
_FREE_POINTS = 4096  # so many cost next to nothing
_MOST_POINTS = 100_000_000_000  # of the fine grid: 100,000 km² at a metre
_MOST_COARSE = 400_000  # a coarse pass's embeddings stay in memory
_FRAMES = 256  # share embeddings
_SURFACES = 4_000_000  # numbers of surfaces held at once
_SEEDS = 12
_KEPT = (8, 4, 2)  # climbs a frame after each level; the last holds for all further ones
MARGIN = 0.04  # in cosine: climbs foreseen lower than the best by more are given up after the first level, by less after each further one
_FACTOR = 4.0
_DOUBLE_BELOW = 1 / 40  # of the smooth length: neighbours' scores differ by less than float32 can tell
_ROUGH = 1.6  # times the loss that the measurement allows


@dataclass
class SearchReport:
    """What a search took.

    Args:
        points: of the fine grid.
        smooth_length_m: used; from the checkpoint or measured here.
        coarse_step_m, coarse_points: of the coarse pass.
        exhaustive: whether every point was compared.
        notes: sentences for the user.
    """

    points: int
    smooth_length_m: float
    coarse_step_m: float = math.nan
    coarse_points: int = 0
    exhaustive: bool = False
    notes: list[str] = field(default_factory=list)


class CoarseToFine:
    """One area's search for any number of videos.

    Args:
        model: gives embeddings, already on ``device``.
        grid: the fine grid, of ``aoi``.
        aoi: the area.
        device: where to compute.
        weights_sha256: of the checkpoint, for the coarse pass's cache.
        smoothness: as recorded in the checkpoint; where None, or where the area was not measured, it is measured now.
        cache_dir: for the coarse pass; None keeps nothing.
        feedback: of the coarse pass; asked to stop in every search.

    Raises:
        InputError: the grid has too many points, or the area is so large beside the encoder's smooth length that every point must be compared.
    """

    def __init__(
        self,
        model: LocationModel,
        grid: Grid,
        aoi: AreaOfInterest,
        device: torch.device | str,
        *,
        weights_sha256: str,
        smoothness: Smoothness | None = None,
        cache_dir: Path | None = None,
        feedback: Feedback = Feedback(),
    ) -> None:
        self.grid, self.aoi, self.device = grid, aoi, torch.device(device)
        self._model, self._sha, self._cache_dir = model, weights_sha256, cache_dir
        self.feedback = feedback
        self._embed = Embedder(model, self.device)
        self._bounds = Bounds(aoi)
        self._measured = 0
        self._level = LEVEL
        self.report = SearchReport(grid.count, self._smooth_length(smoothness))
        many_parts = self.aoi.area_m2 > _MOST_COARSE * self.report.smooth_length_m**2
        check_size(grid, self._embedded(grid).dim, **({} if many_parts else {"max_points": _MOST_POINTS}))
        self._coarse: CoarsePass | None = None
        self._gallery: EmbeddedGallery | None = None
        self._snapped: IntArray | None = None
        self._posterior: CoarsePosterior | None = None
        self._cover: StateGrid | None = None

    @property
    def notes(self) -> list[str]:
        """Sentences for the user, so far."""
        return [*self.report.notes, *(self._gallery.notes if self._gallery is not None else [])]

    @property
    def exhaustive(self) -> bool:
        """Whether every point is compared, as the encoder is not smooth enough. Known once prepared."""
        return self.report.exhaustive

    @property
    def embedded(self) -> int:
        """Points embedded so far, smoothness measurement and coarse pass included."""
        computed = self._gallery.computed_points if self._gallery is not None else 0
        return self._measured + self._embed.count + computed

    def prepare(self) -> None:
        """The coarse pass, made finer until its own neighbours are as near as the measurement said; or the decision for exhaustion."""
        if self._gallery is not None:
            return
        length_m = self.report.smooth_length_m
        # Where it costs little, half the smooth length: the posterior and near rivals gain.
        step_m = min(
            float(np.clip(math.sqrt(self.aoi.area_m2 / _FREE_POINTS), length_m / 2, length_m)), math.sqrt(self.aoi.area_m2 / _LEAST_POINTS)
        )
        spent = 0
        while step_m >= _WORTH * self.grid.resolution_m:
            coarse = make_grid(self.aoi, step_m, self.grid.kind)
            if coarse.count * _WORTH > self.grid.count or coarse.count > _MOST_COARSE:
                break
            gallery = self._embedded(coarse)
            embeddings = torch.cat([part for _, _, part in gallery.chunks()])
            found = coarse_pass(coarse, embeddings, step_m)
            allowed = _ROUGH * (1 - self._level) * max(1.0, (step_m / self.report.smooth_length_m) ** 2)
            rough = float((found.drop > allowed).mean())
            spent += gallery.computed_points
            if rough <= 1e-3:
                gallery.computed_points = spent
                self._gallery, self._coarse = gallery, found
                self.report.coarse_step_m, self.report.coarse_points = step_m, coarse.count
                return
            worst = float(np.quantile(found.drop, 1 - 1e-3))
            finer_m = step_m * min(0.7, math.sqrt(allowed / worst))
            self.report.notes.append(
                f"The encoder is rougher here than measured: the coarse step goes from {step_m:.4g} m to {finer_m:.4g} m."
            )
            step_m = finer_m
        self.report.notes.append(
            f"The encoder is smooth over {min(step_m, self.report.smooth_length_m):.3g} m here, no more than a few steps of the {self.grid.resolution_m:g} m grid: "
            "every point is compared."
        )
        self.report.exhaustive = True
        self._gallery = self._embedded(self.grid)
        check_size(self.grid, self._gallery.dim)
        self._gallery.computed_points = spent
        self._gallery.prepare()

    def top_k(self, queries: torch.Tensor, k: int) -> Candidates:
        """As :func:`.search.top_k`: the first is nearly always the best point of the whole grid; the others are the best of those compared on the way.

        Args:
            queries: (T, E) unit-normalised; a row that is not finite gets index -1 and NaN.
            k: at most; where fewer points were compared, the rest of a row is -1 and NaN.
        """
        self.prepare()
        assert self._gallery is not None  # for the type checker  # nosec B101
        if self._coarse is None:
            return top_k(queries, self._gallery, k)
        if k < 1:
            raise InputError(f"{k} candidates were asked for; ask for at least 1.")
        asked, usable = checked(queries, self._gallery)
        k = min(k, self.grid.count)
        index = np.full((len(asked), k), -1, dtype=np.int64)
        score = np.full((len(asked), k), np.nan, dtype=np.float32)
        good = np.flatnonzero(usable.cpu().numpy())
        for begin in range(0, len(good), _FRAMES):
            self.feedback.check()
            rows = good[begin : begin + _FRAMES]
            index[rows], score[rows] = self._block(asked[torch.from_numpy(rows).to(asked.device)], k)
        places = self.grid.at(index.ravel()).reshape(*index.shape, 2)
        return Candidates(index, places[..., 0], places[..., 1], score)

    def posterior_mass(
        self, queries: torch.Tensor, centers: FloatArray, radius_m: float | Sequence[float], temperature: float | Sequence[float]
    ) -> FloatArray:
        """As :func:`.search.posterior_mass`, from the coarse pass: what the sum over an ever finer grid tends to."""
        self.prepare()
        assert self._gallery is not None  # for the type checker  # nosec B101
        if self._coarse is None:
            return posterior_mass(queries, self._gallery, centers, radius_m, temperature)
        posterior = self._posterior_of(self._coarse)

        def of_known(asked: torch.Tensor, places: FloatArray, radii: FloatArray, temperatures: FloatArray) -> FloatArray:
            inside = np.stack([self._bounds.inside(disc(places, float(r)).reshape(-1, 2)).reshape(len(places), -1) for r in radii], axis=1)
            return posterior.mass(asked, places, radii, temperatures, inside.astype(np.float64))

        return mass_of(queries, self._gallery, centers, radius_m, temperature, of_known)

    @property
    def most_places(self) -> int:
        """See :class:`.choose.Search`."""
        return MOST_EMBEDDED if self._coarse is None else MOST_LOCATED

    def scorer(self, lat_lon_deg: FloatArray) -> Callable[[torch.Tensor], torch.Tensor]:
        """See :class:`.choose.Search`: off the coarse pass's surfaces, or each place embedded where there is none."""
        self.prepare()
        return self._embed.scorer(lat_lon_deg) if self._coarse is None else surface_scorer(self._coarse, lat_lon_deg)

    def cover(self) -> StateGrid:
        """As :meth:`.choose.Search.cover`, from the coarse pass."""
        self.prepare()
        if self._cover is None:
            assert self._gallery is not None  # for the type checker  # nosec B101
            if self._coarse is None:
                self._cover = gallery_state_grid(self._gallery, self.grid, self.aoi)
            else:
                self._cover = coarse_state_grid(self._coarse, self._posterior_of(self._coarse), self.aoi, self.grid.kind)
        return self._cover

    def _posterior_of(self, coarse: CoarsePass) -> CoarsePosterior:
        if self._posterior is None:
            self._posterior = CoarsePosterior(coarse, self.aoi, self.grid.kind)
        return self._posterior

    def _block(self, queries: torch.Tensor, k: int) -> tuple[IntArray, FloatArray]:
        """(B, k) numbers and scores of some frames."""
        assert self._coarse is not None  # for the type checker  # nosec B101
        climbers, lost = climb_down(self._seeds(queries), queries, self._levels(), self._embed, self._bounds)
        frame, number, score = on_grid(climbers, queries, self.grid, self._embed)
        return self._merged(queries, k, (frame, number, score), lost)

    def _levels(self) -> Iterator[Descent]:
        """The lattices that climbs come down by."""
        double_below_m = _DOUBLE_BELOW * self.report.smooth_length_m
        for level, step_m in enumerate(steps_between(self.report.coarse_step_m, self.grid.resolution_m, _FACTOR)):
            kept = _KEPT[min(level, len(_KEPT) - 1)]
            yield Descent(Lattice(step_m, self._bounds), kept, MARGIN / 4**level, double=step_m < double_below_m)

    def _seeds(self, queries: torch.Tensor) -> Climbers:
        coarse = self._coarse
        assert coarse is not None  # for the type checker  # nosec B101
        rows = max(1, _SURFACES // coarse.neighbours.size)
        parts = []
        for begin in range(0, len(queries), rows):
            scores = queries[begin : begin + rows] @ coarse.embeddings.T
            frame, place, value = coarse.peaks(scores, _SEEDS)
            keep = value >= scores.amax(dim=1).double().cpu().numpy()[frame] - MARGIN
            parts.append((frame[keep] + begin, self._bounds.moved_in(place[keep]), value[keep], value[keep]))
        return Climbers(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _merged(
        self, queries: torch.Tensor, k: int, fine: tuple[IntArray, IntArray, FloatArray], lost: list[Climbers]
    ) -> tuple[IntArray, FloatArray]:
        """The k best of a frame: points compared in float64, then given-up climbs and coarse points under the grid point next to them."""
        columns = [fine]
        if k > 1:
            reach_m = 3 * self.grid.resolution_m
            columns += [(part.frame, self.grid.nearest(part.place, reach_m), part.score) for part in lost]
            columns.append(self._coarse_best(queries, k))
        frame, number, score = (np.concatenate(column) for column in zip(*columns, strict=True))
        return ranked(len(queries), k, frame, number, score, np.arange(len(frame)) < len(fine[0]))

    def _coarse_best(self, queries: torch.Tensor, k: int) -> tuple[IntArray, IntArray, FloatArray]:
        assert self._coarse is not None  # for the type checker  # nosec B101
        if self._snapped is None:
            self._snapped = self.grid.nearest(self._coarse.lat_lon_deg, 3 * self.grid.resolution_m)
        value, point = torch.topk(queries @ self._coarse.embeddings.T, min(k, len(self._snapped)), dim=1)
        frame = np.repeat(np.arange(len(queries)), value.shape[1])
        return frame, self._snapped[point.cpu().numpy().ravel()], value.double().cpu().numpy().ravel()

    def _smooth_length(self, smoothness: Smoothness | None) -> float:
        west, south, east, north = self.aoi.bounds
        known = smoothness.length_at_m(south, west, north, east) if smoothness is not None else None
        if known is not None and smoothness is not None:
            self._level = smoothness.level
            return known
        found = measure_smoothness(self._model, self.aoi.bounds, tiles=4, pairs=12, shortest_m=max(self.grid.resolution_m, 0.25))
        self._level = found.level
        self._measured = 4 * 4 * 12 * (len(found.distances_m) + 1)
        return found.length_m

    def _embedded(self, grid: Grid) -> EmbeddedGallery:
        return EmbeddedGallery(
            self._model,
            grid,
            self.device,
            weights_sha256=self._sha,
            cache_dir=self._cache_dir,
            feedback=self.feedback,
        )
