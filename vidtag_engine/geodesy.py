"""Distances and places on the Earth, in float64. Distances on the ground are geodesics on WGS 84."""

from __future__ import annotations

import math

import numpy as np
from pyproj import Geod

from .types import FloatArray

EARTH_RADIUS_M = 6_371_008.8  # mean radius, for great circles
WGS84 = Geod(ellps="WGS84")
_LEAST_MOVE_M = 0.5  # from the place before to the one after: less is a receiver's noise


def haversine_m(lat1_deg: FloatArray, lon1_deg: FloatArray, lat2_deg: FloatArray, lon2_deg: FloatArray) -> FloatArray:
    """Great-circle distances in metres (within 0.6 % of the ellipsoid's); arguments broadcast."""
    lat1, lon1, lat2, lon2 = (np.radians(np.asarray(a, dtype=np.float64)) for a in (lat1_deg, lon1_deg, lat2_deg, lon2_deg))
    h = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    result: FloatArray = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0)))
    return result


def geodesic_m(lat1_deg: FloatArray, lon1_deg: FloatArray, lat2_deg: FloatArray, lon2_deg: FloatArray) -> FloatArray:
    """Geodesic distances on WGS 84 in metres; NaN where an argument is NaN. Arguments broadcast."""
    args = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in (lon1_deg, lat1_deg, lon2_deg, lat2_deg)))
    if args[0].size == 0:
        return np.zeros(args[0].shape)
    known = np.isfinite(args[0]) & np.isfinite(args[1]) & np.isfinite(args[2]) & np.isfinite(args[3])
    distance = np.full(args[0].shape, np.nan)
    if known.any():
        distance[known] = WGS84.inv(*(a[known] for a in args))[2]
    return distance


def courses_deg(lat_deg: FloatArray, lon_deg: FloatArray) -> FloatArray:
    """(T,) course over ground at successive places, clockwise from north: along the chord from the place before to the one after; NaN where nothing moves."""
    if len(lat_deg) < 2:
        return np.full(len(lat_deg), math.nan)
    before, after = np.maximum(np.arange(len(lat_deg)) - 1, 0), np.minimum(np.arange(len(lat_deg)) + 1, len(lat_deg) - 1)
    azimuth, _, moved_m = WGS84.inv(lon_deg[before], lat_deg[before], lon_deg[after], lat_deg[after])
    found: FloatArray = np.where(np.asarray(moved_m) > _LEAST_MOVE_M, np.asarray(azimuth) % 360.0, math.nan)
    return found


def unit_vectors(lat_deg: FloatArray, lon_deg: FloatArray) -> FloatArray:
    """Points on the unit sphere, (..., 3) float64: for centroids and nearest neighbours that know no seam at ±180°."""
    lat, lon = np.radians(np.asarray(lat_deg, dtype=np.float64)), np.radians(np.asarray(lon_deg, dtype=np.float64))
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def chord_m(distance_m: FloatArray | float) -> FloatArray:
    """Straight-line distance between places ``distance_m`` apart on the sphere; infinite from half way round on, within which everything lies."""
    angle = np.asarray(distance_m, dtype=np.float64) / EARTH_RADIUS_M
    result: FloatArray = np.where(angle < math.pi, 2.0 * EARTH_RADIUS_M * np.sin(np.minimum(angle, math.pi) / 2.0), np.inf)
    return result


def centroid_deg(lat_deg: FloatArray, lon_deg: FloatArray) -> tuple[float, float]:
    """Centre of points on the sphere as (lat_deg, lon_deg); the seam at ±180° does not matter. Raises ValueError for none."""
    vectors = unit_vectors(lat_deg, lon_deg).reshape(-1, 3)
    if not len(vectors):
        raise ValueError("no points")
    x, y, z = vectors.mean(axis=0)
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))


def wrap_lon(lon_deg: FloatArray) -> FloatArray:
    """Longitudes brought into [-180, 180)."""
    result: FloatArray = (np.asarray(lon_deg, dtype=np.float64) + 180.0) % 360.0 - 180.0
    return result
