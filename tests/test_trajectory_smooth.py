"""The steady line against a dense least-squares solution and the cases that it must leave alone."""

import numpy as np
import pytest

from tests.test_trajectory_decoder import METRE_DEG, grid
from vidtag_engine.calibration import FitVideo, fit_path
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.trajectory import Decoder, EmissionModel, PathCalibration, TransitionModel
from vidtag_engine.trajectory.smooth import smoothed

PLACES = grid(60, 30, 10.0)


def flight(rng, frames=30):
    """A steady flight over places ten metres apart; each frame's scores peak about 15 m beside its place."""
    time_s = np.arange(float(frames))
    turn = rng.uniform(-0.05, 0.05)
    heading = rng.uniform(-0.3, 0.3) + turn * time_s
    truth = np.cumsum(8.0 * np.stack([np.sin(heading), np.cos(heading)], axis=1), axis=0) + np.array([150.0, rng.uniform(50.0, 250.0)])
    seen = truth + rng.normal(0, 15.0, truth.shape)
    apart2 = ((seen[:, None] - PLACES / METRE_DEG) ** 2).sum(axis=2)
    return FitVideo((np.exp(-apart2 / 40.0**2)).astype(np.float32).__getitem__, time_s, truth * METRE_DEG)


def dense(points, spread, time_s, inverse_process_noise, cuts=()):
    """The same sum of squares, row by row."""
    rows, right = [np.eye(len(points)) / spread[:, None]], [points / spread[:, None]]
    for middle in range(1, len(points) - 1):
        if {middle, middle + 1} & set(cuts):
            continue
        one, two = time_s[middle] - time_s[middle - 1], time_s[middle + 1] - time_s[middle]
        row = np.zeros(len(points))
        row[middle - 1 : middle + 2] = [1 / one, -1 / one - 1 / two, 1 / two]
        row *= 2 / (one + two) * np.sqrt(inverse_process_noise * (one + two) / 2)
        rows.append(row[None])
        right.append(np.zeros((1, points.shape[1])))
    return np.linalg.lstsq(np.concatenate(rows), np.concatenate(right), rcond=None)[0]


@pytest.mark.parametrize("cuts", [(), (4,), (1, 9)])
@pytest.mark.parametrize("inverse_process_noise", [0.01, 10.0])
def test_it_is_the_least_squares_solution(cuts, inverse_process_noise):
    rng = np.random.default_rng(0)
    time_s = np.cumsum(rng.uniform(0.2, 3.0, 10))
    points, spread = rng.normal(0, 20, (10, 3)), rng.uniform(5, 30, 10)
    np.testing.assert_allclose(
        smoothed(points, spread, time_s, inverse_process_noise, cuts), dense(points, spread, time_s, inverse_process_noise, cuts), atol=1e-6
    )


def test_a_steady_flight_gets_nearer_to_its_truth_and_a_straight_one_stays():
    rng = np.random.default_rng(1)
    time_s = np.arange(60.0)
    truth = np.stack([8.0 * time_s, 150.0 * np.sin(time_s / 15.0)], axis=1) + 6_371_000.0
    seen = truth + rng.normal(0, 15.0, truth.shape)
    found = smoothed(seen, np.full(60, 15.0), time_s, 1.0)
    assert np.linalg.norm(found - truth, axis=1).mean() < 0.6 * np.linalg.norm(seen - truth, axis=1).mean()
    straight = np.stack([3.0 * time_s, 2.0 * time_s], axis=1)
    np.testing.assert_allclose(smoothed(straight, np.full(60, 5.0), time_s, 1e4), straight, atol=1e-5)


def test_nothing_is_asked_of_too_few_frames_and_frames_of_one_moment_do_no_harm():
    points = np.array([[0.0, 0.0], [5.0, 9.0]])
    assert smoothed(points, np.ones(2), np.arange(2.0), 1.0) is points
    many = np.random.default_rng(2).normal(size=(5, 2))
    assert smoothed(many, np.ones(5), np.arange(5.0), 0.0) is many
    assert np.isfinite(smoothed(many, np.ones(5), np.zeros(5), 1.0)).all()


def test_a_decoded_flight_is_nearer_to_its_truth_when_it_is_known_to_be_steady():
    rng, errors = np.random.default_rng(4), {}
    for number in range(4):
        video = flight(rng)
        for inverse_process_noise in (0.0, 10.0):
            decoder = Decoder(PLACES, 10.0, TransitionModel(8.0, inverse_process_noise=inverse_process_noise))
            line = decoder.decode(video.scores, video.time_s, EmissionModel(0.05), accuracy_m=30.0).lat_lon_deg
            errors[number, inverse_process_noise] = np.median(haversine_m(*line.T, *video.lat_lon_deg.T))
    assert np.mean([errors[n, 10.0] / errors[n, 0.0] for n in range(4)]) < 0.95


def test_the_fit_finds_that_flights_are_steady_and_older_cards_know_nothing_of_it():
    rng = np.random.default_rng(5)
    found = fit_path(PLACES, 10.0, [flight(rng, 20) for _ in range(6)], temperature=0.05, speed_mps=8.0)
    assert found.transition.inverse_process_noise > 0
    card = found.to_dict()
    assert PathCalibration.from_dict(card).transition == found.transition
    del card["motion"]["steady"]
    assert PathCalibration.from_dict(card).transition.inverse_process_noise == 0.0
