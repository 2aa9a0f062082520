"""Frames as JPEGs that say where and when they were taken: EXIF that photo tools and QGIS read."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from ..atomic import replacing
from ..file_marks import mark_of

_SECOND_PARTS = 100_000  # of an arc second: 0.3 mm
_ASCII = b"ASCII\x00\x00\x00"  # EXIF's mark of the text that follows
METHOD = "VidTAG, estimated from the pictures"


def write_jpeg(
    path: Path,
    image: NDArray[np.uint8],
    lat_deg: float,
    lon_deg: float,
    *,
    taken: datetime | None,
    description: str,
    facts: dict[str, Any],
    quality: int = 92,
    overwrite: bool = False,
) -> None:
    """Write one picture, whole or not at all.

    Args:
        path: of the JPEG.
        image: (height, width, 3) RGB, upright.
        lat_deg, lon_deg: WGS 84.
        taken: moment of the frame with its zone; None where it is not known, and then no time is written.
        description: a sentence for people (ImageDescription).
        facts: plain JSON values for programs (UserComment), such as the confidence.
        quality: of the JPEG, 1 to 95.
        overwrite: replace what is there also where it is no frame that was exported.

    Raises:
        InputError: it cannot be written.
    """
    exif = exif_of(lat_deg, lon_deg, taken=taken, description=description, facts=facts)
    with replacing(path, "frame", overwrite=overwrite) as part:
        Image.fromarray(image).save(part, format="JPEG", quality=quality, exif=exif)


def exif_of(lat_deg: float, lon_deg: float, *, taken: datetime | None, description: str, facts: dict[str, Any]) -> Image.Exif:
    """The EXIF block; arguments as for :func:`write_jpeg`. Times are UTC and say so (OffsetTimeOriginal)."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = description.encode("ascii", "replace").decode("ascii")  # EXIF's text is ASCII
    exif[ExifTags.Base.Software] = mark_of("frame")
    exif[ExifTags.Base.Orientation] = 1
    detail = exif.get_ifd(ExifTags.IFD.Exif)
    detail[ExifTags.Base.UserComment] = _ASCII + json.dumps(facts, ensure_ascii=True, allow_nan=False).encode("ascii")
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSVersionID] = b"\x02\x03\x00\x00"
    gps[ExifTags.GPS.GPSLatitudeRef] = "S" if lat_deg < 0 else "N"
    gps[ExifTags.GPS.GPSLatitude] = _degrees(lat_deg)
    gps[ExifTags.GPS.GPSLongitudeRef] = "W" if lon_deg < 0 else "E"
    gps[ExifTags.GPS.GPSLongitude] = _degrees(lon_deg)
    gps[ExifTags.GPS.GPSMapDatum] = "WGS-84"
    gps[ExifTags.GPS.GPSProcessingMethod] = _ASCII + METHOD.encode("ascii")
    if taken is not None:
        _set_time(detail, gps, taken.astimezone(UTC))
    return exif


def _set_time(detail: Any, gps: Any, moment: datetime) -> None:
    tags, text = ExifTags.Base, f"{moment:%Y:%m:%d %H:%M:%S}"
    for tag in (tags.DateTimeOriginal, tags.DateTimeDigitized):
        detail[tag] = text
    for tag in (tags.OffsetTimeOriginal, tags.OffsetTimeDigitized):
        detail[tag] = "+00:00"
    milliseconds = moment.microsecond // 1000
    for tag in (tags.SubsecTimeOriginal, tags.SubsecTimeDigitized):
        detail[tag] = f"{milliseconds:03d}"
    gps[ExifTags.GPS.GPSDateStamp] = f"{moment:%Y:%m:%d}"
    gps[ExifTags.GPS.GPSTimeStamp] = (
        IFDRational(moment.hour),
        IFDRational(moment.minute),
        IFDRational(1000 * moment.second + milliseconds, 1000),
    )


def _degrees(value: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Degrees, minutes and seconds of an angle without its sign; whole numbers, so that 60 seconds never come out."""
    parts = math.floor(abs(value) * 3600 * _SECOND_PARTS + 0.5)
    minutes, seconds = divmod(parts, 60 * _SECOND_PARTS)
    return IFDRational(minutes // 60), IFDRational(minutes % 60), IFDRational(seconds, _SECOND_PARTS)
