"""Tables of positions: columns are recognised by their names, times by their form."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING

import numpy as np

from ..types import InputError, Track
from .container import parse_time
from .exif import exif_time

if TYPE_CHECKING:
    from pathlib import Path

_LAT = ("lat", "latitude", "lat_deg", "latitude_deg", "gps_lat", "gps_latitude", "y")
_LON = ("lon", "lng", "long", "longitude", "lon_deg", "longitude_deg", "gps_lon", "gps_lng", "gps_longitude", "x")
# The first kind found wins: seconds of the video, then moments.
_SECONDS = ("time_s", "seconds", "second", "t_s", "t", "video_time_s", "elapsed_s", "offset_s")
_MOMENT = ("time", "timestamp", "datetime", "date_time", "utc", "time_utc", "datetime_utc", "exif_datetime", "unix_s", "unix_time", "epoch",
           "unix_ms", "timestamp_ms", "date")  # fmt: skip
_NAME = ("image", "name", "file", "filename", "file_name", "frame_name", "path", "img", "photo")
_MAX_BYTES = 512 * 2**20
_UNIX_FROM = 1e8  # numbers above are Unix times (1973 on), above 1e11 in milliseconds, above 1e14 in microseconds


def read(path: Path) -> Track:
    """Read a table with a header line; separator, column names and time format are found out.

    Without a time column, rows count one second apart in the file's order (``absolute`` False); image names are kept in ``names``.
    Rows without a usable position or time are left out.

    Raises:
        InputError: not a table, no latitude or longitude column, or no usable row.
    """
    header, rows = _table(path)
    lat, lon = _column(header, _LAT), _column(header, _LON)
    if lat is None or lon is None:
        listed = ", ".join(header[:12])
        raise InputError(f"{path} has no latitude and longitude columns (it has {listed}); name them lat and lon.")
    seconds, moment, name = _column(header, _SECONDS), _column(header, _MOMENT), _column(header, _NAME)
    kept: list[tuple[float, float, float, bool, str]] = []
    for number, row in enumerate(rows):
        position = _position(row, lat, lon)
        time = (float(number), False) if seconds is None and moment is None else _time(row, seconds, moment)
        if position is not None and time is not None:
            kept.append((time[0], *position, time[1], row[name] if name is not None and name < len(row) else ""))
    if not kept:
        raise InputError(
            f"{path} has no row with a usable position and time; check that lat and lon are degrees and the times ISO or seconds."
        )
    absolute = kept[0][3]
    if any(row[3] != absolute for row in kept):
        raise InputError(f"{path} mixes moments and seconds in its time column; write all times the same way.")
    kept.sort(key=lambda row: row[0])
    columns = np.array([row[:3] for row in kept], dtype=np.float64)
    names = tuple(row[4] for row in kept) if name is not None else None
    return Track(columns[:, 0], columns[:, 1], columns[:, 2], absolute, "CSV", names)


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{path} is larger than 512 MB, too large for a table of positions; give a smaller one.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_bytes().decode("latin-1")
    if "\0" in text:
        raise InputError(f"{path} is not a text table; give a CSV file with lat and lon columns.")
    first = text.split("\n", 1)[0]
    separator = max(";\t|,", key=lambda mark: (first.count(mark), mark == ","))
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if row]
    except csv.Error as error:
        raise InputError(f"{path} is not a table that can be read ({error}); export it as CSV again.") from error
    if len(rows) < 2:
        raise InputError(f"{path} has no rows below its header line; give a CSV file with lat and lon columns.")
    return [cell.strip() for cell in rows[0]], rows[1:]


def _column(header: list[str], names: tuple[str, ...]) -> int | None:
    plain = [cell.lower().split("(")[0].strip().replace(" ", "_") for cell in header]
    return next((plain.index(name) for name in names if name in plain), None)


def _number(row: list[str], column: int) -> float | None:
    """A number with a decimal point, or a decimal comma where that was the cell."""
    try:
        value = float(row[column].strip().replace(",", "."))
    except (ValueError, IndexError):
        return None
    return value if math.isfinite(value) else None


def _position(row: list[str], lat: int, lon: int) -> tuple[float, float] | None:
    lat_deg, lon_deg = _number(row, lat), _number(row, lon)
    if lat_deg is None or lon_deg is None or abs(lat_deg) > 90 or abs(lon_deg) > 180:
        return None
    return lat_deg, lon_deg


def _time(row: list[str], seconds: int | None, moment: int | None) -> tuple[float, bool] | None:
    """(time_s, whether it is Unix time)."""
    if seconds is not None:
        value = _number(row, seconds)
        return None if value is None else (value, False)
    if moment is None or moment >= len(row):
        return None
    text = row[moment].strip()
    number = _number(row, moment)
    if number is not None:
        scale = 1e6 if abs(number) > 1e14 else 1e3 if abs(number) > 1e11 else 1.0
        return number / scale, abs(number) > _UNIX_FROM
    parsed = exif_time(text) or parse_time(text)
    return None if parsed is None else (parsed.timestamp(), True)
