"""The command line: a thin face of the engine's functions."""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import __version__
from ..screen import open_page
from ..settings import GeolocateSettings
from ..types import InputError
from .caches import app as caches_app
from .calibrate import EPILOG as CALIBRATE_EPILOG
from .calibrate import calibrate
from .corrections import register as register_corrections
from .evaluate import EPILOG as EVALUATE_EPILOG
from .evaluate import evaluate
from .export import EXPORT_EXAMPLES, export
from .features import FEATURES_EXAMPLES, features
from .guess import GUESS_EXAMPLES, TRAIN_CITY_EXAMPLES, guess, train_city
from .heatmap import EPILOG, heatmap
from .merge import MERGE_EXAMPLES, merge
from .offline_option import OfflineOption, begin_where_asked, give_offline
from .options import (
    AoiCrsOption,
    AoiLayerOption,
    AoiOption,
    AoiOrWorldOption,
    DeviceOption,
    JsonOption,
    OverwriteOption,
)
from .places import PLACES_EXAMPLES, places
from .reference import app as reference_app
from .report import REPORT_EXAMPLES, report
from .review import register as register_review
from .settings_options import settings_of, with_settings
from .status import STATUS_EXAMPLES, status_text
from .terminal import MOST_ROWS, WITHHELD, console, escaped, plain_errors, print_geolocation, usage_error, watched
from .thumbnails import THUMBNAILS_EXAMPLES, thumbnails
from .train import TRAIN_EXAMPLES, train

app = typer.Typer(
    name="vidtag",
    help="Where was this video taken, and along which way?",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        print(f"vidtag {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,  # noqa: ARG001
    offline: OfflineOption = False,
) -> None:
    """Where was this video taken, and along which way?"""
    begin_where_asked(offline)


@app.command(
    epilog="""Examples:

    vidtag geolocate drive.mp4 --aoi town.geojson --checkpoint my-town --output drive.gpkg --kml drive.kml

    vidtag geolocate holiday.mp4 --show

    vidtag geolocate clips/ --aoi 17.9,59.2,18.3,59.5 --resolution-m 500 --output clips.gpkg

    vidtag geolocate --table drives.csv --aoi town.geojson --checkpoint my-town --output drives.gpkg

    vidtag geolocate drives/ --aoi town.geojson --checkpoint my-town --results store/ --shard 3/40

    vidtag geolocate walk.mp4 --aoi town.geojson --checkpoint my-town --motion walk --output walk.gpkg

    vidtag geolocate walk.mp4 --reference my-references --output found.gpkg

    vidtag geolocate drive.mp4 --aoi town.geojson --roads roads.gpkg --checkpoint none --output by-its-way.gpkg

    vidtag geolocate --images photos/ --aoi 'POLYGON((13.1 55.6,13.3 55.6,13.3 55.8,13.1 55.8,13.1 55.6))' --output walk.gpkg
"""
)
@with_settings(GeolocateSettings, after="checkpoint")
def geolocate(
    videos: Annotated[list[Path] | None, typer.Argument(help="Videos, or folders of videos.")] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="GeoPackage to write; of one video or folder, its name in the current folder.")
    ] = None,
    aoi: AoiOrWorldOption = None,
    checkpoint: Annotated[
        str,
        typer.Option(help="Checkpoint folder, file or Hub id; `geoclip` is the worldwide zero-shot model, `none` goes by --roads alone."),
    ] = "geoclip",
    images: Annotated[list[Path] | None, typer.Option(help="Folder of images that is one sequence; may be repeated.")] = None,
    table: Annotated[
        str | None,
        typer.Option(
            help="Table of videos (CSV, or a layer of a GeoPackage or spreadsheet): file, and of that one alone start_time, from, to, area."
        ),
    ] = None,
    recursive: Annotated[bool, typer.Option("--recursive", help="Look into subfolders for videos.")] = False,
    aoi_layer: AoiLayerOption = None,
    aoi_crs: AoiCrsOption = None,
    kml: Annotated[Path | None, typer.Option(help="Also write KML.")] = None,
    gpx: Annotated[Path | None, typer.Option(help="Also write GPX.")] = None,
    geojson: Annotated[Path | None, typer.Option(help="Also write GeoJSON.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write CSV.")] = None,
    map: Annotated[Path | None, typer.Option(help="Also draw a map picture (PNG).")] = None,  # noqa: A002
    html: Annotated[Path | None, typer.Option(help="Also write a page for the browser, with the map.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Open that page; without --html it lies beside the result.")] = False,
    results: Annotated[
        Path | None, typer.Option(help="Folder that a batch keeps its results in, a file a video; default: NAME.results beside the output.")
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(help="This worker's share of the videos, such as 3/40: the third of forty. `vidtag merge` then makes the GeoPackage."),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Of a batch: try videos again that failed before and have not changed since.")
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(help="Let a Dask cluster's workers answer the videos: a scheduler's address, or `local` for a process a GPU here."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace outputs that other settings made, or that are not this tool's own.")
    ] = False,
    json: JsonOption = False,
    **settings: Any,
) -> None:
    """Say where videos were taken, frame by frame, within an area, or anywhere on land.

    Writes a GeoPackage: `trajectory` (a line a step), `frames` (a point a frame), `videos` (a line a video). A broken-off batch goes on where it stopped
    when the same command is given again. The results of several videos are kept one by one in a folder beside it, with a page that shows the batch.
    """
    with plain_errors(json=json):
        from ..command_arguments import GeolocateArguments
        from ..geolocation import run_geolocate
        from ..video import find_videos

        files: list[str] = []
        for path in videos or []:
            files += [str(found) for found in find_videos(path, recursive=recursive)] if path.is_dir() else [str(path)]
        if output is None and results is None:
            output = _output_of([*(videos or []), *(images or [])])
        page = html or (output.with_suffix(".html") if show and output else None)
        paths = {"kml": kml, "gpx": gpx, "geojson": geojson, "csv": csv, "map": map, "html": page}
        copies: dict[str, Any] = {kind: str(path) if path else None for kind, path in paths.items()}
        arguments = GeolocateArguments(
            aoi=aoi, output=str(output) if output else None, videos=files, images=[str(i) for i in images or []], table=table, aoi_layer=aoi_layer, aoi_crs=aoi_crs,
            checkpoint=checkpoint,
            results=str(results) if results else None, shard=shard, retry_failed=retry_failed, cluster=cluster, overwrite=overwrite,
            **settings_of(settings), **copies,
        )  # fmt: skip
        notes: list[str] = []
        with watched() as feedback:
            result = run_geolocate(arguments, feedback=feedback, log=lambda _, text: notes.append(text))
        for note in notes[:MOST_ROWS]:
            console().print(f"[yellow]Note:[/] {escaped(note)}", highlight=False, soft_wrap=True)
        if len(notes) > MOST_ROWS:
            console().print(
                f"And {len(notes) - MOST_ROWS:,} more notes, which the batch's page and the layer videos tell.", highlight=False
            )
    print_geolocation(result, json=json)
    if show and page is not None and not open_page(page):
        console().print("There is no browser to show it in: open the page named above.", highlight=False)
    if not result["located"] and result["frames"] and result["output"]:
        raise typer.Exit(WITHHELD)


def _output_of(sources: list[Path]) -> Path:
    """Where a result goes that was given no place: named as what was located, in the current folder, where that is one."""
    if len(sources) != 1:
        raise InputError("Give --output, the GeoPackage to write: only of one video or folder it is named by itself.")
    return Path(f"{sources[0].expanduser().resolve().stem}.gpkg")


app.command(epilog=EPILOG)(heatmap)
app.command(epilog=CALIBRATE_EPILOG)(calibrate)


app.command(epilog=FEATURES_EXAMPLES)(features)
app.command(epilog=TRAIN_EXAMPLES)(train)
app.command(epilog=GUESS_EXAMPLES)(guess)
app.command(epilog=TRAIN_CITY_EXAMPLES)(train_city)


app.command(epilog=EVALUATE_EPILOG)(evaluate)


@app.command(epilog="Example:\n\n    vidtag gallery --aoi town.geojson --resolution-m 25 --output grid.gpkg")
def gallery(
    *,
    aoi: AoiOption,
    resolution_m: Annotated[float, typer.Option(help="Step of the grid, metres.")] = 100.0,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="GeoPackage to write the points to.")] = None,
    grid: Annotated[str, typer.Option(help="equal-earth, or the paper's latlon.")] = "equal-earth",
    aoi_layer: AoiLayerOption = None,
    aoi_crs: AoiCrsOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Count, and if asked write, the candidate places of an area."""
    with plain_errors(json=json):
        from ..command_arguments import GalleryArguments
        from ..commands.gallery import run_gallery

        arguments = GalleryArguments(
            aoi,
            str(output) if output else None,
            aoi_layer=aoi_layer,
            aoi_crs=aoi_crs,
            resolution_m=resolution_m,
            grid=grid,
            overwrite=overwrite,
        )
        with watched() as feedback:
            summary = run_gallery(arguments, feedback=feedback)
    for note in summary.pop("notes"):
        console().print(f"[yellow]Note:[/] {escaped(note)}", highlight=False, soft_wrap=True)
    summary = {name: value for name, value in summary.items() if value is not None}
    if json:
        print(json_module.dumps(summary, ensure_ascii=False))
        return
    for name, value in summary.items():
        print(f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}")


app.command(epilog=EXPORT_EXAMPLES)(export)
app.command(epilog=THUMBNAILS_EXAMPLES)(thumbnails)
app.command(epilog=MERGE_EXAMPLES)(merge)
app.command(epilog=REPORT_EXAMPLES)(report)
register_corrections(app)
register_review(app)
app.command(epilog=PLACES_EXAMPLES)(places)
app.add_typer(reference_app, name="reference")
app.add_typer(caches_app, name="caches")


@app.command(epilog=STATUS_EXAMPLES)
def status(
    result: Annotated[Path | None, typer.Argument(help="GeoPackage that geolocate wrote. Without one: how to begin.")] = None,
    *,
    json: JsonOption = False,
) -> None:
    """Say how a result stands, and what to do next: each step with why, the command, and the algorithm in QGIS."""
    with plain_errors(json=json):
        from ..commands.status import run_status

        found = run_status(result)
    print(json_module.dumps(found, ensure_ascii=False) if json else status_text(found))


@app.command()
def doctor(json: JsonOption = False) -> None:
    """Say what is installed, which device is used, which weights are found, and what to do about what is missing."""
    from ..commands.doctor import print_report, run_doctor

    report = run_doctor()
    if json:
        print(json_module.dumps(report, ensure_ascii=False))
    else:
        print_report(report)
    if not report["ok"]:
        raise typer.Exit(1)


@app.command(epilog="Example:\n\n    vidtag benchmark --preset vidtag-compact --json")
def benchmark(
    *,
    preset: Annotated[
        str, typer.Option(help="Whose networks: vidtag-compact, vidtag-dino-s, vidtag-dino-b, vidtag-l14 or geoclip.")
    ] = "vidtag-compact",
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Measure how fast this machine decodes, prepares, encodes, embeds places and searches, and what a job waits for. Under a minute for vidtag-compact."""
    with plain_errors(json=json):
        from ..commands.benchmark import measure_rates

        with watched() as feedback:
            found = measure_rates(preset, device, feedback=feedback)
    if json:
        print(json_module.dumps(found.to_dict(), ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("part", "a second", "ms a frame", "of")
    for rate in found.rates:
        ms = "-" if rate.frame_ms is None else f"{rate.frame_ms:.1f}"
        table.add_row(rate.part, f"{rate.value:,.4g} {rate.unit}" if rate.value < 1000 else f"{rate.value:,.0f} {rate.unit}", ms, rate.note)
    Console().print(table)
    print(
        f"{found.preset} on {found.device}, {found.threads} threads, {found.weights} weights. A job waits for: {found.bound}. {found.advice}"
    )
    low, high = (seconds / 60 for seconds in found.hour_s)
    print(f"An hour of such video at a frame a second: {low:.1f} to {high:.1f} minutes, and the search.")


@app.command()
def worker() -> None:
    """Serve QGIS: JSON lines on standard input and output (see `vidtag_engine/protocol.py`)."""
    from ..worker import main as serve

    raise typer.Exit(serve() or 0)


give_offline(app)


def main() -> None:
    """Entry point of the command ``vidtag``."""
    # A pipe that closes early (`vidtag ... | head`) is no error.
    try:
        code = app(standalone_mode=False, prog_name="vidtag")
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
    except Exception as error:
        # typer brings click's exceptions under a name of its own, by version: known by what they can do.
        if not hasattr(error, "format_message"):
            raise
        code = usage_error(error)
    raise SystemExit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
