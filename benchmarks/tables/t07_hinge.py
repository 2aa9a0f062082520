"""Table 7: weights of Phase II's loss."""

from __future__ import annotations

from dataclasses import replace

from .bench import Bench
from .rows import VIDTAG
from .runs import Run
from .table import Table
from .variants import variants_table

NUMBER = "7"
ROWS = {
    f"α, β = {alpha:g}, 1": VIDTAG if alpha == 10 else replace(VIDTAG, row=f"7_alpha_{alpha:g}", options={**VIDTAG.options, "alpha": alpha})
    for alpha in (1.0, 10.0, 100.0)
}


def runs(bench: Bench) -> list[Run]:  # noqa: ARG001
    return list(ROWS.values())


def make(bench: Bench) -> Table:
    return variants_table(bench, NUMBER, "α and β of Phase II's loss", ROWS)
