"""Whether a video was taken in the area that is searched, or in another place that the checkpoint knows.

A video's out-of-area score is its best score over the training's ground outside the area less its best one in the area. It compares blocks of
ground of 300 m, by the mean over neighbouring frames of each one's best place in the block: frames that follow each other were taken near each other,
and one frame's best of a whole town is mostly chance. Where the video was taken beyond, on ways that the checkpoint knows, its frames find them there,
and the score is high. Chance finds more on much ground than on little, so it is read beside how much of the training's ground lies in the area. Beside it
is read how clearly the video is recognised beyond: the similarity to the reference images there, over that of the area, that one frame in five exceeds.
Held-out videos say what it means: they are searched for
in parts of their surroundings, large and small, that they were taken in, and in others.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M, unit_vectors
from ..types import FloatArray, IntArray
from .decoder import Scores
from .score_margin import CLEAR

_UNSURE = 0.35  # P(inside), from which on nothing is called outside, however rare its odds
_FEWEST = 3.0  # videos, that can make any odds rare
_BLOCK_M = 300.0
_PIECE = 15  # frames that a block's score is averaged over


@dataclass(frozen=True)
class OutOfAreaDetector:
    """Where the checkpoint was trained, and what an out-of-area score means.

    Args:
        lat_lon_deg: (N, 2) an even cover of the ground about its training places.
        spacing_m: of it.
        slope: log odds of having been taken outside, a unit of the score; 0 where it could not be fitted.
        size: of the same, a unit of the natural log of how much of the training's ground lies in the area beside what lies outside.
        recognised: of the same, a unit of how clearly the video is recognised outside (:func:`recognised_beyond`).
        intercept: log odds where all are 0, with even odds before.
        most_odds: log odds that 7 % of held-out videos taken inside exceed, or one in n + 1 of n that are fewer; None where there are none.
        videos: that were searched for where they were taken, or where they were not if those are fewer.
    """

    lat_lon_deg: FloatArray
    spacing_m: float
    slope: float = 0.0
    size: float = 0.0
    recognised: float = 0.0
    intercept: float = 0.0
    most_odds: float | None = None
    videos: float = 0.0

    def outside(self, cover_lat_lon_deg: FloatArray, cover_spacing_m: float) -> NDArray[np.bool_]:
        """(N,) which training places lie outside an area given by its cover."""
        tree = cKDTree(unit_vectors(*cover_lat_lon_deg.T) * EARTH_RADIUS_M)
        # Farther away nothing is looked for, which is most of the time.
        apart_m = tree.query(self._points_m, distance_upper_bound=0.5 * (cover_spacing_m + self.spacing_m))[0]
        return np.isinf(apart_m)

    @cached_property
    def _points_m(self) -> FloatArray:
        return unit_vectors(*self.lat_lon_deg.T) * EARTH_RADIUS_M

    @property
    def tells(self) -> bool:
        """Whether scores say anything."""
        return self.slope > 0.0 or self.recognised > 0.0

    @property
    def withholds(self) -> bool:
        """Whether any odds are called outside: three videos or more say which are rare inside."""
        return self.most_odds is not None and self.videos >= _FEWEST

    def log_odds(self, score: float, outside: NDArray[np.bool_], clearly: float = 0.0) -> float:
        """Of having been taken outside, with even odds before; NaN where scores say nothing, or none of the ground lies inside.

        Args:
            score: of the video, as :func:`out_of_area_score` gives it.
            outside: (N,) what :meth:`outside` gives of the area.
            clearly: as :func:`recognised_beyond` gives it.
        """
        inside = len(outside) - int(outside.sum())
        if not self.tells or not 0 < inside < len(outside):
            return math.nan
        return self.slope * score + self.size * log_ratio(outside) + self.recognised * clearly + self.intercept

    def p_inside(self, log_odds: float) -> float:
        """P(a video was taken in the area), never beyond what the held-out videos can say."""
        if not math.isfinite(log_odds):
            return math.nan
        least = 1.0 / (self.videos + 2.0)
        return float(np.clip(1.0 / (1.0 + math.exp(min(log_odds, 700.0))), least, 1.0 - least))

    def is_outside(self, log_odds: float) -> bool:
        """Whether hardly any video taken in the area has such odds, and videos taken outside have."""
        return self.withholds and log_odds > (self.most_odds or 0.0) and self.p_inside(log_odds) < _UNSURE

    @cached_property
    def blocks(self) -> IntArray:
        """(2, N) blocks of ground that the places lie in; see :func:`blocks_of_ground`."""
        return blocks_of_ground(self.lat_lon_deg)

    def to_dict(self) -> dict[str, Any]:
        """JSON values; places as base64 of float32."""
        places = base64.b64encode(np.ascontiguousarray(self.lat_lon_deg, dtype="<f4").tobytes()).decode()
        numbers = {name: getattr(self, name) for name in ("spacing_m", "slope", "size", "recognised", "intercept", "most_odds", "videos")}
        return {"lat_lon_deg": places, **numbers}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> OutOfAreaDetector:
        """Read what ``to_dict`` wrote; what was written before these scores were read says nothing. Raises ValueError where numbers cannot be."""
        places = np.frombuffer(base64.b64decode(values["lat_lon_deg"]), dtype="<f4").astype(np.float64).reshape(-1, 2)
        if "size" not in values:
            return cls(places, float(values["spacing_m"]))
        numbers = {name: float(values[name]) for name in ("slope", "size", "intercept", "videos")}
        numbers["recognised"] = float(values.get("recognised", 0.0))
        most_odds = None if values["most_odds"] is None else float(values["most_odds"])
        if not all(map(math.isfinite, (*numbers.values(), most_odds or 0.0))) or numbers["videos"] < 0.0:
            raise ValueError(f"odds of having been taken outside by {numbers} and {most_odds}")
        return cls(places, float(values["spacing_m"]), **numbers, most_odds=most_odds)


def blocks_of_ground(lat_lon_deg: FloatArray) -> IntArray:
    """(2, M) numbers of the blocks of 300 m that places (M, 2) lie in, of two lattices half a block apart: what one cuts in two the other has whole."""
    cells = unit_vectors(*lat_lon_deg.T) * (EARTH_RADIUS_M / _BLOCK_M)
    return np.stack([np.unique(np.floor(cells + off).astype(np.int64), axis=0, return_inverse=True)[1].ravel() for off in (0.0, 0.5)])


def out_of_area_score(inner: Scores, outer: Scores, frames: int, inner_blocks: IntArray, outer_blocks: IntArray) -> float:
    """The best block's score outside the area less the best one's in it, on average over pieces of a video; NaN of no frame.

    Args:
        inner: gives the (B, M) scores of a slice of frames over the area.
        outer: likewise (B, N), over the known ground outside.
        frames: T.
        inner_blocks, outer_blocks: (2, M) and (2, N), as :func:`blocks_of_ground` gives them.
    """
    if not frames:
        return math.nan
    pieces = np.array_split(np.arange(frames), -(-frames // _PIECE))
    found = []
    for piece in pieces:
        rows = slice(int(piece[0]), int(piece[-1]) + 1)
        found.append((_best_block(outer(rows), outer_blocks) - _best_block(inner(rows), inner_blocks)) * len(piece))
    return float(sum(found) / frames)


def _best_block(scores: FloatArray, blocks: IntArray) -> float:
    """The highest of the blocks' mean over frames of each one's best place in it."""
    best = []
    for lattice in blocks:
        order = np.argsort(lattice, kind="stable")
        first = np.flatnonzero(np.diff(lattice[order], prepend=-1))
        best.append(np.maximum.reduceat(scores[:, order], first, axis=1).mean(axis=0, dtype=np.float64).max())
    return float(max(best))


def recognised_beyond(inner: FloatArray, outer: FloatArray) -> float:
    """How clearly a video is recognised outside the area: what one frame in five exceeds, of its highest similarity there less its highest one in the area.

    Args:
        inner: (T, B) similarity to what is kept of the area's places.
        outer: (T, N) likewise, of the known ground outside.
    """
    return float(np.quantile(outer.max(axis=1) - inner.max(axis=1), 1.0 - CLEAR)) if len(inner) else 0.0


def log_ratio(outside: NDArray[np.bool_]) -> float:
    """Natural log of the ground inside beside the ground outside, where there is some of both."""
    return math.log((len(outside) - int(outside.sum())) / int(outside.sum()))
