"""Which pictures are wanted: moments at a rate, and the picture that is on screen at each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..types import FloatArray, InputError, IntArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Timestamps are whole units of 1/90000 s and the like; a moment this close before a picture means that picture.
TOLERANCE_S = 1e-6


def check_window(name: str, rate_hz: float | None, from_s: float, to_s: float | None) -> None:
    """Raise InputError where rate, from or to make no sense; ``name`` is the video's."""
    if rate_hz is not None and not (math.isfinite(rate_hz) and rate_hz > 0):
        raise InputError(f"The frame rate {rate_hz} for {name} is not a number above 0; give frames per second, for example 1.")
    if not (math.isfinite(from_s) and from_s >= 0):
        raise InputError(f"The start {from_s} s for {name} is not a number of seconds from 0 on; give seconds after the video's start.")
    if to_s is None:
        return
    if not math.isfinite(to_s):
        raise InputError(f"The end {to_s} s for {name} is not a number of seconds; give seconds after the video's start.")
    if to_s <= from_s:
        raise InputError(
            f"For {name} the end ({to_s:g} s) does not lie after the start ({from_s:g} s); give --from and --to the other way round."
        )


def check_start(name: str, from_s: float, end_s: float) -> None:
    """Raise InputError where ``from_s`` lies beyond the end of the video."""
    if from_s > 0 and from_s >= end_s:
        raise InputError(f"{name} lasts {end_s:.3f} s, so nothing lies after {from_s:g} s; give an earlier start.")


def slots_s(rate_hz: float, from_s: float, end_s: float) -> FloatArray:
    """The moments ``from_s + k / rate_hz`` in [from_s, end_s), seconds."""
    count = max(math.ceil((end_s - from_s - TOLERANCE_S) * rate_hz), 0)
    return from_s + np.arange(count) / rate_hz


def pick(time_s: FloatArray, rate_hz: float | None, from_s: float, end_s: float) -> IntArray:
    """Which of the pictures with the ascending times ``time_s`` (N,) are wanted: positions, ascending, each once.

    At each moment it is the latest picture not after it (the first one for moments before it); without a rate, every picture of
    the window.
    """
    if rate_hz is None:
        return np.flatnonzero((time_s >= from_s - TOLERANCE_S) & (time_s < end_s - TOLERANCE_S))
    return on_screen(time_s, slots_s(rate_hz, from_s, end_s))


def pick_and_lost(
    time_s: FloatArray, rate_hz: float | None, from_s: float, end_s: float, lost_s: Sequence[tuple[float, float]]
) -> tuple[IntArray, FloatArray]:
    """As ``pick``, but moments within the stretches ``lost_s`` have no picture: they come back as times, (m,) seconds.

    Without a rate, a lost stretch counts one moment a second, and at least one.
    """
    if rate_hz is not None:
        return at_and_lost(time_s, slots_s(rate_hz, from_s, end_s), lost_s)
    lost = [slots_s(1.0, max(start, from_s), min(stop, end_s)) for start, stop in lost_s]
    return pick(time_s, None, from_s, end_s), np.concatenate([np.zeros(0), *lost])


def at_and_lost(time_s: FloatArray, wanted_s: FloatArray, lost_s: Sequence[tuple[float, float]]) -> tuple[IntArray, FloatArray]:
    """As ``pick_and_lost``, at the moments ``wanted_s`` (M,)."""
    inside = np.zeros(len(wanted_s), dtype=bool)
    for start, stop in lost_s:
        inside |= (wanted_s >= start - TOLERANCE_S) & (wanted_s < stop - TOLERANCE_S)
    return on_screen(time_s, wanted_s[~inside]), wanted_s[inside]


def on_screen(time_s: FloatArray, moments_s: FloatArray) -> IntArray:
    """Which of the pictures with the ascending times ``time_s`` (N,) are on screen at any of the moments: positions, ascending, each once."""
    if not len(time_s):
        return np.zeros(0, dtype=np.int64)
    return np.unique(np.maximum(np.searchsorted(time_s, moments_s + TOLERANCE_S, side="right") - 1, 0))


def moments(rate_hz: float, from_s: float, to_s: float | None) -> Iterator[float]:
    """The same moments one by one, for streams whose end is not known."""
    k = 0
    while to_s is None or from_s + k / rate_hz < to_s - TOLERANCE_S:
        yield from_s + k / rate_hz
        k += 1
