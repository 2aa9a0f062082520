"""The beam over wide areas against comparing every point, on areas that can still be compared."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
import torch

from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.grid import area_without_aoi, load_aoi, make_grid, plan_grid
from vidtag_engine.grid.wide_grid import WideGrid
from vidtag_engine.models.location_encoder import LocationEncoder, LocationEncoderConfig
from vidtag_engine.search import EmbeddedGallery, posterior_mass, top_k
from vidtag_engine.search.beam import BeamSearch
from vidtag_engine.types import CancelledError, InputError

AREAS = {
    "one": "10,45,16,50",
    "parts, across the seam": "MULTIPOLYGON(((178 -18,182 -18,182 -14,178 -14,178 -18)),((20 60,24 60,24 63,20 63,20 60)))",
    "far north": "20,76,50,79",
    "a pole": "-180,87,180,90",
}


class Model(torch.nn.Module):
    """A small location encoder with random weights: rough on the coarse step, smooth on the fine one."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.location_encoder = LocationEncoder(
            LocationEncoderConfig(sigma=(2.0**3, 2.0**6), frequencies=64, hidden=(64,), embedding_dim=32)
        )

    def embed_locations(self, lat_lon_deg):
        return torch.nn.functional.normalize(self.location_encoder(lat_lon_deg), dim=-1)


def search(name, resolution_m=4000.0, **options):
    grid = WideGrid(resolution_m, load_aoi(AREAS[name]))
    return BeamSearch(Model(), grid, "cpu", weights_sha256="ab" * 32, **{"coarse_points": 600, "beam": (200, 150), **options})


def full(model, area, resolution_m):
    return EmbeddedGallery(model, make_grid(load_aoi(area), resolution_m), "cpu", weights_sha256="ab" * 32, cache_dir=None)


def asked(gallery, number=40, noise=0.5, seed=0):
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        found = Model().embed_locations(torch.from_numpy(gallery.grid.at(rng.integers(0, gallery.count, number)))).double()
    extra = torch.from_numpy(rng.normal(size=found.shape))
    return torch.nn.functional.normalize(found + noise * extra / extra.norm(dim=1, keepdim=True), dim=1).float()


@pytest.mark.parametrize("name", AREAS)
def test_the_beam_finds_what_comparing_every_point_finds(name):
    """Two lattices of one step: the beam's best is as high as the other grid's best but for what lies between their points."""
    quick, slow = search(name), full(Model(), AREAS[name], 4000.0)
    queries = asked(slow)
    found, expected = quick.top_k(queries, 1), top_k(queries, slow, 1)
    away = geodesic_m(found.lat_deg[:, 0], found.lon_deg[:, 0], expected.lat_deg[:, 0], expected.lon_deg[:, 0])
    # Equal Earth draws a pole as a line: there the encoder turns within a step, whatever the grid.
    assert name == "a pole" or (away < 12_000).mean() >= 0.9
    assert name == "a pole" or (found.score[:, 0] > expected.score[:, 0] - 0.02).mean() >= 0.9
    assert (found.score[:, 0] <= 1 + 1e-6).all()
    area = shapely.buffer(quick.grid.aoi.geometry, 1e-6)
    assert shapely.intersects_xy(area, found.lon_deg[:, 0], found.lat_deg[:, 0]).all()
    # A score is that of the very point.
    with torch.no_grad():
        own = (Model().embed_locations(torch.from_numpy(quick.grid.at(found.index[:, 0]))) * queries).sum(dim=1)
    np.testing.assert_allclose(found.score[:, 0], own.numpy(), atol=1e-6)


def test_a_deeper_beam_never_loses():
    slow = full(Model(), AREAS["one"], 4000.0)
    queries = asked(slow, noise=2.0)
    narrow, broad = (search("one", beam=beam).top_k(queries, 1).score[:, 0] for beam in ((10, 10), (300, 300)))
    assert broad.mean() >= narrow.mean()


def test_candidates_are_distinct_best_first_and_padded():
    quick = search("one")
    queries = asked(full(Model(), AREAS["one"], 20_000.0), number=6)
    queries[2] = math.nan
    found = quick.top_k(queries, 300)
    assert (found.index[2] == -1).all()
    assert np.isnan(found.lat_deg[2]).all()
    for row, score in zip(found.index[[0, 1, 3]], found.score[[0, 1, 3]], strict=True):
        known = row[row >= 0]
        assert len(set(known.tolist())) == len(known) > 100
        assert (np.diff(score[: len(known)]) <= 0).all()
    np.testing.assert_array_equal(quick.top_k(queries, 300).index, found.index)


@pytest.mark.parametrize("name", ["one", "parts, across the seam"])
def test_mass_is_near_the_exhaustive_sum(name):
    quick, slow = search(name), full(Model(), AREAS[name], 4000.0)
    queries = asked(slow)
    queries[3] = math.nan
    best = top_k(queries, slow, 1)
    centres = np.concatenate([best.lat_deg, best.lon_deg], axis=1)
    radii, temperatures = [8000.0, 60_000.0], [0.03, 0.1]
    found = quick.posterior_mass(queries, centres, radii, temperatures)
    expected = posterior_mass(queries, slow, centres, radii, temperatures)
    assert np.isnan(found[:, :, 3]).all()
    error = np.abs(found - expected)[~np.isnan(expected)]
    assert error.mean() < 0.02
    assert error.max() < 0.2
    np.testing.assert_allclose(quick.posterior_mass(queries, centres, 8000.0, 0.03), found[0, 0])


def test_the_coarse_gallery_is_cached_as_half_floats(tmp_path):
    queries = asked(full(Model(), AREAS["one"], 20_000.0), number=4)
    first = search("one", cache_dir=tmp_path)
    found = first.top_k(queries, 2)
    again = search("one", cache_dir=tmp_path)
    again.prepare()
    assert again.embedded == 0
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) == pytest.approx(first.coarse_points * 32 * 2, rel=0.02)
    np.testing.assert_array_equal(again.top_k(queries, 2).index, found.index)


def test_a_search_can_be_stopped():
    with pytest.raises(CancelledError):
        search("one", feedback=Feedback(cancelled=lambda: True)).prepare()


def test_which_areas_are_wide():
    europe, town = load_aoi("-5,40,20,60"), load_aoi("13,45,13.1,45.1")
    assert isinstance(plan_grid(europe, 100.0), WideGrid)
    assert not isinstance(plan_grid(europe, 5000.0), WideGrid)
    assert not isinstance(plan_grid(town, 1.0), WideGrid)
    assert not isinstance(plan_grid(europe, 5000.0, exhaustive=True), WideGrid)
    with pytest.raises(InputError, match="latlon"):
        plan_grid(europe, 100.0, "latlon")
    with pytest.raises(InputError, match=r"0\.1 m"):
        plan_grid(europe, 0.01)
    assert plan_grid(europe, 100.0).digest != plan_grid(europe, 50.0).digest
    assert plan_grid(europe, 100.0).digest == plan_grid(load_aoi("-5,40,20,60"), 100.0).digest
    assert plan_grid(europe, 100.0).count == pytest.approx(europe.area_m2 / 1e4, rel=1e-9)


def test_a_wide_grids_numbers_are_places():
    grid = WideGrid(1000.0, load_aoi("-180,-60,180,70"))
    rng = np.random.default_rng(0)
    places = np.stack([rng.uniform(-59, 69, 500), rng.uniform(-180, 180, 500)], axis=1)
    number = grid.number(places)
    assert (number > 0).all()
    assert geodesic_m(*grid.at(number).T, *places.T).max() < 0.75 * 1000
    assert np.isnan(grid.at(np.array([-1]))).all()
    np.testing.assert_array_equal(grid.around(number)[:, 4], number)


LAND = {
    "Malé": (4.1755, 73.5093), "Pitcairn": (-25.066, -130.10), "Tristan da Cunha": (-37.067, -12.31), "Niue": (-19.05, -169.92),
    "Nauru": (-0.53, 166.93), "Lord Howe": (-31.55, 159.08), "Jan Mayen": (71.0, -8.5), "Bouvet": (-54.42, 3.36), "Venice": (45.434, 12.338),
    "San Francisco's piers": (37.8087, -122.4098), "Taveuni, at 180°": (-16.8, -179.99), "South Pole": (-89.99, 0.0), "Singapore": (1.28, 103.85),
}  # fmt: skip
SEA = {
    "Atlantic": (30.0, -40.0),
    "Pacific": (0.0, -140.0),
    "North Pole": (89.9, 0.0),
    "Mediterranean": (34.5, 20.0),
    "Tasman Sea": (-38.0, 160.0),
}


def test_the_worlds_land_has_coasts_and_islands_and_no_sea():
    land = area_without_aoi(None)
    for name, (lat, lon) in LAND.items():
        assert shapely.intersects_xy(land.geometry, lon, lat), name
    for name, (lat, lon) in SEA.items():
        assert not shapely.intersects_xy(land.geometry, lon, lat), name
    # 148.9 million km² of land; islands and coasts are widened by 4 km.
    assert 148e12 < land.area_m2 < 158e12
    assert "world's land" in land.notes[0]
    assert len(land.geometry.geoms) > 1000


def test_a_checkpoint_that_knows_one_area_searches_that():
    area = area_without_aoi((159.9, -19.3, 160.0, -19.2))
    assert area.bounds == (159.9, -19.3, 160.0, -19.2)
    assert "trained on" in area.notes[0]
