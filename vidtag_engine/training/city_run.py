"""Train CityGuessr from what users have: videos with tracks and, if they like, a table of labels; or CityGuessr68k as it lies on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from ..datasets import CityGuessr68k, Dataset, LabelledSequence
from ..datasets.training_sequence import TrainingSequence
from ..feedback import Feedback
from ..models.city_table import CityTable, table_of
from ..models.frame_encoder import FrameEncoder
from ..models.videomae import prepare
from ..outputs import check_files
from ..places import built_up_radius_m, cities_at, city_cells
from ..settings import CityTrainSettings
from ..types import InputError
from ..video import ImageFolder
from .checks import check_output, check_sources
from .city import CityTrainResult, train_city
from .city_data import Chain, LabelledVideo, chain_of, named_by_gazetteer, of_sequence, read_labels, table_from_places, table_from_videos
from .encode_features import FeatureOptions, encoder_for
from .features import FeatureStore, load_sequences
from .sources import pair_sources

_FEATURES_SHARE = 0.8  # of the whole time


def train_city_on_videos(
    videos: Sequence[Path],
    truths: Sequence[Path],
    images: Sequence[Path],
    output: Path,
    settings: CityTrainSettings,
    *,
    labels: Path | None = None,
    feature_folder: Path | None = None,
    tempgeo: str | None = None,
    encoder: FrameEncoder | None = None,
    overwrite: bool = False,
    feedback: Feedback = Feedback(),
    log: Callable[[str, str], None] | None = None,
) -> CityTrainResult:
    """Train on videos whose places are known.

    Args:
        videos, truths, images: as for ``vidtag train``.
        output: checkpoint folder; features and states are kept in it, so that a run that was broken off goes on.
        settings: of the run.
        labels: a table that says the city of each video (see :func:`.city_data.read_labels`); without it the gazetteer does, by where its frames were taken.
        feature_folder: where stored features lie; default ``output/training/features``.
        tempgeo: checkpoint of the VidTAG whose z* is used, for the encoder ``tempgeo``.
        encoder: a built one, else built from the preset.
        overwrite: write into ``output`` also where files of a checkpoint's names there are not this tool's own.
        feedback: of the whole.
        log: called with "warning" and a sentence for what a person should look at.

    Raises:
        InputError: bad sources, labels or settings, each in one sentence.
        CancelledError: stopped; the state is saved.
    """
    if settings.encoder == "videomae-s":
        raise InputError(
            "VideoMAE-S is trained on CityGuessr68k's folders of pictures: give --dataset cityguessr68k, or take --encoder frames here."
        )
    feedback = feedback.saying("Stopped; what was done is kept, and the same command goes on from there.")
    sources = pair_sources(videos, truths, images)
    check_output(output, sources, overwrite=overwrite)
    check_files("train", {"output": output, "overwrite": overwrite, "videos": videos, "truths": [*truths, *([labels] if labels else [])]})
    named = read_labels(labels) if labels else {}
    for note in check_sources(sources):
        if log:
            log("warning", note)
    if labels:
        missing = [source.name for source in sources if source.name not in named]
        if missing:
            raise InputError(f"{labels.name} has no row for {missing[0]}: add one, or leave the video out.")
    folder = feature_folder or output / "training" / "features"
    encoder = encoder or _encoder(settings, feedback)
    store = FeatureStore(folder, encoder, augment="none", views=0, seed=0, rate_hz=settings.rate_hz, half=True)
    sequences = load_sequences(store, sources, feedback.part(0.0, _FEATURES_SHARE))
    if labels:
        found = [of_sequence(sequence, named[source.name]) for source, sequence in zip(sources, sequences, strict=True)]
        table = table_from_videos(found)
    else:
        placed = named_by_gazetteer(sequences)
        if len(placed) < len(sequences) and log:
            log("warning", f"{len(sequences) - len(placed)} videos lie near no town that the gazetteer knows, and are left out.")
        found = [of_sequence(sequence, chain_of(place)) for sequence, place in placed]
        table = table_from_places([place for _, place in placed])
    training, validation = split_cities(found, settings.validation_fraction, settings.seed)
    return train_city(
        training, validation, table, output, settings, tempgeo=tempgeo, overwrite=overwrite, feedback=feedback.part(_FEATURES_SHARE, 1.0)
    )


def train_city_on_dataset(
    dataset: Dataset,
    output: Path,
    settings: CityTrainSettings,
    *,
    feature_folder: Path | None = None,
    tempgeo: str | None = None,
    encoder: FrameEncoder | None = None,
    overwrite: bool = False,
    feedback: Feedback = Feedback(),
) -> CityTrainResult:
    """Train on CityGuessr68k's training split; a part of it is held out, so that the paper's validation split stays unseen until it is evaluated.

    Args:
        dataset: opened; what cannot be read is counted in its report and left out.
        output, settings, feature_folder, tempgeo, encoder, overwrite, feedback: as :func:`train_city_on_videos`.

    Raises:
        InputError, CancelledError: as :func:`train_city_on_videos`.
    """
    feedback = feedback.saying("Stopped; what was done is kept, and the same command goes on from there.")
    check_output(output, [], overwrite=overwrite)
    check_has_cities(dataset)
    if settings.encoder != "videomae-s":
        encoder = encoder or _encoder(settings, feedback)
    folder = feature_folder or output / "training" / "features"
    found, table = labelled_videos(dataset, "train", encoder, folder, settings.rate_hz, feedback.part(0.0, _FEATURES_SHARE))
    training, validation = split_cities(found, min(settings.validation_fraction, 0.05), settings.seed)
    return train_city(
        training, validation, table, output, settings, tempgeo=tempgeo, overwrite=overwrite, feedback=feedback.part(_FEATURES_SHARE, 1.0)
    )


def labelled_videos(
    dataset: Dataset, split: str, encoder: FrameEncoder | None, folder: Path, rate_hz: float | None, feedback: Feedback = Feedback()
) -> tuple[list[LabelledVideo], CityTable]:
    """A split's videos with their names and targets, and the table of the data set's cities.

    Args:
        dataset: opened; what cannot be read is counted in its report and left out.
        split: of it.
        encoder: of their frames; None reads pictures, for VideoMAE-S.
        folder: of stored features.
        rate_hz: frames a second, of videos.
        feedback: of the whole.

    Raises:
        InputError: the data set has no cities, or nothing of the split can be used.
    """
    known = check_has_cities(dataset)
    sequences = known.sequences(split)
    table, chains = dataset_table(known)
    if encoder is None:
        return [_of_pictures(sequence, chains) for sequence in sequences], table
    store = FeatureStore(folder, encoder, augment="none", views=0, seed=0, rate_hz=rate_hz, half=True)
    by_name = {sequence.name: sequence for sequence in sequences}
    stored = load_sequences(store, sequences, feedback, dataset.report)
    return [_of_stored(one, by_name[one.name], chains) for one in stored], table


def check_has_cities(dataset: Dataset) -> CityGuessr68k:
    """The data set, where it names cities. Raises InputError where it does not."""
    if not isinstance(dataset, CityGuessr68k):
        raise InputError(f"{dataset.title} names no cities: take cityguessr68k, or your own videos with --video and --truth.")
    return dataset


def dataset_table(dataset: CityGuessr68k) -> tuple[CityTable, dict[int | str, Chain]]:
    """The cities of CityGuessr68k with its own names and centres, and the names that each city's label stands for.

    A city's outline is the part of the disc which the population of the gazetteer's city there builds up that is nearest to its centre.
    """
    cities = dataset.cities
    names = dataset.names_of_labels()
    chains: dict[int | str, Chain] = {city.labels.city: names[city.labels.city] for city in cities}
    centres = np.array([[city.lat_deg, city.lon_deg] for city in cities])
    radii = np.array([built_up_radius_m((place.population or 0) if place is not None else 0) for place in cities_at(centres)])
    return table_of([chains[city.labels.city] for city in cities], centres, city_cells(centres, radii)), chains


def split_cities(videos: Sequence[LabelledVideo], fraction: float, seed: int) -> tuple[list[LabelledVideo], list[LabelledVideo]]:
    """Hold out a share of each city's videos, whole ones, at least one where a city has three or more; a city's last two are never both held out."""
    by_city: dict[Chain, list[LabelledVideo]] = {}
    for video in videos:
        by_city.setdefault(video.chain, []).append(video)
    rng = np.random.default_rng([seed, 68])
    training: list[LabelledVideo] = []
    validation: list[LabelledVideo] = []
    for chain in sorted(by_city):
        members = by_city[chain]
        wanted = round(fraction * len(members))
        count = min(max(1 if len(members) > 2 and fraction > 0 else 0, wanted), len(members) - 1)
        held = set(rng.permutation(len(members))[:count].tolist())
        for number, video in enumerate(members):
            (validation if number in held else training).append(video)
    return training, validation


def _encoder(settings: CityTrainSettings, feedback: Feedback) -> FrameEncoder:
    return encoder_for(FeatureOptions.of_city_training(settings), feedback)


def _of_stored(stored: TrainingSequence, source: LabelledSequence, chains: dict[int | str, Chain]) -> LabelledVideo:
    assert source.labels is not None  # CityGuessr68k's always are  # nosec B101
    made = of_sequence(stored, chains[source.labels.city], source.scene)
    return LabelledVideo(made.name, made.frames, made.count, made.chain, made.lat_lon_deg, made.scene, source.text)


def _of_pictures(source: LabelledSequence, chains: dict[int | str, Chain]) -> LabelledVideo:
    """A folder of pictures that are read when they are wanted."""
    assert source.labels is not None  # CityGuessr68k's always are  # nosec B101
    paths = tuple(source.paths)
    folder = ImageFolder(paths, (None,) * len(paths), source.time_s, None)

    def read(numbers: Sequence[int]) -> torch.Tensor:
        pictures = [folder.load(number) for number in numbers]
        there = [picture for picture in pictures if picture is not None]
        if not there:
            raise InputError(f"None of the pictures of {source.name} can be read: leave its folder out.")
        # A damaged picture shows the one before it once more.
        whole, last = [], there[0]
        for picture in pictures:
            last = last if picture is None else picture
            whole.append(last)
        return prepare([*whole, *whole[-1:] * (16 - len(whole))])[: len(numbers)]

    return LabelledVideo(source.name, read, len(paths), chains[source.labels.city], source.lat_lon_deg[:1], source.scene, source.text)
