"""Training, the engine's check and the sample model, each run whole."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from qgis.core import QgsGeometry, QgsProcessingException, QgsProcessingModelAlgorithm

from tests.qgis.common import SQUARE, Told, a_second_s, algorithm_of, context_of, layer_of, polygons, qgis_run, run

pytestmark = [pytest.mark.qgis, pytest.mark.slow]
ROOT = Path(__file__).resolve().parent.parent.parent


def test_training_is_cancelled_within_a_second_goes_on_and_gives_a_checkpoint(plugin, engine_here, headless, inputs, tmp_path):
    from vidtag_qgis.algorithms.checks import check_checkpoint

    output = tmp_path / "my area é"
    parameters = {
        "VIDEOS": [str(inputs / "a.mp4")], "TRACKS": [str(inputs / "a.gpx")], "AOI": polygons(SQUARE), "RESOLUTION": 50, "RATE": 2, "SIGMA": "site",
        "PHASE1_STEPS": 4, "PHASE2_STEPS": 2, "OUTPUT": str(output),
    }  # fmt: skip
    told = Told(cancel_at="Training Phase I,")
    with pytest.raises(QgsProcessingException, match="go on from there") as raised:
        run(algorithm_of("finetune"), {**parameters, "PHASE1_STEPS": 4000}, told)
    assert time.monotonic() - told.cancelled_s < a_second_s()
    assert str(output) in str(raised.value)
    [stored] = (output / "training" / "features").glob("*.safetensors")
    made_s = stored.stat().st_mtime_ns

    given = [f"{key}={value}" for key, value in parameters.items() if key not in {"VIDEOS", "TRACKS", "AOI"}]
    (tmp_path / "area.geojson").write_text(QgsGeometry.fromWkt(SQUARE).asJson())
    given += [f"VIDEOS={inputs}/a.mp4", f"TRACKS={inputs}/a.gpx", f"AOI={tmp_path}/area.geojson"]
    status, results, text = qgis_run.run(given, headless, "vidtag:finetune")
    assert status == 0, text
    assert stored.stat().st_mtime_ns == made_s  # the pictures were not encoded again
    assert results["OUTPUT"] == str(output)
    assert check_checkpoint(str(output)) is None
    assert json.loads((output / "config.json").read_text())["preset"] == "vidtag-compact"
    assert Path(results["CURVE"]).read_bytes().startswith(b"\x89PNG")
    rows = json.loads(Path(results["LOG"]).read_text())["rows"]
    assert max(row["step"] for row in rows if row["stage"] == "phase1") == 4
    assert (results["SOURCE_COUNT"], results["FRAME_COUNT"]) == (1, 12)
    assert results["PHASE2_MEDIAN_M"] > 0


def test_the_check_gives_a_report_to_paste(headless, tmp_path):
    page = tmp_path / "new" / "report.html"
    status, results, text = qgis_run.run([f"OUTPUT={page}"], headless, "vidtag:checkengine")
    assert status == 0, text
    report = results["REPORT"]
    for word in ("VidTAG 0.", "QGIS 3.", "| torch | ", "Device: ", "vidtag-compact"):
        assert word in report
    assert str(Path.home()) not in report
    assert results["READY"] is ("**Ready" in report)
    assert results["ENGINE_VERSION"]
    assert results["DEVICE"] in {"cpu", "cuda", "mps"}
    assert "| torch | " in page.read_text(encoding="utf-8")


def test_the_check_says_why_there_is_no_engine(plugin, monkeypatch, tmp_path):
    monkeypatch.setenv("VIDTAG_ENGINE_PYTHON", str(tmp_path / "none"))
    results = run(algorithm_of("checkengine"), {})
    assert results["READY"] is False
    assert "VIDTAG_ENGINE_PYTHON names is not there" in results["REPORT"]
    assert "Traceback" not in results["REPORT"]


def test_the_sample_model_runs(plugin, engine_here, inputs, tmp_path):
    model = QgsProcessingModelAlgorithm()
    assert model.fromFile(str(ROOT / "resources" / "models" / "locate_and_export.model3"))
    assert model.validate()[0], model.validate()[1]
    assert set(model.childAlgorithms()) == {"locate", "export"}
    model = model.create()
    outputs = {parameter.description(): parameter.name() for parameter in model.destinationParameterDefinitions()}
    assert set(outputs) == {"Result", "Trajectory", "GPX", "Pictures"}
    parameters = {
        "videos": [str(inputs / "a.mp4")], "area": polygons(SQUARE), "checkpoint": str(inputs / "checkpoint"), "resolution": 25, "confidence": 0,
        outputs["Result"]: str(tmp_path / "r.gpkg"), outputs["Trajectory"]: str(tmp_path / "lines.gpkg"),
        outputs["GPX"]: str(tmp_path / "r.gpx"), outputs["Pictures"]: str(tmp_path / "pictures"),
    }  # fmt: skip
    context = context_of()
    assert model.checkParameterValues(parameters, context) == (True, "")
    _, done = model.run(parameters, context, Told(), {}, False)
    assert done
    assert layer_of(tmp_path / "r.gpkg", "frames").featureCount() == 6  # a frame a second, as the model's default is
    assert layer_of(tmp_path / "lines.gpkg").featureCount() == 5
    assert layer_of(tmp_path / "r.gpx", "tracks").featureCount() == 1
    assert len(list((tmp_path / "pictures").glob("a.mp4_*.jpg"))) == 6
