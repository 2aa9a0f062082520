"""The line whose vertices carry their time as M, as other tools read it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from qgis.core import QgsExpression, QgsGeometry, QgsVectorLayer, QgsWkbTypes

from tests.qgis.common import SQUARE, Told, algorithm_of, context_of, layer_of, polygons, qgis_run, run
from vidtag_qgis.track import copy_track

pytestmark = pytest.mark.qgis
ROOT = Path(__file__).resolve().parent.parent.parent
BASE_S = 1714564800.123
"""2024-05-01T12:00:00.123Z"""
MAKE = """
import sys
import numpy as np
from tests.export_cases import PROVENANCE, every_kind, video
from vidtag_engine.export import write_geopackage
near = np.arange(4)
cases = [*every_kind(), video("still.mp4", [1.0] * 4, [2.0] * 4, near / 4, time_s=[0.0, 0.5, 0.5, 1.0])]
write_geopackage(sys.argv[1], cases, PROVENANCE)
"""


@pytest.fixture(scope="module")
def result(engine_python, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("track") / "r.gpkg"
    subprocess.run([engine_python, "-c", MAKE, str(path)], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    return path


def exported(result: Path, path: Path, **more) -> QgsVectorLayer:
    told = Told()
    done = run(algorithm_of("exporttrajectory"), {"RESULT": str(result), "TRACK": str(path), **more}, told)
    assert done["TRACK"] == str(path)
    assert [line for line in told.said if "has no track" in line] == [
        f"{name} has no track: it needs 2 frames with an answer." for name in ("one.mp4", "none.mp4", "empty.mp4")
    ]
    return layer_of(path)


def test_m_is_the_time_of_the_frame(plugin, engine_here, result, tmp_path):
    lines = exported(result, tmp_path / "track.gpkg")
    assert lines.wkbType() == QgsWkbTypes.Type.LineStringZM
    frames = layer_of(result, "frames")
    found = {line["video"]: line for line in lines.getFeatures()}
    for name, line in found.items():
        geometry = line.geometry()
        assert geometry.constGet().isMeasure()
        assert geometry.isGeosValid()
        vertices = list(geometry.vertices())
        rows = [row for row in frames.getFeatures() if row["video"] == name and row.hasGeometry()]
        times = sorted({row["time_s"] for row in rows})
        base_s = vertices[0].m() - times[0]
        assert [vertex.m() - base_s for vertex in vertices] == pytest.approx(times, abs=1e-6)
        assert [vertex.z() for vertex in vertices] == [0.0] * len(times)
        assert line["frames"] == len(times)
        for vertex, row in zip(vertices, sorted(rows, key=lambda row: row["time_s"])):  # noqa: B905 - Python 3.9
            if name != "still.mp4":
                assert (vertex.x() - row.geometry().asPoint().x()) % 360.0 == pytest.approx(
                    0, abs=2e-9
                )  # a standing camera's is moved by 0.1 mm
                assert vertex.y() == row.geometry().asPoint().y()
    drive = list(found["Fahrt ü 東京.mp4"].geometry().vertices())
    assert drive[0].m() == BASE_S
    assert drive[1].m() == pytest.approx(BASE_S + 1.0333667, abs=3e-7)  # a double's steps are 0.24 µs there
    assert found["Fahrt ü 東京.mp4"]["start_time_iso"] == "2024-05-01T12:00:00.123Z"
    over = [vertex.x() for vertex in found["dateline.mp4"].geometry().vertices()]
    assert max(over) - min(over) < 10
    still = list(found["still.mp4"].geometry().vertices())
    assert [round(vertex.m() - BASE_S, 3) for vertex in still] == [0.0, 0.5, 1.0]


def test_other_tools_read_it(plugin, engine_here, result, tmp_path, engine_python):
    """GDAL, QGIS's expressions, and shapely, which knows M from GEOS 3.12 on."""
    path = tmp_path / "track.gpkg"
    lines = exported(result, path)
    said = subprocess.run(["ogrinfo", "-so", "-al", str(path)], capture_output=True, text=True, check=True).stdout
    assert "Geometry: 3D Measured Line String" in said
    context = lines.createExpressionContext()
    context.setFeature(next(lines.getFeatures("\"video\" = 'Fahrt ü 東京.mp4'")))
    assert QgsExpression("m(start_point($geometry))").evaluate(context) == BASE_S
    code = """
import json, sqlite3, sys, shapely
from vidtag_engine.export.geopackage_read import wkb_of
rows = sqlite3.connect(sys.argv[1]).execute(f"SELECT geom FROM {sys.argv[2]}").fetchall()
shapes = [shapely.from_wkb(wkb_of(blob)) for (blob,) in rows]
knows = hasattr(shapely, "has_m") and shapely.geos_version >= (3, 12, 0)
print(json.dumps([bool(shapely.has_m(one)) if knows else one.has_z for one in shapes]))
"""
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([engine_python, "-c", code, str(path), "track"], env=variables, capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)) == {True}


def test_each_answer_and_another_coordinate_system(plugin, result, tmp_path):
    from qgis.core import QgsCoordinateReferenceSystem

    saved = ROOT / "tests" / "fixtures" / "saved_files" / "schema_4.gpkg"
    algorithm = algorithm_of("exporttrajectory")
    for answer, count in (("model", 1), ("auto", 1), ("pinned", 0)):  # nothing was solved
        path = copy_track(str(saved), algorithm, {"TRACK": str(tmp_path / f"{answer}.gpkg")}, "TRACK", context_of(), Told(), answer=answer)
        assert layer_of(path).featureCount() == count
    utm = QgsCoordinateReferenceSystem("EPSG:32757")
    path = copy_track(str(saved), algorithm, {"TRACK": str(tmp_path / "utm.gpkg")}, "TRACK", context_of(), Told(), crs=utm)
    [line] = layer_of(path).getFeatures()
    [lonlat] = layer_of(tmp_path / "model.gpkg").getFeatures()
    assert layer_of(path).crs() == utm
    assert [vertex.m() for vertex in line.geometry().vertices()] == [vertex.m() for vertex in lonlat.geometry().vertices()]
    assert line.geometry().vertexAt(0).x() > 1000


@pytest.mark.slow
def test_qgis_process_writes_it(plugin, headless, inputs, tmp_path):
    area = tmp_path / "area.geojson"
    area.write_text(QgsGeometry.fromWkt(SQUARE).asJson(), encoding="utf-8")
    given = [f"VIDEOS={inputs}/a.mp4", f"AOI={area}", f"CHECKPOINT={inputs}/checkpoint", "RESOLUTION=25", f"OUTPUT={tmp_path}/out.gpkg"]
    status, results, text = qgis_run.run([*given, f"TRACK={tmp_path}/track.gpkg"], headless)
    assert status == 0, text
    assert results["WITHHELD_REASON"] == ""
    [line] = layer_of(results["TRACK"]).getFeatures()
    assert line["frames"] == results["LOCATED_COUNT"]


@pytest.mark.slow
def test_geolocate_writes_it(plugin, engine_here, inputs, tmp_path):
    parameters = {
        "VIDEOS": [str(inputs / "a.mp4")], "AOI": polygons(SQUARE), "CHECKPOINT": str(inputs / "checkpoint"), "RESOLUTION": 25,
        "START_TIME": "2024-05-01T12:00:00Z", "OUTPUT": str(tmp_path / "o.gpkg"), "TRACK": str(tmp_path / "t.gpkg"), "LOAD": False,
    }  # fmt: skip
    results = run(algorithm_of("geolocatevideo"), parameters)
    [line] = layer_of(results["TRACK"]).getFeatures()
    assert next(line.geometry().vertices()).m() == 1714564800.0
