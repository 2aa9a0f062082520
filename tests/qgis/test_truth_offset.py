"""The truth's clock in QGIS: an offset moves the truth as edited times would, auto says what it found, and nonsense is refused."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from tests.qgis.common import Told, algorithm_of, problem_of, run
from tests.qgis.test_grid_evaluate_export import evaluation

pytestmark = [pytest.mark.qgis, pytest.mark.slow]


def test_an_offset_moves_the_truth(plugin, engine_here, inputs, tmp_path):
    def later(found: re.Match) -> str:
        moment = datetime.fromisoformat(found[1].replace("Z", "+00:00")) + timedelta(seconds=2)
        return f"<time>{moment.isoformat()}</time>"

    edited, count = re.subn("<time>([^<]+)</time>", later, (inputs / "a.gpx").read_text(encoding="utf-8"))
    assert count
    (tmp_path / "edited.gpx").write_text(edited, encoding="utf-8")
    by_hand = run(algorithm_of("evaluatetrajectory"), evaluation(inputs, TRUTH_FILE=str(tmp_path / "edited.gpx")))
    told = Told()
    by_offset = run(algorithm_of("evaluatetrajectory"), evaluation(inputs, TRUTH_OFFSET=" 2 "), told)
    assert by_offset["MEDIAN_M"] == pytest.approx(by_hand["MEDIAN_M"], abs=0.01)
    assert by_offset["MEDIAN_M"] != run(algorithm_of("evaluatetrajectory"), evaluation(inputs))["MEDIAN_M"]
    assert "+2.00 s are added" in " ".join(told.said)


def test_auto_that_cannot_tell_leaves_the_truth(plugin, engine_here, inputs):
    told = Told()
    found = run(algorithm_of("evaluatetrajectory"), evaluation(inputs, TRUTH_OFFSET="auto"), told)
    assert found["MEDIAN_M"] == run(algorithm_of("evaluatetrajectory"), evaluation(inputs))["MEDIAN_M"]
    assert "left with the times that it has" in " ".join(told.said)


@pytest.mark.parametrize("text", ["2,5", "soon", "nan", "1e9"])
def test_what_is_no_offset_is_refused(plugin, engine_here, inputs, text):
    assert f"The truth offset '{text}' is not a number" in problem_of("evaluatetrajectory", evaluation(inputs, TRUTH_OFFSET=text))
    training = {"FOLDER": str(inputs), "OUTPUT": str(inputs / "learnt"), "EXTENT": "159.9,159.95,-19.3,-19.2 [EPSG:4326]"}
    assert f"The truth offset '{text}' is not a number" in problem_of("finetune", {**training, "TRUTH_OFFSET": text})
