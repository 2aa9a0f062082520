"""A table of videos and a top speed in "Geolocate video": a layer, its selection or a file reach the engine, and what is wrong is a sentence."""

import json
import re
from pathlib import Path

import pytest

from tests.qgis.common import Told, context_of, polygons, run
from tests.qgis.test_algorithm import SQUARE, algorithm, good, real, video  # noqa: F401 - fixtures

from qgis.core import (  # isort: skip
    QgsFeature,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProject,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDateTime, Qt

pytestmark = pytest.mark.qgis


def table(*rows, fields="file:string&field=start_time:datetime&field=from:double&field=to:integer&field=area:string", name="drives"):
    """A layer without geometry and without a file."""
    layer = QgsVectorLayer(f"None?field={fields}", name, "memory")
    features = []
    for values in rows:
        feature = QgsFeature(layer.fields())
        for column, value in values.items():
            feature.setAttribute(column, value)
        features.append(feature)
    assert layer.dataProvider().addFeatures(features)[0]
    return layer


def arguments_of(algorithm, parameters):  # noqa: F811
    return algorithm._arguments(parameters, context_of())


def test_a_layers_rows_reach_the_engine_with_whole_paths(algorithm, good, video, engine_here, tmp_path):  # noqa: F811
    start = QDateTime.fromString("2026-05-01T10:30:00Z", Qt.DateFormat.ISODate)
    layer = table(
        {"file": video, "start_time": start, "from": 1.5, "to": 4, "area": str(tmp_path / "a.gpkg")}, {"file": "/elsewhere/b.mp4"}
    )
    QgsProject.instance().addMapLayer(layer)
    given = {**good, "TABLE": layer.id()}
    assert algorithm.checkParameterValues(given, context_of()) == (True, "")
    found = arguments_of(algorithm, given)
    first, second = found.table_rows
    assert found.table == "drives"
    assert (first["file"], first["from"], first["to"], first["area"]) == (video, 1.5, 4, str(tmp_path / "a.gpkg"))
    assert re.match(r"2026-05-01T10:30:00(\.000)?Z", first["start_time"])
    assert second == {"file": "/elsewhere/b.mp4", "start_time": None, "from": None, "to": None, "area": None}
    json.dumps(found.table_rows)  # as the protocol sends them
    layer.selectByIds([2])
    selected = arguments_of(algorithm, {**good, "TABLE": QgsProcessingFeatureSourceDefinition(layer.id(), True)})
    assert [row["file"] for row in selected.table_rows] == ["/elsewhere/b.mp4"]
    QgsProject.instance().removeMapLayer(layer.id())


def test_paths_are_relative_to_the_layers_file(algorithm, good, engine_here, tmp_path):  # noqa: F811
    path = str(tmp_path / "tables.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = "GPKG", "drives"
    layer = table({"file": "clips/a.mp4", "area": "town.gpkg|layername=north"})
    QgsVectorFileWriter.writeAsVectorFormatV3(layer, path, QgsProject.instance().transformContext(), options)
    saved = QgsVectorLayer(f"{path}|layername=drives", "drives", "ogr")
    assert saved.isValid()
    [row] = arguments_of(algorithm, {**good, "TABLE": saved}).table_rows
    assert row["file"] == str(tmp_path / "clips/a.mp4")
    assert row["area"] == str(tmp_path / "town.gpkg|layername=north")
    # Named as a file it goes as a file; the engine knows what its paths are relative to.
    found = arguments_of(algorithm, {**good, "TABLE": f"{path}|layername=drives"})
    assert (found.table, found.table_rows) == (f"{path}|layername=drives", None)


def test_a_relative_path_without_a_folder_is_refused(algorithm, good, engine_here):  # noqa: F811
    usable, text = algorithm.checkParameterValues({**good, "TABLE": table({"file": "/a.mp4"}, {"file": "b.mp4"})}, context_of())
    assert (usable, "Row 2 of drives, column file: b.mp4 is relative" in text) == (False, True), text


def test_with_a_table_neither_videos_nor_an_area_are_needed(algorithm, good, video, engine_here):  # noqa: F811
    given = {"TABLE": table({"file": video}), "OUTPUT": good["OUTPUT"]}
    assert algorithm.checkParameterValues(given, context_of()) == (True, "")
    assert arguments_of(algorithm, given).aoi is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"MOTION": "warp"}, "The top speed 'warp' is none: give walk, bicycle, car, drone, or a number in km/h up to 1200"),
        ({"MOTION": "-3"}, "The top speed '-3' is none"),
        ({"MOTION": "nan"}, "The top speed 'nan' is none"),
        ({"MOTION": "car", "DECODER": "none"}, "A top speed joins frames that are located together"),
        ({"TABLE": "/no/such.csv"}, "Table of videos|table of videos|TABLE"),
    ],
)
def test_what_is_wrong_is_a_sentence(algorithm, good, engine_here, changes, said):  # noqa: F811
    usable, text = algorithm.checkParameterValues({**good, **changes}, context_of())
    assert not usable
    assert re.search(said, text), text


@pytest.mark.parametrize(("given", "motion"), [("walk", "walk"), (" 30 ", "30"), ("", None), (None, None)])
def test_the_top_speed_reaches_the_engine(algorithm, good, engine_here, given, motion):  # noqa: F811
    parameters = {**good, "MOTION": given}
    assert algorithm.checkParameterValues(parameters, context_of()) == (True, "")
    assert arguments_of(algorithm, parameters).motion == motion
    # Models that were saved before neither was there run as they did.
    usual = arguments_of(algorithm, good)
    assert (usual.motion, usual.table, usual.table_rows) == (None, None, None)


def test_the_words_fit_what_the_engine_takes(engine_python):
    import subprocess

    from vidtag_qgis.algorithms.checks import MOST_KMH, MOTIONS

    script = "from vidtag_engine import settings as s; print(*s.MOTION_KMH, s._MOST_KMH)"
    told = subprocess.run([engine_python, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert told.stdout.split() == [*MOTIONS, str(MOST_KMH)]


@pytest.mark.slow
def test_a_real_run_over_a_table(algorithm, engine_here, inputs, tmp_path):  # noqa: F811
    parameters = real(inputs, tmp_path)
    parameters.pop("VIDEOS")
    start = QDateTime.fromString("2024-06-02T08:00:00Z", Qt.DateFormat.ISODate)
    parameters["TABLE"] = table({"file": str(inputs / "a.mp4"), "start_time": start, "to": 2}, {"file": str(inputs / "b é.mp4")})
    parameters["MOTION"] = "car"
    results = run(algorithm, parameters)
    assert (results["VIDEO_COUNT"], results["FRAME_COUNT"]) == (2, 16)
    videos = QgsVectorLayer(f"{results['OUTPUT']}|layername=videos", "videos", "ogr")
    first, second = videos.getFeatures()
    assert json.loads(first["own_settings"]) == {"start_time": "2024-06-02T08:00:00Z", "to_s": 2.0}
    assert not isinstance(second["own_settings"], str)
    # The same from a file, whose second row is wrong.
    (tmp_path / "t.csv").write_text(f"file,to\n{inputs / 'a.mp4'},2\n{inputs / 'b é.mp4'},0\n", encoding="utf-8")
    with pytest.raises(QgsProcessingException, match=r"Row 2 of t\.csv \(.*b é\.mp4\), column to: the stretch ends at 0 s"):
        run(algorithm, {**parameters, "TABLE": str(tmp_path / "t.csv")}, Told())
    assert polygons(SQUARE).isValid()
