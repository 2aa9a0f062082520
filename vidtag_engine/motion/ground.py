"""What single points say of the speed, in camera heights a second, as if they were of the road: the one length that stays the same through a video."""

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
_STILL_PX = 0.8
_FIXED_PX = 0.7
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
    # What stays where it is in a moving picture is fixed to the car, or a car that is followed.
    fixed = np.hypot(*np.moveaxis(found.batch.second - found.batch.first, -1, 0)) < _FIXED_PX
    fixed &= (found.along_px > 2 * _FIXED_PX)[:, None]
    for i, step in enumerate(found.steps):
        length_s = step.length_s
        chosen = road[i] & found.inlier[i] & ~fixed[i]
        error = _ERROR_PX / views.focal_px / radius[i] / np.maximum(below[i], _BELOW) / length_s
        speed = way[i] / np.maximum(below[i], _BELOW) / length_s
        others = found.inlier[i] & (radius[i] > 0.05)
        structure = float(np.median(way[i][others])) / length_s if others.sum() >= 8 else np.nan
        stands = near[i].sum() < 6 or float(np.median(found.rotation.error_px[i][near[i]])) < _STILL_PX
        still = bool(still_share[i] > _STILL_SHARE and stands)
        result.append(Votes(step.start_s, step.end_s, speed[chosen].astype(np.float32), error[chosen].astype(np.float32), structure, still))
    return result
