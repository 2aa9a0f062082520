"""What out-of-area scores mean: fitted on held-out videos that are searched for where they were taken, and where they were not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..geodesy import EARTH_RADIUS_M, haversine_m, unit_vectors
from ..trajectory.out_of_area import OutOfAreaDetector, blocks_of_ground, log_ratio, out_of_area_score, recognised_beyond
from ..types import FloatArray
from .conformal import conformal_level, frame_weights
from .logistic import fit_logistic

_MOST_PLACES = 12_000
_APART = 1.5  # spacings: nearer training places belong to the area
_REGION_M = 10_000.0
_TURNS = 4
_MARGIN_M = 500.0  # from the area, of a video outside: nearer, both sides know its way
_FALSE_ALARMS = 0.07  # of held-out videos, most of them on streets that are not recognised; on recognised ones it is to stay within 5 %


def training_ground(cover_lat_lon_deg: FloatArray, cover_spacing_m: float, training_lat_lon_deg: FloatArray) -> OutOfAreaDetector:
    """The part of the training area's cover (M, 2) that lies about training places (N, 2), on a wider lattice where it is very large."""
    points = unit_vectors(*cover_lat_lon_deg.T) * EARTH_RADIUS_M
    tree = cKDTree(unit_vectors(*training_lat_lon_deg.T) * EARTH_RADIUS_M)
    places = np.flatnonzero(tree.query(points)[0] <= _APART * cover_spacing_m)
    first, lattice_m = np.arange(len(places)), cover_spacing_m
    while len(first) > _MOST_PLACES:
        lattice_m *= 1.25
        first = np.sort(np.unique(np.floor(points[places] / lattice_m).astype(np.int64), axis=0, return_index=True)[1])
    # What one of them stands for: all of them together stand for the same ground.
    return OutOfAreaDetector(cover_lat_lon_deg[places[first]], float(cover_spacing_m * np.sqrt(len(places) / max(1, len(first)))))


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


def fit_out_of_area(
    known: OutOfAreaDetector,
    cover_lat_lon_deg: FloatArray,
    cover_spacing_m: float,
    videos: Iterable[Searched],
    seed: int = 0,
) -> OutOfAreaDetector:
    """What out-of-area scores mean: held-out videos are searched for in halves of their surroundings and in discs, their own and others.

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
    }  # score, size and how clearly recognised (3, areas) a video, by whether it was taken inside
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
                margin = out_of_area_score(*sides, len(truth), blocks[:, near[part]], known.blocks[:, outside])
                clearly = recognised_beyond(one.similarity[0][:, near[part]], one.similarity[1][:, outside]) if one.similarity else 0.0
                found[inside].append((margin, log_ratio(outside), clearly))
        for inside, own in found.items():
            if own:
                given[inside].append(np.array(own).T)
                weights[inside].append(one.weight)
    if not given[True] or not given[False]:
        return known
    (slope, size, recognised), intercept = _fit_odds(given, weights)
    odds = [slope * margin + size * ratio + recognised * clearly + intercept for margin, ratio, clearly in given[True]]
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


def _flat(lat_lon_deg: FloatArray, centre: FloatArray) -> FloatArray:
    """(N, 2) metres north and east of a centre, near enough for halves."""
    east = (lat_lon_deg[:, 1] - centre[1] + 180.0) % 360.0 - 180.0
    return np.stack([lat_lon_deg[:, 0] - centre[0], east * np.cos(np.radians(centre[0]))], axis=1) * 111_195.0
