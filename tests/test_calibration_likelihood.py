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
from sklearn.linear_model import LogisticRegression

from tests.test_models_memory import SPACING_M, World
from vidtag_engine.calibration.calibrate import calibrate_path
from vidtag_engine.calibration.likelihood import fit_ratio
from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.inference import Emissions, FrameScores, ScoredPlaces
from vidtag_engine.reference.database import StoredReferences
from vidtag_engine.reference.descriptor import SAMPLED, chance_level, evenly
from vidtag_engine.reference.similarity import ELSEWHERE, NEIGHBOURS
from vidtag_engine.reference.store import Store
from vidtag_engine.training.kept_references import keep
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
        above = scores.similarity(slice(0, len(scores))) - scores.of.chance[:, None]
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


def test_frames_whose_place_no_reference_shows_do_not_count_as_shown():
    world = World(3)
    training, new = [world.drive() for _ in range(60)], [world.drive() for _ in range(40)]
    model = world.model(training)
    cover = world.search(model).cover().lat_lon_deg
    places = ScoredPlaces.embedded(model, cover, SPACING_M, REACH_M, NEIGHBOURS)

    def of(drive: TrainingSequence, hidden_m: float) -> tuple[FrameScores, FloatArray]:
        hidden = model.memory.near(drive.lat_lon_deg, hidden_m) if hidden_m else None
        return Emissions(model, drive.features[0], hidden=hidden, time_s=drive.time_s).at(places), drive.lat_lon_deg

    # As many drives again that see nothing of their own street.
    videos = [of(drive, 0.0) for drive in new[:20]] + [of(drive, 70.0) for drive in new[20:]]
    ratio = fit_ratio(videos, cover, REACH_M, 0.8)
    assert ratio is not None
    own, others = [], []
    for scores, truth in videos:
        above = scores.similarity(slice(0, len(scores))) - scores.of.chance[:, None]
        apart_m = haversine_m(cover[:, :1], cover[:, 1:], *truth.T)
        own += above[np.arange(len(truth)), apart_m.argmin(axis=0)].tolist()
        others += above.T[apart_m > ELSEWHERE * REACH_M].tolist()
    given = np.array([*own, *others])
    every = LogisticRegression(class_weight="balanced").fit(given[:, None] / given.std(), np.arange(len(given)) < len(own))
    # Half of those frames cannot look like their place: taken for shown they would say that looking like it means little.
    assert ratio.slope > 1.5 * every.coef_[0, 0] / given.std()
    assert LikelihoodRatio(ratio.slope, ratio.intercept, 0.8).read(np.float32(np.median(own[:200]))) > 0.0


def test_scores_are_read_through_the_ratio_above_what_chance_finds():
    videos, _ = scored(World(3), 2)
    weight = DatabaseWeight(4.0, REACH_M, 0.1, NEIGHBOURS, ratio=LikelihoodRatio(40.0, -2.0, 0.8))
    for scores, _ in videos:
        every = slice(0, len(scores))
        found = scores.read(weight)(every) - scores.cosines(every)
        expected = 4.0 * np.log(0.2 + 0.8 * np.exp(40.0 * (scores.similarity(every) - scores.of.chance[:, None]) - 2.0)) / 40.0
        np.testing.assert_allclose(found, expected, atol=1e-5)
        np.testing.assert_allclose(scores.read(weight)(slice(2, 5)) - scores.cosines(slice(2, 5)), expected[2:5], atol=1e-5)


def test_chance_is_two_deviations_above_the_mean_over_references_evenly_out_of_all():
    rng = np.random.default_rng(0)
    references = torch.from_numpy(rng.normal(size=(2_500, 8)).astype(np.float32))
    frames = torch.from_numpy(rng.normal(size=(5, 8)).astype(np.float32))
    some = evenly(references)
    assert len(some) == SAMPLED
    assert {tuple(row) for row in some.tolist()} <= {tuple(row) for row in references.tolist()}
    torch.testing.assert_close((some[0], some[-1]), (references[0], references[-1]))
    alike = frames.numpy() @ references[:300].numpy().T
    np.testing.assert_allclose(chance_level(frames, references[:300]), alike.mean(axis=1) + 2.0 * alike.std(axis=1), rtol=1e-4)
    assert chance_level(frames, references[:0]).tolist() == [0.0] * 5


def test_a_frame_says_the_same_of_a_place_whatever_area_is_searched(tmp_path):
    world = World(3)
    training, new = [world.drive() for _ in range(60)], world.drive()
    model = world.model(training)
    memory = model.memory
    cover = world.search(model).cover().lat_lon_deg
    stored = StoredReferences(Store.open(tmp_path / keep(tmp_path, memory, training, "vidtag-compact", SPACING_M).folder))
    weight = DatabaseWeight(4.0, REACH_M, None, NEIGHBOURS, ratio=LikelihoodRatio(40.0, -2.0, 0.8))
    model.remember(stored)
    part = np.flatnonzero(cover[:, 0] < np.quantile(cover[:, 0], 0.3))
    read = {}
    for name, rows in (("whole", np.arange(len(cover))), ("part", part)):
        places = ScoredPlaces.embedded(model, cover[rows], SPACING_M, REACH_M, NEIGHBOURS)
        scores = Emissions(model, new.features[0], time_s=new.time_s).at(places)
        read[name] = scores.read(weight)(slice(0, len(scores))), scores.similarity(slice(0, len(scores)))
    (whole, alike), (some, alike_too) = read["whole"], read["part"]
    same = np.isclose(alike[:, part], alike_too, atol=1e-6)  # both found the reference that speaks of the place
    assert same.sum() >= 5
    np.testing.assert_allclose(some[same], whole[:, part][same], atol=1e-5)


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


def test_a_fit_like_another_takes_over_its_reading_and_says_itself_how_sure_to_be():
    world = World(3)
    training, held = [world.drive() for _ in range(60)], [world.drive() for _ in range(20)]
    model, less = world.model(training), world.model(training[:20])
    cover = world.search(model).cover().lat_lon_deg
    options = {"temperature": 0.07, "reach_m": REACH_M}
    undriven = np.arange(20) % 4 == 0
    whole = calibrate_path(model, cover, SPACING_M, training, held, **options)
    found = calibrate_path(less, cover, SPACING_M, training, held, undriven=undriven, like=whole, **options)
    taken = ("emission", "line_emission", "accuracy_m", "transition", "database_weight", "at_references", "refine_mps")
    assert [getattr(found, name) for name in taken] == [getattr(whole, name) for name in taken]
    alone = calibrate_path(less, cover, SPACING_M, training, held, undriven=undriven, **options)
    assert [getattr(alone, name) for name in taken] != [getattr(whole, name) for name in taken]
    # What saw less of the streets is right less often with as much mass.
    assert found.maps != whole.maps
    assert found.level90 >= whole.level90
