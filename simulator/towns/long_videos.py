"""Videos of long drives with their truth and the road layer of their isle; runs go on where they were broken off."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.types import InputError, Progress

from ..long_drives import plan_long_drives
from ..road_layer import noisy_map, write_roads
from ..road_map import roads_of_network
from ..write import LICENCE, replace_text, write_video
from .builder import TownBuilder
from .config import WorldConfig
from .isles import WORLD_ISLES
from .long_views import LongRenderer, LongTownDrive, drive_of_plan
from .network import isle_number
from .render import far_config

# An isle's 38 km of a world have a crossing every 1.2 km, too few turns for minutes of driving: these towns are built denser.
# Blocks are then some 200 to 350 m long; rings lie close as it is.
STREET_LENGTH_M = {"radial": 110_000.0, "grid": 150_000.0, "ribbon": 150_000.0, "organic": 150_000.0}
LEAST_TURNS = 3


@dataclass(frozen=True)
class DrivesOrder:
    """Which videos are to be made.

    Args:
        output: folder.
        seed: of towns, drives and maps.
        count: of drives, shared out among the isles in turn.
        isles: their names.
        rate_hz: pictures a second.
        width_px: of the pictures, which are 16 to 9.
        least_s, most_s: duration.
    """

    output: Path
    seed: int
    count: int = 30
    isles: tuple[str, ...] = tuple(WORLD_ISLES)
    rate_hz: float = 10.0
    width_px: int = 480
    least_s: float = 120.0
    most_s: float = 180.0

    @property
    def height_px(self) -> int:
        """Even, as the codec wants it."""
        return 2 * round(self.width_px * 9 / 32)

    def builder(self, isle: str) -> TownBuilder:
        """An isle, not yet built."""
        town = WORLD_ISLES[isle]
        return TownBuilder(town, dataclasses.replace(WorldConfig(), street_length_m=STREET_LENGTH_M[town.pattern]), self.seed)

    def isle_of(self, number: int) -> str:
        """Where a drive takes place: any first drives are of many isles."""
        return self.isles[number % len(self.isles)]

    def plan(self, builder: TownBuilder, number: int) -> LongTownDrive:
        """A drive; the same whatever others there are."""
        roads = roads_of_network(builder.network, self.seed)
        key = [self.seed, isle_number(builder.town), number]
        drive_seed = int(np.random.default_rng([*key, 45]).integers(2**31))
        plan = plan_long_drives(roads, 1, drive_seed, self.least_s, self.most_s, LEAST_TURNS)[0]
        return drive_of_plan(builder, f"drive_{number:02d}", plan, self.rate_hz, np.random.default_rng([*key, 46]))


def truth_of(order: DrivesOrder, builder: TownBuilder, drive: LongTownDrive) -> dict[str, Any]:
    """All that is known of a drive: places and speeds at 10 Hz, camera, streets and weather."""
    plan = drive.plan
    lat, lon = builder.network.to_lat_lon(np.stack([plan.x_m, plan.y_m], axis=1)).T
    air = drive.conditions
    return {
        "simulated": True, "licence": LICENCE, "name": drive.name, "isle": drive.isle, "seed": order.seed, "street_length_m": round(builder.network.length_m),
        "video": f"{drive.name}.mp4", "roads": f"roads_{drive.isle}.gpkg", "start_time": drive.start_time.isoformat().replace("+00:00", "Z"),
        "frame_rate_hz": drive.frame_rate_hz, "frames": len(drive.time_s), "width_px": order.width_px, "height_px": order.height_px,
        "duration_s": round(plan.duration_s, 1), "length_m": round(float(np.abs(np.diff(plan.along_m)).sum()), 1),
        "camera": dataclasses.asdict(drive.camera), "bonnet": drive.bonnet, "lead_car": drive.lead_car,
        "weather": air.weather, "falling": round(air.falling, 3), "snow": round(air.season.snow, 3), "shutter_s": round(air.shutter_s, 4),
        "sun_elevation_deg": round(drive.light.sun_elevation_deg, 2), "visibility_m": round(drive.light.visibility_m), "crf": drive.crf,
        "kind": plan.kind, "turns": plan.turns, "turns_back": plan.turns_back, "reverses": plan.reverses,
        "streets": list(plan.edges), "forward": list(plan.forward),
        "time_s": np.round(plan.time_s, 3).tolist(), "lat_deg": np.round(lat, 8).tolist(), "lon_deg": np.round(lon, 8).tolist(),
        "heading_deg": np.round(plan.heading_deg, 3).tolist(), "speed_mps": np.round(plan.speed_mps, 3).tolist(),
    }  # fmt: skip


def _render(order: DrivesOrder, number: int) -> None:
    """Render a drive; its truth is written last, so that where it lies the drive is whole."""
    builder = order.builder(order.isle_of(number))
    drive = order.plan(builder, number)
    with LongRenderer(builder, far_config(order.width_px, order.height_px)) as renderer:
        write_video(order.output / f"{drive.name}.mp4", renderer.drive(drive), drive, crf=drive.crf)
    replace_text(order.output / f"{drive.name}.json", json.dumps(truth_of(order, builder, drive)) + "\n")


def _settings(order: DrivesOrder) -> dict[str, Any]:
    """What a folder must agree on with the run that goes on in it; the count may grow."""
    return {key: value for key, value in dataclasses.asdict(order).items() if key not in {"output", "count"}} | {
        "isles": list(order.isles),
        "street_length_m": STREET_LENGTH_M,
    }


def make_drives(order: DrivesOrder, progress: Callable[[Progress], None]) -> list[str]:
    """List all drives, write their isles' road layers, then render what is not there yet; returns the drives' names.

    Args:
        order: what to make.
        progress: of the rendering.

    Raises:
        InputError: the folder holds drives of other settings.
    """
    path = order.output / "drives.json"
    if path.exists() and json.loads(path.read_text(encoding="utf-8"))["settings"] != _settings(order):
        raise InputError(f"{order.output} holds drives of another seed, size or isles: choose another --output.")
    rows = []
    for isle in sorted({order.isle_of(number) for number in range(order.count)}):
        builder = order.builder(isle)
        if not (order.output / f"roads_{isle}.gpkg").exists():
            order.output.mkdir(parents=True, exist_ok=True)
            write_roads(noisy_map(roads_of_network(builder.network, order.seed), order.seed), order.output / f"roads_{isle}.gpkg")
        for number in range(order.count):
            if order.isle_of(number) == isle:
                drive = order.plan(builder, number)
                plan = drive.plan
                row = {
                    "name": drive.name,
                    "isle": isle,
                    "duration_s": round(plan.duration_s, 1),
                    "turns": plan.turns,
                    "frames": len(drive.time_s),
                }
                rows.append(row)
    rows.sort(key=lambda row: str(row["name"]))
    replace_text(path, json.dumps({"simulated": True, "settings": _settings(order), "drives": rows}, indent=1) + "\n")
    open_ = [number for number in range(order.count) if not (order.output / f"drive_{number:02d}.json").exists()]
    context = multiprocessing.get_context("spawn")
    for done, number in enumerate(open_):
        progress(Progress(done / len(open_), "rendering", f"drive {number} ({done + 1} of {len(open_)})"))
        # A process of its own: the graphics library keeps what it has once drawn.
        worker = context.Process(target=_render, args=(order, number))
        worker.start()
        worker.join()
        if worker.exitcode != 0:
            raise RuntimeError(f"Rendering drive {number} failed.")
    return [str(row["name"]) for row in rows]
