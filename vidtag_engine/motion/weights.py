"""Which points say most of how a camera turned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .two_views import CoursePrior, Views

if TYPE_CHECKING:
    from .steps import Batch

# Points above the horizon, a little of what is below it included, go before those below.
_MARGIN = 0.04
_LEAST_ABOVE = 20
_BELOW_WORTH = 0.02


def views_of(batch: Batch, focal_px: float, prior: CoursePrior, below_worth: float = _BELOW_WORTH) -> Views:
    """A batch on the plane at distance 1, points by what they are worth for turning.

    Points of the road are followed badly where cars are fast: along its markings and kerbs, onto the next dash, on the car ahead and on the bonnet. Bends then
    come out too small. As long as there are points above the horizon, those below it count for a small part of them.
    """
    first, second = batch.first / focal_px, batch.second / focal_px
    horizon = prior.course[1] / max(prior.course[2], 0.3)
    high = batch.valid & (first[..., 1] < horizon + _MARGIN)
    low = batch.valid & ~high
    above, below = high.sum(axis=1, keepdims=True), low.sum(axis=1, keepdims=True)
    worth = np.where(above >= _LEAST_ABOVE, np.minimum(below_worth * above / np.maximum(below, 1), 1.0), 1.0)
    return Views(first, second, high + worth * low, focal_px)
