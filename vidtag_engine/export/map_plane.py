"""The plane a map picture is drawn on: metres, north up, whole across the antimeridian."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from ..geodesy import centroid_deg, wrap_lon
from ..types import FloatArray, InputError, Track, VideoResult
from .confidence_tables import LEVELS, video_regions
from .tables import located_mask

# Wider than this, no plane keeps distances all over: Equal Earth then, and the scale bar holds at the centre.
_LOCAL_DEG = 40.0


class Plane:
    """A plane of metres around a centre; longitudes are taken the short way from it."""

    def __init__(self, lat_deg: float, lon_deg: float, *, local: bool) -> None:
        from pyproj import Transformer

        self.lat_deg, self.lon_deg, self.local = lat_deg, lon_deg, local
        kind = f"+proj=laea +lat_0={lat_deg} +lon_0=0" if local else "+proj=eqearth +lon_0=0"
        self._transform = Transformer.from_crs("EPSG:4326", f"{kind} +ellps=WGS84", always_xy=True)

    @classmethod
    def around(cls, results: Sequence[VideoResult], tracks: Sequence[Track], outline: Any | None) -> Plane:
        """The plane that suits all there is to draw."""
        lat = [r.trajectory.lat_deg[located_mask(r.trajectory)] for r in results] + [t.lat_deg for t in tracks]
        lon = [r.trajectory.lon_deg[located_mask(r.trajectory)] for r in results] + [t.lon_deg for t in tracks]
        shapes = [region for r in results for level, region in video_regions(r.trajectory) if level == max(LEVELS)]
        for shape in [*shapes, *([] if outline is None or outline.is_empty else [outline])]:
            x, y = shapely.get_coordinates(shape).T
            lat.append(y)
            lon.append(x)
        lats, lons = np.concatenate([np.zeros(0), *lat]), np.concatenate([np.zeros(0), *lon])
        known = np.isfinite(lats) & np.isfinite(lons)
        lats, lons = lats[known], lons[known]
        if not len(lats):
            raise InputError("There is nothing to draw on a map: no frame has a place, and there is no area or truth.")
        mid_lat, mid_lon = centroid_deg(lats, lons)
        offsets = wrap_lon(lons - mid_lon)
        width_deg = float(np.ptp(offsets)) * math.cos(math.radians(mid_lat))
        local = max(width_deg, float(np.ptp(lats))) < _LOCAL_DEG
        return cls(mid_lat, float(wrap_lon(np.array(mid_lon + (offsets.min() + offsets.max()) / 2.0))), local=local)

    def xy(self, lat_deg: FloatArray, lon_deg: FloatArray) -> FloatArray:
        """(N, 2) metres east and north of the centre."""
        offset = np.clip(wrap_lon(np.asarray(lon_deg) - self.lon_deg), -179.999, 179.999)
        x, y = self._transform.transform(offset, np.asarray(lat_deg))
        return np.column_stack([x, y])

    def lat_lon(self, x: float, y: float) -> tuple[float, float]:
        """Latitude and longitude of a place on the plane."""
        offset, lat = self._transform.transform(x, y, direction="INVERSE")
        return float(lat), float(wrap_lon(np.array(self.lon_deg + offset)))

    def geometry(self, outline: Any) -> Any:
        """A polygon in metres, whole again where the antimeridian had cut it."""
        world = shapely.box(-179.999, -90.0, 179.999, 90.0)
        pieces = [
            shapely.intersection(shapely.transform(outline, lambda c, s=shift: c + np.array([s - self.lon_deg, 0.0])), world)
            for shift in (-360.0, 0.0, 360.0)
        ]
        # A hair's breadth closes the seam that a cut at ±180° leaves.
        whole = shapely.buffer(shapely.union_all(shapely.buffer(pieces, 1e-9)), -1e-9)
        _, south, _, north = whole.bounds
        fine = shapely.segmentize(whole, max((north - south) / 50.0, 1e-6))
        return shapely.transform(fine, lambda c: np.column_stack(self._transform.transform(c[:, 0], np.clip(c[:, 1], -90.0, 90.0))))
