"""Ground whose pictures nobody is to see, such as that about one's home: circles, and areas of vector files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from ..geodesy import haversine_m
from ..grid import AreaOfInterest, load_aoi
from ..grid.aoi_file import exists
from ..types import FloatArray, InputError


class Home(Protocol):
    """Ground whose pictures are left out."""

    def holds(self, lat_lon_deg: FloatArray) -> NDArray[np.bool_]:
        """(T,) whether places (T, 2) lie in it."""


@dataclass(frozen=True)
class HomeZone:
    """A circle.

    Args:
        lat_deg, lon_deg: of its middle.
        radius_m: around it.
    """

    lat_deg: float
    lon_deg: float
    radius_m: float

    @classmethod
    def of(cls, text: str) -> HomeZone:
        """``LAT,LON,METRES``. Raises InputError where it is not that."""
        try:
            lat, lon, radius_m = map(float, text.split(","))
        except ValueError as error:
            raise InputError(
                f"{text!r} is no home zone: give latitude, longitude and metres, such as 55.7047,13.1910,300, or a file of polygons."
            ) from error
        if not (abs(lat) <= 90.0 and abs(lon) <= 180.0 and 0.0 < radius_m < 1e6):
            raise InputError(f"{text!r} is no home zone: latitude comes first, and the metres are between 0 and 1,000,000.")
        return cls(lat, lon, radius_m)

    def holds(self, lat_lon_deg: FloatArray) -> NDArray[np.bool_]:
        """(T,) whether places (T, 2) lie in it."""
        lat, lon = lat_lon_deg.T
        found: NDArray[np.bool_] = haversine_m(lat, lon, np.array(self.lat_deg), np.array(self.lon_deg)) <= self.radius_m
        return found


@dataclass(frozen=True)
class HomeArea:
    """Polygons, with their edges.

    Args:
        area: read, as an area of interest is.
    """

    area: AreaOfInterest

    def holds(self, lat_lon_deg: FloatArray) -> NDArray[np.bool_]:
        """(T,) whether places (T, 2) lie in it."""
        found: NDArray[np.bool_] = shapely.intersects_xy(self.area.geometry, lat_lon_deg[:, 1], lat_lon_deg[:, 0])
        return found


def homes_of(texts: Sequence[str]) -> tuple[list[Home], list[str]]:
    """Home zones as people and programs write them.

    Args:
        texts: each ``LAT,LON,METRES``, a vector file's path or GeoJSON; of the latter two all polygons.

    Returns:
        The zones, and what is to be said of those that could not be taken as they are.

    Raises:
        InputError: one is neither, or has no polygon.
    """
    homes: list[Home] = []
    notes: list[str] = []
    for text in texts:
        path, written = text.partition("|")[0].strip(), text.lstrip().startswith("{")
        if written or (path and exists(path)):
            try:
                area = load_aoi(text)
            except InputError as error:
                name = "The polygons" if written else Path(path).name
                raise InputError(f"{name} cannot be taken as a home zone. {error}") from error
            homes.append(HomeArea(area))
            notes += [f"Home zones: {note}" for note in area.notes]
        else:
            homes.append(HomeZone.of(text))
    return homes, list(dict.fromkeys(notes))


def in_homes(homes: Sequence[Home], lat_lon_deg: FloatArray) -> NDArray[np.bool_]:
    """(T,) whether places (T, 2) lie in any of them."""
    found = np.zeros(len(lat_lon_deg), dtype=bool)
    for home in homes:
        found |= home.holds(lat_lon_deg)
    return found
