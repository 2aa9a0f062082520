"""Coarse-to-fine search against the exhaustive oracle: the same winners, from fewer points."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.search_maker import AREAS, Model, Ridges, area, asked
from vidtag_engine.grid import load_aoi, make_grid
from vidtag_engine.search import EmbeddedGallery, posterior_mass, top_k
from vidtag_engine.search.coarse_to_fine import CoarseToFine
from vidtag_engine.search.smoothness import Smoothness, measure_smoothness


def search(model, aoi, grid, **options):
    return CoarseToFine(model, grid, aoi, "cpu", weights_sha256="ab" * 32, **options)


def full(model, grid):
    return EmbeddedGallery(model, grid, "cpu", weights_sha256="ab" * 32, cache_dir=None)


@pytest.mark.parametrize("name", AREAS)
@pytest.mark.parametrize("noise", [0.3, 2.0])
def test_the_winner_is_the_exhaustive_one(name, noise):
    model, (aoi, grid) = Model(), area(name)
    queries = asked(model, grid, noise=noise)
    quick = search(model, aoi, grid)
    found, expected = quick.top_k(queries, 1), top_k(queries, full(model, grid), 1)
    assert not quick.report.exhaustive
    assert quick.embedded < grid.count
    # Where float32 cannot tell two points apart, either is right.
    np.testing.assert_allclose(found.score, expected.score, atol=2e-6)
    np.testing.assert_array_equal(found.lat_deg, grid.at(found.index[:, 0])[:, :1])


def test_ridges_are_followed():
    model, (aoi, grid) = Ridges(), area("plain")
    queries = asked(model, grid, noise=2.0)
    np.testing.assert_allclose(search(model, aoi, grid).top_k(queries, 1).score, top_k(queries, full(model, grid), 1).score, atol=2e-6)


def test_an_encoder_that_is_not_smooth_is_searched_point_by_point_and_says_so():
    model = Model(sigma=(2.0**17,))
    aoi = load_aoi("10,45,10.02,45.02")
    grid = make_grid(aoi, 60.0)
    queries = asked(model, grid)
    quick = search(model, aoi, grid)
    found, expected = quick.top_k(queries, 5), top_k(queries, full(model, grid), 5)
    np.testing.assert_array_equal(found.index, expected.index)
    assert quick.report.exhaustive
    assert "every point is compared" in " ".join(quick.report.notes)


def test_a_smoothness_that_promises_too_much_is_found_out():
    model, (aoi, grid) = Model(), area("plain")
    promise = Smoothness((1.0,), (1.0,), (1.0,), ((40.0, 5.0, 50.0, 15.0, 5000.0),))
    quick = search(model, aoi, grid, smoothness=promise)
    queries = asked(model, grid)
    np.testing.assert_allclose(quick.top_k(queries, 1).score, top_k(queries, full(model, grid), 1).score, atol=2e-6)
    assert quick.report.smooth_length_m == 5000.0


def test_candidates_are_distinct_best_first_and_padded():
    model, (aoi, grid) = Model(), area("plain")
    queries = asked(model, grid, number=5)
    queries[3] = math.nan
    found = search(model, aoi, grid).top_k(queries, 100_000)
    assert found.index.shape == (5, grid.count)
    assert (found.index[3] == -1).all()
    for row, score in zip(found.index[[0, 1, 2, 4]], found.score[[0, 1, 2, 4]], strict=True):
        known = row[row >= 0]
        assert len(set(known.tolist())) == len(known) > 20
        assert (np.diff(score[: len(known)]) <= 0).all()
        assert np.isnan(score[len(known) :]).all()
    alone = search(model, aoi, grid).top_k(queries, 1)
    np.testing.assert_array_equal(alone.index[:, 0], found.index[:, 0])


def test_the_same_answer_every_time_and_frame_by_frame():
    model, (aoi, grid) = Model(), area("slanted")
    queries = asked(model, grid, number=12)
    together = search(model, aoi, grid).top_k(queries, 1).index
    np.testing.assert_array_equal(together, search(model, aoi, grid).top_k(queries, 1).index)
    quick = search(model, aoi, grid)
    np.testing.assert_array_equal(together, np.concatenate([quick.top_k(one[None], 1).index for one in queries]))
    assert quick.top_k(queries[:0], 3).index.shape == (0, 3)


@pytest.mark.parametrize("name", ["plain", "parts and holes"])
def test_mass_is_the_exhaustive_sum(name):
    model, (aoi, grid) = Model(), area(name)
    queries = asked(model, grid, noise=1.0)
    queries[4] = math.nan
    quick, slow = search(model, aoi, grid), full(model, grid)
    best = top_k(queries, slow, 1)
    centres = np.concatenate([best.lat_deg, best.lon_deg], axis=1)
    radii, temperatures = [300.0, 1200.0], [0.03, 0.1]
    found = quick.posterior_mass(queries, centres, radii, temperatures)
    expected = posterior_mass(queries, slow, centres, radii, temperatures)
    assert np.isnan(found[:, :, 4]).all()
    error = np.abs(found - expected)[~np.isnan(expected)]
    assert error.mean() < 0.005
    assert np.quantile(error, 0.97) < 0.02
    assert error.max() < 0.08  # a pick beside another peak that is nearer than a coarse step
    np.testing.assert_allclose(quick.posterior_mass(queries, centres, 300.0, 0.03), found[0, 0])


def test_smoothness_says_where_and_is_kept_as_json():
    model = Model()
    found = measure_smoothness(model, (10.0, 45.0, 10.1, 45.1))
    assert found.length_m == min(found.length_at_m(*place[:4]) for place in found.places)
    assert Smoothness.from_dict(found.to_dict()) == found
    assert found.length_at_m(0.0, 0.0, 1.0, 1.0) is None
    assert measure_smoothness(Model(sigma=(2.0**13,)), (10.0, 45.0, 10.1, 45.1)).length_m < found.length_m / 2
    assert found == measure_smoothness(model, (10.0, 45.0, 10.1, 45.1))
