"""Values that new videos stay below, as held-out videos tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..types import FloatArray


def conformal_level(values: Sequence[FloatArray], share: float, weights: Sequence[float] | None = None) -> float | None:
    """The value that one of a new video's stays at or below with at least ``share``.

    The quantile over videos, each video's values sharing its weight, one more video counted as beyond all (hierarchical conformal prediction, Lee, Barber
    and Willett 2023).

    Args:
        values: (T,) a video.
        share: 0..1.
        weights: of the videos; None is 1 of each.

    Returns:
        None where the videos are too few to say.
    """
    value, weight = np.concatenate(values), frame_weights(values, weights)
    weight /= weight.sum() + 1.0
    order = np.argsort(value, kind="stable")
    reached = np.flatnonzero(np.cumsum(weight[order]) >= share - 1e-12)
    return float(value[order][reached[0]]) if len(reached) else None


def frame_weights(frames: Sequence[FloatArray], weights: Sequence[float] | None) -> FloatArray:
    """(N,) weight of each frame of videos: an equal share of its video's."""
    return np.concatenate([np.full(len(one), whole / len(one)) for one, whole in zip(frames, weights or [1.0] * len(frames), strict=True)])
