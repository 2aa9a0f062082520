"""The forward filter of the decoder over roads: weights of places, each with where the camera has north."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import FloatArray, IntArray
from .graph import RoadGraph

_LEAST = np.float32(1e-30)
_SECTORS = 24
_SPARSE = 100  # keys there could be for each that there is, beyond which they are sorted
_ENTRIES = 32_768  # of the table that likelihoods of headings are read from

Norths = NDArray[np.complex64]
"""Unit complex numbers: what a camera's own heading must be turned by to be the one against north, clockwise."""


@dataclass(frozen=True)
class Links:
    """Which places follow each other in one direction of travel.

    Args:
        after: (L,) places that follow, those of one place together; ``begin`` (M + 1,) where these begin, ``share`` (L,) float32 of each.
        table, table_share: (M, P) of each place all places that lead to it, -1 where there are no more, and the share of each.
    """

    after: IntArray
    begin: IntArray
    share: FloatArray
    table: IntArray
    table_share: FloatArray

    @classmethod
    def of(cls, graph: RoadGraph, *, backwards: bool = False) -> Links:
        """Of a network; backwards what lies behind each place, for a camera that reverses."""
        origin, to, share = graph.link_from, graph.link_to, graph.link_share
        count = len(graph)
        if backwards:
            came = np.bincount(to, minlength=count)
            origin, to, share = to, origin, (1.0 / np.maximum(came, 1))[to].astype(np.float32)
        order = np.argsort(origin, kind="stable")
        after, begin, shares = to[order], np.searchsorted(origin[order], np.arange(count + 1)), share[order]
        order = np.argsort(to, kind="stable")
        target = to[order]
        rank = np.arange(len(target)) - np.searchsorted(target, target)
        width = int(rank.max(initial=0)) + 1
        table, table_share = np.full((count, width), -1, dtype=np.int64), np.zeros((count, width), dtype=np.float32)
        table[target, rank], table_share[target, rank] = origin[order], share[order]
        return cls(after, begin, shares, table, table_share)


@dataclass(frozen=True)
class Seen:
    """A step's heading, and how it is compared.

    Args:
        turned: unit complex number, the camera's own heading turned back.
        table: likelihood by the cosine of the difference, from -1 to 1: von Mises beside outliers, to the power of the evidence's weight.
        drift: how much it moves the estimate of north.
    """

    turned: np.complex64
    table: FloatArray
    drift: float

    @classmethod
    def of(cls, heading_deg: float, std_deg: float, outlier_probability: float, power: float, drift: float) -> Seen:
        """Of a heading with an error of this standard deviation."""
        apart = np.linspace(-1.0, 1.0, _ENTRIES)
        likely = (1.0 - outlier_probability) * np.exp((apart - 1.0) / np.radians(std_deg) ** 2) + outlier_probability
        return cls(turned_back(heading_deg), (likely**power).astype(np.float32), drift)


@dataclass
class State:
    """Weights of some places in sectors of north; rows by sector, then by place.

    Args:
        place, sector: (R,).
        weight: (R,) float32.
        north: (R,) complex64.
    """

    place: IntArray
    sector: IntArray
    weight: FloatArray
    north: Norths

    def times(self, share: np.float32) -> State:
        """With a share of its weights."""
        return State(self.place, self.sector, self.weight * share, self.north)

    def compact(self) -> State:
        """To be kept, in small numbers."""
        return State(self.place.astype(np.int32), self.sector.astype(np.int8), self.weight, self.north)


class Filter:
    """The steps of the filter, with scratch memory of its own: one a thread.

    Args:
        graph: the network.
        prior: (M,) float32 where a camera may be at first, one in sum.
        prune: least weight against the best one's that is kept.
    """

    def __init__(self, graph: RoadGraph, prior: FloatArray, prune: float) -> None:
        self.graph, self.prior, self.prune = graph, prior, prune
        self.unit: Norths = np.exp(1j * np.radians(graph.heading_deg)).astype(np.complex64)
        self._marked = np.zeros(len(graph) * _SECTORS, dtype=bool)
        self._position = np.zeros(len(graph) * _SECTORS, dtype=np.int32)

    def anywhere(self, heading_deg: float) -> State:
        """All places, each with the north that it must have if the camera looks along it."""
        north = self.unit * turned_back(heading_deg)
        sector = np.floor(np.angle(north) / (2.0 * np.pi) * _SECTORS).astype(np.int64) % _SECTORS
        order = np.argsort(sector, kind="stable")
        return State(order, sector[order], self.prior[order], north[order])

    def north_again(self, state: State, seen: Seen) -> Norths:
        """Where places have north when whatever was known of it is lost."""
        lost: Norths = self.unit[state.place] * seen.turned
        return lost

    def fits(self, north: Norths, place: IntArray, seen: Seen) -> FloatArray:
        """Likelihood of the step's heading at places, if north is where it is held to be."""
        unit = self.unit[place] * seen.turned
        apart = unit.real * north.real + unit.imag * north.imag
        entry = ((apart + np.float32(1.0)) * np.float32(0.5 * (_ENTRIES - 1)) + np.float32(0.5)).astype(np.int32)
        found: FloatArray = seen.table[np.clip(entry, 0, _ENTRIES - 1)]
        return found

    def advance(self, state: State, links: Links, seen: Seen) -> State:
        """One place on; rows are not merged, nor in order."""
        begin = links.begin[state.place]
        many = links.begin[state.place + 1] - begin
        row = np.repeat(np.arange(len(many)), many)
        link = np.arange(len(row)) + np.repeat(begin - np.cumsum(many) + many, many)
        to, north = links.after[link], state.north[row]
        weight = state.weight[row] * links.share[link]
        weight *= self.fits(north, to, seen)
        return State(to, state.sector[row], weight, north)

    def stay(self, state: State, seen: Seen) -> State:
        """Where it was."""
        return State(state.place, state.sector, state.weight * self.fits(state.north, state.place, seen), state.north)

    def turn_round(self, state: State, seen: Seen) -> State:
        """Where it was, the other way."""
        opposite = self.graph.opposite[state.place]
        can = np.flatnonzero(opposite >= 0)
        place, north = opposite[can], state.north[can]
        return State(place, state.sector[can], state.weight[can] * self.fits(north, place, seen), north)

    def merged(self, parts: list[State]) -> State:
        """Parts of one moment as one state; norths of rows that meet are averaged by their weight."""
        count = len(self.graph)
        key = np.concatenate([one.sector.astype(np.int64) * count + one.place for one in parts])
        weight = np.concatenate([one.weight for one in parts])
        north = np.concatenate([one.north for one in parts])
        rows, position = self._sorted(key)
        total = np.bincount(position, weight, len(rows))
        real, imag = (np.bincount(position, weight * part, len(rows)) for part in (north.real, north.imag))
        length = np.maximum(np.hypot(real, imag), 1e-36)
        sector, place = np.divmod(rows, count)
        return State(place, sector, total.astype(np.float32), ((real + 1j * imag) / length).astype(np.complex64))

    def _sorted(self, key: IntArray) -> tuple[IntArray, IntArray]:
        """Keys, rising, and where each is among them: by sorting, or, of very many, by marking them in a table of all."""
        if len(key) * _SPARSE < len(self._marked):
            rows, position = np.unique(key, return_inverse=True)
            return rows, position.ravel()
        self._marked[key] = True
        rows = np.flatnonzero(self._marked)
        self._marked[rows] = False
        self._position[rows] = np.arange(len(rows), dtype=np.int32)
        return rows, self._position[key]

    def blend(self, state: State, seen: Seen, share: np.float32) -> None:
        """Move each row's north towards what its street says."""
        moved: Norths = (np.float32(1.0) - share) * state.north + share * (self.unit[state.place] * seen.turned)
        length = np.maximum(np.abs(moved), _LEAST)
        state.north = (moved / length).astype(np.complex64)

    def normalise(self, state: State) -> float:
        """Bring weights to one in sum and let go of the faintest rows; gives the logarithm of what they were."""
        total = float(state.weight.sum(dtype=np.float64))
        if total <= float(_LEAST):
            state.weight = np.full(len(state.weight), 1.0 / max(1, len(state.weight)), dtype=np.float32)
            return float(np.log(_LEAST))
        state.weight = state.weight / np.float32(total)
        live = state.weight > self.prune * float(state.weight.max())
        if not live.all():
            state.place, state.sector = state.place[live], state.sector[live]
            state.weight, state.north = state.weight[live], state.north[live]
        return float(np.log(total))

    def find(self, state: State, place: IntArray, sector: IntArray) -> IntArray:
        """Rows of a state that places in sectors have; -1 where there is none."""
        count = len(self.graph)
        keys = state.sector.astype(np.int64) * count + state.place
        wanted = np.asarray(sector, dtype=np.int64) * count + place
        row = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        found: IntArray = np.where(keys[row] == wanted, row, -1)
        return found


def turned_back(heading_deg: float) -> np.complex64:
    """The unit complex number that turns back by a heading."""
    return np.complex64(np.exp(-1j * np.radians(heading_deg)))
