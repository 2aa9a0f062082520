"""Compare a result with the truth, and write what was asked for: the errors as a layer, a report, a map, the numbers."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..atomic import write_text
from ..evaluation import evaluate_geopackage
from ..evaluation.error_layer import write_errors
from ..evaluation.html_report import write_html
from ..evaluation.markdown_report import write_markdown
from ..export import check_picture_name
from ..feedback import Feedback
from ..file_marks import mark_of
from ..outputs import check_files
from ..truth_offset import offset_of
from ..types import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..command_arguments import EvaluateArguments
    from ..evaluation import Report


def run_evaluate(arguments: EvaluateArguments, *, feedback: Feedback = Feedback()) -> dict[str, Any]:
    """Evaluate a GeoPackage.

    Returns:
        The report's own JSON values, ``notes`` for people, ``files``: what was written, by kind, and ``pinned``: names of the videos whose answer
        was solved with pins.

    Raises:
        InputError: nothing can be compared, and why; or an output cannot be written.
        CancelledError: stopped.
    """
    report, files = evaluated(arguments, feedback=feedback)
    feedback.tell(1.0, "evaluate", "done")
    pinned = [one.info.name for one in report.results if one.pinned]
    return {**report.to_dict(), "notes": report.notes(), "files": files, "pinned": pinned}


def evaluated(arguments: EvaluateArguments, *, feedback: Feedback = Feedback()) -> tuple[Report, dict[str, str]]:
    """The report, and the files that were written, by kind. Raises as :func:`run_evaluate`."""
    outputs = {kind: Path(value) for kind in ("errors", "html", "map", "json", "markdown") if (value := getattr(arguments, kind))}
    for kind, path in outputs.items():
        if kind == "map":
            check_picture_name(path)
        if kind == "errors" and path.suffix.lower() != ".gpkg":
            raise InputError(f"{path.name} must end in .gpkg: the errors are written as a GeoPackage.")
    offset = offset_of(arguments.truth_offset_s)
    check_files("evaluate", asdict(arguments))
    feedback.check()
    feedback.tell(0.0, "evaluate", "comparing")
    report = evaluate_geopackage(
        arguments.result,
        arguments.truth,
        video=arguments.video or None,
        answer=arguments.answer,
        truth_offset_s=offset,
        videos=arguments.videos,
        feedback=feedback,
    )
    return report, write_outputs(report, outputs, overwrite=arguments.overwrite, feedback=feedback)


def write_outputs(
    report: Report,
    outputs: dict[str, Path],
    *,
    overwrite: bool = False,
    feedback: Feedback = Feedback(),
) -> dict[str, str]:
    """Write the error layer (``errors``), the reports (``html``, ``markdown``), the ``map`` or the numbers (``json``).

    Args:
        report: what is told.
        outputs: paths by kind.
        overwrite: replace what is not this tool's own of that kind.
        feedback: of the whole.

    Returns:
        the paths by kind, and where there is one that of the report's diagrams as ``diagrams``.

    Raises:
        InputError: one cannot be written.
        CancelledError: stopped; those that are written are whole.
    """
    numbers = {"generator": mark_of("evaluation"), **report.to_dict()}
    writers: dict[str, Callable[[Path], Any]] = {
        "errors": lambda path: write_errors(path, report, overwrite=overwrite),
        "html": lambda path: write_html(path, report, overwrite=overwrite),
        "map": lambda path: report.write_map(path, overwrite=overwrite),
        "json": lambda path: write_text(path, json.dumps(numbers, ensure_ascii=False, indent=1), "evaluation", overwrite=overwrite),
        "markdown": lambda path: write_markdown(path, report, overwrite=overwrite),
    }
    files = {}
    for number, (kind, path) in enumerate(outputs.items()):
        feedback.check()
        feedback.tell((number + 1) / (len(outputs) + 1), "evaluate", f"writing {path.name}")
        written = writers[kind](path)
        files[kind] = str(path)
        if kind == "markdown" and len(written) > 1:
            files["diagrams"] = str(written[1])
    return files
