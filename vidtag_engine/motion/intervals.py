"""The moments between intervals of even length."""

from __future__ import annotations

import math

import numpy as np

from ..types import FloatArray


def edges_s(start_s: float, end_s: float, interval_s: float) -> FloatArray:
    """Moments from ``start_s`` to ``end_s`` (N + 1,), at least two, ``interval_s`` apart.

    What is left at the end is an interval of its own from half that length on, else part of the last.
    """
    count = max(math.floor((end_s - start_s) / interval_s + 0.5 + 1e-9), 1)
    edges: FloatArray = start_s + interval_s * np.arange(count + 1.0)
    edges[-1] = end_s
    return edges
