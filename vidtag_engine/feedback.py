"""How long work says how far it is, and is stopped: one small object that is passed along, as QGIS's QgsFeedback is."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from .types import CancelCheck, CancelledError, Progress, ProgressCallback


@dataclass(frozen=True)
class Feedback:
    """Whoever waits for the work. The default is nobody: nothing is told, and nothing is stopped.

    Args:
        progress: called with each :class:`~.types.Progress`.
        cancelled: asked often; once it says True the work ends with CancelledError.
        stopped: the sentence that the error then says: what was kept, and how to go on.
    """

    progress: ProgressCallback | None = None
    cancelled: CancelCheck | None = None
    stopped: str = "Stopped."

    def check(self, stopped: str = "") -> None:
        """Stop here if whoever waits said so.

        Args:
            stopped: what is said instead of the object's own sentence.

        Raises:
            CancelledError: they did.
        """
        if self.cancelled is not None and self.cancelled():
            raise CancelledError(stopped or self.stopped)

    def tell(self, fraction: float, stage: str, message: str = "") -> None:
        """Say how far the work is: ``fraction`` in 0..1, the stage's name, and a line for people."""
        if self.progress is not None:
            self.progress(Progress(fraction, stage, message))

    def part(self, begin: float, end: float) -> Feedback:
        """What a part of the work is given: its own 0..1 is ``begin``..``end`` of the whole."""
        whole = self.progress
        if whole is None:
            return self
        return replace(self, progress=lambda step: whole(replace(step, fraction=begin + (end - begin) * step.fraction)))

    def saying(self, stopped: str) -> Feedback:
        """The same, with a sentence that is said once the work is stopped."""
        return replace(self, stopped=stopped)


class Clock:
    """Seconds by part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def add(self, part: str, since: float) -> float:
        """Count the time since then; returns now."""
        now = time.perf_counter()
        self.count(part, now - since)
        return now

    def count(self, part: str, seconds: float) -> None:
        """Add to a part."""
        self.seconds[part] = self.seconds.get(part, 0.0) + seconds
