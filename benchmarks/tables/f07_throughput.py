"""Figure 7: accuracy against throughput."""

from __future__ import annotations

from .bench import Bench
from .cost import backbone_cost
from .pictures import COLOURS, figure, save
from .rows import MAIN
from .runs import Run
from .table import NAME, Column, Table

NUMBER = "fig7"
PICTURE = "tables-throughput.png"


def runs(bench: Bench) -> list[Run]:  # noqa: ARG001
    return list(MAIN.values())


def make(bench: Bench) -> Table:
    rows = []
    for name, run in MAIN.items():
        placed = bench.lab.place(run)
        frames = sum(len(drive.sequence) for drive in placed.drives)
        seconds = backbone_cost(run.backbones, bench.lab.store)["seconds"] + placed.seconds / frames
        rows.append({"name": name, "a1km": placed.scores()["a1km"], "frames_s": 1 / seconds})
    made, axes = figure(width=6.5)
    axis = axes[0, 0]
    for number, row in enumerate(rows):
        axis.scatter(row["frames_s"], row["a1km"], color=COLOURS[number % len(COLOURS)], label=row["name"])
    axis.set(xlabel="frames a second (backbones and the rest)", ylabel="frames within 1 km, %")
    axis.legend(fontsize=6)
    save(made, bench.pictures / PICTURE)
    columns = (NAME, Column("a1km", "1 km %", 1, "high"), Column("frames_s", "frames a second", 1, "high"))
    notes = ("Throughput counts pictures that are decoded, backbones, head and search; the backbones take nearly all of it.",)
    return Table(NUMBER, "accuracy against throughput", columns, tuple(rows), notes, PICTURE)
