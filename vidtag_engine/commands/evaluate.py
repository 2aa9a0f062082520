"""Compare a result with the truth, and write what was asked for: the errors as a layer, a report, a map, the numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..batch import check_place
from ..evaluation import evaluate_geopackage
from ..evaluation.error_layer import write_errors
from ..evaluation.html_report import write_html
from ..export import check_picture_name
from ..export.atomic import write_text
from ..types import CancelCheck, CancelledError, InputError, Progress, ProgressCallback

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..evaluation import Report
    from ..protocol import EvaluateArguments


def run_evaluate(
    arguments: EvaluateArguments, *, progress: ProgressCallback | None = None, cancelled: CancelCheck | None = None
) -> dict[str, Any]:
    """Evaluate a GeoPackage.

    Returns:
        The report's own JSON values, ``notes`` for people, ``files``: what was written, by kind, and ``pinned``: names of the videos whose answer
        was solved with pins.

    Raises:
        InputError: nothing can be compared, and why; or an output cannot be written.
        CancelledError: stopped.
    """
    outputs = {kind: Path(value) for kind in ("errors", "html", "map", "json") if (value := getattr(arguments, kind))}
    check_outputs(outputs)
    _step(progress, cancelled, 0.0, "comparing")
    report = evaluate_geopackage(arguments.result, arguments.truth, video=arguments.video or None, answer=arguments.answer)
    files = write_outputs(report, outputs, progress=progress, cancelled=cancelled)
    _step(progress, None, 1.0, "done")
    pinned = [one.info.name for one in report.results if one.pinned]
    return {**report.to_dict(), "notes": report.notes(), "files": files, "pinned": pinned}


def check_outputs(outputs: dict[str, Path]) -> None:
    """Refuse what cannot be written before anything is compared. Raises InputError."""
    for kind, path in outputs.items():
        check_place(path)
        if kind == "map":
            check_picture_name(path)
        if kind == "errors" and path.suffix.lower() != ".gpkg":
            raise InputError(f"{path.name} must end in .gpkg: the errors are written as a GeoPackage.")


def write_outputs(
    report: Report, outputs: dict[str, Path], *, progress: ProgressCallback | None = None, cancelled: CancelCheck | None = None
) -> dict[str, str]:
    """Write the error layer (``errors``), the report (``html``), the ``map`` or the numbers (``json``); returns the paths by kind."""
    check_outputs(outputs)
    writers: dict[str, Callable[[Path], None]] = {
        "errors": lambda path: write_errors(path, report),
        "html": lambda path: write_html(path, report),
        "map": report.write_map,
        "json": lambda path: write_text(path, json.dumps(report.to_dict(), ensure_ascii=False, indent=1)),
    }
    for number, (kind, path) in enumerate(outputs.items()):
        _step(progress, cancelled, (number + 1) / (len(outputs) + 1), f"writing {path.name}")
        writers[kind](path)
    return {kind: str(path) for kind, path in outputs.items()}


def _step(progress: ProgressCallback | None, cancelled: CancelCheck | None, fraction: float, message: str) -> None:
    if cancelled and cancelled():
        raise CancelledError("Stopped.")
    if progress:
        progress(Progress(fraction, "evaluate", message))
