"""Noise that turns true coordinates into something like Phase I's predictions (paper Sec. 3.4, App. A)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..types import FloatArray

METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class NoiseModel:
    """Collapse, jitter and shift.

    Args:
        collapse_probability: chance that a whole sequence collapses to one of its points (no shift then).
        jitter_deg: (low, high) of the uniform size of each coordinate's jitter; its sign is random.
        shift_deg: the whole sequence moves by U(-shift, shift), per axis.
        metric: whether degrees of longitude are widened by 1 / cos(latitude), so that the noise is the same in metres both ways.
        jitter_m, shift_m: standard deviations in metres of normal noise; where set they stand in for the uniform ranges.
        runs_m: Phase I's own errors, per sequence (T, 2) north and east in metres; where given, stretches of them, turned by any angle, are the noise: they hold
            jumps to look-alike places, which no normal noise does.
        jump_share: chance that a stretch of a sequence, of any length and place in it, is taken for somewhere else altogether (not in the paper): errors of Phase I
            that lead to another city are never among noise of kilometres, and what GeoRefiner was never shown it cannot undo.
        elsewhere: (T, 2) places of videos that such stretches are taken for.
    """

    collapse_probability: float = 0.1
    jitter_deg: tuple[float, float] = (0.001, 0.02)
    shift_deg: float = 0.2
    metric: bool = False
    jitter_m: float | None = None
    shift_m: float | None = None
    runs_m: tuple[FloatArray, ...] = ()
    jump_share: float = 0.0
    elsewhere: tuple[FloatArray, ...] = ()

    def apply(self, lat_lon_deg: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return noisy coordinates of sequences (B, T, 2) lat, lon in degrees; latitude is kept within ±90."""
        truth = np.asarray(lat_lon_deg, dtype=np.float64)
        batch, length, _ = truth.shape
        scale = np.ones_like(truth)
        if self.metric:
            scale[..., 1] = 1.0 / np.maximum(np.cos(np.radians(truth[..., 0])), 0.01)
        if self.runs_m:
            jitter, shift = self._drawn_runs(batch, length, rng) / METRES_PER_DEGREE, np.zeros((batch, 1, 2))
        elif self.jitter_m is not None and self.shift_m is not None:
            jitter = rng.normal(0.0, self.jitter_m / METRES_PER_DEGREE, truth.shape)
            shift = rng.normal(0.0, self.shift_m / METRES_PER_DEGREE, (batch, 1, 2))
        else:
            jitter = rng.uniform(*self.jitter_deg, truth.shape) * rng.choice([-1.0, 1.0], truth.shape)
            shift = rng.uniform(-self.shift_deg, self.shift_deg, (batch, 1, 2))
        noisy = truth + scale * (jitter + shift)
        collapsed = rng.random(batch) < self.collapse_probability
        chosen = rng.integers(0, length, batch)
        noisy[collapsed] = truth[np.arange(batch), chosen][collapsed, None, :]
        if self.jump_share > 0 and self.elsewhere:
            for number in np.flatnonzero(rng.random(batch) < self.jump_share):
                frames = int(rng.integers(1, length + 1))
                first = int(rng.integers(0, length - frames + 1))
                other = self.elsewhere[rng.integers(len(self.elsewhere))]
                there = np.minimum(rng.integers(len(other)) + np.arange(frames), len(other) - 1)
                noisy[number, first : first + frames] = other[there]
        noisy[..., 0] = np.clip(noisy[..., 0], -90.0, 90.0)
        return noisy

    def _drawn_runs(self, batch: int, length: int, rng: np.random.Generator) -> FloatArray:
        """(batch, length, 2) metres: a stretch of a known run each, turned; a shorter run is passed through to and fro."""
        drawn = np.empty((batch, length, 2))
        for number in range(batch):
            run = self.runs_m[rng.integers(len(self.runs_m))]
            there_and_back = np.concatenate([np.arange(len(run)), np.arange(len(run))[-2:0:-1]])
            frames = there_and_back[(rng.integers(len(there_and_back)) + np.arange(length)) % len(there_and_back)]
            angle = rng.uniform(0, 2 * np.pi)
            drawn[number] = run[frames] @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return drawn


PAPER_NOISE = NoiseModel()


def fit_noise(predicted: list[FloatArray], truth: list[FloatArray], resolution_m: float) -> NoiseModel:
    """Fit the noise to Phase I's own errors on validation sequences.

    The errors themselves are kept as the noise. For the record they are split into the sequence's mean (shift) and what remains (jitter), both as
    robust standard deviations in metres. A sequence whose predictions spread over less than a fifth of its truth's spread counts as collapsed.

    Args:
        predicted, truth: per sequence (T, 2) lat, lon in degrees.
        resolution_m: of the gallery; the noise is never below its rounding.
    """
    shifts, jitters, collapsed, runs = [], [], [], []
    for guess, true in zip(predicted, truth, strict=True):
        metres = np.array([METRES_PER_DEGREE, METRES_PER_DEGREE * math.cos(math.radians(float(true[:, 0].mean())))])
        error = (guess - true) * metres
        runs.append(error)
        middle = np.median(error, axis=0)
        shifts.append(middle)
        jitters.append(error - middle)
        spread = float(np.ptp(true * metres, axis=0).max())
        collapsed.append(len(true) > 1 and spread > 2 * resolution_m and float(np.ptp(guess * metres, axis=0).max()) < spread / 5)
    floor_m = resolution_m / math.sqrt(12.0)  # rounding to a grid
    # 1.4826 x the median absolute value is the standard deviation of a normal; the mean keeps some of the tail in.
    sizes = [
        max(floor_m, 0.5 * (1.4826 * float(np.median(np.abs(values))) + float(np.abs(values).mean()) * math.sqrt(math.pi / 2)))
        for values in (np.concatenate(jitters), np.asarray(shifts))
    ]
    return NoiseModel(collapse_probability=min(0.5, max(0.02, float(np.mean(collapsed)))), metric=True, jitter_m=sizes[0], shift_m=sizes[1])
