"""Pins and roads with the real engine, judged by QGIS's own means."""

from __future__ import annotations

import csv
import gc
import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsDistanceArea,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingUtils,
    QgsProject,
    QgsVectorLayer,
)

from tests.qgis.common import Told, a_second_s, algorithm_of, context_of, layer_of, problem_of, qgis_run, run, workers
from vidtag_qgis.compat import is_null
from vidtag_qgis.pins import PinsError, pin_fields, read_pins
from vidtag_qgis.roads import write_roads

pytestmark = [pytest.mark.qgis, pytest.mark.slow]
UTM, WGS84 = "EPSG:32757", "EPSG:4326"
HERE, DENIED = QgsPointXY(159.9307, -19.2213), QgsPointXY(159.9330, -19.2190)
Source = QgsProcessingModelChildParameterSource


def layer(kind: str, fields: str, rows: list[tuple[str, list]], crs: str = WGS84) -> QgsVectorLayer:
    """A layer of the project; rows are WKT and attributes."""
    made = QgsVectorLayer(f"{kind}?crs={crs}&{fields}", "drawn é", "memory")
    for wkt, values in rows:
        feature = QgsFeature(made.fields())
        feature.setGeometry(QgsGeometry.fromWkt(wkt) if wkt else QgsGeometry())
        feature.setAttributes(values)
        made.dataProvider().addFeatures([feature])
    QgsProject.instance().addMapLayer(made)
    return made


def transform(source: str, target: str) -> QgsCoordinateTransform:
    systems = (QgsCoordinateReferenceSystem(name) for name in (source, target))
    return QgsCoordinateTransform(*systems, QgsProject.instance().transformContext())


def grid_of_roads(step_m: float = 60.0, reach_m: float = 600.0) -> QgsVectorLayer:
    """Streets about the square, on the plane of UTM, as curves and with heights among them."""
    middle = transform(WGS84, UTM).transform(QgsPointXY(159.932, -19.220))
    x, y, count = middle.x() - reach_m, middle.y() - reach_m, int(2 * reach_m / step_m)
    lines = [f"LineString({x + i * step_m} {y}, {x + i * step_m} {y + 2 * reach_m})" for i in range(count + 1)]
    lines += [f"LineString({x} {y + i * step_m}, {x + 2 * reach_m} {y + i * step_m})" for i in range(count + 1)]
    return layer("LineString", "field=name:string", [(line, ["street"]) for line in lines], UTM)


def rows_of(path: str | Path, name: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(f"SELECT * FROM {name}").fetchall()


def by_frame(places: QgsVectorLayer) -> dict[int, QgsFeature]:
    return {feature["frame_index"]: feature for feature in places.getFeatures()}


def review_of(result) -> str:
    return str(Path(result).with_suffix(".review.gpkg"))


def pins_layer() -> QgsVectorLayer:
    """Two pins in another system, and one that is not selected and would be refused."""
    to_utm = transform(WGS84, UTM)
    rows = [
        (QgsGeometry.fromPointXY(to_utm.transform(HERE)).asWkt(9), [6, "here", "the church"]),
        (QgsGeometry.fromPointXY(to_utm.transform(DENIED)).asWkt(9), [9, "Not here", None]),
        (QgsGeometry.fromPointXY(to_utm.transform(HERE)).asWkt(9), [999, "here", None]),
    ]
    made = layer("Point", "field=nr:integer&field=said:string&field=why:string", rows, UTM)
    made.selectByIds([1, 2])
    return made


@pytest.fixture(scope="module")
def solved(engine_python, inputs, tmp_path_factory, request):
    """Solved once, with every output: results, context, feedback."""
    request.getfixturevalue("qgis_processing")
    patch = pytest.MonkeyPatch()
    patch.setenv("VIDTAG_ENGINE_PYTHON", engine_python)
    patch.setenv("VIDTAG_ENGINE_PATH", str(Path(__file__).resolve().parent.parent.parent))
    patch.setenv("OMP_NUM_THREADS", "1")
    from vidtag_qgis.algorithms.solve_with_pins import SolveWithPins

    folder, context, told = tmp_path_factory.mktemp("solved é"), context_of(), Told()
    pins = QgsProcessingFeatureSourceDefinition(pins_layer().id(), selectedFeaturesOnly=True)
    loaded = QgsProcessingOutputLayerDefinition(QgsProcessing.TEMPORARY_OUTPUT, QgsProject.instance())
    parameters = {
        "RESULT": f"{inputs}/a.gpkg|layername=frames", "PINS": pins, "FRAME_FIELD": "nr", "HERE_FIELD": "said", "RADIUS": 120, "WHO": "Ada",
        "OUTPUT": str(folder / "new" / "corrected.gpkg"), "TRAJECTORY": str(folder / "lines.gpkg"), "FRAMES": str(folder / "f.gpkg"),
        "REGIONS": loaded, "OUTPUT_CRS": QgsCoordinateReferenceSystem(UTM),
    }  # fmt: skip
    results = run(SolveWithPins().create(), parameters, told, context)
    patch.undo()
    return results, context, told


def test_pins_move_frames_and_the_models_own_stay(solved, inputs):
    results, context, told = solved
    output, own = results["OUTPUT"], inputs / "a.gpkg"
    for name in ("frames", "trajectory", "videos", "regions"):
        assert rows_of(output, name) == rows_of(own, name)
    assert not (own.parent / "a.review.gpkg").exists()
    before, after = (by_frame(layer_of(path, name)) for path, name in ((own, "frames"), (output, "frames_pinned")))
    assert set(after) == set(before)
    assert after[6].geometry().asPoint().distance(HERE) < 1e-9
    measure = QgsDistanceArea()
    measure.setEllipsoid("EPSG:7030")
    measure.setSourceCrs(QgsCoordinateReferenceSystem(WGS84), QgsProject.instance().transformContext())
    assert measure.measureLine(after[9].geometry().asPoint(), DENIED) > 100  # its radius, less half a step of the grid
    moves = {i: measure.measureLine(before[i].geometry().asPoint(), after[i].geometry().asPoint()) for i in before}
    assert results["MOVED_COUNT"] == sum(move > 0 for move in moves.values()) > 1
    assert results["FARTHEST_M"] == pytest.approx(max(moves.values()), abs=0.1)
    assert (results["VIDEO_COUNT"], results["PIN_COUNT"]) == (1, 2)
    assert any(line.startswith("a.mp4: 2 pins, ") for line in told.said)
    pins = {pin["frame_index"]: pin for pin in layer_of(review_of(output), "pins").getFeatures()}
    assert {index: (pin["here"], pin["radius_m"], pin["who"], pin["video"]) for index, pin in pins.items()} == {
        6: (True, 120, "Ada", "a.mp4"), 9: (False, 120, "Ada", "a.mp4"),
    }  # fmt: skip
    assert pins[6]["why"] == "the church"
    assert pins[6]["when"].isValid()
    assert [pins[index]["time_s"] for index in (6, 9)] == [by_frame(layer_of(own, "frames"))[index]["time_s"] for index in (6, 9)]
    digests = {row["sha256"] for row in layer_of(own, "videos").getFeatures()}
    assert {pin["sha256"] for pin in pins.values()} == digests
    style = layer_of(review_of(output), "pins")
    assert [rule.label() for rule in style.renderer().rootRule().children()] == ["Here", "Not here"]


def test_corrected_layers_are_styled_timed_and_where_they_were_asked(solved):
    results, context, told = solved
    frames, lines = layer_of(results["FRAMES"]), layer_of(results["TRAJECTORY"])
    regions = QgsProcessingUtils.mapLayerFromString(results["REGIONS"], context)
    assert {one.crs().authid() for one in (frames, lines, regions)} == {UTM}
    to_utm = transform(WGS84, UTM)
    assert by_frame(frames)[6].geometry().asPoint().distance(to_utm.transform(HERE)) < 0.001
    assert lines.featureCount() == 11
    assert {region["level"] for region in regions.getFeatures()} == {50, 90}
    assert by_frame(frames)[6]["time_iso"] == "2024-05-01T10:00:03.000Z"
    gc.collect()
    [(identity, details)] = context.layersToLoadOnCompletion().items()
    assert identity == results["REGIONS"]
    details.postProcessor().postProcessLayer(regions, context, told)
    assert regions.temporalProperties().isActive()
    assert regions.temporalProperties().startField() == "time"
    assert len(regions.renderer().rootRule().children()) == 4
    # In the GeoPackage, too, each layer brings its own style.
    for name in ("frames_pinned", "trajectory_pinned", "regions_pinned"):
        assert layer_of(results["OUTPUT"], name).renderer().type() != "singleSymbol"


def test_the_corrected_answer_is_what_is_exported_and_evaluated(solved, plugin, engine_here, inputs, tmp_path, qgis_processing):
    """Unless the model's own is asked for; as QGIS reads and measures them."""
    import processing

    result = solved[0]["OUTPUT"]
    for answer, name in ((None, "frames_pinned"), ("model", "frames")):
        places = by_frame(layer_of(result, name))
        chosen = {"RESULT": result} if answer is None else {"RESULT": result, "ANSWER": answer}
        table, pictures, told = tmp_path / f"{name}.csv", tmp_path / name, Told()
        run(
            algorithm_of("exporttrajectory"),
            {**chosen, "CSV": str(table), "FRAMES": str(pictures), "VIDEOS": [str(inputs / "a.mp4")]},
            told,
        )
        assert any("'Solve with pins' was taken for a.mp4" in line for line in told.said) == (answer is None)
        rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
        found = {int(row["frame_index"]): QgsPointXY(float(row["lon_deg"]), float(row["lat_deg"])) for row in rows}
        assert all(found[index].distance(frame.geometry().asPoint()) < 1e-9 for index, frame in places.items())
        assert (found[6].distance(HERE) < 1e-9) == (answer is None)
        photos = processing.run("native:importphotos", {"FOLDER": str(pictures), "OUTPUT": QgsProcessing.TEMPORARY_OUTPUT})["OUTPUT"]
        for photo in photos.getFeatures():
            place = photo.geometry().constGet()
            assert found[int(photo["filename"][-6:])].distance(QgsPointXY(place.x(), place.y())) < 1e-6
        errors = tmp_path / f"{name}_errors.gpkg"
        run(algorithm_of("evaluatetrajectory"), {**chosen, "TRUTH_FILE": str(inputs / "a.gpx"), "ERRORS": str(errors)}, told)
        assert any("solved with pins set by a person" in line for line in told.said) == (answer is None)
        for line in layer_of(errors).getFeatures():
            begin = QgsPointXY(next(line.geometry().vertices()))
            assert begin.distance(places[line["frame_index"]].geometry().asPoint()) < 1e-9


def test_the_corrected_line_is_what_is_laid_on_roads(solved, plugin, engine_here, tmp_path):
    """Unless the model's own is asked for."""
    given = {"RESULT": solved[0]["OUTPUT"], "ROADS": grid_of_roads()}
    lines = {}
    for answer in ("auto", "model"):
        told, place = Told(), str(tmp_path / f"{answer}.gpkg")
        run(algorithm_of("matchroads"), {**given, "ANSWER": answer, "MATCHED": place}, told)
        assert any("the line of 'Solve with pins'" in line for line in told.said) == (answer == "auto")
        lines[answer] = [line.geometry().asWkt(6) for line in layer_of(place).getFeatures()]
    assert lines["auto"] != lines["model"]


def test_a_corrected_answer_that_is_not_there_is_refused(plugin, engine_here, inputs, solved):
    for name, more in (
        ("exporttrajectory", {"CSV": "/tmp/o.csv"}),
        ("evaluatetrajectory", {"TRUTH_FILE": str(inputs / "a.gpx")}),
        ("matchroads", {"ROADS": grid_of_roads(), "MATCHED": "memory:"}),
    ):
        assert "has no pinned answer: run 'Solve with pins'" in problem_of(
            name, {"RESULT": str(inputs / "a.gpkg"), "ANSWER": "pinned", **more}
        )
        assert problem_of(name, {"RESULT": solved[0]["OUTPUT"], "ANSWER": "pinned", **more}) == ""
        assert problem_of(name, {"RESULT": str(inputs / "a.gpkg"), **more}) == ""


def test_a_corrected_result_can_be_corrected_again(solved, headless, tmp_path):
    """Its own pins and its shared scores, through qgis_process, say the same once more."""
    results, _, _ = solved
    given = [f"RESULT={results['OUTPUT']}", f"OUTPUT={tmp_path}/again.gpkg", f"FRAMES={tmp_path}/frames.geojson"]
    status, again, text = qgis_run.run(given, headless, "vidtag:solvewithpins")
    assert status == 0, text
    assert again["PIN_COUNT"] == 2
    assert rows_of(tmp_path / "again.gpkg", "frames_pinned") == rows_of(results["OUTPUT"], "frames_pinned")
    assert len(json.loads((tmp_path / "frames.geojson").read_text(encoding="utf-8"))["features"]) == 12
    assert "REGIONS" not in again


def test_pins_for_the_engine(plugin):
    """Every way to say it, without an engine."""
    drawn = layer(
        "MultiPoint",
        "field=frame_index:double&field=here:bool&field=radius_m:double&field=who:string&field=when:datetime&field=video:string",
        [("MultiPoint((1 2),(3 4))", [4.0, False, 7.5, "Bob", None, "a.mp4"]), ("MultiPoint((5 6))", [0.0, None, None, " ", None, None])],
    )

    def pins_of(one, *names, **more):
        said = {"meaning": "here", "radius_m": 50.0, "who": "Ada", "context": context_of(), "feedback": Told(), **more}
        return read_pins(one, pin_fields(one, *names), **said)

    first = {"frame_index": 4, "video": "a.mp4", "here": False, "radius_m": 7.5, "who": "Bob"}
    assert pins_of(drawn) == [
        {**first, "lon_deg": 1, "lat_deg": 2}, {**first, "lon_deg": 3, "lat_deg": 4},
        {"frame_index": 0, "here": True, "radius_m": 50.0, "who": "Ada", "lon_deg": 5, "lat_deg": 6},
    ]  # fmt: skip
    assert [pin["here"] for pin in pins_of(drawn, meaning="not here")] == [False, False, False]
    timed = layer(
        "Point",
        "field=frame_index:integer&field=time_s:double&field=sha256:string",
        [("Point(1 2)", [7, 3.5, "ab"]), ("Point(3 4)", [8, None, None])],
    )
    usual = {"here": True, "radius_m": 50.0, "who": "Ada"}
    assert pins_of(timed) == [
        {**usual, "time_s": 3.5, "sha256": "ab", "lon_deg": 1, "lat_deg": 2}, {**usual, "frame_index": 8, "lon_deg": 3, "lat_deg": 4},
    ]  # fmt: skip
    assert [pin["frame_index"] for pin in pins_of(timed, "frame_index")] == [7, 8]  # asked for by name
    words = ["here", "NOT HERE", "1", "no", None]
    said = layer("Point", "field=n:integer&field=w:string", [("Point(1 1)", [0, word]) for word in words])
    assert [pin["here"] for pin in pins_of(said, "n", "", "w")] == [True, False, True, False, True]
    kinds = layer("Point", "field=n:integer&field=w:string", [("Point(1 1)", [0, word]) for word in ("confirmed", "here")])
    assert [(pin["here"], pin.get("confirmed")) for pin in pins_of(kinds, "n", "", "w")] == [(True, True), (True, None)]
    review = layer(  # as in a review file: what was unticked is not confirmed any more
        "Point",
        "field=frame_index:integer&field=here:bool&field=confirmed:bool",
        [
            ("Point(1 1)", [0, True, True]),
            ("Point(1 1)", [1, False, True]),
            ("Point(1 1)", [2, True, False]),
            ("Point(1 1)", [3, True, None]),
        ],
    )
    assert [(pin["here"], pin.get("confirmed")) for pin in pins_of(review)] == [(True, True), (False, None), (True, None), (True, None)]
    for bad, names, sentence in (
        (layer("Point", "field=n:integer", [("Point(1 1)", [0])]), (), "which frame"),
        (layer("LineString", "field=frame_index:integer", []), (), "are no points"),
        (layer("Point", "field=frame_index:integer", [], ""), (), "no coordinate reference system"),
        (layer("Point", "field=frame_index:integer", []), (), "no pin"),
        (layer("Point", "field=frame_index:integer", [("", [1])]), (), "Pin 1 of 'drawn é' has no place"),
        (layer("Point", "field=frame_index:integer", [("Point(1 1)", [None])]), (), "does not say its frame"),
        (layer("Point", "field=n:double", [("Point(1 1)", [1.5])]), ("n",), "whole number in its field 'n'"),
        (layer("Point", "field=n:integer&field=w:string", [("Point(1 1)", [1, "maybe"])]), ("n", "", "w"), "says 'maybe' in its field 'w'"),
    ):
        with pytest.raises(PinsError, match=sentence):
            pins_of(bad, *names)


def test_pins_that_do_not_fit_and_cancel_leave_nothing(plugin, engine_here, inputs, tmp_path):
    parameters = {"RESULT": str(inputs / "a.gpkg"), "OUTPUT": str(tmp_path / "new" / "c.gpkg")}
    wrong = layer("Point", "field=frame_index:integer", [("Point(159.932 -19.22)", [99])])
    with pytest.raises(QgsProcessingException, match=r"no frame 99.*0 to 11"):
        run(algorithm_of("solvewithpins"), {**parameters, "PINS": wrong})
    with pytest.raises(QgsProcessingException, match="has no pins"):
        run(algorithm_of("solvewithpins"), parameters)
    told = Told()
    told.cancel()
    began = time.monotonic()
    right = layer("Point", "field=frame_index:integer", [("Point(159.932 -19.22)", [3])])
    with pytest.raises(QgsProcessingException, match="Cancelled; nothing was written"):
        run(algorithm_of("solvewithpins"), {**parameters, "PINS": right}, told)
    assert time.monotonic() - began < a_second_s()
    assert list((tmp_path / "new").iterdir()) == []
    assert not workers()


def test_what_cannot_be_solved_or_matched_is_refused(plugin, engine_here, inputs, tmp_path):
    result, roads = str(inputs / "a.gpkg"), grid_of_roads()
    with closing(sqlite3.connect(result)) as source, closing(sqlite3.connect(tmp_path / "bare.gpkg")) as copy:
        source.backup(copy)
    pins = layer("Point", "field=id:integer", [])
    for name, changes, said in (
        ("solvewithpins", {"RESULT": "/no/such.gpkg"}, "result /no/such.gpkg is not there"),
        ("solvewithpins", {"RESULT": str(tmp_path / "bare.gpkg")}, "no scores beside it.*'Keep scores for pins'"),
        ("solvewithpins", {"PINS": pins}, "which frame"),
        ("solvewithpins", {"PINS": "/no/such.gpkg"}, "Pins|PINS"),
        ("solvewithpins", {"OUTPUT": result}, "Result .input. and Corrected result go to the same file"),
        ("solvewithpins", {"OUTPUT": "/tmp/x.shp"}, "must end in .gpkg"),
        ("solvewithpins", {"FRAMES": "/tmp/x.gpkg", "REGIONS": "/tmp/x.gpkg"}, "Corrected frames and Confidence regions go to the same"),
        ("solvewithpins", {"PINS": f"{result}|layername=frames", "FRAMES": result}, "go to the same file"),
        ("matchroads", {"RESULT": __file__}, "is no GeoPackage"),
        ("matchroads", {"ROADS": None}, "ROADS|Roads"),
        ("matchroads", {"ROADS": layer("LineString", "field=a:integer", [], "")}, "no coordinate reference system"),
        ("matchroads", {"MATCHED": result}, "Result .input. and Matched trajectory go to the same file"),
        ("matchroads", {"MATCHED": "/tmp/x.gpkg", "OUTPUT": "/tmp/x.gpkg"}, "go to the same file"),
        ("matchroads", {"OUTPUT": "/etc/passwd/x.gpkg"}, "/etc/passwd is no folder"),
    ):
        usual = (
            {"RESULT": result, "OUTPUT": "/tmp/c.gpkg"}
            if name == "solvewithpins"
            else {"RESULT": result, "ROADS": roads, "MATCHED": "memory:"}
        )
        text = problem_of(name, {**usual, **changes})
        assert re.search(said, text), (name, changes, text)
        assert problem_of(name, usual) == ""


@pytest.fixture
def matched(plugin, engine_here, inputs, tmp_path):
    parameters = {
        "RESULT": str(inputs / "a.gpkg"), "ROADS": grid_of_roads(), "MATCHED": str(tmp_path / "matched.gpkg"), "OUTPUT": str(tmp_path / "new" / "with é.gpkg"),
    }  # fmt: skip
    return run(algorithm_of("matchroads"), parameters)


def test_the_matched_line_lies_on_the_roads(matched, inputs):
    roads = QgsGeometry.unaryUnion([road.geometry() for road in grid_of_roads().getFeatures()]).buffer(0.5, 4)
    lines, to_utm = layer_of(matched["MATCHED"]), transform(WGS84, UTM)
    measure = QgsDistanceArea()
    measure.setEllipsoid("EPSG:7030")
    measure.setSourceCrs(QgsCoordinateReferenceSystem(WGS84), QgsProject.instance().transformContext())
    assert 1 <= lines.featureCount() <= 11
    for line in lines.getFeatures():
        geometry = QgsGeometry(line.geometry())
        assert measure.measureLength(geometry) == pytest.approx(line["length_m"], abs=0.01)
        geometry.transform(to_utm)
        assert roads.contains(geometry)
    assert matched["LOCATED_COUNT"] == 12
    assert 2 <= matched["MATCHED_COUNT"] <= 12
    assert 0 < matched["MOVED_M"] < 45  # streets are 60 m apart
    assert rows_of(matched["OUTPUT"], "trajectory") == rows_of(inputs / "a.gpkg", "trajectory")
    beside = layer_of(matched["OUTPUT"], "trajectory_matched")
    assert [f.geometry().asWkt() for f in beside.getFeatures()] == [f.geometry().asWkt() for f in lines.getFeatures()]
    [head, *marks] = beside.renderer().rootRule().children()
    assert [rule.label() for rule in head.children()][-2:] == ["80–100 %", "Not rated"]
    assert [rule.label() for rule in marks] == ["Direction of travel", "Start", "End"]
    ends = [step["ends"] for step in sorted(beside.getFeatures(), key=lambda step: step["from_index"]) if not is_null(step["ends"])]
    assert ends == ["start", "end"]


def test_matching_is_cancelled_within_a_second(plugin, engine_here, inputs, tmp_path):
    told = Told(cancel_at="Laying the line")  # the engine is at work
    parameters = {"RESULT": str(inputs / "a.gpkg"), "ROADS": grid_of_roads(3.0), "MATCHED": str(tmp_path / "new" / "m.gpkg")}
    with pytest.raises(QgsProcessingException, match="nothing was written"):
        run(algorithm_of("matchroads"), parameters, told)
    assert time.monotonic() - told.cancelled_s < a_second_s()
    assert not (tmp_path / "new").exists()
    assert not workers()


def test_roads_for_the_engine(plugin, inputs, tmp_path):
    """Only what lies near, straight and flat, in its own system."""
    middle = transform(WGS84, UTM).transform(QgsPointXY(159.932, -19.220))
    x, y = middle.x(), middle.y()
    drawn = layer(
        "CompoundCurveZ",
        "field=id:integer",
        [
            (f"CompoundCurveZ(CircularStringZ({x} {y} 5, {x + 100} {y + 100} 6, {x + 200} {y} 7))", [1]),
            (f"CompoundCurveZ(({x} {y + 9e5} 5, {x + 100} {y + 9e5} 6))", [2]),
        ],
        UTM,
    )
    assert write_roads(drawn, str(inputs / "a.gpkg"), str(tmp_path / "r.gpkg"), context_of(), Told()) == 1
    [road] = layer_of(tmp_path / "r.gpkg").getFeatures()
    assert road.geometry().constGet().wktTypeStr() == "MultiLineString"
    assert road.geometry().length() == pytest.approx(3.14159265 * 100, rel=1e-3)
    assert layer_of(tmp_path / "r.gpkg").crs().authid() == UTM


def test_roads_of_another_place_are_told(plugin, engine_here, inputs):
    far = layer("LineString", "field=id:integer", [("LineString(10 10, 10.1 10)", [1])])
    with pytest.raises(QgsProcessingException, match="No road of 'drawn é' lies near the line"):
        run(algorithm_of("matchroads"), {"RESULT": str(inputs / "a.gpkg"), "ROADS": far, "MATCHED": "memory:"})


def child(model, name: str, sources: dict, outputs: dict[str, str]) -> None:
    step = QgsProcessingModelChildAlgorithm(f"vidtag:{name}")
    step.setChildId(name)
    for parameter, source in sources.items():
        step.addParameterSources(parameter, [source])
    results = {}
    for title, output in outputs.items():
        results[title] = QgsProcessingModelOutput(title, title)
        results[title].setChildId(name)
        results[title].setChildOutputName(output)
    step.setModelOutputs(results)
    model.addChildAlgorithm(step)


def test_they_work_in_a_model_and_in_processing_run(plugin, engine_here, inputs, tmp_path):
    import processing

    model = QgsProcessingModelAlgorithm("Correct, then match", "VidTAG")
    for parameter in (
        QgsProcessingParameterFile("result", "Result"),
        QgsProcessingParameterFeatureSource("pins", "Pins", [QgsProcessing.SourceType.TypeVectorPoint]),
        QgsProcessingParameterFeatureSource("roads", "Roads", [QgsProcessing.SourceType.TypeVectorLine]),
    ):
        model.addModelParameter(parameter, QgsProcessingModelParameter(parameter.name()))
    static = {"MEANING": Source.fromStaticValue("here"), "RADIUS": Source.fromStaticValue(50)}
    child(model, "solvewithpins", {"RESULT": Source.fromModelParameter("result"), "PINS": Source.fromModelParameter("pins"), **static}, {})
    roads = {"RESULT": Source.fromChildOutput("solvewithpins", "OUTPUT"), "ROADS": Source.fromModelParameter("roads")}
    child(model, "matchroads", roads, {"Matched": "MATCHED", "Whole": "OUTPUT"})
    assert model.validate()[0], model.validate()[1]
    pins = layer("Point", "field=frame_index:integer", [(QgsGeometry.fromPointXY(HERE).asWkt(), [6])])
    names = {parameter.description(): parameter.name() for parameter in model.destinationParameterDefinitions()}
    outputs = {names["Matched"]: str(tmp_path / "m.gpkg"), names["Whole"]: str(tmp_path / "w.gpkg")}
    processing.run(model, {"result": str(inputs / "a.gpkg"), "pins": pins, "roads": grid_of_roads(), **outputs}, context=context_of())
    assert layer_of(tmp_path / "m.gpkg").featureCount() >= 1
    frames = by_frame(layer_of(tmp_path / "w.gpkg", "frames_pinned"))
    assert frames[6].geometry().asPoint().distance(HERE) < 1e-9


def test_roads_without_a_window(headless, inputs, tmp_path):
    import processing

    roads = processing.run(
        "native:reprojectlayer", {"INPUT": grid_of_roads(), "TARGET_CRS": WGS84, "OUTPUT": str(tmp_path / "roads é.gpkg")}
    )
    given = [f"RESULT={inputs}/a.gpkg", f"ROADS={roads['OUTPUT']}", f"MATCHED={tmp_path}/m.geojson"]
    status, results, text = qgis_run.run(given, headless, "vidtag:matchroads")
    assert status == 0, text
    assert "OUTPUT" not in results
    features = json.loads((tmp_path / "m.geojson").read_text(encoding="utf-8"))["features"]
    assert len(features) >= 1
    assert {feature["properties"]["video"] for feature in features} == {"a.mp4"}
