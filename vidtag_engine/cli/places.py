"""The command ``vidtag places``: where one frame of a result may be."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import JsonOption, OverwriteOption
from .terminal import plain_errors

PLACES_EXAMPLES = """Examples:

    vidtag places drive.gpkg --time-s 12

    vidtag places drive.gpkg --video drive.mp4 --frame 12 --json

    vidtag places drive.gpkg --time-s 12 --posterior twelve.gpkg
"""


def places(
    result: Annotated[Path, typer.Argument(help="GeoPackage that `vidtag geolocate` wrote with --keep-scores.")],
    *,
    time_s: Annotated[
        float | None, typer.Option(help="The frame: seconds after the video's start; the nearest sampled one is meant.")
    ] = None,
    frame: Annotated[int | None, typer.Option(help="Instead of the time: number of the sampled frame, `frame_index`.")] = None,
    video: Annotated[str, typer.Option(help="Name of the video, where the result holds several.")] = "",
    answer: Annotated[str, typer.Option(help="model, or pinned: as it was solved with pins.")] = "model",
    posterior: Annotated[
        Path | None, typer.Option(help="Also write the frame's whole posterior, a GeoPackage with a square a place.")
    ] = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Say which places one frame may be of: its answer first, then up to four others that lie apart, each with its share."""
    with plain_errors(json=json):
        from ..command_arguments import PlacesArguments
        from ..commands.places import run_places

        asked = PlacesArguments(str(result), video, time_s, frame, answer, None if posterior is None else str(posterior), overwrite)
        found = run_places(asked)
    print(json_module.dumps(found, ensure_ascii=False) if json else _text(found))


def _text(found: dict[str, Any]) -> str:
    lines = [f"{found['video']}, frame {found['frame_index']} at {found['time_s']:g} s"]
    if found["why"]:
        lines.append(found["why"])
    for one in found["candidates"]:
        share = "not rated" if one["share"] is None else f"{one['share']:.1%} within {found['radius_m']:g} m"
        near = "" if one["reference"] is None else f", as reference image {one['reference']['image_id']} of {one['reference']['source']}"
        lines.append(f"  {one['rank']}: {one['lat_deg']:.6f},{one['lon_deg']:.6f}, {share}{', the answer' if one['answer'] else ''}{near}")
    if found["rated"]:
        unknown = f", {found['unknown_share']:.1%} on unknown ground or outside the area" if found["unknown_share"] else ""
        lines.append(f"  elsewhere: {found['elsewhere_share']:.1%}{unknown}")
    if found["posterior"]:
        share = found["posterior"]["share"]
        held = ", not rated" if share is None else f", which hold {share:.1%}"
        lines.append(f"{found['posterior']['file']}: {found['posterior']['cells']:,} squares{held}")
    return "\n".join(lines)
