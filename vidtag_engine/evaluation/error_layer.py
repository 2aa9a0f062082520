"""The errors of a result as a layer: a line from each prediction to its truth."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atomic import replacing
from ..export.columns import clean, utc_times
from ..export.geopackage_tables import add_styles
from ..export.lines import cut_steps
from ..file_marks import mark_geopackage
from . import metrics

if TYPE_CHECKING:
    from .report import Report

LAYER = "errors"


def error_table(report: Report) -> dict[str, Any]:
    """Columns of the layer, a row a compared frame.

    Returns:
        ``video``, ``frame_index``, ``time_s``, ``time`` (UTC), ``error_m``, ``phase1_error_m``, ``confidence``, ``within_radius``, the two places
        (``predicted_lat_deg``, ...) and ``geometry``: a MultiLineString from prediction to truth, cut at ±180°.
    """
    parts: list[dict[str, Any]] = []
    for result in report.results:
        one = report.comparisons.get(result.info.name)
        if one is None or one.rows is None or not len(one.rows):
            continue
        time_s = result.trajectory.time_s[one.rows]
        error_m = metrics.errors_m(one.predicted, one.truth)
        parts.append(
            {
                "video": np.full(len(one.rows), clean(result.info.name), dtype=object),
                "frame_index": result.trajectory.frame_index[one.rows],
                "time_s": time_s,
                "time": utc_times(result, time_s),
                "time_source": np.full(len(one.rows), result.info.time_source.value, dtype=object),
                "error_m": error_m,
                "phase1_error_m": metrics.errors_m(one.phase1, one.truth),
                "confidence": one.confidence,
                "within_radius": (error_m <= one.radius_m).astype(np.int32),
                "predicted_lat_deg": one.predicted[:, 0],
                "predicted_lon_deg": one.predicted[:, 1],
                "true_lat_deg": one.truth[:, 0],
                "true_lon_deg": one.truth[:, 1],
                "geometry": cut_steps(one.predicted[:, 0], one.predicted[:, 1], one.truth[:, 0], one.truth[:, 1]),
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def write_errors(path: Path, report: Report, *, overwrite: bool = False) -> None:
    """Write the errors to a GeoPackage (layer ``errors``, with its style), whole or not at all. Raises InputError where that fails."""
    import geopandas
    import pandas as pd
    import pyogrio

    table = error_table(report)
    geometry = table.pop("geometry")
    table["time"] = pd.Series(table["time"]).dt.tz_localize("UTC")
    with replacing(path, "errors", overwrite=overwrite) as part:
        pyogrio.write_dataframe(
            geopandas.GeoDataFrame(table, geometry=geometry, crs="EPSG:4326"),
            part,
            layer=LAYER,
            driver="GPKG",
            geometry_type="MultiLineString",
            promote_to_multi=True,
            dataset_options={"VERSION": "1.2"},
            layer_options={"GEOMETRY_NAME": "geom", "FID": "fid", "DESCRIPTION": "From prediction to truth, coloured by distance"},
        )
        with closing(sqlite3.connect(part)) as database, database:
            add_styles(database, [LAYER])
            mark_geopackage(database, "errors")
