"""The videos of a run, one after another: what a run begins with, who answers each video, and what becomes of those that fail."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .batch import BatchInput, batch_inputs, ends_the_run, first_opened, opened_and_failed, sentence_of, warnings_of_video
from .feedback import Clock, Feedback
from .grid import AreaOfInterest
from .guessed_areas import AUTO, AreaGuesser, area_guesser, give_areas
from .job import Job
from .keeping import MOST_WARNED, Keeper, Known
from .loaded import Loaded
from .own_areas import SearchedArea, TableOfVideos, searched_area
from .road_job import RoadJob
from .settings import GeolocateSettings
from .types import FailedVideo, FrameState, InputError, VideoInfo, VideoResult
from .video import VideoRow, source_digest
from .warm import Warm
from .ways import NONE, Ways, check_one_video

GUESS_SHARE = 0.5  # of the whole time: frames are mostly encoded for the guess and for the street at once


@dataclass
class Begun:
    """What a run begins with.

    Args:
        table: what rows say of each video.
        inputs: all videos of the run, also those of other workers.
        opened: videos that have been looked at already, by name.
        failed: videos that cannot be done, by name.
        area: of videos that have none of their own; None where all have one.
        loaded: the checkpoint; None where roads alone place videos.
        guesser: what guessed areas; None where none was to be guessed.
        ways: the roads; None where none were given.
    """

    table: TableOfVideos
    inputs: list[BatchInput]
    opened: dict[str, VideoInfo]
    failed: dict[str, FailedVideo]
    area: SearchedArea | None
    loaded: Loaded | None
    guesser: AreaGuesser | None = None
    ways: Ways | None = None


def begin(
    videos: Sequence[Path | str],
    images: Sequence[Path | str],
    rows: Sequence[VideoRow],
    aoi: AreaOfInterest | None,
    checkpoint: Loaded | str,
    settings: GeolocateSettings,
    feedback: Feedback,
    warm: Warm | None,
) -> Begun:
    """Look whether any video can be opened, open the checkpoint, and say where each video is sought. Arguments and errors as of :func:`.geolocation.geolocate`."""
    _check_without_checkpoint(checkpoint, settings, aoi, rows)
    table = TableOfVideos(rows, settings)
    inputs = batch_inputs(videos, images, rows)
    check_one_video(settings, len(inputs))
    opened = first_opened(inputs, settings)
    run = searched_area(aoi, settings) if aoi else None  # before the checkpoint, where it can be: a bad grid is said at once
    ways = Ways(settings) if settings.roads is not None else None
    if checkpoint == NONE:
        return Begun(table, inputs, opened, {}, table.area_of_run(run, inputs, None), None, None, ways)
    guesser = area_guesser(settings, checkpoint, given=run is not None, feedback=feedback, load=(warm or Warm()).cities)
    failed: dict[str, FailedVideo] = {}
    infos: list[VideoInfo] = []
    if guesser is not None:
        infos, unopened = opened_and_failed(inputs, settings)
        failed = {one.info.name: one for one in unopened}
    if guesser is not None and checkpoint == AUTO:
        guesser.guess(infos, table, None, feedback.part(0.0, GUESS_SHARE))
        checkpoint = str(guesser.checkpoint().path)
    loaded = (warm or Warm()).chosen(checkpoint, settings, feedback)
    if loaded.encoder.local is not None:
        loaded.encoder.local.open()  # where it is not there, that is said once, and not of every video after minutes
    if guesser is not None:
        guesser.guess(infos, table, loaded.encoder, feedback.part(0.0, GUESS_SHARE))
        without: list[FailedVideo] = []
        opened = {info.name: info for info in give_areas(infos, guesser, table, without)}
        failed |= {one.info.name: one for one in without}
    places = [one for one in inputs if one.name not in failed]
    return Begun(table, inputs, opened, failed, table.area_of_run(run, places, loaded.card.training_extent), loaded, guesser, ways)


@dataclass
class Told:
    """What is said of finished videos on the way.

    Args:
        partial: called with each new one.
        warnings: what a user should know of them, a sentence each.
        unknown_ground: whether any lies on ground that the checkpoint does not know.
    """

    partial: Callable[[VideoResult], None] | None = None
    warnings: list[str] = field(default_factory=list)
    unknown_ground: bool = False

    def warn(self, result: VideoResult, path: Path) -> None:
        """Note what a user should know of a result."""
        verdict = result.trajectory.verdict
        self.unknown_ground |= verdict is not None and verdict.state is FrameState.UNKNOWN_GROUND
        self.warnings += warnings_of_video(result, path)

    def heard(self, warnings: Sequence[str], *, unknown_ground: bool) -> None:
        """Note what another process says of a result."""
        self.unknown_ground |= unknown_ground
        self.warnings += warnings

    def done(self, result: VideoResult, path: Path) -> None:
        """A new result is kept."""
        self.warn(result, path)
        if self.partial:
            self.partial(result)


class VideoAnswers:
    """What answers the videos of a run, in the process that it is for.

    Args:
        run: what it begins with.
        known: knows which videos need no answer.
        settings: of the run.
        cache_dir: for gallery embeddings.
        feedback: of the run.
        warm: what earlier calls in this process have left, and this one leaves.
    """

    def __init__(
        self, run: Begun, known: Known, settings: GeolocateSettings, cache_dir: Path, feedback: Feedback, warm: Warm | None
    ) -> None:  # fmt: skip
        self.run, self.known, self.settings = run, known, settings
        self.cache_dir, self.feedback, self.warm = cache_dir, feedback, warm
        self.done, self.total = 0, 1
        self._clock = Clock()
        self._job: Job | RoadJob | None = None

    @property
    def clock(self) -> Clock:
        """Seconds by part."""
        return self._job.clock if self._job else self._clock

    @property
    def notes(self) -> list[str]:
        """What a user should know of the search, a sentence each."""
        return list(self._job.notes) if self._job else []

    def outcome(self, area: SearchedArea, one: BatchInput) -> VideoResult | FailedVideo | None:
        """What is found of a video, or why nothing is; None where it was found before."""
        settings, sha256 = self.run.table.settings_of(one.path), ""
        info = one.unopened()
        try:
            info = self.run.opened.pop(one.name) if one.name in self.run.opened else one.open(settings)
            sha256 = source_digest(info.path)
            if self.known.has(one, sha256, self.run.table.own_of(one.path), area.grid.digest):
                return None
        except Exception as error:
            if ends_the_run(error):
                raise
            return FailedVideo(info, sentence_of(error, one.path), sha256) if sha256 else one.failed(error)
        job = self.job_of(area)
        job.settings, job.done = settings, self.done
        try:
            seen = self.run.guesser.features.pop(info.path, None) if self.run.guesser else None
            return replace(job.run(info, sha256, seen), own=self.run.table.own_of(one.path))
        except Exception as error:
            if ends_the_run(error):
                raise
            return FailedVideo(info, sentence_of(error, one.path), sha256)

    def job_of(self, area: SearchedArea) -> Job | RoadJob:
        """What answers the videos of an area: with a checkpoint, or by their ways alone."""
        before, run = self._job, self.run
        if before is not None and before.aoi is area.aoi:
            return before
        if run.loaded is not None:
            job: Job | RoadJob = Job(
                run.loaded, area.grid, area.aoi, self.settings, self.cache_dir, self.feedback, self.total, self.warm,
                before if isinstance(before, Job) else None, area.prior, run.ways,
            )  # fmt: skip
        elif run.ways is not None:
            job = RoadJob(run.ways, area.aoi, self.settings, self.feedback, self.total, before if isinstance(before, RoadJob) else None)
        else:
            raise ValueError("neither a checkpoint nor roads")
        job.scores_beside = self.known.scores_beside
        self._job = job
        return job


class Work(VideoAnswers):
    """The work of one process on a run.

    Args:
        run, settings, cache_dir, feedback, warm: as of :class:`VideoAnswers`.
        keeper: where finished videos go.
        told: hears of finished videos.
    """

    def __init__(
        self, run: Begun, keeper: Keeper, settings: GeolocateSettings, cache_dir: Path, feedback: Feedback, warm: Warm | None, told: Told
    ) -> None:
        super().__init__(run, keeper, settings, cache_dir, feedback, warm)
        self.keeper, self.told = keeper, told
        self.elsewhere: list[str] = []
        self.heard: dict[str, None] = {}  # notes of other processes, each once

    @property
    def notes(self) -> list[str]:
        """What a user should know of the search, a sentence each."""
        said = [*super().notes, *self.heard]
        if self.elsewhere:
            which = (
                f"{len(self.elsewhere)} videos, such as {self.elsewhere[0]}, are" if len(self.elsewhere) > 1 else f"{self.elsewhere[0]} is"
            )
            said.append(f"{which} being worked on by other processes: what these find is in the results once they are done.")
        return said

    def serially(self, mine: Sequence[BatchInput]) -> None:
        """Answer videos one after another, those of one area together. Raises as :func:`.geolocation.geolocate`."""
        self.total = max(1, len(mine))
        for one in mine:
            if one.name in self.run.failed:
                self.fail(one, self.run.failed[one.name], None)
        held: list[tuple[SearchedArea, BatchInput]] = []
        for area, one in self.run.table.in_order([one for one in mine if one.name not in self.run.failed], self.run.area):
            if not self._do(area, one):
                held.append((area, one))
        # What other processes were at work on when its turn came: done by now, or left to them.
        self.elsewhere = [one.name for area, one in held if not self._do(area, one)]

    def _do(self, area: SearchedArea, one: BatchInput) -> bool:
        """Answer one video, unless it is done; whether another process is at work on it is said by False."""
        self.feedback.check()
        own, grid_digest = self.run.table.own_of(one.path), area.grid.digest
        if self.keeper.known(one, own, grid_digest):
            self.had(one)
            return True
        with self.keeper.working_on(one) as held:
            if not held:
                return False
            outcome = self.outcome(area, one)
            if outcome is None:
                self.had(one)
            elif isinstance(outcome, FailedVideo):
                self.fail(one, outcome, area)
            else:
                since = time.perf_counter()
                self.keeper.put(one, outcome, area)
                self.clock.add("write", since)
                self.told.done(outcome, one.path)
                self.done += 1
        return True

    def had(self, one: BatchInput) -> None:
        """A video was finished before."""
        self.done += 1
        if len(self.keeper.resumed) <= MOST_WARNED and (result := self.keeper.earlier(one)) is not None:
            self.told.warn(result, one.path)
        if self.done == self.total or not self.done % 50:
            self.feedback.tell(min(1.0, self.done / self.total), "resuming", one.name)

    def fail(self, one: BatchInput, failed: FailedVideo, area: SearchedArea | None) -> None:
        """A video has no result."""
        self.keeper.fail(one, failed, area)
        self.done += 1


def _check_without_checkpoint(
    checkpoint: Loaded | str, settings: GeolocateSettings, aoi: AreaOfInterest | None, rows: Sequence[VideoRow]
) -> None:
    """Raise InputError where no checkpoint is asked for, and nothing else can tell a place."""
    if checkpoint != NONE:
        return
    if settings.roads is None:
        raise InputError("Without a checkpoint a video is placed by its way along roads alone: give --roads, or a --checkpoint.")
    if settings.reference is not None:
        raise InputError("Reference images are read without a checkpoint as it is: leave out --checkpoint none.")
    if settings.keep_scores:
        raise InputError("Scores are kept of pictures, and --checkpoint none looks at none: leave out --keep-scores.")
    if aoi is None and (not rows or any(row.area is None for row in rows)) and settings.guess_area is None:
        raise InputError("Without a checkpoint there is no ground that it knows: draw the area that is searched, with --aoi.")
    if settings.guess_area is not None:
        raise InputError("An area is guessed for a checkpoint that then looks into it: with --checkpoint none give --aoi.")
