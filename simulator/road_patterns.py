"""Where the streets of a dense town lie: crossings and middle lines in the isles' patterns, or a regular grid. No attributes yet."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial import Delaunay, cKDTree
from shapely import LineString, STRtree

from .streets import Floats, SmoothField, resample
from .towns.network import LEAST_ANGLE_DEG, _joined, _line, urban_density

Pair = tuple[int, int]
PATTERNS = ("organic", "radial", "ribbon", "grid", "regular_grid")
BLOCK_M = (110.0, 180.0)  # of the regular grid
MOST_ARMS = 4
REMOVED_SHARE = 0.2  # of the edges, so that crossings of three arms are the commonest, as in real towns
STREET_KM_PER_KM2 = (5.4, 7.0)  # of the other patterns: 135 to 175 km in 5 x 5 km


def _lattice(pattern: str, size_m: float, centres_m: Floats, spacing_m: float, rng: np.random.Generator) -> Floats:
    """Crossings (n, 2) of a turned grid: whole rows of it in the middle of the districts, every second one outside."""
    step = spacing_m * np.array([1.0, 1.0] if pattern == "grid" else [1.25, 0.8])
    count = np.ceil(0.75 * size_m / step).astype(int)
    cells = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in count), indexing="ij"), axis=-1).reshape(-1, 2)
    turn = rng.uniform(-0.35, 0.35)
    places = (cells * step) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    density = urban_density(places, centres_m, (0.26 * size_m, 0.17 * size_m))
    keep = ((density > 0.3) | (cells[:, 0] % 2 == 0)) & ((density > 0.08) | (cells[:, 1] % 2 == 0))
    places = places[keep]
    return places + 0.13 * spacing_m * rng.uniform(-1, 1, places.shape)


def _scattered(pattern: str, size_m: float, centres_m: Floats, spacing_m: float, rng: np.random.Generator) -> Floats:
    """Crossings (n, 2) that keep a distance from each other, less of it in the middle of the districts; on rings for "radial"."""
    half = size_m / 2
    if pattern == "radial":
        rings = np.arange(0.6, 1.5 * half / spacing_m) * spacing_m
        counts = np.maximum(5, np.round(2 * np.pi * rings / (1.1 * spacing_m))).astype(int)
        counts = (2 ** np.round(np.log2(counts / 6)) * 6).astype(int)  # spokes go on from ring to ring, or fork
        angles = [2 * np.pi * np.arange(n) / n for n in counts]
        parts = [r * np.stack([np.cos(a), np.sin(a)], axis=1) for r, a in zip(rings, angles, strict=True)]
        places = centres_m[0] + np.concatenate([np.zeros((1, 2)), *parts])
        places = places + 0.1 * spacing_m * rng.uniform(-1, 1, places.shape)
    else:
        places = rng.uniform(-half, half, (round(7 * (size_m / spacing_m) ** 2), 2))
    density = urban_density(places, centres_m, (0.26 * size_m, 0.17 * size_m))
    least = spacing_m * (0.55 + 0.75 * (1 - density))
    order = np.argsort(-density + 0.4 * rng.random(len(places)))
    chosen = np.empty((len(places), 2))
    count = 0
    for index in order:
        if count == 0 or ((chosen[:count] - places[index]) ** 2).sum(axis=1).min() > least[index] ** 2:
            chosen[count] = places[index]
            count += 1
    return chosen[:count]


def _gabriel_edges(sites_m: Floats) -> list[Pair]:
    """Neighbours (the Gabriel graph, from Delaunay's triangles), without the longer of two that leave a crossing side by side.

    No crossing has more than ``MOST_ARMS``: real towns have hardly any with five.
    """
    triangles = Delaunay(sites_m).simplices
    pairs = np.unique(np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1), axis=0)
    ends = sites_m[pairs]
    length = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    nearest, _ = cKDTree(sites_m).query(ends.mean(axis=1))
    fits = nearest > length / 2 - 1e-6
    kept: list[Pair] = []
    arms: list[list[float]] = [[] for _ in sites_m]
    for a, b in pairs[fits][np.argsort(length[fits])]:
        toward = [float(np.arctan2(*(sites_m[end] - sites_m[start])[::-1])) for start, end in ((a, b), (b, a))]
        gaps = [abs((own - other + np.pi) % (2 * np.pi) - np.pi) for node, own in zip((a, b), toward, strict=True) for other in arms[node]]
        full = max(len(arms[a]), len(arms[b])) >= MOST_ARMS
        if not full and (not gaps or min(gaps) > np.deg2rad(LEAST_ANGLE_DEG)):
            kept.append((int(a), int(b)))
            for node, own in zip((a, b), toward, strict=True):
                arms[node].append(own)
    return kept


def spanning_edges(ends: list[Pair], count: int, rng: np.random.Generator) -> set[int]:
    """Numbers of edges that together join everything that is joined: whatever else is taken away, all stays joined."""
    a, b = np.array(ends, int).reshape(-1, 2).T
    order = rng.permutation(len(ends)) + 1.0
    # Two edges between the same crossings would be added up by the sparse matrix: the lighter one stands for both.
    light: dict[Pair, int] = {}
    for index in np.argsort(order):
        light.setdefault((min(a[index], b[index]), max(a[index], b[index])), int(index))
    numbers = np.array(list(light.values()))
    tree = minimum_spanning_tree(csr_array((order[numbers], (a[numbers], b[numbers])), shape=(count, count)))
    weights = set(tree.data.astype(int))
    return {int(index) for index in numbers if int(order[index]) in weights}


def _thinned(edges: list[Pair], count: int, share: float, rng: np.random.Generator) -> list[Pair]:
    """Without a share of the edges; all stays joined and no crossing becomes a dead end."""
    needed = spanning_edges(edges, count, rng)
    degree = np.bincount(np.array(edges).ravel(), minlength=count)
    left, gone = round(share * len(edges)), set[int]()
    for index in rng.permutation(len(edges)):
        a, b = edges[index]
        if left and index not in needed and min(degree[a], degree[b]) > 2:
            degree[[a, b]] -= 1
            left -= 1
            gone.add(int(index))
    return [edge for index, edge in enumerate(edges) if index not in gone]


def _apart(sites_m: Floats, edges: list[Pair], lines: list[Floats]) -> list[Floats]:
    """Lines of which those that cross another one between crossings are straightened."""
    shapes = [LineString(line) for line in lines]
    crossing = STRtree(shapes).query(shapes, predicate="crosses").T
    bent = {int(index) for a, b in crossing if a < b for index in (a, b)}
    return [resample(sites_m[[*edge]], 6.0) if index in bent else line for index, (edge, line) in enumerate(zip(edges, lines, strict=True))]


def _regular(size_m: float, rng: np.random.Generator) -> tuple[Floats, list[Pair], list[Floats]]:
    """Equal blocks, right-angled, turned by some angle."""
    count = np.ceil(0.75 * size_m / np.array(BLOCK_M)).astype(int)
    cells = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in count), indexing="ij"), axis=-1).reshape(-1, 2)
    turn = rng.uniform(-np.pi / 4, np.pi / 4)
    places = (cells * BLOCK_M) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    inside = (np.abs(places) < size_m / 2).all(axis=1)
    sites, cells = places[inside], cells[inside]
    number = {(int(i), int(j)): index for index, (i, j) in enumerate(cells)}
    edges = [
        (index, number[i + di, j + dj]) for (i, j), index in number.items() for di, dj in ((1, 0), (0, 1)) if (i + di, j + dj) in number
    ]
    edges = _thinned(_joined(edges, len(sites)), len(sites), 0.06, rng)
    return sites, edges, [resample(sites[[*edge]], 6.0) for edge in edges]


def street_plan(pattern: str, size_m: float, seed: list[int]) -> tuple[Floats, list[Pair], list[Floats], Floats]:
    """Crossings (n, 2), pairs of them that are joined, the streets' middle lines, and the districts' centres (k, 2); metres.

    Args:
        pattern: one of ``PATTERNS``.
        size_m: side of the square, around the origin.
        seed: of everything; the same for the same seed.
    """
    rng = np.random.default_rng([*seed, 1])
    centres = np.concatenate([rng.uniform(-0.12, 0.12, (1, 2)), rng.uniform(-0.36, 0.36, (max(2, round(size_m / 2000)), 2))]) * size_m
    if pattern == "regular_grid":
        sites, edges, lines = _regular(size_m, rng)
        return sites, edges, lines, centres
    wanted = rng.uniform(*STREET_KM_PER_KM2) * (size_m / 1000) ** 2
    spacing = 250.0
    for _ in range(8):  # the length goes about as one over the spacing
        rng = np.random.default_rng([*seed, 2])
        make = _lattice if pattern in {"grid", "ribbon"} else _scattered
        sites = make(pattern, size_m, centres, spacing, rng)
        warp = np.stack([field(sites) for field in (SmoothField(rng, 4000.0), SmoothField(rng, 4000.0))], axis=1)
        sites = sites + 0.3 * spacing * warp
        sites = sites[(np.abs(sites) < size_m / 2).all(axis=1)]
        edges = _thinned(_joined(_gabriel_edges(sites), len(sites)), len(sites), REMOVED_SHARE, rng)
        lines = [_line(sites[a], sites[b], rng) for a, b in edges]
        ratio = sum(float(np.hypot(*np.diff(line, axis=0).T).sum()) for line in lines) / 1000 / wanted
        if abs(ratio - 1) < 0.04:
            break
        spacing *= float(np.clip(ratio, 0.6, 1.6)) ** 0.9
    return sites, edges, _apart(sites, edges, lines), centres


def all_joined(starts: list[int], ends: list[int], count: int, used: Floats | list[int]) -> bool:
    """Whether one can go from every used crossing to every other along the arcs (n starts and ends)."""
    graph = csr_array((np.ones(len(starts)), (starts, ends)), shape=(count, count))
    part = connected_components(graph, connection="strong")[1]
    return len(np.unique(part[np.asarray(used, int)])) == 1
