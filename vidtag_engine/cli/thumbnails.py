"""The command ``vidtag thumbnails``: a thin face of `commands.thumbnails`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from .options import JsonOption, OverwriteOption
from .terminal import console, escaped, plain_errors, watched

THUMBNAILS_EXAMPLES = """Examples:

    vidtag thumbnails drive.gpkg

    vidtag thumbnails drive.gpkg --videos clips/ --longest-px 160
"""


def thumbnails(
    result: Annotated[Path, typer.Argument(help="GeoPackage that `vidtag geolocate` wrote.")],
    *,
    videos: Annotated[
        list[Path] | None,
        typer.Option(help="The videos, or folders that hold them, where they lie neither beside the result nor here; may be repeated."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; by default NAME.pictures.gpkg beside the result, where QGIS finds it."),
    ] = None,
    longest_px: Annotated[int, typer.Option(help="Longer side of a picture, pixels.")] = 240,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Make small pictures of a result's frames, which QGIS shows in map tips. They lie in a file of their own: the result never holds one."""
    with plain_errors(json=json):
        from ..command_arguments import ThumbnailsArguments
        from ..commands.thumbnails import run_thumbnails

        arguments = ThumbnailsArguments(
            str(result), str(output) if output else None, [str(place) for place in videos or []], longest_px, overwrite
        )
        with watched() as feedback:
            said = run_thumbnails(arguments, feedback=feedback)
    for one in said["missing"]:
        console().print(f"[yellow]Note:[/] {escaped(one['video'])}: {escaped(one['why'])}", highlight=False, soft_wrap=True)
    if json:
        print(json_module.dumps(said, ensure_ascii=False))
        return
    print(f"{said['pictures']:,} pictures of {said['frames']:,} frames, {said['bytes'] / 1e6:.1f} MB")
    print(said["file"])
