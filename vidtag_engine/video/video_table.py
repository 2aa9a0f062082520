"""A table of videos: a row a video, with what is known of that one alone. CSV, or any table that GDAL reads: GeoPackage, spreadsheet."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any

from ..types import InputError
from ..vectors import open_vector
from .csv_track import separated

COLUMNS = ("file", "start_time", "from", "to", "area")
"""Of a table of videos; only the first is needed."""
_IGNORED = {"fid", "ogc_fid"}  # numbers that a database gives its rows
_TEXT = {".csv", ".tsv", ".txt"}
_LAYER = "|layername="


@dataclass(frozen=True)
class VideoRow:
    """One row.

    Args:
        path: of the video, or of a folder of images that is one sequence.
        where: how a message calls the row: ``row 2 of drives.csv (monday.mp4)``. Rows count from 1, without the header.
        start_time: UTC, of the first frame; None where the row does not say, as with the others.
        from_s, to_s: the stretch to look at, seconds after the video's start.
        area: what :func:`vidtag_engine.grid.load_aoi` reads: a file of polygons, with ``|layername=`` or not.
    """

    path: Path
    where: str
    start_time: datetime | None = None
    from_s: float | None = None
    to_s: float | None = None
    area: str | None = None


def read_video_table(table: str | Path, zone: tzinfo = UTC) -> list[VideoRow]:
    """Read a table of videos. Its paths are relative to its folder.

    Args:
        table: a CSV file, or a GeoPackage, a spreadsheet or another table that GDAL reads; ``path|layername=name`` where it has several.
        zone: of start times that name none.

    Raises:
        InputError: no table, or a row that cannot be meant; the sentence names the row and the column.
    """
    name, _, layer = str(table).partition(_LAYER)
    path = Path(name).expanduser()
    if not path.is_file():
        raise InputError(f"The table of videos {path} is not there: correct its path.")
    records = _of_text(path) if path.suffix.lower() in _TEXT else _of_layer(path, layer)
    return video_rows(records, path.parent, path.name, zone)


def video_rows(records: Iterable[Mapping[str, Any]], folder: Path, name: str, zone: tzinfo = UTC) -> list[VideoRow]:
    """The rows of a table as they are given, such as ``DataFrame.to_dict("records")``; arguments and errors as for :func:`read_video_table`.

    Args:
        records: values by column; None, a not-a-number and empty text say nothing.
        folder: that paths are relative to.
        name: of the table, for messages.
        zone: as there.
    """
    found: list[VideoRow] = []
    first: dict[str, int] = {}
    for number, record in enumerate(records, 1):
        cells = _cells(record, name)
        if not any(cells.values()):
            continue  # spreadsheets keep empty rows
        row = _row(cells, folder, f"row {number} of {name}", zone)
        key = os.path.realpath(row.path)
        if key in first:
            raise InputError(f"{_begin(row.where)} names the file of row {first[key]} again: give each video once.")
        first[key] = number
        found.append(row)
    if not found:
        raise InputError(f"The table of videos {name} has no rows: give one a video, with its path in the column file.")
    return found


def files_of_rows(rows: Iterable[VideoRow]) -> list[str]:
    """Every file and folder that a table's rows name."""
    return [str(file) for row in rows for file in (row.path, row.area and row.area.partition(_LAYER)[0]) if file]


def _row(cells: Mapping[str, str], folder: Path, where: str, zone: tzinfo) -> VideoRow:
    if not cells["file"]:
        raise InputError(f"{_begin(where)} has nothing in the column file: give the path of a video.")
    where = f"{where} ({cells['file']})"
    path = folder / Path(cells["file"]).expanduser()
    if not path.exists():
        raise InputError(f"{_begin(where)}, column file: {path} is not there; correct it, paths are relative to the table's folder.")
    from_s, to_s = _seconds(cells["from"], "from", where), _seconds(cells["to"], "to", where)
    if to_s is not None and to_s <= (from_s or 0.0):
        raise InputError(
            f"{_begin(where)}, column to: the stretch ends at {to_s:g} s and begins at {from_s or 0.0:g} s; make to larger than from."
        )
    return VideoRow(path, where, _moment(cells["start_time"], where, zone), from_s, to_s, _area(cells["area"], folder, where))


def _cells(record: Mapping[str, Any], name: str) -> dict[str, str]:
    """The values of the columns as text, empty where nothing is said. Raises InputError for a column that is none of a table of videos."""
    cells = dict.fromkeys(COLUMNS, "")
    for given, value in record.items():
        column = str(given).strip().lower()
        if column in COLUMNS:
            cells[column] = _text(value)
        elif column not in _IGNORED:
            raise InputError(
                f"The table of videos {name} has a column {str(given).strip()!r}: take it out, known are {', '.join(COLUMNS)}."
            )
    if "file" not in {str(given).strip().lower() for given in record}:
        raise InputError(f"The table of videos {name} has no column file: name the column with the videos' paths so.")
    return cells


def _text(value: Any) -> str:
    if value is None or value != value:  # noqa: PLR0124 - not a number, not a time, whatever library it is of
        return ""
    if isinstance(value, date):  # and a datetime, and a library's, which are dates
        return value.isoformat()
    return str(value).strip()


def _seconds(text: str, column: str, where: str) -> float | None:
    try:
        seconds = float(text) if text else 0.0
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds) or seconds < 0:
        raise InputError(
            f"{_begin(where)}, column {column}: {text!r} is no number of seconds after the video's start; give one such as 90 or 12.5."
        )
    return seconds if text else None


def _moment(text: str, where: str, zone: tzinfo) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{_begin(where)}, column start_time: {text!r} is not an ISO 8601 time; write it as 2026-05-01T12:30:00Z."
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _area(text: str, folder: Path, where: str) -> str | None:
    if not text:
        return None
    file, mark, layer = text.partition(_LAYER)
    path = folder / Path(file).expanduser()
    if not path.is_file():
        raise InputError(
            f"{_begin(where)}, column area: {path} is not there; give a file of polygons, paths are relative to the table's folder."
        )
    return f"{path}{mark}{layer}"


def _of_text(path: Path) -> list[dict[str, str]]:
    text, separator = separated(path)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise InputError(f"The table of videos {path.name} cannot be read ({error}): export it as CSV again.") from error
    header, rows = ([cell.strip() for cell in lines[0]], lines[1:]) if lines else ([], [])
    if doubled := {name for name in header if name and header.count(name) > 1}:
        raise InputError(f"The table of videos {path.name} has two columns {min(doubled)!r}: name each column once.")
    # A line without any cell is none; what a spreadsheet leaves to the right of its last column has no name.
    records = []
    for number, row in enumerate((row for row in rows if row), 1):
        if any(cell.strip() for cell in row[len(header) :]):
            raise InputError(
                f"Row {number} of {path.name} has {len(row)} cells and the header {len(header)}: put a path with a comma in quotes."
            )
        records.append({name: cell for name, cell in zip(header, row, strict=False) if name or cell.strip()})
    return [dict.fromkeys(header, "") | record for record in records] if records else [dict.fromkeys(header, "")]


def _of_layer(path: Path, layer: str) -> list[dict[str, Any]]:
    import pyogrio

    known = open_vector(str(path), f"the table of videos {path.name}").layers
    if layer and layer not in known:
        raise InputError(f"The table of videos {path.name} has no layer {layer!r}: choose one of {', '.join(known)}.")
    if not layer and len(known) > 1:
        raise InputError(
            f"{path.name} has several layers: say which is the table of videos, such as {path.name}{_LAYER}{next(iter(known))}."
        )
    try:
        table = pyogrio.read_dataframe(path, layer=layer or next(iter(known)), read_geometry=False)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError, StopIteration, ValueError) as error:
        raise InputError(f"The table of videos {path.name} cannot be read ({error}): export it as CSV.") from error
    records: list[dict[str, Any]] = table.to_dict("records")
    return records or [dict.fromkeys(map(str, table.columns))]


def _begin(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
