"""No file of the user's is lost to an output, whoever writes it, and no edit either."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProject,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from tests.qgis.common import SQUARE, Told, algorithm_of, context_of, layer_of, polygons, problem_of, run, until
from vidtag_qgis.algorithms.checks import target_of
from vidtag_qgis.edits import guard
from vidtag_qgis.engine_client.file_marks import own_kind

pytestmark = pytest.mark.qgis
EXTENT = "159.930,159.934,-19.222,-19.218 [EPSG:4326]"


@pytest.fixture(autouse=True)
def clean_project(qgis_processing):
    yield
    for layer in QgsProject.instance().mapLayers().values():
        if isinstance(layer, QgsVectorLayer) and layer.isEditable():
            layer.rollBack()
    QgsProject.instance().removeAllMapLayers()


def saved(path: Path, *names: str, wkt: str = SQUARE) -> Path:
    """A GeoPackage of a person's, with these layers, as QGIS saves it."""
    for number, name in enumerate(names):
        layer = QgsVectorLayer("Polygon?crs=EPSG:4326&field=name:string", name, "memory")
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        feature.setAttributes(["mine"])
        layer.dataProvider().addFeatures([feature])
        options = QgsVectorFileWriter.SaveVectorOptions()
        options.driverName, options.layerName = "GPKG", name
        writes = QgsVectorFileWriter.ActionOnExistingFile
        options.actionOnExistingFile = writes.CreateOrOverwriteLayer if number else writes.CreateOrOverwriteFile
        QgsVectorFileWriter.writeAsVectorFormatV3(layer, str(path), QgsProject.instance().transformContext(), options)
    return path


def given(name: str, inputs: Path) -> dict:
    """Parameters of an algorithm that want no more than its outputs."""
    result = {"RESULT": str(inputs / "a.gpkg")}
    return {
        "geolocatevideo": {"VIDEOS": [str(inputs / "a.mp4")], "EXTENT": EXTENT, "CHECKPOINT": str(inputs / "checkpoint"), "RESOLUTION": 50},
        "gridgallery": {"EXTENT": EXTENT, "RESOLUTION": 50},
        "similarityheatmap": {"VIDEO": str(inputs / "a.mp4"), "EXTENT": EXTENT, "CHECKPOINT": str(inputs / "checkpoint"), "RESOLUTION": 50},
        "solvewithpins": {**result, "PINS": pins()},
        "matchroads": {**result, "ROADS": polygons("LINESTRING(159.93 -19.222, 159.934 -19.218)", kind="LineString")},
        "evaluatetrajectory": {**result, "TRUTH_FILE": str(inputs / "a.gpx")},
        "exporttrajectory": result,
        "finetune": {"VIDEOS": [str(inputs / "a.mp4")], "TRACKS": [str(inputs / "a.gpx")], "EXTENT": EXTENT},
        "checkengine": {},
        "guesscity": {"VIDEOS": [str(inputs / "a.mp4")], "CHECKPOINT": str(inputs / "cities")},
    }[name]


def pins() -> QgsVectorLayer:
    layer = QgsVectorLayer("Point?crs=EPSG:4326&field=frame_index:integer", "pins", "memory")
    feature = QgsFeature(layer.fields())
    feature.setGeometry(QgsGeometry.fromWkt("POINT(159.931 -19.221)"))
    feature.setAttributes([5])
    layer.dataProvider().addFeatures([feature])
    QgsProject.instance().addMapLayer(layer)
    return layer


FILES = [
    ("geolocatevideo", "OUTPUT", "o.gpkg"), ("geolocatevideo", "KML", "o.kml"), ("geolocatevideo", "MAP", "o.png"),
    ("gridgallery", "OUTPUT", "o.gpkg"), ("similarityheatmap", "OUTPUT", "o.tif"), ("similarityheatmap", "PNG", "o.png"),
    ("solvewithpins", "OUTPUT", "o.gpkg"), ("matchroads", "OUTPUT", "o.gpkg"), ("evaluatetrajectory", "REPORT", "o.html"),
    ("evaluatetrajectory", "MAP", "o.png"), ("evaluatetrajectory", "JSON", "o.json"), ("exporttrajectory", "KML", "o.kml"),
    ("exporttrajectory", "GPX", "o.gpx"), ("exporttrajectory", "GEOJSON", "o.geojson"), ("exporttrajectory", "CSV", "o.csv"),
    ("checkengine", "OUTPUT", "o.html"), ("guesscity", "OUTPUT", "o.gpkg"),
]  # fmt: skip
SINKS = [
    ("geolocatevideo", "TRAJECTORY"), ("geolocatevideo", "FRAMES"), ("geolocatevideo", "REGIONS"), ("geolocatevideo", "TRACK"),
    ("exporttrajectory", "TRACK"), ("solvewithpins", "TRAJECTORY"),
    ("solvewithpins", "FRAMES"), ("solvewithpins", "REGIONS"), ("matchroads", "MATCHED"), ("evaluatetrajectory", "ERRORS"),
    ("guesscity", "PLACES"),
]  # fmt: skip


def parameters_of(name: str, inputs: Path, tmp_path: Path, **outputs) -> dict:
    main = {"OUTPUT": str(tmp_path / "main.gpkg")} if name in {"geolocatevideo", "solvewithpins", "guesscity"} else {}
    main |= {"MATCHED": QgsProcessing.TEMPORARY_OUTPUT} if name == "matchroads" else {}
    main |= {"OUTPUT": str(tmp_path / "main.tif")} if name == "similarityheatmap" else {}
    return {**given(name, inputs), **main, **outputs}


def refused_twice(name: str, parameters: dict) -> str:
    """What is said before a run, and by the run itself where nobody asked before."""
    said = problem_of(name, parameters)
    with pytest.raises(QgsProcessingException) as raised:
        algorithm_of(name).run(parameters, context_of(), Told(), {}, False)
    assert str(raised.value) == said
    return said


@pytest.mark.parametrize(("name", "output", "file"), FILES)
def test_a_foreign_file_stays(plugin, engine_here, inputs, tmp_path, name, output, file):
    foreign = tmp_path / file
    foreign.write_bytes(b"a person's own")
    said = refused_twice(name, parameters_of(name, inputs, tmp_path, **{output: str(foreign)}))
    assert file in said
    assert "tick 'Overwrite'" in said
    assert foreign.read_bytes() == b"a person's own"
    allowed = parameters_of(name, inputs, tmp_path, **{output: str(foreign)}, OVERWRITE=True)
    assert problem_of(name, allowed) == ""


@pytest.mark.parametrize(("name", "output"), SINKS)
def test_a_geopackage_with_layers_of_a_persons_stays(plugin, engine_here, inputs, tmp_path, name, output):
    foreign = saved(tmp_path / "project é.gpkg", "parcels", "roads")
    before = foreign.read_bytes()
    said = refused_twice(name, parameters_of(name, inputs, tmp_path, **{output: str(foreign)}))
    assert "2 layers (parcels, roads), which would be lost: choose 'Save to GeoPackage…'" in said
    assert foreign.read_bytes() == before
    table = f"ogr:dbname='{foreign}' table=\"new\" (geom)"
    assert problem_of(name, parameters_of(name, inputs, tmp_path, **{output: table})) == ""
    taken = f"ogr:dbname='{foreign}' table=\"Roads\" (geom)"
    assert "has a layer 'Roads' already" in refused_twice(name, parameters_of(name, inputs, tmp_path, **{output: taken}))
    other = tmp_path / "track.geojson"
    other.write_text('{"type": "FeatureCollection", "features": []}')
    assert "track.geojson exists" in refused_twice(name, parameters_of(name, inputs, tmp_path, **{output: str(other)}))


@pytest.mark.parametrize("how", ["layer", "path", "with its layer", "selected", "link"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_the_areas_own_geopackage_is_never_an_output(plugin, engine_here, inputs, tmp_path, how, overwrite):
    from qgis.core import QgsProcessingFeatureSourceDefinition

    path = saved(tmp_path / "mine.gpkg", "area", "notes")
    layer = layer_of(path, "area")
    QgsProject.instance().addMapLayer(layer)
    layer.selectAll()
    (tmp_path / "link.gpkg").symlink_to(path)
    area, output = {
        "layer": (layer, path), "path": (str(path), path), "with its layer": (f"{path}|layername=area", path),
        "selected": (QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True), path), "link": (layer, tmp_path / "link.gpkg"),
    }[how]  # fmt: skip
    before = path.read_bytes()
    for name, outputs in (("geolocatevideo", ("OUTPUT", "FRAMES")), ("gridgallery", ("OUTPUT",))):
        for parameter in outputs:
            values = {**parameters_of(name, inputs, tmp_path), "EXTENT": None, "AOI": area, parameter: str(output), "OVERWRITE": overwrite}
            assert "also an input" in refused_twice(name, values)
    # Its own table is as little to be replaced, but another one takes nothing away.
    values = {**parameters_of("geolocatevideo", inputs, tmp_path), "EXTENT": None, "AOI": layer, "OVERWRITE": overwrite}
    assert "also an input" in problem_of("geolocatevideo", {**values, "FRAMES": f"ogr:dbname='{path}' table=\"area\" (geom)"})
    assert problem_of("geolocatevideo", {**values, "FRAMES": f"ogr:dbname='{path}' table=\"found\" (geom)"}) == ""
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "output", "taken"),
    [
        ("geolocatevideo", "KML", "a.mp4"), ("geolocatevideo", "MAP", "checkpoint/model.safetensors"), ("geolocatevideo", "FRAMES", "a.mp4"),
        ("similarityheatmap", "PNG", "a.mp4"), ("evaluatetrajectory", "REPORT", "a.gpx"), ("exporttrajectory", "CSV", "a.gpkg"),
        ("evaluatetrajectory", "ERRORS", "a.gpkg"), ("solvewithpins", "OUTPUT", "a.gpkg"), ("matchroads", "OUTPUT", "a.gpkg"),
        ("guesscity", "PLACES", "a.mp4"),
    ],
)  # fmt: skip
def test_no_other_input_is_ever_an_output(plugin, engine_here, inputs, tmp_path, name, output, taken):
    before = (inputs / taken).read_bytes()
    for overwrite in (False, True):
        values = parameters_of(name, inputs, tmp_path, **{output: str(inputs / taken)}, OVERWRITE=overwrite)
        said = problem_of(name, values)
        assert "also an input" in said or "same file" in said
        if "also an input" in said:
            refused_twice(name, values)
    assert (inputs / taken).read_bytes() == before


@pytest.mark.slow
def test_what_is_our_own_of_that_kind_is_replaced_and_of_another_is_not(plugin, engine_here, inputs, tmp_path):
    values = {**parameters_of("geolocatevideo", inputs, tmp_path), "FRAMES": str(tmp_path / "frames.gpkg"), "KML": str(tmp_path / "o.kml")}
    run(algorithm_of("geolocatevideo"), values)
    assert own_kind(tmp_path / "frames.gpkg") == "layer"
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    run(algorithm_of("geolocatevideo"), {**values, "RATE": 2})
    assert all(path.stat().st_mtime_ns != before[path.name] for path in tmp_path.iterdir())
    assert layer_of(tmp_path / "frames.gpkg").featureCount() == 12
    said = problem_of("gridgallery", {**given("gridgallery", inputs), "OUTPUT": str(tmp_path / "main.gpkg")})
    assert "another file of this tool (result)" in said
    with sqlite3.connect(tmp_path / "main.gpkg") as database:
        database.execute("CREATE TABLE notes (a)")
    assert "notes" in problem_of("geolocatevideo", values)


def test_a_layer_with_edits_is_not_replaced(plugin, engine_here, inputs, tmp_path):
    result = tmp_path / "main.gpkg"
    shutil.copy(inputs / "a.gpkg", result)
    layer = layer_of(result, "frames")
    QgsProject.instance().addMapLayer(layer)
    values = parameters_of("geolocatevideo", inputs, tmp_path)
    assert problem_of("geolocatevideo", values) == ""
    assert layer.startEditing()
    for overwrite in (False, True):
        said = refused_twice("geolocatevideo", {**values, "OVERWRITE": overwrite})
        assert "'frames' of main.gpkg is being edited" in said
    # Seen from another thread, too, where the engine is asked.
    seen = []
    thread = threading.Thread(target=lambda: seen.append(guard().refusal([str(result)])))
    thread.start()
    thread.join()
    assert "is being edited" in seen[0]
    assert layer.rollBack()
    assert problem_of("geolocatevideo", values) == ""
    layer.startEditing()
    QgsProject.instance().removeMapLayer(layer)  # and its edits with it
    assert problem_of("geolocatevideo", values) == ""


def test_edits_that_begin_after_the_check_are_seen_before_the_engine_is_asked(plugin, engine_here, inputs, tmp_path):
    result = tmp_path / "main.gpkg"
    shutil.copy(inputs / "a.gpkg", result)
    layer = layer_of(result, "frames")
    QgsProject.instance().addMapLayer(layer)
    algorithm, context, values = algorithm_of("geolocatevideo"), context_of(), parameters_of("geolocatevideo", inputs, tmp_path)
    assert algorithm.prepare(values, context, Told())
    layer.startEditing()
    with pytest.raises(QgsProcessingException, match="'frames' of main.gpkg is being edited"):
        algorithm.runPrepared(values, context, Told())


def test_nobody_begins_to_edit_what_is_being_written_and_open_layers_read_it_anew(plugin, inputs, tmp_path):
    place = saved(tmp_path / "open.gpkg", "one")
    layer = layer_of(place, "one")
    QgsProject.instance().addMapLayer(layer)
    assert [feature["name"] for feature in layer.getFeatures()] == ["mine"]
    with guard().writing([str(place)]):
        layer.startEditing()
        assert until(lambda: not layer.isEditable(), 5)
        new = saved(tmp_path / "new.gpkg", "one")
        with sqlite3.connect(new) as database:
            database.execute("CREATE TABLE x (a)")
        other = layer_of(new, "one")
        other.startEditing()
        other.changeAttributeValue(1, other.fields().indexOf("name"), "new")
        assert other.commitChanges()
        del other
        new.replace(place)
    assert [feature["name"] for feature in layer.getFeatures()] == ["new"]
    assert layer.startEditing()  # and is edited where it lies
    layer.changeAttributeValue(1, layer.fields().indexOf("name"), "edited")
    assert layer.commitChanges()
    with sqlite3.connect(place) as database:
        assert database.execute("SELECT name FROM one").fetchall() == [("edited",)]


def test_a_models_step_is_refused_when_it_runs(plugin, engine_here, inputs, tmp_path):
    """A model's steps are never asked by checkParameterValues."""
    foreign = tmp_path / "monday.gpx"
    foreign.write_text("<gpx/>")
    model = QgsProcessingModelAlgorithm("m", "VidTAG")
    step = QgsProcessingModelChildAlgorithm("vidtag:exporttrajectory")
    static = QgsProcessingModelChildParameterSource.fromStaticValue
    step.addParameterSources("RESULT", [static(str(inputs / "a.gpkg"))])
    step.addParameterSources("GPX", [static(str(foreign))])
    step.setChildId("export")
    model.addChildAlgorithm(step)
    told = Told()
    with pytest.raises(QgsProcessingException) as raised:
        model.run({}, context_of(), told, {}, False)
    assert "monday.gpx exists" in " ".join([*told.said, str(raised.value)])  # 3.22 tells it, later ones raise it
    assert foreign.read_text() == "<gpx/>"


@pytest.mark.parametrize("output", [None, "", QgsProcessing.TEMPORARY_OUTPUT])
def test_a_training_has_no_temporary_folder(plugin, engine_here, inputs, output):
    values = {**given("finetune", inputs), "OUTPUT": output}
    usable, said = algorithm_of("finetune").checkParameterValues(values, context_of())
    assert not usable
    assert "OUTPUT" in said or "Checkpoint folder" in said or "Choose a folder" in said
    assert not algorithm_of("finetune").parameterDefinition("OUTPUT").isDestination()
    with pytest.raises(QgsProcessingException, match="Choose a folder"):
        algorithm_of("finetune").run(values, context_of(), Told(), {}, False)


def test_a_checkpoints_folder_keeps_what_is_not_a_checkpoints(plugin, engine_here, inputs, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text('{"my": "settings"}')
    said = refused_twice("finetune", {**given("finetune", inputs), "OUTPUT": str(folder)})
    assert "config.json" in said
    assert (folder / "config.json").read_text() == '{"my": "settings"}'


def test_the_guard_goes_with_the_plugin(qgis_processing):
    from vidtag_qgis import edits
    from vidtag_qgis.plugin import VidTAGPlugin

    plugin = VidTAGPlugin(None)
    plugin.initProcessing()
    layer = polygons(SQUARE)
    plugin.unload()
    assert edits._GUARD == []
    assert layer.startEditing()
    assert layer.rollBack()


def test_a_target_is_read_as_qgis_reads_it(tmp_path):
    path = tmp_path / "with space é.gpkg"
    assert target_of(f"ogr:dbname='{path}' table=\"a b\" (geom)") == (str(path), "a b")


def test_looking_at_a_file_that_is_being_edited_keeps_its_log(plugin, tmp_path):
    """Closing a file takes away the locks that the process holds on it: another program's SQLite would then clear the log away that QGIS writes into."""
    path = saved(tmp_path / "mine.gpkg", "towns")
    layer = layer_of(path, "towns")
    assert layer.startEditing()
    log = [Path(f"{path}{end}") for end in ("-wal", "-shm")]
    assert all(one.exists() for one in log)
    assert own_kind(path) is None
    said = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('UPDATE gpkg_contents SET description = 1'); d.commit(); d.close()"
    subprocess.run([sys.executable, "-c", said, str(path)], check=True, timeout=60)
    assert all(one.exists() for one in log)
    assert layer.rollBack()
