"""A camera's motion from a table of sensors: headings or rates of turning, and speeds, by time."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..types import FloatArray, InputError
from ..video.columns import recognise
from ..video.container import check_readable_file
from ..video.csv_track import separated
from ..video.moments import number_of
from .intervals import edges_s
from .record import Motion

if TYPE_CHECKING:
    from numpy.typing import NDArray

INTERVAL_S = 1.0
TURN_STD_DEG = 2.0
SPEED_STD_SHARE = 0.05
# Over a longer silence nothing is guessed; slower tables may be silent for three of their usual steps.
_SILENCE_S = 5.0
_USUAL_STEPS = 3.0
_UNIX_FROM_S = 1e8
# Names of columns without anything but letters, and what one of their units is in the unit that is counted in.
_HEADING = {
    "headingdeg": 1.0,
    "heading": 1.0,
    "headingdegrees": 1.0,
    "yawdeg": 1.0,
    "yaw": 1.0,
    "coursedeg": 1.0,
    "course": 1.0,
    "headingrad": 180 / np.pi,
}
_YAW_RATE = {"yawratedps": 1.0, "yawratedegs": 1.0, "yawrate": 1.0, "yawraterads": 180 / np.pi, "turnratedps": 1.0}
_SPEED = {
    "speedmps": 1.0,
    "speedms": 1.0,
    "speedkmh": 1 / 3.6,
    "speedkph": 1 / 3.6,
    "speedmph": 0.44704,
    "speedknots": 0.514444,
    "speedkn": 0.514444,
}
_RELATIVE_SPEED = {"speed": 1.0, "speedrelative": 1.0, "relativespeed": 1.0}
_HEADING_STD = {"headingstddeg": 1.0, "turnstddeg": 1.0}
_SPEED_STD = {"speedstdshare": 1.0}
_SAYS = "name one heading_deg or yaw_rate_dps, or one speed_mps, speed_kmh or speed"


@dataclass(frozen=True)
class _Column:
    """Values (N,) in the unit that is counted in; NaN where a cell holds no number."""

    name: str
    values: FloatArray


def read_motion(path: Path) -> Motion:
    """Read how a camera moved from a CSV with a header line.

    ``time_s`` (or ``time_ms``, ``elapsed``) counts from the video's start. Beside it stand ``heading_deg``, clockwise, from north or from anything, or
    ``yaw_rate_dps``, clockwise as well, and a speed: ``speed_mps``, ``speed_kmh`` (also mph, knots), or ``speed`` in a unit of its own; negative for backwards.
    What stands for less than the whole is NaN. Headings go before rates. ``heading_std_deg`` is the error of the turn over a second, ``speed_std_share`` that
    of the speed as a share; without them they are 2 degrees and a twentieth. Rows may be at any rate and in any order.

    Args:
        path: of the table.

    Returns:
        Motion by seconds, of source "track", metric where the speed's unit is named.

    Raises:
        InputError: in one sentence, what is wrong with the table and what to do.
    """
    path = Path(path)
    check_readable_file(path, "table")
    header, rows = _rows(path)
    time_s = _times_s(path, header, rows)
    heading, rate = _column(header, rows, _HEADING), _column(header, rows, _YAW_RATE)
    metric, relative = _column(header, rows, _SPEED), _column(header, rows, _RELATIVE_SPEED)
    speed = metric or relative
    if heading is None and rate is None and speed is None:
        raise InputError(f"{path} has no column that tells of motion (it has {', '.join(header[:12])}); {_SAYS}.")
    said = [one for one in (heading, rate, speed) if one is not None]
    usable = np.isfinite(time_s) & np.isfinite([one.values for one in said]).any(axis=0)
    order = np.flatnonzero(usable)[np.argsort(time_s[usable], kind="stable")]
    order = order[np.concatenate([np.diff(time_s[order]) > 0, [True]])] if len(order) else order
    if len(order) < 2:
        names = " or ".join(one.name for one in said)
        raise InputError(f"{path} has fewer than two moments with a number in {names}; give a row a moment, with seconds in time_s.")
    moments_s = time_s[order]
    edges = edges_s(float(moments_s[0]), float(moments_s[-1]), INTERVAL_S)
    unknown = np.full(len(edges) - 1, np.nan)
    turn = unknown
    if heading is not None or rate is not None:
        turn = _turns(moments_s, None if heading is None else heading.values[order], None if rate is None else rate.values[order], edges)
    mean = unknown if speed is None else _means(moments_s, speed.values[order], edges)
    turn_std = _errors(path, moments_s, _column(header, rows, _HEADING_STD), order, edges, TURN_STD_DEG)
    speed_std = _errors(path, moments_s, _column(header, rows, _SPEED_STD), order, edges, SPEED_STD_SHARE)
    return Motion(
        edges,
        turn,
        np.where(np.isfinite(turn), turn_std, np.nan),
        mean,
        np.where(np.isfinite(mean), speed_std, np.nan),
        metric=metric is not None,
        source="track",
    )


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    text, separator = separated(path)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(f"{path} is not a table that can be read ({error}); export it as CSV again.") from error
    if len(rows) < 2:
        raise InputError(f"{path} has no rows below its header line; give a CSV file with time_s and heading_deg or speed_mps.")
    return [cell.strip() for cell in rows[0]], rows[1:]


def _times_s(path: Path, header: list[str], rows: list[list[str]]) -> FloatArray:
    """(N,) seconds after the video's start, NaN where a cell holds no number."""
    columns = recognise(header)
    found = columns.elapsed or (columns.moment if columns.moment is not None and columns.moment.plain else None)
    if found is None:
        raise InputError(f"{path} has no column with seconds of the video (it has {', '.join(header[:12])}); name it time_s.")
    time_s = _numbers(rows, found.index) * (found.unit_s or 1.0)
    if not np.isfinite(time_s).any():
        example = next((row[found.index].strip() for row in rows if found.index < len(row)), "")
        raise InputError(f"{path} has no number in {found.header!r} (it holds {example[:40]!r}); write seconds after the video's start.")
    if np.nanmax(np.abs(time_s)) > _UNIX_FROM_S:
        raise InputError(f"{path} counts its times since 1970 in {found.header!r}; write seconds after the video's start there.")
    return time_s


def _column(header: list[str], rows: list[list[str]], names: dict[str, float]) -> _Column | None:
    plain = [re.sub(r"[^a-z]", "", name.lower().replace("km/h", "kmh").replace("°", "deg")) for name in header]
    name = next((name for name in names if name in plain), None)
    if name is None:
        return None
    index = plain.index(name)
    return _Column(header[index], _numbers(rows, index) * names[name])


def _numbers(rows: list[list[str]], index: int) -> FloatArray:
    found = (number_of(row[index].strip()) if index < len(row) else None for row in rows)
    values = np.array([np.nan if value is None else value for value in found], dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def _turns(moments_s: FloatArray, heading_deg: FloatArray | None, rate_dps: FloatArray | None, edges: FloatArray) -> FloatArray:
    """Change of heading by interval, degrees."""
    if heading_deg is not None and np.isfinite(heading_deg).sum() >= 2:
        known = np.isfinite(heading_deg)
        way = np.unwrap(heading_deg[known], period=360.0)
        turns: FloatArray = np.diff(np.interp(edges, moments_s[known], way))
        turns[_silent(moments_s[known], edges)] = np.nan
        return turns
    if rate_dps is None:
        return np.full(len(edges) - 1, np.nan)
    return _means(moments_s, rate_dps, edges) * np.diff(edges)


def _means(moments_s: FloatArray, values: FloatArray, edges: FloatArray) -> FloatArray:
    """Mean of a quantity over each interval, along straight lines between its moments; NaN where it is silent."""
    known = np.isfinite(values)
    if known.sum() < 2:
        return np.full(len(edges) - 1, np.nan)
    at, values = moments_s[known], values[known]
    # The sum up to any moment: lines are cut at the edges, where the quantity is on the line.
    all_s = np.union1d(at, np.clip(edges, at[0], at[-1]))
    on = np.interp(all_s, at, values)
    summed = np.concatenate([[0.0], np.cumsum(np.diff(all_s) * (on[1:] + on[:-1]) / 2)])
    inside = np.clip(edges, at[0], at[-1])
    length_s = np.diff(inside)
    means: FloatArray = np.diff(np.interp(inside, all_s, summed)) / np.maximum(length_s, 1e-9)
    means[(length_s < 0.5 * np.diff(edges)) | _silent(at, edges)] = np.nan
    return means


def _silent(at_s: FloatArray, edges: FloatArray) -> NDArray[np.bool_]:
    """Which intervals lie for more than half in a silence of the table, or beyond its ends."""
    silence_s = max(_SILENCE_S, _USUAL_STEPS * float(np.median(np.diff(at_s))))
    quiet_s = np.zeros(len(edges) - 1)
    steps = np.flatnonzero(np.diff(at_s) > silence_s)
    for start_s, end_s in [(-np.inf, at_s[0]), (at_s[-1], np.inf), *((at_s[i], at_s[i + 1]) for i in steps)]:
        quiet_s += np.clip(np.minimum(edges[1:], end_s) - np.maximum(edges[:-1], start_s), 0.0, None)
    silent: NDArray[np.bool_] = quiet_s > 0.5 * np.diff(edges)
    return silent


def _errors(
    path: Path, moments_s: FloatArray, column: _Column | None, order: NDArray[np.intp], edges: FloatArray, usual: float
) -> FloatArray:
    """Deviations by interval: the column's mean within it, else the usual one."""
    if column is None:
        return np.full(len(edges) - 1, usual)
    values = column.values[order]
    if (values < 0).any():
        raise InputError(f"{path} holds negative numbers in {column.name!r}, which are standard deviations; write them from 0 on.")
    means = _means(moments_s, values, edges)
    return np.where(np.isfinite(means), means, usual)
