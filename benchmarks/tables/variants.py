"""Tables that are one training a row and the same columns throughout."""

from __future__ import annotations

from collections.abc import Mapping

from .bench import Bench
from .runs import Run
from .table import FRAMES, NAME, TRAJECTORY, Table


def variants_table(bench: Bench, number: str, title: str, rows: Mapping[str, Run], notes: tuple[str, ...] = ()) -> Table:
    """A row a training, with the frame-wise metrics, DFD and MRD."""
    made = tuple(bench.row(name, run) for name, run in rows.items())
    return Table(number, title, (NAME, *FRAMES, *TRAJECTORY), made, notes)


def spread(bench: Bench, run: Run) -> float:
    """Standard deviation of a1km over the main table's training seeds: differences below about twice as much say nothing."""
    row = bench.row("", run, seeds=bench.seeds)
    return float(row.get("a1km_sd", float("nan")))
