"""Cells of cities against geodesics by brute force: a place lies in a centre's cell where it is within the radius, and no other centre is nearer."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from vidtag_engine.places import city_cells
from vidtag_engine.types import InputError

GEOD = pyproj.Geod(ellps="WGS84")


def distances(centres, places):
    """(N, M) geodesics by pyproj."""
    y, x = (np.repeat(column[:, None], len(places), axis=1) for column in np.asarray(centres, dtype=float).T)
    to_y, to_x = (np.broadcast_to(column, y.shape) for column in places.T)
    return GEOD.inv(x, y, to_x, to_y)[2]


def places_near(centres, radius, rng, count=300):
    """Places about each centre, also beyond its disc, (M, 2)."""
    found = []
    for (lat, lon), reach in zip(centres, radius, strict=True):
        turns, lengths = rng.uniform(0, 360, count), reach * 1.3 * np.sqrt(rng.uniform(0, 1, count))
        x, y, _ = GEOD.fwd(np.full(count, lon), np.full(count, lat), turns, lengths)
        found.append(np.stack([y, x], axis=1))
    return np.concatenate(found)


def check(centres, radius, rng):
    """Every place is where the distances say, but for those within two metres, or 2e-4 of the radius, of an edge."""
    centres, radius = np.asarray(centres, dtype=float), np.asarray(radius, dtype=float)
    cells = city_cells(centres, radius)
    assert len(cells) == len(centres)
    places = places_near(centres, radius, rng)
    far = distances(centres, places)
    same = distances(centres, centres) <= 1.0
    for row, cell in enumerate(cells):
        assert cell.geom_type in {"Polygon", "MultiPolygon"}
        assert shapely.is_valid(cell)
        west, south, east, north = cell.bounds
        assert -180 <= west <= east <= 180
        assert -90 <= south <= north <= 90
        others = far[~same[row]].min(axis=0, initial=np.inf)
        margin = np.minimum(radius[row] - far[row], others - far[row])
        sure = np.abs(margin) > max(2.0, 2e-4 * radius[row])
        held = shapely.intersects_xy(cell, (places[:, 1] + 180.0) % 360.0 - 180.0, places[:, 0])
        assert shapely.dwithin(cell, shapely.Point(centres[row, ::-1]), 1e-9)
        np.testing.assert_array_equal(held[sure], margin[sure] > 0)


@pytest.mark.parametrize(
    "centres",
    [
        [(51.5, -0.12), (51.45, -0.2), (51.6, 0.1), (51.2, -0.5)],
        [(-17.0, 179.95), (-17.1, -179.9), (-16.8, 179.5)],  # across the antimeridian
        [(89.97, 10.0), (89.9, -120.0), (89.95, 80.0)],  # about the pole
        [(-90.0, 0.0), (-89.9, 60.0)],
        [(78.22, 15.64), (78.25, 15.5), (78.06, 14.2)],
        [(0.0, 0.0), (0.0, 0.01), (0.01, 0.0), (-0.2, 0.15)],
    ],
)
@pytest.mark.parametrize("radius_m", [3_000.0, 26_000.0, 150_000.0])
def test_cells_are_what_distances_say(centres, radius_m):
    check(centres, [radius_m * (1 + 0.2 * number) for number in range(len(centres))], np.random.default_rng(0))


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.lists(st.tuples(st.floats(0, 360), st.just(0.0) | st.floats(20, 80_000), st.floats(1_000, 60_000)), min_size=1, max_size=8),
    st.integers(0, 2**32 - 1),
)
def test_cells_anywhere(lat, lon, around, seed):
    centres, radius = [(lat, lon)], [30_000.0]
    for azimuth, distance, reach in around:
        x, y, _ = GEOD.fwd(lon, lat, azimuth, distance)
        centres.append((y, x))
        radius.append(reach)
    check(centres, radius, np.random.default_rng(seed))


def test_one_alone_has_its_disc():
    (cell,) = city_cells(np.array([[48.85, 2.35]]), np.array([10_000.0]))
    area = abs(GEOD.geometry_area_perimeter(cell)[0])
    assert area == pytest.approx(np.pi * 10_000.0**2, rel=1e-4)


def test_the_very_same_place_twice_is_one():
    first, second, third = city_cells(np.array([[48.85, 2.35], [48.85, 2.35], [48.9, 2.5]]), np.array([10_000.0, 10_000.0, 10_000.0]))
    assert first.equals(second)
    both = shapely.intersection(first, third)
    assert both.area < 1e-9
    assert not third.is_empty


def test_longitudes_are_turns():
    (one,), (other,) = (city_cells(np.array([[10.0, lon]]), np.array([5_000.0])) for lon in (-170.0, 190.0))
    assert one.equals(other)


def test_a_disc_about_the_pole_holds_it():
    (cell,) = city_cells(np.array([[90.0, 0.0]]), np.array([50_000.0]))
    assert shapely.covers(cell, shapely.Point(123.0, 90.0))
    assert shapely.covers(cell, shapely.Point(-77.0, 89.7))
    assert cell.bounds[1] == pytest.approx(90.0 - 50_000.0 / 111_694, abs=1e-3)


def test_none_and_nonsense():
    assert city_cells(np.zeros((0, 2)), np.zeros(0)) == []
    with pytest.raises(InputError, match="no place on Earth"):
        city_cells(np.array([[91.0, 0.0]]), np.array([1.0]))
    for radius in (0.0, -1.0, np.nan, 2e6):
        with pytest.raises(InputError, match="must lie between 0 and 1000 km"):
            city_cells(np.array([[1.0, 0.0]]), np.array([radius]))
    with pytest.raises(ValueError, match="2 centres have 1 radii"):
        city_cells(np.zeros((2, 2)), np.ones(1))
