"""The command ``vidtag export``."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from .options import AnswerOption, JsonOption, OverwriteOption
from .terminal import plain_errors, watched

EXPORT_EXAMPLES = """Examples:

    vidtag export drive.gpkg --kml drive.kml --gpx found.gpx

    vidtag export drive.gpkg --frames pictures/ --videos clips/ --least-confidence 0.5
"""


def export(
    result: Annotated[Path, typer.Argument(help="GeoPackage that `vidtag geolocate` wrote.")],
    *,
    kml: Annotated[Path | None, typer.Option(help="KML to write.")] = None,
    gpx: Annotated[Path | None, typer.Option(help="GPX to write.")] = None,
    geojson: Annotated[Path | None, typer.Option(help="GeoJSON to write.")] = None,
    csv: Annotated[Path | None, typer.Option(help="CSV to write.")] = None,
    frames: Annotated[Path | None, typer.Option(help="Folder for the located frames, as JPEGs with EXIF positions.")] = None,
    videos: Annotated[
        list[Path] | None,
        typer.Option(
            help="The videos of --frames, or folders that hold them, where they lie neither beside the result nor here; may be repeated."
        ),
    ] = None,
    least_confidence: Annotated[
        float, typer.Option(help="Frames that are less sure are left out of --frames; those that are not rated are kept.")
    ] = 0.0,
    quality: Annotated[int, typer.Option(help="Of the JPEGs, 1 to 95.")] = 92,
    answer: AnswerOption = "auto",
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Copy a result to KML, GPX, GeoJSON or CSV, and its frames to JPEGs that carry their places."""
    with plain_errors(json=json):
        from ..command_arguments import ExportArguments
        from ..commands.export import run_export

        copies = {"kml": kml, "gpx": gpx, "geojson": geojson, "csv": csv, "frames": frames}
        arguments = ExportArguments(
            result=str(result),
            videos=[str(path) for path in videos or []],
            least_confidence=least_confidence,
            quality=quality,
            answer=answer,
            overwrite=overwrite,
            **{kind: str(path) if path else None for kind, path in copies.items()},
        )
        with watched() as feedback:
            summary = run_export(arguments, feedback=feedback)
    if json:
        print(json_module.dumps(summary, ensure_ascii=False))
        return
    if summary["pinned"]:
        print(f"Solved with pins: {', '.join(summary['pinned'])}.")
    if frames:
        print(f"{summary['frames']} frames written, {summary['left_out']} left out.")
    for path in summary["files"].values():
        print(path)
