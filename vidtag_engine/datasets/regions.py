"""Where a data set's training data lie: boxes around its cities or clusters, and the grids over them (App. D.1).

The paper: for each region with a sizable amount of training data, the smallest and largest latitude and longitude, a constant padding, and a point
every resolution; "if there are a few outliers they can be skipped". It leaves open what a region, sizable, an outlier and the padding are. Decided:
a region is a city where the data set names cities, else a cluster; places belong together when their cells of 0.1 degrees touch; groups that hold less than
a thousandth of a city's (or, without cities, of all) places are outliers; the padding is 0.01 degrees, about a kilometre.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..geodesy import wrap_lon
from ..grid import AreaOfInterest, Grid, join_grids, load_aoi, make_grid
from ..types import FloatArray, InputError, IntArray
from .sequences import LabelledSequence

PADDING_DEG = 0.01
_CELLS_A_DEGREE = 10
_SIZABLE = 1e-3
_AND = " and "


@dataclass(frozen=True)
class Region:
    """A box of longitudes and latitudes in degrees; ``east`` may exceed 180 where it crosses the antimeridian.

    Args:
        name: the city, or the middle of a cluster.
        places: training positions inside.
    """

    name: str
    west: float
    south: float
    east: float
    north: float
    places: int

    def overlaps(self, other: Region) -> bool:
        """Whether the two share more than a border, the globe being round."""
        if self.south >= other.north or other.south >= self.north:
            return False
        return any(self.west < other.east + turn and other.west + turn < self.east for turn in (-360.0, 0.0, 360.0))

    def has(self, sequence: LabelledSequence) -> bool:
        """Whether a sequence is of it: by the city that the data set names, else by where the sequence's middle was taken."""
        if sequence.region:
            return sequence.region in self.name.split(_AND)
        lat_deg, lon_deg = sequence.lat_lon_deg[len(sequence) // 2].tolist()
        return self.south <= lat_deg <= self.north and any(self.west <= lon_deg + turn <= self.east for turn in (-360.0, 0.0, 360.0))

    def joined(self, other: Region) -> Region:
        """The box around both; they overlap."""
        turn = next(t for t in (0.0, -360.0, 360.0) if self.west < other.east + t and other.west + t < self.east)
        west, east = min(self.west, other.west + turn), max(self.east, other.east + turn)
        if east - west >= 360.0:
            west, east = -180.0, 180.0
        name = _AND.join(dict.fromkeys((self.name, other.name)))
        return Region(name, west, min(self.south, other.south), east, max(self.north, other.north), self.places + other.places)

    def polygon(self) -> list[list[list[float]]]:
        """GeoJSON coordinates."""
        return [
            [[self.west, self.south], [self.east, self.south], [self.east, self.north], [self.west, self.north], [self.west, self.south]]
        ]


def training_regions(sequences: list[LabelledSequence], padding_deg: float) -> tuple[list[Region], int]:
    """Regions of the training data, and how many places were left out as outliers.

    Args:
        sequences: the training split; those with one ``region`` name make one box, those without a name one box a cluster.
        padding_deg: added on all four sides, > 0.
    """
    by_name: dict[str, list[FloatArray]] = {}
    for sequence in sequences:
        by_name.setdefault(sequence.region, []).append(sequence.lat_lon_deg)
    found: list[Region] = []
    outliers = 0
    for name, parts in sorted(by_name.items()):
        places = np.concatenate(parts)
        groups = clusters(places)
        sizes = np.bincount(groups)
        kept = sizes >= max(1.0, _SIZABLE * len(places))
        outliers += int(sizes[~kept].sum())
        if name:
            found.append(_box(name, places[kept[groups]], padding_deg))
        else:
            found += [_box("", places[groups == group], padding_deg) for group in np.flatnonzero(kept)]
    return _apart(found), outliers


def clusters(places: FloatArray) -> IntArray:
    """Number of the group of each place, (N, 2) to (N,): cells of 0.1 degrees that touch, also at corners and across 180 degrees, make a group."""
    rows = np.floor(places[:, 0] * _CELLS_A_DEGREE).astype(np.int64)
    around = 360 * _CELLS_A_DEGREE
    columns = np.floor(places[:, 1] * _CELLS_A_DEGREE).astype(np.int64) % around
    cells, member = np.unique(np.stack([rows, columns], axis=1), axis=0, return_inverse=True)
    numbers = {(int(row), int(column)): number for number, (row, column) in enumerate(cells)}
    pairs = [
        (number, numbers[near])
        for (row, column), number in numbers.items()
        for near in ((row, (column + 1) % around), *((row + 1, (column + step) % around) for step in (-1, 0, 1)))
        if near in numbers
    ]
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(first)), (first, second)), shape=(len(cells), len(cells)))
    groups: IntArray = connected_components(links, directed=False)[1][member.reshape(-1)].astype(np.int64)
    return groups


def area_of(regions: list[Region]) -> AreaOfInterest:
    """Regions as one area of interest of many parts."""
    if not regions:
        raise InputError("There are no regions with training data: give a data set with training sequences.")
    shape: dict[str, Any] = {"type": "MultiPolygon", "coordinates": [region.polygon() for region in regions]}
    return load_aoi(shape)


def regions_grid(regions: list[Region], resolution_m: float, kind: str) -> Grid:
    """Every region's own grid (App. D.1 measures each along its own southern side), one after the other as one gallery."""
    return join_grids([make_grid(area_of([region]), resolution_m, kind) for region in regions])


def _box(name: str, places: FloatArray, padding_deg: float) -> Region:
    west, east = _lon_span(places[:, 1])
    south, north = float(places[:, 0].min()), float(places[:, 0].max())
    middle = float(wrap_lon(np.array((west + east) / 2)))
    name = name or f"{(south + north) / 2:.1f}, {middle:.1f}"
    west, east = west - padding_deg, east + padding_deg
    if east - west >= 360.0:
        west, east = -180.0, 180.0
    return Region(name, west, max(-90.0, south - padding_deg), east, min(90.0, north + padding_deg), len(places))


def _lon_span(lon_deg: FloatArray) -> tuple[float, float]:
    """West and east end of the shortest arc that holds all longitudes; west in [-180, 180), east not below west."""
    around = np.unique(np.asarray(wrap_lon(lon_deg), dtype=np.float64))
    gaps = np.diff(around, append=around[0] + 360.0)
    widest = int(np.argmax(gaps))
    west = float(around[(widest + 1) % len(around)])
    return west, west + 360.0 - float(gaps[widest]) if len(around) > 1 else west


def _apart(regions: list[Region]) -> list[Region]:
    """Boxes that overlap become one, until none do: no place is then filled twice."""
    apart: list[Region] = []
    for region in regions:
        grown = region
        while (hit := next((other for other in apart if other.overlaps(grown)), None)) is not None:
            apart.remove(hit)
            grown = hit.joined(grown)
        apart.append(grown)
    return apart
