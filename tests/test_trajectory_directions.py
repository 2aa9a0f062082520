"""States of a place and a direction: the decoder against a dense hidden Markov model, and what references say of directions against loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from vidtag_engine.directions import Directions, over_places
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.reference.codes import CodeSearch, encode, scale_of
from vidtag_engine.reference.similarity import FAR, NearestReferences
from vidtag_engine.trajectory.decoder import Decoder, EmissionModel, Pin
from vidtag_engine.trajectory.together import marginals_together
from vidtag_engine.trajectory.transition import TransitionModel

SPACING_M = 100.0
DIRECTIONS = Directions(4, turns_per_s=0.04, reversals_per_s=0.003)
EMISSION = EmissionModel(0.1, outlier_probability=0.05, error_correlation=0.2)


def lattice(rows: int = 5, columns: int = 6) -> np.ndarray:
    step = SPACING_M / 111_195.0
    return np.array([[row * step, column * step] for row in range(rows) for column in range(columns)])


def decoder(directions: Directions | None = DIRECTIONS, prior: np.ndarray | None = None) -> Decoder:
    return Decoder(lattice(), SPACING_M, TransitionModel(speed_mps=10.0, restart_probability=0.01), prior, directions)


def dense(of: Decoder, scores: np.ndarray, time_s: np.ndarray, prior: np.ndarray | None = None) -> np.ndarray:
    """(T, M) marginals by whole matrices over all states."""
    count, layers = len(of.points_m), of.layers
    likely = EMISSION.likelihood(scores, EMISSION.weights(time_s)).astype(np.float64)
    start = np.full(count * layers, 1.0 / (count * layers)) if prior is None else np.tile(prior / prior.sum() / layers, layers)
    moves = []
    for seconds in np.diff(time_s):
        links, one_over, times = of.transitions(float(seconds))
        one = np.linalg.matrix_power(links.toarray().astype(np.float64) * one_over, times)  # from a column to a row
        apart = np.abs(np.subtract.outer(np.arange(layers), np.arange(layers)))
        apart = np.minimum(apart, layers - apart)
        rates = np.where(apart == 1, DIRECTIONS.turns_per_s, DIRECTIONS.reversals_per_s)
        rates[apart == 0] = 0.0
        rates = rates - np.diag(rates.sum(axis=1))
        step = np.kron(expm(rates * of.seconds_of(float(seconds))), one)
        moves.append(0.99 * step + 0.01 * np.outer(start, np.ones(len(start))))
    ahead, behind = [start * likely[0]], [np.ones(len(start))]
    for row, move in enumerate(moves, 1):
        ahead.append(likely[row] * (move @ ahead[-1]))
    for row in range(len(moves), 0, -1):
        behind.append(moves[row - 1].T @ (likely[row] * behind[-1]))
    both = np.array(ahead) * np.array(behind[::-1])
    both = both.reshape(len(time_s), layers, count).sum(axis=1)
    return both / both.sum(axis=1, keepdims=True)


@pytest.fixture
def scores() -> np.ndarray:
    return np.random.default_rng(3).normal(0.0, 0.3, (7, 4 * 30)).astype(np.float32)


TIME_S = np.array([0.0, 2.0, 4.0, 4.5, 9.0, 30.0, 31.0])


@pytest.mark.parametrize("prior", [None, np.linspace(1.0, 3.0, 30)])
def test_marginals_are_those_of_a_dense_model(scores: np.ndarray, prior: np.ndarray | None):
    of = decoder(prior=prior)
    found = of.marginals(scores, TIME_S, EMISSION)[0].toarray()
    np.testing.assert_allclose(found, dense(of, scores, TIME_S, prior), atol=2e-4)


def test_videos_decoded_together_are_as_each_by_itself(scores: np.ndarray):
    of, more = decoder(), scores[::-1].copy()
    likely = [EMISSION.likelihood(one, EMISSION.weights(TIME_S)) for one in (scores, more)]
    for found, one in zip(marginals_together(of, likely, [TIME_S, TIME_S]), (scores, more), strict=True):
        np.testing.assert_allclose(found.toarray(), of.marginals(one, TIME_S, EMISSION)[0].toarray(), atol=1e-5)


def test_scores_that_tell_no_direction_say_what_places_alone_say(scores: np.ndarray):
    plain = scores[:, :30]
    found = decoder().decode(np.tile(plain, 4), TIME_S, EMISSION)
    alone = decoder(None).decode(plain, TIME_S, EMISSION)
    np.testing.assert_allclose(found.marginal.toarray(), alone.marginal.toarray(), atol=1e-5)
    np.testing.assert_array_equal(found.path, alone.path)


def test_a_drive_keeps_its_direction():
    """Two streets look alike, frame by frame: one of them the same way throughout, the other now this way, now the other."""
    scores = np.zeros((8, 4, 30), dtype=np.float32)
    steady, turning = 3, 27
    for row in range(8):
        scores[row, 1, steady] = scores[row, 1 if row % 2 else 3, turning] = 1.0
    found = decoder().marginals(scores.reshape(8, -1), 2.0 * np.arange(8), EMISSION)[0].toarray()
    assert (found[:, steady] > 10.0 * found[:, turning]).all()
    over = decoder(None).marginals(scores.max(axis=1), 2.0 * np.arange(8), EMISSION)[0].toarray()
    np.testing.assert_allclose(over[:, steady], over[:, turning], rtol=0.05)


def test_pins_hold_in_every_direction(scores: np.ndarray):
    here, place = lattice()[17], 17
    found = decoder().decode(scores, TIME_S, EMISSION, pins=[Pin(2, *here, radius_m=10.0)])
    assert found.marginal.toarray()[2, place] > 0.999
    away = decoder().decode(scores, TIME_S, EMISSION, pins=[Pin(2, *here, radius_m=10.0, here=False)])
    assert away.marginal.toarray()[2, place] < 1e-4


@given(st.integers(3, 16), st.floats(0.0, 50.0), st.floats(0.0, 50.0))
def test_turns_are_a_markov_chain_in_time(count: int, one_s: float, other_s: float):
    of = Directions(count)
    both = of.turned(one_s).astype(np.float64) @ of.turned(other_s)
    np.testing.assert_allclose(both, of.turned(one_s + other_s), atol=1e-5)
    np.testing.assert_allclose(both.sum(axis=0), 1.0, atol=1e-5)
    np.testing.assert_allclose(both, both.T, atol=1e-5)


@given(st.floats(0.0, 359.9), st.integers(3, 16))
def test_an_image_speaks_of_the_directions_about_its_own(heading_deg: float, count: int):
    of = Directions(count)
    lost = np.array([of.lost(np.array([heading_deg]), number)[0] for number in range(count)])
    aside_deg = np.abs((heading_deg - 360.0 / count * np.arange(count) + 180.0) % 360.0 - 180.0)
    assert lost.min() == 0.0
    assert np.isinf(lost[aside_deg > 90.01]).all()
    assert np.isfinite(lost[aside_deg < 89.99]).all()
    assert (np.diff(np.nan_to_num(lost, posinf=1e6)[np.argsort(aside_deg)]) >= -1e-6).all()
    assert (of.lost(np.array([np.nan]), 0) == 0.0).all()


@pytest.mark.parametrize("either_way", [False, True])
def test_scores_by_direction_are_those_of_loops(either_way: bool):
    rng = np.random.default_rng(5)
    places, reach_m, k = lattice(), 150.0, 9
    seen = rng.uniform(places.min(axis=0), places.max(axis=0), (40, 2))
    heading_deg = np.where(rng.random(40) < 0.2, np.nan, rng.uniform(0.0, 360.0, 40))
    known = rng.normal(size=(40, 16))
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    asked, mirrored = (torch.nn.functional.normalize(torch.from_numpy(rng.normal(size=(3, 16))).float(), dim=1) for _ in range(2))
    scale = scale_of(known.astype(np.float32))
    search = CodeSearch([encode(known.astype(np.float32), scale)], scale)
    of = NearestReferences(
        search, seen, places, SPACING_M, reach_m, k, either_way=either_way, directions=DIRECTIONS, heading_deg=heading_deg
    )
    found = of(asked, None, mirrored).numpy().reshape(3, 4, len(places))
    for row in range(3):
        hits: list[tuple[int, float, float]] = []
        least = 0.0
        for turn_deg, one in ((0.0, asked), (180.0, mirrored))[: 1 + either_way]:
            near = search.nearest(one[row : row + 1].numpy(), k)
            alike = near.similarity[0]
            if not turn_deg:
                least = float(alike.min())
            hits += [
                (int(number), float(value) + least - float(alike.min()), turn_deg)
                for number, value in zip(near.rows[0], alike, strict=True)
            ]
        expected = np.full((4, len(places)), least)
        for number, value, turn_deg in hits:
            apart_m = haversine_m(seen[number, 0], seen[number, 1], places[:, 0], places[:, 1])
            for layer in range(4):
                lost = 0.0
                if np.isfinite(heading_deg[number]):
                    aside_deg = abs((heading_deg[number] + turn_deg - 90.0 * layer + 180.0) % 360.0 - 180.0)
                    lost = 0.1 * max(0.0, aside_deg / 90.0 - 0.5) ** 2 if aside_deg <= 90.0 else np.inf
                score = np.where(apart_m <= reach_m, value - lost - FAR * (apart_m / reach_m) ** 2, -np.inf)
                expected[layer] = np.maximum(expected[layer], score)
        np.testing.assert_allclose(found[row], expected, atol=2e-3)
    np.testing.assert_array_equal(over_places(found.reshape(3, -1), len(places)), found.max(axis=1))
