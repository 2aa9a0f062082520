"""The command ``vidtag heatmap``: a thin face of `heatmap`."""

from __future__ import annotations

import json as json_module
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from ..command_arguments import HeatmapArguments
from ..settings import GeolocateSettings, HeatmapSettings
from .options import AoiCrsOption, AoiLayerOption, AoiOption, JsonOption, OverwriteOption
from .settings_options import settings_of, with_settings
from .terminal import console, escaped, plain_errors, watched

EPILOG = """Examples:

    vidtag heatmap drive.mp4 --aoi town.geojson --checkpoint my-town --resolution-m 25 --output drive.tif --png drive.png

    vidtag heatmap drive.mp4 --aoi town.geojson --checkpoint my-town --bands frames --from 10 --to 20 --crs EPSG:3857 --output seconds.tif
"""


_SHARED = {field.name for field in fields(HeatmapArguments)} & set(GeolocateSettings.model_fields)


@with_settings(HeatmapSettings, after="checkpoint")
@with_settings(GeolocateSettings, after="checkpoint", only=_SHARED)
def heatmap(
    video: Annotated[Path | None, typer.Argument(help="A video.")] = None,
    *,
    aoi: AoiOption,
    output: Annotated[Path, typer.Option("--output", "-o", help="GeoTIFF to write.")],
    images: Annotated[Path | None, typer.Option(help="Folder of images that is one sequence, instead of a video.")] = None,
    checkpoint: Annotated[str, typer.Option(help="As for geolocate.")] = "geoclip",
    png: Annotated[Path | None, typer.Option(help="Also draw the first band (PNG).")] = None,
    aoi_layer: AoiLayerOption = None,
    aoi_crs: AoiCrsOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    **settings: Any,
) -> None:
    """Map how probable each place of an area is: a GeoTIFF of the posterior, 1 in sum over the area, NaN outside."""
    with plain_errors(json=json):
        from ..heatmap import run_heatmap

        arguments = HeatmapArguments(
            output=str(output), aoi=aoi, video=str(video) if video else None, images=str(images) if images else None, aoi_layer=aoi_layer,
            aoi_crs=aoi_crs, checkpoint=checkpoint, png=str(png) if png else None, overwrite=overwrite, **settings_of(settings),
        )  # fmt: skip
        notes: list[str] = []
        with watched() as feedback:
            result = run_heatmap(arguments, feedback=feedback, log=lambda _, text: notes.append(text))
        for note in notes:
            console().print(f"[yellow]Note:[/] {escaped(note)}", highlight=False, soft_wrap=True)
    if json:
        print(json_module.dumps(result, ensure_ascii=False))
        return
    how = "each frame by itself" if result["decoder"] == "none" else "all frames decoded together"
    print(
        f"{result['bands']} band(s), {how}, of {result['columns']} x {result['rows']} cells of about {result['cell_m']:g} m; {result['crs']}"
    )
    for path in (result["output"], result["png"]):
        if path:
            print(path)
