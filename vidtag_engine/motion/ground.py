"""Speed in camera heights a second, by the flow of the road in front of the camera: the one length that stays the same through a video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..types import FloatArray
from .two_views import derotated

if TYPE_CHECKING:
    from .solve import Mount, Solved

# Of the road: at least so far below the horizon (tangent), and at most so many camera heights to the side of the camera's way.
_BELOW = 0.07
_ASIDE = 1.6
_ERROR_PX = 0.35
# Votes of one speed: within this share of it, or within their own error.
_KERNEL = 0.07
_MOST_VOTES = 400
_STILL_PX = 0.8
_STILL_SHARE = 0.5


@dataclass(frozen=True)
class Votes:
    """What single points of one step say of the speed.

    Args:
        start_s, end_s: of the step.
        speed: (K,) camera heights a second by points that may be of the road; negative for backwards.
        error: (K,) standard deviations by the error of following points.
        structure: shares of depth a second, the median over all points: the speed where the road is not seen, in a unit of the scene's own.
        still: whether the camera stood.
    """

    start_s: float
    end_s: float
    speed: FloatArray
    error: FloatArray
    structure: float
    still: bool


@dataclass(frozen=True)
class Speed:
    """A speed over a stretch, its standard deviation as a share, and how many votes it rests on; NaN where there are none."""

    value: float
    share: float
    votes: int


def votes_of(found: Solved, mount: Mount) -> list[Votes]:
    """What each step's points say of the speed.

    A point of the road at q (after turning) lies at depth height / (down . q), so the way gone in heights is nearness / (down . q). Cars, kerbs and walls say
    something else each; the road's points agree.
    """
    views, movement = found.views, found.movement
    q = derotated(views, movement.turn)
    down, course = mount.down, mount.prior.course
    below = q @ down[:2] + down[2]
    aside = np.abs(q[..., 0] - course[0] / course[2])
    sign = np.where(movement.course @ course < 0, -1.0, 1.0)[:, None]
    away = views.second * movement.course[:, None, 2:] - movement.course[:, None, :2]
    radius = np.maximum(np.hypot(away[..., 0], away[..., 1]), 0.02)
    way = sign * movement.nearness
    road = found.batch.valid & (below > _BELOW) & (aside < _ASIDE * below)
    near = found.batch.valid & (below > _BELOW)
    still_share, result = found.share(found.still), []
    for i, step in enumerate(found.steps):
        length_s = step.length_s
        chosen = road[i] & found.inlier[i]
        error = _ERROR_PX / views.focal_px / radius[i] / np.maximum(below[i], _BELOW) / length_s
        speed = way[i] / np.maximum(below[i], _BELOW) / length_s
        others = found.inlier[i] & (radius[i] > 0.05)
        structure = float(np.median(way[i][others])) / length_s if others.sum() >= 8 else np.nan
        stands = near[i].sum() < 6 or float(np.median(found.rotation.error_px[i][near[i]])) < _STILL_PX
        still = bool(still_share[i] > _STILL_SHARE and stands)
        result.append(Votes(step.start_s, step.end_s, speed[chosen].astype(np.float32), error[chosen].astype(np.float32), structure, still))
    return result


def speed_of(speed: FloatArray, error: FloatArray) -> Speed:
    """The speed that most votes agree on.

    Args:
        speed: (K,) votes.
        error: (K,) their own standard deviations.
    """
    usable = np.isfinite(speed) & (error < 0.5 * np.abs(speed) + 0.3)
    speed, error = speed[usable], error[usable]
    if len(speed) < 6:
        return Speed(np.nan, np.nan, len(speed))
    if len(speed) > _MOST_VOTES:
        kept = np.linspace(0, len(speed) - 1, _MOST_VOTES).astype(np.intp)
        speed, error = speed[kept], error[kept]
    wide = np.sqrt(error[None, :] ** 2 + (_KERNEL * speed[:, None]) ** 2)
    agree = 1.0 / (1.0 + ((speed[None, :] - speed[:, None]) / wide) ** 2) ** 2
    # Points of small error say more, and a wide kernel must not win by its width.
    weight = 1.0 / (0.3 + error / (np.abs(speed) + 0.1))
    value = float(speed[int(np.argmax(agree @ weight))])
    for _ in range(4):
        off = (speed - value) / np.sqrt(error**2 + (_KERNEL * value) ** 2)
        pull = weight / (1.0 + off**2) ** 2
        value = float((pull * speed).sum() / pull.sum())
    off = (speed - value) / np.sqrt(error**2 + (_KERNEL * value) ** 2)
    near = np.abs(off) < 2.0
    votes = int(near.sum())
    spread = float(np.sqrt(np.mean((speed[near] - value) ** 2))) / max(abs(value), 1e-3)
    # Votes of one interval err together (the same points again and again, one pitch): as if there were a tenth of them.
    share = 0.04 + spread / np.sqrt(max(votes / 10.0, 1.0)) + 0.06 * max(len(speed) / max(votes, 1) - 1.5, 0.0)
    return Speed(value, float(share), votes)
