"""How far a track's clock is off a video's: found from when the picture turns and moves, and when the track does.

A turn to the right moves the whole picture to the left, whatever the camera's lens; a picture changes little while the vehicle stands. Both signals are laid
on the track's turning rate and speed at every offset, and the offset at which they fit is taken only where it stands out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..geodesy import WGS84
from ..types import FloatArray, Track

REACH_S = 60.0  # offsets that are tried, to both sides
_STEP_S = 0.1
_SMOOTH_S = 0.8  # of all signals alike: fixes a second apart say no more
_LONGEST_GAP_S = 5.0  # between fixes, over which speed and direction still mean something
_LEAST_RATE_HZ = 3.0  # of the pictures: slower ones are stills, which do not tell when something happened
_LEAST_VIDEO_S = 20.0
_LEAST_OVERLAP_S = 15.0
_SLOW_MPS = 1.5  # below this the direction of a track is the receiver's noise
# Chosen on simulated drives that no figure is reported on (``python -m benchmarks offset --seed dev``).
LEAST_TURNS = 2
LEAST_MARGIN = 4.0  # natural logarithms of the likelihood, over every other offset
LEAST_FIT = 0.4  # correlation of the picture's turning with the track's
_MEMORY_S = 3.0  # over which the signals say the same again
_NEAR_S = 3.0  # offsets this close to the best are the same answer
# The sharpest turn that counts in full, so that one does not outweigh all others: degrees a second, and widths of a usual camera's picture.
_SHARP_DPS, _SHARP_WIDTHS = 30.0, 0.45
_CLEARLY, _LEAST_WIDTHS = 5.0, 0.03  # a turn in the picture: over so many median deviations, and so many widths a second
_TURN_DEG, _TURN_WITHIN_S = 30.0, 6.0  # what counts as a turn


@dataclass(frozen=True)
class ClockOffset:
    """What is to be added to a track's times, and how sure that is.

    Args:
        offset_s: added to the track's clock; 0 where ``sure`` is False and nothing better is known.
        sure: whether it stands out enough to be applied.
        margin: how much better it fits than the best offset elsewhere, in natural logarithms of the likelihood.
        fit: correlation of the picture's turning with the track's at that offset, -1 to 1.
        turns: that picture and track share at that offset.
        why: where it is not sure, a clause that says why; else empty.
    """

    offset_s: float
    sure: bool
    margin: float = 0.0
    fit: float = 0.0
    turns: int = 0
    why: str = ""


@dataclass(frozen=True)
class _Course:
    """A track's speed and turning rate on an even clock that starts at ``start_s``; NaN where its fixes do not tell."""

    start_s: float
    speed_mps: FloatArray
    turn_dps: FloatArray


def find_clock_offset(
    track: Track, time_s: FloatArray, gap_s: FloatArray, shift: FloatArray, change: FloatArray, *, start_s: float = 0.0
) -> ClockOffset:
    """Find what must be added to a track's times so that it turns and moves when the picture does.

    Args:
        track: at least some fixes.
        time_s: (n,) moments at which the picture's motion was measured, seconds after the video's start, ascending.
        gap_s: (n,) seconds between the two pictures that were compared.
        shift: (n,) motion of the picture's content to the right, in widths of the picture a second.
        change: (n,) how much of the picture changed, at least 0.
        start_s: the video's start on the track's clock, as far as it is known.
    """
    if len(time_s) < 2 or (length_s := float(time_s[-1] - time_s[0])) < _LEAST_VIDEO_S:
        return ClockOffset(0.0, sure=False, why=f"fewer than {_LEAST_VIDEO_S:.0f} s of the video can be looked at")
    if np.median(gap_s) > 1.0 / _LEAST_RATE_HZ:
        return ClockOffset(0.0, sure=False, why=f"its pictures follow each other more slowly than {_LEAST_RATE_HZ:.0f} a second")
    course = _course(track, start_s - REACH_S - _NEAR_S, start_s + float(time_s[-1]) + REACH_S + _NEAR_S)
    if course is None:
        return ClockOffset(0.0, sure=False, why="the track has too few fixes about the time of the video")
    grid_s = np.arange(0.0, length_s, _STEP_S) + float(time_s[0])
    turning = np.clip(_smooth(_resampled(grid_s, time_s, -shift)), -_SHARP_WIDTHS, _SHARP_WIDTHS)
    moving = _smooth(_resampled(grid_s, time_s, np.log(np.maximum(change / np.minimum(gap_s, 0.2), 1e-3))))
    offsets_s, score, fits = _correlogram(course, grid_s + start_s, turning, moving)
    return _judge(course, offsets_s, score, fits, grid_s + start_s, turning)


def _course(track: Track, from_s: float, to_s: float) -> _Course | None:
    """Speed and turning rate of a track between two moments of its clock; None where it has no two fixes there."""
    known = np.isfinite(track.time_s) & np.isfinite(track.lat_deg) & np.isfinite(track.lon_deg)
    time_s, first = np.unique(np.asarray(track.time_s, dtype=np.float64)[known], return_index=True)
    lat, lon = track.lat_deg[known][first], track.lon_deg[known][first]
    inside = (time_s >= from_s) & (time_s <= to_s)
    time_s, lat, lon = time_s[inside], lat[inside], lon[inside]
    if len(time_s) < 5:
        return None
    azimuth, _, way_m = WGS84.inv(np.full(len(lon), lon[0]), np.full(len(lat), lat[0]), lon, lat)
    azimuth = np.deg2rad(azimuth)
    grid_s = np.arange(time_s[0], time_s[-1], _STEP_S)
    x_m, y_m = (_smooth(np.interp(grid_s, time_s, way_m * part)) for part in (np.sin(azimuth), np.cos(azimuth)))
    east, north = np.gradient(x_m, _STEP_S), np.gradient(y_m, _STEP_S)
    speed = np.hypot(east, north)
    # The rate at which the direction turns, without the direction itself, which jumps while standing.
    turn = np.rad2deg((np.gradient(east, _STEP_S) * north - np.gradient(north, _STEP_S) * east) / np.maximum(speed, _SLOW_MPS) ** 2)
    right = np.clip(np.searchsorted(time_s, grid_s, side="right"), 1, len(time_s) - 1)
    silent = time_s[right] - time_s[right - 1] > _LONGEST_GAP_S
    turn = np.where(speed < _SLOW_MPS, 0.0, turn)
    return _Course(float(grid_s[0]), np.where(silent, np.nan, speed), np.where(silent, np.nan, turn))


def _resampled(grid_s: FloatArray, time_s: FloatArray, values: FloatArray) -> FloatArray:
    resampled: FloatArray = np.interp(grid_s, time_s, values)
    return resampled


def _smooth(values: FloatArray) -> FloatArray:
    """Values on the even grid, smoothed; the ends are held."""
    reach = round(4 * _SMOOTH_S / _STEP_S)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * _STEP_S / _SMOOTH_S) ** 2)
    smoothed: FloatArray = np.convolve(np.pad(values, reach, mode="edge"), kernel / kernel.sum(), mode="valid")
    return smoothed


def _correlogram(
    course: _Course, clock_s: FloatArray, turning: FloatArray, moving: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Offsets (k,), log-likelihood ratio of each against no connection at all (k,), and the correlation of turning (k,); NaN where too little overlaps.

    An offset moves the track: at the video's moment t the track's own clock says t - offset.
    """
    offsets_s = np.arange(-REACH_S, REACH_S + _STEP_S / 2, _STEP_S)
    score, fits = np.full(len(offsets_s), np.nan), np.full(len(offsets_s), np.nan)
    count = len(course.speed_mps)
    for number, offset_s in enumerate(offsets_s):
        first = round((clock_s[0] - offset_s - course.start_s) / _STEP_S)
        low, high = max(first, 0), min(first + len(clock_s), count)
        if high - low < _LEAST_OVERLAP_S / _STEP_S:
            continue
        speed, turn = course.speed_mps[low:high], course.turn_dps[low:high]
        known = np.isfinite(speed)
        if known.sum() < _LEAST_OVERLAP_S / _STEP_S:
            continue
        own = slice(low - first, high - first)
        turn_fit = _cosine(np.clip(turn[known], -_SHARP_DPS, _SHARP_DPS), turning[own][known])
        pace = np.log(np.maximum(speed[known], 0.5))
        pace_fit = _cosine(pace - pace.mean(), moving[own][known] - moving[own][known].mean()) if np.ptp(pace) > 0.5 else 0.0
        independent = known.sum() * _STEP_S / _MEMORY_S
        score[number] = (
            -0.5 * independent * (np.log1p(-(min(max(turn_fit, 0.0), 0.999) ** 2)) + np.log1p(-(min(max(pace_fit, 0.0), 0.999) ** 2)))
        )
        fits[number] = turn_fit
    return offsets_s, score, fits


def _cosine(a: FloatArray, b: FloatArray) -> float:
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length > 0 else 0.0


def _judge(
    course: _Course, offsets_s: FloatArray, score: FloatArray, fits: FloatArray, clock_s: FloatArray, turning: FloatArray
) -> ClockOffset:
    """The best offset, and whether it stands out."""
    if not np.isfinite(score).any():
        return ClockOffset(
            0.0, sure=False, why=f"video and track overlap for less than {_LEAST_OVERLAP_S:.0f} s at any offset up to {REACH_S:.0f} s"
        )
    best = int(np.nanargmax(score))
    elsewhere = np.where(np.abs(offsets_s - offsets_s[best]) > _NEAR_S, score, np.nan)
    other = int(np.nanargmax(elsewhere)) if np.isfinite(elsewhere).any() else best
    margin = float(score[best] - elsewhere[other]) if other != best else 0.0
    offset_s = float(offsets_s[best]) + _STEP_S * _vertex(score[max(best - 1, 0) : best + 2])
    turns = _shared_turns(course, clock_s - offset_s, turning)
    why = ""
    if turns < LEAST_TURNS:
        why = f"track and picture turn {('not once', 'only once')[turns]} together, and {LEAST_TURNS} turns are needed"
    elif fits[best] < LEAST_FIT:
        why = "the picture does not turn as the track does"
    elif margin < LEAST_MARGIN:
        why = f"{offsets_s[best]:+.1f} s and {offsets_s[other]:+.1f} s fit about equally well"
    elif abs(offset_s) > REACH_S - _NEAR_S:
        why = f"the best fit lies at the end of what is tried, {REACH_S:.0f} s to both sides"
    return ClockOffset(offset_s if not why else 0.0, not why, margin, float(fits[best]), turns, why)


def _vertex(three: FloatArray) -> float:
    """Where the parabola through three neighbouring values is highest, in steps from the middle one."""
    if len(three) < 3 or not np.isfinite(three).all() or (bend := three[0] - 2 * three[1] + three[2]) >= 0:
        return 0.0
    return float(np.clip(0.5 * (three[0] - three[2]) / bend, -0.5, 0.5))


def _shared_turns(course: _Course, at_s: FloatArray, turning: FloatArray) -> int:
    """How many turns of the track, at moments of its own clock, the picture makes too: clearly more than it wavers, and to the same side."""
    first = round((at_s[0] - course.start_s) / _STEP_S)
    low, high = max(first, 0), min(first + len(at_s), len(course.turn_dps))
    own = turning[low - first : high - first]
    least = max(_CLEARLY * float(np.median(np.abs(own - np.median(own)))), _LEAST_WIDTHS)
    turns = _turns(np.nan_to_num(course.turn_dps[low:high]))
    return sum(bool((side * own[begin : end + 1]).max() > least) for begin, end, side in turns)


def _turns(turn_dps: FloatArray) -> list[tuple[int, int, float]]:
    """Where the direction changes by ``_TURN_DEG`` within ``_TURN_WITHIN_S``, none counted twice: first and last step, and 1 to the right or -1."""
    heading = np.cumsum(turn_dps) * _STEP_S
    found, since, reach = [], 0, round(_TURN_WITHIN_S / _STEP_S)
    for now in range(len(heading)):
        since = max(since, now - reach)
        changed = heading[now] - heading[since:now]
        if len(changed) and np.abs(changed).max() >= _TURN_DEG:
            begin = since + int(np.abs(changed).argmax())
            found.append((begin, now, float(np.sign(heading[now] - heading[begin]))))
            since = now + reach // 2
    return found
