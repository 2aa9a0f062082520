"""Steps of a video solved one by one: turns and courses, where the camera looks, and its focal length where the video's own turns tell."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..feedback import Feedback
from ..types import FloatArray
from .focal import focal_by_road
from .steps import PARTS, Batch, Step, batch_of
from .two_views import AHEAD, ELSEWHERE, INLIER_PX, CoursePrior, Movement, Rotation, Views, derotated, fit_movement, fit_rotation
from .weights import views_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_BATCH = 64
# Phones see 60° to 66° across, cameras in cars 70° to 110°; one between them, and how far another one's focal length lies from it, as a share.
USUAL_VIEW_DEG = 72.0
USUAL_FOCAL_SHARE = 0.25
# How the video's own turns tell the focal length.
_TURNING_DEG = 0.7  # by which a step must turn to speak
_MOST_TURNING = 192
_LEAST_TURNING = 24
_STRAIGHT_DEG = 0.2
_MOVES_S = 0.3  # a step that ended so soon had gone far enough
_MOST_STRAIGHT = 64
# A camera looks ahead where most of its clear courses agree.
_CLEAR_RAD = 0.12
_ONE_WAY_RAD = 0.3
_LEAST_CLEAR = 8
_CLEAR_PX = 1.0
# It looks elsewhere where another course explains this much more by point, or where it tilts or rolls by so much over half a minute at most.
_BETTER = 0.15
_SAMPLED = 64
_FAR_PX = 3.0
_TILTING_S = 30.0
_TILTED_DEG = 35.0


@dataclass(frozen=True)
class Lens:
    """A focal length in pixels of the small pictures, the share by which it may be off, and whether it is the video's own word."""

    focal_px: float
    share: float
    own: bool = False


@dataclass(frozen=True)
class Mount:
    """How the camera sits.

    Args:
        prior: where it goes, in its own axes, and how far that swings; of :data:`AHEAD` where that is not known.
        known: whether enough steps agree.
        sideways: whether it mostly goes sideways in its own axes: it looks down, or out of a side window.
    """

    prior: CoursePrior
    known: bool
    sideways: bool

    @property
    def down(self) -> FloatArray:
        """(3,) the ground's direction in the camera's axes, for a camera that is not rolled and goes along the ground."""
        course = self.prior.course
        down = np.array([0.0, 1.0, 0.0]) - course[1] * course
        unit: FloatArray = down / np.linalg.norm(down)
        return unit

    def seen_by(self, ratio: float) -> Mount:
        """The same point of the picture by a focal length that is 1 / ``ratio`` as long."""
        course = self.prior.course * np.array([ratio, ratio, 1.0])
        return replace(self, prior=CoursePrior(course / np.linalg.norm(course), self.prior.deviation))


@dataclass(frozen=True)
class Solved:
    """A batch of steps with what explains them."""

    steps: Sequence[Step]
    batch: Batch
    views: Views
    rotation: Rotation
    movement: Movement

    @property
    def still(self) -> NDArray[np.bool_]:
        """(B, N) points that a turn alone explains."""
        return (self.rotation.error_px < INLIER_PX) & self.batch.valid

    @property
    def inlier(self) -> NDArray[np.bool_]:
        """(B, N) points that the movement explains."""
        return (self.movement.error_px < INLIER_PX) & self.batch.valid

    def share(self, which: NDArray[np.bool_]) -> FloatArray:
        """(B,) of each step's points."""
        shares: FloatArray = which.sum(axis=1) / np.maximum(self.batch.valid.sum(axis=1), 1)
        return shares

    @property
    def along_px(self) -> FloatArray:
        """(B,) the median way of points that turning does not explain."""
        q = derotated(self.views, self.movement.turn)
        moved = np.hypot(*np.moveaxis(self.views.second - q, -1, 0)) * self.views.focal_px
        return np.array([float(np.median(row[ok])) if ok.any() else 0.0 for row, ok in zip(moved, self.inlier, strict=True)])


def solved(
    steps: Sequence[Step],
    size_px: tuple[int, int],
    lens: Lens,
    prior: CoursePrior = AHEAD,
    overlay: NDArray[np.bool_] | None = None,
    feedback: Feedback = Feedback(),
) -> Iterator[Solved]:
    """Solve steps, some at a time.

    Args:
        steps: in any order.
        size_px: width and height of the pictures they are of.
        lens: of the camera.
        prior: where it goes.
        overlay: cells whose points do not count.
        feedback: asked to stop and told how far it is.
    """
    for start in range(0, len(steps), _BATCH):
        feedback.check()
        feedback.tell(start / len(steps), "motion", f"Turns and speeds: step {start} of {len(steps)}.")
        part = steps[start : start + _BATCH]
        batch = batch_of(part, size_px, overlay)
        yield _solved(part, batch, lens.focal_px, prior)


def _solved(steps: Sequence[Step], batch: Batch, focal_px: float, prior: CoursePrior) -> Solved:
    views = views_of(batch, focal_px, prior)
    rotation = fit_rotation(views)
    return Solved(steps, batch, views, rotation, fit_movement(views, [rotation.turn, np.zeros_like(rotation.turn)], prior))


def usual_lens(size_px: tuple[int, int], view_deg: float | None = None, told: tuple[float, float] | None = None) -> Lens:
    """The lens to begin with.

    Args:
        size_px: of the pictures.
        view_deg: what the camera sees across the picture's width, where somebody knows it.
        told: what it sees across the longer side by its file's word, and the share by which the focal length may be off.
    """
    if view_deg is not None:
        return Lens(size_px[0] / 2 / math.tan(math.radians(view_deg) / 2), 0.02)
    angle_deg, share = told if told is not None else (USUAL_VIEW_DEG, USUAL_FOCAL_SHARE)
    return Lens(max(size_px) / 2 / math.tan(math.radians(angle_deg) / 2), share)


def lens_of(
    steps: Sequence[Step], turns_rad: FloatArray, size_px: tuple[int, int], usual: Lens, mount: Mount, overlay: NDArray[np.bool_]
) -> Lens:
    """The usual focal length and what the road says of it in the steps that turn most, each by its own error.

    Args:
        steps: of the video, those that are explained.
        turns_rad: by how much each turned, by the usual lens.
        size_px: of the pictures.
        usual: where to begin.
        mount: of the camera, by the usual lens.
        overlay: cells whose points do not count.
    """
    order = np.argsort(-np.abs(turns_rad))
    turning = [i for i in order[:_MOST_TURNING] if abs(turns_rad[i]) > math.radians(_TURNING_DEG)]
    if not mount.known or len(turning) < _LEAST_TURNING:
        return usual
    # Going straight shows how the camera is rolled, which a turn at one speed does not.
    straight = [i for i in order[len(turning) :] if steps[i].length_s < _MOVES_S and abs(turns_rad[i]) < math.radians(_STRAIGHT_DEG)]
    straight = [straight[k] for k in np.linspace(0, len(straight) - 1, min(len(straight), _MOST_STRAIGHT)).astype(np.intp)]
    chosen = [steps[i] for i in sorted([*turning, *straight])]
    course = mount.prior.course
    said = focal_by_road(batch_of(chosen, size_px, overlay), size_px, course[:2] / course[2] * usual.focal_px)
    if said is None:
        return usual
    weights = np.array([usual.share, said[1]]) ** -2.0
    focal_px = math.exp(float(np.average(np.log([usual.focal_px, said[0]]), weights=weights)))
    return Lens(focal_px, float(weights.sum() ** -0.5), own=True)


def looks_elsewhere(steps: Sequence[Step], turns: FloatArray, size_px: tuple[int, int], lens: Lens, overlay: NDArray[np.bool_]) -> bool:
    """Whether the camera does not look along its way: then turns about the vertical cannot be told from its pictures.

    Either courses to the side explain the steps far better than those ahead; or, since uniform flow over flat ground looks like a turn, the camera seems to
    tilt or roll on and on, which no level camera does.

    Args:
        steps: of the video, in order.
        turns: (S, 3) rotation vectors of each, radians.
        size_px: of the pictures.
        lens: of the camera.
        overlay: cells whose points do not count.
    """
    ends_s = np.array([step.end_s for step in steps])
    window_s = min(_TILTING_S, ends_s[-1] - steps[0].start_s)
    net = np.cumsum(turns[:, [0, 2]], axis=0)
    later = np.searchsorted(ends_s, ends_s + window_s - 0.5)
    begun = np.flatnonzero(later < len(steps))
    if len(begun) and np.median(np.abs(net[later[begun]] - net[begun]).max(axis=1)) > math.radians(_TILTED_DEG):
        return True
    far = [step for step in steps if np.median(np.hypot(*(step.second.astype(np.float64) - step.first).T)) > _FAR_PX * PARTS]
    if len(far) < _LEAST_CLEAR:
        return False
    some = [far[i] for i in np.linspace(0, len(far) - 1, min(len(far), _SAMPLED)).astype(np.intp)]
    batch = batch_of(some, size_px, overlay)
    # All points count alike here: it is the road's depth that tells a way to the side from a turn.
    views = Views(batch.first / lens.focal_px, batch.second / lens.focal_px, batch.valid.astype(np.float64), lens.focal_px)
    starts = [fit_rotation(views).turn, np.zeros((len(some), 3))]
    ahead, *elsewhere = (fit_movement(views, starts, prior).cost for prior in (AHEAD, *ELSEWHERE))
    better = (ahead - np.min(elsewhere, axis=0)) / np.maximum(batch.valid.sum(axis=1), 1)
    return float(np.median(better)) > _BETTER


def mount_of(courses: FloatArray, deviations: FloatArray, along_px: FloatArray, turns_rad: FloatArray, good: NDArray[np.bool_]) -> Mount:
    """Where the camera goes, in its own axes, from all steps that say so clearly.

    Args:
        courses: (S, 3) by step, in either sense: a car that backs up goes along the same line.
        deviations: (S, 2) of them, radians.
        along_px: (S,) how far points moved beside the turn.
        turns_rad: (S,) by how much each turned: in a bend a car's front goes inwards.
        good: (S,) whether most points were explained.
    """
    clear = good & (along_px > _CLEAR_PX) & (deviations.max(axis=1) < _CLEAR_RAD)
    straight = clear & (np.abs(turns_rad) < math.radians(0.5))
    used = straight if straight.sum() >= _LEAST_CLEAR else clear
    if used.sum() < _LEAST_CLEAR:
        return Mount(AHEAD, known=False, sideways=False)
    ahead = np.where(courses[used, 2:] < 0, -1.0, 1.0) * courses[used]
    sideways = float(np.median(np.abs(courses[clear, 2]))) < 0.6
    course = np.median(ahead, axis=0)
    course /= np.linalg.norm(course)
    agree = np.arccos(np.clip(ahead @ course, -1, 1)) < _ONE_WAY_RAD
    if sideways or agree.mean() < 0.6 or course[2] < 0.7:
        return Mount(AHEAD, known=False, sideways=sideways)
    course = ahead[agree].mean(axis=0)
    return Mount(CoursePrior(course / np.linalg.norm(course), (0.1, 0.03)), known=True, sideways=False)
