"""How a camera moves, as the decoder has it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..geodesy import haversine_m
from ..types import FloatArray

_LINE_CELLS = 4.0  # that a line's places may be off, at both ends together
_OFTEN = 0.1  # share of a line's stretches; a place that is wrong now and then makes fewer too long


@dataclass(frozen=True)
class TransitionModel:
    """How a camera gets from frame to frame.

    Args:
        speed_mps: scale of an exponential fall-off of distance with time.
        restart_probability: of a step to anywhere in the area.
        inverse_process_noise: how steadily it is carried, s^3 / m^2: one over the spectral density of its accelerations; 0 makes nothing of them.
        limit_mps: top speed, where a person says one; a restart alone goes farther, and no scale is larger.
    """

    speed_mps: float = 12.0
    restart_probability: float = 1e-4
    inverse_process_noise: float = 0.0
    limit_mps: float | None = None

    @property
    def scale_mps(self) -> float:
        """The scale that is reckoned with."""
        return self.speed_mps if self.limit_mps is None else min(self.speed_mps, self.limit_mps)

    def farthest_m(self, seconds: float, cell_m: float) -> float:
        """How far apart the places of a step may lie: each stands for a cell, half of whose diagonal the camera may be off at either end."""
        return math.inf if self.limit_mps is None else self.limit_mps * max(seconds, 0.0) + math.sqrt(2.0) * cell_m


def outruns(lat_lon_deg: FloatArray, time_s: FloatArray, cuts: Iterable[int], limit_mps: float, spacing_m: float) -> bool:
    """Whether a line went farther than a top speed allows: the pictures gainsay who gave it.

    A step between two frames is too short for that, as places stand for cells; stretches of 2, 4, 8, ... frames are looked at.

    Args:
        lat_lon_deg: (T, 2) the line.
        time_s: (T,) of its frames.
        cuts: rows that begin a new shot.
        limit_mps: the top speed.
        spacing_m: of the places.
    """
    shot = np.zeros(len(time_s), dtype=np.int64)
    shot[list(cuts)] = 1
    shot = shot.cumsum()
    lag = 1
    while lag < len(time_s):
        begin, end = slice(None, -lag), slice(lag, None)
        whole = shot[begin] == shot[end]
        apart_m = haversine_m(lat_lon_deg[begin, 0], lat_lon_deg[begin, 1], lat_lon_deg[end, 0], lat_lon_deg[end, 1])
        too_far = apart_m > limit_mps * (time_s[end] - time_s[begin]) + _LINE_CELLS * spacing_m
        if whole.any() and too_far[whole].mean() > _OFTEN:
            return True
        lag *= 2
    return False
