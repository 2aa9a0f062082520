"""``vidtag evaluate``: a result beside the truth, or a checkpoint on a data set."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..types import InputError
from .options import (
    AnswerOption,
    DatasetOption,
    DeviceOption,
    FeaturesOption,
    JsonOption,
    OverwriteOption,
    RootOption,
    SplitSeedOption,
    TruthOffsetOption,
)
from .terminal import plain_errors, watched
from .train import dataset_of

if TYPE_CHECKING:
    from ..datasets import Dataset
    from ..feedback import Feedback

EPILOG = """Examples:

    vidtag evaluate drive.gpkg --truth drive.gpx --map error.png --json

    vidtag evaluate --dataset msls --root MSLS --checkpoint vidtag-msls

    vidtag evaluate --dataset msls --root MSLS --checkpoint vidtag-msls --method networks

    vidtag evaluate --dataset msls --root MSLS --checkpoint vidtag-msls --reference my-references --json

    vidtag evaluate --dataset msls --root MSLS --reference my-references
"""


# Options of one of the two ways to evaluate, which the other would silently pass over.
_OF_RESULTS = ("result", "truth", "video", "map", "html", "errors", "markdown", "answer", "truth_offset_s", "videos", "overwrite")
_OF_DATA_SETS = (
    "root", "checkpoint", "reference", "method", "area", "split", "split_seed", "gallery", "resolution_m", "grid", "features", "device",
)  # fmt: skip


def evaluate(
    context: typer.Context,
    result: Annotated[Path | None, typer.Argument(help="GeoPackage that `vidtag geolocate` wrote.")] = None,
    *,
    truth: Annotated[
        Path | None, typer.Option(help="GPX, CSV, a drone's SRT, a folder of images with EXIF positions, or a video with embedded GPS.")
    ] = None,
    video: Annotated[str | None, typer.Option(help="Name of the video in the result, where it holds several.")] = None,
    map: Annotated[Path | None, typer.Option(help="Map picture (PNG); default beside the result.")] = None,  # noqa: A002
    html: Annotated[Path | None, typer.Option(help="Also write a report with pictures (HTML).")] = None,
    errors: Annotated[Path | None, typer.Option(help="Also write a line from each answer to its truth (GeoPackage).")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Also write a report (Markdown), its reliability diagrams beside it.")] = None,
    answer: AnswerOption = "auto",
    truth_offset_s: TruthOffsetOption = None,
    videos: Annotated[
        list[Path] | None,
        typer.Option(
            "--videos", help="For auto: the result's video, or its folder, where it is not beside result or truth; may be repeated."
        ),
    ] = None,
    dataset: DatasetOption = None,
    root: RootOption = None,
    checkpoint: Annotated[str, typer.Option(help="To evaluate on a data set; as for geolocate.")] = "geoclip",
    reference: Annotated[
        str | None,
        typer.Option(help="Database of reference images to evaluate on a data set, beside --checkpoint or by itself; as for geolocate."),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="What answers. shipped: what geolocate does, the default. networks: they alone, frame by frame, as in the paper. networks-decoded: "
            "without reference images. references: without the networks."
        ),
    ] = None,
    area: Annotated[
        str | None,
        typer.Option(
            help="Where a sequence is sought. region: in the box around its own city's training data. all: in all of them. Default region, of networks all."
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Of the data set; the paper evaluates on val.")] = "val",
    split_seed: SplitSeedOption = 0,
    gallery: Annotated[
        str | None,
        typer.Option(help="Of networks: grid, validation (the frames' own places, App. D.2), training or centres; default as the paper."),
    ] = None,
    resolution_m: Annotated[float | None, typer.Option(help="Step of the data set's grid, metres; default as the paper.")] = None,
    grid: Annotated[
        str | None, typer.Option(help="Of the data set: equal-earth, or latlon as the paper, which is the default of networks.")
    ] = None,
    features: FeaturesOption = None,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Compare a result with the truth, or evaluate a checkpoint on a data set: the paper's metrics (App. E), and what confidence is worth.

    On a data set, what `vidtag geolocate` would answer is measured, with how much it would withhold. Columns tell apart frames that lie the same way as what was
    driven before, the other way, where nobody drove, and across.
    """
    with plain_errors(json=json):
        report: Any
        if dataset:
            if foreign := _given(context, _OF_RESULTS):
                raise InputError(f"--dataset brings its own truth and writes no files: leave out {_listed(foreign)}.")
            with watched() as feedback:
                report = _of_dataset(
                    dataset_of(dataset, root, split_seed), split, checkpoint, reference, device, features, feedback,
                    method=method, area=area, gallery=gallery, resolution_m=resolution_m, grid=grid,
                )  # fmt: skip
            said = report.to_dict()
        else:
            from ..command_arguments import EvaluateArguments
            from ..commands.evaluate import evaluated

            if result is None or truth is None:
                raise InputError("There is nothing to compare: give a result and its --truth, or a data set with --dataset and --root.")
            if foreign := _given(context, _OF_DATA_SETS):
                raise InputError(
                    f"A result is compared as it is, with nothing evaluated anew: leave out {_listed(foreign)}, or give --dataset."
                )
            outputs = {"map": map or result.with_suffix(".evaluation.png"), "html": html, "errors": errors, "markdown": markdown}
            report, files = evaluated(
                EvaluateArguments(
                    str(result), str(truth), video=video, answer=answer, truth_offset_s=truth_offset_s, videos=[str(place) for place in videos or []],
                    overwrite=overwrite,
                    **{kind: str(path) for kind, path in outputs.items() if path},
                )
            )  # fmt: skip
            reports = [files.pop(kind) for kind in ("markdown", "diagrams") if kind in files]
            said = {**report.to_dict(), **files, **({"markdown": reports} if reports else {})}
    if json:
        print(json_module.dumps(said, ensure_ascii=False))
        return
    from rich.console import Console

    Console().print(report.table())
    for table in getattr(report, "confidence_tables", list)():
        Console().print(table)
    for path in [*(said[kind] for kind in ("map", "html", "errors") if kind in said), *said.get("markdown", [])]:
        print(path)


def _given(context: typer.Context, names: tuple[str, ...]) -> list[str]:
    """Which of some options stand on the command line, as they are written there."""
    # By the source's name, as newer versions of Typer bring a Click of their own, whose values are not those of another.
    sources = {name: context.get_parameter_source(name) for name in names}
    given = {name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"}
    return [one.opts[0] if one.param_type_name == "option" else "the result" for one in context.command.params if one.name in given]


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _of_dataset(
    dataset: Dataset,
    split: str,
    checkpoint: str,
    reference: str | None,
    device: str,
    features: Path | None,
    feedback: Feedback,
    **asked: Any,
) -> Any:
    """A checkpoint's report on a data set; ``asked`` goes to :func:`.evaluation.evaluate_dataset`."""
    from ..evaluation import evaluate_dataset
    from ..evaluation.levels_on_dataset import evaluate_levels
    from ..guessing import load_cities
    from ..models.city_checkpoint import read_city_card
    from ..settings import GeolocateSettings, validated
    from ..warm import Warm

    if read_city_card(checkpoint) is not None:
        given = {"reference": reference, **asked}
        if foreign := [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None]:
            raise InputError(
                f"{checkpoint} tells cities, and searches no places by reference images or a grid: leave out {_listed(foreign)}."
            )
        return evaluate_levels(dataset, load_cities(checkpoint, device, feedback), split, feature_folder=features, feedback=feedback)
    loaded = Warm().chosen(checkpoint, validated(GeolocateSettings, {"device": device, "reference": reference}), feedback)
    return evaluate_dataset(dataset, loaded, split, **asked, feature_folder=features, feedback=feedback)
