"""What people saved in QGIS with an earlier version runs in this one; results of every schema are read, a later major number is refused.

tests/fixtures/saved_files/make.sh made the files.
"""

from __future__ import annotations

import inspect
import json
import math
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest
from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProject,
    QgsSettings,
    QgsVectorLayer,
)

from tests.qgis.common import (
    Told,
    algorithm_of,
    context_of,
    desktop_with_plugin,
    layer_of,
    polygons,
    problem_of,
    qgis_run,
    run,
    saying_yes,
    until,
)
from vidtag_qgis import layers, video_places
from vidtag_qgis.compat import is_null
from vidtag_qgis.engine_client.geopackage_metadata import SCHEMA
from vidtag_qgis.gui import frame_dock, workbench

pytestmark = pytest.mark.qgis
SAVED = Path(__file__).resolve().parent.parent / "fixtures" / "saved_files"
PLACES = json.loads((SAVED / "places.json").read_text(encoding="utf-8"))
EAST_DEG, NORTH_DEG = 159.93380534908692, -19.216406755300035
AREA = f"Polygon((159.93 -19.22, {EAST_DEG} -19.22, {EAST_DEG} {NORTH_DEG}, 159.93 {NORTH_DEG}, 159.93 -19.22))"
SCHEMAS = (1, 2, 3, 4)


@pytest.fixture
def saved(tmp_path, monkeypatch) -> Path:
    """The files where they can be written beside; their paths are told from there."""
    folder = tmp_path / "saved"
    shutil.copytree(SAVED, folder, ignore=shutil.ignore_patterns("make*"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def desktop(qgis_processing, engine_here):
    """QGIS with the plugin."""
    QgsSettings().remove(video_places.FOLDERS)
    desktop = desktop_with_plugin()
    yield desktop
    desktop.plugin.unload()
    QgsProject.instance().clear()
    QgsSettings().remove(video_places.FOLDERS)


def check_frames(frames: QgsVectorLayer) -> None:
    """As the checkpoint answered then, and not rated: it does not say what it knows."""
    features = sorted(frames.getFeatures(), key=lambda feature: feature["time_s"])
    assert len(features) == len(PLACES["state"]) == 10
    for feature, lat_deg, lon_deg, state in zip(features, PLACES["lat_deg"], PLACES["lon_deg"], PLACES["state"], strict=True):
        point = feature.geometry().asPoint()
        north_m, east_m = (point.y() - lat_deg) * 111_000, (point.x() - lon_deg) * 111_000
        assert math.hypot(north_m, east_m) < 0.1
        assert (feature["state"], is_null(feature["confidence"])) == (state, True)


def check_result(path: Path) -> None:
    """A result of this version that was asked for in the words of before."""
    check_frames(layer_of(path, "frames"))
    assert record_of(path)["settings"]["decoder"] == "hmm"
    assert list(path.with_suffix(".scores").glob("*.safetensors"))


def record_of(path: Path) -> dict:
    with closing(sqlite3.connect(path)) as database:
        return json.loads(database.execute("SELECT metadata FROM gpkg_metadata ORDER BY id DESC").fetchone()[0])


@pytest.mark.slow
def test_a_saved_model_runs(plugin, engine_here, saved, tmp_path):
    model = QgsProcessingModelAlgorithm()
    assert model.fromFile("locate.model3")
    assert model.validate() == (True, []), model.validate()
    model = model.create()
    files = {"Result": "result.gpkg", "Frames": "frames.gpkg", "Located": "located.gpkg", "CSV": "frames.csv"}
    outputs = {one.name(): str(tmp_path / files[one.description()]) for one in model.destinationParameterDefinitions()}
    parameters = {"videos": ["flight.mp4"], "area": polygons(AREA), "checkpoint": "checkpoint", **outputs}
    context, told = context_of(), Told()
    assert model.checkParameterValues(parameters, context) == (True, "")
    _, done = model.run(parameters, context, told, {}, False)
    assert done, told.said
    check_result(tmp_path / "result.gpkg")
    assert context.layersToLoadOnCompletion() == {}  # a step loads nothing that the model does not give out
    for copy in ("frames.gpkg", "located.gpkg"):
        check_frames(layer_of(tmp_path / copy))
    assert len((tmp_path / "frames.csv").read_text().splitlines()) == 11


@pytest.mark.slow
def test_a_saved_batch_is_opened_and_run(plugin, engine_here, saved):
    """By the batch dialog's own panel, which was what saved it."""
    from processing.gui import BatchPanel
    from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog

    algorithm, context = algorithm_of("geolocatevideo"), QgsProcessingContext()
    dialog = BatchAlgorithmDialog(algorithm)
    panel = dialog.mainWidget()
    with mock.patch.object(BatchPanel.QFileDialog, "getOpenFileName", return_value=("batch.json", "")), saying_yes():  # 3.44 asks
        panel.load()
    assert panel.batchRowCount() == 2
    given = {"context": context} if "context" in inspect.signature(panel.parametersForRow).parameters else {}
    for row in range(2):
        found = panel.parametersForRow(row=row, warnOnInvalid=True, **given)
        parameters = found[0] if isinstance(found, tuple) else found
        assert run(algorithm_of("geolocatevideo"), parameters)["LOCATED_COUNT"] == 10
        assert layer_of(f"batch{row}_trajectory.gpkg").featureCount() == 9
        assert Path(f"batch{row}_kml.kml").is_file()
        assert Path(f"batch{row}_map.png").is_file()
    dialog.deleteLater()
    check_result(Path("batch0_output.gpkg"))
    check_frames(layer_of("batch0_frames.gpkg"))
    said = record_of(Path("batch1_output.gpkg"))["settings"]
    assert {name: said[name] for name in ("decoder", "grid", "rate_hz")} == {"decoder": "hmm", "grid": "latlon", "rate_hz": 2.0}


OTHERS = {"DECODER": "none", "GRID": "latlon", "DEVICE": "cpu"}  # than the defaults


def test_dialogs_show_what_was_saved_by_key(plugin, engine_here, qgis_iface, monkeypatch):
    """QGIS's own widget puts the default in the place of all that it does not show: so a history entry would run something else."""
    from processing.gui.AlgorithmDialog import AlgorithmDialog
    from qgis.gui import QgsBrowserGuiModel

    browser = QgsBrowserGuiModel()
    monkeypatch.setattr(qgis_iface, "browserModel", lambda: browser)
    algorithm = algorithm_of("geolocatevideo")
    dialog = AlgorithmDialog(algorithm)
    for given in (OTHERS, {"DECODER": 1, "GRID": "1", "DEVICE": 1}, {"DECODER": "viterbi", "GRID": "equal-earth", "DEVICE": "auto"}):
        dialog.setParameters(given)
        shown = {name: dialog.mainWidget().wrappers[name].parameterValue() for name in OTHERS}
        wanted = {name: algorithm.chosen(given, name, context_of()) for name in OTHERS}
        assert {name: algorithm.chosen(shown, name, context_of()) for name in OTHERS} == wanted
        assert all(shown[name] in algorithm.parameterDefinition(name).options() for name in OTHERS)
    dialog.close()


def test_the_modeler_keeps_what_was_saved_by_key(plugin, engine_here, qgis_iface, monkeypatch):
    """A step that is opened and closed with OK is what it was."""
    from processing.modeler.ModelerParametersDialog import ModelerParametersDialog
    from qgis.gui import QgsBrowserGuiModel

    browser = QgsBrowserGuiModel()
    monkeypatch.setattr(qgis_iface, "browserModel", lambda: browser)
    model = QgsProcessingModelAlgorithm()
    assert model.fromFile(str(SAVED / "locate.model3"))
    step = model.childAlgorithm("locate")
    for name, key in OTHERS.items():
        step.addParameterSources(name, [QgsProcessingModelChildParameterSource.fromStaticValue(key)])
    model.setChildAlgorithm(step)
    dialog = ModelerParametersDialog(step.algorithm(), model, algName="locate")
    saved = dialog.createAlgorithm().parameterSources()
    given = {name: saved[name][0].staticValue() for name in OTHERS}
    algorithm = algorithm_of("geolocatevideo")
    assert {name: algorithm.chosen(given, name, context_of()) for name in OTHERS} == OTHERS
    dialog.close()


@pytest.mark.slow
def test_a_saved_history_entry_is_run_again(plugin, engine_here, saved):
    """QGIS runs the entry's text as Python."""
    [line] = Path("history.log").read_text(encoding="utf-8").splitlines()
    assert line.startswith("ALGORITHM|~|")
    command = line.rpartition("|~|")[2]
    assert "'DECODER':'viterbi'" in command
    exec(f"import processing\n{command}", {})
    check_result(Path("history.gpkg"))


@pytest.mark.slow
@pytest.mark.skipif(Qgis.QGIS_VERSION_INT < 32400, reason="qgis_process reads no standard input before 3.24")
def test_saved_parameters_are_run_by_qgis_process(headless, saved):
    command = [qgis_run.qgis_process(), "run", "vidtag:geolocatevideo", "-"]
    given = Path("run.json").read_text(encoding="utf-8")
    done = subprocess.run(command, env=headless, input=given, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    check_result(saved / "run.gpkg")


@pytest.mark.slow
@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_saved_result_is_evaluated_and_exported(plugin, engine_here, saved, schema):
    result = str(saved / f"schema_{schema}.gpkg")
    found = run(algorithm_of("evaluatetrajectory"), {"RESULT": result, "TRUTH_FILE": str(saved / "flight.gpx")})
    assert (found["COMPARED_COUNT"], found["NOT_RATED_COUNT"]) == (10, 10 if schema == 4 else 0)
    assert 0 < found["MEDIAN_M"] < 200
    run(algorithm_of("exporttrajectory"), {"RESULT": result, "CSV": str(saved / "o.csv"), "KML": str(saved / "o.kml")})
    assert len((saved / "o.csv").read_text().splitlines()) == 11


@pytest.mark.slow
def test_pins_of_a_saved_result_are_solved(plugin, engine_here, saved):
    """Schema 2 had them in a layer of the result, which people give as the pins; left out, they are found there."""
    result = saved / "schema_2.gpkg"
    for name, pins in (("given.gpkg", {"PINS": f"{result}|layername=pins"}), ("found.gpkg", {})):
        run(algorithm_of("solvewithpins"), {"RESULT": str(result), "OUTPUT": str(saved / name), **pins})
        [pin] = layer_of(result, "pins").getFeatures()
        [frame] = layer_of(saved / name, "frames_pinned").getFeatures(f"frame_index = {pin['frame_index']}")
        assert frame.geometry().distance(pin.geometry()) * 111_000 <= pin["radius_m"]


def opened(desktop, result: Path) -> frame_dock.FrameDock:
    layer = layer_of(result, "frames")
    layers.finish(layer, "frames")
    QgsProject.instance().addMapLayer(layer)
    [action] = [action for action in desktop.tools if action.text() == workbench.TITLE]
    action.trigger()
    return desktop.plugin._actions.dock


@pytest.mark.slow
@pytest.mark.parametrize("schema", SCHEMAS)
def test_frames_of_a_saved_result_are_checked(desktop, saved, schema):
    dock = opened(desktop, saved / f"schema_{schema}.gpkg")
    assert [row.index for row in dock.rows] == list(range(10))
    assert {row.state for row in dock.rows} == {"located"}
    assert all((row.confidence is None) == (schema == 4) for row in dock.rows)
    label = dock.view.picture_label
    assert until(lambda: (label.isEnabled() and not label.picture.isNull()) or dock.view.message_label.text() != "", 60)
    assert dock.view.message_label.text() == ""
    assert ("not rated" in dock.view.facts_label.text()) == (schema == 4)


def of_schema(path: Path, major: int, minor: int) -> Path:
    """The result as a later version may have written it, with a column that is not known here."""
    with closing(sqlite3.connect(path)) as database, database:
        [(row, text)] = database.execute("SELECT id, metadata FROM gpkg_metadata").fetchall()
        record = json.dumps(json.loads(text) | {"schema_version": major, "schema_minor": minor})
        database.execute("UPDATE gpkg_metadata SET metadata = ? WHERE id = ?", (record, row))
        database.execute("ALTER TABLE frames ADD COLUMN heading_deg REAL DEFAULT 90.0")
        database.execute("ALTER TABLE videos ADD COLUMN weather TEXT DEFAULT 'rain'")
    return path


@pytest.mark.slow
def test_a_later_minor_number_is_read(desktop, saved):
    result = of_schema(saved / "schema_4.gpkg", SCHEMA.major, SCHEMA.minor + 3)
    dock = opened(desktop, result)
    assert [row.index for row in dock.rows] == list(range(10))
    found = run(algorithm_of("evaluatetrajectory"), {"RESULT": str(result), "TRUTH_FILE": str(saved / "flight.gpx")})
    assert found["COMPARED_COUNT"] == 10
    lat_deg, lon_deg = PLACES["lat_deg"][4], PLACES["lon_deg"][4]
    pins = QgsVectorLayer("Point?crs=EPSG:4326&field=video:string&field=frame_index:integer", "pins", "memory")
    feature = next(layer_of(result, "frames").getFeatures("frame_index = 4"))
    point = feature.geometry()
    point.translate(20 / 105_000, 0)
    from qgis.core import QgsFeature

    pin = QgsFeature(pins.fields())
    pin.setAttributes(["flight.mp4", 4])
    pin.setGeometry(point)
    pins.dataProvider().addFeatures([pin])
    shutil.copytree(saved / "schema_2.scores", saved / "schema_4.scores")  # of the same video and checkpoint
    run(
        algorithm_of("solvewithpins"),
        {"RESULT": str(result), "PINS": pins, "OUTPUT": str(saved / "solved.gpkg"), "FRAMES": str(saved / "f.gpkg")},
    )
    assert layer_of(saved / "f.gpkg").featureCount() == 10
    assert [frame["heading_deg"] for frame in layer_of(saved / "solved.gpkg", "frames").getFeatures()] == [90.0] * 10
    assert (lat_deg, lon_deg) == pytest.approx((feature.geometry().asPoint().y(), feature.geometry().asPoint().x()), abs=1e-6)


def test_a_higher_major_number_is_refused(desktop, saved):
    result = of_schema(saved / "schema_4.gpkg", SCHEMA.major + 1, 2)
    said = f"schema_4.gpkg was written by a newer VidTAG (schema {SCHEMA.major + 1}.2, this one knows {SCHEMA}); update VidTAG."
    for name, parameters in (
        ("evaluatetrajectory", {"TRUTH_FILE": str(saved / "flight.gpx")}),
        ("exporttrajectory", {"CSV": str(saved / "o.csv")}),
        ("solvewithpins", {"OUTPUT": str(saved / "o.gpkg")}),
    ):
        assert problem_of(name, {"RESULT": str(result), **parameters}) == said
    dock = opened(desktop, result)
    assert dock.rows == []
    assert dock.view.message_label.text() == said
