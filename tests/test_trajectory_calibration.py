"""Confidence means what it says: fitted, never certain, and the same on a finer grid."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.softmax_mass import mass_within
from vidtag_engine.calibration import brier, ece, fit_temperature, log_loss, reliability
from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.trajectory import Calibration
from vidtag_engine.types import InputError

METRE = 1 / 111_195.0
RADII_M = np.array([50.0, 100.0, 200.0])


def square_grid(resolution_m, half_m=500.0):
    axis = np.arange(-half_m + resolution_m / 2, half_m, resolution_m) * METRE
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


def score_field(rng, waves=30, correlation_m=120.0):
    """A smooth random score on the plane, that can be read at any point: a sum of cosines of random direction and phase."""
    k = rng.normal(size=(waves, 2)) / (correlation_m * METRE)
    phase = rng.uniform(0, 2 * np.pi, waves)
    return lambda points: np.cos(points @ k.T + phase).sum(axis=1) / waves


def world(rng, frames, temperature, resolution_m=20.0):
    """Frames whose truth is drawn from softmax(score / temperature): at that temperature mass is probability, exactly."""
    points = square_grid(resolution_m)
    scores = np.stack([score_field(rng)(points) for _ in range(frames)])
    p = np.exp(scores / temperature)
    p /= p.sum(axis=1, keepdims=True)
    truth = np.array([points[rng.choice(len(points), p=row)] for row in p])
    picks = points[scores.argmax(axis=1)]
    distance = geodesic_m(truth[:, 0], truth[:, 1], picks[:, 0], picks[:, 1])
    return points, scores, picks, distance[:, None] <= RADII_M


@pytest.mark.parametrize("temperature", [0.02, 0.06])
def test_a_known_temperature_is_found_again(temperature):
    points, scores, picks, correct = world(np.random.default_rng(5), 250, temperature)
    calls = []

    def mass_at(temperatures):
        calls.append(len(temperatures))
        return mass_within(scores, points, picks, RADII_M, temperatures)

    fit = fit_temperature(mass_at, correct, radii_m=RADII_M)
    assert fit.temperature == pytest.approx(temperature, rel=0.2)
    assert fit.n_frames == 250
    assert len(calls) == 3
    assert fit.ece < 0.05
    for one in fit.by_radius:
        assert one.mean_confidence == pytest.approx(one.share_correct, abs=0.05)
    # Its own Brier and log loss beat a wrong temperature's.
    for wrong in (temperature / 3, temperature * 3):
        said = mass_at(np.array([wrong]))[0]
        assert log_loss(said, correct) > fit.log_loss
        assert brier(said, correct) > fit.brier


@pytest.mark.parametrize("temperature", [0.03, 0.1])
def test_a_finer_grid_leaves_confidence_as_it_is(temperature):
    rng = np.random.default_rng(11)
    radius_m = np.array([200.0])  # the default of the coarsest grid here
    fit = Calibration(temperature=temperature, n_frames=60)
    fields = [score_field(rng) for _ in range(15)]
    said = []
    centres = None
    for resolution_m in (20.0, 10.0, 5.0):
        points = square_grid(resolution_m)
        scores = np.stack([field(points) for field in fields])
        if centres is None:
            centres = points[scores.argmax(axis=1)]
        said.append(fit.confidence(mass_within(scores, points, centres, radius_m, np.array([temperature]))[0, :, 0]))
    assert np.abs(said[1] - said[0]).max() <= 0.02
    assert np.abs(said[2] - said[0]).max() <= 0.02
    assert np.ptp(said[0]) > 0.05  # and not because it is constant


def test_a_fit_on_a_coarse_grid_holds_on_a_finer_one():
    rng = np.random.default_rng(12)
    points, scores, picks, correct = world(rng, 60, 0.04)
    fit = fit_temperature(lambda t: mass_within(scores, points, picks, RADII_M, t), correct)
    # The fit does not know how many points there are: every second point says the same.
    half = np.flatnonzero((np.indices((50, 50)).sum(axis=0) % 2 == 0).reshape(-1))
    fewer = fit_temperature(lambda t: mass_within(scores[:, half], points[half], picks, RADII_M, t), correct)
    assert fewer.temperature == pytest.approx(fit.temperature, rel=0.05)


def test_mass_within_equals_a_loop():
    rng = np.random.default_rng(2)
    points = square_grid(200.0)
    points[:, 1] = (points[:, 1] + 180.0 + 180.0) % 360.0 - 180.0  # the grid lies across the seam
    scores = rng.normal(size=(4, len(points)))
    picks = points[[0, 7, 12, 24]]
    got = mass_within(scores, points, picks, np.array([250.0, 900.0]), np.array([0.5, 2.0]))
    for k, temperature in enumerate((0.5, 2.0)):
        for frame in range(4):
            weight = np.exp(scores[frame] / temperature)
            distance = geodesic_m(points[:, 0], points[:, 1], picks[frame, 0], picks[frame, 1])
            for r, radius in enumerate((250.0, 900.0)):
                assert got[k, frame, r] == pytest.approx(weight[distance <= radius].sum() / weight.sum())
    assert np.isnan(mass_within(scores[:1], points, np.full((1, 2), np.nan), np.array([1.0]), np.array([1.0]))).all()


def test_tiny_temperatures_do_not_overflow():
    points = square_grid(200.0)
    scores = np.linspace(-1, 1, len(points), dtype=np.float32)[None]
    mass = mass_within(scores, points, points[-1:], np.array([10.0]), np.array([1e-6, 1e6]))
    assert mass[0, 0, 0] == pytest.approx(1.0)
    assert mass[1, 0, 0] == pytest.approx(1 / len(points), rel=1e-3)


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("frames", [1, 5])
def test_few_frames_that_agree_do_not_make_certainty(frames, right):
    points, scores, picks, _ = world(np.random.default_rng(7), frames, 0.05)
    fit = fit_temperature(lambda t: mass_within(scores, points, picks, RADII_M, t), np.full((frames, 3), right), radii_m=RADII_M)
    certain = fit.confidence(np.array([0.0, 1.0]))
    assert certain[0] == pytest.approx(1 / (frames + 2))
    assert certain[1] == pytest.approx((frames + 1) / (frames + 2))
    assert 1e-4 < fit.temperature <= 10.0
    if right:
        mass = mass_within(scores, points, picks, RADII_M, np.array([fit.temperature]))
        assert 0.5 < mass.mean() < 0.99  # not driven to certainty


def test_a_radius_that_holds_everything_says_nothing_but_breaks_nothing():
    fit = fit_temperature(lambda t: np.ones((len(t), 6, 1)), np.ones((6, 1), dtype=bool))
    assert 1e-4 < fit.temperature < 10.0
    assert json.loads(json.dumps(fit.to_dict()))["by_radius"][0]["radius_m"] is None


def test_frames_without_a_position_are_passed_over():
    points, scores, picks, correct = world(np.random.default_rng(8), 40, 0.05)
    picks[::2] = np.nan
    fit = fit_temperature(lambda t: mass_within(scores, points, picks, RADII_M, t), correct)
    other = fit_temperature(lambda t: mass_within(scores[1::2], points, picks[1::2], RADII_M, t), correct[1::2])
    assert fit.n_frames == 20
    assert fit.temperature == other.temperature


def test_no_frames_is_said_in_a_sentence():
    with pytest.raises(InputError, match="no validation frame"):
        fit_temperature(lambda t: np.zeros((len(t), 0, 2)), np.zeros((0, 2), dtype=bool))
    with pytest.raises(ValueError, match="mass_at gave"):
        fit_temperature(lambda t: np.zeros((len(t), 3, 1)), np.zeros((3, 2), dtype=bool))


def test_json_round_trip():
    points, scores, picks, correct = world(np.random.default_rng(4), 30, 0.05)
    fit = fit_temperature(lambda t: mass_within(scores, points, picks, RADII_M, t), correct, radii_m=RADII_M, similarity="phase2")
    assert Calibration.from_dict(json.loads(json.dumps(fit.to_dict(), allow_nan=False))) == fit
    bare = Calibration.from_dict(json.loads(json.dumps(Calibration(0.02).to_dict(), allow_nan=False)))
    assert bare.temperature == 0.02
    assert math.isnan(bare.ece)
    assert not bare.fitted


@pytest.mark.parametrize(
    "values",
    [{}, {"temperature": None}, {"temperature": 0.0}, {"temperature": -1}, {"temperature": "hot"}, {"temperature": float("nan")},
     {"temperature": 1, "similarity": "magic"}, {"temperature": 1, "n_frames": -3}, {"temperature": 1, "by_radius": [{}]},
     {"temperature": 1, "by_radius": 7}],
)  # fmt: skip
def test_a_damaged_calibration_is_refused(values):
    with pytest.raises(InputError, match="calibration"):
        Calibration.from_dict(values)


@given(arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 1)), st.integers(0, 500))
def test_confidence_keeps_order_and_is_never_certain(mass, n_frames):
    said = Calibration(temperature=1.0, n_frames=n_frames).confidence(np.sort(mass))
    assert (np.diff(said) >= 0).all()
    assert (said > 0).all()
    assert (said < 1).all()


def test_scores_by_hand():
    confidence = [0.05, 0.15, 0.15, 0.95, 1.0]
    correct = [0, 1, 0, 1, 1]
    # Bins [0,.1): |.05-0|; [.1,.2): |.15-.5| twice; [.9,1]: |.975-1| twice.
    assert ece(confidence, correct) == pytest.approx((0.05 + 2 * 0.35 + 2 * 0.025) / 5)
    assert brier(confidence, correct) == pytest.approx((0.05**2 + 0.85**2 + 0.15**2 + 0.05**2) / 5)
    expected = -(math.log(0.95) + math.log(0.15) + math.log(0.85) + math.log(0.95)) / 5
    assert log_loss(confidence, correct) == pytest.approx(expected, abs=1e-6)
    assert [entry.count for entry in reliability(confidence, correct)] == [1, 2, 2]
    assert math.isnan(ece([], []))
    assert math.isnan(brier([np.nan], [1]))
