"""``python -m benchmarks tables``: the whole way from a seed to the page."""

from __future__ import annotations

import dataclasses
import functools
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from simulator.towns.config import CALIBRATION_FRAMES, SIZES
from vidtag_engine.batch import compiled_folder
from vidtag_engine.cli.terminal import progress_bar
from vidtag_engine.models.frame_encoder import FrameEncoder, build_frame_encoder
from vidtag_engine.types import Progress, ProgressCallback

from ..isles_settings import BUDGETS, TRAINING_SEEDS, Budget, swept_rows
from ..isles_world import ROOT, RUNS, SWAPPED_NAMES, TEST_SPLITS, IslesWorld, load_world, make_world, world_folder
from .bench import Bench, TableModule, unique
from .estimate import core_seconds, minutes, world_core_seconds
from .lab import Lab
from .page import PICTURES, write_page
from .registry import chosen
from .runs import Run
from .side_by_side import Task, side_by_side
from .sweep import SWEEP_BUDGET, sweep_rates
from .train_retrieval import PHASE2_ONLY

_QUICK_ISLES = 3


def run(
    seed: int | str = 0,
    *,
    quick: bool = False,
    only: str | None = None,
    world: Path | None = None,
    output: Path | None = None,
    sweep: bool = False,
) -> dict[str, Any]:
    """Make the tables, or choose the learning rates.

    Broken off, the same command goes on where it stopped: whatever was trained or placed is read from ``build/benchmarks/tables``.

    Args:
        seed: of the world; made if it is absent.
        quick: a small world and budget.
        only: numbers of tables, with commas.
        world: a folder with a rendered world, instead of the benchmarks' own.
        output: folder of the page; ``docs/tables``, or for quick tables ``build/benchmarks/tables/quick``.
        sweep: instead of tables, train every row with each rate on the dev world and write ``rates.json``.
    """
    tables = chosen(only)
    size = "quick" if quick else "full"
    name = "dev" if sweep else str(seed)
    folder = world or world_folder(name, size)
    started = time.perf_counter()
    _say_what_comes_first(folder, size)
    if world is None:
        make_world(folder, name, size)
    budget = BUDGETS[size] if not sweep or quick else SWEEP_BUDGET
    page = output or (RUNS / "quick" if quick else ROOT / "docs" / "tables")
    with progress_bar() as bar:
        bench = make_bench(folder, budget, page / PICTURES, bar, quick=quick)
        if sweep:
            return sweep_rates(bench, tables.values())
        anew = functools.partial(make_bench, folder, budget, page / PICTURES, _silent, quick=quick)
        made = [tables[number].make(bench) for number in _trained(bench, tables, bar, anew)]
    path = write_page(page, _about(bench.lab, str(seed), size), made)
    return {
        "simulated": True,
        "page": str(path),
        "tables": [table.number for table in made],
        "minutes": round((time.perf_counter() - started) / 60, 1),
    }


def _say_what_comes_first(folder: Path, size: str) -> None:
    """How long it takes until trainings begin."""
    rendered, encoded = (folder / "world.json").is_file(), (folder / "features").is_dir()
    if rendered and encoded:
        return
    wanted = SIZES[size]
    frames = wanted.train_frames + wanted.val_frames + wanted.test_frames + (CALIBRATION_FRAMES if size == "full" else 0)
    seconds = world_core_seconds(frames, rendered=rendered, encoded=encoded)
    print(
        f"First the world in {folder} is {'encoded' if rendered else 'rendered and encoded'}: about {minutes([seconds]):.0f} minutes.",
        flush=True,
    )


def make_bench(folder: Path, budget: Budget, pictures: Path, progress: ProgressCallback, *, quick: bool) -> Bench:
    """The labs over a rendered world."""
    isles = load_world(
        folder, build_frame_encoder("vidtag-compact", compiled_folder=compiled_folder(), layout=True), progress, calibration=True
    )
    return bench_over(isles, functools.cache(lambda: load_world(folder, _swapped_encoder(), progress)), budget, pictures, RUNS, quick=quick)


def bench_over(isles: IslesWorld, swapped: Any, budget: Budget, pictures: Path, runs: Path, *, quick: bool) -> Bench:
    """The labs over a world that is loaded.

    Args:
        isles: the world.
        swapped: gives the same world through ``SWAPPED_NAMES``.
        budget: of every row; a model of one isle has a quarter of its steps.
        pictures: folder of figures.
        runs: folder of the store.
        quick: a few isles get a model of their own instead of all.
    """
    small = dataclasses.replace(budget, phase1_steps=max(1, budget.phase1_steps // 4), phase2_steps=max(1, budget.phase2_steps // 4))
    one_isles = tuple(isles.isles[:_QUICK_ISLES] if quick else isles.isles)
    lab = functools.cache(lambda: Lab(swapped(), budget, runs))
    return Bench(Lab(isles, budget, runs), Lab(isles, small, runs), lab, TRAINING_SEEDS, one_isles, pictures)


def _swapped_encoder() -> FrameEncoder:
    from vidtag_engine.models.backbones import BACKBONES

    built = {name: BACKBONES[name].build("pretrained") for name in SWAPPED_NAMES}
    modules = {name: module for name, (module, _) in built.items()}
    return FrameEncoder(modules, {name: source for name, (_, source) in built.items()}, compiled_folder=compiled_folder())


def _silent(_: Progress) -> None:
    """A worker's progress: none."""


def _trained(bench: Bench, tables: dict[str, TableModule], bar: ProgressCallback, anew: Callable[[], Bench]) -> Iterable[str]:
    """Train everything that the tables need, with progress of the whole and an estimate before; then give their numbers one by one."""
    runs = unique(bench, tables.values())
    weights = {repr(one): core_seconds(one, bench.lab_budget(one)) for one in runs}
    print(
        f"{len(runs)} trainings for {len(tables)} tables: about {minutes(list(weights.values())):.0f} minutes where none of them is stored yet.",
        flush=True,
    )
    for one in runs:
        bench.lab_of(one)  # what another encoder sees is computed here, once, and not by every worker
    done = 0.0
    for _, one in side_by_side(anew, trainings(bench, runs)):
        done += weights[repr(one)]
        bar(Progress(done / sum(weights.values()), "training", f"{one.row} seed {one.seed} is done"))
    for number in tables:
        bar(Progress(1.0, f"table {number}"))
        yield number


def trainings(bench: Bench, runs: Iterable[Run]) -> list[list[Task]]:
    """Tasks that train runs; those that share a Phase I are together, so that it is trained once."""
    groups: dict[str, list[Task]] = {}
    for run in runs:
        settings = run.settings(bench.lab_budget(run)).model_dump(mode="json", exclude=PHASE2_ONLY)
        first = [run.method, run.backbones, run.isle, run.target, run.mlp, run.shipped_location, settings]
        groups.setdefault(json.dumps(first, sort_keys=True), []).append((_train, run))
    return list(groups.values())


def _train(bench: Bench, run: Run) -> None:
    bench.lab_of(run).train(run)


def _about(lab: Lab, seed: str, size: str) -> dict[str, Any]:
    frames = {
        split: sum(len(drive.sequence) for drive in lab.world.of(*splits))
        for split, splits in (("train", ("train",)), ("test", TEST_SPLITS))
    }
    return {
        "world": lab.world.digest,
        "seed": seed,
        "size": size,
        "isles": len(lab.world.isles),
        "train_frames": frames["train"],
        "test_frames": frames["test"],
        "budget": dataclasses.asdict(lab.budget),
        "swept": swept_rows(),
    }
