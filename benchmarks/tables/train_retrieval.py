"""Trainings of VidTAG and of fine-tuned GeoCLIP: both phases, each stored by itself, so that rows that share Phase I share it."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import Any

import torch

from vidtag_engine.evaluation.metrics import RADII_KM, frame_accuracy
from vidtag_engine.feedback import Feedback
from vidtag_engine.models.checkpoint import on_disk
from vidtag_engine.models.geoclip import warm_start
from vidtag_engine.models.vidtag import VidTAG, VidTAGConfig
from vidtag_engine.training import TrainSettings
from vidtag_engine.training.state import TrainingState
from vidtag_engine.training.trainer import PhaseRun, Trainer
from vidtag_engine.types import FloatArray, ProgressCallback

from ..isles_world import sequences_of
from .data import RunData
from .runs import Run
from .store import Entry, NotStoredError, Store

_AFTERWARDS = {"remembered", "remembered_width", "remembered_layout"}  # what a trained model is given besides
_NO_MATTER = {"device", "remembered_width", "layout"}  # to what is trained
PHASE2_ONLY = {"phase2", "phase2_targets", "noise", "noise_jumps", "alpha", "alpha_batch_clips", "beta", "dropout"}


@dataclass(frozen=True)
class Kept:
    """What is kept of long trainings, which go on within a phase where they were broken off.

    Args:
        code: digest of what decides them beside their settings.
        weights: those of every validation too, not its accuracy alone.
        anew: False trains nothing; NotStoredError says what is not there yet.
    """

    code: str
    weights: bool = False
    anew: bool = True


def train_retrieval(
    run: Run,
    settings: TrainSettings,
    data: RunData,
    made_from: dict[str, Any],
    store: Store,
    progress: ProgressCallback | None,
    *,
    kept: Kept | None = None,
    step: int | None = None,
) -> tuple[VidTAG, dict[str, Any]]:
    """The trained model, and what its training took: ``seconds``, ``score`` (validation), ``phase1`` and ``phase2`` rows.

    With ``kept`` also ``accuracy``: of the last phase's validations the ``step`` and a_r in per cent, ``a1km`` and its kin.

    Args:
        run: which.
        settings: its settings.
        data: what it sees.
        made_from: plain values that stand for the data.
        store: of finished phases.
        progress: of each phase.
        kept: of a long training.
        step: of its last phase, whose weights are asked for in place of those it ends with.
    """
    if kept:
        made_from = {**made_from, "code": kept.code}
    config = run.config(settings, data.feature_dim)
    first_config = config.model_copy(update={"georefiner": None})
    specification = {
        "phase": 1,
        "data": made_from,
        "config": first_config.model_dump(exclude=_AFTERWARDS),
        "shipped_location": run.shipped_location,
        "settings": settings.model_dump(exclude=PHASE2_ONLY | _NO_MATTER),
    }
    entry = _finished(store, specification, kept)
    if entry is None:
        model, fixed = _new_model(run, first_config, settings, data)
        entry = _train_phase(model, settings, data, progress, specification, store, kept, fixed)
    if config.georefiner is None or settings.phase2.steps == 0:
        return _loaded(first_config, _at(store, specification, entry, step)), entry.values
    first = entry
    specification = {
        "phase": 2,
        "first": specification,
        "config": config.model_dump(exclude=_AFTERWARDS),
        "settings": settings.model_dump(exclude=_NO_MATTER),
    }
    entry = _finished(store, specification, kept)
    if entry is None:
        torch.manual_seed(settings.seed)
        model = VidTAG(config)
        unlike = model.load_state_dict(_tensors(first), strict=False)
        assert not unlike.unexpected_keys
        assert all(name.startswith("georefiner.") for name in unlike.missing_keys)
        entry = _train_phase(model, settings, data, progress, specification, store, kept)
    values = {**entry.values, "seconds": first.values["seconds"] + entry.values["seconds"], "phase1_score": first.values["score"]}
    return _loaded(config, _at(store, specification, entry, step)), values


def _finished(store: Store, specification: dict[str, Any], kept: Kept | None) -> Entry | None:
    """A phase that is done, with everything that is to be kept of it."""
    entry = store.get(specification)
    if entry is None or kept is None or not kept.weights:
        return entry
    return entry if all(store.holds({**specification, "at_step": one["step"]}) for one in entry.values["accuracy"]) else None


def _at(store: Store, specification: dict[str, Any], entry: Entry, step: int | None) -> Entry:
    """A phase's end, or one of its validations."""
    found = entry if step is None else store.get({**specification, "at_step": step})
    assert found is not None
    return found


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
    specification: dict[str, Any],
    store: Store,
    kept: Kept | None,
    fixed: frozenset[str] = frozenset(),
) -> Entry:
    """Train and keep one phase; which step it ends with is the recipe's. The best Phase II may be none at all, where it does not help."""
    if kept and not kept.anew:
        raise NotStoredError(specification["phase"])
    started, key = time.perf_counter(), store.key(specification)
    training, validation = sequences_of(data.training), sequences_of(data.validation)

    def keep_validation(_: str, step: int, errors_m: FloatArray) -> None:
        shares = {f"a{radius:g}km": share for radius, share in frame_accuracy(errors_m, RADII_KM).items()}
        weights = {name: on_disk(name, tensor, half=True).numpy() for name, tensor in model.state_dict().items()}
        store.put({**specification, "at_step": step}, Entry(shares, weights if kept and kept.weights else {}))

    state = TrainingState(store.folder / "under_way" / key, key) if kept else None
    trainer = Trainer(
        model, training, validation, data.points, settings,
        state=state, feedback=Feedback(progress), fixed=fixed, validated=keep_validation if kept else None,
    )  # fmt: skip
    phase1 = specification["phase"] == 1
    done: PhaseRun = trainer.phase1("phase1", settings.phase1.steps) if phase1 else trainer.phase2("phase2", settings.phase2.steps)
    values: dict[str, Any] = {
        "seconds": round(time.perf_counter() - started, 1),
        "score": done.best_error if settings.keep == "best" else done.rows[-1]["score"],
        "best_step": done.best_step,
        "kept_step": done.kept_step,
        "threads": torch.get_num_threads(),
        "rows": done.rows,
    }
    if kept:
        found = [(row["step"], store.get({**specification, "at_step": row["step"]})) for row in done.rows]
        values["accuracy"] = [{"step": step, **one.values} for step, one in found if one is not None]
    entry = Entry(values, {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()})
    store.put(specification, entry)
    if state is not None:
        shutil.rmtree(state.folder)
    return entry


def _tensors(entry: Entry) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array).float() for name, array in entry.arrays.items()}


def _loaded(config: VidTAGConfig, entry: Entry) -> VidTAG:
    model = VidTAG(config)
    model.load_state_dict(_tensors(entry))
    return model.eval()
