"""Count an area's gallery points, write them as a layer, and measure how long they will take."""

from __future__ import annotations

import math
import sqlite3
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atomic import replacing
from ..export.geopackage_tables import add_styles
from ..feedback import Feedback
from ..grid import AreaOfInterest, Grid, load_aoi, make_grid, write_points
from ..outputs import check_files
from ..search import Smoothness
from ..search.choose import EXHAUSTIVE_POINTS
from ..types import InputError

if TYPE_CHECKING:
    from ..command_arguments import GalleryArguments
    from ..geolocation import Loaded

_SAMPLE_POINTS = 2048
_SAMPLE_FRAMES = 8
# As the coarse pass plans its first step (search/coarse_to_fine.py): few points cost next to nothing, and are then made more.
_FREE_POINTS = 4096
_COARSE_WORTH = 3.0


def run_gallery(arguments: GalleryArguments, *, feedback: Feedback = Feedback()) -> dict[str, Any]:
    """Plan the grid; write its points where ``output`` is given; measure its time where ``checkpoint`` is given.

    Returns:
        The grid's summary (``count``, ``area_m2``, ...), ``output``, and ``time``: see :func:`measure_time`, None without a checkpoint.

    Raises:
        InputError: area, resolution, checkpoint or output cannot be used.
        CancelledError: stopped; nothing is left behind.
    """
    if arguments.output and Path(arguments.output).suffix.lower() != ".gpkg":
        raise InputError(f"{Path(arguments.output).name} must end in .gpkg: the points are written as a GeoPackage.")
    check_files("gallery", asdict(arguments))
    aoi = load_aoi(arguments.aoi, layer=arguments.aoi_layer, crs=arguments.aoi_crs)
    grid = make_grid(aoi, arguments.resolution_m, arguments.grid)
    summary: dict[str, Any] = {**grid.to_summary(), "notes": list(aoi.notes), "output": None, "time": None}
    if arguments.output:
        output = Path(arguments.output)
        _write(grid, output, feedback, overwrite=arguments.overwrite)
        summary["output"] = str(output)
    if arguments.checkpoint:
        from ..geolocation import load

        feedback.check("Stopped before the time was measured.")
        feedback.tell(0.9, "time", "measuring how long the points take")
        loaded = load(arguments.checkpoint, arguments.device, feedback)
        summary["time"] = measure_time(loaded, aoi, grid, exhaustive=arguments.exhaustive)
    feedback.tell(1.0, "done", f"{grid.count:,} points")
    return summary


def measure_time(loaded: Loaded, aoi: AreaOfInterest, grid: Grid, *, exhaustive: bool = False) -> dict[str, Any]:
    """Time a sample of the gallery and of frames on this machine.

    Returns:
        ``embedded_points``: points to embed, in a large area those of the coarse pass, about. ``gallery_s``: seconds for them, once an area and checkpoint
        (they are kept). ``frame_s``: seconds to encode a frame. ``device``.
    """
    sample = grid.at(np.linspace(0, grid.count - 1, min(_SAMPLE_POINTS, grid.count)).astype(np.int64))
    per_point_s = _seconds_a_point(loaded, sample)
    points = grid.count if exhaustive else planned_points(aoi, grid, loaded)
    pictures = np.random.default_rng(0).integers(0, 255, (_SAMPLE_FRAMES, 270, 480, 3), dtype=np.uint8)
    prepared = [loaded.encoder.preprocess(picture) for picture in pictures]
    list(loaded.encoder.encode_prepared(iter(prepared[:2]), batch_size=2))  # the first batch builds what later ones use
    since_s = time.perf_counter()
    list(loaded.encoder.encode_prepared(iter(prepared), batch_size=_SAMPLE_FRAMES))
    return {
        "embedded_points": points,
        "gallery_s": round(points * per_point_s, 2),
        "frame_s": round((time.perf_counter() - since_s) / _SAMPLE_FRAMES, 4),
        "device": loaded.device.type,
    }


def planned_points(aoi: AreaOfInterest, grid: Grid, loaded: Loaded) -> int:
    """Points that a search embeds: all of a small grid; of a large one about those that its coarse pass starts with."""
    if grid.count <= EXHAUSTIVE_POINTS or not loaded.card.smoothness:
        return grid.count
    length_m = Smoothness.from_dict(loaded.card.smoothness).length_m
    step_m = float(np.clip(math.sqrt(aoi.area_m2 / _FREE_POINTS), length_m / 2, length_m))
    coarse = math.ceil(aoi.area_m2 / step_m**2)
    return coarse if coarse * _COARSE_WORTH <= grid.count else grid.count


def _seconds_a_point(loaded: Loaded, sample: Any) -> float:
    import torch

    places = torch.from_numpy(np.ascontiguousarray(sample)).to(loaded.device)
    with torch.inference_mode():
        loaded.model.embed_locations(places[:64])  # the first call is slower
        since_s = time.perf_counter()
        # The copy to the CPU waits for a graphics card's work.
        loaded.model.embed_locations(places).cpu()
    return (time.perf_counter() - since_s) / len(sample)


def _write(grid: Grid, output: Path, feedback: Feedback, *, overwrite: bool) -> None:
    """Points and their style, whole or not at all."""
    with replacing(output, "gallery", overwrite=overwrite) as part:
        write_points(grid, part, feedback=feedback.part(0.0, 0.9))
        with closing(sqlite3.connect(part)) as database, database:
            add_styles(database, ["gallery"])
