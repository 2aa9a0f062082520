"""A grid's points as a layer, to look at before a search."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import shapely

from ..types import CancelCheck, CancelledError, InputError, Progress, ProgressCallback
from .grid import MAX_POINTS, Grid

_CHUNK = 200_000
_LEAST_FREE_BYTES = 64 * 1024


def write_points(grid: Grid, path: Path, *, progress: ProgressCallback | None = None, cancelled: CancelCheck | None = None) -> None:
    """Write the points (number, lat_deg, lon_deg) to a GeoPackage, chunk by chunk, whole or not at all.

    Raises:
        InputError: it cannot be written.
        CancelledError: stopped; nothing is left behind.
    """
    import geopandas
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

    if path.suffix.lower() != ".gpkg":
        raise InputError(f"{path.name} must end in .gpkg: the points are written as a GeoPackage.")
    if not path.resolve().parent.is_dir():
        raise InputError(
            f"The folder {path.resolve().parent.name} of the output {path.name} does not exist: make it first, or choose another."
        )
    if path.is_dir():
        raise InputError(f"The output {path.name} is a folder: give the path of a file.")
    if grid.count > MAX_POINTS:
        raise InputError(
            f"The area at {grid.resolution_m:g} m makes {grid.count:,} points, more than the {MAX_POINTS:,} that are written:"
            " take a coarser resolution or a smaller area."
        )
    part = path.with_name(f".{path.stem}.{os.getpid()}.gpkg")
    written = 0
    try:
        for points in grid.chunks(_CHUNK):
            if cancelled and cancelled():
                raise CancelledError("Stopped; no points were written.")
            columns = {"point": np.arange(written, written + len(points)), "lat_deg": points[:, 0], "lon_deg": points[:, 1]}
            table = geopandas.GeoDataFrame(columns, geometry=shapely.points(points[:, 1], points[:, 0]), crs="EPSG:4326")
            # 1.2 is what QGIS 3.22's GDAL writes itself; newer ones make older readers warn.
            first = {} if written else {"dataset_options": {"VERSION": "1.2"}}
            pyogrio.write_dataframe(table, part, layer="gallery", driver="GPKG", append=written > 0, **first)
            written += len(points)
            if progress:
                progress(Progress(written / grid.count, "points", f"{written:,} of {grid.count:,}"))
        part.replace(path)
    except (OSError, DataSourceError, DataLayerError, FeatureError) as error:
        # On a full disk GDAL may complain of anything but that.
        full = shutil.disk_usage(path.resolve().parent).free < _LEAST_FREE_BYTES or getattr(error, "errno", None) == errno.ENOSPC
        reason = "the disk is full" if full else getattr(error, "strerror", None) or str(error).partition(":")[0]
        raise InputError(f"{path.name} cannot be written ({reason}): free some space or choose another place.") from error
    finally:
        for left in part.parent.glob(f"{part.name}*"):
            left.unlink(missing_ok=True)
