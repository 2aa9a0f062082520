"""The positions that a folder's images have in their EXIF, as a track."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..types import InputError, Track
from .image_folder import ImageFolder


def read(folder: Path) -> Track:
    """The positions of a folder's images in the sequence's own order and times. Raises InputError where no image has one."""
    images = ImageFolder.read(folder)
    rows = [(t, s.lat_deg, s.lon_deg, p.name) for t, s, p in zip(images.time_s, images.stamps, images.paths, strict=True) if s is not None]
    kept = [row for row in rows if row[1] is not None and row[2] is not None]
    if not kept:
        raise InputError(f"{folder} holds no image with a position in its EXIF; give a GPX or CSV track instead.")
    time_s = np.array([row[0] for row in kept], dtype=np.float64)
    if images.first_taken is not None:
        time_s += images.first_taken.timestamp()
    lat, lon = (np.array([row[i] for row in kept], dtype=np.float64) for i in (1, 2))
    return Track(time_s, lat, lon, images.first_taken is not None, "EXIF", tuple(row[3] for row in kept))
