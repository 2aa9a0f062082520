"""Picks between grid points, against brute force over a very fine grid about each pick."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
import torch

from tests.search_maker import AREAS, Model, Ridges, area, asked
from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.grid import load_aoi, make_grid
from vidtag_engine.search import EmbeddedGallery, between_points, search_over, top_k
from vidtag_engine.search.coarse import shifted
from vidtag_engine.types import CancelledError


def searched(model, aoi, grid, queries, k=30):
    return search_over(model, grid, aoi, torch.device("cpu"), weights_sha256="ab" * 32).top_k(queries, k)


def inside(aoi, places):
    return shapely.intersects_xy(aoi.geometry, places[:, 1], places[:, 0])


def scores(model, queries, places):
    with torch.no_grad():
        return (model.embed_locations(torch.from_numpy(places)) * queries.double()).sum(dim=1).numpy()


def brute_force(model, query, pick, reach_m, aoi, steps=81):
    """The highest score of a very fine grid about a pick."""
    aside = np.linspace(-reach_m, reach_m, steps)
    offset = np.stack(np.meshgrid(aside, aside), axis=-1).reshape(-1, 2)
    places = shifted(np.tile(pick, (len(offset), 1)), offset)
    return float(scores(model, query[None], places[inside(aoi, places)]).max())


@pytest.mark.parametrize(("name", "maker"), [*((name, Model) for name in AREAS), ("plain", Ridges)])
def test_no_place_of_a_very_fine_grid_about_a_pick_is_better(name, maker):
    model, (aoi, grid) = maker(), area(name)
    queries = asked(model, grid, number=25, noise=1.5)
    found = searched(model, aoi, grid, queries)
    moved = between_points(model, "cpu", queries, found, grid.resolution_m, aoi)
    precise = model.double()
    pick = np.stack([found.lat_deg[:, 0], found.lon_deg[:, 0]], axis=1)
    place = np.stack([moved.lat_deg[:, 0], moved.lon_deg[:, 0]], axis=1)
    before, after = (scores(precise, queries, where) for where in (pick, place))
    best = np.array([brute_force(precise, query, here, grid.resolution_m, aoi) for query, here in zip(queries, pick, strict=True)])
    left = (best - after) / np.maximum(best - before, 1e-9)
    assert (after >= before).all()
    # Of what there was to gain. A ReLU encoder's scores have creases, on which a climb may end early; a smooth encoder's have none.
    assert left.mean() < (0.06 if maker is Model else 1e-3)
    assert np.median(left) < 1e-3
    start = grid.at(moved.index[:, 0])  # the pick, or a candidate whose peak proved higher
    assert (geodesic_m(*start.T, *place.T) <= math.sqrt(2) * 1.01 * grid.resolution_m).all()
    # On the border to a tenth of a millimetre.
    beside = [shifted(place, np.full_like(place, 1e-4) * aside) for aside in ([1, 1], [1, -1], [-1, 1], [-1, -1])]
    assert np.any([inside(aoi, there) for there in beside], axis=0).all()
    np.testing.assert_allclose(moved.score[:, 0], after, atol=1e-6)


def test_on_a_grid_coarser_than_the_encoder_is_smooth_other_peaks_are_climbed_too():
    model, (aoi, fine) = Model(), area("plain")
    coarse = make_grid(aoi, 200.0)
    queries = asked(model, fine, number=200, noise=1.0)
    plain = top_k(queries, EmbeddedGallery(model, fine, "cpu", weights_sha256="ab" * 32, cache_dir=None), 1)
    found = searched(model, aoi, coarse, queries, k=512)
    moved = between_points(model, "cpu", queries, found, coarse.resolution_m, aoi)
    assert (found.score[:, 0] < plain.score[:, 0] - 1e-4).mean() > 0.9
    assert (moved.score[:, 0] >= plain.score[:, 0] - 1e-6).mean() >= 0.96
    swapped = moved.index[:, 0] != found.index[:, 0]
    assert swapped.any()
    for before, after in zip(found.index, moved.index, strict=True):
        assert sorted(before) == sorted(after)
        rest = [number for number in before if number != after[0]]
        assert rest == list(after[1:])


def test_other_candidates_and_frames_without_an_answer_stay():
    model, (aoi, grid) = Model(), area("slanted")
    queries = asked(model, grid, number=6)
    queries[2] = math.nan
    found = searched(model, aoi, grid, queries)
    moved = between_points(model, "cpu", queries, found, grid.resolution_m, aoi)
    np.testing.assert_array_equal(moved.index[:, 1:], found.index[:, 1:])
    np.testing.assert_array_equal(moved.score[:, 1:], found.score[:, 1:])
    assert moved.index[2, 0] == -1
    assert np.isnan([moved.score[2, 0], moved.lat_deg[2, 0], moved.lon_deg[2, 0]]).all()
    alone = between_points(model, "cpu", queries[:2], searched(model, aoi, grid, queries[:2], k=1), grid.resolution_m, aoi)
    np.testing.assert_allclose(alone.lat_deg[:, 0], moved.lat_deg[:2, 0], atol=1e-9)


def test_one_point_in_an_area_and_no_frames_are_no_special_case():
    model = Model()
    aoi = load_aoi("10,45,10.0001,45.0001")
    grid = make_grid(aoi, 500.0)
    queries = asked(model, grid, number=3)
    found = searched(model, aoi, grid, queries, k=1)
    moved = between_points(model, "cpu", queries, found, 500.0, aoi)
    assert (moved.score >= found.score).all()
    assert ((moved.lat_deg >= 45) & (moved.lat_deg <= 45.0001) & (moved.lon_deg >= 10) & (moved.lon_deg <= 10.0001)).all()
    assert between_points(model, "cpu", queries[:0], searched(model, aoi, grid, queries[:0], k=1), 500.0, aoi).index.shape == (0, 1)


def test_it_can_be_stopped():
    model, (aoi, grid) = Model(), area("plain")
    queries = asked(model, grid, number=3)
    with pytest.raises(CancelledError):
        between_points(
            model, "cpu", queries, searched(model, aoi, grid, queries), grid.resolution_m, aoi, feedback=Feedback(cancelled=lambda: True)
        )
