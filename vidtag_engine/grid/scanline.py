"""Where parallels run inside a polygon, for a million parallels at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from ..types import FloatArray, IntArray


@dataclass(frozen=True)
class Chords:
    """Pieces of parallels inside an area, ordered by row, then west to east; all arrays (C,).

    Args:
        row: index of the parallel.
        west_deg, east_deg: ends of the piece.
    """

    row: IntArray
    west_deg: FloatArray
    east_deg: FloatArray


def sides(geometry: shapely.Geometry) -> tuple[FloatArray, FloatArray]:
    """Start and end vertices (S, 2) as lon, lat of every side of every ring, in ring order."""
    rings = shapely.get_rings(shapely.get_parts(geometry))
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return coordinates[:-1][same], coordinates[1:][same]


def chords(geometry: shapely.Geometry, rows_lat_deg: FloatArray) -> Chords:
    """Cut parallels with an area.

    Args:
        geometry: valid (multi)polygon, x = longitude, y = latitude; sides are straight lines in degrees.
        rows_lat_deg: (R,) ascending latitudes.

    Returns:
        The pieces inside. Even-odd rule over all rings; a vertex on a parallel counts as just below it, so that it is never counted twice.
    """
    start, end = sides(geometry)
    low, high = np.minimum(start[:, 1], end[:, 1]), np.maximum(start[:, 1], end[:, 1])
    first = np.searchsorted(rows_lat_deg, low, side="left")
    count = np.searchsorted(rows_lat_deg, high, side="left") - first
    side = np.repeat(np.arange(len(start)), count)
    row = np.arange(len(side)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    fraction = (rows_lat_deg[row] - start[side, 1]) / (end[side, 1] - start[side, 1])
    lon = start[side, 0] + fraction * (end[side, 0] - start[side, 0])
    order = np.lexsort((lon, row))
    row, lon = row[order], lon[order]
    return Chords(row[0::2], lon[0::2], lon[1::2])
