"""Where the reference images of a result's layer ``matches`` were taken, without their pictures."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ..types import InputError
from .geopackage_read import open_result
from .point_blob import lat_lon_of


@dataclass(frozen=True)
class MatchPlace:
    """A row of the layer.

    Args:
        fid: its number in the layer.
        frame_index, rank: which frame it speaks for, and which of its images it is, from 1 on.
        source, image_id: which image.
        similarity: of both pictures.
        lat_deg, lon_deg: NaN where the place is kept back.
    """

    fid: int
    frame_index: int
    rank: int
    source: str
    image_id: str
    similarity: float
    lat_deg: float
    lon_deg: float


def read_match_places(path: Path) -> dict[str, list[MatchPlace]]:
    """The rows by video; none in a result that has no such layer. Raises InputError where the file is damaged, or no result."""
    found: dict[str, list[MatchPlace]] = {}
    with closing(open_result(path)) as database:
        try:
            if database.execute("SELECT 1 FROM gpkg_contents WHERE table_name = 'matches'").fetchone() is None:
                return {}
            rows = database.execute("SELECT video, fid, frame_index, rank, source, image_id, similarity, geom FROM matches ORDER BY fid")
            for video, fid, frame_index, rank, source, image_id, similarity, geom in rows:
                one = MatchPlace(fid, frame_index, rank, source, image_id, float(similarity or 0.0), *lat_lon_of(geom))
                found.setdefault(video, []).append(one)
        except (sqlite3.Error, TypeError, ValueError) as error:
            raise InputError(f"{path} is damaged or not a VidTAG result ({error}); run geolocate again.") from error
    return found
