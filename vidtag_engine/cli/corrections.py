"""The commands ``vidtag pin``, ``vidtag solve`` and ``vidtag match``: what stands beside the model's own answer."""

from __future__ import annotations

import getpass
import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..types import InputError
from .options import AnswerOption, JsonOption, OverwriteOption
from .terminal import plain_errors, watched

if TYPE_CHECKING:
    from ..export.pins import PinRow

PIN_EXAMPLES = """Examples:

    vidtag pin drive.gpkg --frame 12 --at -19.2195,159.9268 --here --why "the church on the left"

    vidtag pin batch.gpkg --video drive.mp4 --time-s 30 --at -19.2190,159.9300 --not-here --radius-m 50

    vidtag pin drive.gpkg --frame 30 --confirmed
"""
PINS_EXAMPLES = """Examples:

    vidtag pins drive.gpkg

    vidtag pins drive.gpkg --remove 2

    vidtag pins drive.gpkg --note 1 --why "the church on the left"
"""
SOLVE_EXAMPLES = """Example:

    vidtag geolocate drive.mp4 --aoi town.geojson --checkpoint my-town --output drive.gpkg --keep-scores

    vidtag pin drive.gpkg --frame 12 --at -19.2195,159.9268 --here

    vidtag solve drive.gpkg
"""
MATCH_EXAMPLES = """Example:

    vidtag match drive.gpkg --roads streets.gpkg
"""

ResultArgument = Annotated[Path, typer.Argument(help="GeoPackage that `vidtag geolocate` wrote.")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Copy of the result to write the layers to; default: the result itself.")
]


def pin(
    result: ResultArgument,
    *,
    frame: Annotated[int | None, typer.Option(help="Number of the sampled frame, `frame_index`.")] = None,
    time_s: Annotated[float | None, typer.Option(help="Instead of the frame: seconds after the video's start.")] = None,
    at: Annotated[str | None, typer.Option(help="Latitude,longitude in degrees.")] = None,
    here: Annotated[bool, typer.Option("--here/--not-here", help="Whether the camera was there, or was not.")] = True,
    confirmed: Annotated[
        bool,
        typer.Option(
            "--confirmed", help="Instead of a place: the result's own place of the frame is right, as near as its confidence speaks of."
        ),
    ] = False,
    radius_m: Annotated[float, typer.Option(help="How near is meant, metres.")] = 50.0,
    video: Annotated[str, typer.Option(help="Name of the video, where the result holds several.")] = "",
    who: Annotated[str | None, typer.Option(help="For the record; default the account's name, '' leaves it out.")] = None,
    why: Annotated[str, typer.Option(help="For the record.")] = "",
    json: JsonOption = False,
) -> None:
    """Say where a frame was, or was not. `vidtag solve` then decodes the video again.

    The pin is added to the review file beside the result, `drive.review.gpkg` for `drive.gpkg`. `vidtag pins` lists and removes pins.
    """
    with plain_errors(json=json):
        if (frame is None) == (time_s is None):
            raise InputError("The pin does not say which frame it is of: give --frame or --time-s, one of them.")
        if (at is None) != confirmed or (confirmed and not here):
            raise InputError("The pin does not say what it means: give --at with a place, or --confirmed, one of them.")
        from ..commands.pin import run_pin
        from ..export.pins import PinRow

        lat_deg, lon_deg = (float("nan"), float("nan")) if at is None else _place(at)
        name = getpass.getuser() if who is None else who
        written = run_pin(
            result, PinRow(video, frame, lat_deg, lon_deg, here, radius_m, name, None, why, time_s=time_s, confirmed=confirmed)
        )
    if json:
        print(json_module.dumps(_values(written), ensure_ascii=False))
        return
    print(f"Pinned {_pin_line(written)}.")


def pins(
    result: ResultArgument,
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Remove the pin that was set last.")] = False,
    remove: Annotated[int | None, typer.Option(help="Remove the pin of this number.")] = None,
    note: Annotated[int | None, typer.Option(help="Change what --why says of the pin of this number.")] = None,
    why: Annotated[str | None, typer.Option(help="The new note.")] = None,
    json: JsonOption = False,
) -> None:
    """List the pins of a result, change the note of one, or remove one."""
    with plain_errors(json=json):
        from ..commands.pin import list_pins, run_change, run_remove

        if undo + (remove is not None) + (note is not None) > 1:
            raise InputError("More than one of --undo, --remove and --note was given: choose one.")
        if (note is None) != (why is None):
            raise InputError("A note needs the number of its pin and its text: give --note and --why.")
        if note is not None and why is not None:
            changed = run_change(result, note, {"why": why})
            print(json_module.dumps(_values(changed), ensure_ascii=False) if json else f"Changed {_pin_line(changed)}.")
            return
        if undo or remove is not None:
            gone = run_remove(result, remove)
            print(json_module.dumps(_values(gone), ensure_ascii=False) if json else f"Removed {_pin_line(gone)}.")
            return
        found = list_pins(result)
    if json:
        print(json_module.dumps([_values(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        said = ", ".join(filter(None, [one.who, f"{one.when:%Y-%m-%d %H:%M} UTC" if one.when else "", one.why]))
        print(_pin_line(one) + (f" ({said})" if said else ""))
    if not found:
        print(f"{result.name} has no pins.")


def _values(pin: PinRow) -> dict[str, Any]:
    from ..commands.pin_actions import pin_values

    return pin_values(pin)


def _pin_line(pin: PinRow) -> str:
    frame = "" if pin.frame_index is None else f" (frame {pin.frame_index})"
    moment = "an unknown time" if pin.time_s is None else f"{pin.time_s:g} s"
    return f"{pin.number}: {pin.video} at {moment}{frame}, {pin.kind}, within {pin.radius_m:g} m of {pin.lat_deg:.6f},{pin.lon_deg:.6f}"


def solve(result: ResultArgument, *, output: OutputOption = None, overwrite: OverwriteOption = False, json: JsonOption = False) -> None:
    """Decode videos again with their pins; writes `frames_pinned`, `trajectory_pinned` and `regions_pinned` beside the model's own layers."""
    with plain_errors(json=json):
        from ..commands.solve import run_solve

        with watched() as feedback:
            said = run_solve(result, output=output, overwrite=overwrite, feedback=feedback)
    _say(said, json=json)


def match(
    result: ResultArgument,
    *,
    roads: Annotated[str, typer.Option(help="Vector file with a line layer of roads, or its address (zip+https://…/roads.zip!roads.shp).")],
    layer: Annotated[str | None, typer.Option(help="Its layer, where it has several of lines.")] = None,
    crs: Annotated[str | None, typer.Option(help="Its coordinate system, where it does not say, e.g. EPSG:32633.")] = None,
    answer: AnswerOption = "auto",
    output: OutputOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Lay the line of each video on roads; writes the layer `trajectory_matched` beside the model's own."""
    with plain_errors(json=json):
        from ..commands.match import run_match

        with watched() as feedback:
            said = run_match(
                result,
                roads,
                output=output,
                layer=layer,
                crs=crs,
                answer=answer,
                overwrite=overwrite,
                feedback=feedback,
            )
    _say(said, json=json)


def _say(said: dict[str, Any], *, json: bool) -> None:
    if json:
        print(json_module.dumps(said, ensure_ascii=False))
        return
    for video in said["videos"]:
        print(", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in video.items() if value is not None))
    print(f"{said['output']}: {', '.join(said['layers'])}")


def _place(text: str) -> tuple[float, float]:
    try:
        lat, lon = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--at {text!r} is not a place: give latitude,longitude in degrees, such as 59.3251,18.0711.") from None
    return lat, lon


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog=PIN_EXAMPLES)(pin)
    app.command(epilog=PINS_EXAMPLES)(pins)
    app.command(epilog=SOLVE_EXAMPLES)(solve)
    app.command(epilog=MATCH_EXAMPLES)(match)
