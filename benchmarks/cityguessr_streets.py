"""How much worse streets are found where the area is guessed than where it is known: the same checkpoint, the same drives, through the public API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.feedback import Feedback
from vidtag_engine.geolocation import geolocate
from vidtag_engine.grid import join_areas
from vidtag_engine.loaded import load
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.training import TrainingSource, recipe, train
from vidtag_engine.training.city import train_city
from vidtag_engine.training.city_settings import city_recipe
from vidtag_engine.types import FloatArray, Progress, ProgressCallback
from vidtag_engine.video import read_track

from .cityguessr_world import city_world
from .isles_settings import OURS
from .isles_world import IslesWorld

RESOLUTION_M = 250.0
STEPS = {"phase1_steps": 500, "phase2_steps": 0}
A_ISLE = 5  # test drives
RATE_HZ = 1.0


def no_aoi(folder: Path, isles: IslesWorld, told: ProgressCallback) -> dict[str, Any]:
    """Median errors with the isle's own area, and with ``--guess-area``, over drives whose city is known."""
    work = folder / "streets"
    checkpoint, cities = work / "vidtag", work / "cities"
    made = json.loads((folder / "world.json").read_text(encoding="utf-8"))["drives"]
    if not (checkpoint / "config.json").is_file():
        options = {key: value for key, value in OURS.items() if key != "recipe"}
        sources = {
            split: [TrainingSource(folder / row["video"], folder / row["truth"], "video") for row in made if row["split"] == split]
            for split in ("train", "val")
        }
        train(
            sources["train"], join_areas(None, isles.areas), checkpoint, recipe("default", **options, **STEPS, resolution_m=RESOLUTION_M, rate_hz=None),
            validation_sources=sources["val"], feedback=Feedback(lambda step: told(Progress(0.6 * step.fraction, step.stage, step.message))),
        )  # fmt: skip
    if not (cities / "config.json").is_file():
        world = city_world(isles, "district")
        train_city(world.videos("train"), world.videos("val"), world.table, cities, city_recipe("default"))
    loaded = load(str(checkpoint))
    chosen: list[dict[str, Any]] = []
    for isle in isles.isles:
        chosen += [row for row in made if row["isle"] == isle and row["split"] in {"test", "test_unseen"}][:A_ISLE]
    given: list[FloatArray] = []
    guessed: list[FloatArray] = []
    withheld = 0
    for number, row in enumerate(chosen):
        video, truth = folder / row["video"], folder / row["truth"]
        settings = GeolocateSettings(resolution_m=RESOLUTION_M, rate_hz=RATE_HZ, always_answer=True)
        known = geolocate([video], isles.areas[row["isle"]], loaded, settings=settings)
        try:
            free = geolocate([video], None, loaded, settings=settings.model_copy(update={"guess_area": str(cities)}))
        except ValueError:  # no area is guessed
            withheld += 1
            continue
        given.append(_errors_m(known.results[0].trajectory, truth))
        guessed.append(_errors_m(free.results[0].trajectory, truth))
        told(Progress(0.6 + 0.4 * (number + 1) / len(chosen), "drives", row["name"]))
    first, second = (float(np.nanmedian(np.concatenate(each))) for each in (given, guessed))
    return {
        "known_aoi_median_m": round(first, 1), "no_aoi_median_m": round(second, 1), "no_aoi_median_ratio": round(second / first, 3),
        "no_aoi_drives": len(given), "no_aoi_withheld": withheld,
    }  # fmt: skip


def _errors_m(trajectory: Any, truth: Path) -> FloatArray:
    from vidtag_engine.geodesy import haversine_m

    track = read_track(truth)
    start = track.time_s[0] if track.absolute else 0.0
    lat, lon = (np.interp(trajectory.time_s, track.time_s - start, side) for side in (track.lat_deg, track.lon_deg))
    result: FloatArray = haversine_m(trajectory.lat_deg, trajectory.lon_deg, lat, lon)
    return result
