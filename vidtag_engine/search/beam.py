"""Searching an area of any size, up to the world's land: a coarse gallery, and a beam from it down to the step that was asked for.

Between the points of the coarse gallery an encoder is not smooth: nothing is foreseen there. So each frame's best coarse places are kept
(the beam: some thousand in all), the lattice about each is embedded at a third of the coarse step, the lattice about the best of that at a
ninth, and the best of that are climbed on ever finer lattices. What no coarse place resembles is missed: the search is not exhaustive, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from ..feedback import Feedback
from ..grid.grid import make_grid
from ..grid.lattice import Lattice
from ..grid.wide_grid import WideGrid
from ..types import Candidates, FloatArray, InputError, IntArray
from .beam_posterior import Level, beam_mass
from .climb import Climbers, Descent, climb_down, dots, steps_between
from .embedder import MOST_EMBEDDED, Embedder, PointStore
from .embedding_cache import EmbeddedGallery, LocationModel
from .exhaustive import checked, mass_of, top_k
from .ranking import ranked

# About 50 km apart on the world's land. Measured with GeoCLIP's weights: a place's cell of 60 km is among a frame's best 100 in nine of
# ten queries of cosine .3 with their place, and among the best 10 of cosine .45; cells of 25 km, or more cells where pictures are taken, gain little.
COARSE_POINTS = 60_000
BEAM = (4_000, 2_000)  # places refined in a call at each level, of all frames together
_RANKS = 512  # places a frame that may be refined
_SPLIT = 3  # steps of a level to one of the level above
_PEAKS = 16  # places of the refined beam that are climbed from, a frame
_KEPT = (8, 4, 2)  # climbs a frame after each level; the last holds for all further ones
_MARGINS = (0.2, 0.08, 0.02)  # in cosine; likewise, then quartered
_FACTOR = 4.0
_DOUBLE_BELOW_M = 100.0
_FRAMES = 256
_MASS_FRAMES = 64
_MOST_STORED = 120_000  # embeddings of refined beams held between calls
_MOST_MOVES = 64
_CENTRE = 4


class BeamSearch:
    """One wide area's search for any number of videos; see :class:`.choose.Search`.

    Args:
        model: gives embeddings, already on ``device``.
        grid: what is searched, and how finely.
        device: where to compute.
        weights_sha256: of the checkpoint, for the coarse gallery's cache.
        coarse_points: how many places the coarse gallery has, about.
        beam: how many places are refined in a call, level by level.
        cache_dir: for the coarse gallery; None keeps nothing.
        feedback: of the coarse gallery; asked to stop in every search.
    """

    exhaustive = False
    most_places = MOST_EMBEDDED

    def __init__(
        self,
        model: LocationModel,
        grid: WideGrid,
        device: torch.device | str,
        *,
        weights_sha256: str,
        coarse_points: int = COARSE_POINTS,
        beam: Sequence[int] = BEAM,
        cache_dir: Path | None = None,
        feedback: Feedback = Feedback(),
    ) -> None:
        self.grid, self.device, self._beam = grid, torch.device(device), beam
        self.feedback = feedback
        self._embed = Embedder(model, self.device)
        self.coarse_step_m = float(np.sqrt(grid.area_m2 / coarse_points))
        self._lattices = [Lattice(self.coarse_step_m / _SPLIT**level, grid.bounds) for level in range(1, len(beam) + 1)]
        self._stores = [self._new_store(lattice) for lattice in self._lattices]
        self.coarse = EmbeddedGallery(
            model,
            make_grid(grid.aoi, self.coarse_step_m),
            self.device,
            weights_sha256=weights_sha256,
            cache_dir=cache_dir,
            feedback=feedback,
            half=True,
        )

    @property
    def notes(self) -> list[str]:
        """Sentences for the user, so far."""
        said = [
            f"The area ({self.grid.area_m2 / 1e6:,.0f} km²) is too large to compare every place: the search is a beam from "
            f"{self.coarse_points:,} coarse places, some {self.coarse_step_m / 1000:,.0f} km apart, not exhaustive."
        ]
        return [*said, *self.coarse.notes]

    @property
    def coarse_points(self) -> int:
        """Of the coarse gallery."""
        return self.coarse.count

    @property
    def embedded(self) -> int:
        """Points embedded so far, not counting those from the cache."""
        return self._embed.count + self.coarse.computed_points

    def prepare(self) -> None:
        """Embed the coarse gallery, or read its cache."""
        self.coarse.prepare()

    def top_k(self, queries: torch.Tensor, k: int) -> Candidates:
        """The best places found for each frame, best first; a row that is not finite, or its end, is -1 and NaN.

        Args:
            queries: (T, E) unit-normalised.
            k: at most.
        """
        if k < 1:
            raise InputError(f"{k} candidates were asked for; ask for at least 1.")
        asked, usable = checked(queries, self.coarse)
        index = np.full((len(asked), k), -1, dtype=np.int64)
        score = np.full((len(asked), k), np.nan, dtype=np.float32)
        good = np.flatnonzero(usable.cpu().numpy())
        for begin in range(0, len(good), _FRAMES):
            rows = good[begin : begin + _FRAMES]
            index[rows], score[rows] = self._block(asked[torch.from_numpy(rows).to(asked.device)], k)
        places = self.grid.at(index.ravel()).reshape(*index.shape, 2)
        return Candidates(index, places[..., 0], places[..., 1], score)

    def posterior_mass(
        self, queries: torch.Tensor, centers: FloatArray, radius_m: float | Sequence[float], temperature: float | Sequence[float]
    ) -> FloatArray:
        """As :func:`.search.posterior_mass`: sums over the coarse gallery, the refined beam and a disc about each centre, weighted by area."""

        def of_known(asked: torch.Tensor, places: FloatArray, radii: FloatArray, temperatures: FloatArray) -> FloatArray:
            parts = [slice(begin, begin + _MASS_FRAMES) for begin in range(0, max(1, len(asked)), _MASS_FRAMES)]
            return np.concatenate([beam_mass(self, asked[part], places[part], radii, temperatures) for part in parts], axis=2)

        return mass_of(queries, self.coarse, centers, radius_m, temperature, of_known)

    def cover(self) -> None:
        """None: see :meth:`.choose.Search.cover`."""

    def scorer(self, lat_lon_deg: FloatArray) -> Callable[[torch.Tensor], torch.Tensor]:
        """See :class:`.choose.Search`: each place embedded."""
        return self._embed.scorer(lat_lon_deg)

    def refined(self, queries: torch.Tensor) -> tuple[list[Level], Candidates, IntArray]:
        """The beam of some frames, level by level.

        Returns:
            the levels, the coarse places that they grew from, and the first lattice's numbers of those that were refined.
        """
        coarse = top_k(queries, self.coarse, _RANKS)
        best = np.stack([coarse.lat_deg, coarse.lon_deg], axis=-1)
        levels: list[Level] = []
        first: IntArray = np.zeros(0, np.int64)
        for number, (lattice, beam) in enumerate(zip(self._lattices, self._beam, strict=True)):
            chosen = _first_ranks(lattice.key(best.reshape(-1, 2)).reshape(best.shape[:2]), beam)
            if levels:
                levels[-1].refined = np.isin(lattice.key(levels[-1].lat_lon_deg), chosen)
            else:
                first = chosen
            places, embeddings = self._about(number, chosen)
            scores = queries @ embeddings.T
            levels.append(Level(lattice, places, scores, np.zeros(len(places), dtype=bool)))
            best = places[torch.topk(scores, min(_RANKS, len(places)), dim=1)[1].cpu().numpy()]
        return levels, coarse, first

    def _about(self, number: int, chosen: IntArray) -> tuple[FloatArray, torch.Tensor]:
        """Places and embeddings of a level's lattice about some of its points."""
        wanted = np.unique(self._lattices[number].around(chosen))
        store = self._stores[number]
        if store.size > _MOST_STORED:
            store = self._stores[number] = self._new_store(self._lattices[number])
        slots = []
        for part in np.array_split(wanted, max(1, len(wanted) // 2048)):
            self.feedback.check()
            slots.append(store.slots(part))
        slot = np.concatenate(slots)
        return store.lat_lon_deg[slot], store.embeddings[torch.from_numpy(slot).to(self.device)]

    def _new_store(self, lattice: Lattice) -> PointStore:
        return PointStore(lattice.places, self._embed)

    def _block(self, queries: torch.Tensor, k: int) -> tuple[IntArray, FloatArray]:
        """(B, k) numbers and scores of some frames."""
        levels, coarse, _ = self.refined(queries)
        last = levels[-1]
        frame, places, value = _best(last, _PEAKS)
        climbers = Climbers(frame, places, value, value)
        climbers, lost = climb_down(climbers, queries, self._levels(), self._embed, self.grid.bounds, self.feedback.check)
        columns = [self._settled(climbers, queries)]
        if k > 1:
            columns += [(part.frame, self.grid.number(part.place), part.score) for part in lost]
            for level in levels:
                frame, places, value = _best(level, k)
                columns.append((frame, self.grid.number(places), value))
            near = np.stack([coarse.lat_deg, coarse.lon_deg], axis=-1).reshape(-1, 2)
            frame = np.repeat(np.arange(len(queries)), coarse.score.shape[1])
            columns.append((frame, self.grid.number(near), coarse.score.ravel().astype(np.float64)))
        frame, number, score = (np.concatenate(column) for column in zip(*columns, strict=True))
        return ranked(len(queries), k, frame, number, score, np.arange(len(frame)) < len(columns[0][0]))

    def _levels(self) -> Iterator[Descent]:
        """The lattices that climbs come down by."""
        for level, step_m in enumerate(steps_between(self._lattices[-1].step_m, self.grid.resolution_m, _FACTOR)):
            margin = _MARGINS[level] if level < len(_MARGINS) else _MARGINS[-1] / 4.0 ** (level - len(_MARGINS) + 1)
            kept = _KEPT[min(level, len(_KEPT) - 1)]
            yield Descent(Lattice(step_m, self.grid.bounds), kept, margin, double=step_m < _DOUBLE_BELOW_M)

    def _settled(self, climbers: Climbers, queries: torch.Tensor) -> tuple[IntArray, IntArray, FloatArray]:
        """From places to points of the grid, in float64, on until no neighbour is better: frame, number and score of all compared."""
        store = PointStore(self.grid.at, lambda places: self._embed(places, double=True))
        number, active = self.grid.number(climbers.place), np.arange(len(climbers.frame))
        seen = []
        for _ in range(_MOST_MOVES):
            around = self.grid.around(number[active])
            slots = store.slots(around)
            score = dots(queries, climbers.frame[active], store.embeddings, slots)
            seen.append((np.repeat(climbers.frame[active], around.shape[1]), around.ravel(), score.ravel()))
            best = score.argmax(axis=1)
            moved = score[np.arange(len(active)), best] > score[:, _CENTRE]
            number[active[moved]] = around[moved, best[moved]]
            active = active[moved]
            if not len(active):
                break
        frame, numbers, scores = (np.concatenate(column) for column in zip(*seen, strict=True))
        return frame, numbers, scores


def _first_ranks(key: IntArray, most: int) -> IntArray:
    """Of (B, ranks) numbers the first different ones, all frames' first ranks before any one's second: few frames get a deep beam each."""
    flat = key.T.ravel()
    _, first = np.unique(flat, return_index=True)
    chosen: IntArray = flat[np.sort(first)[:most]]
    return chosen


def _best(level: Level, most: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """Frame, place and score of the best places of a level, flat."""
    value, column = torch.topk(level.scores, min(most, level.scores.shape[1]), dim=1)
    frame = np.repeat(np.arange(len(value)), value.shape[1])
    return frame, level.lat_lon_deg[column.cpu().numpy().ravel()], value.double().cpu().numpy().ravel()
