"""A camera's motion as headings along its way: what the decoder over roads sees of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..motion import Motion
from ..types import FloatArray, IntArray

_STANDS = 0.03  # of the usual speed: what creeps less stands
_TURNS_BELOW = 0.35  # of the usual speed, between going ahead and going back
_REACH_M = 15.0  # of way before and behind, that the heading's change at a step is taken over
_TURNED_ROUND_DEG = 120.0
_LEAST_M = 1e-6


@dataclass(frozen=True)
class Profile:
    """A drive cut into steps of one length, for one guess of how many metres a unit of its speeds is.

    Args:
        heading_deg: (J,) in the middle of each step, against the first moment's; clockwise.
        change_deg: (J,) how much it changes about the step: 15 m before to 15 m behind.
        backwards: (J,) whether the camera goes backwards there.
        unknown: (J,) whether the heading was lost on the way there.
        begins: (J,) whether a new shot begins there.
        turned_round: (J,) whether it turned right round about there.
        at_step: (N + 1,) where each moment of the motion lies, in steps from the start.
    """

    heading_deg: FloatArray
    change_deg: FloatArray
    backwards: NDArray[np.bool_]
    unknown: NDArray[np.bool_]
    begins: NDArray[np.bool_]
    turned_round: NDArray[np.bool_]
    at_step: FloatArray

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self.heading_deg)


@dataclass(frozen=True)
class Way:
    """A motion as a way in its own unit of length, from which profiles are read.

    Args:
        motion: that it is of, its speeds filled in.
        odometer: (N + 1,) way made until each moment, backwards counted too, in units of the speed times seconds.
        heading_deg: (N + 1,) until each moment.
        usual: speed while it moves, of the motion's unit.
    """

    motion: Motion
    odometer: FloatArray
    heading_deg: FloatArray
    usual: float

    @classmethod
    def of(cls, motion: Motion) -> Way:
        """The way of a motion; unknown speeds are taken from the nearest known ones."""
        speed, passed_s = np.asarray(motion.speed, dtype=np.float64), np.diff(motion.time_s)
        known = np.isfinite(speed)
        middle = (motion.time_s[1:] + motion.time_s[:-1]) / 2.0
        filled: FloatArray = np.interp(middle, middle[known], speed[known]) if known.any() else np.zeros(len(speed))
        moving = np.abs(filled) > _LEAST_M
        usual = float(np.median(np.abs(filled[moving]))) if moving.any() else 0.0
        filled = _without_leaps(np.where(np.abs(filled) < _STANDS * usual, 0.0, filled), usual)
        odometer = np.concatenate([[0.0], np.cumsum(np.abs(filled) * passed_s)])
        heading = np.concatenate([[0.0], np.cumsum(np.nan_to_num(motion.turn_deg))])
        return cls(replace(motion, speed=filled), odometer, heading, usual)

    @property
    def length(self) -> float:
        """The whole way, in its own unit."""
        return float(self.odometer[-1])

    def profile(self, metres: float, step_m: float) -> Profile:
        """Steps of the way if a unit of it is so many metres.

        Args:
            metres: of a unit of the odometer.
            step_m: of every step.
        """
        at_step = self.odometer * metres / step_m
        count = max(1, int(at_step[-1]))
        middle = np.arange(count) + 0.5
        # Where it stands the way does not grow: the last of equal moments is when it goes on.
        grows = np.append(np.diff(at_step) > 0, True)
        at, heading = at_step[grows], self.heading_deg[grows]

        def headings(steps: FloatArray) -> FloatArray:
            return np.interp(steps, at, heading) if len(at) > 1 else np.full(len(steps), heading[-1])

        reach = _REACH_M / step_m
        change = np.abs(headings(middle + reach) - headings(middle - reach))
        interval = np.clip(np.searchsorted(at_step, middle, side="right") - 1, 0, len(self.motion.speed) - 1)
        speed = self.motion.speed[interval]
        return Profile(
            heading_deg=headings(middle),
            change_deg=change,
            backwards=speed < 0,
            unknown=self._steps_of(np.flatnonzero(~np.isfinite(self.motion.turn_deg)), at_step, count),
            begins=self._steps_of(np.asarray(self.motion.cuts, dtype=np.int64), at_step, count),
            turned_round=change > _TURNED_ROUND_DEG,
            at_step=at_step,
        )

    @staticmethod
    def _steps_of(intervals: IntArray, at_step: FloatArray, count: int) -> NDArray[np.bool_]:
        """(J,) whether a step is the first after one of these intervals began, or lies in it."""
        found = np.zeros(count, dtype=bool)
        for low, high in zip(at_step[intervals], at_step[intervals + 1], strict=True):
            found[min(count - 1, int(low)) : min(count, int(high) + 1)] = True
        return found


def _without_leaps(speed: FloatArray, usual: float) -> FloatArray:
    """Speeds without changes of sign at speed: nobody goes backwards without having stood, so the sign was misread there."""
    found = speed.copy()
    signs = np.sign(found)
    bounds = np.flatnonzero(np.diff(signs)) + 1
    for begin, end in zip([0, *bounds.tolist()], [*bounds.tolist(), len(found)], strict=True):
        if signs[begin] >= 0:
            continue
        slow = [abs(found[row]) < _TURNS_BELOW * usual for row in (begin - 1, begin, end - 1, end) if 0 <= row < len(found)]
        if not any(slow):
            found[begin:end] *= -1.0
    return found
