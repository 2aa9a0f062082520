"""Ground that a checkpoint can speak of, against distances by brute force, and what unknown ground does to a video's answer."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import shapely
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from tests.test_models_memory import SPACING_M, World
from tests.test_trajectory_fit import PLACES as TOWN
from vidtag_engine.calibration.fit_decoder import fit_levels, kinds_of
from vidtag_engine.geodesy import WGS84, haversine_m
from vidtag_engine.inference import Emissions, PosteriorDecoder
from vidtag_engine.inference.verdicts import frame_by_frame, with_hypotheses
from vidtag_engine.trajectory import Calibration, DatabaseWeight, Decoder, PathCalibration, TrainingGround, assemble, hypotheses, mass_about
from vidtag_engine.trajectory.decoder_calibration import RadiusMap
from vidtag_engine.types import FrameState


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(20.0, 2000.0), st.sampled_from([0.0, 35.0, -61.0]), st.sampled_from([0.0, 179.99]))
def test_known_is_what_lies_within_reach_of_a_training_place(seed, reach_m, lat, lon):
    rng = np.random.default_rng(seed)
    training = np.array([lat, lon]) + rng.uniform(0, 0.02, (60, 2))
    training[:, 1] = (training[:, 1] + 180.0) % 360.0 - 180.0
    places = np.array([lat, lon]) + rng.uniform(-0.02, 0.04, (200, 2))
    ground = TrainingGround.about(training, reach_m)
    nearest_m = haversine_m(places[:, :1], places[:, 1:], *training.T).min(axis=1)
    known = ground.knows(places)
    # Of places that lie close one is kept: what is said can be off by a cell's diagonal, at the edge of the reach.
    diagonal_m = math.sqrt(3.0) * reach_m / 8.0
    assert not known[nearest_m > reach_m + 0.01].any()
    assert known[nearest_m < reach_m - diagonal_m - 0.01].all()
    again = TrainingGround.from_dict(ground.to_dict())
    assert (again.knows(places) != known).sum() <= (np.abs(nearest_m - reach_m) < diagonal_m + 3.0).sum()


def test_how_far_away_it_is_agrees_with_the_ellipsoid_and_coarse_places_reach_as_far_as_they_stand_for():
    ground = TrainingGround.about(np.array([[48.85, 2.35]]), 100.0)
    far = np.array([[-19.22, 159.93], [-19.0, 159.9]])
    exact_m = min(WGS84.inv(2.35, 48.85, lon, lat)[2] for lat, lon in far)
    assert ground.away_m(far) == pytest.approx(exact_m, rel=0.006)
    near = np.array([[48.8518, 2.35]])  # 200 m
    assert not ground.knows(near).any()
    assert ground.knows(near, 300.0).all()
    for wrong in ({"lat_lon_deg": "", "reach_m": 100.0}, {**ground.to_dict(), "reach_m": 0.0}):
        with pytest.raises(ValueError, match="training places"):
            TrainingGround.from_dict(wrong)


@pytest.mark.parametrize("unknown_share", [0.0, 0.04, 0.3, 0.7])
def test_unknown_ground_keeps_its_share_of_chances_and_of_regions(unknown_share):
    path = PathCalibration.unfitted(0.07, SPACING_M)
    path = replace(path, maps=(RadiusMap(100.0, 1.0, 0.3),), videos=500, level50=0.5, level90=0.9, unrecognised50=0.5, unrecognised90=0.9)
    mass = np.array([[0.5], [0.99]])
    whole = path.chances(lambda radii: np.repeat(mass, len(radii), axis=1), [100.0])
    part = replace(path, unknown_share=unknown_share)
    np.testing.assert_allclose(part.chances(lambda radii: np.repeat(mass, len(radii), axis=1), [100.0]), (1.0 - unknown_share) * whole)
    decoder, unknown = Decoder(TOWN, SPACING_M), TOWN + np.array([0.0, 0.1])
    share = np.exp(-np.arange(len(TOWN)) / 10.0)
    marginal = sparse.csr_matrix(share[None] / share.sum())
    found = hypotheses(marginal, decoder, TOWN[:1], part, np.zeros(1), True, unknown)
    beyond = shapely.box(unknown[:, 1].min(), unknown[:, 0].min(), unknown[:, 1].max(), unknown[:, 0].max())
    for level, region in ((0.5, found.region50[0]), (0.9, found.region90[0])):
        # What known ground can hold no more is held by unknown ground; else the known part holds so much more.
        assert region.intersects(beyond) == (level > 1.0 - unknown_share)
        held = share[shapely.intersects_xy(region, TOWN[:, 1], TOWN[:, 0])].sum() / share.sum()
        assert held * (1.0 - unknown_share) + unknown_share * region.intersects(beyond) >= level - 0.01


def test_each_kind_of_video_has_regions_of_its_own_that_hold_nine_of_ten():
    rng = np.random.default_rng(5)
    driven = rng.random(4000) < 0.7
    # How clearly a video is recognised: on driven streets often, on others hardly ever.
    clearly = np.where(driven & (rng.random(4000) < 0.8), 0.1, 0.0) + rng.normal(0.0, 0.01, 4000)
    levels = [rng.beta(1.0, 9.0 if clear > 0.05 else 2.0, 6) for clear in clearly]
    bar, kinds = kinds_of(clearly[:1000], ~driven[:1000])
    assert 0.005 < bar < 0.02  # a tenth of a normal of .01 lies above .0128
    assert not driven[kinds[1]].any()
    assert (clearly[kinds[0]] >= bar).all()
    assert (clearly[kinds[1]] < bar).all()
    for kind, above in zip(kinds, (True, False), strict=True):
        _, level90 = fit_levels(levels[:1000], kind, [1.0] * 1000)
        rest = [level for level, clear in zip(levels[1000:], clearly[1000:], strict=True) if (clear >= bar) == above]
        assert np.mean(np.concatenate(rest) <= level90) == pytest.approx(0.9, abs=0.02)
    # One level of both would hold too little of those that are not recognised.
    _, both = fit_levels(levels[:1000], range(1000), [1.0] * 1000)
    assert np.mean(np.concatenate([one for one, clear in zip(levels, clearly, strict=True) if clear < bar]) <= both) < 0.87


def test_of_videos_that_are_not_recognised_those_of_hidden_streets_alone_are_fitted_on():
    """What was not recognised may be of a street that nobody drove: it is said as much of it as is known of such streets."""
    clearly, unseen = np.array([0.2] * 30 + [0.0] * 30), np.array([False] * 40 + [True] * 20)
    clearly = np.concatenate([clearly[:40], np.linspace(0.0, 0.04, 20)])
    bar, kinds = kinds_of(clearly, unseen)
    assert bar == pytest.approx(np.quantile(clearly[40:], 0.9))
    assert kinds[0] == [*range(30), 58, 59]
    assert kinds[1] == list(range(40, 58))
    for few in (unseen & (np.arange(60) < 45), np.zeros(60, dtype=bool)):
        assert kinds_of(clearly, few) == (None, [list(range(60))])
    assert kinds_of(np.full(60, np.nan), unseen) == (None, [list(range(60))])


@pytest.fixture(scope="module")
def town():
    world = World(13)
    training = [world.drive() for _ in range(60)]
    return world, world.model(training), world.drive()


def solved(town, ground, **changes):
    world, model, new = town
    search = world.search(model)
    path = replace(
        PathCalibration.unfitted(0.07, SPACING_M, DatabaseWeight(4.0, 60.0, 0.1)), maps=(RadiusMap(100.0, 1.0, 0.5),), videos=50, **changes
    )
    solver = PosteriorDecoder(model, search, Calibration(0.07, n_frames=9, path=path, ground=ground, videos=50))
    queries = model.embed_video(torch.from_numpy(new.features[0]))
    video = solver.read(Emissions(model, new.features[0], queries))
    return solver, solver.solve(video, solver.decode(video, new.time_s), search.top_k(queries, 5), 100.0)


def test_a_video_is_withheld_where_nothing_speaks_of_the_area_and_says_how_far_its_ground_is(town):
    world, _, new = town
    solver, whole = solved(town, TrainingGround.about(world.places, 60.0))
    assert whole.verdict.state is FrameState.LOCATED
    assert whole.verdict.unknown_share == 0.0
    assert np.isfinite(whole.confidence).all()
    away = TrainingGround.about(world.places + np.array([1.0, 0.0]), 60.0)
    _, nothing = solved(town, away)
    assert nothing.verdict.state is FrameState.UNKNOWN_GROUND
    assert nothing.verdict.unknown_share == 1.0
    kilometres = away.away_m(world.places) / 1000.0
    assert f"{kilometres:,.0f} km" in nothing.verdict.why
    assert np.isnan(nothing.confidence).all()
    assert np.isnan(nothing.hypotheses.within).all()
    count = len(new.time_s)
    trajectory = assemble(
        frame_index=np.arange(count),
        time_s=new.time_s,
        state=[FrameState.LOCATED] * count,
        final=nothing.final,
        phase1=nothing.final,
        confidence=whole.confidence,
        confidence_radius_m=100.0,
    )
    kept = with_hypotheses(trajectory, nothing.hypotheses, nothing.verdict, always_answer=True)
    assert np.isfinite(kept.lat_deg).all()
    assert np.isnan(kept.confidence).all()
    withheld = with_hypotheses(trajectory, nothing.hypotheses, nothing.verdict, always_answer=False)
    assert np.isnan(withheld.lat_deg).all()
    assert set(withheld.state) == {FrameState.UNKNOWN_GROUND}


def test_an_area_that_is_partly_unknown_has_smaller_chances_and_is_decoded_over_known_ground(town):
    world, _, new = town
    known = world.places[world.places[:, 0] <= np.median(world.places[:, 0])]
    solver, found = solved(town, TrainingGround.about(known, 10.0))
    assert 0.3 < solver.unknown_share < 0.7
    assert found.verdict.unknown_share == solver.unknown_share
    nearest_m = haversine_m(found.line[:, :1], found.line[:, 1:], *known.T).min(axis=1)
    assert (nearest_m < 2.0 * SPACING_M).all()
    # The very chances of the known part, each times its share.
    known_alone = replace(solver.path, unknown_share=0.0)
    video = solver.read(Emissions(town[1], new.features[0]))
    decoded = solver.decode(video, new.time_s)
    lead, recognised = solver.standing(video, decoded)
    whole = known_alone.chances(
        lambda radii: mass_about(decoded.marginal, solver.decoder, decoded.lat_lon_deg, radii), [100.0], lead, recognised
    )
    np.testing.assert_allclose(found.confidence, (1.0 - solver.unknown_share) * whole[:, 0], rtol=1e-6)


@pytest.mark.parametrize(("ground", "state"), [(None, FrameState.LOCATED), (True, FrameState.LOCATED), (False, FrameState.UNKNOWN_GROUND)])
def test_frames_by_themselves_have_no_chance_where_nothing_is_calibrated_and_are_withheld_on_unknown_ground(ground, state):
    places = TOWN[:4]
    at = places if ground else places + np.array([3.0, 0.0])
    path = replace(PathCalibration.unfitted(0.07, SPACING_M), maps=(RadiusMap(100.0, 1.0, 0.0),), videos=9)
    calibration = Calibration(0.07, n_frames=50, path=path, ground=None if ground is None else TrainingGround.about(at, 50.0), videos=9)
    cover = SimpleNamespace(lat_lon_deg=places, spacing_m=SPACING_M)
    confidence, verdict = frame_by_frame(calibration, cover, places, np.full(4, 0.8))
    assert verdict.state is state
    assert np.isfinite(confidence).all() == bool(ground)
    assert ("made before" in verdict.why) == (ground is None)


@pytest.mark.parametrize("middle_deg", [2.3, 180.0])
def test_an_area_that_networks_were_trained_against_is_known_and_nothing_beyond_it(middle_deg):
    training = np.array([[10.0, 179.95 if middle_deg > 179 else 2.25]])
    area = shapely.box(middle_deg - 0.1, 9.9, middle_deg + 0.1, 10.1)
    ground = TrainingGround.from_dict(TrainingGround.about(training, 200.0, area).to_dict())
    rng = np.random.default_rng(7)
    lon, lat = middle_deg + rng.uniform(-0.2, 0.2, 500), rng.uniform(9.8, 10.2, 500)
    inside = (np.abs(lon - middle_deg) < 0.099) & (np.abs(lat - 10.0) < 0.099)
    outside = (np.abs(lon - middle_deg) > 0.101) | (np.abs(lat - 10.0) > 0.101)
    known = ground.knows(np.stack([lat, (lon + 180.0) % 360.0 - 180.0], axis=1))
    assert known[inside].all()
    assert not known[outside].any()
    with pytest.raises(ValueError, match="no WKT"):
        TrainingGround.from_dict({**ground.to_dict(), "area": "POLYGON (("})
