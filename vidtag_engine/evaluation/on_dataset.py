"""Evaluate a checkpoint on one of the paper's data sets: features, both retrievals over one gallery, and the paper's metrics (Tables 1, 2, 3, 11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..batch import default_cache_folder
from ..datasets import LEVELS, City, Dataset, LabelledSequence
from ..datasets.training_sequence import TrainingSequence
from ..feedback import Feedback
from ..geodesy import haversine_m
from ..grid import check_size
from ..models import GeoCLIP, PlaceRecognizer, VidTAG
from ..search import EmbeddedGallery
from ..training.features import FeatureStore, load_sequences
from ..types import FloatArray, InputError
from . import metrics
from .comparison import Comparison
from .evaluate import accuracy_of
from .report import UNKNOWN, Accuracy, accuracy_dict, accuracy_rows, plain_json
from .retrieval import place

if TYPE_CHECKING:
    from rich.table import Table

    from ..geolocation import Loaded

# Frames that go through a pass over the gallery together: a pass over two million points costs far more than it costs to hold these.
_FRAMES_A_PASS = 200_000
_FEATURES_SHARE = 0.8


@dataclass(frozen=True)
class DatasetReport:
    """A checkpoint's metrics on a split of a data set.

    Args:
        dataset, split: names.
        checkpoint: name and digest of the weights.
        gallery: its kind, number of points and digest.
        sequences: evaluated.
        accuracy: over all their frames; there is no confidence here.
        regions: by city or area: sequences, frames, per cent of the frames within 1 km, median error in metres.
        levels_percent: of the videos, whose city, state, country and continent were right (Table 3); empty without such labels.
        left_out: what was left out of the data set: counts and an example by reason.
        notes: what people must know beside the numbers.
    """

    dataset: str
    split: str
    checkpoint: dict[str, str]
    gallery: dict[str, Any]
    sequences: int
    accuracy: Accuracy
    regions: dict[str, dict[str, float]] = field(default_factory=dict)
    levels_percent: dict[str, float] = field(default_factory=dict)
    left_out: dict[str, dict[str, int | str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; NaN becomes None."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        result: dict[str, Any] = plain_json({**values, "accuracy": accuracy_dict(self.accuracy)})
        return result

    def table(self) -> Table:
        """For a terminal: a row a metric."""
        from rich.markup import escape
        from rich.table import Table

        table = Table(title=escape(f"{self.checkpoint['name']} on {self.dataset} ({self.split})"), caption=escape("\n".join(self.lines())))
        table.add_column("metric (VidTAG, App. E)")
        table.add_column(f"{self.sequences:,} sequences", justify="right")
        for name, value in accuracy_rows(self.accuracy):
            if value != UNKNOWN:  # there is no confidence
                table.add_row(name, value)
        for level, percent in self.levels_percent.items():
            table.add_row(f"videos in the right {level}", f"{percent:.1f} %")
        return table

    def lines(self) -> Iterator[str]:
        """The gallery, what was left out, and the notes, a sentence each."""
        yield f"Gallery: {self.gallery['kind']}, {self.gallery['count']:,} points."
        for reason, said in self.left_out.items():
            yield f"Left out: {said['count']:,} {reason} (for example {said['example']})."
        yield from self.notes


def evaluate_dataset(
    dataset: Dataset,
    loaded: Loaded,
    split: str = "val",
    *,
    gallery: str | None = None,
    resolution_m: float | None = None,
    grid: str = "latlon",
    rate_hz: float | None = None,
    feature_folder: Path | None = None,
    cache_dir: Path | None = None,
    radii_km: Sequence[float] = metrics.RADII_KM,
    feedback: Feedback = Feedback(),
) -> DatasetReport:
    """Evaluate a checkpoint on a split of a data set.

    Broken off, the same call goes on from the features stored so far.

    Args:
        dataset: opened.
        loaded: the checkpoint.
        split: the paper evaluates on ``val``.
        gallery, resolution_m, grid: as for :meth:`.datasets.Dataset.gallery`.
        rate_hz: frames a second of videos; None is the paper's.
        feature_folder, cache_dir: of backbone features and gallery embeddings; None is the user's cache folder.
        radii_km: of a_r.
        feedback: of the whole.

    Raises:
        InputError: bad data, or nothing to evaluate.
        CancelledError: stopped; features are kept.
    """
    feedback = feedback.saying("Stopped; features are kept, and the same command goes on from there.")
    model = loaded.model
    if isinstance(model, PlaceRecognizer):
        raise InputError(f"{loaded.card.name} is a database of reference images: data sets are evaluated with a checkpoint.")
    labelled = {sequence.name: sequence for sequence in dataset.sequences(split)}
    points = dataset.gallery(gallery, resolution_m=resolution_m, grid=grid)
    check_size(points, model.config.embedding_dim)
    store = FeatureStore(
        feature_folder or default_cache_folder().parent / "features" / dataset.name,
        loaded.encoder,
        augment="none",
        views=0,
        seed=0,
        rate_hz=rate_hz or dataset.paper.rate_hz,
        half=True,
    )
    embedded = EmbeddedGallery(
        loaded.model,
        points,
        loaded.device,
        weights_sha256=loaded.card.sha256,
        cache_dir=cache_dir or default_cache_folder(),
        feedback=feedback.part(_FEATURES_SHARE, 1.0),
    )
    comparisons: dict[str, Comparison] = {}
    for part, done in _passes(list(labelled.values())):
        steps = feedback.part(_FEATURES_SHARE * done, _FEATURES_SHARE * (done + len(part) / len(labelled)))
        sequences = load_sequences(store, part, steps, dataset.report)
        comparisons |= _comparisons(sequences, embedded, model, feedback)
    if not comparisons:
        raise InputError(f"No sequence of {dataset.title} ({split}) can be evaluated: {' '.join(dataset.report.lines())}")
    return DatasetReport(
        dataset=dataset.name,
        split=split,
        checkpoint={"name": loaded.card.name, "sha256": loaded.card.sha256},
        gallery=points.to_summary(),
        sequences=len(comparisons),
        accuracy=accuracy_of(list(comparisons.values()), radii_km),
        regions=_by_region(comparisons, labelled),
        levels_percent=levels_percent(comparisons, labelled, dataset.cities),
        left_out=dataset.report.to_dict(),
        notes=(*embedded.notes, *_notes(dataset, loaded, split)),
    )


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


def _comparisons(
    sequences: list[TrainingSequence], gallery: EmbeddedGallery, model: VidTAG | GeoCLIP, feedback: Feedback
) -> dict[str, Comparison]:
    """Sequences placed, beside their truth."""
    placed = place(model, sequences, gallery, feedback)
    return {
        sequence.name: Comparison(predicted, sequence.lat_lon_deg, phase1, np.full(len(predicted), np.nan), np.nan, frames=len(predicted))
        for sequence, predicted, phase1 in zip(sequences, placed.predicted, placed.phase1, strict=True)
    }


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
