"""The command ``vidtag features``: a thin face of ``commands.features``."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from ..types import InputError, VideoError
from .options import ClusterOption, DatasetOption, DeviceOption, JsonOption, RootOption, SplitSeedOption, rate_of
from .terminal import console, escaped, plain_errors, watched
from .train import dataset_of, print_left_out

FEATURES_EXAMPLES = """Examples:

    vidtag features --video drives/ --truth drives/ --output features

    vidtag features --video drives/ --truth drives/ --output features --shard 3/40

    vidtag features --video drives/ --truth drives/ --output features --cluster tcp://scheduler:8786

    vidtag train --video drives/ --truth drives/ --features features --output my-town

    vidtag features --video drives/ --for train-city --output features

    vidtag features --dataset msls --root MSLS --preset vidtag-l14 --recipe paper --output features --shard 3/40

    vidtag features --dataset msls --root MSLS --for evaluate --checkpoint vidtag-msls --output features
"""
_MOST_NAMED = 20


def features(
    video: Annotated[list[Path] | None, typer.Option("--video", help="Video, or folder of videos; may be repeated.")] = None,
    truth: Annotated[
        list[Path] | None,
        typer.Option(
            "--truth",
            help="Its track, as for the training: that each video has one is checked. Features do not depend on it, and need none.",
        ),
    ] = None,
    images: Annotated[list[Path] | None, typer.Option("--images", help="Folder of images; may be repeated.")] = None,
    validation: Annotated[
        list[Path] | None, typer.Option("--validation", help="Folder of videos and tracks that the training validates on.")
    ] = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of features, which several machines may share; what is there already is kept.")
    ],
    reader: Annotated[
        str, typer.Option("--for", help="The command that is going to read them: train, train-city, or evaluate (on a data set).")
    ] = "train",
    shard: Annotated[
        str | None, typer.Option(help="This machine's share of the videos, such as 3/40: the third of forty, about as many bytes each.")
    ] = None,
    cluster: ClusterOption = None,
    dataset: DatasetOption = None,
    root: RootOption = None,
    split: Annotated[str | None, typer.Option(help="Of the data set; default train, for evaluate val.")] = None,
    split_seed: SplitSeedOption = 0,
    checkpoint: Annotated[str | None, typer.Option(help="For evaluate: the checkpoint that is going to be evaluated.")] = None,
    reference: Annotated[str | None, typer.Option(help="For evaluate: the database of reference images, as evaluate is given it.")] = None,
    preset: Annotated[
        str | None, typer.Option(help="As for the training: vidtag-compact (default), vidtag-dino-s, vidtag-dino-b or vidtag-l14.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="As for the training: default, or paper, which for example keeps no layout.")
    ] = None,
    fps: Annotated[str | None, typer.Option(help="As for the training: frames a second taken, or `all`; default 1.")] = None,
    layout: Annotated[
        bool | None,
        typer.Option("--layout/--no-layout", help="As for train. With --remembered-width 0 train keeps none: give --no-layout then."),
    ] = None,
    local_features: Annotated[str | None, typer.Option(help="As for train: none, or xfeat (17 kB a picture).")] = None,
    augment: Annotated[str | None, typer.Option(help="As for train: none, street or aerial.")] = None,
    views: Annotated[int | None, typer.Option(help="As for train: how many altered copies a picture.")] = None,
    seed: Annotated[int | None, typer.Option(help="As for train: of the altered copies.")] = None,
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Encode videos and folders of images into a folder of features, which train, train-city and evaluate then read with --features.

    Give the options that the training is going to be given: it finds the features by them. Broken off, the same command goes on where it stopped; videos that
    cannot be encoded are listed, and the exit status is 3 where none could be.
    """
    with plain_errors(json=json):
        from ..commands.features import FeatureSources, run_features

        if root and not dataset:
            raise InputError("--root is a data set's folder: leave it out, or say which with --dataset.")
        given: dict[str, Any] = {
            "preset": preset, "recipe": recipe, "layout": layout, "local_features": local_features, "augment": augment, "views": views, "seed": seed,
        }  # fmt: skip
        chosen = {name: value for name, value in given.items() if value is not None} | ({} if fps is None else {"rate_hz": rate_of(fps)})
        opened = dataset_of(dataset, root, split_seed) if dataset else None
        with watched() as feedback:
            result = run_features(
                output,
                FeatureSources(video or [], truth or [], images or [], validation or [], opened, split),
                reader=reader,
                checkpoint=checkpoint,
                reference=reference,
                shard=shard,
                cluster=cluster,
                device=device,
                feedback=feedback,
                **chosen,
            )
    if opened is not None:
        print_left_out(opened)
    _say(result, json=json)
    if result["failed"] and not result["encoded"] and not result["there"]:
        raise typer.Exit(VideoError.exit_status)


def _say(result: dict[str, Any], *, json: bool) -> None:
    if json:
        print(json_module.dumps(result, ensure_ascii=False))
        return
    for one in result["failed"][:_MOST_NAMED]:
        console().print(f"[yellow]Note:[/] {escaped(one['name'])} was left out: {escaped(one['why'])}", highlight=False, soft_wrap=True)
    if len(result["failed"]) > _MOST_NAMED:
        console().print(f"And {len(result['failed']) - _MOST_NAMED:,} more, which --json lists.", highlight=False)
    if result["elsewhere"]:
        count, first = len(result["elsewhere"]), escaped(result["elsewhere"][0])
        console().print(
            f"[yellow]Note:[/] {count:,} are being encoded by other processes, such as {first}.", highlight=False, soft_wrap=True
        )
    print(
        f"{result['encoded']:,} encoded ({result['pictures']:,} pictures in {result['seconds']:,.0f} s), {result['there']:,} were there, "
        f"{len(result['failed']):,} could not be."
    )
    print(result["output"])
