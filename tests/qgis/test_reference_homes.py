"""Home zones as layers: pictures there are left out, whatever the layer, its system and its selection are."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingFeatureSourceDefinition,
    QgsProject,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from tests.qgis.common import Told, algorithm_of, context_of, layer_of, polygons, problem_of, run
from tests.qgis.test_reference import build

pytestmark = pytest.mark.qgis
BOX = "POLYGON((159.9317 -19.23, 159.9327 -19.23, 159.9327 -19.21, 159.9317 -19.21, 159.9317 -19.23))"
FAR = "POLYGON((10 50, 11 50, 11 51, 10 51, 10 50))"


@pytest.fixture(autouse=True)
def clean_project(qgis_processing):
    QgsProject.instance().clear()
    yield
    QgsProject.instance().clear()


def homes_of(zones, **more) -> list[str]:
    """What the engine is given."""
    algorithm = algorithm_of("buildreferencedatabase")
    return algorithm._homes({"HOME_ZONES": zones, **more}, context_of())


def turned(wkt: str, crs: str) -> str:
    geometry = QgsGeometry.fromWkt(wkt)
    system, degrees = (QgsCoordinateReferenceSystem(name) for name in (crs, "EPSG:4326"))
    geometry.transform(QgsCoordinateTransform(degrees, system, QgsProject.instance()))
    return geometry.asWkt(4)


def places(database: Path, tmp_path: Path) -> list[QgsPointXY]:
    held = tmp_path / f"{database.name}-held.gpkg"
    run(algorithm_of("referenceimages"), {"REFERENCE": str(database), "OUTPUT": str(held)})
    return [feature.geometry().asPoint() for feature in layer_of(held, "images").getFeatures()]


@pytest.mark.slow
def test_pictures_in_polygons_and_about_points_are_left_out(plugin, engine_here, field, tmp_path):
    run(algorithm_of("buildreferencedatabase"), build(field, tmp_path / "all"))
    everywhere = places(tmp_path / "all", tmp_path)
    told = Told()
    zones = polygons(turned(BOX, "EPSG:32757"), crs="EPSG:32757")
    run(algorithm_of("buildreferencedatabase"), build(field, tmp_path / "some", HOME_ZONES=zones, HOMES="-19.2193,159.931,20"), told)
    some = places(tmp_path / "some", tmp_path)
    assert {159.9317 <= point.x() <= 159.9327 for point in everywhere} == {True, False}
    assert not [point for point in some if 159.93171 < point.x() < 159.93269]
    assert len(some) < len(everywhere)
    assert any(line.startswith("Left out, in home zones: ") for line in told.said)
    about = QgsVectorLayer("Point?crs=EPSG:3857", "homes", "memory")
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromWkt(turned(f"POINT({everywhere[20].x()} {everywhere[20].y()})", "EPSG:3857")))
    about.dataProvider().addFeatures([feature])
    QgsProject.instance().addMapLayer(about)
    run(algorithm_of("buildreferencedatabase"), build(field, tmp_path / "near", HOME_ZONES=about, HOME_RADIUS=80))
    home, metre_deg = everywhere[20], 1 / 111_320

    def away_m(point: QgsPointXY) -> float:
        return math.hypot((point.x() - home.x()) * math.cos(math.radians(home.y())), point.y() - home.y()) / metre_deg

    near = places(tmp_path / "near", tmp_path)
    assert min(map(away_m, near)) > 79
    assert sum(away_m(point) > 81 for point in everywhere) <= len(near) < len(everywhere)


def test_selected_ones_alone(plugin, engine_here, field, tmp_path):
    layer = polygons(BOX, FAR)
    assert len(json.loads(homes_of(layer)[0])["features"]) == 2
    selected = QgsProcessingFeatureSourceDefinition(layer.id(), True)
    layer.selectByIds([feature.id() for feature in layer.getFeatures() if feature.geometry().boundingBox().xMinimum() < 11])
    (text,) = homes_of(selected)
    (feature,) = json.loads(text)["features"]
    assert feature["geometry"]["coordinates"][0][0] == [10, 50]
    layer.removeSelection()
    problem = problem_of("buildreferencedatabase", build(field, tmp_path / "db", HOME_ZONES=selected))
    assert problem == "The home zones 'area' hold no polygon and no point (or no selected one): select or draw at least one."


def test_points_have_the_radius_and_several_parts(plugin):
    layer = polygons("MULTIPOINT((13.19 55.7), (13.2 55.8))", kind="MultiPoint")
    assert homes_of(layer) == ["55.700000000,13.190000000,300", "55.800000000,13.200000000,300"]
    assert homes_of(layer, HOME_RADIUS=25.5, HOMES="1,2,3")[:2] == ["1,2,3", "55.700000000,13.190000000,25.5"]
    assert homes_of(None) == homes_of("") == []


def test_all_of_a_file_is_taken(plugin, tmp_path):
    """QGIS itself shows of such a file the points alone."""
    kml = tmp_path / "homes.kml"
    kml.write_text(
        '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><Point><coordinates>13.19,55.7</coordinates></Point>'
        "</Placemark><Placemark><Polygon><outerBoundaryIs><LinearRing><coordinates>10,50 11,50 11,51 10,50</coordinates></LinearRing></outerBoundaryIs>"
        "</Polygon></Placemark></Document></kml>"
    )
    found = homes_of(str(kml))
    assert "55.700000000,13.190000000,300" in found
    assert [json.loads(one)["features"][0]["geometry"]["type"] for one in found if one.startswith("{")] == ["Polygon"]


def test_what_encloses_no_ground_is_refused(plugin, engine_here, field, tmp_path):
    lines = polygons("LINESTRING(13 55, 14 56)", kind="LineString")
    no_system = polygons(BOX, crs="")
    no_system.setCrs(QgsCoordinateReferenceSystem())
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n")
    empty = tmp_path / "empty.gpkg"
    QgsVectorFileWriter.create(
        str(empty), polygons(BOX).fields(), polygons(BOX).wkbType(), QgsCoordinateReferenceSystem("EPSG:4326"),
        QgsProject.instance().transformContext(), QgsVectorFileWriter.SaveVectorOptions(),
    )  # fmt: skip
    for zones, said in (
        (lines, "hold lines, which enclose no ground"),
        (no_system, "have no coordinate reference system"),
        (str(table), "hold no polygon and no point"),
        (str(empty), "hold no polygon and no point"),
    ):
        assert said in problem_of("buildreferencedatabase", build(field, tmp_path / "db", HOME_ZONES=zones))
    assert not (tmp_path / "db").exists()
