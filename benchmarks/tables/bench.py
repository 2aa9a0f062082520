"""What every table is made with, and what a table is to the command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ..isles_settings import Budget
from .lab import Gallery, Lab, Placement
from .runs import Run
from .scores import mean_scores
from .table import Table


@dataclass(frozen=True)
class Bench:
    """The labs and how much is done in them.

    Args:
        lab: of the world that results are of.
        small: the same with the budget of a model of one isle (Table 12).
        swapped: gives the lab of the same world seen through another second encoder (Table 6); loaded when asked for.
        seeds: of the trainings of the main table; the other tables have the first one.
        one_isles: which isles get a model of their own.
        pictures: folder of figures.
    """

    lab: Lab
    small: Lab
    swapped: Callable[[], Lab]
    seeds: tuple[int, ...]
    one_isles: tuple[str, ...]
    pictures: Path

    def lab_of(self, run: Run) -> Lab:
        """Where a run is trained and evaluated."""
        if run.isle is not None:
            return self.small
        return self.lab if set(run.backbones) <= {name for name, _ in self.lab.world.backbones} else self.swapped()

    def lab_budget(self, run: Run) -> Budget:
        """What a run may use; known without loading a world."""
        return self.small.budget if run.isle is not None else self.lab.budget

    def row(self, name: str, run: Run, *, seeds: Sequence[int] = (0,), gallery: Gallery | None = None) -> dict[str, Any]:
        """A table's row: a run's scores, over training seeds."""
        return {"name": name, **mean_scores([one.scores() for one in self.placements(run, seeds=seeds, gallery=gallery)])}

    def placements(self, run: Run, *, seeds: Sequence[int] = (0,), gallery: Gallery | None = None) -> list[Placement]:
        """A run's answers with each training seed."""
        return [self.lab_of(run).place(replace(run, seed=seed), gallery) for seed in seeds]


class TableModule(Protocol):
    """A module that makes one table: a new one is a file here and a line in the registry."""

    NUMBER: str

    def runs(self, bench: Bench) -> list[Run]:
        """The trainings that it needs; the command trains them first, with progress."""
        ...

    def make(self, bench: Bench) -> Table:
        """The table; every training is in the store by now."""
        ...


def unique(bench: Bench, tables: Iterable[TableModule]) -> list[Run]:
    """The trainings of some tables, each once, in order."""
    return list({repr(one): one for table in tables for one in table.runs(bench)}.values())
