"""What answers the videos of a run that has no checkpoint: by the shape of their ways alone."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from .feedback import Clock, Feedback
from .grid import AreaOfInterest
from .inference.encode import VideoFeatures
from .inference.verdicts import with_hypotheses
from .settings import GeolocateSettings
from .types import DecodeReport, FrameState, Progress, VideoError, VideoInfo, VideoResult
from .video import FrameReader
from .ways import Ways, candidate_ways, check_covered, placed_frames, times_with_picture, with_ways


class RoadJob:
    """One run's shared parts, as :class:`.job.Job` has them.

    Args:
        ways: the roads, and how cameras moved.
        aoi: that answers lie in.
        settings: of the run.
        feedback: of the whole run.
        total: videos of the run.
        after: the part of the run over another area that came before.

    Raises:
        InputError: the layer has no roads there.
    """

    def __init__(
        self,
        ways: Ways,
        aoi: AreaOfInterest,
        settings: GeolocateSettings,
        feedback: Feedback,
        total: int,
        after: RoadJob | None = None,
    ) -> None:
        self.ways, self.aoi, self.settings, self.total = ways, aoi, settings, total
        self.done: int = after.done if after else 0
        self.told: float = after.told if after else 0.0
        self._whole = feedback
        self.feedback = replace(feedback, progress=self._tell)
        self.clock: Clock = after.clock if after else Clock()
        self.scores_beside: Path | None = None
        self.notes: list[str] = []
        self.area = ways.area(aoi)

    def _tell(self, step: Progress) -> None:
        """Progress of the whole run from that of the video under way."""
        self.told = max(self.told, min(1.0, (self.done + step.fraction) / self.total))
        self._whole.tell(self.told, step.stage, step.message)

    def run(self, info: VideoInfo, sha256: str, seen: VideoFeatures | None = None) -> VideoResult:
        """One video, start to end; ``seen`` is for a job with a checkpoint."""
        del seen
        before, since = dict(self.clock.seconds), time.perf_counter()
        of = self.settings
        frames = FrameReader(info, of.rate_hz, of.from_s, of.to_s, self.feedback).moments()
        time_s = times_with_picture(frames)
        if not len(time_s):
            raise VideoError(
                f"{info.path.name} has no readable frame in the stretch asked for: check that it plays, or choose another stretch."
            )
        motion = self.ways.motion(info, of, self.feedback.part(0.0, 0.8))
        check_covered(motion, time_s)
        since = self.clock.add("odometry", since)
        found = self.area.solve(motion, time_s, of.radius_m, seed=of.seed, feedback=self.feedback.part(0.8, 1.0))
        trajectory = with_ways(placed_frames(frames, found, of.radius_m), found)
        trajectory = with_hypotheses(trajectory, found.hypotheses, found.verdict, always_answer=of.always_answer)
        self.clock.add("roads", since)
        seconds = {part: round(value - before.get(part, 0.0), 3) for part, value in self.clock.seconds.items()}
        pictures = sum(state is FrameState.LOCATED for _, _, state in frames)
        report = DecodeReport(pictures, pictures, len(frames) - pictures)
        return VideoResult(info, trajectory, report, sha256, seconds, candidates=candidate_ways(found))
