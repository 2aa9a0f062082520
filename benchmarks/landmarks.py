"""Where a camera stood by landmarks: simulated cameras, clicks that are 3 px off, and the ellipse's promise held to the truth.

The truth is made by geodesics on WGS 84 and turning matrices, which the engine does not use. The camera is tilted by two degrees (one
standard deviation of pitch and of roll), its lens is drawn from common ones, and the landmarks rise up to 25 m.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

from vidtag_engine.commands.landmark_lens import lens_by_others
from vidtag_engine.landmarks import COMMON_LENS, FOCAL_SHARE, FOCAL_SPREAD, NOISE_PX, TILT_DEG, Landmark, LensPrior, locate_camera
from vidtag_engine.types import InputError

TITLE = "Landmarks: a camera's place from three to five clicks, simulated"
WIDTH_PX, HEIGHT_PX = 1920, 1080
GEOD = Geod(ellps="WGS84")
_NEAREST_M, _FARTHEST_M, _HIGHEST_M, _EYE_M, _APART_DEG = 80.0, 1500.0, 25.0, 1.5, 4.0
TOLD_SPREAD = 0.1
_TRIALS = 400


def scene(
    rng: np.random.Generator, count: int, noise_px: float = NOISE_PX, tilt_deg: float = TILT_DEG, focal_px: float | None = None
) -> tuple[list[Landmark], tuple[float, float], float, float]:
    """Clicks on landmarks that a camera sees.

    Args:
        rng: of everything random.
        count: of landmarks.
        noise_px: standard deviation of a click.
        tilt_deg: standard deviation of pitch and of roll.
        focal_px: of the lens; None draws a common one.

    Returns:
        the landmarks, the camera's latitude and longitude, its bearing and its horizontal field of view in degrees.
    """
    if focal_px is None:
        focal_px = WIDTH_PX * FOCAL_SHARE * math.exp(FOCAL_SPREAD * rng.normal())
    half = math.atan(WIDTH_PX / 2 / focal_px)
    lat, lon, bearing = rng.uniform(-60, 60), rng.uniform(-180, 180), rng.uniform(0, 360)
    while True:
        aside = rng.uniform(-half, half, count)
        away_m = np.exp(rng.uniform(math.log(_NEAREST_M), math.log(_FARTHEST_M), count))
        above = np.arctan2(rng.uniform(-_EYE_M, _HIGHEST_M, count), away_m)
        pitch, roll = np.radians(tilt_deg) * rng.normal(size=2)
        x_px, y_px = _seen(aside, above, pitch, roll, focal_px) + noise_px * rng.normal(size=(2, count))
        inside = (x_px >= 0) & (x_px <= WIDTH_PX) & (y_px >= 0) & (y_px <= HEIGHT_PX)
        if inside.all() and np.diff(np.sort(aside)).min() > math.radians(_APART_DEG):
            break
    lons, lats, _ = GEOD.fwd(np.full(count, lon), np.full(count, lat), bearing + np.degrees(aside), away_m)
    clicks = [Landmark(*map(float, one)) for one in zip(x_px, y_px, lats, lons, strict=True)]
    return clicks, (lat, lon), bearing, 2 * math.degrees(half)


def _seen(aside: NDArray[Any], above: NDArray[Any], pitch: float, roll: float, focal_px: float) -> NDArray[Any]:
    """(2, N) pixels of directions, by turning the camera with matrices."""
    rays = np.stack([np.cos(above) * np.sin(aside), np.cos(above) * np.cos(aside), np.sin(above)])  # right, ahead, up
    nod = np.array([[1, 0, 0], [0, math.cos(pitch), math.sin(pitch)], [0, -math.sin(pitch), math.cos(pitch)]])
    lean = np.array([[math.cos(roll), 0, math.sin(roll)], [0, 1, 0], [-math.sin(roll), 0, math.cos(roll)]])
    right, ahead, up = lean @ nod @ rays
    return np.stack([WIDTH_PX / 2 + focal_px * right / ahead, HEIGHT_PX / 2 - focal_px * up / ahead])


def holds(place: Any, truth: tuple[float, float]) -> bool:
    """Whether a place's ellipse holds the truth, by the geodesic between them."""
    azimuth, _, away_m = GEOD.inv(place.lon_deg, place.lat_deg, truth[1], truth[0])
    turned = math.radians(azimuth - place.azimuth_deg)
    return (away_m * math.cos(turned) / place.semi_major_m) ** 2 + (away_m * math.sin(turned) / place.semi_minor_m) ** 2 <= 1


def lens_told(rng: np.random.Generator, fov_deg: float) -> LensPrior:
    """A lens as a file tells it: off by a tenth of the focal length."""
    return LensPrior(0.5 / math.tan(math.radians(fov_deg) / 2) * math.exp(TOLD_SPREAD * rng.normal()), TOLD_SPREAD)


def lens_seen(rng: np.random.Generator, fov_deg: float) -> LensPrior:
    """A lens by five landmarks that were clicked in another frame of the same video."""
    focal_px = WIDTH_PX / 2 / math.tan(math.radians(fov_deg) / 2)
    other, *_ = scene(rng, 5, focal_px=focal_px)
    return lens_by_others([(other, (WIDTH_PX, HEIGHT_PX))], noise_px=NOISE_PX, tilt_deg=TILT_DEG) or COMMON_LENS


def measure(
    rng: np.random.Generator,
    count: int,
    *,
    known: bool,
    trials: int,
    assumed_tilt_deg: float = TILT_DEG,
    lens: Callable[[np.random.Generator, float], LensPrior] | None = None,
) -> dict[str, float]:
    """Error, cover and refusals of many cameras with so many landmarks.

    Args:
        rng: of everything random.
        count: of landmarks.
        known: whether the engine is told the field of view.
        trials: cameras.
        assumed_tilt_deg: what the engine is told.
        lens: what it knows of the lens, by the true horizontal field of view in degrees; None: nothing.
    """
    shares, covered, refused, ambiguous = [], [], 0, 0
    for _ in range(trials):
        clicks, truth, _, fov_deg = scene(rng, count)
        try:
            found = locate_camera(
                clicks,
                WIDTH_PX,
                HEIGHT_PX,
                fov_deg=fov_deg if known else None,
                tilt_deg=assumed_tilt_deg,
                lens=lens(rng, fov_deg) if lens else COMMON_LENS,
            )
        except InputError:
            refused += 1
            continue
        if found.ambiguous:
            ambiguous += 1
            continue
        place = found.places[0]
        shares.append(GEOD.inv(place.lon_deg, place.lat_deg, truth[1], truth[0])[2] / float(np.mean(place.distance_m)))
        covered.append(holds(place, truth))
    return {
        "error_share": float(np.median(shares)),
        "cover_90": float(np.mean(covered)),
        "refused": refused / trials,
        "ambiguous": ambiguous / trials,
    }


def run(*, seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Three, four and five landmarks, with the field of view known and not; three where the file or another frame tells it; five as if the camera were level.

    Returns:
        by row ``error_share`` (median error over the mean distance of the landmarks), ``cover_90``, ``refused`` and ``ambiguous`` (shares of all cameras);
        ``landmark_error_share`` and ``landmark_cover_90`` are the medians' mean and the mean cover of the rows with a known field of view.
    """
    rng = np.random.default_rng(seed)
    trials = _TRIALS // 10 if quick else _TRIALS
    rows = {
        f"{count}_{'known' if known else 'unknown'}": measure(rng, count, known=known, trials=trials if known or count > 3 else trials // 2)
        for known in (True, False)
        for count in (3, 4, 5)
    }
    rows["3_told"] = measure(rng, 3, known=False, trials=trials, lens=lens_told)
    rows["3_after_another_frame"] = measure(rng, 3, known=False, trials=trials, lens=lens_seen)
    rows["5_known_assumed_level"] = measure(rng, 5, known=True, trials=trials, assumed_tilt_deg=0.0)
    mine = [rows[f"{count}_known"] for count in (3, 4, 5)]
    return {
        **rows,
        "landmark_error_share": float(np.mean([row["error_share"] for row in mine])),
        "landmark_cover_90": float(np.mean([row["cover_90"] for row in mine])),
    }
