"""What is shown of each reference image: source, author, licence, thumbnail. A file of SQLite beside the descriptors, asked for a few rows at a time."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..types import InputError
from .images import ReferenceImage

_TABLES = """
CREATE TABLE licences (id INTEGER PRIMARY KEY, licence TEXT NOT NULL, url TEXT NOT NULL);
CREATE TABLE images (row INTEGER PRIMARY KEY, source TEXT NOT NULL, image_id TEXT NOT NULL, sequence TEXT NOT NULL, author TEXT NOT NULL,
  licence INTEGER NOT NULL REFERENCES licences (id), page_url TEXT NOT NULL, accuracy_m REAL, updated TEXT NOT NULL, thumbnail BLOB,
  device_lat_deg REAL, device_lon_deg REAL);
"""
_NEWER = ("updated", "device_lat_deg", "device_lon_deg")
"""Columns that databases of older versions lack, whose values are then not known."""
_LOOKED_UP = 500  # at once
# One query for any number of rows: they are handed over as JSON.
_QUERY = (
    "SELECT row, source, image_id, images.sequence, author, licences.licence, url, page_url, accuracy_m, thumbnail, {newer} FROM images "
    "JOIN licences ON licences.id = images.licence WHERE row IN (SELECT value FROM json_each(?))"
)


def write_images(path: Path, images: Sequence[ReferenceImage], thumbnails: Sequence[bytes | None]) -> tuple[str, ...]:
    """Write what is shown of each image; returns the licences."""
    licences = {pair: number for number, pair in enumerate(sorted({(one.licence, one.licence_url) for one in images}))}
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")  # the file is new, and is there whole or not at all
        database.execute("PRAGMA synchronous = OFF")
        database.executescript(_TABLES)
        database.execute("BEGIN")
        database.executemany("INSERT INTO licences VALUES (?, ?, ?)", [(number, *pair) for pair, number in licences.items()])
        database.executemany(
            "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    row, one.source, one.image_id, one.sequence, one.author, licences[one.licence, one.licence_url], one.page_url,
                    _known(one.accuracy_m), one.updated, thumbnail, _known(one.device_lat_deg), _known(one.device_lon_deg),
                )
                for row, (one, thumbnail) in enumerate(zip(images, thumbnails, strict=True))
            ),
        )  # fmt: skip
        database.execute("COMMIT")
    return tuple(sorted({licence for licence, _ in licences}))


def look_up(path: Path, rows: Sequence[int]) -> Iterator[tuple[int, ReferenceImage, bytes | None]]:
    """Rows' images, without their places, and thumbnails; in no order, and without those that are not there. Raises InputError where the file is damaged."""
    for begin in range(0, len(rows), _LOOKED_UP):
        with _opened(path) as database:
            query = _QUERY.format(newer=_newer(database))
            answers = database.execute(query, [json.dumps(list(rows[begin : begin + _LOOKED_UP]))]).fetchall()
        for row, source, image_id, sequence, author, licence, url, page, accuracy_m, thumbnail, updated, *device in answers:
            device_lat_deg, device_lon_deg = map(_number, device)
            image = ReferenceImage(
                source, image_id, sequence, math.nan, math.nan, accuracy_m=_number(accuracy_m), author=author, licence=licence, licence_url=url,
                page_url=page, updated=updated or "", device_lat_deg=device_lat_deg, device_lon_deg=device_lon_deg,
            )  # fmt: skip
            yield row, image, thumbnail


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def sequences_in(path: Path) -> set[str]:
    """The sequences that images are of, as their source names them. Raises InputError where the file is damaged."""
    with _opened(path) as database:
        return {name for (name,) in database.execute("SELECT DISTINCT sequence FROM images")}


@dataclass(frozen=True)
class Known:
    """What tells an image from others, and one form of it from another.

    Args:
        row: in its table or database.
        source, image_id, sequence, updated: as of :class:`.images.ReferenceImage`; ``updated`` is empty in older files, too.
    """

    row: int
    source: str
    image_id: str
    sequence: str
    updated: str


def known_in(path: Path) -> list[Known]:
    """Of all images. Raises InputError where the file is damaged."""
    with _opened(path) as database:
        found = database.execute(f"SELECT row, source, image_id, sequence, {_newer(database, _NEWER[:1])} FROM images")  # noqa: S608  # nosec B608 - one of two
        return [Known(row, source, image_id, sequence, updated or "") for row, source, image_id, sequence, updated in found]


def _newer(database: sqlite3.Connection, names: Sequence[str] = _NEWER) -> str:
    """Columns as a query names them, or NULL for those that the file was written without."""
    there = {name for _, name, *_ in database.execute("PRAGMA table_info(images)")}
    return ", ".join(name if name in there else "NULL" for name in names)


def rows_in(path: Path, sequence: str) -> list[int]:
    """The rows of a sequence's images, rising. Raises InputError where the file is damaged."""
    with _opened(path) as database:
        return [row for (row,) in database.execute("SELECT row FROM images WHERE sequence = ? ORDER BY row", [sequence])]


def attribution_in(paths: Sequence[Path]) -> list[str]:
    """A line for each source and licence of images, with their authors; none where no licence is named. Raises InputError where a file is damaged."""
    authors: dict[tuple[str, str], set[str]] = {}
    query = "SELECT DISTINCT source, licences.licence, author FROM images JOIN licences ON licences.id = images.licence WHERE licences.licence != ''"
    for path in paths:
        with _opened(path) as database:
            for source, licence, author in database.execute(query):
                authors.setdefault((source, licence), set()).add(author)
    return [
        f"Pictures: {source} ({licence}): {', '.join(sorted(names - {''})) or 'authors not named'}"
        for (source, licence), names in sorted(authors.items())
    ]


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """For reading alone: the file is never changed, and may lie where nothing can be written."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            yield database
    except sqlite3.Error as error:
        raise InputError(f"{path} is missing or damaged: copy the database again, or build it again.") from error
