"""What the database of reference images is worth on the simulated isles: nearest references beside the table of all, and a database beside a training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidtag_engine.calibration.calibrate import calibrate_path
from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.geolocation import geolocate
from vidtag_engine.grid import AreaOfInterest, join_areas, load_aoi, make_grid
from vidtag_engine.loaded import Loaded, load
from vidtag_engine.models import VidTAG
from vidtag_engine.reference.similarity import NEIGHBOURS
from vidtag_engine.reference.store import Store
from vidtag_engine.settings import GeolocateSettings, ReferenceSettings
from vidtag_engine.training import TrainingSource, recipe, train
from vidtag_engine.training.features import FeatureStore, load_sequences
from vidtag_engine.training.reference_build import build
from vidtag_engine.types import FloatArray, ProgressCallback
from vidtag_engine.video import read_track

from .counting import debiased_ece
from .isles_settings import OURS
from .splits import SAME_WAY, TrainingWays

RESOLUTION_M = 250.0
STEPS = {"phase1_steps": 500, "phase2_steps": 0}
A_ISLE = 8  # test drives
CLOSE_M = 500.0


def isles(folder: Path, told: ProgressCallback) -> dict[str, Any]:
    """Figures of a rendered world (``--size cities`` at least); its checkpoint and database stay in its folder.

    Args:
        folder: of the world.
        told: progress.
    """
    made = json.loads((folder / "world.json").read_text(encoding="utf-8"))["drives"]
    areas = {
        one["properties"]["name"]: load_aoi(one) for one in json.loads((folder / "aoi.geojson").read_text(encoding="utf-8"))["features"]
    }
    whole = join_areas(None, areas)
    learnt = {split: _sources(folder, made, split) for split in ("train", "val")}
    checkpoint, database = folder / "streets" / "vidtag", folder / "references"
    if not (checkpoint / "config.json").is_file():
        options = {key: value for key, value in OURS.items() if key != "recipe"}
        train(
            learnt["train"], whole, checkpoint, recipe("default", **options, **STEPS, resolution_m=RESOLUTION_M, rate_hz=None),
            validation_sources=learnt["val"], feedback=Feedback(told),
        )  # fmt: skip
    if not (database / "database.json").is_file():
        build(database, learnt["train"], ReferenceSettings(resolution_m=RESOLUTION_M, rate_hz=None), aoi=whole, feedback=Feedback(told))
    loaded = load(str(checkpoint))
    assert isinstance(loaded.model, VidTAG)
    held = _held_out(loaded, learnt["val"], folder)
    drives = [
        row for isle in areas for row in [one for one in made if one["isle"] == isle and one["split"] in {"test", "test_unseen"}][:A_ISLE]
    ]
    ways = {
        "table": _calibrated(loaded, held, whole, None),
        "nearest": _calibrated(loaded, held, whole, NEIGHBOURS),
        "database": load(str(database)),
    }
    tracks = [np.stack([track.lat_deg, track.lon_deg], axis=1) for row in learnt["train"] if row.truth and (track := read_track(row.truth))]
    ridden = TrainingWays(tracks)
    found = {name: _placed(folder, one, drives, areas, ridden) for name, one in ways.items()}
    result: dict[str, Any] = {"isles_drives": len(drives), "isles_training_drives": len(learnt["train"])}
    for name, (errors, chances, same) in found.items():
        result |= {
            f"isles_{name}_a05km": round(100.0 * float(np.mean(errors <= CLOSE_M)), 2),
            f"isles_{name}_a05km_same_way": round(100.0 * float(np.mean(errors[same] <= CLOSE_M)), 2),
            f"isles_{name}_same_way_median_m": round(float(np.median(errors[same])), 1),
            f"isles_{name}_ece": round(debiased_ece(chances, errors <= CLOSE_M), 4),
        }
    result["isles_same_way_frames"] = int(found["table"][2].sum())
    result["isles_same_a05km"] = round(result["isles_nearest_a05km"] - result["isles_table_a05km"], 2)
    result["isles_same_ece"] = round(result["isles_nearest_ece"] - result["isles_table_ece"], 4)
    result["train_free_isles_ratio"] = round(result["isles_database_same_way_median_m"] / result["isles_table_same_way_median_m"], 3)
    return result


def own_descriptors(folder: Path) -> tuple[FloatArray, FloatArray]:
    """Descriptors of the images in a world's database, and of its held-out drives' frames."""
    store = Store.open(folder / "references")
    made = json.loads((folder / "world.json").read_text(encoding="utf-8"))["drives"]
    loaded = load(str(folder / "references"))
    held = _held_out(loaded, _sources(folder, made, "val"), folder)
    asked = np.concatenate([store.descriptor.in_context(torch.from_numpy(one.seen)).numpy() for one in held])
    return store.descriptors(np.flatnonzero(store.there)), asked


def _sources(folder: Path, made: Sequence[dict[str, Any]], split: str) -> list[TrainingSource]:
    return [TrainingSource(folder / row["video"], folder / row["truth"], "video") for row in made if row["split"] == split]


def _held_out(loaded: Loaded, sources: Sequence[TrainingSource], folder: Path) -> Any:
    """The validation drives' features, with the layout that reference images are compared by."""
    store = FeatureStore(folder / "features", loaded.encoder, augment="none", views=0, seed=0, rate_hz=None, half=True)
    return load_sequences(store, sources)


def _calibrated(loaded: Loaded, held: Any, area: AreaOfInterest, neighbours: int | None) -> Loaded:
    """The checkpoint, its confidence fitted on the same drives with either way to read the references."""
    of = loaded.calibration
    assert of.ground is not None
    assert isinstance(loaded.model, VidTAG)
    grid = make_grid(area, RESOLUTION_M)
    points, spacing_m = np.concatenate(list(grid.chunks())), float(np.sqrt(grid.area_m2 / grid.count))
    known = of.ground.knows(points, spacing_m)
    with torch.inference_mode():
        path = calibrate_path(
            loaded.model, points[known], spacing_m, held, held, temperature=of.temperature, reach_m=of.ground.reach_m, places=of.ground.lat_lon_deg,
            novelty=of.path.novelty if of.path else of.novelty, neighbours=neighbours,
        )  # fmt: skip
    return replace(loaded, calibration=replace(of, path=path))


def _placed(
    folder: Path, loaded: Loaded, drives: Sequence[dict[str, Any]], areas: dict[str, AreaOfInterest], ridden: TrainingWays
) -> tuple[FloatArray, FloatArray, Any]:
    """Of all frames the error in metres, the chance that was said for half a kilometre, and whether a training drive went the same way there."""
    settings = GeolocateSettings(resolution_m=RESOLUTION_M, rate_hz=1.0, always_answer=True, confidence_radius_m=CLOSE_M)
    errors, chances, same = [], [], []
    for row in drives:
        answer = geolocate([folder / row["video"]], areas[row["isle"]], loaded, settings=settings).results[0].trajectory
        truth = read_track(folder / row["truth"])
        start = truth.time_s[0] if truth.absolute else 0.0
        lat, lon = (np.interp(answer.time_s, truth.time_s - start, side) for side in (truth.lat_deg, truth.lon_deg))
        errors.append(haversine_m(answer.lat_deg, answer.lon_deg, lat, lon))
        chances.append(answer.confidence)
        same.append(np.array(ridden.frames(np.stack([lat, lon], axis=1))) == SAME_WAY)
    return np.concatenate(errors), np.concatenate(chances), np.concatenate(same)
