"""What is seen of a frame, as the decoder reads it: scores as likelihoods, and a person's pins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import FloatArray
from .marginals import TINY

_LEAST_POWER = np.float32(-87.0)  # nearly the least whose exponential is a normal number of float32


@dataclass(frozen=True)
class EmissionModel:
    """What a frame's scores say of places.

    Args:
        temperature: of the softmax over the area's scores.
        outlier_probability: that a picture tells nothing of its place.
        error_correlation: of the errors of frames at one time, in 0..1: frames of one drive are dark, wet or blocked together.
        correlation_time_s: that correlation falls off with time by this length. A frame counts as one over the sum of its correlations with all frames.
    """

    temperature: float
    outlier_probability: float = 0.02
    error_correlation: float = 0.0
    correlation_time_s: float = 120.0

    def weights(self, time_s: FloatArray) -> FloatArray:
        """(T,) how much each frame counts beside the others, in 0..1."""
        time_s = np.asarray(time_s, dtype=np.float64)
        weight = np.empty(len(time_s))
        for row, moment in enumerate(time_s):  # a row at a time: memory stays linear
            weight[row] = 1.0 / (1.0 + self.error_correlation * (np.exp(-np.abs(time_s - moment) / self.correlation_time_s).sum() - 1.0))
        return weight

    def likelihood(self, scores: FloatArray, weight: FloatArray) -> FloatArray:
        """(B, S) float32 likelihood of frames in each state, one on average over the states.

        Args:
            scores: (B, S) cosines.
            weight: (B,) of :meth:`weights`.
        """
        likely = np.asarray(scores, dtype=np.float32) * np.float32(1.0 / self.temperature)
        likely -= likely.max(axis=1, keepdims=True)
        np.maximum(
            likely, _LEAST_POWER, out=likely
        )  # what is fainter is nothing beside the outlier probability, and takes ten times as long
        np.exp(likely, out=likely)
        likely *= likely.shape[1] / likely.sum(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
        likely *= np.float32(1.0 - self.outlier_probability)
        likely += np.float32(max(self.outlier_probability, TINY))
        np.log(likely, out=likely)
        likely *= np.asarray(weight, dtype=np.float32)[:, None]
        np.exp(likely, out=likely)
        likely /= likely.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
        return likely


@dataclass(frozen=True)
class Pin:
    """A person's word on where a frame was.

    Args:
        row: of the frame.
        lat_deg, lon_deg: of the pin.
        radius_m: how near is meant.
        here: whether the camera was there, or was not.
    """

    row: int
    lat_deg: float
    lon_deg: float
    radius_m: float = 50.0
    here: bool = True
