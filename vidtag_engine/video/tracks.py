"""Positions that come with a recording. A new format is one module beside this one and one line in ``FORMATS``.

Tracks are truth to train on or to compare with; nothing here is ever used for a video's answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..file_marks import own_kind
from ..types import InputError, Track, VideoInfo
from . import csv_track, geojson_track, gpmf, gpx, image_track, klv, kml, srt
from .container import check_readable_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class TrackFormat:
    """One source of positions.

    Args:
        name: as in ``Track.source``.
        suffixes: of files that may hold it; empty for folders.
        read: makes the Track; raises InputError where the file holds none.
        holds: whether the file carries it, judged cheaply; None for formats that are not embedded in videos.
    """

    name: str
    suffixes: frozenset[str]
    read: Callable[[Path], Track]
    holds: Callable[[Path], bool] | None = None


FORMATS = (
    TrackFormat("GPX", frozenset({".gpx"}), gpx.read),
    TrackFormat("CSV", frozenset({".csv", ".tsv", ".txt"}), csv_track.read),
    TrackFormat("KML", frozenset({".kml", ".kmz"}), kml.read),
    TrackFormat("GEOJSON", frozenset({".geojson", ".json"}), geojson_track.read),
    TrackFormat("SRT", frozenset({".srt"}), srt.read),
    TrackFormat("GPS5", frozenset({".mp4", ".mov", ".m4v", ".360", ".lrv", ".raw"}), gpmf.read, gpmf.holds),
    TrackFormat("KLV", frozenset({".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".mxf", ".mp4", ".mkv", ".klv"}), klv.read, klv.holds),
    TrackFormat("EXIF", frozenset(), image_track.read),
)


def read_track(path: Path, *, kind: str = "auto") -> Track:
    """Read positions from a track file, from a video that carries them, or from a folder of images.

    Args:
        path: the file or folder.
        kind: a name in ``FORMATS``, in any case, or "auto": by suffix and content.

    Raises:
        InputError: in one sentence, what is wrong and what to do. Fixes without a lock are left out; where none is left, that too.
    """
    if kind != "auto":
        chosen = next((f for f in FORMATS if f.name == kind.upper()), None)
        if chosen is None:
            raise InputError(f"The track kind {kind!r} for {path} is not known; give auto or one of {', '.join(f.name for f in FORMATS)}.")
        if chosen.suffixes:
            check_readable_file(path, "track file")
        return _checked(chosen.read(path), path)
    if path.is_dir():
        return _checked(image_track.read(path), path)
    check_readable_file(path, "track file")
    fitting = [f for f in FORMATS if path.suffix.lower() in f.suffixes]
    if not fitting:
        raise InputError(f"{path} is not a track that can be read; give {', '.join(f.name for f in FORMATS)}, or say its kind.")
    chosen = next((f for f in fitting if f.holds is None or f.holds(path)), None)
    if chosen is None:
        if path.suffix.lower() == ".raw":
            raise InputError(f"{path} carries no positions (no GPS5 or GPS9 stream); give a GPX or CSV track.")
        raise InputError(f"{path} carries no positions ({' or '.join(f.name for f in fitting)}); give a GPX or CSV track.")
    return _checked(chosen.read(path), path)


def embedded_name(path: Path) -> str | None:
    """Name of the position track inside a video file ("GPS5", "KLV"), whether or not it has a lock; None where there is none."""
    return next((f.name for f in FORMATS if f.holds is not None and path.suffix.lower() != ".raw" and f.holds(path)), None)


def embedded_track(info: VideoInfo) -> Track | None:
    """The positions inside a video or image folder; None where there are none, or none with a lock. Never used for the answer."""
    if info.embedded_gps is None:
        return None
    try:
        return read_track(info.path, kind=info.embedded_gps)
    except InputError:
        return None


def _checked(track: Track, path: Path) -> Track:
    """The one place that every reader's positions pass: those that are none are left out, and said.

    0, 0 is what receivers write while they have no lock, in every format.
    """
    time_s, lat, lon = (np.asarray(values, dtype=np.float64) for values in (track.time_s, track.lat_deg, track.lon_deg))
    void = (lat == 0) & (lon == 0)
    impossible = ~(np.isfinite(time_s) & np.isfinite(lat) & np.isfinite(lon) & (np.abs(lat) <= 90) & (np.abs(lon) <= 180))
    kept = ~(void | impossible)
    if not kept.any():
        raise InputError(f"{path} holds no usable position ({track.source} without a single fix); give another track.")
    said = [track.note] if track.note else []
    if path.is_file() and own_kind(path) is not None:
        said.append(f"{path.name} is an answer of this tool, not a receiver's track: it is no truth.")
    if void.any():
        said.append(f"{int(void.sum())} of {len(kept)} positions of {path.name} are 0, 0 (no lock) and were left out.")
    if impossible.any():
        said.append(f"{int(impossible.sum())} of {len(kept)} positions of {path.name} are outside ±90° and ±180° and were left out.")
    names = None if track.names is None else tuple(name for name, keep in zip(track.names, kept, strict=True) if keep)
    return replace(track, time_s=time_s[kept], lat_deg=lat[kept], lon_deg=lon[kept], names=names, note=" ".join(said))
