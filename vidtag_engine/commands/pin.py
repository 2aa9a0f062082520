"""Set, list and remove pins: a person's word on where a moment of a video was, or was not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from ..export import read_aoi, read_areas, read_geopackage
from ..export.pins import PinRow
from ..export.review_file import add_pins, note_pin, pins_of, remove_pin, review_path, same_moment, with_moment
from ..geodesy import WGS84
from ..types import InputError, Provenance, Trajectory, VideoResult

_ROUNDING_S = 0.001


def run_pin(result: Path, pin: PinRow) -> PinRow:
    """Add a pin to the review file beside a result.

    Args:
        result: GeoPackage that geolocate wrote.
        pin: its ``video`` may be empty where the result holds only one; ``when`` None is now.

    Returns:
        the pin as it was written, with its number.

    Raises:
        InputError: the pin does not fit the result or the others, or the review file cannot be written.
    """
    results, provenance = read_geopackage(result)
    pin = fitted(pin, results, result.name)
    _check_inside(pin, video_of(results, pin, result.name), result, provenance)
    _check_new(pin, pins_of(result, results), results, result)
    [number] = add_pins(result, [pin])
    return replace(pin, number=number)


def list_pins(result: Path) -> list[PinRow]:
    """The pins of a result, in the order of their numbers. Raises InputError where it or one of them cannot be read."""
    return pins_of(result, read_geopackage(result)[0])


def run_remove(result: Path, number: int | None = None) -> PinRow:
    """Remove a pin, by default the last one that was set, and return it. Raises InputError where there is none."""
    read_geopackage(result)  # says what is wrong with the result
    return remove_pin(result, number)


PIN_ACTIONS = ("add", "confirm", "remove", "note", "list")
CONFIRMED = "confirmed"
"""What a pin says as its why where the model's own place was confirmed."""


def run_pin_action(result: Path, action: str = "add", values: dict[str, Any] | None = None, number: int | None = None) -> dict[str, Any]:
    """Do one thing with the pins of a result; arguments as of :class:`~vidtag_engine.command_arguments.PinArguments`.

    Returns:
        ``review``, the file's path; of the pin that was meant ``number``, ``time_s`` and ``video``, None for a list; and ``pins``, all there are then.

    Raises:
        InputError: the pin does not fit, or there is none of that number.
    """
    meant: PinRow | None = None
    if action == "add":
        meant = run_pin(result, pin_from(values or {}))
    elif action == "confirm":
        meant = run_pin(result, _confirmed(result, values or {}))
    elif action == "remove":
        meant = run_remove(result, number)
    elif action == "note":
        meant = note_pin(result, number or 0, str((values or {}).get("why") or ""))
    elif action != "list":
        raise InputError(f"There is no action {action!r}: give one of {', '.join(PIN_ACTIONS)}.")
    return {
        "review": str(review_path(result)),
        **{name: None if meant is None else getattr(meant, name) for name in ("number", "time_s", "video")},
        "pins": [asdict(pin) | {"when": None if pin.when is None else pin.when.isoformat()} for pin in list_pins(result)],
    }


def _confirmed(result: Path, values: dict[str, Any]) -> PinRow:
    """A pin at the model's own place of a frame, as near as its confidence is about. Raises InputError where the frame has no place."""
    results = read_geopackage(result)[0]
    asked = pin_from({"lat_deg": 0.0, "lon_deg": 0.0, **values})
    video = video_of(results, asked, result.name)
    t = video.trajectory
    row = row_of(with_moment(replace(asked, video=video.info.name, sha256=video.sha256), results, result.name), video)
    lat_deg, lon_deg = float(t.lat_deg[row]), float(t.lon_deg[row])
    if not math.isfinite(lat_deg):
        raise InputError(f"Frame {int(t.frame_index[row])} of {video.info.name} has no place to confirm: pin where it was.")
    return replace(asked, here=True, lat_deg=lat_deg, lon_deg=lon_deg, radius_m=t.confidence_radius_m, why=asked.why or CONFIRMED)


def pin_from(values: dict[str, Any]) -> PinRow:
    """A pin as the worker is given it (see :class:`~vidtag_engine.command_arguments.SolveArguments`).

    Raises:
        InputError: it lacks its moment or its place, or holds something else.
    """
    known = {name: value for name, value in values.items() if value is not None}
    try:
        when = datetime.fromisoformat(known.pop("when")) if "when" in known else None
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
