"""Forward and backward messages of one video, kept so that other pins cost only what they change.

A pin changes what is known before of the frames after it, and what is known after of those before it. From the pin on, messages are reckoned anew until what
is known of a frame's state has hardly changed. Farther away it then changes less still: beyond that frame everything is drawn from its state by the same
chances as before, and no such drawing brings two distributions farther apart in total variation (the data-processing inequality).

A message that was left as it was is exact for the pins of the time that it was reckoned at. It is never used after a pin beyond it changed, so that with
today's message from the other side it gives the whole posterior of that time; how far this may lie from the last solve's is summed up for each frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
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
        version: (T,) of each row: which time of asking it was reckoned at. Where that is the same, the row is the same.
    """

    marginal: sparse.csr_matrix
    log_evidence: float
    version: IntArray


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
        self._gained, self._factor = np.zeros(frames), np.zeros(frames)  # logarithms of what messages were divided by
        self._log_evidence = 0.0
        self._version, self._asked = np.zeros(frames, dtype=np.int64), 0
        self._rows: list[tuple[IntArray, FloatArray]] = [(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32))] * frames
        self._forget()

    def _forget(self) -> None:
        """Nothing that was reckoned holds."""
        self._pins: dict[int, tuple[Pin, ...]] | None = None
        self._pinned: dict[int, FloatArray] = {}
        # Messages ahead hold up to one row, those behind from one on: what lies beyond is of earlier pins.
        self._ahead_to, self._behind_from = -1, len(self._likely) - 1
        # How far kept marginals, and the messages of either side, may lie from those of the last solve.
        self._off, self._ahead_off, self._behind_off = (np.full(len(self._likely), np.inf) for _ in range(3))

    @staticmethod
    def bytes_of(frames: int, states: int) -> int:
        """That it takes at most: likelihoods and messages of both sides, and the marginals twice, as rows and as they were told the last time."""
        return (3 * 4 + 2 * 8) * frames * states

    def marginals(self, pins: Sequence[Pin]) -> Marginals:
        """Each frame's marginal with these pins."""
        asked: dict[int, tuple[Pin, ...]] = {}
        for pin in pins:
            asked[pin.row] = (*asked.get(pin.row, ()), pin)
        frames, before = len(self._likely), self._pins
        rows = [row for row in range(frames) if before is None or asked.get(row) != before.get(row)]
        if not rows:
            return self._told()
        ahead_to, behind_from = min(self._ahead_to, rows[0] - 1), max(self._behind_from, rows[-1])
        off, ahead_off, behind_off = self._off, self._ahead_off, self._behind_off
        self._asked += 1
        self._forget()  # were this broken off, everything would be reckoned anew the next time
        self._pinned = {row: self._likely[row] * self._decoder.pin_factor(mine) for row, mine in asked.items()}
        for row in range(1, frames):  # before two threads ask for them
            if row not in self._cuts:
                self._decoder.transitions(float(self._time_s[row] - self._time_s[row - 1]))
        with ThreadPoolExecutor(1) as aside:
            # First all that lies between the pins which changed.
            filtering = aside.submit(self._filter_all, range(ahead_to + 1, rows[-1] + 1))
            for row in range(behind_from - 1, rows[0] - 1, -1):
                self._look_back(row)
            filtering.result()
            for row in range(rows[0], rows[-1] + 1):
                self._keep(row, off)
            ahead_off[: rows[-1] + 1], behind_off[rows[0] :] = 0.0, 0.0
            self._log_evidence = self._evidence(rows[0])
            # Then to either side, as far as it matters.
            after = aside.submit(self._onward, range(rows[-1] + 1, frames), self._filter, off, ahead_off)
            self._behind_from = rows[0] - self._onward(range(rows[0] - 1, -1, -1), self._look_back, off, behind_off)
            self._ahead_to = rows[-1] + after.result()
        self._pins, self._off, self._ahead_off, self._behind_off = asked, off, ahead_off, behind_off
        return self._told()

    def _told(self) -> Marginals:
        return Marginals(stacked(self._rows, len(self._decoder.points_m)), self._log_evidence, self._version.copy())

    def _evidence(self, row: int) -> float:
        """Log evidence a frame, of messages that meet at a row which both are exact at."""
        meeting = np.log(max(float((self._ahead[row] * self._behind[row]).sum(dtype=np.float64)), TINY))
        return float(self._gained[: row + 1].sum() + meeting + self._factor[row:].sum()) / len(self._rows)

    def _onward(self, rows: range, step: Callable[[int], None], off: FloatArray, messages_off: FloatArray) -> int:
        """Reckon rows anew until those beyond hardly change; returns how many."""
        for count, row in enumerate(rows):
            beyond = slice(row, None) if rows.step > 0 else slice(None, row + 1)
            # Nothing is compared with what was never reckoned.
            old = self._posterior(row) if np.isfinite(messages_off[row]) and np.isfinite(off[beyond]).all() else None
            step(row)
            if old is not None:
                apart = float(np.abs(self._posterior(row) - old).sum(dtype=np.float64)) / 2.0 + float(messages_off[row])
                if apart + float(off[beyond].max(initial=0.0)) <= _OFF:
                    off[beyond] += apart
                    messages_off[beyond] += apart
                    messages_off[row] = 0.0
                    return count + 1
            messages_off[row] = 0.0
            self._keep(row, off)
        return len(rows)

    def _seen(self, row: int) -> FloatArray:
        pinned = self._pinned.get(row)
        likely: FloatArray = self._likely[row] if pinned is None else pinned
        return likely

    def _filter_all(self, rows: range) -> None:
        for row in rows:
            self._filter(row)

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
        factor = max(float(back.mean(dtype=np.float64)), TINY)
        self._behind[row], self._factor[row] = back / factor, np.log(factor)

    def _posterior(self, row: int) -> FloatArray:
        """(S,) of a row's states, as its messages have it."""
        mass: FloatArray = self._behind[row] * self._ahead[row]
        total = float(mass.sum(dtype=np.float64))
        return mass / np.float32(total) if total > TINY else np.full_like(mass, 1.0 / len(mass))

    def _keep(self, row: int, off: FloatArray) -> None:
        """Keep a row's marginal as its messages have it now."""
        mass = self._decoder.of_places(self._behind[row] * self._ahead[row])
        self._rows[row], off[row], self._version[row] = thinned(mass, most_kept(len(self._rows))), 0.0, self._asked
