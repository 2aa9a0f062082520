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
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from ..atomic import replacing
from ..file_marks import mark_of

_SECOND_PARTS = 100_000  # of an arc second: 0.3 mm
_ASCII = b"ASCII\x00\x00\x00"  # EXIF's mark of the text that follows
_HEAD = b"MM\x00\x2a\x00\x00\x00\x08"  # of a TIFF, big-endian, whose first directory follows at once
_UNDEFINED = 7  # EXIF's type of bytes that are no numbers
_PIXELS_PER_INCH = 72  # EXIF's value where it is not known
METHOD = "estimated from the picture by VidTAG"


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
    height_px, width_px = image.shape[:2]
    exif = exif_of(lat_deg, lon_deg, (width_px, height_px), taken=taken, description=description, facts=facts)
    with replacing(path, "frame", overwrite=overwrite) as part:
        Image.fromarray(image).save(part, format="JPEG", quality=quality, exif=exif, dpi=(_PIXELS_PER_INCH, _PIXELS_PER_INCH))


def exif_of(
    lat_deg: float, lon_deg: float, size_px: tuple[int, int], *, taken: datetime | None, description: str, facts: dict[str, Any]
) -> bytes:
    """The EXIF block with every tag that EXIF 2.32 demands of a JPEG; times are UTC and say so (OffsetTimeOriginal).

    Args:
        lat_deg, lon_deg: WGS 84.
        size_px: width and height.
        taken, description, facts: as for :func:`write_jpeg`. To the facts is added how the place was found: EXIF's own tag for that
            (GPSProcessingMethod) knows GPS, CELLID, WLAN and MANUAL, and none is true.
    """
    main, detail, gps = (ImageFileDirectory_v2(_HEAD, group=group) for group in (None, ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo))
    base = ExifTags.Base
    main[base.ImageDescription] = description.encode("ascii", "replace").decode("ascii")  # EXIF's text is ASCII
    main[base.Software] = mark_of("frame")
    main[base.Orientation] = 1
    main[base.XResolution] = main[base.YResolution] = IFDRational(_PIXELS_PER_INCH)
    main[base.ResolutionUnit] = 2  # inches
    main[base.YCbCrPositioning] = 1  # centred, as libjpeg's halved colours are
    detail[base.ExifVersion], detail[base.FlashPixVersion] = b"0232", b"0100"
    detail[base.ColorSpace] = 1  # sRGB
    detail[base.ExifImageWidth], detail[base.ExifImageHeight] = size_px
    comment = json.dumps({**facts, "place": METHOD}, ensure_ascii=True, allow_nan=False)
    # Pillow would call these two BYTE, which readers that hold to EXIF's types do not take.
    for tag, value in ((base.ComponentsConfiguration, b"\x01\x02\x03\x00"), (base.UserComment, _ASCII + comment.encode("ascii"))):
        detail.tagtype[tag] = _UNDEFINED
        detail[tag] = value
    _set_place(gps, lat_deg, lon_deg)
    if taken is not None:
        _set_time(detail, gps, taken.astimezone(UTC))
    return _block(main, {ExifTags.IFD.Exif: detail, ExifTags.IFD.GPSInfo: gps})


def _block(main: ImageFileDirectory_v2, others: dict[int, ImageFileDirectory_v2]) -> bytes:
    """The bytes of directories, the others behind the main one, which points at them. Pillow's own way to nest them drops their types."""
    for pointer in others:
        main.tagtype[pointer] = 4  # a 32-bit offset
        main[pointer] = 0
    end = len(_HEAD) + len(main.tobytes(len(_HEAD)))
    parts = []
    for pointer, directory in others.items():
        main[pointer] = end
        parts.append(directory.tobytes(end))
        end += len(parts[-1])
    return b"Exif\x00\x00" + _HEAD + main.tobytes(len(_HEAD)) + b"".join(parts)


def _set_place(gps: ImageFileDirectory_v2, lat_deg: float, lon_deg: float) -> None:
    tags = ExifTags.GPS
    gps[tags.GPSVersionID] = b"\x02\x03\x00\x00"
    gps[tags.GPSLatitudeRef] = "S" if lat_deg < 0 else "N"
    gps[tags.GPSLatitude] = _degrees(lat_deg)
    gps[tags.GPSLongitudeRef] = "W" if lon_deg < 0 else "E"
    gps[tags.GPSLongitude] = _degrees(lon_deg)
    gps[tags.GPSMapDatum] = "WGS-84"


def _set_time(detail: ImageFileDirectory_v2, gps: ImageFileDirectory_v2, moment: datetime) -> None:
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
