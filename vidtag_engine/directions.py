"""Directions that a camera may look in, beside the places where it may be: what makes a street driven one way another state than the same street the other way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.linalg import expm

from .types import FloatArray

LEAST_SECTORS, MOST_SECTORS = 3, 16
_FADE = 0.1  # of cosine, that a reference image loses per square of sectors that it looks aside of a direction
_FULL = 0.5  # sectors: one that looks no farther aside is of the direction
_MOST_ASIDE_DEG = 90.0  # one that looks farther aside says nothing of a direction


@dataclass(frozen=True)
class Directions:
    """Sectors of the compass, from north on, and how cameras turn between them.

    Args:
        count: L of them, evenly spread.
        turns_per_s: rate at which a camera goes over to each of the two sectors beside its own.
        reversals_per_s: rate at which it goes over to any other.
    """

    count: int
    turns_per_s: float = 0.05
    reversals_per_s: float = 1e-3

    def turned(self, seconds: float) -> FloatArray:
        """(L, L) float32 probability of having gone from one sector over to another, the same both ways."""
        return _turned(self, float(seconds))

    def lost(self, heading_deg: FloatArray, number: int) -> FloatArray:
        """What the cosines of reference images lose in one of the directions; infinity where they say nothing of it.

        Args:
            heading_deg: (N,) where they look, clockwise from north; NaN, not known: they speak of every direction alike.
            number: of the direction.
        """
        step_deg = 360.0 / self.count
        aside_deg = np.abs((heading_deg - number * step_deg + 180.0) % 360.0 - 180.0)
        lost = _FADE * np.square(np.maximum(aside_deg / step_deg - _FULL, 0.0))
        lost = np.where(aside_deg <= _MOST_ASIDE_DEG, lost, math.inf)
        found: FloatArray = np.where(np.isfinite(heading_deg), lost, 0.0).astype(np.float32)
        return found


def over_places(scores: FloatArray, places: int) -> FloatArray:
    """(B, M) the highest of the scores (B, L M) of places in any direction; scores by place alone as they are."""
    if scores.shape[1] == places:
        return scores
    found: FloatArray = scores.reshape(len(scores), -1, places).max(axis=1)
    return found


@lru_cache(maxsize=256)
def _turned(directions: Directions, seconds: float) -> FloatArray:
    """Of a Markov chain in continuous time: the exponential of its rates."""
    count = directions.count
    apart = np.arange(count)
    apart = np.minimum((apart - apart[:, None]) % count, (apart[:, None] - apart) % count)
    rates = np.where(apart == 1, directions.turns_per_s, directions.reversals_per_s)
    np.fill_diagonal(rates, 0.0)
    np.fill_diagonal(rates, -rates.sum(axis=1))
    found: FloatArray = expm(rates * max(seconds, 0.0)).astype(np.float32)
    return found
