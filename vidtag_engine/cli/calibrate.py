"""The command ``vidtag calibrate``: a thin face of `training.recalibrate`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from .options import AoiCrsOption, AoiLayerOption, DeviceOption, JsonOption, OverwriteOption
from .terminal import plain_errors, watched

EPILOG = """Examples:

    vidtag calibrate my-town --video others/ --truth others/

    vidtag calibrate my-town --reference my-references --video others/ --truth others/

    vidtag calibrate old-checkpoint --video a.mp4 --truth a.gpx ... --video h.mp4 --truth h.gpx --output mended
"""


def calibrate(
    checkpoint: Annotated[str, typer.Argument(help="Folder or file of a checkpoint, or a Hub id.")],
    *,
    video: Annotated[
        list[Path] | None, typer.Option(help="A video that it was not trained on, or a folder of them; repeat for more.")
    ] = None,
    truth: Annotated[
        list[Path] | None, typer.Option(help="Its track, in the videos' order, or a folder of tracks named like them.")
    ] = None,
    images: Annotated[list[Path] | None, typer.Option(help="A folder of images that is one sequence; repeat for more.")] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            help="Database of reference images that it is to be used with; how much that weighs, and how sure to be of both, is fitted."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write the checkpoint to; default is where it lies.")
    ] = None,
    aoi: Annotated[
        str | None, typer.Option(help="Area to decode over meanwhile, as for geolocate; default is its training extent.")
    ] = None,
    aoi_layer: AoiLayerOption = None,
    aoi_crs: AoiCrsOption = None,
    truth_offset_s: Annotated[str | None, typer.Option(help="Seconds added to the truths' clocks, or auto.")] = None,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Teach a checkpoint how sure to be, from eight or more videos with tracks that it was not trained on. Its weights stay as they are."""
    with plain_errors(json=json):
        from ..grid import load_aoi
        from ..loaded import load
        from ..outputs import check_files
        from ..reference.store import Store
        from ..training.recalibrate import recalibrate
        from ..training.sources import pair_sources
        from ..training.tells import what_it_tells
        from ..trajectory import Calibration
        from ..truth_offset import offset_of
        from ..types import InputError

        place = output or Path(checkpoint)
        if output is None and not place.exists():
            raise InputError(f"{checkpoint} does not lie on this disk: say with --output where the calibrated checkpoint is to go.")
        if checkpoint == "geoclip" and not Path(checkpoint).exists():
            raise InputError(
                "geoclip was trained by others on the whole world and cannot be calibrated for an area: train a checkpoint with 'vidtag train'."
            )
        sources = pair_sources(video or [], truth or [], images or [])
        read = {"videos": video or [], "truths": truth or [], "images": images or [], "aoi": aoi}
        check_files("train", {"output": place, "overwrite": overwrite, **read})
        area = load_aoi(aoi, layer=aoi_layer, crs=aoi_crs) if aoi else None
        with watched() as feedback:
            loaded = load(checkpoint, device, feedback)
            card = recalibrate(
                loaded, sources, place, aoi=area, reference=reference, truth_offset_s=offset_of(truth_offset_s), overwrite=overwrite, feedback=feedback,
            )  # fmt: skip
    beside = card.references.beside[Store.open(reference).content] if reference else card.calibration
    tells = what_it_tells(Calibration.from_dict(beside))
    if json:
        print(json_module.dumps({"checkpoint": str(place), "sha256": card.sha256, "tells": tells}))
    else:
        print(f"Checkpoint: {place}")
        for line in tells:
            print(line)
