"""All tables and figures, in the paper's order. A new one is a file and a line here."""

from __future__ import annotations

from typing import cast

from vidtag_engine.types import InputError

from . import (
    f07_throughput,
    f08_length,
    f09_features,
    f11_confusion,
    f12_errors,
    t01_main,
    t03_cities,
    t04_ablation,
    t05_resolution,
    t06_encoders,
    t07_hinge,
    t08_mlp,
    t09_sigma,
    t10_length,
    t11_galleries,
    t12_unified,
    t14_cost,
)
from .bench import TableModule

_MODULES = (
    t01_main,
    t03_cities,
    t04_ablation,
    t05_resolution,
    t06_encoders,
    t07_hinge,
    t08_mlp,
    t09_sigma,
    t10_length,
    t11_galleries,
    t12_unified,
    t14_cost,
    f07_throughput,
    f08_length,
    f09_features,
    f11_confusion,
    f12_errors,
)
TABLES: dict[str, TableModule] = {module.NUMBER: cast(TableModule, module) for module in _MODULES}


def chosen(only: str | None) -> dict[str, TableModule]:
    """The tables of a choice such as "4,7,fig8"; all for None.

    Raises:
        InputError: there is no such table.
    """
    if only is None:
        return TABLES
    names = [{"2": "1", "13": "12"}.get(name.strip(), name.strip()) for name in only.split(",")]
    if unknown := [name for name in names if name not in TABLES]:
        raise InputError(f"There is no table {', '.join(unknown)}: choose from {', '.join(TABLES)}.")
    return {name: module for name, module in TABLES.items() if name in names}
