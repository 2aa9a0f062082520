"""GeoJSON (RFC 7946): the steps as lines, the frames as points and the regions as polygons, in one feature collection."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic import write_text
from ..file_marks import mark_of
from ..types import Provenance, VideoResult
from .columns import Table, iso_texts
from .confidence_tables import regions_table
from .provenance import to_json
from .tables import check_names, frames_table, steps_table

# A hundredth of a millimetre: more digits say nothing and make the file larger.
_DIGITS = 10
_LENGTH_DIGITS = 15


def write_geojson(path: Path | str, results: Sequence[VideoResult], provenance: Provenance, *, overwrite: bool = False) -> None:
    """Write steps, frames and regions; the property ``layer`` ("trajectory", "frames" or "regions") tells them apart.

    A step across ±180° is cut into a MultiLineString (RFC 7946, 3.1.9); a frame without an answer has a null geometry; unknown numbers
    are null. ``generator``, ``bytes`` (its own length) and ``provenance`` stand beside the features as foreign members.

    Raises:
        InputError: it cannot be written, would replace what is not this tool's own (unless ``overwrite``), or two videos share a name.
    """
    check_names(results)
    features: list[dict[str, Any]] = []
    for result in results:
        features += _steps(result)
        features += _frames(result)
        features += _regions(result)
    made = json.dumps(json.loads(to_json(provenance, results)), ensure_ascii=False)
    head = f'{{"type": "FeatureCollection", "generator": "{mark_of("geojson")}", "bytes": '
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False, allow_nan=False) for feature in features)
    rest = f', "provenance": {made}, "features": [\n{lines}\n]}}\n'
    # GDAL keeps foreign members when it saves what was edited: the file's own length tells that it is as it was written.
    length = len((head + rest).encode()) + _LENGTH_DIGITS
    write_text(path, f"{head}{length:<{_LENGTH_DIGITS}}{rest}", "geojson", overwrite=overwrite)


def _steps(result: VideoResult) -> Iterator[dict[str, Any]]:
    table = steps_table(result)
    lines = table.pop("geometry")
    for line, properties in zip(lines, _rows(table), strict=True):
        parts = [[_position(x, y) for x, y in part.coords] for part in line.geoms]
        geometry = {"type": "LineString", "coordinates": parts[0]} if len(parts) == 1 else {"type": "MultiLineString", "coordinates": parts}
        yield {"type": "Feature", "geometry": geometry, "properties": {"layer": "trajectory", **properties}}


def _frames(result: VideoResult) -> Iterator[dict[str, Any]]:
    table = frames_table(result)
    lat, lon = table.pop("lat_deg"), table.pop("lon_deg")
    for y, x, properties in zip(lat, lon, _rows(table), strict=True):
        geometry = {"type": "Point", "coordinates": _position(x, y)} if math.isfinite(y) else None
        yield {"type": "Feature", "geometry": geometry, "properties": {"layer": "frames", **properties}}


def _regions(result: VideoResult) -> Iterator[dict[str, Any]]:
    table = regions_table([result])
    del table["aoi_share"]  # the area is not in this file
    shapes = table.pop("geometry")
    table["frame_index"] = table["frame_index"].astype(object).where(table["frame_index"].notna(), None).tolist()
    for shape, properties in zip(shapes, _rows(table), strict=True):
        coordinates = [[[_position(x, y) for x, y in ring.coords] for ring in (part.exterior, *part.interiors)] for part in shape.geoms]
        yield {
            "type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": coordinates}, "properties": {"layer": "regions", **properties},
        }  # fmt: skip


def _rows(table: Table) -> Iterator[dict[str, Any]]:
    columns = [iso_texts(c) if isinstance(c, np.ndarray) and c.dtype.kind == "M" else c for c in table.values()]
    for row in zip(*columns, strict=True):
        yield dict(zip(table, (_plain(value) for value in row), strict=True))


def _plain(value: Any) -> Any:
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value


def _position(x: float, y: float) -> list[float]:
    return [round(float(x), _DIGITS), round(float(y), _DIGITS)]
