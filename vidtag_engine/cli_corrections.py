"""The commands ``vidtag pin``, ``vidtag solve`` and ``vidtag match``: what stands beside the model's own answer."""

from __future__ import annotations

import getpass
import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import AnswerOption, JsonOption, OverwriteOption
from .terminal import Cancellation, plain_errors, progress_bar
from .types import InputError

PIN_EXAMPLES = """Examples:

    vidtag pin drive.gpkg --frame 12 --at 59.3251,18.0711 --here --why "the church on the left"

    vidtag pin batch.gpkg --video drive.mp4 --frame 40 --at 59.33,18.05 --not-here --radius-m 500
"""
SOLVE_EXAMPLES = """Example:

    vidtag geolocate drive.mp4 --aoi town.geojson --checkpoint my-town --output drive.gpkg --keep-scores

    vidtag pin drive.gpkg --frame 12 --at 59.3251,18.0711 --here

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
    frame: Annotated[int, typer.Option(help="Number of the sampled frame, `frame_index`.")],
    at: Annotated[str, typer.Option(help="Latitude,longitude in degrees.")],
    here: Annotated[bool, typer.Option("--here/--not-here", help="Whether the camera was there, or was not.")] = True,
    radius_m: Annotated[float, typer.Option(help="How near is meant, metres.")] = 50.0,
    video: Annotated[str, typer.Option(help="Name of the video, where the result holds several.")] = "",
    who: Annotated[str | None, typer.Option(help="For the record; default the account's name, '' leaves it out.")] = None,
    why: Annotated[str, typer.Option(help="For the record.")] = "",
    json: JsonOption = False,
) -> None:
    """Say where a frame was, or was not. `vidtag solve` then decodes the video again."""
    with plain_errors(json=json):
        from .commands.pin import run_pin
        from .export.pins import PinRow

        lat_deg, lon_deg = _place(at)
        name = getpass.getuser() if who is None else who
        written = run_pin(result, PinRow(video, frame, lat_deg, lon_deg, here, radius_m, name, None, why))
    if json:
        values = {**vars(written), "when": written.when.isoformat() if written.when else None}
        print(json_module.dumps(values, ensure_ascii=False))
        return
    word = "here" if here else "not here"
    print(f"Pinned frame {frame} of {written.video}: {word}, within {radius_m:g} m of {lat_deg:.6f},{lon_deg:.6f}.")


def solve(result: ResultArgument, *, output: OutputOption = None, overwrite: OverwriteOption = False, json: JsonOption = False) -> None:
    """Decode videos again with their pins; writes `frames_pinned`, `trajectory_pinned` and `regions_pinned` beside the model's own layers."""
    with plain_errors(json=json):
        from .commands.solve import run_solve

        with progress_bar() as bar:
            said = run_solve(result, output=output, overwrite=overwrite, progress=bar, cancelled=_cancellation())
    _say(said, json=json)


def match(
    result: ResultArgument,
    *,
    roads: Annotated[Path, typer.Option(help="Vector file with a line layer of roads.")],
    layer: Annotated[str | None, typer.Option(help="Its layer, where it has several of lines.")] = None,
    crs: Annotated[str | None, typer.Option(help="Its coordinate system, where it does not say, e.g. EPSG:32633.")] = None,
    answer: AnswerOption = "auto",
    output: OutputOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Lay the line of each video on roads; writes the layer `trajectory_matched` beside the model's own."""
    with plain_errors(json=json):
        from .commands.match import run_match

        with progress_bar() as bar:
            said = run_match(
                result,
                roads,
                output=output,
                layer=layer,
                crs=crs,
                answer=answer,
                overwrite=overwrite,
                progress=bar,
                cancelled=_cancellation(),
            )
    _say(said, json=json)


def _cancellation() -> Cancellation:
    cancellation = Cancellation()
    cancellation.install()
    return cancellation


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
    app.command(epilog=SOLVE_EXAMPLES)(solve)
    app.command(epilog=MATCH_EXAMPLES)(match)
