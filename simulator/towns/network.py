"""Street networks of 5 to 25 km: dense in the districts, sparse between them; grids, rings, ribbons or grown ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial.distance import cdist

from ..streets import Floats, Network, SmoothField, Street, Terrain, resample, smoothstep
from .config import WorldConfig
from .isles import TownConfig

SHORE_CLEAR_M = 70.0
LEAST_ANGLE_DEG = 38.0


def district_centres(town: TownConfig, terrain: Terrain, rng: np.random.Generator) -> Floats:
    """Where the districts lie (n, 2): the first near the middle, the others far from each other."""
    axes = np.array([town.half_length_m, town.half_width_m])
    tries = rng.uniform(-1, 1, (600, 2)) * axes
    tries = tries[terrain.inland_m(tries) > town.coast_margin_m + 250]
    centres = [tries[np.hypot(*(tries / axes).T).argmin()]]
    while len(centres) < len(town.cities):
        some = tries[rng.integers(len(tries), size=25)]
        centres.append(some[cdist(some, np.array(centres)).min(axis=1).argmax()])
    return np.array(centres)


def urban_density(xy_m: Floats, centres_m: Floats, reach_m: tuple[float, float]) -> Floats:
    """1 in the middle of a district, towards 0 in the country, for points (..., 2); ``reach_m`` of the first district and of the others."""
    reach = np.where(np.arange(len(centres_m)) == 0, reach_m[0], reach_m[1])
    squared = ((xy_m[..., None, :] - centres_m) ** 2).sum(axis=-1) / reach**2
    return np.exp(-squared).max(axis=-1)


def _sites(town: TownConfig, config: WorldConfig, terrain: Terrain, centres: Floats, spacing_m: float, rng: np.random.Generator) -> Floats:
    """Crossings (n, 2) in the town's pattern; far apart in the country."""
    axes = np.array([town.half_length_m, town.half_width_m])
    if town.pattern == "organic":
        places = rng.uniform(-1.1, 1.1, (2500, 2)) * axes
    elif town.pattern == "radial":
        rings = np.arange(0.6, 1.15 * axes.max() / spacing_m) * spacing_m
        angles = [2 * np.pi * np.arange(n) / n for n in (np.clip(2 * np.pi * rings / (1.15 * spacing_m), 5, 24) // 1).astype(int)]
        places = np.concatenate(
            [r * np.stack([np.cos(a), np.sin(a)], axis=1) * axes / axes.max() for r, a in zip(rings, angles, strict=True)]
        )
        places = np.concatenate([np.zeros((1, 2)), places])
    else:
        turn = rng.uniform(-0.35, 0.35) if town.pattern == "grid" else rng.uniform(-0.06, 0.06)
        step = spacing_m * (np.array([1.0, 1.0]) if town.pattern == "grid" else np.where(axes == axes.max(), 1.25, 0.8))
        count = np.ceil(1.5 * axes.max() / step).astype(int)
        grid = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in count), indexing="ij"), axis=-1).reshape(-1, 2) * step
        places = grid @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    places = places + 0.16 * spacing_m * rng.uniform(-1, 1, places.shape)
    warp = np.stack([field(places) for field in (SmoothField(rng, 5000.0), SmoothField(rng, 5000.0))], axis=1)
    places = places + 0.2 * spacing_m * warp
    places = places[terrain.inland_m(places) > town.coast_margin_m]
    density = urban_density(places, centres, config.district_reach_m)
    keep = (density > 0.1) | (rng.random(len(places)) < 0.03)
    places, density = places[keep], density[keep]
    least = spacing_m * (0.68 + 0.5 * (1 - smoothstep(0.05, 0.6, density)) + 2.0 * (density < 0.1))
    order = np.argsort(-density + 0.4 * rng.random(len(places)))
    chosen: list[int] = []
    for index in order:
        if not chosen or (np.hypot(*(places[chosen] - places[index]).T) > least[index]).all():
            chosen.append(int(index))
    return places[chosen]


def _edges(sites: Floats) -> list[tuple[int, int]]:
    """Neighbours of each other (Gabriel graph), without the longer of two that leave a crossing side by side."""
    squared = cdist(sites, sites, "sqeuclidean")
    found = []
    for a in range(len(sites)):
        for b in range(a):
            between = squared[a] + squared[b] < squared[a, b] - 1e-6
            if not between.any():
                found.append((float(squared[a, b]), b, a))
    kept: list[tuple[int, int]] = []
    arms: dict[int, list[float]] = {node: [] for node in range(len(sites))}
    for _, a, b in sorted(found):
        toward = [float(np.arctan2(*(sites[end] - sites[start])[::-1])) for start, end in ((a, b), (b, a))]
        gaps = [
            abs((angle - other + np.pi) % (2 * np.pi) - np.pi) for node, angle in zip((a, b), toward, strict=True) for other in arms[node]
        ]
        if not gaps or min(gaps) > np.deg2rad(LEAST_ANGLE_DEG):
            kept.append((a, b))
            for node, angle in zip((a, b), toward, strict=True):
                arms[node].append(angle)
    return kept


def _line(start_m: Floats, end_m: Floats, rng: np.random.Generator) -> Floats:
    """A street with a bend and a swing; both of no account where it is short."""
    delta = end_m - start_m
    length = float(np.hypot(*delta))
    t = np.linspace(0, 1, 60)[:, None]
    bend, swing = rng.uniform(-0.1, 0.1), rng.normal(0, 0.035) * min(1.0, length / 900)
    sideways = bend * np.sin(np.pi * t) + swing * np.sin(2 * np.pi * t)
    return resample(start_m + t * delta + sideways * np.array([-delta[1], delta[0]]), 6.0)


def _degrees(edges: list[tuple[int, int]], count: int) -> np.ndarray:
    return np.bincount(np.array(edges, int).ravel(), minlength=count)


def _parts(edges: list[tuple[int, int]], count: int) -> np.ndarray:
    a, b = np.array(edges, int).reshape(-1, 2).T
    return np.asarray(connected_components(csr_array((np.ones(len(a)), (a, b)), shape=(count, count)), directed=False)[1])


def thin_out(
    edges: list[tuple[int, int]], count: int, least_degree: int, wanted: list[tuple[int, int]]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Take ``wanted`` edges away one by one where all stays joined and no crossing falls below ``least_degree``; (kept, taken)."""
    kept, taken = list(edges), list[tuple[int, int]]()
    for edge in wanted:
        less = [other for other in kept if other != edge]
        if _degrees(less, count)[list(edge)].min() >= least_degree and len(np.unique(_parts(less, count)[_degrees(edges, count) > 0])) == 1:
            kept, taken = less, [*taken, edge]
    return kept, taken


def _joined(edges: list[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """The largest part, without dead ends."""
    part = _parts(edges, count)
    largest = np.bincount(part[np.array(edges).ravel()]).argmax()
    edges = [edge for edge in edges if part[edge[0]] == largest]
    while True:
        degree = _degrees(edges, count)
        better = [(a, b) for a, b in edges if degree[a] > 1 and degree[b] > 1]
        if len(better) == len(edges):
            return edges
        edges = better


def _main_edges(sites: Floats, edges: list[tuple[int, int]], centres: Floats) -> set[tuple[int, int]]:
    """The ways that join the districts."""
    a, b = np.array(edges).T
    length = np.hypot(*(sites[a] - sites[b]).T)
    graph = csr_array((length, (a, b)), shape=(len(sites), len(sites)))
    used = np.unique(np.array(edges))
    ends = [int(used[np.hypot(*(sites[used] - centre).T).argmin()]) for centre in centres]
    _, before = dijkstra(graph, directed=False, indices=ends, return_predecessors=True)
    found = set()
    for row, _ in enumerate(ends):
        for end in ends:
            node = end
            while before[row, node] >= 0:
                found.add((min(node, int(before[row, node])), max(node, int(before[row, node]))))
                node = int(before[row, node])
    return found


def _plan(
    town: TownConfig, config: WorldConfig, terrain: Terrain, centres: Floats, spacing_m: float, seed: list[int]
) -> tuple[Floats, list[tuple[int, int]], list[Floats]]:
    """Crossings, edges and lines at one spacing."""
    rng = np.random.default_rng(seed)
    sites = _sites(town, config, terrain, centres, spacing_m, rng)
    lines = {}
    for a, b in _edges(sites):
        line = _line(sites[a], sites[b], rng)
        if terrain.inland_m(line).min() > SHORE_CLEAR_M:
            lines[a, b] = line
    edges = _joined(list(lines), len(sites))
    main = _main_edges(sites, edges, centres)
    rural = [edge for edge in edges if edge not in main and urban_density(lines[edge], centres, config.district_reach_m).mean() < 0.25]
    rural.sort(key=lambda edge: -float(np.hypot(*(sites[edge[0]] - sites[edge[1]]))))
    edges = _joined(thin_out(edges, len(sites), 1, rural[: round(0.8 * len(rural))])[0], len(sites))
    wanted = [edges[index] for index in rng.permutation(len(edges))[: round(0.12 * len(edges))]]
    edges, _ = thin_out(edges, len(sites), 2, wanted)
    return sites, edges, [lines[edge] for edge in edges]


def build_town_network(town: TownConfig, config: WorldConfig, seed: int) -> tuple[Network, Floats]:
    """Streets and terrain of an isle, about as long as the configuration wants, and the districts' centres; the same for the same seed."""
    rng = np.random.default_rng([seed, isle_number(town), 1])
    terrain = Terrain(town, rng)
    centres = district_centres(town, terrain, rng)
    spacing, best = 700.0, None
    for _ in range(12):  # the length goes about as one over the spacing
        plan = _plan(town, config, terrain, centres, spacing, [seed, isle_number(town), 2])
        length = sum(float(np.hypot(*np.diff(line, axis=0).T).sum()) for line in plan[2])
        if best is None or abs(length - config.street_length_m) < abs(best[0] - config.street_length_m):
            best = (length, plan)
        if abs(length / config.street_length_m - 1) < 0.05:
            break
        spacing *= np.clip(length / config.street_length_m, 0.7, 1.4) ** 0.8
    assert best is not None
    sites, edges, lines = best[1]
    main = _main_edges(sites, edges, centres)
    used = sorted({node for edge in edges for node in edge})
    order = {node: index for index, node in enumerate(used)}
    streets = [
        Street(order[a], order[b], line, 5.8 if (a, b) in main else 4.6, (a, b) in main) for (a, b), line in zip(edges, lines, strict=True)
    ]
    return Network(town, terrain, sites[used], tuple(streets)), centres


def isle_number(town: TownConfig) -> int:
    """A number of its own for an isle's generators, whatever isles stand beside it."""
    return int.from_bytes(town.name.encode()[:7], "big")


def unseen_streets(network: Network, share: float, rng: np.random.Generator) -> set[int]:
    """Streets kept from training: ``share`` of the length, so chosen that the others stay joined, without dead ends where possible."""
    edges = [(street.start, street.end) for street in network.streets]
    number = {edge: index for index, edge in enumerate(edges)}
    goal, taken = share * network.length_m, set[int]()
    for least_degree in (2, 1):
        for index in rng.permutation(len(edges)):
            street = network.streets[index]
            if sum(network.streets[k].length_m for k in taken) >= goal:
                return taken
            if index in taken or street.length_m < 330 or (least_degree == 2 and street.is_main):
                continue
            left = [edge for edge in edges if number[edge] not in taken]
            taken |= {number[edge] for edge in thin_out(left, len(network.crossings_m), least_degree, [edges[index]])[1]}
    return taken


def route_streets(network: Network, route: tuple[int, ...]) -> list[int]:
    """Numbers of the streets of a route."""
    return [network.neighbours[a][b] for a, b in pairwise(route)]
