"""Road layers: lines of any vector file, or an extract of OpenStreetMap, and what their tags say of how they are driven."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from ..types import FloatArray, InputError
from ..vectors import VectorSource, is_typed, open_vector
from .graph import RoadLine

Mode = str
MODES: tuple[Mode, ...] = ("car", "bicycle", "walk")
"""Who goes along: which ways are open to them, and whether one-way streets bind them."""
_FOR_FEET = {"footway", "steps", "pedestrian", "corridor", "bridleway", "path"}
_FOR_CYCLES = {"cycleway"}
_FOR_MOTORS = {"motorway", "motorway_link"}
_NO_WAY = {"proposed", "construction", "abandoned", "razed", "platform", "raceway", "elevator", "rest_area", "services", "bus_stop"}
_CLOSED = {"walk": _FOR_MOTORS, "bicycle": _FOR_MOTORS | {"steps", "corridor"}, "car": _FOR_FEET | _FOR_CYCLES}
# Attributes that say a thing, in the order in which they are believed; Geofabrik's and OpenMapTiles' names beside OpenStreetMap's own.
_NAMED = {
    "name": ("name", "street", "strassenname", "nom"),
    "highway": ("highway", "fclass", "class"),
    "oneway": ("oneway",),
    "layer": ("layer",),
    "bridge": ("bridge",),
    "tunnel": ("tunnel",),
    "junction": ("junction",),
}
_OTHER_TAGS = "other_tags"  # of GDAL's reader of OpenStreetMap's own files
_TAG = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')
_BACK = {"-1", "reverse"}
_OSM_LINES = "lines"
_LOOKED_AT = 1000  # features, among which a layer of lines has one


@dataclass(frozen=True)
class RoadLayer:
    """A layer of roads that is open.

    Args:
        source: that holds it.
        called: its file's name, for messages.
        layer: the layer's name.
        system: its coordinate system.
    """

    source: VectorSource
    called: str
    layer: str
    system: CRS


def open_roads(
    text: str | Path, layer: str | None = None, crs: str | None = None, options: tuple[str, str] = ("--layer", "--crs")
) -> RoadLayer:
    """The layer of lines of a file or an address, and its coordinate system.

    Args:
        text: a path or an address.
        layer: its name, where several hold lines.
        crs: of it, where it does not say.
        options: what layer and system are called where they are given, for messages.

    Raises:
        InputError: there is none, there are several, or the system is unknown.
    """
    called = Path(text).name
    said = f"The roads {called}"
    if not Path(text).exists() and not is_typed(str(text)):
        raise InputError(f"{said} are not there: give a vector file with a line layer.")
    source = open_vector(str(text), said)
    kinds = {name: kind or "" for name, kind in source.layers.items()}
    lines = [name for name, kind in kinds.items() if "LineString" in kind or "Curve" in kind or kind.startswith(("Unknown", "Geometry"))]
    if layer is not None and layer not in kinds:
        raise InputError(f"{said} have no layer {layer!r}: choose one of {', '.join(kinds)}.")
    if layer is None and len(lines) > 1 and _OSM_LINES in lines and _OTHER_TAGS in source.columns(_OSM_LINES):
        layer = _OSM_LINES  # an extract of OpenStreetMap
    if layer is None and len(lines) > 1:
        raise InputError(f"{said} have several layers of lines ({', '.join(lines)}): say which with {options[0]}.")
    if not lines or (layer is not None and layer not in lines):
        held = ", ".join(f"{name}: {kind or 'no geometry'}" for name, kind in kinds.items())
        raise InputError(f"{said} hold no lines ({held}): give a layer of lines.")
    name = layer or lines[0]
    stated = source.crs(name)
    if stated is None and crs is None:
        raise InputError(f"{said} do not name their coordinate system: give it with {options[1]}, e.g. EPSG:4326.")
    try:
        return RoadLayer(source, called, name, CRS.from_user_input(crs or stated))
    except CRSError as error:
        raise InputError(f"The roads' coordinate system {str(crs or stated)[:80]!r} is unknown: give for example EPSG:4326.") from error


def read_road_lines(roads: RoadLayer, area: shapely.Geometry, plane: Transformer, mode: Mode = "car") -> list[RoadLine]:
    """Lines of a layer that lie in an area and are open to somebody, cut at the area's edge.

    Lines with no tag of the kind of way are open to all.

    Args:
        roads: open.
        area: that is wanted, degrees, x = longitude.
        plane: from degrees (WGS 84, x before y) to the metres that lines are given in.
        mode: one of ``MODES``.

    Raises:
        InputError: the layer has no line at all, none is of this place, or none is open to the mode.
    """
    to_layer = Transformer.from_crs(CRS.from_epsg(4326), roads.system, always_xy=True)
    west, south, east, north = area.bounds
    box = to_layer.transform_bounds(west, south, east, north)
    columns = roads.source.columns(roads.layer)
    lower = {name.lower(): name for name in reversed(columns)}
    wanted = [lower[one] for names in _NAMED.values() for one in names if one in lower] + [one for one in (_OTHER_TAGS,) if one in columns]
    shapes, values = roads.source.read_with(roads.layer, wanted, box if box[0] < box[2] else None)
    shapely.prepare(area)
    found, near = [], 0
    of_everything = _OTHER_TAGS in columns  # rivers, railways and fences, too
    for row, shape in enumerate(shapes):
        tags = _tags({name: values[name][row] for name in wanted}, lower)
        if of_everything and not tags["highway"]:
            continue
        parts = [part for part in shapely.get_parts(shape) if part.geom_type == "LineString"]
        degrees = [_degrees(part, to_layer) for part in parts]
        inside = [one for part in degrees if np.isfinite(part).all() and len(part) > 1 for one in _within(shapely.linestrings(part), area)]
        near += len(inside)
        if not inside or not _is_open(tags, mode):
            continue
        for part in inside:
            xy_m = np.column_stack(plane.transform(part[:, 0], part[:, 1]))
            found.append(RoadLine(xy_m, tags["name"], _oneway(tags), _level(tags)))
    if not near:
        _check_lines(roads)
        raise InputError(
            f"No road of {roads.called} lies in the area: it is of another place, or its coordinate system is not the one that it states"
            f" ({roads.system.name}); give the roads of this place, or their right system."
        )
    if not found:
        raise InputError(f"No road of {roads.called} in the area is open to a {mode}: give another --motion, or another layer.")
    return found


def _check_lines(roads: RoadLayer) -> None:
    """Raise InputError where a layer begins without any line: its place and its coordinate system are not to blame then."""
    shapes, _ = roads.source.read_with(roads.layer, [], most=_LOOKED_AT)  # a country's roads are not read whole for a sentence
    if not any(part.geom_type == "LineString" for shape in shapes for part in shapely.get_parts(shape)):
        held = ", ".join(sorted({shape.geom_type for shape in shapes})) or "nothing"
        raise InputError(f"The layer {roads.layer!r} of {roads.called} holds no line ({held}): give a layer of lines.")


def _within(line: shapely.LineString, area: shapely.Geometry) -> list[FloatArray]:
    """The parts of a line that lie in an area."""
    if shapely.covers(area, line):
        return [shapely.get_coordinates(line)]
    if not shapely.intersects(area, line):
        return []
    parts = shapely.get_parts(shapely.intersection(area, line))
    return [shapely.get_coordinates(part) for part in parts if part.geom_type == "LineString"]


def _degrees(part: shapely.LineString, to_layer: Transformer) -> FloatArray:
    """(n, 2) longitude and latitude of a line of the layer."""
    xy = shapely.get_coordinates(part)
    return np.column_stack(to_layer.transform(xy[:, 0], xy[:, 1], direction="INVERSE"))


def _tags(values: dict[str, str], lower: dict[str, str]) -> dict[str, str]:
    """What a feature's attributes say, by the names that OpenStreetMap has."""
    more = {key: value.replace('\\"', '"') for key, value in _TAG.findall(values.get(_OTHER_TAGS, ""))}
    found = {}
    for tag, names in _NAMED.items():
        given = [values[lower[one]] for one in names if one in lower and values[lower[one]]]
        found[tag] = (given[0] if given else more.get(tag, "")).strip()
    return found


def _is_open(tags: dict[str, str], mode: Mode) -> bool:
    kind = tags["highway"].lower()
    if kind in _NO_WAY:
        return False
    return kind not in _CLOSED[mode]


def _oneway(tags: dict[str, str]) -> int:
    """1 with the line, -1 against it, 0 both ways. Geofabrik says F with, T against, B both."""
    said = tags["oneway"].strip()
    if said.lower() in _BACK or said == "T":
        return -1
    if said.lower() in {"yes", "true", "1"} or said == "F":
        return 1
    implied = tags["junction"].lower() in {"roundabout", "circular"} or tags["highway"].lower() == "motorway"
    return 1 if implied and said.lower() not in {"no", "false", "0", "b"} else 0


def _level(tags: dict[str, str]) -> int:
    """Of the ground 0; what is said to be a bridge or a tunnel, and not how high, one above or below."""
    try:
        level = int(float(tags["layer"] or 0))
    except ValueError:
        level = 0
    if level:
        return level
    above, below = (tags[name].lower() not in {"", "no", "false", "0", "f", "none"} for name in ("bridge", "tunnel"))
    return int(above) - int(below)
