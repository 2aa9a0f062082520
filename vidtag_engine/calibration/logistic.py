"""A logistic fitted on few videos."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from ..types import FloatArray

_PRIOR = 1.0  # video that a slope of 0, which says the base rate, counts for


def fit_logistic(given: FloatArray, right: FloatArray, weight: FloatArray) -> tuple[tuple[float, ...], float]:
    """P(right) from what is given, by log loss; slopes are drawn towards 0 (the base rate) as by one video, and never negative.

    Args:
        given: (K, N), of about unit spread.
        right: (N,) 0 or 1.
        weight: (N,) in videos.

    Returns:
        K slopes and the intercept, in log odds.
    """
    videos, hits = float(weight.sum()), float(weight @ right)
    rate = (hits + 0.5) / (videos + 1.0)
    # Platt's targets: few videos cannot drive it to certainty.
    target = np.where(right > 0, (hits + 1.0) / (hits + 2.0), 1.0 / (videos - hits + 2.0))
    middle = given @ weight / videos
    about = given - middle[:, None]

    def loss(at: FloatArray) -> tuple[float, FloatArray]:
        slopes, height = at[:-1], at[-1]
        raised = slopes @ about + height
        said = 1.0 / (1.0 + np.exp(-raised))
        value = weight @ (np.logaddexp(0.0, raised) - target * raised) + 0.5 * _PRIOR * slopes @ slopes
        wrong = weight * (said - target)
        return float(value), np.append(about @ wrong + _PRIOR * slopes, wrong.sum())

    # Any start does: the loss is convex.
    start = np.append(np.where(np.arange(len(given)) == 0, 0.5, 0.0), np.log(rate / (1.0 - rate)))
    *slopes, height = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[*[(0.0, 10.0)] * len(given), (-20.0, 20.0)]).x
    return tuple(map(float, slopes)), float(height - np.asarray(slopes) @ middle)
