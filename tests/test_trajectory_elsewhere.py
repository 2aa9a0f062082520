"""Leads of the ground beyond an area, what they mean beside the area's size, and the odds that few videos taken in the area exceed."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from tests.test_trajectory_fit import PLACES, SPACING_M, drawn_videos
from vidtag_engine.calibration import fit_out_of_area, training_ground
from vidtag_engine.calibration import out_of_area as fitting
from vidtag_engine.calibration.out_of_area import Searched, _areas, _fit_odds
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.trajectory import OutOfAreaDetector, out_of_area_score
from vidtag_engine.trajectory import out_of_area as elsewhere


@pytest.fixture(scope="module")
def known() -> OutOfAreaDetector:
    return training_ground(PLACES, SPACING_M, PLACES)


def searched(count: int, seed: int):
    videos = drawn_videos(count, np.random.default_rng(seed))
    return [Searched(*[video.scores(slice(0, len(video.time_s)))] * 2, video.lat_lon_deg) for video in videos]


@pytest.mark.parametrize("frames", [1, 7, 15, 40])
def test_a_lead_is_the_mean_over_pieces_of_the_best_block_beyond_less_the_best_inside(frames):
    rng = np.random.default_rng(3)
    inner, outer = (rng.normal(0, 0.3, (frames, count)).astype(np.float32) for count in (30, 50))
    inner[:, 4] = -np.inf  # where no path may pass
    blocks = {
        30: np.stack([rng.integers(0, 5, 30), rng.integers(0, 7, 30)]),
        50: np.stack([rng.integers(0, 9, 50), rng.integers(0, 4, 50)]),
    }

    def best(scores):
        each = [scores[:, lattice == block].max(axis=1).mean() for lattice in blocks[scores.shape[1]] for block in set(lattice.tolist())]
        return max(each)

    pieces = np.array_split(np.arange(frames), -(-frames // 15))
    expected = sum(len(rows) * (best(outer[rows]) - best(inner[rows])) for rows in pieces) / frames
    given = inner.__getitem__, outer.__getitem__, frames, blocks[30], blocks[50]
    assert out_of_area_score(*given) == pytest.approx(expected, abs=1e-5)
    assert math.isnan(out_of_area_score(*given[:2], 0, *given[3:]))


def test_places_of_a_block_lie_within_300_m_and_every_place_has_a_near_neighbour_in_one():
    rng = np.random.default_rng(4)
    places = np.array([-19.2, 159.9]) + rng.uniform(0, 0.02, (400, 2))
    blocks = elsewhere.blocks_of_ground(places)
    assert blocks.shape == (2, 400)
    for lattice in blocks:
        for block in set(lattice.tolist()):
            mine = places[lattice == block]
            assert haversine_m(mine[:, None, 0], mine[:, None, 1], mine[:, 0], mine[:, 1]).max() <= 300.0 * math.sqrt(3.0)
    assert len(set(blocks[0].tolist())) > 20


def with_size(leads, size=0.0):
    """(3, n) a video, all searched for in areas of one size, and recognised nowhere."""
    return [np.stack([one, np.full(len(one), size), np.zeros(len(one))]) for one in leads]


def test_odds_are_those_that_made_the_leads_and_videos_weigh_alike():
    rng = np.random.default_rng(1)
    # Normal leads 2 apart, of spread 1: their log odds are twice the lead.
    leads = {inside: list(rng.normal(-1.0 if inside else 1.0, 1.0, (1500, 1))) for inside in (True, False)}
    given = {inside: with_size(leads[inside]) for inside in leads}
    (slope, size, _), intercept = _fit_odds(given, {inside: [1.0] * 1500 for inside in (True, False)})
    assert (slope, size, intercept) == (pytest.approx(2.0, abs=0.15), pytest.approx(0.0, abs=0.5), pytest.approx(0.0, abs=0.1))
    # Fewer of one kind, one searched for in a hundred ways, and some that count a quarter, with even odds; against another implementation.
    given[False] = [*given[False][:300], *with_size([np.full(100, -1.0)])]
    weights = {True: [1.0] * 1000 + [0.25] * 500, False: [1.0] * 301}
    value = np.concatenate([one[0] for kind in (True, False) for one in given[kind]])[:, None]
    kind = np.repeat([0, 1], [1500, 400])
    weight = np.concatenate([np.array(weights[True]) / 1125, np.full(300, 1 / 301), np.full(100, 1 / 30_100)])
    theirs = LogisticRegression(C=1e9).fit(value, kind, sample_weight=301 * weight)
    (slope, _, _), intercept = _fit_odds(given, weights)
    assert slope == pytest.approx(theirs.coef_[0, 0], rel=0.1)  # theirs is drawn to nothing
    assert intercept == pytest.approx(theirs.intercept_[0], abs=0.05)


def test_leads_that_grow_as_areas_shrink_are_read_beside_the_size():
    rng = np.random.default_rng(4)
    given = {True: [], False: []}
    for inside, videos in given.items():
        for _ in range(1000):
            size = rng.uniform(-4.0, 0.0, 3)
            videos.append(np.stack([rng.normal(-1.0 if inside else 1.0, 1.0, 3) - 0.5 * size, size, np.zeros(3)]))
    (slope, size, _), intercept = _fit_odds(given, {True: [1.0] * 1000, False: [1.0] * 1000})
    assert (slope, size, intercept) == (pytest.approx(2.0, abs=0.2), pytest.approx(1.0, abs=0.15), pytest.approx(0.0, abs=0.2))


def test_few_videos_from_outside_do_not_make_sure():
    rng = np.random.default_rng(2)
    inside = with_size(rng.normal(-1.0, 1.0, (150, 1)))
    slopes = []
    for count in (1, 5, 150):
        outside = with_size([np.array([2.5])] * count)
        slopes.append(_fit_odds({True: inside, False: outside}, {True: [1.0] * 150, False: [1.0] * count})[0][0])
    assert slopes == sorted(slopes)
    assert slopes[0] < 0.5 * slopes[2]


def test_areas_hold_the_whole_path_or_lie_far_from_all_of_it():
    rng = np.random.default_rng(5)
    flat = np.stack(np.meshgrid(np.arange(-6000.0, 6001.0, 250.0), np.arange(-3000.0, 9001.0, 250.0)), axis=-1).reshape(-1, 2)
    path = np.stack([np.linspace(-300.0, 300.0, 9), np.linspace(0.0, 100.0, 9)], axis=1)
    sizes = {True: [], False: []}
    for _ in range(60):
        for inside, part in _areas(flat, path, rng):
            nearest = np.hypot(*(flat[:, None] - path[None]).T)  # (9, places)
            if inside:
                assert nearest[:, part].min(axis=1).max() < 400.0
            else:
                assert nearest[:, part].min() > 499.0
            sizes[inside].append(part.mean())
    for share in sizes.values():
        assert len(share) > 60
        assert min(share) < 0.05
    assert max(sizes[True]) >= 0.5
    assert list(_areas(flat[:0], path, rng)) == []


def test_what_is_said_is_capped_by_how_many_videos_say_it_and_nothing_is_said_unfitted():
    fitted = OutOfAreaDetector(PLACES, SPACING_M, slope=3.0, size=0.7, intercept=-0.5, most_odds=2.0, videos=98)
    outside = np.arange(len(PLACES)) >= 100  # 100 of 600 places lie inside
    for lead in (0.0, 0.4, 1.3):
        odds = fitted.log_odds(lead, outside)
        assert odds == pytest.approx(3.0 * lead + 0.7 * math.log(1 / 5) - 0.5)
        assert fitted.p_inside(odds) == pytest.approx(expit(-odds))
    assert (fitted.p_inside(-1e9), fitted.p_inside(1e9)) == (0.99, 0.01)
    assert [fitted.is_outside(odds) for odds in (-5.0, 2.0, 2.01, math.nan)] == [False, False, True, False]
    assert not replace(fitted, most_odds=0.3).is_outside(0.5)  # such odds are rare inside, and not much less so outside
    assert not replace(fitted, most_odds=None).is_outside(50.0)
    assert math.isnan(fitted.p_inside(math.nan))
    assert not replace(fitted, videos=2.0).is_outside(50.0)
    # What is recognised outside counts besides.
    clear = replace(fitted, recognised=10.0)
    assert clear.log_odds(0.4, outside, 0.2) == pytest.approx(fitted.log_odds(0.4, outside) + 2.0)
    assert OutOfAreaDetector.from_dict(clear.to_dict()).recognised == 10.0
    assert OutOfAreaDetector.from_dict({key: value for key, value in clear.to_dict().items() if key != "recognised"}).recognised == 0.0
    unfitted = OutOfAreaDetector(PLACES, SPACING_M)
    for known, of in ((unfitted, outside), (fitted, np.ones(600, bool)), (fitted, np.zeros(600, bool))):
        odds = known.log_odds(1.0, of)
        assert math.isnan(odds)
        assert not known.is_outside(odds)


def test_known_ground_lies_about_the_training_and_stands_for_all_of_it(monkeypatch):
    driven = PLACES[:30]  # the southernmost row
    known = training_ground(PLACES, SPACING_M, driven)
    assert len(known.lat_lon_deg) == 60
    assert known.spacing_m == SPACING_M
    monkeypatch.setattr(fitting, "_MOST_PLACES", 20)
    few = training_ground(PLACES, SPACING_M, driven)
    assert len(few.lat_lon_deg) <= 20
    assert len(few.lat_lon_deg) * few.spacing_m**2 == pytest.approx(60 * SPACING_M**2)


def test_held_out_videos_tell_outside_from_inside_and_few_inside_are_withheld(known):
    fitted = fit_out_of_area(known, PLACES, SPACING_M, searched(150, 9))
    assert fitted.tells
    assert 33 <= fitted.videos < 150  # not of all is there one that was searched for on the wrong side
    said, right, flagged = [], [], {True: [], False: []}
    half = PLACES[:, 1] > np.median(PLACES[:, 1])
    beyond = known.outside(PLACES[half], SPACING_M)
    for one in searched(600, 10):
        every, truth = one.inner, one.lat_lon_deg
        east = truth[0, 1] - np.median(PLACES[:, 1])
        if -0.0045 < east < 0.0:  # 500 m
            continue
        blocks = elsewhere.blocks_of_ground(PLACES[half]), known.blocks[:, beyond]
        lead = out_of_area_score(every[:, half].__getitem__, every[:, beyond].__getitem__, len(truth), *blocks)
        odds = fitted.log_odds(lead, beyond)
        said.append(fitted.p_inside(odds))
        right.append(east >= 0)
        flagged[east >= 0].append(fitted.is_outside(odds))
    said, right = np.array(said), np.array(right)
    assert np.mean(flagged[True]) < 0.1
    assert np.mean(flagged[False]) > 3 * max(np.mean(flagged[True]), 0.01)
    weight = np.where(right, 0.5 / right.sum(), 0.5 / (~right).sum())  # even odds
    assert weight @ np.square(said - right) < 0.22  # 0.25 would say nothing
    sure = said > 0.6
    assert (weight[sure] @ right[sure]) / weight[sure].sum() == pytest.approx((weight[sure] @ said[sure]) / weight[sure].sum(), abs=0.1)


def test_few_videos_withhold_what_none_of_them_exceeds_and_those_of_a_hamlet_say_nothing(known):
    few = fit_out_of_area(known, PLACES, SPACING_M, searched(9, 9))
    many = fit_out_of_area(known, PLACES, SPACING_M, searched(60, 9))
    assert few.tells
    # Of nine no odds rarer than one in ten are known: more of their kind exceed the level than the 3.5 % of many.
    assert few.most_odds is not None
    assert many.most_odds is not None
    # Two videos cannot make anything unlikely enough to be called outside.
    two = fit_out_of_area(known, PLACES, SPACING_M, searched(2, 9))
    assert not two.is_outside(1e6)
    hamlet = PLACES[(PLACES < 0.0025).all(axis=1)]  # no place lies far enough from any other to be outside
    scores = np.zeros((6, len(hamlet)), np.float32)
    inside = [Searched(scores, scores, hamlet[[4] * 6])] * 80
    small = training_ground(hamlet, SPACING_M, hamlet)
    assert fit_out_of_area(small, hamlet, SPACING_M, inside) is small
    assert fit_out_of_area(known, PLACES, SPACING_M, []) is known


def test_leads_survive_json_and_what_was_written_before_says_nothing():
    fitted = OutOfAreaDetector(PLACES[::7], 200.0, slope=3.0, size=0.7, intercept=-0.5, most_odds=1.2, videos=98)
    values = json.loads(json.dumps(fitted.to_dict()))
    again = OutOfAreaDetector.from_dict(values)
    np.testing.assert_allclose(again.lat_lon_deg, fitted.lat_lon_deg, atol=1e-5)
    names = ("spacing_m", "slope", "size", "intercept", "most_odds", "videos")
    assert [getattr(again, name) for name in names] == [getattr(fitted, name) for name in names]
    for wrong in ({"slope": float("nan")}, {"most_odds": float("inf")}, {"videos": -2.0}):
        with pytest.raises(ValueError, match="odds"):
            OutOfAreaDetector.from_dict(values | wrong)
    before = {"lat_lon_deg": values["lat_lon_deg"], "spacing_m": 200.0, "threshold": 0.25}
    assert not OutOfAreaDetector.from_dict(before).tells


def test_a_video_recognised_beyond_is_told_by_one_frame_in_five():
    rng = np.random.default_rng(8)
    inner, outer = rng.normal(0.2, 0.02, (10, 30)), rng.normal(0.2, 0.02, (10, 40))
    assert abs(elsewhere.recognised_beyond(inner, outer)) < 0.04
    outer[[2, 7, 9], 11] = 0.5  # three frames of ten show a place clearly
    margins = sorted(outer.max(axis=1) - inner.max(axis=1))
    assert elsewhere.recognised_beyond(inner, outer) == pytest.approx(np.quantile(margins, 0.8))
    assert elsewhere.recognised_beyond(inner, outer) > 0.2
    assert elsewhere.recognised_beyond(inner[:0], outer[:0]) == 0.0


def test_similarity_tells_where_scores_do_not(known):
    rng = np.random.default_rng(9)

    def video():
        """Scores of chance; a third of the frames show their place."""
        truth = PLACES[[rng.integers(len(PLACES))] * 9]
        scores, similar = (rng.normal(0.0, 0.02, (9, len(PLACES))).astype(np.float32) for _ in range(2))
        similar[::3, haversine_m(*truth[0], *PLACES.T).argmin()] = 0.4
        return Searched(scores, scores, truth, similarity=(similar, similar))

    fitted = fit_out_of_area(known, PLACES, SPACING_M, [video() for _ in range(120)])
    alone = fit_out_of_area(known, PLACES, SPACING_M, [replace(video(), similarity=None) for _ in range(120)])
    assert alone.recognised == 0.0
    half = PLACES[:, 1] > np.median(PLACES[:, 1])
    beyond = known.outside(PLACES[half], SPACING_M)
    blocks = elsewhere.blocks_of_ground(PLACES[half]), known.blocks[:, beyond]
    withheld = {True: [], False: []}
    for one in [video() for _ in range(200)]:
        east = one.lat_lon_deg[0, 1] - np.median(PLACES[:, 1])
        if -0.0045 < east < 0.0:
            continue
        lead = out_of_area_score(one.inner[:, half].__getitem__, one.outer[:, beyond].__getitem__, 9, *blocks)
        clearly = elsewhere.recognised_beyond(one.similarity[0][:, half], one.similarity[1][:, beyond])
        withheld[east >= 0].append(fitted.is_outside(fitted.log_odds(lead, beyond, clearly)))
    assert np.mean(withheld[False]) > 0.95
    assert np.mean(withheld[True]) < 0.1
