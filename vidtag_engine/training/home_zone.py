"""Ground whose pictures nobody is to see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geodesy import haversine_m
from ..types import FloatArray, InputError


@dataclass(frozen=True)
class HomeZone:
    """Ground whose pictures nobody is to see.

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
            raise InputError(f"{text!r} is no home zone: give latitude, longitude and metres, such as 55.7047,13.1910,300.") from error
        if not (abs(lat) <= 90.0 and abs(lon) <= 180.0 and 0.0 < radius_m < 1e6):
            raise InputError(f"{text!r} is no home zone: latitude comes first, and the metres are between 0 and 1,000,000.")
        return cls(lat, lon, radius_m)

    def holds(self, lat_lon_deg: FloatArray) -> NDArray[np.bool_]:
        """(T,) whether places (T, 2) lie in it."""
        lat, lon = lat_lon_deg.T
        found: NDArray[np.bool_] = haversine_m(lat, lon, np.array(self.lat_deg), np.array(self.lon_deg)) <= self.radius_m
        return found
