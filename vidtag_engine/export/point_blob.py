"""Geometries of a GeoPackage, read without GDAL."""

from __future__ import annotations

import numpy as np

# A point in a GeoPackage: 8 bytes of header, an envelope by the flags' bits 1-3, then WKB (byte order, type, x, y).
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)


def wkb_of(blob: bytes) -> bytes:
    """The WKB in a geometry of a GeoPackage. Raises ValueError for anything else."""
    if blob[:2] != b"GP":
        raise ValueError("a geometry is not GeoPackage binary")
    return blob[8 + _ENVELOPE_BYTES[(blob[3] >> 1) & 7] :]


def lat_lon_of(blob: bytes | None) -> tuple[float, float]:
    """Latitude and longitude of a point's geometry; NaN where there is none."""
    if blob is None:
        return (np.nan, np.nan)
    wkb = wkb_of(blob)
    x, y = np.frombuffer(wkb, dtype="<f8" if wkb[0] == 1 else ">f8", count=2, offset=5)
    return (float(y), float(x))
