"""Tracks and clocks: a file of every kind, made by an independent writer where there is one, is read and laid on a video with that clock.

Of each, the positions at three moments of the video are compared with the values that the file was made with.
"""

from __future__ import annotations

import tempfile
import time
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.settings import zone_of
from vidtag_engine.types import VideoInfo
from vidtag_engine.video import frame_names, open_source, read_track
from vidtag_engine.video.align_track import align

from .track_files import FIXES, START, Drive, tool
from .track_kinds import DATE, KINDS, MOMENTS, Kind

TITLE = "Tracks and clocks: positions of every kind of track and clock at three moments, against the values that they were made with"
_LATER_S = 2.5
# ffmpeg's words for a video's date; a clock without any is not dated.
_DATED = {
    "dated": ("-metadata", f"creation_time={DATE}"),
    "android": ("-metadata", f"creation_time={START.replace(second=FIXES - 1):%Y-%m-%dT%H:%M:%SZ}", "-metadata", "com.android.version=14"),
    "apple": ("-metadata", "com.apple.quicktime.creationdate=2026-05-01T14:00:00+0200", "-metadata", "creation_time=2026-05-02T09:00:00Z"),
    "later mp4": ("-metadata", f"creation_time={DATE}"),
    "later mkv": ("-metadata", f"creation_time={DATE}"),
    "mkv": ("-metadata", f"creation_time={DATE}"),
}


def run(seed: int = 0) -> dict[str, Any]:
    """Keys ``kinds``, ``right``, ``wrong`` (what each was off by, or why it was not read), ``skipped`` (no writer here), ``worst_m`` of the right."""
    del seed  # nothing here is random
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        videos = _Videos(Path(temporary))
        rows = []
        for number, kind in enumerate(KINDS):
            folder = Path(temporary) / f"{number:03}"
            folder.mkdir()
            rows.append(_tried(kind, folder, videos))
    right = [row for row in rows if row["error_m"] is not None and row["error_m"] <= row["within_m"]]
    skipped = {row["name"]: row["skipped"] for row in rows if "skipped" in row}
    rows = [row for row in rows if "skipped" not in row]
    return {
        "kinds": len(rows),
        "right": len(right),
        "wrong": {row["name"]: row["why"] or f"{row['error_m']:.2f} m" for row in rows if row not in right},
        "skipped": skipped,
        "worst_m": round(max(row["error_m"] for row in right), 3),
        "seconds": round(time.perf_counter() - started, 1),
        "rows": rows,
    }


def _tried(kind: Kind, folder: Path, videos: _Videos) -> dict[str, Any]:
    """Make the kind's file, read it, and compare."""
    row: dict[str, Any] = {"name": kind.name, "within_m": kind.within_m, "error_m": None, "why": ""}
    drive = Drive(kind.step_s)
    try:
        path = kind.make(drive, folder)
    except FileNotFoundError as error:  # gpsbabel comes with some systems' QGIS, and not with others'
        return {**row, "skipped": f"{error.filename} is not installed"}
    try:
        info = videos.of(kind.clock, path)
        shift_s = _LATER_S if kind.clock.startswith("later") else 0.0
        # The fixes' own moments: of pictures that begin later, the moments lie so much earlier on their clock.
        moments_s = MOMENTS * kind.step_s
        found = align(read_track(path), info, moments_s, frame_names(info, moments_s))
        error_m = geodesic_m(found.lat_deg, found.lon_deg, *_truth(drive, moments_s + shift_s))
        row["error_m"] = None if np.isnan(error_m).any() else float(error_m.max())
        row["why"] = found.note if row["error_m"] is None else ""
    except Exception as error:  # noqa: BLE001 - whatever it is, the kind is not right
        row["why"] = f"{type(error).__name__}: {error}"
    return row


def _truth(drive: Drive, at_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Between two fixes the way is straight; over one second here it is so within a millimetre in degrees."""
    return np.interp(at_s, drive.time_s, drive.lat), np.interp(at_s, drive.time_s, drive.lon)


class _Videos:
    """A video of every clock, each made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plain = folder / "plain.mp4"
        source = f"testsrc=size=64x32:rate=5:duration={FIXES - 1}"
        tool("ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-bf", "0", "-threads", "1", self.plain)
        self._made = cache(self._make)

    def of(self, clock: str, track: Path) -> VideoInfo:
        """What is known of the clock's video; a folder of pictures is its own."""
        if clock == "undated pictures" and not track.is_dir():
            track = self._pictures()
        if clock == "itself":
            return open_source(track)
        if "pictures" in clock:
            return open_source(track, zone=zone_of("Europe/Stockholm" if clock.endswith("Stockholm") else None))
        if clock == "given":
            return open_source(self._made("undated"), start_time=START)
        if clock == "given in Stockholm":
            return open_source(self._made("undated"), start_time=datetime(2026, 5, 1, 14), zone=zone_of("Europe/Stockholm"))  # noqa: DTZ001
        return open_source(self._made(clock))

    def _pictures(self) -> Path:
        folder = self.folder / "numbered"
        if not folder.exists():
            folder.mkdir()
            tool(
                "ffmpeg", "-v", "error", "-i", self.plain, "-r", "1", "-start_number", "0", "-frames:v", str(FIXES - 1), folder / "%02d.jpg"
            )
        return folder

    def _make(self, clock: str) -> Path:
        path = self.folder / f"{clock.replace(' ', '-')}{'.mkv' if clock.endswith('mkv') else '.mp4'}"
        later = ("-itsoffset", str(_LATER_S)) if clock.startswith("later") else ()
        words = ("-c", "copy", *_DATED.get(clock, ()), "-movflags", "use_metadata_tags")
        tool("ffmpeg", "-v", "error", *later, "-i", self.plain, *words, path)
        return path
