"""Rows of a result's layers put into a GeoPackage by SQL, value for value as GDAL writes them.

GDAL makes the layers (:mod:`.geopackage`); opening it for each of ten thousand videos would take longer than all else. What is written here is held against
what GDAL writes by a test.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import shapely

from .columns import Table, iso_texts

_HEADER = b"GP\x00"
# Bits 1 to 3 of the flags say that x and y bounds follow; bit 0, that numbers are little-endian.
_POINT_FLAGS, _SHAPE_FLAGS = 0b001, 0b011
_WGS84 = struct.pack("<i", 4326)
_BOUNDS = struct.Struct("<4d")


def insert_table(database: sqlite3.Connection, layer: str, table: Table) -> None:
    """Add a layer's rows; what needs no index is all that is kept up, see :func:`teach`.

    Args:
        database: the GeoPackage, in a transaction.
        layer: which has these columns.
        table: columns; ``geometry``, or ``lat_deg`` and ``lon_deg`` (x = longitude).
    """
    columns = dict(table)
    points = "lat_deg" in columns
    geometry = list(_points(columns.pop("lat_deg"), columns.pop("lon_deg")) if points else _shapes(columns.pop("geometry")))
    _widen(database, layer, geometry)
    values = [geometry, *(_plain(column) for column in columns.values())]
    names = ", ".join(f'"{name}"' for name in ("geom", *columns))
    marks = ", ".join("?" * len(values))
    database.executemany(f'INSERT INTO "{layer}" ({names}) VALUES ({marks})', zip(*values, strict=True))  # noqa: S608 - our own names  # nosec B608


def teach(database: sqlite3.Connection) -> None:
    """Give a connection the functions that the triggers of GDAL's spatial indexes call: of a geometry's blob, its bounds and whether it is empty."""
    for name, number in (("ST_MinX", 0), ("ST_MaxX", 1), ("ST_MinY", 2), ("ST_MaxY", 3)):
        database.create_function(name, 1, lambda blob, at=number: bounds_of(blob)[at], deterministic=True)
    database.create_function("ST_IsEmpty", 1, lambda blob: int(bool(blob[3] & 0b10000)), deterministic=True)


def bounds_of(blob: bytes) -> tuple[float, float, float, float]:
    """(minx, maxx, miny, maxy) of a geometry that is not empty, as the standard has them in a blob."""
    if blob[3] & 0b1110:
        return _BOUNDS.unpack_from(blob, 8)
    x, y = struct.unpack_from("<dd", blob, 13)
    return x, x, y, y


def widen(database: sqlite3.Connection, layer: str, box: Sequence[float | None]) -> None:
    """Let a layer's bounds hold (minx, miny, maxx, maxy), too; None where there is nothing to hold."""
    if None not in box:
        database.execute(
            "UPDATE gpkg_contents SET min_x = min(coalesce(min_x, ?1), ?1), min_y = min(coalesce(min_y, ?2), ?2),"
            " max_x = max(coalesce(max_x, ?3), ?3), max_y = max(coalesce(max_y, ?4), ?4) WHERE table_name = ?5",
            (*box, layer),
        )


def hold_all(database: sqlite3.Connection, layer: str, table: Table) -> None:
    """Let the bounds of a layer that GDAL has written hold each of its rows: GDAL rounds them to 16 digits, which leaves outermost ones out."""
    if "lat_deg" in table:
        boxes = np.column_stack([table["lon_deg"], table["lat_deg"], table["lon_deg"], table["lat_deg"]]).astype(np.float64)
    else:
        boxes = shapely.bounds(np.asarray(table["geometry"], dtype=object)).reshape(-1, 4)
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    if len(boxes):
        widen(database, layer, [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()])


def _widen(database: sqlite3.Connection, layer: str, geometry: Sequence[bytes | None]) -> None:
    if known := [bounds_of(blob) for blob in geometry if blob is not None]:
        west, east, south, north = zip(*known, strict=True)
        widen(database, layer, (min(west), min(south), max(east), max(north)))


def _points(lat_deg: np.ndarray, lon_deg: np.ndarray) -> Iterator[bytes | None]:
    known = np.isfinite(lat_deg)
    head = _HEADER + bytes([_POINT_FLAGS]) + _WGS84
    wkb = iter(shapely.to_wkb(shapely.points(lon_deg[known], lat_deg[known]), byte_order=1))
    for one in known.tolist():
        yield head + next(wkb) if one else None


def _shapes(geometry: np.ndarray) -> Iterator[bytes | None]:
    head = _HEADER + bytes([_SHAPE_FLAGS]) + _WGS84
    bounds = shapely.bounds(geometry)[:, [0, 2, 1, 3]] if len(geometry) else np.zeros((0, 4))
    for wkb, box in zip(shapely.to_wkb(geometry, byte_order=1), bounds.tolist(), strict=True):
        yield None if wkb is None else head + _BOUNDS.pack(*box) + wkb


def _plain(column: Any) -> Sequence[Any]:
    """A column's values as SQLite has them: a not-a-number, a not-a-time and what pandas calls missing are NULL."""
    if isinstance(column, list):
        return column
    if isinstance(column, np.ndarray):
        if column.dtype.kind == "M":
            return iso_texts(column.astype("datetime64[ms]"))
        if column.dtype.kind == "f":
            return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124 - a not-a-number
        return column.tolist()
    missing = column.isna().to_numpy()
    return [None if gone else (int(value)) for value, gone in zip(column, missing, strict=True)]
