"""Figure 8: error against a video's length."""

from __future__ import annotations

import numpy as np

from vidtag_engine.evaluation.metrics import video_error_m

from .bench import Bench
from .pictures import COLOURS, figure, save
from .rows import GEOCLIP, SHIPPED, VIDTAG
from .runs import Run
from .table import NAME, Column, Table

NUMBER = "fig8"
PICTURE = "tables-video-length.png"
LENGTHS = (1, 2, 4, 8, None)
ROWS = {"GeoCLIP fine-tuned": GEOCLIP, "VidTAG as in the paper": VIDTAG, "ours, retrieval alone": SHIPPED}


def runs(bench: Bench) -> list[Run]:  # noqa: ARG001
    return list(ROWS.values())


def make(bench: Bench) -> Table:
    rows, errors = [], {}
    for name, run in ROWS.items():
        row: dict[str, object] = {"name": name}
        for length in LENGTHS:
            placed = bench.lab.place(run, longest=length)
            errors_km = [video_error_m(p, d.sequence.lat_lon_deg) / 1000 for p, d in zip(placed.predicted, placed.drives, strict=True)]
            errors[name, length] = errors_km
            row[_key(length)] = float(np.median(errors_km))
        rows.append(row)
    made, axes = figure(len(ROWS), width=3.2)
    for number, name in enumerate(ROWS):
        axis = axes[0, number]
        axis.boxplot(
            [np.maximum(errors[name, length], 1e-3) for length in LENGTHS], showfliers=False, medianprops={"color": COLOURS[number + 1]}
        )
        axis.set_xticks(range(1, len(LENGTHS) + 1), [_words(length) for length in LENGTHS], fontsize=7)
        axis.set(title=name, xlabel="frames", yscale="log")
        axis.title.set_fontsize(8)
    axes[0, 0].set_ylabel("error of the video, km")
    save(made, bench.pictures / PICTURE)
    columns = (
        NAME,
        *(Column(_key(length), f"{_words(length)} frame{'s' if length != 1 else ''}, median km", 2, "low") for length in LENGTHS),
    )
    notes = (
        "The same test drives, cut to their middle frames, so that nothing but the length differs (the paper compares different videos): a video's error is that of"
        " the prediction nearest to the centroid of all (App. E.1).",
    )
    return Table(NUMBER, "error against video length", columns, tuple(rows), notes, PICTURE)


def _key(length: int | None) -> str:
    return f"median_{length or 'all'}"


def _words(length: int | None) -> str:
    return "all" if length is None else str(length)
