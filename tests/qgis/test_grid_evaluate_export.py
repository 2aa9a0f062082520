"""Gallery grid, evaluation and export with the real engine, judged by QGIS's own means."""

from __future__ import annotations

import csv
import json
import math
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsDistanceArea,
    QgsFeature,
    QgsGeometry,
    QgsPoint,
    QgsPointXY,
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingUtils,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDateTime, Qt

from tests.qgis.common import SQUARE, START, Told, algorithm_of, context_of, layer_of, polygons, problem_of, qgis_run, run
from vidtag_qgis import layers
from vidtag_qgis.algorithms.evaluate_trajectory import EvaluateTrajectory
from vidtag_qgis.truth import write_truth

pytestmark = [pytest.mark.qgis, pytest.mark.slow]


def test_grid_gallery_counts_shows_and_times(plugin, engine_here, inputs, tmp_path):
    told, context = Told(), context_of()
    layer = polygons(SQUARE, "POLYGON((10 10, 11 10, 11 11, 10 10))")
    layer.selectByIds([1])
    area = QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True)
    output = QgsProcessingOutputLayerDefinition(QgsProcessing.TEMPORARY_OUTPUT, QgsProject.instance())
    parameters = {"AOI": area, "RESOLUTION": 25, "CHECKPOINT": str(inputs / "checkpoint"), "OUTPUT": output}
    results = run(algorithm_of("gridgallery"), parameters, told, context)
    # 0.004 degrees of longitude and latitude at 19.22 S, divided in squares of 25 m
    assert results["AREA_KM2"] == pytest.approx(0.4205 * 0.4428, rel=0.01)
    assert results["COUNT"] == pytest.approx(results["AREA_KM2"] * 1e6 / 625, rel=0.05)
    assert results["EMBEDDED_COUNT"] == results["COUNT"]
    assert results["GALLERY_S"] > 0
    assert results["FRAME_S"] > 0
    assert any("candidate places on 0.19 km²" in line for line in told.said)
    points = layer_of(results["OUTPUT"], "gallery")
    assert points.featureCount() == results["COUNT"]
    inside = QgsGeometry.fromWkt(SQUARE).buffer(1e-7, 3)
    assert all(inside.contains(feature.geometry()) for feature in points.getFeatures())
    [(identity, details)] = context.layersToLoadOnCompletion().items()  # once, though it was checked before
    assert identity == results["OUTPUT"]
    details.postProcessor().postProcessLayer(points, context, told)
    assert points.renderer().symbol().size() == pytest.approx(0.6)


def test_grid_gallery_without_a_window(headless):
    given = ["EXTENT=159.93,159.934,-19.222,-19.218 [EPSG:4326]", "RESOLUTION=25"]
    status, results, text = qgis_run.run(given, headless, "vidtag:gridgallery")
    assert status == 0, text
    assert results["COUNT"] == pytest.approx(298, rel=0.05)
    assert "OUTPUT" not in results


def test_grid_gallery_cancelled_leaves_nothing(plugin, engine_here, tmp_path):
    told = Told(cancel_at="Writing the points")
    parameters = {"EXTENT": "159,160.5,-20,-18.5 [EPSG:4326]", "RESOLUTION": 300, "OUTPUT": str(tmp_path / "new" / "g.gpkg")}
    with pytest.raises(QgsProcessingException, match="no points were written"):
        run(algorithm_of("gridgallery"), parameters, told)
    assert list((tmp_path / "new").iterdir()) == []


def evaluation(inputs: Path, **more) -> dict:
    return {"RESULT": str(inputs / "a.gpkg"), "TRUTH_FILE": str(inputs / "a.gpx"), **more}


@pytest.fixture(scope="module")
def fixes() -> list[tuple[QDateTime, QgsPointXY]]:
    """The track of tests/qgis/inputs.py."""
    start = QDateTime.fromString(START + "Z", Qt.DateFormat.ISODate)
    return [(start.addSecs(index), QgsPointXY(159.932, -19.2215 + index * 5 / 110_700)) for index in range(7)]


@pytest.fixture(scope="module")
def by_file(engine_python, inputs, tmp_path_factory):
    """Evaluated once against the GPX file."""
    patch = pytest.MonkeyPatch()
    patch.setenv("VIDTAG_ENGINE_PYTHON", engine_python)
    patch.setenv("VIDTAG_ENGINE_PATH", str(Path(__file__).resolve().parent.parent.parent))
    patch.setenv("OMP_NUM_THREADS", "1")
    folder = tmp_path_factory.mktemp("evaluated é")
    outputs = {"ERRORS": str(folder / "errors.gpkg"), "REPORT": str(folder / "r.html"), "JSON": str(folder / "r.json")}
    results = run(EvaluateTrajectory().create(), evaluation(inputs, **outputs, MAP=str(folder / "m.png")))
    patch.undo()
    return results


def test_evaluation_agrees_with_qgis(by_file, inputs, fixes):
    """Errors measured anew by QGIS, from the result's points and the track's fixes."""
    measure = QgsDistanceArea()
    measure.setEllipsoid("EPSG:7030")
    measure.setSourceCrs(QgsCoordinateReferenceSystem("EPSG:4326"), QgsProject.instance().transformContext())
    expected = {}
    for frame in layer_of(inputs / "a.gpkg", "frames").getFeatures():
        lat = -19.2215 + frame["time_s"] * 5 / 110_700
        expected[frame["frame_index"]] = measure.measureLine(frame.geometry().asPoint(), QgsPointXY(159.932, lat))
    lines = layer_of(by_file["ERRORS"])
    found = {line["frame_index"]: line for line in lines.getFeatures()}
    assert set(found) == set(expected)
    for index, line in found.items():
        assert line["error_m"] == pytest.approx(expected[index], abs=0.01)
        assert measure.measureLength(line.geometry()) == pytest.approx(expected[index], abs=0.01)
        assert line["time_iso"].startswith(START[:17])
    ordered = sorted(expected.values())
    assert by_file["MEDIAN_M"] == pytest.approx((ordered[5] + ordered[6]) / 2, abs=0.01)
    assert by_file["MEAN_M"] == pytest.approx(sum(ordered) / 12, abs=0.01)
    assert by_file["COMPARED_COUNT"] == 12
    assert by_file["WITHIN_500M"] == pytest.approx(100 * sum(value <= 500 for value in ordered) / 12)
    assert by_file["DFD_M"] >= ordered[0]
    assert json.loads(Path(by_file["JSON"]).read_text())["overall"]["median_m"] == by_file["MEDIAN_M"]
    page = Path(by_file["REPORT"]).read_text(encoding="utf-8")
    assert page.count("<img ") >= 3
    assert "a.mp4" in page
    assert Path(by_file["MAP"]).read_bytes().startswith(b"\x89PNG")
    layers.finish(lines, "errors")
    assert lines.renderer().type() == "categorizedSymbol"
    assert lines.temporalProperties().isActive()
    assert lines.temporalProperties().startField() == "time"


def memory(kind: str, fields: str, rows: list[tuple[QgsGeometry, list]], crs: str = "EPSG:4326") -> QgsVectorLayer:
    layer = QgsVectorLayer(f"{kind}?crs={crs}&{fields}", "truth", "memory")
    for geometry, values in rows:
        feature = QgsFeature(layer.fields())
        feature.setGeometry(geometry)
        feature.setAttributes(values)
        layer.dataProvider().addFeatures([feature])
    QgsProject.instance().addMapLayer(layer)
    return layer


def as_points(fixes):
    """In a projected system; a second time field and text must not confuse."""
    to_utm = QgsCoordinateTransform(
        QgsCoordinateReferenceSystem("EPSG:4326"), QgsCoordinateReferenceSystem("EPSG:32757"), QgsProject.instance().transformContext()
    )
    rows = [(QgsGeometry.fromPointXY(to_utm.transform(point)), ["x", time]) for time, point in fixes]
    return memory("Point", "field=name:string&field=time:datetime", rows, "EPSG:32757"), {}


def as_named_points(fixes):
    rows = [(QgsGeometry.fromPointXY(point), [time, time.addYears(-1)]) for time, point in fixes]
    return memory("Point", "field=seen:datetime&field=changed:datetime", rows), {"TIME_FIELD": "seen"}


def as_lines(fixes):
    rows = [(QgsGeometry.fromPolylineXY([a, b]), [s, e]) for (s, a), (e, b) in zip(fixes, fixes[1:], strict=False)]  # noqa: RUF007 - Python 3.9
    return memory("LineString", "field=start_time:datetime&field=end_time:datetime", rows), {}


def as_measured_line(fixes):
    """Unix seconds as M values."""
    points = [QgsPoint(p.x(), p.y(), m=t.toMSecsSinceEpoch() / 1000) for t, p in fixes]
    return memory("LineStringM", "field=id:integer", [(QgsGeometry.fromPolyline(points), [1])]), {}


@pytest.mark.parametrize("make", [as_points, as_named_points, as_lines, as_measured_line])
def test_the_table_of_a_layer_is_its_fixes(plugin, fixes, make, tmp_path):
    layer, fields = make(fixes)
    write_truth(layer, str(tmp_path / "t.csv"), fields.get("TIME_FIELD", ""), "", context_of(), Told())
    rows = list(csv.DictReader((tmp_path / "t.csv").open(encoding="utf-8")))
    read = {(_seconds(row["time"]), round(float(row["lat"]), 8), round(float(row["lon"]), 8)) for row in rows}
    assert read == {(time.toMSecsSinceEpoch() / 1000, round(point.y(), 8), round(point.x(), 8)) for time, point in fixes}


def _seconds(text: str) -> float:
    return float(text) if text[:4] != "2024" else datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_a_layer_is_as_good_a_truth_as_a_file(headless, inputs, by_file, tmp_path):
    """The GPX file's points as the layer that GDAL makes of them, through qgis_process."""
    given = [f"RESULT={inputs}/a.gpkg", f"TRUTH={inputs}/a.gpx|layername=track_points", f"REPORT={tmp_path}/r.html"]
    status, results, text = qgis_run.run(given, headless, "vidtag:evaluatetrajectory")
    assert status == 0, text
    assert results["COMPARED_COUNT"] == by_file["COMPARED_COUNT"]
    assert results["MEDIAN_M"] == pytest.approx(by_file["MEDIAN_M"], abs=0.01)
    assert "ERRORS" not in results
    assert (tmp_path / "r.html").is_file()


def test_what_is_no_truth_is_refused(plugin, engine_here, inputs, fixes):
    def said(**more):
        return problem_of("evaluatetrajectory", evaluation(inputs, **more))

    point = QgsGeometry.fromPointXY(fixes[0][1])
    without_time = memory("Point", "field=id:integer", [(point, [1])])
    assert "no one date and time field" in said(TRUTH_FILE=None, TRUTH=without_time)
    line = QgsGeometry.fromPolylineXY([point for _, point in fixes])
    assert "have no times" in said(TRUTH_FILE=None, TRUTH=memory("LineString", "field=id:integer", [(line, [1])]))
    assert "once" in said(TRUTH=without_time)
    assert "Where was the camera" in said(TRUTH_FILE=None)
    assert "/no/such.gpx is not there" in said(TRUTH_FILE="/no/such.gpx")
    assert "same file" in said(ERRORS="/tmp/x.gpkg", REPORT="/tmp/x.gpkg")
    assert "same file" in said(ERRORS=str(inputs / "a.gpkg"))
    empty = memory("Point", "field=time:datetime", [(point, [None])])
    with pytest.raises(QgsProcessingException, match="No position of the truth"):
        run(algorithm_of("evaluatetrajectory"), evaluation(inputs, TRUTH_FILE=None, TRUTH=empty))


def test_export_writes_copies_and_pictures_that_qgis_places(headless, inputs, tmp_path, qgis_processing):
    """QGIS's own "Import geotagged photos" reads the places and times back."""
    import processing

    outputs = {kind: str(tmp_path / f"o é.{kind.lower()}") for kind in ("KML", "GPX", "GEOJSON", "CSV")}
    pictures = tmp_path / "new" / "pictures"
    given = {"RESULT": f"{inputs}/a.gpkg", "FRAMES": str(pictures), "VIDEOS": f"{inputs}/a.mp4", **outputs}
    status, results, text = qgis_run.run([f"{key}={value}" for key, value in given.items()], headless, "vidtag:exporttrajectory")
    assert status == 0, text
    assert (results["FRAME_COUNT"], results["LEFT_OUT_COUNT"], results["VIDEO_COUNT"]) == (12, 0, 1)
    frames = {f["frame_index"]: f for f in layer_of(inputs / "a.gpkg", "frames").getFeatures()}
    photos = processing.run("native:importphotos", {"FOLDER": str(pictures), "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT})["OUTPUT"]
    assert photos.featureCount() == 12
    for photo in photos.getFeatures():
        frame = frames[int(photo["filename"][-6:])]
        place, true = photo.geometry().constGet(), frame.geometry().asPoint()
        assert math.hypot(place.x() - true.x(), place.y() - true.y()) < 1e-6
        assert photo["timestamp"].toString("yyyy-MM-ddTHH:mm:ss") == frame["time"].toString("yyyy-MM-ddTHH:mm:ss")
    assert layer_of(outputs["GPX"], "track_points").featureCount() == 12
    assert layer_of(outputs["KML"]).featureCount() > 0
    assert len(Path(outputs["CSV"]).read_text(encoding="utf-8").splitlines()) == 13
    features = json.loads(Path(outputs["GEOJSON"]).read_text(encoding="utf-8"))["features"]
    assert sum(feature["properties"]["layer"] == "frames" for feature in features) == 12


def test_export_refuses_what_cannot_be(plugin, engine_here, inputs, tmp_path):
    result = {"RESULT": str(inputs / "a.gpkg")}
    assert "nothing to write" in problem_of("exporttrajectory", result)
    assert problem_of("exporttrajectory", {**result, "FRAMES": str(tmp_path / "f")}) == ""  # the video lies beside the result
    assert "same file" in problem_of("exporttrajectory", {**result, "KML": "/tmp/x.kml", "GPX": "/tmp/../tmp/x.kml"})
    with sqlite3.connect(tmp_path / "other.gpkg") as database:
        database.execute("CREATE TABLE t (a)")
    assert "has no layer videos" in problem_of("exporttrajectory", {"RESULT": str(tmp_path / "other.gpkg"), "KML": "/tmp/o.kml"})


def test_layers_of_the_result_in_another_coordinate_system(plugin, inputs):
    """As the advanced parameter of "Geolocate video" asks: places agree with QGIS's own transform, frames without an answer stay."""
    context = context_of()
    algorithm = algorithm_of("geolocatevideo")
    utm = QgsCoordinateReferenceSystem("EPSG:32757")
    parameters = {"FRAMES": QgsProcessing.TEMPORARY_OUTPUT}
    place = layers.copy_layer(str(inputs / "a.gpkg"), "frames", algorithm, parameters, "FRAMES", context, Told(), crs=utm)
    copied = QgsProcessingUtils.mapLayerFromString(place, context)
    assert copied.crs().authid() == "EPSG:32757"
    transform = QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:4326"), utm, context.transformContext())
    for copy, frame in zip(copied.getFeatures(), layer_of(inputs / "a.gpkg", "frames").getFeatures(), strict=True):
        moved = transform.transform(frame.geometry().asPoint())
        assert copy.geometry().asPoint().distance(moved) < 1e-6
