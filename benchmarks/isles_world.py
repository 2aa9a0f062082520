"""The simulated isles as the benchmarks see them: drives with stored features and truth, areas to search, labels."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from simulator.towns.config import CALIBRATION_FRAMES
from vidtag_engine.datasets import LEVELS, City, PlaceLabels
from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import centroid_deg, haversine_m
from vidtag_engine.grid import AreaOfInterest, Grid, join_grids, load_aoi, make_grid, points_grid
from vidtag_engine.models.backbones import BACKBONES, LAYOUT
from vidtag_engine.models.frame_encoder import FrameEncoder
from vidtag_engine.training import TrainingSource
from vidtag_engine.training.features import FeatureStore, load_sequences
from vidtag_engine.types import FloatArray, InputError, IntArray, ProgressCallback

ROOT = Path(__file__).resolve().parent.parent
WORLDS = ROOT / "build" / "benchmarks" / "isles"
RUNS = ROOT / "build" / "benchmarks" / "tables"  # trainings and placements of the isles benchmark and the tables
BACKBONE_NAMES = ("efficientnet-lite0", "efficientnet-lite2")
SWAPPED_NAMES = ("efficientnet-lite0", "efficientnet-lite1")  # another second encoder (Table 6)
TEST_SPLITS = ("test", "test_unseen")
# Around places whose area nobody names (App. D.1's padding).
_PADDING_DEG = 0.01
_CALIBRATION = "calibration.json"
# ISNs have a network each for indoors, nature and outdoors made by people; nobody drives indoors, and main roads look alike everywhere.
_NATURE = {"coast_road", "forest_road", "field_road", "park", "hill_road", "tundra"}
_ROADS = {"highway", "crossroads"}


@dataclass(frozen=True)
class Drive:
    """One drive.

    Args:
        sequence: its features (1, T, D) and truth (T, 2).
        split: ``train``, ``val``, ``test``, ``test_unseen`` or ``calibration`` (held out, and seen by no training).
        isle: where it is.
        labels: its city and what that lies in.
        scene: (16,) soft scene labels, or None.
    """

    sequence: TrainingSequence
    split: str
    isle: str
    labels: PlaceLabels
    scene: FloatArray | None = None


@dataclass(frozen=True)
class IslesWorld:
    """Everything that a benchmark reads of a world.

    Args:
        digest: of the world and its features; other content has another.
        drives: of all splits.
        areas: to search, by isle.
        backbones: whose features are concatenated, in order, with their widths.
        scenes: names of the 16 scene labels.
    """

    digest: str
    drives: tuple[Drive, ...]
    areas: dict[str, AreaOfInterest]
    backbones: tuple[tuple[str, int], ...] = tuple((name, BACKBONES[name].feature_dim) for name in BACKBONE_NAMES)
    scenes: tuple[str, ...] = ()

    @property
    def scene_groups(self) -> tuple[tuple[int, ...], ...]:
        """Numbers of the scenes that go together: built-up, nature, main roads."""
        kinds = [1 if name in _NATURE else 2 if name in _ROADS else 0 for name in self.scenes]
        groups = (tuple(number for number, kind in enumerate(kinds) if kind == group) for group in range(3))
        return tuple(group for group in groups if group)

    @property
    def isles(self) -> list[str]:
        """Names, sorted."""
        return sorted(self.areas)

    def of(self, *splits: str, isle: str | None = None) -> list[Drive]:
        """The drives of splits, of one isle or of all."""
        return [drive for drive in self.drives if drive.split in splits and isle in {None, drive.isle}]

    def grid(self, resolution_m: float, isle: str | None = None) -> Grid:
        """An Equal Earth grid over an isle, or those of all isles as one gallery."""
        return join_grids([make_grid(self.areas[name], resolution_m) for name in self.isles if isle in {None, name}])

    def cities(self, isle: str | None = None) -> tuple[City, ...]:
        """The cities of the training drives, sorted; a city's centre is the centroid of its training places."""
        places: dict[PlaceLabels, list[FloatArray]] = {}
        for drive in self.of("train", isle=isle):
            places.setdefault(drive.labels, []).append(drive.sequence.lat_lon_deg)
        found = []
        for labels in sorted(places, key=repr):
            lat, lon = np.concatenate(places[labels]).T
            found.append(City(labels, *centroid_deg(lat, lon)))
        return tuple(found)

    def with_backbones(self, names: Sequence[str]) -> IslesWorld:
        """The same world seen through some of its backbones: their columns, normalised anew."""
        if tuple(names) == tuple(name for name, _ in self.backbones):
            return self
        starts = np.cumsum([0, *(width for _, width in self.backbones)])
        columns = [np.arange(start, start + width) for start, (name, width) in zip(starts, self.backbones, strict=False) if name in names]
        if len(columns) != len(names):
            raise InputError(
                f"Of the backbones {', '.join(names)} the world has features of {', '.join(n for n, _ in self.backbones)} only."
            )
        kept = np.concatenate(columns)
        drives = tuple(replace(drive, sequence=_with_columns(drive.sequence, kept)) for drive in self.drives)
        return replace(self, drives=drives, backbones=tuple((n, w) for n, w in self.backbones if n in names))


def _with_columns(sequence: TrainingSequence, columns: IntArray) -> TrainingSequence:
    part = np.asarray(sequence.features, dtype=np.float32)[..., columns]
    return replace(sequence, features=part / np.linalg.norm(part, axis=-1, keepdims=True))


def sequences_of(drives: Sequence[Drive]) -> list[TrainingSequence]:
    """Their features and truth."""
    return [drive.sequence for drive in drives]


def city_number(points: FloatArray, cities: Sequence[City]) -> IntArray:
    """Number of the city whose centre is nearest to each point, (N, 2) to (N,)."""
    lat, lon = (np.array([getattr(city, name) for city in cities]) for name in ("lat_deg", "lon_deg"))
    numbers: IntArray = haversine_m(points[:, :1], points[:, 1:], lat[None], lon[None]).argmin(axis=1)
    return numbers


def centres_grid(cities: Sequence[City]) -> Grid:
    """City centres as a gallery (paper 5.3)."""
    return points_grid(np.array([[city.lat_deg, city.lon_deg] for city in cities]))


def world_folder(seed: str, size: str) -> Path:
    """Where a world lies that the benchmarks made themselves."""
    return WORLDS / f"{size}-{seed}"


def make_world(folder: Path, seed: str, size: str) -> None:
    """Render the world of a seed if it is not there yet, and for full ones more drives to fit confidence on; a broken-off run goes on."""
    command = [sys.executable, "-m", "simulator"]
    if not (folder / "world.json").is_file():
        made = [*command, "make-world", "--output", str(folder), "--seed", seed, "--size", size, "--layouts", "videos"]
        subprocess.run(made, check=True, cwd=ROOT)
    if size == "full" and calibration_frames(folder) < CALIBRATION_FRAMES:
        subprocess.run([*command, "make-calibration", "--world", str(folder)], check=True, cwd=ROOT)


def calibration_frames(folder: Path) -> int:
    """How many pictures of further held-out drives a world was asked for; 0 where it has none."""
    listed = folder / _CALIBRATION
    return int(json.loads(listed.read_text(encoding="utf-8"))["calibration_frames"]) if listed.is_file() else 0


def load_world(folder: Path, encoder: FrameEncoder, progress: ProgressCallback | None = None, *, calibration: bool = False) -> IslesWorld:
    """Read a rendered world; features are computed once and stored in ``folder/features``.

    Args:
        folder: with ``world.json`` and ``aoi.geojson``; videos and tracks below.
        encoder: whose features are wanted.
        progress: over all drives.
        calibration: with the drives of ``calibration.json``, if it is there, as a split of that name.
    """
    manifest = folder / "world.json"
    if not manifest.is_file():
        raise InputError(f"There is no world in {folder}: make it with 'python -m simulator make-world --output {folder}'.")
    text = manifest.read_text(encoding="utf-8")
    made = json.loads(text)
    rows = [row for row in made["drives"] if row["split"] in {"train", "val", *TEST_SPLITS}]
    if calibration and (folder / _CALIBRATION).is_file():
        rows += json.loads((folder / _CALIBRATION).read_text(encoding="utf-8"))["drives"]
    store = FeatureStore(folder / "features", encoder, augment="none", views=0, seed=0, rate_hz=None)
    sources = [TrainingSource(folder / row["video"], folder / row["truth"], "video") for row in rows]
    sequences = load_sequences(store, sources, Feedback(progress))
    drives = tuple(_drive(row, sequence) for row, sequence in zip(rows, sequences, strict=True))
    names = tuple((name.removesuffix(LAYOUT), BACKBONES[name].feature_dim) for name in encoder.backbone_names)
    digest = hashlib.sha256(json.dumps([text, names]).encode()).hexdigest()
    return IslesWorld(digest, drives, _areas(folder / "aoi.geojson"), names, tuple(made["scenes"]))


def _drive(row: dict[str, Any], sequence: TrainingSequence) -> Drive:
    labels = PlaceLabels(*(row[level] for level in LEVELS))
    return Drive(replace(sequence, name=row["name"]), row["split"], row["isle"], labels, np.asarray(row["scenes"], dtype=np.float64))


def _areas(path: Path) -> dict[str, AreaOfInterest]:
    """Each isle's area, a feature under its name."""
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    return {feature["properties"]["name"]: load_aoi(feature) for feature in features}


def box_around(places: FloatArray) -> AreaOfInterest:
    """The box of places (N, 2) with App. D.1's padding; it may cross ±180°."""
    _, middle = centroid_deg(places[:, 0], places[:, 1])
    from_middle = (places[:, 1] - middle + 180.0) % 360.0 - 180.0
    south, north = places[:, 0].min() - _PADDING_DEG, places[:, 0].max() + _PADDING_DEG
    west, east = middle + from_middle.min() - _PADDING_DEG, middle + from_middle.max() + _PADDING_DEG
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return load_aoi({"type": "Polygon", "coordinates": [ring]})
