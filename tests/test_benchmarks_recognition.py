"""What is counted of rows by split, against counting by hand."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.recognition import Placed, figures, run
from vidtag_engine.evaluation.ways import NEVER_DRIVEN, OTHER_WAY, SAME_WAY
from vidtag_engine.types import InputError


def placed(error_m: list[float], chance: list[float], way: list[str]) -> Placed:
    """Of drives of two frames each."""
    count = len(error_m)
    whole = np.arange(count) // 2
    covered = np.array(error_m) < 500.0
    return Placed(np.array(error_m), np.array(chance), covered, np.array(way), whole, np.zeros(count, dtype=np.int64), np.full(count, 3.0))


def test_rows_are_counted_by_split_and_gains_are_of_the_same_frames():
    way = [SAME_WAY] * 4 + [OTHER_WAY] * 2 + [NEVER_DRIVEN] * 2
    frames = placed([10.0, 40.0, 600.0, 600.0, 900.0, 900.0, 900.0, 900.0], [0.9, 0.9, 0.9, 0.1, 0.2, 0.2, 0.85, 0.1], way)
    sequences = placed([10.0, 40.0, 60.0, 499.0, 900.0, 499.0, 900.0, 900.0], [0.9, 0.9, 0.8, 0.1, 0.2, 0.2, 0.1, 0.1], way)
    found = figures({"one_way": frames, "sequences": sequences})
    assert found["one_way_same_way_frames"] == 4
    assert found["one_way_same_way_a05km"] == 50.0
    assert found["sequences_same_way_a05km"] == 100.0
    assert found["sequences_same_way_within_50m"] == 50.0
    assert (found["one_way_same_way_said80"], found["one_way_same_way_said80_wrong"]) == (3, 33.3)
    assert (found["one_way_never_driven_said80"], found["one_way_never_driven_said80_wrong"]) == (1, 100.0)
    assert found["sequences_never_driven_said80_wrong"] is None
    assert found["sequences_all_a05km"] == 62.5
    assert found["sequences_ms_a_frame"] == 3.0
    assert (found["one_way_same_way_coverage_90"], found["sequences_all_coverage_90"]) == (50.0, 62.5)
    assert found["sequences_over_one_way_all"][0] == 37.5
    assert found["sequences_over_one_way_same_way_within_50m"][0] == 0.0
    mean, low, high = found["sequences_over_one_way_same_way"]
    assert mean == 50.0
    assert low <= mean <= high
    assert found["sequences_over_one_way_never_driven"] == [0.0, 0.0, 0.0]


def test_trainings_are_numbered_one_after_the_other():
    one = placed([10.0, 40.0], [0.9, 0.9], [SAME_WAY] * 2)
    assert Placed.joined([one, one, one]).training.tolist() == [0, 0, 1, 1, 2, 2]


def test_a_world_is_asked_for_and_rows_have_names(tmp_path: Path):
    with pytest.raises(InputError, match="make-world"):
        run()
    with pytest.raises(InputError, match="make-world"):
        run(world=tmp_path)
    with pytest.raises(InputError, match="no row 'nothing'"):
        run(world=tmp_path, rows="shipped,nothing")
