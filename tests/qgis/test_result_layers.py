"""The result's own layers in the project, loaded by QGIS's own code into a real layer tree: grouped, named, and each there once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from qgis.core import QgsExpression, QgsMapRendererSequentialJob, QgsMapSettings, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtWidgets import QApplication

from tests.qgis.common import SQUARE, Told, algorithm_of, context_of, polygons, run, until
from vidtag_qgis import frames, result_layers
from vidtag_qgis.edits import guard

pytestmark = pytest.mark.qgis
ROOT = Path(__file__).resolve().parent.parent.parent
MAKE = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.export_cases import PROVENANCE, unsure
from vidtag_engine.export import write_geopackage
from vidtag_engine.types import CandidateWay, FailedVideo, Match, VideoInfo, TimeSource
path, radius, *names = sys.argv[1:]
results = [unsure(name) for name in names if not name.startswith("broken")]
results = [replace(one, trajectory=replace(one.trajectory, confidence_radius_m=float(radius))) for one in results]
def matched(one):
    # Own images are kept back: of the videos that are called so.
    place = (float("nan"),) * 3 if "own" in one.info.name else (-19.22, 159.932, 90.0)
    return replace(one, matches=tuple(Match(int(index), 1, "panoramax", f"i{index}", 0.9, 0.1, *place) for index in one.trajectory.frame_index))
results = [matched(one) if "matched" in one.info.name else one for one in results]
def along(one):
    t = one.trajectory
    ways = tuple(CandidateWay(n + 1, 0.625 - 0.25 * n, t.lat_deg + 0.001 * n, t.lon_deg, ("A", "B")[:n]) for n in range(3))
    return replace(one, candidates=ways, trajectory=replace(t, street=("High Street",) * len(t.state)))
results = [along(one) if "roads" in one.info.name else one for one in results]
failed = [FailedVideo(replace(unsure(name).info, width_px=0, path=Path(name)), "It cannot be read.", "") for name in names if name.startswith("broken")]
write_geopackage(path, results, PROVENANCE, failed=failed, overwrite=True)
"""
KINDS = ["Frames", "Trajectory", "Videos", "Confidence regions"]
"""As the layer tree has them from the top."""


@pytest.fixture
def make(engine_python):
    def made(path: Path, *names: str, radius_m: float = 250.0) -> Path:
        variables = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [engine_python, "-c", MAKE, str(path), str(radius_m), *names], env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return path

    return made


@pytest.fixture
def load(plugin, monkeypatch):
    """Has Processing load what the algorithm asks it to, as its dialog does."""
    from processing.gui import Postprocessing

    monkeypatch.setattr(Postprocessing, "iface", None, raising=False)
    QgsProject.instance().clear()

    def loaded(path: Path, context=None) -> None:
        if context is None:
            context = context_of()
            result_layers.load(str(path), context)
        told = Told()
        assert Postprocessing.handleAlgorithmResults(algorithm_of("geolocatevideo"), context, told, parameters={}), told.said
        QApplication.processEvents()  # QGIS drops the layers of removed nodes later

    yield loaded
    QgsProject.instance().clear()


def tree(group=None) -> list:
    """Names in the layer tree: of layers, and of groups with what is in them."""
    children = (group or QgsProject.instance().layerTreeRoot()).children()
    return [
        (child.name(), tree(child)) if hasattr(child, "findLayer") and hasattr(child, "addGroup") else child.name() for child in children
    ]


def group_of(title: str, named: str = "") -> tuple[str, list[str]]:
    return title, [f"{kind} ({named or title})" for kind in KINDS]


def layer(name: str) -> QgsVectorLayer:
    [found] = QgsProject.instance().mapLayersByName(name)
    return found


def test_one_video_is_one_group_named_after_it(load, make, tmp_path):
    mine = QgsVectorLayer("Point?crs=EPSG:4326", "mine", "memory")
    QgsProject.instance().addMapLayer(mine)
    result = make(tmp_path / "r é.gpkg", "clip ü.mp4")
    load(result)
    assert tree() == [group_of("clip ü.mp4"), "mine"]
    points = layer("Frames (clip ü.mp4)")
    assert points.source() == f"{result}|layername=frames"
    assert frames.is_frames_layer(points)
    assert list(frames.video_files(points)) == ["clip ü.mp4"]
    assert frames.pinned_result(points) == str(result)  # "Check frames" sets pins beside it
    for kind in KINDS:
        one = layer(f"{kind} (clip ü.mp4)")
        assert one.featureCount() > 0
        assert one.readOnly()
        assert one.temporalProperties().isActive()
        assert one.renderer().type() == "RuleRenderer"
    times = [feature["time"].toString("zzz") for feature in points.getFeatures()]
    assert set(times) - {"000"}  # which copies lose in 3.22
    node = QgsProject.instance().layerTreeRoot().findLayer(layer("Videos (clip ü.mp4)").id())
    assert not node.isExpanded()


def test_reference_images_with_places_are_loaded_and_wait_to_be_shown(load, make, tmp_path):
    result = make(tmp_path / "r.gpkg", "matched.mp4")
    load(result)
    name = "Reference images that speak for frames (matched.mp4)"
    kinds = group_of("matched.mp4")[1]
    assert tree() == [("matched.mp4", [*kinds[:2], name, *kinds[2:]])]
    root = QgsProject.instance().layerTreeRoot()
    visible = {one.name(): root.findLayer(one.id()).itemVisibilityChecked() for one in QgsProject.instance().mapLayers().values()}
    assert visible == {**dict.fromkeys(kinds, True), name: False}
    matches = layer(name)
    assert matches.featureCount() == layer(kinds[0]).featureCount() > 0
    assert matches.readOnly()
    symbol = matches.renderer().symbol().symbolLayer(0)
    assert symbol.dataDefinedProperties().property(symbol.PropertyAngle).expressionString() == 'coalesce("heading_deg" - 90, 0)'
    assert "to_base64" in matches.mapTipTemplate()
    # Whoever has ticked it keeps it so when the video is located again.
    root.findLayer(matches.id()).setItemVisibilityChecked(True)
    load(make(result, "matched.mp4"))
    assert root.findLayer(layer(name).id()).itemVisibilityChecked()


def test_own_reference_images_without_places_and_older_results_load_none(load, make, tmp_path):
    result = make(tmp_path / "r.gpkg", "matched own.mp4", "matched.mp4", "clip.mp4")
    assert [one.video for one in result_layers.plan(str(result)) if one.kind == "matches"] == ["matched.mp4"]
    load(make(tmp_path / "s.gpkg", "matched own.mp4"))
    assert tree() == [group_of("matched own.mp4")]


def test_candidate_ways_are_loaded_under_the_trajectory_and_shown(load, make, tmp_path):
    result = make(tmp_path / "r.gpkg", "roads.mp4")
    load(result)
    name = "Candidate ways (roads.mp4)"
    kinds = group_of("roads.mp4")[1]
    assert tree() == [("roads.mp4", [*kinds[:2], name, *kinds[2:]])]
    ways = layer(name)
    assert QgsProject.instance().layerTreeRoot().findLayer(ways.id()).itemVisibilityChecked()
    assert ways.readOnly()
    assert [way["rank"] for way in ways.getFeatures()] == [1, 2, 3]
    context = ways.createExpressionContext()
    said, tips, rules = [], [], []
    for way in ways.getFeatures():
        context.setFeature(way)
        said.append(QgsExpression(ways.labeling().settings().fieldName).evaluate(context))
        tips.append(QgsExpression.replaceExpressionText(ways.mapTipTemplate(), context))
        drawn = [rule for rule in ways.renderer().rootRule().children() if QgsExpression(rule.filterExpression()).evaluate(context)]
        rules.append([rule.label() for rule in drawn])
    assert ways.labelsEnabled()
    assert said == ["1: 63 %", "2: 38 %", "3: 13 %"]
    assert [tip.endswith(streets) for tip, streets in zip(tips, (" m", "<br>A", "<br>A; B"))] == [True] * 3  # noqa: B905 - Python 3.9
    assert rules == [["Half of the ways that fit, or more"], ["A fifth to a half"], ["Less than a fifth"]]


def test_candidate_ways_are_loaded_of_the_videos_that_have_some(make, tmp_path):
    result = make(tmp_path / "r.gpkg", "roads.mp4", "clip.mp4")
    assert [one.video for one in result_layers.plan(str(result)) if one.kind == "candidates"] == ["roads.mp4"]
    (made,) = (rows for video, rows in frames.read_frames(QgsVectorLayer(f"{result}|layername=frames")).items() if video == "roads.mp4")
    assert {row.place.split(", ")[0] for row in made if row.point is not None} == {"High Street"}
    points = QgsVectorLayer(f"{result}|layername=frames")
    points.loadDefaultStyle()
    context = points.createExpressionContext()
    for point in points.getFeatures():
        context.setFeature(point)
        tip = QgsExpression.replaceExpressionText(points.mapTipTemplate(), context)
        assert ("High Street" in tip) == (point["video"] == "roads.mp4" and point.hasGeometry())
        assert "%]" not in tip


def heads(name: str) -> list[str]:
    return [rule.label() for rule in layer(name).renderer().rootRule().children() if rule.symbol() is None]


def test_the_legend_says_the_question_with_the_results_radius(load, make, tmp_path):
    load(make(tmp_path / "r.gpkg", "a.mp4", radius_m=250))
    assert heads("Frames (a.mp4)") == ["Probability that the camera was within 250 m of the point"]
    assert heads("Trajectory (a.mp4)") == ["Probability that the camera was within 250 m, at the less sure end"]
    assert heads("Videos (a.mp4)") == ["Mean probability that the camera was within 250 m of the point"]
    labels = [rule.label() for rule in layer("Frames (a.mp4)").renderer().rootRule().descendants()]
    assert "Not rated" in labels
    load(make(tmp_path / "r.gpkg", "a.mp4", radius_m=62.5))
    assert heads("Frames (a.mp4)") == ["Probability that the camera was within 62.5 m of the point"]


def test_several_videos_have_a_group_each(load, make, tmp_path):
    names = ["b.mp4", "a 'quoted' one.mp4", "c.mp4", "broken.mp4"]
    load(make(tmp_path / "r.gpkg", *names))
    assert tree() == [group_of(name) for name in names[:3]]
    for name in names[:3]:
        for kind in KINDS:
            assert {feature["video"] for feature in layer(f"{kind} ({name})").getFeatures()} == {name}


@pytest.mark.parametrize(("count", "groups"), [(8, 8), (9, 1)])
def test_a_folder_of_videos_is_one_group(load, make, tmp_path, count, groups):
    names = [f"{number}.mp4" for number in range(count)]
    load(make(tmp_path / "day 1.gpkg", *names))
    assert len(tree()) == groups
    assert len(QgsProject.instance().mapLayers()) == 4 * groups
    if groups == 1:
        assert tree() == [group_of("day 1")]
        assert {feature["video"] for feature in layer("Frames (day 1)").getFeatures()} == set(names)


def test_a_run_on_another_video_leaves_the_first_alone(load, make, tmp_path):
    first, second = make(tmp_path / "1.gpkg", "a.mp4"), make(tmp_path / "2.gpkg", "a.mp4")
    load(first)
    before = set(QgsProject.instance().mapLayers())
    load(second)
    assert tree() == [group_of("a.mp4")] * 2
    assert before < set(QgsProject.instance().mapLayers())
    sources = [one.source() for one in QgsProject.instance().layerTreeRoot().layerOrder()]
    assert [str(second) in source for source in sources] == [True] * 4 + [False] * 4


def test_a_run_into_the_same_file_doubles_nothing(load, make, tmp_path):
    result = make(tmp_path / "r.gpkg", "a.mp4", "b.mp4")
    load(result)
    ids = {one.name(): one.id() for one in QgsProject.instance().mapLayers().values()}
    assert layer("Frames (a.mp4)").featureCount() > 0
    with guard().writing([str(result)]):  # as around every run
        make(result, "a.mp4", "c.mp4")
    load(result)
    now = {one.name(): one.id() for one in QgsProject.instance().mapLayers().values()}
    assert tree() == [group_of("a.mp4"), group_of("c.mp4")]
    assert {name: identity for name, identity in now.items() if "a.mp4" in name} == {name: ids[name] for name in ids if "a.mp4" in name}
    with guard().writing([str(result)]):
        make(result, "d.mp4")
    load(result)
    assert tree() == [group_of("d.mp4")]
    with guard().writing([str(result)]):
        make(result, "e.mp4")
    load(result)
    assert tree() == [group_of("e.mp4")]
    assert {feature["video"] for feature in layer("Frames (e.mp4)").getFeatures()} == {"e.mp4"}


def test_what_a_person_has_named_styled_and_moved_stays_so(load, make, tmp_path):
    result = make(tmp_path / "r.gpkg", "a.mp4")
    load(result)
    points, lines = layer("Frames (a.mp4)"), layer("Trajectory (a.mp4)")
    points.setName("my points")
    points.setOpacity(0.5)
    root = QgsProject.instance().layerTreeRoot()
    node = root.findLayer(lines.id())
    root.insertChildNode(0, node.clone())
    node.parent().removeChildNode(node)
    root.children()[1].setName("my drive")
    with guard().writing([str(result)]):
        make(result, "b.mp4")
    load(result)
    assert tree() == ["Trajectory (b.mp4)", ("my drive", ["my points", "Videos (b.mp4)", "Confidence regions (b.mp4)"])]
    assert points.opacity() == 0.5
    QgsProject.instance().removeMapLayer(points.id())
    load(result)
    assert tree() == ["Trajectory (b.mp4)", ("my drive", ["Frames (b.mp4)", "Videos (b.mp4)", "Confidence regions (b.mp4)"])]


def test_in_the_group_that_processing_is_set_to(load, make, tmp_path):
    from processing.core.ProcessingConfig import ProcessingConfig

    before = ProcessingConfig.getSetting(ProcessingConfig.RESULTS_GROUP_NAME)
    ProcessingConfig.setSettingValue(ProcessingConfig.RESULTS_GROUP_NAME, "results é")
    try:
        load(make(tmp_path / "r.gpkg", "a.mp4", "b.mp4"))
    finally:
        ProcessingConfig.setSettingValue(ProcessingConfig.RESULTS_GROUP_NAME, before)
    assert tree() == [("results é", [group_of("a.mp4"), group_of("b.mp4")])]


def test_a_result_of_an_older_schema_is_drawn(load, tmp_path):
    """It does not say which step is the first and the last."""
    load(ROOT / "tests" / "fixtures" / "saved_files" / "schema_4.gpkg")
    [lines] = [one for one in QgsProject.instance().mapLayers().values() if one.name().startswith("Trajectory")]
    assert lines.fields().indexOf("ends") < 0
    settings = QgsMapSettings()
    settings.setLayers([lines])
    settings.setDestinationCrs(lines.crs())
    settings.setExtent(lines.extent().buffered(0.0005))
    settings.setOutputSize(QSize(300, 300))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    assert job.errors() == []
    image = job.renderedImage()
    colours = {image.pixelColor(x, y).name() for x in range(300) for y in range(300)}
    assert "#aeb6ea" in colours  # not rated
    assert not {"#1fa22e", "#d7191c"} & colours


@pytest.mark.slow
@pytest.mark.parametrize("load_them", [True, False, None])
def test_a_run_loads_them(load, engine_here, inputs, tmp_path, load_them):
    """And nothing twice: no copies unless they are asked for."""
    parameters = {
        "VIDEOS": [str(inputs / "a.mp4"), str(inputs / "b é.mp4")], "AOI": polygons(SQUARE), "CHECKPOINT": str(inputs / "wary"), "RESOLUTION": 25,
        "OUTPUT": str(tmp_path / "out é.gpkg"), **({} if load_them is None else {"LOAD": load_them}),
    }  # fmt: skip
    for _ in range(2):  # into the same file
        context = context_of()
        results = run(algorithm_of("geolocatevideo"), parameters, Told(), context)
        until(lambda: False, 0.2)  # the layers that are there read the new file
        load(tmp_path, context)
        if load_them is False:
            assert tree() == ["area"]
            continue
        withheld = ("b é.mp4", ["Frames (b é.mp4)", "Videos (b é.mp4)", "Confidence regions (b é.mp4)"])  # it has no line
        assert [one for one in tree() if one != "area"] == [group_of("a.mp4"), withheld]
        assert {feature["video"] for feature in layer("Frames (b é.mp4)").getFeatures()} == {"b é.mp4"}
    assert results["RESULT_FRAMES"] == f"{tmp_path}/out é.gpkg|layername=frames"
    for kind in ("TRAJECTORY", "FRAMES", "VIDEOS", "REGIONS"):
        assert QgsVectorLayer(results[f"RESULT_{kind}"], "x", "ogr").isValid()


def test_the_dialog_makes_no_copies_by_itself(plugin):
    algorithm = algorithm_of("geolocatevideo")
    definitions = {one.name(): one for one in algorithm.destinationParameterDefinitions()}
    assert {name for name, one in definitions.items() if one.createByDefault()} == {"OUTPUT"}
    assert algorithm.parameterDefinition("LOAD").defaultValue() is True
