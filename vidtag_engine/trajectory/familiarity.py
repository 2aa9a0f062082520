"""Whether a video is like those that a checkpoint was trained on: how near its pictures lie to training pictures, beside held-out videos'.

A video's strangeness is the mean over its frames of the distance to the nearest of some hundred centres of the training features, whitened, where training
found them along axes that tell places apart. Its p-value is the share of new videos of the training's own kind that are expected to be as strange or stranger:
held-out videos' logarithms are taken as a sample of a normal distribution, and Student's t says what the next one may be (the prediction interval of any
textbook). Unlike the rank among held-out videos it can be small where few were held out, and a single odd one among many does not set it.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from ..types import FloatArray

_MOST_FRAMES = 20_000
_ROUNDS = 12
_RARE, _MOST_RARE = 0.01, 0.1  # p-values below which a video counts as novel, by how many say so
_FEW = 8  # fewer held-out videos do not say how strange videos are: each of all videos is then asked what it is to the others
_LEFT_OUT = 24  # of them at most
_BLOCK, _BLOCKS = 8, 8  # frames of a block, and blocks of a video, where there are hardly any videos
_LEAST = 1e-6  # of strangeness, and of how far its logarithms lie apart: copies of one video have none


@dataclass(frozen=True)
class Familiarity:
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

    def strangeness(self, features: FloatArray) -> float:
        """Of one video's features (T, D)."""
        if not len(features):
            return math.nan
        white = _unit((np.asarray(features, dtype=np.float32) - self.mean) @ self.axes.T)
        return float(1.0 - (white @ self.centres.T).max(axis=1).mean())

    def p_value(self, features: FloatArray) -> float:
        """Share of new videos of the training's kind that are expected to be as strange as this one (T, D) or stranger; NaN where fewer than two were held out."""
        found, videos = self.strangeness(features), len(self.held_out)
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
    def from_dict(cls, values: Mapping[str, Any]) -> Familiarity:
        """Read what ``to_dict`` wrote."""
        mean, axes, centres = (
            np.frombuffer(base64.b64decode(values[name]["float16"]), dtype="<f2").astype(np.float32).reshape(values[name]["shape"])
            for name in ("mean", "axes", "centres")
        )
        return cls(mean, axes, centres, np.asarray(values["held_out"], dtype=np.float64))


def fit_familiarity(
    training: Sequence[FloatArray],
    held_out: Sequence[FloatArray],
    *,
    axes: FloatArray | None = None,
    width: int = 64,
    centres: int = 512,
    seed: int = 0,
) -> Familiarity:
    """Summarise training features, and see how strange held-out videos are.

    Where fewer than eight are held out, every video, or every block where there are fewer than three videos, is compared with all others instead, along principal
    axes: those that tell places apart are fitted to the training's own frames, and make all else look alike where these are few (five and 18 drives of the
    isles, simulated: no foreign drive was told by them).

    Args:
        training: (T, D) a video.
        held_out: likewise; of the same kind, not trained on; may be none.
        axes: (K, D) directions that tell places apart, as training found them; None takes the principal axes, which hold light and weather, too.
        width: of the whitened features, at most.
        centres: of k-means.
        seed: of its start.
    """
    if len(held_out) < _FEW and axes is not None:
        return fit_familiarity(training, held_out, width=width, centres=centres, seed=seed)
    if len(held_out) < _FEW:
        videos = [*training, *held_out]
        parts = videos if len(videos) > 2 else [part for one in videos for part in _blocks_of(one)]
        left_out = parts[:: -(-len(parts) // _LEFT_OUT)] if len(parts) > 2 else []
        strange = [_summary([one for one in parts if one is not part], axes, width, centres, seed).strangeness(part) for part in left_out]
        return replace(_summary(videos, axes, width, centres, seed), held_out=np.sort(np.array(strange)))
    summary = _summary(training, axes, width, centres, seed)
    return replace(summary, held_out=np.sort([summary.strangeness(part) for part in held_out]))


def _blocks_of(video: FloatArray) -> list[FloatArray]:
    """Blocks of frames that follow each other, in a video's order."""
    return np.array_split(video, max(1, min(_BLOCKS, len(video) // _BLOCK)))


def _summary(training: Sequence[FloatArray], axes: FloatArray | None, width: int, centres: int, seed: int) -> Familiarity:
    """Of training features, without held-out videos."""
    rng = np.random.default_rng(seed)
    total = sum(map(len, training))
    stride = -(-total // _MOST_FRAMES)
    data = np.concatenate([np.asarray(part, dtype=np.float32) for part in training])[::stride]
    mean = data.mean(axis=0)
    along = _principal(data - mean, width) if axes is None else np.asarray(axes, dtype=np.float64)[:width]
    # Kept small and in half precision: scaled so that it fits.
    along = along / np.abs(along).max() * 100.0
    mean16, axes16 = mean.astype(np.float16).astype(np.float32), along.astype(np.float16).astype(np.float32)
    white = _unit((data - mean16) @ axes16.T)
    found = _k_means(white, min(centres, len(white)), rng).astype(np.float16).astype(np.float32)
    return Familiarity(mean16, axes16, found, np.zeros(0))


def _principal(data: FloatArray, width: int) -> FloatArray:
    """(K, D) principal axes, whitened."""
    variance, axes = np.linalg.eigh(np.cov(data.T.astype(np.float64)) + 1e-12 * np.eye(data.shape[1]))
    width = min(width, data.shape[1])
    found: FloatArray = (axes[:, ::-1][:, :width] / np.sqrt(np.maximum(variance[::-1][:width], 1e-9 * variance[-1]) + 1e-12)).T
    return found


def _k_means(data: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """(count, K) unit centres of unit vectors (spherical k-means)."""
    centres = data[rng.choice(len(data), count, replace=False)]
    for _ in range(_ROUNDS if count < len(data) else 0):
        home = (data @ centres.T).argmax(axis=1)
        total = np.zeros_like(centres)
        np.add.at(total, home, data)
        known = np.linalg.norm(total, axis=1) > 0
        centres[known] = _unit(total[known])
    return centres


def _unit(vectors: FloatArray) -> FloatArray:
    result: FloatArray = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return result
