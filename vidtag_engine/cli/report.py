"""The command ``vidtag report``: a thin face of `commands.report`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from .options import AnswerOption, JsonOption, OverwriteOption
from .terminal import console, escaped, plain_errors, watched

REPORT_EXAMPLES = """Examples:

    vidtag report drive.gpkg --folder case-17

    vidtag report drive.gpkg --folder case-17 --case-id 2026/17 --analyst "A. Nalyst" --source-url https://example.org/clip --overwrite
"""


def report(
    result: Annotated[Path, typer.Argument(help="GeoPackage that geolocate wrote.")],
    *,
    folder: Annotated[Path, typer.Option(help="Folder to make: pages, PDFs, copies, and the digests of all.")],
    videos: Annotated[list[Path] | None, typer.Option(help="Where the videos lie, where not beside the result; may be repeated.")] = None,
    frames: Annotated[int, typer.Option(help="Frames a page shows.")] = 12,
    case_id: Annotated[str, typer.Option(help="Number of the case.")] = "",
    source_url: Annotated[str, typer.Option(help="Where the video is from. It is never fetched.")] = "",
    analyst: Annotated[str, typer.Option(help="Who hands it over.")] = "",
    answer: AnswerOption = "auto",
    regions: Annotated[bool, typer.Option("--regions", help="Put the frames' regions into the KMZ, too, switched off.")] = False,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Make a folder to hand over: a page and a PDF a video with its frames, KML, KMZ with pictures, GeoJSON, the result, its review, and a manifest with digests."""
    with plain_errors(json=json):
        from ..command_arguments import ReportArguments
        from ..commands.report import run_report

        arguments = ReportArguments(
            str(result),
            str(folder),
            [str(place) for place in videos or []],
            frames,
            case_id,
            source_url,
            analyst,
            answer,
            regions,
            overwrite,
        )
        with watched() as feedback:
            said = run_report(arguments, feedback=feedback)
    for name in said["missing"]:
        console().print(
            f"[yellow]Note:[/] {escaped(name)} was not found, so its page has no pictures: give --videos.", highlight=False, soft_wrap=True
        )
    if json:
        print(json_module.dumps(said, ensure_ascii=False))
        return
    print(f"{said['folder']}: {len(said['files'])} files, {said['bytes'] / 1e6:.1f} MB")
    for video, page in said["pages"].items():
        print(f"{video}: {page}")
