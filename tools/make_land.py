#!/usr/bin/env python3
"""Write resources/land/land.geojson: the world's land, a little widened, from Natural Earth 1:10m.

    tools/make_land.py [FOLDER]

Natural Earth is in the public domain (naturalearthdata.com). Its land polygons are taken from the npm package ``world-atlas``, pinned
below; ``npm pack`` fetches it. Coasts are moved out by about 4 km before they are simplified and rounded, so that no land of the source is
lost: beaches, piers and islets stay inside. Run it in the engine's environment.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pyogrio
import shapely

PACKAGE, VERSION = "world-atlas", "2.0.2"
OUTPUT = Path(__file__).resolve().parent.parent / "resources" / "land"
WIDER_DEG = 0.04  # of latitude: 4.4 km
FIRST_SIMPLER_DEG, SIMPLER_DEG = 0.005, 0.02  # together, and with the rounding, less than that: no land is lost
DECIMALS = 2
BAND_DEG = 2.0
SMALLEST_HOLE_DEG2 = 0.1


def source() -> shapely.Geometry:
    """The package's land, valid, in longitude and latitude."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as packed:
            text = packed.extractfile("package/land-10m.json")
            assert text is not None
            (Path(folder) / "land.json").write_bytes(text.read())
        frame = pyogrio.read_dataframe(Path(folder) / "land.json", columns=[])
    return shapely.union_all([flattened(part) for part in shapely.get_parts(frame.geometry.values)])


def flattened(part: shapely.Polygon) -> shapely.Geometry:
    """A polygon as it is on the sphere (rings run on across ±180°, and around the pole) as one in the plane, cut at ±180°."""
    filled, *holes = [_cut(ring) for ring in (part.exterior, *part.interiors)]
    return shapely.difference(filled, shapely.union_all(holes)) if holes else filled


def _cut(ring: shapely.LinearRing) -> shapely.Geometry:
    x, y = np.asarray(ring.coords).T
    x = np.unwrap(x, period=360.0)
    if abs(x[-1] - x[0]) > 180.0:  # once around the pole: down to it, and back along it
        x, y = np.r_[x, x[-1], x[0]], np.r_[y, -90.0, -90.0]
    whole = shapely.make_valid(shapely.Polygon(np.stack([x, y], axis=1)))
    turns = (0.0,) if np.abs(x).max() <= 180.0 else (-360.0, 0.0, 360.0)
    moved = [shapely.transform(whole, lambda xy, turn=turn: xy + np.array([turn, 0.0])) for turn in turns]
    return shapely.union_all([shapely.clip_by_rect(one, -180.0, -90.0, 180.0, 90.0) for one in moved])


def widened(land: shapely.Geometry) -> shapely.Geometry:
    """Coasts moved out by the same length everywhere: band by band of latitude, each stretched to true proportions; whole across ±180°."""
    parts = shapely.get_parts(land)
    around = np.concatenate([shapely.transform(parts, lambda xy, turn=turn: xy + np.array([turn, 0.0])) for turn in (-360.0, 0.0, 360.0)])
    tree, bands = shapely.STRtree(around), []
    for south in np.arange(-90.0, 90.0, BAND_DEG):
        north = south + BAND_DEG
        narrow = float(np.cos(np.radians(np.clip(max(abs(south), abs(north)), 0.0, 89.0))))
        aside = 2 * WIDER_DEG / narrow
        box = (-180 - aside, south - 2 * WIDER_DEG, 180 + aside, north + 2 * WIDER_DEG)
        near = shapely.clip_by_rect(around[tree.query(shapely.box(*box))], *box)
        flat = shapely.transform(near, lambda xy, by=narrow: xy * [by, 1.0])
        wide = shapely.union_all(shapely.buffer(flat, WIDER_DEG, quad_segs=3))
        back = shapely.transform(wide, lambda xy, by=narrow: xy / [by, 1.0])
        bands.append(shapely.intersection(back, shapely.box(-180.0, south, 180.0, north)))
    return shapely.union_all(bands)


def without_ponds(land: shapely.Geometry) -> shapely.Geometry:
    """Small holes filled."""
    kept = []
    for part in shapely.get_parts(land):
        holes = [ring for ring in part.interiors if shapely.Polygon(ring).area > SMALLEST_HOLE_DEG2]
        kept.append(shapely.Polygon(part.exterior, holes))
    return shapely.union_all(kept)


def main() -> None:
    """Make it and say what became of it."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    folder.mkdir(parents=True, exist_ok=True)
    land = source()
    simple = shapely.simplify(without_ponds(widened(shapely.simplify(land, FIRST_SIMPLER_DEG))), SIMPLER_DEG)
    rounded = shapely.set_precision(simple, 10.0**-DECIMALS)
    result = shapely.MultiPolygon([part for part in shapely.get_parts(rounded) if part.geom_type == "Polygon"])
    lost = shapely.difference(land, result).area / land.area
    rings = [
        [[[round(x, DECIMALS), round(y, DECIMALS)] for x, y in ring.coords] for ring in (part.exterior, *part.interiors)]
        for part in result.geoms
    ]
    text = str(rings).replace(" ", "").replace(".0,", ",").replace(".0]", "]")
    note = f"Land of Natural Earth 1:10m (public domain) from npm {PACKAGE} {VERSION}, widened by {WIDER_DEG} degrees: tools/make_land.py"
    (folder / "land.geojson").write_text(f'{{"type":"MultiPolygon","description":"{note}","coordinates":{text}}}\n', encoding="utf-8")
    print(f"{len(rings)} parts, {shapely.get_num_coordinates(result)} vertices; {lost:.1e} of the source's land lies outside")


if __name__ == "__main__":
    main()
