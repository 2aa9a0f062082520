"""Whether a video is like those that a checkpoint was trained on: how near its pictures lie to training pictures, beside held-out videos'.

A video's novelty score is the distance to the training pictures that its nearest fifth of frames keep: a video of the same ground shows some pictures that were
seen there, whatever else it shows. Distances are those of plain features, of which the principal axes of training hold a part, in which some hundred centres
stand for its pictures, and the distance from these axes the rest (distance in and from feature space, Moghaddam and Pentland 1997). Whitening would make
light and weather weigh as much as what a place looks like.

The p-value is the share of new videos of the training's own kind that are expected to be as novel or more: held-out videos' logarithms are taken as a
sample of a normal distribution, and Student's t says what the next one may be (the prediction interval of any textbook). Unlike the rank among held-out videos it
can be small where few were held out, and a single odd one among many does not set it.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtr

from ..types import FloatArray

_RARE, _MOST_RARE = 0.01, 0.1  # p-values below which a video counts as novel, by how many say so
_NEAREST = 0.2  # share of a video's frames
_LEAST = 1e-6  # of a score, and of how far its logarithms lie apart: copies of one video have none


@dataclass(frozen=True)
class NoveltyDetector:
    """A summary of training features.

    Args:
        mean: (D,) of the training features.
        axes: (K, D) principal axes, of length 1.
        centres: (C, K) of the features along them.
        held_out: (V,) novelty scores of held-out videos, rising.
        pieces: how many frames, and (V,) the scores of so many frames of held-out videos, rising: few frames vary more than whole videos do.
        whitened: of checkpoints made before: the axes whiten, centres have length 1, and the score is the frames' mean distance from them by cosine.
    """

    mean: FloatArray
    axes: FloatArray
    centres: FloatArray
    held_out: FloatArray
    pieces: tuple[tuple[int, FloatArray], ...] = ()
    whitened: bool = False

    def novelty_score(self, features: FloatArray) -> float:
        """Of one video's features (T, D)."""
        if not len(features):
            return math.nan
        about = np.asarray(features, dtype=np.float32) - self.mean
        along = about @ self.axes.T
        if self.whitened:
            return float(1.0 - (unit(along) @ self.centres.T).max(axis=1).mean())
        squares = np.square(along).sum(axis=1)
        nearest = (squares[:, None] - 2.0 * along @ self.centres.T + np.square(self.centres).sum(axis=1)).min(axis=1)
        off = np.square(about).sum(axis=1) - squares
        return float(np.quantile(np.sqrt(np.maximum(nearest, 0.0) + np.maximum(off, 0.0)), _NEAREST))

    def p_value(self, features: FloatArray) -> float:
        """Share of new videos of the training's kind that are expected to be as novel as this one (T, D) or more; NaN where fewer than two were held out."""
        found, held_out = self.novelty_score(features), self._held_out_of(len(features))
        videos = len(held_out)
        if videos < 2 or not math.isfinite(found):
            return math.nan
        usual = np.log(np.maximum(held_out, _LEAST))
        spread = max(float(usual.std(ddof=1)), _LEAST) * math.sqrt(1.0 + 1.0 / videos)
        # Student's upper tail, which scipy.stats would take a second to import.
        return float(stdtr(videos - 1, -(math.log(max(found, _LEAST)) - usual.mean()) / spread))

    def _held_out_of(self, frames: int) -> FloatArray:
        """Scores of held-out videos of about so many frames; of whole ones from twice the longest pieces on."""
        fitting = [scores for length, scores in self.pieces if length <= frames < 2 * length and len(scores) > 1]
        return fitting[0] if fitting else self.held_out

    def is_novel(self, p_value: float) -> bool:
        """Whether a p-value is rarer than can be put down to chance. From n videos no value rarer than one in n + 1 can be known."""
        return p_value < self.rarest

    @property
    def rarest(self) -> float:
        """The p-value below which a video counts as novel."""
        return float(np.clip(1.0 / (len(self.held_out) + 1), _RARE, _MOST_RARE))

    @property
    def tells(self) -> bool:
        """Whether enough videos, or blocks of them, say how novel videos are."""
        return len(self.held_out) > 1

    def to_dict(self) -> dict[str, Any]:
        """JSON values; arrays as base64 of float16."""
        arrays = {name: getattr(self, name) for name in ("mean", "axes", "centres")}
        packed = {
            name: {"shape": list(a.shape), "float16": base64.b64encode(np.ascontiguousarray(a, dtype="<f2").tobytes()).decode()}
            for name, a in arrays.items()
        }
        pieces = {str(length): [round(float(value), 6) for value in scores] for length, scores in self.pieces}
        return packed | {"held_out": [round(float(value), 6) for value in self.held_out], "pieces": pieces, "whitened": self.whitened}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NoveltyDetector:
        """Read what ``to_dict`` wrote."""
        mean, axes, centres = (
            np.frombuffer(base64.b64decode(values[name]["float16"]), dtype="<f2").astype(np.float32).reshape(values[name]["shape"])
            for name in ("mean", "axes", "centres")
        )
        pieces = tuple((int(length), np.asarray(scores, dtype=np.float64)) for length, scores in values.get("pieces", {}).items())
        held_out = np.asarray(values["held_out"], dtype=np.float64)
        return cls(mean, axes, centres, held_out, pieces, whitened=bool(values.get("whitened", True)))


def unit(vectors: FloatArray) -> FloatArray:
    """(..., D) vectors of length 1."""
    result: FloatArray = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return result
