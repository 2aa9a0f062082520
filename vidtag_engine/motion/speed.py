"""Speed through a video from what each step says of it: a hidden Markov model over speeds, since a car's speed changes by little from moment to moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..types import FloatArray
from .road_view import WAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .ground import Votes

# Speeds that are thought of, camera heights a second: 1.4 m at 30 a second are 150 km/h.
_STEP = 0.1
_SPEEDS = np.arange(-60, 301) * _STEP
_WINDOW_S = 1.0 / 3.0
# What a step's correlation is worth, by its height over its usual one, and how far one step's length is off for the camera's nodding.
_SHARP = 14.0
_NODDING = 0.05
_STEPS_ALIKE = 2.0  # as if so many steps beside each other said the same once
_LEAST_PEAK = 0.15
# Points of the road by themselves: as a whole they are worth so much.
_POINTS_WORTH, _POINTS_BESIDE = 3.0, 0.8  # alone, and beside a correlation
_POINT_KERNEL = 0.08
_LEAST_POINTS = 8
# A car gains or loses this much in a second, heights a second; seldom anything at all happens.
_CHANGE = 1.6
_JUMP = 1e-5
_STANDS = 0.12
_SCENE_WORTH = 0.5
_SCENE_SAYS = 2.0
_SIGN_WORTH = 2.0
_FLOOR_SHARE = 0.05
_FLOOR = 0.06


@dataclass(frozen=True)
class Speeds:
    """By window (W,): its moments, the mean speed and its deviation, camera heights a second; NaN where there is no step."""

    start_s: FloatArray
    end_s: FloatArray
    mean: FloatArray
    deviation: FloatArray


def speeds_of(votes: Sequence[Votes], good: NDArray[np.bool_], curves: Mapping[int, NDArray[np.float16]], points_unit: float) -> Speeds:
    """The speed by thirds of a second.

    Args:
        votes: of the steps, in order.
        good: (S,) whether a step is to be used.
        curves: correlations of the road by step, over :data:`.road_view.WAYS`.
        points_unit: what the points' speeds are multiplied with to be in the correlations' unit.
    """
    start_s, end_s = votes[0].start_s, votes[-1].end_s
    count = max(round((end_s - start_s) / _WINDOW_S), 1)
    edges = np.linspace(start_s, end_s, count + 1)
    said = np.zeros((count, len(_SPEEDS)))
    scene, weight = np.zeros((2, count))
    held = np.zeros(count)
    for number, (vote, usable) in enumerate(zip(votes, good, strict=True)):
        if not usable:
            continue
        one = _said(vote, curves.get(number), points_unit)
        first, last = np.searchsorted(edges, [vote.start_s + 1e-6, vote.end_s - 1e-6]) - 1
        for k in range(max(first, 0), min(last, count - 1) + 1):
            part = min(vote.end_s, edges[k + 1]) - max(vote.start_s, edges[k])
            said[k] += one * part / (vote.end_s - vote.start_s)
            held[k] += part
            if np.isfinite(vote.structure) and not vote.still:
                scene[k], weight[k] = scene[k] + part * vote.structure, weight[k] + part
    scene = np.where(weight > 0, scene / np.maximum(weight, 1e-9), np.nan)
    mean, deviation = _smoothed(said / _STEPS_ALIKE)
    mean, deviation = _smoothed(said / _STEPS_ALIKE + _by_scene(scene, mean, deviation))
    known = held > 0.3 * np.diff(edges)
    deviation = np.sqrt(deviation**2 + (_FLOOR_SHARE * mean) ** 2)
    return Speeds(edges[:-1], edges[1:], np.where(known, mean, np.nan), np.where(known, deviation, np.nan))


def _said(vote: Votes, curve: NDArray[np.float16] | None, points_unit: float) -> FloatArray:
    """Log likelihood over speeds by one step."""
    if vote.still:
        return -0.5 * (_SPEEDS / _STANDS) ** 2 * (np.abs(_SPEEDS) < 6 * _STANDS) - 18.0 * (np.abs(_SPEEDS) >= 6 * _STANDS)
    length_s = vote.end_s - vote.start_s
    said = np.zeros(len(_SPEEDS))
    worth = _POINTS_WORTH
    if curve is not None and float(curve.max()) > _LEAST_PEAK:
        worth = _POINTS_BESIDE
        ways = _SPEEDS * length_s
        heights = _widened(curve.astype(np.float64))
        said += _SHARP * np.interp(ways, WAYS, heights - heights.max(), left=-heights.max(), right=-heights.max())
    if len(vote.speed) >= _LEAST_POINTS:
        speed, error = vote.speed * points_unit, vote.error * points_unit
        wide = np.sqrt(error**2 + (_POINT_KERNEL * speed) ** 2 + _STEP**2)
        agree = (1.0 / (1.0 + ((_SPEEDS[:, None] - speed) / wide) ** 2) ** 2).mean(axis=1)
        said += worth * np.log(0.1 + agree) * min(length_s / _WINDOW_S, 1.0)
    return said


def _widened(heights: FloatArray) -> FloatArray:
    """A correlation of which one does not know by how much its step nodded: the highest within that share of each way."""
    result = heights.copy()
    reach = np.maximum(np.round(np.abs(WAYS) * _NODDING / (WAYS[1] - WAYS[0])).astype(int), 0)
    for shift in range(1, int(reach.max()) + 1):
        near = reach >= shift
        fall = 0.5 * (shift / np.maximum(reach, 1)) ** 2 / _SHARP
        for sign in (-1, 1):
            moved = np.roll(heights, sign * shift)
            result = np.where(near, np.maximum(result, moved - fall), result)
    return result


def _by_scene(scene: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """Log likelihood by the depth of the whole scene, in the unit that it has where the road is sure: (W, speeds)."""
    sure = np.isfinite(scene) & (np.abs(mean) > 0.5) & (deviation < 0.1 * np.abs(mean)) & (np.abs(scene) > 1e-4)
    said = np.zeros((len(scene), len(_SPEEDS)))
    if sure.sum() < 10:
        return said
    logs = np.log(np.abs(mean[sure]) / np.abs(scene[sure]))
    unit = float(np.median(logs))
    worth = max(1.5 * float(np.median(np.abs(logs - unit))), _SCENE_WORTH)
    for k in np.flatnonzero(np.isfinite(scene)):
        expected = abs(scene[k]) * np.exp(unit)
        off = np.log((np.abs(_SPEEDS) + 0.3) / (expected + 0.3)) / worth
        said[k] = -_SCENE_SAYS * np.log1p(0.5 * off**2) - _SIGN_WORTH * ((np.sign(_SPEEDS) * np.sign(scene[k]) < 0) & (expected > 0.5))
    return said


def _smoothed(said: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation of each window's speed by all windows: the forward-backward algorithm."""
    apart = _SPEEDS[:, None] - _SPEEDS[None, :]
    change = np.exp(-np.abs(apart) / (_CHANGE * _WINDOW_S)) + _JUMP
    change /= change.sum(axis=1, keepdims=True)
    likely = np.exp(said - said.max(axis=1, keepdims=True))
    forward, backward = np.empty_like(likely), np.empty_like(likely)
    state = np.full(len(_SPEEDS), 1.0 / len(_SPEEDS))
    for k in range(len(said)):
        state = (state @ change if k else state) * likely[k]
        state /= state.sum()
        forward[k] = state
    state = np.ones(len(_SPEEDS))
    for k in range(len(said) - 1, -1, -1):
        backward[k] = state
        state = change @ (state * likely[k])
        state /= state.sum()
    posterior = forward * backward
    posterior /= posterior.sum(axis=1, keepdims=True)
    mean = posterior @ _SPEEDS
    deviation = np.sqrt(np.maximum(posterior @ _SPEEDS**2 - mean**2, 0.0))
    return mean, deviation


def by_interval(speeds: Speeds, edges: FloatArray, standing: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean speed by interval and its deviation as a share of it.

    Args:
        speeds: by window.
        edges: (N + 1,) moments between intervals.
        standing: (N,) share of each over which the camera stood.
    """
    value, share = np.full((2, len(edges) - 1), np.nan)
    for i in range(len(edges) - 1):
        inside = np.clip(np.minimum(speeds.end_s, edges[i + 1]) - np.maximum(speeds.start_s, edges[i]), 0.0, None)
        inside[~np.isfinite(speeds.mean)] = 0.0
        if inside.sum() < 0.3 * (edges[i + 1] - edges[i]):
            continue
        chosen = inside > 0
        mean = float(np.average(speeds.mean[chosen], weights=inside[chosen]))
        # Windows beside each other err together.
        deviation = float(np.average(speeds.deviation[chosen], weights=inside[chosen])) + _FLOOR
        value[i], share[i] = mean, deviation / max(abs(mean), 0.2)
    stood = standing > 0.85
    return np.where(stood, 0.0, value), np.where(stood, 0.02, share)
