"""Streets held out of a calibration model's training, against distances by brute force."""

import numpy as np
import pytest

from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.training.streets import BLOCK_M, UNDRIVEN_M, hold_out_streets


def street(name: str, row: int, frames: int = 60, offset: float = 0.0) -> TrainingSequence:
    """Along the equator, 20 m between frames, streets 400 m apart."""
    places = np.stack([np.full(frames, row * 0.0036), np.arange(frames) * 0.00018 + offset], axis=1)
    return TrainingSequence(
        name, np.random.default_rng(row).normal(size=(1, frames, 4)).astype(np.float32), places, np.arange(frames) * 2.0
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_streets_of_some_held_out_videos_are_gone_from_the_training_and_these_are_named(seed):
    training = [street(f"t{row}", row) for row in range(20)]
    held_out = [street(f"v{row}", row, 12, 0.004) for row in range(0, 20, 2)]
    kept, undriven = hold_out_streets(training, held_out, seed)
    before, after = (np.concatenate([one.lat_lon_deg for one in some]) for some in (training, kept))
    assert 0.0 < 1.0 - len(after) / len(before) <= 0.15
    assert 0 < undriven.sum() < len(held_out)
    for video, said in zip(held_out, undriven, strict=True):
        apart_m = haversine_m(video.lat_lon_deg[:, :1], video.lat_lon_deg[:, 1:], *after.T).min(axis=1)
        assert said == ((apart_m > UNDRIVEN_M).mean() > 0.5)
        if said:
            assert apart_m.min() > BLOCK_M / 2.0
    # What is left is unaltered and in order: every part is a stretch of one video.
    whole = {tuple(place): (one.name, row) for one in training for row, place in enumerate(one.lat_lon_deg)}
    for part in kept:
        of = [whole[tuple(place)] for place in part.lat_lon_deg]
        assert len(part) > 1
        assert len({name for name, _ in of}) == 1
        assert np.diff([row for _, row in of]).tolist() == [1] * (len(of) - 1)


def test_where_one_street_would_be_too_much_nothing_is_held_out():
    training = [street("t0", 0, 30)]
    kept, undriven = hold_out_streets(training, [street("v0", 0, 30)], 0)
    assert sum(map(len, kept)) == 30
    assert not undriven.any()
    # One that goes where nobody drove is named all the same.
    assert hold_out_streets(training, [street("far", 9, 30)], 0)[1].tolist() == [True]
