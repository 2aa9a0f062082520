"""GeoJSON tracks: points with a time among their properties, or lines with a time for each position."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..types import InputError, Track
from .table_track import track_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAX_BYTES = 512 * 2**20
# RFC 7946 has longitudes and latitudes of WGS 84 alone; older files may say so, or say another system.
_DEGREES = ("CRS84", "4326", "4979")


def read(path: Path) -> Track:
    """Points with properties as rows of a table (times as in a CSV), or lines with ``coordTimes``.

    Raises:
        InputError: not GeoJSON, not in degrees, no positions, or none with times.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{path} is larger than 512 MB, too large for a track; give a smaller one.")
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not GeoJSON that can be read; export the track again.") from error
    features = document.get("features", [document]) if isinstance(document, dict) else []
    _check_crs(document, path)
    rows = [row for feature in features if isinstance(feature, dict) for row in _rows(feature)]
    if not rows:
        raise InputError(f"{path} holds no points, and no lines with a time for each position (coordTimes); export the track as points.")
    names = list(dict.fromkeys(chain(("lat", "lon"), *(row for row in rows))))
    table = [["" if row.get(name) is None else str(row[name]) for name in names] for row in rows]
    return track_of(names, table, path, "GeoJSON")


def _check_crs(document: Any, path: Path) -> None:
    crs = document.get("crs") if isinstance(document, dict) else None
    said = json.dumps(crs) if crs else ""
    if said and not any(word in said for word in _DEGREES):
        raise InputError(f"{path} is not in degrees of WGS 84 (it says {said[:80]}); export it in EPSG:4326.")


def _rows(feature: dict[str, Any]) -> Iterator[dict[str, Any]]:
    geometry, properties = feature.get("geometry"), feature.get("properties")
    if not isinstance(geometry, dict):
        return
    properties = properties if isinstance(properties, dict) else {}
    kind, places = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point":
        yield from _row(places, {key: value for key, value in properties.items() if key not in {"lat", "lon"}})
        return
    times = properties.get("coordTimes") or (properties.get("coordinateProperties") or {}).get("times")
    if times and kind in {"LineString", "MultiLineString"} and isinstance(places, list):
        parts = zip([places], [times], strict=True) if kind == "LineString" else zip(places, times, strict=False)
        for line, moments in parts:
            for place, moment in zip(line, moments, strict=False):
                yield from _row(place, {"time": moment})


def _row(place: Any, properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if isinstance(place, list) and len(place) > 1:
        yield {"lat": place[1], "lon": place[0], **properties}
