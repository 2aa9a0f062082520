"""Set a pin: a person's word on where a frame was, or was not."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..export import read_geopackage
from ..export.corrections import with_layers
from ..export.pins import PinRow, pins_table, read_pins
from ..types import InputError, VideoResult


def run_pin(result: Path, pin: PinRow) -> PinRow:
    """Add a pin to a result's layer ``pins``.

    Args:
        result: GeoPackage that geolocate wrote.
        pin: its ``video`` may be empty where the result holds only one; ``when`` None is now.

    Returns:
        the pin as it was written.

    Raises:
        InputError: the pin does not fit the result, or the result cannot be written.
    """
    results, _ = read_geopackage(result)
    pin = fitted(pin, results, result.name)
    with_layers(result, {"pins": (pins_table([*read_pins(result), pin]), "pins")})
    return pin


def pin_from(values: dict[str, Any]) -> PinRow:
    """A pin as the worker is given it (see :class:`~vidtag_engine.protocol.SolveArguments`).

    Raises:
        InputError: it lacks its frame or its place, or holds something else.
    """
    known = {name: value for name, value in values.items() if value is not None}
    try:
        when = datetime.fromisoformat(known.pop("when")) if "when" in known else None
        return PinRow(**{"video": "", **known}, when=when)
    except (TypeError, ValueError) as error:
        raise InputError(f"A pin cannot be understood ({error}): give its frame_index, lat_deg and lon_deg.") from error


def fitted(pin: PinRow, results: list[VideoResult], source: str) -> PinRow:
    """The pin with its video's name and its moment filled in. Raises InputError where it does not fit the result."""
    _check_numbers(pin)
    video = video_of(results, pin.video, source)
    check_frame(video, pin)
    return replace(pin, video=video.info.name, when=pin.when or datetime.now(UTC))


def video_of(results: list[VideoResult], name: str, source: str) -> VideoResult:
    """The video that a pin is of. Raises InputError where there is none, or where it is not said which."""
    names = ", ".join(one.info.name for one in results) or "none"
    if not name and len(results) == 1:
        return results[0]
    found = [one for one in results if name and name in {one.info.name, one.info.path.name}]
    if not found:
        said = f"There is no video {name!r} in {source}" if name else f"{source} does not hold just one video"
        raise InputError(f"{said}: say which one is meant ({names}).")
    return found[0]


def check_frame(video: VideoResult, pin: PinRow) -> None:
    """Raise InputError where the pin's frame is not one of the video's."""
    index = video.trajectory.frame_index
    if pin.frame_index not in index:
        last = f"0 to {int(index[-1])}" if len(index) else "none"
        raise InputError(f"{video.info.name} has no frame {pin.frame_index}: give one of its sampled frames ({last}).")


def _check_numbers(pin: PinRow) -> None:
    if not (math.isfinite(pin.lat_deg) and abs(pin.lat_deg) <= 90 and math.isfinite(pin.lon_deg) and abs(pin.lon_deg) <= 180):
        raise InputError(f"The place {pin.lat_deg:g},{pin.lon_deg:g} is not on Earth: give latitude,longitude in degrees.")
    if not (math.isfinite(pin.radius_m) and pin.radius_m > 0):
        raise InputError(f"The pin's radius of {pin.radius_m:g} m is not usable: give a positive number of metres.")
