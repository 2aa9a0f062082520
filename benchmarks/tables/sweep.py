"""The learning rates of every row, chosen on the dev world's validation drives and committed in ``rates.json``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..isles_settings import DEFAULT_RATES, PHASE2_RATES, RATES, RATES_FILE, Budget
from .bench import Bench, TableModule, unique
from .runs import RETRIEVAL, Run

SWEEP_BUDGET = Budget(200, 50, validate_every=50)  # a third of the tables' own


def sweep_rates(bench: Bench, tables: Iterable[TableModule]) -> dict[str, Any]:
    """Train every row with each rate of Phase I, then each of Phase II after the best, and write what did best on validation drives.

    Rows that were swept before are swept again; broken off, the same command goes on. Models of one isle take the rates of the one for all.
    """
    swept: dict[str, dict[str, float]] = {}
    for run in unique(bench, tables):
        if run.row in swept or run.seed != 0 or run.isle is not None:
            continue
        swept[run.row] = best_rates(bench, run)
        known = json.loads(RATES_FILE.read_text(encoding="utf-8")) if RATES_FILE.is_file() else {}
        RATES_FILE.write_text(json.dumps({**known, run.row: swept[run.row]}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return {"rates": swept, "file": str(RATES_FILE)}


def best_rates(bench: Bench, run: Run) -> dict[str, float]:
    """The rates with the lowest validation score, Phase I's first."""
    lab = bench.lab_of(run)
    first_only = replace(run, refiner=None)

    def score(one: Run) -> float:
        return float(lab.train(one)[1]["score"])

    phase1 = min(RATES, key=lambda rate: score(replace(first_only, rates=(rate, DEFAULT_RATES["phase2"]))))
    if run.method not in RETRIEVAL or run.refiner is None:
        return {"phase1": phase1}
    phase2 = min(PHASE2_RATES, key=lambda rate: score(replace(run, rates=(phase1, rate))))
    return {"phase1": phase1, "phase2": phase2}
