"""Set, list and remove pins: a person's word on where a moment of a video was, or was not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from ..export import read_aoi, read_areas, read_geopackage
from ..export.pins import CONFIRMED, HERE, KINDS, RADIUS_M, PinRow
from ..export.review_file import add_pins, change_pin, pins_of, remove_pin, review_path, same_moment, with_moment
from ..geodesy import WGS84
from ..types import InputError, Provenance, Trajectory, UnwrittenError, VideoResult

_ROUNDING_S = 0.001


def run_pin(result: Path, pin: PinRow) -> PinRow:
    """Add a pin to the review file beside a result.

    Args:
        result: GeoPackage that geolocate wrote.
        pin: its ``video`` may be empty where the result holds only one; ``when`` None is now. One that was given its ``when`` is added once.

    Returns:
        the pin as it was written, with its number.

    Raises:
        UnwrittenError: the result is gone or holds another video by now, or the review file cannot be written.
        InputError: the pin does not fit the result or the others.
    """
    try:
        results, provenance = read_geopackage(result)
    except InputError as error:  # the result is gone, or is being replaced
        raise UnwrittenError(str(error)) from error
    if pin.sha256 and pin.sha256 not in {one.sha256 for one in results}:
        raise UnwrittenError(
            f"{result.name} no longer holds the video {pin.video} that this pin was set on: put the result of that video back."
        )
    if pin.confirmed and not math.isfinite(pin.lat_deg):
        pin = _at_own_place(pin, results, result.name)
    asked_anew = pin.when is not None
    pin = fitted(pin, results, result.name)
    there = pins_of(result, results)
    # Asked again, as after an engine that was killed between writing and saying so: it is there already.
    if asked_anew and (known := next((one for one in there if _is_same(pin, one)), None)) is not None:
        return known
    _check_inside(pin, video_of(results, pin, result.name), result, provenance)
    _check_new(pin, there, results, result)
    [number] = add_pins(result, [pin])
    return replace(pin, number=number)


def run_change(result: Path, number: int, changes: dict[str, Any]) -> PinRow:
    """Change a pin: its note, kind, radius or place; it must fit the result and the other pins as a new one must.

    Args:
        result: GeoPackage that geolocate wrote.
        number: of the pin.
        changes: any of ``why``, ``kind``, ``radius_m``, ``lat_deg`` and ``lon_deg``.

    Returns:
        the pin as it is now.

    Raises:
        InputError: there is no such pin, or the changed one does not fit.
    """
    if strange := sorted(set(changes) - {"why", "kind", "radius_m", "lat_deg", "lon_deg"}):
        raise InputError(f"{strange[0]} of a pin cannot be changed: change its why, kind, radius_m, lat_deg or lon_deg.")
    results, provenance = read_geopackage(result)
    pins = pins_of(result, results)
    before = next((pin for pin in pins if pin.number == number), None)
    if before is None:
        there = ", ".join(str(pin.number) for pin in pins) or "none"
        raise InputError(f"{review_path(result).name} has no pin {number}: give the number of one of its pins ({there}).")
    pin = replace(before, **_with_kind({name: value for name, value in changes.items() if value is not None}))
    _check_numbers(pin)
    if set(changes) != {"why"}:  # a note may be written on a pin of a video that is not in this result
        _check_inside(fitted(pin, results, result.name), video_of(results, pin, result.name), result, provenance)
        _check_new(pin, [one for one in pins if one.number != number], results, result)
    change_pin(result, pin)
    return pin


def _with_kind(values: dict[str, Any]) -> dict[str, Any]:
    """A pin's values with ``here`` and ``confirmed`` in place of its kind. Raises InputError where there is no such kind."""
    if "kind" not in values:
        return values
    kind = str(values["kind"]).strip().lower().replace("_", " ")
    if kind not in KINDS:
        raise InputError(f"There are no pins of the kind {values['kind']!r}: choose {', '.join(KINDS[:-1])} or {KINDS[-1]}.")
    return {
        **{name: value for name, value in values.items() if name != "kind"},
        "here": kind in {HERE, CONFIRMED},
        "confirmed": kind == CONFIRMED,
    }


def _at_own_place(pin: PinRow, results: Sequence[VideoResult], source: str) -> PinRow:
    """A pin that confirms a frame, at the model's own place of it; as near as its confidence speaks of, where something calibrated that."""
    video = video_of(results, pin, source)
    known = with_moment(replace(pin, video=video.info.name, sha256=video.sha256), results, source)
    t, row = video.trajectory, row_of(known, video)
    if not np.isfinite(t.lat_deg[row]):
        raise InputError(f"Frame {t.frame_index[row]} of {video.info.name} has no place that could be confirmed: pin where it was instead.")
    radius_m = pin.radius_m if pin.radius_m != RADIUS_M or not np.isfinite(t.confidence[row]) else float(t.confidence_radius_m)
    return replace(pin, lat_deg=float(t.lat_deg[row]), lon_deg=float(t.lon_deg[row]), radius_m=radius_m)


def list_pins(result: Path) -> list[PinRow]:
    """The pins of a result, in the order of their numbers. Raises InputError where it or one of them cannot be read."""
    return pins_of(result, read_geopackage(result)[0])


def run_remove(result: Path, number: int | None = None) -> PinRow:
    """Remove a pin, by default the last one that was set, and return it. Raises InputError where there is none."""
    read_geopackage(result)  # says what is wrong with the result
    return remove_pin(result, number)


def remove_meant(result: Path, number: int, meant: dict[str, Any]) -> PinRow | None:
    """Remove the pin that a person saw in a list.

    Args:
        result: GeoPackage that geolocate wrote.
        number: of the pin.
        meant: its ``video`` and ``time_s``.

    Returns:
        the pin as it was; None where it is gone already.

    Raises:
        UnwrittenError: the result is gone, or the review file cannot be written.
        InputError: another pin has its number by now.
    """
    try:
        read_geopackage(result)
    except InputError as error:
        raise UnwrittenError(str(error)) from error
    there = next((pin for pin in list_pins(result) if pin.number == number), None)
    if there is None:
        return None
    if there.video != meant.get("video") or there.time_s is None or abs(there.time_s - float(meant.get("time_s", math.nan))) > _ROUNDING_S:
        raise InputError(f"Pin {number} in {review_path(result).name} is another one by now: list its pins again.")
    return remove_pin(result, number)


def pin_from(values: dict[str, Any]) -> PinRow:
    """A pin as the worker is given it (see :class:`~vidtag_engine.command_arguments.SolveArguments`).

    Raises:
        InputError: it lacks its moment or its place, or holds something else.
    """
    known = {name: value for name, value in values.items() if value is not None}
    try:
        when = datetime.fromisoformat(known.pop("when")) if "when" in known else None
        known = _with_kind(known)
        if known.get("confirmed"):
            known = {"lat_deg": math.nan, "lon_deg": math.nan, **known}
        pin = PinRow(**{"video": "", "frame_index": None, **known}, when=when)
    except (TypeError, ValueError) as error:
        raise InputError(f"A pin cannot be understood ({error}): give its time_s or frame_index, lat_deg and lon_deg.") from error
    if pin.frame_index is None and pin.time_s is None:
        raise InputError("A pin cannot be understood (it does not say its moment): give its time_s or frame_index, lat_deg and lon_deg.")
    return pin


def fitted(pin: PinRow, results: Sequence[VideoResult], source: str) -> PinRow:
    """The pin with its video's name and digest, its time, its frame in this result and when it was set.

    Args:
        pin: as it was given; its time goes before its frame.
        results: that it is to fit.
        source: the result's name.

    Raises:
        InputError: it does not fit.
    """
    _check_numbers(pin)
    video = video_of(results, pin, source)
    pin = with_moment(replace(pin, video=video.info.name, sha256=video.sha256), results, source)
    row = row_of(pin, video)
    return replace(pin, frame_index=int(video.trajectory.frame_index[row]), when=pin.when or datetime.now(UTC))


def video_of(results: Sequence[VideoResult], pin: PinRow, source: str) -> VideoResult:
    """The video that a pin is of. Raises InputError where there is none, or where it is not said which."""
    names = ", ".join(one.info.name for one in results) or "none"
    if not pin.video and not pin.sha256 and len(results) == 1:
        return results[0]
    if pin.sha256:
        found = [one for one in results if one.sha256 == pin.sha256]
    else:
        found = [one for one in results if pin.video and pin.video in {one.info.name, one.info.path.name}]
    if not found:
        named = pin.video or pin.sha256[:12]
        said = f"There is no video {named!r} in {source}" if named else f"{source} does not hold just one video"
        raise InputError(f"{said}: say which one is meant ({names}).")
    return next((one for one in found if one.info.name == pin.video), found[0])


def row_of(pin: PinRow, video: VideoResult) -> int:
    """The row of the sampled frame nearest to a pin. Raises InputError where none lies within half a step of it, or it is not in the video."""
    t, name, time_s = video.trajectory, video.info.name, pin.time_s
    if time_s is None or not len(t.time_s):
        raise InputError(f"{name} has no sampled frame: run geolocate again before you set pins on it.")
    end_s = max(float(t.time_s[-1]), video.info.duration_s or 0.0)
    if not (math.isfinite(time_s) and -_ROUNDING_S <= time_s <= end_s + _ROUNDING_S):
        raise InputError(f"The pin at {time_s:g} s lies outside the video {name}: give a time from 0 to {end_s:g} s.")
    row = int(np.abs(t.time_s - time_s).argmin())
    away_s, step_s = abs(float(t.time_s[row]) - time_s), _step_s(t)
    if away_s > 0.5 * step_s + _ROUNDING_S:
        raise InputError(
            f"The pin at {time_s:g} s of {name} has no sampled frame within half a step ({0.5 * step_s:g} s): the nearest lies at"
            f" {t.time_s[row]:g} s; run geolocate again over that stretch, or remove the pin (vidtag pins --remove)."
        )
    return row


def check_once(pins: Sequence[PinRow], source: str) -> None:
    """Raise InputError where two pins speak of one moment of a video and cannot both stand."""
    for number, pin in enumerate(pins):
        for other in pins[:number]:
            if same_moment(pin, other) and not _beside(pin, other):
                raise InputError(
                    f"{source} has two pins for {pin.moment} of {pin.video} ({other.number or number} and {pin.number or number + 1}):"
                    " run vidtag pins --remove with one of these numbers, or delete one in its layer."
                )


def _step_s(trajectory: Trajectory) -> float:
    """The usual distance of sampled frames, seconds."""
    return float(np.median(np.diff(trajectory.time_s))) if len(trajectory.time_s) > 1 else 0.0


def _beside(pin: PinRow, other: PinRow) -> bool:
    """Whether both can be true of one moment: it was neither at this place nor at that one."""
    return not pin.here and not other.here and (pin.lat_deg, pin.lon_deg) != (other.lat_deg, other.lon_deg)


def _is_same(pin: PinRow, other: PinRow) -> bool:
    """Whether a pin is the very one that lies there: of the same moment and kind, said at the same millisecond."""
    if pin.when is None or other.when is None or not same_moment(pin, other) or pin.kind != other.kind:
        return False
    said = other.when if other.when.tzinfo else other.when.replace(tzinfo=UTC)
    return abs((pin.when - said).total_seconds()) < _ROUNDING_S


def _check_new(pin: PinRow, pins: Sequence[PinRow], results: Sequence[VideoResult], result: Path) -> None:
    """Refuse a second word on one sampled frame."""
    video = video_of(results, pin, result.name)
    row = row_of(pin, video)
    for other in pins:
        if other.sha256 != pin.sha256 or other.time_s is None or _beside(pin, other):
            continue
        if same_moment(pin, other) or int(np.abs(video.trajectory.time_s - other.time_s).argmin()) == row:
            raise InputError(
                f"There is a pin for {other.moment} of {pin.video} already, number {other.number} in {review_path(result).name}:"
                f" run vidtag pins {result.name} --remove {other.number} first, or choose another frame."
            )


def _check_inside(pin: PinRow, video: VideoResult, result: Path, provenance: Provenance) -> None:
    """Refuse a place outside the area that the video was searched for in, with the leave that solving gives."""
    own = video.own.area if video.own else None
    area = (read_areas(result).get(own) if own else read_aoi(result)) if pin.here else None
    if area is None:
        return
    reach_m = max(pin.radius_m, 1.5 * float(provenance.gallery.get("resolution_m", 0.0)))
    bearings = np.arange(0.0, 360.0, 5.0)
    lon, lat, _ = WGS84.fwd(np.full(72, pin.lon_deg), np.full(72, pin.lat_deg), bearings, np.full(72, reach_m))
    lon = pin.lon_deg + (np.asarray(lon) - pin.lon_deg + 180.0) % 360.0 - 180.0  # on one side of ±180°
    if not any(shapely.Polygon(np.column_stack([lon + turn, lat])).intersects(area) for turn in (-360.0, 0.0, 360.0)):
        raise InputError(
            f"The pin at {pin.lat_deg:.6f},{pin.lon_deg:.6f} for {pin.moment} of {pin.video} lies outside the area that was searched: correct its"
            " place, or run geolocate again over a larger area."
        )


def _check_numbers(pin: PinRow) -> None:
    if not (math.isfinite(pin.lat_deg) and abs(pin.lat_deg) <= 90 and math.isfinite(pin.lon_deg) and abs(pin.lon_deg) <= 180):
        raise InputError(f"The place {pin.lat_deg:g},{pin.lon_deg:g} is not on Earth: give latitude,longitude in degrees.")
    if not (math.isfinite(pin.radius_m) and pin.radius_m > 0):
        raise InputError(f"The pin's radius of {pin.radius_m:g} m is not usable: give a positive number of metres.")
