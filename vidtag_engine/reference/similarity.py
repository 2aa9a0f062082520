"""How much frames look like what was seen at places, from each frame's nearest references.

A table of every place with every reference near it grows with both; a frame's few hundred nearest references, spread over the places around them, do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..directions import Directions
from ..geodesy import EARTH_RADIUS_M, haversine_m, unit_vectors
from ..local_features import LocalRows, Rerank
from ..types import FloatArray, IntArray
from .along import Moments, Ways, in_sequence, least_of
from .codes import COUNTS, CodeSearch, Neighbours
from .local_matching import LocalFrames

NEIGHBOURS = 200  # of a frame
FAR = 0.5  # of cosine, that a reference loses at the end of its reach
_REFERENCES_AT_ONCE, _HITS_AT_ONCE = (
    1_000,
    2_000,
)  # whose places are looked up, and that are spread over them: pairs of all would be tens of megabytes
ELSEWHERE = 1.5  # reaches from a place: beyond, it is another
_AT_THE_PLACE_M = 1.0
MOST_SPACINGS = 12.0  # of the places, that a reference's reach is at most


class Evidence(NamedTuple):
    """A reference that speaks for a frame's place.

    Args:
        row: its number in the database.
        similarity: to the frame.
        margin: over the most similar one that is farther away than one and a half reaches, or over the last of the nearest where all of them are near.
        inliers: details that both have in common; -1 where nobody looked.
    """

    row: int
    similarity: float
    margin: float
    inliers: int = -1


class Details(NamedTuple):
    """What a video's best references are re-ranked by.

    Args:
        frames: details of its frames.
        by: how much they say.
    """

    frames: LocalFrames
    by: Rerank


def reach_of(reach_m: float, spacing_m: float) -> float:
    """A reach that leaves every reference a place, and no more of them than memory has room for."""
    return float(np.clip(reach_m, spacing_m, MOST_SPACINGS * spacing_m))


class NearestReferences:
    """Tells how much frames look like what was seen at places.

    A place's score is the highest cosine of the frame with any of its nearest references within reach of the place, less what grows with the square of the way
    between, to a half at the end of the reach. A place that none of them speaks of has the least cosine of all that were found: it is no more similar than that.

    Args:
        search: of the references.
        lat_lon_deg: (N, 2) where each was taken, those too that are not searched.
        places_deg: (M, 2) latitude, longitude.
        spacing_m: of the places.
        reach_m: metres over which a reference speaks for places around it; see :func:`reach_of`.
        neighbours: of a frame.
        either_way: frames are also compared as a street's other way would show them. What is found so counts by how far it is above the least of its own 200, as
            what is found the same way does: less of a picture is alike from the other side, by chance, too.
        directions: that are told apart. A reference speaks of the direction that it looks in, and what is found the other way of the opposite one.
        heading_deg: (N,) where each looks, clockwise from north; NaN, or None for all, speaks of every direction.
        ways: gives the order in which drives took the references, once it is asked for: a million take a second. None compares each by itself.
        local: (N,) what tells details of the references' pictures; None where that was not kept.
    """

    def __init__(
        self,
        search: CodeSearch,
        lat_lon_deg: FloatArray,
        places_deg: FloatArray,
        spacing_m: float,
        reach_m: float,
        neighbours: int = NEIGHBOURS,
        *,
        either_way: bool = False,
        directions: Directions | None = None,
        heading_deg: FloatArray | None = None,
        ways: Callable[[], Ways | None] = lambda: None,
        local: LocalRows | None = None,
    ) -> None:
        self._ways, self._local = ways, local
        self.directions, self._layers = directions, directions.count if directions else 1
        self._heading_deg = np.full(len(lat_lon_deg), np.nan) if heading_deg is None else np.asarray(heading_deg, dtype=np.float64)
        self.search, self._lat_lon_deg, self._k, self.either_way = search, lat_lon_deg, neighbours, either_way
        self._count, self._reach_m = len(places_deg), reach_of(reach_m, spacing_m)
        self._tree = cKDTree(unit_vectors(*np.asarray(places_deg, dtype=np.float64).T) * EARTH_RADIUS_M)

    def __call__(
        self,
        frames: torch.Tensor,
        hidden: torch.Tensor | None = None,
        mirrored: torch.Tensor | None = None,
        moments: Moments | None = None,
    ) -> torch.Tensor:
        """Scores (B, M) of descriptors (B, D), or (B, L M) by direction, then place; where there is no reference at all, zeros.

        Args:
            frames, hidden, mirrored, moments: as for :meth:`found`.
        """
        return self.spread(self.found(frames, hidden, mirrored, moments))

    def found(
        self,
        frames: torch.Tensor,
        hidden: torch.Tensor | None = None,
        mirrored: torch.Tensor | None = None,
        moments: Moments | None = None,
    ) -> Neighbours:
        """The nearest references of a video's frames, (B, k); of either way the same way's first, and then the other's, (B, 2 k). Arguments as :meth:`sides`."""
        return side_by_side(self.sides(frames, hidden, mirrored, moments))

    def sides(
        self,
        frames: torch.Tensor,
        hidden: torch.Tensor | None = None,
        mirrored: torch.Tensor | None = None,
        moments: Moments | None = None,
        details: Details | None = None,
    ) -> list[Neighbours]:
        """The nearest references of a video's frames, (B, k), the same way and, where it is read, the other.

        Args:
            frames: (B, D) unit-normalised.
            hidden: (N,) references that are left out, as if their street had never been driven.
            mirrored: (B, D) the same frames as :meth:`.descriptor.Descriptor.mirrored` describes them; read where this reads either way.
            moments: of the frames; None compares each by itself.
            details: what the best the same way are re-ranked by; None leaves them as they are. What was seen from the other side has no detail in common.
        """
        mask = None if hidden is None else hidden.cpu().numpy()
        if not len(self.search):
            return [Neighbours(np.zeros((len(frames), 0), dtype=np.int64), np.zeros((len(frames), 0), dtype=np.float32))]
        both = self._both(frames, mirrored)
        # One reading of the references serves both.
        descriptors = torch.cat(both).cpu().numpy()
        near = self.search.nearest(descriptors, self._k, mask)
        parts = [slice(number * len(frames), (number + 1) * len(frames)) for number in range(len(both))]
        sides = [Neighbours(near.rows[part], near.similarity[part]) for part in parts]
        ways = self._ways() if moments is not None else None
        if moments is not None and ways is not None:
            told = [
                in_sequence(self.search, ways, descriptors[part], side, moments, mask, backwards=bool(number))
                for number, (part, side) in enumerate(zip(parts, sides, strict=True))
            ]
            sides = [Neighbours(side.rows, alike) for side, alike in zip(sides, told, strict=True)]
        return sides if details is None else [self._reranked(sides[0], details), *sides[1:]]

    def looked_at(self, side: Neighbours, frames: LocalFrames, count: int) -> Neighbours:
        """What :meth:`sides` found the same way, with the inliers of each frame's most similar ones; as it is where details of references were not kept.

        Args:
            side: (B, k).
            frames: details of the B frames.
            count: references of each frame that are looked at.
        """
        if self._local is None or not side.rows.shape[1]:
            return side
        best = np.argsort(-side.similarity, axis=1, kind="stable")[:, :count]
        there = np.isfinite(np.take_along_axis(side.similarity, best, axis=1))
        # Where a frame found fewer, the same one is asked for again, which costs nothing.
        rows = np.where(there, np.take_along_axis(side.rows, best, axis=1), side.rows[np.arange(len(best)), best[:, 0]][:, None])
        inliers = np.full(side.rows.shape, -1, dtype=COUNTS)
        np.put_along_axis(inliers, best, np.where(there, frames.inliers(rows, self._local), -1), axis=1)
        return Neighbours(side.rows, side.similarity, inliers)

    def _reranked(self, side: Neighbours, details: Details) -> Neighbours:
        """The same, the best raised or lowered by what they have in common with the frame; none below the least, as what was not found counts no more than that."""
        found = self.looked_at(side, details.frames, details.by.count)
        raised = details.by.raised(found.similarity, found.looked)
        alike = np.where(found.looked >= 0, np.maximum(raised, least_of(side)[:, None].astype(np.float32)), side.similarity)
        return Neighbours(found.rows, alike, found.inliers)

    def along(
        self,
        sides: Sequence[Neighbours],
        lat_lon_deg: FloatArray,
        within_m: float,
        frames: torch.Tensor,
        moments: Moments,
        hidden: torch.Tensor | None = None,
        mirrored: torch.Tensor | None = None,
        by: Rerank | None = None,
    ) -> Neighbours:
        """What :meth:`sides` found near some places, compared by sequences of frames; by frames alone where nothing tells the order in which references were taken.

        Args:
            sides: of the frames, each compared by itself.
            lat_lon_deg: (B, 2) the frames' places.
            within_m: of them; what lies farther off is left out, and not compared.
            frames, hidden, mirrored: as for :meth:`sides`.
            moments: of the frames.
            by: how the sides were re-ranked, as what is compared anew is, too.

        Returns:
            (B, n); minus infinity where a frame has fewer.
        """
        ways = self._ways() if sides[0].rows.shape[1] else None
        if ways is None:
            return side_by_side(sides)
        mask = None if hidden is None else hidden.cpu().numpy()
        leasts, told = [least_of(side) for side in sides], []
        for number, (side, asked) in enumerate(zip(sides, self._both(frames, mirrored), strict=True)):
            near = self._within(side, lat_lon_deg, within_m)
            # Those wanted come first; no more columns are kept than a frame wants at most.
            first = np.argsort(~near, axis=1, kind="stable")[:, : int(near.sum(axis=1).max(initial=0))]
            alike = np.where(near, side.similarity, -np.inf).astype(np.float32)
            some = Neighbours(side.rows, alike, side.inliers).columns(first)
            alike = in_sequence(self.search, ways, asked.cpu().numpy(), some, moments, mask, backwards=bool(number), floor=leasts[number])
            told.append(Neighbours(some.rows, alike if by is None else by.raised(alike, some.looked), some.inliers))
        return side_by_side(told, leasts)

    def _both(self, frames: torch.Tensor, mirrored: torch.Tensor | None) -> list[torch.Tensor]:
        """The descriptors that are compared: the frames' own, and those of the other way where that is read."""
        return [frames] if not self.either_way or mirrored is None else [frames, mirrored]

    def shown(self, hidden: torch.Tensor | None = None) -> NDArray[np.bool_]:
        """(M,) whether each place is the nearest to where some reference was taken that is not among the ``hidden`` (N,)."""
        places = self._place_of if hidden is None else self._place_of[~hidden.cpu().numpy()]
        found = np.zeros(self._count + 1, dtype=bool)
        found[places] = True
        return found[:-1]

    @cached_property
    def _place_of(self) -> IntArray:
        """(N,) number of the place nearest to each reference; as many as there are places where none is in reach."""
        points = unit_vectors(*self._lat_lon_deg.T) * EARTH_RADIUS_M
        return np.asarray(self._tree.query(points, distance_upper_bound=self._reach_m)[1], dtype=np.int64)

    def spread(self, found: Neighbours) -> torch.Tensor:
        """Scores of frames (B, M), or (B, L M), from what :meth:`found` gives of them."""
        frames = len(found.rows)
        result = torch.zeros(frames, self._layers * self._count)
        if not found.rows.shape[1]:
            return result
        known = np.isfinite(found.similarity)
        least = np.where(known, found.similarity, np.inf).min(axis=1, initial=np.inf)
        result[:] = torch.from_numpy(np.where(np.isfinite(least), least, 0.0).astype(np.float32))[:, None]
        seen, number = np.unique(found.rows[known], return_inverse=True)
        first, place, lost = self._about(seen)
        (row, column), similarity = np.nonzero(known), found.similarity[known]
        looks_deg = self._heading_deg[found.rows[known]] + np.where(column < self._same(found), 0.0, 180.0)
        for layer in range(self._layers):
            aside = self.directions.lost(looks_deg, layer) if self.directions else np.zeros(len(number), dtype=np.float32)
            tells = np.flatnonzero(np.isfinite(aside))
            for begin in range(0, len(tells), _HITS_AT_ONCE):
                part = tells[begin : begin + _HITS_AT_ONCE]
                of = number[part]
                counts = first[of + 1] - first[of]
                # Each hit's places, one after the other: a hit of reference r has those from first[r] on.
                hit = np.repeat(np.arange(len(of)), counts)
                pair = np.arange(len(hit)) - np.repeat(np.cumsum(counts) - counts - first[of], counts)
                score = torch.from_numpy((similarity[part] - aside[part])[hit] - lost[pair])
                state = (row[part][hit] * self._layers + layer) * self._count + place[pair]
                result.view(-1).scatter_reduce_(0, torch.from_numpy(state), score, "amax")
        return result

    def _same(self, found: Neighbours) -> int:
        """How many of what was found come first, as they were found the same way."""
        width = found.rows.shape[1]
        return width // 2 if width > min(self._k, len(self.search)) else width

    def _within(self, found: Neighbours, lat_lon_deg: FloatArray, within_m: float) -> NDArray[np.bool_]:
        """(B, k) which of the references that frames found lie so near to the frames' places (B, 2)."""
        seen = self._lat_lon_deg[found.rows]
        near: NDArray[np.bool_] = haversine_m(seen[..., 0], seen[..., 1], lat_lon_deg[:, :1], lat_lon_deg[:, 1:]) <= within_m
        return near

    def refined(self, found: Neighbours, lat_lon_deg: FloatArray, within_m: float) -> FloatArray:
        """(B, 2) frames' places (B, 2), each moved to its most similar reference near it; as they are where there is none.

        Args:
            found: of the frames.
            lat_lon_deg: their places.
            within_m: how far a place moves at most.
        """
        result: FloatArray = np.array(lat_lon_deg, dtype=np.float64)
        if not found.rows.shape[1]:
            return result
        alike = np.where(self._within(found, result, within_m), found.similarity, -np.inf)
        best = alike.argmax(axis=1)
        moves = np.flatnonzero(np.isfinite(alike[np.arange(len(best)), best]))
        result[moves] = self._lat_lon_deg[found.rows[moves, best[moves]]]
        return result

    def evidence(self, found: Neighbours, lat_lon_deg: FloatArray, most: int = 3) -> list[list[Evidence]]:
        """The references that speak for the places that frames were said to be at.

        Args:
            found: of the frames.
            lat_lon_deg: (B, 2) the places.
            most: references a frame.

        Returns:
            Of each frame its most similar references within reach of the place: one at the very place first, then the best.
        """
        if not found.rows.shape[1]:
            return [[] for _ in range(len(found.rows))]
        found = _best_first(found)
        seen = self._lat_lon_deg[found.rows]
        apart_m = haversine_m(seen[..., 0], seen[..., 1], lat_lon_deg[:, :1], lat_lon_deg[:, 1:])
        result = []
        for rows, similarity, inliers, far_m in zip(found.rows, found.similarity, found.looked, apart_m, strict=True):
            known = np.isfinite(similarity)
            elsewhere = similarity[known & (far_m > ELSEWHERE * self._reach_m)]
            rival = float(elsewhere.max() if len(elsewhere) else similarity[known].min(initial=np.inf))
            near = np.flatnonzero(known & (far_m <= self._reach_m))
            # The one that a place was moved to comes first: sequences may have chosen it where frames by themselves would not.
            near = near[np.argsort(far_m[near] > _AT_THE_PLACE_M, kind="stable")][:most]
            result.append(
                [Evidence(int(rows[one]), float(similarity[one]), float(similarity[one]) - rival, int(inliers[one])) for one in near]
            )
        return result

    def _about(self, rows: IntArray) -> tuple[IntArray, NDArray[np.int32], FloatArray]:
        """The places within reach of references: where each reference's begin (R + 1,), and (P,) places and what their cosines lose."""
        counts, places, lost = [np.zeros(1, dtype=np.int64)], [np.zeros(0, dtype=np.int32)], [np.zeros(0, dtype=np.float32)]
        for begin in range(0, len(rows), _REFERENCES_AT_ONCE):
            points = unit_vectors(*self._lat_lon_deg[rows[begin : begin + _REFERENCES_AT_ONCE]].T) * EARTH_RADIUS_M
            near = cKDTree(points).sparse_distance_matrix(self._tree, self._reach_m, output_type="coo_matrix").tocsr()
            counts.append(np.diff(near.indptr).astype(np.int64))
            places.append(near.indices.astype(np.int32))
            lost.append((FAR * (near.data / self._reach_m) ** 2).astype(np.float32))
        return np.concatenate(counts).cumsum(), np.concatenate(places), np.concatenate(lost)


def side_by_side(sides: Sequence[Neighbours], leasts: Sequence[FloatArray] | None = None) -> Neighbours:
    """What was found the same way, and beside it what was found the other way, which counts by how far it is above its own least.

    Args:
        sides: one or both, as :meth:`NearestReferences.sides` gives them.
        leasts: (B,) of each side; None is of what it holds.
    """
    if len(sides) == 1:
        return sides[0]
    same, other = leasts or [least_of(side) for side in sides]
    with np.errstate(invalid="ignore"):
        raised = sides[1].similarity + (same - other)[:, None]
    alike = np.where(np.isfinite(sides[1].similarity), raised, -np.inf).astype(np.float32)
    inliers = None if all(side.inliers is None for side in sides) else np.concatenate([side.looked for side in sides], axis=1)
    return Neighbours(np.concatenate([side.rows for side in sides], axis=1), np.concatenate([sides[0].similarity, alike], axis=1), inliers)


def _best_first(found: Neighbours) -> Neighbours:
    """The same, each reference of a frame once, the most similar first; minus infinity where there are no more."""
    found = found.columns(np.argsort(-found.similarity, axis=1, kind="stable"))
    for of_frame, alike in zip(found.rows, found.similarity, strict=True):
        _, first = np.unique(of_frame, return_index=True)
        again = np.ones(len(of_frame), dtype=bool)
        again[first] = False
        alike[again] = -np.inf
    return found
