"""Areas as vector files: which layer, which system, and geometries that other readers stumble on."""

from __future__ import annotations

import json
import re
import tempfile
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from ..types import InputError
from ..vectors import VectorSource, is_typed, open_vector, unreadable
from .aoi_geojson import TYPES, from_geojson, geometry_parts

_MOST_BYTES = 512 * 1024**2  # of a file that is read as text
_KML_POLYGON = re.compile(rb"<((?:\w+:)?)Polygon\b[^>]*>(.*?)</\1Polygon\s*>", re.DOTALL)
_KML_BOUNDARY = re.compile(rb"<((?:\w+:)?(outer|inner)BoundaryIs)\b[^>]*>.*?</\1\s*>", re.DOTALL)


@dataclass
class Found:
    """What an input holds.

    Args:
        name: how messages call it.
        geometries: of any kind.
        crs: the system that it states.
        notes: what was mended or left out so far.
        rectangle: whether it is a box by its four numbers.
    """

    name: str
    geometries: list[shapely.Geometry]
    crs: str | None
    notes: list[str]
    rectangle: bool = False


def exists(text: str) -> bool:
    """Whether it is the path of something that is there."""
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # too long for a path, or with a zero byte
        return False


def from_file(text: str, layer: str | None, crs: str | None) -> Found:
    """Read a path, with ``|layername=name`` or not.

    Raises:
        InputError: no such file, none that can be read, several layers, or metres without a system.
    """
    path, options = text.partition("|")[::2]
    for option in options.split("|"):
        key, value = option.partition("=")[::2]
        if key.lower() == "layername" and layer is None:
            layer = value
    name = f"The area of interest {Path(path).name}"
    if not exists(path) and not is_typed(path):
        raise InputError(
            f"The area of interest {text[:200]!r} is no file that exists, no GeoJSON, no WKT and no minx,miny,maxx,maxy; check the path."
        )
    data = _geojson_of(Path(path))
    if data is not None and layer in {None, Path(path).stem, data.get("name"), "OGRGeoJSON"}:
        return Found(name, *from_geojson(data, name, crs))
    found = _from_gdal(path, layer, name)
    if found.crs is None and crs is None and found.geometries:
        _check_assumed_degrees(found)
        found.notes.append(f"{name} does not name its coordinate system; EPSG:4326 (degrees) was assumed.")
    return found


def _geojson_of(path: Path) -> dict[str, Any] | None:
    """A GeoJSON file's content. Not by GDAL: it fetches a linked system from the net, and where it cannot, says WGS 84."""
    if path.suffix.lower() not in {".json", ".geojson"} or not path.is_file() or path.stat().st_size > _MOST_BYTES:
        return None
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError, OSError):  # also text that is not UTF-8: GDAL has its own words for it
        return None
    return data if isinstance(data, dict) and data.get("type") in TYPES else None


def _from_gdal(path: str, layer: str | None, name: str) -> Found:
    notes: list[str] = []
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.filterwarnings("ignore", message="Non closed ring", category=RuntimeWarning)  # said below, in our words
        source = path
        if (rewritten := _kml_apart(path, name, notes)) is not None:
            source = str(Path(folder) / Path(path).with_suffix(".kml").name)
            Path(source).write_bytes(rewritten)
        opened = open_vector(source, name)
        try:
            read = [(one, *_read_layer(opened, one, notes)) for one in _layers(opened.layers, layer, name)]
        except ValueError as error:  # of a geometry that is broken beyond closing its rings
            if isinstance(error, InputError):
                raise
            raise unreadable(name, error) from error
    if len(read) > 1:
        holding = [one for one in read if any(shapely.get_dimensions(geometry) == 2 for geometry in one[1])]
        if len(holding) > 1:
            raise InputError(f"{name} has several layers ({', '.join(one[0] for one in holding)}); say which one.")
        if holding:
            others = ", ".join(repr(one[0]) for one in read if one is not holding[0])
            notes.append(f"{name} also has layers without polygons ({others}); they were left out.")
            read = holding
    return Found(name, [geometry for _, geometries, _ in read for geometry in geometries], read[0][2], notes)


def _layers(layers: dict[str, str | None], layer: str | None, name: str) -> list[str]:
    """The named layer; else the only one of polygons; else all that may hold some."""
    if layer is not None:
        if layer not in layers:
            raise InputError(f"{name} has no layer {layer!r}; give one that it has ({', '.join(layers) or 'none'}).")
        return [layer]
    spatial = [one for one, kind in layers.items() if kind is not None]
    polygonal = [one for one, kind in layers.items() if kind is not None and ("Polygon" in kind or "Surface" in kind)]
    if not spatial:
        raise InputError(f"{name} has no layer with geometries; give a polygon layer.")
    if len(polygonal) > 1:
        raise InputError(f"{name} has several layers ({', '.join(polygonal)}); say which one.")
    return polygonal or spatial


def _read_layer(source: VectorSource, layer: str, notes: list[str]) -> tuple[list[shapely.Geometry], str | None]:
    """Geometries and system of a layer; those that GEOS does not take (a ring that is not closed, a line of one point) part by part."""
    geometries: list[shapely.Geometry] = []
    for one in source.read(layer):
        geometries += geometry_parts(one, source.name, notes) if isinstance(one, dict) else [one]
    return geometries, source.crs(layer)


def _kml_apart(path: str, name: str, notes: list[str]) -> bytes | None:
    """A KML whose polygons have several outer boundaries, rewritten with a polygon for each: GDAL takes the last one alone. Else None."""
    suffix = Path(path).suffix.lower()
    if suffix not in {".kml", ".kmz"} or not Path(path).is_file():
        return None
    try:
        if suffix == ".kml":
            content = Path(path).read_bytes() if Path(path).stat().st_size <= _MOST_BYTES else b""
        else:
            with zipfile.ZipFile(path) as archive:
                main = next((one for one in archive.infolist() if one.filename.lower().endswith(".kml")), None)
                content = archive.read(main) if main is not None and main.file_size <= _MOST_BYTES else b""
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return None  # GDAL says what is wrong
    most = 1

    def apart(match: re.Match[bytes]) -> bytes:
        nonlocal most
        polygons: list[bytes] = []
        for boundary in _KML_BOUNDARY.finditer(match[2]):
            if boundary[2] == b"outer" or not polygons:
                polygons.append(b"")
            polygons[-1] += boundary[0]
        if len(polygons) < 2:
            return match[0]
        most = max(most, len(polygons))
        tag = match[1]
        inside = b"".join(b"<%sPolygon>%s</%sPolygon>" % (tag, one, tag) for one in polygons)
        return b"<%sMultiGeometry>%s</%sMultiGeometry>" % (tag, inside, tag)

    rewritten = _KML_POLYGON.sub(apart, content)
    if most == 1:
        return None
    notes.append(f"{name} has a polygon with {most} outer rings; each was taken as a polygon of its own.")
    return rewritten


def _check_assumed_degrees(found: Found) -> None:
    bounds = shapely.total_bounds(found.geometries)
    if np.isfinite(bounds).all() and (np.abs(bounds[[1, 3]]).max() > 90.0 or np.abs(bounds[[0, 2]]).max() > 360.0):
        raise InputError(
            f"{found.name} does not name its coordinate system, and its coordinates are not degrees; give the system with --aoi-crs."
        )
