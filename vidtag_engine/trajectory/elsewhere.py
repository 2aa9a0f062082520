"""Whether a video was taken in the area that is searched, or in another place that the checkpoint knows.

Two models of the whole path compete: it lies in the area, or among the training's places outside it. Both read the frames by the same evidence and move by the
same motion, and an even spread over all known ground comes before any frame, so the area's share of the evidence is P(the path lies in the area).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M, haversine_m, unit_vectors
from ..types import FloatArray
from .decoder import Decoder, Evidence, Scores

_MOST_PLACES = 12_000
_APART = 1.5  # spacings: nearer training places belong to the area
_REGION_M = 10_000.0
_TURNS = 4
_FALSE_ALARMS = 0.0125  # of held-out videos; with new ones, and those that look unfamiliar, it is to stay within 5 % in all
_AT_ONCE = 64  # frames


@dataclass(frozen=True)
class Elsewhere:
    """Where the checkpoint was trained.

    Args:
        lat_lon_deg: (N, 2) an even cover of the ground about its training places.
        spacing_m: of it.
        threshold: P(inside) that 1.25 % of held-out videos within a searched part of their own surroundings fall below.
    """

    lat_lon_deg: FloatArray
    spacing_m: float
    threshold: float = 0.0

    def outside(self, cover_lat_lon_deg: FloatArray, cover_spacing_m: float) -> NDArray[np.bool_]:
        """(N,) which training places lie outside an area given by its cover."""
        tree = cKDTree(unit_vectors(*cover_lat_lon_deg.T) * EARTH_RADIUS_M)
        apart_m = tree.query(unit_vectors(*self.lat_lon_deg.T) * EARTH_RADIUS_M)[0]
        result: NDArray[np.bool_] = apart_m > 0.5 * (cover_spacing_m + self.spacing_m)
        return result

    def to_dict(self) -> dict[str, Any]:
        """JSON values; places as base64 of float32."""
        places = base64.b64encode(np.ascontiguousarray(self.lat_lon_deg, dtype="<f4").tobytes()).decode()
        return {"lat_lon_deg": places, "spacing_m": self.spacing_m, "threshold": self.threshold}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Elsewhere:
        """Read what ``to_dict`` wrote."""
        places = np.frombuffer(base64.b64decode(values["lat_lon_deg"]), dtype="<f4").astype(np.float64).reshape(-1, 2)
        return cls(places, float(values["spacing_m"]), float(values["threshold"]))


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


def p_inside(
    area: Decoder, inner: Scores, beyond: Decoder, outer: Scores, evidence: Evidence, time_s: FloatArray, cuts: Iterable[int] = ()
) -> float:
    """Probability that a video's whole path lies in the area, not in the known ground beyond it; NaN where there is none or no frame.

    Args:
        area: over the area's cover.
        inner: gives the (B, M) scores of a slice of frames over it; -inf where no path may pass.
        beyond, outer: likewise, of the known ground outside.
        evidence: how scores are read.
        time_s: (T,).
        cuts: rows that begin a new shot.
    """
    frames = len(time_s)
    if not frames or not len(beyond.points_m):
        return float("nan")
    cells_m2 = area.spacing_m**2, beyond.spacing_m**2
    peak, mean = np.empty(frames), np.empty(frames)
    for row in range(0, frames, _AT_ONCE):
        rows = slice(row, min(row + _AT_ONCE, frames))
        peak[rows], mean[rows] = _level(inner(rows), outer(rows), cells_m2, evidence.temperature)
    weight = evidence.weights(time_s)

    def likelihood(scores: Scores) -> Scores:
        def given(rows: slice) -> FloatArray:
            found = scores(rows)
            share = (1.0 - evidence.blind) * np.exp(found / evidence.temperature - peak[rows, None]) + evidence.blind * mean[rows, None]
            result: FloatArray = np.where(np.isneginf(found), 0.0, share ** weight[rows, None]).astype(np.float32)
            return result

        return given

    sides = [
        decoder.log_evidence(likelihood(scores), time_s, cuts) + np.log(len(decoder.points_m) * cell_m2)
        for decoder, scores, cell_m2 in ((area, inner, cells_m2[0]), (beyond, outer, cells_m2[1]))
    ]
    return float(1.0 / (1.0 + np.exp(np.clip(sides[1] - sides[0], -700.0, 700.0))))


def _level(inner: FloatArray, outer: FloatArray, cells_m2: tuple[float, float], temperature: float) -> tuple[FloatArray, FloatArray]:
    """(B,) the frames' highest score over all ground, in temperatures, and the mean over it of exp(score) beside that of the highest."""
    peak = np.maximum(inner.max(axis=1), outer.max(axis=1)).astype(np.float64) / temperature
    total, ground = np.zeros(len(peak)), 0.0
    for scores, cell_m2 in zip((inner, outer), cells_m2, strict=True):
        total += cell_m2 * np.exp(scores / temperature - peak[:, None]).sum(axis=1, dtype=np.float64)
        ground += cell_m2 * float(np.isfinite(scores[0]).sum())
    return peak, total / ground


def fit_threshold(
    known: Elsewhere,
    area: Decoder,
    videos: Iterable[tuple[Scores, Scores, FloatArray, FloatArray]],
    evidence: Evidence,
    seed: int = 0,
) -> float:
    """P(inside) that few held-out videos fall below while they are inside: each is searched for in a half of its surroundings that it was taken in.

    Args:
        known: ground of the training.
        area: over the whole training area's cover.
        videos: (scores over that cover, scores over the known ground, time_s (T,), truth (T, 2)) a video.
        evidence: how scores are read.
        seed: of the halves' directions.
    """
    rng = np.random.default_rng(seed)
    beyond = Decoder(known.lat_lon_deg, known.spacing_m, area.motion)
    found: list[FloatArray] = []
    for inner, outer, time_s, truth in videos:
        centre, own = truth.mean(axis=0), []
        near = np.flatnonzero(haversine_m(*centre, *area.lat_lon_deg.T) < _REGION_M)
        if len(near) < 2:
            continue
        flat = _flat(area.lat_lon_deg[near], centre)
        scores = [one(slice(0, len(time_s))) for one in (inner, outer)]
        for angle in rng.uniform(0.0, 2.0 * np.pi, _TURNS):
            along = flat @ (np.cos(angle), np.sin(angle))
            cut, path = float(np.median(along)), _flat(truth, centre) @ (np.cos(angle), np.sin(angle))
            half = near[(along >= cut) == (cut <= 0.0)]
            if not len(half) or not ((path >= cut) == (cut <= 0.0)).all():
                continue
            hidden = np.ones(len(area.lat_lon_deg), dtype=bool)
            hidden[half] = False
            outside = known.outside(area.lat_lon_deg[half], area.spacing_m)
            if outside.any():
                sides = (_hiding(scores[0], hidden), _hiding(scores[1], ~outside))
                own.append(p_inside(area, sides[0], beyond, sides[1], evidence, time_s))
        if own:
            found.append(np.array(own))
    return _low_quantile(found, _FALSE_ALARMS)


def _low_quantile(values: list[FloatArray], share: float) -> float:
    """The value that a new video's falls below with no more than ``share``: over videos, each of which weighs the same (hierarchical conformal prediction)."""
    if not values:
        return 0.0
    value = np.concatenate(values)
    weight = np.concatenate([np.full(len(one), 1.0 / len(one)) for one in values]) / (len(values) + 1.0)
    order = np.argsort(value, kind="stable")
    # One video more counts as the lowest of all.
    below = 1.0 / (len(values) + 1.0) + np.cumsum(weight[order]) - weight[order]
    allowed = np.flatnonzero(below <= share)
    return float(value[order][allowed[-1]]) if len(allowed) else 0.0


def _hiding(scores: FloatArray, hidden: NDArray[np.bool_]) -> Scores:
    """The scores with places where no path may pass."""
    masked = np.where(hidden, np.float32(-np.inf), scores)
    return lambda rows: masked[rows]


def _flat(lat_lon_deg: FloatArray, centre: FloatArray) -> FloatArray:
    """(N, 2) metres north and east of a centre, near enough for halves."""
    east = (lat_lon_deg[:, 1] - centre[1] + 180.0) % 360.0 - 180.0
    return np.stack([lat_lon_deg[:, 0] - centre[0], east * np.cos(np.radians(centre[0]))], axis=1) * 111_195.0
