"""The user's own pictures in a folder, with places in their EXIF data or in their names."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import shapely
from PIL import ExifTags
from pyproj import Transformer

from ...feedback import Feedback
from ...grid.aoi import AreaOfInterest
from ...types import InputError
from ...video.exif import Stamp, read_stamp
from ...video.image_folder import IMAGE_SUFFIXES
from ...video.still_image import ERRORS, opened
from ..images import ReferenceImage
from ..web import Web
from .base import Plain

_LETTERS = "CDEFGHJKLMNPQRSTUVWX"
"""Of the bands of UTM, from 80 degrees south on; from N on they are of the northern half."""
_NAME_TIMES = ("%Y%m%d_%H%M%S", "%Y%m%d%H%M%S", "%Y%m%d", "%Y%m", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d")
_DIRECTION = 17


class Folder(Plain):
    """Pictures in a folder and the folders in it. Each folder is a sequence.

    A place comes from the name where that is of the kind that place-recognition sets have (``@UTM_east@UTM_north@zone@band@lat@lon@id@tile@heading@…``), else
    from EXIF data. A heading is taken as it stands there, towards true or magnetic north: a compass in a street is wrong by more than the two differ.

    Args:
        folder: with the pictures.

    Raises:
        InputError: there is no such folder.
    """

    name: ClassVar[str] = "folder"
    title: ClassVar[str] = "own pictures"
    attribution: ClassVar[str] = ""
    private: ClassVar[bool] = True

    def __init__(self, folder: str = "") -> None:
        self.folder = Path(folder).expanduser()
        if not folder or not self.folder.is_dir():
            raise InputError(f"{folder or 'The source'!s} is no folder; give one with pictures in it.")

    @property
    def origins(self) -> tuple[str, ...]:
        """No host."""
        return ()

    def search(self, area: AreaOfInterest, web: Web | None = None, feedback: Feedback = Feedback()) -> Iterator[ReferenceImage]:  # noqa: ARG002
        """The pictures in an area; see ``base.Source``. The last word of ``feedback`` counts those that have no place.

        Raises:
            InputError: there are no pictures, or none has a place.
            CancelledError: whoever waits stopped it.
        """
        paths = sorted(_pictures(self.folder))
        if not paths:
            raise InputError(
                f"{self.folder} holds no pictures; give a folder with {', '.join(sorted(s[1:] for s in IMAGE_SUFFIXES))} files in it."
            )
        shapely.prepare(area.geometry)
        placed = inside = 0
        for number, path in enumerate(paths):
            feedback.check()
            feedback.tell(number / len(paths), "search", f"{inside:,} pictures found")
            image = read_picture(path, self.folder)
            placed += image is not None
            if image is not None and shapely.intersects_xy(area.geometry, image.lon_deg, image.lat_deg):
                inside += 1
                yield image
        if not placed:
            raise InputError(
                f"None of the {len(paths):,} pictures in {self.folder} has a place in its EXIF data or in its name; give pictures that have."
            )
        without = len(paths) - placed
        feedback.tell(1.0, "search", f"{inside:,} pictures found" + (f", {without:,} without a place left out" if without else ""))


def read_picture(path: Path, root: Path) -> ReferenceImage | None:
    """A picture with its place; None where it has none or cannot be read.

    Args:
        path: of the picture.
        root: the folder that its id is relative to.
    """
    stamp = read_stamp(path)
    if stamp is None:
        return None
    named = _from_name(path.name)
    if named is not None:
        lat_deg, lon_deg, heading_deg, time_s = named
    elif stamp.lat_deg is not None and stamp.lon_deg is not None:
        lat_deg, lon_deg, heading_deg, time_s = stamp.lat_deg, stamp.lon_deg, _heading_deg(path), math.nan
    else:
        return None
    if math.isnan(time_s) and stamp.taken is not None:
        time_s = stamp.taken.timestamp()
    relative = path.relative_to(root)
    panorama = _shows_all_around(path, stamp)
    return ReferenceImage(
        source=Folder.name,
        image_id=relative.as_posix(),
        sequence=relative.parent.as_posix(),
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        heading_deg=heading_deg,
        time_s=time_s,
        field_of_view_deg=360.0 if panorama else math.nan,
        panorama=panorama,
        files=((stamp.size_px[0], str(path)),),
    )


def _pictures(folder: Path) -> Iterator[Path]:
    """Every picture's file, hidden ones left out. Raises InputError where the folder cannot be listed."""

    def refuse(error: OSError) -> None:
        raise InputError(f"The folder {error.filename} cannot be listed ({error.strerror}); check its permissions.") from error

    for where, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(where) / name for name in names if Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith("."))


def _from_name(name: str) -> tuple[float, float, float, float] | None:
    """Latitude, longitude, heading and time as a place-recognition set's name has them; None where it is no such name, or does not say enough."""
    parts = name.split("@")
    if len(parts) < 6 or parts[0]:
        return None
    parts += [""] * (16 - len(parts))
    east_m, north_m, zone, _, lat_deg, lon_deg = (_number(part) for part in parts[1:7])
    band = parts[4].strip().upper()
    if not (abs(lat_deg) <= 90.0 and abs(lon_deg) <= 180.0):
        if zone not in range(1, 61) or len(band) != 1 or band not in _LETTERS or not math.isfinite(east_m + north_m):
            return None
        system = (32600 if band >= "N" else 32700) + int(zone)
        lon_deg, lat_deg = Transformer.from_crs(system, 4326, always_xy=True).transform(east_m, north_m)
        if not (abs(lat_deg) <= 90.0 and abs(lon_deg) <= 180.0):
            return None
    return lat_deg, lon_deg, _number(parts[9]) % 360.0, _name_time_s(parts[13].strip())


def _name_time_s(text: str) -> float:
    for form in _NAME_TIMES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    return math.nan


def _heading_deg(path: Path) -> float:
    try:
        with opened(path) as image:
            return _number(image.getexif().get_ifd(ExifTags.IFD.GPSInfo).get(_DIRECTION)) % 360.0
    except ERRORS:
        return math.nan


def _shows_all_around(path: Path, stamp: Stamp) -> bool:
    """Whether it says that it is equirectangular and is as wide as that takes."""
    width, height = stamp.size_px
    if abs(width - 2 * height) > 0.02 * width:
        return False
    try:
        with opened(path) as image:
            said = image.info.get("xmp", b"")
    except ERRORS:
        return False
    return b"equirectangular" in (said if isinstance(said, bytes) else str(said).encode())


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return math.nan
    return number if math.isfinite(number) else math.nan
