"""One still picture: its header and its pixels, whatever camera or program wrote it, in bounded memory.

Pillow reads nearly all of them, with pillow-heif also HEIC. Colour TIFF of 16 bits is read by GDAL: of such files with their colours one after the other
Pillow makes other pictures or none (findings/pillow-planar-16-bit-tiff.sh).
"""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageOps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

pillow_heif.register_heif_opener()

FULL_SIZE_PX = 64_000_000
"""A picture of more pixels is read reduced, by whole numbers, to at most so many."""
_MOST_PX = 600_000_000  # 1.8 GB while it is reduced; JPEG is reduced while it is read
_BITS_PER_SAMPLE, _DEEP = 258, 16
_LIMIT = threading.Lock()
ERRORS = (
    OSError, ValueError, SyntaxError, KeyError, TypeError, EOFError, ZeroDivisionError, MemoryError, Image.DecompressionBombError,
)  # fmt: skip
"""What a damaged, foreign or oversized picture may raise."""


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A picture with its header read. Pillow's own limit of 179 megapixels would call a camera's panorama an attack; ours is on what is held in memory.

    Raises:
        ValueError: it has too many pixels; and what else ``ERRORS`` names.
    """
    with _LIMIT:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = Image.open(path)
        finally:
            Image.MAX_IMAGE_PIXELS = before
    with image:
        width, height = image.size
        if width * height > _MOST_PX * (8 * 8 if image.format in {"JPEG", "MPO"} else 1):
            raise ValueError(f"{width} x {height} pixels are too many")
        yield image


def reduction(width: int, height: int) -> int:
    """By which whole number a picture is made smaller each way, so that it has at most ``FULL_SIZE_PX``."""
    return int(np.ceil(np.sqrt(width * height / FULL_SIZE_PX)))


def pixels(path: Path) -> NDArray[np.uint8]:
    """A picture as (height, width, 3) RGB, upright; reduced where it is very large. Raises one of ``ERRORS``."""
    with opened(path) as image:
        factor, orientation = reduction(*image.size), image.getexif().get(ExifTags.Base.Orientation, 1)
        if image.format == "TIFF" and _is_deep(image):
            picture = _by_gdal(path, factor)
        else:
            if factor > 1:
                image.draft("RGB", (image.width // factor, image.height // factor))  # JPEG is decoded smaller
            picture = _eight_bit(image).convert("RGB")
            if (left := reduction(*picture.size)) > 1:
                picture = picture.reduce(left)
        # Scaling and reducing lose what the header says of the picture's turn.
        picture.getexif()[ExifTags.Base.Orientation] = orientation
        return np.asarray(ImageOps.exif_transpose(picture))


def _is_deep(image: Image.Image) -> bool:
    """Whether a TIFF has several samples of 16 bits."""
    bits = image.tag_v2.get(_BITS_PER_SAMPLE, ())  # type: ignore[attr-defined]
    return isinstance(bits, tuple) and len(bits) > 2 and max(bits) >= _DEEP


def _by_gdal(path: Path, factor: int) -> Image.Image:
    """The first three bands of a TIFF, 16 bits scaled to 8."""
    import rasterio
    from rasterio.enums import Resampling

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        try:
            with rasterio.open(path, driver="GTiff") as source:
                shape = (3, max(1, source.height // factor), max(1, source.width // factor))
                bands = source.read([1, 2, 3], out_shape=shape, resampling=Resampling.average if factor > 1 else Resampling.nearest)
        except rasterio.errors.RasterioError as error:
            raise OSError(str(error)) from error
    return Image.fromarray(np.ascontiguousarray((bands // 257).astype(np.uint8).transpose(1, 2, 0)))


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit greyscale is scaled; Pillow's own conversion would clip it to white."""
    if image.mode.startswith("I"):
        return Image.fromarray(np.clip(np.asarray(image) // 257, 0, 255).astype(np.uint8))
    return image
