"""An evaluation as Markdown, with its pictures beside it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..atomic import replacing, write_text
from ..file_marks import mark_of
from .confidence import bin_rows, radius_rows, region_rows, reliability_picture, state_text
from .report import accuracy_rows

if TYPE_CHECKING:
    from .report import Report


def write_markdown(path: Path, report: Report, *, overwrite: bool = False) -> list[Path]:
    """Write the report, and ``<name>.reliability.png`` beside it where the result has probabilities.

    Returns:
        the files written, the report first.

    Raises:
        InputError: one cannot be written.
    """
    columns = report.columns()
    metrics = zip(*[list(accuracy_rows(accuracy)) for _, accuracy in columns], strict=True)
    parts = [
        f"<!-- Generator: {mark_of('markdown')} -->",
        f"# Evaluation of {_cell(report.source)}",
        _table([("metric", *(name for name, _ in columns)), *((r[0][0], *(c for _, c in r)) for r in metrics)]),
    ]
    parts.append("\n".join(f"- {_cell(note)}" for note in report.notes()))
    files = [path]
    scores = report.confidence
    if scores is not None:
        parts += ["## Confidence", state_text(scores)]
        parts += [_table(rows) for rows in (list(radius_rows(scores)), list(region_rows(scores))) if len(rows) > 1]
        picture = reliability_picture(scores)
        if picture is not None:
            place = path.with_suffix(".reliability.png")
            with replacing(place, "reliability", overwrite=overwrite) as part:
                part.write_bytes(picture)
            files.append(place)
            parts += [f"![Reliability diagrams](<{place.name}>)", _table(list(bin_rows(scores)))]
    write_text(path, "\n\n".join(part for part in parts if part) + "\n", "markdown", overwrite=overwrite)
    return files


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    head, *body = rows
    lines = [head, tuple(["---"] + ["---:"] * (len(head) - 1)), *body]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """Text that Markdown takes as it is."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in " ".join(text.split()))
