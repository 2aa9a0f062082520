"""Small pictures of a result's frames, in a file of their own beside it: ``X.pictures.gpkg`` for ``X.gpkg``, from which map tips show them.

Its one table ``pictures`` has a row a frame: ``key``, by which a map tip finds it (the video's name and the frame's time), ``video``, ``sha256``,
``frame_index``, ``time_s``, ``longest_px`` and ``jpeg``. A result itself never holds a picture of a video.
"""

from __future__ import annotations

import io
import math
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from ..atomic import replacing
from ..file_marks import mark_geopackage, own_kind
from .geopackage import unsynchronised

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KIND = "thumbnails"
QUALITY = 75
_PAGE_BYTES = 1024
"""Less than SQLite's own: a picture of 6 kB leaves little of its last page empty."""
_DATASET = {"VERSION": "1.2"}
_COLUMNS = "key, video, sha256, frame_index, time_s, longest_px, jpeg"
Row = tuple[str, str, str, int, float, int, bytes]
"""As the columns are."""


def thumbnails_path(result: Path) -> Path:
    """Where the small pictures of a result lie."""
    return result.with_name(f"{result.stem}.pictures.gpkg")


def key_of(video: str, time_s: float) -> str:
    """What a map tip asks for: the video's name and the whole milliseconds of the frame's time, as QGIS rounds."""
    return f"{video}@{math.floor(1000.0 * time_s + 0.5)}"


def thumbnail(image: NDArray[np.uint8]) -> bytes:
    """A small picture (height, width, 3) RGB as JPEG."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()


class ThumbnailsFile:
    """A file that is being written; made by :func:`writing_thumbnails`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add(self, rows: Iterable[Row]) -> None:
        """Put pictures into it."""
        values = ", ".join("?" for _ in _COLUMNS.split(","))
        self._database.executemany(f"INSERT OR REPLACE INTO pictures ({_COLUMNS}) VALUES ({values})", rows)  # noqa: S608 - constants  # nosec B608


@contextmanager
def writing_thumbnails(path: Path, *, overwrite: bool = False) -> Iterator[ThumbnailsFile]:
    """Give a file to add pictures to; when the block ends well it takes the place of an older one, else nothing is left behind.

    Raises:
        InputError: it cannot be written, or what is there is no such file.
    """
    import pandas as pd
    import pyogrio

    empty = pd.DataFrame(
        {
            **{name: pd.Series(dtype="str") for name in ("key", "video", "sha256")},
            "frame_index": pd.Series(dtype="int32"),
            "time_s": pd.Series(dtype="float64"),
            "longest_px": pd.Series(dtype="int32"),
        }
    )
    options = {"FID": "fid", "IDENTIFIER": "pictures", "DESCRIPTION": "Small pictures of a result's frames, for map tips"}
    with replacing(path, KIND, overwrite=overwrite) as part, unsynchronised():
        pyogrio.write_dataframe(empty, part, layer="pictures", driver="GPKG", dataset_options=_DATASET, layer_options=options)
        with closing(sqlite3.connect(part)) as database, database:
            database.execute("PRAGMA synchronous = OFF")
            database.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            database.execute("VACUUM")
            database.execute("ALTER TABLE pictures ADD COLUMN jpeg BLOB")
            database.execute("CREATE UNIQUE INDEX pictures_key ON pictures (key)")
            database.execute("CREATE INDEX pictures_video ON pictures (video, sha256)")
            yield ThumbnailsFile(database)
            database.execute("UPDATE gpkg_ogr_contents SET feature_count = (SELECT count(*) FROM pictures)")
            mark_geopackage(database, KIND)


def read_thumbnails(path: Path, sha256: str, longest_px: int) -> dict[int, Row]:
    """The pictures of a video that an earlier file holds in this size, by the milliseconds of their times; none where it is no such file."""
    if not sha256 or own_kind(path) != KIND:
        return {}
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute(f"SELECT {_COLUMNS} FROM pictures WHERE sha256 = ? AND longest_px = ?", (sha256, longest_px)).fetchall()  # noqa: S608 - constants  # nosec B608
    except sqlite3.Error:
        return {}
    return {math.floor(1000.0 * row[4] + 0.5): row for row in rows}
