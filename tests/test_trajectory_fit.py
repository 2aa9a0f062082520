"""Probabilities, regions and abstention against worlds whose posterior is known by construction."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from scipy.special import expit, softmax
from scipy.stats import binom

from tests.test_trajectory_decoder import METRE_DEG, grid
from vidtag_engine.calibration import FitVideo, best_weight, fit_novelty, fit_path
from vidtag_engine.calibration.conformal import conformal_level
from vidtag_engine.calibration.fit_decoder import fit_evidence, fit_map, truth_levels
from vidtag_engine.calibration.fit_lines import some_seen
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.trajectory import Calibration, Decoder, EmissionModel, NoveltyDetector, PathCalibration, TransitionModel
from vidtag_engine.trajectory.decoder_calibration import RadiusMap, log_odds
from vidtag_engine.trajectory.hypotheses import RADII_M, hypotheses, mass_about, overlap, spread, verdict
from vidtag_engine.trajectory.out_of_area import OutOfAreaDetector
from vidtag_engine.trajectory.regions import Outliner, highest, mass_before, outline, unions_of_boxes
from vidtag_engine.trajectory.score_margin import recognition, rivals_from_m
from vidtag_engine.types import FrameState, InputError

SPACING_M = 100.0
PLACES = grid(30, 20)


def drawn_videos(count: int, rng: np.random.Generator, frames: int = 6, temperature: float = 0.1) -> list[FitVideo]:
    """Still cameras whose frames' scores foresee their place exactly as softmax(scores / temperature) says."""
    videos = []
    for _ in range(count):
        scores = rng.normal(0, 0.15, len(PLACES)) + rng.uniform(0, 1) * np.exp(
            -(haversine_m(*PLACES[rng.integers(len(PLACES))], *PLACES.T) ** 2) / 300.0**2
        )
        truth = rng.choice(len(PLACES), p=softmax(scores / temperature))
        every = np.repeat(scores[None].astype(np.float32), frames, axis=0)
        offset = rng.uniform(-0.5, 0.5, 2) * SPACING_M * METRE_DEG
        videos.append(
            FitVideo(
                lambda rows, every=every: every[rows], np.arange(frames) * 2.0, np.repeat((PLACES[truth] + offset)[None], frames, axis=0)
            )
        )
    return videos


@pytest.fixture(scope="module")
def fitted() -> PathCalibration:
    videos = drawn_videos(80, np.random.default_rng(0), frames=3)
    return fit_path(PLACES, SPACING_M, videos, temperature=0.05, speed_mps=1.0)


def test_evidence_finds_the_temperature_that_made_the_truth():
    videos = drawn_videos(24, np.random.default_rng(1), frames=1, temperature=0.1)
    found = fit_evidence(Decoder(PLACES, SPACING_M, TransitionModel(1.0)), videos, 0.03)
    assert 0.05 < found.temperature < 0.2


def test_copies_of_a_frame_count_as_one(fitted):
    frames = 3
    weight = fitted.emission.weights(np.arange(frames) * 2.0).sum() / fitted.emission.temperature
    # Three frames that are the same picture tell as much as one at the true temperature.
    assert weight == pytest.approx(1 / 0.1, rel=0.7)


def test_new_videos_lie_in_their_regions_as_often_as_said_and_probabilities_hold(fitted):
    decoder = Decoder(PLACES, SPACING_M, fitted.transition)
    covered, said, right = [], [], []
    for video in drawn_videos(100, np.random.default_rng(7), frames=3):
        decoded = decoder.decode(video.scores, video.time_s, fitted.emission, accuracy_m=fitted.accuracy_m)
        levels = truth_levels(decoder, decoded.marginal, video.lat_lon_deg)
        covered.append([np.mean(levels <= fitted.level50), np.mean(levels <= fitted.level90)])
        of = hypotheses(decoded.marginal, decoder, decoded.lat_lon_deg, fitted)
        said.append(of.within.mean(axis=0))
        errors = haversine_m(*decoded.lat_lon_deg.T, *video.lat_lon_deg.T)
        right.append((errors[:, None] <= RADII_M).mean(axis=0))
    share50, share90 = np.mean(covered, axis=0)
    low, high = binom.interval(0.9999, 100, 0.9)
    assert low / 100 <= share90 <= high / 100
    assert abs(share50 - 0.5) < 0.2
    said, right = np.array(said), np.array(right)
    for column in range(1, len(RADII_M)):
        assert abs(said[:, column].mean() - right[:, column].mean()) < 0.2
    # Better than the same probability for all.
    skill = 1 - np.mean((said - right) ** 2, axis=0) / np.var(right, axis=0)
    assert (skill[2:] > 0.05).all()


def test_a_discs_share_of_another_against_shapely():
    for apart, own, other in [
        (0.0, 50.0, 20.0),
        (0.0, 20.0, 50.0),
        (40.0, 50.0, 30.0),
        (79.9, 50.0, 30.0),
        (100.0, 50.0, 30.0),
        (25.0, 50.0, 80.0),
    ]:
        one, two = (shapely.Point(x, 0).buffer(r, quad_segs=512) for x, r in ((0, own), (apart, other)))
        expected = shapely.intersection(one, two).area / one.area
        assert overlap(np.array([apart]), own, other)[0] == pytest.approx(expected, abs=1e-4)


def test_mass_within_grows_with_the_radius_to_everything():
    rng = np.random.default_rng(4)
    decoder = Decoder(PLACES, SPACING_M)
    marginal = decoder.marginals(rng.normal(0, 0.2, (3, len(PLACES))), np.arange(3.0), EmissionModel(0.1))[0]
    mass = mass_about(marginal, decoder, PLACES[[5, 100, 300]], np.array([1.0, 25.0, 100.0, 500.0, 1e5]))
    assert (np.diff(mass, axis=1) >= 0).all()
    np.testing.assert_allclose(mass[:, -1], 1.0, atol=1e-6)
    # Below the spacing a place's mass lies evenly over its cell.
    assert mass[0, 0] == pytest.approx(marginal[0, 5] * math.pi / SPACING_M**2, rel=1e-3)
    assert np.isnan(mass_about(marginal, decoder, np.full((3, 2), np.nan), np.array([10.0]))).all()


def test_regions_hold_their_mass_and_their_cells():
    share = np.array([0.4, 0.05, 0.3, 0.2, 0.05])
    np.testing.assert_allclose(mass_before(share), [0.0, 0.9, 0.4, 0.7, 0.95])
    half, most, everything = highest(share, [0.5, 0.92, 1.0])
    assert np.flatnonzero(half).tolist() == [0, 2]
    assert np.flatnonzero(most).tolist() == [0, 1, 2, 3]  # of two as likely the first
    assert everything.all()
    chosen = PLACES[[0, 1, 2, 31, 250, 251]]
    shape = outline(chosen, SPACING_M)
    assert shape.is_valid
    assert len(shapely.get_parts(shape)) == 2  # two hypotheses, two parts
    inside = shapely.contains_xy(shape, PLACES[:, 1], PLACES[:, 0])
    assert set(np.flatnonzero(inside)) == {0, 1, 2, 31, 250, 251}
    assert outline(PLACES[:0], SPACING_M).is_empty
    # An even cover's outline has the cover's area, but for its rim.
    assert outline(PLACES, SPACING_M).area / METRE_DEG**2 == pytest.approx(30 * 20 * SPACING_M**2, rel=0.02)


def test_conformal_levels_are_quantiles_over_videos():
    assert conformal_level([np.array([0.2])] * 5, 0.9) is None  # five videos cannot speak of 90 %
    levels = [np.array([value]) for value in np.linspace(0.01, 1.0, 100)]
    assert conformal_level(levels, 0.9) == pytest.approx(0.91, abs=0.0101)
    # A long video weighs no more than a short one.
    assert conformal_level([*levels, np.full(10_000, 0.001)], 0.5) == pytest.approx(0.5, abs=0.0201)


def test_maps_are_monotone_and_fall_back_to_the_base_rate():
    rng = np.random.default_rng(6)
    noise = [rng.uniform(0, 1, 5) for _ in range(200)]
    rate = fit_map(noise, [rng.uniform(0, 1, 5) < 0.3 for _ in noise], 100.0)
    assert rate.slope < 0.1
    chance = 1 / (1 + np.exp(-(rate.slope * log_odds(np.array([0.1, 0.9])) + rate.intercept)))
    np.testing.assert_allclose(chance, 0.3, atol=0.06)
    against = fit_map(noise, [one < 0.5 for one in noise], 100.0)
    assert against.slope == 0.0


def test_a_lead_tells_right_from_wrong_where_the_mass_does_not(fitted):
    """Frames are right as a logistic of their lead says; their mass tells nothing."""
    rng = np.random.default_rng(16)

    def drawn(videos: int) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
        margins = [np.full(4, rng.normal(0.0, 3.0)) for _ in range(videos)]
        right = [np.full(4, rng.uniform() < 1.0 / (1.0 + np.exp(-one[0]))).astype(float) for one in margins]
        return margins, right, [rng.uniform(0, 1, 4) for _ in margins]

    margins, right, masses = drawn(600)
    found = fit_map(masses, right, 100.0, margins)
    assert found.margin_slope == pytest.approx(1.0, abs=0.25)
    assert found.slope < 0.15
    calibration = replace(fitted, maps=(found,), margin_range=(-4.0, 4.0), videos=600)
    margins, right, masses = (np.concatenate(one) for one in drawn(600))
    said = calibration.chances(lambda radii: np.repeat(masses[:, None], len(radii), axis=1), [100.0], margins)[:, 0]
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        among = (said >= low) & (said < high)
        assert said[among].mean() == pytest.approx(right[among].mean(), abs=0.1)
    # The scale of leads is a checkpoint's own and makes no difference.
    scaled = fit_map(
        [np.full(4, 0.5)] * 50, [np.full(4, n % 2.0) for n in range(50)], 100.0, [np.full(4, 1e3 * (n % 2)) for n in range(50)]
    )
    plain = fit_map([np.full(4, 0.5)] * 50, [np.full(4, n % 2.0) for n in range(50)], 100.0, [np.full(4, 1.0 * (n % 2)) for n in range(50)])
    assert scaled.margin_slope * 1e3 == pytest.approx(plain.margin_slope, rel=1e-3)


def test_videos_on_ways_that_were_hidden_widen_the_regions_and_choose_no_line():
    videos = drawn_videos(40, np.random.default_rng(21), frames=3)
    lost = drawn_videos(10, np.random.default_rng(22), frames=3)
    lost = [replace(video, lat_lon_deg=PLACES[[600 - 1 - 37 * n] * 3], unseen=True) for n, video in enumerate(lost)]
    alone, both = (fit_path(PLACES, SPACING_M, given, temperature=0.1, speed_mps=1.0) for given in (videos, videos + lost))

    def widest(found: PathCalibration) -> int:
        """Places in the 90 % regions of some videos."""
        decoder = Decoder(PLACES, SPACING_M, found.transition)
        marginals = [decoder.marginals(video.scores, video.time_s, found.emission)[0] for video in videos[:10]]
        return sum(int(highest(row.toarray()[0], [found.level90]).sum()) for marginal in marginals for row in marginal)

    assert widest(both) > 1.2 * widest(alone)
    assert lost[0].middle(2).unseen
    seen = []

    def of_weight(weight: float) -> list[FitVideo]:
        seen.append(weight)
        # With a weight, what is seen gets worse, and what is hidden gets right.
        right = [replace(video, lat_lon_deg=PLACES[[int(video.scores(slice(0, 1)).argmax())] * 3]) for video in lost]
        return videos + lost if weight == 0 else [replace(one, lat_lon_deg=PLACES[:3]) for one in videos] + right * 20

    assert best_weight(PLACES, SPACING_M, of_weight, (0.0, 1.0), temperature=0.1, speed_mps=1.0) == 0.0
    assert seen == [0.0, 1.0]


@pytest.mark.parametrize(
    ("peaks", "chosen"), [((0.0, 0.15, 5.0), 4.0), ((0.0, 5.0, 5.0), 4.0), ((0.0, 5.0, 0.15), 1.0), ((5.0, 5.0, 5.0), 0.0)]
)
def test_a_weight_that_finds_the_way_at_one_temperature_alone_does_not_do(peaks, chosen):
    """The greatest does where it is as right as any other at every temperature: what is weighed against must add something. None does where none is as right."""
    rng = np.random.default_rng(31)
    truths = rng.integers(len(PLACES), size=10)

    def of_weight(weight: float) -> list[FitVideo]:
        peak = dict(zip((0.0, 1.0, 4.0), peaks, strict=True))[weight]
        videos = []
        for truth in truths:
            scores = np.zeros((3, len(PLACES)), dtype=np.float32)
            scores[:, truth] = peak
            videos.append(FitVideo(scores.__getitem__, np.arange(3) * 2.0, np.repeat(PLACES[truth][None], 3, axis=0)))
        return videos

    assert best_weight(PLACES, SPACING_M, of_weight, (0.0, 1.0, 4.0), temperature=0.1, speed_mps=1.0) == chosen


def test_a_video_of_weight_three_counts_as_three():
    rng = np.random.default_rng(33)
    levels = [rng.uniform(0, 1, 4) for _ in range(60)]
    weights = [3.0 if number % 2 else 1.0 for number in range(60)]
    again = [number for number, weight in enumerate(weights) for _ in range(int(weight))]
    for share in (0.5, 0.9):
        assert conformal_level(levels, share, weights) == conformal_level([levels[number] for number in again], share)
    right = [(one > rng.uniform(0, 1, 4)).astype(float) for one in levels]
    margins = [rng.normal(0, 1, 4) for _ in levels]
    one, other = (
        fit_map(levels, right, 100.0, margins, weights),
        fit_map(*([part[number] for number in again] for part in (levels, right)), 100.0, [margins[number] for number in again]),
    )
    for name in ("slope", "intercept", "margin_slope"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-3)


def test_how_scores_are_read_is_sought_on_videos_by_weight():
    """Of many videos that weigh next to nothing none is looked at."""
    videos = drawn_videos(24, np.random.default_rng(34), frames=3)
    decoder = Decoder(PLACES, SPACING_M, TransitionModel(1.0))
    looked = []

    def never(rows: slice) -> np.ndarray:
        looked.append(rows)
        return np.zeros((rows.stop - rows.start, len(PLACES)), dtype=np.float32)

    light = [replace(videos[0], scores=never, weight=1e-6) for _ in range(100)]
    assert fit_evidence(decoder, [*light[:50], *videos, *light[50:]], 0.1) == fit_evidence(decoder, videos, 0.1)
    assert not looked
    assert light[0].middle(2).weight == 1e-6


def test_on_a_small_site_videos_are_recognised_by_how_places_look():
    """A reference image there speaks for places as far off as the site is wide: with rivals that far, who had one decided, and the bar was that nobody has."""
    rng, places = np.random.default_rng(1), grid(10, 10)

    def video(unseen: bool) -> FitVideo:
        truth = np.stack([np.full(20, rng.integers(1, 9) * 100.0), np.linspace(100.0, 800.0, 20)], axis=1) * METRE_DEG
        home = haversine_m(truth[:, :1], truth[:, 1:], *places.T).argmin(axis=1)
        seen = rng.normal(0, 0.1, (20, len(places))).astype(np.float32)
        seen[np.arange(20), home] += 0.0 if unseen else 0.6
        return FitVideo(seen.__getitem__, np.arange(20) * 4.0, truth, unseen, 1.0, seen.__getitem__)

    videos = [video(unseen=number % 2 == 1) for number in range(40)]
    found = fit_path(places, SPACING_M, videos, temperature=0.1, speed_mps=9.0, apart_m=900.0)
    decoder = Decoder(places, SPACING_M, found.transition)
    another_m = rivals_from_m(decoder, found.accuracy_m, found.apart_m)
    clear = [found.is_recognised(recognition(decoder, one.similarity, one.lat_lon_deg, another_m)) for one in videos]
    assert np.mean(clear[::2]) > 0.9
    assert np.mean(clear[1::2]) < 0.2


def test_an_area_without_room_for_a_rival_makes_nothing_of_leads():
    """Where no place is far from the line, all leads are alike: chances rest on the mass."""
    rng, places = np.random.default_rng(31), grid(2, 2)
    videos = []
    for _ in range(30):
        truth = int(rng.integers(4))
        scores = np.repeat((0.4 * np.eye(4)[truth] + rng.normal(0, 0.1, 4))[None].astype(np.float32), 7, axis=0)
        videos.append(FitVideo(lambda rows, given=scores: given[rows], np.arange(7) * 2.0, np.repeat(places[[truth]], 7, axis=0)))
    found = fit_path(places, SPACING_M, videos, temperature=0.1, speed_mps=1.0)
    assert found.margin_range == (0.0, 0.0)
    assert all(one.margin_slope == 0.0 and abs(one.intercept) < 20.0 for one in found.maps)
    # A constant, whatever its size and rounding, tells nothing either.
    constant = fit_map(
        [rng.uniform(0, 1, 7) for _ in videos], [rng.uniform(0, 1, 7) < 0.5 for _ in videos], 100.0, [np.full(7, 1e6 + 0.1)] * 30
    )
    assert constant.margin_slope < 1e-3
    assert abs(constant.intercept) < 20.0


def test_no_chance_is_less_than_within_a_smaller_radius_whichever_are_asked(fitted):
    # Maps of their own may say less of a larger radius.
    maps = (RadiusMap(25.0, 0.2, 1.0), RadiusMap(100.0, 1.0, 0.5), RadiusMap(500.0, 2.0, -1.5))
    calibration = replace(fitted, videos=50, maps=maps)
    masses = np.random.default_rng(7).uniform(0.01, 0.9, 40)
    asked = [5.0, 25.0, 40.0, 100.0, 250.0, 300.0, 500.0, 1000.0]

    def said(radii):
        return calibration.chances(lambda of: masses[:, None] * np.minimum(1.0, np.asarray(of) / 1000.0) ** 0.3, radii)

    together, alone = said(asked), np.concatenate([said([radius_m]) for radius_m in asked], axis=1)
    np.testing.assert_allclose(together, alone)
    assert (np.diff(together[:, [0, 1, 3, 6, 7]], axis=1) >= 0).all()
    for between, least, most in ((2, 1, 3), (4, 3, 6), (5, 3, 6)):
        assert ((together[:, least] <= together[:, between]) & (together[:, between] <= together[:, most])).all()
    # The smallest is as its own map says.
    np.testing.assert_allclose(together[:, 1], expit(0.2 * log_odds(masses * 0.025**0.3) + 1.0), rtol=1e-6)


def test_leads_beyond_those_it_was_fitted_on_count_as_the_nearest(fitted):
    calibration = replace(fitted, maps=(RadiusMap(100.0, 0.5, 0.0, 1.0),), margin_range=(-1.0, 2.0))

    def said(margin: float | None) -> float:
        given = None if margin is None else np.array([margin])
        return float(calibration.chances(lambda radii: np.full((1, len(radii)), 0.5), [100.0], given)[0, 0])

    assert said(-9.0) == said(-1.0) < said(0.5) < said(2.0) == said(1e6) == said(None)


@pytest.mark.parametrize("margins", [[1.0], [2.0, 1.0], [float("nan"), 1.0], "x", [0.0, float("inf")]])
def test_leads_that_cannot_be_are_refused(fitted, margins):
    with pytest.raises(InputError, match="vidtag train"):
        PathCalibration.from_dict(fitted.to_dict() | {"leads": margins})
    before = {key: value for key, value in fitted.to_dict().items() if key != "leads"}
    assert PathCalibration.from_dict(before).margin_range == (0.0, 0.0)


def test_calibration_survives_json_and_old_cards_still_load(fitted):
    features = [np.random.default_rng(n).normal(size=(6, 8)).astype(np.float32) for n in range(20)]
    known = OutOfAreaDetector(PLACES[::7], 200.0, slope=2.0, size=0.25)
    whole = replace(fitted, novelty=fit_novelty(features[:15], features[15:]), out_of_area=known)
    card = Calibration(0.1, n_frames=10, path=whole)
    again = Calibration.from_dict(json.loads(json.dumps(card.to_dict()))).path
    assert (again.emission, again.transition, again.maps, again.margin_range) == (
        whole.emission,
        whole.transition,
        whole.maps,
        whole.margin_range,
    )
    assert again.level90 == whole.level90
    assert again.novelty.novelty_score(features[16]) == pytest.approx(whole.novelty.novelty_score(features[16]), abs=1e-6)
    np.testing.assert_allclose(again.out_of_area.lat_lon_deg, known.lat_lon_deg, atol=1e-5)
    assert Calibration.from_dict({"temperature": 0.1}).path is None
    assert "path" not in Calibration(0.1).to_dict()
    broken = card.to_dict()
    broken["path"]["evidence"] = {"warmth": 1}
    with pytest.raises(InputError, match="vidtag train"):
        Calibration.from_dict(broken)


def test_strange_videos_have_small_p_values_and_common_ones_any():
    rng = np.random.default_rng(8)
    kinds = rng.normal(size=(12, 32))

    def video(centre):
        rows = centre + rng.normal(0, 0.3, (10, 32))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    known = fit_novelty([video(kinds[n % 12]) for n in range(60)], [video(kinds[n % 12]) for n in range(60)], width=16, centres=64)
    common = [known.p_value(video(kinds[n % 12])) for n in range(60)]
    assert np.mean(np.array(common) < 0.05) < 0.15
    strange = [video(rng.normal(size=32)) for _ in range(30)]
    assert np.mean([known.p_value(one) < 0.05 for one in strange]) > 0.9
    # A dozen held-out videos are enough, though by rank among them none could lie below a thirteenth.
    few = replace(known, held_out=known.held_out[::5])
    assert len(few.held_out) == 12
    assert np.mean([few.p_value(one) < 0.01 for one in strange]) > 0.9


def as_strange_as(novelty_score: float) -> np.ndarray:
    """One frame, so strange beside the one centre (1, 0)."""
    return np.array([[1.0 + novelty_score, 0.0]])


@pytest.mark.parametrize("videos", [3, 12, 150])
def test_so_many_new_videos_have_a_small_p_value_as_it_says(videos):
    """Where logarithms are normal, whatever their mean and spread."""
    rng, below = np.random.default_rng(9), []
    for _ in range(1500):
        *held_out, new = np.exp(rng.normal(-1.5, 0.2, videos + 1))
        known = NoveltyDetector(np.zeros(2), np.eye(2), np.array([[1.0, 0.0]]), np.sort(held_out))
        below.append(known.p_value(as_strange_as(min(new, 1.0))) < 0.05)
    assert np.mean(below) == pytest.approx(0.05, abs=0.02)


def test_p_values_fall_with_strangeness_and_stay_numbers():
    known = NoveltyDetector(np.zeros(2), np.eye(2), np.array([[1.0, 0.0]]), np.full(20, 0.2))  # copies of one video
    values = [known.p_value(as_strange_as(one)) for one in (0.0, 0.1, 0.2, 0.3, 1.0)]
    assert all(0.0 <= one <= 1.0 for one in values)
    assert values == sorted(values, reverse=True)
    assert values[1] > 0.99
    assert values[3] < 0.01
    assert np.isnan(replace(known, held_out=np.array([0.2])).p_value(as_strange_as(0.2)))
    assert np.isnan(known.p_value(np.zeros((0, 2))))


def test_rows_without_a_picture_say_nothing_and_the_verdict_unites_the_rest(fitted):
    decoder = Decoder(PLACES, SPACING_M, fitted.transition)
    video = drawn_videos(1, np.random.default_rng(3))[0]
    decoded = decoder.decode(video.scores, video.time_s, fitted.emission)
    of = hypotheses(decoded.marginal, decoder, decoded.lat_lon_deg, fitted)
    located = np.array([True, False, True, True, True, False, True, True])
    whole = spread(of, located)
    assert np.isnan(whole.within[~located]).all()
    assert whole.region90[1] is None
    assert (whole.within[located] == of.within).all()
    said = verdict(whole, state=FrameState.LOCATED, inside=math.nan, familiarity=math.nan)
    for shape in of.region90:
        assert shapely.area(shapely.difference(shape, said.region90)) < 0.01 * shape.area  # each is simplified for itself
    assert said.region50.area <= said.region90.area * (1 + 1e-9)
    assert len(said.within) == len(RADII_M)


@pytest.mark.parametrize("count", [1, 4, 40, 300])
@pytest.mark.parametrize("kind", ["lattice", "halves", "any"])
def test_boxes_are_united_as_by_geos(count: int, kind: str) -> None:
    rng = np.random.default_rng(count)
    step = {"lattice": 1.0, "halves": 0.5, "any": 1e-6}[kind]  # on a lattice sides and corners meet
    west, south = rng.integers(0, 20 / step, (2, count)) * step
    east, north = np.array([west, south]) + rng.integers(1, 5 / step, (2, count)) * step
    group = rng.integers(0, 3, count)
    united = unions_of_boxes(west, south, east, north, group, 4)
    for number, found in enumerate(united):
        expected = shapely.union_all(shapely.box(west, south, east, north)[group == number])
        if expected.is_empty:
            assert found.is_empty
        else:
            assert found.geom_type == expected.geom_type or not found.is_valid  # parts that meet in corners may be one
            assert shapely.equals(shapely.make_valid(found), expected)


def test_scattered_boxes_are_united_as_well() -> None:
    rng = np.random.default_rng(1)
    west, south = rng.uniform(0, 30, (2, 400))
    united = unions_of_boxes(west, south, west + 1, south + 1, np.zeros(400, dtype=np.int64), 1)[0]
    assert shapely.equals(united, shapely.union_all(shapely.box(west, south, west + 1, south + 1)))


def test_outlines_follow_cells_within_what_is_simplified() -> None:
    rng = np.random.default_rng(5)
    places = rng.permutation(PLACES)
    field = np.cos(places[:, 0] * 3e3) + np.sin(places[:, 1] * 2e3) + rng.normal(0, 0.3, len(places))
    chosen = field > np.array([[-0.5], [0.0], [1.0], [3.0], [9.0]])
    half = 0.56 * SPACING_M * METRE_DEG
    for shape, inside in zip(Outliner(places, SPACING_M).outlines(chosen), chosen, strict=True):
        assert shape.is_valid
        lat, lon = places[inside].T
        cells = shapely.union_all(shapely.box(lon - half, lat - half, lon + half, lat + half))
        assert shapely.symmetric_difference(shape, cells).area <= 0.03 * cells.area
        assert shapely.contains_xy(shape, lon, lat).all()


def test_lines_are_sought_on_seen_videos_evenly_out_of_very_many():
    def video(unseen: bool) -> FitVideo:
        return FitVideo(lambda _: np.zeros((1, 1)), np.zeros(1), np.zeros((1, 2)), unseen)

    few = [video(unseen=number % 3 == 0) for number in range(9)]
    assert some_seen(few) == [1, 2, 4, 5, 7, 8]
    many = some_seen([video(unseen=number % 2 == 0) for number in range(1200)])
    assert 75 <= len(many) <= 150
    assert {number % 2 for number in many} == {1}
    assert len(set(np.diff(many))) == 1
    assert many[0] < 10
    assert many[-1] > 1190
