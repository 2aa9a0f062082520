"""The true road network of a dense town: what long drives go on, before any map of it is drawn.

Frozen figures of ``build_roads(seed, town)`` of 5 x 5 km are in the docstring of ``long_drives``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from pyproj import Transformer
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from .road_details import (
    BRIDGES_PER_KM2,
    ROUNDABOUT_SHARE,
    Draft,
    Piece,
    add_bridges,
    add_dead_ends,
    add_roundabouts,
    direction,
    name_streets,
    set_footways,
    set_one_ways,
)
from .road_patterns import PATTERNS, Pair, street_plan
from .streets import Floats, Network
from .towns.isles import WORLD_ISLES
from .towns.network import isle_number

SQUARE_TOLERANCE_DEG = 15.0


@dataclass(frozen=True, eq=False)
class RoadEdge:
    """A stretch of road between two nodes.

    Args:
        start, end: numbers of its nodes.
        line_m: middle line (n, 2), east and north, from start to end.
        name: of the street, shared by its edges; empty where it has none.
        highway: "primary", "secondary", "residential", or "footway", which no car drives.
        oneway: driven from start to end only.
        bridge: passes over others without meeting them.
        roundabout: part of a ring, driven counterclockwise.
    """

    start: int
    end: int
    line_m: Floats
    name: str
    highway: str
    oneway: bool
    bridge: bool
    roundabout: bool

    @cached_property
    def length_m(self) -> float:
        """Length of the middle line."""
        return float(np.hypot(*np.diff(self.line_m, axis=0).T).sum())

    @property
    def driven(self) -> bool:
        """Whether cars may go there."""
        return self.highway != "footway"


@dataclass(frozen=True, eq=False)
class Roads:
    """A road network around the origin of local metres.

    Args:
        nodes_m: (n, 2) crossings, dead ends and ends of bridges, east and north.
        edges: stretches between them.
        pattern: one of ``road_patterns.PATTERNS``, or "isle" for the streets of a town that can be rendered.
        size_m: side of the square.
        latitude_deg, longitude_deg: of the origin.
    """

    nodes_m: Floats
    edges: tuple[RoadEdge, ...]
    pattern: str
    size_m: float
    latitude_deg: float
    longitude_deg: float

    @cached_property
    def length_m(self) -> float:
        """Of all edges together, footways too."""
        return sum(edge.length_m for edge in self.edges)

    @cached_property
    def arms(self) -> list[list[int]]:
        """Numbers of the edges at every node."""
        found: list[list[int]] = [[] for _ in self.nodes_m]
        for number, edge in enumerate(self.edges):
            found[edge.start].append(number)
            found[edge.end].append(number)
        return found

    def to_lat_lon(self, xy_m: Floats) -> Floats:
        """WGS 84 ``[lat_deg, lon_deg]`` of local points (..., 2)."""
        return local_to_lat_lon(xy_m, self.latitude_deg, self.longitude_deg)


@lru_cache(maxsize=16)
def _to_degrees(latitude_deg: float, longitude_deg: float) -> Transformer:
    return Transformer.from_crs(f"+proj=aeqd +lat_0={latitude_deg} +lon_0={longitude_deg} +datum=WGS84", "EPSG:4326", always_xy=True)


def local_to_lat_lon(xy_m: Floats, latitude_deg: float, longitude_deg: float) -> Floats:
    """WGS 84 ``[lat_deg, lon_deg]`` of points (..., 2) in metres east and north of a place, as the isles have them."""
    lon, lat = _to_degrees(latitude_deg, longitude_deg).transform(xy_m[..., 0], xy_m[..., 1])
    return np.stack([lat, lon], axis=-1)


def _ways_between(sites_m: Floats, edges: list[Pair], pairs: list[tuple[int, int]]) -> set[Pair]:
    """Edges of the shortest ways between pairs of crossings."""
    a, b = np.array(edges).T
    graph = csr_array((np.hypot(*(sites_m[a] - sites_m[b]).T), (a, b)), shape=(len(sites_m), len(sites_m)))
    starts = sorted({start for start, _ in pairs})
    _, before = dijkstra(graph, directed=False, indices=starts, return_predecessors=True)
    found: set[Pair] = set()
    for start, end in pairs:
        row, node = starts.index(start), end
        while (back := int(before[row, node])) >= 0:
            found.add((min(node, back), max(node, back)))
            node = back
    return found


def _classes(sites_m: Floats, edges: list[Pair], centres_m: Floats, size_m: float, rng: np.random.Generator) -> list[str]:
    """The ways between districts and out of the town are primary, those between places about a kilometre apart secondary."""
    used = np.unique(np.array(edges))

    def nearest(points: Floats) -> list[int]:
        return [int(used[np.hypot(*(sites_m[used] - point).T).argmin()]) for point in points]

    angle = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(5) / 5
    outer = 0.5 * size_m * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    middle, *others = nearest(np.concatenate([centres_m, outer]))
    primary = _ways_between(sites_m, edges, [(middle, other) for other in others])
    steps = np.arange(-0.5 * size_m + 500, 0.5 * size_m, 1000.0)
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2) + rng.uniform(-250, 250, (len(steps) ** 2, 2))
    places = np.array(nearest(grid)).reshape(len(steps), len(steps))
    pairs = [*zip(places[:-1].ravel(), places[1:].ravel(), strict=True), *zip(places[:, :-1].ravel(), places[:, 1:].ravel(), strict=True)]
    chosen = [(int(a), int(b)) for a, b in pairs if rng.random() < 0.7]
    secondary = _ways_between(sites_m, edges, chosen)
    keys = [(min(edge), max(edge)) for edge in edges]
    return ["primary" if key in primary else "secondary" if key in secondary else "residential" for key in keys]


def build_roads(seed: int, town_name: str | None = None, size_m: float = 5000.0, pattern: str | None = None) -> Roads:
    """The road network of a square piece of an isle's town, as dense as a small city; the same for the same arguments.

    Args:
        seed: of the network.
        town_name: an isle, whose place on the map and pattern it has; drawn by the seed if None.
        size_m: side of the square.
        pattern: one of ``road_patterns.PATTERNS`` instead of the isle's: "regular_grid" has equal right-angled blocks.

    Raises:
        ValueError: no such isle or pattern.
    """
    names = sorted(WORLD_ISLES)
    name = town_name if town_name is not None else names[int(np.random.default_rng([seed, 40]).integers(len(names)))]
    if name not in WORLD_ISLES or (pattern is not None and pattern not in PATTERNS):
        raise ValueError(f"no isle {name!r} or no pattern {pattern!r}")
    town = WORLD_ISLES[name]
    kind = pattern or town.pattern
    key = [seed, isle_number(town), 41]
    sites, edges, lines, centres = street_plan(kind, size_m, key)
    rng = np.random.default_rng([*key, 3])
    classes = _classes(sites, edges, centres, size_m, rng)
    pieces = [Piece(a, b, line, highway) for (a, b), line, highway in zip(edges, lines, classes, strict=True)]
    draft = Draft([np.asarray(site) for site in sites], pieces)
    add_bridges(draft, max(2, round(BRIDGES_PER_KM2 * (size_m / 1000) ** 2)), rng)
    add_roundabouts(draft, round(ROUNDABOUT_SHARE * len(np.unique(np.array(edges)))), rng)
    add_dead_ends(draft, square=kind == "regular_grid", rng=rng)
    name_streets(draft, rng)
    set_footways(draft, rng)
    set_one_ways(draft, rng)
    used = sorted({node for piece in draft.pieces for node in (piece.start, piece.end)})
    order = {node: index for index, node in enumerate(used)}
    finished = tuple(
        RoadEdge(order[p.start], order[p.end], p.line_m, p.name, p.highway, p.oneway, p.bridge, p.roundabout) for p in draft.pieces
    )
    return Roads(np.array([draft.nodes_m[node] for node in used]), finished, kind, size_m, town.latitude_deg, town.longitude_deg)


def roads_of_network(network: Network, seed: int) -> Roads:
    """The streets of a town that can be rendered, as roads: edge and node numbers are its streets' and crossings'; all driven both ways."""
    draft = Draft(
        list(network.crossings_m),
        [Piece(s.start, s.end, s.line_m, "secondary" if s.is_main else "residential") for s in network.streets],
    )
    name_streets(draft, np.random.default_rng([seed, 42]))
    edges = tuple(RoadEdge(p.start, p.end, p.line_m, p.name, p.highway, p.oneway, p.bridge, p.roundabout) for p in draft.pieces)
    config = network.config
    size = 2 * float(np.abs(network.crossings_m).max())
    return Roads(network.crossings_m, edges, "isle", size, config.latitude_deg, config.longitude_deg)


def right_angle_share(roads: Roads) -> float:
    """Share of crossings all of whose angles lie within 15° of multiples of 90°.

    Counted are nodes where three or more driven roads meet; those on roundabouts are left out, for the way a ring is drawn decides
    their angles.
    """
    square, count = 0, 0
    for node, numbers in enumerate(roads.arms):
        arms = [roads.edges[number] for number in numbers if roads.edges[number].driven]
        if len(arms) < 3 or any(edge.roundabout for edge in arms):
            continue
        angles = np.sort([direction(edge.line_m if edge.start == node else edge.line_m[::-1]) for edge in arms])
        gaps = np.rad2deg(np.diff(np.append(angles, angles[0] + 2 * np.pi)))
        count += 1
        square += bool((np.abs((gaps + 45) % 90 - 45) <= SQUARE_TOLERANCE_DEG).all())
    return square / max(1, count)
