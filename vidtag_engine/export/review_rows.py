"""The table ``review`` of a review file: what a person judged, remarked and marked, by the moments of videos.

A row speaks of a frame (``from_s`` equals ``to_s``) or of a stretch. The newest judgement of a moment holds; older ones stay as its history.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..types import FloatArray, InputError
from .columns import clean
from .corrections import transaction
from .geopackage_tables import stamp
from .moments import VideoMoments
from .review_file import made_review, note_change, review_path

STATES = ("accepted", "rejected", "unsure")
_SAME_S = 0.0005
_MOMENT = ("video", "from_s", "to_s")
_COLUMNS = {
    "video": "TEXT", "sha256": "TEXT", "from_s": "REAL", "to_s": "REAL", "state": "TEXT", "bookmark": "BOOLEAN", "comment": "TEXT", "who": "TEXT",
    "when": "DATETIME",
}  # fmt: skip


@dataclass(frozen=True)
class ReviewRow:
    """What a person said of a frame or a stretch of a video.

    Args:
        video: its name.
        from_s, to_s: seconds after the video's start; equal for a frame.
        state: one of ``STATES``; None for a remark or a bookmark alone.
        bookmark: whether the moment is marked, to be found again.
        comment, who: in the person's own words; may be empty.
        when: the person said so, UTC; None where that is not known.
        sha256: of the video's bytes; empty where it is not known.
        number: of the row in its file; 0 for one that lies in none.
    """

    video: str
    from_s: float
    to_s: float
    state: str | None = None
    bookmark: bool = False
    comment: str = ""
    who: str = ""
    when: datetime | None = None
    sha256: str = ""
    number: int = 0

    def is_of(self, video: VideoMoments) -> bool:
        """Whether it speaks of a video: by the digest, where the row says it, else by the name."""
        return self.sha256 == video.sha256 if self.sha256 else self.video in {video.name, video.file}


def read_review(path: Path) -> tuple[list[ReviewRow], list[str]]:
    """The rows of a review file by their numbers, and a sentence on each row that cannot be understood; none where there is no file or table.

    Rows may have been written in another program: columns that are not known here are passed over, missing ones are empty.

    Args:
        path: of the review file.

    Raises:
        InputError: the file cannot be read.
    """
    if not path.is_file():
        return [], []
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            if not _columns(database):
                return [], []
            found = database.execute("SELECT * FROM review ORDER BY fid")
            names = [entry[0] for entry in found.description]
            records = [dict(zip(names, row, strict=True)) for row in found]
    except sqlite3.Error as error:
        raise InputError(f"{path.name} cannot be read ({error}): close it in other programs and try again, or copy it again.") from error
    rows, problems = [], []
    for record in records:
        row = _row(record)
        if isinstance(row, str):
            problems.append(f"Row {record['fid']} in the table review of {path.name} {row}, or delete the row.")
        else:
            rows.append(row)
    return rows, problems


def _row(record: dict[str, Any]) -> ReviewRow | str:
    """A row of the table; or what is wrong with it and what to do, as the end of a sentence."""
    state = " ".join(str(record.get("state") or "").split()).lower()
    if state and state not in STATES:
        return f"says {record['state']!r} in its column state: write {', '.join(STATES[:-1])} or {STATES[-1]}, or leave it empty"
    if not record.get("video") and not record.get("sha256"):
        return "does not say its video: fill it in"
    given = [record.get("from_s"), record.get("to_s")]
    times_s = [float(one) for one in given if isinstance(one, int | float) and np.isfinite(one)]
    if not times_s or any(one is not None and not isinstance(one, int | float) for one in given):
        return "does not say its moment: give from_s and to_s, in seconds"
    begin_s, end_s = times_s[0], times_s[-1]  # one alone is a frame
    if end_s < begin_s:
        return f"ends at {end_s:g} s, before it begins at {begin_s:g} s: turn them round"
    when = record.get("when")
    try:
        moment = None if when is None else datetime.fromisoformat(str(when))
    except ValueError:
        return f"says {when!r} in its column when: write a date and time such as 2026-05-01T09:30:00Z"
    if moment is not None:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return ReviewRow(
        str(record.get("video") or ""), begin_s, end_s, state or None, bool(record.get("bookmark")), str(record.get("comment") or ""),
        str(record.get("who") or ""), moment, str(record.get("sha256") or ""), int(record["fid"]),
    )  # fmt: skip


def add_row(result: Path, row: ReviewRow) -> int:
    """Add a row to the review file of a result, which gets the table where it lacks it, and is made where there is none.

    Returns:
        the number of the new row.

    Raises:
        InputError: it cannot be written, or another program is writing to it.
    """
    with transaction(made_review(result)) as database:
        _complete(database)
        # Asked again, as after an engine that was killed between writing and saying so: it is there already.
        names, holes = ", ".join(f'"{name}"' for name in _COLUMNS), ", ".join("?" * len(_COLUMNS))
        same = " AND ".join(f'"{name}" IS ?' for name in _COLUMNS)
        there = database.execute(f"SELECT fid FROM review WHERE {same}", _values(row)).fetchone()  # noqa: S608 - constants  # nosec B608
        if there is not None:
            return int(there[0])
        number = database.execute(f"INSERT INTO review ({names}) VALUES ({holes})", _values(row)).lastrowid  # noqa: S608 - constants  # nosec B608
        note_change(database, "review")
    return int(number or 0)


def change_row(result: Path, row: ReviewRow) -> None:
    """Write a row anew where its number says; columns that are not known here stay as they are.

    Raises:
        InputError: there is no such row, or the file cannot be written.
    """
    with transaction(made_review(result)) as database:
        _complete(database)
        sets = ", ".join(f'"{name}" = ?' for name in _COLUMNS)
        if not database.execute(f"UPDATE review SET {sets} WHERE fid = ?", (*_values(row), row.number)).rowcount:  # noqa: S608 - constants  # nosec B608
            raise InputError(f"{review_path(result).name} has no row {row.number} any more: list its review again.")
        note_change(database, "review")


def remove_row(result: Path, number: int | None, meant: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """Remove the row of this number, or the last one that was added, and return all its columns as they were.

    Args:
        result: path of the GeoPackage.
        number: of the row; None is the last.
        meant: ``video``, ``from_s`` and ``to_s`` of the row that a person saw under this number; None takes whatever has it.

    Returns:
        the row's columns; None where the one that is meant is gone already.

    Raises:
        InputError: there is none, it is another one than is meant, or the file cannot be written.
    """
    review = review_path(result)
    if not review.is_file():
        raise InputError(f"{result.name} has no review, so there is nothing to remove: run vidtag review add to begin one.")
    with transaction(review) as database:
        _complete(database)
        there = [fid for (fid,) in database.execute("SELECT fid FROM review ORDER BY fid")]
        chosen = number if number is not None else there[-1] if there else None
        if meant is not None and number is not None and number not in there:
            return None
        if chosen not in there:
            said = ", ".join(map(str, there[-20:])) or "none"
            raise InputError(
                f"{review.name} has no row {'' if chosen is None else chosen}".rstrip() + f": give the number of one of its rows ({said})."
            )
        found = database.execute("SELECT * FROM review WHERE fid = ?", (chosen,))
        gone = dict(zip([entry[0] for entry in found.description], found.fetchone(), strict=True))
        if meant is not None and any(name in meant and gone.get(name) != meant[name] for name in _MOMENT):
            raise InputError(f"Row {chosen} in {review.name} is another one by now: list its review again.")
        database.execute("DELETE FROM review WHERE fid = ?", (chosen,))
        note_change(database, "review")
    return gone


def newest_first(rows: Sequence[ReviewRow]) -> list[ReviewRow]:
    """Rows by when they were said; one that does not tell counts as said right after the row above it."""
    known: list[tuple[datetime, int, ReviewRow]] = []
    last = datetime.min.replace(tzinfo=UTC)
    for row in sorted(rows, key=lambda one: one.number):
        moment = row.when or last
        last = max(last, moment)
        known.append((moment, row.number, row))
    return [row for *_, row in sorted(known, key=lambda one: one[:2], reverse=True)]


def covered(row: ReviewRow, time_s: FloatArray, step_s: float) -> slice:
    """Which of a video's sampled frames a row speaks of: those in its stretch; where there is none, the nearest one within half a step.

    Args:
        row: of that video.
        time_s: (T,) of its sampled frames, ascending.
        step_s: their usual distance.
    """
    begin = int(np.searchsorted(time_s, row.from_s - _SAME_S, side="left"))
    end = int(np.searchsorted(time_s, row.to_s + _SAME_S, side="right"))
    if begin < end or not len(time_s):
        return slice(begin, end)
    middle_s = 0.5 * (row.from_s + row.to_s)
    nearest = int(np.abs(time_s - middle_s).argmin())
    return slice(nearest, nearest + int(abs(time_s[nearest] - middle_s) <= 0.5 * step_s + _SAME_S))


def judgements(rows: Sequence[ReviewRow], video: VideoMoments) -> tuple[list[ReviewRow | None], list[bool]]:
    """Of each sampled frame of a video the judgement that holds, which is the newest of its moment, and whether it bears a bookmark.

    Args:
        rows: of a review file, in any order.
        video: of the result.

    Returns:
        (T,) rows that have a state, None where nobody has judged; (T,) whether marked.
    """
    found: list[ReviewRow | None] = [None] * len(video.time_s)
    marked = np.zeros(len(video.time_s), dtype=bool)
    for row in reversed(newest_first([one for one in rows if one.is_of(video)])):
        where = covered(row, video.time_s, video.step_s)
        if row.bookmark:
            marked[where] = True
        if row.state is not None:
            found[where] = [row] * len(found[where])
    return found, marked.tolist()


def _values(row: ReviewRow) -> tuple[Any, ...]:
    when = None if row.when is None else stamp(row.when)
    return (
        clean(row.video) or None, row.sha256 or None, row.from_s, row.to_s, row.state, row.bookmark, clean(row.comment) or None, clean(row.who) or None, when,
    )  # fmt: skip


def _columns(database: sqlite3.Connection) -> set[str]:
    return {name for (name,) in database.execute("SELECT name FROM pragma_table_info('review')")}


def _complete(database: sqlite3.Connection) -> None:
    """Make the table where the file lacks it, and add the columns that one from elsewhere lacks."""
    there = _columns(database)
    if not there:
        columns = ", ".join(f'"{name}" {kind}' for name, kind in _COLUMNS.items())
        database.execute(f"CREATE TABLE review (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, {columns})")
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description) VALUES ('review', 'attributes', 'review', ?)",
            ("What a person judged, remarked and marked",),
        )
        return
    for name, kind in _COLUMNS.items():
        if name not in there:
            database.execute(f'ALTER TABLE review ADD COLUMN "{name}" {kind}')
