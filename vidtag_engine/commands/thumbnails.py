"""Small pictures of a result's frames for QGIS's map tips: one pass over each video, into a file of their own beside the result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..export.moments import VideoMoments, read_moments
from ..export.thumbnails_file import Row, key_of, read_thumbnails, thumbnail, thumbnails_path, writing_thumbnails
from ..feedback import Feedback
from ..outputs import check_files
from ..types import InputError
from ..video import FrameReader, find_original, open_source

if TYPE_CHECKING:
    from ..command_arguments import ThumbnailsArguments

_SAME_MOMENT_S = 0.002
_LATE_S = 0.001
"""Times may be kept in milliseconds; a picture lasts longer than this."""
_SMALLEST_PX, _LARGEST_PX = 32, 640


def run_thumbnails(arguments: ThumbnailsArguments, *, feedback: Feedback = Feedback()) -> dict[str, Any]:
    """Write the file. A video whose pictures an earlier one holds already is not read again.

    Returns:
        ``file``; ``bytes`` of it; ``pictures`` in it; ``frames`` of the result; ``read``, videos that were read for it; ``missing``, those that have no
        picture or not all, by name, with the sentence why.

    Raises:
        InputError: the result cannot be read, not one picture could be made, or the file cannot be written.
        CancelledError: stopped; an earlier file is as it was.
    """
    result = Path(arguments.result)
    output = Path(arguments.output) if arguments.output else thumbnails_path(result)
    if not _SMALLEST_PX <= arguments.longest_px <= _LARGEST_PX:
        raise InputError(f"Pictures of {arguments.longest_px} pixels are none for a map tip: give {_SMALLEST_PX} to {_LARGEST_PX}.")
    videos = [video for video in read_moments(result) if len(video.time_s)]
    if not videos:
        raise InputError(f"{result.name} holds no frames: there is nothing to show a picture of.")
    check_files("thumbnails", asdict(replace(arguments, output=str(output))))
    for place in map(Path, arguments.videos):
        if not place.exists():
            raise InputError(f"{place} is not there: correct the path of the videos.")
    feedback = feedback.saying("Stopped; no pictures were written.")
    frames, written, read = sum(len(video.time_s) for video in videos), 0, 0
    missing: dict[str, str] = {}
    with writing_thumbnails(output, overwrite=arguments.overwrite) as file:
        begun = 0
        for video in videos:
            part = feedback.part(begun / frames, (begun + len(video.time_s)) / frames)
            begun += len(video.time_s)
            kept = _kept(output, video, arguments.longest_px)
            if len(kept) < len(video.time_s):
                read += 1
                try:
                    kept |= dict(_made(video, arguments, result.parent, part))
                except InputError as error:
                    missing[video.name] = str(error)
            file.add(kept.values())
            written += len(kept)
        if not written:
            raise InputError(
                next(iter(missing.values()), "Every frame of the result is damaged in its video: there is no picture to make.")
            )
    feedback.tell(1.0, "done", f"{written} pictures")
    return {
        "file": str(output),
        "bytes": output.stat().st_size,
        "pictures": written,
        "frames": frames,
        "read": read,
        "missing": [{"video": name, "why": why} for name, why in missing.items()],
    }


def _kept(output: Path, video: VideoMoments, longest_px: int) -> dict[str, Row]:
    """Pictures of an earlier file for the frames that the result has now, under their keys of now."""
    earlier = read_thumbnails(output, video.sha256, longest_px)
    found: dict[str, Row] = {}
    for index, time_s in zip(video.frame_index.tolist(), video.time_s.tolist(), strict=True):
        key = key_of(video.name, time_s)
        row = earlier.get(int(key.rpartition("@")[2]))
        if row is not None:
            found[key] = (key, video.name, video.sha256, index, time_s, longest_px, row[-1])
    return found


def _made(video: VideoMoments, arguments: ThumbnailsArguments, beside: Path, feedback: Feedback) -> Iterator[tuple[str, Row]]:
    """The frames' pictures with their keys, read from the video in one pass; those of damaged frames are left out. Raises InputError."""
    places = [Path(place) for place in arguments.videos]
    feedback.tell(0.0, "pictures", f"looking for {video.file}")
    path = find_original(video.file, video.sha256 or None, places, (beside, Path.cwd()), images=video.kind == "images")
    feedback.check()
    order = np.argsort(video.time_s, kind="stable")
    times = video.time_s[order]
    with FrameReader(open_source(path, kind=video.kind), feedback=feedback, small_px=arguments.longest_px, at_s=times + _LATE_S) as reader:
        for number, frame in enumerate(reader):
            feedback.check()
            feedback.tell((number + 1) / len(times), "pictures", f"{video.name}: {number + 1} of {len(times)}")
            near = int(np.argmin(np.abs(times - frame.time_s)))
            if frame.image is None or abs(times[near] - frame.time_s) > _SAME_MOMENT_S:
                continue
            index, time_s = int(video.frame_index[order[near]]), float(times[near])
            key = key_of(video.name, time_s)
            yield key, (key, video.name, video.sha256, index, time_s, arguments.longest_px, thumbnail(frame.image))
