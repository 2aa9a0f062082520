"""The road layer that a user has: the true roads as a volunteer's map shows them, shifted, simplified, with gaps and with streets that are not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree
from shapely import LineString, MultiLineString, STRtree, affinity, box
from shapely.geometry.base import BaseGeometry

from .road_details import direction
from .road_map import Roads, local_to_lat_lon
from .road_patterns import spanning_edges
from .streets import Floats, SmoothField, resample

OFFSET_STD_M = 3.0  # of the smooth error, along each axis
OFFSET_WAVELENGTH_M = 400.0
VERTEX_STD_M = 1.0  # of every vertex by itself, along each axis
MISSING_SHARE = 0.04
INVENTED_SHARE = 0.04
SIMPLIFIED_M = 2.0


@dataclass(frozen=True, eq=False)
class MapFeature:
    """A line of the road layer, with attributes as OpenStreetMap has them (None: not given).

    Args:
        line_m: (n, 2), east and north of the origin.
        origin_deg: latitude and longitude of the origin.
        name, highway, oneway, bridge, layer, junction, foot: attributes; oneway is "yes", "no" or "-1" (against the line).
        edge: number of the true edge, -1 for a street that does not exist. Not written: it is for judging alone.
    """

    line_m: Floats
    origin_deg: tuple[float, float]
    name: str | None
    highway: str
    oneway: str | None
    bridge: str | None
    layer: str | None
    junction: str | None
    foot: str | None
    edge: int


class _Survey:
    """Where the map puts a true place: the same error for all lines that share it."""

    def __init__(self, roads: Roads, rng: np.random.Generator) -> None:
        self._fields = [SmoothField(rng, OFFSET_WAVELENGTH_M, waves=40) for _ in range(2)]
        self._nodes = self._moved(roads.nodes_m, rng)
        self._rng = rng

    def _moved(self, xy_m: Floats, rng: np.random.Generator) -> Floats:
        smooth = np.stack([field(xy_m) for field in self._fields], axis=-1)
        return xy_m + OFFSET_STD_M * smooth + VERTEX_STD_M * rng.standard_normal(xy_m.shape)

    def line(self, line_m: Floats, start: int, end: int) -> Floats:
        """A simplified line (n, 2) as the map has it, its ends where the nodes are."""
        kept = np.array(LineString(line_m).simplify(SIMPLIFIED_M).coords)
        return np.concatenate([self._nodes[[start]], self._moved(kept[1:-1], self._rng), self._nodes[[end]]])


def _missing(roads: Roads, rng: np.random.Generator) -> set[int]:
    """Edges that the map lacks: small streets without which all is still joined, those that lead little further first."""
    ends = [(edge.start, edge.end) for edge in roads.edges]
    needed = spanning_edges(ends, len(roads.nodes_m), rng)
    degree = np.bincount(np.array(ends).ravel())
    left, found = MISSING_SHARE * roads.length_m, set[int]()
    # Dead ends and footways are what real maps lack most; a gap in a main street is mended within days.
    weight = [0.35 if degree[[e.start, e.end]].min() == 1 or not e.driven else 1.0 for e in roads.edges]
    for number in np.argsort(rng.random(len(roads.edges)) * weight):
        edge = roads.edges[number]
        plain = edge.highway in {"residential", "footway"} and not (edge.roundabout or edge.bridge)
        is_spur = degree[[edge.start, edge.end]].min() == 1
        if left > edge.length_m / 2 and plain and (is_spur or number not in needed):
            found.add(int(number))
            left -= edge.length_m
    return found


def _invented(roads: Roads, rng: np.random.Generator) -> list[tuple[int, int, Floats]]:
    """Streets that are not there: between crossings about a block apart, across nothing that is."""
    shapes = [LineString(edge.line_m) for edge in roads.edges]
    tree = STRtree(shapes)
    left, found = INVENTED_SHARE * roads.length_m, list[tuple[int, int, Floats]]()
    pairs = cKDTree(roads.nodes_m).query_pairs(320.0, output_type="ndarray")
    touched: set[int] = set()
    for a, b in pairs[rng.permutation(len(pairs))]:
        ends = roads.nodes_m[[a, b]]
        if left <= 0:
            break
        if {a, b} & touched or np.hypot(*(ends[1] - ends[0])) < 90 or max(len(roads.arms[a]), len(roads.arms[b])) > 3:
            continue
        line = resample(ends, 6.0)
        if _least_gap_deg(roads, int(a), line) < 35 or _least_gap_deg(roads, int(b), line[::-1]) < 35:
            continue
        if tree.query(LineString(line[3:-3]).buffer(15), predicate="intersects").size:
            continue
        touched |= {a, b}
        found.append((int(a), int(b), line))
        left -= float(np.hypot(*(ends[1] - ends[0])))
    return found


def _least_gap_deg(roads: Roads, node: int, line_m: Floats) -> float:
    """The least angle between a line that leaves a node and the roads there."""
    arms = [(roads.edges[number], roads.edges[number].start == node) for number in roads.arms[node]]
    if any(edge.roundabout or edge.bridge for edge, _ in arms):
        return 0.0
    gaps = [direction(line_m) - direction(edge.line_m if forward else edge.line_m[::-1]) for edge, forward in arms]
    return float(np.rad2deg(np.abs((np.array(gaps) + np.pi) % (2 * np.pi) - np.pi)).min())


def noisy_map(roads: Roads, seed: int) -> list[MapFeature]:
    """The user's road layer of a network, a feature an edge; the same for the same seed.

    Args:
        roads: the true network. Lines share vertices where its edges meet, and only there.
        seed: of the errors.
    """
    rng = np.random.default_rng([seed, 43])
    survey, missing = _Survey(roads, rng), _missing(roads, rng)
    origin = (roads.latitude_deg, roads.longitude_deg)
    features = []
    for number, edge in enumerate(roads.edges):
        if number in missing:
            continue
        line = survey.line(edge.line_m, edge.start, edge.end)
        oneway = "yes" if edge.oneway else ("no" if rng.random() < 0.5 else None)
        if edge.roundabout:
            oneway = "yes" if rng.random() < 0.6 else None  # the ring alone says so too
        elif rng.random() < (0.1 if edge.oneway else 0.5):  # who draws a street starts at either end
            line, oneway = line[::-1], "-1" if edge.oneway else oneway
        feature = MapFeature(
            line, origin, edge.name or None, edge.highway, oneway, "yes" if edge.bridge else None, "1" if edge.bridge else None,
            "roundabout" if edge.roundabout else None, None if edge.driven else "designated", number,
        )  # fmt: skip
        features.append(feature)
    for a, b, line in _invented(roads, rng):
        features.append(MapFeature(survey.line(line, a, b), origin, None, "residential", None, None, None, None, None, -1))
    return features


def _lines_deg(feature: MapFeature) -> BaseGeometry:
    """Longitude and latitude of a feature, cut in two at ±180°."""
    lon_lat = local_to_lat_lon(feature.line_m, *feature.origin_deg)[:, ::-1]
    if np.ptp(lon_lat[:, 0]) < 180:
        return LineString(lon_lat)
    whole = LineString(np.stack([lon_lat[:, 0] % 360, lon_lat[:, 1]], axis=1))
    east, west = whole.intersection(box(0, -90, 180, 90)), whole.intersection(box(180, -90, 360, 90))
    parts = [part for half in (east, affinity.translate(west, xoff=-360)) for part in getattr(half, "geoms", [half])]
    return MultiLineString([part for part in parts if part.geom_type == "LineString" and not part.is_empty])


def write_roads(features: Sequence[MapFeature], path: Path) -> None:
    """Write a GeoPackage with the layer ``roads`` in EPSG:4326, replacing the file.

    Args:
        features: of :func:`noisy_map`.
        path: of the file, ``.gpkg``.
    """
    import geopandas

    names = ("name", "highway", "oneway", "bridge", "layer", "junction", "foot")
    columns = {name: [getattr(feature, name) for feature in features] for name in names}
    frame = geopandas.GeoDataFrame(columns, geometry=[_lines_deg(feature) for feature in features], crs="EPSG:4326")
    path.unlink(missing_ok=True)
    frame.to_file(path, layer="roads", driver="GPKG", engine="pyogrio")
