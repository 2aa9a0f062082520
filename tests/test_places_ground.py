"""The ground about places: against geodesic distances of random points, anywhere on Earth."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from vidtag_engine.geodesy import WGS84
from vidtag_engine.places import ground_about


@settings(max_examples=30, deadline=None)
@given(st.floats(-75, 75), st.floats(-180, 180), st.integers(0, 1000))
def test_a_point_is_inside_where_it_is_near_enough(lat, lon, seed):
    rng = np.random.default_rng(seed)
    places = np.stack([lat + rng.normal(0, 0.01, 25), lon + rng.normal(0, 0.01, 25)], axis=1)
    area = ground_about(places, 300.0)
    assert area.is_valid
    others = np.stack([lat + rng.uniform(-0.03, 0.03, 200), lon + rng.uniform(-0.03, 0.03, 200)], axis=1)
    for one in others:
        _, _, apart_m = WGS84.inv(*np.broadcast_to(one[::-1, None], (2, 25)), places[:, 1], places[:, 0])
        wrapped = (one[1] + 180.0) % 360.0 - 180.0
        if abs(apart_m.min() - 300.0) > 50.0:
            assert area.contains(shapely.Point(wrapped, one[0])) == (apart_m.min() < 300.0)


def test_its_size_is_that_of_discs():
    assert shapely.area(ground_about(np.array([[0.0, 10.0]]), 1000.0)) * 111_320.0**2 == pytest.approx(np.pi * 1e6, rel=0.08)
