"""Area of interest: from whatever the user has to one valid polygon on the globe.

Accepted: a vector file (``path``, ``path|layername=name``, or a path and ``layer``), GeoJSON as text or dict, WKT and
``minx,miny,maxx,maxy`` (both also after ``SRID=4326;`` or ``CRS=EPSG:4326;``). Whatever it was, the result is a MultiPolygon in WGS 84
longitude/latitude, split at ±180°.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import shapely.geometry
from pyproj import CRS
from pyproj.exceptions import CRSError

from ..types import InputError
from .ellipsoid import polygon_area_m2
from .reproject import to_lon_lat

_WGS84 = "EPSG:4326"
_NUMBER = r"\s*(?:[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?nan|[-+]?inf(?:inity)?)\s*"
_NUMBERS = re.compile(rf"^{_NUMBER}(?:,{_NUMBER})*$", re.IGNORECASE)
_PREFIX = re.compile(r"^\s*(?:SRID|CRS)\s*=\s*([^;]+);\s*", re.IGNORECASE)
_KINDS = r"(?:MULTI)?(?:POLYGON|POINT|LINESTRING|SURFACE|CURVE)|GEOMETRYCOLLECTION|CURVEPOLYGON|COMPOUNDCURVE|CIRCULARSTRING|TRIANGLE|TIN"
_WKT = re.compile(rf"^(?:{_KINDS})\s*(?:ZM|Z|M)?\s*(?:\(|EMPTY)", re.IGNORECASE)
_SMALLEST_M2 = 1e-4


@dataclass(frozen=True)
class AreaOfInterest:
    """Where to search.

    Args:
        geometry: valid MultiPolygon, x = longitude, y = latitude in degrees (EPSG:4326), within [-180, 180] × [-90, 90]; an area
            across ±180° is split there. Sides are straight in longitude and latitude.
        area_m2: its area on the ellipsoid.
        notes: what was mended or assumed, a sentence each, for the user to read.
    """

    geometry: shapely.MultiPolygon
    area_m2: float
    notes: tuple[str, ...] = ()

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """minx, miny, maxx, maxy in degrees (an area across ±180° spans all longitudes)."""
        west, south, east, north = self.geometry.bounds
        return float(west), float(south), float(east), float(north)


def load_aoi(text: str | Path | dict[str, Any], *, layer: str | None = None, crs: str | None = None) -> AreaOfInterest:
    """Read an area of interest.

    Args:
        text: a path, GeoJSON text or dict, WKT, or ``minx,miny,maxx,maxy``.
        layer: which layer of a file with several.
        crs: the coordinates' system, where the input does not say (any form PROJ knows); without it, EPSG:4326.

    Returns:
        The area; mended where it could be, which its notes say.

    Raises:
        InputError: nothing polygonal, no area, unknown system, numbers that are no place on the globe.
    """
    with np.errstate(invalid="ignore"):  # of a NaN the user hears below, in words
        name, geometries, found_crs, notes = _read(text, layer, crs)
    system = _system(found_crs or crs, name)
    if crs is not None and found_crs is not None and _system(crs, name) != system:
        notes.append(f"{name} says that it is in {_short(system)}; the given {crs} was not used.")
    polygons = _polygons(geometries, name, notes)
    _check_numbers(polygons, name)
    polygons = [_mended(polygon, name, notes) for polygon in polygons]
    joined = shapely.union_all(polygons)
    if joined.is_empty or joined.area == 0:
        raise InputError(f"{name} has no area (a line or a point); draw a polygon.")
    geometry, reprojected_notes = to_lon_lat(joined, system, name)
    notes.extend(reprojected_notes)
    area_m2 = polygon_area_m2(geometry)
    if area_m2 < _SMALLEST_M2:
        raise InputError(f"{name} has no area on the ground ({area_m2:.1e} m²); draw a larger polygon.")
    return AreaOfInterest(geometry, area_m2, tuple(dict.fromkeys(notes)))


def _read(
    text: str | Path | dict[str, Any], layer: str | None, crs: str | None
) -> tuple[str, list[shapely.Geometry], str | None, list[str]]:
    """Name for messages, geometries, system where the input states one, notes."""
    if isinstance(text, dict):
        return _from_geojson(text)
    stripped = str(text).strip()
    if not stripped:
        raise InputError("The area of interest is empty; give a vector file, GeoJSON, WKT or minx,miny,maxx,maxy.")
    if isinstance(text, Path) or _exists(stripped):
        return _from_file(stripped, layer, crs)
    if stripped.startswith("{"):
        try:
            return _from_geojson(json.loads(stripped))
        except (json.JSONDecodeError, RecursionError) as error:
            raise InputError(f"The area of interest is not valid JSON ({error}); give whole GeoJSON.") from error
    prefix = _PREFIX.match(stripped)
    stated = prefix[1].strip() if prefix else None
    if stated is not None and stated.isdigit():
        stated = f"EPSG:{stated}"
    body = stripped[prefix.end() :] if prefix else stripped
    if _NUMBERS.match(body) or _WKT.match(body):
        geometry = _box(body) if _NUMBERS.match(body) else _from_wkt(body)
        return "The area of interest", [geometry], stated, []
    return _from_file(stripped, layer, crs)


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # too long for a path, or with a zero byte
        return False


def _box(text: str) -> shapely.Geometry:
    numbers = [float(value) for value in text.split(",")]
    if len(numbers) != 4:
        raise InputError(f"The box {text!r} does not have four numbers; give minx,miny,maxx,maxy (west,south,east,north).")
    minx, miny, maxx, maxy = numbers
    if not np.isfinite(numbers).all():
        raise InputError(f"The box {text!r} has a number that is not finite; give minx,miny,maxx,maxy.")
    if maxx < minx:
        raise InputError(
            f"The box {text!r} has maxx < minx; swap them, or, for a box across ±180°, add 360 to maxx ({maxx + 360:g}, not {maxx:g})."
        )
    if maxy < miny:
        raise InputError(f"The box {text!r} has maxy < miny; give minx,miny,maxx,maxy in this order.")
    return shapely.box(minx, miny, maxx, maxy)


def _from_wkt(wkt: str) -> shapely.Geometry:
    try:
        return shapely.from_wkt(wkt)
    except shapely.errors.ShapelyError as error:
        raise InputError(f"The area of interest is not valid WKT ({_first_line(error)}); close its rings and brackets.") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _from_geojson(data: Any) -> tuple[str, list[shapely.Geometry], str | None, list[str]]:
    name = "The area of interest (GeoJSON)"
    try:
        kind = data["type"]
        if kind == "FeatureCollection":
            raw = [feature["geometry"] for feature in data["features"]]
        elif kind == "Feature":
            raw = [data["geometry"]]
        else:
            raw = [data]
        geometries = [shapely.geometry.shape(one) for one in raw if one is not None]
        stated = data.get("crs")
        crs = None if stated is None else str(stated["properties"]["name"])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, shapely.errors.ShapelyError) as error:
        raise InputError(
            f"{name} cannot be read ({type(error).__name__}: {error}); give a Polygon, Feature or FeatureCollection."
        ) from error
    return name, geometries, crs, []


def _from_file(text: str, layer: str | None, crs: str | None) -> tuple[str, list[shapely.Geometry], str | None, list[str]]:
    import pyogrio  # here: GDAL takes a while to load, and boxes and WKT do not need it

    path, options = text.partition("|")[::2]
    for option in options.split("|"):
        key, value = option.partition("=")[::2]
        if key.lower() == "layername" and layer is None:
            layer = value
    name = f"The area of interest {Path(path).name}"
    if not _exists(path) and not path.startswith("/vsi"):
        raise InputError(
            f"The area of interest {text[:200]!r} is no file that exists, no GeoJSON, no WKT and no minx,miny,maxx,maxy; check the path."
        )
    try:
        layers = pyogrio.list_layers(path)
        layer, notes = _pick_layer(layers, layer, name)
        frame = pyogrio.read_dataframe(path, layer=layer, columns=[], force_2d=True)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.GeometryError, ValueError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        reason = _first_line(error).partition(";")[0].rstrip(".")
        raise InputError(f"{name} is not a vector file that can be read ({reason}); save it again as GeoPackage or GeoJSON.") from error
    geometries = [g for g in np.asarray(getattr(frame, "geometry", ()), dtype=object) if g is not None]
    found = getattr(frame, "crs", None)
    if found is None and crs is None and geometries:
        _check_assumed_degrees(geometries, name)
        notes.append(f"{name} does not name its coordinate system; EPSG:4326 (degrees) was assumed.")
    return name, geometries, None if found is None else found.to_wkt(), notes


def _pick_layer(layers: Any, layer: str | None, name: str) -> tuple[str, list[str]]:
    """The named layer; else the only one that holds polygons, or may."""
    names = [str(row[0]) for row in layers]
    if layer is not None:
        if layer not in names:
            raise InputError(f"{name} has no layer {layer!r}; give one that it has ({', '.join(names) or 'none'}).")
        return layer, []
    spatial = [str(row[0]) for row in layers if row[1] is not None]
    polygonal = [str(row[0]) for row in layers if row[1] is not None and ("Polygon" in row[1] or "Surface" in row[1])]
    choice = polygonal or spatial
    if not choice:
        raise InputError(f"{name} has no layer with geometries; give a polygon layer.")
    if len(choice) > 1:
        raise InputError(f"{name} has several layers ({', '.join(choice)}); say which one.")
    return choice[0], []


def _check_assumed_degrees(geometries: list[shapely.Geometry], name: str) -> None:
    bounds = shapely.total_bounds(geometries)
    if np.isfinite(bounds).all() and (np.abs(bounds[[1, 3]]).max() > 90.0 or np.abs(bounds[[0, 2]]).max() > 360.0):
        raise InputError(f"{name} does not name its coordinate system, and its coordinates are not degrees; give the system as crs.")


def _system(crs: str | None, name: str) -> CRS:
    try:
        return CRS.from_user_input(crs or _WGS84)
    except CRSError as error:
        raise InputError(f"{name}: the coordinate system {str(crs)[:80]!r} is unknown; give for example EPSG:4326.") from error


def _short(system: CRS) -> str:
    authority = system.to_authority()
    return ":".join(authority) if authority else str(system.name)


def _polygons(geometries: list[shapely.Geometry], name: str, notes: list[str]) -> list[shapely.Geometry]:
    """The polygons among all geometries, collections taken apart."""
    if not geometries or all(geometry.is_empty for geometry in geometries):
        raise InputError(f"{name} is empty; give a polygon.")
    flat: list[shapely.Geometry] = list(geometries)
    while any(geometry.geom_type == "GeometryCollection" for geometry in flat):
        flat = list(shapely.get_parts(flat))
    flat = list(shapely.get_parts(flat))
    polygons = [shapely.force_2d(geometry) for geometry in flat if geometry.geom_type == "Polygon" and not geometry.is_empty]
    if not polygons:
        kinds = ", ".join(sorted({geometry.geom_type for geometry in flat}))
        raise InputError(f"{name} holds no polygon ({kinds or 'nothing'}); give a polygon, or buffer it first.")
    others = sum(geometry.geom_type != "Polygon" for geometry in flat)
    if others:
        notes.append(f"{name} also holds {others} geometries that are not polygons; they were left out.")
    return polygons


def _check_numbers(polygons: list[shapely.Geometry], name: str) -> None:
    if not np.isfinite(shapely.get_coordinates(polygons)).all():
        raise InputError(f"{name} has coordinates that are not finite numbers; mend the polygon.")


def _mended(polygon: shapely.Geometry, name: str, notes: list[str]) -> shapely.Geometry:
    if shapely.is_valid(polygon):
        return polygon
    reason = shapely.is_valid_reason(polygon).partition("[")[0].strip().lower()
    mended = shapely.make_valid(polygon, method="structure", keep_collapsed=False) if polygon.area else polygon
    if mended.is_empty or mended.area == 0:
        # A figure of eight whose lobes cancel, or a line: the other method keeps lobes.
        mended = shapely.make_valid(polygon)
    parts = [part for part in shapely.get_parts(mended) if part.geom_type in {"Polygon", "MultiPolygon"}]
    if not parts:
        raise InputError(f"{name} has no area (a line or a point); draw a polygon.")
    notes.append(f"{name} was not a valid polygon ({reason}); it was mended.")
    return shapely.union_all(parts)
