"""P(the path lies in the area) against every path enumerated, and the threshold below which few videos fall."""

import itertools
import math

import numpy as np
import pytest

from tests.test_trajectory_decoder import grid, steps
from tests.test_trajectory_fit import PLACES, SPACING_M, drawn_videos
from vidtag_engine.trajectory import Decoder, Evidence, Motion, elsewhere, p_inside
from vidtag_engine.trajectory import decoder as decoder_module
from vidtag_engine.trajectory.elsewhere import _low_quantile, fit_threshold, known_ground

NEAR, FAR = grid(3, 1), grid(2, 1, 250.0) + 3.0
MOTION = Motion(30.0, 1e-3)


def given(scores):
    return lambda rows: scores[rows]


def enumerated(inner, outer, evidence, time_s):
    """Every path of either side, its prior share of the ground times its frames' likelihoods over all ground."""
    cells = np.array([*[100.0**2] * len(NEAR), *[250.0**2] * len(FAR)])
    both = np.concatenate([inner, outer], axis=1).astype(np.float64) / evidence.temperature
    likely = np.exp(both - both.max(axis=1, keepdims=True))
    likely = (1 - evidence.blind) * likely / (likely @ cells / cells.sum())[:, None] + evidence.blind
    likely **= evidence.weights(time_s)[:, None]
    sides = []
    for places, spacing_m, part in ((NEAR, 100.0, slice(0, 3)), (FAR, 250.0, slice(3, 5))):
        moves = [steps(places, MOTION, spacing_m, float(seconds)) for seconds in np.diff(time_s)]
        total = 0.0
        for path in itertools.product(range(len(places)), repeat=len(time_s)):
            weight = math.prod(likely[row, part][place] for row, place in enumerate(path)) * spacing_m**2
            total += weight * math.prod(moves[row][path[row], path[row + 1]] for row in range(len(moves)))
        sides.append(total)
    return sides[0] / sum(sides)


@pytest.mark.parametrize("shared", [0.0, 0.5])
@pytest.mark.parametrize("at_once", [1, 64])
def test_the_areas_share_is_that_of_every_path_enumerated(shared, at_once, monkeypatch):
    monkeypatch.setattr(decoder_module, "_TIMES", 1.0 + 1e-9)  # no rounding of times
    monkeypatch.setattr(decoder_module, "_BLOCK", 3 * at_once)
    monkeypatch.setattr(elsewhere, "_AT_ONCE", at_once)
    rng = np.random.default_rng(3)
    evidence, time_s = Evidence(0.2, 0.05, shared), np.array([0.0, 1.0, 3.0, 4.0])
    for _ in range(4):
        inner, outer = (rng.normal(0, 0.3, (4, count)).astype(np.float32) for count in (3, 2))
        found = p_inside(Decoder(NEAR, 100.0, MOTION), given(inner), Decoder(FAR, 250.0, MOTION), given(outer), evidence, time_s)
        assert found == pytest.approx(enumerated(inner, outer, evidence, time_s), rel=2e-3)


def test_nothing_told_leaves_the_grounds_share_and_a_hidden_part_is_not_searched():
    area, beyond, evidence, time_s = Decoder(NEAR, 100.0), Decoder(FAR, 250.0), Evidence(0.1, 0.01), np.arange(3.0)
    inner, outer = np.zeros((3, 3), np.float32), np.zeros((3, 2), np.float32)

    def asked(inner, outer):
        return p_inside(area, given(inner), beyond, given(outer), evidence, time_s)

    share = 3 * 100.0**2 / (3 * 100.0**2 + 2 * 250.0**2)
    assert asked(inner, outer) == pytest.approx(share, rel=1e-3)
    inner[:, 1] = 0.8
    assert asked(inner, outer) > 0.99
    hidden = inner.copy()
    hidden[:, 1] = -np.inf
    assert asked(hidden, outer) < share
    outer[:, 1] = 1.6
    assert asked(inner, outer) < 0.01
    none = Decoder(FAR, 250.0)
    none.points_m = none.points_m[:0]
    assert math.isnan(p_inside(area, given(inner), none, given(outer[:, :0]), evidence, time_s))


def test_known_ground_lies_about_the_training_and_stands_for_all_of_it(monkeypatch):
    driven = PLACES[:30]  # the southernmost row
    known = known_ground(PLACES, SPACING_M, driven)
    assert len(known.lat_lon_deg) == 60
    assert known.spacing_m == SPACING_M
    monkeypatch.setattr(elsewhere, "_MOST_PLACES", 20)
    few = known_ground(PLACES, SPACING_M, driven)
    assert len(few.lat_lon_deg) <= 20
    assert len(few.lat_lon_deg) * few.spacing_m**2 == pytest.approx(60 * SPACING_M**2)


def test_a_threshold_lets_nearly_all_videos_within_through():
    known = known_ground(PLACES, SPACING_M, PLACES)
    evidence, area = Evidence(0.1, 0.02, 1.0), Decoder(PLACES, SPACING_M, Motion(1.0))
    made = [(video.scores, video.scores, video.time_s, video.lat_lon_deg) for video in drawn_videos(80, np.random.default_rng(9))]
    for half in (made[:40], made[40:]):  # fewer than 79 videos cannot speak of 1.25 %
        assert fit_threshold(known, area, half, evidence) == 0.0
    assert 0.0 < fit_threshold(known, area, made, evidence) < 0.6


def test_low_quantiles_are_conformal_and_by_video():
    values = [np.array([value]) for value in np.linspace(0.0, 1.0, 101)]
    assert _low_quantile(values, 0.02) == pytest.approx(0.01)
    # A video that was searched for in many ways weighs no more than another.
    assert _low_quantile([*values, np.zeros(1000)], 0.05) == pytest.approx(0.03, abs=0.0101)
    rng = np.random.default_rng(0)
    below = [rng.uniform() < _low_quantile([rng.uniform(size=2) for _ in range(60)], 0.05) for _ in range(800)]
    assert np.mean(below) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 800)
    assert _low_quantile([], 0.02) == 0.0
