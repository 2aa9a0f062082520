"""What the database of reference images is worth on the simulated isles: nearest references beside the table of all, and a database beside a training."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vidtag_engine.calibration.calibrate import calibrate_path
from vidtag_engine.evaluation.ways import NEVER_DRIVEN, OTHER_WAY, SAME_WAY, DrivenWays
from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.geolocation import geolocate
from vidtag_engine.grid import AreaOfInterest, join_areas, load_aoi, make_grid
from vidtag_engine.loaded import Loaded, load
from vidtag_engine.models import GeoCLIP, VidTAG
from vidtag_engine.models.reference_database import ReferenceDatabase
from vidtag_engine.reference.database import StoredReferences
from vidtag_engine.reference.similarity import NEIGHBOURS
from vidtag_engine.reference.store import Store
from vidtag_engine.settings import GeolocateSettings, ReferenceSettings
from vidtag_engine.training import TrainingSource, recipe, train
from vidtag_engine.training.features import FeatureStore, load_sequences
from vidtag_engine.training.reference_build import build
from vidtag_engine.types import FloatArray, IntArray, ProgressCallback
from vidtag_engine.video import read_track

from .counting import debiased_ece, ece_difference, paired_difference
from .isles_settings import OURS, TRAINING_SEEDS

RESOLUTION_M = 250.0
STEPS = {"phase1_steps": 500, "phase2_steps": 0}
A_ISLE = 8  # test drives
CLOSE_M, NEAR_M = 500.0, 50.0


def isles(
    folder: Path, told: ProgressCallback, trainings: Sequence[int] = TRAINING_SEEDS, neighbours: Sequence[int] = (NEIGHBOURS,)
) -> dict[str, Any]:
    """Figures of a rendered world (``--size cities`` at least); its checkpoints and database stay in its folder.

    Args:
        folder: of the world.
        told: progress.
        trainings: their seeds.
        neighbours: numbers of nearest references that are tried; the first is what ships.
    """
    made = json.loads((folder / "world.json").read_text(encoding="utf-8"))["drives"]
    areas = {
        one["properties"]["name"]: load_aoi(one) for one in json.loads((folder / "aoi.geojson").read_text(encoding="utf-8"))["features"]
    }
    whole = join_areas(None, areas)
    learnt = {split: sources_of(folder, made, split) for split in ("train", "val")}
    database = database_of(folder, learnt["train"], whole, told)
    drives = [
        row for isle in areas for row in [one for one in made if one["isle"] == isle and one["split"] in {"test", "test_unseen"}][:A_ISLE]
    ]
    tracks = [np.stack([track.lat_deg, track.lon_deg], axis=1) for row in learnt["train"] if row.truth and (track := read_track(row.truth))]
    ridden = DrivenWays.of_tracks(tracks)
    frames: dict[str, list[_Frames]] = {}
    for seed in trainings:
        loaded = trained(folder / "streets" / f"vidtag-{seed}", learnt, whole, seed, folder, told)
        held = _held_out(loaded, learnt["val"], folder)
        ways = {"table": calibrated(_by_table(loaded), held, whole, None)}
        ways |= {f"nearest{k}": calibrated(loaded, held, whole, k) for k in neighbours}
        ways["either"] = calibrated(loaded, held, whole, neighbours[0], either_way=True)
        for name, one in ways.items():
            frames.setdefault(name, []).append(_placed(folder, one, drives, areas, ridden))
    frames["database"] = [_placed(folder, load(str(database)), drives, areas, ridden)]
    found = {name: _Frames.joined(several) for name, several in frames.items()}
    counts = {"isles_drives": len(drives), "isles_trainings": len(trainings), "isles_training_drives": len(learnt["train"])}
    return counts | figures(found, neighbours)


def figures(found: dict[str, _Frames], neighbours: Sequence[int]) -> dict[str, Any]:
    """What the ways to read references give, over all and by split; differences with their intervals."""
    result: dict[str, Any] = {}
    for name, of in found.items():
        result |= {
            f"isles_{name}_a05km": round(100.0 * float(np.mean(of.close)), 2),
            f"isles_{name}_a05km_same_way": round(100.0 * float(np.mean(of.close[of.same_way])), 2),
            f"isles_{name}_same_way_median_m": round(float(np.median(of.error_m[of.same_way])), 1),
            f"isles_{name}_within_50m_same_way": round(100.0 * float(np.mean(of.error_m[of.same_way] <= NEAR_M)), 2),
            f"isles_{name}_ece": round(debiased_ece(of.chance, of.close), 4),
        }
    table = found["table"]
    result["isles_same_way_frames"] = int(table.same_way.sum())
    for k in neighbours:
        of, word = found[f"nearest{k}"], "same" if k == neighbours[0] else f"same{k}"
        accuracy = paired_difference(table.close, of.close, of.drive, of.training)
        result[f"isles_{word}_a05km"] = [round(100.0 * one, 2) for one in accuracy.to_list()]
        result[f"isles_{word}_ece"] = ece_difference((table.chance, table.close), (of.chance, of.close), of.drive, of.training).to_list()
    either, today = found["either"], found[f"nearest{neighbours[0]}"]
    for way in (SAME_WAY, OTHER_WAY, NEVER_DRIVEN):
        here = either.way == way
        result[f"isles_{way}_frames"] = int(here.sum())
        for name in ("table", f"nearest{neighbours[0]}", "either", "database"):
            close = found[name].close[found[name].way == way]
            result[f"isles_{name}_{way}_a05km"] = round(100.0 * float(np.mean(close)), 2) if len(close) else None
        if here.any():
            gained = paired_difference(today.close[here], either.close[here], either.drive[here], either.training[here])
            result[f"either_way_{way}_a05km"] = [round(100.0 * one, 2) for one in gained.to_list()]
    result["either_way_ece"] = ece_difference(
        (today.chance, today.close), (either.chance, either.close), either.drive, either.training
    ).to_list()
    result["train_free_isles_ratio"] = round(result["isles_database_same_way_median_m"] / result["isles_table_same_way_median_m"], 3)
    return result


@dataclass(frozen=True)
class _Frames:
    """Of frames (N,) the error in metres, the chance said for half a kilometre, how they lie to the training drives, their drive and training."""

    error_m: FloatArray
    chance: FloatArray
    way: NDArray[np.str_]
    drive: IntArray
    training: IntArray

    @classmethod
    def joined(cls, several: Sequence[_Frames]) -> _Frames:
        """Those of several trainings."""
        training = np.repeat(np.arange(len(several)), [len(one.error_m) for one in several])
        error_m, chance, way, drive = (
            np.concatenate([getattr(one, name) for one in several]) for name in ("error_m", "chance", "way", "drive")
        )
        return cls(error_m, chance, way, drive, training)

    @property
    def same_way(self) -> NDArray[np.bool_]:
        """Whether a training drive went the same way there."""
        return self.way == SAME_WAY

    @property
    def close(self) -> FloatArray:
        """1 within half a kilometre, else 0."""
        return (self.error_m <= CLOSE_M).astype(np.float64)


def database_of(folder: Path, sources: Sequence[TrainingSource], whole: AreaOfInterest, told: ProgressCallback) -> Path:
    """The database of a world's training drives, made once."""
    database = folder / "references"
    if not (database / "database.json").is_file():
        build(database, sources, ReferenceSettings(resolution_m=RESOLUTION_M, rate_hz=None), aoi=whole, feedback=Feedback(told))
    return database


def trained(
    checkpoint: Path, learnt: dict[str, list[TrainingSource]], whole: AreaOfInterest, seed: int, folder: Path, told: ProgressCallback
) -> Loaded:
    """A checkpoint of the world, made once."""
    if not (checkpoint / "config.json").is_file():
        options = {key: value for key, value in OURS.items() if key != "recipe"}
        train(
            learnt["train"], whole, checkpoint, recipe("default", **options, **STEPS, resolution_m=RESOLUTION_M, rate_hz=None, seed=seed),
            validation_sources=learnt["val"], feature_folder=folder / "streets" / "features", feedback=Feedback(told),
        )  # fmt: skip
    return load(str(checkpoint))


def _by_table(loaded: Loaded) -> Loaded:
    """The checkpoint with its frames in memory, which alone are read all at once."""
    assert isinstance(loaded.model, VidTAG)
    stored = loaded.model.memory
    if isinstance(stored, ReferenceDatabase):  # a checkpoint of before
        return loaded
    assert isinstance(stored, StoredReferences)
    of = stored.store.manifest
    memory = ReferenceDatabase(len(stored.store.rows), of.feature_dim, of.width, of.layout_dim)
    memory.whitening.load_state_dict(stored.whitening.state_dict())
    memory.embeddings.copy_(torch.from_numpy(stored.store.descriptors(np.arange(len(stored.store.rows)))))
    memory.lat_lon_deg.copy_(torch.from_numpy(stored.places_deg))
    model = copy.copy(loaded.model)
    model._modules = dict(model._modules)  # noqa: SLF001
    model.remember(memory)
    return replace(loaded, model=model)


def own_descriptors(folder: Path) -> tuple[FloatArray, IntArray, FloatArray]:
    """Descriptors of the images in a world's database, of which drive each is, and descriptors of its held-out drives' frames."""
    store = Store.open(folder / "references")
    made = json.loads((folder / "world.json").read_text(encoding="utf-8"))["drives"]
    loaded = load(str(folder / "references"))
    held = _held_out(loaded, sources_of(folder, made, "val"), folder)
    asked = np.concatenate([store.descriptor.in_context(torch.from_numpy(one.seen)).numpy() for one in held])
    rows = np.flatnonzero(store.there)
    return store.descriptors(rows), store.rows["drive"][rows].astype(np.int64), asked


def sources_of(folder: Path, made: Sequence[dict[str, Any]], split: str) -> list[TrainingSource]:
    return [TrainingSource(folder / row["video"], folder / row["truth"], "video") for row in made if row["split"] == split]


def _held_out(loaded: Loaded, sources: Sequence[TrainingSource], folder: Path) -> Any:
    """The validation drives' features, with the layout that reference images are compared by."""
    store = FeatureStore(folder / "features", loaded.encoder, augment="none", views=0, seed=0, rate_hz=None, half=True)
    return load_sequences(store, sources)


def calibrated(loaded: Loaded, held: Any, area: AreaOfInterest, neighbours: int | None, **options: Any) -> Loaded:
    """The checkpoint, its confidence fitted on the same drives with a way to read the references; ``options`` as of :func:`.calibrate_path`."""
    of = loaded.calibration
    assert of.ground is not None
    assert not isinstance(loaded.model, GeoCLIP)
    grid = make_grid(area, RESOLUTION_M)
    points, spacing_m = np.concatenate(list(grid.chunks())), float(np.sqrt(grid.area_m2 / grid.count))
    known = of.ground.knows(points, spacing_m)
    with torch.inference_mode():
        path = calibrate_path(
            loaded.model, points[known], spacing_m, held, held, temperature=of.temperature, reach_m=of.ground.reach_m, places=of.ground.lat_lon_deg,
            novelty=of.path.novelty if of.path else of.novelty, neighbours=neighbours, **options,
        )  # fmt: skip
    return replace(loaded, calibration=replace(of, path=path))


def _placed(
    folder: Path, loaded: Loaded, drives: Sequence[dict[str, Any]], areas: dict[str, AreaOfInterest], ridden: DrivenWays
) -> _Frames:
    """All frames of the drives, each sought on its isle."""
    settings = GeolocateSettings(resolution_m=RESOLUTION_M, rate_hz=1.0, always_answer=True, confidence_radius_m=CLOSE_M)
    errors, chances, ways, whose = [], [], [], []
    for number, row in enumerate(drives):
        answer = geolocate([folder / row["video"]], areas[row["isle"]], loaded, settings=settings).results[0].trajectory
        truth = read_track(folder / row["truth"])
        start = truth.time_s[0] if truth.absolute else 0.0
        lat, lon = (np.interp(answer.time_s, truth.time_s - start, side) for side in (truth.lat_deg, truth.lon_deg))
        errors.append(haversine_m(answer.lat_deg, answer.lon_deg, lat, lon))
        chances.append(answer.confidence)
        ways.append(np.array(ridden.frames(np.stack([lat, lon], axis=1))))
        whose.append(np.full(len(lat), number))
    error_m, chance, way, drive = (np.concatenate(of) for of in (errors, chances, ways, whose))
    return _Frames(error_m, chance, way, drive, np.zeros(len(drive), dtype=np.int64))
