"""The commands ``vidtag reference …``: thin faces of ``commands.reference``."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ..settings import ReferenceSettings, SourceSettings
from .options import AoiCrsOption, AoiLayerOption, ClusterOption, JsonOption, OverwriteOption
from .settings_options import settings_of, with_settings
from .terminal import console, escaped, plain_errors, watched

BUILD_EXAMPLES = """Examples:

    vidtag reference build --video drives/ --truth drives/ --output my-references

    vidtag reference build --video drives/ --truth drives/ --output my-references --cluster local

    vidtag reference build --source panoramax --aoi town.geojson --output my-references

    vidtag reference build --source panoramax --aoi town.geojson --yes-query --yes-download-mb 500 --output my-references

    vidtag reference build --images photos/ --aoi town.geojson --home 55.7047,13.1910,300 --output my-references

    vidtag geolocate walk.mp4 --reference my-references --output found.gpkg
"""
REFRESH_EXAMPLES = """Example:

    vidtag reference refresh my-references --source panoramax --aoi town.geojson --yes-query --yes-download-mb 50
"""
PRUNE_EXAMPLES = """Examples:

    vidtag reference prune my-references --home 55.7047,13.1910,300

    vidtag reference prune my-references --outside town.geojson --before 2019-01-01
"""
LAYER_EXAMPLES = """Example:

    vidtag reference layer my-references --output what-it-holds.gpkg
"""
INDEX_EXAMPLES = """Example:

    vidtag reference index my-references
"""
FolderArgument = Annotated[Path, typer.Argument(help="Folder that `vidtag reference build` wrote.")]
HomeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--home",
        help="LAT,LON,METRES, or a vector file of polygons: images there are left out; may be repeated.",
        metavar="LAT,LON,METRES|FILE",
    ),
]

app = typer.Typer(
    help="Databases of reference images: pictures with known places, by which videos are recognised without any training.",
    no_args_is_help=True,
)


@app.command(epilog=BUILD_EXAMPLES)
@with_settings(SourceSettings, after="home")
@with_settings(ReferenceSettings, after="home")
def build(
    video: Annotated[
        list[Path] | None, typer.Option("--video", help="Video with a known track, or folder of such; may be repeated.")
    ] = None,
    truth: Annotated[
        list[Path] | None, typer.Option("--truth", help="Its track, in the order of the videos; a folder holds tracks named as the videos.")
    ] = None,
    images: Annotated[list[Path] | None, typer.Option("--images", help="Folder of images with EXIF positions; may be repeated.")] = None,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the database; one that is there is added to.")],
    aoi: Annotated[
        str | None,
        typer.Option("--aoi", help="Images outside are left out: GeoJSON, WKT, `minx,miny,maxx,maxy` or a file; without it all are taken."),
    ] = None,
    aoi_layer: AoiLayerOption = None,
    aoi_crs: AoiCrsOption = None,
    home: HomeOption = None,
    cluster: ClusterOption = None,
    json: JsonOption = False,
    **settings: Any,
) -> None:
    """Make a database of reference images from videos with tracks, photographs with places or a platform's pictures, or add to one.

    Broken off, the same command goes on where it stopped; what is in the database already is not added again. Nothing is trained.
    """
    with plain_errors(json=json):
        from ..command_arguments import ReferenceArguments
        from ..commands.reference import run_reference

        videos, truths, folders = ([str(path) for path in paths or []] for paths in (video, truth, images))
        arguments = ReferenceArguments(
            output=str(output), videos=videos, truths=truths, images=folders, aoi=aoi, aoi_layer=aoi_layer, aoi_crs=aoi_crs, homes=home or [],
            token=token_for(settings["source"]), **settings_of(settings),
        )  # fmt: skip
        with watched() as feedback:
            result = run_reference(arguments, feedback=feedback, ask=None if json else asker(), cluster=cluster)
    _say(result, json=json)


@app.command()
def calibrate(folder: FolderArgument, json: JsonOption = False) -> None:
    """Fit anew how sure to be of what a database says, on its own drives, each of which is left out in turn."""
    with plain_errors(json=json):
        from ..commands.reference import calibrate as run

        with watched() as feedback:
            result = run(folder, feedback=feedback)
    _say(result, json=json)


@app.command(epilog=INDEX_EXAMPLES)
def index(folder: FolderArgument, json: JsonOption = False) -> None:
    """Give a database that is larger than the memory an index, so that a search reads a part of it. Run it again after images were added.

    It finds 98 % of what searching all does, and takes as much disk as the descriptors once more. FAISS makes it: pip install faiss-cpu.
    """
    with plain_errors(json=json):
        from ..commands.reference import index as run

        with watched() as feedback:
            result = run(folder, feedback=feedback)
    _say(result, json=json)


@app.command()
def info(folder: FolderArgument, json: JsonOption = False) -> None:
    """Say what a database holds: how many images, where, of when, under which licences, and whether confidence is known."""
    with plain_errors(json=json):
        from ..commands.reference import summary_of
        from ..reference.store import Store

        result = summary_of(Store.open(folder))
    _say(result, json=json)


@app.command(epilog=LAYER_EXAMPLES)
def layer(
    folder: FolderArgument,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="GeoPackage to write.")],
    aoi: Annotated[str | None, typer.Option("--aoi", help="Area whose images and gaps are wanted; without it the database's own.")] = None,
    aoi_layer: AoiLayerOption = None,
    aoi_crs: AoiCrsOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Write a database's images, with age and heading, and the gaps between them, as styled layers to look at before geolocating."""
    with plain_errors(json=json):
        from ..command_arguments import ReferenceLayerArguments
        from ..commands.reference import run_layer

        arguments = ReferenceLayerArguments(str(folder), str(output), aoi, aoi_layer, aoi_crs, overwrite)
        with watched() as feedback:
            result = run_layer(arguments, feedback=feedback)
    _say(result, json=json)


@app.command(epilog=REFRESH_EXAMPLES)
@with_settings(SourceSettings, after="aoi_crs", only=("source", "address", "yes_query", "yes_download_mb", "width_px"))
def refresh(
    folder: FolderArgument,
    *,
    aoi: Annotated[str, typer.Option("--aoi", help="Area that is looked at again, as for build.")],
    aoi_layer: AoiLayerOption = None,
    aoi_crs: AoiCrsOption = None,
    json: JsonOption = False,
    **settings: Any,
) -> None:
    """Remove pictures from a database that their platform does not give any more, and replace those that it has changed, such as blurred.

    Changed pictures that nobody agrees to fetch anew are removed. `vidtag reference build` adds the new ones.
    """
    with plain_errors(json=json):
        from ..commands.reference import refresh as run
        from ..grid import load_aoi
        from ..settings import validated

        asked: SourceSettings = validated(SourceSettings, settings_of(settings))
        token = token_for(asked.source)
        with watched() as feedback:
            result = run(
                folder, load_aoi(aoi, layer=aoi_layer, crs=aoi_crs), asked, token=token, ask=None if json else asker(), feedback=feedback
            )
    _say(result, json=json)


@app.command(epilog=PRUNE_EXAMPLES)
def prune(
    folder: FolderArgument,
    *,
    within: Annotated[str | None, typer.Option(help="Remove the images of this area.")] = None,
    outside: Annotated[str | None, typer.Option(help="Remove the images outside this area.")] = None,
    home: HomeOption = None,
    before: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Remove images that were taken before this day.")] = None,
    json: JsonOption = False,
) -> None:
    """Remove images from a database, by area, home zone or age. How sure to be is then fitted anew by `vidtag reference calibrate`."""
    with plain_errors(json=json):
        from ..commands.reference import prune as run
        from ..grid import load_aoi
        from ..training.home_zone import homes_of

        areas = {name: load_aoi(text) if text else None for name, text in (("within", within), ("outside", outside))}
        result = run(folder, **areas, homes=homes_of(home or [])[0], before=before.replace(tzinfo=UTC) if before else None)
    _say(result, json=json)


def asker() -> Callable[[str], bool] | None:
    """Puts a platform's question to the person at the terminal; None where nobody sits at one."""
    if not sys.stdin.isatty():
        return None

    def ask(question: str) -> bool:
        console().print(escaped(question), highlight=False, soft_wrap=True)
        return typer.confirm("Go on?", default=False, err=True)

    return ask


def token_for(source: str | None) -> str:
    """The token of a platform that asks for one: a line of standard input, which a person types unseen. Empty where none is asked for, and nothing is read."""
    from ..reference.sources import needs_token

    if source is None or not needs_token(source):
        return ""
    return str(typer.prompt("Token", hide_input=True, err=True)) if sys.stdin.isatty() else sys.stdin.readline().strip()


def _say(result: dict[str, Any], *, json: bool) -> None:
    """What a command gave, a line a fact."""
    if json:
        print(json_module.dumps(result, ensure_ascii=False))
        return
    if question := result.pop("question", ""):
        print(question)
        if result["count"]:
            print(f"Nothing was fetched: say yes with --yes-download-mb {result['estimated_mb']}.")
        return
    for note in result.pop("notes", []):
        console().print(f"[yellow]Note:[/] {escaped(note)}", highlight=False, soft_wrap=True)
    left_out = result.pop("left_out", {})
    if reason := result.pop("not_rated", ""):
        console().print(f"[yellow]Note:[/] No probability will be shown: {escaped(reason)}.", highlight=False, soft_wrap=True)
    print(result.pop("output"))
    for one in result.pop("made", []):
        print(
            f"  index of {one['images']:,} images: {one['probes']:,} of {one['cells']:,} cells are read for a frame, recall {one['recall']:.1%}"
        )
    for name, value in result.items():
        said = ", ".join(map(str, value)) if isinstance(value, list) else value
        if value is not None and said != "":
            print(f"  {name.replace('_', ' ')}: {said}")
    for why, count in left_out.items():
        print(f"  left out, {why}: {count}")
