"""The engine that stays while QGIS is open: a second run in the same process, its memory in the options, its end with the plugin."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from qgis.core import QgsSettings

from tests.qgis.common import ROOT, Told, algorithm_of, desktop_with_plugin, run, until, workers
from vidtag_qgis import engine, settings
from vidtag_qgis.gui import options

pytestmark = pytest.mark.qgis
DEMO = ROOT / "resources" / "demo"


@pytest.fixture
def desktop(qgis_processing, engine_here):
    shown = desktop_with_plugin()
    yield shown
    if shown.plugin.provider is not None:
        shown.plugin.unload()
    QgsSettings().remove(settings.KEEP_MIN)


def geolocate(output) -> Told:
    told = Told()
    parameters = {
        "VIDEOS": [str(DEMO / "drive.mp4")], "AOI": str(DEMO / "aoi.geojson"), "CHECKPOINT": str(DEMO / "checkpoint"), "RESOLUTION": 50.0, "RATE": 0.25,
        "DEVICE": "cpu", "OUTPUT": str(output),
    }  # fmt: skip
    run(algorithm_of("geolocatevideo"), parameters, told)
    return told


def test_without_windows_no_engine_stays(plugin, engine_here, tmp_path):
    geolocate(tmp_path / "a.gpkg")
    assert engine.warm() is None
    assert workers() == []


@pytest.mark.slow
def test_the_second_run_is_in_the_same_process_which_ends_with_the_plugin(desktop, tmp_path):
    geolocate(tmp_path / "a.gpkg")
    [first] = workers()
    geolocate(tmp_path / "b.gpkg")
    assert workers() == [first]
    page = options.EngineOptionsPage()
    assert "checkpoint sandy-island and an area of" in page.kept_label.text()
    said_mb = int(page.kept_label.text().split("takes ")[1].split(" MB")[0].replace(",", ""))
    pages = int(Path(f"/proc/{first}/statm").read_text().split()[1])
    assert said_mb == pytest.approx(pages * os.sysconf("SC_PAGESIZE") / 2**20, rel=0.3)
    assert page.let_go_button.isEnabled()
    page.let_go_button.click()
    assert workers() == []
    assert page.kept_label.text().startswith("None is there now.")
    assert not page.let_go_button.isEnabled()
    geolocate(tmp_path / "c.gpkg")
    assert len(workers()) == 1
    desktop.plugin.unload()
    assert workers() == []


@pytest.mark.slow
def test_one_that_has_died_is_replaced(desktop, tmp_path):
    geolocate(tmp_path / "a.gpkg")
    [first] = workers()
    os.kill(first, signal.SIGKILL)
    time.sleep(0.2)
    geolocate(tmp_path / "b.gpkg")
    [second] = workers()
    assert second != first


def test_how_long_it_stays_is_chosen_in_the_options(desktop, tmp_path):
    page = options.EngineOptionsPage()
    assert page.keep_box.value() == 10
    page.keep_box.setValue(0)
    assert page.keep_box.text() == "do not keep it"
    page.apply()
    assert settings.keep_engine_min() == 0
    geolocate(tmp_path / "a.gpkg")
    assert until(lambda: workers() == [], 5)
    assert options.EngineOptionsPage().keep_box.value() == 0
