"""The continuous benchmark's interval: of the same frames drawn again in pairs."""

from __future__ import annotations

import numpy as np

from benchmarks.continuous import _interval


def test_the_interval_of_equal_picks_is_nothing_and_of_a_shift_holds_it() -> None:
    away_m = np.random.default_rng(1).exponential(300.0, 500)
    assert _interval(away_m, away_m, seed=0) == [0.0, 0.0]
    low, high = _interval(away_m + 50.0, away_m, seed=0)
    assert low == high == 50.0  # in pairs: a shift of every frame has no noise, however much the frames differ


def test_a_few_swapped_frames_make_an_interval_about_nothing() -> None:
    rng = np.random.default_rng(2)
    one = rng.exponential(300.0, 500)
    other = one.copy()
    swapped = rng.choice(500, 60, replace=False)
    other[swapped] = rng.exponential(300.0, 60)
    low, high = _interval(one, other, seed=0)
    assert low < np.median(one) - np.median(other) < high
    assert low < 0 < high
