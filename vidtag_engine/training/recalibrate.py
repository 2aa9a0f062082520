"""A checkpoint calibrated on further videos whose track is known, without training: it learns how sure to be, and when to withhold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ..calibration.calibrate import calibrate_path
from ..feedback import Feedback
from ..grid import AreaOfInterest, area_without_aoi, make_grid
from ..loaded import Loaded
from ..models.checkpoint import CheckpointCard, save_pretrained, stored_in_half
from ..models.vidtag import VidTAG
from ..trajectory import LEAST_VIDEOS, Calibration, TrainingGround
from ..types import FloatArray, InputError
from .features import FeatureStore, Source, load_sequences

_MOST_POINTS = 60_000  # of the cover
_REACH_STEPS = 10.0  # of the training's resolution, where nothing says how far a place speaks


def recalibrate(
    loaded: Loaded,
    sources: Sequence[Source],
    output: Path,
    *,
    aoi: AreaOfInterest | None = None,
    truth_offset_s: float | str | None = None,
    overwrite: bool = False,
    feedback: Feedback = Feedback(),
) -> CheckpointCard:
    """Fit confidence, regions and when to withhold, and write the checkpoint with them; its weights stay as they are.

    Args:
        loaded: the checkpoint.
        sources: at least eight videos or image folders with their truth that it was not trained on.
        output: folder, or a file that ends in .safetensors; may be the checkpoint's own. Features are kept in a folder ``calibration`` there, or beside the
            file, so that a run that was broken off goes on.
        aoi: that videos are decoded over while it is fitted; None is the checkpoint's training extent.
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
    ground = loaded.calibration.ground or _ground_of(loaded, model)
    area = aoi or area_without_aoi(card.training_extent)
    grid = make_grid(area, max(float(card.metrics.get("resolution_m", 100.0)), math.sqrt(area.area_m2 / _MOST_POINTS) * 1.02))
    points, spacing_m = np.concatenate(list(grid.chunks())), math.sqrt(grid.area_m2 / grid.count)
    known = ground.knows(points, spacing_m)
    if not known.any():
        raise InputError("The checkpoint knows nothing of that area: give the area that it was trained for, or none.")

    store = FeatureStore(
        (output.parent if output.suffix == ".safetensors" else output) / "calibration",
        loaded.encoder,
        augment="none",
        views=0,
        seed=0,
        rate_hz=card.metrics.get("rate_hz", 1.0),
        truth_offset_s=truth_offset_s,
    )
    videos = load_sequences(store, sources, feedback.part(0.0, 0.5))
    if not any(ground.knows(one.lat_lon_deg).any() for one in videos):
        raise InputError("None of the videos was taken where the checkpoint was trained: give videos of its own area.")
    of = loaded.calibration
    with torch.inference_mode():
        path = calibrate_path(
            model, points[known], spacing_m, videos, videos, temperature=of.temperature, reach_m=ground.reach_m,
            places=ground.lat_lon_deg, novelty=(of.path.novelty if of.path else None) or of.novelty, feedback=feedback.part(0.5, 1.0),
        )  # fmt: skip
    fitted = replace(of, path=path, ground=ground, videos=path.videos, n_frames=max(1, sum(map(len, videos))))
    new = replace(card, calibration=fitted.to_dict(), created_utc="", metrics={**card.metrics, "calibration_videos": path.videos})
    return save_pretrained(model, output, new, half=stored_in_half(model, card), overwrite=overwrite)


def _ground_of(loaded: Loaded, model: VidTAG) -> TrainingGround:
    """Of a checkpoint that was made before ground was kept: about the frames that it remembers, or the places that it competes with others by."""
    of: Calibration = loaded.calibration
    database_weight = (of.path.database_weight if of.path else None) or of.database_weight
    reach_m = database_weight.reach_m if database_weight else _REACH_STEPS * float(loaded.card.metrics.get("resolution_m", 100.0))
    places: FloatArray | None = None
    if model.memory is not None:
        places = model.memory.lat_lon_deg.double().cpu().numpy()
    elif of.path is not None and of.path.out_of_area is not None:
        places = of.path.out_of_area.lat_lon_deg
    if places is None or not len(places):
        raise InputError(f"{loaded.card.name} does not say where it was trained: train it again with 'vidtag train'.")
    area = None if loaded.card.training_extent is None else area_without_aoi(loaded.card.training_extent).geometry
    return TrainingGround.about(places, reach_m, area)
