"""What columns are made of: text that any file can hold, moments, tables put together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ..types import FloatArray, TimeSource, VideoResult

Table = dict[str, Any]


def clean(text: str) -> str:
    """Text that any file can hold: a file name's undecodable bytes become U+FFFD, control characters go."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c for c in text if c.isprintable() or c == " ")


def course_text(course_deg: float) -> str:
    """A course to a hundredth of a degree, below 360."""
    return f"{round(float(course_deg), 2) % 360.0:.2f}"


def base_time(result: VideoResult) -> datetime:
    """UTC moment of the video's ``time_s`` = 0, to the millisecond."""
    start = result.info.start_time
    start = start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)
    return start.replace(microsecond=start.microsecond // 1000 * 1000)


def time_known(result: VideoResult) -> bool:
    """Whether the times of day mean something, or stand on the flagged synthetic base."""
    return result.info.time_source is not TimeSource.SYNTHETIC


def utc_times(result: VideoResult, time_s: FloatArray) -> np.ndarray:
    """Moments of ``time_s`` as datetime64[ms], UTC, rounded to the millisecond; not-a-time where it is not a number."""
    time_s = np.asarray(time_s, dtype=np.float64)
    known = np.isfinite(time_s)
    times = np.full(time_s.shape, np.datetime64("NaT"), dtype="datetime64[ms]")
    offsets = np.round(time_s[known] * 1000.0).astype(np.int64).astype("timedelta64[ms]")
    times[known] = np.datetime64(base_time(result).replace(tzinfo=None), "ms") + offsets
    return times


def iso_texts(times: np.ndarray) -> list[str | None]:
    """ISO 8601 with milliseconds and Z of datetime64[ms]; None for not-a-time."""
    return [None if np.isnat(t) else f"{np.datetime_as_string(t, unit='ms')}Z" for t in times]


def joined(tables: Sequence[Table]) -> Table:
    """Tables of several videos as one, in order."""
    if not tables:
        return {}
    return {name: _concatenate([table[name] for table in tables]) for name in tables[0]}


def _concatenate(columns: Sequence[Any]) -> Any:
    if isinstance(columns[0], np.ndarray):
        return np.concatenate(columns)
    return [value for column in columns for value in column]
