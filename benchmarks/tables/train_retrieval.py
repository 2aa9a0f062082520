"""Trainings of VidTAG and of fine-tuned GeoCLIP: both phases, each stored by itself, so that rows that share Phase I share it."""

from __future__ import annotations

import time
from typing import Any

import torch

from vidtag_engine.feedback import Feedback
from vidtag_engine.models.geoclip import warm_start
from vidtag_engine.models.vidtag import VidTAG, VidTAGConfig
from vidtag_engine.training import TrainSettings
from vidtag_engine.training.trainer import PhaseRun, Trainer
from vidtag_engine.types import ProgressCallback

from ..isles_world import sequences_of
from .data import RunData
from .runs import Run
from .store import Entry, Store

_AFTERWARDS = {"remembered", "remembered_width", "remembered_layout"}  # what a trained model is given besides
_NO_MATTER = {"device", "remembered_width", "layout"}  # to what is trained
PHASE2_ONLY = {"phase2", "phase2_targets", "noise", "noise_jumps", "alpha", "alpha_batch_clips", "beta", "dropout"}


def train_retrieval(
    run: Run, settings: TrainSettings, data: RunData, made_from: dict[str, Any], store: Store, progress: ProgressCallback | None
) -> tuple[VidTAG, dict[str, Any]]:
    """The trained model, and what its training took: ``seconds``, ``score`` (validation), ``phase1`` and ``phase2`` rows.

    Args:
        run: which.
        settings: its settings.
        data: what it sees.
        made_from: plain values that stand for the data.
        store: of finished phases.
        progress: of each phase.
    """
    config = run.config(settings, data.feature_dim)
    first_config = config.model_copy(update={"georefiner": None})
    specification = {
        "phase": 1,
        "data": made_from,
        "config": first_config.model_dump(exclude=_AFTERWARDS),
        "shipped_location": run.shipped_location,
        "settings": settings.model_dump(exclude=PHASE2_ONLY | _NO_MATTER),
    }
    entry = store.get(specification)
    if entry is None:
        model, fixed = _new_model(run, first_config, settings, data)
        entry = _train_phase(model, settings, data, progress, phase=1, fixed=fixed)
        store.put(specification, entry)
    if config.georefiner is None or settings.phase2.steps == 0:
        return _loaded(first_config, entry), entry.values
    first = entry
    specification = {
        "phase": 2,
        "first": specification,
        "config": config.model_dump(exclude=_AFTERWARDS),
        "settings": settings.model_dump(exclude=_NO_MATTER),
    }
    entry = store.get(specification)
    if entry is None:
        torch.manual_seed(settings.seed)
        model = VidTAG(config)
        unlike = model.load_state_dict(_tensors(first), strict=False)
        assert not unlike.unexpected_keys
        assert all(name.startswith("georefiner.") for name in unlike.missing_keys)
        entry = _train_phase(model, settings, data, progress, phase=2)
        store.put(specification, entry)
    values = {**entry.values, "seconds": first.values["seconds"] + entry.values["seconds"], "phase1_score": first.values["score"]}
    return _loaded(config, entry), values


def _new_model(run: Run, config: VidTAGConfig, settings: TrainSettings, data: RunData) -> tuple[VidTAG, frozenset[str]]:
    torch.manual_seed(settings.seed)
    model = VidTAG(config)
    stays = isinstance(model.projection, torch.nn.Linear) and data.start(model.projection, settings)
    if run.shipped_location:
        warm_start(model.location_encoder)
    return model, frozenset({"projection"} if stays else ())


def _train_phase(
    model: VidTAG,
    settings: TrainSettings,
    data: RunData,
    progress: ProgressCallback | None,
    *,
    phase: int,
    fixed: frozenset[str] = frozenset(),
) -> Entry:
    """One phase; which step is kept is the recipe's. The best Phase II may be none at all, where it does not help."""
    started = time.perf_counter()
    training, validation = sequences_of(data.training), sequences_of(data.validation)
    trainer = Trainer(model, training, validation, data.points, settings, feedback=Feedback(progress), fixed=fixed)
    done: PhaseRun = trainer.phase1("phase1", settings.phase1.steps) if phase == 1 else trainer.phase2("phase2", settings.phase2.steps)
    values = {
        "seconds": round(time.perf_counter() - started, 1),
        "score": done.best_error if settings.keep == "best" else done.rows[-1]["score"],
        "best_step": done.best_step,
        "kept_step": done.kept_step,
        "threads": torch.get_num_threads(),
        "rows": done.rows,
    }
    return Entry(values, {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()})


def _tensors(entry: Entry) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in entry.arrays.items()}


def _loaded(config: VidTAGConfig, entry: Entry) -> VidTAG:
    model = VidTAG(config)
    model.load_state_dict(_tensors(entry))
    return model.eval()
