"""What a person judges of a result: the table ``review`` of its review file, beside the pins.

A row is of a moment or of a stretch of a video, by the SHA-256 of its bytes and the seconds in it, so that it outlives a new result. It bears a judgement, a
comment, a bookmark, or several of these. Rows are added, changed and removed where the file lies, in short transactions, so that it may be open elsewhere.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..types import InputError
from .columns import clean
from .corrections import transaction
from .geopackage_tables import stamp
from .review_file import make_review_file, review_path

TABLE = "review"
STATES = ("accepted", "unsure", "rejected")
_COLUMNS = ("video", "sha256", "from_s", "to_s", "state", "bookmark", "comment", "who", "when")
_MAKE = """
CREATE TABLE review (
  fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, video TEXT, sha256 TEXT, from_s REAL, to_s REAL, state TEXT, bookmark BOOLEAN, comment TEXT, who TEXT,
  "when" DATETIME
)
"""
_SAME_S = 0.0005


@dataclass(frozen=True)
class ReviewRow:
    """One word of a person on a moment, or on a stretch.

    Args:
        video: its name, for display.
        sha256: of the video's bytes.
        from_s, to_s: seconds after the video's start; equal for a moment.
        state: one of ``STATES``; empty for a comment or a bookmark alone.
        bookmark: whether the moment is to be found again.
        comment, who: in the person's own words; may be empty.
        when: it was said.
        number: of the row, which changes or removes it; 0 for one that is in no file yet.
    """

    video: str
    sha256: str
    from_s: float
    to_s: float
    state: str = ""
    bookmark: bool = False
    comment: str = ""
    who: str = ""
    when: datetime | None = None
    number: int = 0

    def holds(self, time_s: float) -> bool:
        """Whether it speaks of this second."""
        return self.from_s - _SAME_S <= time_s <= self.to_s + _SAME_S


def read_review(result: Path) -> list[ReviewRow]:
    """The rows of a result's review file, in the order of their numbers; none where there is no such file or table.

    Raises:
        InputError: a row lacks its video or its moment, or has a state that nobody knows: rows may be written by hand.
    """
    review = review_path(result)
    if not review.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{review.resolve().as_uri()}?mode=ro", uri=True)) as database:
            if not _is_there(database):
                return []
            names = ", ".join(f'"{name}"' for name in _COLUMNS)
            rows = database.execute(f"SELECT fid, {names} FROM review ORDER BY fid").fetchall()  # noqa: S608 - constants  # nosec B608
    except sqlite3.Error as error:
        raise InputError(f"The review file {review.name} cannot be read ({error}): look at its table review, or put it aside.") from error
    return [_row(review.name, number, dict(zip(_COLUMNS, values, strict=True))) for number, *values in rows]


def add_review(result: Path, row: ReviewRow) -> ReviewRow:
    """Add a row, and return it with its number and its moment; the review file is made where there is none.

    Raises:
        InputError: it says nothing, or the file cannot be written.
    """
    _check(row)
    row = replace(row, when=row.when or datetime.now(UTC))
    if not review_path(result).exists():
        make_review_file(result)
    with transaction(review_path(result)) as database:
        if not _is_there(database):
            _make(database)
        # Asked again, as after an engine that was killed between writing and saying so: it is there already.
        same = 'SELECT fid FROM review WHERE sha256 = ? AND from_s = ? AND to_s = ? AND "when" = ?'
        there = database.execute(same, (row.sha256, row.from_s, row.to_s, stamp(row.when or datetime.now(UTC)))).fetchone()
        if there is not None:
            return replace(row, number=int(there[0]))
        holes = ", ".join("?" * len(_COLUMNS))
        names = ", ".join(f'"{name}"' for name in _COLUMNS)
        number = database.execute(f"INSERT INTO review ({names}) VALUES ({holes})", _values(row)).lastrowid  # noqa: S608 - constants  # nosec B608
        _changed(database)
    return replace(row, number=int(number or 0))


def change_review(result: Path, number: int, **values: Any) -> ReviewRow:
    """Change what a row says, such as its comment. Raises InputError where there is no such row, or it would say nothing."""
    row = replace(_found(result, number), **values, when=datetime.now(UTC))
    _check(row)
    with transaction(review_path(result)) as database:
        pairs = ", ".join(f'"{name}" = ?' for name in _COLUMNS)
        database.execute(f"UPDATE review SET {pairs} WHERE fid = ?", (*_values(row), number))  # noqa: S608 - constants  # nosec B608
        _changed(database)
    return row


def remove_review(result: Path, number: int) -> ReviewRow:
    """Remove a row, and return it. Raises InputError where there is none."""
    row = _found(result, number)
    with transaction(review_path(result)) as database:
        database.execute("DELETE FROM review WHERE fid = ?", (number,))
        _changed(database)
    return row


def states_at(rows: Sequence[ReviewRow], sha256: str, times_s: Sequence[float]) -> list[str]:
    """What was judged of each moment of a video, by the newest judgement that holds of it; empty where nothing was."""
    judged = [row for row in rows if row.sha256 == sha256 and row.state]
    judged.sort(key=lambda row: (row.when or datetime.min.replace(tzinfo=UTC), row.number), reverse=True)
    return [next((row.state for row in judged if row.holds(time_s)), "") for time_s in times_s]


def _found(result: Path, number: int) -> ReviewRow:
    rows = read_review(result)
    found = next((row for row in rows if row.number == number), None)
    if found is None:
        there = ", ".join(str(row.number) for row in rows) or "none"
        raise InputError(f"{review_path(result).name} has no review {number}: give the number of one of its rows ({there}).")
    return found


def _check(row: ReviewRow) -> None:
    if row.state and row.state not in STATES:
        raise InputError(f"There is no judgement {row.state!r}: give one of {', '.join(STATES)}.")
    if not (row.state or row.bookmark or row.comment):
        raise InputError(f"The review says nothing: give a judgement ({', '.join(STATES)}), a comment or a bookmark.")
    if not (math.isfinite(row.from_s) and math.isfinite(row.to_s) and 0 <= row.from_s <= row.to_s):
        raise InputError(
            f"The stretch from {row.from_s:g} to {row.to_s:g} s is none: give seconds after the video's start, the lesser first."
        )


def _row(file: str, number: int, values: dict[str, Any]) -> ReviewRow:
    lacks = next((name for name in ("sha256", "from_s") if values[name] is None), None)
    if lacks:
        raise InputError(f"Review {number} in {file} does not say its {lacks}: fill it in, or delete the row.")
    state = str(values["state"] or "").strip().lower()
    if state and state not in STATES:
        raise InputError(f"Review {number} in {file} says {values['state']!r}: write one of {', '.join(STATES)}, or delete the row.")
    from_s = float(values["from_s"])
    return ReviewRow(
        video=str(values["video"] or ""), sha256=str(values["sha256"]), from_s=from_s, to_s=from_s if values["to_s"] is None else float(values["to_s"]),
        state=state, bookmark=bool(values["bookmark"]), comment=str(values["comment"] or ""), who=str(values["who"] or ""),
        when=_moment(values["when"]), number=number,
    )  # fmt: skip


def _moment(text: Any) -> datetime | None:
    """When; None where the row does not say it in a way that can be read."""
    try:
        found = datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


def _values(row: ReviewRow) -> tuple[Any, ...]:
    when = None if row.when is None else stamp(row.when)
    words = (clean(row.comment) or None, clean(row.who) or None)
    return (clean(row.video), row.sha256, row.from_s, row.to_s, row.state or None, row.bookmark, *words, when)


def _is_there(database: sqlite3.Connection) -> bool:
    return database.execute("SELECT 1 FROM gpkg_contents WHERE table_name = ?", (TABLE,)).fetchone() is not None


def _make(database: sqlite3.Connection) -> None:
    database.execute(_MAKE)
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change) VALUES (?, 'attributes', ?, ?, ?)",
        (TABLE, TABLE, "What was judged of moments and stretches", stamp(datetime.now(UTC))),
    )


def _changed(database: sqlite3.Connection) -> None:
    database.execute("UPDATE gpkg_contents SET last_change = ? WHERE table_name = ?", (stamp(datetime.now(UTC)), TABLE))
