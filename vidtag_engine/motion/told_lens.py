"""What a file says of its lens: enough to begin with."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING

from PIL import ExifTags, Image

from ..types import InputError, VideoInfo
from ..video import ImageFolder
from ..video.container import open_container, video_stream
from ..video.moments import number_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FILM_MM = 36.0  # width of the film that 35 mm focal lengths are of
_WORDS = "35mm"  # as in Apple's com.apple.quicktime.camera.focal_length.35mm_equivalent
# Video takes a part of the sensor that the focal length was told for.
_TOLD_SHARE = 0.1
_ACTION_VIEW_DEG, _ACTION_SHARE = 90.0, 0.2
_LEAST_MM, _MOST_MM = 6.0, 400.0


def told_view(info: VideoInfo) -> tuple[float, float] | None:
    """The angle of view across the picture's longer side in degrees, and the share by which the focal length may be off; None where nothing is told.

    By a focal length in 35 mm film terms, in a video's metadata or in a picture's EXIF; GoPro's cameras, known by their telemetry, are wide.
    """
    focal_mm = _of_images(info.path) if info.kind == "images" else _of_video(info.path)
    if focal_mm is not None and _LEAST_MM <= focal_mm <= _MOST_MM:
        return math.degrees(2 * math.atan(_FILM_MM / 2 / focal_mm)), _TOLD_SHARE
    return (_ACTION_VIEW_DEG, _ACTION_SHARE) if info.embedded_gps == "GPS5" else None


def _of_video(path: Path) -> float | None:
    with open_container(path) as container:
        return _focal_mm(container.metadata) or _focal_mm(video_stream(container, path).metadata)


def _focal_mm(metadata: Mapping[str, str]) -> float | None:
    told = (number_of(value) for key, value in metadata.items() if _WORDS in key.lower())
    return next((value for value in told if value is not None), None)


def _of_images(path: Path) -> float | None:
    with contextlib.suppress(OSError, ValueError, InputError), Image.open(ImageFolder.read(path).paths[0]) as image:
        value = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm)
        return float(value) if value else None
    return None
