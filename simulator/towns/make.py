"""Make the world: plan every isle, render its drives in worker processes, write the tables and the manifest. Runs go on where they were broken off."""

from __future__ import annotations

import dataclasses
import itertools
import json
import multiprocessing
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shapely.geometry import mapping

from vidtag_engine.types import InputError, Progress

from ..write import LICENCE, replace_text
from .builder import TownBuilder
from .config import WorldConfig, WorldSize, config_sha256
from .drives import CALIBRATION, SPLITS, TownDrive, plan_town
from .isles import WORLD_ISLES
from .labels import SCENES
from .layouts import LAYOUTS, record_path, write_cityguessr_tables, write_drive, write_msls_tables
from .render import TownRenderer, far_config

BATCH_FRAMES = 240  # of one isle that a worker takes at a time; their drives lie near each other


@dataclass(frozen=True)
class Order:
    """What is to be made.

    Args:
        output: folder.
        seed: of the world.
        isles: their names; the pictures are shared out among all isles of the world, so that fewer isles make fewer pictures.
        size: numbers and size of pictures.
        layouts: of ``layouts.LAYOUTS``.
        config: difficulty.
        calibration_frames: of further drives, over all isles of the world; see :func:`make_calibration`.
    """

    output: Path
    seed: int
    isles: tuple[str, ...]
    size: WorldSize
    layouts: tuple[str, ...] = LAYOUTS
    config: WorldConfig = field(default_factory=WorldConfig)
    calibration_frames: int = 0

    def builder(self, isle: str) -> TownBuilder:
        """An isle, not yet built."""
        return TownBuilder(WORLD_ISLES[isle], self.config, self.seed)

    def plan(self, builder: TownBuilder) -> list[TownDrive]:
        """Its drives."""
        wanted = (self.size.train_frames, self.size.val_frames, self.size.test_frames, self.calibration_frames)
        train, val, test, calibration = (-(-frames // len(WORLD_ISLES)) for frames in wanted)
        return plan_town(builder, train, val, test, calibration)


def settings_of(order: Order) -> dict[str, Any]:
    """What a folder must agree on with the run that goes on in it."""
    return {
        "seed": order.seed, "config_sha256": config_sha256(order.config), "config": dataclasses.asdict(order.config),
        "size": dataclasses.asdict(order.size), "layouts": list(order.layouts),
    }  # fmt: skip


def _claim(order: Order) -> None:
    """Refuse a folder in which another world lies."""
    path = order.output / "settings.json"
    settings = json.loads(json.dumps(settings_of(order)))
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != settings:
        raise InputError(f"{order.output} holds a world of another seed, size or configuration: choose another --output.")
    text = json.dumps(settings, indent=1) + "\n"
    replace_text(path, text)


def batches(order: Order, isle: str, drives: Sequence[TownDrive]) -> list[tuple[str, list[str]]]:
    """Names of the drives that are still to be rendered, in batches of neighbours."""
    open_ = [drive for drive in drives if not record_path(order.output, drive).exists()]
    axis = 0 if WORLD_ISLES[isle].half_length_m > WORLD_ISLES[isle].half_width_m else 1
    open_.sort(key=lambda drive: float(drive.position_m[:, axis].mean()))
    found: list[tuple[str, list[str]]] = []
    frames = BATCH_FRAMES
    for drive in open_:
        if frames >= BATCH_FRAMES:
            found.append((isle, []))
            frames = 0
        found[-1][1].append(drive.name)
        frames += len(drive.time_s)
    return found


def _work(order: Order, isle: str, tasks: Any, done: Any) -> None:
    """A worker: takes batches of an isle until there are none."""
    parent = multiprocessing.parent_process()
    try:
        builder = order.builder(isle)
        drives = {drive.name: drive for drive in order.plan(builder)}
        with TownRenderer(builder, far_config(order.size.width_px, order.size.height_px)) as renderer:
            while (names := tasks.get()) is not None:
                for name in names:
                    if parent is not None and not parent.is_alive():
                        return
                    drive = drives[name]
                    write_drive(order.output, builder, drive, renderer.drive(drive), order.layouts)
                    done.put((name, len(drive.time_s)))
    except Exception as error:
        done.put((f"{type(error).__name__}: {error}", -1))
        raise


def render_all(
    order: Order, tasks: list[tuple[str, list[str]]], frames: dict[str, int], workers: int, progress: Callable[[Progress], None]
) -> None:
    """Render batches, isle after isle; each isle has worker processes of its own, since the graphics library keeps what it has once drawn (half a GB an isle)."""
    total, made = sum(frames[name] for _, names in tasks for name in names), 0
    for isle, group in itertools.groupby(tasks, key=lambda task: task[0]):
        for count in _render(order, isle, [names for _, names in group], workers):
            made += count
            progress(Progress(made / total, "rendering", f"{made} of {total} pictures"))


def _render(order: Order, isle: str, named: list[list[str]], workers: int) -> Iterator[int]:
    """Render an isle's batches in worker processes; yields each drive's number of frames once it is written."""
    context = multiprocessing.get_context("spawn")  # the graphics library must not be forked
    todo, done = context.Queue(), context.Queue()
    workers = min(workers, len(named))
    for batch in [*named, *[None] * workers]:
        todo.put(batch)
    processes = [context.Process(target=_work, args=(order, isle, todo, done), daemon=True) for _ in range(workers)]
    for process in processes:
        process.start()
    left = {name for names in named for name in names}
    try:
        while left:
            try:
                name, count = done.get(timeout=5)
            except queue.Empty:
                if not any(process.is_alive() for process in processes):
                    raise RuntimeError("The rendering processes ended before their work was done.") from None
                continue
            if count < 0:
                raise RuntimeError(f"Rendering failed: {name}")
            left.discard(name)
            yield count
        for process in processes:
            process.join()
    finally:
        for process in processes:
            process.terminate()


def make_world(order: Order, workers: int, progress: Callable[[Progress], None]) -> dict[str, Any]:
    """Plan, render and write everything; returns the manifest.

    Raises:
        InputError: the folder holds another world.
    """
    _claim(order)
    start = time.perf_counter()
    plans: dict[str, list[TownDrive]] = {}
    areas = []
    for number, isle in enumerate(order.isles):
        progress(Progress(0.0, "planning", f"{isle} ({number + 1} of {len(order.isles)})"))
        builder = order.builder(isle)
        plans[isle] = order.plan(builder)
        areas.append({"type": "Feature", "properties": {"name": isle, "title": builder.town.title}, "geometry": mapping(builder.area())})
    frames = {drive.name: len(drive.time_s) for drives in plans.values() for drive in drives}
    tasks = [task for isle, drives in plans.items() for task in batches(order, isle, drives)]
    if tasks:
        render_all(order, tasks, frames, workers, progress)
    records = [json.loads(record_path(order.output, drive).read_text(encoding="utf-8")) for drives in plans.values() for drive in drives]
    if "msls" in order.layouts:
        write_msls_tables(order.output, records)
    if "cityguessr" in order.layouts:
        write_cityguessr_tables(order.output, records)
    area = json.dumps({"type": "FeatureCollection", "features": areas}, indent=1) + "\n"
    replace_text(order.output / "aoi.geojson", area)
    made = manifest(order, records)
    text = json.dumps(made, indent=1) + "\n"
    replace_text(order.output / "world.json", text)
    return {**made, "seconds": time.perf_counter() - start, "rendered_frames": sum(frames[name] for _, names in tasks for name in names)}


def make_calibration(folder: Path, frames: int, workers: int, progress: Callable[[Progress], None]) -> dict[str, Any]:
    """More held-out drives in a world that was made, listed in ``calibration.json`` beside its manifest, which stays as it is.

    Args:
        folder: of the world.
        frames: over all isles of the world.
        workers: processes.
        progress: of planning and rendering.

    Raises:
        InputError: there is no world in the folder, or it is of another configuration.
    """
    order = _order_of(folder, frames)
    plans: dict[str, list[TownDrive]] = {}
    for number, isle in enumerate(order.isles):
        progress(Progress(0.0, "planning", f"{isle} ({number + 1} of {len(order.isles)})"))
        plans[isle] = [drive for drive in order.plan(order.builder(isle)) if drive.split == CALIBRATION]
    counts = {drive.name: len(drive.time_s) for drives in plans.values() for drive in drives}
    tasks = [task for isle, drives in plans.items() for task in batches(order, isle, drives)]
    if tasks:
        render_all(order, tasks, counts, workers, progress)
    records = [json.loads(record_path(order.output, drive).read_text(encoding="utf-8")) for drives in plans.values() for drive in drives]
    made = {"simulated": True, "licence": LICENCE, "calibration_frames": frames, "drives": _short(records)}
    replace_text(folder / "calibration.json", json.dumps(made, indent=1) + "\n")
    return made


def _order_of(folder: Path, calibration_frames: int) -> Order:
    """The order that a world was made by, with further drives."""
    try:
        settings, made = (json.loads((folder / name).read_text(encoding="utf-8")) for name in ("settings.json", "world.json"))
    except FileNotFoundError:
        raise InputError(f"There is no finished world in {folder}: make it with make-world first.") from None
    if settings["config_sha256"] != config_sha256(WorldConfig()):
        raise InputError(f"The world in {folder} was made by another version: make it anew in another folder.")
    isles = tuple(isle["name"] for isle in made["isles"])
    return Order(folder, settings["seed"], isles, WorldSize(**settings["size"]), ("videos",), calibration_frames=calibration_frames)


def _short(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without places."""
    return [{key: value for key, value in record.items() if key not in {"lat_lon", "exact_lat_lon", "heading_deg"}} for record in records]


def manifest(order: Order, records: list[dict[str, Any]]) -> dict[str, Any]:
    """What was made, from which settings (with their hash)."""
    isles = [{**dataclasses.asdict(WORLD_ISLES[isle]), "name": isle} for isle in order.isles]
    return {
        "simulated": True, "licence": LICENCE, **settings_of(order), "scenes": list(SCENES),
        "notes": {
            "text_vectors": "The 512 text numbers of the CityGuessr layout are a random unit vector a label, seeded by its words. No text encoder made them.",
            "msls": "Train is train_val/*/database, val is train_val/*/query, test is test/*/query, test_unseen is test/*/database.",
            "truth": "Exact, but for training drives, whose receivers wander; records hold exact_lat_lon too.",
        },
        "frames": {split: sum(record["frames"] for record in records if record["split"] == split) for split in SPLITS},
        "isles": isles, "drives": _short(records),
    }  # fmt: skip
