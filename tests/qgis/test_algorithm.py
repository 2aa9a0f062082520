"""The algorithm inside QGIS: what it declares, what it refuses, what it sends, what it makes."""

from __future__ import annotations

import gc
import json
import math
import os
import re
import sqlite3
import time
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterDefinition,
    QgsProcessingUtils,
    QgsProject,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsSettings,
    QgsVectorLayer,
)

from tests.qgis.common import SQUARE, Told, a_second_s, algorithm_of, layer_of, polygons, run, workers
from vidtag_qgis import engine, layers, settings
from vidtag_qgis.algorithms.checks import check_scores
from vidtag_qgis.aoi import AreaError, read_area
from vidtag_qgis.compat import is_null
from vidtag_qgis.engine_client import GeolocateArguments
from vidtag_qgis.plugin import VidTAGPlugin

pytestmark = pytest.mark.qgis


@pytest.fixture
def algorithm(plugin):
    return QgsApplication.processingRegistry().createAlgorithmById("vidtag:geolocatevideo")


@pytest.fixture
def video(tmp_path) -> str:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"checks do not open it")
    return str(path)


@pytest.fixture
def good(video, tmp_path) -> dict:
    return {"VIDEOS": [video], "EXTENT": "159.93,159.94,-19.23,-19.22 [EPSG:4326]", "OUTPUT": str(tmp_path / "out.gpkg")}


def test_declares_itself(plugin, algorithm):
    provider = QgsApplication.processingRegistry().providerById("vidtag")
    assert provider is plugin.provider
    assert not provider.icon().isNull()
    assert (algorithm.id(), algorithm.group()) == ("vidtag:geolocatevideo", "VidTAG")
    assert {"video", "geolocation"} <= set(algorithm.tags())
    flags = algorithm.flags()
    assert flags & QgsProcessingAlgorithm.Flag.FlagCanCancel
    assert not flags & QgsProcessingAlgorithm.Flag.FlagNoThreading
    assert Path(algorithm.helpUrl().removeprefix("file://")).is_file()
    for parameter in algorithm.parameterDefinitions():
        assert parameter.help().endswith((".", "…")), parameter.name()
    advanced = {p.name() for p in algorithm.parameterDefinitions() if p.flags() & QgsProcessingParameterDefinition.Flag.FlagAdvanced}
    assert {"DEVICE", "SEED", "START_TIME", "DECODER", "CONTINUOUS", "ENCODE_ALL", "ALWAYS_ANSWER", "KEEP_SCORES"} <= advanced
    assert not {"VIDEOS", "AOI", "CHECKPOINT", "RESOLUTION", "RATE"} & advanced


def test_leaves_nothing_behind(qgis_processing):
    for _ in range(2):
        plugin = VidTAGPlugin(None)
        plugin.initProcessing()
        plugin.unload()
        assert QgsApplication.processingRegistry().providerById("vidtag") is None


def test_good_parameters_pass(algorithm, good, engine_here):
    assert algorithm.canExecute() == (True, "")
    assert algorithm.checkParameterValues(good, QgsProcessingContext()) == (True, "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"VIDEOS": None}, "Give at least one video"),
        ({"VIDEOS": ["/no/such/é.mp4"]}, "/no/such/é.mp4 is not there"),
        ({"VIDEOS": ["/tmp"]}, "is a folder"),
        ({"VIDEOS": None, "FOLDER": "/no/such"}, "folder of videos /no/such is not there"),
        ({"VIDEOS": None, "IMAGES": "/no/such"}, "folder of images /no/such is not there"),
        ({"EXTENT": "179,-179,-19,-18 [EPSG:4326]"}, "179,181,-19,-18"),
        ({"EXTENT": "500000,400000,0,1000 [EPSG:32758]"}, "xmax .* smaller than its xmin"),
        ({"EXTENT": "1,2,4,3"}, "ymax"),
        ({"EXTENT": "1,1,3,4"}, "no area"),
        ({"AOI": "/no/such.gpkg", "EXTENT": None}, "AOI|Area of interest"),
        ({"CHECKPOINT": "/no/such"}, "checkpoint /no/such is not there"),
        ({"CHECKPOINT": "/tmp"}, "has no config.json"),
        ({"CHECKPOINT": "weights.pth"}, "can carry programs"),
        ({"RESOLUTION": 0.1}, r"about \d[\d,]+ gallery points.*Take a resolution of \d"),
        ({"RESOLUTION": 1e6}, "smaller than one step"),
        ({"RESOLUTION": -5}, "RESOLUTION|resolution"),
        ({"FROM": 5, "TO": 5}, "before it begins"),
        ({"OUTPUT": "/tmp/out.shp"}, "must end in .gpkg"),
        ({"OUTPUT": "/etc/passwd/new/out.gpkg"}, "/etc/passwd is no folder"),
        ({"TRAJECTORY": "/tmp/x.gpkg", "FRAMES": "/tmp/x.gpkg"}, "Trajectory and Frames go to the same file"),
        ({"TRAJECTORY": "/tmp/x.gpkg", "FRAMES": "/tmp/../tmp/x.gpkg"}, "same file"),
        ({"TRAJECTORY": QgsProcessingOutputLayerDefinition("/tmp/x.gpkg"), "FRAMES": "/tmp/x.gpkg"}, "same file"),
        (
            {"TRAJECTORY": "ogr:dbname='/tmp/x.gpkg' table=\"a\" (geom)", "FRAMES": "ogr:dbname='/tmp/x.gpkg' table=\"a\" (geom)"},
            "same file",
        ),
        ({"OUTPUT": "/tmp/x.gpkg", "FRAMES": "/tmp/x.gpkg"}, "Result and Frames go to the same file"),
        ({"TRACK": "/tmp/x.gpkg", "REGIONS": "/tmp/x.gpkg"}, "Confidence regions and Track with times as M go to the same file"),
        ({"TRAJECTORY": "/tmp/x.gpkg", "REGIONS": "/tmp/x.gpkg"}, "Trajectory and Confidence regions go to the same file"),
        ({"DECODER": "none", "KEEP_SCORES": True}, "Scores for pins are kept of frames that are located together"),
        ({"DECODER": "none", "REGIONS": "TEMPORARY_OUTPUT"}, "Regions come from locating all frames together"),
        ({"DECODER": "best"}, "DECODER|Decoder"),
        ({"OUTPUT": "/tmp/x.gpkg", "FRAMES": "ogr:dbname='/tmp/x.gpkg' table=\"f\" (geom)"}, "same file"),
    ],
)
def test_bad_parameters_are_refused_with_a_sentence(algorithm, good, engine_here, changes, said):
    usable, text = algorithm.checkParameterValues({**good, **changes}, QgsProcessingContext())
    assert not usable
    assert re.search(said, text), text


@pytest.mark.parametrize(
    "changes",
    [
        {"EXTENT": "179,181,-19,-18 [EPSG:4326]", "RESOLUTION": 1000},
        {"EXTENT": "-180,180,-90,90 [EPSG:4326]", "RESOLUTION": 50000},
        {"TRAJECTORY": "ogr:dbname='/tmp/x.gpkg' table=\"lines\" (geom)", "FRAMES": "ogr:dbname='/tmp/x.gpkg' table=\"frames\" (geom)"},
        {"TRAJECTORY": QgsProcessing.TEMPORARY_OUTPUT, "FRAMES": QgsProcessing.TEMPORARY_OUTPUT, "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT},
        {"CHECKPOINT": "someone/model"},
        {"DECODER": "none", "CONTINUOUS": True, "ENCODE_ALL": True, "ALWAYS_ANSWER": True},
        {"DECODER": "viterbi"},
    ],
)
def test_what_is_not_wrong_is_not_refused(algorithm, good, engine_here, changes):
    assert algorithm.checkParameterValues({**good, **changes}, QgsProcessingContext()) == (True, "")


def test_layers_that_are_no_area_are_refused(algorithm, good, engine_here):
    for layer, said in [
        (polygons("Point(1 1)", kind="Point"), "no polygons"),
        (polygons(), "no polygon"),
        (polygons(SQUARE, crs=""), "no coordinate reference system"),
    ]:
        text = algorithm.checkParameterValues({**good, "EXTENT": None, "AOI": layer}, QgsProcessingContext())[1]
        assert said in text
    text = algorithm.checkParameterValues({**good, "AOI": polygons(SQUARE)}, QgsProcessingContext())[1]
    assert "not both" in text


def test_a_missing_engine_is_said_before_anything_runs(algorithm, good, monkeypatch, tmp_path):
    monkeypatch.setenv("VIDTAG_CACHE", str(tmp_path))
    monkeypatch.delenv("VIDTAG_ENGINE_PYTHON", raising=False)
    started = time.thread_time()
    usable, text = algorithm.canExecute()
    assert time.thread_time() - started < 0.1
    assert not usable
    assert "Providers > VidTAG" in text
    assert algorithm.checkParameterValues(good, QgsProcessingContext()) == (False, text)


def test_the_setting_wins(plugin, engine_here, tmp_path):
    from processing.core.ProcessingConfig import ProcessingConfig

    chosen = tmp_path / "python"
    chosen.write_text("#!/bin/sh\n")
    chosen.chmod(0o755)
    try:
        ProcessingConfig.setSettingValue(settings.ENGINE_PYTHON, str(chosen))
        assert engine.interpreter().python == str(chosen)
        QgsSettings().setValue("Processing/Configuration/" + settings.ENGINE_PYTHON, "/no/such")
        assert "setting" in engine.not_found()
    finally:
        QgsSettings().remove("Processing/Configuration/" + settings.ENGINE_PYTHON)


def area_of(algorithm, **parameters):
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    return read_area(algorithm, parameters, context, "AOI", "EXTENT")


def test_area_from_a_layer_a_selection_and_an_extent(algorithm):
    layer = polygons(SQUARE, "POLYGON((10 10, 11 10, 11 11, 10 10))")
    both = area_of(algorithm, AOI=layer)
    assert len(json.loads(both.text)["features"]) == 2
    assert both.crs == "EPSG:4326"
    layer.selectByIds([1])
    one = area_of(algorithm, AOI=QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True))
    [feature] = json.loads(one.text)["features"]
    corners = feature["geometry"]["coordinates"][0]
    assert corners[0] == pytest.approx([159.930, -19.222])
    # 0.004 degrees of longitude and latitude at 19.22 S: about 420 m by 443 m
    assert one.area_m2 == pytest.approx(0.004 * 111320 * math.cos(math.radians(19.22)) * 0.004 * 110700, rel=0.01)
    layer.removeSelection()
    with pytest.raises(AreaError, match="no selected one"):
        area_of(algorithm, AOI=QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True))
    across = json.loads(area_of(algorithm, EXTENT="179,181,-19,-18 [EPSG:4326]").text)
    xs = {point[0] for point in across["features"][0]["geometry"]["coordinates"][0]}
    assert xs == {179.0, 181.0}
    rectangle = QgsReferencedRectangle(QgsRectangle(500000, 7870000, 501000, 7871000), QgsCoordinateReferenceSystem("EPSG:32758"))
    utm = area_of(algorithm, EXTENT=rectangle)
    assert utm.crs == "EPSG:32758"
    assert utm.area_m2 == pytest.approx(1e6 / 0.9996**2, rel=1e-4)


def test_area_in_a_crs_of_the_users_own(algorithm):
    layer = polygons("POLYGON((0 0, 1000 0, 1000 1000, 0 1000, 0 0))")
    layer.setCrs(QgsCoordinateReferenceSystem.fromProj("+proj=laea +lat_0=-19.22 +lon_0=159.93 +datum=WGS84"))
    area = area_of(algorithm, AOI=layer)
    assert "Lambert" in area.crs
    assert area.area_m2 == pytest.approx(1e6, rel=1e-3)


def test_an_invalid_polygon_reaches_the_engine_as_it_is(algorithm):
    bow_tie = polygons("POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))")
    assert len(json.loads(area_of(algorithm, AOI=bow_tie).text)["features"]) == 1


def real(inputs: Path, tmp_path: Path, *videos: str) -> dict:
    return {
        "VIDEOS": [str(inputs / video) for video in videos or ("a.mp4",)],
        "AOI": polygons(SQUARE),
        "CHECKPOINT": str(inputs / "checkpoint"),
        "RESOLUTION": 25,
        "RATE": 2,
        "START_TIME": "2024-05-01T10:00:00Z",
        "OUTPUT": str(tmp_path / "new folder" / "out é.gpkg"),
    }


@pytest.mark.slow
def test_a_real_run_fills_every_output(algorithm, engine_here, inputs, tmp_path):
    feedback = Told()
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    parameters = {
        **real(inputs, tmp_path, "a.mp4", "b é.mp4"),
        "TRAJECTORY": str(tmp_path / "lines.gpkg"),
        "FRAMES": QgsProcessingOutputLayerDefinition(QgsProcessing.TEMPORARY_OUTPUT, QgsProject.instance()),  # to be loaded
        "KML": str(tmp_path / "out.kml"),
        "MAP": str(tmp_path / "out.png"),
    }
    results = run(algorithm, parameters, feedback, context)
    assert Path(results["OUTPUT"]).is_file()
    assert Path(results["KML"]).read_text(encoding="utf-8").startswith("<?xml")
    assert Path(results["MAP"]).read_bytes().startswith(b"\x89PNG")
    assert (results["VIDEO_COUNT"], results["FRAME_COUNT"], results["LOCATED_COUNT"]) == (2, 24, 24)
    assert results["GALLERY_POINTS"] == pytest.approx(297, rel=0.05)
    assert results["CHECKPOINT_NAME"] == "untrained"
    assert feedback.fractions == sorted(feedback.fractions)
    assert feedback.fractions[-1] == 100
    assert sum("frames located" in line for line in feedback.said) == 2

    whole = QgsVectorLayer(f"{results['OUTPUT']}|layername=frames", "frames", "ogr")
    points = QgsProcessingUtils.mapLayerFromString(results["FRAMES"], context)
    assert points.featureCount() == whole.featureCount() == 24
    names = [field.name() for field in points.fields()]
    assert names == [field.name() for field in whole.fields() if field.name() != "fid"] + ["time_iso"]
    for copy, feature in zip(points.getFeatures(), whole.getFeatures(), strict=False):
        assert copy.geometry().asWkt() == feature.geometry().asWkt()
        assert [copy[name] for name in names[:-1]] == [feature[name] for name in names[:-1]]
    times = sorted({copy["time_iso"] for copy in points.getFeatures()})
    assert times[:3] == ["2024-05-01T10:00:00.000Z", "2024-05-01T10:00:00.500Z", "2024-05-01T10:00:01.000Z"]
    lines = QgsVectorLayer(results["TRAJECTORY"], "lines", "ogr")
    assert lines.featureCount() == 22
    assert {"start_time_iso", "end_time_iso", "confidence", "from_index", "to_index"} <= {f.name() for f in lines.fields()}

    layers.finish(lines, "trajectory")
    gc.collect()
    own = [f"{results['OUTPUT']}|layername={kind}" for kind in ("frames", "trajectory", "videos", "regions")]
    loaded = context.layersToLoadOnCompletion()
    assert sorted(name.split("|subset=")[0] for name in loaded) == sorted([results["FRAMES"], *own, *own])
    details = loaded[results["FRAMES"]]
    details.postProcessor().postProcessLayer(points, context, QgsProcessingFeedback())  # as QGIS does once the algorithm is gone
    for layer, start in ((points, "time"), (lines, "start_time")):
        assert layer.temporalProperties().isActive()
        assert layer.temporalProperties().startField() == start
        assert layer.renderer().type() != "singleSymbol"


def test_the_settings_reach_the_engine(algorithm, good, engine_here):
    """Each as it is given, and the engine's own default where it is not."""
    usual = algorithm._arguments(good, QgsProcessingContext())
    default = GeolocateArguments(output="")
    given = {"DECODER": "none", "CONTINUOUS": True, "ENCODE_ALL": True, "ALWAYS_ANSWER": True, "KEEP_SCORES": True, "EXHAUSTIVE": True}
    changed = algorithm._arguments({**good, **given}, QgsProcessingContext())
    for name, value in given.items():
        assert getattr(usual, name.lower()) == getattr(default, name.lower()) != value
        assert getattr(changed, name.lower()) == value
    assert algorithm._arguments({**good, "DECODER": "viterbi"}, QgsProcessingContext()).decoder == "hmm"  # as scripts of 0.1.0 say


@pytest.mark.parametrize(
    ("start", "zone", "text"),
    [
        ("2026-05-01T14:30:00", "Europe/Stockholm", "2026-05-01T14:30:00.000"),
        ("2026-05-01T14:30:00", "", "2026-05-01T14:30:00.000Z"),
        ("2026-05-01T14:30:00Z", "Europe/Stockholm", "2026-05-01T14:30:00.000Z"),
    ],
)
def test_a_start_time_is_in_the_zone_that_is_given(algorithm, good, engine_here, start, zone, text):
    """The digits as they were typed, for the engine to reckon with; UTC without a zone."""
    given = algorithm._arguments({**good, "START_TIME": start, "TIME_ZONE": zone}, QgsProcessingContext())
    assert (given.start_time, given.time_zone) == (text, zone or None)


@pytest.mark.slow
def test_what_is_withheld_is_counted_and_a_pin_lifts_it(algorithm, engine_here, inputs, tmp_path):
    parameters = {
        **real(inputs, tmp_path, "a.mp4", "b é.mp4"), "CHECKPOINT": str(inputs / "wary"), "KEEP_SCORES": True,
        "FRAMES": str(tmp_path / "frames.gpkg"), "REGIONS": str(tmp_path / "regions.gpkg"),
    }  # fmt: skip
    told = Told()
    results = run(algorithm, parameters, told)
    assert (results["UNFAMILIAR_COUNT"], results["OUTSIDE_COUNT"], results["WITHHELD_COUNT"]) == (1, 0, 1)
    assert (results["FRAME_COUNT"], results["LOCATED_COUNT"]) == (24, 12)
    [said] = [line.split(" is not located: ")[1] for line in told.said if line.startswith("b é.mp4 is not located: ")]
    name, reason = results["WITHHELD_REASON"].split(": ", 1)
    assert name == "b é.mp4"
    assert said.startswith(reason)
    [video] = [row for row in layer_of(results["OUTPUT"], "videos").getFeatures() if row["video"] == name]
    assert reason == video["why"]
    assert any(line.startswith("b é.mp4 is not located: ") for line in told.said)
    assert results["UNKNOWN_GROUND_COUNT"] == 0
    frames = {(f["video"], f["frame_index"]): f for f in layer_of(results["FRAMES"]).getFeatures()}
    assert {(video, f["state"], not f.geometry().isEmpty()) for (video, _), f in frames.items()} == {
        ("a.mp4", "located", True), ("b é.mp4", "unfamiliar", False),
    }  # fmt: skip
    regions = layer_of(results["REGIONS"])
    assert {(f["video"], f["level"]) for f in regions.getFeatures()} == {(v, level) for v in ("a.mp4", "b é.mp4") for level in (50, 90)}
    area = QgsGeometry.fromWkt(SQUARE).buffer(0.0005, 3)
    assert all(area.contains(f.geometry()) for f in regions.getFeatures())
    for f in regions.getFeatures():  # a frame lies in its own region
        if f["video"] == "a.mp4" and f["level"] == 90 and not is_null(f["frame_index"]):
            assert f.geometry().distance(frames["a.mp4", f["frame_index"]].geometry()) < 0.0003
    layers.finish(regions, "regions")
    assert regions.temporalProperties().isActive()
    assert len(regions.renderer().rootRule().children()) == 4

    pins = QgsVectorLayer("Point?crs=EPSG:4326&field=frame_index:integer&field=video:string", "pins", "memory")
    pin = QgsFeature(pins.fields())
    pin.setGeometry(QgsGeometry.fromWkt("Point(159.931 -19.221)"))
    pin.setAttributes([5, "b é.mp4"])
    pins.dataProvider().addFeatures([pin])
    QgsProject.instance().addMapLayer(pins)
    lifted = run(algorithm_of("solvewithpins"), {"RESULT": results["OUTPUT"], "PINS": pins, "OUTPUT": str(tmp_path / "lifted.gpkg")})
    states = {f["state"] for f in layer_of(lifted["OUTPUT"], "frames_pinned").getFeatures()}
    assert (states, lifted["MOVED_COUNT"]) == ({"located"}, 12)

    answered = run(
        algorithm_of("geolocatevideo"), {**parameters, "ALWAYS_ANSWER": True, "VIDEOS": [str(inputs / "b é.mp4")], "FRAMES": None}
    )
    assert answered["WITHHELD_REASON"] == ""
    assert (answered["UNFAMILIAR_COUNT"], answered["WITHHELD_COUNT"], answered["LOCATED_COUNT"]) == (1, 0, 12)


@pytest.mark.slow
def test_the_engines_sentence_is_shown_as_it_is(algorithm, engine_here, inputs, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(os.urandom(5000))
    with pytest.raises(QgsProcessingException, match="broken.mp4") as raised:
        run(algorithm, {**real(inputs, tmp_path), "VIDEOS": [str(broken)]})
    assert "Traceback" not in str(raised.value)
    assert not (tmp_path / "new folder" / "out é.gpkg").exists()


def test_an_engine_that_dies_is_one_sentence_with_its_last_words(algorithm, good, engine_here, tmp_path, monkeypatch):
    package = tmp_path / "fake é" / "vidtag_engine"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "worker.py").write_text(
        "import json, sys\nprint(json.dumps({'type': 'hello', 'protocol': 1, 'engine': '9'}), flush=True)\nsys.stdin.readline()\n"
        "print('Traceback of a thing', 'no room on the graphics card', sep='\\n', file=sys.stderr)\nsys.exit(7)\n"
    )
    monkeypatch.setenv("VIDTAG_ENGINE_PATH", str(package.parent))
    told, debug = Told(), []
    monkeypatch.setattr(told, "pushDebugInfo", debug.append)
    with pytest.raises(
        QgsProcessingException, match=r"ended before it answered\. Exit status 7\. Its last words: no room on the"
    ) as raised:
        run(algorithm, good, told)
    assert "Traceback" not in str(raised.value)
    assert "Traceback of a thing" in debug[0]  # the log has the whole tail


@pytest.mark.slow
def test_cancel_stops_the_engine_within_a_second_and_keeps_what_is_finished(algorithm, engine_here, inputs, tmp_path, monkeypatch):
    kept_in = tmp_path / "project"
    kept_in.mkdir()
    monkeypatch.setattr(QgsProject.instance(), "homePath", lambda: str(kept_in), raising=False)
    monkeypatch.setattr("vidtag_qgis.engine.QgsProject", type("Project", (), {"instance": staticmethod(lambda: QgsProject.instance())}))
    feedback = Told(cancel_at="frames located")  # the first video is done
    parameters = {**real(inputs, tmp_path, "a.mp4", "long.mp4"), "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT, "KEEP_SCORES": True}
    with pytest.raises(QgsProcessingException, match="1 finished video is kept in ") as raised:
        run(algorithm, parameters, feedback)
    assert time.monotonic() - feedback.cancelled_s < a_second_s()
    place = str(raised.value).split(" kept in ")[1]
    assert not place.startswith(QgsProcessingUtils.tempFolder())
    with sqlite3.connect(place) as database:
        assert database.execute("SELECT count(*) FROM frames").fetchone() == (12,)
    assert check_scores(place) is None
    assert len(list(Path(place).with_suffix(".results").glob("results/*/*.gpkg"))) == 1  # the next run goes on from there
    assert not workers()


@pytest.mark.slow
def test_cancel_before_anything_is_finished(algorithm, engine_here, inputs, tmp_path):
    feedback = Told(cancel_at="a")  # the first words of progress
    with pytest.raises(QgsProcessingException, match="no video was finished"):
        run(algorithm, real(inputs, tmp_path, "long.mp4"), feedback)
    assert time.monotonic() - feedback.cancelled_s < a_second_s()
    assert not workers()
    assert list((tmp_path / "new folder").glob("*.gpkg")) == []
