"""Which truth belongs to which video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..file_marks import own_kind
from ..types import InputError
from ..video import embedded_name, find_videos
from .features import TrainingSource

# Every kind of track that the reader knows, but for what are videos themselves; a plain text goes last.
TRACK_SUFFIXES = (".gpx", ".csv", ".tsv", ".srt", ".kml", ".kmz", ".geojson", ".klv", ".raw", ".txt")


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
    listed: dict[Path, dict[str, Path]] = {}
    given = dict(zip([*single, *images], tracks, strict=False))
    sources = [TrainingSource(file, given.get(file) or _named_as(file, folders, listed), "video") for file, _ in files]
    sources += [TrainingSource(folder, given.get(folder), "images") for folder in images]
    if not sources:
        raise InputError("There is nothing to train on: give at least one --video with its --truth, or --images.")
    return sources


def _named_as(video: Path, folders: Sequence[Path], listed: dict[Path, dict[str, Path]]) -> Path | None:
    """The track in one of the folders that is named as the video, in any case; None means embedded."""
    for folder in [*folders, *([video.parent] if not folders else [])]:
        if folder not in listed:
            listed[folder] = _tracks_in(folder)
        if (found := listed[folder].get(video.stem.casefold())) is not None:
            return found
    if folders and embedded_name(video) is None:
        raise InputError(f"{video.name} has no track: put one named {video.stem}.gpx or {video.stem}.csv into {folders[0].name}.")
    return None


def _tracks_in(folder: Path) -> dict[str, Path]:
    """Of each name the track: this tool's own answers last, in the folder itself before one below, then in the order of the suffixes."""
    found = [file for file in folder.rglob("*") if file.suffix.lower() in TRACK_SUFFIXES and file.is_file()]
    found.sort(key=lambda file: (own_kind(file) is not None, len(file.parts), TRACK_SUFFIXES.index(file.suffix.lower()), file))
    return {file.stem.casefold(): file for file in reversed(found)}
