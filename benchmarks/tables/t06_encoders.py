"""Table 6: the second encoder swapped for another."""

from __future__ import annotations

from dataclasses import replace

from ..isles_world import SWAPPED_NAMES
from .bench import Bench
from .rows import VIDTAG
from .runs import Run
from .table import FRAMES, NAME, TRAJECTORY, Table

NUMBER = "6"
SWAPPED = replace(VIDTAG, row="6_swapped", backbones=SWAPPED_NAMES)


def runs(bench: Bench) -> list[Run]:  # noqa: ARG001
    return [VIDTAG, SWAPPED]


def make(bench: Bench) -> Table:
    rows = (
        bench.row(" + ".join(SWAPPED.backbones), SWAPPED),
        bench.row(" + ".join(VIDTAG.backbones), VIDTAG),
    )
    notes = (
        "The paper puts SigLIP, an upgraded CLIP, in DINOv2's place and loses 12.3 points at 1 km. All networks here are of one family,"
        " trained on the same pictures, so that a pair can complement each other by size alone.",
    )
    return Table(NUMBER, "the second encoder swapped", (NAME, *FRAMES, *TRAJECTORY), rows, notes)
