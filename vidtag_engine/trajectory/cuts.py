"""Where a video jumps to another shot."""

from __future__ import annotations

import numpy as np

from ..types import FloatArray

_LEAST_FRAMES = 8  # fewer do not show what a video's own changes are
_FAR = 8.0  # robust deviations
_LEAST_DROP = 0.3  # of the similarity itself


def cuts(features: FloatArray) -> list[int]:
    """Rows whose picture has nothing to do with the one before: far less alike than the video's successive frames are.

    Conservative: a cut that is missed costs a jump, one that is imagined costs the line its memory.

    Args:
        features: (T, D) unit-normalised, successive sampled frames.
    """
    if len(features) < _LEAST_FRAMES:
        return []
    alike = np.sum(np.asarray(features[:-1], dtype=np.float64) * features[1:], axis=1)
    middle = float(np.median(alike))
    deviation = 1.4826 * float(np.median(np.abs(alike - middle)))
    return [int(row) + 1 for row in np.flatnonzero(alike < middle - max(_FAR * deviation, _LEAST_DROP * abs(middle)))]
