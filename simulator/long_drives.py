"""Long drives over a road network, for placing a drive by the shape of its way alone.

Frozen before any decoder was written. Figures of ``build_roads(seed, "frisland", pattern=...)``, seeds 1 to 5, 5 x 5 km, and of 40 drives each of
``plan_long_drives(roads, 40, 5)`` (120 to 360 s, at least 3 turns):

============  =========  ===========  =============  ==============  ============  ===============  ==================
pattern       km         right-angle  length of an   turns a drive   km a drive    standing, share  drives wholly on
              of street  share        edge, median   (10, 50, 90 %)  (median)      of the time      ``noisy_map``
============  =========  ===========  =============  ==============  ============  ===============  ==================
organic       155-174    0.15-0.20    198 m          3, 5, 9         1.68          0.12             0.87
radial        152-176    0.19-0.24    193 m          3, 5, 9         1.71          0.11             0.81
ribbon        150-181    0.31-0.37    176 m          3, 6, 10        1.79          0.11             0.82
grid          156-173    0.27-0.40    181 m          3, 5, 10        1.72          0.11             0.86
regular_grid  338-342    1.00         110 m          4, 7, 11        1.49          0.16             0.80
============  =========  ===========  =============  ==============  ============  ===============  ==================

The isles' own "grid" is bent and has gaps, as old towns have; only "regular_grid" is right-angled. Of the nodes 7.5 % are dead ends, 48 % have
three arms and 20 % four (regular grid: 37 % and 51 %).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .car_routes import RouteGraph, Step, random_route
from .drive_timing import STEP_M, Way, draw_stops, lane_way, timeline, turned_back, undisturbed_speed
from .road_map import Roads
from .streets import Floats

RATE_HZ = 10.0
KINDS = {"shortest": 0.25, "fastest": 0.35, "wandering": 0.4}
TURN_BACK_SHARE, REVERSE_SHARE = 0.03, 0.02  # of the drives
LEAD_S = 1.5  # a drive's first picture is taken so long after its way begins
SMOOTHING_S = 0.3  # a car's speed has no corners
STANDING_SHARE = 0.2  # of the drives that begin before the car moves
TURN_DEG, TURN_WAY_M = 50.0, 60.0


@dataclass(frozen=True, eq=False)
class LongDrive:
    """A car's drive over a road network.

    Args:
        time_s: (n,) moments at 10 Hz from 0.
        x_m, y_m: (n,) where the car is, east and north.
        heading_deg: (n,) clockwise from north, 0 to 360.
        speed_mps: (n,) along the heading, negative backwards.
        along_m: (n,) way driven, falling while it goes backwards.
        edges: numbers of the edges in the order in which they are driven.
        forward: whether each is driven from its start to its end.
        turns: number of turns by more than 50° within 60 m of way.
        kind: "shortest", "fastest" or "wandering".
        turns_back, reverses: whether there is a turn in the street, or a short way backwards.
        path_m: (k, 2) the car's way, going on beyond the drive; path_along_m: (k,) metres along it.
    """

    time_s: Floats
    x_m: Floats
    y_m: Floats
    heading_deg: Floats
    speed_mps: Floats
    along_m: Floats
    edges: tuple[int, ...]
    forward: tuple[bool, ...]
    turns: int
    kind: str
    turns_back: bool
    reverses: bool
    path_m: Floats
    path_along_m: Floats

    @property
    def duration_s(self) -> float:
        """From its first to its last moment."""
        return float(self.time_s[-1] - self.time_s[0])


def count_turns(along_m: Floats, heading_rad: Floats) -> int:
    """How often the heading changes by more than 50° within 60 m of way; what goes on in one sense without a pause is one turn."""
    at = np.arange(float(along_m[0]), float(along_m[-1]), 1.0)
    heading = np.interp(at, along_m, heading_rad)
    half = int(TURN_WAY_M / 2)
    padded = np.pad(heading, half, mode="edge")
    change = np.rad2deg(padded[2 * half :] - padded[: -2 * half])
    sense = np.where(np.abs(change) > TURN_DEG, np.sign(change), 0)
    return int(((sense != 0) & (np.diff(sense, prepend=0) != 0)).sum())


def plan_long_drives(
    roads: Roads, count: int, seed: int, least_s: float = 120.0, most_s: float = 360.0, least_turns: int = 3
) -> list[LongDrive]:
    """Random drives; each draws from a generator of its own, so that more of them leave the first ones as they are.

    Args:
        roads: the network.
        count: number of drives.
        seed: of the drives.
        least_s, most_s: duration, uniformly distributed.
        least_turns: drives of fewer turns are drawn anew.

    Raises:
        RuntimeError: the network has no such drives.
    """
    graph = RouteGraph.of(roads)
    return [_plan(graph, np.random.default_rng([seed, 44, number]), (least_s, most_s), least_turns) for number in range(count)]


def _plan(graph: RouteGraph, rng: np.random.Generator, span_s: tuple[float, float], least_turns: int) -> LongDrive:
    """One drive."""
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    turns_back, reverses = bool(rng.random() < TURN_BACK_SHARE), bool(rng.random() < REVERSE_SHARE)
    duration = float(rng.uniform(*span_s))
    for _ in range(80):
        found = _draw(graph, rng, kind, duration, turns_back=turns_back, reverses=reverses)
        if found is not None and found.turns >= least_turns:
            return found
    raise RuntimeError(f"no drive of {duration:.0f} s with {least_turns} turns was found on {graph.roads.length_m / 1000:.0f} km")


def _draw(
    graph: RouteGraph, rng: np.random.Generator, kind: str, duration_s: float, *, turns_back: bool, reverses: bool
) -> LongDrive | None:
    """A try; None where it does not last, or lacks what it should have."""
    roads, wanted_m = graph.roads, 11.0 * duration_s + 250.0
    lane, start = float(rng.uniform(1.5, 2.0)), float(rng.uniform(0.1, 0.7))
    if turns_back:
        first = random_route(graph, kind, float(rng.uniform(0.1, 0.6)) * 0.6 * wanted_m, rng)
        turned = _turning_route(graph, first, kind, wanted_m, rng)
        if turned is None:
            return None
        share = float(rng.uniform(0.35, 0.65))
        before = lane_way(roads, first, lane, (False, True), (start, share), rng)
        way = turned_back(before, lane_way(roads, turned, lane, (True, False), (1 - share, 1.0), rng))
        route = [*first, *turned]
    else:
        route = random_route(graph, kind, wanted_m, rng)
        way = lane_way(roads, route, lane, (False, False), (start, 1.0), rng)
    return _timed(roads, route, way, duration_s, rng, (kind, turns_back, reverses))


def _turning_route(graph: RouteGraph, first: list[Step], kind: str, wanted_m: float, rng: np.random.Generator) -> list[Step] | None:
    """How it goes on after a turn in the last street of a route; None where there can be none."""
    number, forward = first[-1]
    edge, back = graph.roads.edges[number], (number, not forward)
    if edge.oneway or edge.bridge or edge.length_m < 90 or back not in graph.steps or len(first) < 2:
        return None
    return random_route(graph, kind, wanted_m, rng, start=graph.steps.index(back))


def _timed(
    roads: Roads, route: list[Step], way: Way, duration_s: float, rng: np.random.Generator, traits: tuple[str, bool, bool]
) -> LongDrive | None:
    """A way as it is driven."""
    kind, turns_back, reverses = traits
    along, heading = way.along_m, way.heading
    speed = undisturbed_speed(way, rng)
    stops = draw_stops(roads, route, way, speed, rng)
    if rng.random() < STANDING_SHARE:
        stops = [(0, LEAD_S + float(rng.uniform(1, 6))), *stops]
    # Backwards in the first half of the way that is likely driven, so that the drive does not end before.
    reversed_at = int(rng.uniform(0.1, 0.4) * duration_s * 8 / STEP_M) if reverses else None
    moments, ways = timeline(along, speed, stops, reversed_at, float(rng.uniform(5, 10)))
    if moments[-1] < duration_s + 3 * LEAD_S:
        return None
    time_s = np.arange(round(duration_s * RATE_HZ) + 1) / RATE_HZ
    spare = int(LEAD_S * RATE_HZ)
    sampled = np.interp(LEAD_S + np.arange(-spare, len(time_s) + spare) / RATE_HZ, moments, ways)
    at = gaussian_filter1d(sampled, SMOOTHING_S * RATE_HZ, mode="nearest")
    mps, at = (np.gradient(at) * RATE_HZ)[spare:-spare], at[spare:-spare]
    driven = way.step[np.searchsorted(along, at.min()) : np.searchsorted(along, at.max()) + 1]
    numbers = list(dict.fromkeys(driven.tolist()))
    last = int(np.searchsorted(along, at.max())) + 1
    drive = LongDrive(
        time_s, np.interp(at, along, way.path_m[:, 0]), np.interp(at, along, way.path_m[:, 1]),
        np.rad2deg(np.interp(at, along, heading)) % 360, mps, at - at[0], tuple(route[k][0] for k in numbers), tuple(route[k][1] for k in numbers),
        count_turns(along[:last], heading[:last]), kind, turns_back, reverses, way.path_m, along - at[0],
    )  # fmt: skip
    lacks_turn = turns_back and not any(a == b for a, b in pairwise(drive.edges))
    lacks_reverse = reverses and float(mps.min()) > -0.5
    return None if lacks_turn or lacks_reverse else drive
