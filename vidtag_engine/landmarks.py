"""Where a camera stood, from things that are seen in its picture and found on the map.

Each landmark is a point of the upright picture and a place. The horizontal angles between them give the camera's place and bearing by least squares
(resection), and their Gauss-Newton covariance the ellipse that holds the place with 90 %. The camera is a pinhole whose middle is the picture's, about
level: its pitch and roll are unknowns with a prior about zero, since a tilt of two degrees moves a roof top by more than a click does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import chi2, norm

from .geodesy import WGS84, centroid_deg
from .types import FloatArray, InputError

NOISE_PX = 3.0
TILT_DEG = 2.0
FOCAL_SHARE, FOCAL_SPREAD = 0.8, 0.25
"""Where nothing is known of a lens: focal length over the picture's longer side, and the standard deviation of its logarithm (39° to 91° with 95 %)."""
_COVER = 0.9
_ALIKE = 6.0  # in twice the log-likelihood: beyond it another solution is not worth telling
_WIDEST = 0.5  # of the landmarks' distance: a larger ellipse says nothing
_DOUBT = 0.01
_FARTHEST_M = 300_000.0
_STARTS = 8
_FEWEST = 3


@dataclass(frozen=True)
class Landmark:
    """A thing in the picture and on the map.

    Args:
        x_px, y_px: in the upright picture, from its upper left corner.
        lat_deg, lon_deg: on the map.
    """

    x_px: float
    y_px: float
    lat_deg: float
    lon_deg: float


@dataclass(frozen=True)
class LensPrior:
    """What is known of a lens before landmarks speak.

    Args:
        focal_share: focal length over the picture's longer side.
        spread: standard deviation of its natural logarithm.
    """

    focal_share: float = FOCAL_SHARE
    spread: float = FOCAL_SPREAD


COMMON_LENS = LensPrior()


@dataclass(frozen=True)
class CameraPlace:
    """A place from which the landmarks look as they do.

    Args:
        lat_deg, lon_deg: of the camera.
        bearing_deg: that the picture's middle looks to, clockwise from true north.
        fov_deg: horizontal field of view, given or estimated.
        focal_share: focal length over the picture's longer side.
        focal_spread: standard deviation of its natural logarithm; 0 where the field of view was given.
        semi_major_m, semi_minor_m: of the ellipse about the place that holds the camera with 90 %.
        azimuth_deg: of the ellipse's long axis, clockwise from true north, from 0 to below 180.
        residual_px: of each landmark, how far to the right of where it should be it was clicked.
        distance_m: of each landmark from the camera.
        misfit: twice the negative log-likelihood; what solutions are ranked by.
    """

    lat_deg: float
    lon_deg: float
    bearing_deg: float
    fov_deg: float
    focal_share: float
    focal_spread: float
    semi_major_m: float
    semi_minor_m: float
    azimuth_deg: float
    residual_px: tuple[float, ...]
    distance_m: tuple[float, ...]
    misfit: float


@dataclass(frozen=True)
class Resection:
    """What landmarks tell.

    Args:
        places: the best, and others that explain the clicks about as well; more than one is ambiguous.
        notes: sentences on what does not fit, and what would help.
        suspect: number of the landmark, from 0, without which all others fit; None where there is none or it cannot be told.
    """

    places: tuple[CameraPlace, ...]
    notes: tuple[str, ...] = ()
    suspect: int | None = None

    @property
    def ambiguous(self) -> bool:
        """Whether the clicks fit several places."""
        return len(self.places) > 1


@dataclass(frozen=True)
class _Camera:
    """What is told of the camera and of whoever clicked; see :func:`locate_camera`."""

    width_px: float
    height_px: float
    fov_deg: float | None
    noise_px: float
    tilt_deg: float
    lens: LensPrior

    @property
    def focal_px(self) -> float | None:
        return None if self.fov_deg is None else self.width_px / 2 / math.tan(math.radians(self.fov_deg) / 2)


@dataclass(frozen=True)
class _Clicks:
    """The problem on a plane about a point: x east, y north, in units of ``unit_m``, where azimuths from the point are exact."""

    lat_deg: float
    lon_deg: float
    unit_m: float
    east_north: FloatArray
    right_up_px: FloatArray
    width_px: float
    longer_px: float
    noise_px: float
    focal_px: float | None
    tilt_rad: float
    lens: LensPrior

    @property
    def unknowns(self) -> int:
        return 3 + (self.focal_px is None) + 2 * (self.tilt_rad > 0)

    def focal(self, values: FloatArray) -> float:
        """Focal length of a solution, px."""
        if self.focal_px is not None:
            return self.focal_px
        return self.lens.focal_share * self.longer_px * math.exp(self.lens.spread * values[3])

    def angles(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of each click the angle right of the picture's middle, and how far a pixel turns it, radians."""
        focal_px = self.focal(values)
        pitch, roll = values[-2:] * self.tilt_rad if self.tilt_rad > 0 else (0.0, 0.0)
        right, up = self.right_up_px.T
        level, height = right * math.cos(roll) - up * math.sin(roll), right * math.sin(roll) + up * math.cos(roll)
        ahead = focal_px * math.cos(pitch) - height * math.sin(pitch)
        return np.arctan2(level, ahead), np.abs(ahead) / (ahead**2 + level**2)

    def residuals(self, values: FloatArray) -> FloatArray:
        """Of the angles in standard deviations, then of the unknowns that have a prior. Unknowns: east, north, bearing, [focal], [pitch, roll]."""
        seen, turn = self.angles(values)
        azimuth = np.arctan2(self.east_north[:, 0] - values[0], self.east_north[:, 1] - values[1])
        off = (seen - azimuth + values[2] + np.pi) % (2 * np.pi) - np.pi
        return np.concatenate([off / (turn * self.noise_px), values[3:]])


def locate_camera(
    landmarks: Sequence[Landmark],
    width_px: float,
    height_px: float,
    *,
    fov_deg: float | None = None,
    noise_px: float = NOISE_PX,
    tilt_deg: float = TILT_DEG,
    lens: LensPrior = COMMON_LENS,
) -> Resection:
    """Where the camera stood, and whither it looked.

    Args:
        landmarks: at least three; with four the field of view need not be known.
        width_px, height_px: of the upright picture.
        fov_deg: horizontal field of view; None lets the landmarks and ``lens`` tell.
        noise_px: standard deviation of a click, horizontally.
        tilt_deg: standard deviation of the camera's pitch and of its roll about level; 0 is exactly level.
        lens: what is known of the lens where the field of view is not; common lenses where nothing is.

    Returns:
        The place, or the places that fit about equally well.

    Raises:
        InputError: there are too few landmarks, one is impossible, or they do not fix a place.
    """
    _check(landmarks, width_px, height_px, fov_deg, noise_px, tilt_deg)
    camera = _Camera(width_px, height_px, fov_deg, noise_px, tilt_deg, lens)
    found = _places(landmarks, camera)
    if not found:
        raise InputError(f"No place fits these landmarks: {_degenerate(landmarks)}.")
    best = found[0]
    if best.semi_major_m > _WIDEST * float(np.mean(best.distance_m)):
        raise InputError(_too_wide(landmarks, best, fov_deg))
    places = tuple(one for one in found if one.misfit <= best.misfit + _ALIKE)
    notes = []
    if len(places) > 1:
        notes.append(
            f"These landmarks fit {len(places)} places about equally well: add a landmark, best one nearer or farther than the others."
        )
    freedom = len(landmarks) - 3  # field of view and tilt are unknowns that bring an observation each, their priors
    suspect = None
    if freedom > 0 and best.misfit > chi2.ppf(1 - _DOUBT, freedom):
        suspect = _suspect(landmarks, camera)
        worst = f"landmark {suspect + 1} does not fit the others" if suspect is not None else "the landmarks do not fit together"
        notes.append(f"The clicks are farther off than {noise_px:g} px explain, {worst}: check it in the picture and on the map.")
    return Resection(places, tuple(notes), suspect)


def as_values(found: Resection) -> dict[str, Any]:
    """What was found as plain values, for JSON."""
    return {
        "ambiguous": found.ambiguous,
        "places": [{**vars(one), "residual_px": list(one.residual_px), "distance_m": list(one.distance_m)} for one in found.places],
        "notes": list(found.notes),
        "suspect": found.suspect,
    }


def _check(
    landmarks: Sequence[Landmark], width_px: float, height_px: float, fov_deg: float | None, noise_px: float, tilt_deg: float
) -> None:
    if len(landmarks) < _FEWEST:
        raise InputError(
            f"Too few landmarks to find a place by ({len(landmarks)}): give at least three, or four where the field of view is not known."
        )
    if not (0 < width_px < math.inf and 0 < height_px < math.inf):
        raise InputError(f"A picture of {width_px:g} × {height_px:g} px cannot be: give its width and height in pixels.")
    if fov_deg is not None and not 1 <= fov_deg <= 170:  # what a pinhole camera can have
        raise InputError(f"The field of view of {fov_deg:g}° is not usable: give the picture's horizontal one, from 1 to 170 degrees.")
    if not (0 < noise_px < math.inf and 0 <= tilt_deg <= 20):  # beyond it the linear model fails
        raise InputError("The clicks' noise must be a positive number of pixels, and the tilt 0 to 20 degrees: correct them.")
    for number, one in enumerate(landmarks, 1):
        if not (0 <= one.x_px <= width_px and 0 <= one.y_px <= height_px):
            raise InputError(
                f"Landmark {number} at {one.x_px:g},{one.y_px:g} lies outside the picture of {width_px:g} × {height_px:g} px: correct it."
            )
        if not (abs(one.lat_deg) <= 90 and abs(one.lon_deg) <= 180):  # degrees
            raise InputError(f"Landmark {number} at {one.lat_deg:g},{one.lon_deg:g} is not on Earth: give latitude,longitude in degrees.")
        for other, before in enumerate(landmarks[: number - 1], 1):
            apart_m = WGS84.inv(one.lon_deg, one.lat_deg, before.lon_deg, before.lat_deg)[2]
            if apart_m < 0.5:  # metres: the same thing clicked twice
                raise InputError(f"Landmarks {other} and {number} lie at the same place on the map: give different ones.")
            if apart_m > _FARTHEST_M:
                raise InputError(
                    f"Landmarks {other} and {number} lie {apart_m / 1000:,.0f} km apart, and no picture shows both: correct their places."
                )


def _clicks(landmarks: Sequence[Landmark], about: tuple[float, float], camera: _Camera) -> _Clicks:
    """The problem on the azimuthal equidistant plane about a place (latitude, longitude)."""
    count = len(landmarks)
    azimuth, _, away_m = WGS84.inv(
        np.full(count, about[1]), np.full(count, about[0]), [one.lon_deg for one in landmarks], [one.lat_deg for one in landmarks]
    )
    angle, away_m = np.radians(azimuth), np.asarray(away_m)
    unit_m = max(float(away_m.max()), 1.0)
    return _Clicks(
        *about,
        unit_m,
        np.stack([np.sin(angle), np.cos(angle)], axis=1) * away_m[:, None] / unit_m,
        np.array([(one.x_px - camera.width_px / 2, camera.height_px / 2 - one.y_px) for one in landmarks], dtype=np.float64),
        camera.width_px,
        max(camera.width_px, camera.height_px),
        camera.noise_px,
        camera.focal_px,
        math.radians(camera.tilt_deg),
        camera.lens,
    )


def _starts(clicks: _Clicks) -> list[FloatArray]:
    """Where to begin: the deepest valleys of the misfit over a net of places at all distances and, where it is unknown, three fields of view."""
    radius, azimuth = np.geomspace(0.05, 20, 40), np.radians(np.arange(0, 360, 6))
    east, north = np.outer(radius, np.sin(azimuth)), np.outer(radius, np.cos(azimuth))
    toward = np.arctan2(clicks.east_north[:, 0] - east[..., None], clicks.east_north[:, 1] - north[..., None])
    found: list[tuple[float, FloatArray]] = []
    for focal in (0.0,) if clicks.focal_px is not None else (-1.5, 0.0, 1.5):
        rest = np.zeros(clicks.unknowns - 3)
        if clicks.focal_px is None:
            rest[0] = focal
        seen, turn = clicks.angles(np.concatenate([np.zeros(3), rest]))
        turned = np.exp(1j * (toward - seen))
        bearing = np.angle((turned / turn**2).sum(axis=-1))
        misfit = ((np.angle(turned * np.exp(-1j * bearing)[..., None]) / (turn * clicks.noise_px)) ** 2).sum(axis=-1)
        around = np.pad(np.concatenate([misfit[:, -1:], misfit, misfit[:, :1]], axis=1), ((1, 1), (0, 0)), constant_values=np.inf)
        windows = np.lib.stride_tricks.sliding_window_view(around, (3, 3)).min(axis=(2, 3))
        for row, column in zip(*np.nonzero(misfit <= windows), strict=True):
            values = np.concatenate([[east[row, column], north[row, column], bearing[row, column]], rest])
            found.append((float(misfit[row, column]), values))
    return [values for _, values in sorted(found, key=lambda one: one[0])[:_STARTS]]


def _places(landmarks: Sequence[Landmark], camera: _Camera) -> list[CameraPlace]:
    """Every place in which the least squares end, the best first."""
    middle = centroid_deg(np.array([one.lat_deg for one in landmarks]), np.array([one.lon_deg for one in landmarks]))
    clicks = _clicks(landmarks, middle, camera)
    ends: list[Any] = []
    for start in _starts(clicks):
        end = _fitted(clicks, start)
        if not any(np.hypot(*(end.x[:2] - other.x[:2])) < 0.01 for other in ends):  # of the landmarks' extent
            ends.append(end)
    ends.sort(key=lambda end: end.cost)
    found = [_place_of(landmarks, clicks, end, camera) for end in ends if end.cost <= ends[0].cost + _ALIKE]
    return sorted((one for one in found if one is not None), key=lambda one: one.misfit)


def _fitted(clicks: _Clicks, start: FloatArray) -> Any:
    return least_squares(clicks.residuals, start, method="trf", x_scale="jac", max_nfev=100, xtol=1e-12, ftol=1e-12)


def _place_of(landmarks: Sequence[Landmark], clicks: _Clicks, end: Any, camera: _Camera) -> CameraPlace | None:
    """The place that a solution means, fitted once more on a plane about itself, where azimuths are exact; None where it has no ellipse."""
    azimuth = math.degrees(math.atan2(end.x[0], end.x[1]))
    lon, lat, _ = WGS84.fwd(clicks.lon_deg, clicks.lat_deg, azimuth, math.hypot(end.x[0], end.x[1]) * clicks.unit_m)
    about = _clicks(landmarks, (lat, lon), camera)
    end = _fitted(about, np.concatenate([[0.0, 0.0], end.x[2:]]))
    try:
        covariance = np.linalg.inv(end.jac.T @ end.jac)
    except np.linalg.LinAlgError:
        return None
    centre, bearing, spread, quantile = end.x[:2], float(end.x[2]), covariance[:2, :2], float(chi2.ppf(_COVER, 2))
    focal_spread = (
        0.0 if about.focal_px is not None else about.lens.spread * math.sqrt(max(float(covariance[3, 3]), 0.0)) or about.lens.spread
    )
    if about.focal_px is None and len(landmarks) == _FEWEST:
        focal_spread = about.lens.spread  # three angles leave nothing to tell of it
        centre, bearing, spread = _over_lenses(about, end.x)
    values, axes = np.linalg.eigh(spread * about.unit_m**2)
    if not np.isfinite(values).all() or values[0] <= 0:
        return None
    lon, lat, _ = WGS84.fwd(lon, lat, math.degrees(math.atan2(centre[0], centre[1])), math.hypot(*centre) * about.unit_m)
    seen, turn = about.angles(end.x)
    away_m = WGS84.inv(
        np.full(len(landmarks), lon), np.full(len(landmarks), lat), [o.lon_deg for o in landmarks], [o.lat_deg for o in landmarks]
    )[2]
    return CameraPlace(
        float(lat), float(lon), math.degrees(bearing) % 360.0, 2 * math.degrees(math.atan(about.width_px / 2 / about.focal(end.x))),
        about.focal(end.x) / about.longer_px, focal_spread,
        math.sqrt(quantile * values[1]), math.sqrt(quantile * values[0]), math.degrees(math.atan2(axes[0, 1], axes[1, 1])) % 180.0,
        tuple((about.residuals(end.x)[: len(seen)] * about.noise_px).tolist()), tuple(np.asarray(away_m).tolist()), float(2 * end.cost),
    )  # fmt: skip


def _over_lenses(clicks: _Clicks, best: FloatArray) -> tuple[FloatArray, float, FloatArray]:
    """Three landmarks without a field of view: each lens has its own place, along a bend that no tangent follows.

    So the place is solved for lenses at even steps of the prior, and the mean and spread are those of these places with their own errors.

    Returns:
        the place and the bearing in the middle, and the covariance of the place, in the units of ``clicks``.
    """
    steps = norm.ppf((np.arange(32) + 0.5) / 32)
    solved: dict[int, Any] = {}
    for order in (np.argsort(np.abs(steps))[::2], np.argsort(np.abs(steps))[1::2]):
        values = np.delete(best, 3)
        for step in order:
            one = replace(clicks, focal_px=clicks.focal(np.array([0.0, 0.0, 0.0, steps[step]])))
            end = _fitted(one, values)
            solved[step], values = end, end.x
    fits = [end for _, end in sorted(solved.items()) if end.cost < _ALIKE]
    if len(fits) < len(steps) // 4:
        return best[:2], float(best[2]), np.full((2, 2), np.nan)
    places = np.array([end.x[:2] for end in fits])
    own = np.mean([np.linalg.pinv(end.jac.T @ end.jac)[:2, :2] for end in fits], axis=0)
    bearing = float(np.angle(np.exp(1j * np.array([end.x[2] for end in fits])).mean()))
    return places.mean(axis=0), bearing, np.cov(places.T) + own


def _suspect(landmarks: Sequence[Landmark], camera: _Camera) -> int | None:
    """The one landmark without which the others fit; None where there is not just one, or too few are left to tell."""
    freedom = len(landmarks) - 1 - 3
    if freedom < 1:
        return None
    fits = []
    for number in range(len(landmarks)):
        others = [*landmarks[:number], *landmarks[number + 1 :]]
        found = _places(others, camera)
        if found and found[0].misfit < chi2.ppf(1 - _DOUBT, freedom):
            fits.append(number)
    return fits[0] if len(fits) == 1 else None


def _too_wide(landmarks: Sequence[Landmark], best: CameraPlace, fov_deg: float | None) -> str:
    wide = f"The place would be known to {best.semi_major_m:,.0f} m only, with landmarks {np.mean(best.distance_m):,.0f} m away"
    if fov_deg is None and len(landmarks) == _FEWEST:
        return f"{wide}: give the camera's field of view, or a fourth landmark."
    return f"{wide}: {_degenerate(landmarks)}."


def _degenerate(landmarks: Sequence[Landmark]) -> str:
    """Why landmarks do not fix a place, as a clause, and what to do."""
    lats, lons = np.array([one.lat_deg for one in landmarks]), np.array([one.lon_deg for one in landmarks])
    flat = np.column_stack([(lons - lons[0] + 180) % 360 - 180, lats - lats[0]]) * [math.cos(math.radians(lats.mean())), 1.0]
    spread = np.linalg.svd(flat - flat.mean(axis=0), compute_uv=False)
    if spread[1] < 0.02 * spread[0]:  # two in a hundred are a line to the eye
        return "they lie in one line, and so may the camera; add a landmark off that line"
    return (
        "they lie with the camera near one circle, or too close together in the picture; add a landmark nearer or farther than the others"
    )
