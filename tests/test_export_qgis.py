"""The GeoPackage as the installed QGIS takes it: styles, times, temporal settings, geometry, and a picture of it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.export_cases import PROVENANCE, every_kind, moved, unsure
from tests.export_cases import video as video_of
from vidtag_engine.export import write_geopackage
from vidtag_engine.export.colours import CLASS_COLOURS, COLOURS, REGION_COLOURS, STATES, class_label
from vidtag_engine.export.tables import steps_table
from vidtag_engine.types import FrameState

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "/usr/bin/python3"
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))} | {
    "QT_QPA_PLATFORM": "offscreen"
}

SCRIPT = """
import json, sys
from qgis.core import (QgsApplication, QgsCoordinateReferenceSystem, QgsExpression, QgsFeatureRequest, QgsMapRendererSequentialJob, QgsMapSettings,
                       QgsRectangle, QgsVectorLayer, QgsVectorLayerTemporalContext, QgsDateTimeRange)
from qgis.PyQt.QtCore import QDate, QDateTime, QSize, Qt, QTime
from qgis.PyQt.QtGui import QColor
app = QgsApplication([], False)
app.initQgis()

MARKS = ("Direction of travel", "Start", "End", "Course over ground")

def all_rules(renderer):
    return renderer.rootRule().descendants() if renderer.type() == "RuleRenderer" else []

def rules_of(renderer):
    # The classes: each feature is in one of them.
    return [r for r in all_rules(renderer) if r.symbol() and r.label() not in MARKS]

def marked(layer, renderer):
    # Label of each mark: the steps that have it, at two scales.
    found = {}
    for scale in (1000, 1000000):
        for feature in layer.getFeatures():
            context = layer.createExpressionContext()
            context.lastScope().setVariable("map_scale", scale)
            context.setFeature(feature)
            for r in all_rules(renderer):
                if r.label() in MARKS and QgsExpression(r.filterExpression()).evaluate(context):
                    found.setdefault(r.label(), {}).setdefault(scale, []).append([feature["video"], feature["from_index"], feature["to_index"]])
    return found

def drawn(layer, renderer):
    # Video and the labels of the classes that each feature falls into.
    found = []
    for feature in layer.getFeatures():
        context = layer.createExpressionContext()
        context.setFeature(feature)
        labels = [r.label() for r in rules_of(renderer) if QgsExpression(r.filterExpression()).evaluate(context)]
        if labels:
            found.append([feature.attribute("video"), labels])
    return found

path, picture = sys.argv[1:]
found, layers = {}, []
for name in ("trajectory", "frames", "videos", "regions", "aoi"):
    layer = QgsVectorLayer(f"{path}|layername={name}", name, "ogr")
    by_itself = type(layer.renderer()).__name__
    message, loaded = layer.loadDefaultStyle()
    temporal = layer.temporalProperties()
    renderer = layer.renderer()
    found[name] = {
        "valid": layer.isValid(), "by_itself": by_itself, "loaded": loaded,
        "levels": renderer.usingSymbolLevels(),
        "rules": [[r.label(), r.filterExpression(), r.symbol().color().name()] for r in rules_of(renderer)],
        "heads": [r.label() for r in all_rules(renderer) if not r.symbol()], "marks": marked(layer, renderer),
        "drawn": drawn(layer, renderer), "active": temporal.isActive(), "mode": int(temporal.mode()), "start": temporal.startField(), "end": temporal.endField(),
        "types": {f.name(): f.typeName() for f in layer.fields()}, "count": layer.featureCount(), "crs": layer.crs().authid(),
        "invalid": [f.id() for f in layer.getFeatures() if f.hasGeometry() and not f.geometry().isGeosValid()],
    }
    layers.append(layer)
frames = layers[1]
frame = [f for f in frames.getFeatures() if f["frame_index"] == 1][0]
found["milliseconds"] = frame["time"].toString("yyyy-MM-ddTHH:mm:ss.zzz")
context = QgsVectorLayerTemporalContext()
context.setLayer(frames)
day = QDate(2024, 5, 1)
window = QgsDateTimeRange(QDateTime(day, QTime(12, 0, 1), Qt.UTC), QDateTime(day, QTime(12, 0, 3), Qt.UTC))
request = QgsFeatureRequest().setFilterExpression(frames.temporalProperties().createFilterString(context, window))
found["in_window"] = sorted([f["video"], f["frame_index"]] for f in frames.getFeatures(request))
settings = QgsMapSettings()
settings.setLayers([layers[0]])
settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
settings.setExtent(QgsRectangle(159.926, -19.2215, 159.934, -19.2135))
settings.setOutputSize(QSize(600, 600))
settings.setBackgroundColor(QColor("#ffffff"))
job = QgsMapRendererSequentialJob(settings)
job.start()
job.waitForFinished()
job.renderedImage().save(picture)
print("FOUND" + json.dumps(found))
"""


def has_pyqgis():
    try:
        return subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True, env=ENVIRONMENT, check=False).returncode == 0
    except OSError:
        return False


pytestmark = [pytest.mark.qgis, pytest.mark.skipif(not has_pyqgis(), reason=f"{PYTHON} has no PyQGIS")]


@pytest.fixture(scope="module", params=["UTC", "America/Los_Angeles"])
def found(request, tmp_path_factory):
    import shapely

    folder = tmp_path_factory.mktemp("qgis")
    results = [
        *every_kind(),
        unsure("outside.mp4", state=FrameState.OUTSIDE_AOI),
        unsure("strange.mp4", state=FrameState.UNFAMILIAR, always_answer=True),
        unsure("sure.mp4"),
        unsure("plain.mp4", rated=False),
        unsure("ground.mp4", state=FrameState.UNKNOWN_GROUND),
    ]
    write_geopackage(folder / "Ergebnis ü.gpkg", results, PROVENANCE, aoi=shapely.box(159.9, -19.3, 160, -19.1))
    done = subprocess.run(
        [PYTHON, "-c", SCRIPT, folder / "Ergebnis ü.gpkg", folder / "map.png"],
        capture_output=True, text=True, env={**ENVIRONMENT, "TZ": request.param}, timeout=120, check=False,
    )  # fmt: skip
    assert "FOUND" in done.stdout, done.stderr[-3000:]
    return {**json.loads(done.stdout.split("FOUND", 1)[1]), "picture": folder / "map.png", "results": results}


def test_style_loads_by_itself(found):
    one = found["trajectory"]
    assert one["valid"]
    assert one["loaded"]
    assert one["levels"]  # all casings lie below all colours
    assert one["crs"] == "EPSG:4326"
    steps = {}
    for video, _ in one["drawn"]:
        steps[video] = steps.get(video, 0) + 1
    assert steps["plain.mp4"] == steps["sure.mp4"] == 3  # those of frames that are not rated are drawn


@pytest.mark.parametrize(("layer", "field"), [("frames", "confidence"), ("videos", "mean_confidence"), ("trajectory", "confidence")])
def test_states_are_classes_beside_those_of_confidence(found, layer, field):
    one = found[layer]
    assert one["by_itself"] == "QgsRuleBasedRenderer"
    assert all(field in expression for _, expression, _ in one["rules"][:6])
    labels = [label for label, _, _ in one["rules"]]
    states = {"frames": STATES, "videos": [name for name in STATES if name != "damaged"], "trajectory": []}[layer]
    assert labels == [class_label(number) for number in range(5)] + ["Not rated"] + [STATES[name][1] for name in states]
    assert len(one["drawn"]) == one["count"]
    assert all(len(labels) == 1 for _, labels in one["drawn"])  # every feature is in one class
    of = {}
    for video, (label,) in one["drawn"]:
        of.setdefault(video, set()).add(label)
    assert of["sure.mp4"] & {"Not rated", *(words for name, (_, words) in STATES.items() if name != "damaged")} == set()
    assert of["plain.mp4"] - {"Damaged"} == {"Not rated"}
    if layer == "trajectory":
        return
    assert of["ground.mp4"] - {"Damaged"} == {"Unknown ground"}
    if layer == "frames":
        assert of["outside.mp4"] == {"Not in this area", "Damaged"}
        assert of["none.mp4"] == {"Damaged"}
        assert STATES["unfamiliar"][1] not in of["strange.mp4"]  # the answers were asked for
    else:
        assert of["outside.mp4"] == {"Not in this area"}
        assert of["strange.mp4"] == {"Unlike what was trained on"}


def test_the_legend_says_what_the_classes_answer(found):
    """With the result's own radius."""
    said = "robability that the camera was within 100 m"
    heads = {layer: found[layer]["heads"] for layer in ("frames", "trajectory", "videos")}
    assert heads == {
        "frames": [f"P{said} of the point"], "trajectory": [f"P{said}, at the less sure end"], "videos": [f"Mean p{said} of the point"],
    }  # fmt: skip


def test_start_end_and_direction_are_marked(found):
    marks = found["trajectory"]["marks"]
    steps = {}
    for result in found["results"]:
        rows = steps_table(result)
        steps[rows["video"][0] if rows["video"] else ""] = [
            [int(a), int(b)] for a, b in zip(rows["from_index"], rows["to_index"], strict=True)
        ]
    steps.pop("", None)
    for scale in ("1000", "1000000"):
        assert sorted(marks["Start"][scale]) == sorted([video, *of[0]] for video, of in steps.items())
        assert sorted(marks["End"][scale]) == sorted([video, *of[-1]] for video, of in steps.items())
    near, far = (marks["Direction of travel"].get(scale, []) for scale in ("1000", "1000000"))
    assert len(near) > 4 * len(far)
    assert not [one for one in near if one[0] == "standing.mp4"]
    moving = [one for one in near if one[0] == "Fahrt ü 東京.mp4"]  # steps of some 11 m are 11 mm at 1:1000: every second has an arrow
    assert 0.4 <= len(moving) / len(steps["Fahrt ü 東京.mp4"]) <= 0.6


def test_regions_are_graded_by_level(found):
    one = found["regions"]
    assert [label for label, _, _ in one["rules"]] == ["All frames, 90 %", "All frames, 50 %", "One frame, 90 %", "One frame, 50 %"]
    assert [colour for _, _, colour in one["rules"]] == [REGION_COLOURS[90], REGION_COLOURS[50]] * 2
    assert one["count"] == 5 * (2 * 5 + 2)
    assert len(one["drawn"]) == 5 * 2  # the videos' own: a map without a time would show all frames' at once
    assert all(len(labels) == 1 for _, labels in one["drawn"])
    assert (one["active"], one["start"]) == (True, "time")


def test_colours_are_the_ramp(found):
    for layer in ("trajectory", "frames", "videos"):
        assert [colour for _, _, colour in found[layer]["rules"]][:6] == list(CLASS_COLOURS), layer
    for layer in ("frames", "videos"):
        assert STATES["unknown_ground"][::-1] in [(label, colour) for label, _, colour in found[layer]["rules"]]


def test_temporal_settings(found):
    assert (found["frames"]["active"], found["frames"]["start"]) == (True, "time")
    for layer in ("trajectory", "videos"):
        assert (found[layer]["active"], found[layer]["start"], found[layer]["end"]) == (True, "start_time", "end_time")
    assert not found["aoi"]["active"]


def test_times_are_datetimes_with_milliseconds_in_any_zone(found):
    assert found["frames"]["types"]["time"] == "DateTime"
    assert found["trajectory"]["types"]["start_time"] == found["trajectory"]["types"]["end_time"] == "DateTime"
    assert found["milliseconds"] == "2024-05-01T12:00:01.156"
    assert ["Fahrt ü 東京.mp4", 1] in found["in_window"]
    assert ["Fahrt ü 東京.mp4", 2] in found["in_window"]
    assert all(index in (1, 2) for _, index in found["in_window"])


def test_all_geometries_are_valid_for_processing(found):
    assert {layer: found[layer]["invalid"] for layer in ("trajectory", "frames", "videos", "regions", "aoi")} == {
        "trajectory": [], "frames": [], "videos": [], "regions": [], "aoi": [],
    }  # fmt: skip


def test_the_map_shows_several_confidences(found):
    with Image.open(found["picture"]) as picture:
        used = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20)}
    assert sum(tuple(int(c[i : i + 2], 16) for i in (1, 3, 5)) in used for c in COLOURS) >= 3


TIPS = """
import json, sys
from qgis.core import QgsApplication, QgsExpression, QgsVectorLayer
app = QgsApplication([], False)
app.initQgis()
found = {}
for name in ("frames", "regions"):
    layer = QgsVectorLayer(f"{sys.argv[1]}|layername={name}", name, "ogr")
    layer.loadNamedStyle(f"{sys.argv[2]}/{name}.qml")
    context = layer.createExpressionContext()
    found[name] = []
    for feature in layer.getFeatures():
        context.setFeature(feature)
        found[name].append(QgsExpression.replaceExpressionText(layer.mapTipTemplate(), context).split("<br>"))
print("FOUND" + json.dumps(found))
"""


def test_map_tips_name_the_place_where_it_is_known(tmp_path):
    """Also of a result that has no such columns, with today's style."""
    path = tmp_path / "out.gpkg"
    write_geopackage(path, [moved(unsure("orleans.mp4"), 47.9025, 1.9090), unsure("sandy.mp4")], PROVENANCE)

    def tips():
        command = [PYTHON, "-c", TIPS, path, ROOT / "resources" / "styles"]
        done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=120, check=False)
        assert "FOUND" in done.stdout, done.stderr[-3000:]
        return json.loads(done.stdout.split("FOUND", 1)[1])

    for rows in tips().values():
        assert {row[-1] == "Orleans, Centre, France" for row in rows if "orleans" in row[0] and "frame 2" not in row[0]} == {True}
        assert not [row for row in rows if "orleans" not in row[0] and "France" in row[-1]]
        assert not [row for row in rows if "%]" in "".join(row)]
    with closing(sqlite3.connect(path)) as database, database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        for layer in ("frames", "regions"):
            for name in ("city", "admin1", "country"):
                database.execute(f"ALTER TABLE {layer} DROP COLUMN {name}")
    for rows in tips().values():
        assert not [row for row in rows if "%]" in "".join(row) or "France" in row[-1]]


BEAKS = """
import json, sys
from qgis.core import (QgsApplication, QgsCoordinateReferenceSystem, QgsExpression, QgsExpressionContext, QgsExpressionContextUtils,
                       QgsMapRendererSequentialJob, QgsMapSettings, QgsRectangle, QgsVectorLayer)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor
app = QgsApplication([], False)
app.initQgis()
layer = QgsVectorLayer(f"{sys.argv[1]}|layername=frames", "frames", "ogr")
layer.loadDefaultStyle()
found = {}
for feature in layer.getFeatures():
    place = feature.geometry().asPoint()
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    settings.setExtent(QgsRectangle(place.x() - 1e-5, place.y() - 1e-5, place.x() + 1e-5, place.y() + 1e-5))
    settings.setOutputSize(QSize(200, 200))
    settings.setOutputDpi(240)
    settings.setBackgroundColor(QColor("#808000"))
    context = QgsExpressionContext()
    context.appendScope(QgsExpressionContextUtils.mapSettingsScope(settings))
    settings.setExpressionContext(context)
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    white = [(x - 99.5, 99.5 - y) for x in range(200) for y in range(200) if image.pixelColor(x, y).name() == "#ffffff"]
    of = layer.createExpressionContext()
    of.setFeature(feature)
    tip = QgsExpression.replaceExpressionText(layer.mapTipTemplate(), of)
    found[feature["frame_index"]] = [len(white), *[sum(side) / max(len(white), 1) for side in zip(*white)], tip.split("<br>")]
print("FOUND" + json.dumps(found))
"""


def test_a_beak_points_where_the_frame_goes(tmp_path):
    result = video_of("turns.mp4", -19.2 + np.arange(7) * 0.01, np.full(7, 159.9), np.full(7, 0.9))
    course = np.array([0.0, 47.0, 90.0, 180.0, 270.0, 359.8, np.nan])
    path = tmp_path / "out.gpkg"
    write_geopackage(path, [replace(result, trajectory=replace(result.trajectory, course_deg=course))], PROVENANCE)
    done = subprocess.run([PYTHON, "-c", BEAKS, path], capture_output=True, text=True, env=ENVIRONMENT, timeout=120, check=False)
    assert "FOUND" in done.stdout, done.stderr[-3000:]
    seen = json.loads(done.stdout.split("FOUND", 1)[1])
    assert seen["6"][0] == 0  # the dot alone
    for index, degrees in enumerate(course[:6]):
        count, east, north, _ = seen[str(index)]
        assert count > 50
        assert abs((np.degrees(np.arctan2(east, north)) - degrees + 180) % 360 - 180) < 6, index
    said = [[line for line in seen[str(index)][-1] if line.startswith("Course")] for index in range(7)]
    assert said == [
        ["Course N (0°)"],
        ["Course NE (47°)"],
        ["Course E (90°)"],
        ["Course S (180°)"],
        ["Course W (270°)"],
        ["Course N (0°)"],
        [],
    ]


@pytest.mark.slow
def test_committed_styles_are_what_the_tool_makes(tmp_path):
    version = subprocess.run(
        [PYTHON, "-c", "from qgis.core import Qgis; print(Qgis.QGIS_VERSION)"], capture_output=True, text=True, env=ENVIRONMENT, check=True
    ).stdout
    if not version.startswith("3.22."):
        pytest.skip(f"the committed styles are made by QGIS 3.22, here is {version.strip()}")
    subprocess.run([PYTHON, ROOT / "tools" / "make_styles.py", tmp_path], check=True, capture_output=True, env=ENVIRONMENT, timeout=120)
    for made in tmp_path.glob("*.qml"):
        first, second = (
            text.splitlines()[2:] for text in (made.read_text("utf-8"), (ROOT / "resources/styles" / made.name).read_text("utf-8"))
        )
        assert first == second, f"{made.name} is old: run tools/make_styles.py"


def test_styles_name_no_person_and_no_place_of_this_machine():
    for style in (ROOT / "resources" / "styles").glob("*.qml"):
        text = style.read_text(encoding="utf-8")
        assert "/home" not in text
        assert "/root" not in text
        assert "file:" not in text
