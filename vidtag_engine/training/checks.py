"""What can be known to be wrong before hours of work, and before a folder is made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..datasets import LabelledSequence
from ..file_marks import refusal
from ..types import InputError, VideoInfo
from ..video import ImageFolder, open_source, read_track
from ..video.align_track import align
from .features import Source

# Enough moments of a video to see whether its track overlaps with it.
_MOMENTS = 10_000


def check_sources(sources: Sequence[Source]) -> list[str]:
    """Open every source and its track, and see that at least one pair overlaps in time; a data set has checked its sequences itself.

    Returns:
        What a person should look at in the tracks, a sentence or more each.

    Raises:
        InputError: a source or a track cannot be read, its times are in another unit than seconds, or none of them overlap.
    """
    whys, overlap, notes = [], False, []
    for source in sources:
        if isinstance(source, LabelledSequence):
            return []
        info = open_source(source.path, kind=source.kind)
        track = read_track(source.truth or source.path)
        times_s, names = moments(info)
        if times_s is None:  # its length shows only when it is decoded
            overlap = True
            continue
        found = align(track, info, times_s, names)
        overlap |= found.overlaps
        if found.warnings:
            notes.append(f"{source.path.name}: {' '.join(found.warnings)}")
        if not found.overlaps:
            whys.append(f"{(source.truth or source.path).name} says nothing about {source.path.name} ({found.why_none})")
    if overlap:
        return notes
    raise InputError(
        f"No frame has a true position: {'; '.join(whys[:3])}; check that the tracks belong to the videos, and their start times."
    )


def check_output(folder: Path, sources: Sequence[Source], *, overwrite: bool = False) -> None:
    """See that a checkpoint folder can be made or written to, and that nothing of anybody else's would be lost.

    Args:
        folder: of the checkpoint.
        sources: that are read.
        overwrite: files of a checkpoint's names may be replaced whosesoever they are.

    Raises:
        InputError: it is not so.
    """
    inputs: list[Path] = []
    for source in sources:
        inputs += source.paths if isinstance(source, LabelledSequence) else [source.path, *([source.truth] if source.truth else [])]
    if (why := refusal(folder, "checkpoint", inputs=inputs, overwrite=overwrite)) is not None:
        raise InputError(why)


def moments(info: VideoInfo) -> tuple[np.ndarray | None, list[str] | None]:
    """Times (n,) in seconds of some of the frames, and their names where they have any."""
    if info.kind == "images":
        images = ImageFolder.read(info.path)
        return np.asarray(images.time_s), [path.name for path in images.paths]
    if info.duration_s is None:
        return None, None
    return np.linspace(0.0, info.duration_s, min(_MOMENTS, int(info.duration_s * 10) + 2)), None
