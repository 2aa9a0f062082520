"""Vector files and typed addresses: their layers, coordinate systems and geometries. One place, for areas of interest and for roads.

A file is opened by pyogrio, and by fiona where pyogrio's GDAL does not know its format any more. An address or an archive's inside is opened by fiona
alone, since only fiona can be told which drivers may try: none of those that follow a link inside a file to somewhere else.
"""

from __future__ import annotations

import html
import json
import math
import mmap
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from .offline import asked
from .types import FetchError, InputError

# Formats that the GDAL of pyogrio's wheel left behind and that of fiona's still reads (MapML: as GDAL wrote it before 3.12).
OLD_DRIVERS = ("Geoconcept", "MapML", "TIGER")
# What may stand at an address or in an archive. Not GeoJSON and its kin (GDAL fetches a linked system), not GML (a linked schema), not VRT.
TYPED_DRIVERS = ("GPKG", "ESRI Shapefile", "FlatGeobuf", "MapInfo File", "OpenFileGDB", "KML", "GPX", "DXF", *OLD_DRIVERS)
_TYPED = re.compile(r"(?:(?:zip|tar|gzip)\+)?(?:https?|file)://|(?:zip|tar|gzip)://|/vsi", re.IGNORECASE)
# Of one in the current folder fiona takes the name for a host's, and does not find its inside.
_ARCHIVE = re.compile(r"^((?:zip|tar)://)(?!/)([^!]+)!", re.IGNORECASE)
# Archives and files of this machine, by the names that GDAL and fiona have for them; all else of their kind is fetched.
_SCHEMES_HERE = {"zip", "tar", "gzip", "file"}
_VSI_HERE = {"zip", "tar", "gzip", "7z", "rar", "subfile"}
# Files that are but the address of a service, which GDAL would ask.
_SERVICE = re.compile(rb"<(?:\w+:)?(?:OGR(?!VRT)\w+DataSource|WFS_Capabilities|Capabilities|GDAL_WMS)\b")
_CRS_OBJECT = re.compile(rb'"crs"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*\})')
_WKB_KINDS = {1: "Point", 2: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon", 7: "GeometryCollection"}
_HEAD_BYTES = 4096
_VRT_BYTES = 16 * 1024**2
_VRT_SOURCE = re.compile(r"<SrcDataSource\b[^>]*>(.*?)</SrcDataSource\s*>", re.DOTALL | re.IGNORECASE)


def is_typed(text: str) -> bool:
    """Whether it is an address or an archive's inside, as a user types it: ``https://…``, ``zip://roads.zip!roads.shp``, ``/vsizip/…``."""
    return _TYPED.match(text) is not None


def is_fetched(text: str) -> bool:
    """Whether an address, as :func:`is_typed` knows them, leads to the network: not an archive's inside on this machine."""
    schemes = {part.lower() for found in re.findall(r"([\w+]+)://", text) for part in found.split("+")}
    systems = set(re.findall(r"/vsi(\w+)", text.lower()))
    return bool(schemes - _SCHEMES_HERE or systems - _VSI_HERE)


@dataclass(frozen=True)
class VectorSource:
    """A vector file or address that opens.

    Args:
        path: of it, or its address.
        name: how messages call it.
        layers: their kind of geometry by name, such as ``Polygon``; ``Unknown`` where it may be any, None where a layer has no geometries.
        drivers: those that fiona may open it with; None where pyogrio does.
    """

    path: str
    name: str
    layers: dict[str, str | None]
    drivers: tuple[str, ...] | None = None

    def crs(self, layer: str) -> str | None:
        """The coordinate system that a layer states, in a form that PROJ knows.

        Raises:
            InputError: the layer cannot be opened.
        """
        try:
            if self.drivers is None:
                import pyogrio

                stated = pyogrio.read_info(self.path, layer=layer)["crs"]
                return None if stated is None else str(stated)
            with _fiona(self.path, self.drivers, layer) as opened:
                return str(opened.crs_wkt) or None
        except _errors() as error:
            raise unreadable(self.name, error) from error

    def read(self, layer: str, box: tuple[float, float, float, float] | None = None) -> list[shapely.Geometry | dict[str, Any]]:
        """A layer's geometries, without heights; one that GEOS does not take (a ring that is not closed) as GeoJSON, as it stands.

        Args:
            layer: its name.
            box: minx, miny, maxx, maxy in the layer's system; what lies wholly outside may be left out.

        Raises:
            InputError: it cannot be read.
        """
        try:
            return list(self._by_pyogrio(layer, box) if self.drivers is None else self._by_fiona(layer, box, self.drivers))
        except _errors() as error:
            raise unreadable(self.name, error) from error

    def columns(self, layer: str) -> tuple[str, ...]:
        """Names of a layer's attributes.

        Raises:
            InputError: the layer cannot be opened.
        """
        try:
            if self.drivers is None:
                import pyogrio

                return tuple(str(one) for one in pyogrio.read_info(self.path, layer=layer)["fields"])
            with _fiona(self.path, self.drivers, layer) as opened:
                return tuple(opened.schema["properties"])
        except _errors() as error:
            raise unreadable(self.name, error) from error

    def read_with(
        self, layer: str, columns: Sequence[str], box: tuple[float, float, float, float] | None = None, most: int | None = None
    ) -> tuple[list[shapely.Geometry], dict[str, list[str]]]:
        """A layer's geometries that GEOS takes, without heights, and these attributes of each, as text; empty where there is no value.

        Args:
            layer: its name.
            columns: attributes that it has.
            box: as of :meth:`read`.
            most: features to read, the first ones; None: all.

        Raises:
            InputError: it cannot be read.
        """
        try:
            if self.drivers is None:
                import pyogrio

                _, _, wkb, values = pyogrio.raw.read(
                    self.path, layer=layer, columns=list(columns), force_2d=True, bbox=box, max_features=most
                )
                shapes = shapely.from_wkb([] if wkb is None else wkb, on_invalid="ignore")
                order = list(pyogrio.read_info(self.path, layer=layer)["fields"])
                named = dict(zip(sorted(columns, key=order.index), values, strict=True))
            else:
                with _fiona(self.path, self.drivers, layer) as opened:
                    features = [one for one in islice(opened.filter(bbox=box), most) if one.geometry is not None]
                shapes = [shapely.from_geojson(json.dumps(one.geometry.__geo_interface__), on_invalid="ignore") for one in features]
                named = {name: [one.properties.get(name) for one in features] for name in columns}
        except _errors() as error:
            raise unreadable(self.name, error) from error
        kept = [row for row, shape in enumerate(shapes) if shape is not None and not shape.is_empty]
        return [shapes[row] for row in kept], {name: [_text(named[name][row]) for row in kept] for name in columns}

    def _by_pyogrio(self, layer: str, box: tuple[float, float, float, float] | None) -> Iterator[shapely.Geometry | dict[str, Any]]:
        import pyogrio

        _, _, column, _ = pyogrio.raw.read(self.path, layer=layer, columns=[], force_2d=True, bbox=box)
        for wkb in () if column is None else column:
            if wkb is not None:
                geometry = shapely.from_wkb(wkb, on_invalid="ignore")
                yield geometry if geometry is not None else _wkb_geometry(bytes(wkb), 0)[0]

    def _by_fiona(
        self, layer: str, box: tuple[float, float, float, float] | None, drivers: tuple[str, ...]
    ) -> Iterator[shapely.Geometry | dict[str, Any]]:
        import shapely.geometry

        with _fiona(self.path, drivers, layer) as opened:
            for feature in opened.filter(bbox=box):
                if feature.geometry is not None:
                    plain = feature.geometry.__geo_interface__
                    try:
                        yield shapely.force_2d(shapely.geometry.shape(plain))
                    except (ValueError, shapely.errors.GEOSException):
                        yield plain


def open_vector(text: str, name: str) -> VectorSource:
    """Open a vector file, or an address as the user typed it.

    Args:
        text: a path, or what :func:`is_typed` says yes to.
        name: how messages call it.

    Raises:
        InputError: neither library opens it, or it is a list of sources that are not files of this machine.
    """
    import pyogrio

    if is_typed(text) and not Path(text).exists():
        text = _ARCHIVE.sub(lambda found: f"{found[1]}{Path(found[2]).absolute().as_posix()}!", text)
        if asked() and is_fetched(text):
            raise FetchError(
                f"{name} lies on the network, and VidTAG works offline: save it on this machine as GeoPackage, and give its path."
            )
        try:
            return VectorSource(text, name, _fiona_layers(text, TYPED_DRIVERS), TYPED_DRIVERS)
        except _errors() as error:
            raise InputError(
                f"{name} cannot be opened at this address ({_reason(error)}); check it, or save the file on this machine as GeoPackage first:"
                f" from an address or an archive these formats are read: {', '.join(TYPED_DRIVERS)}."
            ) from error
    _check_links(Path(text), name)
    pyogrio.set_gdal_config_options({"GML_DOWNLOAD_SCHEMA": "NO"})  # a GML file may name an address for its schema
    try:
        return VectorSource(text, name, {str(one): None if kind is None else str(kind) for one, kind in pyogrio.list_layers(text)})
    except _errors() as error:
        try:
            return VectorSource(text, name, _fiona_layers(text, OLD_DRIVERS), OLD_DRIVERS)
        except _errors():
            raise unreadable(name, error) from error


def _text(value: Any) -> str:
    """An attribute as text; nothing of one that is missing."""
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)


def unreadable(name: str, error: Exception) -> InputError:
    """What is said of a source that opens but cannot be read, or does not open."""
    return InputError(f"{name} is not a vector file that can be read ({_reason(error)}); save it again as GeoPackage or GeoJSON.")


def _reason(error: Exception) -> str:
    """The first sentence of what GDAL says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].partition(";")[0].rstrip(".")


def _errors() -> tuple[type[Exception], ...]:
    """What the two libraries raise of a source."""
    import pyogrio.errors
    from fiona._err import CPLE_BaseError
    from fiona.errors import FionaError

    one = pyogrio.errors
    return (one.DataSourceError, one.DataLayerError, one.GeometryError, FionaError, CPLE_BaseError, ValueError, RuntimeError, OSError)


def _fiona(path: str, drivers: tuple[str, ...], layer: str | int | None = None) -> Any:
    """A source opened with the named drivers alone. Without a layer the first one: 0 would be looked up by the file's name."""
    import fiona

    named = {} if layer is None or layer == 0 else {"layer": layer}
    return fiona.open(path, enabled_drivers=list(drivers), allow_unsupported_drivers=True, **named)


def _fiona_layers(path: str, drivers: tuple[str, ...]) -> dict[str, str | None]:
    """Kinds of geometry by layer. Not by fiona's own list of layers, which tries every driver."""
    layers: dict[str, str | None] = {}
    while True:
        try:
            with _fiona(path, drivers, len(layers)) as opened:
                kind = opened.schema["geometry"]
                layers[str(opened.name)] = None if kind == "None" else str(kind)
        except ValueError:  # beyond the last; a source that does not open at all raises DriverError, one of its kind
            if layers:
                return layers
            raise


def _check_links(path: Path, name: str) -> None:
    """Refuse a file that sends GDAL to places that the user did not name: an address, a database, a query, a pipeline.

    A virtual source (VRT) may list files of this machine.
    """
    head = path.read_bytes()[:_HEAD_BYTES] if path.is_file() else b""
    if b"gdal_streamed_alg" in head:
        raise InputError(f"{name} is a chain of commands for GDAL, not a layer; run it, and give what it writes as GeoPackage.")
    if _SERVICE.search(head):
        raise InputError(f"{name} is the address of a service on the network, not a layer; save the layer as GeoPackage.")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and _has_linked_system(path):
        raise InputError(f"{name} names its coordinate system only by a link, which is not followed; save it as GeoPackage.")
    if b"<OGRVRTDataSource" not in head:
        return
    said = f"{name} is a virtual source (VRT) that leads to more than files of this machine; save what it shows as GeoPackage."
    if path.stat().st_size > _VRT_BYTES:
        raise InputError(said)
    # Case and entities as GDAL's parser takes them.
    text = html.unescape(path.read_text(encoding="utf-8", errors="replace"))
    if re.search(r"<SrcSQL|<!(?!--)", text, re.IGNORECASE) or any(
        not _is_layer_here(path.parent, one.strip()) for one in _VRT_SOURCE.findall(text)
    ):
        raise InputError(said)


def _has_linked_system(path: Path) -> bool:
    """Whether GDAL would fetch a coordinate system for a GeoJSON: one of its ``crs`` is of the type link or url."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for found in _CRS_OBJECT.finditer(content):
            try:
                kind = json.loads(found[1]).get("type")
            except ValueError:
                continue
            if str(kind).lower() in {"link", "url"}:
                return True
    return False


def _is_layer_here(folder: Path, source: str) -> bool:
    """Whether a virtual source's source is a file of this machine, from its folder or the current one, that leads no further itself."""
    files = [file for file in (folder / source, Path(source)) if file.is_file()]
    heads = [file.read_bytes()[:_HEAD_BYTES] for file in files]
    return not is_typed(source) and bool(files) and not any(b"<OGRVRTDataSource" in head or b"gdal_streamed_alg" in head for head in heads)


def _wkb_geometry(wkb: bytes, at: int) -> tuple[dict[str, Any], int]:
    """The geometry that begins there as GeoJSON, as it stands, and where it ends. Raises ValueError where it is cut off or a curve."""
    try:
        order = "<" if wkb[at] == 1 else ">"
        (code,) = struct.unpack_from(f"{order}I", wkb, at + 1)
        kind = _WKB_KINDS[code % 1000]
        at += 5
        if kind == "Point":
            return {"type": kind, "coordinates": list(struct.unpack_from(f"{order}2d", wkb, at))}, at + 16
        if kind == "LineString":
            points, at = _wkb_points(wkb, at, order)
            return {"type": kind, "coordinates": points}, at
        (count,) = struct.unpack_from(f"{order}I", wkb, at)
        at, parts = at + 4, []
        for _ in range(count):
            part, at = _wkb_points(wkb, at, order) if kind == "Polygon" else _wkb_geometry(wkb, at)
            parts.append(part)
    except (struct.error, IndexError, KeyError) as error:
        raise ValueError("a geometry that is cut off or of an unknown kind") from error
    if kind == "GeometryCollection":
        return {"type": kind, "geometries": parts}, at
    return {"type": kind, "coordinates": parts if kind == "Polygon" else [part["coordinates"] for part in parts]}, at


def _wkb_points(wkb: bytes, at: int, order: str) -> tuple[Any, int]:
    (count,) = struct.unpack_from(f"{order}I", wkb, at)
    points = np.frombuffer(wkb, f"{order}f8", 2 * count, at + 4).reshape(-1, 2)
    return points.tolist(), at + 4 + 16 * count
