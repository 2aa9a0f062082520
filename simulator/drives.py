"""Which way every drive goes, how fast, through which lens and under which light. Planned, not yet rendered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .config import DrivesConfig
from .mesh import QuadBuilder
from .props import add_car
from .render import Light, View
from .streets import Floats, Network, SmoothField, resample
from .world import ROAD_LIFT_M, World, offset_line

ACCELERATION_MPS2 = 2.0
CORNER_SPEED_MPS = 4.5


@dataclass(frozen=True)
class Camera:
    """How the camera is mounted: height over the road, sideways from the lane's middle, angles, horizontal field of view."""

    height_m: float
    pitch_deg: float
    yaw_deg: float
    roll_deg: float
    field_of_view_deg: float


@dataclass(frozen=True)
class Drive:
    """A planned drive.

    Args:
        name: also the name of its files.
        split: "train", "val" or "test".
        route: crossings it passes, in order.
        start_time: UTC, whole seconds.
        frame_rate_hz: pictures a second.
        time_s: (n,) of its pictures.
        position_m: (n, 2) of the camera, east and north.
        heading_deg: (n,) of the vehicle, clockwise from north.
        lane_m: from the centre line to the vehicle's path, to the right.
        camera: mount.
        light: sun, sky and exposure.
        traffic_seed: of its parked cars and sensor noise.
        parked_share: of the kerb.
    """

    name: str
    split: str
    route: tuple[int, ...]
    start_time: datetime
    frame_rate_hz: float
    time_s: Floats
    position_m: Floats
    heading_deg: Floats
    lane_m: float
    camera: Camera
    light: Light
    traffic_seed: int
    parked_share: float

    @property
    def length_m(self) -> float:
        """Way driven."""
        return float(np.hypot(*np.diff(self.position_m, axis=0).T).sum())

    def views(self, network: Network) -> Iterator[View]:
        """What the camera sees at every picture; it pitches with the slope of the road."""
        heading = np.deg2rad(self.heading_deg)
        ahead = np.stack([np.sin(heading), np.cos(heading)], axis=1)
        ground = network.terrain.height_m(self.position_m)
        slope = (network.terrain.height_m(self.position_m + 2 * ahead) - network.terrain.height_m(self.position_m - 2 * ahead)) / 4
        for index, (x, y) in enumerate(self.position_m):
            height = float(ground[index]) + ROAD_LIFT_M + self.camera.height_m
            pitch = self.camera.pitch_deg + float(np.rad2deg(np.arctan(slope[index])))
            toward = float(self.heading_deg[index]) + self.camera.yaw_deg
            yield View((float(x), float(y), height), toward, pitch, self.camera.roll_deg, self.camera.field_of_view_deg)


def route_line(network: Network, route: Sequence[int]) -> Floats:
    """Centre line (n, 2) of a route, a point a metre."""
    parts = []
    for a, b in pairwise(route):
        street = network.streets[network.neighbours[a][b]]
        parts.append(street.line_m if street.start == a else street.line_m[::-1])
    return resample(np.concatenate([parts[0], *(part[1:] for part in parts[1:])]), 1.0)


def sun_position(when: datetime, latitude_deg: float, longitude_deg: float) -> tuple[float, float]:
    """Azimuth (clockwise from north) and elevation of the sun in degrees, to a degree or so."""
    day = when.timetuple().tm_yday
    declination = np.deg2rad(-23.44) * np.cos(2 * np.pi * (day + 10) / 365.24)
    hours = when.hour + when.minute / 60 + when.second / 3600 + longitude_deg / 15
    angle, latitude = np.deg2rad(15 * (hours - 12)), np.deg2rad(latitude_deg)
    up = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    east = -np.cos(declination) * np.sin(angle)
    north = np.cos(latitude) * np.sin(declination) - np.sin(latitude) * np.cos(declination) * np.cos(angle)
    return float(np.rad2deg(np.arctan2(east, north)) % 360), float(np.rad2deg(np.arcsin(up)))


def draw_light(world: World, rng: np.random.Generator) -> tuple[datetime, Light]:
    """A daylight moment of the year 2026 and the light it has."""
    config = world.config
    while True:
        start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=int(rng.integers(365 * 86400)))
        azimuth, elevation = sun_position(start, config.latitude_deg, config.longitude_deg)
        if elevation > 6:
            break
    light = Light(
        sun_azimuth_deg=azimuth,
        sun_elevation_deg=elevation,
        cloud_cover=float(rng.beta(0.8, 1.0)),
        visibility_m=float(np.exp(rng.uniform(np.log(350), np.log(3500)))),
        exposure_ev=float(rng.normal(0.05, 0.22)),
        warmth=float(rng.normal(0, 0.5)),
        contrast=float(rng.uniform(0.9, 1.2)),
        saturation=float(rng.uniform(0.75, 1.2)),
        noise=float(rng.uniform(0.5, 5)),
        cloud_shift=(float(rng.random()), float(rng.random())),
    )
    return start, light


def speed_limits(line_m: Floats, cruise_mps: float, stops_m: Sequence[float], rng: np.random.Generator) -> Floats:
    """Speed (n,) at every metre of a line.

    Cruising with some unrest, slow in corners, nearly nothing at stops, and never accelerating or braking harder than
    ``ACCELERATION_MPS2``.
    """
    along = np.arange(len(line_m), dtype=np.float64)
    unrest = SmoothField(rng, 120.0)(np.stack([along, 0 * along], axis=1))
    speed = cruise_mps * np.clip(1 + 0.1 * unrest, 0.7, 1.25)
    tangent = np.gradient(line_m, axis=0)
    turning = np.abs(np.gradient(np.unwrap(np.arctan2(tangent[:, 1], tangent[:, 0]))))
    speed = np.minimum(speed, np.sqrt(2.2 / np.maximum(turning, 1e-3)))
    speed = np.maximum(speed, CORNER_SPEED_MPS)
    for stop in stops_m:
        speed[int(stop)] = 0.7
    for order in (range(1, len(speed)), range(len(speed) - 2, -1, -1)):
        step = 1 if order.step > 0 else -1
        for index in order:
            speed[index] = min(speed[index], np.sqrt(speed[index - step] ** 2 + 2 * ACCELERATION_MPS2))
    return speed


def plan_drive(
    world: World,
    name: str,
    split: str,
    route: Sequence[int],
    config: DrivesConfig,
    rng: np.random.Generator,
    *,
    clip_m: tuple[float, float] | None = None,
) -> Drive:
    """Drive a route.

    Args:
        world: the isle.
        name, split, route: as in :class:`Drive`.
        config: speeds and rates.
        rng: everything else.
        clip_m: the part of the route's line that is driven; 5 m are left at both ends if None.
    """
    network = world.network
    is_demo = clip_m is not None
    start_time, light = draw_light(world, rng)
    lane = float(rng.uniform(1.1, 1.9))
    middle = gaussian_filter1d(route_line(network, route), 3.5, axis=0, mode="nearest")
    along = np.arange(len(middle), dtype=np.float64)
    wander = 0.18 * SmoothField(rng, 90.0)(np.stack([along, 0 * along], axis=1))
    path = gaussian_filter1d(offset_line(middle, 0.0) + _right_of(middle) * (lane + wander)[:, None], 2.0, axis=0, mode="nearest")
    low, high = clip_m or (5.0, len(path) - 6.0)
    path = path[int(low) : int(high)]
    cruise = float(rng.uniform(*config.cruise_speed_mps)) if not is_demo else 12.5
    corners = np.cumsum([network.streets[network.neighbours[a][b]].length_m for a, b in pairwise(route)])[:-1]
    stops = [at - 14 for at in corners if not is_demo and rng.random() < 0.22 and 20 < at - 14 < len(path) - 5]
    speed = speed_limits(path, cruise, stops, rng)
    arrival, travelled = timetable(path, speed, stops, rng)
    rate = config.demo_frame_rate_hz if is_demo else config.frame_rate_hz
    duration = min(arrival[-1], config.demo_duration_s) if is_demo else arrival[-1]
    time_s = np.arange(int(duration * rate) + 1) / rate
    at = np.interp(time_s, arrival, travelled)
    position = np.stack([np.interp(at, travelled, path[:, axis]) for axis in (0, 1)], axis=1)
    tangent = np.gradient(path, axis=0)
    heading = np.interp(at, travelled, np.unwrap(np.arctan2(tangent[:, 0], tangent[:, 1])))
    camera = Camera(
        float(rng.uniform(1.25, 2.2)),
        float(rng.uniform(-3, 3)),
        float(rng.normal(0, 2)),
        float(rng.normal(0, 0.6)),
        float(rng.uniform(60, 84)),
    )
    return Drive(
        name, split, tuple(int(node) for node in route), start_time, rate, time_s, position, np.rad2deg(heading) % 360, lane, camera, light,
        int(rng.integers(2**31)), float(rng.uniform(0.02, 0.3)),
    )  # fmt: skip


def timetable(path: Floats, speed: Floats, stops: Sequence[float], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Arrival time and way travelled (n,) at every point of a path, with a wait at every stop."""
    step = np.hypot(*np.diff(path, axis=0).T)
    arrival = np.concatenate([[0.0], np.cumsum(2 * step / (speed[:-1] + speed[1:]))])
    for stop in stops:
        arrival[int(stop) + 1 :] += rng.uniform(1.5, 5.0)
    return arrival, np.concatenate([[0.0], np.cumsum(step)])


def _right_of(line_m: Floats) -> Floats:
    """Unit vectors (n, 2) to the right of a line."""
    return offset_line(line_m, -1.0) - line_m


def covering_route(network: Network, open_: set[tuple[int, int]], length_m: float, rng: np.random.Generator) -> list[int]:
    """A walk of about ``length_m`` that prefers directed streets in ``open_``, removes those that it takes, and does not turn back."""
    starts = sorted({a for a, _ in open_}) or sorted(network.neighbours)
    route = [int(rng.choice(starts))]
    way = 0.0
    while way < length_m:
        here = route[-1]
        choices = [node for node in network.neighbours[here] if len(route) < 2 or node != route[-2]]
        fresh = [node for node in choices if (here, node) in open_]
        if not fresh and open_ and way > 0.6 * length_m:
            break  # another drive starts nearer to what is left
        if fresh:
            following = fresh[int(rng.integers(len(fresh)))]
        elif open_:
            following = min(choices, key=lambda node: _steps_to_open(network, here, node, open_))
        else:
            following = choices[int(rng.integers(len(choices)))]
        open_.discard((here, following))
        way += network.streets[network.neighbours[here][following]].length_m
        route.append(following)
    return route


def _steps_to_open(network: Network, here: int, node: int, open_: set[tuple[int, int]]) -> int:
    """Number of streets after ``here → node`` until one in ``open_`` can be taken without turning back."""
    frontier, seen, steps = {(here, node)}, {(here, node)}, 1
    while frontier:
        following = {(b, c) for a, b in frontier for c in network.neighbours[b] if c != a}
        if following & open_:
            return steps
        frontier = following - seen
        seen |= frontier
        steps += 1
    return steps + 10_000


def turns_deg(network: Network, route: Sequence[int]) -> Floats:
    """Change of direction at the inner crossings of a route."""
    points = network.crossings_m[list(route)]
    direction = np.arctan2(*np.diff(points, axis=0).T[::-1])
    return np.abs(np.rad2deg((np.diff(direction) + np.pi) % (2 * np.pi) - np.pi))


def demo_route(network: Network, rng: np.random.Generator) -> tuple[list[int], tuple[float, float]]:
    """Three streets with a turn before and after the (short) second, and the part of their line to drive."""
    found = []
    for b, c in sorted((a, b) for a, others in network.neighbours.items() for b in others):
        for a in network.neighbours[b]:
            for d in network.neighbours[c]:
                if a == c or d == b or len({a, b, c, d}) < 4 or (turns_deg(network, [a, b, c, d]) < 50).any():
                    continue
                lengths = [network.streets[network.neighbours[u][v]].length_m for u, v in ((a, b), (b, c), (c, d))]
                if lengths[0] > 130 and lengths[2] > 150 and 130 < lengths[1] < 260:
                    found.append(([a, b, c, d], lengths[0]))
    if not found:
        raise RuntimeError("This seed's town has no place for the demo drive; take another seed.")
    route, first = found[int(rng.integers(len(found)))]
    return route, (first - 110.0, 1e9)


def plan_drives(world: World, config: DrivesConfig, seed: int) -> list[Drive]:
    """All drives of an isle: training drives that cover every street in both directions, then validation, test and the demo drive.

    Each drive draws from a generator of its own, so that changing the number of one split leaves the others as they are.
    """
    network = world.network

    def generator(kind: int, index: int) -> np.random.Generator:
        return np.random.default_rng([seed, world.config.world_seed, 10 + kind, index])

    drives: list[Drive] = []
    streets = {(a, b) for a, others in network.neighbours.items() for b in others}
    open_, frames, covered = set(streets), 0, False
    while not covered or frames < config.train_frames:
        rng = generator(0, len(drives))
        route = covering_route(network, open_, rng.uniform(*config.train_length_m), rng)
        drive = plan_drive(world, f"drive_{len(drives):03d}", "train", route, config, rng)
        drives.append(drive)
        frames += len(drive.time_s)
        if not open_:
            covered, open_ = True, set(streets)
    for kind, split, count in ((1, "val", config.validation_count), (2, "test", config.test_count)):
        for index in range(count):
            rng = generator(kind, index)
            route = covering_route(network, set(), rng.uniform(500, 900), rng)
            drives.append(plan_drive(world, f"{split}_{index:03d}", split, route, config, rng))
    rng = generator(3, 0)
    route, clip = demo_route(network, rng)
    demo = plan_drive(world, "demo", "test", route, config, rng, clip_m=clip)
    steady = replace(demo.light, visibility_m=max(demo.light.visibility_m, 1200.0), noise=min(demo.light.noise, 2.0))
    drives.append(replace(demo, light=steady))  # a fair day: the demonstration is also looked at by people
    return drives


def parked_cars(world: World, drive: Drive) -> QuadBuilder:
    """Cars at the kerbs of the drive's streets; other cars on every drive."""
    rng = np.random.default_rng([drive.traffic_seed, 1])
    network, build = world.network, QuadBuilder()
    for number in sorted({network.neighbours[a][b] for a, b in pairwise(drive.route)}):
        street = network.streets[number]
        for side in (1, -1):
            line = resample(street.line_m if side > 0 else street.line_m[::-1], 1.0)
            kerb = offset_line(line, -(street.half_width_m - 1.0))
            tangent = np.gradient(line, axis=0)
            for at in range(16, len(line) - 16, 6):
                if rng.random() < drive.parked_share:
                    point = kerb[at]
                    base = np.array([*point, float(network.terrain.height_m(point)) + ROAD_LIFT_M])
                    add_car(build, base, float(np.arctan2(tangent[at, 1], tangent[at, 0]) + rng.normal(0, 0.03)), rng)
    return build
