"""The videos of a result and the moments of their sampled frames, read without all else: what a review is about."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..types import FloatArray, InputError, IntArray
from .geopackage_read import open_result
from .tables import FAILED


@dataclass(frozen=True)
class VideoMoments:
    """One video of a result.

    Args:
        name: of the video in the result.
        file: its file's name.
        sha256: of its bytes.
        width_px, height_px: of its upright picture.
        duration_s: of the whole video; None where that is not known.
        frame_index: (T,) numbers of the sampled frames.
        time_s: (T,) their times after the video's start.
        kind: "video", or "images" for a folder of them.
    """

    name: str
    file: str
    sha256: str
    width_px: int
    height_px: int
    duration_s: float | None
    frame_index: IntArray
    time_s: FloatArray
    kind: str = "video"

    @property
    def end_s(self) -> float:
        """The last moment that can be spoken of."""
        return max(self.duration_s or 0.0, float(self.time_s[-1]) if len(self.time_s) else 0.0)

    @property
    def step_s(self) -> float:
        """The usual distance of sampled frames."""
        return float(np.median(np.diff(self.time_s))) if len(self.time_s) > 1 else 0.0


def read_moments(path: Path) -> list[VideoMoments]:
    """The videos of a result that have frames, in its order. Raises InputError where the file is no whole result, or of a newer schema."""
    with closing(open_result(path)) as database:
        try:
            videos = database.execute(
                "SELECT video, file, sha256, width_px, height_px, duration_s, state, kind FROM videos ORDER BY fid"
            ).fetchall()
            rows: dict[str, list[tuple[int, float]]] = {}
            for video, index, time_s in database.execute("SELECT video, frame_index, time_s FROM frames ORDER BY fid"):
                rows.setdefault(video, []).append((index, time_s))
        except sqlite3.Error as error:
            raise InputError(f"{path} is damaged or not a VidTAG result ({error}); run geolocate again.") from error
    return [
        VideoMoments(
            name, file, sha256 or "", width or 0, height or 0, duration_s,
            np.array([index for index, _ in rows.get(name, ())], dtype=np.int64), np.array([time_s for _, time_s in rows.get(name, ())], dtype=np.float64),
            kind or "video",
        )
        for name, file, sha256, width, height, duration_s, state, kind in videos
        if state != FAILED
    ]  # fmt: skip


def video_named(videos: Sequence[VideoMoments], name: str, sha256: str, source: str) -> VideoMoments:
    """The video that is meant, by its digest where that is given, else by its name; the only one where neither is.

    Raises:
        InputError: there is none, or it is not said which.
    """
    if not name and not sha256 and len(videos) == 1:
        return videos[0]
    found = [one for one in videos if (one.sha256 == sha256 if sha256 else name and name in {one.name, one.file})]
    if not found:
        names = ", ".join(one.name for one in videos) or "none"
        said = f"There is no video {name or sha256[:12]!r} in {source}" if name or sha256 else f"{source} does not hold just one video"
        raise InputError(f"{said}: say which one is meant ({names}).")
    return next((one for one in found if one.name == name), found[0])
