"""What similarities to reference images say: fitted on held-out frames, at the places where they were taken and at others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree
from sklearn.linear_model import LogisticRegression

from ..geodesy import EARTH_RADIUS_M, haversine_m, unit_vectors
from ..inference import FrameScores
from ..reference.similarity import ELSEWHERE
from ..trajectory.decoder_calibration import LikelihoodRatio
from ..types import FloatArray

_OTHERS = 40  # places a frame, that it is not at
_LEAST_FRAMES = 40


def fit_ratio(
    videos: Sequence[tuple[FrameScores, FloatArray]],
    lat_lon_deg: FloatArray,
    reach_m: float,
    shown_share: float,
    seed: int = 0,
) -> LikelihoodRatio | None:
    """The logarithm of the ratio as a line in the similarity above chance: logistic regression, frames' own places that are shown against others that are.

    Args:
        videos: scores over the places, with (T, 2) where the frames were taken.
        lat_lon_deg: (M, 2) an even cover.
        reach_m: over which a reference speaks for places around it.
        shown_share: of the frames to come, whose place some reference shows.
        seed: of which other places are looked at.

    Returns:
        None where too few frames were taken, or where similarity does not tell their places from others.
    """
    tree, rng = cKDTree(unit_vectors(*lat_lon_deg.T) * EARTH_RADIUS_M), np.random.default_rng([seed, 7])
    own, others = [np.zeros(0)], [np.zeros(0)]
    for scores, truth in videos:
        if scores.references is None:
            return None
        # Where no reference was taken nothing can be mistaken for a frame's own place, nor show it.
        shown = scores.references.shown(scores.of.hidden)
        rivals = np.flatnonzero(shown)
        if not len(rivals):
            continue
        similarity = scores.similarity(slice(0, len(scores)))
        # There are references to compare with.
        assert similarity is not None  # nosec B101
        above = similarity - scores.of.chance[:, None]
        home = np.asarray(tree.query(unit_vectors(*truth.T) * EARTH_RADIUS_M)[1])
        own.append(above[np.arange(len(home)), home][shown[home]])
        chosen = rivals[rng.integers(len(rivals), size=(len(home), _OTHERS))]
        places = lat_lon_deg[chosen]
        far = haversine_m(places[..., 0], places[..., 1], truth[:, :1], truth[:, 1:]) > ELSEWHERE * reach_m
        others.append(np.take_along_axis(above, chosen, axis=1)[far])
    here, there = np.concatenate(own), np.concatenate(others)
    if len(here) < _LEAST_FRAMES or len(there) < _LEAST_FRAMES:
        return None
    given = np.concatenate([here, there]).astype(np.float64)
    scale = float(given.std())
    if scale <= 0.0:
        return None
    told = LogisticRegression(class_weight="balanced").fit(given[:, None] / scale, np.arange(len(given)) < len(here))
    slope = float(told.coef_[0, 0]) / scale
    return LikelihoodRatio(slope, float(told.intercept_[0]), shown_share) if slope > 0.0 else None
