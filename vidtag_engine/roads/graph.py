"""A road network as directed places every few metres, and which of them follow each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ..types import FloatArray, IntArray

SPACING_M = 15.0
_JOINED_M = 0.5  # ends of lines nearer than this are one junction
_SNAP_M = 1.0  # an end so near to another line's side meets it


@dataclass(frozen=True)
class RoadLine:
    """A line of a road layer.

    Args:
        xy_m: (n, 2) on a plane of metres, x = east.
        name: of the street; empty where it has none.
        oneway: 1 driven from the first point to the last alone, -1 the other way alone, 0 both.
        level: 0 on the ground; lines of different levels meet where they share a point alone (bridges, tunnels).
    """

    xy_m: FloatArray
    name: str = ""
    oneway: int = 0
    level: int = 0


@dataclass(frozen=True)
class RoadGraph:
    """Directed places: a state of the decoder each. A two-way street has every place twice, once a direction.

    Args:
        xy_m: (M, 2) on the plane of the lines.
        heading_deg: (M,) along the street, clockwise from the plane's north.
        length_m: (M,) of way that each stands for, about the spacing.
        arc: (M,) number of the directed piece of street between two junctions that it is on; places of an arc follow each other.
        name: (M,) number of its street's name in ``names``.
        names: of streets; the first is empty.
        opposite: (M,) the same place in the other direction, -1 where the street is driven one way.
        link_from, link_to: (L,) places that follow each other, sorted by ``link_to``.
        link_share: (L,) float32: of what leaves ``link_from``, the part that goes this way; all ways out of a junction alike.
        spacing_m: that was asked for.
    """

    xy_m: FloatArray
    heading_deg: FloatArray
    length_m: FloatArray
    arc: IntArray
    name: IntArray
    names: tuple[str, ...]
    opposite: IntArray
    link_from: IntArray
    link_to: IntArray
    link_share: FloatArray
    spacing_m: float

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.xy_m)


@dataclass
class _Chain:
    """A street between two junctions: points, a number of a name for every stretch between points, and the nodes that it joins."""

    xy_m: FloatArray
    name: list[int]
    oneway: int
    start: int
    end: int


def build_graph(lines: Sequence[RoadLine], spacing_m: float = SPACING_M, *, respect_oneway: bool = True) -> RoadGraph:
    """Cut lines where they meet, and set places along them.

    Lines meet in points that they share, as OpenStreetMap has it; where they cross on one level, as layers have it that were not cut at their junctions; and where
    one ends within a metre of another's side.

    Args:
        lines: of the layer.
        spacing_m: of places; a piece of street has as many as fit best, and one that is shorter than half of it is taken for a part of its junction.
        respect_oneway: whether one-way streets are driven one way, as by cars.
    """
    names = tuple(dict.fromkeys(["", *(line.name for line in lines)]))
    number = {name: index for index, name in enumerate(names)}
    pieces = list(_pieces(lines, number))
    ends = np.array([point for piece in pieces for point in (piece.xy_m[0], piece.xy_m[-1])]).reshape(-1, 2)
    node = _clusters(ends)
    for index, piece in enumerate(pieces):
        piece.start, piece.end = int(node[2 * index]), int(node[2 * index + 1])
        if not respect_oneway:
            piece.oneway = 0
    chains = _merged(pieces)
    counts = [round(_length_m(chain.xy_m) / spacing_m) for chain in chains]
    joined = _contracted(chains, counts, int(node.max(initial=-1)) + 1)
    kept = [(chain, count) for chain, count in zip(chains, counts, strict=True) if count]
    return _graph(kept, joined, names, spacing_m)


def _length_m(xy_m: FloatArray) -> float:
    return float(np.hypot(*np.diff(xy_m, axis=0).T).sum())


def _pieces(lines: Sequence[RoadLine], number: dict[str, int]) -> Iterator[_Chain]:
    """Lines cut wherever another meets them."""
    kept = [line for line in lines if len(line.xy_m) > 1 and _length_m(line.xy_m) > _JOINED_M]
    cuts = _cuts(kept)
    for index, line in enumerate(kept):
        along_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line.xy_m, axis=0).T))])
        inner = np.unique(np.round([one for one in cuts[index] if _JOINED_M < one < along_m[-1] - _JOINED_M], 2))
        bounds = np.concatenate([[0.0], inner, along_m[-1:]])
        bounds = bounds[np.append(True, np.diff(bounds) > _JOINED_M)] if len(bounds) > 2 else bounds
        bounds[-1] = along_m[-1]
        for low, high in pairwise(bounds):
            middle = (along_m > low + 1e-6) & (along_m < high - 1e-6)
            at_m = np.concatenate([[low], along_m[middle], [high]])
            xy_m = np.stack([np.interp(at_m, along_m, line.xy_m[:, axis]) for axis in (0, 1)], axis=1)
            yield _Chain(xy_m, [number[line.name]] * (len(xy_m) - 1), line.oneway, -1, -1)


def _cuts(lines: Sequence[RoadLine]) -> dict[int, list[float]]:
    """Of each line the places, metres along it, where others meet it."""
    cuts: dict[int, list[float]] = defaultdict(list)
    if not lines:
        return cuts
    shapes = np.array([shapely.linestrings(line.xy_m) for line in lines])
    level = np.array([line.level for line in lines])
    # Points that lines share, on whatever level.
    points = np.concatenate([line.xy_m for line in lines])
    owner = np.repeat(np.arange(len(lines)), [len(line.xy_m) for line in lines])
    _, spot = np.unique(np.round(points / 0.05).astype(np.int64), axis=0, return_inverse=True)
    pairs = np.unique(np.stack([spot.ravel(), owner], axis=1), axis=0)
    many = np.flatnonzero(np.bincount(pairs[:, 0]) > 1)
    shared = np.isin(spot.ravel(), many)
    _locate(cuts, shapes, owner[shared], shapely.points(points[shared]))
    # Crossings on one level.
    tree = shapely.STRtree(shapes)
    one, other = tree.query(shapes, predicate="crosses")
    once = (one < other) & (level[one] == level[other])
    one, other = one[once], other[once]
    met = shapely.intersection(shapes[one], shapes[other])
    parts, of = shapely.get_parts(met, return_index=True)
    dots = shapely.get_type_id(parts) == 0
    _locate(cuts, shapes, one[of[dots]], parts[dots])
    _locate(cuts, shapes, other[of[dots]], parts[dots])
    # Ends that all but touch a side.
    ends = shapely.points(np.array([point for line in lines for point in (line.xy_m[0], line.xy_m[-1])]))
    end, side = tree.query(ends, predicate="dwithin", distance=_SNAP_M)
    apart = (end // 2 != side) & (level[end // 2] == level[side])
    _locate(cuts, shapes, side[apart], ends[end[apart]])
    return cuts


def _locate(cuts: dict[int, list[float]], shapes: NDArray[np.object_], line: IntArray, points: NDArray[np.object_]) -> None:
    at_m = shapely.line_locate_point(shapes[line], points)
    for index, value in zip(line.tolist(), at_m.tolist(), strict=True):
        cuts[index].append(value)


def _clusters(points: FloatArray) -> IntArray:
    """(N,) number of the junction that each end of a piece belongs to."""
    if not len(points):
        return np.zeros(0, dtype=np.int64)
    pairs = cKDTree(points).query_pairs(_SNAP_M, output_type="ndarray")
    links = sparse.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points)))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def _merged(pieces: list[_Chain]) -> list[_Chain]:
    """Pieces joined where two alone meet, so that finely cut lines have no more junctions than streets have."""
    at: dict[int, list[int]] = defaultdict(list)
    for index, piece in enumerate(pieces):
        at[piece.start].append(index)
        at[piece.end].append(index)
    gone: set[int] = set()
    for node, around in at.items():
        if len(around) != 2 or around[0] == around[1]:
            continue
        one, other = pieces[around[0]], pieces[around[1]]
        first = one if one.end == node else _reversed(one)
        second = other if other.start == node else _reversed(other)
        if first.oneway != second.oneway or first.start == first.end or second.start == second.end:
            continue
        joined = _Chain(np.concatenate([first.xy_m, second.xy_m[1:]]), [*first.name, *second.name], first.oneway, first.start, second.end)
        number = around[0]
        pieces[number] = joined
        gone.add(around[1])
        far = at[second.end]
        far[far.index(around[1])] = number
        at[node] = []
    return [piece for index, piece in enumerate(pieces) if index not in gone]


def _reversed(chain: _Chain) -> _Chain:
    return _Chain(chain.xy_m[::-1], chain.name[::-1], -chain.oneway, chain.end, chain.start)


def _contracted(chains: list[_Chain], counts: list[int], nodes: int) -> IntArray:
    """(nodes,) numbers of junctions, those that are joined by a piece too short for a place being one."""
    short = [(chain.start, chain.end) for chain, count in zip(chains, counts, strict=True) if not count]
    pairs = np.array(short, dtype=np.int64).reshape(-1, 2)
    links = sparse.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(nodes, nodes))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def _graph(kept: list[tuple[_Chain, int]], joined: IntArray, names: tuple[str, ...], spacing_m: float) -> RoadGraph:
    """Places of chains in the directions that they are driven in."""
    xy, heading, length, arc, name, opposite = [], [], [], [], [], []
    arcs: list[tuple[int, int, int, int]] = []  # first place, last place, node where it begins, node where it ends
    twin: dict[int, int] = {}
    count = 0
    for chain, many in kept:
        middles, ways, step_m, called = _along(chain, many)
        both = [way for way in (1, -1) if chain.oneway in (0, way)]
        for way in both:
            turned = slice(None, None, way)
            xy.append(middles[turned])
            heading.append((ways[turned] + (0.0 if way > 0 else 180.0)) % 360.0)
            length.append(np.full(many, step_m))
            name.append(called[turned])
            arc.append(np.full(many, len(arcs)))
            start, end = (chain.start, chain.end)[::way]
            arcs.append((count, count + many - 1, int(joined[start]), int(joined[end])))
            numbers = np.arange(count, count + many)
            if len(both) == 2:
                opposite.append((numbers + many if way > 0 else numbers - many)[::-1])
                twin[len(arcs) - 1] = len(arcs) if way > 0 else len(arcs) - 2
            else:
                opposite.append(np.full(many, -1))
            count += many
    links, shares = _links(arcs, twin)
    order = np.argsort(links[:, 1], kind="stable")

    def joined_up(parts: list[FloatArray] | list[IntArray], kind: type = np.int64, width: tuple[int, ...] = ()) -> NDArray[np.generic]:
        return np.concatenate(parts).astype(kind) if parts else np.zeros((0, *width), dtype=kind)

    return RoadGraph(
        xy_m=joined_up(xy, np.float64, (2,)),  # type: ignore[arg-type]
        heading_deg=joined_up(heading, np.float64),  # type: ignore[arg-type]
        length_m=joined_up(length, np.float64),  # type: ignore[arg-type]
        arc=joined_up(arc),  # type: ignore[arg-type]
        name=joined_up(name),  # type: ignore[arg-type]
        names=names,
        opposite=joined_up(opposite),  # type: ignore[arg-type]
        link_from=links[order, 0],
        link_to=links[order, 1],
        link_share=shares[order],
        spacing_m=spacing_m,
    )


def _along(chain: _Chain, many: int) -> tuple[FloatArray, FloatArray, float, IntArray]:
    """Of a chain's places: (n, 2) middles, (n,) headings over the stretch that each stands for, that stretch's length, and (n,) names."""
    along_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(chain.xy_m, axis=0).T))])
    bounds = np.linspace(0.0, along_m[-1], many + 1)
    at = np.stack([np.interp(bounds, along_m, chain.xy_m[:, axis]) for axis in (0, 1)], axis=1)
    middle_m = (bounds[1:] + bounds[:-1]) / 2.0
    middles = np.stack([np.interp(middle_m, along_m, chain.xy_m[:, axis]) for axis in (0, 1)], axis=1)
    chord = np.diff(at, axis=0)
    called = np.array(chain.name, dtype=np.int64)[np.clip(np.searchsorted(along_m, middle_m, side="right") - 1, 0, len(chain.name) - 1)]
    return middles, np.degrees(np.arctan2(chord[:, 0], chord[:, 1])), float(along_m[-1] / many), called


def _links(arcs: list[tuple[int, int, int, int]], twin: dict[int, int]) -> tuple[IntArray, FloatArray]:
    """(L, 2) places that follow each other, and (L,) the share of each."""
    leaving: dict[int, list[int]] = defaultdict(list)
    for index, (_, _, start, _) in enumerate(arcs):
        leaving[start].append(index)
    links, shares = [], []
    for index, (first, last, _, end) in enumerate(arcs):
        inner = np.arange(first, last)
        links.append(np.stack([inner, inner + 1], axis=1))
        shares.append(np.ones(len(inner)))
        # Nobody turns round in a junction but where there is no other way.
        out = [other for other in leaving[end] if other != twin.get(index)] or [other for other in leaving[end] if other == twin.get(index)]
        links.append(np.array([(last, arcs[other][0]) for other in out], dtype=np.int64).reshape(-1, 2))
        shares.append(np.full(len(out), 1.0 / max(1, len(out))))
    if not links:
        return np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.float32)
    return np.concatenate(links), np.concatenate(shares).astype(np.float32)
