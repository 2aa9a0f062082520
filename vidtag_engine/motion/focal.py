"""The focal length by the video's own turns over flat ground.

A car's motion is planar, and of a planar motion no pair of pictures tells the focal length by its epipolar lines: only the product with the turn (the optical
axes lie in one plane; Bougnoux 1998). The road's depth does tell. With a focal length that is off by a share d, points of the road seem nearer on one side and
farther on the other while the camera turns by w: nearness = A below + d w x, with A the way gone in camera heights. A camera that is rolled does the
same, by A roll x, whichever way it turns; and a car leans outwards in a bend, by its lateral acceleration. All three are told apart by one regression over
steps that turn by different amounts at different speeds, with what is known of cars' lean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..types import FloatArray, IntArray
from .two_views import CoursePrior, derotated, fit_movement, fit_rotation
from .weights import views_of

if TYPE_CHECKING:
    from .steps import Batch

_VIEWS_DEG = (36.0, 44.0, 52.0, 60.0, 68.0, 76.0, 84.0, 92.0, 101.0, 110.0)
_BELOW = 0.06
_ASIDE = 8.0
_LEAST_ROAD = 14
_LEAST_STEPS = 16
_ERROR_PX = 0.5
# Cars lean by 0 (stiff, or none at all) to 5 degrees at an acceleration of 1 g; cameras are about 1.4 m above the road.
_LEAN_RAD, _LEAN_DEVIATION_RAD = 0.004, 0.004  # at 1 m/s^2
_HEIGHT_M = 1.4
_ROLL_DEVIATION_RAD = 0.05
_DRAWS = 30
_FLOOR = 0.03
_TOGETHER = 1.5
_ROAD_WORTH = 0.1  # of points of the road for the turn, beside those above it


@dataclass(frozen=True)
class _Slopes:
    """By step (S,): way in camera heights, tilt of the road's nearness across the picture and its deviation, turn in radians to the right, seconds."""

    way: FloatArray
    tilt: FloatArray
    deviation: FloatArray
    turn: FloatArray
    length_s: FloatArray


def focal_by_road(batch: Batch, size_px: tuple[int, int], vanishing_px: FloatArray) -> tuple[float, float] | None:
    """The focal length in pixels and its deviation as a share; None where the steps do not tell it.

    Args:
        batch: steps that turn.
        size_px: width and height of the pictures.
        vanishing_px: (2,) where the camera goes to when it goes straight, pixels from the picture's middle: the horizon's height.
    """
    focals = max(size_px) / 2 / np.tan(np.radians(_VIEWS_DEG) / 2)
    slopes = [_slopes(batch, float(focal), vanishing_px) for focal in focals]
    usable = np.all([np.isfinite(one.tilt) for one in slopes], axis=0)
    if usable.sum() < _LEAST_STEPS:
        return None
    rows = np.flatnonzero(usable)
    wrong = [_wrong(one, rows) for one in slopes]
    logs = np.log(focals)
    best = _crossing(logs, np.array([value for value, _ in wrong]))
    if best is None:
        return None
    # Steps beside each other err together: they are drawn in runs.
    rng = np.random.default_rng(0)
    runs = np.array_split(rows, max(min(len(rows) // 6, 24), 3))
    drawn = []
    for _ in range(_DRAWS):
        some = np.concatenate([runs[i] for i in rng.integers(0, len(runs), len(runs))])
        crossing = _crossing(logs, np.array([_wrong(one, some)[0] for one in slopes]))
        drawn.append(np.nan if crossing is None else crossing)
    if np.isnan(drawn).mean() > 0.1:
        return None
    nearest = int(np.argmin(np.abs(logs - best)))
    return math.exp(best), float(np.hypot(np.nanstd(drawn), wrong[nearest][1])) + _FLOOR


def _slopes(batch: Batch, focal_px: float, vanishing_px: FloatArray) -> _Slopes:
    course = np.array([*(vanishing_px / focal_px), 1.0])
    prior = CoursePrior(course / np.linalg.norm(course), (0.15, 0.05))
    views = views_of(batch, focal_px, prior, _ROAD_WORTH)
    movement = fit_movement(views, [fit_rotation(views).turn], prior)
    q = derotated(views, movement.turn)
    below = q[..., 1] - vanishing_px[1] / focal_px
    aside = q[..., 0] - vanishing_px[0] / focal_px
    away = views.second - movement.course[:, None, :2] / movement.course[:, None, 2:]
    error = _ERROR_PX / focal_px / np.maximum(np.hypot(away[..., 0], away[..., 1]), 0.05)
    near = movement.nearness * np.where(movement.course[:, 2:] < 0, -1.0, 1.0)
    road = batch.valid & (below > _BELOW) & (np.abs(aside) < _ASIDE * below) & (movement.error_px < 1.5)
    way, tilt, deviation = np.full((3, len(near)), np.nan)
    for i in range(len(near)):
        chosen = road[i]
        if chosen.sum() < _LEAST_ROAD:
            continue
        found = _plane(np.stack([below[i][chosen], aside[i][chosen]], axis=1), near[i][chosen], error[i][chosen])
        if found is not None:
            way[i], tilt[i], deviation[i] = found
    return _Slopes(way, tilt, deviation, -movement.turn[:, 1], batch.length_s)


def _plane(columns: FloatArray, near: FloatArray, error: FloatArray) -> tuple[float, float, float] | None:
    """Way, tilt and its deviation by the points that agree on one plane; None where hardly any do."""
    ratio = near / columns[:, 0]
    unknown = np.array([float(np.median(ratio)), 0.0])
    cover = np.eye(2)
    for sharp in (6.0, 3.0, 2.0, 1.0, 1.0, 1.0, 1.0):
        off = (near - columns @ unknown) / error
        weight = 1.0 / (1.0 + (off / sharp) ** 2) / error**2
        normal = (columns * weight[:, None]).T @ columns + np.diag([1e-6, 1.0])
        cover = np.linalg.inv(normal)
        unknown = cover @ ((columns * weight[:, None]).T @ near)
    agree = np.abs((near - columns @ unknown) / error) < 2.0
    if agree.sum() < _LEAST_ROAD * 0.7 or agree.mean() < 0.4:
        return None
    return float(unknown[0]), float(unknown[1]), float(np.sqrt(cover[1, 1]))


def _wrong(slopes: _Slopes, rows: IntArray) -> tuple[float, float]:
    """By which share the focal length seems off, and what lean leaves open of it: regression of the tilt on turn, way, and way in a bend."""
    way, tilt, turn, length_s = (one[rows] for one in (slopes.way, slopes.tilt, slopes.turn, slopes.length_s))
    lean = -(way / length_s) * (turn / length_s) * _HEIGHT_M * way
    columns = np.stack([turn, way, lean], axis=1)
    tie = np.diag([0.0, 1.0 / _ROLL_DEVIATION_RAD**2, 1.0 / _LEAN_DEVIATION_RAD**2])
    known = np.array([0.0, 0.0, _LEAN_RAD])
    error = np.maximum(slopes.deviation[rows], 1e-4) * _TOGETHER  # points of one step err together
    unknown, cover = known, np.eye(3)
    for _ in range(8):
        off = (tilt - columns @ unknown) / error
        weight = 1.0 / (1.0 + (off / 2.0) ** 2) / error**2
        cover = np.linalg.inv((columns * weight[:, None]).T @ columns + tie + np.diag([1e-6, 0.0, 0.0]))
        unknown = cover @ ((columns * weight[:, None]).T @ tilt + tie @ known)
    return float(unknown[0]), float(np.sqrt(cover[0, 0]))


def _crossing(logs: FloatArray, wrong: FloatArray) -> float | None:
    """Where a row of values goes through zero for the only time; None where it does not, or does so again and again."""
    changes = np.flatnonzero(np.sign(wrong[:-1]) * np.sign(wrong[1:]) < 0)
    if len(changes) != 1:
        return None
    i = int(changes[0])
    return float(logs[i] + (logs[i + 1] - logs[i]) * wrong[i] / (wrong[i] - wrong[i + 1]))
