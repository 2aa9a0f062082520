"""One finished video of a batch as a file: the rows of every layer of the canonical result, without its indexes and styles."""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic import replacing
from ..export import read_failed, read_geopackage, result_tables
from ..export.candidates_table import candidates_table
from ..export.columns import clean
from ..export.geopackage import write_layer
from ..export.geopackage_rows import insert_table
from ..export.geopackage_tables import add_provenance
from ..export.matches_table import add_thumbnail_column, add_thumbnails, matches_table
from ..export.point_blob import wkb_of
from ..export.provenance import to_json
from ..export.tables import FAILED, own_text
from ..geopackage_metadata import add_metadata
from ..types import FailedVideo, FrameState, InputError, OwnSettings, Provenance, VideoResult

LAYERS = ("trajectory", "frames", "videos", "regions", "matches", "candidates")
"""Layers of a file of the store; those without a row stay empty."""
MARK_URI = "urn:vidtag:source-file"
"""``md_standard_uri`` of what the video's file was known by without reading it."""
UNREAD = "unread"
"""Stands for the digest of a video whose bytes cannot be read."""
_PAGE_BYTES = 1024  # small pages: a file has a dozen tables, and most hold little


@dataclass(frozen=True)
class EntryKey:
    """Which video, which bytes and which stretch of it a file is of.

    Args:
        video: its name in the batch.
        sha256: of its bytes; empty where they cannot be read.
        own: what held of it alone; None where the settings of the run did.
        grid_digest: of the candidate places that it was sought among; empty where that is not known.
        source: of a video whose bytes cannot be read, where it lies within the batch.
    """

    video: str
    sha256: str
    own: OwnSettings | None = None
    grid_digest: str = ""
    source: str = ""

    @property
    def name_part(self) -> str:
        """The same for whatever is known of a video by that name."""
        return _short(clean(self.video))

    @property
    def digest_part(self) -> str:
        """Of the video's bytes."""
        return self.sha256[:16] or UNREAD

    @property
    def own_part(self) -> str:
        """Of its stretch, its time and its area, whatever that is called."""
        bare = replace(self.own, area=None, grid_digest=None) if self.own else OwnSettings()
        return _short(json.dumps([own_text(bare), self.grid_digest]))[:8]

    @property
    def file_name(self) -> str:
        """Of its file, without the run's settings before and the ending behind."""
        return f"{self.name_part}-{self.digest_part}-{self.own_part}"


@dataclass(frozen=True)
class StoredRow:
    """One video of a batch in a few plain values, read without its frames.

    Args:
        video: its name.
        state: of its verdict, "failed", or None where there is no verdict.
        why: one sentence where it has no answer.
        sha256: of its bytes.
        summary: as :func:`.batch.summary_of` gives it; empty for one that failed.
        rated: located frames with a confidence, which ``mean_confidence`` is of.
        mean_confidence: of them; NaN where there is none.
        confidence_radius_m: that it is about.
        duration_s: of the video; None where that is not known.
        area: name of an area of its own.
        line_wkb: the video's line, a MultiLineString with x = longitude; None where there is none.
        time_source: what its times of day come from.
    """

    video: str
    state: str | None
    why: str
    sha256: str
    summary: dict[str, Any]
    rated: int
    mean_confidence: float
    confidence_radius_m: float
    duration_s: float | None
    area: str | None
    line_wkb: bytes | None
    time_source: str | None


def write_entry(
    path: Path, one: VideoResult | FailedVideo, provenance: Provenance, *, aoi: Any | None = None, named: dict[str, Any] | None = None,
    mark: str | None = None,
) -> None:  # fmt: skip
    """Write one video's file, whole or not at all; an older one of that name is replaced in one step.

    Args:
        path: of the file; its folder exists.
        one: what was found, or why nothing was.
        provenance: what made it.
        aoi: the area that was searched (shapely), for the regions' share of it.
        named: areas of videos of their own, by name, likewise.
        mark: of the video's file, see :func:`file_mark`.

    Raises:
        InputError: it cannot be written.
    """
    with replacing(path) as part:
        part.write_bytes(_empty())
        with closing(sqlite3.connect(part)) as database, database:
            database.execute("PRAGMA synchronous = OFF")  # `replacing` brings the whole file to the disk once
            results, failed = ([one], []) if isinstance(one, VideoResult) else ([], [one])
            tables = result_tables(results, aoi=_Searched(aoi, tuple((named or {}).items())), failed=failed)
            for layer, table in tables.items():
                insert_table(database, layer, table)
            if "matches" in tables:
                add_thumbnails(database, results)
            add_provenance(database, to_json(provenance), provenance.created_utc)
            if mark is not None:
                add_metadata(database, MARK_URI, "application/json", mark)


def file_mark(path: Path) -> str | None:
    """What tells a file, or a folder's files, from what lay there before without reading it: sizes and times. None where there is nothing to read."""
    try:
        files = sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]
        found = [(one.name, status.st_size, status.st_mtime_ns) for one in files for status in [one.stat()]]
    except OSError:
        return None
    if not path.is_dir():
        return json.dumps({"size_bytes": found[0][1], "mtime_ns": found[0][2]})
    return json.dumps({"files": len(found), "digest": hashlib.sha256(repr(found).encode("utf-8", "surrogateescape")).hexdigest()})


def read_mark(path: Path) -> str | None:
    """The mark of the video's file that an entry was made with; None where it has none, or is damaged."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            found = database.execute("SELECT metadata FROM gpkg_metadata WHERE md_standard_uri = ?", (MARK_URI,)).fetchone()
    except (sqlite3.Error, OSError):
        return None
    return found[0] if found else None


def read_entry(path: Path) -> VideoResult | FailedVideo:
    """What a file of the store holds. Raises InputError where it is damaged or of a later version."""
    results, _ = read_geopackage(path)
    found: list[Any] = [*results, *(read_failed(path) if not results else ())]
    if len(found) != 1:
        raise InputError(f"{path.name} in the store {path.parents[2].name} holds no video: delete it, and run geolocate again.")
    return found[0]


def read_row(path: Path) -> StoredRow:
    """One video in a few values: much sooner than the whole. Raises InputError where the file is damaged."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            database.row_factory = sqlite3.Row
            row = database.execute("SELECT * FROM videos").fetchone()
            (rated,) = database.execute("SELECT count(confidence) FROM frames WHERE state = ?", (FrameState.LOCATED.value,)).fetchone()
            (unanswered,) = database.execute("SELECT count(*) FROM frames WHERE geom IS NOT NULL AND confidence IS NULL").fetchone()
            return _row(dict(row), int(rated), int(unanswered))
    except (sqlite3.Error, OSError, KeyError, TypeError, ValueError) as error:
        raise damaged(path, error) from error


def damaged(path: Path, why: object) -> InputError:
    """What is said of a file of a store that cannot be read."""
    return InputError(f"{path.name} in the store {path.parents[2].name} is damaged ({why}): delete it, and run geolocate again.")


@dataclass(frozen=True)
class _Searched:
    """As an area of interest, for the columns of regions alone."""

    geometry: Any
    named: tuple[tuple[str, Any], ...]


def _row(row: dict[str, Any], rated: int, not_rated: int) -> StoredRow:
    failed = row["state"] == FAILED
    mean = row["mean_confidence"]
    summary = {} if failed else {
        "name": row["video"],
        "frames": row["frames"],
        "located": row["located"],
        "not_rated": not_rated,
        "mean_confidence": None if mean is None else round(mean, 4),
        "state": row["state"],
        "why": row["why"] or "",
        "unknown_share": None if row["unknown_share"] is None else round(row["unknown_share"], 4),
        "length_m": round(row["length_m"] or 0.0, 1),
        "start_time": row["base_time"].replace("Z", "+00:00"),
        "time_source": row["time_source"],
        "damaged": row["damaged"],
        "repeated": row["repeated"],
        "seconds": json.loads(row["processing_s"]),
    }  # fmt: skip
    return StoredRow(
        row["video"], row["state"], row["why"] or "", row["sha256"] or "", summary, rated, math.nan if mean is None else mean,
        float(row["confidence_radius_m"] or np.nan), row["duration_s"], row["area"], wkb_of(row["geom"]) if row["geom"] else None, row["time_source"],
    )  # fmt: skip


@lru_cache(maxsize=1)
def _empty() -> bytes:
    """A file without a row, which GDAL has made the tables of: opening it for each video would take longer than all else."""
    with tempfile.TemporaryDirectory(prefix="vidtag-") as folder:
        path = Path(folder) / "empty.gpkg"
        tables = {**result_tables([]), "matches": matches_table([]), "candidates": candidates_table([])}
        for layer in LAYERS:
            write_layer(path, layer, tables[layer], indexed=False)
        with closing(sqlite3.connect(path)) as database:
            add_thumbnail_column(database)
            database.commit()
            database.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            database.execute("VACUUM")
        return path.read_bytes()


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()
