"""Tiles of web maps: what is told of an area, in place of its outline."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely

from ...grid.aoi import AreaOfInterest
from ...types import InputError

ZOOM = 14
"""Tiles of some 2.4 km at the equator, 1.6 km at 48 degrees north: the smallest that are told for the sake of an area."""
MOST_TILES = 10_000
_MOST_LOOKED_AT = 4_000_000
_EQUATOR_M = 40_075_016.686
_MOST_LAT_DEG = 85.0511


@dataclass(frozen=True, order=True)
class Tile:
    """A tile of a web map, counted from the north-western corner of the world."""

    zoom: int
    column: int
    row: int

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees; two tiles that touch share their side to the last bit."""
        count = 1 << self.zoom
        return (
            _lon_deg(self.column, count), _lat_deg(self.row + 1, count), _lon_deg(self.column + 1, count), _lat_deg(self.row, count),
        )  # fmt: skip

    @property
    def size_m(self) -> float:
        """Its width on the ground, along its middle."""
        _, south, _, north = self.bounds
        return _EQUATOR_M / (1 << self.zoom) * math.cos(math.radians((south + north) / 2))

    def children(self) -> Iterator[Tile]:
        """The four that it is made of."""
        for row in (2 * self.row, 2 * self.row + 1):
            for column in (2 * self.column, 2 * self.column + 1):
                yield Tile(self.zoom + 1, column, row)


def touched(area: AreaOfInterest) -> list[Tile]:
    """The tiles of ``ZOOM`` that an area lies in, row by row from the north.

    Raises:
        InputError: they are more than ``MOST_TILES``, or the area lies where web maps have none.
    """
    found: set[tuple[int, int]] = set()
    for part in shapely.get_parts(area.geometry):
        found |= _of_polygon(part)
        if len(found) > MOST_TILES:
            raise _too_large(area)
    if not found:
        raise InputError(f"The area lies beyond {_MOST_LAT_DEG:.0f} degrees of latitude, where web maps have no tiles; draw another.")
    return [Tile(ZOOM, column, row) for row, column in sorted(found)]


def boxes(tiles: list[Tile]) -> tuple[tuple[float, float, float, float], ...]:
    """West, south, east, north in degrees about each group of tiles that hang together."""
    together = shapely.union_all([shapely.box(*tile.bounds) for tile in tiles])
    return tuple(
        (float(west), float(south), float(east), float(north)) for west, south, east, north in shapely.bounds(shapely.get_parts(together))
    )


def _of_polygon(polygon: shapely.Polygon) -> set[tuple[int, int]]:
    west, south, east, north = polygon.bounds
    if south > _MOST_LAT_DEG or north < -_MOST_LAT_DEG:
        return set()
    count = 1 << ZOOM
    columns = np.arange(_column(west, count), _column(east, count) + 1)
    rows = np.arange(_row(north, count), _row(south, count) + 1)
    if len(columns) * len(rows) > _MOST_LOOKED_AT:
        raise InputError("The area is too large to be searched at once; draw one of at most a few hundred kilometres across.")
    row, column = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))
    lat = np.array([_lat_deg(one, count) for one in range(int(rows[0]), int(rows[-1]) + 2)])
    lon = np.array([_lon_deg(one, count) for one in range(int(columns[0]), int(columns[-1]) + 2)])
    row_here, column_here = row - rows[0], column - columns[0]
    tiles = shapely.box(lon[column_here], lat[row_here + 1], lon[column_here + 1], lat[row_here])
    shapely.prepare(polygon)
    hit = shapely.intersects(polygon, tiles)
    return set(zip(row[hit].tolist(), column[hit].tolist(), strict=True))


def _too_large(area: AreaOfInterest) -> InputError:
    return InputError(
        f"The area ({area.area_m2 / 1e6:,.0f} km²) lies in more than {MOST_TILES:,} map tiles; draw a smaller one, or build it in parts."
    )


def _lon_deg(column: int, count: int) -> float:
    return column / count * 360.0 - 180.0


def _lat_deg(row: int, count: int) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1.0 - 2.0 * row / count))))


def _column(lon_deg: float, count: int) -> int:
    return min(count - 1, max(0, math.floor((lon_deg + 180.0) / 360.0 * count)))


def _row(lat_deg: float, count: int) -> int:
    lat = math.radians(min(_MOST_LAT_DEG, max(-_MOST_LAT_DEG, lat_deg)))
    return min(count - 1, max(0, math.floor((1.0 - math.asinh(math.tan(lat)) / math.pi) / 2.0 * count)))
