"""Areas as GeoJSON: its geometries one by one, so that a broken one beside the polygon costs only itself; and the system that it names."""

from __future__ import annotations

import re
from typing import Any

import shapely
import shapely.geometry

from ..types import InputError

TYPES = frozenset(
    {"FeatureCollection", "Feature", "GeometryCollection"}
    | {f"{many}{kind}" for many in ("", "Multi") for kind in ("Point", "LineString", "Polygon")}
)
_ERRORS = (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, shapely.errors.ShapelyError)
# Addresses that say the system's code themselves: opengis.net/def/crs/EPSG/0/25832, spatialreference.org/ref/epsg/25832/proj4/.
_CODE_IN_LINK = re.compile(r"/(?:crs/(?=\w+/[\w.]+/)|ref/)(epsg|esri|ogc)/(?:(?<=ref/epsg/)|(?<=ref/esri/)|[\d.]+/)(\w+)", re.IGNORECASE)


def from_geojson(data: Any, name: str, crs: str | None) -> tuple[list[shapely.Geometry], str | None, list[str]]:
    """Geometries of parsed GeoJSON, the system that it states, and notes.

    Args:
        data: what was parsed.
        name: how messages call it.
        crs: the system that the user gave, which counts where a linked one cannot be known.

    Raises:
        InputError: it is no GeoJSON, or its system cannot be known.
    """
    notes: list[str] = []
    try:
        kind = data["type"]
        if kind == "FeatureCollection":
            features = data["features"]
            raw = [feature["geometry"] for feature in features]
        else:
            features = []
            raw = [data["geometry"]] if kind == "Feature" else [data]
        # PostGIS writes the system into each geometry, other programs into the whole.
        holders = [data, *features, *raw]
        stated = [one["crs"] for one in holders if one is not None and one.get("crs") is not None]
        geometries = [part for one in raw if one is not None for part in geometry_parts(one, name, notes)]
        systems = list(dict.fromkeys(_named(one, name, crs, notes) for one in stated))
    except _ERRORS as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{name} cannot be read ({type(error).__name__}: {error}); give a Polygon, Feature or FeatureCollection."
        ) from error
    if len(systems) > 1:
        raise InputError(f"{name} names several coordinate systems ({', '.join(map(str, systems))}); save it again in one.")
    return geometries, systems[0] if systems else None, notes


def geometry_parts(geometry: dict[str, Any], name: str, notes: list[str]) -> list[shapely.Geometry]:
    """One GeoJSON geometry as shapely's: rings closed, with a note; what is no polygon may be broken, and is empty then."""
    kind = geometry["type"]
    if kind == "GeometryCollection":
        return [part for one in geometry["geometries"] for part in geometry_parts(one, name, notes)]
    if kind in {"Polygon", "MultiPolygon"}:
        polygons = [geometry["coordinates"]] if kind == "Polygon" else geometry["coordinates"]
        closed = [[_closed(ring, name, notes) for ring in rings] for rings in polygons]
        shapes = [shapely.geometry.shape({"type": "Polygon", "coordinates": rings}) for rings in closed if rings]
        return shapes or [shapely.Polygon()]
    if kind not in TYPES:
        raise ValueError(f"unknown type {str(kind)[:40]!r}")
    try:
        return [shapely.geometry.shape(geometry)]
    except _ERRORS:
        return [shapely.from_wkt(f"{kind.upper()} EMPTY")]


def _closed(ring: Any, name: str, notes: list[str]) -> Any:
    """The ring with its first point again at its end; one with fewer than three points is left to be found without area."""
    if not ring:
        return ring
    if list(ring[0][:2]) != list(ring[-1][:2]):
        notes.append(unclosed(name))
        ring = [*ring, ring[0]]
    return [*ring, *[ring[-1]] * (4 - len(ring))]


def unclosed(name: str) -> str:
    """What is said of a ring that was closed."""
    return f"{name} has a ring that is not closed; it was closed."


def _named(crs: Any, name: str, given: str | None, notes: list[str]) -> str | None:
    """The system of a ``crs`` member; None where the one that the user gave counts.

    A linked system is not fetched: an area may be nobody else's business, and the answer could change. Nor is WGS 84 assumed, though RFC 7946
    knows nothing else: who links a system has another one in mind.
    """
    kind, properties = str(crs["type"]).lower(), crs["properties"]
    if kind == "name":
        return str(properties["name"])
    if kind == "epsg":
        return f"EPSG:{properties['code']}"
    link = str(properties.get("href", properties.get("url", "")))
    code = _CODE_IN_LINK.search(link)
    if code is not None:
        return f"{code[1].upper()}:{code[2]}"
    if given is None:
        raise InputError(
            f"{name} says its coordinate system only by a link ({link[:80]}), and links are not followed; "
            "give the system with --aoi-crs, or save the file again in EPSG:4326."
        )
    notes.append(f"{name} links to its coordinate system ({link[:80]}); the link was not followed, and the given {given} was taken.")
    return None
