"""Where the tables' trainings and evaluations are done: each once, then read from the store."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.baselines import FrameClassifier, retrieve
from vidtag_engine.grid import Grid, points_grid
from vidtag_engine.models.vidtag import VidTAG
from vidtag_engine.types import FloatArray, Progress, ProgressCallback

from ..isles_settings import RESOLUTION_M, Budget
from ..isles_world import TEST_SPLITS, Drive, IslesWorld, centres_grid, sequences_of
from .data import RunData
from .runs import RETRIEVAL, Run
from .scores import scores
from .store import Entry, Store
from .train_classifier import train_classifier
from .train_retrieval import Kept, train_retrieval


@dataclass(frozen=True)
class Gallery:
    """What retrieval chooses from.

    Args:
        kind: ``grid``; ``places``: the very places of the frames that are asked for (App. D.2); ``cities``: city centres.
        resolution_m: of the grid.
    """

    kind: str = "grid"
    resolution_m: float = RESOLUTION_M


@dataclass(frozen=True)
class Placement:
    """A run's answers for drives.

    Args:
        drives: which.
        predicted, phase1: (T, 2) a drive.
        seconds: that placing them took, from stored features to answers.
        training: what the training took and reached.
    """

    drives: tuple[Drive, ...]
    predicted: list[FloatArray]
    phase1: list[FloatArray]
    seconds: float
    training: dict[str, Any] = field(default_factory=dict)

    def scores(self) -> dict[str, float]:
        """The paper's metrics."""
        return scores(self.drives, self.predicted)


class Lab:
    """A world, a budget and a store.

    Args:
        world: to train and evaluate in.
        budget: of every row.
        folder: of the store.
        progress: of the training or evaluation under way.
        kept: of trainings, where they are long.
    """

    def __init__(
        self, world: IslesWorld, budget: Budget, folder: Path, progress: ProgressCallback | None = None, kept: Kept | None = None
    ) -> None:
        self.world, self.budget, self.progress, self.kept = world, budget, progress, kept
        self.store = Store(folder)
        self._data: dict[tuple[Any, ...], RunData] = {}
        self._worlds: dict[tuple[str, ...], IslesWorld] = {}

    def within(self, budget: Budget) -> Lab:
        """The same with another budget."""
        other = copy.copy(self)
        other.budget = budget
        return other

    def seen_by(self, run: Run) -> IslesWorld:
        """The world through a run's backbones."""
        if run.backbones not in self._worlds:
            self._worlds[run.backbones] = self.world.with_backbones(run.backbones)
        return self._worlds[run.backbones]

    def train(self, run: Run, step: int | None = None) -> tuple[torch.nn.Module, dict[str, Any]]:
        """The trained model of a run, as it ends or as it was at a ``step`` of its last phase, and what its training took; see :mod:`.train_retrieval`."""
        key = (run.backbones, run.isle, run.target)
        if key not in self._data:
            self._data[key] = RunData(self.seen_by(run), run.isle, run.target)
        made_from = {"world": self.world.digest, "backbones": run.backbones, "isle": run.isle, "target": run.target}
        settings = run.settings(self.budget)
        if run.method in RETRIEVAL:
            return train_retrieval(run, settings, self._data[key], made_from, self.store, self._named(run), kept=self.kept, step=step)
        return train_classifier(run, settings, self._data[key], made_from, self.store, self._named(run))

    def place(
        self,
        run: Run,
        gallery: Gallery | None = None,
        *,
        splits: tuple[str, ...] = TEST_SPLITS,
        isle: str | None = None,
        longest: int | None = None,
        step: int | None = None,
    ) -> Placement:
        """Where a run places the frames of drives.

        Args:
            run: trained now if it has not been.
            gallery: None is the grid that results are reported on.
            splits, isle: whose drives; the gallery is over the same isle (or all).
            longest: cut drives to so many frames, out of their middle.
            step: of the last phase's validations, whose weights place them in place of those at the end; where they are kept.
        """
        gallery = gallery or Gallery()
        drives = tuple(_cut(drive, longest) for drive in self.seen_by(run).of(*splits, isle=isle))
        specification = {
            "place": repr(replace(run, row="", varies="")),
            "rates": run.settings(self.budget).model_dump(exclude={"device", "remembered_width", "layout"}),
            "world": self.world.digest,
            "gallery": repr(gallery),
            "splits": splits,
            "isle": isle,
            "longest": longest,
        } | ({"code": self.kept.code, "step": step} if self.kept else {})
        entry = self.store.get(specification)
        if entry is None:
            model, training = self.train(run, step)
            started = time.perf_counter()
            predicted, phase1 = self._answers(model, drives, gallery, isle)
            values = {"seconds": round(time.perf_counter() - started, 3), "training": training}
            entry = Entry(values, {"predicted": np.concatenate(predicted), "phase1": np.concatenate(phase1)})
            self.store.put(specification, entry)
        ends = np.cumsum([len(drive.sequence) for drive in drives])[:-1]
        predicted, phase1 = (np.split(entry.arrays[name], ends) for name in ("predicted", "phase1"))
        return Placement(drives, predicted, phase1, entry.values["seconds"], entry.values["training"])

    def grid(self, gallery: Gallery, drives: tuple[Drive, ...], isle: str | None) -> Grid:
        """The points of a gallery."""
        if gallery.kind == "grid":
            return self.world.grid(gallery.resolution_m, isle)
        if gallery.kind == "cities":
            return centres_grid(self.world.cities(isle))
        return points_grid(np.concatenate([drive.sequence.lat_lon_deg for drive in drives]))

    def _answers(
        self, model: torch.nn.Module, drives: tuple[Drive, ...], gallery: Gallery, isle: str | None
    ) -> tuple[list[FloatArray], list[FloatArray]]:
        if isinstance(model, FrameClassifier):
            places = model.place(sequences_of(drives))
            return places, places
        assert isinstance(model, VidTAG)
        placed = retrieve(model, sequences_of(drives), self.grid(gallery, drives, isle))
        return placed.predicted, placed.phase1

    def _named(self, run: Run) -> ProgressCallback | None:
        if self.progress is None:
            return None
        report: Callable[[Progress], None] = self.progress
        where = run.isle or "all isles"
        return lambda step: report(Progress(step.fraction, f"{run.row} seed {run.seed}", f"{step.stage} on {where}: {step.message}"))


def _cut(drive: Drive, longest: int | None) -> Drive:
    """A drive's middle frames."""
    length = len(drive.sequence)
    if longest is None or length <= longest:
        return drive
    start = (length - longest) // 2
    return replace(drive, sequence=drive.sequence.part(start, start + longest))
