"""The paper's metrics against independent references: recursion, brute force, pyproj, and arithmetic by hand."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from vidtag_engine.evaluation import metrics

GEOD = Geod(ellps="WGS84")


def metres(p, q):
    return GEOD.inv(p[1], p[0], q[1], q[0])[2]


def degrees(p, q):
    return float(np.hypot(p[0] - q[0], (p[1] - q[1] + 180) % 360 - 180))


def recursive_frechet(a, b, distance):
    """Eiter and Mannila (1994), as printed."""

    @functools.cache
    def c(i, j):
        d = distance(a[i], b[j])
        if i == 0 and j == 0:
            return d
        if i == 0:
            return max(c(0, j - 1), d)
        if j == 0:
            return max(c(i - 1, 0), d)
        return max(min(c(i - 1, j), c(i - 1, j - 1), c(i, j - 1)), d)

    return c(len(a) - 1, len(b) - 1)


def walk(rng, count, start=(41.0, -83.0), step=1e-3):
    points = np.array(start) + np.cumsum(rng.normal(scale=step, size=(count, 2)), axis=0)
    points[:, 1] = (points[:, 1] + 180) % 360 - 180
    return points


def lines(longest=12):
    point = st.tuples(st.floats(-80, 80), st.floats(-180, 179.99))
    return st.lists(point, min_size=1, max_size=longest).map(lambda points: np.array(points, dtype=float).reshape(-1, 2))


def turned(points, by_deg):
    return np.stack([points[:, 0], (points[:, 1] + by_deg + 180) % 360 - 180], axis=1)


@settings(max_examples=80, deadline=None)
@given(lines(), lines())
def test_dfd_deg_equals_the_recursion(a, b):
    assert metrics.dfd_deg(a, b) == pytest.approx(recursive_frechet(a, b, degrees), abs=1e-9)


@pytest.mark.parametrize(("seed", "start"), [(0, (41.0, -83.0)), (1, (0.0, 180.0)), (2, (83.0, 17.0)), (3, (-33.0, 151.0))])
def test_dfd_m_equals_the_recursion_on_geodesics(seed, start):
    rng = np.random.default_rng(seed)
    a, b = walk(rng, 40, start), walk(rng, 25, start)
    assert metrics.dfd_m(a, b) == pytest.approx(recursive_frechet(a, b, metres), rel=1e-7)


@settings(max_examples=30, deadline=None)
@given(lines(8), lines(8))
def test_dfd_m_is_near_the_recursion_even_across_the_globe(a, b):
    assert metrics.dfd_m(a, b) == pytest.approx(recursive_frechet(a, b, metres), rel=5e-3, abs=1e-6)


def test_dfd_published_example():
    # Two lines of three points one apart, and a detour of height 5 that must be gone along.
    a = np.array([[0.0, 0], [0, 1], [0, 2]])
    assert metrics.dfd_deg(a, a + np.array([1, 0])) == pytest.approx(1.0)
    assert metrics.dfd_deg(a, np.array([[0.0, 0], [5, 1], [0, 2]])) == pytest.approx(5.0)
    # Order matters: walked the other way, the ends are two apart.
    assert metrics.dfd_deg(a, a[::-1]) == pytest.approx(2.0)


def test_dfd_of_long_videos_takes_little_time_and_memory():
    rng = np.random.default_rng(0)
    a = walk(rng, 3000)
    b = a + rng.normal(scale=1e-4, size=a.shape)
    assert 0 < metrics.dfd_deg(a, b) <= np.hypot(*(a - b).T).max() + 1e-12


@settings(max_examples=50, deadline=None)
@given(lines(10), lines(10), st.floats(-360, 360))
def test_no_metric_sees_the_seam(a, b, by_deg):
    # A rounding of the longitudes by 1e-13 may move a point over the seam, never a metric by more than as little.
    for function in (metrics.dfd_deg, metrics.dfd_m, metrics.mrd_deg, metrics.mrd_m):
        assert function(turned(a, by_deg), turned(b, by_deg)) == pytest.approx(function(a, b), rel=3e-3, abs=1e-4)
    n = min(len(a), len(b))
    np.testing.assert_allclose(
        metrics.errors_m(turned(a[:n], by_deg), turned(b[:n], by_deg)), metrics.errors_m(a[:n], b[:n]), rtol=1e-6, atol=1e-3
    )


def test_video_metrics_at_the_seam_equal_those_elsewhere():
    rng = np.random.default_rng(4)
    predicted, truth = walk(rng, 31, (-17.0, 20.0)), walk(rng, 31, (-17.0, 20.0))
    here = metrics.video_error_m(predicted, truth)
    assert metrics.video_error_m(turned(predicted, 160), turned(truth, 160)) == pytest.approx(here, rel=1e-9)
    assert here < 5000


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 20), st.randoms(use_true_random=False))
def test_order_of_frames_matters_only_to_dfd(count, random):
    rng = np.random.default_rng(random.randrange(2**32))
    predicted, truth = walk(rng, count), walk(rng, count)
    order = rng.permutation(count)
    before, after = metrics.errors_m(predicted, truth), metrics.errors_m(predicted[order], truth[order])
    assert metrics.median_error_m(after) == metrics.median_error_m(before)
    assert metrics.frame_accuracy(after) == metrics.frame_accuracy(before)
    assert metrics.mrd_deg(predicted[order], truth) == pytest.approx(metrics.mrd_deg(predicted, truth))
    if count > 2:  # two predictions are equally near to their centroid
        assert metrics.video_error_m(predicted[order], truth[order]) == pytest.approx(metrics.video_error_m(predicted, truth))


def test_video_prediction_is_a_prediction_and_passes_over_outliers():
    cluster = np.array([[10.0, 20.0], [10.0, 20.001], [10.001, 20.0]])
    predicted = np.vstack([cluster, [[11.0, 21.0]]])
    assert metrics.video_prediction(predicted) in [tuple(p) for p in cluster]
    brute = min(cluster, key=lambda p: metres(p, metrics.centroid_deg(predicted[:, 0], predicted[:, 1])))
    assert metrics.video_prediction(predicted) == tuple(brute)
    assert metrics.video_prediction(np.array([[1.0, 2.0], [1.0, 4.0]])) == (1.0, 2.0)  # of equals the first


def test_frame_accuracy_by_hand():
    got = metrics.frame_accuracy(np.array([0.0, 500.0, 500.1, 4000.0]), (0.5, 1.0, 5.0))
    assert got == {0.5: 50.0, 1.0: 75.0, 5.0: 100.0}
    assert np.isnan(metrics.frame_accuracy(np.array([]))[1.0])
    assert np.isnan(metrics.median_error_m(np.array([])))


def test_errors_are_geodesics():
    rng = np.random.default_rng(1)
    a, b = walk(rng, 20, (60.0, 180.0)), walk(rng, 20, (60.0, 180.0))
    np.testing.assert_allclose(metrics.errors_m(a, b), [metres(p, q) for p, q in zip(a, b, strict=True)])


def test_mrd_by_hand_and_on_the_ground():
    predicted = np.array([[40.0, 179.99], [40.02, -179.98]])  # ranges .02 and .03
    truth = np.array([[40.0, 10.00], [40.01, 10.01]])  # ranges .01 and .01
    assert metrics.mrd_deg(predicted, truth) == pytest.approx((0.01 + 0.02) / 2)
    north = metres((40.0, 0.0), (40.02, 0.0)) - metres((40.0, 0.0), (40.01, 0.0))
    east = metres((40.005, 0.0), (40.005, 0.02))  # a geodesic this short is the parallel, to 1e-8
    assert metrics.mrd_m(predicted, truth) == pytest.approx((north + east) / 2, rel=1e-5)
    assert metrics.mrd_deg(truth, truth) == 0
    assert metrics.mrd_m(truth[:1], truth[:1]) == 0


def test_empty_lines_have_no_distance():
    with pytest.raises(ValueError, match="no points"):
        metrics.dfd_deg(np.zeros((0, 2)), np.zeros((1, 2)))
