"""Status and next steps in QGIS, also where there is no engine."""

from __future__ import annotations

import json
import shutil

import pytest
from qgis.core import QgsSettings

from tests.qgis.common import algorithm_of, qgis_run, run

pytestmark = pytest.mark.qgis


def test_a_result_in_and_json_out(plugin, engine_here, inputs, tmp_path):
    shutil.copy(inputs / "a.gpkg", tmp_path / "a.gpkg")
    outputs = run(algorithm_of("status"), {"RESULT": str(tmp_path / "a.gpkg")})
    found = json.loads(outputs["STATUS"])
    assert found["result"]["videos"][0]["name"] == "a.mp4"
    assert outputs["STEPS"] == len(found["next"]) > 0
    assert outputs["NEXT"] == found["next"][0]["id"]
    assert outputs["WHY"] == found["next"][0]["why"]
    assert outputs["READY"]
    from qgis.core import QgsApplication

    known = {one.id() for one in QgsApplication.processingRegistry().algorithms()}
    assert {step["algorithm"] for step in found["next"]} <= known | {""}
    for step in found["next"]:
        if step["algorithm"]:
            names = {
                parameter.name()
                for parameter in QgsApplication.processingRegistry().algorithmById(step["algorithm"]).parameterDefinitions()
            }
            assert set(step["parameters"]) <= names


def test_without_a_result_it_says_how_to_begin(plugin, engine_here):
    outputs = run(algorithm_of("status"), {})
    assert outputs["NEXT"] == "geolocate"
    assert json.loads(outputs["STATUS"])["result"] is None


def test_without_an_engine_the_step_is_its_environment(plugin, monkeypatch, tmp_path):
    monkeypatch.setenv("VIDTAG_CACHE", str(tmp_path))
    monkeypatch.delenv("VIDTAG_ENGINE_PYTHON", raising=False)
    QgsSettings().remove("Processing/Configuration/VIDTAG_ENGINE_PYTHON")
    outputs = run(algorithm_of("status"), {})
    assert outputs["NEXT"] == "create-environment"
    assert not outputs["READY"]
    assert outputs["WHY"]


@pytest.mark.slow
def test_qgis_process_gives_it_to_scripts(headless, inputs):
    status, results, text = qgis_run.run([f"RESULT={inputs / 'a.gpkg'}"], headless, "vidtag:status")
    assert status == 0, text
    assert json.loads(results["STATUS"])["format"] == "vidtag-status/1"
