"""Areas that QGIS sees only in part: files of several kinds of geometry, and polygons across the 180th meridian."""

from __future__ import annotations

import itertools
import json
import math
import zipfile

import pytest
from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeatureSourceDefinition,
    QgsProject,
    QgsProviderRegistry,
    QgsVectorLayer,
)

from tests.qgis.common import Told, algorithm_of, polygons, run
from vidtag_qgis.aoi import AreaError, read_area

pytestmark = pytest.mark.qgis

SQUARE = [[10, 45], [10.1, 45], [10.1, 45.1], [10, 45.1], [10, 45]]
SQUARE_M2, FIJI_M2 = 87.54e6, 235.8e6
FIJI = "POLYGON((179.9 -17, -179.9 -17, -179.9 -16.9, 179.9 -16.9, 179.9 -17))"
PIN = "<Point><coordinates>10,45,0</coordinates></Point>"
STUB = "<LineString><coordinates>10,45,0</coordinates></LineString>"


def boundary(points):
    return f"<outerBoundaryIs><LinearRing><coordinates>{' '.join(f'{x},{y},0' for x, y in points)}</coordinates></LinearRing></outerBoundaryIs>"


def kml(*bodies):
    marks = "".join(f"<Placemark><name>{number}</name>{body}</Placemark>" for number, body in enumerate(bodies))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>d</name>{marks}</Document></kml>'


POLYGON = f"<Polygon>{boundary(SQUARE)}</Polygon>"
FILES = {
    "pin.kml": (kml(PIN, POLYGON), "Point"),
    "pin.kmz": (kml(PIN, POLYGON), "Point"),
    "together.kml": (kml(f"<MultiGeometry>{PIN}{POLYGON}</MultiGeometry>"), "Point"),
    "line.kml": (kml(STUB, POLYGON), "LineString"),
    "open.kml": (kml(f"<Polygon>{boundary(SQUARE[:-1])}</Polygon>"), "not closed"),
    "pin.geojson": (
        json.dumps({"type": "FeatureCollection", "features": [
            {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [10, 45]}},
            {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [SQUARE]}},
        ]}),
        "Point",
    ),
    "stub.geojson": (
        json.dumps({"type": "GeometryCollection", "geometries": [
            {"type": "LineString", "coordinates": [[10, 45]]}, {"type": "Polygon", "coordinates": [SQUARE]},
        ]}),
        "LineString",
    ),
}  # fmt: skip


def written(folder, name):
    text, _ = FILES[name]
    if name.endswith("kmz"):
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("doc.kml", text)
    else:
        (folder / name).write_text(text)
    return str(folder / name)


def area_of(**parameters):
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    return read_area(algorithm_of("gridgallery"), parameters, context, "AOI", "EXTENT")


@pytest.mark.parametrize("name", FILES)
def test_a_file_with_more_than_its_polygon(plugin, engine_here, tmp_path, name):
    """As on the command line: the polygon is taken, the rest is said."""
    path = written(tmp_path, name)
    estimate = area_of(AOI=path).area_m2
    assert estimate == pytest.approx(SQUARE_M2, rel=1e-3) or (
        math.isnan(estimate) and name == "together.kml"
    )  # QGIS 3.22 reads nothing there
    told = Told()
    results = run(algorithm_of("gridgallery"), {"AOI": path, "RESOLUTION": 500}, told)
    assert results["AREA_KM2"] == pytest.approx(SQUARE_M2 / 1e6, rel=1e-3)
    assert any(FILES[name][1] in line for line in told.said), told.said


def test_a_layer_of_a_kml_that_was_opened(plugin, engine_here, tmp_path):
    """QGIS opens a layer for each kind of geometry; that of polygons serves, that of pins is refused."""
    path = written(tmp_path, "pin.kml")
    found = QgsProviderRegistry.instance().querySublayers(path, Qgis.SublayerQueryFlag.ResolveGeometryType)
    opened = [QgsVectorLayer(one.uri(), one.name(), "ogr") for one in found]
    for layer in opened:
        QgsProject.instance().addMapLayer(layer)
    pins, area = sorted(opened, key=lambda layer: int(layer.geometryType()))
    assert run(algorithm_of("gridgallery"), {"AOI": area.id(), "RESOLUTION": 500}, Told())["AREA_KM2"] == pytest.approx(
        SQUARE_M2 / 1e6, rel=1e-3
    )
    with pytest.raises(AreaError, match="has no polygons"):
        area_of(AOI=pins.id())


def test_only_pins(plugin, tmp_path):
    path = tmp_path / "pins.kml"
    path.write_text(kml(PIN, PIN))
    with pytest.raises(AreaError, match=r"pins\.kml has no polygons"):
        area_of(AOI=str(path))


def test_a_file_in_parts_is_read_by_qgis(plugin, tmp_path):
    path = tmp_path / "two.geojson"
    features = [
        {"type": "Feature", "properties": {"n": n}, "geometry": {"type": "Polygon", "coordinates": [[[x + n, y] for x, y in SQUARE]]}}
        for n in (0, 1)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    assert area_of(AOI=str(path)).text == str(path)
    part = area_of(AOI=f"{path}|subset=n = 1")
    assert len(json.loads(part.text)["features"]) == 1
    first = area_of(AOI=QgsProcessingFeatureSourceDefinition(str(path), False, 1))
    assert len(json.loads(first.text)["features"]) == 1


def test_two_outer_rings(plugin, engine_here, tmp_path):
    path = tmp_path / "two.kml"
    path.write_text(kml(f"<Polygon>{boundary(SQUARE)}{boundary([[x + 1, y] for x, y in SQUARE])}</Polygon>"))
    told = Told()
    assert run(algorithm_of("gridgallery"), {"AOI": str(path), "RESOLUTION": 500}, told)["AREA_KM2"] == pytest.approx(
        2 * SQUARE_M2 / 1e6, rel=1e-3
    )
    assert any("2 outer rings" in line for line in told.said)


def test_a_layer_across_the_180th_meridian(plugin, engine_here):
    layer = polygons(FIJI)
    assert area_of(AOI=layer).area_m2 == pytest.approx(FIJI_M2, rel=1e-3)
    told = Told()
    assert run(algorithm_of("gridgallery"), {"AOI": layer, "RESOLUTION": 500}, told)["AREA_KM2"] == pytest.approx(FIJI_M2 / 1e6, rel=1e-3)
    assert any("0.2° wide" in line for line in told.said)


def test_an_extent_is_as_wide_as_it_says(plugin, engine_here):
    """A rectangle needs no guess, so it keeps its width; its sides are not left longer than half the world."""
    area = area_of(EXTENT="-170,170,-10,10 [EPSG:4326]")
    [feature] = json.loads(area.text)["features"]
    xs = [x for x, _ in feature["geometry"]["coordinates"][0]]
    assert max(abs(a - b) for a, b in itertools.pairwise(xs)) <= 180
    results = run(algorithm_of("gridgallery"), {"EXTENT": "-170,170,-10,10 [EPSG:4326]", "RESOLUTION": 100_000}, Told())
    assert results["AREA_KM2"] == pytest.approx(340 / 360 * 2 * 44_169_000, rel=0.01)  # of the ellipsoid's zone between 10° S and N
    assert area.area_m2 / 1e6 == pytest.approx(results["AREA_KM2"], rel=0.01)
