"""Tables 12 and 13: one model for all isles against a model for each; and the unified one's cities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .bench import Bench
from .lab import Gallery, Placement
from .rows import GEOCLIP, VIDTAG
from .runs import Run
from .scores import scores
from .t03_cities import ROWS as CITY_ROWS
from .t03_cities import levels
from .table import FRAMES, NAME, TRAJECTORY, Column, Table

NUMBER = "12"
CITY_COLUMNS = (Column("city", "city %", 1, "high"), Column("country", "country %", 1, "high"))


def own(bench: Bench) -> list[Run]:
    """A training for each isle, of its drives alone."""
    return [replace(VIDTAG, isle=isle) for isle in bench.one_isles]


def runs(bench: Bench) -> list[Run]:
    return [VIDTAG, GEOCLIP, CITY_ROWS["VidTAG as in the paper"], *own(bench)]


def make(bench: Bench) -> Table:
    each = [bench.small.place(run, isle=run.isle) for run in own(bench)]
    rows = [{"name": "VidTAG, a model for each isle, its own gallery", **_together(each)}]
    for name, run in (
        ("VidTAG, one model, each isle's own gallery", VIDTAG),
        ("GeoCLIP fine-tuned, one model, each isle's own gallery", GEOCLIP),
    ):
        rows.append({"name": name, **_together([bench.lab.place(run, isle=isle) for isle in bench.one_isles])})
    unified = bench.lab.place(VIDTAG)
    kept = [number for number, drive in enumerate(unified.drives) if drive.isle in bench.one_isles]
    predicted, phase1 = ([part[number] for number in kept] for part in (unified.predicted, unified.phase1))
    rows.append(
        {
            "name": "VidTAG, one model, one gallery of all isles",
            **_together([Placement(tuple(unified.drives[n] for n in kept), predicted, phase1, 0.0)]),
            **levels(bench, VIDTAG, Gallery("cities")),
        }
    )
    rows.append({"name": "VidTAG trained on city centres (Table 3)", **levels(bench, CITY_ROWS["VidTAG as in the paper"])})
    share = bench.small.budget.phase1_steps / bench.lab.budget.phase1_steps
    notes = (
        f"{len(bench.one_isles)} isles. Each isle's own model has {share:.2f} of the steps of the one for all, which sees"
        f" {len(bench.lab.world.isles)} times as many drives."
        " City and country (Table 13) are of the one model asked for city centres, beside the model that was trained on them.",
    )
    return Table(
        NUMBER, "one unified model against one each (also Table 13)", (NAME, *FRAMES, *TRAJECTORY, *CITY_COLUMNS), tuple(rows), notes
    )


def _together(placed: list[Placement]) -> dict[str, float]:
    drives = [drive for one in placed for drive in one.drives]
    predicted: list[np.ndarray] = [places for one in placed for places in one.predicted]
    return scores(drives, predicted)
