"""Score margins: how far a line's scores are above the best ones of places that are not near it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from scipy.ndimage import uniform_filter1d

from ..directions import over_places
from ..geodesy import EARTH_RADIUS_M, unit_vectors
from ..types import FloatArray
from .decoder import Decoder, Scores

_ELSEWHERE = 1.5  # accuracies, or spacings, from the line: within, it is no other place
_MARGIN_FRAMES = 15  # that a margin is averaged over
CLEAR = 0.2  # share of a video's frames that show their places clearly, where they are recognised
NO_RIVAL = 1e6  # the margin where all places are near
_OF_EXTENT = 0.25  # of an area's extent, that another place begins from the line at most: else a small area would hold none
_MOST_WITHOUT = 0.5  # of a video's frames may have no rival; of more nothing tells whether it is recognised
_BLOCK = 4_000_000  # frames times places held at once


def frame_margins(decoder: Decoder, scores: FloatArray | Scores, lat_lon_deg: FloatArray, apart_m: float) -> FloatArray:
    """(T,) how far a line's scores are above the best ones elsewhere, frame by frame.

    ``NO_RIVAL`` where no place is so far off.

    Args:
        decoder, scores, lat_lon_deg, apart_m: as :func:`score_margin`.
    """
    frames, found = len(lat_lon_deg), np.empty(len(lat_lon_deg))
    home, points_m = decoder.nearest(lat_lon_deg), unit_vectors(*lat_lon_deg.T) * EARTH_RADIUS_M
    every = np.arange(len(decoder.points_m))
    size = max(1, _BLOCK // len(decoder.points_m))
    for start in range(0, frames, size):
        rows = slice(start, min(start + size, frames))
        of_places = over_places(scores(rows) if callable(scores) else scores[rows], len(every))
        for row, given in enumerate(of_places, start):
            far = decoder.apart2_m2(points_m[row], every) > apart_m**2
            found[row] = min(given[home[row]] - given.max(where=far, initial=-np.inf), NO_RIVAL)
    return found


def rivals_from_m(decoder: Decoder, accuracy_m: float, apart_m: float | None) -> float:
    """How far from a line another place begins, in metres.

    Args:
        decoder: of the area. It has no place nearer than one and a half spacings that is another one; and a quarter of its extent is far.
        accuracy_m: of the line.
        apart_m: that was fitted; None, of checkpoints made before, is one and a half accuracies, however small the area.
    """
    extent_m = float(np.linalg.norm(np.ptp(decoder.points_m, axis=0)))
    wanted_m = _ELSEWHERE * accuracy_m if apart_m is None else min(apart_m, _OF_EXTENT * extent_m)
    return max(_ELSEWHERE * decoder.spacing_m, wanted_m)


def recognition(decoder: Decoder, similarity: Scores | None, lat_lon_deg: FloatArray, apart_m: float) -> float:
    """How clearly the line's places are recognised: the margin that one frame in five exceeds, of its similarity to what is kept of them over other places.

    A frame that shows its place clearly is rare, on a street that training went along, too; on one that it did not hardly any does.

    Args:
        decoder, lat_lon_deg, apart_m: as :func:`score_margin`.
        similarity: gives the (B, M) similarity of a slice of frames to what is kept of the decoder's places; None where nothing is.

    Returns:
        NaN where nothing tells: that no other place is there to be mistaken for is no sign that this is the right one.
    """
    if similarity is None or not len(lat_lon_deg):
        return math.nan
    margins = frame_margins(decoder, similarity, lat_lon_deg, apart_m)
    rivalled = margins[margins < NO_RIVAL]
    return float(np.quantile(rivalled, 1.0 - CLEAR)) if len(rivalled) > _MOST_WITHOUT * len(margins) else math.nan


def score_margin(
    decoder: Decoder, scores: FloatArray | Scores, lat_lon_deg: FloatArray, apart_m: float, cuts: Iterable[int] = ()
) -> FloatArray:
    """(T,) how far a line's scores are above the best ones elsewhere, on average over neighbouring frames of a shot.

    ``NO_RIVAL`` where no place is so far off.

    The posterior tells how well the frames agree on a place; this, whether each of them finds that the place stands out, as places do that training saw.

    Args:
        decoder: whose places they are over.
        scores: as for :meth:`.decoder.Decoder.decode`.
        lat_lon_deg: (T, 2) the line.
        apart_m: from the line: beyond, it is another place.
        cuts: rows that begin a new shot.
    """
    frames, found = len(lat_lon_deg), frame_margins(decoder, scores, lat_lon_deg, apart_m)
    return np.concatenate([found[:0], *map(_evened, np.split(found, sorted(row for row in cuts if 0 < row < frames)))])


def _evened(values: FloatArray) -> FloatArray:
    """Means over neighbours, fewer at the ends."""
    if not len(values):
        return values
    total, count = (uniform_filter1d(one, _MARGIN_FRAMES, mode="constant") for one in (values, np.ones(len(values))))
    mean = total / count
    result: FloatArray = np.where(mean > NO_RIVAL / 100.0, NO_RIVAL, mean)  # one without a rival leaves its neighbours none
    return result
