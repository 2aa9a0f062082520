"""Area of interest: from whatever the user has to one valid polygon on the globe.

Accepted: a vector file (``path``, ``path|layername=name``, or a path and ``layer``), GeoJSON as text or dict, WKT and
``minx,miny,maxx,maxy`` (both also after ``SRID=4326;`` or ``CRS=EPSG:4326;``). Whatever it was, the result is a MultiPolygon in WGS 84
longitude/latitude, split at ±180°.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from ..types import InputError
from .antimeridian import uncrossed
from .aoi_file import Found, exists, from_file
from .aoi_geojson import from_geojson
from .aoi_text import NUMBERS, WKT, box, from_wkt
from .ellipsoid import polygon_area_m2
from .reproject import to_lon_lat

_WGS84 = "EPSG:4326"
_PREFIX = re.compile(r"^\s*(?:SRID|CRS)\s*=\s*([^;]+);\s*", re.IGNORECASE)
_SMALLEST_M2 = 1e-4


@dataclass(frozen=True)
class AreaOfInterest:
    """Where to search.

    Args:
        geometry: valid MultiPolygon, x = longitude, y = latitude in degrees (EPSG:4326), within [-180, 180] × [-90, 90]; an area
            across ±180° is split there. Sides are straight in longitude and latitude.
        area_m2: its area on the ellipsoid.
        notes: what was mended or assumed, a sentence each, for the user to read.
        named: areas that it is made of, by name, where videos were searched for in areas of their own; empty where it is one for all.
    """

    geometry: shapely.MultiPolygon
    area_m2: float
    notes: tuple[str, ...] = ()
    named: tuple[tuple[str, shapely.MultiPolygon], ...] = ()

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """minx, miny, maxx, maxy in degrees (an area across ±180° spans all longitudes)."""
        west, south, east, north = self.geometry.bounds
        return float(west), float(south), float(east), float(north)


def join_areas(whole: AreaOfInterest | None, named: Mapping[str, AreaOfInterest]) -> AreaOfInterest:
    """Several areas as one, which still tells them apart.

    Args:
        whole: an area without a name; None where there is none.
        named: the others, at least one where there is no ``whole``.
    """
    every = [*([whole] if whole else []), *named.values()]
    geometry = shapely.union_all([one.geometry for one in every])
    together = shapely.MultiPolygon([part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"])
    notes = dict.fromkeys(note for one in every for note in one.notes)
    return AreaOfInterest(together, polygon_area_m2(together), tuple(notes), tuple((name, one.geometry) for name, one in named.items()))


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
        found = _read(text, layer, crs)
    name, notes = found.name, found.notes
    system = _system(found.crs or crs, name)
    if crs is not None and found.crs is not None and _system(crs, name) != system:
        notes.append(f"{name} says that it is in {_short(system)}; the given {crs} was not used.")
    polygons = _polygons(found)
    if not np.isfinite(shapely.get_coordinates(polygons)).all():
        raise InputError(f"{name} has coordinates that are not finite numbers; mend the polygon.")
    if system.is_geographic and not found.rectangle:
        polygons = [part for polygon in polygons for part in shapely.get_parts(_crossing(polygon, system, name, notes))]
    polygons = [part for polygon in polygons for part in _rings_apart(polygon, name, notes)]
    geometry, reprojected_notes = to_lon_lat(shapely.union_all(_all_mended(polygons, name, notes)), system, name)
    notes.extend(reprojected_notes)
    area_m2 = polygon_area_m2(geometry)
    if area_m2 < _SMALLEST_M2:
        raise InputError(f"{name} has no area on the ground ({area_m2:.1e} m²); draw a larger polygon.")
    return AreaOfInterest(geometry, area_m2, tuple(dict.fromkeys(notes)))


def _read(text: str | Path | dict[str, Any], layer: str | None, crs: str | None) -> Found:
    """Whatever it is, as geometries."""
    if isinstance(text, dict):
        return _parsed(text, crs)
    stripped = str(text).strip()
    if not stripped:
        raise InputError("The area of interest is empty; give a vector file, GeoJSON, WKT or minx,miny,maxx,maxy.")
    if isinstance(text, Path) or exists(stripped):
        return from_file(stripped, layer, crs)
    if stripped.startswith("{"):
        try:
            return _parsed(json.loads(stripped), crs)
        except (json.JSONDecodeError, RecursionError) as error:
            raise InputError(f"The area of interest is not valid JSON ({error}); give whole GeoJSON.") from error
    prefix = _PREFIX.match(stripped)
    stated = prefix[1].strip() if prefix else None
    if stated is not None and stated.isdigit():
        stated = f"EPSG:{stated}"
    body = stripped[prefix.end() :] if prefix else stripped
    notes: list[str] = []
    if NUMBERS.match(body):
        return Found("The area of interest", [box(body)], stated, notes, rectangle=True)
    if WKT.match(body):
        return Found("The area of interest", [from_wkt(body, notes)], stated, notes)
    return from_file(stripped, layer, crs)


def _parsed(data: dict[str, Any], crs: str | None) -> Found:
    name = "The area of interest (GeoJSON)"
    return Found(name, *from_geojson(data, name, crs))


def _system(crs: str | None, name: str) -> CRS:
    try:
        return CRS.from_user_input(crs or _WGS84)
    except CRSError as error:
        raise InputError(f"{name}: the coordinate system {str(crs)[:80]!r} is unknown; give for example EPSG:4326.") from error


def _short(system: CRS) -> str:
    authority = system.to_authority()
    return ":".join(authority) if authority else str(system.name)


def _polygons(found: Found) -> list[shapely.Polygon]:
    """The polygons among all geometries, collections taken apart; a note of the others."""
    name = found.name
    if not found.geometries or all(geometry.is_empty for geometry in found.geometries):
        raise InputError(f"{name} is empty; give a polygon.")
    flat: list[shapely.Geometry] = list(found.geometries)
    while any(geometry.geom_type == "GeometryCollection" for geometry in flat):
        flat = list(shapely.get_parts(flat))
    flat = list(shapely.get_parts(flat))
    polygons = [shapely.force_2d(geometry) for geometry in flat if geometry.geom_type == "Polygon" and not geometry.is_empty]
    others = Counter(geometry.geom_type for geometry in flat if geometry.geom_type != "Polygon")
    if not polygons:
        raise InputError(f"{name} holds no polygon ({', '.join(sorted(others)) or 'nothing'}); give a polygon, or buffer it first.")
    if others:
        kinds = ", ".join(f"{count} of type {kind}" for kind, count in sorted(others.items()))
        found.notes.append(f"{name} also holds geometries that are no polygons ({kinds}); they were left out.")
    return polygons


def _rings_apart(polygon: shapely.Polygon, name: str, notes: list[str]) -> list[shapely.Geometry]:
    """A polygon some of whose holes lie beside its outer ring is several: those rings are polygons, and what lies in them their holes."""
    rings = [shapely.Polygon(ring) for ring in polygon.interiors]
    shell = shapely.Polygon(polygon.exterior)
    if not rings or shapely.is_valid(polygon) or not all(shapely.is_valid([shell, *rings])):
        return [polygon]
    beside = [not shapely.relate_pattern(shell, ring, "T********") for ring in rings]
    if not any(beside):
        return [polygon]
    own = shapely.Polygon(polygon.exterior, [ring.exterior for ring, out in zip(rings, beside, strict=True) if not out])
    others = shapely.symmetric_difference_all([ring for ring, out in zip(rings, beside, strict=True) if out])
    notes.append(f"{name} has a polygon with several outer rings; each was taken as a polygon of its own.")
    return [own, *shapely.get_parts(others)]


def _crossing(polygon: shapely.Geometry, system: CRS, name: str, notes: list[str]) -> shapely.Geometry:
    """A polygon whose sides jump across ±180° as the narrow one that it is there."""
    turn = 2 * math.pi / system.axis_info[0].unit_conversion_factor
    narrow = uncrossed(polygon, round(turn, 9))
    if narrow is None or narrow.is_empty:
        return polygon
    west, _, east, _ = np.array(narrow.bounds) * 360.0 / turn
    notes.append(
        f"{name} has sides longer than 180° of longitude, which were read as crossing ±180° the short way ({east - west:.4g}° wide); "
        "if the long way is meant, add corners between, or give west,south,east,north."
    )
    return narrow


def _all_mended(polygons: list[shapely.Geometry], name: str, notes: list[str]) -> list[shapely.Geometry]:
    """Every polygon valid; those without any area are left out where another has some."""
    mended = [_mended(polygon, name, notes) for polygon in polygons]
    kept = [polygon for polygon in mended if polygon is not None and polygon.area > 0]
    if not kept:
        raise InputError(f"{name} has no area (a line or a point); draw a polygon.")
    if len(kept) < len(mended):
        notes.append(f"{name} also holds {len(mended) - len(kept)} polygons without any area; they were left out.")
    return kept


def _mended(polygon: shapely.Geometry, name: str, notes: list[str]) -> shapely.Geometry | None:
    """A valid one; None where it has no area."""
    if shapely.is_valid(polygon):
        return polygon
    reason = shapely.is_valid_reason(polygon).partition("[")[0].strip().lower()
    mended = shapely.make_valid(polygon, method="structure", keep_collapsed=False) if polygon.area else polygon
    if mended.is_empty or mended.area == 0:
        # A figure of eight whose lobes cancel, or a line: the other method keeps lobes.
        mended = shapely.make_valid(polygon)
    parts = [part for part in shapely.get_parts(mended) if part.geom_type in {"Polygon", "MultiPolygon"}]
    if not parts:
        return None
    notes.append(f"{name} was not a valid polygon ({reason}); it was mended.")
    return shapely.union_all(parts)
