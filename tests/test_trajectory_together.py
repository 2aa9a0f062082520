"""What is computed for many videos at once, or once for many questions, beside the same computed for each by the formula written plainly."""

import numpy as np
import pytest

from tests.test_trajectory_decoder import grid
from vidtag_engine.calibration import FitVideo, fit_lines, posteriors
from vidtag_engine.calibration.local_mass import LocalMass
from vidtag_engine.calibration.posteriors import each_posterior
from vidtag_engine.geodesy import EARTH_RADIUS_M, haversine_m, unit_vectors
from vidtag_engine.trajectory import Decoder, EmissionModel, TransitionModel, together
from vidtag_engine.trajectory import decoder as decoder_module
from vidtag_engine.trajectory.hypotheses import mass_about, overlap
from vidtag_engine.trajectory.marginals import TINY, apart2, first_of_each_box, most_held, nearness, thinned
from vidtag_engine.trajectory.together import marginals_together
from vidtag_engine.types import CancelledError

PLACES = grid(25, 20)
EMISSIONS = [EmissionModel(0.1), EmissionModel(0.02, 0.1, 0.3), EmissionModel(0.004, 0.005, 1.0)]


def video(seed: int, frames: int, step_s: float = 1.0, read: list | None = None) -> FitVideo:
    """A drive whose scores peak about its places; what is read of it is noted."""
    rng = np.random.default_rng(seed)
    time_s = np.cumsum(rng.uniform(0.8, 1.2, frames)) * step_s
    truth = PLACES[rng.integers(len(PLACES))] + np.stack([np.arange(frames), np.zeros(frames)], axis=1) * 1e-4
    apart_m = haversine_m(truth[:, :1], truth[:, 1:], *PLACES.T)
    scores = (np.exp(-((apart_m / 300.0) ** 2)) + rng.normal(0, 0.2, apart_m.shape)).astype(np.float32)

    def given(rows: slice) -> np.ndarray:
        if read is not None:
            read.append(rows)
        return scores[rows]

    return FitVideo(given, time_s, truth)


def alone(decoder, of, emission):
    return decoder.marginals(of.scores, of.time_s, emission)[0]


def same(one, other) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("data", "indices", "indptr"))


@pytest.mark.parametrize("most_links", [3_000_000, len(PLACES) * 60])
@pytest.mark.parametrize("columns", [1, 5, 24])
def test_together_each_is_to_the_last_digit_what_it_is_alone(columns, most_links, monkeypatch):
    monkeypatch.setattr(together, "_COLUMNS", columns)
    monkeypatch.setattr(decoder_module, "_MOST_LINKS", most_links)
    decoder = Decoder(PLACES, 100.0, TransitionModel(30.0, 1e-3))
    videos = [video(0, 1), video(1, 7), video(2, 12, 3.0), video(3, 2), video(4, 12)]
    assert (decoder.transitions(3.0)[2] > 1) == (most_links < 3_000_000)
    likely = [e.likelihood(v.scores(slice(0, len(v.time_s))), e.weights(v.time_s)) for v in videos for e in EMISSIONS]
    found = marginals_together(decoder, likely, [v.time_s for v in videos for _ in EMISSIONS])
    for one, other in zip(found, [alone(decoder, v, e) for v in videos for e in EMISSIONS], strict=True):
        assert same(one, other)
    assert marginals_together(decoder, [], []) == []


@pytest.mark.parametrize("numbers", [48_000_000, 14 * len(PLACES), 0])
def test_posteriors_come_in_the_order_of_videos_and_scores_are_read_once(numbers, monkeypatch):
    """Or, of a video that is too long to be decoded with others, as often as it is decoded alone."""
    monkeypatch.setattr(posteriors, "_NUMBERS", numbers * posteriors._CORES)
    decoder = Decoder(PLACES, 100.0, TransitionModel(10.0))
    read = [[] for _ in range(9)]
    videos = [video(n, 3 + n % 4, 1.0 + n % 2, read[n]) for n in range(9)]
    found = each_posterior(decoder, videos, EMISSIONS, lambda number, marginal: (number, marginal))
    fits = [len(of.time_s) * len(PLACES) * len(EMISSIONS) <= numbers for of in videos]
    assert (any(fits), all(fits)) == {48_000_000: (True, True), 14 * len(PLACES): (True, False), 0: (False, False)}[numbers]
    assert [len(one) for one in read] == [1 if fit else len(EMISSIONS) for fit in fits]
    for emission, of_emission in zip(EMISSIONS, found, strict=True):
        assert [number for number, _ in of_emission] == list(range(9))
        assert all(same(marginal, alone(decoder, v, emission)) for v, (_, marginal) in zip(videos, of_emission, strict=True))


def test_a_fit_is_stopped_between_two_videos():
    asked = []

    def stop() -> None:
        asked.append(1)
        if len(asked) > 2:
            raise CancelledError("Stopped.")

    videos = [video(n, 3) for n in range(6)]
    with pytest.raises(CancelledError):
        each_posterior(Decoder(PLACES, 100.0), videos, EMISSIONS, lambda _, marginal: marginal, stop)
    assert len(asked) == 3


@pytest.mark.parametrize("length_m", [50.0, 300.0, 5e4])
@pytest.mark.parametrize("cached", [1, 64, 32_768])
def test_nearness_in_parts_is_that_of_the_whole(length_m, cached, monkeypatch):
    monkeypatch.setattr("vidtag_engine.trajectory.marginals._IN_CACHE", cached)
    points = Decoder(PLACES, 100.0).points_m
    one, other = points[::3], points[5::7]
    middle = other.mean(axis=0)
    squares = (
        (one - middle) @ (-2.0 * (other - middle).T) + ((one - middle) ** 2).sum(axis=1)[:, None] + ((other - middle) ** 2).sum(axis=1)
    )
    squares = np.maximum(squares, 0.0).astype(np.float32)
    np.testing.assert_allclose(apart2(one, other), squares, rtol=1e-6, atol=1e-3)
    power = squares.astype(np.float64) / -(length_m**2)
    plain = np.where(power < np.log(TINY), 0.0, np.exp(power))
    found = nearness(one, other, length_m)
    np.testing.assert_allclose(found, plain, rtol=2e-5, atol=2e-30)
    assert ((found == 0) | (found >= TINY * 0.99)).all()


def test_what_is_far_below_the_best_place_is_as_unlikely_as_a_blind_frame():
    scores = np.array([[1.0, 0.5, -3.0, 0.999]], dtype=np.float32)
    for emission in EMISSIONS:
        power = np.exp((scores.astype(np.float64) - 1.0) / emission.temperature)
        plain = (1.0 - emission.outlier_probability) * 4.0 * power / power.sum() + emission.outlier_probability
        np.testing.assert_allclose(emission.likelihood(scores, np.ones(1)), plain / plain.mean(), rtol=1e-5)


def test_most_held_places_are_those_of_the_whole_matrix():
    decoder = Decoder(PLACES, 100.0, TransitionModel(10.0))
    marginal = alone(decoder, video(3, 9), EMISSIONS[1])
    whole = marginal.toarray()
    for most in (5, 10_000):
        held, mass = most_held(marginal, most)
        expected = np.argsort(-whole.max(axis=0), kind="stable")[: min(most, int((whole.max(axis=0) > 0).sum()))]
        np.testing.assert_array_equal(held, expected)
        np.testing.assert_array_equal(mass, whole[:, expected])
    points = decoder.points_m[held]
    box = np.floor(points / 250.0).astype(np.int64)
    np.testing.assert_array_equal(first_of_each_box(points, 250.0), np.sort(np.unique(box, axis=0, return_index=True)[1]))
    assert len(first_of_each_box(points[:0], 250.0)) == 0
    assert len(thinned(whole[0], 3)[0]) == 3


def test_masses_about_points_are_sums_over_places():
    decoder = Decoder(PLACES, 100.0, TransitionModel(10.0))
    of = video(8, 40)
    marginal, radii_m = alone(decoder, of, EMISSIONS[0]), np.array([30.0, 200.0, 700.0, 1e5])
    points_m = unit_vectors(*of.lat_lon_deg.T) * EARTH_RADIUS_M
    apart_m = np.linalg.norm(points_m[:, None] - decoder.points_m, axis=2)
    cell_m = 100.0 / np.sqrt(np.pi)
    plain = np.empty((40, len(radii_m)))
    for column, radius_m in enumerate(radii_m):
        part = np.where(apart_m >= radius_m + cell_m, 0.0, np.where(apart_m <= radius_m - cell_m, 1.0, overlap(apart_m, cell_m, radius_m)))
        plain[:, column] = (marginal.toarray().astype(np.float64) * part).sum(axis=1)
    np.testing.assert_allclose(mass_about(marginal, decoder, of.lat_lon_deg, radii_m), np.clip(plain, 0, 1), atol=1e-9)
    about = LocalMass.about(decoder, of.lat_lon_deg, radii_m)
    np.testing.assert_allclose(about.of(marginal), mass_about(marginal, decoder, of.lat_lon_deg, radii_m), atol=1e-12)
    rows = of.rows_of_middle(8)
    np.testing.assert_array_equal(about.part(rows).of(marginal[rows]), about.of(marginal)[rows])
    np.testing.assert_array_equal(of.middle(8).scores(slice(1, 3)), of.scores(slice(17, 19)))


def test_the_best_line_is_that_of_every_accuracy_and_steadiness_tried_one_by_one():
    decoder = Decoder(PLACES, 100.0, TransitionModel(10.0))
    videos = [video(n, 15) for n in range(8)]
    marginals = [alone(decoder, of, EMISSIONS[1]) for of in videos]

    def right(accuracy_m: float, inverse_process_noise: float) -> float:
        lines = [
            decoder.settled(
                decoder.held(m), decoder.line(m, of.time_s, (), accuracy_m)[0], of.time_s, (), accuracy_m, inverse_process_noise
            )
            for of, m in zip(videos, marginals, strict=True)
        ]
        errors = [haversine_m(*line.T, *of.lat_lon_deg.T) for of, line in zip(videos, lines, strict=True)]
        return float(np.mean([[np.mean(error <= 250.0), np.mean(error <= 500.0)] for error in errors]))

    found = fit_lines._best_line(decoder, videos, marginals)
    accuracies = {accuracy_m: right(accuracy_m, 0.0) for accuracy_m in (200.0, 500.0, 1000.0, 2000.0)}
    accuracy_m = max(accuracies, key=accuracies.__getitem__)
    steadies = {inverse_process_noise: right(accuracy_m, inverse_process_noise) for inverse_process_noise in (0.0, 0.1, 1.0, 10.0, 100.0)}
    assert found.accuracy_m == accuracy_m
    assert found.transition.inverse_process_noise == max(steadies, key=steadies.__getitem__)
    assert found.right == pytest.approx(max(steadies.values()), abs=1e-12)
    final = fit_lines.final_line(decoder, videos[0], marginals[0], found)
    path = decoder.line(marginals[0], videos[0].time_s, (), accuracy_m)[0]
    held = decoder.held(marginals[0])
    np.testing.assert_array_equal(
        final, decoder.settled(held, path, videos[0].time_s, (), accuracy_m, found.transition.inverse_process_noise)
    )
