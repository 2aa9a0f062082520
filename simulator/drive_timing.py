"""Where in its lane a car goes along a route, and when: paths, speeds and timetables at half a metre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from .car_routes import Step, cruise_mps, step_line
from .road_details import direction
from .road_map import Roads
from .streets import Floats, SmoothField, resample
from .world import offset_line

STEP_M = 0.5
LEFT_RADIUS_M, RIGHT_RADIUS_M = 9.0, 5.0  # of the car's way over a crossing, where there is room
RIGHT_ROOM_M = 3.2  # to the right of the middle line
ONE_WAY_LANE_M = 0.4  # on one-way streets and rings a car keeps near the middle line
TURN_BACK_M = 3.0  # radius of a turn in the street
CURVE_MPS2, ACCELERATION_MPS2, BRAKING_MPS2 = 2.2, 1.7, 2.2
LEAST_CURVE_MPS = 2.2
SPEED_RANGE_MPS = (6.0, 15.0)  # of undisturbed driving on a straight street
LIGHT_SHARE = {"primary": 0.3, "secondary": 0.22, "residential": 0.08}  # of crossings at which a car must wait
LIGHT_S = (5.0, 40.0)
YIELD_SHARE = 0.15  # of the other crossings, passed at a walking pace
SLOW_PER_M = 1 / 2500  # stretches behind a slow vehicle


@dataclass(frozen=True, eq=False)
class Way:
    """A car's way along a route.

    Args:
        path_m: (n, 2) a point about every ``STEP_M``.
        step: (n,) number of the route's step at every point.
        limit_mps: (n,) what the street allows.
    """

    path_m: Floats
    step: NDArray[np.int64]
    limit_mps: Floats

    @property
    def along_m(self) -> Floats:
        """Way (n,) driven at every point."""
        return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self.path_m, axis=0).T))])

    @property
    def heading(self) -> Floats:
        """Unwrapped heading (n,) in radians, clockwise from north."""
        tangent = gaussian_filter1d(np.gradient(self.path_m, axis=0), 1.0 / STEP_M, axis=0, mode="nearest")
        return np.unwrap(np.arctan2(tangent[:, 0], tangent[:, 1]))

    def join(self, after: Way, step: int) -> Way:
        """This way and another one, whose route's first step is number ``step`` of the whole."""
        path = np.concatenate([self.path_m, after.path_m])
        return Way(path, np.concatenate([self.step, after.step + step]), np.concatenate([self.limit_mps, after.limit_mps]))

    def part(self, low: int, high: int) -> Way:
        """Some of its points."""
        return Way(self.path_m[low:high], self.step[low:high], self.limit_mps[low:high])


def lane_way(
    roads: Roads, route: Sequence[Step], lane_m: float, swing: tuple[bool, bool], span: tuple[float, float], rng: np.random.Generator
) -> Way:
    """The way in the right lane along a route.

    Args:
        roads: the network.
        route: steps.
        lane_m: from the middle line to the car.
        swing: whether the car comes out of, or goes into, a turn in the street and so keeps ``TURN_BACK_M`` to the right there.
        span: share of the first step at which the way begins, and of the last one at which it ends.
        rng: how it wanders in its lane.
    """
    edges = [roads.edges[step[0]] for step in route]
    middles = [resample(step_line(roads, step), STEP_M) for step in route]
    wander, begun = SmoothField(rng, 90.0), 0.0
    lanes: list[Floats] = []
    legs: list[Floats] = []
    last = len(route) - 1
    for number, (edge, middle) in enumerate(zip(edges, middles, strict=True)):
        reach = begun + STEP_M * np.arange(len(middle))
        lane = (ONE_WAY_LANE_M if edge.oneway else lane_m) + 0.12 * wander(np.stack([reach, 0 * reach], axis=1))
        low, high = (span[0] if number == 0 else 0.0), (span[1] if number == last else 1.0)
        first, final = int(low * len(middle)), len(middle) - int((1 - high) * len(middle))
        points = np.arange(len(middle))
        for is_swung, away in ((swing[0] and number == 0, points - first), (swing[1] and number == last, final - 1 - points)):
            if is_swung:
                near = np.clip(1 - np.maximum(away, 0) * STEP_M / 25, 0, 1)
                lane = lane + (TURN_BACK_M - lane) * near * near * (3 - 2 * near)
        begun = float(reach[-1])
        lanes.append(lane[first:final])
        legs.append(offset_line(middle, 0.0)[first:final] + (offset_line(middle, -1.0) - middle)[first:final] * lane[first:final, None])
    path, step = _joined(legs, lanes)
    path = gaussian_filter1d(path, 1.5 / STEP_M, axis=0, mode="nearest")
    return Way(path, step, np.array([cruise_mps(edge) for edge in edges])[step])


def _joined(legs: list[Floats], lanes: list[Floats]) -> tuple[Floats, NDArray[np.int64]]:
    """Paths along streets joined by curves over the crossings, and the number of the street at every point."""
    parts, numbers = list[Floats](), list[NDArray[np.int64]]()
    begin = 0
    for number, leg in enumerate(legs):
        end = len(leg)
        curve = np.zeros((0, 2))
        following = 0
        if number + 1 < len(legs):
            after = legs[number + 1]
            out, into = direction(leg[::-1], 5.0) + np.pi, direction(after, 5.0)
            left = float((into - out + np.pi) % (2 * np.pi) - np.pi)
            reach = _curve_reach_m(left, float(lanes[number][-1]), float(lanes[number + 1][0])) / STEP_M
            end = len(leg) - 1 - int(min(reach, 0.45 * len(leg)))
            following = int(min(reach, 0.45 * len(after)))
            curve = _curve(leg[end - 1 : end + 1], after[following : following + 2])
        half = len(curve) // 2
        parts += [leg[begin:end], curve]
        numbers += [np.full(max(0, end - begin) + half, number), np.full(len(curve) - half, number + 1)]
        begin = following + 1
    return np.concatenate(parts), np.concatenate(numbers).astype(np.int64)


def _curve_reach_m(left: float, lane_m: float, other_m: float) -> float:
    """How far before and behind a crossing the curve over it begins and ends.

    Args:
        left: by how much the way bends to the left, radians.
        lane_m, other_m: from the middle lines to the car, before and behind.
    """
    bend, lane = min(abs(left), 2.7), max(lane_m, other_m)
    least = 12.0 if abs(lane_m - other_m) > 0.8 else 6.0
    if bend < 0.35:
        return least
    if left > 0:
        return float(np.clip((LEFT_RADIUS_M - lane) * np.tan(bend / 2), 5.0, 13.0))
    # A sharp turn to the right is driven the tighter, for there is no more room than the street is wide.
    radius = min(RIGHT_RADIUS_M, (RIGHT_ROOM_M - lane) / (1 - np.cos(bend / 2)))
    return float((radius + lane) * np.tan(bend / 2))


def _curve(before: Floats, after: Floats) -> Floats:
    """Points from the last of two points to the first of two others, beginning and ending in their directions; nearly a circle's arc."""
    tangents = [np.diff(pair, axis=0)[0] / np.hypot(*np.diff(pair, axis=0)[0]) for pair in (before, after)]
    start, end = before[-1], after[0]
    bend = float(np.arccos(np.clip(tangents[0] @ tangents[1], -1, 1)))
    chord = float(np.hypot(*(end - start)))
    handle = chord / 3 if bend < 0.05 else chord * (4 / 3 * np.tan(bend / 4)) / (2 * np.sin(bend / 2))
    t = np.linspace(0, 1, 60)[:, None]
    points = [start, start + handle * tangents[0], end - handle * tangents[1], end]
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    return resample(sum(weight * point for weight, point in zip(weights, points, strict=True)), STEP_M)


def turned_back(before: Way, after: Way) -> Way:
    """Two ways on the same street, the second one back, with the turn between them; the turn is the first one's last step."""
    ends = np.stack([before.path_m[-1], after.path_m[0]])
    centre, right = ends.mean(axis=0), (ends[0] - ends[1]) / 2
    forward = np.array([-right[1], right[0]])
    t = np.linspace(0, np.pi, 20)[1:-1, None]
    arc = centre + np.cos(t) * right + np.sin(t) * forward
    turn = Way(arc, np.zeros(len(arc), np.int64), np.full(len(arc), LEAST_CURVE_MPS + 0.4))
    last = int(before.step[-1])
    whole = before.join(turn, last).join(after, last + 1)
    return Way(gaussian_filter1d(whole.path_m, 1.0, axis=0, mode="nearest"), whole.step, whole.limit_mps)


def undisturbed_speed(way: Way, rng: np.random.Generator) -> Floats:
    """Speed (n,) that a driver would like at every point: by class and temper, slow in curves and behind slow vehicles."""
    along, heading = way.along_m, way.heading
    temper = float(np.exp(rng.normal(0, 0.1)))
    unrest = SmoothField(rng, 150.0)(np.stack([along, 0 * along], axis=1))
    speed = np.clip(way.limit_mps * temper * (1 + 0.08 * unrest), *SPEED_RANGE_MPS)
    bend = np.abs(np.gradient(heading)) / np.maximum(np.gradient(along), 0.05)
    speed = np.minimum(speed, np.maximum(LEAST_CURVE_MPS, np.sqrt(CURVE_MPS2 / np.maximum(bend, 1e-3))))
    for _ in range(int(rng.poisson(along[-1] * SLOW_PER_M))):
        start, reach = rng.uniform(0, along[-1]), rng.uniform(80, 300)
        speed[(along > start) & (along < start + reach)] *= rng.uniform(0.35, 0.7)
    return speed


def draw_stops(roads: Roads, route: Sequence[Step], way: Way, speed: Floats, rng: np.random.Generator) -> list[tuple[int, float]]:
    """Points at which the car stands before a crossing, and for how many seconds; at some others it only slows, in ``speed``."""
    stops = []
    for index in np.flatnonzero(np.diff(way.step) > 0):
        one, other = route[int(way.step[index])], route[int(way.step[index + 1])]
        edge = roads.edges[one[0]]
        node = edge.end if one[1] else edge.start
        arms = [roads.edges[number] for number in roads.arms[node] if roads.edges[number].driven]
        at = int(index - rng.uniform(8, 13) / STEP_M)
        if len(arms) < 3 or one[0] == other[0] or edge.roundabout or at < 20 or way.step[at] != way.step[index]:
            continue
        busiest = min((arm.highway for arm in arms), key=["primary", "secondary", "residential"].index)
        is_entry = any(arm.roundabout for arm in arms)
        if rng.random() < LIGHT_SHARE["residential" if is_entry else busiest]:
            stops.append((at, float(rng.uniform(*LIGHT_S))))
        elif rng.random() < (2 * YIELD_SHARE if is_entry else YIELD_SHARE):
            speed[at : at + 8] = np.minimum(speed[at : at + 8], 2.5)
    return stops


def driven_speed(speed: Floats, along: Floats, stops: Sequence[int]) -> Floats:
    """Speed (n,) that a car reaches without accelerating or braking harder than it does; 0 at stops."""
    squares = (speed * speed).tolist()
    for stop in stops:
        squares[stop] = 0.0
    gaps = np.diff(along).tolist()
    for index, gap in enumerate(gaps):
        squares[index + 1] = min(squares[index + 1], squares[index] + 2 * ACCELERATION_MPS2 * gap)
    for index in range(len(gaps) - 1, -1, -1):
        squares[index] = min(squares[index], squares[index + 1] + 2 * BRAKING_MPS2 * gaps[index])
    return np.sqrt(squares)


def timeline(
    along: Floats, speed: Floats, stops: Sequence[tuple[int, float]], reversed_at: int | None, reversed_m: float
) -> tuple[Floats, Floats]:
    """Moments and the way driven by then, both (k,).

    Args:
        along: (n,) way at every point.
        speed: (n,) liked at every point.
        stops: points and seconds.
        reversed_at: a point at which the car stands and goes back before it goes on, if it does.
        reversed_m: how far back.
    """
    waits = dict(stops)
    parts = [(0, len(along) - 1, sorted(waits))]
    if reversed_at is not None:
        back = max(0, reversed_at - round(reversed_m / STEP_M))
        waits = {at: wait for at, wait in waits.items() if abs(at - reversed_at) > 60} | {reversed_at: 2.0, back: 1.5}
        before, after = ([at for at in waits if (at > reversed_at) == later and at != back] for later in (False, True))
        parts = [(0, reversed_at, sorted(before)), (back, len(along) - 1, sorted([back, *after]))]
    moments, ways = [0.0], [float(along[0])]
    for number, (low, high, halts) in enumerate(parts):
        reached = driven_speed(speed, along, halts)
        if number:  # backwards, from standing to standing
            reach = ways[-1] - float(along[low])
            share = np.linspace(0, 1, 20)[1:]
            moments += (moments[-1] + share * max(3.0, 1.4 * reach)).tolist()
            ways += (float(along[low]) + reach * (1 + np.cos(np.pi * share)) / 2).tolist()
        pace = 2 * np.diff(along) / np.maximum(reached[:-1] + reached[1:], 0.05)
        for index in range(low, high + 1):
            if index > low:
                moments.append(moments[-1] + float(pace[index - 1]))
                ways.append(float(along[index]))
            if index in halts and index in waits:
                moments.append(moments[-1] + waits[index])
                ways.append(ways[-1])
    return np.array(moments), np.array(ways)
