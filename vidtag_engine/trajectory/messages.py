"""Forward and backward messages of one video, kept so that other pins cost only what they change.

A pin changes what is known before of the frames after it, and what is known after of those before it. From the pin on, messages are reckoned anew until a
frame's marginal has hardly changed. Farther away it then changes less still: beyond that frame everything is drawn from its place by the same chances as
before, and no such drawing brings two distributions farther apart in total variation (the data-processing inequality).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..types import FloatArray, IntArray
from .decoder import Decoder, most_kept
from .emission import EmissionModel, Pin
from .marginals import TINY, stacked, thinned

_OFF = 2e-4  # of a frame's mass, that may lie elsewhere than where reckoning everything anew would have it
_FRAMES = 64  # whose likelihoods are made at once


@dataclass(frozen=True)
class Marginals:
    """What messages give.

    Args:
        marginal: (T, M) as of :class:`.decoder.Decoded`.
        log_evidence: likewise.
        changed: (T,) the rows that differ from those of the last time.
    """

    marginal: sparse.csr_matrix
    log_evidence: float
    changed: NDArray[np.bool_]


class Messages:
    """Of a video over a decoder's states.

    Args:
        decoder: of the area.
        scores: (T, S) as :meth:`.Decoder.decode` has them.
        time_s: (T,) of the frames, not falling.
        emission: how scores are read.
        cuts: rows that begin a new shot.
    """

    def __init__(self, decoder: Decoder, scores: FloatArray, time_s: FloatArray, emission: EmissionModel, cuts: Iterable[int] = ()) -> None:
        self._decoder, self._time_s, self._cuts = decoder, np.asarray(time_s, dtype=np.float64), frozenset(cuts)
        frames, weight = len(time_s), emission.weights(time_s)
        self._likely = np.empty((frames, decoder.states), dtype=np.float32)
        for start in range(0, frames, _FRAMES):
            rows = slice(start, start + _FRAMES)
            self._likely[rows] = emission.likelihood(scores[rows], weight[rows])
        self._ahead, self._behind = np.empty_like(self._likely), np.ones_like(self._likely)
        self._gained = np.zeros(frames)
        self._rows: list[tuple[IntArray, FloatArray]] = [(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32))] * frames
        self._forget()

    def _forget(self) -> None:
        """Nothing that was reckoned holds."""
        self._pins: dict[int, tuple[Pin, ...]] | None = None
        self._pinned: dict[int, FloatArray] = {}
        # Messages ahead hold up to one row, those behind from one on: what lies beyond is of earlier pins.
        self._ahead_to, self._behind_from = -1, len(self._likely) - 1
        self._off = np.full(len(self._likely), np.inf)

    @staticmethod
    def bytes_of(frames: int, states: int) -> int:
        """That it takes, but for the marginals."""
        return 3 * 4 * frames * states

    def marginals(self, pins: Sequence[Pin]) -> Marginals:
        """Each frame's marginal with these pins."""
        asked: dict[int, tuple[Pin, ...]] = {}
        for pin in pins:
            asked[pin.row] = (*asked.get(pin.row, ()), pin)
        frames, before = len(self._likely), self._pins
        rows = [row for row in range(frames) if before is None or asked.get(row) != before.get(row)]
        if not rows:
            return self._told(np.zeros(frames, dtype=bool))
        ahead_to, behind_from = min(self._ahead_to, rows[0] - 1), max(self._behind_from, rows[-1])
        off = self._off
        self._forget()  # were this broken off, everything would be reckoned anew the next time
        self._pinned = {row: self._likely[row] * self._decoder.pin_factor(mine) for row, mine in asked.items()}
        for row in range(1, frames):  # before two threads ask for them
            if row not in self._cuts:
                self._decoder.transitions(float(self._time_s[row] - self._time_s[row - 1]))
        changed = np.zeros(frames, dtype=bool)
        changed[rows[0] : rows[-1] + 1] = True
        with ThreadPoolExecutor(1) as aside:
            # First all that lies between the pins which changed.
            filtering = aside.submit(lambda: [self._filter(row) for row in range(ahead_to + 1, rows[-1] + 1)])
            for row in range(behind_from - 1, rows[0] - 1, -1):
                self._look_back(row)
            filtering.result()
            for row in range(rows[0], rows[-1] + 1):
                self._rows[row], off[row] = self._marginal(row), 0.0
            # Then to either side, as far as it matters.
            after = aside.submit(self._onward, range(rows[-1] + 1, frames), self._filter, off, changed)
            self._behind_from = rows[0] - self._onward(range(rows[0] - 1, -1, -1), self._look_back, off, changed)
            self._ahead_to = rows[-1] + after.result()
        self._pins, self._off = asked, off
        return self._told(changed)

    def _told(self, changed: NDArray[np.bool_]) -> Marginals:
        return Marginals(stacked(self._rows, len(self._decoder.points_m)), float(self._gained.sum()) / max(1, len(self._rows)), changed)

    def _onward(self, rows: range, step: Callable[[int], None], off: FloatArray, changed: NDArray[np.bool_]) -> int:
        """Reckon rows anew until those beyond hardly change; returns how many."""
        for count, row in enumerate(rows):
            step(row)
            new = self._marginal(row)
            beyond = off[row:] if rows.step > 0 else off[: row + 1]
            moved = _total_variation(new, self._rows[row], len(self._decoder.points_m)) if np.isfinite(beyond).all() else np.inf
            if moved + float(beyond.max(initial=0.0)) <= _OFF:
                beyond += moved
                return count + 1
            self._rows[row], off[row], changed[row] = new, 0.0, True
        return len(rows)

    def _seen(self, row: int) -> FloatArray:
        pinned = self._pinned.get(row)
        likely: FloatArray = self._likely[row] if pinned is None else pinned
        return likely

    def _filter(self, row: int) -> None:
        """The message ahead of a row, its own picture counted, from that of the row before."""
        decoder = self._decoder
        now = decoder.moved(self._ahead[row - 1], self._time_s, row, self._cuts, forward=True) if row else decoder.start()
        now = now * self._seen(row)
        total = float(now.sum(dtype=np.float64))
        self._ahead[row] = now / np.float32(total) if total > TINY else 1.0 / len(now)
        self._gained[row] = np.log(max(total, TINY))

    def _look_back(self, row: int) -> None:
        """The message behind a row, from that behind the row after it and that one's picture."""
        back = self._decoder.moved(self._behind[row + 1] * self._seen(row + 1), self._time_s, row + 1, self._cuts, forward=False)
        self._behind[row] = back / max(float(back.mean(dtype=np.float64)), TINY)

    def _marginal(self, row: int) -> tuple[IntArray, FloatArray]:
        return thinned(self._decoder.of_places(self._behind[row] * self._ahead[row]), most_kept(len(self._rows)))


def _total_variation(one: tuple[IntArray, FloatArray], other: tuple[IntArray, FloatArray], places: int) -> float:
    """Of two marginals as they are kept: how much mass lies elsewhere."""
    apart = np.zeros(places, dtype=np.float32)
    apart[one[0]] = one[1]
    apart[other[0]] -= other[1]
    return float(np.abs(apart, out=apart).sum(dtype=np.float64)) / 2.0
