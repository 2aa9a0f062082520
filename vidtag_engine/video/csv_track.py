"""Tables of positions as text: separator and encoding are found out, the columns by :mod:`.table_track`."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from ..types import InputError, Track
from .table_track import track_of

if TYPE_CHECKING:
    from pathlib import Path

_MAX_BYTES = 512 * 2**20
_DOCUMENT = re.compile(r"(?:Main|Doc(\d+)):(.+)")


def read(path: Path) -> Track:
    """Read a table with a header line.

    Raises:
        InputError: not a table, no columns with positions, times that cannot be understood, or no usable row.
    """
    return track_of(*_table(path), path, "CSV")


def separated(path: Path) -> tuple[str, str]:
    """A table's text, and what parts its cells. Raises InputError where it is no text."""
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{path} is larger than 512 MB, too large for a table; give a smaller one.")
    text = _text(path.read_bytes())
    if "\0" in text:
        raise InputError(f"{path} is not a text table; give a CSV file.")
    if (said := re.match(r"sep=(.)\r?\n", text)) is not None:  # as Excel writes it
        text = text[said.end() :]
    first = text.split("\n", 1)[0]
    return text, said[1] if said else max(";\t|,", key=lambda mark: (first.count(mark), mark == ","))


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    text, separator = separated(path)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(f"{path} is not a table that can be read ({error}); export it as CSV again.") from error
    if len(rows) < 2:
        raise InputError(f"{path} has no rows below its header line; give a CSV file with lat and lon columns.")
    return _upright([cell.strip() for cell in rows[0]], rows[1:])


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _upright(header: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """A row a moment again: exiftool's -csv -ee -G3 puts all moments of a video into one row, the first as Main:GPSLatitude, then Doc1:GPSLatitude."""
    split = [_DOCUMENT.match(name) for name in header]
    if not any(part and part[1] for part in split):
        return header, rows
    names = list(dict.fromkeys(part[2] for part in split if part))
    moments: dict[tuple[int, int], dict[str, str]] = {}
    for number, row in enumerate(rows):
        for part, cell in zip(split, row, strict=False):
            if part:
                moments.setdefault((number, int(part[1] or 0)), {})[part[2]] = cell
    return names, [[moments[key].get(name, "") for name in names] for key in sorted(moments)]
