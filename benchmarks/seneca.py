"""Real aerial pictures: learn one flight over a field, geolocate the other.

What was tuned was tuned on flight 2 -> flight 1 alone; then flight 1 is learned and flight 2 geolocated, once per variant.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vidtag_engine.batch import mean_confidence
from vidtag_engine.evaluation import evaluate_geopackage
from vidtag_engine.geodesy import courses_deg, geodesic_m
from vidtag_engine.geolocation import Loaded, geolocate, load
from vidtag_engine.grid import AreaOfInterest, load_aoi
from vidtag_engine.settings import GeolocateSettings, validated
from vidtag_engine.training import TrainingSource, recipe, train
from vidtag_engine.training.features import FeatureStore
from vidtag_engine.types import FloatArray, IntArray
from vidtag_engine.video import read_track
from vidtag_engine.video.align_track import align_track

from .checkpoint_files import copy_checkpoint
from .code_digest import code_digest
from .recordings import recordings

TITLE = "Seneca (real): learn flight 1, geolocate flight 2, 10 m grid"
# The whole field with a margin of about 40 m.
AOI = "-83.3087,41.0342,-83.3026,41.0388"
RESOLUTION_M = 10.0
CLOSE_M = 40.0
SETTINGS: dict[str, Any] = {
    "resolution_m": RESOLUTION_M,
    "sigma": "site",
    "augment": "aerial",
    "views": 11,
    "reverse": True,
    "softening_m": 10.0,
    "negatives": 512,
    # A flight is few pictures: without these two TempGeo learns its order by heart.
    "dropout": 0.3,
    "feature_dropout": 0.3,
    "phase1_steps": 200,
    "validate_every": 25,
    "phase2_steps": 100,
    "rate_hz": 1.0,
}
# The checkpoint stays here, so that other benchmarks need not train it again.
KEPT = Path(__file__).resolve().parent.parent / "build" / "benchmarks" / "seneca"
_MADE_BY = "made-by.txt"
_CODE = code_digest("vidtag_engine/training", "vidtag_engine/models", "vidtag_engine/trajectory", "benchmarks/seneca.py")


def run(seed: int = 0, *, learn: str = "flight1", find: str = "flight2", seeds: int = 1) -> dict[str, Any]:
    """Train with and without TempGeo, geolocate with and without GeoRefiner, and compare with the nearest neighbour on the same features.

    Args:
        seed: of the first training.
        learn: ``flight1`` or ``flight2``.
        find: the other one.
        seeds: trainings of the whole method, of which the median is told; and how far it goes where any one of the flight's strips is left out.
    """
    folder = recordings("seneca")
    area = load_aoi(AOI)
    source = TrainingSource(folder / f"{learn}.mp4", folder / f"{learn}.gpx")
    result: dict[str, Any] = {}
    placed: list[Placed] = []
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        for name, changes in (("", {}), ("no_tempgeo_", {"tempgeo_layers": 0}), ("no_georefiner_", {"phase2_steps": 0})):
            started = time.perf_counter()
            checkpoint = work / f"{name}checkpoint"
            # The first variant computes the features, so that its time counts them; the others share them.
            train([source], area, checkpoint, recipe("default", seed=seed, **{**SETTINGS, **changes}), feature_folder=work / "features")
            if not name:
                result["train_s"] = round(time.perf_counter() - started, 1)
            loaded = load(str(checkpoint), "cpu")
            if not name and learn == "flight1":
                keep(checkpoint, seed)
            report, frames = placed_by(folder, find, loaded, area, work / f"{name}result.gpkg")
            placed += [] if name else [frames]
            result[f"{name}median_m"] = report["median_m"]
            if not name:
                result["within_40m"], result["mean_confidence"] = report["within_40m"], report["mean_confidence"]
        result |= nearest_neighbour(folder, learn, find, loaded, work / "features", seed)
        for number in range(seed + 1, seed + seeds):
            train([source], area, work / f"{number}", recipe("default", seed=number, **SETTINGS), feature_folder=work / "features")
            placed.append(placed_by(folder, find, load(str(work / f"{number}"), "cpu"), area, work / f"{number}.gpkg")[1])
    return result | over_seeds(placed)


def over_seeds(placed: Sequence[Placed]) -> dict[str, Any]:
    """The median of several trainings' medians, and the least and greatest that it has where any one strip of the flight is left out.

    Frames of a strip err together; a flight has few of them, and an interval over frames would be far too narrow.
    """
    medians = [float(np.median(one.errors_m)) for one in placed]
    strip = strips(placed[0].lat_lon_deg)
    without = [float(np.median([np.median(one.errors_m[strip != out]) for one in placed])) for out in np.unique(strip)]
    return {
        "medians_m": [round(one, 2) for one in medians],
        "median_of_seeds_m": round(float(np.median(medians)), 2),
        "within_40m_of_seeds": round(float(np.mean([np.mean(one.errors_m <= CLOSE_M) for one in placed])), 4),
        "strips": len(without),
        "leave_strip_out_m": [round(min(without), 2), round(max(without), 2)],
    }


def strips(lat_lon_deg: FloatArray) -> IntArray:
    """(T,) number of the flown strip of each frame of a path (T, 2): it ends where the course is more than a right angle off its first."""
    course_deg = courses_deg(*lat_lon_deg.T)
    number, own, found = 0, course_deg[0], []
    for one in course_deg:
        if math.cos(math.radians(one - own)) < 0.0:
            number, own = number + 1, one
        found.append(number)
    return np.array(found, dtype=np.int64)


class Placed(NamedTuple):
    """Where a flight's frames were taken, (T, 2), and how far off they were placed, (T,)."""

    lat_lon_deg: FloatArray
    errors_m: FloatArray


def checkpoint_of(learn: str, folder: Path, seed: int = 0) -> Path:
    """A checkpoint that has learned a flight; flight 1's is kept, and found again while the code that makes it is the same.

    Args:
        learn: ``flight1`` or ``flight2``.
        folder: to train in, where none is kept.
        seed: of the training.
    """
    if learn == "flight1" and (KEPT / _MADE_BY).is_file() and (KEPT / _MADE_BY).read_text(encoding="utf-8") == f"{_CODE} {seed}":
        return KEPT
    source = TrainingSource(recordings("seneca") / f"{learn}.mp4", recordings("seneca") / f"{learn}.gpx")
    train([source], load_aoi(AOI), folder, recipe("default", seed=seed, **SETTINGS))
    if learn == "flight1":
        keep(folder, seed)
    return folder


def keep(checkpoint: Path, seed: int) -> None:
    """Keep a checkpoint of flight 1 for other benchmarks."""
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / _MADE_BY).unlink(missing_ok=True)
    copy_checkpoint(checkpoint, KEPT)
    (KEPT / _MADE_BY).write_text(f"{_CODE} {seed}", encoding="utf-8")


def place(folder: Path, find: str, loaded: Loaded, area: AreaOfInterest, output: Path, decoder: str = "hmm") -> dict[str, Any]:
    """Geolocate a flight and compare it with its track."""
    return placed_by(folder, find, loaded, area, output, decoder)[0]


def placed_by(
    folder: Path, find: str, loaded: Loaded, area: AreaOfInterest, output: Path, decoder: str = "hmm"
) -> tuple[dict[str, Any], Placed]:
    """The same, and each frame."""
    settings: GeolocateSettings = validated(GeolocateSettings, {"resolution_m": RESOLUTION_M, "decoder": decoder, "always_answer": True})
    batch = geolocate([folder / f"{find}.mp4"], area, loaded, output, settings)
    report = evaluate_geopackage(output, folder / f"{find}.gpx", radii_km=(CLOSE_M / 1000,))
    trajectory = batch.results[0].trajectory
    track = read_track(folder / f"{find}.gpx")
    lat, lon, _ = align_track(track, batch.results[0].info, trajectory.time_s)
    errors_m = geodesic_m(trajectory.lat_deg, trajectory.lon_deg, lat, lon)
    known = np.isfinite(errors_m)
    assert abs(float(np.median(errors_m[known])) - report.overall.median_m) < 1.0
    figures = {
        "median_m": round(float(np.median(errors_m[known])), 2),
        "within_25m": round(float(np.mean(errors_m[known] <= 25.0)), 4),
        "within_40m": round(float(np.mean(errors_m[known] <= CLOSE_M)), 4),
        "mean_confidence": mean_confidence(batch.results),
    }
    return figures, Placed(np.stack([lat[known], lon[known]], axis=1), errors_m[known])


def nearest_neighbour(folder: Path, learn: str, find: str, loaded: Loaded, features: Path, seed: int) -> dict[str, float]:
    """The peer: each picture gets the place of the learned picture with the most similar features."""
    store = FeatureStore(features, loaded.encoder, augment="none", views=0, seed=seed, rate_hz=1.0)
    known, asked = (store.sequence(TrainingSource(folder / f"{f}.mp4", folder / f"{f}.gpx")) for f in (learn, find))
    assert known is not None
    assert asked is not None
    best = (asked.features[0] @ known.features[0].T).argmax(axis=1)
    errors_m = geodesic_m(*known.lat_lon_deg[best].T, *asked.lat_lon_deg.T)
    return {
        "nearest_neighbour_median_m": round(float(np.median(errors_m)), 2),
        "nearest_neighbour_within_40m": round(float(np.mean(errors_m <= CLOSE_M)), 4),
    }
