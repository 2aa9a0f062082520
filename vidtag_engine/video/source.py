"""One input sequence: open it, find many of them in a folder, give them names that differ."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

import numpy as np

from ..types import FloatArray, InputError, TimeSource, VideoInfo
from .container import check_readable_file, probe
from .image_folder import ImageFolder, image_paths
from .tracks import embedded_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

# The flagged base of a video whose time is not known.
SYNTHETIC_START = datetime(2000, 1, 1, tzinfo=UTC)
VIDEO_SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".mpe", ".m2v", ".vob", ".wmv", ".asf",
    ".flv", ".3gp", ".3g2", ".ogv", ".mxf", ".360", ".lrv", ".insv", ".h264", ".264", ".h265", ".265", ".hevc", ".dv", ".y4m",
}  # fmt: skip


def open_source(path: Path, *, kind: str = "auto", start_time: datetime | None = None, zone: tzinfo = UTC) -> VideoInfo:
    """Look at one input without reading it through.

    Args:
        path: a video file, or a folder of images.
        kind: "video", "images", or "auto": a file is a video, a folder of images (and no videos) a sequence.
        start_time: of ``time_s`` = 0, over whatever the file says; a naive one is in ``zone``.
        zone: of EXIF times that name no offset.

    Raises:
        InputError: in one sentence, what is wrong with the input and what to do.
    """
    if kind not in {"auto", "video", "images"}:
        raise InputError(f"The kind {kind!r} of {path} is not known; give auto, video or images.")
    if kind == "images" or (kind == "auto" and path.is_dir()):
        return _open_images(path, kind, start_time, zone)
    looked = probe(path)
    found_source = TimeSource.CONTAINER_END if looked.time_is_end else TimeSource.CONTAINER
    start, source = _start(start_time, looked.start_time, found_source, zone)
    return VideoInfo(
        path=path,
        name=path.name,
        kind="video",
        width_px=looked.width_px,
        height_px=looked.height_px,
        duration_s=looked.duration_s,
        start_time=start,
        time_source=source,
        embedded_gps=embedded_name(path),
        rotation_deg=looked.turn * 90,
        variable_frame_rate=looked.variable_frame_rate,
        notes=looked.notes,
    )


def find_videos(folder: Path, recursive: bool = False) -> list[Path]:
    """The video files in ``folder`` by their suffixes, sorted; hidden ones left out. Raises InputError where there are none."""
    if not folder.exists():
        raise InputError(f"The folder {folder} does not exist; check the path.")
    if not folder.is_dir():
        raise InputError(f"{folder} is a file, not a folder of videos; give it as a video.")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise InputError(f"The folder {folder} may not be read by this user; change its permissions.")
    found = sorted(path for path in _files(folder, recursive) if path.suffix.lower() in VIDEO_SUFFIXES)
    if not found:
        if image_paths(folder):
            raise InputError(f"The folder {folder} holds images and no videos; give it with --images to read it as one sequence.")
        below = "" if recursive else " directly in it"
        raise InputError(f"The folder {folder} holds no videos{below}; give a folder with video files.")
    return found


def frame_names(info: VideoInfo, time_s: FloatArray) -> list[str] | None:
    """File names of an image sequence's frames, by their times: truth may belong to names. None for a video, or where the folder is gone."""
    if info.kind != "images" or not info.path.is_dir():
        return None
    folder = ImageFolder.read(info.path)
    return [folder.paths[int(np.argmin(np.abs(folder.time_s - moment)))].name for moment in time_s]


def unique_names(infos: Iterable[VideoInfo]) -> list[VideoInfo]:
    """The same sequences with names that differ, see :func:`distinct_names`."""
    infos = list(infos)
    names = distinct_names([(info.name, info.path) for info in infos])
    return [replace(info, name=name) for info, name in zip(infos, names, strict=True)]


def distinct_names(named: Sequence[tuple[str, Path]]) -> list[str]:
    """Names that differ: of equal ones, as many parent folders as it takes are put before (``day2/a.mp4``).

    One and the same path given twice gets a number.
    """
    names = [name for name, _ in named]
    deepest = max((len(path.parts) for _, path in named), default=0)
    for depth in range(2, deepest + 1):
        counts = Counter(names)
        if max(counts.values(), default=0) <= 1:
            break
        names = ["/".join(path.parts[-depth:]) if counts[name] > 1 else name for (_, path), name in zip(named, names, strict=True)]
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique


def _open_images(path: Path, kind: str, start_time: datetime | None, zone: tzinfo) -> VideoInfo:
    if not path.exists():
        raise InputError(f"The folder {path} does not exist; check the path.")
    if not path.is_dir():
        check_readable_file(path, "folder of images")
        raise InputError(f"{path} is a file, not a folder of images; give the folder, or the file as a video.")
    if kind == "auto" and any(p.suffix.lower() in VIDEO_SUFFIXES for p in _files(path, recursive=False)):
        raise InputError(f"{path} is a folder of videos, not a video; give the videos in it, or --images to read its images.")
    images = ImageFolder.read(path)
    first = next(stamp for stamp in images.stamps if stamp is not None)
    taken = images.first_taken
    if taken is not None and not any(stamp is not None and stamp.taken == taken and stamp.zoned for stamp in images.stamps):
        taken = taken.replace(tzinfo=zone)  # the camera's clock, which names no offset
    start, source = _start(start_time, taken, TimeSource.EXIF, zone)
    return VideoInfo(
        path=path,
        name=path.name or str(path),
        kind="images",
        width_px=first.size_px[0],
        height_px=first.size_px[1],
        duration_s=images.duration_s,
        start_time=start,
        time_source=source,
        embedded_gps="EXIF" if any(s is not None and s.lat_deg is not None for s in images.stamps) else None,
        rotation_deg=first.rotation_deg,
        variable_frame_rate=images.first_taken is not None,
        notes=images.notes,
    )


def _start(given: datetime | None, found: datetime | None, found_source: TimeSource, zone: tzinfo) -> tuple[datetime, TimeSource]:
    if given is not None:
        return (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC), TimeSource.ARGUMENT
    if found is not None:
        return found.astimezone(UTC), found_source
    return SYNTHETIC_START, TimeSource.SYNTHETIC


def _files(folder: Path, recursive: bool) -> Iterator[Path]:
    for path in folder.rglob("*") if recursive else folder.iterdir():
        if not any(part.startswith(".") for part in path.relative_to(folder).parts) and path.is_file():
            yield path
