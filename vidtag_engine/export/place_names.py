"""Which town, first-order division and country the places of a result are in."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import shapely

from ..places import Place, places_at
from ..types import FloatArray
from .columns import Table, clean

PLACE_COLUMNS = ("city", "admin1", "country")
"""In ``frames`` and ``regions``; ``state`` is whether a frame has an answer."""
_VIDEOS_KEPT = 1024  # a batch's file is written anew after each video


def place_columns(lat_deg: FloatArray, lon_deg: FloatArray) -> Table:
    """The columns of PLACE_COLUMNS of (N,) positions; None where there is no position, and where no place is known, as at sea."""
    places = places_of(lat_deg, lon_deg)
    named = [(None, None, None) if place is None else (place.city, place.state, place.country) for place in places]
    return dict(zip(PLACE_COLUMNS, map(list, zip(*named, strict=True)), strict=True)) if named else {name: [] for name in PLACE_COLUMNS}


def places_of(lat_deg: FloatArray, lon_deg: FloatArray) -> tuple[Place | None, ...]:
    """The nearest place of each of (N,) positions; None as for :func:`place_columns`."""
    return _places_of(np.stack([lat_deg, lon_deg], axis=-1, dtype=np.float64).tobytes())


@lru_cache(maxsize=_VIDEOS_KEPT)
def _places_of(lat_lon_deg: bytes) -> tuple[Place | None, ...]:
    return tuple(places_at(np.frombuffer(lat_lon_deg, dtype=np.float64).reshape(-1, 2)))


def place_text(place: Place | None, street: str = "") -> str:
    """For people: "Street, Town, State, Country", the same name once, without what is not known."""
    named = [] if place is None else [place.city, place.state, place.country]
    return ", ".join(dict.fromkeys(filter(None, [clean(street), *named])))


def spot_in(shape: Any, lat_deg: float = np.nan, lon_deg: float = np.nan) -> tuple[float, float]:
    """(lat_deg, lon_deg) of the place that a region is named by: the position given if it lies in it, else a point inside its largest part."""
    if shapely.intersects_xy(shape, lon_deg, lat_deg):
        return lat_deg, lon_deg
    point = max(shapely.get_parts(shape), key=shapely.area).representative_point()
    return point.y, point.x
