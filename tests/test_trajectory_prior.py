"""A prior over the decoder's places: marginals against brute force over all ways, for restarts, cuts and one place more likely than another."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidtag_engine.trajectory import Decoder, EmissionModel, TransitionModel

METRE_DEG = 1.0 / 111_195.0
PLACES = np.array([[0.0, 0.0], [0.0, 100 * METRE_DEG], [0.0, 200 * METRE_DEG], [0.0, 900 * METRE_DEG]])


def brute_force(decoder: Decoder, likely: np.ndarray, time_s: np.ndarray, cuts: frozenset[int], prior: np.ndarray) -> np.ndarray:
    """Marginals by summing over every way through the places."""
    frames, places = likely.shape
    restart = decoder.transition.restart_probability
    marginal = np.zeros((frames, places))
    steps = []
    for row in range(1, frames):
        links, one_over, times = decoder.transitions(float(time_s[row] - time_s[row - 1]))
        near = links.toarray().astype(float) * np.asarray(one_over, float)[None]  # to, from
        near = np.linalg.matrix_power(near, times)
        whole = (1 - restart) * near + restart * prior[:, None]
        steps.append(np.repeat(prior[:, None], places, axis=1) if row in cuts else whole)
    for way in itertools.product(range(places), repeat=frames):
        weight = prior[way[0]] * likely[0, way[0]]
        for row in range(1, frames):
            weight *= steps[row - 1][way[row], way[row - 1]] * likely[row, way[row]]
        for row, place in enumerate(way):
            marginal[row, place] += weight
    return marginal / marginal.sum(axis=1, keepdims=True)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0.02, 1.0), min_size=4, max_size=4),
    st.integers(0, 10_000),
    st.sampled_from([frozenset(), frozenset({2}), frozenset({1, 3})]),
)
def test_marginals_with_a_prior_are_those_of_all_ways(weights, seed, cuts):
    prior = np.array(weights) / sum(weights)
    decoder = Decoder(PLACES, 100.0, TransitionModel(40.0, 0.05), prior=np.array(weights))
    scores = np.random.default_rng(seed).normal(0, 0.1, (4, 4)).astype(np.float32)
    time_s, emission = np.array([0.0, 1.0, 2.0, 4.0]), EmissionModel(0.1)
    found = decoder.decode(scores, time_s, emission, cuts=cuts).marginal.toarray()
    likely = emission.likelihood(scores, emission.weights(time_s)).astype(float)
    assert found == pytest.approx(brute_force(decoder, likely, time_s, cuts, prior), abs=2e-4)


def test_an_even_prior_changes_nothing_and_a_sure_one_decides():
    scores, time_s, emission = np.zeros((3, 4), np.float32), np.arange(3.0), EmissionModel(0.1)
    plain = Decoder(PLACES, 100.0, TransitionModel(20.0)).decode(scores, time_s, emission)
    even = Decoder(PLACES, 100.0, TransitionModel(20.0), prior=np.full(4, 7.0)).decode(scores, time_s, emission)
    assert even.marginal.toarray() == pytest.approx(plain.marginal.toarray(), abs=1e-5)
    sure = Decoder(PLACES, 100.0, TransitionModel(20.0), prior=np.array([1e-9, 1e-9, 1e-9, 1.0])).decode(scores, time_s, emission)
    assert sure.marginal.toarray()[:, 3].min() > 0.99
