"""What answers the videos of a run over one area: from frames, or from what the frame encoder made of them, to a trajectory and what is said of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from .export.scores_file import write_scores
from .feedback import Clock, Feedback
from .grid import AreaOfInterest, Grid, WideGrid
from .inference import Emissions, FrameScores, Posterior, PosteriorDecoder, frame_by_frame, judged, retrieve, with_hypotheses
from .inference.encode import VideoFeatures, encode_video
from .inference.verdicts import LIMIT_OF_NOTHING, LIMIT_OF_REGIONS
from .loaded import Loaded
from .local_features import LocalRows
from .matches import matches_of
from .motion import Motion
from .own_areas import AreaPrior
from .roads.answer import PlacedWays
from .search import between_points
from .settings import GeolocateSettings
from .trajectory import Decoded, assemble, cuts, with_course
from .types import (
    Candidates,
    CandidateWay,
    FloatArray,
    FrameState,
    InputError,
    IntArray,
    Match,
    Progress,
    Trajectory,
    Verdict,
    VideoError,
    VideoInfo,
    VideoResult,
)
from .warm import Warm
from .ways import Ways, candidate_ways, check_covered, placed_frames, surer_on_roads, times_with_picture, with_ways

# Candidates kept a frame: enough that one of them lies farther away than the confidence radius (ten grid steps hold ~314 points).
_CANDIDATES = 512
_ODOMETRY_SHARE = 0.4  # of a video's time, where its way is compared with roads


class Job:
    """One run's shared parts: the model, the gallery, the clock, and how far the run is.

    Args:
        loaded: what places are recognised with.
        grid: of candidate places.
        aoi: that the grid is of.
        settings: of the run.
        cache_dir: for gallery embeddings.
        feedback: of the whole run.
        total: videos of the run.
        warm: what earlier calls in this process have left, and this one leaves.
        after: the part of the run over another area that came before.
        prior: where in the area the videos may be before anything is seen.
        ways: the roads that videos' ways are compared with; None: no roads were given.
    """

    def __init__(
        self,
        loaded: Loaded,
        grid: Grid | WideGrid,
        aoi: AreaOfInterest,
        settings: GeolocateSettings,
        cache_dir: Path,
        feedback: Feedback,
        total: int,
        warm: Warm | None = None,
        after: Job | None = None,
        prior: AreaPrior | None = None,
        ways: Ways | None = None,
    ) -> None:
        self._ways, self._roads = ways, ways.area(aoi) if ways else None
        self._prior, self._held = prior, prior.held if prior else 1.0
        self.loaded, self.settings, self.aoi, self.total = loaded, settings, aoi, total
        self.done: int = after.done if after else 0  # after one over another area the run goes on
        self.told: float = after.told if after else 0.0
        self._notes: list[str] = after.notes if after else []
        self._whole = feedback
        self.feedback = replace(feedback, progress=self._tell)  # of the video under way
        self.clock: Clock = after.clock if after else Clock()
        self.solver: PosteriorDecoder | None = None
        self.scores_beside: Path | None = None  # the result that scores are kept beside
        if loaded.encoder.local is not None:
            loaded.encoder.local.open()  # where it is not there, that is said before the area is prepared, which may take minutes
        self._area = (warm or Warm()).area(loaded, grid, aoi, settings, cache_dir, self.feedback.part(0.75, 0.95))
        self.area_search = self._area.search

    @property
    def notes(self) -> list[str]:
        """What a user should know of the search, a sentence each, of the areas before, too."""
        return list(dict.fromkeys([*self._notes, *self.area_search.notes]))

    def _tell(self, step: Progress) -> None:
        """Progress of the whole run from that of the video under way; never less than was told before, as parts of it are passed through again."""
        self.told = max(self.told, min(1.0, (self.done + step.fraction) / self.total))
        self._whole.tell(self.told, step.stage, step.message)

    def run(self, info: VideoInfo, sha256: str, seen: VideoFeatures | None = None) -> VideoResult:
        """One video, start to end; ``seen`` is what the frame encoder made of it before."""
        before = dict(self.clock.seconds)
        motion: Motion | None = None
        if self._ways is not None and self._ways.tells_of(info):
            since = time.perf_counter()
            motion = self._ways.motion(info, self.settings, self.feedback.part(0.0, _ODOMETRY_SHARE))
            self.clock.add("odometry", since)
        found = seen or self.features(info)
        if not len(found.features):
            raise VideoError(
                f"{info.path.name} has no readable frame in the stretch asked for: check that it plays, or choose another stretch."
            )
        trajectory, solved = self.answer(found.frames, found.features, info.name, found.local)
        candidates: tuple[CandidateWay, ...] = ()
        by_pictures = trajectory
        if motion is not None:
            check_covered(motion, times_with_picture(found.frames))
            trajectory, candidates = self.along_roads(trajectory, solved, motion, found.frames)
        since = time.perf_counter()
        matches: tuple[Match, ...] = ()
        if solved is not None and self.solver is not None:
            index, time_s = _with_picture(found.frames)
            if self.scores_beside is not None:
                write_scores(self.scores_beside, sha256, self.solver.scores(solved, index, time_s))
            if trajectory is by_pictures:  # reference images speak for the pictures' answer alone
                matches = matches_of(self.loaded, self.solver, solved, index, trajectory, share_places=self.settings.share_places)
        self.clock.add("search", since)
        seconds = {part: round(value - before.get(part, 0.0), 3) for part, value in self.clock.seconds.items()}
        return VideoResult(info, trajectory, found.report, sha256, seconds, matches=matches, candidates=candidates)

    def along_roads(
        self, trajectory: Trajectory, solved: Posterior | None, motion: Motion, frames: list[tuple[int, float, FrameState]]
    ) -> tuple[Trajectory, tuple[CandidateWay, ...]]:
        """What is said of a video by its pictures, or by its way and its pictures together where these say more; and the ways that fit."""
        if self._roads is None:
            return trajectory, ()
        since, time_s = time.perf_counter(), times_with_picture(frames)
        state = trajectory.verdict.state if trajectory.verdict else FrameState.LOCATED
        # What recognises a place says so by itself; with it the way would only say it twice.
        seen = solved is not None and not solved.recognised and self.solver is not None and state is FrameState.LOCATED

        def weigh(found: PlacedWays) -> FloatArray:
            """Ways that pictures speak for count for more, as far as held-out videos taught that such pictures are to be believed."""
            if solved is None or solved.decoded is None or self.solver is None or self._roads is None:
                return np.ones(len(found.place))
            believed = float(np.nanmean(np.append(solved.hypotheses.within[:, -1], 0.0)))
            return (1.0 - believed) + believed * self.solver.density(solved.decoded, self._roads.lat_lon_deg, found.place)

        told = self.feedback.part(0.97, 1.0)
        try:
            found = self._roads.solve(
                motion, time_s, self.settings.radius_m, seed=self.settings.seed, weigh=weigh if seen else None, feedback=told
            )
        except InputError:  # it hardly moved: its way says nothing
            return trajectory, ()
        self.clock.add("roads", since)
        if not surer_on_roads(trajectory, found):
            return trajectory, candidate_ways(found)
        placed = with_ways(placed_frames(frames, found, self.settings.radius_m), found)
        return with_hypotheses(placed, found.hypotheses, found.verdict, always_answer=self.settings.always_answer), candidate_ways(found)

    def answer(
        self, frames: list[tuple[int, float, FrameState]], features: FloatArray, name: str, local: LocalRows | None = None
    ) -> tuple[Trajectory, Posterior | None]:
        """What is said of a video by what the frame encoder made of it.

        Args:
            frames: (index, time_s, state) of every sampled frame.
            features: (T, D) of those with a picture, at least one, with the layout after them where the encoder gives it.
            name: of the video, for progress.
            local: (T,) local features likewise, where the encoder finds them.

        Returns:
            A row a sampled frame, and what it was taken from; None where frames are located each by itself.
        """
        self.feedback.check()
        since = time.perf_counter()
        self.area_search.prepare()
        since = self.clock.add("gallery", since)
        self.feedback.tell(0.95, "search", name)
        first, final, confidence, solved, verdict = self.search(torch.from_numpy(features), _with_picture(frames)[1], local)
        trajectory = self.trajectory(frames, first, final, confidence)
        spacing_m = self.area_search.grid.resolution_m
        if solved is None or self.solver is None:
            trajectory = judged(trajectory, verdict, always_answer=self.settings.always_answer)
        else:
            trajectory = with_hypotheses(trajectory, solved.hypotheses, solved.verdict, always_answer=self.settings.always_answer)
            spacing_m = self.solver.cover.spacing_m
        trajectory = with_course(trajectory, spacing_m, _with_picture(frames)[0][cuts(features)].tolist())
        self.clock.add("search", since)
        return trajectory, solved

    def features(self, info: VideoInfo) -> VideoFeatures:
        """Decode, sample and encode, with progress and the clock."""
        begin = _ODOMETRY_SHARE if self._ways is not None else 0.0
        found = encode_video(info, self.loaded.encoder, self.settings, feedback=self.feedback.part(begin, 0.75))
        self.feedback.check()
        for part, seconds in found.seconds.items():
            self.clock.count(part, seconds)
        return found

    def search(
        self, features: torch.Tensor, time_s: FloatArray, local: LocalRows | None = None
    ) -> tuple[Candidates, Candidates, FloatArray, Posterior | None, Verdict]:
        """Both retrievals, and all frames decoded together where that is asked for; the answers' confidence (T,), and the verdict."""
        calibration = self.loaded.calibration
        if self.settings.decoder == "hmm" and self.area_search.cover() is not None:
            decoders, limit_mps = self._area.decoders, self.settings.limit_mps
            key = (limit_mps, self._prior.key if self._prior else None)
            solver = decoders.get(key) or PosteriorDecoder(
                self.loaded.model, self.area_search, calibration, limit_mps, self._prior, self._held
            )
            self.solver = decoders[key] = solver
            if self.settings.motion and not solver.seeks_line:
                self._notes.append(LIMIT_OF_REGIONS)
            decoding: list[Future[tuple[FrameScores, Decoded]]] = []

            def decode(queries: torch.Tensor) -> tuple[FrameScores, Decoded]:
                video = solver.read(Emissions(self.loaded.model, features, queries, time_s=time_s, local=local))
                return video, solver.decode(video, time_s)

            with ThreadPoolExecutor(1) as aside:  # all frames are decoded together while candidates are sought for each
                first, final, _ = self.retrieve(features, lambda queries: decoding.append(aside.submit(decode, queries)))
                video, decoded = decoding[0].result()
            solved = solver.solve(video, decoded, final, self.settings.radius_m)
            return first, solved.final, solved.confidence, solved, solved.verdict
        if self.settings.motion:
            self._notes.append(LIMIT_OF_NOTHING)
        first, final, queries = self.retrieve(features)
        centres = np.stack([final.lat_deg[:, 0], final.lon_deg[:, 0]], axis=1)
        mass = self.area_search.posterior_mass(queries, centres, self.settings.radius_m, calibration.temperature)
        confidence, verdict = frame_by_frame(calibration, self.area_search.cover(), centres, mass)
        return first, final, self._held * confidence, None, verdict

    def retrieve(
        self, features: torch.Tensor, asked: Callable[[torch.Tensor], None] = lambda _: None
    ) -> tuple[Candidates, Candidates, torch.Tensor]:
        """Both retrievals, and the (T, E) embeddings whose posterior the calibration speaks of; ``asked`` is given these as soon as they are there."""
        model = self.loaded.model
        speaks = 2 if model.has_refiner and self.loaded.calibration.similarity == "phase2" else 1

        def told(phase: int, queries: list[torch.Tensor]) -> None:
            if phase == speaks:
                asked(queries[0])

        (found,) = retrieve(model, [features], self.retrieval, before_search=told)
        return found.first, found.final, found.frames if speaks == 1 or found.refined is None else found.refined

    def retrieval(self, queries: torch.Tensor) -> Candidates:
        """Each frame's candidates, best first; the best between grid points, if so asked."""
        found = self.area_search.top_k(queries, min(_CANDIDATES, self.area_search.grid.count))
        if not self.settings.continuous:
            return found
        loaded, grid = self.loaded, self.area_search.grid
        return between_points(loaded.model, loaded.device, queries, found, grid.resolution_m, self.aoi, self.feedback)

    def trajectory(
        self, frames: list[tuple[int, float, FrameState]], first: Candidates, final: Candidates, confidence: FloatArray
    ) -> Trajectory:
        """A row a sampled frame, those without a picture included."""
        index: IntArray = np.array([i for i, _, _ in frames], dtype=np.int64)
        return assemble(
            frame_index=index,
            time_s=np.array([t for _, t, _ in frames]),
            state=[s for _, _, s in frames],
            final=final,
            phase1=first,
            confidence=confidence,
            confidence_radius_m=self.settings.radius_m,
        )


def _with_picture(frames: list[tuple[int, float, FrameState]]) -> tuple[IntArray, FloatArray]:
    """(T,) numbers and (T,) times of the sampled frames that have a picture."""
    seen = [(index, time_s) for index, time_s, state in frames if state is FrameState.LOCATED]
    return np.array([index for index, _ in seen], dtype=np.int64), np.array([time_s for _, time_s in seen])
