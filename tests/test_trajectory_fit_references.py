"""What a fit decides of reference images: whether lines move to them, how fine lines are sought, and that a card keeps it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vidtag_engine.calibration import FitVideo
from vidtag_engine.calibration.fit_lines import first_of_the_best, moved_to_references
from vidtag_engine.directions import Directions
from vidtag_engine.trajectory import DatabaseWeight, PathCalibration
from vidtag_engine.types import FloatArray, InputError

SPACING_M = 100.0
METRE_DEG = 1.0 / 111_195.0


def video(truth: FloatArray, *images_off_m: float) -> FitVideo:
    """A video whose reference images lie so far north of the truth, by each way to find them."""

    def scores(rows: slice) -> FloatArray:
        return np.zeros((rows.stop - rows.start, 1), dtype=np.float32)

    def moved(off_m: float, line: FloatArray) -> FloatArray:
        return truth[: len(line)] + np.array([off_m * METRE_DEG, 0.0])

    return FitVideo(scores, np.arange(5.0), truth, refined=tuple(partial(moved, off_m) for off_m in images_off_m))


@pytest.mark.parametrize(
    ("images_off_m", "line_off_m", "way"),
    [
        ((10.0,), 80.0, 0),
        ((80.0,), 10.0, None),
        ((10.0,), 5_000.0, 0),
        ((40.0, 10.0), 80.0, 1),
        ((10.0, 40.0), 80.0, 0),
        ((10.0, 10.0), 80.0, 0),
        ((40.0, 80.0), 10.0, None),
    ],
)
def test_lines_move_to_reference_images_in_the_way_that_comes_nearest(images_off_m: tuple[float, ...], line_off_m: float, way: int | None):
    truth = np.stack([np.arange(5.0) * 50.0 * METRE_DEG, np.zeros(5)], axis=1)
    videos, line = [video(truth, *images_off_m) for _ in range(3)], truth + np.array([line_off_m * METRE_DEG, 0.0])
    found, chosen = moved_to_references(SPACING_M, videos, [line] * 3, [0, 1, 2])
    assert chosen == way
    for one in found:
        np.testing.assert_array_equal(one, line if way is None else videos[0].refined[way](line))


def test_recognised_videos_alone_decide_that_and_all_lines_move():
    truth = np.zeros((5, 2))
    videos = [video(truth, 10.0), video(truth, 90.0), video(truth, 90.0)]
    lines = [truth + np.array([off_m * METRE_DEG, 0.0]) for off_m in (80.0, 10.0, 10.0)]
    found, way = moved_to_references(SPACING_M, videos, lines, [0])
    assert way == 0
    np.testing.assert_array_equal(found[1], videos[1].refined[0](lines[1]))
    assert moved_to_references(SPACING_M, videos, lines, [0, 1, 2])[1] is None


def test_videos_without_reference_images_keep_their_lines():
    truth = np.zeros((5, 2))
    found, way = moved_to_references(SPACING_M, [video(truth)], [truth], [0])
    assert way is None
    np.testing.assert_array_equal(found[0], truth)


@given(arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.floats(0.0, 1.0)))
def test_the_first_that_does_as_well_as_the_best_but_for_chance_is_taken(right: FloatArray):
    chosen, means = first_of_the_best(right), right.mean(axis=0)
    best = int(means.argmax())
    assert chosen <= best
    for way in range(chosen):
        lost = right[:, best] - right[:, way]
        assert lost.mean() > lost.std() / np.sqrt(len(right)) - 1e-12


def test_a_card_keeps_how_references_are_compared_and_older_ones_are_read_as_before():
    weight = DatabaseWeight(4.0, 300.0, 0.1, 200, either_way=True, sectors=8, sequence_mps=11.0)
    assert weight.reads.directions == weight.directions == Directions(8)
    assert replace(weight, neighbours=None).directions is None
    assert DatabaseWeight.from_dict(json.loads(json.dumps(asdict(weight)))) == weight
    path = replace(PathCalibration.unfitted(0.07, 50.0, weight), at_references=True, refine_mps=9.5, apart_m=450.0)
    again = PathCalibration.from_dict(json.loads(json.dumps(path.to_dict())))
    assert (again.at_references, again.refine_mps, again.database_weight, again.apart_m) == (True, 9.5, weight, 450.0)
    older = DatabaseWeight.from_dict({"weight": 4.0, "reach_m": 300.0, "neighbours": 200})
    assert (older.sequence_mps, older.directions, older.reads) == (None, None, (300.0, 200, False, None, None, None))
    values = path.to_dict()
    del values["at_references"], values["refine_mps"], values["apart_m"]
    older_path = PathCalibration.from_dict(values)
    assert (older_path.at_references, older_path.refine_mps) == (False, None)
    assert older_path.apart_m is None
    with pytest.raises(InputError, match="positive numbers"):
        PathCalibration.from_dict(path.to_dict() | {"refine_mps": -1.0})
    with pytest.raises(InputError, match="positive numbers"):
        PathCalibration.from_dict(path.to_dict() | {"apart_m": 0.0})


@pytest.mark.parametrize(
    "change", [{"sectors": 2}, {"sectors": 17}, {"sequence_mps": 0.0}, {"sequence_mps": -3.0}, {"sequence_mps": float("inf")}]
)
def test_a_card_that_cannot_be_used_is_refused(change: dict[str, float]):
    with pytest.raises(InputError, match="vidtag train"):
        DatabaseWeight.from_dict({**asdict(DatabaseWeight(4.0, 300.0)), **change})
