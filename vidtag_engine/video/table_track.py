"""Rows of text with named columns as a track: tables (CSV) and features with properties (GeoJSON)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..types import InputError, Track
from .columns import Columns, TimeColumn, recognise, seconds_column
from .moments import angle_deg, duration_s, has_date, is_time_of_day, moment_of, number_of

if TYPE_CHECKING:
    from pathlib import Path

_UNIX_FROM = (
    1e8  # numbers above are Unix times (1973 on), above 1e11 in milliseconds, above 1e14 in microseconds, above 1e17 in nanoseconds
)
_POINT = re.compile(r"POINT\s*(?:Z|M|ZM)?\s*\(\s*(\S+)\s+([^\s)]+)", re.IGNORECASE)
_Time = tuple[float, bool]  # seconds, and whether they are Unix time


@dataclass(frozen=True)
class _Row:
    time_s: float
    lat_deg: float
    lon_deg: float
    absolute: bool
    name: str


def track_of(header: list[str], rows: list[list[str]], path: Path, source: str) -> Track:
    """The rows that have a position and a time, in time order; what is left out is counted in the track's note.

    Without any time column, rows count one second apart in the file's order (``absolute`` False); image names are kept in ``names``.

    Raises:
        InputError: no columns with positions, times that cannot be understood, or no usable row.
    """
    columns = recognise(header)
    _check(columns, header, path)
    columns = _one_video(columns, rows, path)
    kept, dropped, example = _kept(rows, columns)
    if not kept:
        raise InputError(_nothing(path, columns, dropped, example))
    absolute = kept[0].absolute
    if any(row.absolute != absolute for row in kept):
        raise InputError(f"{path} mixes moments and seconds in its time column; write all times the same way.")
    time_s = _finer(np.array([row.time_s for row in kept]), rows, kept, header, columns)
    order = np.argsort(time_s, kind="stable")
    lat, lon = np.array([row.lat_deg for row in kept])[order], np.array([row.lon_deg for row in kept])[order]
    names = tuple(kept[i].name for i in order) if columns.name is not None else None
    note = _note(path, columns, dropped, example, len(rows))
    return Track(time_s[order], lat, lon, absolute, source, names, note)


def _check(columns: Columns, header: list[str], path: Path) -> None:
    listed = ", ".join(header[:12])
    if columns.lat is None and columns.wkt is None:
        raise InputError(f"{path} has no latitude and longitude columns (it has {listed}); name them lat and lon.")
    if columns.elapsed is None and columns.moment is None and columns.unknown and columns.name is None:
        found = ", ".join(repr(name) for name in columns.unknown[:4])
        raise InputError(
            f"{path} has no column with times that can be understood (it has {found}); name it time_s for seconds of the video, time_ms for"
            " milliseconds, or time for dates and times such as 2026-05-01T12:00:00Z."
        )


def _one_video(columns: Columns, rows: list[list[str]], path: Path) -> Columns:
    """Rows of several videos have the clock alone in common. Raises InputError where they have none."""
    if columns.video is None or columns.elapsed is None or len({_cell(row, columns.video) for row in rows} - {""}) < 2:
        return columns
    if columns.moment is None or not any(_cell(row, columns.moment.index) for row in rows):
        raise InputError(f"{path} holds rows of several videos, which count their seconds anew; give a table of one video.")
    return Columns(**{**columns.__dict__, "elapsed": None})


def _kept(rows: list[list[str]], columns: Columns) -> tuple[list[_Row], Counter[str], str]:
    """The usable rows; how many were dropped, by reason; and the first time that could not be read."""
    kept: list[_Row] = []
    dropped: Counter[str] = Counter()
    example = ""
    times = columns.elapsed or columns.moment
    for number, row in enumerate(rows):
        position = _position(row, columns)
        if position is None:
            dropped["position"] += 1
            continue
        time = (float(number), False) if times is None else _time(row, columns)
        if time is None:
            dropped["time"] += 1
            example = example or _cell(row, times.index if times else 0)
            continue
        kept.append(_Row(time[0], *position, time[1], _cell(row, columns.name)))
    return kept, dropped, example


def _nothing(path: Path, columns: Columns, dropped: Counter[str], example: str) -> str:
    times = columns.elapsed or columns.moment
    if times is None or not dropped["time"] or not example:
        return f"{path} has no row with a usable position and time; check that lat and lon are degrees and the times ISO or seconds."
    hint = "write dates and times such as 2026-05-01T12:00:00Z, or seconds of the video in a column time_s"
    if is_time_of_day(example):
        hint = "a time of day needs its date: add a column date, or name the column elapsed if it counts from the video's start"
    return f"{path} has no row with a usable position and time: {times.header!r} holds {example[:40]!r}; {hint}."


def _note(path: Path, columns: Columns, dropped: Counter[str], example: str, count: int) -> str:
    said = []
    if dropped["position"]:
        said.append(f"{dropped['position']} of {count} rows of {path.name} have no position and were left out.")
    if dropped["time"]:
        such = f", such as {example[:40]!r}" if example else ""
        said.append(f"{dropped['time']} of {count} rows of {path.name} have no time that can be read{such}, and were left out.")
    if columns.elapsed is None and columns.moment is None and columns.name is None:
        said.append(f"{path.name} has no column with times: its rows were taken as one second apart.")
    return " ".join(said)


def _cell(row: list[str], column: int | None) -> str:
    return row[column].strip() if column is not None and column < len(row) else ""


def _position(row: list[str], columns: Columns) -> tuple[float, float] | None:
    if columns.fix is not None and number_of(_cell(row, columns.fix)) == 0:
        return None
    if columns.lat is None or columns.lon is None:
        found = _POINT.search(_cell(row, columns.wkt))
        lat, lon = (number_of(found[2]), number_of(found[1])) if found else (None, None)
    else:
        lat, lon = angle_deg(_cell(row, columns.lat)), angle_deg(_cell(row, columns.lon))
    if lat is None or lon is None:
        return None
    # A reference speaks of numbers without a sign, as EXIF has them.
    lat = -abs(lat) if _cell(row, columns.lat_ref)[:1].upper() == "S" else lat
    lon = -abs(lon) if _cell(row, columns.lon_ref)[:1].upper() == "W" else lon
    return lat, lon


def _time(row: list[str], columns: Columns) -> _Time | None:
    if columns.elapsed is not None:
        return _elapsed(_cell(row, columns.elapsed.index), columns.elapsed)
    if columns.moment is None:
        return None
    text, day = _cell(row, columns.moment.index), _cell(row, columns.date)
    if columns.date is not None and columns.date != columns.moment.index and day and not has_date(text):
        number = number_of(text)
        if number is None or (number < 240_000 and columns.moment.unit_s is None):  # 12:00:00, or 120000 as loggers write it
            moment = moment_of(f"{day} {text.split('.')[0].zfill(6) if number is not None else text}")
            return None if moment is None else (moment.timestamp(), True)
    return _clock(text, columns.moment)


def _elapsed(text: str, column: TimeColumn) -> _Time | None:
    number = number_of(text)
    seconds = number * (column.unit_s or 1.0) if number is not None else duration_s(text)
    if seconds is None:  # a column time_s with dates in it
        moment = moment_of(text)
        return None if moment is None else (moment.timestamp(), True)
    return seconds, abs(seconds) > _UNIX_FROM


def _clock(text: str, column: TimeColumn) -> _Time | None:
    number = number_of(text)
    if number is None or re.fullmatch(r"(?:19|20)\d{12}", text):  # 20260501120000 is a date
        moment = moment_of(text)
        return None if moment is None else (moment.timestamp(), True)
    scale = column.unit_s or (1e-9 if abs(number) > 1e17 else 1e-6 if abs(number) > 1e14 else 1e-3 if abs(number) > 1e11 else 1.0)
    seconds, absolute = number * scale, abs(number * scale) > _UNIX_FROM
    return (seconds, absolute) if absolute or column.plain else None


def _finer(time_s: np.ndarray, rows: list[list[str]], kept: list[_Row], header: list[str], columns: Columns) -> np.ndarray:
    """A flight log's clock says whole seconds beside a counter in milliseconds: the clock's start with the counter's steps."""
    counter = seconds_column(header, columns)
    if columns.elapsed is not None or counter is None or counter.unit_s is None or not kept[0].absolute or len(kept) != len(rows):
        return time_s
    counted = [number_of(_cell(row, counter.index)) for row in rows]
    if any(value is None for value in counted) or (time_s % 1).any():
        return time_s
    steps_s = np.array(counted, dtype=np.float64) * counter.unit_s
    starts_s = time_s - steps_s
    return steps_s + starts_s.max() if np.ptp(starts_s) < 1.5 else time_s
