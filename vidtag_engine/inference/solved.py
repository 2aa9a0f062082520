"""What the last solve of a video left in this process: its messages, and what was said of its frames. Other pins then cost what they change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ..directions import Directions
from ..trajectory import Decoded, Decoder, Pin, TransitionModel
from ..trajectory.hypotheses import HypothesesMemory
from ..trajectory.messages import Messages
from ..trajectory.scores import VideoScores
from ..types import IntArray

_MOST_BYTES = 700_000_000  # of messages and marginals that are kept


class Solver:
    """A video's kept scores as they were decoded the last time.

    Args:
        kept: the scores; :meth:`decode` is given the same.
    """

    def __init__(self, kept: VideoScores) -> None:
        self.decoder, self.memory = decoder_of(kept), HypothesesMemory()
        path = kept.calibration
        own_line = path.line_emission if path.line_emission != path.emission else None
        self._emissions = [path.emission, *([own_line] if own_line else [])]
        self._messages: list[Messages] = []
        self._keeps = len(self._emissions) * Messages.bytes_of(len(kept.time_s), self.decoder.states) <= _MOST_BYTES
        self._last: tuple[Sequence[Pin], Decoded, IntArray | None] | None = None

    def decode(self, kept: VideoScores, pins: Sequence[Pin] = ()) -> tuple[Decoded, IntArray | None]:
        """The posterior and the line; and (T,) numbers that are others wherever a frame's marginal is another one than before, None where nothing tells.

        Videos whose messages would take too much memory are decoded whole. The same pins as the last time take no time.
        """
        if self._last is None or self._last[0] != tuple(pins):
            self._last = None  # were this broken off, nothing of it would be answered
            self._last = (tuple(pins), *self._decoded(kept, pins))
        return self._last[1:]

    def _decoded(self, kept: VideoScores, pins: Sequence[Pin]) -> tuple[Decoded, IntArray | None]:
        path = kept.calibration
        accuracy_m = max(path.accuracy_m, kept.spacing_m)
        if not self._keeps:
            whole = self.decoder.decode(
                kept.scores, kept.time_s, path.emission, cuts=kept.cuts, pins=pins, accuracy_m=accuracy_m, line_emission=path.line_emission
            )
            return whole, None
        if not self._messages:
            self._messages = [Messages(self.decoder, kept.scores, kept.time_s, one, kept.cuts) for one in self._emissions]
        found = [one.marginals(pins) for one in self._messages]
        of_frames, of_line = found[0], found[-1]
        decoded = self.decoder.decoded(
            of_frames.marginal, of_frames.log_evidence, of_line.marginal, kept.time_s, frozenset(kept.cuts), accuracy_m
        )
        return decoded, of_frames.version


@dataclass
class _Last:
    """The solver of the video that was solved last."""

    digest: bytes = b""
    solver: Solver | None = None


_last = _Last()


def solver_of(kept: VideoScores) -> Solver:
    """What the last solve of this very video left, known by all that it was decoded from; or a new one in its place."""
    digest = _digest(kept)
    if _last.solver is None or _last.digest != digest:
        _last.digest, _last.solver = b"", None  # the old one's memory goes before the new one's is taken
        _last.digest, _last.solver = digest, Solver(kept)
    return _last.solver


def _digest(kept: VideoScores) -> bytes:
    """Of everything that a video is decoded from. File names and times would not do: a result may be replaced between two solves."""
    digest = hashlib.blake2b(repr((kept.spacing_m, kept.calibration, tuple(kept.cuts), kept.scores.shape, kept.scores.dtype)).encode())
    for values in (kept.scores, kept.lat_lon_deg, kept.time_s):
        whole: Any = np.ascontiguousarray(values)
        digest.update(memoryview(whole).cast("B"))
    return digest.digest()


def decoder_of(kept: VideoScores) -> Decoder:
    """The decoder of an area; that of the last one is kept, so that solving again takes no time for it."""
    weight = kept.calibration.database_weight
    directions = weight.directions if weight and kept.scores.shape[1] > len(kept.lat_lon_deg) else None
    return _cached_decoder(np.ascontiguousarray(kept.lat_lon_deg).tobytes(), kept.spacing_m, kept.calibration.transition, directions)


@lru_cache(maxsize=1)
def _cached_decoder(places: bytes, spacing_m: float, transition: TransitionModel, directions: Directions | None) -> Decoder:
    return Decoder(np.frombuffer(places, dtype=np.float64).reshape(-1, 2), spacing_m, transition, directions=directions)
