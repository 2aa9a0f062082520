"""Polygons of any coordinate system to longitude/latitude: sides that bend, rings around a pole, areas across ±180°."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from ..types import FloatArray, InputError

_MOST_VERTICES = 50_000  # of a ring
_STRAIGHT_M = 0.01  # how far a side may bend between two vertices, or ...
_STRAIGHT_SHARE = 1e-6  # ... of the area's extent, whichever is more
_DEGREE_M = 111_320.0
_TOLERANCE_DEG = 1e-9
_WGS84 = CRS.from_epsg(4326)


def to_lon_lat(geometry: shapely.Geometry, system: CRS, name: str) -> tuple[shapely.MultiPolygon, list[str]]:
    """A valid (multi)polygon of ``system`` as a valid MultiPolygon of EPSG:4326, split at ±180°, and notes.

    Args:
        geometry: x before y, in the system's usual GIS order.
        system: its coordinate system.
        name: how messages call it.

    Raises:
        InputError: outside the world, or outside where the system is defined.
    """
    notes: list[str] = []
    if system.equals(_WGS84, ignore_axis_order=True):
        moved = geometry
        _check_world(moved, name)
    else:
        moved = _reprojected(geometry, system, name)
        _check_world(moved, name)
    west, _, east, _ = moved.bounds
    wrapped = wrap_polygons(moved)
    if 180.0 < east - west < 359.0 and len(shapely.get_parts(moved)) == 1:
        notes.append(
            f"{name} is {east - west:.0f}° wide; if it was meant to cross ±180° the short way, add 360 to its western longitudes, "
            "or split it at ±180°."
        )
    return wrapped, notes


def _check_world(geometry: shapely.Geometry, name: str) -> None:
    west, south, east, north = geometry.bounds
    if south < -90.0 - _TOLERANCE_DEG or north > 90.0 + _TOLERANCE_DEG or west < -360.0 - _TOLERANCE_DEG or east > 540.0 + _TOLERANCE_DEG:
        raise InputError(
            f"{name} lies outside the world ({west:g},{south:g},{east:g},{north:g}): latitudes end at ±90; "
            "give longitude before latitude, or the right coordinate system."
        )
    if east - west > 360.0 + _TOLERANCE_DEG:
        raise InputError(f"{name} is wider than the world ({east - west:g}° of longitude); give at most 360°.")


def wrap_polygons(geometry: shapely.Geometry) -> shapely.MultiPolygon:
    """Bring longitudes into [-180, 180], cutting where a polygon crosses; latitudes clipped to ±90 (rounding)."""
    if geometry.is_empty:
        return shapely.MultiPolygon()
    pieces: list[shapely.Geometry] = []
    west, _, east, _ = geometry.bounds
    for turn in range(math.floor((west + 180.0) / 360.0), math.ceil((east + 180.0) / 360.0) + 1):
        window = shapely.box(-180.0 + 360.0 * turn, -90.0, 180.0 + 360.0 * turn, 90.0)
        piece = geometry if window.covers(geometry) else shapely.intersection(geometry, window)
        if not piece.is_empty and piece.area > 0:
            shift = 360.0 * turn
            pieces.append(shapely.transform(piece, lambda xy, shift=shift: xy - np.array([shift, 0.0])) if turn else piece)
    joined = pieces[0] if len(pieces) == 1 else shapely.union_all(pieces)
    return shapely.MultiPolygon([part for part in _flat(joined) if part.area > 0])


def _flat(geometry: shapely.Geometry) -> list[shapely.Geometry]:
    parts = shapely.get_parts(geometry)
    return [inner for part in parts for inner in shapely.get_parts(part) if inner.geom_type == "Polygon"]


def _reprojected(geometry: shapely.Geometry, system: CRS, name: str) -> shapely.Geometry:
    """Ring by ring, with bending sides followed, unwrapped at ±180° and closed through a pole where a ring goes around it."""
    outside = InputError(f"{name} lies outside the area in which its coordinate system {system.name} is defined; check the system.")
    try:
        transformer = Transformer.from_crs(system, _WGS84, always_xy=True)
        back = Transformer.from_crs(_WGS84, system, always_xy=True)
    except ProjError as error:
        raise InputError(f"{name}: no way is known from {system.name} to WGS 84; give another coordinate system.") from error
    if not np.isfinite(transformer.transform(*shapely.get_coordinates(geometry).T)).all():
        raise outside
    polygons: list[shapely.Geometry] = []
    for polygon in shapely.get_parts(geometry):
        whole, *holes = (wrap_polygons(_ring_area(ring, system, transformer, back)) for ring in [polygon.exterior, *polygon.interiors])
        polygons.append(shapely.difference(whole, shapely.union_all(holes)) if holes else whole)
    joined = shapely.union_all(polygons)
    if joined.is_empty:
        raise outside
    return joined


def _ring_area(ring: shapely.Geometry, system: CRS, transformer: Transformer, back: Transformer) -> shapely.Geometry:
    """What a ring encloses, in degrees with continuous longitudes; empty where the system does not reach."""
    x, lon, lat = followed(ring, transformer.transform, follow=not system.is_geographic)
    if not np.isfinite([lon, lat]).all():
        return shapely.Polygon()
    if system.is_geographic:
        # Another datum moves a vertex by seconds; its turn (190° is not -170°) is the source's.
        degrees = np.degrees(x * system.axis_info[0].unit_conversion_factor)
        lon = lon + 360.0 * np.rint((degrees - lon) / 360.0)
        return _valid(shapely.Polygon(np.stack([lon, lat], axis=-1)))
    return closed_ring(lon, lat, _enclosed_pole(ring, back))


def _valid(polygon: shapely.Polygon) -> shapely.Geometry:
    return polygon if shapely.is_valid(polygon) else shapely.make_valid(polygon)


def followed(
    ring: shapely.Geometry, to_degrees: Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]], *, follow: bool = True
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Vertices of a ring as x and lon, lat, with as many more as its sides need to bend as they do on the ground.

    Args:
        ring: in a plane.
        to_degrees: its x and y to longitudes and latitudes.
        follow: without it none are added: a side that is straight in one datum's degrees is so in another's, but for fractions of a second.
    """
    west, south, east, north = ring.bounds
    start = shapely.segmentize(ring, max(east - west, north - south) / 8) if follow else ring
    xy = shapely.get_coordinates(start)
    while True:
        lon, lat = (np.asarray(values) for values in to_degrees(*xy.T))
        if not follow or len(xy) > _MOST_VERTICES or not np.isfinite([lon, lat]).all():
            return xy[:, 0], lon, lat
        middle = (xy[1:] + xy[:-1]) / 2
        middle_lon, middle_lat = to_degrees(*middle.T)
        step = np.diff(lon)
        chord_lon = lon[:-1] + (step - 360.0 * np.rint(step / 360.0)) / 2
        off_lon = middle_lon - chord_lon
        off_lon = (off_lon - 360.0 * np.rint(off_lon / 360.0)) * np.cos(np.radians(middle_lat))
        off_m = np.hypot(middle_lat - (lat[1:] + lat[:-1]) / 2, off_lon) * _DEGREE_M
        bent = np.flatnonzero(off_m > max(_STRAIGHT_M, _STRAIGHT_SHARE * _DEGREE_M * float(np.ptp(lat))))
        # A side through a pole bends at any length: halving ends at a millimetre.
        bent = bent[np.hypot(np.diff(lat)[bent], step[bent] * np.cos(np.radians(lat[bent]))) * _DEGREE_M > 1e-3]
        if not len(bent):
            return xy[:, 0], lon, lat
        xy = np.insert(xy, bent + 1, middle[bent], axis=0)


def _enclosed_pole(ring: shapely.Geometry, back: Transformer) -> float | None:
    """Latitude of the pole inside a ring, if any; where the system cannot show a pole, none is."""
    inside = shapely.Polygon(ring)
    for pole in (90.0, -90.0):
        x, y = back.transform(0.0, pole)
        if np.isfinite([x, y]).all() and shapely.contains_xy(inside, x, y):
            # Cylindrical systems put the pole on a line or beyond; only a point that comes back is one.
            lon, lat = back.transform(x, y, direction="INVERSE")
            if np.isfinite(lon) and abs(lat - pole) < 1e-6:
                return pole
    return None


def unwound(lon: FloatArray) -> FloatArray:
    """Longitudes of a line without jumps: every step the short way, whole turns being added."""
    return lon - 360.0 * np.concatenate([[0.0], np.cumsum(np.rint(np.diff(lon) / 360.0))])


def closed_ring(lon: FloatArray, lat: FloatArray, pole: float | None) -> shapely.Geometry:
    """Area of one ring with continuous longitudes; one that winds around the axis reaches to its pole."""
    unwrapped = unwound(lon)
    turn = 360.0 * round((unwrapped[-1] - unwrapped[0]) / 360.0)
    if turn == 0.0:
        unwrapped[-1] = unwrapped[0]
        return _valid(shapely.Polygon(np.stack([unwrapped, lat], axis=-1)))
    side = pole if pole is not None else math.copysign(90.0, float(lat.mean()))
    # The ring may run to and fro across the meridian at which it starts, and a cut there would cross it. So: five turns of it in a row, and
    # of what lies between them and the pole the middle one, which no cut touches.
    turns = [np.stack([unwrapped[:-1] + turn * number, lat[:-1]], axis=-1) for number in range(-2, 3)]
    ends = np.array([[turns[-1][-1, 0], side], [turns[0][0, 0], side]])
    band = _valid(shapely.Polygon(np.concatenate([*turns, ends])))
    first = min(unwrapped[0], unwrapped[0] + turn)
    return shapely.intersection(band, shapely.box(first, -90.0, first + abs(turn), 90.0))
