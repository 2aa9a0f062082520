"""What is said of a video's answer: whether it is given, and why not. The words that every face shows are made here."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..search.state_grid import StateGrid
from ..trajectory import RADII_M, Calibration, TrainingGround, spread
from ..types import FloatArray, FrameState, Hypotheses, Trajectory, Verdict

MOST = 0.5  # share of a video's frames
OUTRUN = "it went faster than the top speed that was given, so nothing tells how sure to be."
LIMIT_OF_REGIONS = "This checkpoint answers frame by frame: the top speed narrows the regions, and moves no place."
LIMIT_OF_NOTHING = "So wide an area is not decoded as a whole: the top speed had no effect; give a smaller area."
BEST_UNKNOWN = "its best place lies where this checkpoint was never trained, and nothing can speak for it there."


@dataclass(frozen=True)
class Judgement:
    """Whether a video's answer is given, and why not; see :class:`.types.Verdict`."""

    state: FrameState
    why: str
    inside: float = math.nan
    familiarity: float = math.nan


def frame_by_frame(
    calibration: Calibration, cover: StateGrid | None, positions: FloatArray, mass: FloatArray
) -> tuple[FloatArray, Verdict]:
    """What is said where each frame is answered by itself: its confidence, and whether anything speaks of its place.

    Args:
        calibration: of the checkpoint.
        cover: of the area; None where it is too wide for one.
        positions: (T, 2) the answers.
        mass: (T,) of each frame's own posterior within the asked radius.
    """
    ground, unknown_share, somewhere = calibration.ground, math.nan, True
    if ground is not None and cover is not None:
        known = ground.knows(cover.lat_lon_deg, cover.spacing_m)
        unknown_share, somewhere = float(1.0 - known.mean()), bool(known.any())
    state, why, confidence = FrameState.LOCATED, "", np.full(len(mass), np.nan)
    if calibration.cannot_tell:
        why = why_unrated(calibration)
    elif math.isfinite(unknown_share):
        confidence = calibration.confidence(mass) * (1.0 - unknown_share)
    else:
        why = "the area is too wide to tell how much of it this checkpoint knows, and so how sure to be."
    if not somewhere and ground is not None and cover is not None:
        state, why = FrameState.UNKNOWN_GROUND, why_unknown(ground, cover.lat_lon_deg)
    elif ground is not None and ground.knows(positions, cover.spacing_m if cover else 0.0).mean() < MOST:
        state, why = FrameState.UNKNOWN_GROUND, BEST_UNKNOWN
    if state is not FrameState.LOCATED:
        confidence = np.full(len(mass), np.nan)
    nothing = (math.nan,) * len(RADII_M)
    return confidence, Verdict(state, math.nan, math.nan, nothing, math.nan, None, None, why, unknown_share)


def why_unrated(calibration: Calibration) -> str:
    """Said where an answer has no probability."""
    return f"this checkpoint cannot tell how sure to be, as {calibration.cannot_tell}."


def why_unknown(ground: TrainingGround, lat_lon_deg: FloatArray) -> str:
    """Said where nothing speaks of any place of the area."""
    away_m = ground.away_m(lat_lon_deg)
    far = f"{away_m / 1000.0:,.0f} km" if away_m >= 10_000.0 else f"{away_m / 1000.0:,.1f} km"
    return f"nothing is known of the area that was searched: the nearest place that this checkpoint was trained on is {far} away."


def with_hypotheses(trajectory: Trajectory, found: Hypotheses, verdict: Verdict, *, always_answer: bool) -> Trajectory:
    """The trajectory with what is said beside it; where the verdict withholds the answer, as :func:`judged` has it.

    Args:
        trajectory: of all sampled frames, the answer in place.
        found, verdict: of those that have a picture.
        always_answer: withhold no place; that of a video that would be withheld has no probability.
    """
    located = np.array([one is FrameState.LOCATED for one in trajectory.state])
    return judged(replace(trajectory, hypotheses=spread(found, located)), verdict, always_answer=always_answer)


def judged(trajectory: Trajectory, verdict: Verdict, *, always_answer: bool) -> Trajectory:
    """The trajectory with its verdict; where that withholds the answer, positions are NaN and the state says why.

    Args:
        trajectory: the answer in place.
        verdict: on it.
        always_answer: withhold no place; that of a video that would be withheld has no probability.
    """
    whole = replace(trajectory, verdict=verdict)
    if verdict.state is FrameState.LOCATED:
        return whole
    if always_answer:
        # The place is given because it was asked for. How sure to be of it is what cannot be said.
        unrated = replace(whole.hypotheses, within=np.full_like(whole.hypotheses.within, np.nan)) if whole.hypotheses else None
        said = replace(verdict, within=(math.nan,) * len(verdict.within))
        return replace(whole, confidence=np.full_like(whole.confidence, np.nan), hypotheses=unrated, verdict=said)
    names = ("lat_deg", "lon_deg", "confidence", "score", "runner_up_m", "phase1_lat_deg", "phase1_lon_deg", "course_deg")
    nothing: dict[str, Any] = {name: np.full(len(whole.state), np.nan) for name in names}
    states = tuple(verdict.state if state is FrameState.LOCATED else state for state in whole.state)
    return replace(whole, state=states, street=(), **nothing)
