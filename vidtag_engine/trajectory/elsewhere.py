"""Whether a video was taken in the area that is searched, or in another place that the checkpoint knows.

The places of its training videos compete with the area's.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M, haversine_m, unit_vectors
from ..types import FloatArray
from .decoder import Evidence

_MOST_PLACES = 2000
_WINDOW = 16  # frames that were taken nearly at one place
_APART = 1.5  # spacings: nearer training places belong to the area
_REGION_M = 10_000.0
_TURNS = 4
_FALSE_ALARMS = 0.03


@dataclass(frozen=True)
class Elsewhere:
    """Where the checkpoint was trained.

    Args:
        lat_lon_deg: (N, 2) training places, thinned.
        spacing_m: of them.
        threshold: P(inside) that 3 % of held-out videos within a searched half of their own surroundings fall below.
    """

    lat_lon_deg: FloatArray
    spacing_m: float
    threshold: float = 0.0

    def outside(self, cover_lat_lon_deg: FloatArray, cover_spacing_m: float) -> FloatArray:
        """(N,) bool, which training places lie outside an area given by its cover."""
        tree = cKDTree(unit_vectors(*cover_lat_lon_deg.T) * EARTH_RADIUS_M)
        apart_m = tree.query(unit_vectors(*self.lat_lon_deg.T) * EARTH_RADIUS_M)[0]
        result: FloatArray = apart_m > _APART * max(cover_spacing_m, self.spacing_m)
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


def thinned_places(lat_lon_deg: FloatArray, spacing_m: float) -> Elsewhere:
    """Training places (N, 2) on a lattice no finer than ``spacing_m``, wide enough that they are few."""
    points = unit_vectors(*lat_lon_deg.T) * EARTH_RADIUS_M
    while True:
        first = np.unique(np.floor(points / spacing_m).astype(np.int64), axis=0, return_index=True)[1]
        if len(first) <= _MOST_PLACES:
            return Elsewhere(lat_lon_deg[np.sort(first)], float(spacing_m))
        spacing_m *= 1.25


def p_inside(inner: FloatArray, outer: FloatArray, areas_m2: tuple[float, float], evidence: Evidence, time_s: FloatArray) -> float:
    """Probability that a video was taken at one of the inner places; NaN where there are no outer ones.

    Args:
        inner: (T, M) scores over the area's cover.
        outer: (T, K) scores at training places outside it.
        areas_m2: that one inner and one outer place stand for.
        evidence: how scores are read.
        time_s: (T,).
    """
    if not outer.shape[1] or not len(inner):
        return float("nan")
    parts = []
    for start in range(0, len(inner), _WINDOW):
        rows = slice(start, start + _WINDOW)
        scores = np.concatenate([inner[rows], outer[rows]], axis=1)
        likely = evidence.likelihood(scores, evidence.weights(np.asarray(time_s)[rows]))
        logs = np.log(np.maximum(likely, 1e-30)).sum(axis=0, dtype=np.float64)
        mass = np.exp(logs - logs.max())
        here, there = mass[: inner.shape[1]].sum() * areas_m2[0], mass[inner.shape[1] :].sum() * areas_m2[1]
        parts.append(here / (here + there))
    return float(np.mean(parts))


def fit_threshold(
    known: Elsewhere,
    cover_lat_lon_deg: FloatArray,
    cover_spacing_m: float,
    videos: Iterable[tuple[FloatArray, FloatArray, FloatArray, FloatArray]],
    evidence: Evidence,
    seed: int = 0,
) -> float:
    """P(inside) that few held-out videos fall below while they are inside: each is searched for in the half of its surroundings that it was taken in.

    Args:
        known: training places.
        cover_lat_lon_deg, cover_spacing_m: the whole training area's cover.
        videos: (scores over the cover (T, M), scores at the training places (T, N), time_s (T,), truth (T, 2)) a video.
        evidence: how scores are read.
        seed: of the halves' directions.
    """
    rng = np.random.default_rng(seed)
    areas = (cover_spacing_m**2, known.spacing_m**2)
    found: list[float] = []
    for inner, outer, time_s, truth in videos:
        centre = truth.mean(axis=0)
        near = np.flatnonzero(haversine_m(*centre, *cover_lat_lon_deg.T) < _REGION_M)
        if len(near) < 2:
            continue
        flat = _flat(cover_lat_lon_deg[near], centre)
        for angle in rng.uniform(0.0, 2.0 * np.pi, _TURNS):
            along = flat @ (np.cos(angle), np.sin(angle))
            half = near[(along >= np.median(along)) == (np.median(along) <= 0.0)]
            own = _flat(truth, centre) @ (np.cos(angle), np.sin(angle))
            if len(half) and ((own >= np.median(along)) == (np.median(along) <= 0.0)).all():
                beyond = known.outside(cover_lat_lon_deg[half], cover_spacing_m)
                found.append(p_inside(inner[:, half], outer[:, beyond], areas, evidence, time_s))
    known_values = np.sort(np.array(found)[np.isfinite(found)])
    # The rank of conformal prediction: one video more counts as the lowest.
    rank = int(np.floor(_FALSE_ALARMS * (len(known_values) + 1))) - 1
    return float(known_values[rank]) if rank >= 0 else 0.0


def _flat(lat_lon_deg: FloatArray, centre: FloatArray) -> FloatArray:
    """(N, 2) metres north and east of a centre, near enough for halves."""
    east = (lat_lon_deg[:, 1] - centre[1] + 180.0) % 360.0 - 180.0
    return np.stack([lat_lon_deg[:, 0] - centre[0], east * np.cos(np.radians(centre[0]))], axis=1) * 111_195.0
