"""Train on one of the paper's data sets: its training split, its area, and the paper's budget in steps."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ..datasets import Dataset
from ..feedback import Feedback
from ..models.frame_encoder import FrameEncoder
from .settings import TrainSettings, recipe
from .train import TrainResult, train

_PHASE2_EPOCHS, _PHASE2_DECAY = 100, 0.95
# Of the training split, to choose the step and calibrate on: the paper's validation split stays unseen until it is evaluated.
_HELD_OUT = 0.05
_VALIDATIONS = 100


def dataset_settings(dataset: Dataset, recipe_name: str, *, n_training: int, **changes: Any) -> TrainSettings:
    """A recipe's settings for a data set.

    ``paper`` counts its epochs (App. A; 600, or 100 for GAMa and CityGuessr68k) in steps of 128 sequences, decays once an epoch and warms up for 1,000 steps.

    Args:
        dataset: gives resolution, epochs and decay.
        recipe_name: ``paper`` or ``default``.
        n_training: sequences of the training split.
        changes: of the recipe, as for :func:`.settings.recipe`; None is no change.
    """
    given = {key: value for key, value in changes.items() if value is not None or key == "rate_hz"}
    base: dict[str, Any] = {"resolution_m": dataset.paper.resolution_m, "rate_hz": dataset.paper.rate_hz, "validation_fraction": _HELD_OUT}
    # Cities far apart, or a place's neighbourhood: areas of many parts span the globe whatever their size.
    if len(dataset.area().geometry.geoms) > 1:
        base["sigma"] = "globe"
    if given.get("sigma") == "auto":
        given.pop("sigma")
    settings = recipe(recipe_name, **{**base, **given})
    if recipe_name != "paper":
        return settings
    epoch = max(1, math.ceil(n_training * (1 - settings.validation_fraction) / settings.phase1.batch_clips))
    phases = {
        "phase1": settings.phase1.model_copy(
            update={"decay": dataset.paper.decay, "steps_per_decay": epoch, **_unless(given, "phase1_steps", epoch * dataset.paper.epochs)}
        ),
        "phase2": settings.phase2.model_copy(
            update={"decay": _PHASE2_DECAY, "steps_per_decay": epoch, **_unless(given, "phase2_steps", epoch * _PHASE2_EPOCHS)}
        ),
    }
    steps = max(phases["phase1"].steps, phases["phase2"].steps)
    return settings.model_copy(update={**phases, "validate_every": max(settings.validate_every, steps // _VALIDATIONS)})


def _unless(given: dict[str, Any], name: str, steps: int) -> dict[str, int]:
    return {} if name in given else {"steps": steps}


def train_on_dataset(
    dataset: Dataset,
    output: Path,
    recipe_name: str = "paper",
    *,
    feature_folder: Path | None = None,
    encoder: FrameEncoder | None = None,
    overwrite: bool = False,
    feedback: Feedback = Feedback(),
    **changes: Any,
) -> TrainResult:
    """Train both phases on a data set's training split and save a checkpoint.

    Broken off, the same call goes on where it stopped. The validation split is not looked at.

    Args:
        dataset: opened.
        output: checkpoint folder.
        recipe_name: ``paper`` or ``default``.
        feature_folder, encoder, overwrite, feedback: as for :func:`.train.train`.
        changes: of the recipe; see :func:`dataset_settings`.

    Raises:
        InputError, CancelledError: as :func:`.train.train`.
    """
    sequences = dataset.sequences("train")
    settings = dataset_settings(dataset, recipe_name, n_training=len(sequences), **changes)
    return train(
        sequences,
        dataset.area(),
        output,
        settings,
        feature_folder=feature_folder,
        encoder=encoder,
        gallery=dataset.training_grid(),
        dataset=dataset,
        overwrite=overwrite,
        feedback=feedback,
    )
