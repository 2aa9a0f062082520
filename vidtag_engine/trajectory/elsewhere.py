"""Whether a video was taken in the area that is searched, or in another place that the checkpoint knows.

A video's lead beyond is its best score over the training's ground outside the area less its best one in the area. A score is that of a block of ground of 300 m, the
mean over neighbouring frames of each one's best place in the block: frames that follow each other were taken near each other, and one frame's best of a whole
town is mostly chance. Where the video was taken beyond, on ways that the checkpoint knows, its frames find them there, and the lead is high. Chance finds more on
much ground than on little, so it is read beside how much of the training's ground lies in the area. Beside it is read how clearly the video is recognised beyond:
the similarity to what is kept of the ground there, over that of the area, that one frame in five exceeds. Held-out videos say what it means: they are searched for
in parts of their surroundings, large and small, that they were taken in, and in others.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M, haversine_m, unit_vectors
from ..types import FloatArray, IntArray
from .conformal import conformal_level, frame_weights
from .decoder import Scores
from .lead import CLEAR
from .logistic import fit_logistic

_MOST_PLACES = 12_000
_APART = 1.5  # spacings: nearer training places belong to the area
_REGION_M = 10_000.0
_TURNS = 4
_MARGIN_M = 500.0  # from the area, of a video outside: nearer, both sides know its way
_FALSE_ALARMS = 0.07  # of held-out videos, most of them on streets that are not recognised; on recognised ones it is to stay within 5 %
_UNSURE = 0.35  # P(inside), from which on nothing is called outside, however rare its odds
_FEWEST = 3.0  # videos, that can make any odds rare
_BLOCK_M = 300.0
_PIECE = 15  # frames that a block's score is averaged over


@dataclass(frozen=True)
class Elsewhere:
    """Where the checkpoint was trained, and what a lead of that ground over the searched area means.

    Args:
        lat_lon_deg: (N, 2) an even cover of the ground about its training places.
        spacing_m: of it.
        slope: log odds of having been taken outside, a unit of the lead; 0 where it could not be fitted.
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
        """Whether leads say anything."""
        return self.slope > 0.0 or self.recognised > 0.0

    @property
    def withholds(self) -> bool:
        """Whether any odds are called outside: three videos or more say which are rare inside."""
        return self.most_odds is not None and self.videos >= _FEWEST

    def log_odds(self, lead: float, outside: NDArray[np.bool_], clearly: float = 0.0) -> float:
        """Of having been taken outside, with even odds before; NaN where leads say nothing, or none of the ground lies inside.

        Args:
            lead: of the video, as :func:`lead_beyond` gives it.
            outside: (N,) what :meth:`outside` gives of the area.
            clearly: as :func:`recognised_beyond` gives it.
        """
        inside = len(outside) - int(outside.sum())
        if not self.tells or not 0 < inside < len(outside):
            return math.nan
        return self.slope * lead + self.size * _log_ratio(outside) + self.recognised * clearly + self.intercept

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
    def from_dict(cls, values: Mapping[str, Any]) -> Elsewhere:
        """Read what ``to_dict`` wrote; what was written before leads were read says nothing. Raises ValueError where numbers cannot be."""
        places = np.frombuffer(base64.b64decode(values["lat_lon_deg"]), dtype="<f4").astype(np.float64).reshape(-1, 2)
        if "size" not in values:
            return cls(places, float(values["spacing_m"]))
        numbers = {name: float(values[name]) for name in ("slope", "size", "intercept", "videos")}
        numbers["recognised"] = float(values.get("recognised", 0.0))
        most_odds = None if values["most_odds"] is None else float(values["most_odds"])
        if not all(map(math.isfinite, (*numbers.values(), most_odds or 0.0))) or numbers["videos"] < 0.0:
            raise ValueError(f"odds of having been taken outside by {numbers} and {most_odds}")
        return cls(places, float(values["spacing_m"]), **numbers, most_odds=most_odds)


def known_ground(cover_lat_lon_deg: FloatArray, cover_spacing_m: float, training_lat_lon_deg: FloatArray) -> Elsewhere:
    """The part of the training area's cover (M, 2) that lies about training places (N, 2), on a wider lattice where it is very large."""
    points = unit_vectors(*cover_lat_lon_deg.T) * EARTH_RADIUS_M
    tree = cKDTree(unit_vectors(*training_lat_lon_deg.T) * EARTH_RADIUS_M)
    places = np.flatnonzero(tree.query(points)[0] <= _APART * cover_spacing_m)
    first, lattice_m = np.arange(len(places)), cover_spacing_m
    while len(first) > _MOST_PLACES:
        lattice_m *= 1.25
        first = np.sort(np.unique(np.floor(points[places] / lattice_m).astype(np.int64), axis=0, return_index=True)[1])
    # What one of them stands for: all of them together stand for the same ground.
    return Elsewhere(cover_lat_lon_deg[places[first]], float(cover_spacing_m * np.sqrt(len(places) / max(1, len(first)))))


def blocks_of_ground(lat_lon_deg: FloatArray) -> IntArray:
    """(2, M) numbers of the blocks of 300 m that places (M, 2) lie in, of two lattices half a block apart: what one cuts in two the other has whole."""
    cells = unit_vectors(*lat_lon_deg.T) * (EARTH_RADIUS_M / _BLOCK_M)
    return np.stack([np.unique(np.floor(cells + off).astype(np.int64), axis=0, return_inverse=True)[1].ravel() for off in (0.0, 0.5)])


def lead_beyond(inner: Scores, outer: Scores, frames: int, inner_blocks: IntArray, outer_blocks: IntArray) -> float:
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


@dataclass(frozen=True)
class Searched:
    """A held-out video as it is searched for.

    Args:
        inner: (T, M) scores over the cover of the whole training area.
        outer: (T, N) scores over the known ground.
        lat_lon_deg: (T, 2) truth.
        weight: how much it counts.
        similarity: the same two of its similarity to what is kept of these places; None where nothing is.
    """

    inner: FloatArray
    outer: FloatArray
    lat_lon_deg: FloatArray
    weight: float = 1.0
    similarity: tuple[FloatArray, FloatArray] | None = None


def fit_elsewhere(
    known: Elsewhere,
    cover_lat_lon_deg: FloatArray,
    cover_spacing_m: float,
    videos: Iterable[Searched],
    seed: int = 0,
) -> Elsewhere:
    """What leads mean: held-out videos are searched for in halves of their surroundings and in discs, their own and others.

    Args:
        known: ground of the training.
        cover_lat_lon_deg: (M, 2) cover of the whole training area.
        cover_spacing_m: of it.
        videos: held out.
        seed: of the areas.
    """
    rng, blocks = np.random.default_rng(seed), blocks_of_ground(cover_lat_lon_deg)
    given: dict[bool, list[FloatArray]] = {
        True: [],
        False: [],
    }  # lead, size and how clearly recognised (3, areas) a video, by whether it was taken inside
    weights: dict[bool, list[float]] = {True: [], False: []}
    for one in videos:
        truth = one.lat_lon_deg
        centre = truth.mean(axis=0)
        near = np.flatnonzero(haversine_m(*centre, *cover_lat_lon_deg.T) < _REGION_M)
        flat, path = _flat(cover_lat_lon_deg[near], centre), _flat(truth, centre)
        found: dict[bool, list[tuple[float, float, float]]] = {True: [], False: []}
        for inside, part in _areas(flat, path, rng):
            outside = known.outside(cover_lat_lon_deg[near[part]], cover_spacing_m)
            if outside.any() and not outside.all():
                sides = one.inner[:, near[part]].__getitem__, one.outer[:, outside].__getitem__
                lead = lead_beyond(*sides, len(truth), blocks[:, near[part]], known.blocks[:, outside])
                clearly = recognised_beyond(one.similarity[0][:, near[part]], one.similarity[1][:, outside]) if one.similarity else 0.0
                found[inside].append((lead, _log_ratio(outside), clearly))
        for inside, own in found.items():
            if own:
                given[inside].append(np.array(own).T)
                weights[inside].append(one.weight)
    if not given[True] or not given[False]:
        return known
    (slope, size, recognised), intercept = _fit_odds(given, weights)
    odds = [slope * lead + size * ratio + recognised * clearly + intercept for lead, ratio, clearly in given[True]]
    # From n videos no rarer odds can be known than those that one of n + 1 exceeds.
    counted = sum(weights[True])
    most_odds = conformal_level(odds, min(1.0 - _FALSE_ALARMS, counted / (counted + 1.0)), weights[True])
    videos_heard = min(sum(one) for one in weights.values())
    return replace(known, slope=slope, size=size, recognised=recognised, intercept=intercept, most_odds=most_odds, videos=videos_heard)


def _areas(flat: FloatArray, path: FloatArray, rng: np.random.Generator) -> Iterator[tuple[bool, NDArray[np.bool_]]]:
    """Parts (N,) of the places (N, 2) about a video, in metres, and whether they hold all its path (T, 2), or none of it by far."""
    if not len(flat):
        return
    for _ in range(_TURNS):
        angle = rng.uniform(0.0, 2.0 * np.pi)
        along, passed = (one @ (np.cos(angle), np.sin(angle)) for one in (flat, path))
        cut = float(np.median(along))
        if cut > 0.0:  # the video lies about 0, on its own side
            along, passed, cut = -along, -passed, -cut
        if passed.min() >= cut:
            yield True, along >= cut
        if passed.min() >= cut + _MARGIN_M:
            yield False, along < cut
        radius_m = float(np.exp(rng.uniform(np.log(_MARGIN_M), np.log(_REGION_M))))
        for inside in (True, False):
            # A disc about a place of the path, a little off, or about any place.
            off_m = rng.normal(0.0, radius_m / 4.0, 2)
            middle = path[rng.integers(len(path))] + off_m if inside else flat[rng.integers(len(flat))]
            apart_m, part = np.hypot(*(path - middle).T), np.hypot(*(flat - middle).T) < radius_m
            if part.any() and (apart_m.max() < radius_m if inside else apart_m.min() >= radius_m + _MARGIN_M):
                yield inside, part


def _fit_odds(given: Mapping[bool, Sequence[FloatArray]], weights: Mapping[bool, Sequence[float]]) -> tuple[tuple[float, ...], float]:
    """Slopes and intercept of the log odds of outside, with even odds before: both kinds count for as many videos as there are of the rarer."""
    least = min(sum(one) for one in weights.values())
    value = np.concatenate([one for kind in (True, False) for one in given[kind]], axis=1)
    of = [frame_weights([one[0] for one in given[kind]], weights[kind]) for kind in (True, False)]
    weight = np.concatenate([one * least / one.sum() for one in of])
    outside = np.repeat([0.0, 1.0], [len(one) for one in of])
    spread = np.where(np.ptp(value, axis=1) > 0, value.std(axis=1), 1.0)
    slopes, intercept = fit_logistic(value / spread[:, None], outside, weight)
    return tuple((np.array(slopes) / spread).tolist()), intercept


def _log_ratio(outside: NDArray[np.bool_]) -> float:
    """Natural log of the ground inside beside the ground outside, where there is some of both."""
    return math.log((len(outside) - int(outside.sum())) / int(outside.sum()))


def _flat(lat_lon_deg: FloatArray, centre: FloatArray) -> FloatArray:
    """(N, 2) metres north and east of a centre, near enough for halves."""
    east = (lat_lon_deg[:, 1] - centre[1] + 180.0) % 360.0 - 180.0
    return np.stack([lat_lon_deg[:, 0] - centre[0], east * np.cos(np.radians(centre[0]))], axis=1) * 111_195.0
