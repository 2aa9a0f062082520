"""Vehicles at the kerb and on the road, people on the pavement: other ones on every drive, some of them in the way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import props
from .. import textures as tex
from ..buildings import PAVEMENT_M
from ..mesh import QuadBuilder, box, lifted, prism
from ..streets import Floats, Network, SmoothField
from ..world import PAVEMENT_LIFT_M, ROAD_LIFT_M, offset_line
from .config import WorldConfig
from .ground import COUNTRY_DENSITY
from .looks import LookField
from .network import route_streets


def add_van(build: QuadBuilder, base: Floats, yaw: float, rng: np.random.Generator) -> None:
    """A tall van."""
    paint = np.array(((0.93, 0.93, 0.92), (0.85, 0.65, 0.1), (0.2, 0.3, 0.5), (0.5, 0.5, 0.52))[rng.integers(4)])
    build.add_tiled(box(lifted(base, 0.3), np.array([5.4, 2.0, 1.0]), yaw), tex.PLAIN, paint)
    forward = np.array([np.cos(yaw), np.sin(yaw), 0])
    build.add_tiled(box(base - 0.4 * forward + (0, 0, 1.3), np.array([4.5, 1.95, 1.15]), yaw, 0.95), tex.PLAIN, paint)
    build.add_tiled(box(base + 2.0 * forward + (0, 0, 1.28), np.array([0.7, 1.8, 0.8]), yaw, 0.7), tex.CAR_SIDE, paint)
    _wheels(build, base, yaw, (-1.6, 1.7), 2.02)


def add_lorry(build: QuadBuilder, base: Floats, yaw: float, rng: np.random.Generator) -> None:
    """A lorry with a box body, or a bus."""
    paint = np.clip(rng.uniform(0.15, 0.95, 3), 0, 1)
    forward = np.array([np.cos(yaw), np.sin(yaw), 0])
    if rng.random() < 0.35:
        build.add_tiled(box(lifted(base, 0.35), np.array([10.5, 2.5, 1.0]), yaw), tex.PLAIN, paint)
        upper = box(lifted(base, 1.35), np.array([10.5, 2.5, 1.65]), yaw, 0.98)
        build.add_tiled(upper[:4], tex.FIRST_WINDOW + 6, paint)
        build.add_tiled(upper[4:], tex.PLAIN, 0.9 * paint)
    else:
        build.add_tiled(box(base + 3.0 * forward + (0, 0, 0.5), np.array([2.0, 2.4, 2.2]), yaw, 0.95), tex.CAR_SIDE, paint)
        body = box(base - 1.2 * forward + (0, 0, 0.9), np.array([6.2, 2.5, 2.7]), yaw)
        build.add_tiled(body, tex.PLAIN if rng.random() < 0.6 else tex.STRIPES, np.clip(0.5 + 0.5 * rng.uniform(0, 1, 3), 0, 1))
    _wheels(build, base, yaw, (-3.2, 2.9), 2.45)


def _wheels(build: QuadBuilder, base: Floats, yaw: float, at: Sequence[float], width: float) -> None:
    forward = np.array([np.cos(yaw), np.sin(yaw), 0])
    for along in at:
        build.add_tiled(box(base + along * forward, np.array([0.8, width * 1.01, 0.8]), yaw), tex.PLAIN, np.array([0.07, 0.07, 0.07]))
    shadow = box(lifted(base, 0.03), np.array([2.2 * max(at) + 1.6, width * 1.1, 0.01]), yaw)
    build.add_tiled(shadow[4:], tex.PLAIN, np.array([0.12, 0.12, 0.12]))


def add_vehicle(build: QuadBuilder, base: Floats, yaw: float, rng: np.random.Generator) -> None:
    """A car mostly, else a van or a lorry."""
    kind = rng.random()
    (props.add_car if kind < 0.78 else add_van if kind < 0.93 else add_lorry)(build, base, yaw, rng)


def _add_person(build: QuadBuilder, base: Floats, rng: np.random.Generator) -> None:
    high = rng.uniform(0.9, 1.1)
    build.add_tiled(prism(base, 0.17, 0.2, 0.85 * high, 5), tex.PLAIN, rng.uniform(0.05, 0.5, 3))
    build.add_tiled(prism(lifted(base, 0.85 * high), 0.26, 0.18, 0.62 * high, 6), tex.PLAIN, rng.uniform(0.05, 0.95, 3))
    build.add_tiled(prism(lifted(base, 1.5 * high), 0.11, 0.1, 0.25, 5), tex.PLAIN, np.array([0.6, 0.45, 0.36]) * rng.uniform(0.5, 1.3))


def standing(
    network: Network, field: LookField, config: WorldConfig, route: tuple[int, ...], path_m: Floats, seed: int, share: float
) -> QuadBuilder:
    """Parked vehicles and people along the part of a route that is driven.

    Args:
        network, field, config: of the isle.
        route: its crossings.
        path_m: (n, 2) where the camera goes.
        seed: of this drive.
        share: of the kerb that is parked at where it is most built-up.
    """
    rng, build = np.random.default_rng([seed, 1]), QuadBuilder()
    low, high = path_m.min(axis=0) - 110, path_m.max(axis=0) + 110
    for number in sorted(set(route_streets(network, route))):
        street = network.streets[number]
        for side in (1, -1):
            line = street.line_m if side > 0 else street.line_m[::-1]
            dense = np.concatenate([line[:1], line, line[-1:]])[1:-1]
            kerb, walk = (offset_line(dense, -(street.half_width_m + away)) for away in (-1.0, 0.6 * PAVEMENT_M))
            tangent = np.gradient(dense, axis=0)
            inside = ((dense > low) & (dense < high)).all(axis=1)
            density = field.density(dense)
            for at in range(3, len(dense) - 3):  # points lie about 6 m apart
                if not inside[at]:
                    continue
                yaw = float(np.arctan2(tangent[at, 1], tangent[at, 0]))
                if rng.random() < share * config.traffic_strength * min(1.0, 0.05 + 1.6 * density[at]):
                    base = np.array([*kerb[at], float(network.terrain.height_m(kerb[at])) + ROAD_LIFT_M])
                    add_vehicle(build, base, yaw + rng.normal(0, 0.03), rng)
                if density[at] > COUNTRY_DENSITY and rng.random() < 0.1 * density[at] * config.traffic_strength:
                    point = walk[at] + rng.normal(0, 0.4, 2)
                    _add_person(build, np.array([*point, float(network.terrain.height_m(point)) + PAVEMENT_LIFT_M]), rng)
    return build


class Moving:
    """Vehicles on the road as a drive meets them.

    Args:
        network, config: of the isle.
        path_m: (n, 2) the camera's way, about a point a metre, going on beyond the drive where the street does.
        lane_m: from the centre line to the path.
        seed: of this drive.
    """

    def __init__(self, network: Network, config: WorldConfig, path_m: Floats, lane_m: float, seed: int) -> None:
        self._network, self._path_m, self._lane_m, self._seed = network, path_m, lane_m, seed
        rng = np.random.default_rng([seed, 4])
        self._leads = rng.random() < 0.3 * config.traffic_strength
        self._gap = SmoothField(rng, 60.0)
        self._oncoming = 0.55 * config.traffic_strength * rng.uniform(0.2, 1.8)

    def _place(self, at: float, left_m: float) -> tuple[Floats, float]:
        index = int(np.clip(at, 1, len(self._path_m) - 2))
        tangent = self._path_m[index + 1] - self._path_m[index - 1]
        tangent = tangent / (np.hypot(*tangent) + 1e-9)
        point = self._path_m[index] + left_m * np.array([-tangent[1], tangent[0]])
        return np.array([*point, float(self._network.terrain.height_m(point)) + ROAD_LIFT_M]), float(np.arctan2(tangent[1], tangent[0]))

    def at(self, frame: int, along: float, time_s: float) -> QuadBuilder:
        """Vehicles at a picture that is taken ``along`` points into the path."""
        build = QuadBuilder()
        if self._leads:
            gap = 13 + 6 * float(self._gap(np.array([time_s, 0.0])))
            if gap > 7 and along + gap < len(self._path_m) - 3:
                base, yaw = self._place(along + gap, 0.0)
                add_vehicle(build, base, yaw, np.random.default_rng([self._seed, 5]))  # the same one on every picture
        rng = np.random.default_rng([self._seed, 6, frame])
        for _ in range(rng.poisson(self._oncoming)):
            ahead = rng.uniform(6, 90)
            if along + ahead < len(self._path_m) - 3:
                base, yaw = self._place(along + ahead, 2 * self._lane_m + rng.uniform(-0.2, 0.4))
                add_vehicle(build, base, yaw + np.pi, rng)
        return build
