"""Where a checkpoint can speak: about the places that its training showed, as far as each of them reaches, and nowhere else.

Networks score every place on earth and reference frames give what they do not know a middling score, so an answer comes out of any area, however far from all
training. What a score means was learned on training ground alone. Elsewhere it means nothing, and only how much of an area is such ground can be said.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M, unit_vectors
from ..types import FloatArray

_DEGREE_M = 111_195.0
_SIMPLER = 0.05  # of the reach
_THINNED = 8.0  # places nearer than a cell of this part of the reach are kept once
_ONE_AT_A_TIME = Lock()  # a prepared shape completes itself at its first questions: two threads at once would end the process


@dataclass(frozen=True)
class TrainingGround:
    """Training places and how far they speak.

    Args:
        lat_lon_deg: (N, 2) training places, one a cell where they lie close.
        reach_m: metres over which a place speaks for those around it: that of the reference frames, and what the networks' targets have fallen off over.
        area: that the networks were trained against, as WKT with x = longitude: places drawn from all of it taught them what no picture shows. Empty for networks
            that were trained against their own places alone.
    """

    lat_lon_deg: FloatArray
    reach_m: float
    area: str = ""

    @classmethod
    def about(cls, lat_lon_deg: FloatArray, reach_m: float, area: shapely.Geometry | None = None) -> TrainingGround:
        """The ground about training places (N, 2), in degrees, and an area (x = longitude), whose outline is kept to a tenth of the reach."""
        cells = np.floor(unit_vectors(*lat_lon_deg.T) * (EARTH_RADIUS_M * _THINNED / reach_m)).astype(np.int64)
        first = np.sort(np.unique(cells, axis=0, return_index=True)[1])
        if area is None:
            return cls(lat_lon_deg[first], float(reach_m))
        # Drawn with fewer corners, and so much wider that none of the area is lost.
        simpler_deg = _SIMPLER * reach_m / _DEGREE_M
        simple = area.buffer(2.0 * simpler_deg).simplify(simpler_deg)
        return cls(lat_lon_deg[first], float(reach_m), shapely.to_wkt(simple, rounding_precision=7))

    def knows(self, lat_lon_deg: FloatArray, spacing_m: float = 0.0) -> NDArray[np.bool_]:
        """(M,) which places (M, 2) it speaks of.

        Args:
            lat_lon_deg: in degrees.
            spacing_m: of the places, each of which stands for the ground about it; the reach is at least one spacing.
        """
        if not len(lat_lon_deg):
            return np.zeros(0, dtype=bool)
        points = unit_vectors(*np.asarray(lat_lon_deg, dtype=np.float64).T) * EARTH_RADIUS_M
        apart_m = self._tree.query(points, distance_upper_bound=max(self.reach_m, spacing_m))[0]
        known: NDArray[np.bool_] = np.isfinite(apart_m)
        if self.area:
            lat, lon = np.asarray(lat_lon_deg, dtype=np.float64).T
            with _ONE_AT_A_TIME:
                for turn_deg in (-360.0, 0.0, 360.0):  # an area across the antimeridian goes on beyond ±180°
                    known |= shapely.intersects_xy(self._shape, lon + turn_deg, lat)
        return known

    def away_m(self, lat_lon_deg: FloatArray) -> float:
        """Metres from the nearest of places (M, 2) to the nearest training place, as the crow flies (great circle)."""
        chord_m = float(self._tree.query(unit_vectors(*np.asarray(lat_lon_deg, dtype=np.float64).T) * EARTH_RADIUS_M)[0].min())
        return 2.0 * EARTH_RADIUS_M * math.asin(min(1.0, chord_m / (2.0 * EARTH_RADIUS_M)))

    @cached_property
    def _shape(self) -> shapely.Geometry:
        shape = shapely.from_wkt(self.area)
        shapely.prepare(shape)
        return shape

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(unit_vectors(*self.lat_lon_deg.T) * EARTH_RADIUS_M)

    def to_dict(self) -> dict[str, Any]:
        """JSON values; places as base64 of float32, which is to a metre or so."""
        places = base64.b64encode(np.ascontiguousarray(self.lat_lon_deg, dtype="<f4").tobytes()).decode()
        return {"lat_lon_deg": places, "reach_m": self.reach_m, "area": self.area}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingGround:
        """Read what ``to_dict`` wrote. Raises ValueError where it cannot be used."""
        places = np.frombuffer(base64.b64decode(values["lat_lon_deg"]), dtype="<f4").astype(np.float64).reshape(-1, 2)
        reach_m = float(values["reach_m"])
        if not len(places) or not np.isfinite(places).all() or not (math.isfinite(reach_m) and reach_m > 0.0):
            raise ValueError(f"{len(places)} training places that each speak over {reach_m} m")
        area = str(values.get("area", ""))
        try:
            shapely.from_wkt(area or "POINT EMPTY")
        except shapely.errors.GEOSException as error:
            raise ValueError("a training area that is no WKT") from error
        return cls(places, reach_m, area)
