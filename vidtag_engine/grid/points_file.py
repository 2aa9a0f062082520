"""A grid's points as a layer, to look at before a search."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import shapely

from ..atomic import replacing
from ..feedback import Feedback
from ..file_marks import mark_geopackage
from ..types import InputError
from .grid import MAX_POINTS, Grid

_CHUNK = 200_000


def write_points(grid: Grid, path: Path, *, overwrite: bool = False, feedback: Feedback = Feedback()) -> None:
    """Write the points (number, lat_deg, lon_deg) to a GeoPackage, chunk by chunk, whole or not at all.

    Raises:
        InputError: it cannot be written, or would replace what is no grid of this tool (unless ``overwrite``).
        CancelledError: stopped; nothing is left behind.
    """
    import geopandas
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

    if path.suffix.lower() != ".gpkg":
        raise InputError(f"{path.name} must end in .gpkg: the points are written as a GeoPackage.")
    if grid.count > MAX_POINTS:
        raise InputError(
            f"The area at {grid.resolution_m:g} m makes {grid.count:,} points, more than the {MAX_POINTS:,} that are written:"
            " take a coarser resolution or a smaller area."
        )
    written = 0
    with replacing(path, "gallery", overwrite=overwrite) as part:
        try:
            for points in grid.chunks(_CHUNK):
                feedback.check("Stopped; no points were written.")
                columns = {"point": np.arange(written, written + len(points)), "lat_deg": points[:, 0], "lon_deg": points[:, 1]}
                table = geopandas.GeoDataFrame(columns, geometry=shapely.points(points[:, 1], points[:, 0]), crs="EPSG:4326")
                # 1.2 is what QGIS 3.22's GDAL writes itself; newer ones make older readers warn.
                first = {} if written else {"dataset_options": {"VERSION": "1.2"}}
                pyogrio.write_dataframe(table, part, layer="gallery", driver="GPKG", append=written > 0, **first)
                written += len(points)
                feedback.tell(written / grid.count, "points", f"{written:,} of {grid.count:,}")
        except (DataSourceError, DataLayerError, FeatureError) as error:
            raise OSError(errno.EIO, str(error).partition(":")[0]) from error
        with closing(sqlite3.connect(part)) as database, database:
            mark_geopackage(database, "gallery")
