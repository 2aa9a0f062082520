"""The layer ``matches``: which reference images speak for which frames, written and read."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence

import numpy as np

from ..types import Match, VideoResult
from .columns import Table, clean
from .point_blob import lat_lon_of

_TEXTS = ("source", "image_id", "taken", "author", "licence", "licence_url", "page_url")
INLIERS = "inliers"
_NUMBERS = ("similarity", "margin", "heading_deg")


def matches_table(results: Sequence[VideoResult]) -> Table:
    """A row a match; its place is its geometry, where that is told."""
    import pandas as pd

    rows = [(clean(result.info.name), one) for result in results for one in result.matches]
    table: Table = {
        "video": [video for video, _ in rows],
        "frame_index": np.array([one.frame_index for _, one in rows], dtype=np.int64),
        "rank": np.array([one.rank for _, one in rows], dtype=np.int32),
    }
    for name in _TEXTS[:2]:
        table[name] = [clean(getattr(one, name)) for _, one in rows]
    for name in _NUMBERS:
        table[name] = np.array([getattr(one, name) for _, one in rows], dtype=np.float64)
    table[INLIERS] = pd.Series([one.inliers for _, one in rows], dtype="Int64")
    for name in _TEXTS[2:]:
        table[name] = [clean(getattr(one, name)) or None for _, one in rows]
    for name in ("lat_deg", "lon_deg"):
        table[name] = np.array([getattr(one, name) for _, one in rows], dtype=np.float64)
    return table


def attribution(results: Sequence[VideoResult]) -> str:
    """The sentence that names whose pictures places were recognised by, as their licences ask; empty where there are none."""
    named = sorted({f"{one.author or one.source} ({one.licence})" for result in results for one in result.matches if one.licence})
    return f"Recognised by pictures of {', '.join(map(clean, named))}." if named else ""


def add_thumbnail_column(database: sqlite3.Connection) -> None:
    """Room for the pictures of a layer that has none yet: bytes, which the writer of layers takes none of."""
    database.execute("ALTER TABLE matches ADD COLUMN thumbnail BLOB")


def add_thumbnails(database: sqlite3.Connection, results: Sequence[VideoResult]) -> None:
    """The pictures of a layer that was written from the same results, and has room for them.

    Neighbouring frames are matched by the same images: each one's picture is in its first row alone.
    """
    matches = [one for result in results for one in result.matches]
    numbers = [fid for (fid,) in database.execute("SELECT fid FROM matches ORDER BY fid")]
    first: dict[tuple[str, str], Match] = {}
    given = []
    for one, fid in zip(matches, numbers, strict=True):
        if one.thumbnail is None:
            continue
        before = first.setdefault((clean(one.source), clean(one.image_id)), one)
        if before is one or before.thumbnail != one.thumbnail:
            given.append((one.thumbnail, fid))
    database.executemany("UPDATE matches SET thumbnail = ? WHERE fid = ?", given)


def read_matches(database: sqlite3.Connection) -> dict[str, tuple[Match, ...]]:
    """Matches by video; none in a result that has no such layer."""
    if database.execute("SELECT 1 FROM gpkg_contents WHERE table_name = 'matches'").fetchone() is None:
        return {}

    # There is no such column before schema 4.5.
    inliers = INLIERS if any(row[1] == INLIERS for row in database.execute("PRAGMA table_info(matches)")) else "NULL"
    query = (
        "SELECT video, frame_index, rank, source, image_id, similarity, margin, geom, heading_deg, taken, author, licence, licence_url, page_url, "
        f"thumbnail, {inliers}"
    )
    found: dict[str, list[Match]] = {}
    pictures: dict[tuple[str, str], bytes] = {}
    for row in database.execute(f"{query} FROM matches ORDER BY fid"):
        (
            video,
            index,
            rank,
            source,
            image_id,
            similarity,
            margin,
            geom,
            heading,
            taken,
            author,
            licence,
            licence_url,
            page_url,
            thumbnail,
            common,
        ) = row
        lat_deg, lon_deg = lat_lon_of(geom)
        if thumbnail:
            pictures.setdefault((source, image_id), thumbnail)
        match = Match(
            index, rank, source, image_id, similarity, margin, lat_deg, lon_deg, math.nan if heading is None else heading, taken or "", author or "",
            licence or "", licence_url or "", page_url or "", thumbnail or pictures.get((source, image_id)), common,
        )  # fmt: skip
        found.setdefault(video, []).append(match)
    return {video: tuple(rows) for video, rows in found.items()}
