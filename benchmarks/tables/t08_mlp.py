"""Table 8: layers of the frame MLP."""

from __future__ import annotations

from dataclasses import replace

from .bench import Bench
from .rows import VIDTAG
from .runs import Run
from .table import FRAMES, NAME, Column, Table

NUMBER = "8"
ROWS = {layers: VIDTAG if layers == 2 else replace(VIDTAG, row=f"8_mlp_{layers}", mlp=(256,) * (layers - 1)) for layers in (2, 3, 4, 5)}


def runs(bench: Bench) -> list[Run]:  # noqa: ARG001
    return list(ROWS.values())


def make(bench: Bench) -> Table:
    rows = []
    for layers, run in ROWS.items():
        model, _ = bench.lab.train(run)
        millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
        rows.append({**bench.row(f"{layers} layers", run), "parameters": millions})
    columns = (NAME, *FRAMES, Column("parameters", "trained parameters, millions", 2))
    return Table(NUMBER, "layers of the frame MLP (the compact preset has 2)", columns, tuple(rows))
