"""A line laid on roads: hidden Markov map matching (Newson and Krumm 2009), by the library leuvenmapmatching."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..types import FloatArray

_REACH = 4.0  # standard deviations that a road may lie away
_LEAST_STD_M = 5.0
_WIDTH = 24  # states that are followed a frame
_CERTAIN = 0.99
_LEAST_MOVE_M = 0.1  # nearer ends of roads are one junction


@dataclass(frozen=True)
class Matched:
    """A run of frames on roads.

    Args:
        xy_m: (T, 2) each frame's place on a road; NaN where none is in reach.
        ways: by row, the (n, 2) way along roads to the next row's place; no entry where none leads there.
    """

    xy_m: FloatArray
    ways: dict[int, FloatArray]


def spread_m(confidence: FloatArray, radius_m: float | FloatArray) -> FloatArray:
    """Standard deviation of a round normal error that lies within a radius, or one a row, with these probabilities; unknown ones count as 50 %."""
    share = np.clip(np.nan_to_num(np.asarray(confidence, dtype=np.float64), nan=0.5), 1.0 - _CERTAIN, _CERTAIN)
    result: FloatArray = np.maximum(radius_m / np.sqrt(-2.0 * np.log1p(-share)), _LEAST_STD_M)
    return result


def reach_m(std_m: FloatArray) -> float:
    """How far from the line roads matter."""
    return _REACH * float(np.max(std_m))


def match_roads(xy_m: FloatArray, std_m: FloatArray, segments_m: FloatArray) -> Matched:
    """Lay a run of frames on roads.

    Args:
        xy_m: (T, 2) places on a plane of metres, in order of time.
        std_m: (T,) of their errors.
        segments_m: (S, 2, 2) straight pieces of road, joined where their ends are the same; driven in both directions.
    """
    places = np.full(np.shape(xy_m), np.nan)
    ways: dict[int, FloatArray] = {}
    begin = 0
    network = _network(segments_m)
    while begin < len(xy_m):
        states = _states(network, xy_m[begin:], std_m[begin:])
        if not states:
            begin += 1
            continue
        last = begin
        for before, state in zip([None, *states], states, strict=False):
            row = begin + state.obs
            if state.obs_ne == 0:
                places[row] = state.edge_m.pi[::-1]
                last = row
            if before is not None:
                _extend(ways, begin + before.obs, before, state)
        for row in range(begin, last):
            ways[row] = np.concatenate([places[row : row + 1], ways.get(row, np.zeros((0, 2))), places[row + 1 : row + 2]])
        begin = last + 1
    return Matched(places, {row: way for row, way in ways.items() if np.isfinite(way).all() and len(way) > 1})


def _extend(ways: dict[int, FloatArray], row: int, before: Any, state: Any) -> None:
    """Add the junction between two states to the way that begins in ``row``; turning round on a road passes none."""
    was, now = before.edge_m, state.edge_m
    if {was.l1, was.l2} != {now.l1, now.l2}:
        ways[row] = np.concatenate([ways.get(row, np.zeros((0, 2))), np.array([was.p2[::-1]])])


def _network(segments_m: FloatArray) -> Any:
    """The roads as a graph of the library."""
    from leuvenmapmatching.map.inmem import InMemMap

    ends = np.asarray(segments_m, dtype=np.float64).reshape(-1, 2)
    _, first, number = np.unique(np.round(ends / _LEAST_MOVE_M).astype(np.int64), axis=0, return_index=True, return_inverse=True)
    network = InMemMap("roads", use_latlon=False)
    for node, (x, y) in enumerate(ends[first]):
        network.add_node(node, (float(y), float(x)))
    for one, other in number.reshape(-1, 2).tolist():
        if one != other:
            network.add_edge(one, other)
            network.add_edge(other, one)
    return network


def _states(network: Any, xy_m: FloatArray, std_m: FloatArray) -> list[Any]:
    """The best states from the first frame on, as far as roads lead; none where no road is in its reach."""
    from leuvenmapmatching.matcher.distance import DistanceMatcher

    path = [(float(y), float(x)) for x, y in xy_m]
    # By place: the library's own numbers of frames are off by one between frames (1.1.4).
    variance2 = dict(zip(path, (2.0 * np.asarray(std_m, dtype=np.float64) ** 2).tolist(), strict=True))

    class Matcher(DistanceMatcher):
        """Every frame has an error of its own."""

        def logprob_obs(
            self, dist: float, _before: Any, _edge: Any, new_edge_o: Any, is_ne: bool = False
        ) -> tuple[float, dict[str, float]]:
            """Log probability of a frame ``dist`` metres from a road; half as strict between frames."""
            chance = -(dist**2) / (variance2[new_edge_o.p1] * (4.0 if is_ne else 1.0))
            return chance, {"lpe": chance}

    # It warns of every look-up without an index; there is one a run.
    logging.getLogger("be.kuleuven.cs.dtai.mapmatching").setLevel(logging.ERROR)
    typical_m = float(np.median(std_m))
    matcher = Matcher(network, obs_noise=typical_m, dist_noise=typical_m, max_dist=reach_m(std_m), max_lattice_width=_WIDTH)
    matcher.match(path)
    return list(matcher.lattice_best or [])
