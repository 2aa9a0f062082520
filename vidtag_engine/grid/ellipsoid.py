"""WGS 84 in closed form and in bulk: meridian arcs, parallels, areas of longitude/latitude polygons, earth-centred coordinates.

pyproj gives the same numbers one geodesic at a time (it is the tests' oracle); a grid asks for millions.
"""

from __future__ import annotations

import math

import numpy as np
import shapely

from ..geodesy import WGS84
from ..types import FloatArray

_A, _B = float(WGS84.a), float(WGS84.b)
_E2 = 1.0 - (_B / _A) ** 2
_E = math.sqrt(_E2)
_N = (_A - _B) / (_A + _B)
# Radius of the sphere whose meridian is as long as the ellipsoid's (Helmert's series in the third flattening).
_RECTIFYING_RADIUS_M = _A / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_TO_RECTIFYING = (
    -3 / 2 * _N + 9 / 16 * _N**3,
    15 / 16 * _N**2 - 15 / 32 * _N**4,
    -35 / 48 * _N**3,
    315 / 512 * _N**4,
)
_FROM_RECTIFYING = (
    3 / 2 * _N - 27 / 32 * _N**3,
    21 / 16 * _N**2 - 55 / 32 * _N**4,
    151 / 96 * _N**3,
    1097 / 512 * _N**4,
)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def meridian_arc_m(lat_deg: FloatArray) -> FloatArray:
    """Distance along the meridian from the equator in metres, negative to the south (better than a micrometre)."""
    lat = np.radians(np.asarray(lat_deg, dtype=np.float64))
    mu = lat.copy()
    for order, factor in enumerate(_TO_RECTIFYING, start=1):
        mu = mu + factor * np.sin(2 * order * lat)
    result: FloatArray = _RECTIFYING_RADIUS_M * mu
    return result


def lat_of_arc_deg(arc_m: FloatArray) -> FloatArray:
    """Latitude in degrees of a meridian arc in metres: the inverse of `meridian_arc_m`."""
    mu = np.asarray(arc_m, dtype=np.float64) / _RECTIFYING_RADIUS_M
    lat = mu.copy()
    for order, factor in enumerate(_FROM_RECTIFYING, start=1):
        lat = lat + factor * np.sin(2 * order * mu)
    result: FloatArray = np.clip(np.degrees(lat), -90.0, 90.0)
    return result


def parallel_radius_m(lat_deg: FloatArray) -> FloatArray:
    """Radius of the parallel in metres: one radian of longitude on the ground; 0 at the poles."""
    lat = np.radians(np.asarray(lat_deg, dtype=np.float64))
    result: FloatArray = np.maximum(_A * np.cos(lat) / np.sqrt(1 - _E2 * np.sin(lat) ** 2), 0.0)
    return result


def ecef_m(lat_deg: FloatArray, lon_deg: FloatArray) -> FloatArray:
    """Earth-centred coordinates of points on the ellipsoid, (..., 3) metres: straight distances know no seam and no pole."""
    lat, lon = np.radians(np.asarray(lat_deg, dtype=np.float64)), np.radians(np.asarray(lon_deg, dtype=np.float64))
    prime_vertical = _A / np.sqrt(1 - _E2 * np.sin(lat) ** 2)
    radius = prime_vertical * np.cos(lat)
    return np.stack([radius * np.cos(lon), radius * np.sin(lon), prime_vertical * (1 - _E2) * np.sin(lat)], axis=-1)


def _zone_m2(lat_rad: FloatArray) -> FloatArray:
    """Area between the equator and a parallel, for one radian of longitude."""
    sine = np.sin(lat_rad)
    result: FloatArray = _B**2 / 2 * (sine / (1 - _E2 * sine**2) + np.arctanh(_E * sine) / _E)
    return result


def _ring_area_m2(ring: FloatArray) -> float:
    """Signed area of a closed ring of (lon, lat) vertices whose sides are straight in longitude and latitude."""
    lon, lat = np.radians(ring[:, 0]), np.radians(ring[:, 1])
    middle, half = (lat[1:] + lat[:-1]) / 2, (lat[1:] - lat[:-1]) / 2
    mean = (_zone_m2(middle[:, None] + half[:, None] * _NODES) * _WEIGHTS).sum(axis=1) / 2
    return float(-(np.diff(lon) * mean).sum())


def polygon_area_m2(geometry: shapely.Geometry) -> float:
    """Area on the ellipsoid of a (multi)polygon in degrees whose sides are straight in longitude and latitude.

    That is the area a GIS draws and the area that the grid fills. It equals pyproj's geodesic area once long sides are densified:
    between two far vertices a geodesic leaves the straight line, and near the poles by a lot.
    """
    total = 0.0
    for polygon in shapely.get_parts(geometry):
        total += abs(_ring_area_m2(shapely.get_coordinates(polygon.exterior)))
        total -= sum(abs(_ring_area_m2(shapely.get_coordinates(hole))) for hole in polygon.interiors)
    return total
