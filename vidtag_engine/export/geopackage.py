"""The canonical result: one GeoPackage, written whole or not at all. Its schema is told in docs/geopackage.md."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atomic import replacing
from ..types import DecodeReport, FailedVideo, InputError, Provenance, TimeSource, Trajectory, VideoInfo, VideoResult
from .candidates_table import candidates_table
from .columns import Table, clean, joined
from .confidence_tables import regions_table
from .geopackage_rows import hold_all
from .geopackage_tables import add_provenance, add_styles, set_last_change
from .matches_table import add_thumbnail_column, add_thumbnails, matches_table
from .provenance import scrub_sentence, to_json
from .tables import check_names, failed_row, frames_table, steps_table, video_row

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

# Multi for every line, so that a step cut at ±180° is no exception to its layer's type.
LAYERS = {
    "trajectory": ("MultiLineString", "Steps between neighbouring frames, coloured by confidence"),
    "frames": ("Point", "Sampled frames, also those without an answer"),
    "videos": ("MultiLineString", "One line a video"),
    "regions": ("MultiPolygon", "Where the truth lies with 50 and 90 %, by frame and by video"),
    "matches": ("Point", "Reference images that speak for the frames' places"),
    "candidates": ("MultiLineString", "Ways along roads that fit how a video moves"),
    "pins": ("Point", "Where a person says that the camera was, or was not"),
    "aoi": ("MultiPolygon", "The area that was searched"),
}
# 1.2 is what QGIS 3.22's GDAL writes itself; newer ones make older readers warn.
_DATASET = {"VERSION": "1.2"}
# An index's triggers call functions that GDAL alone has, and thumbnails are put into its rows without GDAL.
_MORE = {"matches": {"SPATIAL_INDEX": "NO"}}
_SYNCHRONOUS = "OGR_SQLITE_SYNCHRONOUS"


def write_geopackage(
    path: Path | str,
    results: Sequence[VideoResult],
    provenance: Provenance,
    *,
    aoi: Any | None = None,
    failed: Sequence[FailedVideo] = (),
    overwrite: bool = False,
) -> None:
    """Write the canonical result of all videos finished so far; an older file of that name is replaced in one step.

    Args:
        path: where to, ending in ``.gpkg``; its folder exists.
        results: in the order to list them; none is fine.
        provenance: what made them.
        aoi: the area searched, a shapely geometry or an :class:`.grid.AreaOfInterest`; kept as the layer ``aoi``, with the areas of single videos.
        failed: videos of the batch that have no result; the layer ``videos`` says why.
        overwrite: replace what is there also where it is no result.

    Raises:
        InputError: it cannot be written, would replace what is no result, the name does not end in .gpkg, or two videos share a name. Nothing is left behind.
    """
    path = Path(path)
    if path.suffix.lower() != ".gpkg":
        raise InputError(f"Cannot write {path}: the result is a GeoPackage; give a name that ends in .gpkg.")
    check_names([*results, *failed])
    tables = result_tables(results, aoi=aoi, failed=failed)
    with replacing(path, "result", overwrite=overwrite) as part, unsynchronised():
        for layer, table in tables.items():
            write_layer(part, layer, table)
        layers = [*tables]
        if aoi is not None:
            write_areas(part, aoi)
            layers.append("aoi")
        with closing(sqlite3.connect(part)) as database, database:
            database.execute("PRAGMA synchronous = OFF")
            add_styles(database, layers)
            if "matches" in tables:
                add_thumbnail_column(database)
                add_thumbnails(database, results)
            add_provenance(database, to_json(provenance), provenance.created_utc)
            set_last_change(database, provenance.created_utc)
            for layer, table in tables.items():
                hold_all(database, layer, table)
            _check_counts(database, tables)


def result_tables(results: Sequence[VideoResult], *, aoi: Any | None = None, failed: Sequence[FailedVideo] = ()) -> dict[str, Table]:
    """The layers ``trajectory``, ``frames``, ``videos`` and ``regions`` as columns, and ``matches`` and ``candidates`` where there are any; arguments as there."""
    step_tables = [steps_table(result) for result in results]
    lengths_m = [float(np.nansum(table["length_m"])) for table in step_tables]
    rows = [video_row(result, length_m) for result, length_m in zip(results, lengths_m, strict=True)]
    rows += [failed_row(replace(one, why=scrub_sentence(one.why, one.info.path))) for one in failed]
    matches = {"matches": matches_table(results)} if any(result.matches for result in results) else {}
    ways = {"candidates": candidates_table(results)} if any(result.candidates for result in results) else {}
    return {
        "trajectory": joined(step_tables) or steps_table(nothing()),
        "frames": joined([frames_table(result) for result in results]) or frames_table(nothing()),
        "videos": columns_of_videos(rows),
        "regions": regions_table(results, None if aoi is None else getattr(aoi, "geometry", aoi), named_areas(aoi)),
        **matches,
        **ways,
    }


@contextmanager
def unsynchronised() -> Iterator[None]:
    """Meanwhile GDAL does not wait for the disk after every layer, which takes as long as all else: `replacing` brings the whole file to it once."""
    import pyogrio

    before = pyogrio.get_gdal_config_option(_SYNCHRONOUS)
    pyogrio.set_gdal_config_options({_SYNCHRONOUS: "OFF"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({_SYNCHRONOUS: before})


def write_layer(part: Path, layer: str, table: Table, like: str | None = None, *, indexed: bool = True) -> None:
    """Add one layer to the file.

    Args:
        part: the GeoPackage, made where it is not there.
        layer: its name.
        table: columns; ``geometry``, or ``lat_deg`` and ``lon_deg``.
        like: layer of the canonical result whose kind of geometry it has; None is its own name.
        indexed: with the spatial index that maps are drawn by.
    """
    import pyogrio

    more = _MORE.get(layer, {}) if indexed else {"SPATIAL_INDEX": "NO"}

    kind, title = LAYERS[like or layer]
    try:
        pyogrio.write_dataframe(
            as_geodataframe(table),
            part,
            layer=layer,
            driver="GPKG",
            geometry_type=kind,
            promote_to_multi=kind.startswith("Multi"),
            dataset_options=None if part.exists() else _DATASET,
            layer_options={"GEOMETRY_NAME": "geom", "FID": "fid", "IDENTIFIER": layer, "DESCRIPTION": title, **more},
        )
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        # On a full disk GDAL says only that it could not commit: the one thing that stops a commit to a new file of our own.
        number = errno.ENOSPC if "commit" in str(error).lower() else errno.EIO
        raise OSError(number, str(error)) from error


def as_geodataframe(table: Table) -> GeoDataFrame:
    """A layer's columns in EPSG:4326 (x = longitude); times in UTC. ``geometry``, or ``lat_deg`` and ``lon_deg``, become the geometry."""
    import geopandas
    import pandas as pd
    import shapely

    columns = dict(table)
    if "lat_deg" in columns:
        lat, lon = columns.pop("lat_deg"), columns.pop("lon_deg")
        geometry = np.full(len(lat), None, dtype=object)
        known = np.isfinite(lat)
        geometry[known] = shapely.points(lon[known], lat[known])
    else:
        geometry = columns.pop("geometry")
    for name, values in columns.items():
        if isinstance(values, np.ndarray) and values.dtype.kind == "M":
            columns[name] = pd.Series(values).dt.tz_localize("UTC")
        elif isinstance(values, list):
            columns[name] = pd.Series(values, dtype=object)
    return geopandas.GeoDataFrame(columns, geometry=np.asarray(geometry, dtype=object), crs="EPSG:4326")


def _check_counts(database: sqlite3.Connection, tables: dict[str, Table]) -> None:
    """A full disk may lose rows without a word: count them."""
    for layer, table in tables.items():
        (count,) = database.execute(f'SELECT count(*) FROM "{layer}"').fetchone()  # noqa: S608 - our own names  # nosec B608
        if count != len(table["video"]):
            raise OSError(f"only {count} of {len(table['video'])} rows of {layer} were kept, as when the disk is full")


def columns_of_videos(rows: Sequence[dict[str, Any]]) -> Table:
    """Rows of the layer ``videos`` as columns of the right types, also where there are none."""
    import pandas as pd

    table: Table = {}
    for name, value in video_row(nothing(), 0.0).items():
        values = [row[name] for row in rows]
        if name == "geometry":
            table[name] = np.array(values, dtype=object)
        elif value is None or isinstance(value, str):
            table[name] = values
        elif isinstance(value, np.datetime64):
            table[name] = np.array(values, dtype="datetime64[ms]")
        elif isinstance(value, int):  # and bool, which is one
            table[name] = pd.Series(values, dtype="boolean" if isinstance(value, bool) else "Int64")
        else:
            table[name] = np.array(values, dtype=np.asarray(value).dtype)
    return table


def write_areas(part: Path, aoi: Any) -> None:
    """Add the layer ``aoi``: a shapely geometry, or an :class:`.grid.AreaOfInterest` with the areas of single videos."""
    write_layer(part, "aoi", _aoi_table(aoi))


def _aoi_table(aoi: Any) -> Table:
    """The whole first, which is all that older versions read, then the areas of single videos by their names."""
    named = named_areas(aoi)
    geometry = np.empty(1 + len(named), dtype=object)
    geometry[:] = [getattr(aoi, "geometry", aoi), *named.values()]
    return {"name": ["aoi", *map(clean, named)], "geometry": geometry}


def named_areas(aoi: Any | None) -> dict[str, Any]:
    """The areas that videos of their own were searched for in, by name."""
    return dict(getattr(aoi, "named", ()))


def nothing() -> VideoResult:
    """A video without frames: it lends an empty result its columns."""
    none = np.zeros(0)
    return VideoResult(
        info=VideoInfo(Path("none"), "none", "video", 0, 0, None, datetime(2000, 1, 1, tzinfo=UTC), TimeSource.SYNTHETIC),
        trajectory=Trajectory(none.astype(np.int64), none, none, none, none, none, none, none, none, (), 0.0),
        report=DecodeReport(0, 0, 0),
        sha256="",
    )
