"""Evaluate a checkpoint on one of the paper's data sets: what it ships, or its networks alone as in the paper (Tables 1, 2, 3, 11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..batch import default_cache_folder
from ..datasets import LEVELS, City, Dataset, LabelledSequence
from ..datasets.base import places_of
from ..datasets.regions import Region, area_of, regions_grid
from ..datasets.training_sequence import TrainingSequence
from ..feedback import Feedback
from ..geodesy import haversine_m
from ..grid import check_size
from ..job import Job
from ..loaded import Loaded
from ..models import PlaceRecognizer
from ..own_areas import searched_area
from ..reference.database import StoredReferences
from ..search import EmbeddedGallery
from ..settings import GeolocateSettings, validated
from ..training.features import FeatureStore, load_sequences
from ..types import FloatArray, FrameState, InputError
from . import metrics
from .comparison import Comparison
from .confidence import SaidOfVideo
from .dataset_report import Answer, DatasetReport, answered_of, confidence_of, ways_of, withheld_of
from .evaluate import accuracy_of
from .methods import NETWORKS, SHIPPED, reading
from .retrieval import place
from .ways import DrivenWays

__all__ = ["AREAS", "DatasetReport", "evaluate_dataset", "levels_percent"]

REGION, ALL = AREAS = ("region", "all")
# Frames that go through a pass over the gallery together: a pass over two million points costs far more than it costs to hold these.
_FRAMES_A_PASS = 200_000
_FEATURES_SHARE = 0.8


@dataclass(frozen=True)
class _Part:
    """Sequences that are sought in one area.

    Args:
        name: of the area.
        regions: that it is of; none: whatever the data set's gallery is of.
        sequences: sought there.
    """

    name: str
    regions: list[Region]
    sequences: list[LabelledSequence]


class _Evaluation:
    """What both ways to answer share.

    Args:
        dataset: opened.
        loaded: as the method reads it.
        says: whether it says how sure to be.
        store: of the frames' features.
        ways: gives how frames lie to what was driven about some sequences; None where that is not known.
        feedback: of the whole.
    """

    def __init__(
        self, dataset: Dataset, loaded: Loaded, says: bool, store: FeatureStore, ways: Callable[[list[LabelledSequence]], DrivenWays] | None,
        cache_dir: Path, feedback: Feedback,
    ) -> None:  # fmt: skip
        self.says = says
        self.dataset, self.loaded, self.store, self.ways, self.cache_dir, self.feedback = dataset, loaded, store, ways, cache_dir, feedback
        self.galleries: dict[str, dict[str, Any]] = {}
        self.notes: list[str] = []

    def decoded(self, parts: Sequence[_Part], settings: GeolocateSettings) -> Iterator[tuple[str, Answer]]:
        """Each sequence's answer as geolocating it ends in; features are held of one sequence at a time."""
        job: Job | None = None
        total = sum(len(part.sequences) for part in parts)
        for part in parts:
            where = searched_area(area_of(part.regions), settings)
            self.galleries[part.name] = where.grid.to_summary()
            job = Job(self.loaded, where.grid, where.aoi, settings, self.cache_dir, self.feedback, total, after=job)
            ways = self.ways(part.sequences) if self.ways else None
            for source in part.sequences:
                for sequence in load_sequences(self.store, [source], job.feedback.part(0.0, 0.75), self.dataset.report):
                    yield source.name, _decoded(job, sequence, ways, says=self.says)
                job.done += 1
            self.notes = job.notes

    def retrieved(self, parts: Sequence[_Part], gallery: str | None, resolution_m: float | None, grid: str) -> Iterator[tuple[str, Answer]]:
        """Each frame at its best point of the gallery, by the networks alone (both retrievals, paper Sec. 3)."""
        model = self.loaded.model
        # The method has networks.
        assert not isinstance(model, PlaceRecognizer)  # nosec B101
        done, total = 0, sum(len(part.sequences) for part in parts)
        for part in parts:
            points = (
                regions_grid(part.regions, resolution_m or self.dataset.paper.resolution_m, grid)
                if part.regions
                else self.dataset.gallery(gallery, resolution_m=resolution_m, grid=grid)
            )
            check_size(points, model.config.embedding_dim)
            self.galleries[part.name] = points.to_summary()
            feedback = self.feedback.part(done / total, (done + len(part.sequences)) / total)
            embedded = EmbeddedGallery(
                model,
                points,
                self.loaded.device,
                weights_sha256=self.loaded.card.sha256,
                cache_dir=self.cache_dir,
                feedback=feedback.part(_FEATURES_SHARE, 1.0),
            )
            ways = self.ways(part.sequences) if self.ways else None
            for some, before in _passes(part.sequences):
                share = before + len(some) / len(part.sequences)
                sequences = load_sequences(
                    self.store, some, feedback.part(_FEATURES_SHARE * before, _FEATURES_SHARE * share), self.dataset.report
                )
                placed = place(model, sequences, embedded, feedback)
                for sequence, predicted, phase1 in zip(sequences, placed.predicted, placed.phase1, strict=True):
                    nothing = np.full(len(predicted), np.nan)
                    one = Comparison(predicted, sequence.lat_lon_deg, phase1, nothing, np.nan, frames=len(predicted))
                    yield sequence.name, Answer(one, ways=ways.frames(sequence.lat_lon_deg) if ways else ())
            done += len(part.sequences)
            self.notes = list(dict.fromkeys([*self.notes, *embedded.notes]))


def evaluate_dataset(
    dataset: Dataset,
    loaded: Loaded,
    split: str = "val",
    *,
    method: str | None = None,
    area: str | None = None,
    gallery: str | None = None,
    resolution_m: float | None = None,
    grid: str | None = None,
    rate_hz: float | None = None,
    feature_folder: Path | None = None,
    cache_dir: Path | None = None,
    radii_km: Sequence[float] = metrics.RADII_KM,
    feedback: Feedback = Feedback(),
) -> DatasetReport:
    """Evaluate a checkpoint on a split of a data set: what it ships, or a part of that.

    A sequence is sought where somebody would who knows its city: in the padded box around the city's *training* data (App. D.1), so that nothing of what is
    sought says where to look. What lies outside it counts as wrong. Broken off, the same call goes on from the features stored so far.

    Args:
        dataset: opened.
        loaded: a checkpoint, a database of reference images, or both, as :func:`.loaded.load` and :func:`.loaded.load_references` give them.
        split: the paper evaluates on ``val``.
        method: of :data:`.methods.METHODS`; None is ``shipped``, or ``networks`` of a data set whose places are cities.
        area: ``region``: each sequence in its own city or cluster, one of none in all of them. ``all``: in all regions at once, as the paper. None is ``region``,
            of ``networks`` ``all``.
        gallery: of ``networks``, as for :meth:`.datasets.Dataset.gallery`.
        resolution_m: step of the grid; None is the paper's.
        grid: ``latlon`` or ``equal-earth``; None is the paper's ``latlon`` of ``networks``, else what ships.
        rate_hz: frames a second of videos; None is the paper's.
        feature_folder, cache_dir: of backbone features and gallery embeddings; None is the user's cache folder.
        radii_km: of a_r.
        feedback: of the whole.

    Raises:
        InputError: bad data, nothing to evaluate, or a checkpoint that lacks what the method reads.
        CancelledError: stopped; features are kept.
    """
    feedback = feedback.saying("Stopped; features are kept, and the same command goes on from there.")
    method, area = _asked(dataset, method, area, gallery)
    read = reading(loaded, method)
    labelled = {sequence.name: sequence for sequence in dataset.sequences(split)}
    store = FeatureStore(
        feature_folder or default_cache_folder().parent / "features" / dataset.name,
        read.encoder,
        augment="none",
        views=0,
        seed=0,
        rate_hz=rate_hz or dataset.paper.rate_hz,
        half=True,
    )
    ways, known_by = _driven(dataset, loaded)
    work = _Evaluation(dataset, read, read is loaded, store, ways, cache_dir or default_cache_folder(), feedback)
    parts, strangers = _sought(dataset, list(labelled.values()), area, whole=method == NETWORKS)
    if method == NETWORKS:
        found = work.retrieved(parts, gallery, resolution_m, grid or "latlon")
    else:
        step = {"resolution_m": resolution_m or dataset.paper.resolution_m, "grid": grid or "equal-earth"}
        found = work.decoded(parts, validated(GeolocateSettings, {**step, "rate_hz": None, "always_answer": True}))
    answers = dict(found)
    if not answers:
        raise InputError(f"No sequence of {dataset.title} ({split}) can be evaluated: {' '.join(dataset.report.lines())}")
    comparisons = {name: one.comparison for name, one in answers.items()}
    feedback.tell(1.0, "done")
    return DatasetReport(
        dataset=dataset.name,
        split=split,
        checkpoint={"name": loaded.card.name, "sha256": loaded.card.sha256}
        | ({"references": loaded.references} if loaded.references else {}),
        method=method,
        area=area,
        gallery=_joined(work.galleries),
        sequences=len(answers),
        accuracy=accuracy_of(list(comparisons.values()), radii_km),
        answered=answered_of(answers, radii_km),
        withheld=withheld_of(answers),
        confidence=confidence_of(list(answers.values())),
        ways=ways_of(answers, radii_km),
        regions=_by_region(comparisons, labelled),
        levels_percent=levels_percent(comparisons, labelled, dataset.cities),
        left_out=dataset.report.to_dict(),
        notes=(*work.notes, *strangers, *known_by, *_notes(dataset, loaded, split)),
    )


def _asked(dataset: Dataset, method: str | None, area: str | None, gallery: str | None) -> tuple[str, str]:
    """The method and where it seeks. Raises InputError for what does not go together."""
    if dataset.cities and method not in {None, NETWORKS}:
        raise InputError(f"{dataset.title} has cities, and no positions along a way: it is evaluated with --method networks.")
    method = method or (NETWORKS if dataset.cities else SHIPPED)
    area = area or (ALL if method == NETWORKS else REGION)
    if area not in AREAS:
        raise InputError(f"There is no area {area!r}: choose one of {', '.join(AREAS)}.")
    if gallery not in {None, "grid"} and (method != NETWORKS or area != ALL):
        raise InputError(f"The gallery {gallery} is a list of places that networks retrieve from: take --method networks and --area all.")
    if dataset.cities and area == REGION:
        raise InputError(f"{dataset.title} asks which city it is: it is searched as a whole, with --area all.")
    return method, area


def _sought(dataset: Dataset, sequences: list[LabelledSequence], area: str, *, whole: bool) -> tuple[list[_Part], list[str]]:
    """Which sequences are sought where, and a note on those of no region; ``whole``: all at once is the data set's own gallery."""
    if area == ALL:
        return [_Part("all", [] if whole else dataset.regions(), sequences)], []
    regions = dataset.regions()
    members: dict[int, list[LabelledSequence]] = {}
    for sequence in sequences:
        number = next((number for number, region in enumerate(regions) if region.has(sequence)), len(regions))
        members.setdefault(number, []).append(sequence)
    parts = [_Part(regions[number].name, [regions[number]], of) for number, of in sorted(members.items()) if number < len(regions)]
    strangers = members.get(len(regions), [])
    if not strangers:
        return parts, []
    note = f"{len(strangers):,} sequences are of no region of the training data (for example {strangers[0].name}): they are sought in all of them."
    return [*parts, _Part("all", regions, strangers)], [note]


def _driven(dataset: Dataset, loaded: Loaded) -> tuple[Callable[[list[LabelledSequence]], DrivenWays] | None, list[str]]:
    """What tells how frames lie to what was driven, and a note on what that is: the reference images, else the drives that the checkpoint was trained on."""
    memory = loaded.model.memory
    if dataset.cities:
        return None, []
    if isinstance(memory, StoredReferences):
        return lambda some: DrivenWays.of_references(memory, places_of(some)), ["Ways are told by the reference images."]
    if loaded.card.metrics.get("dataset") != dataset.name:
        return None, []
    trained = DrivenWays.of_tracks([sequence.lat_lon_deg for sequence in dataset.sequences("train")])
    return lambda _: trained, ["Ways are told by the drives of the training split."]


def _decoded(job: Job, sequence: TrainingSequence, ways: DrivenWays | None, *, says: bool) -> Answer:
    """A sequence's answer by what the frame encoder made of it."""
    frames = [(number, time_s, FrameState.LOCATED) for number, time_s in enumerate(sequence.time_s.tolist())]
    found, _ = job.answer(frames, sequence.seen, sequence.name, sequence.local)
    comparison = Comparison(
        predicted=np.stack([found.lat_deg, found.lon_deg], axis=1),
        truth=sequence.lat_lon_deg,
        phase1=np.stack([found.phase1_lat_deg, found.phase1_lon_deg], axis=1),
        confidence=found.confidence,
        radius_m=found.confidence_radius_m if says else np.nan,
        frames=len(frames),
        rows=np.arange(len(frames)),
    )
    verdict = found.verdict
    return Answer(
        comparison,
        SaidOfVideo.of(found, comparison) if says else None,
        FrameState.LOCATED if verdict is None else verdict.state,
        "" if verdict is None else verdict.why,
        ways.frames(sequence.lat_lon_deg) if ways else (),
    )


def _joined(galleries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What was searched, as one record."""
    if len(galleries) == 1:
        return next(iter(galleries.values()))
    first = next(iter(galleries.values()))
    same = {name: first[name] for name in ("kind", "resolution_m") if name in first}
    return {**same, "count": sum(of["count"] for of in galleries.values()), "areas": galleries}


def _passes(sequences: list[LabelledSequence]) -> Iterator[tuple[list[LabelledSequence], float]]:
    """Sequences in groups of as many frames as go through a pass, with the share that went before."""
    group: list[LabelledSequence] = []
    frames = before = 0
    for number, sequence in enumerate(sequences):
        group.append(sequence)
        frames += len(sequence)
        if frames >= _FRAMES_A_PASS or number + 1 == len(sequences):
            yield group, before / len(sequences)
            group, frames, before = [], 0, number + 1


def levels_percent(comparisons: dict[str, Comparison], labelled: dict[str, LabelledSequence], cities: Sequence[City]) -> dict[str, float]:
    """Per cent of the videos whose city, state, country and continent were right (Table 3); empty without cities.

    A video's prediction is that of App. E.1, its city the one whose centre is nearest. Levels that a data set leaves empty are left out.
    """
    if not cities:
        return {}
    lat, lon = np.array([city.lat_deg for city in cities]), np.array([city.lon_deg for city in cities])
    right: dict[str, list[bool]] = {level: [] for level in LEVELS}
    for name, comparison in comparisons.items():
        truth = labelled[name].labels
        place = metrics.video_prediction(comparison.predicted)
        said = cities[int(np.argmin(haversine_m(np.array(place[0]), np.array(place[1]), lat, lon)))].labels
        for level in LEVELS:
            if truth is not None and getattr(truth, level) != "":
                right[level].append(getattr(said, level) == getattr(truth, level))
    return {level: 100.0 * float(np.mean(values)) for level, values in right.items() if values}


def _by_region(comparisons: dict[str, Comparison], labelled: dict[str, LabelledSequence]) -> dict[str, dict[str, float]]:
    """A few numbers for each region that the data set names."""
    errors: dict[str, list[FloatArray]] = {}
    for name, comparison in comparisons.items():
        if labelled[name].region:
            errors.setdefault(labelled[name].region, []).append(metrics.errors_m(comparison.predicted, comparison.truth))
    result = {}
    for region, parts in sorted(errors.items()):
        error_m = np.concatenate(parts)
        result[region] = {
            "sequences": len(parts),
            "frames": len(error_m),
            "within_1km_percent": metrics.frame_accuracy(error_m, (1.0,))[1.0],
            "median_m": metrics.median_error_m(error_m),
        }
    return result


def _notes(dataset: Dataset, loaded: Loaded, split: str) -> list[str]:
    """Whether the checkpoint may have seen what it is evaluated on."""
    trained = loaded.card.metrics
    if trained.get("dataset") != dataset.name:
        return []
    if split == "train":
        return ["The checkpoint was trained on this split: the numbers say nothing of places or drives it has not seen."]
    if trained.get("split_seed") != dataset.seed:
        return [
            f"The checkpoint was trained with split seed {trained.get('split_seed')}, not {dataset.seed}: it has seen some of these sequences."
        ]
    return []
