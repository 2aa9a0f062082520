"""Figure 12: at which scale, and of what kind, errors are."""

from __future__ import annotations

from collections import Counter

import numpy as np

from vidtag_engine.evaluation.metrics import errors_m
from vidtag_engine.geodesy import haversine_m, wrap_lon
from vidtag_engine.types import FloatArray

from ..isles_world import Drive
from .bench import Bench
from .lab import Placement
from .pictures import COLOURS, figure, save
from .rows import GEOCLIP, SHIPPED, VIDTAG
from .runs import Run
from .table import NAME, Column, Table

NUMBER = "fig12"
PICTURE = "tables-errors.png"
ROWS = {"GeoCLIP fine-tuned": GEOCLIP, "VidTAG as in the paper": VIDTAG, "ours, retrieval alone": SHIPPED}
SCALES_KM = (0.5, 1.0, 5.0, 25.0, 100.0)
SCALES = ("≤ 0.5 km", "0.5–1 km", "1–5 km", "5–25 km", "25–100 km", "another isle")
KINDS = ("right", "outliers", "shifted", "collapsed", "scattered", "on another isle")
_NEAR_M, _FAR_M = 1000.0, 100_000.0


def runs(bench: Bench) -> list[Run]:  # noqa: ARG001
    return list(ROWS.values())


def make(bench: Bench) -> Table:
    rows = []
    for name, run in ROWS.items():
        placed = bench.lab.place(run)
        rows.append({"name": name, **scales(placed), **kinds(placed)})
    made, axes = figure(2, width=5.0)
    for axis, words, title in ((axes[0, 0], SCALES, "frames by error"), (axes[0, 1], KINDS, "drives by kind of error")):
        places = np.arange(len(words))
        for number, row in enumerate(rows):
            axis.bar(places + 0.27 * (number - 1), [row[word] for word in words], 0.25, color=COLOURS[number], label=row["name"])
        axis.set_xticks(places, words, fontsize=6)
        axis.set_title(title, fontsize=9)
    axes[0, 0].set_ylabel("%")
    axes[0, 0].legend(fontsize=6)
    save(made, bench.pictures / PICTURE)
    columns = (NAME, *(Column(word, f"{word} %", 1) for word in SCALES), *(Column(word, f"drives: {word} %", 1) for word in KINDS))
    notes = (
        "Scales are of frames, kinds of whole drives (the failure modes of the paper's Fig. 4): right: at least four fifths of the frames within 1 km;"
        " outliers: at least half of them; shifted: the median error is above 1 km and the frames keep their places to each other; collapsed: the answers"
        " spread over less than a fifth of the truth; on another isle: the median error is above 100 km; scattered: the rest.",
    )
    return Table(NUMBER, "scales and kinds of error", columns, tuple(rows), notes, PICTURE)


def scales(placed: Placement) -> dict[str, float]:
    """Per cent of the frames by error."""
    errors = np.concatenate([errors_m(p, d.sequence.lat_lon_deg) for p, d in zip(placed.predicted, placed.drives, strict=True)])
    counts = np.bincount(np.searchsorted(1000.0 * np.array(SCALES_KM), errors), minlength=len(SCALES))
    return {word: 100.0 * float(count) / len(errors) for word, count in zip(SCALES, counts, strict=True)}


def kinds(placed: Placement) -> dict[str, float]:
    """Per cent of the drives by kind."""
    found = Counter(kind_of(places, drive) for places, drive in zip(placed.predicted, placed.drives, strict=True))
    return {kind: 100.0 * found[kind] / len(placed.drives) for kind in KINDS}


def kind_of(predicted: FloatArray, drive: Drive) -> str:
    """How a drive's answers (T, 2) are wrong, if they are."""
    truth = drive.sequence.lat_lon_deg
    errors = errors_m(predicted, truth)
    near = float(np.mean(errors <= _NEAR_M))
    if near >= 0.8:
        return "right"
    if near >= 0.5:
        return "outliers"
    if float(np.median(errors)) > _FAR_M:
        return "on another isle"
    if _spread_m(predicted) < _spread_m(truth) / 5:
        return "collapsed"
    north = predicted[:, 0] - truth[:, 0]
    east = wrap_lon(predicted[:, 1] - truth[:, 1])
    moved = np.stack([truth[:, 0] + np.median(north), truth[:, 1] + np.median(east)], axis=1)
    return "shifted" if float(np.median(errors_m(predicted, moved))) < _NEAR_M / 2 else "scattered"


def _spread_m(points: FloatArray) -> float:
    """Largest distance from the first point."""
    return float(haversine_m(points[:1, 0], points[:1, 1], points[:, 0], points[:, 1]).max())
