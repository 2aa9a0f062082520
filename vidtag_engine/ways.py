"""What answers videos by the shape of their way along the roads of an area: without a checkpoint, or beside one."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from .feedback import Feedback
from .grid import AreaOfInterest
from .inference.on_roads import RoadArea, RoadPosterior
from .motion import Motion, read_motion, video_motion
from .motion.tracker import opencv
from .roads.fitted import FittedRoads, fitted_roads
from .roads.layer import RoadLayer, open_roads
from .settings import GeolocateSettings
from .trajectory import assemble
from .types import Candidates, CandidateWay, FloatArray, FrameState, InputError, Trajectory, VideoInfo
from .video import source_digest

NONE = "none"
"""What stands for a checkpoint where none is used."""
_JUDGED_M = 500.0
_SURER, _EVEN = 0.05, 0.5
_BESIDE_S = 2.0  # that frames may lie before the first moment of a track, or after its last


class Ways:
    """The roads that a run is given, by area, and how its cameras moved.

    Args:
        settings: of the run, which name roads.

    Raises:
        InputError: the layer of roads cannot be used.
    """

    def __init__(self, settings: GeolocateSettings) -> None:
        if settings.roads is None:
            raise ValueError("settings without roads")
        self._layer: RoadLayer = open_roads(settings.roads, settings.roads_layer, settings.roads_crs, ("--roads-layer", "--roads-crs"))
        self._mode, self._track = settings.travel, settings.motion_track
        self._motion = read_motion(Path(self._track)) if self._track is not None else None
        if self._motion is None:
            opencv()  # where it is not there, that is said once, and not of every video
        self._area: tuple[AreaOfInterest, RoadArea] | None = None

    @property
    def digest(self) -> str:
        """Of the files that answers depend on."""
        files = [one for one in (self._layer.source.path, self._track) if one is not None]
        parts = [source_digest(Path(one)) if Path(one).is_file() else one for one in files]
        return hashlib.sha256("\0".join([*parts, self._layer.layer]).encode()).hexdigest()

    def area(self, aoi: AreaOfInterest) -> RoadArea:
        """The roads of an area, read once."""
        if self._area is None or self._area[0] is not aoi:
            # What a posterior means was fitted on drives by car: of others nothing is said that nobody measured.
            fitted = fitted_roads() if self._mode == "car" else FittedRoads.unfitted(fitted_roads().model)
            self._area = (aoi, RoadArea(aoi, self._layer, self._mode, fitted))
        return self._area[1]

    def tells_of(self, info: VideoInfo) -> bool:
        """Whether there is anything to tell a video's motion by: images in a folder are too far apart."""
        return self._motion is not None or info.kind != "images"

    def motion(self, info: VideoInfo, settings: GeolocateSettings, feedback: Feedback) -> Motion:
        """How a video's camera moved: by the track that was given, else by its pictures.

        Raises:
            InputError: the pictures are too far apart to tell, or cannot be read.
        """
        if self._motion is not None:
            return self._motion
        if not self.tells_of(info):
            raise InputError(
                f"{info.name} is a folder of images, too far apart to tell how the camera turned: give a video, or a --motion-track."
            )
        feedback.tell(0.0, "odometry", info.name)
        return video_motion(info, from_s=settings.from_s, to_s=settings.to_s, feedback=feedback)


def surer_on_roads(trajectory: Trajectory, found: RoadPosterior) -> bool:
    """Whether a video's way says more clearly where it went than its pictures do.

    Both say how likely each frame's place is right within half a kilometre, each as held-out drives taught it; the way must say it with so much more, as its line
    follows streets' middles and not the reference images. Where pictures cannot speak at all, more than even odds are asked.
    """
    if found.verdict.state is not FrameState.LOCATED or not np.isfinite(found.hypotheses.within).any():
        return False
    column = found.hypotheses.radii_m.index(_JUDGED_M)
    by_way = float(np.nanmean(found.hypotheses.within[:, column]))
    verdict, of = trajectory.verdict, trajectory.hypotheses
    if verdict is not None and verdict.state is FrameState.OUTSIDE_AOI:
        return False
    if verdict is None or verdict.state is not FrameState.LOCATED or of is None or not np.isfinite(of.within).any():
        return by_way > _EVEN
    return by_way > float(np.nanmean(of.within[:, of.radii_m.index(_JUDGED_M)])) + _SURER


def check_one_video(settings: GeolocateSettings, videos: int) -> None:
    """Raise InputError where a motion track is given for several videos: it is one camera's."""
    if settings.motion_track is not None and videos > 1:
        raise InputError(f"A motion track is one video's, and there are {videos} videos: geolocate them one by one.")


def check_covered(motion: Motion, time_s: FloatArray) -> None:
    """Raise InputError where a motion track tells nothing of the first or the last frames (T,): a camera that nobody knows of is not taken to stand."""
    begin_s, end_s = float(motion.time_s[0]) - _BESIDE_S, float(motion.time_s[-1]) + _BESIDE_S
    if motion.source == "track" and (time_s[0] < begin_s or time_s[-1] > end_s):
        raise InputError(
            f"The motion track tells of {motion.time_s[0]:.0f} to {motion.time_s[-1]:.0f} s, and the frames are of {time_s[0]:.0f} to {time_s[-1]:.0f} s:"
            " give a longer track, or that stretch with --from and --to."
        )


def with_ways(trajectory: Trajectory, found: RoadPosterior) -> Trajectory:
    """A trajectory with the course and the street of the line on roads, at its frames that have an answer."""
    located = np.array([state is FrameState.LOCATED for state in trajectory.state])
    course = np.full(len(located), math.nan)
    streets = [""] * len(located)
    course[located] = found.course_deg
    for row, name in zip(np.flatnonzero(located).tolist(), found.street, strict=True):
        streets[row] = name
    return replace(trajectory, course_deg=course, street=tuple(streets))


def candidate_ways(found: RoadPosterior) -> tuple[CandidateWay, ...]:
    """The ways that fit, as results have them; none where none does."""
    if found.verdict.state is not FrameState.LOCATED:
        return ()
    return tuple(
        CandidateWay(rank, one.share, lat_lon[:, 0], lat_lon[:, 1], one.streets) for rank, (one, lat_lon) in enumerate(found.candidates, 1)
    )


def placed_frames(frames: list[tuple[int, float, FrameState]], found: RoadPosterior, radius_m: float) -> Trajectory:
    """A row a sampled frame, from what the roads say of those that have a picture; a frame's other candidates are the other ways.

    Args:
        frames: (index, time_s, state) of every sampled frame.
        found: of those with a picture.
        radius_m: that confidence is about.
    """
    places = np.stack([found.lat_lon_deg, *(lat_lon for _, lat_lon in found.candidates[1:])], axis=1)
    share = np.array([one.share for one, _ in found.candidates] or [math.nan], dtype=np.float32)
    scores = np.broadcast_to(share[: places.shape[1]], places.shape[:2])
    final = Candidates(np.zeros(places.shape[:2], dtype=np.int64), places[:, :, 0], places[:, :, 1], np.array(scores))
    return assemble(
        frame_index=np.array([index for index, _, _ in frames], dtype=np.int64),
        time_s=np.array([time_s for _, time_s, _ in frames]),
        state=[state for _, _, state in frames],
        final=final,
        phase1=final,
        confidence=found.confidence,
        confidence_radius_m=radius_m,
    )


def times_with_picture(frames: list[tuple[int, float, FrameState]]) -> FloatArray:
    """(T,) of the sampled frames that have one."""
    return np.array([time_s for _, time_s, state in frames if state is FrameState.LOCATED])
