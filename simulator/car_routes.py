"""Ways of cars over a road network: to somewhere, or about; never turning back at once, never against a one-way street."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from .road_details import direction
from .road_map import RoadEdge, Roads
from .streets import Floats

LIMIT_MPS = {"primary": 14.5, "secondary": 12.5, "residential": 9.5}
ROUNDABOUT_MPS = 7.0

Step = tuple[int, bool]  # number of an edge, and whether it is driven from start to end


def cruise_mps(edge: RoadEdge) -> float:
    """What is usually driven on an edge."""
    return ROUNDABOUT_MPS if edge.roundabout else LIMIT_MPS[edge.highway]


def step_line(roads: Roads, step: Step) -> Floats:
    """Middle line (n, 2) in the direction of travel."""
    line = roads.edges[step[0]].line_m
    return line if step[1] else line[::-1]


def step_end(roads: Roads, step: Step) -> int:
    """The node where a step leads."""
    edge = roads.edges[step[0]]
    return edge.end if step[1] else edge.start


@dataclass(frozen=True, eq=False)
class RouteGraph:
    """Steps, and which can follow which.

    Args:
        roads: the network.
        steps: all steps a car may make.
        following: for every step the numbers of those that may follow.
        bend_deg: for every step, how much the way bends into each of those.
    """

    roads: Roads
    steps: tuple[Step, ...]
    following: tuple[tuple[int, ...], ...]
    bend_deg: tuple[tuple[float, ...], ...]

    @staticmethod
    def of(roads: Roads) -> RouteGraph:
        """The steps of a network. Dead ends are left out, for nothing follows them but turning back."""
        steps = [
            (number, forward)
            for number, edge in enumerate(roads.edges)
            if edge.driven
            for forward in ((True,) if edge.oneway else (True, False))
        ]
        while True:
            outward: dict[int, list[int]] = {}
            for index, (number, forward) in enumerate(steps):
                edge = roads.edges[number]
                outward.setdefault(edge.start if forward else edge.end, []).append(index)
            following = [[k for k in outward.get(step_end(roads, step), []) if steps[k][0] != step[0]] for step in steps]
            if all(following):
                break
            steps = [step for step, on in zip(steps, following, strict=True) if on]
        ahead = [direction(step_line(roads, step), 12.0) for step in steps]
        back = [direction(step_line(roads, step)[::-1], 12.0) for step in steps]
        bend = [
            tuple(abs(float(np.rad2deg((ahead[k] - back[index]) % (2 * np.pi) - np.pi))) for k in on) for index, on in enumerate(following)
        ]
        return RouteGraph(roads, tuple(steps), tuple(tuple(on) for on in following), tuple(bend))

    def costs(self, kind: str, rng: np.random.Generator) -> csr_array:
        """Cost of going from step to step: metres for "shortest", seconds for "fastest"; every driver is a little wrong about each edge."""
        unit = np.ones(len(self.steps))
        if kind == "fastest":
            unit = np.array([1 / cruise_mps(self.roads.edges[number]) for number, _ in self.steps])
        length = np.array([self.roads.edges[number].length_m for number, _ in self.steps])
        cost = length * unit * np.exp(rng.normal(0, 0.2, len(unit)))
        rows = np.repeat(np.arange(len(self.steps)), [len(on) for on in self.following])
        columns = np.concatenate([np.array(on, int) for on in self.following])
        return csr_array((cost[columns] + 1e-3, (rows, columns)), shape=(len(self.steps),) * 2)


def _travel(graph: RouteGraph, kind: str, wanted_m: float, start: int, rng: np.random.Generator) -> list[int]:
    """Ways to one place after another, until enough metres are driven."""
    costs = graph.costs(kind, rng)
    route, way = [start], 0.0
    middle = np.array([graph.roads.edges[number].line_m.mean(axis=0) for number, _ in graph.steps])
    while way < wanted_m:
        distance, before = dijkstra(costs, indices=route[-1], return_predecessors=True)
        away = np.hypot(*(middle - middle[route[-1]]).T)
        far = np.flatnonzero(np.isfinite(distance) & (away > min(700.0, 0.5 * wanted_m)) & (away < max(900.0, 0.8 * wanted_m)))
        if not len(far):
            far = np.flatnonzero(np.isfinite(distance) & (distance > 0))
        node, leg = int(rng.choice(far)), list[int]()
        while node != route[-1]:
            leg.append(node)
            node = int(before[node])
        route += leg[::-1]
        way += sum(graph.roads.edges[graph.steps[k][0]].length_m for k in leg)
    return route


def _wander(graph: RouteGraph, wanted_m: float, start: int, rng: np.random.Generator) -> list[int]:
    """A way about town that goes straight on more often than not, and likes streets where it has not been."""
    route, way = [start], 0.0
    seen: NDArray[np.int64] = np.zeros(len(graph.roads.edges), np.int64)
    while way < wanted_m:
        on, bend = graph.following[route[-1]], np.array(graph.bend_deg[route[-1]])
        weight = np.where(bend < 40, 1.6, np.where(bend < 120, 1.0, 0.15)) * 0.25 ** seen[[graph.steps[k][0] for k in on]]
        route.append(int(on[int(rng.choice(len(on), p=weight / weight.sum()))]))
        number = graph.steps[route[-1]][0]
        seen[number] += 1
        way += graph.roads.edges[number].length_m
    return route


def random_route(graph: RouteGraph, kind: str, wanted_m: float, rng: np.random.Generator, start: int | None = None) -> list[Step]:
    """Steps of at least ``wanted_m``; kind: "shortest", "fastest" or "wandering"; from any step, or one whose number is given."""
    if start is None:
        length = np.array([graph.roads.edges[number].length_m for number, _ in graph.steps])
        start = int(rng.choice(len(length), p=length / length.sum()))
    route = _wander(graph, wanted_m, start, rng) if kind == "wandering" else _travel(graph, kind, wanted_m, start, rng)
    return [graph.steps[index] for index in route]
