"""What ships and each of its parts, on rendered simulated isles: how often frames are placed, by how they lie to the training drives, over several trainings."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import shapely
import torch
from numpy.typing import NDArray

from vidtag_engine.cli.terminal import progress_bar
from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.evaluation.methods import NETWORKS_DECODED, REFERENCES, reading
from vidtag_engine.evaluation.ways import NEVER_DRIVEN, OTHER_WAY, SAME_WAY, DrivenWays
from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.grid import AreaOfInterest, join_areas, load_aoi, make_grid
from vidtag_engine.job import Job
from vidtag_engine.loaded import Loaded, load
from vidtag_engine.models.checkpoint_references import PREFIX
from vidtag_engine.models.reference_database import ReferenceDatabase
from vidtag_engine.models.vidtag import VidTAG
from vidtag_engine.reference.database import StoredReferences
from vidtag_engine.reference.similarity import NEIGHBOURS
from vidtag_engine.reference.store import Store
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.training import TrainingSource
from vidtag_engine.training.features import FeatureStore, load_sequences
from vidtag_engine.training.kept_references import keep
from vidtag_engine.types import FloatArray, InputError, IntArray, ProgressCallback
from vidtag_engine.video import read_track

from .code_digest import code_digest
from .counting import debiased_ece, paired_difference
from .isles_settings import TRAINING_SEEDS
from .reference_isles import RESOLUTION_M, calibrated, database_of, sources_of, trained

TITLE = "Frames placed by what ships and by each of its parts, by how they lie to the training drives (simulated isles)"
CLOSE_M, NEAR_M = 500.0, 50.0
SURE = 0.8
# What is kept is of the code that made it.
_CODE = code_digest("vidtag_engine", "benchmarks/recognition.py", "benchmarks/reference_isles.py")
DATABASE = "database"
# What is left out or added, each calibrated anew on the validation drives; "shipped" is as the training left it.
ROWS = ("shipped", "one_way", "either_way", "reranked", "cosines", "sequences", "sequences_either_way", "networks", "references", DATABASE)
_GAINS = (
    ("one_way", "either_way"),
    ("cosines", "either_way"),
    ("one_way", "sequences"),
    ("sequences", "sequences_either_way"),
    ("networks", "either_way"),
    ("references", "either_way"),
    ("either_way", "reranked"),
    ("references", "shipped"),
    ("networks", "shipped"),
)


@dataclass(frozen=True)
class Placed:
    """Of frames (N,): how far off, what was said, how they lie to training, their drive and training; and milliseconds a frame.

    Said is the chance of half a kilometre, and a 90 % region, which covers the truth or not. The time is that of everything after the frame encoder.
    """

    error_m: FloatArray
    chance: FloatArray
    covered: NDArray[np.bool_]
    way: NDArray[np.str_]
    drive: IntArray
    training: IntArray
    frame_ms: FloatArray

    @classmethod
    def joined(cls, several: Sequence[Placed]) -> Placed:
        """Those of several trainings, numbered."""
        whole = {one.name: np.concatenate([getattr(of, one.name) for of in several]) for one in fields(cls)}
        return cls(**whole | {"training": np.repeat(np.arange(len(several)), [len(of.error_m) for of in several])})


@dataclass(frozen=True)
class World:
    """A rendered world: its folder, drives, isles, all of them as one area, and where its training drives went."""

    folder: Path
    made: list[dict[str, Any]]
    areas: dict[str, AreaOfInterest]
    whole: AreaOfInterest
    ridden: DrivenWays

    @classmethod
    def opened(cls, folder: Path) -> World:
        """Of a folder that ``python -m simulator make-world`` made."""
        if not (folder / "world.json").is_file():
            raise InputError(
                f"{folder} holds no rendered world: make one with 'python -m simulator make-world --size cities --layouts videos'."
            )
        made = json.loads((folder / "world.json").read_text(encoding="utf-8"))["drives"]
        isles = json.loads((folder / "aoi.geojson").read_text(encoding="utf-8"))["features"]
        areas = {one["properties"]["name"]: load_aoi(one) for one in isles}
        tracks = [track for one in sources_of(folder, made, "train") if one.truth and (track := read_track(one.truth))]
        ridden = DrivenWays.of_tracks([np.stack([track.lat_deg, track.lon_deg], axis=1) for track in tracks])
        return cls(folder, made, areas, join_areas(None, areas), ridden)

    def sequences(self, loaded: Loaded, *splits: str) -> tuple[list[dict[str, Any]], list[TrainingSequence]]:
        """Drives of some splits, and their frames' stored features."""
        rows = [row for row in self.made if row["split"] in splits]
        store = FeatureStore(self.folder / "features", loaded.encoder, augment="none", views=0, seed=0, rate_hz=None, half=True)
        return rows, load_sequences(
            store, [TrainingSource(self.folder / row["video"], self.folder / row["truth"], "video") for row in rows]
        )


def run(seed: int = 0, world: Path | None = None, rows: str | None = None, seeds: int = len(TRAINING_SEEDS)) -> dict[str, Any]:
    """Every row over all trainings; what is done is kept in the world's folder, and a run that was broken off goes on while the code is the same.

    Args:
        seed: not used: the world has its own, and trainings are numbered.
        world: a rendered one.
        rows: some of ``ROWS``, with commas.
        seeds: trainings.
    """
    del seed
    if world is None:
        raise InputError("Give a rendered world: --world DIR, as 'python -m simulator make-world --size cities --layouts videos' makes it.")
    chosen = tuple(rows.split(",")) if rows else ROWS
    if foreign := set(chosen) - set(ROWS):
        raise InputError(f"There is no row {min(foreign)!r}: choose of {', '.join(ROWS)}.")
    of = World.opened(world)
    with progress_bar() as bar:
        found = {row: Placed.joined([_row(of, row, number, bar) for number in range(1 if row == DATABASE else seeds)]) for row in chosen}
    return {"simulated": True, "trainings": seeds, "training_drives": sum(row["split"] == "train" for row in of.made)} | figures(found)


def figures(found: dict[str, Placed]) -> dict[str, Any]:
    """By row and split the figures that ship, in per cent of the frames, and gains of one row over another on the same frames.

    They are: within half a kilometre, within 50 m, of those said with 80 % and more how many are wrong, truths in their 90 % regions; and of each row ECE.
    """
    result: dict[str, Any] = {}
    for row, of in found.items():
        close = of.error_m <= CLOSE_M
        for way in (SAME_WAY, OTHER_WAY, NEVER_DRIVEN, None):
            here = of.way == way if way else np.ones(len(close), dtype=bool)
            word = f"{row}_{way or 'all'}"
            result[f"{word}_frames"] = int(here.sum())
            result[f"{word}_a05km"] = _percent(close[here])
            result[f"{word}_within_50m"] = _percent(of.error_m[here] <= NEAR_M)
            sure = here & (of.chance >= SURE)
            result[f"{word}_said80"] = int(sure.sum())
            result[f"{word}_said80_wrong"] = _percent(~close[sure])
            result[f"{word}_coverage_90"] = _percent(of.covered[here])
        result[f"{row}_ece"] = round(debiased_ece(of.chance, close), 3) if np.isfinite(of.chance).any() else None
        result[f"{row}_ms_a_frame"] = round(float(of.frame_ms.mean()), 1)
    for before, after in _GAINS:
        if before in found and after in found:
            one, other = found[before], found[after]
            for way in (SAME_WAY, OTHER_WAY, NEVER_DRIVEN, None):
                here = one.way == way if way else np.ones(len(one.way), dtype=bool)
                if here.any():
                    for within_m, suffix in ((CLOSE_M, ""), (NEAR_M, "_within_50m")):
                        gain = paired_difference(
                            one.error_m[here] <= within_m, other.error_m[here] <= within_m, one.drive[here], one.training[here]
                        )
                        result[f"{after}_over_{before}_{way or 'all'}{suffix}"] = [
                            round(100.0 * side, 1) for side in (gain.mean, gain.low, gain.high)
                        ]
    return result


def _percent(right: NDArray[np.bool_]) -> float | None:
    return round(100.0 * float(right.mean()), 1) if len(right) else None


def _row(world: World, row: str, number: int, told: ProgressCallback) -> Placed:
    """One row of one training, made once."""
    file = world.folder / "recognition" / f"{row}-{number}-{_CODE}.npz"
    if not file.is_file():
        placed = _placed(world, _read(world, row, number, told))
        file.parent.mkdir(exist_ok=True)
        part = file.with_suffix(".part.npz")
        np.savez_compressed(part, **asdict(placed))
        part.replace(file)
    with np.load(file) as kept:
        return Placed(**{one.name: kept[one.name] for one in fields(Placed)})


def _read(world: World, row: str, number: int, told: ProgressCallback) -> Loaded:
    """What a row answers with."""
    learnt = {split: sources_of(world.folder, world.made, split) for split in ("train", "val")}
    if row == DATABASE:
        return load(str(database_of(world.folder, learnt["train"], world.whole, told)))
    loaded = trained(world.folder / "streets" / f"vidtag-{number}", learnt, world.whole, number, world.folder, told)
    if row == "reranked":
        loaded = _with_details(world, loaded, number)
    _, held = world.sequences(loaded, "val")

    def fitted(of: Loaded, **options: bool) -> Loaded:
        """With its confidence fitted on the validation drives."""
        return calibrated(of, held, world.whole, NEIGHBOURS, **options)

    ways: dict[str, Callable[[], Loaded]] = {
        "shipped": lambda: loaded,
        "one_way": lambda: fitted(loaded),
        "either_way": lambda: fitted(loaded, either_way=True),
        "reranked": lambda: fitted(loaded, either_way=True),
        "cosines": lambda: fitted(loaded, either_way=True, likelihood_ratios=False),
        "sequences": lambda: fitted(loaded, in_sequence=True),
        "sequences_either_way": lambda: fitted(loaded, in_sequence=True, either_way=True),
        "networks": lambda: fitted(replace(reading(loaded, NETWORKS_DECODED), calibration=loaded.calibration)),
        "references": lambda: _of_no_novelty(fitted(replace(reading(loaded, REFERENCES), calibration=loaded.calibration), either_way=True)),
    }
    return ways[row]()


def _with_details(world: World, loaded: Loaded, number: int) -> Loaded:
    """The same checkpoint as a training with local features leaves it, without training it again: its images are those of its training, with their details."""
    assert isinstance(loaded.model, VidTAG)
    assert isinstance(loaded.model.memory, StoredReferences)
    seeing = replace(loaded, encoder=loaded.encoder.with_local("xfeat"))
    folder = world.folder / "recognition" / f"details-{number}-{_CODE}"
    kept = [one.name for one in folder.glob(f"{PREFIX}*")]
    if not kept:
        _, training = world.sequences(seeing, "train")
        videos = [(torch.from_numpy(one.seen), torch.from_numpy(one.lat_lon_deg)) for one in training]
        whitening = cast(Sequence[torch.nn.Linear], list(loaded.model.memory.cpu().whitening))
        memory = ReferenceDatabase.remembering(whitening, videos, [one.local for one in training])
        kept = [keep(folder, memory, training, loaded.model.config.frame_encoder, RESOLUTION_M, "xfeat").folder]
    model = copy.copy(loaded.model)
    model._modules = dict(model._modules)  # noqa: SLF001
    model.remember(StoredReferences(Store.open(folder / kept[0])))
    return replace(seeing, model=model)


def _of_no_novelty(loaded: Loaded) -> Loaded:
    """The same with no novelty, which is of the networks' features, where references are asked by descriptors."""
    path = loaded.calibration.path
    return replace(loaded, calibration=replace(loaded.calibration, novelty=None, path=replace(path, novelty=None) if path else None))


def _placed(world: World, loaded: Loaded) -> Placed:
    """All frames of all test drives, each sought on its isle."""
    settings = GeolocateSettings(resolution_m=RESOLUTION_M, rate_hz=None, always_answer=True, confidence_radius_m=CLOSE_M)
    rows, sequences = world.sequences(loaded, "test", "test_unseen")
    jobs: dict[str, Job] = {}
    found: list[Placed] = []
    for number, (row, sequence) in enumerate(zip(rows, sequences, strict=True)):
        area = world.areas[row["isle"]]
        if row["isle"] not in jobs:
            jobs[row["isle"]] = Job(loaded, make_grid(area, RESOLUTION_M), area, settings, world.folder / "cache", Feedback(), 1)
            jobs[row["isle"]].area_search.prepare()
        since = time.perf_counter()
        *_, solved, _ = jobs[row["isle"]].search(
            torch.from_numpy(np.asarray(sequence.seen, dtype=np.float32)), sequence.time_s, sequence.local
        )
        frame_ms = 1000.0 * (time.perf_counter() - since) / len(sequence)
        # Videos are decoded where the area has a cover, which isles have.
        assert solved is not None
        error_m = haversine_m(solved.final.lat_deg[:, 0], solved.final.lon_deg[:, 0], *sequence.lat_lon_deg.T)
        every = np.zeros(len(sequence), dtype=np.int64)
        way = np.array(world.ridden.frames(sequence.lat_lon_deg))
        lat, lon = sequence.lat_lon_deg.T
        covered = shapely.contains_xy(np.array(solved.hypotheses.region90, dtype=object), lon, lat)
        found.append(Placed(error_m, solved.confidence, covered, way, every + number, every, np.full(len(sequence), frame_ms)))
    return replace(Placed.joined(found), training=np.zeros(sum(len(one.error_m) for one in found), dtype=np.int64))
