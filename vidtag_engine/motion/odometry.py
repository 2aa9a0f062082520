"""How a camera moved, by its pictures alone: turns in degrees, speed in a unit of its own, stops and cuts (visual odometry of one camera)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..feedback import Feedback
from ..types import FloatArray, Frame, InputError, VideoInfo
from ..video import FrameReader, open_source
from .ground import Votes, votes_of
from .intervals import edges_s
from .record import Motion
from .road_view import RoadMeter
from .solve import Lens, Mount, lens_of, looks_elsewhere, mount_of, solved, usual_lens
from .speed import by_interval, speeds_of
from .steps import Gap, Step, overlay_cells
from .told_lens import told_view
from .tracker import follow, opencv
from .two_views import AHEAD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

RATE_HZ = 15.0
LONGEST_PX = 640
# Errors that are no matter of counting points, found on filmed drives whose truth is known: of a step, and of a stretch.
_STEP_RAD = math.radians(0.03)
_INFLATED = 2.0  # points are followed with errors that hang together
_STRETCH_DEG = 0.25
_BEND_DEG = 0.45  # while it goes: gentle bends come out a little too straight
_COVERED = 0.5  # of a stretch must be known
_GOOD_SHARE = 0.4  # of a step's points must be explained
_TILTED_SHARE = 0.25  # of all turning, where nobody knows which way is down
_TILTED_DEG = 2.0
_LEAST_SAID = 0.02


@dataclass(frozen=True)
class _Solution:
    """By step (S,): its moments, turn to the right and its deviation in radians, whether it is to be used; and what its points say of the speed."""

    start_s: FloatArray
    end_s: FloatArray
    turn: FloatArray
    deviation: FloatArray
    good: NDArray[np.bool_]
    votes: tuple[Votes, ...]


def video_motion(
    source: VideoInfo | Path,
    *,
    from_s: float | None = None,
    to_s: float | None = None,
    interval_s: float = 1.0,
    view_deg: float | None = None,
    feedback: Feedback = Feedback(),
) -> Motion:
    """How the camera of a video moved.

    The video is decoded once, its points are followed, and all else rests on the points. The turn is that about the vertical. The speed is in heights of the
    camera above the road a second, by the flow of the road: one unit throughout the video as long as the camera stays where it is fixed. Where the road is not
    seen, the depth of the scene stands in for it, with the larger error that this has. Where the camera does not look along its way (from above, out of a side
    window) nothing is said; where its way swings about (in a hand), turns have large errors and speeds are not known.

    A rolling shutter is not undone (see :func:`.tracker.follow`), nor is a lens's distortion: with a fish-eye, turns come out a little too large or small.

    Args:
        source: a video, or a folder of images that were taken several a second.
        from_s, to_s: the window, seconds after the video's start; None for its start and its end.
        interval_s: length of the intervals; the last one may be shorter or up to half as long again.
        view_deg: the angle that the camera sees across the picture's width, where it is known.
        feedback: asked to stop and told how far it is.

    Returns:
        Motion that is not metric, of source "video".

    Raises:
        InputError: OpenCV is absent, the video cannot be read, a number makes no sense, or there are no two pictures in the window.
        CancelledError: it was stopped.
    """
    opencv()
    info = source if isinstance(source, VideoInfo) else open_source(Path(source))
    if not (math.isfinite(interval_s) and interval_s > 0):
        raise InputError(f"The interval {interval_s} for {info.name} is not a number of seconds above 0; give for example 1.")
    if view_deg is not None and not 5.0 <= view_deg <= 170.0:
        raise InputError(
            f"The angle of view {view_deg} for {info.name} does not lie between 5° and 170°; give that across the picture's width."
        )
    followed, meter, window_s = _followed(info, from_s or 0.0, to_s, view_deg, feedback.part(0.0, 0.85))
    steps = [one for one in followed if isinstance(one, Step)]
    edges = edges_s(*window_s, interval_s)
    if not steps:
        nothing = np.full(len(edges) - 1, np.nan)
        return Motion(edges, nothing, nothing, nothing, nothing, metric=False, source="video", cuts=_cuts(followed, edges))
    solution, lens, mount = solve_steps(steps, meter.size_px, meter.lens, feedback.part(0.85, 1.0), known=view_deg is not None)
    return _motion(solution, lens, mount, meter, edges, _cuts(followed, edges))


def solve_steps(
    steps: Sequence[Step], size_px: tuple[int, int], lens: Lens, feedback: Feedback = Feedback(), *, known: bool = False
) -> tuple[_Solution, Lens, Mount]:
    """Turns and votes of steps, the lens they rest on, and how the camera sits.

    Args:
        steps: of one video, at least one.
        size_px: width and height of its small pictures.
        lens: to begin with.
        feedback: asked to stop and told how far it is.
        known: whether that lens is the right one.
    """
    overlay = overlay_cells(steps, size_px)
    first = [
        (part.movement.turn, part.movement.course, part.movement.course_deviation, part.along_px, part.share(part.inlier))
        for part in solved(steps, size_px, lens, overlay=overlay, feedback=feedback.part(0.0, 0.4))
    ]
    turns, courses, deviations, along_px, shares = (np.concatenate(column) for column in zip(*first, strict=True))
    good = shares > _GOOD_SHARE
    mount = mount_of(courses, deviations, along_px, turns[:, 1], good)
    if looks_elsewhere(steps, turns, size_px, lens, overlay):
        mount = Mount(AHEAD, known=False, sideways=True)
    if not known:
        usual, explained = lens, [step for step, ok in zip(steps, good, strict=True) if ok]
        lens = lens_of(explained, turns[good, 1], size_px, usual, mount, overlay)
        mount = mount.seen_by(usual.focal_px / lens.focal_px)
    again = solved(steps, size_px, lens, mount.prior, overlay, feedback.part(0.4, 1.0))
    columns: list[tuple[FloatArray, FloatArray, NDArray[np.bool_], list[Votes]]] = []
    for part in again:
        votes = votes_of(part, mount)
        still = np.array([vote.still for vote in votes])
        turn = np.where(still[:, None], part.rotation.turn, part.movement.turn)
        spread = np.where(still[:, None], part.rotation.deviation, part.movement.deviation)
        about = _INFLATED * np.sqrt((spread * mount.down) ** 2 @ np.ones(3))
        if not mount.known:
            about = np.hypot(about, _TILTED_SHARE * np.linalg.norm(turn, axis=1))
        share = np.where(still, part.share(part.still), part.share(part.inlier))
        columns.append((-(turn @ mount.down), np.hypot(about, _STEP_RAD), share > _GOOD_SHARE, votes))
    turn, deviation, good = (np.concatenate([column[i] for column in columns]) for i in range(3))
    starts, ends = np.array([[step.start_s, step.end_s] for step in steps]).T
    return _Solution(starts, ends, turn, deviation, good, tuple(chain.from_iterable(column[3] for column in columns))), lens, mount


class _Watch:
    """Passes pictures on, tells how far they are, and has the road looked at as soon as their size is known."""

    def __init__(self, info: VideoInfo, from_s: float, to_s: float | None, view_deg: float | None, feedback: Feedback) -> None:
        self._info, self._from_s, self._feedback, self._view_deg = info, from_s, feedback, view_deg
        self._until_s = to_s if to_s is not None else info.duration_s
        self._count = 0
        self.moments_s: list[float] = []
        self.size_px = (0, 0)
        self.meter: RoadMeter | None = None

    def passed(self, frames: FrameReader) -> Iterator[Frame]:
        for frame in frames:
            self._feedback.check()
            if frame.image is not None:
                self.moments_s[1:] = [frame.time_s]
                if self.meter is None:
                    self.size_px = (frame.image.shape[1], frame.image.shape[0])
                    self.meter = RoadMeter(self.size_px, usual_lens(self.size_px, self._view_deg, told_view(self._info)))
            if self._until_s and frame.index % 16 == 0:
                share = (frame.time_s - self._from_s) / max(self._until_s - self._from_s, 1e-3)
                self._feedback.tell(min(max(share, 0.0), 1.0), "follow", f"Following points: {frame.time_s:.0f} s.")
            yield frame

    def took(self, step: Step, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> None:
        if self.meter is not None:
            self.meter.add(self._count, step, before, after)
        self._count += 1


def _followed(
    info: VideoInfo, from_s: float, to_s: float | None, view_deg: float | None, feedback: Feedback
) -> tuple[list[Step | Gap], RoadMeter, tuple[float, float]]:
    """Steps and gaps, the road by step, and the moments of the first and the last picture."""
    watch = _Watch(info, from_s, to_s, view_deg, feedback)
    with FrameReader(info, RATE_HZ, from_s, to_s, feedback, LONGEST_PX) as frames:
        followed = list(follow(watch.passed(frames), watch.took))
    if watch.meter is None or len(watch.moments_s) < 2:
        raise InputError(f"{info.name} shows a single picture in the window; odometry needs moving pictures, give a longer window.")
    watch.meter.flush()
    return followed, watch.meter, (watch.moments_s[0], watch.moments_s[-1])


def _cuts(followed: Sequence[Step | Gap], edges: FloatArray) -> tuple[int, ...]:
    """Intervals in which the video is cut."""
    moments = [one.end_s for one in followed if isinstance(one, Gap) and one.cut]
    numbers = np.clip(np.searchsorted(edges, moments, side="left") - 1, 0, len(edges) - 2)
    return tuple(sorted({int(number) for number in numbers}))


def _motion(solution: _Solution, lens: Lens, mount: Mount, meter: RoadMeter, edges: FloatArray, cuts: tuple[int, ...]) -> Motion:
    count = len(edges) - 1
    turn_deg, turn_std_deg, covered = _turns(solution, lens, edges)
    standing = _standing(solution, edges)
    turn_std_deg = np.hypot(turn_std_deg, _BEND_DEG * (1.0 - standing))
    speed, speed_std = np.where(standing > 0.85, 0.0, np.nan), np.where(standing > 0.85, _LEAST_SAID, np.nan)
    if mount.known:
        unit = lens.focal_px / meter.lens.focal_px
        speeds = speeds_of(solution.votes, solution.good, meter.curves, 1.0 / unit)
        speed, speed_std = by_interval(speeds, edges, standing)
        speed = speed * unit
    unknown = covered < _COVERED
    unknown[list(cuts)] = True
    if mount.sideways:
        unknown[:] = True
    elif not mount.known:
        turn_std_deg = np.hypot(turn_std_deg, np.where(standing > 0.85, 0.0, _TILTED_DEG))
    for values in (turn_deg, turn_std_deg, speed, speed_std):
        values[unknown[:count]] = np.nan
    return Motion(edges, turn_deg, turn_std_deg, speed, speed_std, metric=False, source="video", cuts=cuts)


def _overlaps(solution: _Solution, start_s: float, end_s: float) -> tuple[NDArray[np.intp], FloatArray]:
    """Good steps that reach into a stretch, and seconds of each in it; steps are in order and do not overlap."""
    which = np.arange(np.searchsorted(solution.end_s, start_s, side="right"), np.searchsorted(solution.start_s, end_s, side="left"))
    which = which[solution.good[which]]
    inside = np.minimum(solution.end_s[which], end_s) - np.maximum(solution.start_s[which], start_s)
    return which[inside > 1e-6], inside[inside > 1e-6]


def _turns(solution: _Solution, lens: Lens, edges: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Turn and its deviation by interval, degrees, and the share of each interval that steps cover."""
    turn, deviation, covered = np.zeros((3, len(edges) - 1))
    lengths = solution.end_s - solution.start_s
    for i, (start_s, end_s) in enumerate(pairwise(edges)):
        which, seconds = _overlaps(solution, start_s, end_s)
        covered[i] = seconds.sum() / (end_s - start_s)
        if not len(which):
            continue
        part = seconds / lengths[which]
        known = float((part * solution.turn[which]).sum())
        # What is missing of an interval is taken to go on as the rest, and may as well not.
        turn[i] = known / max(covered[i], _COVERED)
        missed = (1.0 - min(covered[i], 1.0)) * max(abs(turn[i]), math.radians(4.0))
        deviation[i] = math.sqrt(float((part * solution.deviation[which] ** 2).sum()) + (lens.share * turn[i]) ** 2 + missed**2)
    return np.degrees(turn), np.hypot(np.degrees(deviation), _STRETCH_DEG), covered


def _standing(solution: _Solution, edges: FloatArray) -> FloatArray:
    """Share of each interval over which the camera stood."""
    share = np.zeros(len(edges) - 1)
    still = np.array([vote.still for vote in solution.votes])
    for i, (start_s, end_s) in enumerate(pairwise(edges)):
        which, seconds = _overlaps(solution, start_s, end_s)
        share[i] = float(seconds[still[which]].sum() / max(seconds.sum(), 1e-9))
    return share
