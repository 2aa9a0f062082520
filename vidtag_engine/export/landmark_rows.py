"""The layer ``landmarks`` of a review file: what was clicked in a picture and on the map to find where the camera stood."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from ..landmarks import Landmark
from ..types import InputError
from .columns import clean
from .corrections import transaction
from .geopackage_tables import stamp
from .moments import VideoMoments
from .point_blob import lat_lon_of
from .review_file import made_review, note_change, point_blob, review_path

_COLUMNS = {
    "video": "TEXT", "sha256": "TEXT", "time_s": "REAL", "x_px": "REAL", "y_px": "REAL", "width_px": "REAL", "height_px": "REAL", "pin": "INTEGER",
    "who": "TEXT", "when": "DATETIME",
}  # fmt: skip
_SAME_S = 0.0005


def keep_landmarks(
    result: Path,
    video: VideoMoments,
    time_s: float,
    landmarks: Sequence[Landmark],
    size_px: tuple[float, float],
    pin: int,
    who: str,
    when: datetime,
) -> None:
    """Write the landmarks of a moment into the review file, in place of those that it held of it.

    Args:
        result: path of the GeoPackage.
        video, time_s: the moment.
        landmarks: all that were used.
        size_px: width and height of the picture that they are in.
        pin: number of the pin that they gave.
        who, when: for the record.

    Raises:
        InputError: the file cannot be written, or another program is writing to it.
    """
    names = ", ".join(f'"{name}"' for name in ("geom", *_COLUMNS))
    holes = ", ".join("?" * (1 + len(_COLUMNS)))
    said = (*size_px, pin, clean(who) or None, stamp(when))
    with transaction(made_review(result)) as database:
        _complete(database)
        database.execute("DELETE FROM landmarks WHERE sha256 = ? AND abs(time_s - ?) < ?", (video.sha256, time_s, _SAME_S))
        for one in landmarks:
            place = point_blob(one.lat_deg, one.lon_deg)
            values = (place, clean(video.name), video.sha256, time_s, one.x_px, one.y_px, *said)
            database.execute(f"INSERT INTO landmarks ({names}) VALUES ({holes})", values)  # noqa: S608 - constants  # nosec B608
            database.execute(
                "UPDATE gpkg_contents SET min_x = min(coalesce(min_x, :x), :x), max_x = max(coalesce(max_x, :x), :x),"
                " min_y = min(coalesce(min_y, :y), :y), max_y = max(coalesce(max_y, :y), :y) WHERE table_name = 'landmarks'",
                {"x": one.lon_deg, "y": one.lat_deg},
            )
        note_change(database, "landmarks")


def kept_landmarks(result: Path, video: VideoMoments) -> dict[float, tuple[list[Landmark], tuple[float, float]]]:
    """The landmarks that were kept of a video, by their moment in seconds, each with width and height of the picture that they are in. Raises InputError."""
    review = review_path(result)
    if not review.is_file():
        return {}
    kept: dict[float, tuple[list[Landmark], tuple[float, float]]] = {}
    try:
        with closing(sqlite3.connect(f"{review.resolve().as_uri()}?mode=ro", uri=True)) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'landmarks'").fetchone():
                return {}
            for blob, x, y, width_px, height_px, time_s in database.execute(
                "SELECT geom, x_px, y_px, width_px, height_px, time_s FROM landmarks WHERE sha256 = ? AND geom NOT NULL AND x_px NOT NULL AND y_px NOT NULL"
                " AND width_px > 0 AND height_px > 0 AND time_s NOT NULL ORDER BY time_s, fid",
                (video.sha256,),
            ):
                kept.setdefault(float(time_s), ([], (float(width_px), float(height_px))))[0].append(Landmark(x, y, *lat_lon_of(blob)))
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise InputError(f"{review.name} cannot be read ({error}): close it in other programs and try again, or copy it again.") from error
    return kept


def same_moment(one_s: float, other_s: float) -> bool:
    """Whether two times mean one picture."""
    return abs(one_s - other_s) < _SAME_S


def _complete(database: sqlite3.Connection) -> None:
    """Make the layer where the file lacks it; it is small, and has no spatial index."""
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'landmarks'").fetchone():
        return
    columns = ", ".join(f'"{name}" {kind}' for name, kind in _COLUMNS.items())
    database.execute(f"CREATE TABLE landmarks (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom POINT, {columns})")
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) VALUES ('landmarks', 'features', 'landmarks', ?, 4326)",
        ("What was clicked in a picture and on the map",),
    )
    database.execute("INSERT INTO gpkg_geometry_columns VALUES ('landmarks', 'geom', 'POINT', 4326, 0, 0)")
