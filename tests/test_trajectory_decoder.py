"""The decoder against every path enumerated, and what pins, cuts, blocks and shared errors do."""

import itertools
import math
import time

import numpy as np
import pytest
from scipy.special import softmax

from vidtag_engine.geodesy import haversine_m
from vidtag_engine.trajectory import Decoder, EmissionModel, Pin, TransitionModel
from vidtag_engine.trajectory import decoder as decoder_module
from vidtag_engine.trajectory import score_margin as lead_module
from vidtag_engine.trajectory.cuts import cuts
from vidtag_engine.trajectory.score_margin import recognition, rivals_from_m, score_margin

METRE_DEG = 1.0 / 111_195.08


def grid(across: int, down: int, spacing_m: float = 100.0) -> np.ndarray:
    """Places near the equator, where a degree is as long both ways."""
    lat, lon = np.meshgrid(np.arange(down), np.arange(across), indexing="ij")
    return np.stack([lat.ravel(), lon.ravel()], axis=1) * spacing_m * METRE_DEG


def likelihoods(scores: np.ndarray, emission: EmissionModel, time_s: np.ndarray) -> np.ndarray:
    """The model's own words, in float64."""
    places = scores.shape[1]
    result = []
    for row, moment in enumerate(time_s):
        others = sum(np.exp(-abs(other - moment) / emission.correlation_time_s) for other in time_s) - 1.0
        weight = 1.0 / (1.0 + emission.error_correlation * others)
        result.append(
            ((1 - emission.outlier_probability) * places * softmax(scores[row] / emission.temperature) + emission.outlier_probability)
            ** weight
        )
    return np.array(result)


def steps(places: np.ndarray, transition: TransitionModel, spacing_m: float, seconds: float) -> np.ndarray:
    """Probabilities of getting from row to column."""
    apart = haversine_m(places[:, None, 0], places[:, None, 1], places[None, :, 0], places[None, :, 1])
    near = np.exp(-apart / (transition.speed_mps * seconds + spacing_m / 2))
    return (1 - transition.restart_probability) * near / near.sum(axis=1, keepdims=True) + transition.restart_probability / len(places)


def enumerated(likely: np.ndarray, moves: list[np.ndarray]) -> np.ndarray:
    """Marginals from every path."""
    frames, places = likely.shape
    marginal = np.zeros((frames, places))
    for path in itertools.product(range(places), repeat=frames):
        weight = likely[0, path[0]] / places
        for row in range(1, frames):
            weight *= moves[row - 1][path[row - 1], path[row]] * likely[row, path[row]]
        for row, place in enumerate(path):
            marginal[row, place] += weight
    return marginal / marginal.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("shared", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("cut", [(), (2,)])
@pytest.mark.parametrize("block", [1, 4_000_000])
def test_marginals_are_those_of_every_path_enumerated(shared, cut, block, monkeypatch):
    monkeypatch.setattr(decoder_module, "_BLOCK", block)
    monkeypatch.setattr(decoder_module, "_TIMES", 1.0 + 1e-9)  # no rounding of times
    rng = np.random.default_rng(5)
    places, transition, emission = grid(3, 2), TransitionModel(20.0, 0.05), EmissionModel(0.2, 0.1, shared, 10.0)
    time_s = np.array([0.0, 1.0, 4.0, 5.5])
    scores = rng.uniform(-1, 1, (4, 6)).astype(np.float32)
    moves = [steps(places, transition, 100.0, seconds) for seconds in np.diff(time_s)]
    for row in cut:
        moves[row - 1] = np.full((6, 6), 1 / 6)
    found = Decoder(places, 100.0, transition).decode(scores, time_s, emission, cuts=cut)
    expected = enumerated(likelihoods(scores.astype(float), emission, time_s), moves)
    np.testing.assert_allclose(found.marginal.toarray(), expected, atol=2e-4)
    np.testing.assert_allclose(found.marginal.sum(axis=1), 1.0, atol=1e-6)


def test_the_line_is_the_best_of_every_path_enumerated():
    rng = np.random.default_rng(2)
    places, transition = grid(4, 1, 300.0), TransitionModel(60.0, 1e-3)
    decoder = Decoder(places, 300.0, transition)
    time_s = np.array([0.0, 2.0, 4.0, 6.0])
    for _ in range(20):
        marginal = decoder.marginals(rng.uniform(-1, 1, (4, 4)), time_s, EmissionModel(0.3))[0]
        path, _ = decoder.line(marginal, time_s, (), 150.0)
        apart = haversine_m(places[:, None, 0], places[:, None, 1], places[None, :, 0], places[None, :, 1])
        gain = np.log(marginal.toarray() @ np.exp(-((apart / 150.0) ** 2)))

        def worth(way, gain=gain, apart=apart):
            moved = sum(max(-apart[a, b] / (60.0 * 2 + 150.0), np.log(1e-3)) for a, b in itertools.pairwise(way))
            return moved + sum(gain[row, place] for row, place in enumerate(way))

        assert worth(path) == pytest.approx(max(map(worth, itertools.product(range(4), repeat=4))), abs=1e-4)


def test_pins_here_and_not_here():
    places = grid(20, 20)
    scores = np.zeros((5, 400), np.float32)
    scores[:, 45], scores[:, 307] = 0.5, 0.4
    decoder, time_s, emission = Decoder(places, 100.0, TransitionModel(5.0)), np.arange(5.0), EmissionModel(0.05)
    assert set(decoder.decode(scores, time_s, emission).path) == {45}
    there = decoder.decode(scores, time_s, emission, pins=[Pin(2, *places[307], 60.0)])
    assert set(there.path) == {307}
    assert there.marginal[2, 307] > 0.99
    away = decoder.decode(scores, time_s, emission, pins=[Pin(2, *places[45], 150.0, here=False)])
    assert set(away.path) == {307}
    # A pin between places means the nearest.
    beside = places[307] + np.array([40.0, 0.0]) * METRE_DEG
    assert set(decoder.decode(scores, time_s, emission, pins=[Pin(0, *beside, 1.0)]).path) == {307}


def test_a_cut_frees_the_camera_and_without_it_the_line_stays():
    places = grid(30, 30)
    scores = np.zeros((8, 900), np.float32)
    scores[:4, 31], scores[4:, 868], scores[4:, 33] = 0.5, 0.5, 0.45
    decoder, time_s, emission = Decoder(places, 100.0, TransitionModel(5.0, 1e-9)), np.arange(8.0), EmissionModel(0.1)
    assert np.abs(decoder.decode(scores, time_s, emission).path - 31).max() <= 2
    assert decoder.decode(scores, time_s, emission, cuts=[4]).path[-1] == 868


def test_shared_errors_leave_more_doubt():
    rng = np.random.default_rng(0)
    places = grid(15, 15)
    scores = rng.normal(0, 0.1, (1, 225)).repeat(12, axis=0).astype(np.float32)
    scores[:, 112] += 0.3
    decoder, time_s = Decoder(places, 100.0, TransitionModel(1.0)), np.arange(12.0)
    sure = [decoder.decode(scores, time_s, EmissionModel(0.1, 0.02, shared)).marginal.max() for shared in (0.0, 0.3, 1.0)]
    assert sure[0] > sure[1] > sure[2]
    # All frames together then count as one.
    alone = decoder.decode(scores[:1], time_s[:1], EmissionModel(0.1)).marginal.max()
    together = Decoder(places, 100.0, TransitionModel(1e-3)).decode(scores, time_s, EmissionModel(0.1, 0.02, 1.0, 1e9)).marginal.max()
    assert together < 1.5 * alone


def test_long_steps_are_several_short_ones_and_keep_their_length(monkeypatch):
    places = grid(61, 61)
    decoder = Decoder(places, 100.0, TransitionModel(30.0, 0.0))
    start = np.zeros(3721, np.float32)
    start[1860] = 1.0

    def spread_m(decoder):
        moved = decoder.moved(start, np.array([0.0, 20.0]), 1, frozenset(), forward=True)
        assert moved.sum() == pytest.approx(1.0, abs=1e-3)
        return float(np.sqrt(moved @ haversine_m(*places[1860], *places.T) ** 2))

    whole = spread_m(decoder)
    monkeypatch.setattr(decoder_module, "_MOST_LINKS", 3721 * 400)
    parts = Decoder(places, 100.0, TransitionModel(30.0, 0.0))
    assert parts.transitions(20.0)[2] > 1
    assert spread_m(parts) == pytest.approx(whole, rel=0.15)


def test_across_the_date_line_and_at_high_latitude():
    places = np.stack([np.full(21, 70.0), (179.99 + 0.001 * np.arange(21) + 180.0) % 360.0 - 180.0], axis=1)
    scores = np.zeros((6, 21), np.float32)
    scores[np.arange(6), np.arange(7, 13)] = 0.6
    found = Decoder(places, 38.0, TransitionModel(15.0)).decode(scores, np.arange(6) * 2.0, EmissionModel(0.05), accuracy_m=40.0)
    apart = haversine_m(*found.lat_lon_deg.T, *places[7:13].T)
    assert apart.max() < 30.0


def test_sixty_frames_over_twenty_thousand_places_take_under_two_seconds_and_a_pin_under_one():
    rng = np.random.default_rng(1)
    places = grid(200, 100)
    scores = rng.normal(0, 0.1, (60, 20_000)).astype(np.float32)
    decoder, time_s, emission = Decoder(places, 100.0), np.arange(60.0), EmissionModel(0.1, 0.02, 0.5)
    began = time.process_time()  # of one core, whatever else it does
    decoder.decode(scores, time_s, emission)
    first = time.process_time() - began
    began = time.process_time()
    decoder.decode(scores, time_s, emission, pins=[Pin(10, *places[5000])])
    assert first < 2.0
    assert time.process_time() - began < 1.0


def test_cuts_are_where_pictures_have_nothing_to_do_with_each_other():
    rng = np.random.default_rng(3)
    base = np.cumsum(rng.normal(0, 0.05, (40, 64)), axis=0) + rng.normal(0, 1, 64)
    other = np.cumsum(rng.normal(0, 0.05, (20, 64)), axis=0) + rng.normal(0, 1, 64)
    joined = np.concatenate([base, other])
    joined /= np.linalg.norm(joined, axis=1, keepdims=True)
    assert cuts(joined) == [40]
    assert cuts(joined[:40]) == []
    assert cuts(joined[38:43]) == []


@pytest.mark.parametrize("block", [1, 4_000_000])
def test_lead_against_brute_force(block, monkeypatch):
    monkeypatch.setattr(lead_module, "_BLOCK", block)
    rng, places, frames = np.random.default_rng(11), grid(12, 9), 24
    scores = rng.normal(size=(frames, len(places))).astype(np.float32)
    line = places[rng.integers(len(places), size=frames)] + rng.uniform(-40, 40, (frames, 2)) * METRE_DEG
    apart = haversine_m(line[:, :1], line[:, 1:], *places.T)
    plain = np.array([scores[row, apart[row].argmin()] - scores[row, apart[row] > 300.0].max() for row in range(frames)])
    expected = [plain[max(first, row - 7) : min(last, row + 8)].mean() for first, last in ((0, 9), (9, 24)) for row in range(first, last)]
    found = score_margin(Decoder(places, 100.0), lambda rows: scores[rows], line, 300.0, cuts=[0, 9])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_lead_without_a_rival_is_beyond_all_others():
    places, scores = grid(2, 2), np.array([[0.1, 0.9, 0.2, 0.3]] * 3, dtype=np.float32)
    assert (score_margin(Decoder(places, 100.0), scores, places[[1, 1, 1]], 300.0) > 1e5).all()
    assert score_margin(Decoder(places, 100.0), scores[:0], places[:0], 300.0).shape == (0,)
    # That is no evidence of having been here before.
    assert math.isnan(recognition(Decoder(places, 100.0), lambda rows: scores[rows], places[[1, 1, 1]], 300.0))


def test_another_place_begins_where_an_area_has_one():
    wide, small = Decoder(grid(60, 60), 100.0), Decoder(grid(10, 10), 100.0)
    assert rivals_from_m(wide, 200.0, 900.0) == 900.0
    assert rivals_from_m(small, 200.0, 900.0) == pytest.approx(0.25 * 900.0 * math.sqrt(2.0), rel=1e-3)
    assert rivals_from_m(Decoder(grid(3, 3), 100.0), 200.0, 900.0) == 150.0  # no place is nearer
    assert rivals_from_m(small, 2500.0, None) == 3750.0
