"""Which country the ground belongs to."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np
import shapely

from ..types import FloatArray, InputError, IntArray

OFF_COAST_M = 5_000.0
"""How far off its drawn coast a point still lies on land: the polygons are simplified, and piers and small islands are not in them."""
BORDER_M = 800.0
"""How far from a drawn border a point may lie on its other side: so well it is known."""
_DEGREE_M = 111_320.0
_AROUND = np.radians(np.arange(0.0, 360.0, 45.0))


class Countries:
    """The polygons of the world's countries.

    Args:
        text: GeoJSON as tools/make_countries.py writes it.
    """

    def __init__(self, text: str) -> None:
        codes = re.findall(
            r'"properties":\{"code":"(\w+)"\}', text
        )  # GEOS reads shapes four times as fast as Python does, and leaves out what they are called
        self._parts, country = shapely.get_parts(shapely.get_parts(shapely.from_geojson(text)), return_index=True)
        self._codes = [codes[number] for number in country]
        shapely.prepare(self._parts)
        self._one_at_a_time = Lock()
        self._tree = shapely.STRtree(self._parts)

    def at(self, lat_lon_deg: FloatArray) -> list[tuple[str, ...]]:
        """The codes of the countries that each point may lie in.

        Args:
            lat_lon_deg: (N, 2).

        Returns:
            N tuples: where it lies by the polygons, or the country of the nearest coast, then those across a border within BORDER_M. Empty at sea and where a
            row is not finite.
        """
        lat, lon = np.asarray(lat_lon_deg, dtype=np.float64).reshape(-1, 2).T
        rows = np.flatnonzero(np.isfinite(lat) & np.isfinite(lon) & (np.abs(lat) <= 90.0))
        high = BORDER_M / _DEGREE_M * np.array([0.0, *np.cos(_AROUND)])
        wide = BORDER_M / _DEGREE_M * np.array([0.0, *np.sin(_AROUND)])
        y = lat[rows, None] + high
        x = (lon[rows, None] + wide / np.maximum(np.cos(np.radians(lat[rows, None])), 1e-3) + 180.0) % 360.0 - 180.0
        parts = self._inside(x, y)
        codes: list[tuple[str, ...]] = [()] * len(lat)
        for number, row in enumerate(rows):
            there = parts[number]
            if there[0] < 0:
                there[0] = self._near(float(x[number, 0]), float(y[number, 0]))
            codes[row] = tuple(dict.fromkeys(self._codes[part] for part in there.tolist() if part >= 0))
        return codes

    def _inside(self, x: FloatArray, y: FloatArray) -> IntArray:
        """Number of the part that holds each point, -1 where none does; of the arguments' shape."""
        x, y, shape = x.ravel(), y.ravel(), x.shape
        found = np.full(len(x), -1)
        point, part = self._tree.query(shapely.points(x, y))  # by boxes alone: the exact test is faster on prepared polygons
        with self._one_at_a_time:  # a prepared polygon completes itself at its first questions: two threads at once would end the process
            hit = shapely.intersects_xy(self._parts[part], x[point], y[point])
        found[point[hit]] = part[hit]
        return found.reshape(shape)

    def _near(self, x: float, y: float) -> int:
        """Number of the part whose coast is nearest within OFF_COAST_M, -1 where none is."""
        narrow = max(math.cos(math.radians(y)), 1e-3)
        high = OFF_COAST_M / _DEGREE_M
        wide = min(high / narrow, 180.0)
        best, found = OFF_COAST_M, -1
        for turn in (0.0, *(math.copysign(360.0, -x),) * (abs(x) + wide > 180.0)):
            box = shapely.box(x + turn - wide, y - high, x + turn + wide, y + high)
            for number in self._tree.query(box):
                piece = shapely.clip_by_rect(self._parts[number], *box.bounds)
                flat = shapely.transform(piece, lambda xy, turn=turn: (xy - [x + turn, y]) * [narrow * _DEGREE_M, _DEGREE_M])
                distance_m = shapely.distance(flat, shapely.Point(0.0, 0.0))
                if distance_m < best:  # not a number of an empty piece
                    best, found = float(distance_m), int(number)
        return found


def countries_file() -> Path:
    """The polygons of the world's countries, as tools/make_countries.py made them from Natural Earth."""
    here = Path(__file__).resolve()
    installed = here.parents[1] / "resources" / "countries" / "countries.geojson"
    return installed if installed.is_file() else here.parents[2] / "resources" / "countries" / "countries.geojson"


@lru_cache(maxsize=1)
def load_countries() -> Countries:
    """The world's countries, read once. Raises InputError where their file is missing."""
    try:
        return Countries(countries_file().read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError("The countries (resources/countries/countries.geojson) are not installed: install the engine again.") from error
