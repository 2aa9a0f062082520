"""Guessed places as polygons: a GeoPackage with one layer, styled, whose city rows can be the area of a geolocation."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from ..atomic import replacing
from ..file_marks import mark_geopackage
from ..types import LEVELS, InputError
from .geopackage_tables import add_styles

LAYER = "places"


@dataclass(frozen=True)
class PlaceRow:
    """A row of the layer.

    Args:
        video, sha256: whose.
        level: city, state, country or continent.
        rank: from 1 on, within video and level.
        names: of city, state, country and continent; empty texts below the level.
        probability: that the video was taken there; NaN where it cannot be told.
        known: False where the video is judged to be of no known city; such rows are a ranking alone.
        why: the reason for that.
        outline: in longitude and latitude (x before y).
    """

    video: str
    sha256: str
    level: str
    rank: int
    names: tuple[str, ...]
    probability: float
    known: bool
    why: str
    outline: shapely.Geometry


def write_places(path: Path, rows: Sequence[PlaceRow], *, overwrite: bool = False) -> None:
    """Write the layer ``places``, whole or not at all.

    Its columns are ``video``, ``sha256``, ``level``, ``rank``, ``name``, ``city``, ``state``, ``country``, ``continent``, ``probability`` (NULL where it cannot be
    told, and where the video is of no known place), ``known`` and ``why``.

    Raises:
        InputError: the name does not end in .gpkg, or it cannot be written.
    """
    import geopandas
    import pyogrio

    if path.suffix.lower() != ".gpkg":
        raise InputError(f"{path.name} must end in .gpkg: places are written as a GeoPackage.")
    columns: dict[str, object] = {
        "video": [row.video for row in rows],
        "sha256": [row.sha256 for row in rows],
        "level": [row.level for row in rows],
        "rank": np.array([row.rank for row in rows], dtype=np.int32),
        "name": [next((name for name in row.names if name), "") for row in rows],
    }
    for number, level in enumerate(LEVELS):
        columns[level] = [row.names[number] or None for row in rows]
    columns |= {
        "probability": np.array([row.probability if row.known else np.nan for row in rows], dtype=np.float64),
        "known": np.array([row.known for row in rows], dtype=bool),
        "why": [row.why or None for row in rows],
    }
    outlines = [_multi(row.outline) for row in rows]
    frame = geopandas.GeoDataFrame(columns, geometry=outlines, crs="EPSG:4326")
    with replacing(path, "places", overwrite=overwrite) as part:
        pyogrio.write_dataframe(
            frame,
            part,
            layer=LAYER,
            driver="GPKG",
            geometry_type="MultiPolygon",
            dataset_options={"VERSION": "1.2"},
            layer_options={"GEOMETRY_NAME": "geom", "FID": "fid", "DESCRIPTION": "Places that videos may be of, the likeliest on top"},
        )
        with closing(sqlite3.connect(part)) as database, database:
            add_styles(database, [LAYER])
            mark_geopackage(database, "places")


def _multi(outline: shapely.Geometry) -> shapely.MultiPolygon:
    """Its polygons alone, so that all rows are of one type."""
    parts = [part for part in shapely.get_parts(outline) if part.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts)
