"""The ground about places where somebody was."""

from __future__ import annotations

import numpy as np
import shapely
from pyproj import CRS, Transformer

from ..geodesy import centroid_deg
from ..grid.reproject import to_lon_lat
from ..types import FloatArray

_SIMPLER = 0.05  # of the distance: as much as the outline may move


def ground_about(lat_lon_deg: FloatArray, distance_m: float) -> shapely.MultiPolygon:
    """Everything within a distance of places that lie within some hundred kilometres of each other.

    Args:
        lat_lon_deg: (N, 2) in degrees, WGS 84; at least one.
        distance_m: metres, to a twentieth.

    Returns:
        A valid area, x = longitude, cut at ±180°.
    """
    places = np.asarray(lat_lon_deg, dtype=np.float64).reshape(-1, 2)
    lat, lon = centroid_deg(places[:, 0], places[:, 1])
    plane = CRS.from_proj4(f"+proj=aeqd +lat_0={lat} +lon_0={lon} +datum=WGS84 +units=m")
    x, y = Transformer.from_crs(4326, plane, always_xy=True).transform(places[:, 1], places[:, 0])
    # Places of one step of a tenth of the distance are one: drives have very many.
    step = distance_m / 10.0
    points = np.unique(np.round(np.stack([x, y], axis=1) / step), axis=0) * step
    about = shapely.buffer(shapely.MultiPoint(points), distance_m).simplify(_SIMPLER * distance_m)
    return to_lon_lat(about, plane, "the ground")[0]
