"""Searching an area of any size, up to the world's land: a coarse gallery, and a beam from it down to the step that was asked for.

Between the points of the coarse gallery an encoder is not smooth: nothing is foreseen there. So each frame's best coarse places are kept
(the beam: several thousand in all), the lattice about each is embedded at a third of the coarse step, and the best of that are climbed on
ever finer lattices. What no coarse place resembles is missed: the search is not exhaustive, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from ..types import CancelCheck, CancelledError, Candidates, FloatArray, InputError, IntArray, Progress, ProgressCallback
from .beam_posterior import beam_mass
from .climb import Climbers, best_of, climb, dots, steps_between
from .embedding_cache import EmbeddedGallery, LocationModel
from .grid import make_grid
from .lattice import MOST_EMBEDDED, Embedder, Lattice, PointStore
from .point_list import points_grid
from .ranking import ranked
from .search import checked, top_k
from .wide_grid import WideGrid

COARSE_POINTS = 250_000  # about 25 km apart on the world's land
BEAM = 4_000  # coarse places refined in a call, of all frames together
_MEMORY_BYTES = 400 * 1024**2
_RANKS = 512  # coarse places a frame that may be refined
_SPLIT = 3  # lattice steps to a coarse step
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
        seeds: (N, 2) more coarse places, lat, lon in degrees: where pictures are likely taken. Those outside the area are left out.
        coarse_points: how many places the coarse gallery has, about.
        beam: how many coarse places are refined in a call.
        cache_dir: for the coarse gallery; None keeps nothing.
        progress, cancelled: of the coarse gallery; a true answer raises CancelledError.
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
        seeds: FloatArray | None = None,
        coarse_points: int = COARSE_POINTS,
        beam: int = BEAM,
        cache_dir: Path | None = None,
        progress: ProgressCallback | None = None,
        cancelled: CancelCheck | None = None,
    ) -> None:
        self.grid, self.device, self._beam = grid, torch.device(device), beam
        self._progress, self._cancelled = progress, cancelled
        self._embed = Embedder(model, self.device)
        self.coarse_step_m = float(np.sqrt(grid.area_m2 / coarse_points))
        self.lattice = Lattice(self.coarse_step_m / _SPLIT, grid.bounds)
        grids = [make_grid(grid.aoi, self.coarse_step_m)]
        if seeds is not None and (inside := grid.bounds.inside(seeds)).any():
            grids.append(points_grid(seeds[inside]))
        options = {"weights_sha256": weights_sha256, "cache_dir": cache_dir, "cancelled": cancelled, "half": True}
        self._coarse = [
            EmbeddedGallery(model, one, self.device, memory_limit_bytes=_MEMORY_BYTES, progress=progress, **options)  # type: ignore[arg-type]
            for one in grids
        ]
        self._store = self._new_store()

    @property
    def notes(self) -> list[str]:
        """Sentences for the user, so far."""
        said = [
            f"The area ({self.grid.area_m2 / 1e6:,.0f} km²) is too large to compare every place: the search is a beam from "
            f"{self.coarse_points:,} coarse places, some {self.coarse_step_m / 1000:,.0f} km apart, not exhaustive."
        ]
        return [*said, *(note for gallery in self._coarse for note in gallery.notes)]

    @property
    def coarse_points(self) -> int:
        """Of the coarse gallery, seeds included."""
        return sum(gallery.count for gallery in self._coarse)

    @property
    def coarse_bytes(self) -> int:
        """Of the coarse gallery's embeddings, as they are cached."""
        return sum(gallery.size_bytes for gallery in self._coarse)

    @property
    def embedded(self) -> int:
        """Points embedded so far, not counting those from the cache."""
        return self._embed.count + sum(gallery.computed_points for gallery in self._coarse)

    def prepare(self) -> None:
        """Embed the coarse gallery, or read its cache."""
        for gallery in self._coarse:
            gallery.prepare()

    def top_k(self, queries: torch.Tensor, k: int) -> Candidates:
        """The best places found for each frame, best first; a row that is not finite, or its end, is -1 and NaN.

        Args:
            queries: (T, E) unit-normalised.
            k: at most.
        """
        if k < 1:
            raise InputError(f"{k} candidates were asked for; ask for at least 1.")
        asked, usable = checked(queries, self._coarse[0])
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
        radii, temperatures = (np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in (radius_m, temperature))
        if not ((radii > 0).all() and (temperatures > 0).all()):
            raise InputError(f"Radius {radius_m} m and temperature {temperature} must be above 0.")
        asked, usable = checked(queries, self._coarse[0])
        places = np.asarray(centers, dtype=np.float64)
        known = np.flatnonzero(usable.cpu().numpy() & np.isfinite(places).all(axis=1))
        mass = np.full((len(temperatures), len(radii), len(asked)), np.nan)
        for begin in range(0, len(known), _MASS_FRAMES):
            rows = known[begin : begin + _MASS_FRAMES]
            block = asked[torch.from_numpy(rows).to(asked.device)]
            mass[:, :, rows] = beam_mass(self, block, places[rows], radii, temperatures)
        if np.ndim(radius_m) == 0:
            return mass[:, 0] if np.ndim(temperature) else mass[0, 0]
        return mass if np.ndim(temperature) else mass[0]

    def scorer(self, lat_lon_deg: FloatArray) -> Callable[[torch.Tensor], torch.Tensor]:
        """See :class:`.choose.Search`: each place embedded."""
        return self._embed.scorer(lat_lon_deg)

    def refined(self, queries: torch.Tensor) -> tuple[FloatArray, torch.Tensor, Candidates]:
        """The beam about the best coarse places of some frames.

        Returns:
            (S, 2) places of the lattice, (B, S) their scores, and the coarse places that it was grown from.
        """
        coarse = self._ranked_coarse(queries)
        key = self.lattice.key(np.stack([coarse.lat_deg, coarse.lon_deg], axis=-1).reshape(-1, 2)).reshape(coarse.index.shape)
        # All frames' first ranks before any one's second: few frames get a deep beam each, and many share a broad one.
        flat = key.T.ravel()
        _, first = np.unique(flat, return_index=True)
        chosen = flat[np.sort(first)[: self._beam]]
        wanted = np.unique(self.lattice.around(chosen))
        if self._stored > _MOST_STORED:
            self._store = self._new_store()
        slots = []
        for part in np.array_split(wanted, max(1, len(wanted) // 4096)):
            self._stop_if_asked()
            slots.append(self._store.slots(part))
            if self._progress is not None:
                self._progress(Progress(1.0, "search", f"{len(wanted):,} places of the beam"))
        slot = np.concatenate(slots)
        self._stored = len(self._store.lat_lon_deg)
        embeddings = self._store.embeddings[torch.from_numpy(slot).to(self.device)]
        return self._store.lat_lon_deg[slot], queries @ embeddings.T, coarse

    def coarse_chunks(self) -> EmbeddedGallery:
        """The evenly spread part of the coarse gallery."""
        return self._coarse[0]

    def _new_store(self) -> PointStore:
        self._stored = 0
        return PointStore(self.lattice.places, self._embed)

    def _stop_if_asked(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise CancelledError

    def _ranked_coarse(self, queries: torch.Tensor) -> Candidates:
        """The best of the coarse gallery's parts together, (B, ranks)."""
        found = [top_k(queries, gallery, _RANKS) for gallery in self._coarse]
        lat, lon, score = (np.concatenate([getattr(one, name) for one in found], axis=1) for name in ("lat_deg", "lon_deg", "score"))
        order = np.argsort(-score, axis=1, kind="stable")[:, :_RANKS]
        lat, lon, score = (np.take_along_axis(part, order, axis=1) for part in (lat, lon, score))
        return Candidates(order, lat, lon, score)

    def _block(self, queries: torch.Tensor, k: int) -> tuple[IntArray, FloatArray]:
        """(B, k) numbers and scores of some frames."""
        places, scores, coarse = self.refined(queries)
        value, column = torch.topk(scores, min(max(_PEAKS, k), scores.shape[1]), dim=1)
        value, column = value.double().cpu().numpy(), column.cpu().numpy()
        frame = np.repeat(np.arange(len(queries)), min(_PEAKS, column.shape[1]))
        start = column[:, :_PEAKS].ravel()
        climbers = Climbers(frame, places[start], value[:, :_PEAKS].ravel(), value[:, :_PEAKS].ravel())
        climbers, lost = self._climbed(queries, climbers)
        columns = [self._settled(climbers, queries)]
        if k > 1:
            columns += [(part.frame, self.grid.number(part.place), part.score) for part in lost]
            columns.append((np.repeat(np.arange(len(queries)), column.shape[1]), self.grid.number(places)[column.ravel()], value.ravel()))
            near = np.stack([coarse.lat_deg, coarse.lon_deg], axis=-1).reshape(-1, 2)
            columns.append(
                (np.repeat(np.arange(len(queries)), coarse.score.shape[1]), self.grid.number(near), coarse.score.ravel().astype(float))
            )
        frame, number, score = (np.concatenate(column) for column in zip(*columns, strict=True))
        return ranked(len(queries), k, frame, number, score, np.arange(len(frame)) < len(columns[0][0]))

    def _climbed(self, queries: torch.Tensor, climbers: Climbers) -> tuple[Climbers, list[Climbers]]:
        """The climbs that came down to the finest step, and those given up on the way."""
        lost: list[Climbers] = []
        for level, step_m in enumerate(steps_between(self.lattice.step_m, self.grid.resolution_m, _FACTOR)):
            self._stop_if_asked()
            climbers = climb(climbers, queries, Lattice(step_m, self.grid.bounds), self._embed, double=step_m < _DOUBLE_BELOW_M)
            margin = _MARGINS[level] if level < len(_MARGINS) else _MARGINS[-1] / 4.0 ** (level - len(_MARGINS) + 1)
            keep = best_of(climbers, _KEPT[min(level, len(_KEPT) - 1)], margin)
            lost.append(climbers.take(np.setdiff1d(np.arange(len(climbers.frame)), keep)))
            climbers = climbers.take(keep)
            climbers.place = self.grid.bounds.moved_in(climbers.place)
        return climbers, lost

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
