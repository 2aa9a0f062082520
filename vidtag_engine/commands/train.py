"""Train a checkpoint for an area from videos with tracks: text in, plain JSON values out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..feedback import Feedback
from ..grid import load_aoi
from ..outputs import check_files
from ..training import area_of, recipe, train
from ..training.settings import sigma_of
from ..training.sources import pair_sources
from ..training.tells import what_it_tells
from ..trajectory import Calibration
from ..truth_offset import offset_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..command_arguments import TrainArguments

_SETTINGS = (
    "preset", "resolution_m", "rate_hz", "phase1_steps", "phase2_steps", "local_features", "augment", "views", "validation_fraction", "device", "seed",
)  # fmt: skip


def run_train(
    arguments: TrainArguments,
    *,
    feedback: Feedback = Feedback(),
    log: Callable[[str, str], None] | None = None,
) -> dict[str, Any]:
    """Train, or go on with a run of the same inputs and settings that was broken off.

    Returns:
        ``output`` (the checkpoint's folder), ``curve``, ``log``, ``sha256``, ``metrics``, ``sources`` (how many were trained on), ``area``
        (minx, miny, maxx, maxy in degrees) and ``notes`` for people: on the area, what was added to the truths' clocks, and what the checkpoint can and cannot tell.

    Raises:
        InputError: bad sources, area or settings.
        CancelledError: stopped; the state lies in ``output/training``.
    """
    given = {name: value for name in _SETTINGS if (value := getattr(arguments, name)) is not None or name == "rate_hz"}
    settings = recipe(arguments.recipe, sigma=sigma_of(arguments.sigma), **given)
    sources = pair_sources(*([Path(text) for text in texts] for texts in (arguments.videos, arguments.truths, arguments.images)))
    held_out = [Path(text) for text in arguments.validation]
    offset = offset_of(arguments.truth_offset_s)
    check_files("train", asdict(arguments))
    area = load_aoi(arguments.aoi, layer=arguments.aoi_layer, crs=arguments.aoi_crs) if arguments.aoi else area_of(sources)
    if log:
        for note in area.notes:
            log("info", note)
    feedback.tell(0.0, "loading", f"{len(sources)} videos")
    result = train(
        sources,
        area,
        Path(arguments.output),
        settings,
        validation_sources=pair_sources(held_out, held_out) if held_out else [],
        overwrite=arguments.overwrite,
        feature_folder=Path(arguments.features) if arguments.features else None,
        truth_offset_s=offset,
        feedback=feedback,
        log=log,
    )
    return {
        "output": str(result.folder),
        "curve": str(result.folder / "curve.png"),
        "log": str(result.folder / "log.json"),
        "sha256": result.card.sha256,
        "metrics": result.card.metrics,
        "sources": len(sources),
        "area": list(area.bounds),
        "notes": [
            *area.notes,
            *(done.note for done in result.truth_offsets),
            *what_it_tells(Calibration.from_dict(result.card.calibration), settings.validation_fraction),
        ],
    }
