"""A folder of still images as one sequence, in the order of their EXIF times, or else of their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from ..types import CancelledError, FloatArray, InputError
from .exif import Stamp, read_stamp

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from ..types import CancelCheck

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".jp2", ".avif"}
NAME_ORDER_STEP_S = 1.0  # invented: names say an order, not a time


@dataclass(frozen=True)
class ImageFolder:
    """The images of a folder in sequence.

    Args:
        paths: in order.
        stamps: what each says of itself; None for one that cannot be opened.
        time_s: (N,) seconds after the first image; one second apart where the order is by name.
        first_taken: UTC of ``time_s`` = 0, None where the order is by name.
        unordered: how many files could not be opened and have no place in an order by time.
    """

    paths: tuple[Path, ...]
    stamps: tuple[Stamp | None, ...]
    time_s: FloatArray
    first_taken: datetime | None
    unordered: int = 0

    @classmethod
    def read(cls, folder: Path) -> ImageFolder:
        """Read the headers of every image directly in ``folder``. Raises InputError for none, or none readable."""
        paths = image_paths(folder)
        if not paths:
            raise InputError(
                f"{folder} holds no images; give a folder with {', '.join(sorted(s[1:] for s in IMAGE_SUFFIXES))} files in it."
            )
        stamps = [read_stamp(path) for path in paths]
        opened = [(stamp.taken, path, stamp) for path, stamp in zip(paths, stamps, strict=True) if stamp is not None]
        if not opened:
            raise InputError(f"{folder} holds {len(paths)} image files and none can be read; copy them again.")
        if any(taken is None for taken, _, _ in opened):
            return cls(tuple(paths), tuple(stamps), np.arange(len(paths)) * NAME_ORDER_STEP_S, None)
        order = sorted(((taken, path, stamp) for taken, path, stamp in opened if taken is not None), key=lambda r: (r[0], _natural(r[1])))
        first = order[0][0]
        time_s = np.array([(taken - first).total_seconds() for taken, _, _ in order])
        return cls(tuple(r[1] for r in order), tuple(r[2] for r in order), time_s, first, len(paths) - len(order))

    @property
    def duration_s(self) -> float:
        """The last image is shown as long as images usually are."""
        return self.end_of(len(self.paths) - 1)

    def end_of(self, i: int) -> float:
        """When image ``i`` gives way to the next, seconds."""
        if i + 1 < len(self.time_s):
            return float(self.time_s[i + 1])
        steps = np.diff(self.time_s)
        steps = steps[steps > 0]
        return float(self.time_s[i] + (np.median(steps) if len(steps) else NAME_ORDER_STEP_S))

    def load(self, i: int) -> NDArray[np.uint8] | None:
        """Image ``i`` as (height, width, 3) RGB, upright; None where it is damaged."""
        try:
            with Image.open(self.paths[i]) as image:
                return np.asarray(_eight_bit(ImageOps.exif_transpose(image)).convert("RGB"))
        except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
            return None

    @staticmethod
    def check(cancelled: CancelCheck | None) -> None:
        """Raise CancelledError when ``cancelled()`` says so."""
        if cancelled is not None and cancelled():
            raise CancelledError


def image_paths(folder: Path) -> list[Path]:
    """Image files directly in ``folder``, hidden ones left out, in the natural order of their names."""
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith(".") and p.is_file()]
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be listed ({error.strerror}); check the path and its permissions.") from error
    return sorted(found, key=_natural)


def _natural(path: Path) -> tuple[Any, ...]:
    """2.jpg before 10.jpg."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", path.name.lower()))


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit greyscale is scaled; Pillow's own conversion would clip it to white."""
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.float64)
        return Image.fromarray(np.clip(values / 257.0, 0, 255).astype(np.uint8))
    return image
