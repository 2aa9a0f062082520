"""A folder of still images as one sequence, in the order of their EXIF times, or else of their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import FloatArray, InputError, VideoError
from .exif import Stamp, read_stamp
from .still_image import ERRORS, FULL_SIZE_PX, pixels, reduction

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray


IMAGE_SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".insp", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".jp2", ".avif", ".heic", ".heif", ".hif",
}  # fmt: skip
# Pictures as well, but of kinds that are not read: they are named, so that nobody misses them in the sequence.
_OTHER_SUFFIXES = {
    ".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".sr2", ".rw2", ".orf", ".raf", ".pef", ".srw", ".raw", ".gpr", ".3fr", ".iiq", ".jxl", ".jxr",
    ".psd", ".exr", ".hdr", ".svg",
}  # fmt: skip
_NAMED = 3  # files named in a note
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
        notes: what a user should know of files that were left out or read otherwise, a sentence each.
    """

    paths: tuple[Path, ...]
    stamps: tuple[Stamp | None, ...]
    time_s: FloatArray
    first_taken: datetime | None
    unordered: int = 0
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> ImageFolder:
        """Read the headers of every image directly in ``folder``. Raises InputError for none, or none readable."""
        paths = image_paths(folder)
        if not paths:
            raise InputError(
                f"{folder} holds no images; give a folder with {', '.join(sorted(s[1:] for s in IMAGE_SUFFIXES))} files in it."
            )
        stamps = [read_stamp(path) for path in paths]
        notes = _notes_of(folder, paths, stamps)
        readable = [(path, stamp) for path, stamp in zip(paths, stamps, strict=True) if stamp is not None]
        if not readable:
            raise VideoError(f"{folder} holds {len(paths)} image files and none can be read; copy them again.")
        timed = sum(stamp.taken is not None for _, stamp in readable)
        if 2 * timed <= len(readable):  # an order by the times of a few would tear the others from their neighbours
            if timed:
                untimed = [path for path, stamp in readable if stamp.taken is None]
                notes.append(f"The pictures are in the order of their names, one a second: {_counted(untimed, 'has', 'have')} no time.")
            return cls(tuple(paths), tuple(stamps), np.arange(len(paths)) * NAME_ORDER_STEP_S, None, notes=tuple(notes))
        moments, between, left_out = _between_neighbours([stamp.taken for _, stamp in readable])
        if between:
            files = [readable[row][0] for row in between]
            notes.append(f"{_counted(files, 'has', 'have')} no time and is taken to lie between the pictures before and after, by name.")
        if left_out:
            files = [readable[row][0] for row in left_out]
            notes.append(f"{_counted(files, 'is', 'are')} left out: without a time, and not between two pictures with one.")
        order = sorted(
            ((moment, path, stamp) for moment, (path, stamp) in zip(moments, readable, strict=True) if moment is not None),
            key=lambda row: (row[0], _natural(row[1])),
        )
        first = order[0][0]
        time_s = np.array([(taken - first).total_seconds() for taken, _, _ in order])
        unreadable = len(paths) - len(readable)
        return cls(tuple(r[1] for r in order), tuple(r[2] for r in order), time_s, first, unreadable, tuple(notes))

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
        """Image ``i`` as (height, width, 3) RGB, upright, reduced where it is very large; None where it is damaged."""
        try:
            return pixels(self.paths[i])
        except ERRORS:
            return None


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


def _between_neighbours(taken: list[datetime | None]) -> tuple[list[datetime | None], list[int], list[int]]:
    """Times of pictures in the order of their names: one without a time lies between its neighbours, where these are in that order too.

    Returns:
        The times, None for pictures that have no place; rows whose time was made so; rows that have none.
    """
    moments, between, left_out = list(taken), [], []
    known = [row for row, moment in enumerate(taken) if moment is not None]
    for row in (row for row, moment in enumerate(taken) if moment is None):
        before = max((one for one in known if one < row), default=None)
        after = min((one for one in known if one > row), default=None)
        early, late = (None if one is None else taken[one] for one in (before, after))
        if before is None or after is None or early is None or late is None or early > late:
            left_out.append(row)
            continue
        moments[row] = early + (late - early) * ((row - before) / (after - before))
        between.append(row)
    return moments, between, left_out


def _notes_of(folder: Path, paths: list[Path], stamps: list[Stamp | None]) -> list[str]:
    """What is to be said of files that are not read, or not as they are."""
    notes = []
    if unread := [path for path, stamp in zip(paths, stamps, strict=True) if stamp is None]:
        notes.append(f"{_counted(unread, 'cannot', 'cannot')} be read as a picture.")
    if other := sorted(p for p in folder.iterdir() if p.suffix.lower() in _OTHER_SUFFIXES and not p.name.startswith(".")):
        notes.append(f"{_counted(other, 'is', 'are')} left out, of a kind that is not read; convert to JPEG what is wanted.")
    if large := [path for path, stamp in zip(paths, stamps, strict=True) if stamp is not None and reduction(*stamp.size_px) > 1]:
        notes.append(f"{_counted(large, 'has', 'have')} more than {FULL_SIZE_PX // 1_000_000} megapixels and is read reduced.")
    return notes


def _counted(files: list[Path], one: str, several: str) -> str:
    """``a.jpg has`` or ``5 pictures (a.jpg, b.jpg, c.jpg and others) have``."""
    if len(files) == 1:
        return f"{files[0].name} {one}"
    listed = ", ".join(path.name for path in files[:_NAMED]) + (" and others" if len(files) > _NAMED else "")
    return f"{len(files)} pictures ({listed}) {several}"
