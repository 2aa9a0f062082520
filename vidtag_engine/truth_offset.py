"""A truth whose clock is off the video's: the seconds that are added to its times, as given or found from the picture's motion."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np

from .feedback import Feedback
from .trajectory.clock_offset import LEAST_MARGIN, ClockOffset, find_clock_offset
from .types import InputError, TimeSource, Track, VideoInfo
from .video.image_motion import image_motion

AUTO = "auto"
# Beyond a day it is no clock that is off, but another day's track or a unit mistaken.
MOST_S = 86_400.0


@dataclass(frozen=True)
class TruthOffset:
    """What was done to a truth's times.

    Args:
        offset_s: seconds that were added to the track's clock; 0 where nothing was.
        asked: "auto", or "given" for a number.
        found: what "auto" found; None for a number, and where there was nothing to look at.
        note: one sentence for people.
    """

    offset_s: float
    asked: str
    note: str
    found: ClockOffset | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        found = self.found
        return {
            "offset_s": round(self.offset_s, 3),
            "asked": self.asked,
            "sure": None if found is None else found.sure,
            "margin": None if found is None else round(found.margin, 2),
            "turns": None if found is None else found.turns,
            "note": self.note,
        }


def offset_of(text: str | float | None) -> float | str | None:
    """What ``--truth-offset-s`` says: a number of seconds, "auto", or None for nothing.

    Raises:
        InputError: it is neither.
    """
    if text is None or (isinstance(text, str) and not text.strip()):
        return None
    if isinstance(text, str) and text.strip().lower() == AUTO:
        return AUTO
    try:
        seconds = float(text)
    except ValueError:
        raise InputError(f"The truth offset {text!r} is not a number of seconds: give one such as 2.5 or -2.5, or auto.") from None
    if not math.isfinite(seconds) or abs(seconds) > MOST_S:
        raise InputError(f"The truth offset {text} is not a number of seconds up to a day: give one such as 2.5 or -2.5, or auto.")
    return seconds


def apply_offset(
    track: Track, info: VideoInfo, asked: float | str, video: Path | None = None, *, feedback: Feedback = Feedback()
) -> tuple[Track, TruthOffset]:
    """Move a truth in time against its video.

    A fix that the track dates at t is taken for where the camera was at t + offset on the video's clock.

    Args:
        track: the truth.
        info: the video that it is laid on.
        asked: seconds, or "auto": found from when the picture turns and moves, and applied only where that is sure.
        video: the video's file, to look at for "auto"; None where it is not at hand.
        feedback: asked to stop while the video is read.

    Returns:
        The track with other times (the same where nothing is added), and what was done.

    Raises:
        CancelledError: ``feedback`` said so.
    """
    if not np.isfinite(track.time_s).any():
        return track, TruthOffset(
            0.0, "given" if asked != AUTO else AUTO, f"The truth of {info.name} has no times, so that nothing is added to them."
        )
    if not isinstance(asked, str):
        return shifted(track, info, asked), TruthOffset(asked, "given", f"{_added(asked)} of {info.name}, as given.")
    found = _find(track, info, video, feedback)
    if not found.sure:
        note = f"The clock offset of {info.name} cannot be told ({found.why}): its truth is left with the times that it has."
        return track, TruthOffset(0.0, AUTO, note, found)
    sure = f"found from {found.turns} turns, which fit better than at any other offset by a margin of {found.margin:.0f} ({LEAST_MARGIN:.0f} is sure)"
    return shifted(track, info, found.offset_s), TruthOffset(
        found.offset_s, AUTO, f"{_added(found.offset_s)} of {info.name}: {sure}.", found
    )


def shifted(track: Track, info: VideoInfo, offset_s: float) -> Track:
    """The track with seconds added to its times, so that time and not an image's name says where a frame belongs."""
    if not offset_s:
        return track
    start_s = _start_s(track, info)
    if track.absolute and info.time_source is TimeSource.SYNTHETIC:
        # Where the video's start is not known, the first fix is taken for it; so it must be before the offset is added.
        return replace(track, time_s=track.time_s - start_s + offset_s, absolute=False, names=None)
    return replace(track, time_s=track.time_s + offset_s, names=None)


def _added(offset_s: float) -> str:
    return f"{offset_s:+.2f} s are added to the clock of the truth"


def _find(track: Track, info: VideoInfo, video: Path | None, feedback: Feedback) -> ClockOffset:
    if info.kind == "images":
        return ClockOffset(0.0, sure=False, why="single images do not show how the camera moves")
    if video is None:
        return ClockOffset(0.0, sure=False, why="the video is not found beside the result or the truth")
    try:
        motion = image_motion(video, feedback=feedback)
    except InputError as error:
        return ClockOffset(0.0, sure=False, why=f"the video cannot be read: {str(error).rstrip('.')}")
    return find_clock_offset(track, motion.time_s, motion.gap_s, motion.shift, motion.change, start_s=_start_s(track, info))


def _start_s(track: Track, info: VideoInfo) -> float:
    """The video's start on the track's own clock, as ``align`` takes it."""
    if not track.absolute:
        return 0.0
    if info.time_source is TimeSource.SYNTHETIC:
        return float(np.nanmin(track.time_s))
    start = info.start_time
    # Times without a zone are UTC everywhere in the engine.
    return (start if start.tzinfo else start.replace(tzinfo=UTC)).timestamp()
