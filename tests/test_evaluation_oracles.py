"""The metrics against other people's implementations: two published discrete Fréchet distances, pyproj, SciPy and scikit-learn."""

import sys

import frechetdist
import numpy as np
import pytest
import scipy.spatial.distance
import similaritymeasures
import sklearn.metrics.pairwise
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from vidtag_engine.evaluation import metrics
from vidtag_engine.geodesy import EARTH_RADIUS_M, haversine_m

GEOD = Geod(ellps="WGS84")
ECEF = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)


def lines(longest=15, same=False):
    # Away from ±180°: the published ones know planes only.
    point = st.tuples(st.floats(-80, 80), st.floats(-170, 170))
    made = st.lists(point, min_size=1, max_size=longest).map(lambda points: np.array(points, dtype=float))
    if not same:
        return made
    return st.lists(st.tuples(point, point), min_size=1, max_size=longest).map(lambda pairs: np.array(pairs, dtype=float))


def walk(seed, count, start=(41.0, -83.0), step=1e-3):
    return np.array(start) + np.cumsum(np.random.default_rng(seed).normal(scale=step, size=(count, 2)), axis=0)


def to_metres(points):
    x, y, z = ECEF.transform(points[:, 1], points[:, 0], np.zeros(len(points)))
    return np.stack([x, y, z], axis=1)


@settings(max_examples=100, deadline=None)
@given(lines(), lines())
def test_dfd_in_degrees_equals_similaritymeasures(a, b):
    near = np.ptp(np.concatenate([a, b])[:, 1]) < 180  # beyond that ours goes the short way round
    if near:
        assert metrics.dfd_deg(a, b) == pytest.approx(similaritymeasures.frechet_dist(a, b), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(lines(same=True))
def test_dfd_in_degrees_equals_frechetdist(pairs):
    a, b = pairs[:, 0], pairs[:, 1]  # it wants lines of equal length
    if np.ptp(np.concatenate([a, b])[:, 1]) < 180:
        assert metrics.dfd_deg(a, b) == pytest.approx(frechetdist.frdist(a, b), abs=1e-9)


@pytest.mark.parametrize(("n", "m"), [(16, 16), (300, 300), (60, 7), (1, 40)])
def test_dfd_of_drives_equals_both(n, m):
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)  # frechetdist recurses
    try:
        a, b = walk(n, n), walk(m + 1, m, (41.002, -83.001))
        assert metrics.dfd_deg(a, b) == pytest.approx(similaritymeasures.frechet_dist(a, b), rel=1e-12)
        if n == m:
            assert metrics.dfd_deg(a, b) == pytest.approx(frechetdist.frdist(a, b), rel=1e-12)
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize("start", [(41.0, -83.0), (0.0, 10.0), (-77.8, 166.6), (69.6, 18.9)])
def test_dfd_in_metres_equals_similaritymeasures_in_space(start):
    # In earth-centred metres of PROJ's own making; over a few kilometres chord and geodesic are one to a millionth.
    a, b = walk(5, 120, start, 2e-4), walk(6, 90, start, 2e-4)
    assert metrics.dfd_m(a, b) == pytest.approx(similaritymeasures.frechet_dist(to_metres(a), to_metres(b)), rel=1e-6)


def test_frames_errors_equal_pyproj_and_nearly_scikit_learn():
    rng = np.random.default_rng(2)
    predicted = np.stack([rng.uniform(-85, 85, 500), rng.uniform(-180, 180, 500)], axis=1)
    truth = np.clip(predicted + rng.normal(scale=2, size=(500, 2)), [-90, -180], [90, 180])
    ours = metrics.errors_m(predicted, truth)
    np.testing.assert_allclose(ours, GEOD.inv(predicted[:, 1], predicted[:, 0], truth[:, 1], truth[:, 0])[2], rtol=1e-12)
    sphere = np.diag(sklearn.metrics.pairwise.haversine_distances(np.radians(predicted), np.radians(truth))) * EARTH_RADIUS_M
    np.testing.assert_allclose(haversine_m(predicted[:, 0], predicted[:, 1], truth[:, 0], truth[:, 1]), sphere, rtol=1e-9)
    np.testing.assert_allclose(ours, sphere, rtol=0.006)  # the Earth is flattened


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 3e4), min_size=1, max_size=60))
def test_accuracies_and_median_equal_counting(distances):
    values = np.array(distances)
    for radius, percent in metrics.frame_accuracy(values).items():
        assert percent == pytest.approx(100 * sum(d <= radius * 1000 for d in distances) / len(distances))
    ordered = sorted(distances)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    assert metrics.median_error_m(values) == pytest.approx(middle)


@settings(max_examples=60, deadline=None)
@given(lines(), lines())
def test_mrd_equals_the_papers_equation(a, b):
    # Eq. 7 as printed, a dimension at a time; ours goes the short way round, so only lines on one side of the globe compare.
    if max(np.ptp(a[:, 1]), np.ptp(b[:, 1])) < 180:
        ranges = [abs((max(a[:, d]) - min(a[:, d])) - (max(b[:, d]) - min(b[:, d]))) for d in (0, 1)]
        assert metrics.mrd_deg(a, b) == pytest.approx(sum(ranges) / 2, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05)), min_size=1, max_size=25), st.integers(0, 2**31))
def test_a_videos_prediction_equals_scipys_nearest_to_the_mean(offsets, seed):
    # In a plane in metres that PROJ lays around the place; centroids on the sphere and in it agree over a few kilometres.
    predicted = np.array([48.0, 11.0]) + np.array(offsets)
    truth = np.array([48.0, 11.0]) + np.random.default_rng(seed).uniform(-0.05, 0.05, predicted.shape)
    flat = Transformer.from_crs("EPSG:4326", "+proj=aeqd +lat_0=48 +lon_0=11 +ellps=WGS84", always_xy=True)
    x, y = flat.transform(predicted[:, 1], predicted[:, 0])
    plane = np.stack([x, y], axis=1)
    distance = scipy.spatial.distance.cdist(plane, plane.mean(axis=0, keepdims=True))[:, 0]
    lat, lon = metrics.video_prediction(predicted)
    ours = np.hypot(*(np.array(flat.transform(lon, lat)) - plane.mean(axis=0)))
    assert ours == pytest.approx(distance.min(), abs=2.0)
    tx, ty = flat.transform(truth[:, 1], truth[:, 0])
    wanted = np.hypot(*(np.array(flat.transform(lon, lat)) - [np.mean(tx), np.mean(ty)]))
    assert metrics.video_error_m(predicted, truth) == pytest.approx(wanted, rel=1e-3, abs=2.0)
