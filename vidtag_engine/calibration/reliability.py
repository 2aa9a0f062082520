"""How well probabilities agree with what was so."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..types import FloatArray

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_NEVER_CERTAIN = 1e-12


@dataclass(frozen=True)
class ReliabilityBin:
    """Frames whose confidence lies in [low, high): how many, their mean confidence, and the share that was right."""

    low: float
    high: float
    count: int
    mean_confidence: float
    share_correct: float


def reliability(confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> list[ReliabilityBin]:
    """Reliability table over bins of equal width; empty bins are left out, and frames whose confidence is NaN."""
    said, right = _pairs(confidence, correct)
    place = np.minimum((said * bins).astype(int), bins - 1)
    table = []
    for number in range(bins):
        here = place == number
        if here.any():
            low, high = number / bins, (number + 1) / bins
            table.append(ReliabilityBin(low, high, int(here.sum()), float(said[here].mean()), float(right[here].mean())))
    return table


def ece(confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> float:
    """Expected calibration error: |mean confidence - share correct| over bins of equal width, weighted by count; NaN for none."""
    table = reliability(confidence, correct, bins)
    count = sum(entry.count for entry in table)
    if not count:
        return math.nan
    return sum(entry.count * abs(entry.mean_confidence - entry.share_correct) for entry in table) / count


def brier(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Mean squared difference between confidence and what was (1 or 0); NaN for none."""
    said, right = _pairs(confidence, correct)
    return float(np.mean((said - right) ** 2)) if said.size else math.nan


def log_loss(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Mean negative log likelihood in nats; NaN for none."""
    said, right = _pairs(confidence, correct)
    return float(np.mean(cross_entropy(said, right))) if said.size else math.nan


def cross_entropy(said: FloatArray, target: FloatArray) -> FloatArray:
    """Log loss of each probability against its target, kept finite."""
    safe = np.clip(said, _NEVER_CERTAIN, 1.0 - _NEVER_CERTAIN)
    result: FloatArray = -(target * np.log(safe) + (1.0 - target) * np.log1p(-safe))
    return result


def _pairs(confidence: ArrayLike, correct: ArrayLike) -> tuple[FloatArray, FloatArray]:
    said, right = np.broadcast_arrays(np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=np.float64))
    known = np.isfinite(said) & np.isfinite(right)
    return said[known], right[known]
