"""The paper's metrics (VidTAG, App. E), for predictions and truth at the same frames; none of them sees a seam at ±180°.

Positions are arrays (T, 2) of [lat_deg, lon_deg] without NaN. The paper's DFD and MRD are almost certainly in degrees (on GAMa, DFD
0.39 beside a median error of 0.88 km), so both are here in degrees, to compare, and in metres.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ..geodesy import WGS84, centroid_deg, geodesic_m, haversine_m, wrap_lon
from ..types import FloatArray

RADII_KM = (0.5, 1.0, 5.0, 25.0)
_SAME_PLACE_M = 1e-3
_ECCENTRICITY2 = WGS84.es
_EQUATOR_M = WGS84.a

Distance = Callable[[FloatArray, FloatArray], FloatArray]


def errors_m(predicted: FloatArray, truth: FloatArray) -> FloatArray:
    """Geodesic distance of each prediction from the truth of its frame, (T,) metres."""
    return geodesic_m(predicted[:, 0], predicted[:, 1], truth[:, 0], truth[:, 1])


def frame_accuracy(distances_m: FloatArray, radii_km: Sequence[float] = RADII_KM) -> dict[float, float]:
    """a_r: per cent of the distances that are at most each radius; NaN for none."""
    distances_m = np.asarray(distances_m, dtype=np.float64)
    if not distances_m.size:
        return dict.fromkeys(radii_km, math.nan)
    return {radius: 100.0 * float(np.mean(distances_m <= 1000.0 * radius)) for radius in radii_km}


def median_error_m(distances_m: FloatArray) -> float:
    """Median of the distances; NaN for none."""
    return float(np.median(distances_m)) if np.size(distances_m) else math.nan


def video_prediction(predicted: FloatArray) -> tuple[float, float]:
    """The prediction that stands for a whole video: the one nearest to the centroid of all (App. E.1); of equals the first.

    Returns:
        lat_deg, lon_deg. Raises ValueError for no predictions.
    """
    lat, lon = centroid_deg(predicted[:, 0], predicted[:, 1])
    distance = haversine_m(np.array(lat), np.array(lon), predicted[:, 0], predicted[:, 1])
    # Two predictions are always equally far from their centroid: rounding must not choose.
    nearest = int(np.argmax(distance <= distance.min() + _SAME_PLACE_M))
    return float(predicted[nearest, 0]), float(predicted[nearest, 1])


def video_error_m(predicted: FloatArray, truth: FloatArray) -> float:
    """Distance between a video's prediction and the centroid of its truth (App. E.1)."""
    lat, lon = video_prediction(predicted)
    true_lat, true_lon = centroid_deg(truth[:, 0], truth[:, 1])
    return float(geodesic_m(np.array(lat), np.array(lon), np.array(true_lat), np.array(true_lon)))


def dfd_deg(a: FloatArray, b: FloatArray) -> float:
    """Discrete Fréchet distance (App. E.2) in the plane of latitude and longitude, degrees; longitudes differ the short way round.

    Args:
        a: (N, 2), at least one point.
        b: (M, 2), at least one point.
    """

    def degrees(p: FloatArray, q: FloatArray) -> FloatArray:
        result: FloatArray = np.hypot(p[:, 0] - q[:, 0], wrap_lon(p[:, 1] - q[:, 1]))
        return result

    return _discrete_frechet(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64), degrees)[0]


def dfd_m(a: FloatArray, b: FloatArray) -> float:
    """Discrete Fréchet distance (App. E.2) on the ground, metres.

    Pairs are compared by their chord through the ellipsoid, which orders them as geodesics do but for differences of about 0.1 %;
    the answer is the geodesic of the pair that decides.

    Args:
        a: (N, 2), at least one point.
        b: (M, 2), at least one point.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)

    def chords(p: FloatArray, q: FloatArray) -> FloatArray:
        difference = p - q
        result: FloatArray = np.sqrt(np.einsum("ij,ij->i", difference, difference))
        return result

    _, i, j = _discrete_frechet(_earth_centred(a), _earth_centred(b), chords)
    return float(geodesic_m(a[i, 0], a[i, 1], b[j, 0], b[j, 1]))


def mrd_deg(predicted: FloatArray, truth: FloatArray) -> float:
    """Mean range difference (App. E.3) in degrees: |range of predictions - range of truth|, mean of latitude and longitude.

    A range of longitudes is the shortest arc that holds them all.
    """
    d_lat = abs(np.ptp(predicted[:, 0]) - np.ptp(truth[:, 0]))
    d_lon = abs(_arc_deg(predicted[:, 1]) - _arc_deg(truth[:, 1]))
    return float((d_lat + d_lon) / 2.0)


def mrd_m(predicted: FloatArray, truth: FloatArray) -> float:
    """Mean range difference in metres: along the meridian, and along the parallel in the middle of the truth."""
    south, north = (np.array([end(points[:, 0]) for points in (predicted, truth)]) for end in (np.min, np.max))
    along_meridian_m = geodesic_m(south, np.zeros(2), north, np.zeros(2))
    middle = math.radians(float(south[1] + north[1]) / 2.0)
    # Radius of the parallel on the ellipsoid: prime vertical radius times the cosine of the latitude.
    parallel_m = _EQUATOR_M * math.cos(middle) / math.sqrt(1.0 - _ECCENTRICITY2 * math.sin(middle) ** 2)
    d_lon = math.radians(abs(_arc_deg(predicted[:, 1]) - _arc_deg(truth[:, 1])))
    return float(abs(along_meridian_m[0] - along_meridian_m[1]) + parallel_m * d_lon) / 2.0


def _arc_deg(lon_deg: FloatArray) -> float:
    """Length in degrees of the shortest arc that holds all longitudes: the whole round less the widest gap."""
    around = np.sort(np.mod(np.asarray(lon_deg, dtype=np.float64), 360.0))
    gaps = np.diff(around, append=around[0] + 360.0)
    return float(360.0 - gaps.max())


def _earth_centred(lat_lon_deg: FloatArray) -> FloatArray:
    """Points on the ellipsoid as (N, 3) metres from the Earth's centre."""
    lat, lon = np.radians(lat_lon_deg[:, 0]), np.radians(lat_lon_deg[:, 1])
    normal_m = _EQUATOR_M / np.sqrt(1.0 - _ECCENTRICITY2 * np.sin(lat) ** 2)
    return np.stack(
        [normal_m * np.cos(lat) * np.cos(lon), normal_m * np.cos(lat) * np.sin(lon), normal_m * (1.0 - _ECCENTRICITY2) * np.sin(lat)],
        axis=1,
    )


def _discrete_frechet(a: FloatArray, b: FloatArray, distance: Distance) -> tuple[float, int, int]:
    """Eiter and Mannila's recurrence, an anti-diagonal at a time: O(NM) work in whole-array steps, O(N) memory.

    c[i, j] = max(d[i, j], min(c[i-1, j], c[i-1, j-1], c[i, j-1])), and the cells of one anti-diagonal need only the two before.

    Returns:
        the distance, and the pair (i, j) of points that it lies between.
    """
    n, m = len(a), len(b)
    if not n or not m:
        raise ValueError("no points")
    # Cell i of a diagonal is kept at place i + 1, so that place 0 and all unvisited places are infinite walls.
    last, before_last = np.full(n + 1, np.inf), np.full(n + 1, np.inf)
    last_pair, before_last_pair = np.zeros(n + 1, dtype=np.int64), np.zeros(n + 1, dtype=np.int64)
    before_last[0] = -np.inf  # the corner costs nothing to reach
    backwards = b[::-1]
    for diagonal in range(n + m - 1):
        first, end = max(0, diagonal - m + 1), min(n, diagonal + 1)
        # j = diagonal - i runs down as i runs up.
        step = distance(a[first:end], backwards[m - 1 - diagonal + first : m - 1 - diagonal + end])
        reached, reached_pair = last[first + 1 : end + 1], last_pair[first + 1 : end + 1]
        for values, pairs in ((last, last_pair), (before_last, before_last_pair)):
            lower = values[first:end] < reached
            reached = np.where(lower, values[first:end], reached)
            reached_pair = np.where(lower, pairs[first:end], reached_pair)
        own = step >= reached
        own_pair = np.arange(first * m + diagonal - first, end * m + diagonal - end, m - 1) if m > 1 else np.arange(first, end)
        # The oldest diagonal is not needed again: write over it.
        before_last.fill(np.inf)
        before_last[first + 1 : end + 1] = np.where(own, step, reached)
        before_last_pair[first + 1 : end + 1] = np.where(own, own_pair, reached_pair)
        last, before_last = before_last, last
        last_pair, before_last_pair = before_last_pair, last_pair
    i_star, j_star = divmod(int(last_pair[n]), m)
    return float(last[n]), i_star, j_star
