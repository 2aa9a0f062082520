"""A finished table or figure: plain values, and the Markdown made from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Column:
    """A column.

    Args:
        key: of the row's value; ``{key}_sd`` beside it is a standard deviation over training seeds.
        title: with its unit.
        digits: behind the point.
        better: ``high`` or ``low``: the best value is set in bold; "" for none.
    """

    key: str
    title: str
    digits: int = 1
    better: str = ""

    def cell(self, row: dict[str, Any], *, best: bool = False) -> str:
        """What stands in a row."""
        value = row.get(self.key)
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return "–"
        if not isinstance(value, int | float) or isinstance(value, bool):
            return str(value)
        text = f"{value:,.{self.digits}f}"
        spread = row.get(f"{self.key}_sd")
        text += f" ± {spread:.{self.digits}f}" if spread is not None else ""
        return f"**{text}**" if best else text


NAME = Column("name", "")
FRAMES = (
    Column("a0.5km", "0.5 km %", 1, "high"),
    Column("a1km", "1 km %", 1, "high"),
    Column("a5km", "5 km %", 1, "high"),
    Column("a25km", "25 km %", 1, "high"),
    Column("median_km", "median km", 2, "low"),
)
VIDEOS = (
    Column("va0.5km", "video 0.5 km %", 1, "high"),
    Column("va1km", "video 1 km %", 1, "high"),
    Column("va5km", "video 5 km %", 1, "high"),
    Column("va25km", "video 25 km %", 1, "high"),
    Column("video_median_km", "video median km", 2, "low"),
)
TRAJECTORY = (Column("dfd_km", "DFD km", 2, "low"), Column("mrd_km", "MRD km", 2, "low"))


@dataclass(frozen=True)
class Table:
    """One of the paper's tables or figures, in miniature.

    Args:
        number: as in the paper: "1", "fig8".
        title: what it shows.
        columns: of the rows; the first is the name.
        rows: plain values by column key; a value may have ``{key}_sd`` beside it.
        notes: what must be said of it, a sentence or two each.
        figure: name of a picture beside the page, or "".
    """

    number: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()
    figure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: all that the Markdown says, unrounded."""
        return {
            "number": self.number,
            "title": self.title,
            "simulated": True,
            "columns": [{"key": c.key, "title": c.title, "digits": c.digits, "better": c.better} for c in self.columns],
            "rows": [{key: _plain(value) for key, value in row.items()} for row in self.rows],
            "notes": list(self.notes),
            "figure": self.figure,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Table:
        """The table that ``to_dict`` told of."""
        columns = tuple(Column(**column) for column in values["columns"])
        return cls(values["number"], values["title"], columns, tuple(values["rows"]), tuple(values["notes"]), values["figure"])

    @property
    def heading(self) -> str:
        """Its name and title."""
        kind = f"Figure {self.number.removeprefix('fig')}" if self.number.startswith("fig") else f"Table {self.number}"
        return f"{kind} in miniature: {self.title}"

    def markdown(self) -> str:
        """A section of a page."""
        lines = [f"## {self.heading}", ""]
        if self.figure:
            lines += [f"![{self.title} (simulated)](pictures/{self.figure})", ""]
        if self.rows:
            best = {column.key: _best(column, self.rows) for column in self.columns}
            lines += [_line([c.title for c in self.columns]), _line(["---" if i == 0 else "---:" for i in range(len(self.columns))])]
            lines += [_line([c.cell(row, best=number in best[c.key]) for c in self.columns]) for number, row in enumerate(self.rows)]
            lines.append("")
        lines += [line for note in self.notes for line in (note, "")]
        return "\n".join(lines)


def _best(column: Column, rows: Sequence[dict[str, Any]]) -> set[int]:
    """Numbers of the rows with the best value; none where all are equal or nothing is better."""
    values = {
        n: row[column.key] for n, row in enumerate(rows) if isinstance(row.get(column.key), int | float) and math.isfinite(row[column.key])
    }
    if not column.better or len(set(values.values())) < 2:
        return set()
    wanted = (max if column.better == "high" else min)(values.values())
    return {number for number, value in values.items() if value == wanted}


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
