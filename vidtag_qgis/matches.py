"""Which reference image speaks for a frame's place, as the result itself keeps it: nothing is fetched for a look."""

from __future__ import annotations

import os
import pathlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Optional

from .translation import mark, tr

OWN = "own"
"""The source of what the user brought."""
KEPT_BACK = mark("Own picture: place and picture are not kept in this result; geolocate with 'Share places' to see it.")
# An image's picture is in the first of its rows alone; results of older versions have it in each.
_PICTURE = (
    "SELECT thumbnail FROM matches AS other WHERE other.source = matches.source AND other.image_id = matches.image_id "
    "AND length(other.thumbnail) > 0 ORDER BY other.fid LIMIT 1"
)
_INLIERS = "inliers"
_COLUMNS = f"source, similarity, margin, taken, author, licence, coalesce(nullif(thumbnail, x''), ({_PICTURE}))"


@dataclass(frozen=True)
class Match:
    """The best reference image of a frame.

    Args:
        source: "own" or a platform's name.
        similarity: of its picture and the frame's, at most 1.
        margin: by which it is nearer than the best picture of another place.
        taken: day, ISO 8601; empty where it is not known or not kept, as author and licence.
        author, licence: to be named with the picture.
        thumbnail: JPEG; empty where none is kept.
        inliers: details that frame and image have in common; None where nobody looked, as in results before schema 4.5.
    """

    source: str
    similarity: float
    margin: Optional[float]
    taken: str
    author: str
    licence: str
    thumbnail: bytes
    inliers: Optional[int] = None


def best_matches(geopackage: str) -> dict[tuple[str, int], int]:
    """Where each frame's best reference image stands in a result, by video and number of the frame; none where the result has no such layer."""
    if not os.path.isfile(geopackage):
        return {}
    try:
        with closing(_opened(geopackage)) as database:
            rows = database.execute("SELECT video, frame_index, fid FROM matches WHERE rank = 1").fetchall()
    except sqlite3.Error:
        return {}
    return {(str(video), int(index)): int(fid) for video, index, fid in rows}


def read_match(geopackage: str, fid: int) -> Optional[Match]:
    """One of them; None where the result has changed meanwhile."""
    try:
        with closing(_opened(geopackage)) as database:
            known = any(column[1] == _INLIERS for column in database.execute("PRAGMA table_info(matches)"))
            columns = f"{_COLUMNS}, {_INLIERS if known else 'NULL'}"
            row = database.execute(f"SELECT {columns} FROM matches WHERE fid = ?", (fid,)).fetchone()  # noqa: S608  # nosec B608 - names of our own
    except sqlite3.Error:
        return None
    if row is None:
        return None
    source, similarity, margin, taken, author, licence, thumbnail, inliers = row
    return Match(str(source), float(similarity or 0.0), margin, taken or "", author or "", licence or "", thumbnail or b"", inliers)


def match_text(match: Match) -> str:
    """What is said beside the picture: whose it is and of when, and how alike the two are. Plain text: names are other people's."""
    facts = [tr("Similarity {similarity:.2f}", similarity=match.similarity)]
    if match.margin is not None:
        facts.append(tr("margin {margin:.2f}", margin=match.margin))
    if match.inliers is not None:
        facts.append(tr("{inliers} details in common", inliers=match.inliers))
    alike = " · ".join(facts)
    if not match.thumbnail and match.source == OWN:
        return f"{tr(KEPT_BACK)}\n{alike}"
    if not match.thumbnail and not match.licence:
        why = tr("Picture of {source}, which states no licence: place and picture are not kept in this result.", source=match.source)
        return f"{why}\n{alike}"
    source = tr("Own picture") if match.source == OWN else match.source.capitalize()
    known = [one for one in (match.author, match.licence, match.taken) if one]
    return f"{' · '.join([source, *known])}\n{alike}"


def _opened(geopackage: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{pathlib.Path(geopackage).resolve().as_uri()}?mode=ro", uri=True)
