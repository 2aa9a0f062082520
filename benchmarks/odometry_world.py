"""Short drives of a rendered world, with and without roads: what roads do where a street was driven in training, and where it was not.

Their pictures are two seconds apart, too far for odometry: how the camera moved is taken from the truth, with the errors that odometry was measured to have.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from simulator.drive_motion import MEASURED
from simulator.road_layer import noisy_map, write_roads
from simulator.road_map import roads_of_network
from simulator.towns.config import WorldConfig
from simulator.towns.isles import WORLD_ISLES
from simulator.towns.network import build_town_network
from vidtag_engine.cli.terminal import progress_bar
from vidtag_engine.evaluation.ways import NEVER_DRIVEN, OTHER_WAY, SAME_WAY
from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import courses_deg, haversine_m
from vidtag_engine.grid import make_grid
from vidtag_engine.job import Job
from vidtag_engine.loaded import load
from vidtag_engine.motion import Motion
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.types import FloatArray, FrameState, Progress, Trajectory
from vidtag_engine.ways import Ways

from .counting import paired_difference
from .recognition import World
from .reference_isles import RESOLUTION_M

_RIGHT_M = 500.0
_SURE = 0.8


def short_drives(folder: Path, checkpoints: list[str], seed: int) -> dict[str, Any]:
    """All test drives of a world, for each checkpoint that was trained on it.

    Args:
        folder: of the world.
        checkpoints: of its trainings.
        seed: of the world's towns.
    """
    world = World.opened(folder)
    rows: list[tuple[str, int, int, FloatArray, FloatArray, FloatArray, FloatArray]] = []
    with tempfile.TemporaryDirectory() as work, progress_bar() as bar:
        layers = {one["isle"]: _layer(one["isle"], seed, Path(work)) for one in world.made}
        for number, checkpoint in enumerate(checkpoints):
            rows += _of_one(world, checkpoint, number, layers, bar)
    result: dict[str, Any] = {"world_trainings": len(checkpoints)}
    way = np.concatenate([np.array(world.ridden.frames(one[6])) for one in rows])
    drive, training = (np.concatenate([np.full(len(one[3]), one[k]) for one in rows]) for k in (1, 2))
    before, after, chance = (np.concatenate([one[k] for one in rows]) for k in (3, 4, 5))
    for name in (SAME_WAY, OTHER_WAY, NEVER_DRIVEN):
        here = way == name
        old, new = before[here] <= _RIGHT_M, after[here] <= _RIGHT_M
        gain = paired_difference(old, new, drive[here], training[here])
        sure = chance[here] >= _SURE
        result[f"short_{name}"] = {
            "frames": int(here.sum()),
            "a05km_before": round(float(old.mean()), 4),
            "a05km": round(float(new.mean()), 4),
            "gain": [round(one, 4) for one in (gain.mean, gain.low, gain.high)],
            "said80": int(sure.sum()),
            "said80_wrong": round(float(1.0 - new[sure].mean()), 4) if sure.any() else None,
        }
        print(name, result[f"short_{name}"])
    return result


def _layer(isle: str, seed: int, folder: Path) -> Path:
    """The map that a user has of an isle's streets."""
    file = folder / f"{isle}.gpkg"
    if not file.exists():
        network, _ = build_town_network(WORLD_ISLES[isle], WorldConfig(), seed)
        write_roads(noisy_map(roads_of_network(network, seed), seed), file)
    return file


def _of_one(world: World, checkpoint: str, training: int, layers: dict[str, Path], told: Any) -> list[Any]:
    loaded = load(checkpoint)
    made, sequences = world.sequences(loaded, "test", "test_unseen")
    settings = GeolocateSettings(resolution_m=RESOLUTION_M, rate_hz=None, always_answer=True, confidence_radius_m=_RIGHT_M)
    jobs: dict[str, Job] = {}
    rows = []
    for number, (row, sequence) in enumerate(zip(made, sequences, strict=True)):
        isle, area = row["isle"], world.areas[row["isle"]]
        if isle not in jobs:
            ways = Ways(settings.model_copy(update={"roads": str(layers[isle])}))
            jobs[isle] = Job(loaded, make_grid(area, RESOLUTION_M), area, settings, world.folder / "cache", Feedback(), 1, ways=ways)
        frames = [(index, float(time_s), FrameState.LOCATED) for index, time_s in enumerate(sequence.time_s)]
        features = np.asarray(sequence.seen, dtype=np.float32)
        alone, solved = jobs[isle].answer(frames, features, row["name"] if "name" in row else str(number))
        motion = _motion(sequence.time_s, sequence.lat_lon_deg, np.random.default_rng([training, number]))
        together, _ = jobs[isle].along_roads(alone, solved, motion, frames)
        truth = sequence.lat_lon_deg
        rows.append((isle, number, training, _off_m(alone, truth), _off_m(together, truth), together.confidence, truth))
        told(Progress(number / len(made), "short drives", f"training {training + 1}"))
    return rows


def _off_m(of: Trajectory, truth_deg: FloatArray) -> FloatArray:
    return haversine_m(of.lat_deg, of.lon_deg, *truth_deg.T)


def _motion(time_s: FloatArray, truth_deg: FloatArray, rng: np.random.Generator) -> Motion:
    """A drive's motion by its truth, with odometry's errors."""
    course = courses_deg(*truth_deg.T)
    known = np.isfinite(course)
    heading = (
        np.interp(time_s, np.asarray(time_s)[known], np.degrees(np.unwrap(np.radians(course[known]))))
        if known.any()
        else np.zeros(len(course))
    )
    passed_s = np.diff(time_s)
    metres = haversine_m(*truth_deg[:-1].T, *truth_deg[1:].T)
    unit = np.exp(rng.uniform(*np.log(MEASURED.unit_mps)))
    speed = metres / passed_s / unit * np.exp(rng.normal(0.0, MEASURED.speed_std, len(metres)))
    gain = np.exp(rng.normal(0.0, MEASURED.gain_std))
    turn = np.diff(heading) * gain + rng.normal(0.0, MEASURED.turn_std_deg * np.sqrt(passed_s), len(metres))
    ones = np.ones(len(metres))
    return Motion(
        np.asarray(time_s, dtype=np.float64),
        turn,
        MEASURED.turn_std_deg * ones,
        speed,
        MEASURED.speed_std * ones,
        metric=False,
        source="video",
    )
