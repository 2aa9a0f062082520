"""From ways drawn from a posterior to what is said of each moment: the line, its streets, and which other ways there could be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ..types import FloatArray, IntArray
from .decoder import Ways
from .graph import RoadGraph

ALIKE_M = 150.0
"""Ways that lie nearer to each other than this, on average over their moments, are one candidate."""
_MOST = 5
_LEAST_SHARE = 0.02
_JUDGED_BY = 96  # ways, and moments, that a way is compared with
_RIGHT_M = 100.0
_LEAP = 4.0  # places, farther than which nobody goes in a step
_LEAST_KM = 0.3


@dataclass(frozen=True)
class Candidate:
    """A way that the camera may have gone.

    Args:
        share: of the posterior's ways, that go about there.
        xy_m: (T, 2) of each moment, on the network's plane.
        place: (T,) directed places of the network.
        streets: names, in the order in which they were driven.
    """

    share: float
    xy_m: FloatArray
    place: IntArray
    streets: tuple[str, ...]


@dataclass(frozen=True)
class PlacedWays:
    """Drawn ways at moments.

    Args:
        xy_m: (S, T, 2) on the network's plane.
        place: (S, T) directed places.
        leaps_per_km: (S,) how often each leaves the network for another part of it.
    """

    xy_m: FloatArray
    place: IntArray
    leaps_per_km: FloatArray


def placed(ways: Ways, graph: RoadGraph, motion_time_s: FloatArray, time_s: FloatArray) -> PlacedWays:
    """Where each way is at each moment.

    Args:
        ways: drawn.
        graph: the network.
        motion_time_s: (N + 1,) the motion's moments.
        time_s: (T,) asked for; before the first and after the last the camera is taken to stand.
    """
    leaps = np.zeros(len(ways.place))
    xy_m, place = np.empty((len(ways.place), len(time_s), 2)), np.empty((len(ways.place), len(time_s)), dtype=np.int64)
    at_of = {metres: np.interp(time_s, motion_time_s, profile.at_step) for metres, profile in ways.profiles.items()}
    for row, (way, metres) in enumerate(zip(ways.place, ways.metres.tolist(), strict=True)):
        step_m = np.hypot(*np.diff(graph.xy_m[way], axis=0).T)
        leaps[row] = (step_m > _LEAP * graph.spacing_m).sum() / max(_LEAST_KM, step_m.sum() / 1000.0)
        at = np.clip(at_of[metres], 0.0, len(way) - 1.0)
        before = np.minimum(at.astype(np.int64), len(way) - 1)
        after = np.minimum(before + 1, len(way) - 1)
        share = (at - before)[:, None]
        xy_m[row] = (1.0 - share) * graph.xy_m[way[before]] + share * graph.xy_m[way[after]]
        place[row] = np.where(share[:, 0] < 0.5, way[before], way[after])
    return PlacedWays(xy_m, place, leaps)


def best_way(found: PlacedWays) -> int:
    """Number of the way that most others are near to, moment by moment: the line of highest expected accuracy of those that were drawn."""
    moments = np.unique(np.linspace(0, found.xy_m.shape[1] - 1, _JUDGED_BY).astype(int))
    some = found.xy_m[:, moments].astype(np.float32)
    judges = some[np.unique(np.linspace(0, len(some) - 1, _JUDGED_BY).astype(int))]
    near = np.zeros(len(some))
    for judge in judges:
        near += np.exp(-np.square(some - judge).sum(axis=2) / _RIGHT_M**2).sum(axis=1)
    return int(near.argmax())


def candidates(found: PlacedWays, graph: RoadGraph) -> list[Candidate]:
    """The likeliest ways that lie apart, the likeliest first, each with the share of all that go with it."""
    left = np.arange(len(found.xy_m))
    given: list[Candidate] = []
    while len(left) and len(given) < _MOST:
        part = PlacedWays(found.xy_m[left], found.place[left], found.leaps_per_km[left])
        best = best_way(part)
        apart_m = np.hypot(*(part.xy_m - part.xy_m[best]).transpose(2, 0, 1)).mean(axis=1)
        alike = apart_m <= ALIKE_M
        share = float(alike.sum() / len(found.xy_m))
        if given and share < _LEAST_SHARE:
            break
        place = part.place[best]
        given.append(Candidate(share, part.xy_m[best], place, streets_of(graph, place)))
        left = left[~alike]
    return sorted(given, key=lambda one: -one.share)


def streets_of(graph: RoadGraph, place: IntArray) -> tuple[str, ...]:
    """Names of the streets of places, in order, each once where places of it follow each other."""
    names = [graph.names[number] for number in graph.name[place].tolist()]
    return tuple(name for row, name in enumerate(names) if name and (row == 0 or names[row - 1] != name))


def marginal(found: PlacedWays, cell: IntArray, cells: int) -> sparse.csr_matrix:
    """(T, cells) share of the ways that are in each cell of an area.

    Args:
        found: the ways at moments.
        cell: (M,) of each place of the network.
        cells: of the area.
    """
    ways, moments = found.place.shape
    rows = np.tile(np.arange(moments), ways)
    counted = sparse.csr_matrix(
        (np.full(ways * moments, 1.0 / ways, dtype=np.float32), (rows, cell[found.place].ravel())), shape=(moments, cells)
    )
    counted.sum_duplicates()
    return counted
