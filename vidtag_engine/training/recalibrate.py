"""A checkpoint calibrated on further videos whose track is known, without training: it learns how sure to be, and when to withhold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..calibration.calibrate import calibrate_path
from ..datasets.training_sequence import TrainingSequence
from ..feedback import Feedback
from ..grid import AreaOfInterest, area_without_aoi, make_grid
from ..loaded import Loaded, load_references
from ..models.checkpoint import CheckpointCard, save_pretrained, stored_in_half
from ..models.checkpoint_references import copied
from ..models.reference_database import ReferenceDatabase
from ..models.vidtag import VidTAG
from ..reference.database import StoredReferences
from ..reference.store import Store
from ..trajectory import LEAST_VIDEOS, Calibration, DatabaseWeight, TrainingGround
from ..types import FloatArray, InputError
from .features import FeatureStore, Source, load_sequences
from .reference_build import key_of

_MOST_POINTS = 60_000  # of the cover
_REACH_STEPS = 10.0  # of the training's resolution, where nothing says how far a place speaks


def recalibrate(
    loaded: Loaded,
    sources: Sequence[Source],
    output: Path,
    *,
    aoi: AreaOfInterest | None = None,
    reference: str | None = None,
    truth_offset_s: float | str | None = None,
    overwrite: bool = False,
    feedback: Feedback = Feedback(),
) -> CheckpointCard:
    """Fit confidence, regions and when to withhold, and write the checkpoint with them; its weights stay as they are.

    With a database of reference images, how much what it says weighs beside the location encoder is fitted, too. What the checkpoint says by itself stays.

    Args:
        loaded: the checkpoint.
        sources: at least eight videos or image folders with their truth that it was not trained on. Of the reference images that it keeps, those of the same
            video and track are not read for it.
        output: folder, or a file that ends in .safetensors; may be the checkpoint's own. Features are kept in a folder ``calibration`` there, or beside the
            file, so that a run that was broken off goes on.
        aoi: that videos are decoded over while it is fitted; None is the checkpoint's training extent, or where the database has images.
        reference: a database's folder, read in place of the checkpoint's own reference images; it stays where it is. Videos that are in it are left out in turn.
        truth_offset_s: added to the truths' clocks, as for training.
        overwrite: replace files of a checkpoint's names that are not this tool's own.
        feedback: of the whole.

    Raises:
        InputError: too few videos, a checkpoint that cannot be calibrated so, or none that says where it was trained.
        CancelledError: stopped; the features are kept.
    """
    feedback = feedback.saying("Stopped; features are kept, and the same command goes on from there.")
    model, card = loaded.model, loaded.card
    if not isinstance(model, VidTAG):
        raise InputError(
            f"{card.name} was trained by others on the whole world and cannot be calibrated for an area: train a checkpoint with 'vidtag train'."
        )
    if len(sources) < LEAST_VIDEOS:
        raise InputError(
            f"{len(sources)} videos cannot calibrate a checkpoint: give at least {LEAST_VIDEOS} with their tracks that it was not trained on."
        )
    read = load_references(reference, str(loaded.device), feedback, loaded) if reference else loaded
    assert isinstance(read.model, VidTAG)  # a checkpoint reads references, or none  # nosec B101
    memory = read.model.memory
    beside = memory.store if reference and isinstance(memory, StoredReferences) else None
    ground = read.calibration.ground or _ground_of(loaded, model)
    area = aoi or (area_without_aoi(beside.extent_deg) if beside else area_without_aoi(card.training_extent))
    grid = make_grid(area, max(float(card.metrics.get("resolution_m", 100.0)), math.sqrt(area.area_m2 / _MOST_POINTS) * 1.02))
    points, spacing_m = np.concatenate(list(grid.chunks())), math.sqrt(grid.area_m2 / grid.count)
    known = ground.knows(points, spacing_m)
    if not known.any():
        raise InputError("The checkpoint knows nothing of that area: give the area that it was trained for, or none.")

    store = FeatureStore(
        (output.parent if output.suffix == ".safetensors" else output) / "calibration",
        # Features are made with what tells details wherever the references have that: whether it helps is fitted.
        read.encoder.with_local(memory.store.manifest.local_features if isinstance(memory, StoredReferences) else ""),
        augment="none",
        views=0,
        seed=0,
        rate_hz=card.metrics.get("rate_hz", 1.0),
        truth_offset_s=truth_offset_s,
    )
    copied(model.memory, card.references, store.folder.parent)  # first: where that cannot be, hours of work would be lost
    videos = load_sequences(store, sources, feedback.part(0.0, 0.5))
    if not any(ground.knows(one.lat_lon_deg).any() for one in videos):
        raise InputError("None of the videos was taken where the checkpoint was trained: give videos of its own area.")
    of = read.calibration
    # References are compared as the checkpoint was calibrated to; one that never was, as a training would have it. What they say
    # is read as likelihood ratios in any case.
    reading = (of.path.database_weight if of.path else None) or DatabaseWeight(
        1.0, ground.reach_m, either_way=bool(memory and memory.layout_dim)
    )
    own = _own(memory.store, sources, videos) if isinstance(memory, StoredReferences) else None
    with torch.inference_mode():
        path = calibrate_path(
            read.model, points[known], spacing_m, videos, videos, temperature=of.temperature, reach_m=beside.reach_m if beside else ground.reach_m,
            places=ground.lat_lon_deg, novelty=(of.path.novelty if of.path else None) or of.novelty, own=own, either_way=reading.either_way,
            sectors=reading.sectors, in_sequence=reading.sequence_mps is not None, feedback=feedback.part(0.5, 1.0),
        )  # fmt: skip
    fitted = replace(of, path=path, ground=ground, videos=path.videos, n_frames=max(1, sum(map(len, videos))), beside=False)
    new = replace(card, created_utc="", **_card_with(card, fitted, beside, model))
    half = stored_in_half(model, card)
    return save_pretrained(model, output, new, half=half, overwrite=overwrite)


def _card_with(card: CheckpointCard, fitted: Calibration, beside: Store | None, model: VidTAG) -> dict[str, Any]:
    """What changes of a card: its own calibration, or that with a database."""
    references = card.references
    if beside is not None:
        more = {beside.content: fitted.to_dict()}
        named = {beside.content: tuple(beside.attribution())}
        return {
            "references": replace(
                references, beside={**references.beside, **more}, beside_attribution={**references.beside_attribution, **named}
            )
        }
    if isinstance(model.memory, StoredReferences):
        references = replace(references, content=model.memory.store.content, attribution=tuple(model.memory.store.attribution()))
    metrics = {**card.metrics, "calibration_videos": fitted.videos}
    return {"calibration": fitted.to_dict(), "metrics": metrics, "references": references}


def _own(store: Store, sources: Sequence[Source], videos: Sequence[TrainingSequence]) -> Callable[[int], torch.Tensor]:
    """(N,) which rows of a database are of a video, by its number among the sources."""
    sequence = store.rows["sequence"]
    places = store.lat_lon_deg.view(np.complex128)[:, 0]

    def rows(number: int) -> torch.Tensor:
        # What a training keeps bears no name of its video. Its images lie just where the video's frames do, all of them.
        elsewhere = ~np.isin(places, np.ascontiguousarray(videos[number].lat_lon_deg).view(np.complex128))
        found = (np.bincount(sequence, elsewhere) == 0)[sequence]
        found[store.rows_of(key_of(sources[number]))] = True
        return torch.from_numpy(found)

    return rows


def _ground_of(loaded: Loaded, model: VidTAG) -> TrainingGround:
    """Of a checkpoint that was made before ground was kept: about the frames that it remembers, or the places that it competes with others by."""
    of: Calibration = loaded.calibration
    database_weight = (of.path.database_weight if of.path else None) or of.database_weight
    reach_m = database_weight.reach_m if database_weight else _REACH_STEPS * float(loaded.card.metrics.get("resolution_m", 100.0))
    places: FloatArray | None = None
    if isinstance(model.memory, ReferenceDatabase):
        places = model.memory.places_deg
    elif of.path is not None and of.path.out_of_area is not None:
        places = of.path.out_of_area.lat_lon_deg
    if places is None or not len(places):
        raise InputError(f"{loaded.card.name} does not say where it was trained: train it again with 'vidtag train'.")
    area = None if loaded.card.training_extent is None else area_without_aoi(loaded.card.training_extent).geometry
    return TrainingGround.about(places, reach_m, area)
