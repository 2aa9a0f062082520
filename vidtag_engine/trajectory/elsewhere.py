"""Whether a video was taken in the area that is searched, or in another place that the checkpoint knows.

A frame's lead beyond is its best score over the training's ground outside the area less its best one in the area; a video's is the mean of its frames'. Where the
video was taken beyond, on ways that the checkpoint knows, its frames find them there, and it is high. Held-out videos say how high, searched for in the half of
their surroundings that they were taken in and in the other one.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M, haversine_m, unit_vectors
from ..types import FloatArray
from .conformal import conformal_level, frame_weights
from .decoder import Scores
from .logistic import fit_logistic

_MOST_PLACES = 12_000
_APART = 1.5  # spacings: nearer training places belong to the area
_REGION_M = 10_000.0
_TURNS = 4
_MARGIN_M = 500.0  # from the area, of a video outside: nearer, both sides know its way
_FALSE_ALARMS = 0.03  # of held-out videos; with those that look unfamiliar it is to stay within 5 % in all
_SURE = 0.25  # P(inside), above which nothing is called outside however rare its lead
_AT_ONCE = 256  # frames


@dataclass(frozen=True)
class Elsewhere:
    """Where the checkpoint was trained, and what a lead of that ground over the searched area means.

    Args:
        lat_lon_deg: (N, 2) an even cover of the ground about its training places.
        spacing_m: of it.
        slope: log odds of having been taken outside, a unit of the lead; 0 where it could not be fitted.
        intercept: log odds of the same at a lead of 0, with even odds before.
        most_lead: that 3 % of held-out videos taken inside exceed; None where they are too few to tell.
        videos: that were searched for on their own side, or on the other one where those are fewer.
    """

    lat_lon_deg: FloatArray
    spacing_m: float
    slope: float = 0.0
    intercept: float = 0.0
    most_lead: float | None = None
    videos: float = 0.0

    def outside(self, cover_lat_lon_deg: FloatArray, cover_spacing_m: float) -> NDArray[np.bool_]:
        """(N,) which training places lie outside an area given by its cover."""
        tree = cKDTree(unit_vectors(*cover_lat_lon_deg.T) * EARTH_RADIUS_M)
        apart_m = tree.query(unit_vectors(*self.lat_lon_deg.T) * EARTH_RADIUS_M)[0]
        result: NDArray[np.bool_] = apart_m > 0.5 * (cover_spacing_m + self.spacing_m)
        return result

    @property
    def tells(self) -> bool:
        """Whether leads say anything."""
        return self.slope > 0.0

    def p_inside(self, lead: float) -> float:
        """P(a video of this lead was taken in the area), with even odds before; never beyond what the videos can say; NaN where leads say nothing."""
        if not self.tells or not math.isfinite(lead):
            return math.nan
        raised = float(np.clip(self.slope * lead + self.intercept, -700.0, 700.0))
        least = 1.0 / (self.videos + 2.0)
        return float(np.clip(1.0 / (1.0 + math.exp(raised)), least, 1.0 - least))

    def is_outside(self, lead: float) -> bool:
        """Whether hardly any video taken in the area has such a lead, and videos taken outside have."""
        return self.most_lead is not None and lead > self.most_lead and self.p_inside(lead) < _SURE

    def to_dict(self) -> dict[str, Any]:
        """JSON values; places as base64 of float32."""
        places = base64.b64encode(np.ascontiguousarray(self.lat_lon_deg, dtype="<f4").tobytes()).decode()
        numbers = {name: getattr(self, name) for name in ("spacing_m", "slope", "intercept", "most_lead", "videos")}
        return {"lat_lon_deg": places, **numbers}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Elsewhere:
        """Read what ``to_dict`` wrote; what was written before leads were read says nothing."""
        places = np.frombuffer(base64.b64decode(values["lat_lon_deg"]), dtype="<f4").astype(np.float64).reshape(-1, 2)
        most = values.get("most_lead")
        return cls(
            places,
            float(values["spacing_m"]),
            slope=float(values.get("slope", 0.0)),
            intercept=float(values.get("intercept", 0.0)),
            most_lead=None if most is None else float(most),
            videos=float(values.get("videos", 0.0)),
        )


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


def lead_beyond(inner: Scores, outer: Scores, frames: int) -> float:
    """Mean over a video's frames of the best score outside the area less the best one in it; NaN of no frame.

    Args:
        inner: gives the (B, M) scores of a slice of frames over the area.
        outer: likewise (B, N), over the known ground outside.
        frames: T.
    """
    found = []
    for row in range(0, frames, _AT_ONCE):
        rows = slice(row, min(row + _AT_ONCE, frames))
        found.append(outer(rows).max(axis=1).astype(np.float64) - inner(rows).max(axis=1))
    return float(np.concatenate(found).mean()) if found else math.nan


def fit_elsewhere(
    known: Elsewhere,
    cover_lat_lon_deg: FloatArray,
    cover_spacing_m: float,
    videos: Iterable[tuple[Scores, Scores, FloatArray, float]],
    seed: int = 0,
) -> Elsewhere:
    """What leads mean: held-out videos are searched for in halves of their surroundings, their own and the other one.

    Args:
        known: ground of the training.
        cover_lat_lon_deg: (M, 2) cover of the whole training area.
        cover_spacing_m: of it.
        videos: (scores over that cover, scores over the known ground, truth (T, 2), how much it counts) a video.
        seed: of the halves' directions.
    """
    rng = np.random.default_rng(seed)
    leads: dict[bool, list[FloatArray]] = {True: [], False: []}  # by whether the video was taken inside
    weights: dict[bool, list[float]] = {True: [], False: []}
    for inner, outer, truth, weight in videos:
        centre = truth.mean(axis=0)
        near = np.flatnonzero(haversine_m(*centre, *cover_lat_lon_deg.T) < _REGION_M)
        flat, path = _flat(cover_lat_lon_deg[near], centre), _flat(truth, centre)
        scores = [one(slice(0, len(truth))) for one in (inner, outer)]
        found: dict[bool, list[float]] = {True: [], False: []}
        for angle in rng.uniform(0.0, 2.0 * np.pi, _TURNS):
            direction = np.array([np.cos(angle), np.sin(angle)])
            along, passed = flat @ direction, path @ direction
            cut = float(np.median(along)) if len(near) else 0.0
            if cut > 0.0:  # the video lies about 0, on its own side
                along, passed, cut = -along, -passed, -cut
            for inside, half, margin_m in ((True, along >= cut, 0.0), (False, along < cut, _MARGIN_M)):
                if not half.any() or passed.min() < cut + margin_m:
                    continue
                outside = known.outside(cover_lat_lon_deg[near[half]], cover_spacing_m)
                if outside.any():
                    sides = scores[0][:, near[half]], scores[1][:, outside]
                    found[inside].append(lead_beyond(sides[0].__getitem__, sides[1].__getitem__, len(truth)))
        for inside, own in found.items():
            if own:
                leads[inside].append(np.array(own))
                weights[inside].append(weight)
    if not leads[True] or not leads[False]:
        return known
    slope, intercept = _fit_odds(leads, weights)
    most_lead = conformal_level(leads[True], 1.0 - _FALSE_ALARMS, weights[True])
    return replace(known, slope=slope, intercept=intercept, most_lead=most_lead, videos=min(sum(one) for one in weights.values()))


def _fit_odds(leads: Mapping[bool, Sequence[FloatArray]], weights: Mapping[bool, Sequence[float]]) -> tuple[float, float]:
    """Slope and intercept of the log odds of outside, with even odds before: both kinds count for as many videos as there are of the rarer."""
    least = min(sum(one) for one in weights.values())
    value = np.concatenate([one for kind in (True, False) for one in leads[kind]])
    weight = np.concatenate([frame_weights(leads[kind], weights[kind]) * least / sum(weights[kind]) for kind in (True, False)])
    outside = np.repeat([0.0, 1.0], [sum(map(len, leads[kind])) for kind in (True, False)])
    spread = float(value.std()) or 1.0
    (slope,), intercept = fit_logistic(value[None] / spread, outside, weight)
    return slope / spread, intercept


def _flat(lat_lon_deg: FloatArray, centre: FloatArray) -> FloatArray:
    """(N, 2) metres north and east of a centre, near enough for halves."""
    east = (lat_lon_deg[:, 1] - centre[1] + 180.0) % 360.0 - 180.0
    return np.stack([lat_lon_deg[:, 0] - centre[0], east * np.cos(np.radians(centre[0]))], axis=1) * 111_195.0
