"""Table 3: which city a video is of, by retrieval over city centres or by classes that are cities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from vidtag_engine.datasets import LEVELS
from vidtag_engine.evaluation.metrics import video_prediction

from ..isles_world import city_number
from .bench import Bench
from .lab import Gallery
from .rows import GEOCLIP, GEODECODER, ISNS, PLANET, SHIPPED, VIDTAG
from .runs import Run
from .table import NAME, Column, Table

NUMBER = "3"
ROWS = {
    name: replace(run, target="cities", row=f"3_{run.row}")
    for name, run in {
        "PlaNet": PLANET,
        "ISNs": ISNS,
        "GeoDecoder": GEODECODER,
        "GeoCLIP fine-tuned": GEOCLIP,
        "VidTAG as in the paper": VIDTAG,
        "ours, retrieval alone": SHIPPED,
    }.items()
}
COLUMNS = (NAME, *(Column(level, f"{level} %", 1, "high") for level in LEVELS))


def runs(bench: Bench) -> list[Run]:  # noqa: ARG001
    return list(ROWS.values())


def make(bench: Bench) -> Table:
    rows = tuple({"name": name, **levels(bench, run)} for name, run in ROWS.items())
    cities = len(bench.lab.world.cities())
    notes = (
        f"{cities} cities. The gallery holds their centres; frames with the same target share it and are no negatives of each other. A video's place is the"
        " prediction nearest to the centroid of all (App. E.1), and its state, country and continent are the predicted city's. Classes of the classification"
        " methods are the cities; GeoDecoder has this one level.",
    )
    return Table(NUMBER, "which city, state, country and continent a video is of", COLUMNS, rows, notes)


def levels(bench: Bench, run: Run, gallery: Gallery | None = None) -> dict[str, Any]:
    """Per cent of the test videos that are put into the right city, state, country and continent."""
    placed = bench.lab.place(run, gallery or Gallery("cities"))
    cities = bench.lab.world.cities()
    places = np.array([video_prediction(one) for one in placed.predicted])
    said = [cities[number].labels for number in city_number(places, cities)]
    return {
        level: 100.0 * float(np.mean([getattr(a, level) == getattr(d.labels, level) for a, d in zip(said, placed.drives, strict=True)]))
        for level in LEVELS
    }
