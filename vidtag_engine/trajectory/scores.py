"""What a video was decoded from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..types import FloatArray, IntArray
from .decoder_calibration import PathCalibration


@dataclass(frozen=True)
class VideoScores:
    """One video's scores over the places of an area.

    Args:
        lat_lon_deg: (M, 2) an even cover of the area.
        spacing_m: of the places.
        scores: (T, M) cosines of the frames that have a picture; (T, sectors * M), direction by direction, where states are places and directions.
        frame_index: (T,) of those frames.
        time_s: (T,).
        line: (T, 2) lat, lon of the line as it was decoded without pins, before it was moved to finer candidates.
        calibration: of paths, that the video was decoded by; the detectors of other places and of novelty are not kept.
        cuts: rows that begin a new shot.
        recognised: which kind of video it was, for how sure to be.
        known: (M,) on which of the places the model's own answer was sought, as the checkpoint knows the ground there; None: on all.
        prior: (K,) of these, where the camera was held to be before anything was seen; None: anywhere alike.
    """

    lat_lon_deg: FloatArray
    spacing_m: float
    scores: FloatArray
    frame_index: IntArray
    time_s: FloatArray
    line: FloatArray
    calibration: PathCalibration
    cuts: tuple[int, ...] = ()
    recognised: bool = True
    known: NDArray[np.bool_] | None = None
    prior: FloatArray | None = None
