"""What ``vidtag features`` does: which features a training or evaluation is going to look up, and their encoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cluster import check_installed
from ..datasets import Dataset
from ..feedback import Feedback
from ..guessing import load_cities
from ..models.city_checkpoint import read_city_card
from ..models.frame_encoder import FrameEncoder
from ..settings import GeolocateSettings, validated
from ..store import shard_of
from ..training import recipe
from ..training.city_settings import city_recipe
from ..training.cluster_features import encode_on_cluster
from ..training.encode_features import FeatureOptions, encode_features
from ..training.features import Source
from ..training.sources import pair_sources
from ..types import InputError
from ..warm import Warm

TRAIN, TRAIN_CITY, EVALUATE = READERS = ("train", "train-city", "evaluate")
"""Commands that read features, each of which looks up features of its own."""
_OF_TRAIN_ALONE = ("layout", "local_features", "augment", "views", "seed")
_OF_TRAININGS = ("preset", "recipe", "rate_hz", *_OF_TRAIN_ALONE)
_OPTIONS = {"rate_hz": "--fps"}


@dataclass(frozen=True)
class FeatureSources:
    """What is encoded: videos and folders of images, or a split of a data set.

    Args:
        videos, truths, images, validation: as for ``vidtag train``; truths pair videos with tracks, and are not read.
        dataset: opened; None without.
        split: of the data set; None is "val" for an evaluation, else "train".
    """

    videos: Sequence[Path] = ()
    truths: Sequence[Path] = ()
    images: Sequence[Path] = ()
    validation: Sequence[Path] = ()
    dataset: Dataset | None = None
    split: str | None = None

    def listed(self, reader: str) -> list[Source]:
        """All sources. Raises InputError where they do not go together, there are none, or a video of a folder of truths has no track."""
        own = [*self.videos, *self.truths, *self.images, *self.validation]
        if self.dataset is not None:
            if own:
                raise InputError("--dataset brings its own videos: leave out --video, --truth, --images and --validation.")
            return list(self.dataset.sequences(self.split or ("val" if reader == EVALUATE else "train")))
        if self.split is not None:
            raise InputError("--split is a data set's: leave it out, or give --dataset and --root.")
        if not (self.videos or self.images or self.validation):
            raise InputError("There is nothing to encode: give at least one --video or --images, or --dataset with --root.")
        found: list[Source] = []
        if self.videos or self.images:
            found += pair_sources(self.videos, self.truths, self.images)
        if self.validation:
            found += pair_sources(self.validation, self.validation)
        return found


def run_features(
    output: Path,
    sources: FeatureSources,
    *,
    reader: str = TRAIN,
    checkpoint: str | None = None,
    reference: str | None = None,
    shard: str | None = None,
    cluster: str | None = None,
    device: str = "auto",
    feedback: Feedback = Feedback(),
    **chosen: Any,
) -> dict[str, Any]:
    """Store the features that a command is going to look up in a folder.

    Args:
        output: folder, which the command is then given as its ``--features``.
        sources: what is encoded.
        reader: of :data:`READERS`, the command.
        checkpoint, reference: of an evaluation.
        shard: such as ``3/40``, the third of forty workers; None does everything.
        cluster: address of a Dask scheduler, or "local": workers of a cluster encode; None does it here.
        device: that pictures are encoded on.
        feedback: of the whole.
        chosen: options of the training as it is going to be given them: preset, recipe, rate_hz, layout, local_features, augment, views, seed; what is absent
            is the training's default.

    Returns:
        Of :meth:`.training.encode_features.EncodedFeatures.to_dict`, with ``shard``.

    Raises:
        InputError: options or sources do not go together, weights cannot be had, or nothing can be written.
        CancelledError: stopped; finished sources are kept.
    """
    if reader not in READERS:
        raise InputError(f"There is no command {reader!r} that reads features: give --for one of {', '.join(READERS)}.")
    share = shard_of(shard) if shard else None
    if reader != EVALUATE and (checkpoint or reference):
        raise InputError("A checkpoint and reference images are read by an evaluation: leave them out, or add --for evaluate.")
    if cluster:
        check_installed()
    listed: list[Source] | None = None
    if reader == EVALUATE:
        dataset = _evaluated(sources, checkpoint, reference, chosen)
        listed = sources.listed(reader)  # before the checkpoint, which may be large
        options, encoder = _of_evaluation(dataset, checkpoint, reference, device, feedback)
    else:
        options, encoder = _of_training(reader, device, chosen), None
    listed = listed or sources.listed(reader)
    if cluster:
        done = encode_on_cluster(listed, options, output, cluster, shard=share, feedback=feedback)
    else:
        done = encode_features(listed, options, output, shard=share, encoder=encoder, feedback=feedback)
    return {**done.to_dict(), "shard": shard}


def _of_training(reader: str, device: str, chosen: dict[str, Any]) -> FeatureOptions:
    """Those that a training with these options looks up."""
    name, changes = chosen.get("recipe", "default"), {key: value for key, value in chosen.items() if key != "recipe"}
    if reader == TRAIN:
        return FeatureOptions.of_training(recipe(name, **{"rate_hz": 1.0, **changes, "device": device}))
    if foreign := [key for key in _OF_TRAIN_ALONE if key in changes]:
        raise InputError(f"Cities are told from plain features of whole pictures: leave out {_named(foreign)}, or --for train-city.")
    return FeatureOptions.of_city_training(city_recipe(name, **changes, device=device, encoder="frames"))


def _evaluated(sources: FeatureSources, checkpoint: str | None, reference: str | None, chosen: dict[str, Any]) -> Dataset:
    """The data set of an evaluation. Raises InputError for what does not go together."""
    if sources.dataset is None or not (checkpoint or reference):
        raise InputError(
            "An evaluation reads features of a data set, as a checkpoint wants them: give --dataset, --root, and --checkpoint or --reference."
        )
    if foreign := [key for key in _OF_TRAININGS if key in chosen]:
        raise InputError(f"The checkpoint says how it is evaluated: leave out {_named(foreign)}.")
    return sources.dataset


def _of_evaluation(
    dataset: Dataset, checkpoint: str | None, reference: str | None, device: str, feedback: Feedback
) -> tuple[FeatureOptions, FrameEncoder]:
    """Those that ``vidtag evaluate --dataset`` looks up, and the checkpoint's encoder."""
    if checkpoint and read_city_card(checkpoint) is not None:
        cities = load_cities(checkpoint, device, feedback)
        if cities.encoder is None:
            raise InputError(f"{checkpoint} looks at the pictures themselves, and reads no features: evaluate it without --features.")
        return FeatureOptions(cities.guesser.net.config.frame_encoder, rate_hz=cities.card.rate_hz, device=device), cities.encoder
    loaded = Warm().chosen(checkpoint or "geoclip", validated(GeolocateSettings, {"device": device, "reference": reference}), feedback)
    encoder = loaded.encoder
    if encoder.local is not None:
        encoder.local.open()
    kind = encoder.local.kind if encoder.local is not None else "none"
    options = FeatureOptions(
        loaded.card.preset, layout=bool(encoder.layout_dim), local_features=kind, rate_hz=dataset.paper.rate_hz, device=device
    )
    return options, encoder


def _named(keys: Sequence[str]) -> str:
    """Options by the names of settings, as people write them."""
    *first, last = [_OPTIONS.get(key, f"--{key.replace('_', '-')}") for key in keys]
    return f"{', '.join(first)} and {last}" if first else last
