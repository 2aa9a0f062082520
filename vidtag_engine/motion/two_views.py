"""How a camera turned, and which way it went, between two pictures: robust least squares over many pairs at once.

A point at x (image plane at distance 1, x right, y down) is seen at q(x) after the camera has turned by R, and at x' after it has also gone s along the
direction c (unit vector, in the second picture's axes). For a point at depth Z after turning, x' - q = (s / Z) (x' c_z - c_xy): it has moved along the line
through the picture of c, away from it where the camera goes forwards. What is off that line is the error that is made small (Longuet-Higgins 1981; the
epipolar constraint), with Cauchy's weights for what moves by itself, by Levenberg's method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import FloatArray

# Errors of tracking that are usual, pixels: from here on a point counts less. Begun with coarser ones, so that a start that is off is led in.
_SIGMAS_PX = (4.0, 1.5, 0.5, 0.5)
_ROUNDS = (3, 3, 3, 3)
SIGMA_PX = 0.5
INLIER_PX = 1.2
_DAMPING = 1e-6
_LEAST_RADIUS = 0.02  # of the picture's plane about the point the camera moves towards, where no direction of flow is to be told


@dataclass(frozen=True)
class Views:
    """B pairs of pictures as points (B, N, 2) on the plane at distance 1; ``weight`` (B, N) is 0 for points that do not count; focal length in pixels."""

    first: FloatArray
    second: FloatArray
    weight: FloatArray
    focal_px: float


@dataclass(frozen=True)
class Rotation:
    """A camera that only turned.

    Args:
        turn: (B, 3) rotation vectors, radians, that carry a direction of the first picture's axes into the second's (x right, y down, z ahead).
        error_px: (B, N) how far each point is off.
        deviation: (B, 3) standard deviations of ``turn``, radians.
    """

    turn: FloatArray
    error_px: FloatArray
    deviation: FloatArray


@dataclass(frozen=True)
class Movement:
    """A camera that turned and went.

    Args:
        turn: (B, 3) as of :class:`Rotation`.
        course: (B, 3) unit vectors of where the camera went, in the second picture's axes; ahead where that cannot be told.
        error_px: (B, N) how far each point is off its line.
        nearness: (B, N) how far the camera went as a share of each point's depth; negative where it went against ``course``.
        deviation: (B, 3) standard deviations of ``turn``, radians.
        course_deviation: (B, 2) of ``course``, to the right and downwards.
        cost: (B,) robust sum that was made small, to compare focal lengths by.
    """

    turn: FloatArray
    course: FloatArray
    error_px: FloatArray
    nearness: FloatArray
    deviation: FloatArray
    course_deviation: FloatArray
    cost: FloatArray


@dataclass(frozen=True)
class CoursePrior:
    """Where the camera is known to go: a unit vector, and standard deviations to its right and downwards, radians."""

    course: FloatArray
    deviation: tuple[float, float]


AHEAD = CoursePrior(np.array([0.0, 0.0, 1.0]), (0.6, 0.4))
"""Of a camera of which nothing is known yet."""
ELSEWHERE = tuple(CoursePrior(np.array(course), (0.6, 0.6)) for course in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]))
"""Of cameras that look out of a side window, or down."""


def rotation_matrices(turn: FloatArray) -> FloatArray:
    """Rodrigues' formula: (B, 3) rotation vectors to (B, 3, 3)."""
    angle = np.linalg.norm(turn, axis=-1)[:, None, None]
    safe = np.maximum(angle, 1e-12)
    x, y, z = np.moveaxis(turn, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(-1, 3, 3)
    return np.eye(3) + np.sin(angle) / safe * cross + (1 - np.cos(angle)) / safe**2 * cross @ cross


def fit_rotation(views: Views, start: FloatArray | None = None) -> Rotation:
    """The rotations that explain most points best, far ones by themselves where the camera also went."""
    turn: FloatArray = np.zeros((len(views.first), 3)) if start is None else start.copy()
    deviation: FloatArray = np.full_like(turn, np.inf)
    for sigma, rounds in zip(_SIGMAS_PX, _ROUNDS, strict=True):
        for _ in range(rounds):
            q = _turned(views.first, turn)
            off = (views.second - q) * views.focal_px
            weight = views.weight / (1 + (off**2).sum(axis=-1) / sigma**2)
            slope = -_slopes(q) * views.focal_px  # (B, N, 2, 3)
            step, deviation = _solved(slope.reshape(len(turn), -1, 3), off.reshape(len(turn), -1), np.repeat(weight, 2, axis=1))
            turn = _composed(step, turn)
    off = (views.second - _turned(views.first, turn)) * views.focal_px
    return Rotation(turn, np.hypot(off[..., 0], off[..., 1]), deviation)


def fit_movement(views: Views, starts: list[FloatArray], prior: CoursePrior = AHEAD) -> Movement:
    """Rotations and courses that explain most points best.

    Args:
        views: the pairs.
        starts: rotation vectors (B, 3) to begin with; each pair keeps what comes out best.
        prior: where the camera is known to go.
    """
    found = [_moved(views, start, prior) for start in starts]
    best = np.argmin([one.cost for one in found], axis=0)
    rows = np.arange(len(best))

    def chosen(name: str) -> FloatArray:
        return np.stack([getattr(one, name) for one in found])[best, rows]

    names = ("turn", "course", "error_px", "nearness", "deviation", "course_deviation", "cost")
    return Movement(**{name: chosen(name) for name in names})


def _moved(views: Views, start: FloatArray, prior: CoursePrior) -> Movement:
    turn, count = start.copy(), len(start)
    # Of a camera that goes along its own vertical, where "right" is not defined by it, ahead takes the vertical's place.
    right = np.cross([0.0, 1.0, 0.0] if abs(prior.course[1]) < 0.9 else [0.0, 0.0, 1.0], prior.course)
    right /= np.linalg.norm(right)
    down = np.cross(prior.course, right)
    aside: FloatArray = np.zeros((count, 2))  # of the course from the prior, to the right and downwards
    covariance: FloatArray = np.zeros((count, 5))
    for sigma, rounds in zip(_SIGMAS_PX, _ROUNDS, strict=True):
        for _ in range(rounds):
            course = prior.course + aside[:, :1] * right + aside[:, 1:] * down
            q = _turned(views.first, turn)
            off, across, radius, along = _lines(views, q, course)
            off_px = off * views.focal_px
            weight = _trusted(views.weight, along) / (1 + (off_px / sigma) ** 2)
            slope = np.empty((*off.shape, 5))
            slope[..., :3] = (_slopes(q) * across[..., None]).sum(axis=2)  # off = -(x' - q) . across, and x' stays
            for i, axis in enumerate((right, down)):
                swing = (across * (views.second * axis[2] - axis[:2])).sum(axis=-1) / radius
                slope[..., 3 + i] = along * swing
            tie = np.array([0.0, 0.0, 0.0, (SIGMA_PX / prior.deviation[0]) ** 2, (SIGMA_PX / prior.deviation[1]) ** 2])
            step, covariance = _solved(slope * views.focal_px, off_px, weight, tie, np.concatenate([np.zeros((count, 3)), aside], axis=1))
            turn = _composed(np.clip(step[:, :3], -0.2, 0.2), turn)
            aside = np.clip(aside + np.clip(step[:, 3:], -0.3, 0.3), -1.5, 1.5)
    course = prior.course + aside[:, :1] * right + aside[:, 1:] * down
    course /= np.linalg.norm(course, axis=-1, keepdims=True)
    off, _, radius, along = _lines(views, _turned(views.first, turn), course)
    off_px = off * views.focal_px
    cost = (views.weight * np.log1p((off_px / SIGMA_PX) ** 2)).sum(axis=1) + ((aside / np.array(prior.deviation)) ** 2).sum(axis=1)
    return Movement(turn, course, np.abs(off_px), along / radius, covariance[:, :3], covariance[:, 3:], cost)


def _trusted(weight: FloatArray, along: FloatArray) -> FloatArray:
    """Weights that keep what moved far along its line from swinging the course about (Mallows 1975), and halve what went the other way than most."""
    counted = weight > 0
    ordered = np.sort(np.where(counted, np.abs(along), np.inf), axis=1)
    usual = np.take_along_axis(ordered, (counted.sum(axis=1, keepdims=True) // 2).clip(max=along.shape[1] - 1), axis=1)
    usual = np.where(np.isfinite(usual), usual, 0.0)
    sign = np.sign((weight * np.clip(along, -usual, usual)).sum(axis=1, keepdims=True))
    trusted: FloatArray = weight * np.minimum(1.0, (2.0 * usual + 1e-9) / (np.abs(along) + 1e-9)) ** 2
    return np.where(along * sign < -usual, 0.25 * trusted, trusted)


def _lines(views: Views, q: FloatArray, course: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """How far each point is off its line (B, N), the unit vector across it (B, N, 2), its distance from the course's picture, and how far it went along."""
    away = views.second * course[:, None, 2:] - course[:, None, :2]
    radius = np.maximum(np.hypot(away[..., 0], away[..., 1]), _LEAST_RADIUS)
    unit = away / radius[..., None]
    across = np.stack([-unit[..., 1], unit[..., 0]], axis=-1)
    moved = views.second - q
    return -(moved * across).sum(axis=-1), across, radius, (moved * unit).sum(axis=-1)


def _turned(points: FloatArray, turn: FloatArray) -> FloatArray:
    """Where points (B, N, 2) are seen once the camera has turned."""
    matrix = rotation_matrices(turn)
    moved = points @ matrix[:, :, :2].transpose(0, 2, 1) + matrix[:, None, :, 2]
    seen: FloatArray = moved[..., :2] / np.maximum(moved[..., 2:], 0.05)
    return seen


def derotated(views: Views, turn: FloatArray) -> FloatArray:
    """(B, N, 2) where the first picture's points would be seen if the camera had turned alone."""
    return _turned(views.first, turn)


def _slopes(q: FloatArray) -> FloatArray:
    """(B, N, 2, 3) how a seen point moves with a small turn."""
    x, y = q[..., 0], q[..., 1]
    rows = [-x * y, 1 + x**2, -y, -(1 + y**2), x * y, x]
    return np.stack(rows, axis=-1).reshape(*q.shape[:2], 2, 3)


def _composed(step: FloatArray, turn: FloatArray) -> FloatArray:
    """The rotation vector of a small turn after a turn: exact to the second order, and the next round mends the rest."""
    return turn + step + 0.5 * np.cross(step, turn)


def _solved(
    slope: FloatArray, off: FloatArray, weight: FloatArray, tie: FloatArray | None = None, tied: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """The step that makes sum weight (off + slope step)^2 + tie (tied + step)^2 least, and standard deviations of the unknowns (B, K) for the usual error."""
    weighted = slope * weight[..., None]
    across = weighted.transpose(0, 2, 1)
    normal = across @ slope
    target = -(across @ off[..., None])[..., 0]
    if tie is not None and tied is not None:
        normal += np.diag(tie)
        target -= tie * tied
    diagonal = np.einsum("bkk->bk", normal)
    damped = normal + np.eye(normal.shape[1]) * (_DAMPING * diagonal + 1e-6)[:, None, :]
    step = np.linalg.solve(damped, target[..., None])[..., 0]
    spread = (weight * off**2).sum(axis=1) / np.maximum((weight > 0).sum(axis=1) - normal.shape[1], 1)
    variance = (
        np.einsum("bkk->bk", np.linalg.inv(normal + 1e-9 * np.eye(normal.shape[1]) * (1.0 + diagonal)[:, None, :]))
        * np.maximum(spread, 0.1**2)[:, None]
    )
    return step, np.sqrt(np.maximum(variance, 0.0))
