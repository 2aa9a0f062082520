"""The area of a training without one: where its tracks lead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..geodesy import geodesic_m, wrap_lon
from ..grid import AreaOfInterest, load_aoi
from ..types import FloatArray, InputError
from ..video import open_source, read_track
from ..video.align_track import align
from .checks import check_sources, moments
from .features import TrainingSource

# On each side: a share of the longer side, but at least so much.
_MARGIN, _LEAST_MARGIN_M = 0.1, 100.0
_DEGREE_M = 111_000.0  # of latitude, nearly so anywhere: the margin is no measure


def area_of(sources: Sequence[TrainingSource]) -> AreaOfInterest:
    """The box about the true positions of the sources' frames, wider by a tenth of its longer side (100 m at least) on all sides.

    Args:
        sources: videos or folders of images, with their truth.

    Raises:
        InputError: a source or a track cannot be read, or none of them overlap.
    """
    check_sources(sources)
    found: list[FloatArray] = []
    for source in sources:
        info, track = open_source(source.path, kind=source.kind), read_track(source.truth or source.path)
        times_s, names = moments(info)
        if times_s is None:  # its length shows only when it is decoded
            found.append(np.stack([track.lat_deg, track.lon_deg], axis=1))
            continue
        aligned = align(track, info, times_s, names)
        found.append(np.stack([aligned.lat_deg, aligned.lon_deg], axis=1))
    places = np.concatenate(found)
    places = places[np.isfinite(places).all(axis=1)]
    if not len(places):
        raise InputError("The tracks hold no position that an area could be made about: give the area with --aoi.")
    return _padded_box(places)


def _padded_box(lat_lon_deg: FloatArray) -> AreaOfInterest:
    """See :func:`area_of`; longitudes are counted from the first place, so that a box may cross ±180°."""
    lat, first = lat_lon_deg[:, 0], float(lat_lon_deg[0, 1])
    lon = first + wrap_lon(lat_lon_deg[:, 1] - first)
    south, north, west, east = float(lat.min()), float(lat.max()), float(lon.min()), float(lon.max())
    middle = (south + north) / 2
    sides_m = geodesic_m(np.array([south, middle]), np.array([west, west]), np.array([north, middle]), np.array([west, east]))
    margin_m = max(_LEAST_MARGIN_M, _MARGIN * float(np.max(sides_m)))
    high = margin_m / _DEGREE_M
    wide = high / max(0.01, math.cos(math.radians(min(89.9, max(abs(south), abs(north))))))
    west, east = (west - wide, east + wide) if east - west + 2 * wide < 360 else (-180.0, 180.0)
    turn = 360.0 if west < -180.0 else 0.0
    box = f"{west + turn:.6f},{max(-90.0, south - high):.6f},{east + turn:.6f},{min(90.0, north + high):.6f}"
    area = load_aoi(box)
    note = f"No area was given: it is where the tracks lead, and {margin_m:.0f} m about it ({box})."
    return replace(area, notes=(*area.notes, note))
