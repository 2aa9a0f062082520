"""Bad input: areas of which nothing can be taken, or not without a guess."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from .bad_input_cases import Case, gallery, geolocate

CASES = (
    Case("area: KML with pins only", gallery(aoi="pins.kml"), ("pins.kml", "Point")),
    Case("area: KML with two folders of polygons", gallery(aoi="folders.kml"), ("folders.kml", "north", "south")),
    Case("area: KMZ without a KML in it", gallery(aoi="empty.kmz"), ("empty.kmz",)),
    Case("area: a line of one point", gallery(aoi="LINESTRING(159.93 -19.22)"), ("area of interest", "LineString")),
    Case("area: an open ring of two points", gallery(aoi="stub.geojson"), ("stub.geojson", "no area")),
    Case("area: a coordinate system by link", geolocate("drive.mp4", aoi="linked.geojson"), ("linked.geojson", "example.org/crs/42")),
    Case("area: two coordinate systems in one file", gallery(aoi="two-systems.geojson"), ("two-systems.geojson", "EPSG:32758", "EPSG:4326")),
    Case("area: GeoJSON of an unknown kind", gallery(aoi="circle.geojson"), ("circle.geojson", "Circle")),
    Case("area: latitude before longitude", gallery(aoi="POLYGON((-19.22 159.93,-19.21 159.93,-19.21 159.94,-19.22 159.93))"), ("area of interest",)),
    Case("area: a bare shapefile in metres", gallery(aoi="metres.shp"), ("metres.shp", "coordinate system")),
)  # fmt: skip


def make_inputs(folder: Path) -> None:
    """Files that people make: Google Earth's pins, PostGIS's systems, a shapefile without its .prj."""
    import pyogrio
    import shapely

    pin = "<Placemark><Point><coordinates>159.93,-19.22</coordinates></Point></Placemark>"
    ring = [[159.93, -19.22], [159.94, -19.22], [159.94, -19.21], [159.93, -19.22]]
    corners = " ".join(f"{x},{y}" for x, y in ring)
    polygon = f"<Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>{corners}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
    _kml(folder / "pins.kml", pin + pin)
    _kml(folder / "folders.kml", "".join(f"<Folder><name>{name}</name>{polygon}</Folder>" for name in ("north", "south")))
    with zipfile.ZipFile(folder / "empty.kmz", "w") as archive:
        archive.writestr("picture.png", b"")
    area: dict[str, Any] = {"type": "Polygon", "coordinates": [ring]}
    utm = {"type": "name", "properties": {"name": "EPSG:32758"}}
    _geojson(folder / "stub.geojson", {"type": "Polygon", "coordinates": [ring[:2]]})
    _geojson(folder / "linked.geojson", area, {"type": "link", "properties": {"href": "https://example.org/crs/42", "type": "ogcwkt"}})
    _geojson(folder / "two-systems.geojson", {**area, "crs": utm}, {"type": "name", "properties": {"name": "EPSG:4326"}})
    _geojson(folder / "circle.geojson", {"type": "Circle", "coordinates": [159.93, -19.22], "radius": 500})
    square = shapely.to_wkb([shapely.box(500_000, 7_870_000, 501_000, 7_871_000)])
    pyogrio.raw.write(
        folder / "metres.shp", square, field_data=[], fields=[], geometry_type="Polygon", crs="EPSG:32758", driver="ESRI Shapefile"
    )
    (folder / "metres.prj").unlink()


def _kml(path: Path, body: str) -> None:
    path.write_text(
        f'<?xml version="1.0"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>', encoding="utf-8"
    )


def _geojson(path: Path, geometry: dict[str, Any], crs: dict[str, Any] | None = None) -> None:
    whole: dict[str, Any] = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": geometry}]}
    path.write_text(json.dumps(whole if crs is None else {**whole, "crs": crs}), encoding="utf-8")
