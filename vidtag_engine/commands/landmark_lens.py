"""What is known of a video's lens before somebody clicks landmarks in one of its pictures."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..export.moments import VideoMoments
from ..landmarks import COMMON_LENS, Landmark, LensPrior, locate_camera
from ..motion.told_lens import told_view
from ..types import InputError
from ..video import find_original, open_source

_ENOUGH = 4  # landmarks, from which on they tell the lens
_SAME_LENS = 0.01  # how far a lens that is focused anew is off from itself, standard deviation of the logarithm


def file_lens(video: VideoMoments, places: Sequence[Path], beside: Path) -> LensPrior | None:
    """What the video's file says of its lens; None where the file is not there, or says nothing.

    Args:
        video: of the result.
        places: files and folders to look in.
        beside: folder of the result.
    """
    told = None
    for images in (False, True):
        with contextlib.suppress(InputError):
            told = told_view(open_source(find_original(video.file, video.sha256, places, (beside,), images=images)))
            break
    if told is None:
        return None
    view_deg, share = told
    return LensPrior(1 / (2 * math.tan(math.radians(view_deg) / 2)), share)


def lens_by_others(
    others: Iterable[tuple[Sequence[Landmark], tuple[float, float]]], lens: LensPrior = COMMON_LENS, *, noise_px: float, tilt_deg: float
) -> LensPrior | None:
    """The lens by landmarks in other pictures of the video, each in turn on top of what was known before; None where none tells it.

    Args:
        others: landmarks and the width and height of the picture that they are in.
        lens: what was known before.
        noise_px, tilt_deg: see :func:`~vidtag_engine.landmarks.locate_camera`.
    """
    found = None
    for landmarks, size_px in others:
        if len(landmarks) < _ENOUGH:
            continue
        try:
            resection = locate_camera(landmarks, *size_px, noise_px=noise_px, tilt_deg=tilt_deg, lens=found or lens)
        except InputError:
            continue
        if resection.ambiguous or resection.notes:
            continue
        place = resection.places[0]
        found = LensPrior(place.focal_share, math.hypot(place.focal_spread, _SAME_LENS))
    return found
