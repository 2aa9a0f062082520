"""What similarities to reference images say, as likelihood ratios: against frequencies, exact values and places that nobody saw."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.test_models_memory import SPACING_M, World
from vidtag_engine.calibration.calibrate import calibrate_path
from vidtag_engine.calibration.likelihood import fit_ratio
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.inference import Emissions, FrameScores, ScoredPlaces
from vidtag_engine.reference.similarity import ELSEWHERE, NEIGHBOURS
from vidtag_engine.trajectory import DatabaseWeight
from vidtag_engine.trajectory.decoder_calibration import LikelihoodRatio
from vidtag_engine.types import FloatArray, InputError

REACH_M = 60.0


def scored(world: World, drives: int, trained_on: int = 60) -> tuple[list[tuple[FrameScores, FloatArray]], FloatArray]:
    """New drives' scores over the cover, with their truths, and the cover."""
    training = [world.drive() for _ in range(trained_on)]
    model = world.model(training)
    cover = world.search(model).cover().lat_lon_deg
    places = ScoredPlaces.embedded(model, cover, SPACING_M, REACH_M, NEIGHBOURS)
    new = [world.drive() for _ in range(drives)]
    return [(Emissions(model, one.features[0], time_s=one.time_s).at(places), one.lat_lon_deg) for one in new], cover


@given(st.floats(0.5, 200.0), st.floats(-8.0, 8.0), st.floats(0.05, 0.95), st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6))
def test_the_ratio_is_that_of_a_mixture_and_is_never_below_the_share_that_no_image_shows(
    slope: float, intercept: float, shown: float, above: list[float]
):
    found = LikelihoodRatio(slope, intercept, shown).read(np.array([above], dtype=np.float32))[0]
    for one, of in zip(found.tolist(), np.array(above, dtype=np.float32).tolist(), strict=True):
        right = math.log(1.0 - shown + shown * math.exp(intercept + slope * of)) / slope
        assert one == pytest.approx(right, rel=1e-4, abs=1e-5 / slope + 1e-6)
        assert one >= math.log(1.0 - shown) / slope - 1e-5


def test_what_is_fitted_says_how_often_a_place_is_the_frames_own():
    videos, cover = scored(World(3), 60)
    fitted, asked = videos[:30], videos[30:]
    ratio = fit_ratio(fitted, cover, REACH_M, 0.8)
    assert ratio is not None
    assert ratio.shown_share == 0.8
    assert ratio.slope > 0
    own, others, rng = [], [], np.random.default_rng(1)
    for scores, truth in asked:
        above = scores.similarity(slice(0, len(scores))) - np.where(
            np.isfinite(scores.found.similarity), scores.found.similarity, np.inf
        ).min(axis=1, keepdims=True)
        apart_m = haversine_m(cover[:, :1], cover[:, 1:], *truth.T)
        own += above[np.arange(len(truth)), apart_m.argmin(axis=0)].tolist()
        for frame in range(len(truth)):
            far = np.flatnonzero(apart_m[:, frame] > ELSEWHERE * REACH_M)
            others += above[frame, rng.choice(far, 20)].tolist()
    # As many of each: the ratio's logarithm is then the log odds of being the frame's own.
    odds = ratio.slope * np.concatenate([own, others]) + ratio.intercept
    weight, right = np.concatenate([np.full(len(own), 20.0), np.ones(len(others))]), np.arange(len(odds)) < len(own)
    said = 1.0 / (1.0 + np.exp(-odds))
    for low, high in ((0.0, 0.2), (0.8, 1.01)):
        here = (said >= low) & (said < high)
        assert here.sum() > 50
        assert np.average(right[here], weights=weight[here]) == pytest.approx(np.average(said[here], weights=weight[here]), abs=0.1)


def test_scores_are_read_through_the_ratio_above_each_frames_own_least():
    videos, _ = scored(World(3), 2)
    ratio = LikelihoodRatio(40.0, -2.0, 0.8)
    weight = DatabaseWeight(4.0, REACH_M, 0.1, NEIGHBOURS, ratio=ratio)
    for scores, _ in videos:
        every = slice(0, len(scores))
        least = scores.found.similarity.min(axis=1)
        found = scores.read(weight)(every) - scores.cosines(every)
        expected = 4.0 * np.log(0.2 + 0.8 * np.exp(40.0 * (scores.similarity(every) - least[:, None]) - 2.0)) / 40.0
        np.testing.assert_allclose(found, expected, atol=1e-5)
        np.testing.assert_allclose(scores.read(weight)(slice(2, 5)) - scores.cosines(slice(2, 5)), expected[2:5], atol=1e-5)
        # Places that no reference image speaks of say as little as any can.
        unseen = scores.similarity(every) <= least[:, None]
        assert unseen.any()
        np.testing.assert_allclose(found[unseen], 4.0 * math.log(0.2 + 0.8 * math.exp(-2.0)) / 40.0, atol=1e-5)


def test_too_few_frames_or_references_that_tell_nothing_have_no_ratio():
    videos, cover = scored(World(3), 3)
    assert fit_ratio(videos, cover, REACH_M, 0.8) is None  # 30 frames
    assert fit_ratio([], cover, REACH_M, 0.8) is None
    many, cover = scored(World(3), 12)
    wrong = [(scores, truth[::-1] + np.array([0.02, 0.02])) for scores, truth in many]  # all said to be in one far corner
    fitted = fit_ratio(wrong, cover, REACH_M, 0.8)
    assert fitted is None or fitted.slope < 0.2 * fit_ratio(many, cover, REACH_M, 0.8).slope


@pytest.mark.parametrize("likelihood_ratios", [True, False])
def test_a_fit_reads_ratios_unless_it_is_told_not_to(likelihood_ratios: bool):
    world = World(3)
    training, held = [world.drive() for _ in range(60)], [world.drive() for _ in range(20)]
    model = world.model(training)
    cover = world.search(model).cover().lat_lon_deg
    with torch.inference_mode():
        path = calibrate_path(
            model, cover, SPACING_M, training, held, temperature=0.07, reach_m=REACH_M, likelihood_ratios=likelihood_ratios
        )
    assert path.database_weight is not None
    assert (path.database_weight.ratio is not None) is likelihood_ratios
    table = calibrate_path(model, cover, SPACING_M, training, held, temperature=0.07, reach_m=REACH_M, neighbours=None)
    assert table.database_weight is None or table.database_weight.ratio is None


def test_a_card_keeps_the_ratio_and_one_that_cannot_be_used_is_refused():
    weight = DatabaseWeight(4.0, 300.0, 0.1, 200, ratio=LikelihoodRatio(90.0, -3.0, 0.8))
    kept = json.loads(json.dumps(asdict(weight)))
    assert DatabaseWeight.from_dict(kept) == weight
    assert DatabaseWeight.from_dict({**kept, "ratio": None}) == replace(weight, ratio=None)
    for change in ({"slope": 0.0}, {"slope": math.nan}, {"intercept": math.inf}, {"shown_share": 1.0}, {"shown_share": 0.0}):
        with pytest.raises(InputError, match="vidtag calibrate"):
            DatabaseWeight.from_dict({**kept, "ratio": {**kept["ratio"], **change}})
