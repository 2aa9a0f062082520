"""\"Work offline\" in QGIS: the options' page, the engine that is started, and the environment's dialog."""

from __future__ import annotations

import pytest
from qgis.core import QgsProcessingException, QgsSettings

from tests.qgis.common import algorithm_of, run
from vidtag_qgis import engine, settings
from vidtag_qgis.engine_client.environment_plan import SetupPlan
from vidtag_qgis.engine_client.errors import EnvironmentSetupError
from vidtag_qgis.engine_client.interpreter import child_environment
from vidtag_qgis.engine_client.python_finder import StandalonePython
from vidtag_qgis.gui import create_dialog, options
from vidtag_qgis.places import ENGINE_SOURCE

pytestmark = pytest.mark.qgis


@pytest.fixture(autouse=True)
def online(qgis_processing, monkeypatch):
    monkeypatch.delenv("VIDTAG_OFFLINE", raising=False)
    QgsSettings().remove(settings.OFFLINE)
    yield
    QgsSettings().remove(settings.OFFLINE)


def test_the_page_saves_it_and_the_engine_is_told(engine_here):
    assert "VIDTAG_OFFLINE" not in child_environment({}, engine.interpreter())
    page = options.EngineOptionsPage()
    page.offline_box.setChecked(True)
    assert not settings.offline()  # not before OK
    page.apply()
    assert settings.offline()
    assert child_environment({}, engine.interpreter())["VIDTAG_OFFLINE"] == "1"
    again = options.EngineOptionsPage()
    assert again.offline_box.isChecked()
    again.offline_box.setChecked(False)
    again.apply()
    assert not engine.interpreter().offline


def test_the_variable_is_said_and_not_saved(engine_here, monkeypatch):
    monkeypatch.setenv("VIDTAG_OFFLINE", "1")
    page = options.EngineOptionsPage()
    assert page.offline_box.isChecked()
    assert not page.offline_box.isEnabled()
    page.apply()
    monkeypatch.delenv("VIDTAG_OFFLINE")
    assert not settings.offline()


def test_what_would_be_fetched_is_one_sentence(plugin, engine_here, inputs):
    settings.set_offline(True)
    given = {"VIDEOS": [str(inputs / "a.mp4")], "CHECKPOINT": "nobody/nothing", "OUTPUT": "TEMPORARY_OUTPUT"}
    with pytest.raises(QgsProcessingException, match=r"works offline: copy its folder .* and give its path"):
        run(algorithm_of("geolocatevideo"), given)
    # What is here runs.
    found = run(
        algorithm_of("geolocatevideo"),
        {**given, "CHECKPOINT": str(inputs / "checkpoint"), "EXTENT": "159.93,159.934,-19.222,-19.218", "RESOLUTION": 25},
    )
    assert found["LOCATED_COUNT"] == 6


def test_an_environment_comes_from_wheels_alone(engine_here, tmp_path):
    python = StandalonePython("/usr/bin/python3", (3, 11))
    with pytest.raises(EnvironmentSetupError, match=r"works offline.*collect the wheels"):
        SetupPlan(cache=str(tmp_path), python=python, source=str(ENGINE_SOURCE), offline=True)
    assert SetupPlan(cache=str(tmp_path), python=python, source=str(ENGINE_SOURCE), offline=True, wheels=str(tmp_path)).offline


def test_the_dialog_says_so_and_uv_fetches_nothing(engine_here, monkeypatch):
    settings.set_offline(True)
    dialog = create_dialog.CreateEnvironmentDialog()
    dialog._python = StandalonePython("/usr/bin/python3", (3, 11))
    monkeypatch.setattr(create_dialog, "fetch_python", lambda *_: pytest.fail("something was fetched"))
    dialog._create()
    assert "collect the wheels" in dialog.stage_label.text()
    dialog._fetch_python()
    assert "works offline" in dialog.stage_label.text()
    dialog.deleteLater()
