"""How much a look at details says of a frame's best reference images: fitted on held-out frames, on images that show their places and on others."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from sklearn.linear_model import LogisticRegression

from ..geodesy import haversine_m
from ..inference import FrameScores
from ..local_features import Rerank
from ..types import FloatArray

COUNT = 20  # of a frame's most similar references that are looked at; fixed, as what looking costs grows with it
_SHOWN_M = 50.0  # within which two pictures along a street show the same things; a reference may speak for places much farther off
_LEAST_PAIRS = 40  # of either kind
_PENALTY = 100.0  # weak: there are many pairs, and two numbers are fitted


def fit_rerank(
    videos: Iterable[tuple[FrameScores, FloatArray]],
    lat_lon_deg: FloatArray,
    reach_m: float,
    before_each: Callable[[], None] = lambda: None,
) -> Rerank | None:
    """Logistic regression on similarity above chance and the logarithm of one more than the inliers; the gain is the ratio of the two coefficients.

    The centre is the mean of that logarithm over images that show the frames' places: these stay as similar as they were, on average, beside the many that nobody
    looks at, and look-alikes fall.

    Args:
        videos: scores by similarities as they are, with (T, 2) where the frames were taken.
        lat_lon_deg: (N, 2) where the references were taken, by their rows.
        reach_m: over which a reference speaks for places around it.
        before_each: called before a video's references are looked at, which may take seconds; may raise.

    Returns:
        None where details were not kept, too few frames were taken, or details do not tell images of the frames' places from others.
    """
    similar, common, shows = [np.zeros(0)], [np.zeros(0)], [np.zeros(0, dtype=bool)]
    for scores, truth in videos:
        before_each()
        found = scores.looked_at(COUNT) if scores.references is not None else None
        if found is None:
            continue
        looked = found.looked >= 0
        places = lat_lon_deg[found.rows]
        near = haversine_m(places[..., 0], places[..., 1], truth[:, :1], truth[:, 1:]) <= min(reach_m, _SHOWN_M)
        similar.append((found.similarity - scores.of.chance[:, None])[looked])
        common.append(np.log1p(found.looked[looked], dtype=np.float64))
        shows.append(near[looked])
    given, right = np.stack([np.concatenate(similar), np.concatenate(common)], axis=1).astype(np.float64), np.concatenate(shows)
    scale = given.std(axis=0) if len(given) else np.zeros(2)
    if min(right.sum(), (~right).sum()) < _LEAST_PAIRS or not (scale > 0.0).all():
        return None
    told = LogisticRegression(C=_PENALTY).fit(given / scale, right)
    of_similarity, of_details = told.coef_[0] / scale
    if of_similarity <= 0.0 or of_details <= 0.0:
        return None
    return Rerank(float(of_details / of_similarity), float(given[right, 1].mean()), COUNT)
