"""How often the course over ground is told, and how often it is wrong: drives through streets, decoded by the real decoder from scores that err as frames do.

The scores are made up, so that every spacing of places can be tried: each frame is most like a place that lies off the true one, by an error that frames share
for some seconds, and one in twelve is most like a place anywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vidtag_engine.geodesy import EARTH_RADIUS_M
from vidtag_engine.trajectory import Decoder, EmissionModel, TransitionModel, course_deg
from vidtag_engine.trajectory.course import LEAST_SPACINGS
from vidtag_engine.types import FloatArray

TITLE = "Course over ground of drives through streets, their scores simulated: share of frames that have one, and how far it is off"
SIDES_M = {25: 3000.0, 100: 6000.0, 250: 12_000.0}  # of the searched square, by the spacing of its places
SPEEDS_MPS = (1.4, 9.0, 20.0)  # on foot, in a town, outside
ERRORS = (0.5, 1.5)  # standard deviations of a frame's error, in spacings
DRIVES, FRAMES = 4, 240
BLOCK_M, TURNS = 150.0, 0.3
_CORNER = (-19.2, 159.9)
_MOVES_MPS, _STANDS_MPS = 0.5, 0.3


def run(seed: int = 0) -> dict[str, Any]:
    """Drives at every spacing, speed and error."""
    result: dict[str, Any] = {}
    every = []
    for spacing_m in SIDES_M:
        found = []
        for speed_mps in SPEEDS_MPS:
            for error in ERRORS:
                for number in range(DRIVES):
                    rng = np.random.default_rng([seed, spacing_m, int(speed_mps), int(10 * error), number])
                    found.append(_drive(rng, float(spacing_m), speed_mps, error * spacing_m))
        every += found
        result |= _figures(f"course_{spacing_m}m", found)
    return result | _figures("course", every)


def _figures(name: str, drives: list[tuple[FloatArray, FloatArray, FloatArray]]) -> dict[str, float]:
    """Of moving frames: per cent that have a course, its median error in degrees, per cent of them more than 45 and 135 off; of standing ones, how many have one."""
    course, true, speed_mps = (np.concatenate(of) for of in zip(*drives, strict=True))
    moves, told = speed_mps > _MOVES_MPS, np.isfinite(course)
    off_deg = np.abs((course - true + 180.0) % 360.0 - 180.0)[moves & told]
    return {
        f"{name}_told_percent": round(100.0 * float(told[moves].mean()), 1),
        f"{name}_median_deg": round(float(np.median(off_deg)), 1),
        f"{name}_over_45_percent": round(100.0 * float((off_deg > 45.0).mean()), 1),
        f"{name}_over_135_percent": round(100.0 * float((off_deg > 135.0).mean()), 1),
        f"{name}_standing_told_percent": round(100.0 * float(told[speed_mps < _STANDS_MPS].mean()), 1),
    }


def _drive(rng: np.random.Generator, spacing_m: float, speed_mps: float, error_m: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Course, true course and true speed of each frame of a drive, one a second."""
    side_m, time_s = SIDES_M[int(spacing_m)], np.arange(FRAMES, dtype=np.float64)
    moments_s = np.arange(0.0, FRAMES + 0.1, 0.25)
    way_m, speed = _way(rng, side_m, speed_mps, moments_s)
    at = {shift: np.stack([np.interp(time_s + shift, moments_s, side) for side in way_m.T], axis=1) for shift in (-1.0, 0.0, 1.0)}
    ahead_m = at[1.0] - at[-1.0]
    axis = np.arange(0.0, side_m + 1.0, spacing_m)
    places_m = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2) + rng.uniform(0.0, spacing_m, 2)
    decoder = Decoder(_degrees(places_m), spacing_m, TransitionModel())
    scores = _scores(rng, at[0.0], places_m, side_m, error_m, spacing_m)
    line = decoder.decode(scores, time_s, EmissionModel(0.15, 0.05)).lat_lon_deg
    course = course_deg(line[:, 0], line[:, 1], time_s, LEAST_SPACINGS * spacing_m)
    return course, np.degrees(np.arctan2(ahead_m[:, 0], ahead_m[:, 1])) % 360.0, np.interp(time_s, moments_s, speed)


def _way(rng: np.random.Generator, side_m: float, speed_mps: float, moments_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Places (N, 2) and speeds (N,) of a drive along square blocks, which turns at some corners and stands some times."""
    place, heading, turned = np.full(2, side_m / 2.0), int(rng.integers(4)), rng.uniform(0.0, 90.0)
    corners = [place]
    for _ in range(int(2.0 * speed_mps * moments_s[-1] / BLOCK_M) + 5):
        if rng.random() < TURNS:
            heading += int(rng.choice([1, 3]))
        for _ in range(4):  # round, where the next block lies outside
            angle = np.radians(90.0 * heading + turned)
            ahead = place + BLOCK_M * np.array([np.sin(angle), np.cos(angle)])
            if (np.abs(ahead / side_m - 0.5) < 0.42).all():
                break
            heading += 1
        place = ahead
        corners.append(place)
    line_m = np.array(corners)
    speed = np.full(len(moments_s), speed_mps * rng.uniform(0.7, 1.3))
    for begin_s in rng.uniform(0.0, moments_s[-1], 2):
        speed[(moments_s >= begin_s) & (moments_s < begin_s + rng.choice([5.0, 15.0, 40.0, 80.0]))] = 0.0
    speed = np.convolve(np.pad(speed, 6, mode="edge"), np.full(13, 1.0 / 13.0), mode="valid")  # it brakes
    along_m = np.cumsum(speed) * (moments_s[1] - moments_s[0])
    marks_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line_m, axis=0), axis=1))])
    return np.stack([np.interp(along_m, marks_m, side) for side in line_m.T], axis=1), speed


def _scores(
    rng: np.random.Generator, true_m: FloatArray, places_m: FloatArray, side_m: float, error_m: float, spacing_m: float
) -> FloatArray:
    """(T, M) how like each frame is to each place."""
    shared = np.exp(-1.0 / 8.0)  # frames' errors last some 8 s
    error = error_m * rng.normal(size=true_m.shape)
    for row in range(1, len(error)):
        error[row] = shared * error[row - 1] + np.sqrt(1.0 - shared**2) * error[row]
    seems_m = true_m + error
    astray = rng.random(len(seems_m)) < 1.0 / 12.0
    seems_m[astray] = rng.uniform(0.0, side_m, (int(astray.sum()), 2))
    apart2 = ((seems_m[:, None] - places_m[None]) ** 2).sum(axis=2)
    result: FloatArray = np.exp(-apart2 / (2.0 * spacing_m**2)).astype(np.float32)
    return result


def _degrees(xy_m: FloatArray) -> FloatArray:
    """(N, 2) lat, lon of places on a plane, east and north of a corner."""
    lat, lon = _CORNER
    return np.stack(
        [lat + np.degrees(xy_m[:, 1] / EARTH_RADIUS_M), lon + np.degrees(xy_m[:, 0] / EARTH_RADIUS_M / np.cos(np.radians(lat)))], axis=1
    )
