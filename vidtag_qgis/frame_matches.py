"""The reference images that speak for each frame of a result, as the result itself keeps them: which, where, and their pictures."""

from __future__ import annotations

import math
import os
import pathlib
import sqlite3
import struct
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Optional

from .matches import Match, read_match

MOST_IMAGES = 5
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)
"""Of a geometry in a GeoPackage, by the bits 1 to 3 of its flags."""


@dataclass(frozen=True)
class FrameMatch:
    """One of a frame's reference images.

    Args:
        fid: its row in the layer ``matches``.
        rank: from 1 on, the most similar first.
        lat_lon_deg: where it was taken; None where that is kept back.
        match: what is said of it, and its picture.
    """

    fid: int
    rank: int
    lat_lon_deg: Optional[tuple[float, float]]
    match: Match


class FrameMatches:
    """The layer ``matches`` of one result: pictures are read when they are asked for, all else once.

    Args:
        geopackage: the result; one that is not there, or has no such layer, has no images.
    """

    def __init__(self, geopackage: str) -> None:
        self.geopackage = geopackage
        self.stamp = stamp(geopackage)
        self._rows: dict[tuple[str, int], list[tuple[int, int, Optional[bytes], tuple[str, str]]]] = {}
        self._pictures: dict[tuple[str, str], int] = {}
        if self.stamp is None:
            return
        try:
            with closing(self._opened()) as database:
                query = "SELECT video, frame_index, fid, rank, geom, source, image_id, length(thumbnail) FROM matches ORDER BY rank, fid"
                for video, index, fid, rank, geom, source, image_id, size in database.execute(query):
                    self._rows.setdefault((str(video), int(index)), []).append((int(fid), int(rank), geom, (source, image_id)))
                    if size:
                        self._pictures.setdefault((source, image_id), int(fid))
        except (sqlite3.Error, TypeError, ValueError):
            self._rows, self._pictures = {}, {}

    def of_frame(self, video: str, frame_index: int) -> list[FrameMatch]:
        """The frame's images, at most five, the most similar first; none where the result has changed meanwhile."""
        found = []
        for fid, rank, geom, _ in self._rows.get((video, frame_index), [])[:MOST_IMAGES]:
            match = read_match(self.geopackage, fid)
            if match is not None:
                found.append(FrameMatch(fid, rank, place_of(geom), match))
        return found

    def picture(self, fid: int) -> bytes:
        """The picture of an image by its row, JPEG; empty where none is kept."""
        image = next((one[3] for rows in self._rows.values() for one in rows if one[0] == fid), None)
        return self._thumbnail(self._pictures[image]) if image in self._pictures else b""

    def _thumbnail(self, fid: int) -> bytes:
        try:
            with closing(self._opened()) as database:
                row = database.execute("SELECT thumbnail FROM matches WHERE fid = ?", (fid,)).fetchone()
        except sqlite3.Error:
            return b""
        return bytes(row[0]) if row and row[0] else b""

    def _opened(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{pathlib.Path(self.geopackage).resolve().as_uri()}?mode=ro", uri=True)


def stamp(path: str) -> Optional[tuple[int, int]]:
    """What tells a file from what it was before; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def place_of(geom: Any) -> Optional[tuple[float, float]]:
    """Latitude and longitude of a point of a GeoPackage; None where it is empty or none."""
    if not isinstance(geom, bytes) or geom[:2] != b"GP" or geom[3] & 0x10:
        return None
    begin = 8 + _ENVELOPE_BYTES[(geom[3] >> 1) & 7]
    try:
        x, y = struct.unpack("<dd" if geom[begin] == 1 else ">dd", geom[begin + 5 : begin + 21])
    except (IndexError, struct.error):
        return None
    return (y, x) if math.isfinite(x) and math.isfinite(y) else None
