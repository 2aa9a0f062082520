"""Table 10: frames of a training clip."""

from __future__ import annotations

from dataclasses import replace

from .bench import Bench
from .rows import VIDTAG
from .runs import Run
from .table import Table
from .variants import variants_table

NUMBER = "10"
ROWS = {
    f"{frames} frames": VIDTAG
    if frames == 16
    else replace(VIDTAG, row=f"10_frames_{frames}", options={**VIDTAG.options, "clip_frames": frames})
    for frames in (4, 8, 16)
}


def runs(bench: Bench) -> list[Run]:  # noqa: ARG001
    return list(ROWS.values())


def make(bench: Bench) -> Table:
    notes = ("As many clips a batch and as many steps in each row, as in the paper: shorter clips see fewer frames.",)
    return variants_table(bench, NUMBER, "length of training sequences", ROWS, notes)
