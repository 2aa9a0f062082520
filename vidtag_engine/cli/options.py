"""Options that several commands of the command line share."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ..types import InputError

AoiOption = Annotated[
    str,
    typer.Option(
        "--aoi",
        help="Area of interest: vector file, its address, GeoJSON, WKT, or minx,miny,maxx,maxy (longitudes and latitudes unless --aoi-crs says else).",
    ),
]
AoiOrWorldOption = Annotated[
    str | None,
    typer.Option(
        "--aoi",
        help="Area of interest: vector file, its address, GeoJSON, WKT, or minx,miny,maxx,maxy. Without it, where the checkpoint was trained, or the world's land.",
    ),
]
AoiLayerOption = Annotated[str | None, typer.Option("--aoi-layer", help="Layer of the vector file, where it has several.")]
AoiCrsOption = Annotated[
    str | None, typer.Option("--aoi-crs", help="Coordinate system of the area where its source does not say, e.g. EPSG:32633.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
AnswerOption = Annotated[
    str,
    typer.Option(
        help="auto: of each video the answer that was solved with pins, where there is one; model: the model's own; pinned: as auto, refused where none is."
    ),
]
TruthOffsetOption = Annotated[
    str | None,
    typer.Option(
        "--truth-offset-s",
        help="Seconds added to the truth's clock: 2.5 where the receiver's clock is 2.5 s behind the video's. auto: found from when the picture"
        " turns and the track does, and added only where that is sure.",
    ),
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]


DatasetOption = Annotated[
    str | None, typer.Option("--dataset", help="One of the paper's data sets: msls, gama or cityguessr68k; see docs/datasets.md.")
]
RootOption = Annotated[Path | None, typer.Option("--root", help="Folder that the data set was unpacked to.")]
SplitSeedOption = Annotated[int, typer.Option("--split-seed", help="Of a data set's split that is made here (MSLS).")]
ClusterOption = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        help="Let a Dask cluster's workers encode: a scheduler's address, or `local` for a process a GPU, or a few cores, here.",
    ),
]
FeaturesOption = Annotated[Path | None, typer.Option("--features", help="Folder of stored features, shared between runs.")]

# Settings whose options have shorter names.
OPTION_NAMES = {"rate_hz": "--fps", "from_s": "--from", "to_s": "--to"}


def rate_of(text: str) -> float | None:
    """`all` is None; anything else a number."""
    if text.strip().lower() == "all":
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(f"--fps {text!r} is not a number: give frames a second such as 1 or 0.5, or all.") from None


def time_of(text: str | None) -> str | None:
    """Check an ISO time early, so that the error names the option."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError(f"--start-time {text!r} is not an ISO 8601 time: write it as 2026-05-01T12:30:00Z.") from None


OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="Replace outputs that are not this tool's own files of their kind. An input is never replaced.")
]
