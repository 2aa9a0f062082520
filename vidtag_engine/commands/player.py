"""A video kept open for a window that shows it: pictures at once, played and stepped through, handed over in a :class:`FrameRing`."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..command_arguments import PlayerOpenArguments, PlayerPlayArguments, PlayerPrepareArguments, PlayerSeekArguments
from ..feedback import Feedback
from ..frame_ring import FrameRing
from ..types import CancelledError, InputError
from ..video import find_original, open_source
from ..video.player import Player

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_FULL_WAIT_S = 0.002
_LATE_S = 0.2
"""A picture that comes so long after its time is not made: the ones after it may still be in time."""
_MOST_SHOWN_HZ = 31.0
_BACK_S = 1.0


class PlayerSession:
    """One open video and its ring; the worker keeps it from one request to the next."""

    def __init__(self, arguments: PlayerOpenArguments, feedback: Feedback) -> None:
        places = [Path(place) for place in arguments.videos]
        there = [place for place in places if place.exists()]
        if not there:
            raise InputError(f"The video {places[0] if places else '(none was given)'} is not there: say where it is.")
        if there[0].is_dir():
            raise InputError(f"{there[0].name} is a folder of images, which is not played; step through its pictures.")
        self.video = find_original(places[0].name, arguments.sha256, there)
        feedback.check()
        try:
            self._ring = FrameRing(arguments.ring)
        except (OSError, ValueError) as error:
            raise InputError(f"The pictures cannot be handed over ({error}): close the viewer and open it again.") from error
        try:
            self._player = Player(open_source(self.video, kind="video"))
        except BaseException:
            self._ring.close()
            raise

    def opened(self) -> dict[str, Any]:
        """What the window needs to know."""
        info = self._player.info
        size = {"width_px": info.width_px, "height_px": info.height_px}
        return {"video": str(self.video), "duration_s": self._player.duration_s, **size}

    def close(self) -> None:
        """Let go of video and ring."""
        self._player.close()
        self._ring.close()

    def seek(self, arguments: PlayerSeekArguments, feedback: Feedback) -> dict[str, Any]:
        """The picture on screen at a time; nothing where another wish has come meanwhile."""
        stop = self._stop(arguments.wish, feedback)
        try:
            time_s, frame = self._player.at(arguments.time_s, stop, arguments.step)
            return self._hand_over(time_s, frame, arguments.longest_px, stop)
        except CancelledError:
            feedback.check()
            return {"number": None, "stale": True}

    def prepare(self, near_s: float, wish: int, feedback: Feedback) -> dict[str, Any]:
        """Use an idle moment; ``more`` says whether another one would help."""
        try:
            return {"more": self._player.prepare(near_s, self._stop(wish, feedback))}
        except CancelledError:
            feedback.check()
            return {"more": True}

    def play(self, arguments: PlayerPlayArguments, tell: Callable[[dict[str, Any]], None], feedback: Feedback) -> dict[str, Any]:
        """Hand over one picture after another, as far ahead as the ring has room, until another wish comes or the video ends."""
        stop, rate = self._stop(arguments.wish, feedback), arguments.rate
        if not np.isfinite(rate) or not rate:
            raise InputError("A video is played at a speed other than 0: give 1, 2, 4 or -1.")
        step_s = 0.0 if abs(rate) <= 1.0 else abs(rate) / _MOST_SHOWN_HZ
        try:
            pictures = (
                self._player.following(arguments.from_s, step_s, stop) if rate > 0 else self._backwards(arguments.from_s, step_s, stop)
            )
            for time_s, frame in pictures:
                stop.check()
                if (self._ring.clock_s - time_s) * (1 if rate > 0 else -1) > _LATE_S * abs(rate):
                    continue
                tell(self._hand_over(time_s, frame, arguments.longest_px, stop))
        except CancelledError:
            feedback.check()
            return {"ended": False}
        return {"ended": True}

    def _backwards(self, from_s: float, step_s: float, feedback: Feedback) -> Iterator[tuple[float, Any]]:
        """A second at a time is decoded forwards and given out from its end."""
        until_s = from_s
        while True:
            begin_s = max(0.0, until_s - _BACK_S)
            part: list[tuple[float, Any]] = []
            for time_s, frame in self._player.following(begin_s, step_s, feedback):
                if time_s > until_s + 1e-4:
                    break
                part.append((time_s, frame))
            yield from reversed(part)
            if begin_s <= 0.0 or not part:
                return
            gaps = [after - before for (before, _), (after, _) in pairwise(part)]
            until_s = min(part[0][0], begin_s) - max(min(gaps, default=0.0), 1e-3) / 2

    def _hand_over(self, time_s: float, frame: Any, longest_px: int, stop: Feedback) -> dict[str, Any]:
        if frame is None:
            return {"number": None, "time_s": time_s, "damaged": True}
        image = self._player.image(frame, longest_px)
        while self._ring.full:
            stop.check()
            time.sleep(_FULL_WAIT_S)
        return {"number": self._ring.put(image), "time_s": time_s, "width_px": image.shape[1], "height_px": image.shape[0]}

    def _stop(self, wish: int, feedback: Feedback) -> Feedback:
        return Feedback(cancelled=lambda: self._ring.wish != wish or (feedback.cancelled is not None and feedback.cancelled()))


def answer(
    session: PlayerSession | None, arguments: Any, tell: Callable[[dict[str, Any]], None], feedback: Feedback
) -> tuple[PlayerSession, dict[str, Any]]:
    """Do one request to the viewer.

    Args:
        session: what earlier requests have left open.
        arguments: of one of the "player-" commands.
        tell: takes each picture that is played.
        feedback: asked to stop.

    Returns:
        What stays open, and the answer.

    Raises:
        InputError: the video is not there, or cannot be read; no video was opened.
    """
    if isinstance(arguments, PlayerOpenArguments):
        if session is not None:
            session.close()
        session = PlayerSession(arguments, feedback)
        return session, session.opened()
    if session is None:
        raise InputError("No video is open in the viewer: choose the frame again.")
    if isinstance(arguments, PlayerSeekArguments):
        return session, session.seek(arguments, feedback)
    if isinstance(arguments, PlayerPlayArguments):
        return session, session.play(arguments, tell, feedback)
    if not isinstance(arguments, PlayerPrepareArguments):
        raise TypeError(f"{type(arguments).__name__} is not for the viewer")
    return session, session.prepare(arguments.near_s, arguments.wish, feedback)
