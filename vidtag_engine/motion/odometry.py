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
from .ground import Speed, Votes, speed_of, votes_of
from .intervals import edges_s
from .record import Motion
from .solve import Lens, Mount, lens_of, looks_elsewhere, mount_of, solved, usual_lens
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
_COVERED = 0.5  # of a stretch must be known
_GOOD_SHARE = 0.4  # of a step's points must be explained
_TILTED_SHARE = 0.25  # of all turning, where nobody knows which way is down
_TILTED_DEG = 2.0
_STRUCTURE_SHARE = 0.4  # what the scene's own depth is worth as a unit, at least
_LEAST_SAID = 0.02
_BEGUN_S = 0.2
_WINDOWS = 3
_WINDOW_VOTES = 15


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
    followed, size_px, window_s = _followed(info, from_s or 0.0, to_s, feedback.part(0.0, 0.8))
    steps = [one for one in followed if isinstance(one, Step)]
    edges = edges_s(*window_s, interval_s)
    if not steps:
        nothing = np.full(len(edges) - 1, np.nan)
        return Motion(edges, nothing, nothing, nothing, nothing, metric=False, source="video", cuts=_cuts(followed, edges))
    solution, lens, mount = solve_steps(
        steps, size_px, usual_lens(size_px, view_deg, told_view(info)), feedback.part(0.8, 1.0), known=view_deg is not None
    )
    return _motion(solution, lens, mount, edges, _cuts(followed, edges))


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


def _followed(
    info: VideoInfo, from_s: float, to_s: float | None, feedback: Feedback
) -> tuple[list[Step | Gap], tuple[int, int], tuple[float, float]]:
    """Steps and gaps, the pictures' size, and the moments of the first and the last picture."""
    seen: list[tuple[float, tuple[int, int]]] = []
    until_s = to_s if to_s is not None else info.duration_s

    def watched(frames: FrameReader) -> Iterator[Frame]:
        for frame in frames:
            feedback.check()
            if frame.image is not None:
                size = (frame.image.shape[1], frame.image.shape[0])
                seen[1:] = [(frame.time_s, size)]
                if len(seen) == 1:
                    seen.insert(0, (frame.time_s, size))
            if until_s and frame.index % 16 == 0:
                share = (frame.time_s - from_s) / max(until_s - from_s, 1e-3)
                feedback.tell(min(max(share, 0.0), 1.0), "follow", f"Following points: {frame.time_s:.0f} s.")
            yield frame

    with FrameReader(info, RATE_HZ, from_s, to_s, feedback, LONGEST_PX) as frames:
        followed = list(follow(watched(frames)))
    if len(seen) < 2 or seen[-1][0] <= seen[0][0]:
        raise InputError(f"{info.name} shows a single picture in the window; odometry needs moving pictures, give a longer window.")
    return followed, seen[0][1], (seen[0][0], seen[-1][0])


def _cuts(followed: Sequence[Step | Gap], edges: FloatArray) -> tuple[int, ...]:
    """Intervals in which the video is cut."""
    moments = [one.end_s for one in followed if isinstance(one, Gap) and one.cut]
    numbers = np.clip(np.searchsorted(edges, moments, side="left") - 1, 0, len(edges) - 2)
    return tuple(sorted({int(number) for number in numbers}))


def _motion(solution: _Solution, lens: Lens, mount: Mount, edges: FloatArray, cuts: tuple[int, ...]) -> Motion:
    count = len(edges) - 1
    turn_deg, turn_std_deg, covered = _turns(solution, lens, edges)
    speed, speed_std = _speeds(solution, mount, edges, covered)
    unknown = covered < _COVERED
    unknown[list(cuts)] = True
    if mount.sideways:
        unknown[:] = True
    elif not mount.known:
        turn_std_deg = np.hypot(turn_std_deg, np.where(_standing(solution, edges) > 0.9, 0.0, _TILTED_DEG))
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


def _speeds(solution: _Solution, mount: Mount, edges: FloatArray, covered: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Speed by interval and its deviation as a share: by the road, where that is seen, else by the scene's depth in the road's unit."""
    standing = _standing(solution, edges)
    stood = standing > 0.85
    if not mount.known:
        nothing = np.where(stood, 0.0, np.nan)
        return nothing, np.where(stood, _LEAST_SAID, np.nan)
    said = [_speed_within(solution, start_s, end_s) for start_s, end_s in pairwise(edges)]
    road, share, scene = (np.array(column) for column in zip(*said, strict=True))
    both = np.isfinite(road) & (np.abs(road) > _LEAST_SAID) & (np.abs(scene) > _LEAST_SAID / 10) & (share < 0.15)
    if both.sum() >= 5:
        logs = np.log(np.abs(road[both]) / np.abs(scene[both]))
        unit = float(np.median(logs))
        worth = max(1.5 * float(np.median(np.abs(logs - unit))), _STRUCTURE_SHARE)
        use = np.isfinite(scene) & ~(share < worth)
        road[use], share[use] = scene[use] * math.exp(unit), worth
    # Where the camera stood for a part, when it began to move is known to a step's length or so.
    begun = np.where(standing > 0.0, _BEGUN_S / (np.diff(edges) * np.maximum(1.0 - standing, 0.1)), 0.0)
    missing = np.where(covered < 0.9, 0.1, 0.0)
    speed = np.where(stood, 0.0, road * (1.0 - standing))
    return speed, np.where(stood, _LEAST_SAID, np.sqrt(share**2 + begun**2 + missing**2))


def _speed_within(solution: _Solution, start_s: float, end_s: float) -> tuple[float, float, float]:
    """Mean speed while moving by the road, its deviation as a share, and the scene's own speed; NaN for what is not known.

    An interval is looked at in thirds, as the speed may change within it; a third without enough votes takes what the whole interval says.
    """
    which, seconds = _overlaps(solution, start_s, end_s)
    moving = [(solution.votes[k], s) for k, s in zip(which, seconds, strict=True) if not solution.votes[k].still]
    structure = [(vote.structure, s) for vote, s in moving if np.isfinite(vote.structure)]
    scene = float(np.average([value for value, _ in structure], weights=[s for _, s in structure])) if structure else np.nan
    whole = _agreed([vote for vote, s in moving if s > 0.3 * (vote.end_s - vote.start_s)])
    cuts = np.linspace(start_s, end_s, _WINDOWS + 1)
    parts: list[tuple[Speed, float]] = []
    for early, late in pairwise(cuts):
        inside = [(vote, max(min(vote.end_s, late) - max(vote.start_s, early), 0.0)) for vote, _ in moving]
        length_s = sum(s for _, s in inside)
        if length_s < 1e-6:
            continue
        one = _agreed([vote for vote, s in inside if s > 0.3 * min(vote.end_s - vote.start_s, late - early)])
        parts.append((one if one.votes >= _WINDOW_VOTES and one.share < 0.3 else whole, length_s))
    known = [(one, s) for one, s in parts if math.isfinite(one.value)]
    if not known:
        return np.nan, np.nan, scene
    lengths = np.array([s for _, s in known])
    value = float(np.average([one.value for one, _ in known], weights=lengths))
    spread = float(np.average([(one.share * one.value) ** 2 for one, _ in known], weights=lengths)) ** 0.5
    return value, spread / max(abs(value), 0.1), scene


def _agreed(votes: Sequence[Votes]) -> Speed:
    return speed_of(np.concatenate([np.zeros(0), *(v.speed for v in votes)]), np.concatenate([np.zeros(0), *(v.error for v in votes)]))
