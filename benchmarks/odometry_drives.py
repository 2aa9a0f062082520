"""Drives over simulated cities, placed by the shape of their way: what the benchmark of odometry and the fit of what ships both count."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from simulator.drive_motion import PRESETS, MotionNoise, observed_motion
from simulator.long_drives import LongDrive, plan_long_drives
from simulator.road_layer import noisy_map, write_roads
from simulator.road_map import Roads, build_roads, local_to_lat_lon
from simulator.towns.isles import WORLD_ISLES
from vidtag_engine.geodesy import WGS84, haversine_m
from vidtag_engine.grid import AreaOfInterest, load_aoi
from vidtag_engine.inference.on_roads import RoadArea, RoadPosterior
from vidtag_engine.roads.fitted import FittedRoads, fitted_roads
from vidtag_engine.roads.layer import open_roads
from vidtag_engine.types import FloatArray, FrameState, InputError

from .by_split import Record

SIDE_M = 5000.0
RADIUS_M = 500.0
_ANOTHER = 50_000  # to a seed, for another city of the same isle


@dataclass(frozen=True)
class Row:
    """Drives of one kind.

    Args:
        noise: preset of the simulator.
        pattern: of all networks; None is each isle's own.
        least_s, most_s, least_turns: of a drive.
        drives: when not told otherwise.
        elsewhere: drives of another city than the map is of.
        side_m: of the square that is searched.
    """

    noise: str
    pattern: str | None = None
    least_s: float = 120.0
    most_s: float = 360.0
    least_turns: int = 3
    drives: int = 200
    elsewhere: bool = False
    side_m: float = SIDE_M


ROWS = {
    "graph": Row("exact"),
    "shape_only": Row("measured"),
    "regular_grid": Row("measured", pattern="regular_grid", drives=66),
    "short": Row("measured", least_s=20.0, most_s=20.0, least_turns=0, drives=66),
    "elsewhere": Row("measured", drives=66, elsewhere=True),
    "small": Row("measured", drives=44, side_m=2500.0),
    "large": Row("measured", drives=44, side_m=10_000.0),
}


@dataclass(frozen=True)
class Town:
    """A network, the map that a user has of it, and the area that is searched."""

    name: str
    roads: Roads
    aoi: AreaOfInterest
    area: RoadArea


@dataclass(frozen=True)
class Placed:
    """A drive as it was answered: at (T,) moments a second apart."""

    town: Town
    drive: LongDrive
    answer: RoadPosterior
    truth_deg: FloatArray
    seconds: float


def towns(seed: int, pattern: str | None, fitted: FittedRoads, folder: Path, side_m: float = SIDE_M) -> Iterator[Town]:
    """A town of every isle, on a square of that side."""
    for name in sorted(WORLD_ISLES):
        roads = build_roads(seed, name, side_m, pattern)
        file = folder / f"{name}.gpkg"
        write_roads(noisy_map(roads, seed), file)
        half = side_m / 2
        corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
        lat_lon = local_to_lat_lon(corners, roads.latitude_deg, roads.longitude_deg)
        aoi = load_aoi(shapely.to_wkt(_polygon(lat_lon)))
        yield Town(name, roads, aoi, RoadArea(aoi, open_roads(file), "car", fitted))


def _polygon(lat_lon_deg: FloatArray) -> shapely.Polygon:
    return shapely.Polygon(lat_lon_deg[:, ::-1])


def placed_drives(row: Row, seed: int, count: int, fitted: FittedRoads | None = None) -> Iterator[Placed]:
    """Drives of all towns alike, each placed."""
    share = -(-count // len(WORLD_ISLES))
    noise: MotionNoise = PRESETS[row.noise]
    left = count
    with tempfile.TemporaryDirectory() as folder:
        for number, town in enumerate(towns(seed, row.pattern, fitted or fitted_roads(), Path(folder), row.side_m)):
            wanted = min(share, left)
            left -= wanted
            if not wanted:
                continue
            driven = build_roads(seed + _ANOTHER, town.name, row.side_m, row.pattern) if row.elsewhere else town.roads
            drives = plan_long_drives(driven, wanted, seed, row.least_s, row.most_s, row.least_turns)
            for index, drive in enumerate(drives):
                try:
                    yield place(town, drive, noise, np.random.default_rng([seed, number, index, 7]))
                except InputError as error:  # it stood for nearly all the time
                    print(f"{town.name}, drive {index}: {error}")


def place(town: Town, drive: LongDrive, noise: MotionNoise, rng: np.random.Generator) -> Placed:
    """One drive."""
    motion = observed_motion(drive, noise, rng)
    time_s = np.arange(np.floor(drive.time_s[-1]) + 1.0)
    since = time.perf_counter()
    answer = town.area.solve(motion, time_s, RADIUS_M)
    spent = time.perf_counter() - since
    xy_m = np.column_stack([np.interp(time_s, drive.time_s, one) for one in (drive.x_m, drive.y_m)])
    return Placed(town, drive, answer, local_to_lat_lon(xy_m, town.roads.latitude_deg, town.roads.longitude_deg), spent)


def record_of(one: Placed) -> Record:
    """Counted as every benchmark of confidence does."""
    return record_of_answer(f"{one.town.name} {one.drive.kind} {one.drive.time_s[-1]:.1f}", one.answer, one.truth_deg)


def record_of_answer(name: str, of: RoadPosterior, truth_deg: FloatArray, split: str = "never_driven") -> Record:
    """The same of any answer."""
    error_m = haversine_m(*of.lat_lon_deg.T, *truth_deg.T)
    held = [
        [shapely.covers(region, shapely.Point(lon, lat)) for region, (lat, lon) in zip(regions, truth_deg, strict=True)]
        for regions in (of.hypotheses.region50, of.hypotheses.region90)
    ]
    middle = of.hypotheses.region90[len(truth_deg) // 2]
    km2 = abs(WGS84.geometry_area_perimeter(middle)[0]) / 1e6
    away = of.verdict.state is not FrameState.LOCATED
    return Record(
        name, 0, split, of.hypotheses.within, error_m, float(np.mean(held[0])), float(np.mean(held[1])), km2, away,
        of.verdict.state.value if away else "answered",
    )  # fmt: skip


def share_within(found: list[Record]) -> dict[str, float]:
    """Means over drives' frames."""
    error_m = np.concatenate([one.error_m for one in found])
    return {f"a{radius:g}m": round(float(np.mean(error_m <= radius)), 4) for radius in (50.0, 100.0, 500.0, 1000.0)}
