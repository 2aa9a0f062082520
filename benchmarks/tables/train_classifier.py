"""Trainings of the classification methods (App. F.2, F.3)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from benchmarks.baselines import (
    FrameClassifier,
    GeoDecoder,
    ISNs,
    LabelledFrames,
    LinearHead,
    PlaNet,
    fit_classifier,
    hierarchy,
    point_cells,
    s2_cells,
)
from vidtag_engine.training import TrainSettings
from vidtag_engine.types import ProgressCallback

from ..isles_world import Drive, sequences_of
from .data import RunData
from .runs import Run
from .store import Entry, Store

FINEST_LEVEL = 13  # of S2 (App. F.2)
DECODER_LEVELS = (8, 10, 11, 13)
_COMMON_SCENE, _MOST_SCENES = 0.01, 4  # share of the training frames from which on a scene gets queries of its own, and how many do


def train_classifier(
    run: Run, settings: TrainSettings, data: RunData, made_from: dict[str, Any], store: Store, progress: ProgressCallback | None
) -> tuple[FrameClassifier, dict[str, Any]]:
    """The trained model, and what its training took; arguments as for :func:`.train_retrieval.train_retrieval`."""
    torch.manual_seed(settings.seed)
    model = _new_model(run, settings, data)
    specification = {
        "classifier": run.method,
        "data": made_from,
        "settings": settings.model_dump(exclude={"device", "remembered_width", "layout", "phase2"}),
        "levels": [cells.level for cells in model.levels],
    }
    entry = store.get(specification)
    if entry is None:
        for module in model.modules():
            if isinstance(first := getattr(module, "projection", None), torch.nn.Linear):
                data.start(first, settings)
        fitted = fit_classifier(model, _frames(data.training), _frames(data.validation), settings, progress)
        values = {"seconds": round(fitted.seconds, 1), "score": fitted.score, "best_step": fitted.step, "rows": fitted.rows}
        entry = Entry(
            {**values, "cells": [len(cells) for cells in model.levels]},
            {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()},
        )
        store.put(specification, entry)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in entry.arrays.items()})
    return model.eval(), entry.values


def _new_model(run: Run, settings: TrainSettings, data: RunData) -> FrameClassifier:
    places = np.concatenate([drive.sequence.lat_lon_deg for drive in data.training])
    cities = run.target == "cities"
    cells = point_cells(places) if cities else s2_cells(places, FINEST_LEVEL)
    if run.method == "classification":
        return LinearHead(cells, data.feature_dim)
    if run.method == "planet":
        return PlaNet(cells, data.feature_dim, settings.dropout)
    if run.method == "isns":
        return ISNs(cells, data.feature_dim, groups=data.world.scene_groups, dropout=settings.dropout)
    levels = [cells] if cities else hierarchy(places, DECODER_LEVELS)
    return GeoDecoder(levels, data.feature_dim, scenes=_common_scenes(data.training), dropout=settings.dropout)


def _common_scenes(drives: list[Drive]) -> tuple[int, ...]:
    """Scenes that are the likeliest of enough training frames."""
    frames = np.zeros(16)
    for drive in drives:
        if drive.scene is not None:
            frames[int(np.argmax(drive.scene))] += len(drive.sequence)
    common = [number for number in np.argsort(-frames, kind="stable")[:_MOST_SCENES] if frames[number] >= _COMMON_SCENE * frames.sum()]
    return tuple(sorted(int(number) for number in common)) or (0,)


def _frames(drives: list[Drive]) -> LabelledFrames:
    return LabelledFrames.of(sequences_of(drives), [drive.scene for drive in drives])
