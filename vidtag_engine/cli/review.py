"""The commands ``vidtag review …`` and ``vidtag landmarks``: what a person judged, and where a camera stood by what it shows."""

from __future__ import annotations

import getpass
import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from ..types import InputError
from .options import JsonOption
from .terminal import plain_errors, say_error

ADD_EXAMPLES = """Examples:

    vidtag review add drive.gpkg --from-s 2 --to-s 12 --state accepted

    vidtag review add drive.gpkg --from-s 9 --state unsure --comment "two mills look alike"

    vidtag review add drive.gpkg --from-s 8 --bookmark
"""
LIST_EXAMPLES = """Examples:

    vidtag review list drive.gpkg

    vidtag review list drive.gpkg --json
"""
REMOVE_EXAMPLES = """Examples:

    vidtag review remove drive.gpkg --number 1

    vidtag review remove drive.gpkg
"""
LANDMARKS_EXAMPLES = """Example:

    vidtag landmarks drive.gpkg drive.mp4 12 --fov 60 --point 67,160=-19.21899,159.92812 --point 238,160=-19.21963,159.93079 --point 365,160=-19.22021,159.92886
"""
LENSES = {
    "landmarks": "landmarks that were kept of other frames of this video tell it, with these",
    "file": "it is what the video's file says of its lens, put right by these landmarks",
    "common": "these landmarks tell it, beginning from common lenses",
}
"""What the field of view rests on, in words, by the answer's ``lens``."""
ResultArgument = Annotated[Path, typer.Argument(help="GeoPackage that `vidtag geolocate` wrote.")]
app = typer.Typer(
    help="Judge, remark on and bookmark frames and stretches; kept in the review file beside the result.", no_args_is_help=True
)


@app.command("add", epilog=ADD_EXAMPLES)
def add(
    result: ResultArgument,
    *,
    from_s: Annotated[float, typer.Option(help="The moment, or the stretch's beginning: seconds after the video's start.")],
    to_s: Annotated[float | None, typer.Option(help="The stretch's end; left out, one frame is meant.")] = None,
    video: Annotated[str, typer.Option(help="Name of the video, where the result holds several.")] = "",
    state: Annotated[str | None, typer.Option(help="accepted, rejected or unsure.")] = None,
    bookmark: Annotated[bool, typer.Option("--bookmark", help="Mark the moment, to find it again.")] = False,
    comment: Annotated[str, typer.Option(help="For the record.")] = "",
    who: Annotated[str | None, typer.Option(help="For the record; default the account's name, '' leaves it out.")] = None,
    json: JsonOption = False,
) -> None:
    """Judge a frame or a stretch, remark on it or mark it. The newest judgement of a moment holds."""
    with plain_errors(json=json):
        from ..commands.review import add_review, row_values

        name = getpass.getuser() if who is None else who
        values = {"video": video, "from_s": from_s, "to_s": to_s, "state": state, "bookmark": bookmark, "comment": comment, "who": name}
        written = row_values(add_review(result, {key: value for key, value in values.items() if value is not None}))
    print(json_module.dumps(written, ensure_ascii=False) if json else f"Noted {_line(written)}.")


@app.command("list", epilog=LIST_EXAMPLES)
def list_rows(result: ResultArgument, *, json: JsonOption = False) -> None:
    """List what was said of a result's frames, and how many frames of each video are accepted, rejected or unsure."""
    with plain_errors(json=json):
        from ..command_arguments import ReviewArguments
        from ..commands.review import run_review

        found = run_review(ReviewArguments(str(result), "list"))
        counts = [{"video": one["video"], **one["counts"]} for one in run_review(ReviewArguments(str(result), "states"))["videos"]]
    if json:
        print(json_module.dumps({**found, "counts": counts}, ensure_ascii=False))
        return
    for row in found["rows"]:
        print(_line(row))
    for problem in found["problems"]:
        say_error(problem)
    for one in counts if found["rows"] else []:
        print(f"{one['video']}: {one['accepted']} frames accepted, {one['rejected']} rejected, {one['unsure']} unsure")
    if not found["rows"] and not found["problems"]:
        print(f"{result.name} has no review.")


@app.command("remove", epilog=REMOVE_EXAMPLES)
def remove(
    result: ResultArgument,
    *,
    number: Annotated[int | None, typer.Option(help="Of the row; left out, the last one that was added.")] = None,
    json: JsonOption = False,
) -> None:
    """Take a row of the review back."""
    with plain_errors(json=json):
        from ..command_arguments import ReviewArguments
        from ..commands.review import run_review

        gone = run_review(ReviewArguments(str(result), "remove", number=number))["row"]
    print(json_module.dumps(gone, ensure_ascii=False) if json else f"Removed {_line(gone)}.")


def landmarks(
    result: ResultArgument,
    video: Annotated[str, typer.Argument(help="Name of the video in the result.")],
    seconds: Annotated[float, typer.Argument(help="The moment: seconds after the video's start.")],
    *,
    point: Annotated[
        list[str],
        typer.Option(
            "--point", metavar="X,Y=LAT,LON", help="A landmark: pixels in the upright picture, and its place; three or more of them."
        ),
    ],
    fov: Annotated[
        float | None,
        typer.Option(
            help="Horizontal field of view, degrees; left out, the file's word on its lens, landmarks kept of other frames and these tell it."
        ),
    ] = None,
    videos: Annotated[
        list[Path] | None,
        typer.Option(help="Where the video lies, where not beside the result: what it says of its lens counts; may be repeated."),
    ] = None,
    size: Annotated[str | None, typer.Option(help="WIDTHxHEIGHT of the picture that was clicked in; default the video's own.")] = None,
    noise_px: Annotated[float, typer.Option(help="How far off a click usually is, pixels.")] = 3.0,
    tilt: Annotated[float, typer.Option(help="How far from level the camera usually is, degrees (one standard deviation).")] = 2.0,
    pin: Annotated[bool, typer.Option("--pin", help="Set a pin there, as near as the ellipse is large, and keep the landmarks.")] = False,
    who: Annotated[str | None, typer.Option(help="For the record; default the account's name, '' leaves it out.")] = None,
    json: JsonOption = False,
) -> None:
    """Say where the camera stood, by things that are seen in the picture and found on the map."""
    with plain_errors(json=json):
        from ..command_arguments import LandmarksArguments
        from ..commands.landmarks import run_landmarks

        width_px, height_px = (None, None) if size is None else _numbers(size, "x", "--size", "WIDTHxHEIGHT, such as 1920x1080")
        points = [[number for half in _halves(one) for number in _numbers(half, ",", "--point", "X,Y=LAT,LON")] for one in point]
        name = getpass.getuser() if who is None else who
        found = run_landmarks(
            LandmarksArguments(
                str(result), seconds, video, points=points, width_px=width_px, height_px=height_px, fov_deg=fov, noise_px=noise_px, tilt_deg=tilt, pin=pin,
                videos=[str(one) for one in videos or []], who=name,
            )
        )  # fmt: skip
    if json:
        print(json_module.dumps(found, ensure_ascii=False))
        return
    for place in found["places"]:
        print(
            f"{place['lat_deg']:.6f},{place['lon_deg']:.6f}, looking {place['bearing_deg']:.1f}°, field of view {place['fov_deg']:.1f}°; with 90 % within an"
            f" ellipse of {place['semi_major_m']:.1f} by {place['semi_minor_m']:.1f} m, its long axis to {place['azimuth_deg']:.0f}°"
        )
        for number, (off_px, away_m) in enumerate(zip(place["residual_px"], place["distance_m"], strict=True), 1):
            print(f"  landmark {number}: {off_px:+.1f} px off, {away_m:,.0f} m away")
    if LENSES.get(found["lens"]):
        print(f"The field of view was not given: {LENSES[found['lens']]}.")
    for note in found["notes"]:
        say_error(note)
    if found["pin"]:
        print(f"Pinned as {found['pin']['number']}, within {found['pin']['radius_m']:.1f} m.")


def _halves(text: str) -> list[str]:
    halves = text.split("=")
    if len(halves) != 2:
        raise InputError(f"--point {text!r} is no landmark: give X,Y=LAT,LON, such as 412,530=59.3251,18.0711.")
    return halves


def _numbers(text: str, between: str, option: str, form: str) -> list[float]:
    try:
        first, second = (float(part) for part in text.lower().split(between))
    except ValueError:
        raise InputError(f"{text!r} in {option} cannot be understood: give {form}.") from None
    return [first, second]


def _line(row: dict[str, Any]) -> str:
    when_s = f"{row['from_s']:g} s" if row["from_s"] == row["to_s"] else f"{row['from_s']:g} to {row['to_s']:g} s"
    words = [row["state"], "bookmark" if row["bookmark"] else "", row["comment"]]
    said = ", ".join(filter(None, words))
    by = ", ".join(filter(None, [row["who"], str(row["when"] or "")[:16].replace("T", " ")]))
    return f"{row['number']}: {row['video']} at {when_s}: {said}" + (f" ({by})" if by else "")


def register(root: typer.Typer) -> None:
    """Add the commands to the command line."""
    root.add_typer(app, name="review")
    root.command(epilog=LANDMARKS_EXAMPLES)(landmarks)
