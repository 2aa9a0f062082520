"""Figure 11: which cities are taken for which."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidtag_engine.evaluation.metrics import video_prediction

from ..isles_world import city_number
from .bench import Bench
from .lab import Gallery
from .pictures import figure, save
from .runs import Run
from .t03_cities import ROWS as CITY_ROWS
from .table import NAME, Column, Table

NUMBER = "fig11"
PICTURE = "tables-confusion.png"
SHOWN = ("VidTAG as in the paper", "PlaNet")
_CITIES = 24


def runs(bench: Bench) -> list[Run]:  # noqa: ARG001
    return [CITY_ROWS[name] for name in SHOWN]


def make(bench: Bench) -> Table:
    found = {name: confusion(bench, CITY_ROWS[name]) for name in SHOWN}
    cities = [str(city.labels.city) for city in bench.lab.world.cities()]
    right = np.diag(found[SHOWN[0]]) / np.maximum(found[SHOWN[0]].sum(axis=1), 1)
    asked = np.flatnonzero(found[SHOWN[0]].sum(axis=1))
    hardest = asked[np.argsort(right[asked], kind="stable")[:_CITIES]]
    hardest = np.sort(hardest)  # cities of one state stand together
    made, axes = figure(len(SHOWN), width=5.2, height=5.0)
    for axis, (name, counts) in zip(axes[0], found.items(), strict=True):
        part = counts[np.ix_(hardest, hardest)] / np.maximum(counts[hardest].sum(axis=1, keepdims=True), 1)
        axis.imshow(part, cmap="magma", vmin=0, vmax=1)
        axis.set_title(name, fontsize=9)
        axis.set_xticks(range(len(hardest)), [cities[n] for n in hardest], rotation=90, fontsize=5)
        axis.set_yticks(range(len(hardest)), [cities[n] for n in hardest], fontsize=5)
    axes[0, 0].set(xlabel="said", ylabel="true")
    save(made, bench.pictures / PICTURE)
    rows = tuple({"name": name, **_summary(bench, counts)} for name, counts in found.items())
    columns = (
        NAME,
        Column("right", "videos in the right city %", 1, "high"),
        Column("same_state", "of the wrong ones, in the right state %", 1),
    )
    notes = (
        f"The {len(hardest)} cities that VidTAG finds hardest, in the order of their names and states. There is no CityGuessr in this"
        " world; a classifier stands beside.",
    )
    return Table(NUMBER, "cities taken for each other", columns, rows, notes, PICTURE)


def confusion(bench: Bench, run: Run) -> NDArray[np.int64]:
    """(C, C) counts of test videos by true and said city."""
    placed = bench.lab.place(run, Gallery("cities"))
    cities = bench.lab.world.cities()
    number = {city.labels: place for place, city in enumerate(cities)}
    said = city_number(np.array([video_prediction(one) for one in placed.predicted]), cities)
    counts = np.zeros((len(cities), len(cities)), dtype=np.int64)
    for drive, one in zip(placed.drives, said, strict=True):
        if drive.labels in number:
            counts[number[drive.labels], one] += 1
    return counts


def _summary(bench: Bench, counts: NDArray[np.int64]) -> dict[str, float]:
    states = np.array([str(city.labels.state) for city in bench.lab.world.cities()])
    wrong = counts - np.diag(np.diag(counts))
    near = float((wrong * (states[:, None] == states[None])).sum())
    return {"right": 100.0 * float(np.trace(counts) / counts.sum()), "same_state": 100.0 * near / max(1.0, float(wrong.sum()))}
