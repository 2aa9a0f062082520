"""Climbing from foreseen peaks to the highest place of a score: lattices that become finer, ridges followed, frames sharing embeddings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..grid.lattice import Bounds, Lattice
from ..types import FloatArray, IntArray
from .coarse import offsets_m, shifted, surface_fit
from .embedder import Embedder, PointStore

if TYPE_CHECKING:
    from ..grid.grid import Grid

_MOST_MOVES = 64
_FARTHEST = 2.0  # steps that a foreseen peak may lie away
_PAIRS_AT_ONCE = 8192
_LOOK_STEPS = 4.0  # of the fine grid: all points so near are compared before a climb ends, as scores have creases with several tops
_LOOK_ALONG = 1.1  # the same for a ridge, a times that it is longer than wide
_CENTRE = 4
_LONGEST_RIDGE = 6.0


@dataclass
class Climbers:
    """Where each climb stands, flat over frames; all arrays (C,), but place (C, 2) degrees.

    Args:
        frame: whose score it climbs.
        place: where it stands.
        score: there.
        foreseen: the height that it may still reach.
        ridge: how much longer than wide its top is, at least 1; known once climbed.
    """

    frame: IntArray
    place: FloatArray
    score: FloatArray
    foreseen: FloatArray
    ridge: FloatArray | None = None

    def take(self, which: IntArray) -> Climbers:
        """Some of them."""
        ridge = None if self.ridge is None else self.ridge[which]
        return Climbers(self.frame[which], self.place[which], self.score[which], self.foreseen[which], ridge)


def climb(start: Climbers, queries: torch.Tensor, lattice: Lattice, embed: Embedder, *, double: bool) -> Climbers:
    """Climb on one lattice until no neighbour is higher, then foresee the peak between its points.

    Args:
        start: where from.
        queries: (T, E).
        lattice: how fine.
        embed: gives embeddings.
        double: in float64.
    """
    store = PointStore(lattice.places, lambda places: embed(places, double=double))
    key = lattice.key(start.place)
    scores = np.zeros((len(key), 9))
    slots = np.zeros((len(key), 9), dtype=np.int64)
    active = np.arange(len(key))
    for _ in range(_MOST_MOVES):
        around = lattice.around(key[active])
        slots[active] = store.slots(around)
        scores[active] = dots(queries, start.frame[active], store.embeddings, slots[active])
        best = scores[active].argmax(axis=1)
        moved = scores[active, best] > scores[active, _CENTRE]
        key[active[moved]] = around[moved, best[moved]]
        active = active[moved]
        if not len(active):
            break
    places = store.lat_lon_deg[slots]
    own = scores[:, _CENTRE]
    step, gain, ridge = foreseen_peak(offsets_m(places[:, _CENTRE, None], places) / lattice.step_m, scores - own[:, None])
    return Climbers(start.frame, shifted(places[:, _CENTRE], step * lattice.step_m), own, own + gain, ridge)


@dataclass(frozen=True)
class Descent:
    """One lattice on the way down to the finest step.

    Args:
        lattice: to climb on.
        kept: climbs a frame that go on from it, at most.
        margin: none goes on that is foreseen to end lower than the frame's best by more.
        double: in float64.
    """

    lattice: Lattice
    kept: int
    margin: float
    double: bool


def climb_down(
    climbers: Climbers,
    queries: torch.Tensor,
    levels: Iterable[Descent],
    embed: Embedder,
    bounds: Bounds,
    check: Callable[[], None] = lambda: None,
) -> tuple[Climbers, list[Climbers]]:
    """Climb on ever finer lattices, the most promising climbs of each frame alone.

    Args:
        climbers: where from.
        queries: (T, E).
        levels: coarse to fine.
        embed: gives embeddings.
        bounds: that no climb leaves.
        check: called before each lattice, to stop there.

    Returns:
        The climbs that came down to the finest step, and those given up on the way.
    """
    lost: list[Climbers] = []
    for level in levels:
        check()
        climbers = climb(climbers, queries, level.lattice, embed, double=level.double)
        keep = best_of(climbers, level.kept, level.margin)
        lost.append(climbers.take(np.setdiff1d(np.arange(len(climbers.frame)), keep)))
        climbers = climbers.take(keep)
        climbers.place = bounds.moved_in(climbers.place)
    return climbers, lost


def foreseen_peak(offset: FloatArray, difference: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Highest place of the quadratic surfaces through nine points: (n, 2) in steps from the centre, (n,) how much higher, (n,) length to width."""
    if not len(offset):
        return np.zeros((0, 2)), np.zeros(0), np.zeros(0)
    a, b, c, d, e = np.moveaxis((surface_fit(offset) @ difference[..., None])[..., 0], -1, 0)
    determinant = 4 * c * e - d**2
    peaked = (c < 0) & (determinant > 1e-3 * c**2)
    safe = np.where(peaked, determinant, 1.0)
    step = np.stack([(d * b - 2 * e * a) / safe, (d * a - 2 * c * b) / safe], axis=1)
    step = np.where(peaked[:, None], step, 0.0)
    far = np.linalg.norm(step, axis=1)
    step *= np.minimum(1.0, _FARTHEST / np.maximum(far, 1e-12))[:, None]
    gain = a * step[:, 0] + b * step[:, 1] + c * step[:, 0] ** 2 + d * step[:, 0] * step[:, 1] + e * step[:, 1] ** 2
    # Curvatures across and along the top.
    middle, spread = -(c + e), np.hypot(c - e, d)
    ridge = np.where(middle > 0, np.sqrt(np.maximum(middle + spread, 0.0) / np.maximum(middle - spread, 1e-9)), 1.0)
    return step, np.maximum(gain, 0.0), np.clip(np.nan_to_num(ridge, nan=1.0), 1.0, _LONGEST_RIDGE)


def best_of(climbers: Climbers, most: int, margin: float) -> IntArray:
    """The most promising climbs of each frame, near ones to the same place counted once: at most ``most``, none lower by ``margin``."""
    place = np.round(climbers.place, 9)
    order = np.lexsort((place[:, 1], place[:, 0], -climbers.foreseen, climbers.frame))
    frame = climbers.frame[order]
    keep = np.ones(len(order), dtype=bool)
    keep[1:] = (frame[1:] != frame[:-1]) | (place[order][1:] != place[order][:-1]).any(axis=1)
    order = order[keep]
    frame = climbers.frame[order]
    first = np.r_[True, frame[1:] != frame[:-1]] if len(order) else np.zeros(0, bool)
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    top = climbers.foreseen[order][start]
    return order[(np.arange(len(order)) - start < most) & (climbers.foreseen[order] >= top - margin)]


def on_grid(climbers: Climbers, queries: torch.Tensor, grid: Grid, embed: Embedder) -> tuple[IntArray, IntArray, FloatArray]:
    """From a place to the best point of the fine grid about it, in float64: on until no point near the best is better.

    Returns:
        frame, grid number and score of every point compared, flat.
    """
    store = PointStore(grid.at, lambda places: embed(places, double=True))
    place, best = climbers.place.copy(), np.full(len(climbers.frame), -1, dtype=np.int64)
    seen: list[tuple[IntArray, IntArray, FloatArray]] = []
    ridge = np.ones(len(place)) if climbers.ridge is None else climbers.ridge
    # Along a ridge the grid's points lie now nearer to its crest, now farther: the best may be some steps away.
    active, look_m = np.arange(len(place)), grid.resolution_m * np.maximum(_LOOK_STEPS, _LOOK_ALONG * ridge)
    for _ in range(_MOST_MOVES):
        who, number, _ = grid.within(place[active], look_m[active])
        alone = np.setdiff1d(np.arange(len(active)), who)
        if len(who):
            frame = climbers.frame[active[who]]
            score = dots(queries, frame, *_slotted(store, number))[:, 0]
            seen.append((frame, number, score))
            order = np.lexsort((number, -score, who))
            found, first = np.unique(who[order], return_index=True)
            winner = number[order][first]
            going = winner != best[active[found]]
            best[active[found]] = winner
            place[active[found]] = grid.at(winner)
            active = np.concatenate([active[found[going]], active[alone]])
        if not len(active):
            break
        look_m[active[len(active) - len(alone) :]] *= 2
    if not seen:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    frames, numbers, scores = zip(*seen, strict=True)
    return np.concatenate(frames), np.concatenate(numbers), np.concatenate(scores)


def _slotted(store: PointStore, number: IntArray) -> tuple[torch.Tensor, IntArray]:
    slots = store.slots(number)[:, None]
    return store.embeddings, slots


def dots(queries: torch.Tensor, frame: IntArray, embeddings: torch.Tensor, slots: IntArray) -> FloatArray:
    """Scores (n, m) of frames (n,) with the embeddings in slots (n, m), in the embeddings' own precision."""
    result = np.empty(slots.shape)
    rows = max(1, _PAIRS_AT_ONCE // max(slots.shape[1], 1))
    for begin in range(0, len(slots), rows):
        part = slice(begin, begin + rows)
        asked = queries[torch.from_numpy(frame[part]).to(queries.device)].to(embeddings.dtype)
        near = embeddings[torch.from_numpy(slots[part]).to(embeddings.device)]
        result[part] = torch.einsum("ne,nme->nm", asked, near).double().cpu().numpy()
    return result


def steps_between(coarse_m: float, fine_m: float, factor: float) -> Sequence[float]:
    """Lattice steps from the first below a coarse grid's down to a fine one's, falling evenly by about ``factor``."""
    first = coarse_m / 3
    if first <= fine_m:
        return []
    levels = max(1, math.ceil(math.log(first / fine_m) / math.log(factor) - 1e-9))
    return [first * (fine_m / first) ** (level / levels) for level in range(levels + 1)]
