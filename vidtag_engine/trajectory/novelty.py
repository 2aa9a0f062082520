"""Whether a video is like those that a checkpoint was trained on: how near its pictures lie to training pictures, beside held-out videos'.

A video's strangeness is the mean over its frames of the distance to the nearest of some hundred centres of the training features, whitened, where training
found them along axes that tell places apart. Its p-value is the share of new videos of the training's own kind that are expected to be as strange or stranger:
held-out videos' logarithms are taken as a sample of a normal distribution, and Student's t says what the next one may be (the prediction interval of any
textbook). Unlike the rank among held-out videos it can be small where few were held out, and a single odd one among many does not set it.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from ..types import FloatArray

_RARE, _MOST_RARE = 0.01, 0.1  # p-values below which a video counts as novel, by how many say so
_LEAST = 1e-6  # of strangeness, and of how far its logarithms lie apart: copies of one video have none


@dataclass(frozen=True)
class NoveltyDetector:
    """A summary of training features.

    Args:
        mean: (D,) of the training features.
        axes: (K, D) whitening.
        centres: (C, K) of the whitened features.
        held_out: (V,) strangeness of held-out videos, rising.
    """

    mean: FloatArray
    axes: FloatArray
    centres: FloatArray
    held_out: FloatArray

    def novelty_score(self, features: FloatArray) -> float:
        """Of one video's features (T, D)."""
        if not len(features):
            return math.nan
        white = unit((np.asarray(features, dtype=np.float32) - self.mean) @ self.axes.T)
        return float(1.0 - (white @ self.centres.T).max(axis=1).mean())

    def p_value(self, features: FloatArray) -> float:
        """Share of new videos of the training's kind that are expected to be as strange as this one (T, D) or stranger; NaN where fewer than two were held out."""
        found, videos = self.novelty_score(features), len(self.held_out)
        if videos < 2 or not math.isfinite(found):
            return math.nan
        usual = np.log(np.maximum(self.held_out, _LEAST))
        spread = max(float(usual.std(ddof=1)), _LEAST) * math.sqrt(1.0 + 1.0 / videos)
        return float(stats.t.sf((math.log(max(found, _LEAST)) - usual.mean()) / spread, videos - 1))

    def is_novel(self, p_value: float) -> bool:
        """Whether a p-value is rarer than can be put down to chance. From n videos no value rarer than one in n + 1 can be known."""
        return p_value < self.rarest

    @property
    def rarest(self) -> float:
        """The p-value below which a video counts as novel."""
        return float(np.clip(1.0 / (len(self.held_out) + 1), _RARE, _MOST_RARE))

    @property
    def tells(self) -> bool:
        """Whether enough videos, or blocks of them, say how strange videos are."""
        return len(self.held_out) > 1

    def to_dict(self) -> dict[str, Any]:
        """JSON values; arrays as base64 of float16."""
        arrays = {name: getattr(self, name) for name in ("mean", "axes", "centres")}
        packed = {
            name: {"shape": list(a.shape), "float16": base64.b64encode(np.ascontiguousarray(a, dtype="<f2").tobytes()).decode()}
            for name, a in arrays.items()
        }
        return packed | {"held_out": [round(float(value), 6) for value in self.held_out]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NoveltyDetector:
        """Read what ``to_dict`` wrote."""
        mean, axes, centres = (
            np.frombuffer(base64.b64decode(values[name]["float16"]), dtype="<f2").astype(np.float32).reshape(values[name]["shape"])
            for name in ("mean", "axes", "centres")
        )
        return cls(mean, axes, centres, np.asarray(values["held_out"], dtype=np.float64))


def unit(vectors: FloatArray) -> FloatArray:
    """(..., D) vectors of length 1."""
    result: FloatArray = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return result
