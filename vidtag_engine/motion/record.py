"""What is known of how a camera moved, from moment to moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import FloatArray


@dataclass(frozen=True)
class Motion:
    """How a camera moved over intervals of time that follow each other.

    Args:
        time_s: (N + 1,) moments between the intervals, rising, seconds after the video's start.
        turn_deg: (N,) change of heading over each interval, clockwise from above; NaN where it is not known.
        turn_std_deg: (N,) standard deviation of its error.
        speed: (N,) mean speed over each interval along the heading, negative where the camera goes backwards, 0 where it stands: in metres a second where
            ``metric``, else in a unit of its own that is the same throughout; NaN where it is not known.
        speed_std: (N,) standard deviation of its error, as a share of the speed.
        metric: whether speeds are in metres a second.
        source: what it was read from: "video", or "track".
        cuts: numbers of intervals over which nothing is known since the video is cut there.

    Raises:
        ValueError: lengths do not fit, or moments do not rise.
    """

    time_s: FloatArray
    turn_deg: FloatArray
    turn_std_deg: FloatArray
    speed: FloatArray
    speed_std: FloatArray
    metric: bool
    source: str
    cuts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Lengths and order."""
        lengths = {len(self.time_s) - 1, *(len(one) for one in (self.turn_deg, self.turn_std_deg, self.speed, self.speed_std))}
        if len(lengths) != 1 or len(self.time_s) < 2:
            raise ValueError(f"a motion of {len(self.time_s)} moments with values of {sorted(lengths)} intervals")
        if not (np.diff(self.time_s) > 0).all():
            raise ValueError("a motion whose moments do not rise")
