"""Posteriors of many videos, or of one video read in several ways, at once: a transition is one product of matrices for all of them.

Each is to the last digit what :meth:`.decoder.Decoder.marginals` gives; a sparse matrix times sixteen columns takes four times as long as times one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from ..types import FloatArray, IntArray
from .decoder import Decoder, most_kept
from .marginals import TINY, stacked, thinned

_COLUMNS = 24  # moved at once, about: more of them leave the processor's cache
_TURNED = 512  # places whose columns become rows while they are in the cache

Row = tuple[IntArray, FloatArray]


def marginals_together(decoder: Decoder, likely: Sequence[FloatArray], time_s: Sequence[FloatArray]) -> list[sparse.csr_matrix]:
    """The (T, M) marginals of chains of frames, without cuts.

    The forward and the backward pass of each go side by side; what the first of them leaves at a frame the other completes. Beside the likelihoods as much
    again is held.

    Args:
        decoder: over M places; S of its states.
        likely: (T, S) a chain, float32, as :meth:`.decoder.EmissionModel.likelihood` gives them.
        time_s: (T,) a chain, not falling.
    """
    count, places = len(likely), len(decoder.points_m)
    states = decoder.states
    frames = [len(one) for one in time_s]
    mass = np.ones((2 * count, states), dtype=np.float32)  # of the forward passes, then of the backward passes
    mass[:count] = 1.0 / states
    moves = [[(decoder.step(seconds), seconds) for seconds in np.diff(one).tolist()] for one in time_s]
    half: list[dict[int, FloatArray]] = [{} for _ in likely]
    rows: list[dict[int, Row]] = [{} for _ in likely]

    def meet(chain: int, row: int, one: FloatArray) -> None:
        """Keep what is said of a frame from one side; where the other has spoken, complete it."""
        other = half[chain].pop(row, None)
        if other is None:
            half[chain][row] = one.copy()
        else:
            other *= one
            rows[chain][row] = thinned(decoder.of_places(other), most_kept(frames[chain]))

    for step in range(max(frames, default=0)):
        going = [chain for chain in range(count) if step < frames[chain]]
        for chain in going:
            now, back, row = mass[chain], mass[count + chain], frames[chain] - 1 - step
            now *= likely[chain][step]
            total = float(now.sum(dtype=np.float64))
            if total > TINY:
                now /= np.float32(total)
            else:
                now[:] = 1.0 / states
            meet(chain, step, now)
            meet(chain, row, back)
            back *= likely[chain][row]
        _move(decoder, mass, [chain for chain in going if step + 1 < frames[chain]], step, moves)
    return [stacked([one[row] for row in range(len(one))], places) for one in rows]


def _move(decoder: Decoder, mass: FloatArray, chains: Sequence[int], step: int, moves: Sequence[Sequence[tuple[int, float]]]) -> None:
    """Take chains' forward passes from frame ``step`` to the next, and their backward passes as far.

    Args:
        decoder, step: as elsewhere.
        mass: (2 C, S) of the forward passes of C chains, then of their backward passes; changed.
        chains: numbers of those that go on.
        moves: (T - 1) a chain, what the moves' transitions have in common with others', and their seconds.
    """
    count = len(mass) // 2
    columns: dict[int, tuple[float, list[int]]] = {}
    for chain in chains:
        for column, (kind, seconds) in ((chain, moves[chain][step]), (count + chain, moves[chain][-1 - step])):
            columns.setdefault(kind, (seconds, []))[1].append(column)
    for seconds, alike in columns.values():
        for some in np.array_split(np.sort(alike), max(1, round(len(alike) * decoder.layers / _COLUMNS))):
            mass[some] = _moved(decoder, mass[some], seconds, int((some < count).sum()))
    for chain in chains:
        back = mass[count + chain]
        back /= max(float(back.mean(dtype=np.float64)), TINY)


def _moved(decoder: Decoder, states: FloatArray, seconds: float, forward: int) -> FloatArray:
    """(C, S) of so many ``forward`` passes, then of backward ones, a step further; changed."""
    links, one_over, times = decoder.transitions(seconds)
    anywhere = states.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    mass = states.reshape(-1, len(one_over))  # each direction moves by itself
    forward *= decoder.layers
    for _ in range(times):
        mass[:forward] *= one_over
        moved = links @ np.ascontiguousarray(mass.T)
        for begin in range(0, len(moved), _TURNED):
            mass[:, begin : begin + _TURNED] = moved[begin : begin + _TURNED].T
        mass[forward:] *= one_over
    if decoder.directions is not None:
        turned = decoder.directions.turned(decoder.seconds_of(seconds))
        states = np.matmul(turned, mass.reshape(len(states), decoder.layers, -1)).reshape(states.shape)
    restart_probability = np.float32(decoder.transition.restart_probability)
    states *= 1 - restart_probability
    states += restart_probability * anywhere
    return states
