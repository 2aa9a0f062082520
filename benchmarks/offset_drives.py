"""Simulated drives as videos that move, with the track of a receiver that gives a fix a second: what a clock offset is found on.

Half a minute to two minutes of driving in the dense town of the demo's isle, under several seeds, and on isles with long streets; some along one street, some
parked. Rendered once into ``build/benchmarks/offset/SEED``; a run that was broken off goes on.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.config import ISLES, DrivesConfig, RenderConfig
from simulator.drives import Drive, turns_deg
from simulator.drives import plan_drive as plan_town_drive
from simulator.render import Renderer
from simulator.streets import Network, Street
from simulator.towns.builder import TownBuilder
from simulator.towns.config import WorldConfig, seed_of
from simulator.towns.drives import TownDrive, Window, part_of_route, plan_drive
from simulator.towns.isles import WORLD_ISLES
from simulator.towns.render import TownRenderer, far_config
from simulator.world import build_world
from simulator.write import receiver_error_m, render_drive, replace_text, write_video
from vidtag_engine.types import Progress

FOLDER = Path(__file__).resolve().parent.parent / "build" / "benchmarks" / "offset"
RATE_HZ, WIDTH_PX, HEIGHT_PX = 6.0, 224, 168
CRUISE_MPS = (9.0, 14.0)
GPS_WANDER_M, GPS_NOISE_M = 2.5, 0.4  # standard deviations: an error that wanders over some seconds, and each fix's own
MARGIN_S = 65  # the receiver was on before the camera and after it
LEAST_TURNS = 2  # of a turning drive
TURN_DEG = 45.0  # a change of heading that counts as a turn


@dataclass(frozen=True)
class Place:
    """Where drives go: the demo's isle under a seed of its own, or an isle of the world.

    Args:
        name: of the isle; with a number, the demo's.
        kinds: of the drives, and how long each is, (least, most) seconds.
    """

    name: str
    kinds: tuple[tuple[str, float, float], ...]


_IN_TOWN = (*(("turning", 50.0, 80.0),) * 6, ("parked", 30.0, 40.0))
_ON_ISLE = (*(("turning", 90.0, 120.0),) * 3, ("straight", 30.0, 40.0), ("straight", 30.0, 40.0), ("parked", 30.0, 40.0))
PLACES = (
    Place("town-1", _IN_TOWN),
    Place("town-2", _IN_TOWN),
    Place("town-3", _IN_TOWN),
    Place("bermeja", _ON_ISLE),
    Place("kianida", _ON_ISLE),
)


def drives(seed: str, progress: Callable[[Progress], None] | None = None) -> list[dict[str, Any]]:
    """The drives of a seed, rendered if they are not there yet.

    Returns:
        of each ``name``, ``kind`` ("turning", "straight", "parked"), ``turns``, ``seconds``, ``video`` and ``track``: a CSV with Unix seconds.
    """
    folder = FOLDER / seed
    context = multiprocessing.get_context("spawn")  # the graphics library keeps what it has once drawn, so that each place has a process
    for number, place in enumerate(PLACES):
        if progress:
            progress(Progress(number / len(PLACES), "rendering", f"drives in {place.name}"))
        if not (folder / f"{place.name}.json").is_file():
            process = context.Process(target=render_place, args=(folder, place, seed))
            process.start()
            process.join()
            if process.exitcode:
                raise RuntimeError(f"The drives in {place.name} could not be rendered.")
    rows = [row for place in PLACES for row in json.loads((folder / f"{place.name}.json").read_text(encoding="utf-8"))]
    return [{**row, "video": folder / row["video"], "track": folder / row["track"]} for row in rows]


def render_place(folder: Path, place: Place, seed: str) -> None:
    """Plan and render the drives of a place, and write what they are."""
    make = _isle if place.name in WORLD_ISLES else _town
    rows = []
    for whole, video, kind, pictures, network in make(place, seed_of(seed)):
        path, track = folder / f"{video.name}.mp4", folder / f"{video.name}.csv"
        if not (path.is_file() and track.is_file()):
            write_video(path, pictures, video)
            replace_text(track, _track(network, whole))
        rows.append(
            {
                "name": video.name,
                "kind": kind,
                "turns": count_turns(video),
                "seconds": round(float(video.time_s[-1]), 1),
                "video": path.name,
                "track": track.name,
            }  # fmt: skip
        )
    replace_text(folder / f"{place.name}.json", json.dumps(rows, indent=1) + "\n")


_Made = tuple[Drive, Drive, str, Iterator[NDArray[np.uint8]], Network]


def _town(place: Place, seed: int) -> Iterator[_Made]:
    """Drives in the demo's town, made of a seed of its own."""
    render = RenderConfig(width_px=WIDTH_PX, height_px=HEIGHT_PX)
    world = build_world(ISLES["sandy-island"], seed * 100 + int(place.name.rsplit("-", 1)[1]), render)
    config = dataclasses.replace(DrivesConfig(), frame_rate_hz=RATE_HZ, cruise_speed_mps=CRUISE_MPS)
    with Renderer(world, render) as renderer:
        for number, (kind, *lasting) in enumerate(place.kinds):
            name = f"{place.name}-{number}-{kind}"
            rng = np.random.default_rng([seed, int(place.name.rsplit("-", 1)[1]), number])

            def plan(length_m: float, name: str = name, kind: str = kind, rng: np.random.Generator = rng) -> Drive:
                return plan_town_drive(world, name, kind, _winding(world.network, length_m, rng), config, rng)

            whole, video = _planned(plan, kind, float(rng.uniform(lasting[0], lasting[1])))
            yield whole, video, kind, iter(render_drive(renderer, world, video)), world.network


def _isle(place: Place, seed: int) -> Iterator[_Made]:
    """Drives on an isle of the world, whose streets are long."""
    builder = TownBuilder(WORLD_ISLES[place.name], dataclasses.replace(WorldConfig(), frame_rate_hz=RATE_HZ), seed)
    with TownRenderer(builder, far_config(WIDTH_PX, HEIGHT_PX)) as renderer:
        for number, (kind, *lasting) in enumerate(place.kinds):
            name, rng = f"{place.name}-{number}-{kind}", builder.generator(90, number)

            def plan(length_m: float, name: str = name, kind: str = kind, rng: np.random.Generator = rng) -> TownDrive:
                if kind == "turning":
                    window = part_of_route(builder.network, _winding(builder.network, length_m, rng), 10.0, 1e9)
                else:
                    street = max(
                        (builder.network.streets[int(n)] for n in rng.permutation(len(builder.network.streets))[:20]), key=_straightness
                    )
                    window = Window((street.start, street.end), 30.0, street.length_m - 30.0)
                return plan_drive(builder, name, kind, window, 10**6, float(rng.uniform(*CRUISE_MPS)), rng)

            whole, video = _planned(plan, kind, float(rng.uniform(lasting[0], lasting[1])))
            yield whole, video, kind, renderer.drive(video), builder.network  # type: ignore[arg-type]


def _planned(plan: Callable[[float], Drive], kind: str, seconds: float) -> tuple[Drive, Drive]:
    """A whole drive, and the part of it that is filmed; tried until it turns as often as its kind asks."""
    while True:
        whole = plan((seconds + 2 * MARGIN_S) * CRUISE_MPS[1])
        if kind == "parked":
            whole = _held(whole, round((seconds + 2 * MARGIN_S) * RATE_HZ))
        start_s = min(MARGIN_S, max(0, int(whole.time_s[-1] - seconds) // 2))
        video = _part(whole, start_s, round(seconds * RATE_HZ))
        if kind != "turning" or count_turns(video) >= LEAST_TURNS:
            return whole, video


def _held(drive: Drive, count: int) -> Drive:
    """The drive's first moment, held for ``count`` pictures."""
    arrays: dict[str, Any] = {name: np.repeat(value[:1], count, axis=0) for name, value in _of_pictures(drive).items()}
    arrays |= {name: np.zeros(count) for name in ("speed_mps", "turn_dps") if name in arrays}
    return dataclasses.replace(drive, **{**arrays, "time_s": np.arange(count) / RATE_HZ})


def _part(drive: Drive, start_s: int, count: int) -> Drive:
    """``count`` pictures of a drive from a whole second on."""
    rows = slice(round(start_s * RATE_HZ), round(start_s * RATE_HZ) + count)
    arrays = {name: value[rows] for name, value in _of_pictures(drive).items()}
    arrays["time_s"] = arrays["time_s"] - arrays["time_s"][0]
    return dataclasses.replace(drive, start_time=drive.start_time + timedelta(seconds=start_s), **arrays)


def _of_pictures(drive: Drive) -> dict[str, Any]:
    """A drive's arrays with an entry for every picture."""
    names = ("time_s", "position_m", "heading_deg", "speed_mps", "turn_dps", "along")
    return {name: getattr(drive, name) for name in names if hasattr(drive, name)}


def _winding(network: Network, length_m: float, rng: np.random.Generator) -> list[int]:
    """Crossings of a way that mostly turns off where it can, and into short streets."""
    street = network.streets[int(rng.integers(len(network.streets)))]
    route, way = [street.start, street.end], street.length_m
    while way < length_m:
        choices = [node for node in network.neighbours[route[-1]] if node != route[-2]]
        if not choices:
            break
        turned = [float(turns_deg(network, [*route[-2:], node])[0]) for node in choices]
        lengths = [network.streets[network.neighbours[route[-1]][node]].length_m for node in choices]
        costs = [length + (300.0 if angle < TURN_DEG else 0.0) + rng.uniform(0, 400) for length, angle in zip(lengths, turned, strict=True)]
        following = int(np.argmin(costs))
        way += lengths[following]
        route.append(choices[following])
    return route


def _straightness(street: Street) -> float:
    """How far a street's ends lie apart, less what it winds."""
    direct = float(np.hypot(*(street.line_m[-1] - street.line_m[0])))
    return direct - 20.0 * (street.length_m - direct)


def count_turns(drive: Drive) -> int:
    """Changes of heading by at least ``TURN_DEG`` within six seconds, none of them counted twice."""
    heading = np.rad2deg(np.unwrap(np.deg2rad(drive.heading_deg)))
    turns, since, reach = 0, 0, round(6 * RATE_HZ)
    for now in range(len(heading)):
        since = max(since, now - reach)
        if since < now and np.abs(heading[now] - heading[since:now]).max() >= TURN_DEG:
            turns, since = turns + 1, now + reach // 2
    return turns


def _track(network: Network, whole: Drive) -> str:
    """A fix a second over the whole drive as CSV, each at its own fraction of a second."""
    rng = np.random.default_rng([whole.traffic_seed, 7])
    at_s = np.arange(0.0, whole.time_s[-1] - 1.0) + float(rng.random())
    position = np.stack([np.interp(at_s, whole.time_s, whole.position_m[:, axis]) for axis in (0, 1)], axis=1)
    position = position + receiver_error_m(len(at_s), whole.traffic_seed, GPS_WANDER_M) + rng.normal(size=position.shape) * GPS_NOISE_M
    unix = whole.start_time.timestamp() + at_s
    lines = [f"{moment:.3f},{lat:.8f},{lon:.8f}" for moment, (lat, lon) in zip(unix, network.to_lat_lon(position), strict=True)]
    return "\n".join(["unix_s,lat,lon", *lines]) + "\n"
