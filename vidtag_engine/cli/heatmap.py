"""The command ``vidtag heatmap``: a thin face of `heatmap`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from .options import AoiCrsOption, AoiLayerOption, AoiOption, DeviceOption, JsonOption, OverwriteOption, TimeZoneOption, rate_of, time_of
from .terminal import console, escaped, plain_errors, watched

EPILOG = """Examples:

    vidtag heatmap drive.mp4 --aoi town.geojson --checkpoint my-town --resolution-m 25 --output drive.tif --png drive.png

    vidtag heatmap drive.mp4 --aoi town.geojson --checkpoint my-town --bands frames --from 10 --to 20 --crs EPSG:3857 --output seconds.tif
"""


def heatmap(
    video: Annotated[Path | None, typer.Argument(help="A video.")] = None,
    *,
    aoi: AoiOption,
    output: Annotated[Path, typer.Option("--output", "-o", help="GeoTIFF to write.")],
    images: Annotated[Path | None, typer.Option(help="Folder of images that is one sequence, instead of a video.")] = None,
    checkpoint: Annotated[str, typer.Option(help="As for geolocate.")] = "geoclip",
    resolution_m: Annotated[float, typer.Option(help="Step of the grid, metres, and of a cell unless --cell-m says else.")] = 100.0,
    bands: Annotated[str, typer.Option(help="video: one band, the mean of its frames. frames: a band a frame.")] = "video",
    decoder: Annotated[str, typer.Option(help="hmm: frames decoded together, if the checkpoint can. none: each frame by itself.")] = "hmm",
    cell_m: Annotated[float | None, typer.Option(help="Side of a cell, metres.")] = None,
    crs: Annotated[str | None, typer.Option(help="Of the map, e.g. EPSG:4326; default Lambert's equal-area plane about the area.")] = None,
    png: Annotated[Path | None, typer.Option(help="Also draw the first band (PNG).")] = None,
    fps: Annotated[str, typer.Option(help="Frames a second, or `all`.")] = "1",
    from_s: Annotated[float, typer.Option("--from", help="Start of the stretch, seconds.")] = 0.0,
    to_s: Annotated[float | None, typer.Option("--to", help="End of the stretch, seconds.")] = None,
    start_time: Annotated[str | None, typer.Option(help="Time of the first frame, ISO 8601; UTC unless it or --time-zone says.")] = None,
    time_zone: TimeZoneOption = None,
    aoi_layer: AoiLayerOption = None,
    aoi_crs: AoiCrsOption = None,
    device: DeviceOption = "auto",
    batch_size: Annotated[int | None, typer.Option(help="Pictures encoded at once.")] = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Map how probable each place of an area is: a GeoTIFF of the posterior, 1 in sum over the area, NaN outside."""
    with plain_errors(json=json):
        from ..heatmap import run_heatmap
        from ..protocol import HeatmapArguments

        arguments = HeatmapArguments(
            output=str(output), aoi=aoi, video=str(video) if video else None, images=str(images) if images else None, aoi_layer=aoi_layer,
            aoi_crs=aoi_crs, checkpoint=checkpoint, resolution_m=resolution_m, rate_hz=rate_of(fps), from_s=from_s, to_s=to_s,
            start_time=time_of(start_time), time_zone=time_zone, device=device, batch_size=batch_size, bands=bands, decoder=decoder, crs=crs, cell_m=cell_m,
            png=str(png) if png else None, overwrite=overwrite,
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
