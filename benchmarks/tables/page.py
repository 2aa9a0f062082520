"""The page of all tables: JSON, and the Markdown made from nothing but that JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .registry import TABLES
from .table import Table

MARKDOWN, JSON, PICTURES = "tables.md", "tables.json", "pictures"


def write_page(folder: Path, about: dict[str, Any], tables: Iterable[Table]) -> Path:
    """Write ``tables.json`` and ``tables.md``; tables of the same world and budget that are there already and were not made again stay.

    Args:
        folder: of the page.
        about: what the tables are of: ``world``, ``seed``, ``size``, ``budget``.
        tables: just made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = _read(folder / JSON)
    kept = known["tables"] if known and known["about"] == about else []
    by_number = {values["number"]: values for values in kept} | {table.number: table.to_dict() for table in tables}
    content = {"simulated": True, "about": about, "tables": [by_number[number] for number in TABLES if number in by_number]}
    _write(folder / JSON, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    _write(folder / MARKDOWN, markdown(content))
    return folder / MARKDOWN


def markdown(content: dict[str, Any]) -> str:
    """The page, from what ``tables.json`` says."""
    about = content["about"]
    budget = about["budget"]
    lines = [
        "# The paper's tables in miniature",
        "",
        "**Every number here is simulated**: of Phantom Isles, a world made from a seed"
        f" (seed {about['seed']}, {about['size']}; {about['isles']} isles, {about['train_frames']:,} training and {about['test_frames']:,} test frames)."
        " Test frames are those of both test splits, on streets that training drives took and on streets that none did.",
        "",
        f"Each method has {budget['phase1_steps']:,} steps of {budget['batch_clips']} × {budget['clip_frames']} frames, and {budget['phase2_steps']}"
        " of Phase II where it has one; the paper's schedules are squeezed into these. The gallery is an Equal Earth grid of 0.1 km over all isles where"
        " nothing else is said. Made by `python -m benchmarks tables`. The same numbers are in [tables.json](tables.json).",
        "",
        f"Learning rates were chosen by `python -m benchmarks tables --sweep` on the dev world for {_words(about['swept'])}. Variants of a row"
        " that were not swept themselves have its rates.",
        "",
    ]
    return "\n".join(lines) + "\n" + "\n".join(Table.from_dict(values).markdown() for values in content["tables"]).rstrip() + "\n"


def _words(rows: list[str]) -> str:
    return "the rows " + ", ".join(rows) if rows else "no row yet"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
