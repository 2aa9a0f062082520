"""A place as text, in the ways that people write one: decimal degrees, degrees with minutes and seconds, UTM and MGRS; and links that show it elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional

from qgis.core import (
    QgsCoordinateFormatter,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsPointXY,
)

from .aoi import WGS84

LINKS = {
    "OpenStreetMap": ("openstreetmap.org", "https://www.openstreetmap.org/?mlat={lat:.6f}&mlon={lon:.6f}#map=18/{lat:.6f}/{lon:.6f}"),
    "Panoramax": ("api.panoramax.xyz", "https://api.panoramax.xyz/?focus=map&map=18/{lat:.6f}/{lon:.6f}"),
}
"""Where a place can be looked at: the site's name, its host, and the link."""
_UTM_LAT_DEG = (-80.0, 84.0)
_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_COLUMNS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_SQUARE_M = 100_000


@dataclass(frozen=True)
class Utm:
    """A place in the Universal Transverse Mercator system of WGS 84.

    Args:
        zone: 1 to 60.
        band: letter of its band of latitude, as MGRS has it.
        easting_m, northing_m: metres, with the false origins of its zone.
    """

    zone: int
    band: str
    easting_m: float
    northing_m: float


def decimal(lat_deg: float, lon_deg: float) -> str:
    """Latitude and longitude in degrees: six digits are a decimetre."""
    return f"{lat_deg:.6f}, {lon_deg:.6f}"


def dms(lat_deg: float, lon_deg: float) -> str:
    """Latitude and longitude in degrees, minutes and seconds, with letters for the hemispheres."""
    kind = QgsCoordinateFormatter.Format.FormatDegreesMinutesSeconds
    return f"{QgsCoordinateFormatter.formatY(lat_deg, kind, 2)} {QgsCoordinateFormatter.formatX(lon_deg, kind, 2)}"


def utm(lat_deg: float, lon_deg: float) -> Optional[Utm]:
    """In UTM; None beyond 84° North and 80° South, where it does not reach."""
    if not _UTM_LAT_DEG[0] <= lat_deg <= _UTM_LAT_DEG[1]:
        return None
    zone = _zone(lat_deg, lon_deg)
    system = QgsCoordinateReferenceSystem(f"EPSG:{(32700 if lat_deg < 0 else 32600) + zone}")
    transform = QgsCoordinateTransform(QgsCoordinateReferenceSystem(WGS84), system, QgsCoordinateTransformContext())
    point = transform.transform(QgsPointXY(lon_deg, lat_deg))
    band = _BANDS[min(len(_BANDS) - 1, int((lat_deg + 80) // 8))]
    return Utm(zone, band, point.x(), point.y())


def utm_text(lat_deg: float, lon_deg: float) -> str:
    """In UTM, whole metres; empty where it does not reach."""
    found = utm(lat_deg, lon_deg)
    if found is None:
        return ""
    return f"{found.zone}{'S' if lat_deg < 0 else 'N'} {found.easting_m:.0f} {found.northing_m:.0f}"


def mgrs(lat_deg: float, lon_deg: float) -> str:
    """In the Military Grid Reference System, to a metre; empty beyond 84° North and 80° South.

    Digits are cut off and not rounded, as the system says: they name the square in which the place lies.
    """
    found = utm(lat_deg, lon_deg)
    if found is None:
        return ""
    easting_m, northing_m = math.floor(found.easting_m), math.floor(found.northing_m)
    column = _COLUMNS[(found.zone - 1) % 3][easting_m // _SQUARE_M - 1]
    # Rows begin five letters on in even zones, so that neighbours never share a name.
    row = _ROWS[(northing_m // _SQUARE_M + (0 if found.zone % 2 else 5)) % len(_ROWS)]
    return f"{found.zone:02d}{found.band} {column}{row} {easting_m % _SQUARE_M:05d} {northing_m % _SQUARE_M:05d}"


FORMATS = {"Decimal": decimal, "DMS": dms, "UTM": utm_text, "MGRS": mgrs}
"""How a place may be copied, by what it is called."""


def link(site: str, lat_deg: float, lon_deg: float) -> str:
    """The address that shows a place on one of ``LINKS``."""
    return LINKS[site][1].format(lat=lat_deg, lon=lon_deg)


def _zone(lat_deg: float, lon_deg: float) -> int:
    """The zone, with the exceptions about Norway and Svalbard."""
    lon_deg = (lon_deg + 180) % 360 - 180
    if 56 <= lat_deg < 64 and 3 <= lon_deg < 12:
        return 32
    if lat_deg >= 72 and 0 <= lon_deg < 42:
        return 31 + 2 * sum(lon_deg >= border for border in (9, 21, 33))
    return int((lon_deg + 180) // 6) + 1
