"""Which truth belongs to which video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..types import InputError
from ..video import find_videos
from .features import TrainingSource

TRACK_SUFFIXES = (".gpx", ".csv", ".raw", ".txt")


def pair_sources(videos: Sequence[Path], truths: Sequence[Path], images: Sequence[Path] = ()) -> list[TrainingSource]:
    """Pair videos with tracks: by order where both are files, by name where a folder is given.

    Videos without a track of their own are taken with what is embedded in them; image folders always are, unless a truth remains over for each.

    Raises:
        InputError: counts do not fit, or a video in a folder has no track.
    """
    files: list[tuple[Path, bool]] = []
    for video in videos:
        if video.is_dir():
            files += [(found, True) for found in find_videos(video, recursive=True)]
        else:
            files.append((video, False))
    folders = [truth for truth in truths if truth.is_dir()]
    tracks = [truth for truth in truths if not truth.is_dir()]
    single = [file for file, from_folder in files if not from_folder]
    if tracks and len(tracks) not in {len(single), len(single) + len(images)}:
        raise InputError(f"{len(tracks)} tracks are given for {len(single)} videos: give one --truth for each --video, in the same order.")
    given = dict(zip([*single, *images], tracks, strict=False))
    sources = [TrainingSource(file, given.get(file) or _named_as(file, folders), "video") for file, _ in files]
    sources += [TrainingSource(folder, given.get(folder), "images") for folder in images]
    if not sources:
        raise InputError("There is nothing to train on: give at least one --video with its --truth, or --images.")
    return sources


def _named_as(video: Path, folders: Sequence[Path]) -> Path | None:
    """The track in one of the folders that is named as the video; None means embedded."""
    for folder in [*folders, *([video.parent] if not folders else [])]:
        for suffix in TRACK_SUFFIXES:
            for candidate in (folder / f"{video.stem}{suffix}", *folder.glob(f"**/{video.stem}{suffix}")):
                if candidate.is_file():
                    return candidate
    if folders:
        raise InputError(f"{video.name} has no track: put one named {video.stem}.gpx or {video.stem}.csv into {folders[0].name}.")
    return None
