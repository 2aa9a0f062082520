"""The commands ``vidtag guess`` and ``vidtag train-city``: thin faces of `guessing` and `training`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from ..settings import CityTrainSettings, GeolocateSettings
from ..types import InputError
from .options import DatasetOption, FeaturesOption, JsonOption, OverwriteOption, RootOption, SplitSeedOption
from .settings_options import settings_of, with_settings
from .terminal import WITHHELD, console, escaped, plain_errors, watched

GUESS_EXAMPLES = """Examples:

    vidtag guess holiday.mp4 --checkpoint my-cities

    vidtag guess clips/ --checkpoint my-cities --output places.gpkg --json
"""

TRAIN_CITY_EXAMPLES = """Examples:

    vidtag train-city --video drives/ --truth drives/ --output my-cities

    vidtag train-city --video drives/ --truth drives/ --labels cities.csv --output my-cities

    vidtag train-city --dataset cityguessr68k --root CityGuessr68k --recipe paper --output cityguessr
"""


@with_settings(GeolocateSettings, after="output", only=("from_s", "to_s", "device", "batch_size"))
def guess(
    videos: Annotated[list[Path] | None, typer.Argument(help="Videos, or folders of videos.")] = None,
    *,
    checkpoint: Annotated[str, typer.Option(help="Folder, file or Hub id that `vidtag train-city` wrote.")],
    images: Annotated[list[Path] | None, typer.Option(help="Folder of images that is one sequence; may be repeated.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Also write the places as polygons (GeoPackage).")] = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    **settings: Any,
) -> None:
    """Say which city, state, country and continent videos were taken in, of those that a checkpoint knows, or that it is none of them."""
    with plain_errors(json=json):
        from ..command_arguments import GuessArguments
        from ..guessing import run_guess

        arguments = GuessArguments(
            checkpoint=checkpoint, videos=[str(path) for path in videos or []], images=[str(path) for path in images or []],
            output=str(output) if output else None, overwrite=overwrite, **settings_of(settings),
        )  # fmt: skip
        with watched() as feedback:
            result = run_guess(arguments, feedback=feedback)
    for note in [*result["notes"], *(f"{one['name']} was left out: {one['why']}" for one in result["failed"])]:
        console().print(f"[yellow]Note:[/] {escaped(note)}", highlight=False, soft_wrap=True)
    if json:
        print(json_module.dumps(result, ensure_ascii=False))
    else:
        _print_guesses(result)
    if result["videos"] and not any(video["known"] for video in result["videos"]):
        raise typer.Exit(WITHHELD)


def _print_guesses(result: dict[str, Any]) -> None:
    """A table a video: each level's likeliest places."""
    from rich.console import Console
    from rich.table import Table

    for video in result["videos"]:
        table = Table("level", "place", "probability", title=escaped(video["name"]), caption=escaped(video["why"]) or None)
        for level, places in video["levels"].items():
            for place in places[:3]:
                said = "-" if place["probability"] is None or not video["known"] else f"{place['probability']:.1%}"
                # A city that is all of its state is named once.
                name = escaped(", ".join(dict.fromkeys(filter(None, [place["name"], *place["in"]]))))
                table.add_row(level if place["rank"] == 1 else "", name or "(no name)", said)
        Console().print(table)
    if result["output"]:
        print(result["output"])


@with_settings(CityTrainSettings, after="recipe")
def train_city(
    context: typer.Context,
    video: Annotated[list[Path] | None, typer.Option("--video", help="Training video, or folder of videos; may be repeated.")] = None,
    truth: Annotated[
        list[Path] | None, typer.Option("--truth", help="Its track, in the order of the videos; a folder holds tracks named as the videos.")
    ] = None,
    images: Annotated[list[Path] | None, typer.Option("--images", help="Folder of images with EXIF positions; may be repeated.")] = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Checkpoint folder.")],
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Table (CSV) with the columns video, city, state, country, continent; without it the gazetteer says which city each video is of."
        ),
    ] = None,
    dataset: DatasetOption = None,
    root: RootOption = None,
    split_seed: SplitSeedOption = 0,
    recipe: Annotated[str, typer.Option("--recipe", help="default, or paper (VideoMAE-S and the published training).")] = "default",
    tempgeo: Annotated[str | None, typer.Option(help="For the encoder tempgeo: checkpoint of the VidTAG whose z* it takes.")] = None,
    features: FeaturesOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    **settings: Any,
) -> None:
    """Train a checkpoint that tells cities (CityGuessr), from videos with tracks or on CityGuessr68k. Broken off, the same command goes on where it stopped."""
    with plain_errors(json=json):
        from ..training.city import what_is_off
        from ..training.city_run import train_city_on_dataset, train_city_on_videos
        from ..training.city_settings import city_recipe
        from .train import dataset_of, print_left_out, say_note

        # What was not typed is the recipe's; a value that was typed holds even where it is the default's.
        typed = {name for name in settings if getattr(context.get_parameter_source(name), "name", "") != "DEFAULT"}
        chosen = city_recipe(recipe, **{name: value for name, value in settings_of(settings).items() if name in typed})
        if dataset:
            if video or images or truth or labels:
                raise InputError("--dataset brings its own videos and labels: leave out --video, --images, --truth and --labels.")
            opened = dataset_of(dataset, root, split_seed)
            with watched() as feedback:
                result = train_city_on_dataset(
                    opened, output, chosen, feature_folder=features, tempgeo=tempgeo, overwrite=overwrite, feedback=feedback
                )
            print_left_out(opened)
        else:
            with watched() as feedback:
                result = train_city_on_videos(
                    video or [], truth or [], images or [], output, chosen, labels=labels, feature_folder=features, tempgeo=tempgeo,
                    overwrite=overwrite, feedback=feedback, log=say_note,
                )  # fmt: skip
    if json:
        said = {
            "checkpoint": str(output),
            "sha256": result.card.sha256,
            "cities": len(result.guesser.table),
            "metrics": result.card.metrics,
        }
        print(json_module.dumps(said, ensure_ascii=False))
        return
    print(f"Checkpoint: {output}\nCurve: {output / 'curve.png'}\nLog: {output / 'log.json'}")
    print(f"  cities: {len(result.guesser.table)}")
    for name, value in result.card.metrics.items():
        print(f"  {name}: {value}")
    for line in what_is_off(chosen.parts, result.card.metrics):
        print(line)
