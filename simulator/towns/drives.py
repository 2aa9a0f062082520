"""Which drives there are on an isle: where they go, when, how fast, through which lens. Planned, not yet rendered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter1d

from ..drives import Camera, Drive, route_line, speed_limits, timetable
from ..streets import Floats, Network, SmoothField
from ..world import offset_line
from .builder import TownBuilder
from .conditions import Conditions, draw_conditions
from .config import WorldConfig
from .network import route_streets, unseen_streets

SPLITS = ("train", "val", "test", "test_unseen")
CALIBRATION = "calibration"  # drives like those of val, which no choice of a training sees; made besides
CROSSING_CLEAR_M = 25.0


@dataclass(frozen=True)
class TownDrive(Drive):
    """A planned drive on an isle.

    Args:
        isle: short name.
        window_m: the part of the route's line that was asked for, (from, to).
        speed_mps: (n,) at every picture; turn_dps (n,): degrees a second to the right.
        along: (n,) index of every picture in path_m (k, 2), the camera's whole way along the route.
        path_m: see along.
        conditions: weather and season; its light is the drive's.
        crf, jpeg_quality: compression.
    """

    isle: str
    window_m: tuple[float, float]
    speed_mps: Floats
    turn_dps: Floats
    along: Floats
    path_m: Floats
    conditions: Conditions
    crf: int
    jpeg_quality: int


@dataclass(frozen=True)
class Window:
    """A part of a route: crossings, and metres along their line."""

    route: tuple[int, ...]
    start_m: float
    end_m: float

    def reversed(self, network: Network) -> Window:
        """The same stretch the other way."""
        length = len(route_line(network, self.route)) - 1
        return Window(self.route[::-1], length - self.end_m, length - self.start_m)


def plan_drive(
    builder: TownBuilder, name: str, split: str, window: Window, frames: int, cruise_mps: float, rng: np.random.Generator
) -> TownDrive:
    """A drive of at most ``frames`` pictures through a window; fewer if its end comes first."""
    network, config = builder.network, builder.config
    conditions = draw_conditions(builder.town, config, rng)
    lane = float(rng.uniform(1.1, 1.9))
    middle = gaussian_filter1d(route_line(network, window.route), 3.5, axis=0, mode="nearest")
    reach = np.arange(len(middle), dtype=np.float64)
    wander = 0.18 * SmoothField(rng, 90.0)(np.stack([reach, 0 * reach], axis=1))
    right = offset_line(middle, -1.0) - middle
    whole = gaussian_filter1d(middle + right * (lane + wander)[:, None], 2.0, axis=0, mode="nearest")
    low, high = max(5, int(window.start_m)), min(len(whole) - 6, int(window.end_m))
    path = whole[low:high]
    corners = np.cumsum([network.streets[number].length_m for number in route_streets(network, window.route)])[:-1] - low
    stops = [float(at) - 14 for at in corners if rng.random() < 0.22 and 20 < at - 14 < len(path) - 5]
    arrival, travelled = timetable(path, speed_limits(path, cruise_mps, stops, rng), stops, rng)
    rate = config.frame_rate_hz
    time_s = np.arange(min(frames, int(arrival[-1] * rate) + 1)) / rate
    at = np.interp(time_s, arrival, travelled)
    index = np.interp(at, travelled, np.arange(len(path), dtype=np.float64))
    tangent = np.gradient(path, axis=0)
    heading = np.unwrap(np.arctan2(tangent[:, 0], tangent[:, 1]))
    moment = np.stack([np.interp(time_s + shift, arrival, travelled) for shift in (-0.1, 0.1)])
    speed = (moment[1] - moment[0]) / 0.2
    turn = np.diff([np.interp(way, travelled, heading) for way in moment], axis=0)[0] / 0.2
    position = np.stack([np.interp(at, travelled, path[:, axis]) for axis in (0, 1)], axis=1)
    return TownDrive(
        name, split, window.route, conditions.start_time, rate, time_s, position, np.rad2deg(np.interp(at, travelled, heading)) % 360, lane,
        draw_camera(config, rng), conditions.light, int(rng.integers(2**31)), float(rng.uniform(0.02, 0.35)),
        builder.town.name, (float(low), float(high)), speed, np.rad2deg(turn), index + low, whole, conditions,
        round(rng.uniform(*config.compression_crf)), round(rng.uniform(*config.jpeg_quality)),
    )  # fmt: skip


def draw_camera(config: WorldConfig, rng: np.random.Generator) -> Camera:
    """A mount: from a low dashboard to the roof of a van."""
    k = config.camera_strength
    return Camera(
        float(1.7 + k * rng.uniform(-0.45, 0.8)),
        float(k * rng.uniform(-3.5, 3.5)),
        float(k * rng.normal(0, 2.5)),
        float(k * rng.normal(0, 0.8)),
        float(72 + k * rng.uniform(-14, 14)),
    )


def walk(network: Network, closed: set[int], driven: dict[int, int], length_m: float, rng: np.random.Generator) -> tuple[int, ...]:
    """Crossings of a way of about ``length_m`` over open streets that takes the least driven ones first and does not turn back."""
    open_ = {
        node: [(other, street) for other, street in around.items() if street not in closed] for node, around in network.neighbours.items()
    }
    least = min(driven.values())
    street = network.streets[int(rng.choice([number for number, count in sorted(driven.items()) if count == least]))]
    route, way = [street.start, street.end] if rng.random() < 0.5 else [street.end, street.start], street.length_m
    driven[network.neighbours[route[0]][route[1]]] += 1
    while way < length_m:
        choices = [(driven[number], rng.random(), other, number) for other, number in open_[route[-1]] if other != route[-2]]
        if not choices:
            break
        _, _, following, number = min(choices)
        driven[number] += 1
        way += network.streets[number].length_m
        route.append(following)
    return tuple(route)


def _frames(config: WorldConfig, kind: str, rng: np.random.Generator) -> tuple[int, float, float]:
    """Pictures, cruising speed and the length of street that surely suffices."""
    least, most = config.train_frames if kind == "train" else config.test_frames
    frames, cruise = int(rng.integers(least, most + 1)), float(rng.uniform(*config.cruise_speed_mps))
    return frames, cruise, 1.2 * frames / config.frame_rate_hz * cruise + 30


def plan_training(builder: TownBuilder, wanted: int, closed: set[int]) -> list[TownDrive]:
    """Training drives of ``wanted`` pictures: long walks over the open streets, cut into drives, each under its own sky."""
    network, config = builder.network, builder.config
    driven = {number: 0 for number in range(len(network.streets)) if number not in closed}
    drives: list[TownDrive] = []
    total, walks = 0, 0
    while total < wanted:
        route = walk(network, closed, driven, 5000.0, builder.generator(20, walks))
        walks += 1
        end, at = len(route_line(network, route)) - 6.0, 5.0
        while total < wanted and end - at > 150:
            rng = builder.generator(21, len(drives))
            frames, cruise, reach = _frames(config, "train", rng)
            if end - at - reach < 250:  # no short rest is left over
                reach = end - at
            window = part_of_route(network, route, at, min(at + reach, end))
            drive = plan_drive(
                builder, f"{builder.town.name}_train_{len(drives):04d}", "train", window, min(frames, wanted - total + 5), cruise, rng
            )
            drives.append(drive)
            total += len(drive.time_s)
            at += max(drive.along[-1] - drive.along[0], 20.0)
    return drives


def part_of_route(network: Network, route: Sequence[int], start_m: float, end_m: float) -> Window:
    """A window with only the streets that it touches."""
    cuts = np.concatenate([[0.0], np.cumsum([len(route_line(network, pair)) - 1 for pair in pairwise(route)])])
    first = int(np.clip(np.searchsorted(cuts, start_m, side="right") - 1, 0, len(route) - 2))
    last = int(np.clip(np.searchsorted(cuts, end_m, side="left"), first + 1, len(route) - 1))
    return Window(tuple(int(node) for node in route[first : last + 1]), float(start_m - cuts[first]), float(end_m - cuts[first]))


def plan_seen(builder: TownBuilder, split: str, wanted: int, training: list[TownDrive]) -> list[TownDrive]:
    """Drives of ``wanted`` pictures along stretches that training drives took, some against them, at other times."""
    drives: list[TownDrive] = []
    total, number, stream = 0, 0, 30 + (*SPLITS, CALIBRATION).index(split)
    while total < wanted:
        rng = builder.generator(stream, number)
        number += 1
        model = training[int(rng.integers(len(training)))]
        frames, cruise, reach = _frames(builder.config, split, rng)
        low, high = float(model.along[0]), float(model.along[-1])
        start = low + rng.random() * max(0.0, high - low - reach)
        window = Window(model.route, start, min(start + reach, high))
        if rng.random() < builder.config.reverse_share:
            window = window.reversed(builder.network)
        window = part_of_route(builder.network, window.route, window.start_m, window.end_m)
        drive = plan_drive(builder, f"{builder.town.name}_{split}_{len(drives):04d}", split, window, frames, cruise, rng)
        if len(drive.time_s) >= builder.config.test_frames[0]:
            drives.append(drive)
            total += len(drive.time_s)
        elif number > 50 + 20 * wanted:
            raise RuntimeError(f"{builder.town.name} has no stretches long enough for {split} drives; make training drives longer.")
    return drives


def plan_unseen(builder: TownBuilder, wanted: int, closed: set[int]) -> list[TownDrive]:
    """Test drives of ``wanted`` pictures on streets that no training drive took, clear of their crossings."""
    network, drives = builder.network, list[TownDrive]()
    numbers = [number for number in sorted(closed) if network.streets[number].length_m > 300]
    lengths = np.array([network.streets[number].length_m for number in numbers])
    total, number = 0, 0
    while numbers and total < wanted:
        rng = builder.generator(40, number)
        number += 1
        street = network.streets[numbers[int(rng.choice(len(numbers), p=lengths / lengths.sum()))]]
        route = (street.start, street.end) if rng.random() < 0.5 else (street.end, street.start)
        frames, cruise, reach = _frames(builder.config, "test", rng)
        room = street.length_m - 2 * CROSSING_CLEAR_M
        start = CROSSING_CLEAR_M + rng.random() * max(0.0, room - reach)
        window = Window(route, start, min(start + reach, CROSSING_CLEAR_M + room))
        drive = plan_drive(
            builder, f"{builder.town.name}_test_unseen_{len(drives):04d}", "test_unseen", window, frames, min(cruise, room / 20), rng
        )
        if len(drive.time_s) >= builder.config.test_frames[0]:
            drives.append(drive)
            total += len(drive.time_s)
    return drives


def plan_town(builder: TownBuilder, train_frames: int, val_frames: int, test_frames: int, calibration_frames: int = 0) -> list[TownDrive]:
    """All drives of an isle. Each draws from a generator of its own; training goes first, for the others share its streets."""
    config = builder.config
    closed = unseen_streets(builder.network, config.unseen_street_share, builder.generator(8))
    training = plan_training(builder, train_frames, closed)
    unseen = round(config.unseen_test_share * test_frames)
    return [
        *training,
        *plan_seen(builder, "val", val_frames, training),
        *plan_seen(builder, "test", test_frames - unseen, training),
        *plan_unseen(builder, unseen, closed),
        *plan_seen(builder, CALIBRATION, calibration_frames, training),
    ]
