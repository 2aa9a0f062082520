"""Real aerial pictures that nothing was chosen on: a flight over a building site, found block by block by the rest of itself, at least 20 s away.

The drone climbs while it flies, and neighbouring strips are some 12 m apart: pictures of one place differ in scale.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.batch import compiled_folder
from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.geolocation import geolocate
from vidtag_engine.grid import AreaOfInterest, load_aoi
from vidtag_engine.loaded import Loaded, load
from vidtag_engine.models.frame_encoder import FrameEncoder, build_frame_encoder
from vidtag_engine.settings import GeolocateSettings, ReferenceSettings
from vidtag_engine.training import TrainingSource, recipe, train
from vidtag_engine.training.features import FeatureStore
from vidtag_engine.training.reference_build import build
from vidtag_engine.types import FloatArray, IntArray

from .recordings import recordings
from .seneca import CLOSE_M, RESOLUTION_M, SETTINGS

TITLE = "Caliterra (real; nothing was chosen on it): blocks of a flight found by the rest of it, at least 20 s away, 10 m grid"
BLOCKS = 4
APART_S = 20.0
_MARGIN_DEG = 0.0004  # about 40 m around all pictures


@dataclass(frozen=True)
class Flight:
    """Pictures in the order in which they were taken: their track, names, seconds and (N, 2) places."""

    folder: Path
    track: Path
    names: tuple[str, ...]
    time_s: FloatArray
    lat_lon_deg: FloatArray

    @classmethod
    def read(cls, folder: Path) -> Flight:
        """Of the folder of recordings."""
        with (folder / "gps.csv").open(encoding="utf-8", newline="") as file:
            rows = sorted(csv.DictReader(file), key=lambda row: (row["exif_datetime"], row["image"]))
        moments = [datetime.strptime(row["exif_datetime"], "%Y:%m:%d %H:%M:%S") for row in rows]  # noqa: DTZ007
        time_s = np.array([(one - moments[0]).total_seconds() for one in moments])
        places = np.array([[float(row["lat"]), float(row["lon"])] for row in rows])
        return cls(folder / "images", folder / "gps.csv", tuple(row["image"] for row in rows), time_s, places)

    @property
    def area(self) -> AreaOfInterest:
        """The box of all places with a margin."""
        (south, west), (north, east) = self.lat_lon_deg.min(axis=0) - _MARGIN_DEG, self.lat_lon_deg.max(axis=0) + _MARGIN_DEG
        return load_aoi(f"{west},{south},{east},{north}")

    def blocks(self) -> Iterator[tuple[IntArray, IntArray]]:
        """Of each block the pictures that are sought, and those that are known: none within 20 s of the block."""
        for rows in np.array_split(np.arange(len(self.names)), BLOCKS):
            first_s, last_s = self.time_s[rows[[0, -1]]]
            yield rows, np.flatnonzero((self.time_s <= first_s - APART_S) | (self.time_s >= last_s + APART_S))

    def some(self, rows: Iterable[int], folder: Path) -> Path:
        """A folder with some of the pictures."""
        folder.mkdir(parents=True)
        for row in rows:
            (folder / self.names[row]).symlink_to((self.folder / self.names[row]).resolve())
        return folder


def run(seed: int = 0) -> dict[str, Any]:
    """Each block by a database of the others, by a checkpoint trained on them, and by the plain nearest neighbour of each picture among them."""
    flight = Flight.read(recordings("caliterra"))
    encoder = build_frame_encoder("vidtag-compact", compiled_folder=compiled_folder())
    errors_m: dict[str, list[FloatArray]] = {"database": [], "trained": [], "nearest_neighbour": [], "nearest_picture": []}
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        features = _features(flight, encoder, work / "features", seed)
        for number, (asked, known) in enumerate(flight.blocks()):
            # Which pictures follow each other is known of those before and of those after the block.
            parts = [part for part in (known[known < asked[0]], known[known > asked[-1]]) if len(part)]
            sources = [
                TrainingSource(flight.some(part.tolist(), work / f"known-{number}-{side}"), flight.track) for side, part in enumerate(parts)
            ]
            sought = flight.some(asked.tolist(), work / f"asked-{number}")
            build(work / f"database-{number}", sources, ReferenceSettings(resolution_m=RESOLUTION_M), aoi=flight.area)
            train(sources, flight.area, work / f"checkpoint-{number}", recipe("default", seed=seed, **SETTINGS))
            for name, path in (("database", work / f"database-{number}"), ("trained", work / f"checkpoint-{number}")):
                errors_m[name].append(_errors_m(load(str(path), "cpu"), sought, flight, asked))
            apart_m = _apart_m(flight, asked, known)
            errors_m["nearest_picture"].append(apart_m.min(axis=1))
            best = (features[asked] @ features[known].T).argmax(axis=1)
            errors_m["nearest_neighbour"].append(apart_m[np.arange(len(asked)), best])
    result: dict[str, Any] = {"pictures": len(flight.names), "blocks": BLOCKS}
    for name, several in errors_m.items():
        of = np.concatenate(several)
        result |= {f"{name}_median_m": round(float(np.median(of)), 1), f"{name}_within_40m": round(float(np.mean(of <= CLOSE_M)), 3)}
    return result


def _errors_m(loaded: Loaded, sought: Path, flight: Flight, asked: IntArray) -> FloatArray:
    """(n,) how far each picture of a block is placed from where it was taken."""
    settings = GeolocateSettings(resolution_m=RESOLUTION_M, rate_hz=None, always_answer=True)
    [found] = geolocate([], flight.area, loaded, settings=settings, images=[sought]).results
    return np.asarray(geodesic_m(found.trajectory.lat_deg, found.trajectory.lon_deg, *flight.lat_lon_deg[asked].T))


def _apart_m(flight: Flight, asked: IntArray, known: IntArray) -> FloatArray:
    """(n, k) metres between pictures."""
    one, other = flight.lat_lon_deg[asked][:, None], flight.lat_lon_deg[known][None]
    lat, lon, lat_too, lon_too = np.broadcast_arrays(one[..., 0], one[..., 1], other[..., 0], other[..., 1])
    return np.asarray(geodesic_m(lat, lon, lat_too, lon_too))


def _features(flight: Flight, encoder: FrameEncoder, folder: Path, seed: int) -> FloatArray:
    """(N, D) of all pictures."""
    store = FeatureStore(folder, encoder, augment="none", views=0, seed=seed, rate_hz=None)
    sequence = store.sequence(TrainingSource(flight.some(range(len(flight.names)), folder / "pictures"), flight.track))
    assert sequence is not None
    return np.asarray(sequence.features[0], dtype=np.float32)
