"""Places without a probability and videos on unknown ground, as people meet them in QGIS: the dock, numbers, and models that they made before."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import subprocess
from pathlib import Path

import pytest
from qgis.core import QgsExpression, QgsGeometry, QgsProcessingModelAlgorithm, QgsProject, QgsVectorLayer

from tests.qgis.common import SQUARE, Told, algorithm_of, context_of, desktop_with_plugin, layer_of, polygons, qgis_run, run
from vidtag_qgis import frames, layers
from vidtag_qgis.compat import is_null
from vidtag_qgis.engine import _video_line
from vidtag_qgis.gui import workbench
from vidtag_qgis.wording import STATES

pytestmark = pytest.mark.qgis
ROOT = Path(__file__).resolve().parent.parent.parent
MODEL = Path(__file__).with_name("models") / "made_before.model3"
MAKE = """
import sys
from tests.export_cases import PROVENANCE, unsure
from vidtag_engine.export import write_geopackage
from vidtag_engine.types import FrameState
ground = FrameState.UNKNOWN_GROUND
cases = [unsure("plain.mp4", rated=False), unsure("ground.mp4", state=ground), unsure("asked.mp4", state=ground, always_answer=True, rated=False),
         unsure("rated.mp4")]
write_geopackage(sys.argv[1], cases, PROVENANCE)
"""


@pytest.fixture(scope="module")
def result(engine_python, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("not rated") / "r.gpkg"
    subprocess.run([engine_python, "-c", MAKE, str(path)], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    return path


@pytest.fixture
def desktop(qgis_processing, engine_here):
    desktop = desktop_with_plugin()
    yield desktop
    if desktop.plugin.provider is not None:
        desktop.plugin.unload()
    QgsProject.instance().clear()


def colours():
    """The engine's colours, without the engine."""
    spec = importlib.util.spec_from_file_location("colours", ROOT / "vidtag_engine" / "export" / "colours.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_dock_speaks_as_the_legend_does():
    assert {state: words.lower() for state, (_, words) in colours().STATES.items()} == STATES


def test_the_dock_says_not_rated_and_why(desktop, result):
    layer = QgsVectorLayer(f"{result}|layername=frames", "frames", "ogr")
    copy = QgsVectorLayer("Point?crs=EPSG:4326", "copy", "memory")
    frames.remember_videos(copy, str(result))
    assert frames.video_files(copy)["plain.mp4"].why == frames.video_files(layer)["plain.mp4"].why != ""
    QgsProject.instance().addMapLayer(layer)
    [action] = [action for action in desktop.tools if action.text() == workbench.TITLE]
    action.trigger()
    dock = desktop.plugin._actions.dock
    said = {}
    for name in ("plain.mp4", "ground.mp4", "asked.mp4", "rated.mp4"):
        dock.view.video_box.setCurrentIndex(dock.view.video_box.findData(name))
        said[name] = dock.view.facts_label.text().split("\n")[1]
        assert dock.marker.visible == (name != "ground.mp4")
    assert said["plain.mp4"] == "Located · not rated: this checkpoint cannot tell how sure it is (nothing has calibrated it)."
    assert said["ground.mp4"] == "Unknown ground, no place on the map: it is unknown_ground, by all that is known."
    assert said["asked.mp4"] == "Located · not rated: it is unknown_ground, by all that is known."
    assert said["rated.mp4"] == f"Confidence {dock.rows[0].confidence:.0%} · located"
    dock.show_row(2)
    assert dock.view.facts_label.text().endswith(" · located") or "Damaged, no place on the map" in dock.view.facts_label.text()
    dock.view.video_box.setCurrentIndex(dock.view.video_box.findData("plain.mp4"))
    dock.show_row(2)
    assert dock.view.facts_label.text().endswith("\nDamaged, no place on the map")  # that has a reason of its own


def test_tips_of_the_map_say_it(result):
    for kind, wanted in (("frames", "Not rated"), ("trajectory", "Not rated"), ("videos", "Not rated")):
        layer = QgsVectorLayer(f"{result}|layername={kind}", kind, "ogr")
        layers.finish(layer, kind)
        context = layer.createExpressionContext()
        told = {}
        for feature in layer.getFeatures():
            if feature.hasGeometry():
                context.setFeature(feature)
                told[feature["video"]] = QgsExpression.replaceExpressionText(layer.mapTipTemplate(), context)
        assert wanted in told["plain.mp4"], kind
        assert wanted not in told["rated.mp4"], kind
        assert "onfidence" in told["rated.mp4"], kind
    assert "<b>Not located: it is unknown_ground, by all that is known.</b>" in told["asked.mp4"]


def test_the_log_says_it_of_each_video():
    line = {"name": "a.mp4", "frames": 12, "located": 12, "mean_confidence": None}
    assert _video_line(line) == "a.mp4: 12 of 12 frames located, not rated."
    assert _video_line({**line, "located": 0}) == "a.mp4: 0 of 12 frames located."
    assert _video_line({**line, "mean_confidence": 0.5}) == "a.mp4: 12 of 12 frames located, mean confidence 0.50."


@pytest.mark.slow
@pytest.mark.parametrize("answer", [False, True])
def test_a_model_made_before_still_runs(plugin, engine_here, inputs, tmp_path, answer):
    """Its chain takes the mean confidence as a parameter's value, as a variable of expressions and as a condition; here there may be none."""
    model = QgsProcessingModelAlgorithm()
    assert model.fromFile(str(MODEL))
    assert model.validate()[0], model.validate()[1]
    model = model.create()
    outputs = {parameter.description(): parameter.name() for parameter in model.destinationParameterDefinitions()}
    places = {title: str(tmp_path / name) for title, name in (
        ("Result", "r.gpkg"), ("Frames", "f.gpkg"), ("Better", "b.gpkg"), ("Wide", "w.gpkg"), ("CSV", "r.csv"), ("Pictures", "pictures"),
    )}  # fmt: skip
    parameters = {
        "videos": [str(inputs / "b é.mp4")], "area": polygons(SQUARE), "checkpoint": str(inputs / "wary"), "answer": answer,
        **{name: places[title] for title, name in outputs.items()},
    }  # fmt: skip
    context, told = context_of(), Told()
    assert model.checkParameterValues(parameters, context) == (True, "")
    results, done = model.run(parameters, context, told, {}, False)
    assert done, told.said
    numbers = results["CHILD_RESULTS"]["locate"]
    located = list(layer_of(places["Frames"]).getFeatures("\"state\" = 'located'"))
    assert (numbers["LOCATED_COUNT"], numbers["UNFAMILIAR_COUNT"], numbers["UNKNOWN_GROUND_COUNT"]) == (len(located), 1, 0)
    assert numbers["WITHHELD_COUNT"] == (0 if answer else 1)
    assert len(located) == (6 if answer else 0)
    unrated = [frame for frame in located if is_null(frame["confidence"])]
    assert numbers["NOT_RATED_COUNT"] == len(unrated)
    assert is_null(numbers["MEAN_CONFIDENCE"]) == (len(unrated) == len(located))
    judged = [line for line in told.said if line.startswith("It is ")]
    grade = [] if is_null(numbers["MEAN_CONFIDENCE"]) else ["It is sure." if numbers["MEAN_CONFIDENCE"] >= 0.5 else "It is unsure."]
    assert sorted(judged) == sorted(grade + ([] if answer else ["It is withheld."]))
    with Path(places["CSV"]).open(encoding="utf-8", newline="") as handle:
        assert len(list(csv.DictReader(handle))) == 6
    if unrated:  # all of them: they are kept where nothing says that they are less sure
        assert len(list(Path(places["Pictures"]).glob("*.jpg"))) == len(unrated) == 6
    assert layer_of(places["Wide"]).featureCount() == 6


@pytest.mark.slow
def test_qgis_process_gives_every_number_also_where_nothing_is_rated(plugin, headless, inputs, tmp_path):
    area = tmp_path / "area.geojson"
    area.write_text(QgsGeometry.fromWkt(SQUARE).asJson(), encoding="utf-8")
    given = [f"VIDEOS={inputs}/b é.mp4", f"AOI={area}", f"CHECKPOINT={inputs}/wary", "RESOLUTION=25", f"OUTPUT={tmp_path}/out.gpkg"]
    status, results, text = qgis_run.run(given, headless)
    assert status == 0, text
    algorithm = algorithm_of("geolocatevideo")  # its outputs go with it
    declared = {output.name() for output in algorithm.outputDefinitions() if output.type() == "outputNumber"}
    assert declared <= set(json.loads(json.dumps(results, allow_nan=False)))
    assert {name: results[name] for name in ("WITHHELD_COUNT", "NOT_RATED_COUNT", "LOCATED_COUNT", "MEAN_CONFIDENCE")} == {
        "WITHHELD_COUNT": 1, "NOT_RATED_COUNT": 0, "LOCATED_COUNT": 0, "MEAN_CONFIDENCE": None,
    }  # fmt: skip


@pytest.mark.slow
def test_an_evaluation_counts_what_is_not_rated(plugin, engine_here, result, tmp_path):
    truth = tmp_path / "t.csv"
    layer = QgsVectorLayer(f"{result}|layername=frames", "frames", "ogr")
    rows = [f for f in layer.getFeatures("\"video\" = 'plain.mp4'") if f.hasGeometry()]
    lines = [f"{f['time_s']!r},{f.geometry().asPoint().y()!r},{f.geometry().asPoint().x()!r}" for f in rows]
    truth.write_text("\n".join(["time_s,lat_deg,lon_deg", *lines, ""]), encoding="utf-8")
    results = run(algorithm_of("evaluatetrajectory"), {"RESULT": str(result), "TRUTH_FILE": str(truth), "VIDEO": "plain.mp4"})
    assert (results["COMPARED_COUNT"], results["NOT_RATED_COUNT"]) == (5, 5)
    assert results["MEDIAN_M"] < 0.01
    assert (results["ECE"], results["BRIER"]) == (None, None)
