"""Which ground is nearer to a centre than to any other: Voronoi cells on WGS 84, each within a disc."""

from __future__ import annotations

import math

import numpy as np
import shapely
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M, WGS84, chord_m, unit_vectors, wrap_lon
from ..grid.reproject import closed_ring, followed, wrap_polygons
from ..types import FloatArray, InputError

LARGEST_M = 1_000_000.0
SAME_M = 1.0
"""Centres this near to each other are one place: neither takes ground from the other."""
_CORNERS = 360  # of a disc: 4e-5 of its radius is lost between two
_ON_BISECTOR = 33  # points, within 1.3 radii
_STEPS = 4  # of Newton's


def city_cells(lat_lon_deg: FloatArray, radius_m: FloatArray) -> list[shapely.Polygon | shapely.MultiPolygon]:
    """Of each centre the part of its disc that is nearer to it than to any other centre.

    In the plane in which directions and distances from a centre are true (azimuthal equidistant), its disc is a circle, and the points as far from it
    as from another centre are found along rays from it, by geodesics. The edge is true to a ten-thousandth of the radius. A cell takes some 5 ms.

    Args:
        lat_lon_deg: (N, 2) centres, WGS 84.
        radius_m: (N,) of their discs, up to LARGEST_M.

    Returns:
        N valid areas, x = longitude, cut at ±180°; each holds its centre. Centres within SAME_M of each other do not divide the ground between them.

    Raises:
        InputError: a centre is no place on Earth, or a radius is not between 0 and LARGEST_M.
    """
    centres, radius = np.asarray(lat_lon_deg, dtype=np.float64).reshape(-1, 2), np.asarray(radius_m, dtype=np.float64).reshape(-1)
    if len(centres) != len(radius):
        raise ValueError(f"{len(centres)} centres have {len(radius)} radii")
    if not np.isfinite(centres).all() or np.abs(centres[:, 0]).max(initial=0.0) > 90.0:
        raise InputError("A city's centre is no place on Earth: give latitude and longitude in degrees.")
    if not ((radius > 0.0) & (radius <= LARGEST_M)).all():
        raise InputError(f"The radius of a city must lie between 0 and {LARGEST_M / 1000:g} km.")
    if not len(centres):
        return []
    centres = np.stack([centres[:, 0], wrap_lon(centres[:, 1])], axis=1)
    vectors = unit_vectors(*centres.T)
    # A sphere's distances are within 0.6 % of the ellipsoid's.
    near = cKDTree(vectors).query_ball_point(vectors, chord_m(2.02 * radius) / EARTH_RADIUS_M, return_sorted=True)
    return [_cell(centres[row], float(radius[row]), centres[others]) for row, others in enumerate(near)]


def _cell(centre: FloatArray, radius_m: float, others: FloatArray) -> shapely.Polygon | shapely.MultiPolygon:
    """One centre's, among those near enough to matter, itself included."""
    turns = np.linspace(0.0, 360.0, _CORNERS, endpoint=False)
    # As large as the circle: what is lost between two corners is gained at them.
    area = shapely.Polygon(_plane(turns, radius_m / np.sqrt(np.sinc(2.0 / _CORNERS))))
    for beyond in _beyond(centre, radius_m, others):
        area = shapely.difference(area, beyond)
    area = max(shapely.get_parts(area), key=shapely.area)  # every place in it sees the centre: what else there is has no width

    def to_degrees(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        lat, lon = _ahead(centre, np.degrees(np.arctan2(x, y)), np.hypot(x, y))[:2]
        return lon, lat

    _, lon, lat = followed(area.exterior, to_degrees)
    cell = wrap_polygons(closed_ring(lon, lat, math.copysign(90.0, centre[0])))
    return cell.geoms[0] if len(cell.geoms) == 1 else cell


def _beyond(centre: FloatArray, radius_m: float, others: FloatArray) -> list[shapely.Polygon]:
    """The parts of the plane, as far as the disc reaches, that are nearer to each of (M, 2) other centres; those that the disc does not meet are left out."""
    azimuth, _, distance_m = WGS84.inv(*np.broadcast_to(centre[::-1, None], (2, len(others))), *others.T[::-1])
    met = (distance_m > SAME_M) & (distance_m < 2.0 * radius_m)
    azimuth, distance_m = azimuth[met, None], distance_m[met, None]
    half = np.tan(distance_m / 2.0 / EARTH_RADIUS_M)
    reach = np.tan(1.3 * radius_m / EARTH_RADIUS_M)
    # On a sphere a ray at the angle a from the other's direction meets the bisector at tan(r) = tan(d / 2) / cos(a).
    aside = np.linspace(-1.0, 1.0, _ON_BISECTOR) * np.sqrt(reach**2 - half**2)
    turns = azimuth + np.degrees(np.arctan2(aside, half))
    along_m = EARTH_RADIUS_M * np.arctan(np.hypot(half, aside))
    there = np.broadcast_to(others[met, None], (*turns.shape, 2))
    for _ in range(_STEPS):
        lat, lon, onward = _ahead(centre, turns, along_m)
        toward, _, to_other_m = WGS84.inv(lon, lat, there[..., 1], there[..., 0])
        # Going on by 1 m brings the other nearer by the cosine of the angle between the two directions.
        along_m = along_m + (to_other_m - along_m) / (1.0 + np.cos(np.radians(toward - onward)))
    return [
        shapely.Polygon(np.concatenate([_plane(*line), _plane(line[0][::-1], 4.0 * radius_m)])) for line in zip(turns, along_m, strict=True)
    ]


def _ahead(centre: FloatArray, azimuth_deg: FloatArray, distance_m: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Latitudes and longitudes in these directions and distances from a centre, and the directions in which the ways lead on."""
    lat, lon = (np.full(azimuth_deg.shape, value) for value in centre)
    x, y, back = WGS84.fwd(lon, lat, azimuth_deg, distance_m)
    return y, x, back + 180.0


def _plane(azimuth_deg: FloatArray, distance_m: FloatArray | float) -> FloatArray:
    """(N, 2) x and y, metres, of places in these directions at these distances."""
    angle = np.radians(azimuth_deg)
    return np.stack([distance_m * np.sin(angle), distance_m * np.cos(angle)], axis=-1)
