"""A line made to move as a camera that is carried steadily: its places weighed against its accelerations."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.linalg import solveh_banded

from ..types import FloatArray

_LEAST_S = 1e-2


def smoothed(
    points_m: FloatArray, spread_m: FloatArray, time_s: FloatArray, inverse_process_noise: float, cuts: Iterable[int] = ()
) -> FloatArray:
    """(T, D) the places x of least sum |x - points|^2 / spread^2 + inverse_process_noise * integral |x''|^2 dt.

    A smoothing spline on the frames' moments (Wahba 1978), one banded system: near what a Kalman smoother of constant velocity gives, at once.

    Args:
        points_m: (T, D) where each frame seems to be.
        spread_m: (T,) standard deviations of that.
        time_s: (T,) not falling.
        inverse_process_noise: s^3 / m^2, one over the acceleration's spectral density; 0 leaves the places alone.
        cuts: rows that begin a new shot.
    """
    frames = len(points_m)
    if inverse_process_noise <= 0 or frames < 3:
        return points_m
    weight = 1.0 / np.square(np.asarray(spread_m, dtype=np.float64))
    band = np.zeros((3, frames))  # upper form of a matrix of five diagonals
    band[2] = weight
    step = np.maximum(np.diff(np.asarray(time_s, dtype=np.float64)), _LEAST_S)
    before, after = step[:-1], step[1:]
    # x'' at a frame from its two neighbours, steps uneven; it stands for half of both steps.
    part = 2.0 * np.stack([1.0 / (before * (before + after)), -1.0 / (before * after), 1.0 / (after * (before + after))])
    known = np.ones(frames - 2)
    for cut in cuts:  # no acceleration is told across a cut
        known[max(cut - 2, 0) : max(cut, 0)] = 0.0
    scale = inverse_process_noise * known * 0.5 * (before + after)
    for first in range(3):
        for second in range(first, 3):
            gap = second - first
            band[2 - gap, second : second + frames - 2] += scale * part[first] * part[second]
    middle = points_m.mean(axis=0)
    result: FloatArray = middle + solveh_banded(band, weight[:, None] * (points_m - middle))
    return result
