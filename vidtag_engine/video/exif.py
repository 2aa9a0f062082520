"""EXIF of still images: when and where each was taken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from PIL import ExifTags

from .still_image import ERRORS, opened

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Stamp:
    """What one image says of itself; None where it does not.

    Args:
        taken: UTC; the camera's clock is taken as UTC where it names no offset.
        lat_deg, lon_deg: WGS 84.
        size_px: (width, height), upright.
        rotation_deg: clockwise turn that its orientation tag asks for.
        zoned: whether ``taken`` comes with an offset from UTC.
    """

    taken: datetime | None
    lat_deg: float | None
    lon_deg: float | None
    size_px: tuple[int, int]
    rotation_deg: int
    zoned: bool = False


def read_stamp(path: Path) -> Stamp | None:
    """Read the header of an image; None where it is not readable as an image."""
    try:
        with opened(path) as image:
            exif = image.getexif()
            orientation = exif.get(ExifTags.Base.Orientation, 1)
            size = image.size[::-1] if orientation in {5, 6, 7, 8} else image.size
            try:
                taken, position = _taken(exif.get_ifd(ExifTags.IFD.Exif), exif), _position(exif.get_ifd(ExifTags.IFD.GPSInfo))
            except ERRORS:  # a broken EXIF block does not make the picture unreadable
                taken, position = None, (None, None)
            zoned = bool(_offset(exif.get_ifd(ExifTags.IFD.Exif)))
            return Stamp(taken, *position, size, {3: 180, 6: 90, 8: 270, 5: 90, 7: 270}.get(orientation, 0), zoned)
    except ERRORS:
        return None


def _taken(exif: Any, base: Any) -> datetime | None:
    tags = ExifTags.Base
    text = exif.get(tags.DateTimeOriginal) or exif.get(tags.DateTimeDigitized) or base.get(tags.DateTime)
    if not isinstance(text, str):
        return None
    moment = exif_time(text)
    if moment is None:
        return None
    fraction = str(exif.get(tags.SubsecTimeOriginal) or "").strip()
    if fraction.isdigit():
        moment += timedelta(seconds=float(f"0.{fraction}"))
    if offset := _offset(exif):
        minutes = int(offset[1:3]) * 60 + int(offset[4:6])
        moment -= timedelta(minutes=-minutes if offset[0] == "-" else minutes)
    return moment


def _offset(exif: Any) -> str:
    """``+02:00`` or the like; empty where the picture names none."""
    said = str(exif.get(ExifTags.Base.OffsetTimeOriginal) or exif.get(ExifTags.Base.OffsetTime) or "").strip("\x00 ")
    said = "+00:00" if said == "Z" else said
    return said if len(said) == 6 and said[0] in "+-" and (said[1:3] + said[4:6]).isdigit() else ""


def exif_time(text: str) -> datetime | None:
    """``2013:06:04 13:37:29`` as UTC; None for anything else."""
    try:
        return datetime.strptime(text.strip("\x00 "), "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _position(gps: Any) -> tuple[float | None, float | None]:
    if 2 not in gps or 4 not in gps:
        return None, None
    lat, lon = (sum(float(part) / 60**i for i, part in enumerate(gps[tag])) for tag in (2, 4))
    lat = -lat if str(gps.get(1, "N")).upper().startswith("S") else lat
    lon = -lon if str(gps.get(3, "E")).upper().startswith("W") else lon
    # "V" is a receiver's word for "void": no fix.
    usable = math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180 and str(gps.get(9, "A")) != "V"
    return (lat, lon) if usable and (lat, lon) != (0.0, 0.0) else (None, None)
