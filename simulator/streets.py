"""Terrain, coast and street network of an isle, in metres east and north of its centre."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.spatial import cKDTree

from .config import IsleConfig

Floats = NDArray[np.float64]


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)


class SmoothField:
    """A sum of random plane waves: a smooth scalar field of about unit variance over the plane.

    Args:
        rng: source of its waves.
        wavelength_m: typical distance from crest to crest.
        waves: number of waves summed.
    """

    def __init__(self, rng: np.random.Generator, wavelength_m: float, waves: int = 9) -> None:
        angle = rng.uniform(0, 2 * np.pi, waves)
        wavenumber = 2 * np.pi / (wavelength_m * rng.uniform(0.7, 1.6, waves))
        self._k = np.stack([np.cos(angle), np.sin(angle)], axis=1) * wavenumber[:, None]
        self._phase = rng.uniform(0, 2 * np.pi, waves)
        self._gain = np.sqrt(2.0 / waves)

    def __call__(self, xy_m: Floats) -> Floats:
        """Value at ``xy_m (..., 2)``."""
        return self._gain * np.sin(xy_m @ self._k.T + self._phase).sum(axis=-1)


class Terrain:
    """Coastline and height of the ground."""

    def __init__(self, config: IsleConfig, rng: np.random.Generator) -> None:
        self._config = config
        self._hills = SmoothField(rng, config.hill_wavelength_m)
        self._orders = np.arange(2, 6)
        self._gains = rng.normal(0, 0.09, self._orders.size) / np.sqrt(self._orders / 2)
        self._phases = rng.uniform(0, 2 * np.pi, self._orders.size)

    def inland_m(self, xy_m: Floats) -> Floats:
        """About how far a point lies inside the coast (negative: at sea)."""
        config = self._config
        axes = np.array([config.half_length_m, config.half_width_m]) + config.coast_margin_m
        q = xy_m / axes
        angle = np.arctan2(q[..., 1], q[..., 0])
        outline = 1 + (self._gains * np.cos(self._orders * angle[..., None] + self._phases)).sum(axis=-1)
        return (outline - np.hypot(q[..., 0], q[..., 1])) * float(axes.min())

    def height_m(self, xy_m: Floats) -> Floats:
        """Height above the sea."""
        inland = self.inland_m(xy_m)
        shore = -4 + 7.5 * smoothstep(-40, 90, inland)
        return shore + self._config.hill_height_m * (1 + np.tanh(0.7 * self._hills(xy_m))) * smoothstep(20, 520, inland)


@dataclass(frozen=True)
class Street:
    """A stretch of street between two crossings.

    Args:
        start, end: indices of its crossings.
        line_m: centre line (n, 2), about every 6 m.
        half_width_m: of the carriageway.
        is_main: a wider street, driven faster.
    """

    start: int
    end: int
    line_m: Floats
    half_width_m: float
    is_main: bool

    @cached_property
    def length_m(self) -> float:
        """Length of the centre line."""
        return float(np.hypot(*np.diff(self.line_m, axis=0).T).sum())


@dataclass(frozen=True)
class Network:
    """Crossings, streets and the ground they lie on."""

    config: IsleConfig
    terrain: Terrain
    crossings_m: Floats
    streets: tuple[Street, ...]

    @cached_property
    def neighbours(self) -> dict[int, dict[int, int]]:
        """For every crossing: the crossings next to it, each with the street that leads there."""
        found: dict[int, dict[int, int]] = {node: {} for node in range(len(self.crossings_m))}
        for index, street in enumerate(self.streets):
            found[street.start][street.end] = index
            found[street.end][street.start] = index
        return found

    @cached_property
    def length_m(self) -> float:
        """All streets together."""
        return sum(street.length_m for street in self.streets)

    @cached_property
    def _dense(self) -> tuple[cKDTree, NDArray[np.int64]]:
        points, owners = [], []
        for index, street in enumerate(self.streets):
            points.append(resample(street.line_m, 1.5))
            owners.append(np.full(len(points[-1]), index))
        return cKDTree(np.concatenate(points)), np.concatenate(owners)

    def nearest_street(self, xy_m: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """Distance to the nearest centre line (to 0.1 m or so) and that street's index, for points (..., 2)."""
        tree, owners = self._dense
        distance, index = tree.query(xy_m)
        return distance, owners[index]

    def to_lat_lon(self, xy_m: Floats) -> Floats:
        """WGS 84 ``[lat_deg, lon_deg]`` of local points (..., 2)."""
        place = f"+proj=aeqd +lat_0={self.config.latitude_deg} +lon_0={self.config.longitude_deg} +datum=WGS84"
        lon, lat = Transformer.from_crs(place, "EPSG:4326", always_xy=True).transform(xy_m[..., 0], xy_m[..., 1])
        return np.stack([lat, lon], axis=-1)


def resample(line_m: Floats, step_m: float) -> Floats:
    """Points about every ``step_m`` along a polyline (n, 2), both ends kept."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line_m, axis=0).T))])
    at = np.linspace(0, along[-1], max(2, round(along[-1] / step_m) + 1))
    return np.stack([np.interp(at, along, line_m[:, axis]) for axis in (0, 1)], axis=1)


def _bent_line(start_m: Floats, end_m: Floats, bend: float) -> Floats:
    """A gently curved street; ``bend`` is its sagitta as a share of its length."""
    t = np.linspace(0, 1, 24)[:, None]
    delta = end_m - start_m
    normal = np.array([-delta[1], delta[0]])
    return resample(start_m + t * delta + bend * np.sin(np.pi * t) * normal, 6.0)


def _grid_crossings(config: IsleConfig, terrain: Terrain, rng: np.random.Generator) -> tuple[Floats, dict[tuple[int, int], int]]:
    """A turned, warped, jittered grid of crossings that lie far enough from the sea."""
    reach = int(np.ceil(1.6 * config.half_length_m / config.street_spacing_m))
    turn = rng.uniform(-0.5, 0.5)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    warp = [SmoothField(rng, 1500.0) for _ in range(2)]
    points: list[Floats] = []
    cells: dict[tuple[int, int], int] = {}
    for i in range(-reach, reach + 1):
        for j in range(-reach, reach + 1):
            stray = rng.uniform(-1, 1, 2) * config.node_jitter * config.street_spacing_m
            at = rotation @ (np.array([i, j + 0.25 * (i % 2)]) * config.street_spacing_m + stray)
            at = at + 45.0 * np.array([field(at) for field in warp])
            if terrain.inland_m(at) > config.coast_margin_m:
                cells[i, j] = len(points)
                points.append(at)
    return np.array(points), cells


def _component(links: dict[int, set[int]], start: int) -> set[int]:
    """All crossings that can be reached from ``start``."""
    seen, open_ = {start}, [start]
    while open_:
        for other in links[open_.pop()] - seen:
            seen.add(other)
            open_.append(other)
    return seen


def _unlink(links: dict[int, set[int]], a: int, b: int) -> None:
    links[a].discard(b)
    links[b].discard(a)


def _chosen_links(config: IsleConfig, cells: dict[tuple[int, int], int], rng: np.random.Generator) -> dict[int, set[int]]:
    """Neighbouring crossings joined, some streets left out; connected and without dead ends."""
    links: dict[int, set[int]] = {node: set() for node in cells.values()}
    for (i, j), node in cells.items():
        for step in ((1, 0), (0, 1)):
            other = cells.get((i + step[0], j + step[1]))
            if other is not None:
                links[node].add(other)
                links[other].add(node)
    largest = max((_component(links, node) for node in sorted(links)), key=len)
    links = {node: others & largest for node, others in links.items() if node in largest}
    edges = sorted((a, b) for a in links for b in links[a] if a < b)
    target = round(config.removed_share * len(edges))
    for index in rng.permutation(len(edges)):
        a, b = edges[index]
        if target == 0 or min(len(links[a]), len(links[b])) <= 2:
            continue
        _unlink(links, a, b)
        if b in _component(links, a):
            target -= 1
        else:
            links[a].add(b)
            links[b].add(a)
    while spurs := [node for node, others in links.items() if len(others) == 1]:
        for spur in spurs:
            for other in tuple(links[spur]):
                _unlink(links, spur, other)
            del links[spur]
    return links


def build_network(config: IsleConfig, seed: int) -> Network:
    """Streets and terrain of an isle: the same for the same seed."""
    rng = np.random.default_rng([seed, config.world_seed, 1])
    terrain = Terrain(config, rng)
    points, cells = _grid_crossings(config, terrain, rng)
    links = _chosen_links(config, cells, rng)
    order = {node: index for index, node in enumerate(sorted(links))}
    main_rows = {node for (i, j), node in cells.items() if j in (0, 2) or i in (-1,)}
    streets = []
    for a, b in sorted((node, other) for node in links for other in links[node] if node < other):
        is_main = a in main_rows and b in main_rows
        line = _bent_line(points[a], points[b], rng.uniform(-0.07, 0.07))
        streets.append(Street(order[a], order[b], line, 5.8 if is_main else 4.6, is_main))
    return Network(config, terrain, points[sorted(links)], tuple(streets))
