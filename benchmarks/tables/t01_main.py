"""Tables 1 and 2: the methods side by side."""

from __future__ import annotations

from dataclasses import replace

from .bench import Bench
from .rows import GEOCLIP, MAIN, SHIPPED, VIDTAG
from .runs import Run
from .scores import paired_difference, within
from .table import FRAMES, NAME, TRAJECTORY, VIDEOS, Table

NUMBER = "1"


def runs(bench: Bench) -> list[Run]:
    return [replace(run, seed=seed) for run in MAIN.values() for seed in bench.seeds]


def make(bench: Bench) -> Table:
    rows = tuple(bench.row(name, run, seeds=bench.seeds) for name, run in MAIN.items())
    notes = [
        f"Means ± standard deviations over {len(bench.seeds)} trainings. All rows see the same stored features of two frozen backbones, with the same start of"
        " their first layer, and have the same number of steps and frames a step; learning rates are chosen on the dev world. Cells of PlaNet and ISNs are of S2"
        " level 13, of GeoDecoder 8, 10, 11 and 13, and answer with their centres, which costs at 0.5 km whatever the classifier knows.",
        _difference(bench, GEOCLIP, VIDTAG, "VidTAG as in the paper over fine-tuned GeoCLIP", 1.0)
        + " In the paper it is 18.5 points on MSLS, of which other backbones are 13.8: here both have the same.",
        _difference(bench, VIDTAG, SHIPPED, "VidTAG as we ship it over the paper's", 0.5),
    ]
    return Table(NUMBER, "the methods side by side (also Table 2)", (NAME, *FRAMES, *VIDEOS, *TRAJECTORY), rows, tuple(notes))


def _difference(bench: Bench, worse: Run, better: Run, words: str, radius_km: float) -> str:
    hits = [[within(p.drives, p.predicted, radius_km) for p in bench.placements(run, seeds=bench.seeds)] for run in (worse, better)]
    found = paired_difference(hits[0], hits[1])
    interval = f"95 % interval {found.low:+.1f} to {found.high:+.1f} (a bootstrap over drives and training seeds)"
    return f"{words} at {radius_km:g} km: {found.mean:+.1f} points, {interval}."
