"""One frame's posterior as a layer: a square for each place of the grid that holds any of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import shapely

from ..atomic import replacing
from ..file_marks import mark_geopackage
from ..types import FloatArray, InputError
from .columns import clean
from .geopackage_tables import add_styles

LAYER = "posterior"
_DEGREE_M = 111_195.0


def write_posterior(
    path: Path,
    video: str,
    frame_index: int,
    lat_lon_deg: FloatArray,
    share: FloatArray,
    spacing_m: float,
    *,
    rated: bool,
    overwrite: bool = False,
) -> None:
    """Write the layer ``posterior`` of a GeoPackage, whole or not at all.

    Its columns are ``video``, ``frame_index``, ``share`` (of the posterior; NULL where nothing calibrated it), ``relative`` (1 of the likeliest place),
    ``lat_deg`` and ``lon_deg``.

    Args:
        path: ends in .gpkg.
        video: name.
        frame_index: of the frame.
        lat_lon_deg: (K, 2) the places.
        share: (K,) of the posterior.
        spacing_m: of the places, and side of their squares.
        rated: whether shares are calibrated.
        overwrite: replace what is there also where it is no posterior.

    Raises:
        InputError: the name does not end in .gpkg, or it cannot be written.
    """
    import geopandas
    import pyogrio

    if path.suffix.lower() != ".gpkg":
        raise InputError(f"{path.name} must end in .gpkg: a posterior is written as a GeoPackage.")
    order = np.argsort(share, kind="stable")  # the likeliest is drawn last
    lat, lon, share = lat_lon_deg[order, 0], lat_lon_deg[order, 1], share[order]
    half_lat = 0.5 * spacing_m / _DEGREE_M
    half_lon = half_lat / np.maximum(np.cos(np.radians(lat)), 1e-3)
    squares = shapely.box(
        np.maximum(lon - half_lon, -180.0), np.maximum(lat - half_lat, -90.0), np.minimum(lon + half_lon, 180.0), np.minimum(lat + half_lat, 90.0)
    )  # fmt: skip
    columns = {
        "video": [clean(video)] * len(share),
        "frame_index": np.full(len(share), frame_index, dtype=np.int64),
        "share": share if rated else np.full(len(share), np.nan),
        "relative": share / max(float(share.max(initial=0.0)), 1e-30),
        "lat_deg": lat,
        "lon_deg": lon,
    }
    table = geopandas.GeoDataFrame(columns, geometry=squares, crs="EPSG:4326")
    with replacing(path, "posterior", overwrite=overwrite) as part:
        pyogrio.write_dataframe(
            table,
            part,
            layer=LAYER,
            driver="GPKG",
            geometry_type="Polygon",
            dataset_options={"VERSION": "1.2"},
            layer_options={
                "GEOMETRY_NAME": "geom",
                "FID": "fid",
                "DESCRIPTION": "What a frame's pictures and those about it say of each place",
            },
        )
        with closing(sqlite3.connect(part)) as database, database:
            add_styles(database, [LAYER])
            mark_geopackage(database, "posterior")
