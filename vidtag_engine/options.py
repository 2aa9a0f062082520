"""Options that several commands of the command line share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AoiOption = Annotated[
    str,
    typer.Option(
        "--aoi",
        help="Area of interest: a vector file, GeoJSON, WKT, or minx,miny,maxx,maxy (longitudes and latitudes unless --aoi-crs says else).",
    ),
]
AoiOrWorldOption = Annotated[
    str | None,
    typer.Option(
        "--aoi",
        help="Area of interest: a vector file, GeoJSON, WKT, or minx,miny,maxx,maxy. Without it, where the checkpoint was trained, or the world's land.",
    ),
]
AoiLayerOption = Annotated[str | None, typer.Option("--aoi-layer", help="Layer of the vector file, where it has several.")]
AoiCrsOption = Annotated[
    str | None, typer.Option("--aoi-crs", help="Coordinate system of the area where its source does not say, e.g. EPSG:32633.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]


DatasetOption = Annotated[
    str | None, typer.Option("--dataset", help="One of the paper's data sets: msls, gama or cityguessr68k; see docs/datasets.md.")
]
RootOption = Annotated[Path | None, typer.Option("--root", help="Folder that the data set was unpacked to.")]
SplitSeedOption = Annotated[int, typer.Option("--split-seed", help="Of a data set's split that is made here (MSLS).")]
FeaturesOption = Annotated[Path | None, typer.Option("--features", help="Folder of stored features, shared between runs.")]
