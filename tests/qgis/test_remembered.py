"""What a run was set to is offered for its area again: in a dialog, and nowhere else."""

from __future__ import annotations

import json

import pytest
from qgis.core import QgsProcessingContext, QgsProcessingFeatureSourceDefinition, QgsProject

from tests.qgis.common import SQUARE, algorithm_of, polygons, run
from vidtag_qgis import remembered

pytestmark = pytest.mark.qgis
EXTENT = "159.930000000,159.934000000,-19.222000000,-19.218000000 [EPSG:4326]"


@pytest.fixture(autouse=True)
def clean_project(qgis_processing):
    QgsProject.instance().clear()
    yield
    QgsProject.instance().clear()


@pytest.fixture
def opened(plugin, engine_here, qgis_iface, monkeypatch):
    """Opens the dialog as the toolbox does, and closes it."""
    from processing.gui.AlgorithmDialog import AlgorithmDialog
    from qgis.gui import QgsBrowserGuiModel

    browser, dialogs = QgsBrowserGuiModel(), []
    monkeypatch.setattr(qgis_iface, "browserModel", lambda: browser)
    monkeypatch.setattr("qgis.utils.iface", qgis_iface)

    def open_dialog():
        algorithm = algorithm_of("geolocatevideo")
        dialog = algorithm.createCustomParametersWidget(None) or AlgorithmDialog(algorithm)
        dialogs.append(dialog)
        return dialog

    yield open_dialog
    for dialog in dialogs:
        dialog.close()
        dialog.deleteLater()


def shown(dialog) -> dict:
    return dialog.createProcessingParameters()


def settings_of(inputs, **others) -> dict:
    return {
        "VIDEOS": [str(inputs / "a.mp4")], "CHECKPOINT": str(inputs / "checkpoint"), "RESOLUTION": 25.0, "RATE": 2.0, "DECODER": "none",
        "EXHAUSTIVE": True, "TIME_ZONE": "Pacific/Noumea", "OUTPUT": "TEMPORARY_OUTPUT", **others,
    }  # fmt: skip


def located(inputs, **others) -> None:
    run(algorithm_of("geolocatevideo"), settings_of(inputs, **others))


def test_the_area_s_last_settings_are_shown_and_said(opened, inputs):
    layer = polygons(SQUARE)
    before = shown(opened())
    assert (before["RESOLUTION"], before["AOI"]) == (100.0, layer.id())
    located(inputs, AOI=QgsProcessingFeatureSourceDefinition(layer.id()))
    dialog = opened()
    found = shown(dialog)
    assert (found["RESOLUTION"], found["RATE"], found["EXHAUSTIVE"], found["TIME_ZONE"]) == (25.0, 2.0, True, "Pacific/Noumea")
    assert found["CHECKPOINT"] == str(inputs / "checkpoint")
    assert dialog.algorithm().chosen(found, "DECODER", QgsProcessingContext()) == "none"
    assert found["AOI"] == layer.id()
    assert found.get("VIDEOS") in (None, [])
    said = dialog.algorithm().shortHelpString().splitlines()[0]
    assert "the last run with the area area" in said
    assert "checkpoint checkpoint, 25 m, 2 frames a second" in said
    # Another area has nothing of it.
    QgsProject.instance().removeMapLayer(layer.id())
    other = polygons(SQUARE)
    assert (shown(opened())["RESOLUTION"], shown(opened())["AOI"]) == (100.0, other.id())


@pytest.mark.slow
def test_the_reference_images_come_again_with_the_area(opened, field):
    asked = {"VIDEOS": [str(field / "unknown.mp4")], "CHECKPOINT": "geoclip", "REFERENCE": str(field / "field"), "RESOLUTION": 20.0}
    area = "159.93,159.9339,-19.22,-19.2164 [EPSG:4326]"
    run(algorithm_of("geolocatevideo"), {**asked, "EXTENT": area, "OUTPUT": "TEMPORARY_OUTPUT"})
    dialog = opened()
    assert shown(dialog)["REFERENCE"] == str(field / "field")
    assert "checkpoint geoclip, reference images field, 20 m" in dialog.algorithm().shortHelpString().splitlines()[0]
    assert algorithm_of("geolocatevideo").parameterDefinition("REFERENCE").defaultValueForGui() is None


def test_an_extent_and_no_area_come_again(opened, inputs):
    located(inputs, EXTENT=EXTENT)
    found = shown(opened())
    assert found["EXTENT"] == EXTENT
    assert found["RESOLUTION"] == 25.0


def test_nothing_but_a_dialog_takes_it(opened, inputs):
    """Defaults, a script that names no value, and a step of a model are as they were."""
    layer = polygons(SQUARE)
    located(inputs, AOI=layer.id())
    opened()
    algorithm = algorithm_of("geolocatevideo")
    for name, default in (("RESOLUTION", 100.0), ("RATE", 1.0), ("CHECKPOINT", "geoclip"), ("EXHAUSTIVE", False), ("TIME_ZONE", None)):
        assert algorithm.parameterDefinition(name).defaultValue() == default
        assert algorithm.parameterDefinition(name).defaultValueForGui() == default
    assert algorithm.parameterAsDouble({}, "RESOLUTION", QgsProcessingContext()) == 100.0
    assert algorithm.shortHelpString() == algorithm.TEXT
    changed = opened().algorithm()
    assert changed.parameterDefinition("RESOLUTION").defaultValueForGui() == 25.0
    assert changed.parameterDefinition("RESOLUTION").defaultValue() == 100.0
    assert changed.parameterAsDouble({}, "RESOLUTION", QgsProcessingContext()) == 100.0
    assert changed.create().parameterDefinition("RESOLUTION").defaultValueForGui() == 100.0


def test_without_windows_nothing_is_remembered_or_shown(opened, inputs, monkeypatch):
    located(inputs, EXTENT=EXTENT)
    kept = QgsProject.instance().readEntry(remembered.SCOPE, remembered.ENTRY)
    monkeypatch.setattr("qgis.utils.iface", None)
    algorithm = algorithm_of("geolocatevideo")
    assert algorithm.createCustomParametersWidget(None) is None
    assert algorithm.parameterDefinition("RESOLUTION").defaultValueForGui() == 100.0
    located(inputs, EXTENT=EXTENT, RESOLUTION=50.0)
    assert QgsProject.instance().readEntry(remembered.SCOPE, remembered.ENTRY) == kept


def test_a_run_that_fails_is_not_remembered(opened, inputs, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    with pytest.raises(Exception, match=r"broken\.mp4"):
        located(inputs, EXTENT=EXTENT, VIDEOS=[str(tmp_path / "broken.mp4")])
    assert QgsProject.instance().readEntry(remembered.SCOPE, remembered.ENTRY)[1] is False


def test_it_is_the_projects_own_and_moves_with_it(opened, inputs, tmp_path):
    located(inputs, EXTENT=EXTENT)
    project, file = QgsProject.instance(), str(tmp_path / "town.qgs")
    assert project.write(file)
    project.clear()
    assert shown(opened())["RESOLUTION"] == 100.0
    assert project.read(file)
    assert shown(opened())["RESOLUTION"] == 25.0


@pytest.mark.parametrize("entry", ["", "no JSON", "[1]", '[{"parameter": "AOI"}]', "{}"])
def test_an_entry_of_another_hand_is_passed_over(opened, entry):
    QgsProject.instance().writeEntry(remembered.SCOPE, remembered.ENTRY, entry)
    assert shown(opened())["RESOLUTION"] == 100.0


def test_a_checkpoint_that_is_gone_and_foreign_values_are_not_shown(opened, tmp_path):
    one = {"parameter": "EXTENT", "area": EXTENT, "title": "it", "at": "", "settings": {"RESOLUTION": -5.0, "RATE": 2.0, "NO_SUCH": 1}}
    QgsProject.instance().writeEntry(remembered.SCOPE, remembered.ENTRY, json.dumps([one]))
    found = shown(opened())
    assert (found["RESOLUTION"], found["RATE"]) == (100.0, 2.0)
    one["settings"]["CHECKPOINT"] = str(tmp_path / "gone")
    QgsProject.instance().writeEntry(remembered.SCOPE, remembered.ENTRY, json.dumps([one]))
    assert shown(opened())["RATE"] == 1.0
