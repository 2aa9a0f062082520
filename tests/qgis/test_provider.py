"""What holds for every algorithm of the provider: how it declares itself, how it refuses, its page, its dialog."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsProcessingAlgorithm,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterGeometry,
    QgsSettings,
)

from tests.qgis.common import algorithm_of, context_of, polygons, problem_of
from vidtag_qgis.provider import ALGORITHMS

pytestmark = pytest.mark.qgis
ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = [kind.ID for kind in ALGORITHMS]
IDS = {
    "geolocatevideo", "gridgallery", "similarityheatmap", "solvewithpins", "matchroads", "evaluatetrajectory", "exporttrajectory", "finetune", "checkengine",
    "guesscity", "buildreferencedatabase", "referenceimages", "status",
}  # fmt: skip
each = pytest.mark.parametrize("name", NAMES)


def test_the_ids_that_models_and_scripts_name(plugin):
    provider = QgsApplication.processingRegistry().providerById("vidtag")
    found = {algorithm.name() for algorithm in provider.algorithms()}
    assert found >= IDS
    assert found == set(NAMES)


@each
def test_it_declares_itself(plugin, name):
    algorithm = algorithm_of(name)
    bare = QgsProcessingAlgorithm.flags(algorithm)
    assert algorithm.flags() & bare == bare  # extended, not replaced
    assert algorithm.flags() & QgsProcessingAlgorithm.Flag.FlagCanCancel
    assert not algorithm.flags() & QgsProcessingAlgorithm.Flag.FlagNoThreading
    assert (algorithm.group(), algorithm.groupId()) == ("VidTAG", "vidtag")
    assert len(algorithm.tags()) > 6
    assert algorithm.icon().availableSizes() or not algorithm.icon().pixmap(32, 32).isNull()
    assert len(algorithm.shortHelpString()) > 150
    assert algorithm.shortDescription().endswith(".")
    assert Path(algorithm.helpUrl().removeprefix("file://")).is_file()
    for parameter in algorithm.parameterDefinitions():
        assert parameter.help().endswith((".", "…")), parameter.name()
        # A trap's way round: QGIS 3.22 reads CRS=…;POLYGON and not SRID=, so no area is ever given as text.
        assert not isinstance(parameter, QgsProcessingParameterGeometry)
    advanced = {p.name() for p in algorithm.parameterDefinitions() if p.flags() & QgsProcessingParameterDefinition.Flag.FlagAdvanced}
    assert not advanced & {"VIDEOS", "AOI", "EXTENT", "RESULT", "RESOLUTION", "OUTPUT"}
    assert {"DEVICE", "SEED", "GRID", "EXHAUSTIVE"} & {p.name() for p in algorithm.parameterDefinitions()} <= advanced


@each
def test_without_an_engine_it_is_refused_with_a_way_out(plugin, name, monkeypatch, tmp_path):
    monkeypatch.setenv("VIDTAG_CACHE", str(tmp_path))
    monkeypatch.delenv("VIDTAG_ENGINE_PYTHON", raising=False)
    QgsSettings().remove("Processing/Configuration/VIDTAG_ENGINE_PYTHON")
    algorithm = algorithm_of(name)
    usable, text = algorithm.canExecute()
    if name in {"checkengine", "status"}:
        assert (usable, text) == (True, "")
        return
    assert not usable
    given = {p.name(): p.defaultValue() for p in algorithm.parameterDefinitions()}
    roads = polygons("LineString(0 0, 1 1)", kind="LineString")
    given |= {
        "OUTPUT": str(tmp_path / "o.gpkg"), "RESULT": __file__, "ROADS": roads, "MATCHED": "memory:", "CHECKPOINT": __file__, "REFERENCE": __file__,
    }  # fmt: skip
    refused, said = algorithm.checkParameterValues(given, context_of())
    assert (refused, said) == (False, text)


@pytest.mark.parametrize("name", ["exporttrajectory", "evaluatetrajectory", "matchroads"])
def test_models_made_before_a_parameter_came_still_run(plugin, name):
    """The Modeler calls a step invalid that says nothing of a parameter, default or not, unless it is optional."""
    model = QgsProcessingModelAlgorithm("old", "VidTAG")
    step = QgsProcessingModelChildAlgorithm(f"vidtag:{name}")
    model.addChildAlgorithm(step)
    assert not [problem for problem in model.validate()[1] if "ANSWER" in problem]
    algorithm = algorithm_of(name)
    for given in ({}, {"ANSWER": None}):
        assert algorithm.chosen_answer(given, context_of()) == "auto"
    assert algorithm.chosen_answer({"ANSWER": "model"}, context_of()) == "model"


@each
def test_asking_whether_it_can_run_starts_nothing(plugin, engine_here, name, monkeypatch):
    """The toolbox asks it of every algorithm, whenever it is drawn."""

    def refuse(*command, **_):
        raise AssertionError(f"started: {command}")

    for function in ("Popen", "run"):
        monkeypatch.setattr(subprocess, function, refuse)
    assert algorithm_of(name).canExecute() == (True, "")


AREA = {"EXTENT": "159.93,159.94,-19.23,-19.22 [EPSG:4326]"}


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("gridgallery", {}, "Give an area of interest"),
        ("gridgallery", {"EXTENT": "179,-179,-19,-18 [EPSG:4326]"}, "179,181,-19,-18"),
        ("gridgallery", {**AREA, "RESOLUTION": 0.1, "OUTPUT": "TEMPORARY_OUTPUT"}, "10,000,000 are written as a layer"),
        ("gridgallery", {"EXTENT": "0,10,0,10", "RESOLUTION": 10}, "100,000,000 are possible"),
        ("gridgallery", {**AREA, "OUTPUT": "/tmp/x.shp"}, "ends in .gpkg"),
        ("gridgallery", {**AREA, "OUTPUT": "ogr:dbname='/tmp/x.gpkg' table=\"a\" (geom)"}, "file of their own"),
        ("gridgallery", {**AREA, "CHECKPOINT": "/no/such"}, "checkpoint /no/such is not there"),
        ("evaluatetrajectory", {"RESULT": "/no/such.gpkg", "TRUTH_FILE": "/x.gpx"}, "result /no/such.gpkg is not there"),
        ("evaluatetrajectory", {"RESULT": __file__, "TRUTH_FILE": "/x.gpx"}, "is no GeoPackage"),
        ("exporttrajectory", {"RESULT": __file__, "KML": "/tmp/o.kml"}, "is no GeoPackage"),
        ("finetune", {**AREA, "OUTPUT": "/tmp/new"}, "What shall be learnt from"),
        ("finetune", {**AREA, "OUTPUT": "/tmp/new", "VIDEOS": ["/no/such.mp4"]}, "video /no/such.mp4 is not there"),
        ("finetune", {**AREA, "OUTPUT": "/tmp/new", "VIDEOS": [__file__], "TRACKS": [__file__] * 2}, "2 tracks are given for 1 videos"),
        ("finetune", {**AREA, "OUTPUT": __file__, "VIDEOS": [__file__]}, "is a file: give a folder"),
        ("finetune", {**AREA, "OUTPUT": "/etc/passwd/new", "VIDEOS": [__file__]}, "/etc/passwd is no folder"),
        ("checkengine", {"OUTPUT": "/etc/passwd/new/o.html"}, "/etc/passwd is no folder"),
    ],
)
def test_bad_parameters_are_refused_with_a_sentence(plugin, engine_here, name, parameters, said):
    assert said in problem_of(name, parameters)


def test_the_pages_are_made_from_the_algorithms(tmp_path):
    made = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "make_help.py"), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    pages = sorted(path.name for path in tmp_path.iterdir())
    assert pages == sorted(path.name for path in (ROOT / "resources" / "help").iterdir()) == sorted(f"{name}.html" for name in NAMES)
    for page in pages:
        assert (tmp_path / page).read_text() == (ROOT / "resources" / "help" / page).read_text(), f"{page} is old: run tools/make_help.py"


@each
def test_its_dialog_opens(plugin, engine_here, name, qgis_iface, monkeypatch):
    """Every parameter has its widget; on the oldest QGIS some kinds have none."""
    from processing.gui.AlgorithmDialog import AlgorithmDialog
    from qgis.gui import QgsBrowserGuiModel

    browser = QgsBrowserGuiModel()
    monkeypatch.setattr(qgis_iface, "browserModel", lambda: browser)
    dialog = AlgorithmDialog(algorithm_of(name))
    try:
        dialog.show()
        QgsApplication.processEvents()
        panel = dialog.mainWidget()
        assert set(panel.wrappers) == {p.name() for p in dialog.algorithm().parameterDefinitions()}
        assert not dialog.grab().isNull()
    finally:
        dialog.close()
        dialog.deleteLater()
        QgsApplication.processEvents()
