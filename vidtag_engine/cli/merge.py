"""The command ``vidtag merge``."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from .options import JsonOption, OverwriteOption
from .terminal import console, escaped, plain_errors, watched

MERGE_EXAMPLES = """Examples:

    vidtag merge drives.results

    vidtag merge store/ --output drives.gpkg

    vidtag merge from-monday/ from-tuesday/ --output both.gpkg
"""
_MOST_NAMED = 20


def merge(
    results: Annotated[list[Path], typer.Argument(help="Folders of results that `vidtag geolocate` wrote, of the same settings and area.")],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="GeoPackage to write; of one folder NAME.results it is NAME.gpkg beside it.")
    ] = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Make the GeoPackage of a batch from the results that were kept video by video.

    That is done by itself at the end of a batch. Use it after a batch was killed, while one is running, or when several machines have shared one. What is
    still missing is listed.
    """
    with plain_errors(json=json):
        from ..commands.merge import run_merge

        with watched() as feedback:
            found = run_merge(results, output, overwrite=overwrite, feedback=feedback)
    if json:
        print(json_module.dumps(found, ensure_ascii=False))
        return
    for note in found["notes"]:
        console().print(f"[yellow]Note:[/] {escaped(note)}", highlight=False, soft_wrap=True)
    print(f"{found['videos']:,} videos with a result, {found['failed']:,} failed, {len(found['missing']):,} missing.")
    for what, names in (("Failed", [one["name"] for one in found["failures"]]), ("Missing", found["missing"])):
        if names:
            more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
            print(f"{what}: {', '.join(names[:_MOST_NAMED])}{more}.")
    print(found["output"])
    print(found["page"])
