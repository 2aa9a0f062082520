"""Regions, splits and galleries (App. D) against brute force, pyproj and the paper's own recipe written out."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from tests.dataset_maker import write_msls
from vidtag_engine.datasets import LabelledSequence, open_dataset
from vidtag_engine.datasets.base import split_within
from vidtag_engine.datasets.regions import area_of, clusters, regions_grid, training_regions
from vidtag_engine.grid import join_grids, load_aoi, make_grid, points_grid
from vidtag_engine.types import InputError

GEOD = Geod(ellps="WGS84")
CITIES = {"amsterdam": (52.3, 4.8), "goa": (15.3, 73.9)}


def sequence(name, places, region=""):
    places = np.asarray(places, dtype=float).reshape(-1, 2)
    return LabelledSequence(name, None, (), "images", np.arange(len(places)), places, region=region)


def paper_count(west, south, east, north, resolution_m):
    """App. D.1, steps 4 and 5, by pyproj: dis_LAT // resolution times dis_LON // resolution."""
    north_m = GEOD.inv(west, south, west, north)[2]
    # Along the parallel, in small steps: a geodesic would cut the corner.
    lons = np.linspace(west, east, 1001)
    east_m = float(np.sum(GEOD.inv(lons[:-1], np.full(1000, south), lons[1:], np.full(1000, south))[2]))
    return math.floor(north_m / resolution_m) * math.floor(east_m / resolution_m)


def test_the_papers_grid_of_two_cities(tmp_path):
    truth = write_msls(tmp_path, CITIES, sequences=10, frames=16)
    data = open_dataset("msls", tmp_path)
    train = {s.name for s in data.sequences("train")}
    count = 0
    for city in CITIES:
        places = np.concatenate([places for name, places in truth.items() if name in train and name.startswith(city)])
        (south, west), (north, east) = places.min(axis=0) - 0.01, places.max(axis=0) + 0.01
        region = next(r for r in data.regions() if r.name == city)
        np.testing.assert_allclose((region.west, region.south, region.east, region.north), (west, south, east, north), atol=1e-9)
        count += paper_count(west, south, east, north, 100.0)
    grid = data.gallery()
    assert (grid.kind, grid.resolution_m) == ("latlon", 100.0)
    assert grid.count == count
    # No point of the validation split went into it, and nothing that was held out moves it.
    points = np.concatenate(list(grid.chunks(1000)))
    assert len(np.unique(points, axis=0)) == grid.count
    boxes = shapely.union_all([shapely.box(r.west, r.south, r.east, r.north) for r in data.regions()])
    assert shapely.contains_xy(boxes, points[:, 1], points[:, 0]).all()
    # Held memory follows rows and regions, not points.
    assert len(grid.rows.count) + len(grid.border) < grid.count / 50
    assert data.gallery(resolution_m=1000.0).count < grid.count / 90
    even = data.gallery(resolution_m=500.0, grid="equal-earth")
    assert even.count * 500.0**2 == pytest.approx(data.area().area_m2, rel=0.05)


def test_validation_and_training_galleries_are_the_frames_own_places(tmp_path):
    truth = write_msls(tmp_path, {"amsterdam": CITIES["amsterdam"]}, sequences=10, frames=16)
    data = open_dataset("msls", tmp_path)
    for kind, split in (("validation", "val"), ("training", "train")):
        grid = data.gallery(kind)
        wanted = {tuple(place) for s in data.sequences(split) for place in truth[s.name].tolist()}
        assert {tuple(place) for place in grid.points(0, grid.count).round(7).tolist()} == wanted
    with pytest.raises(InputError, match="no city centres"):
        data.gallery("centres")
    with pytest.raises(InputError, match="no gallery 'all'"):
        data.gallery("all")


def brute_clusters(places):
    """Cells that touch, by trying every pair until nothing changes."""
    cells = np.stack([np.floor(places[:, 0] * 10), np.floor(places[:, 1] * 10) % 3600], axis=1)
    label = np.arange(len(cells))
    changed = True
    while changed:
        changed = False
        for i, one in enumerate(cells):
            for j, other in enumerate(cells):
                around = abs(one[1] - other[1])
                if abs(one[0] - other[0]) <= 1 and min(around, 3600 - around) <= 1 and label[i] != label[j]:
                    label[label == label[j]] = label[i]
                    changed = True
    return label


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-0.6, 0.6), st.floats(179.3, 180.7)), min_size=1, max_size=25))
def test_clusters_equal_brute_force_across_the_antimeridian(points):
    places = np.array(points)
    places[:, 1] = (places[:, 1] + 180) % 360 - 180
    found, wanted = clusters(places), brute_clusters(places)
    assert ((found[:, None] == found) == (wanted[:, None] == wanted)).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-80, 80), st.floats(-180, 179.9)), min_size=1, max_size=30), st.booleans())
def test_boxes_hold_all_places_padded_and_never_overlap(points, named):
    places = np.array(points)
    found, outliers = training_regions([sequence("s", places, "city" if named else "")], 0.01)
    assert outliers == 0  # a thousandth of thirty
    assert sum(region.places for region in found) == len(places)
    for lat, lon in places:
        inside = [
            r for r in found if r.south + 0.0099 <= lat <= r.north - 0.0099 and (lon - r.west - 0.0099) % 360 <= r.east - r.west - 0.0198
        ]
        assert len(inside) == 1 or any(r.east - r.west == 360 for r in inside)
    shapes = [area_of([region]).geometry for region in found]
    for i, one in enumerate(shapes):
        assert all(one.intersection(other).area < 1e-12 for other in shapes[i + 1 :])


def test_outliers_make_no_box_and_a_city_at_the_antimeridian_makes_a_small_one():
    rng = np.random.default_rng(0)
    city = np.stack([rng.uniform(-16.6, -16.5, 5000), (rng.uniform(179.95, 180.05, 5000) + 180) % 360 - 180], axis=1)
    strays = np.array([[48.0, 11.0], [10.0, 10.0]])
    found, outliers = training_regions([sequence("a", city, "taveuni"), sequence("b", strays, "taveuni")], 0.01)
    assert (len(found), outliers) == (1, 2)
    assert found[0].east - found[0].west == pytest.approx(0.12, abs=0.001)
    area = area_of(found)
    assert area.area_m2 == pytest.approx(0.12 * 0.12 * 111_320 * 110_600 * math.cos(math.radians(16.55)), rel=0.01)
    grid = regions_grid(found, 500.0, "latlon")
    points = grid.points(0, grid.count)
    assert grid.count == paper_count(found[0].west, found[0].south, found[0].east, found[0].north, 500.0)
    assert (points[:, 1] > 179).any()
    assert (points[:, 1] < -179).any()


def test_joined_grids_are_the_grids_one_after_the_other():
    one, two = (make_grid(load_aoi(box), 700.0, "equal-earth") for box in ("4,52,4.2,52.1", "73.9,15.3,74,15.4"))
    joined = join_grids([one, two])
    assert joined.count == one.count + two.count
    wanted = np.concatenate([one.points(0, one.count), two.points(0, two.count)])
    got = joined.points(0, joined.count)
    assert {tuple(p) for p in got} == {tuple(p) for p in wanted}
    np.testing.assert_array_equal(joined.at(np.arange(joined.count)[::-1]), got[::-1])
    assert np.isnan(joined.at(np.array([-1]))).all()
    assert joined.digest != join_grids([two, one]).digest
    assert join_grids([one]) is one
    with pytest.raises(InputError, match="no area"):
        join_grids([])


def test_points_as_a_gallery():
    places = np.array([[10.0, 20.0], [-5.0, 170.0], [10.0, 20.0]])
    grid = points_grid(places)
    assert grid.count == 2
    assert {tuple(p) for p in grid.points(0, 2).round(9).tolist()} == {(10.0, 20.0), (-5.0, 170.0)}
    assert grid.plan_digest == points_grid(places[::-1]).plan_digest
    assert grid.to_summary()["count"] == 2
    for wrong in (np.zeros((0, 2)), [[np.nan, 0.0]], [[91.0, 0.0]]):
        with pytest.raises(InputError):
            points_grid(np.array(wrong))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=40), st.floats(0.01, 0.9), st.integers(0, 2**31))
def test_a_split_parts_every_region(regions, fraction, seed):
    sequences = [sequence(f"{region}{i}", [[0.5, 0.5]], region) for i, region in enumerate(regions)]
    training, validation = split_within(sequences, fraction, seed)
    assert sorted(s.name for s in training + validation) == sorted(s.name for s in sequences)
    for region in set(regions):
        total, held = regions.count(region), sum(s.region == region for s in validation)
        assert held == (min(max(1, round(fraction * total)), total - 1))
    assert split_within(sequences[::-1], fraction, seed) == (training, validation)
