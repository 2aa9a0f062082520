"""Descriptors as whole numbers of one byte, and the exhaustive search among them.

A descriptor has some hundred numbers of like size, none of which tells much by itself: rounded to one of 255 steps of one scale they keep their order of
neighbours. A million of 768 numbers are 768 MB, and the products of a minute of video with all of them take a few tenths of a second, so that no index is needed
that would have to be kept up to date. What is larger than the memory may have one (:mod:`.cell_index`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from ..types import FloatArray, IntArray
from .cell_index import CellIndex

BLOCK_ROWS = 16_384  # of references: as many products as stay in a cache
MOST_CODE = 127
_CLIPPED = 1e-4  # share of the numbers that lie beyond the scale
_SAMPLE = 20_000_000  # numbers that the scale is taken from
_EXACT_COLUMNS = 1_024  # of float32: the sum of so many products of two codes is a whole number that it holds exactly
_MOST_FRAMES = 256  # at once
_LOST = -(2**31)
COUNTS = np.int16  # of details that two pictures have in common: 256 at most, and a calibration keeps them of a thousand videos

Codes = NDArray[np.int8]
Product = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def scale_of(descriptors: FloatArray) -> float:
    """The size that code 127 stands for: beyond it lies one number in ten thousand."""
    flat = np.abs(np.asarray(descriptors).reshape(-1)[:: -(-descriptors.size // _SAMPLE) or 1]).astype(np.float32)
    if not flat.size:
        return 1.0
    place = min(len(flat) - 1, int((1.0 - _CLIPPED) * len(flat)))
    return max(float(np.partition(flat, place)[place]), 1e-6)


def encode(descriptors: FloatArray, scale: float) -> Codes:
    """(N, D) descriptors to codes of the same shape."""
    found = np.empty(descriptors.shape, dtype=np.int8)
    for begin in range(0, len(found), BLOCK_ROWS):
        part = np.asarray(descriptors[begin : begin + BLOCK_ROWS], dtype=np.float32) * (MOST_CODE / scale)
        np.clip(np.rint(part, out=part), -MOST_CODE, MOST_CODE, out=part)
        found[begin : begin + BLOCK_ROWS] = part
    return found


def decode(codes: Codes, scale: float) -> FloatArray:
    """Codes back to descriptors, float32, within half a step of what they were (but for those beyond the scale)."""
    found: FloatArray = codes.astype(np.float32) * np.float32(scale / MOST_CODE)
    return found


def whole_product(queries: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """(B, D) and (R, D) int8 to (B, R) int32, by the processor's own instructions for it. The name is private to torch: see :func:`fastest_product`."""
    found: torch.Tensor = torch._int_mm(queries, rows.T)  # noqa: SLF001
    return found


def float_product(queries: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """The same numbers by float32, anywhere: columns are added up in parts that it holds exactly."""
    total: torch.Tensor | None = None
    for begin in range(0, queries.shape[1], _EXACT_COLUMNS):
        columns = slice(begin, begin + _EXACT_COLUMNS)
        part = (queries[:, columns].float() @ rows[:, columns].float().T).to(torch.int32)
        total = part if total is None else total.add_(part)
    assert total is not None  # a descriptor has numbers  # nosec B101
    return total


@lru_cache(maxsize=1)
def fastest_product() -> Product:
    """:func:`whole_product` where this torch has it and it is right and the faster one here, else :func:`float_product`; tried once."""
    draws = torch.Generator().manual_seed(0)
    queries, rows = (torch.randint(-MOST_CODE, MOST_CODE + 1, (n, 256), generator=draws, dtype=torch.int8) for n in (32, 4_096))
    wanted = float_product(queries, rows)
    try:
        if not torch.equal(whole_product(queries, rows), wanted):
            return float_product
    except (AttributeError, RuntimeError, NotImplementedError):
        return float_product
    seconds = {}
    for product in (whole_product, float_product):
        taken = []
        for _ in range(3):
            since = time.perf_counter()
            product(queries, rows)
            taken.append(time.perf_counter() - since)
        seconds[product] = min(taken)
    return min(seconds, key=lambda one: seconds[one])


@dataclass(frozen=True)
class Neighbours:
    """The nearest references of frames.

    Args:
        rows: (B, k) numbers of references, the nearest first; where there are fewer, their similarity is minus infinity.
        similarity: (B, k) float32 cosines; raised where details were looked at.
        inliers: (B, k) int16 details that frame and reference have in common, -1 where nobody looked; None: nobody did anywhere.
    """

    rows: IntArray
    similarity: FloatArray
    inliers: IntArray | None = None

    @property
    def looked(self) -> IntArray:
        """(B, k) :attr:`inliers`, -1 where nobody looked."""
        return np.full(self.rows.shape, -1, dtype=COUNTS) if self.inliers is None else self.inliers

    def part(self, frames: slice) -> Neighbours:
        """Those of some of the frames."""
        return Neighbours(self.rows[frames], self.similarity[frames], None if self.inliers is None else self.inliers[frames])

    def columns(self, order: IntArray) -> Neighbours:
        """Of each frame some, (B, n) by their places, in another order."""
        inliers = None if self.inliers is None else np.take_along_axis(self.inliers, order, axis=1)
        return Neighbours(np.take_along_axis(self.rows, order, axis=1), np.take_along_axis(self.similarity, order, axis=1), inliers)


class CodeSearch:
    """References of an area, ready to be searched.

    Args:
        parts: (N_i, D) codes, in memory or mapped from a file (copy on write, as torch takes no read-only arrays); references are numbered on through all of them.
        scale: of the codes.
        rows: which of those are searched, rising; None searches all.
        numbers: (N,) what each is called in answers, and its place in ``hidden``; None: its place among the parts.
        indices: of each part, by which its nearest are found but for a few; of those without one all codes are read.
    """

    def __init__(
        self,
        parts: Sequence[Codes],
        scale: float,
        rows: IntArray | None = None,
        numbers: IntArray | None = None,
        indices: Sequence[CellIndex | None] | None = None,
    ) -> None:
        if numbers is not None and indices is not None:
            raise ValueError("an index is of rows that are called by their places")
        self._parts, self._scale = [part for part in parts if len(part)], scale
        self._indices = [index for part, index in zip(parts, indices or [None] * len(parts), strict=True) if len(part)]
        self._starts = np.cumsum([0, *(len(part) for part in self._parts)])
        self.rows = np.arange(self._starts[-1]) if rows is None else rows
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self.rows)

    def nearest(self, descriptors: FloatArray, k: int, hidden: NDArray[np.bool_] | None = None) -> Neighbours:
        """The k references that are most similar to each descriptor.

        Args:
            descriptors: (B, D), of length 1.
            k: at least 1; the area may hold fewer.
            hidden: (N,) references that are left out, whichever are searched.
        """
        if len(descriptors) > _MOST_FRAMES:  # of an hour of video the products with a block alone would be a quarter of a gigabyte
            parts = [
                self.nearest(descriptors[begin : begin + _MOST_FRAMES], k, hidden) for begin in range(0, len(descriptors), _MOST_FRAMES)
            ]
            return Neighbours(np.concatenate([one.rows for one in parts]), np.concatenate([one.similarity for one in parts]))
        descriptors = np.asarray(descriptors, dtype=np.float32)
        queries, steps = _as_codes(descriptors)
        product = fastest_product()
        wanted = max(1, min(k, len(self)))
        best = torch.full((len(queries), wanted), _LOST, dtype=torch.int32)
        where = torch.zeros((len(queries), wanted), dtype=torch.int64)
        for rows, codes in self._blocks(descriptors, hidden):
            found = product(queries, codes)
            if hidden is not None and (gone := hidden[rows]).any():
                found[:, torch.from_numpy(gone)] = _LOST
            own, columns = _better(found, best[:, -1:], wanted)
            best, chosen = torch.cat([best, own], dim=1).topk(wanted, dim=1)
            where = torch.cat([where, torch.from_numpy(rows)[columns]], dim=1).gather(1, chosen)
        similarity = best.numpy() * (steps[:, None] * np.float32(self._scale / MOST_CODE))
        similarity[best.numpy() == _LOST] = -np.inf
        return Neighbours(where.numpy(), similarity.astype(np.float32))

    def has(self, numbers: IntArray) -> NDArray[np.bool_]:
        """(n,) which references, as they are called in answers, are searched at all."""
        if not len(self.rows):
            return np.zeros(len(numbers), dtype=bool)
        called = self.rows if self._numbers is None else self._numbers[self.rows]
        found: NDArray[np.bool_] = called[np.searchsorted(called, numbers).clip(0, len(called) - 1)] == numbers
        return found

    def similarity(self, descriptors: FloatArray, numbers: IntArray) -> FloatArray:
        """(B, n) float32 cosines of descriptors (B, D) with references, as they are called in answers."""
        found = np.empty((len(descriptors), len(numbers)), dtype=np.float32)
        for begin in range(0, len(numbers), BLOCK_ROWS):
            part = slice(begin, begin + BLOCK_ROWS)
            found[:, part] = descriptors @ decode(self._codes_of(numbers[part]), self._scale).T
        return found

    def _codes_of(self, numbers: IntArray) -> Codes:
        """(n, D) codes of references as they are called in answers."""
        places = numbers if self._numbers is None else np.searchsorted(self._numbers, numbers)
        part = np.searchsorted(self._starts, places, side="right") - 1
        found = np.empty((len(places), self._parts[0].shape[1]), dtype=np.int8)
        for number, codes in enumerate(self._parts):
            own = part == number
            found[own] = codes[places[own] - self._starts[number]]
        return found

    def _blocks(self, descriptors: FloatArray, hidden: NDArray[np.bool_] | None) -> Iterator[tuple[IntArray, torch.Tensor]]:
        """Numbers and codes of the references that frames are compared with, block by block."""
        for start, part, index in zip(self._starts[:-1], self._parts, self._indices, strict=True):
            first, last = np.searchsorted(self.rows, (start, start + len(part)))
            rows, places, stored = self.rows[first:last], None, part
            if index is not None and hidden is None:  # what is fitted on streets that are hidden is compared with all that is left
                searched = np.zeros(len(part), dtype=bool)
                searched[rows - start] = True
                if (places := index.near(descriptors, searched)) is not None:
                    rows, stored = start + index.order[places], index.codes
            for begin in range(0, len(rows), BLOCK_ROWS):
                some = rows[begin : begin + BLOCK_ROWS]
                own = some - start if places is None else places[begin : begin + BLOCK_ROWS]
                # What lies side by side is read where it is; scattered rows are gathered.
                together = own[-1] - own[0] + 1 == len(own)
                codes = np.asarray(stored[own[0] : own[-1] + 1]) if together else stored[own]
                yield some if self._numbers is None else self._numbers[some], torch.from_numpy(codes)


def _better(found: torch.Tensor, than: torch.Tensor, most: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What of each row is better than what was found before: (B, n) values, padded, and their columns.

    After the first blocks hardly anything is, and to look for that costs a small part of what sorting out the best of a block does.

    Args:
        found: (B, R).
        than: (B, 1).
        most: no more of a row than so many are wanted.
    """
    if int(than.min()) == _LOST:  # not even the first so many are there
        best = found.topk(min(most, found.shape[1]), dim=1, sorted=False)
        return best.values, best.indices
    flat = np.flatnonzero(found.numpy() > than.numpy())  # NumPy's is several times as fast where little is found
    row, column = flat // found.shape[1], flat % found.shape[1]
    counts = np.bincount(row, minlength=len(found))
    if counts.max(initial=0) > most:
        best = found.topk(min(most, found.shape[1]), dim=1, sorted=False)
        return best.values, best.indices
    place = np.arange(len(row)) - (counts.cumsum() - counts)[row]
    values = torch.full((len(found), int(counts.max(initial=0))), _LOST, dtype=found.dtype)
    columns = torch.zeros(values.shape, dtype=torch.int64)
    values.numpy()[row, place], columns.numpy()[row, place] = found.numpy().reshape(-1)[flat], column
    return values, columns


def _as_codes(descriptors: FloatArray) -> tuple[torch.Tensor, FloatArray]:
    """(B, D) descriptors as codes, each by its own scale, and (B,) what a step of each is."""
    steps = np.maximum(np.abs(descriptors).max(axis=1), 1e-9).astype(np.float32) / MOST_CODE
    return torch.from_numpy(np.rint(descriptors / steps[:, None]).astype(np.int8)), steps
