"""Grid points about a place: the index against brute force over all points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidtag_engine.grid import join_grids, load_aoi, make_grid, points_grid
from vidtag_engine.grid.ellipsoid import ecef_m

AREAS = {
    "plain": "10,45,10.1,45.08",
    "across the seam": "179.9,-17,180.1,-16.9",
    "far north": "20,79.9,20.6,80.1",
    "pole": "-180,89.8,180,90",
    "parts and holes": "MULTIPOLYGON(((0 0,0.1 0.02,0.09 0.1,0 0.08,0 0),(0.03 0.03,0.06 0.04,0.05 0.06,0.03 0.03)),((0.2 0,0.21 0,0.2 0.1,0.2 0)))",
}
GRIDS = {
    **{f"{name}, {kind}": make_grid(load_aoi(text), 700.0, kind) for name, text in AREAS.items() for kind in ("equal-earth", "latlon")},
    "joined": join_grids([make_grid(load_aoi("10,45,10.1,45.08"), 700.0), make_grid(load_aoi("10.05,45.03,10.2,45.1"), 450.0)]),
    "points": points_grid(np.random.default_rng(0).uniform((45, 10), (45.1, 10.1), (200, 2))),
    "world": make_grid(load_aoi("-180,-90,180,90"), 900_000.0),
}


def places_in_and_about(grid, seed, number=20):
    """Places within some steps of grid points, and a few anywhere."""
    rng = np.random.default_rng(seed)
    step_m = max(grid.resolution_m, 700.0)
    places = grid.at(rng.integers(0, grid.count, number)) + rng.normal(0, 1.5 * step_m / 111e3, (number, 2))
    places[:2] = rng.uniform((-90, -180), (90, 180), (2, 2))
    places[:, 0] = np.clip(places[:, 0], -90, 90)
    return places, step_m


def distances(grid, places):
    points = grid.points(0, grid.count)
    return np.linalg.norm(ecef_m(*places.T)[:, None] - ecef_m(*points.T)[None], axis=-1)


@pytest.mark.parametrize("name", GRIDS)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.floats(0.1, 4))
def test_within_equals_brute_force(name, seed, steps):
    grid = GRIDS[name]
    places, step_m = places_in_and_about(grid, seed)
    all_m = distances(grid, places)
    place, number, distance = grid.within(places, steps * step_m)
    expected = np.argwhere(all_m <= steps * step_m)
    np.testing.assert_array_equal(np.stack([place, number], 1), expected)
    np.testing.assert_allclose(distance, all_m[place, number], atol=1e-6)


@pytest.mark.parametrize("name", GRIDS)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.floats(0.5, 6))
def test_nearest_equals_brute_force(name, seed, steps):
    grid = GRIDS[name]
    places, step_m = places_in_and_about(grid, seed)
    all_m = distances(grid, places)
    found = grid.nearest(places, steps * step_m)
    best_m = all_m.min(axis=1)
    assert ((found >= 0) == (best_m <= steps * step_m)).all()
    known = found >= 0
    np.testing.assert_allclose(all_m[known, found[known]], best_m[known], atol=1e-6)


def test_every_point_is_its_own_nearest_and_a_million_rows_do_not_matter():
    for grid in GRIDS.values():
        numbers = np.arange(grid.count)
        places = grid.at(numbers)
        np.testing.assert_allclose(np.linalg.norm(ecef_m(*grid.at(grid.nearest(places, 1.0)).T) - ecef_m(*places.T), axis=1), 0, atol=1e-6)
    fine = make_grid(load_aoi("10,45,10.05,45.04"), 1.0)
    numbers = np.random.default_rng(1).integers(0, fine.count, 500)
    np.testing.assert_array_equal(fine.nearest(fine.at(numbers), 3.0), numbers)


def test_nobody_about():
    grid = GRIDS["plain, equal-earth"]
    assert grid.nearest(np.array([[0.0, 0.0]]), 1000.0).tolist() == [-1]
    assert grid.nearest(np.zeros((0, 2)), 1000.0).tolist() == []
    assert len(grid.within(np.zeros((0, 2)), 1000.0)[0]) == 0
