"""An index of one addition to a database: its codes a second time, in cells of codes that are alike, so that a search reads the cells near its frames alone.

It is a copy because to read scattered rows of ``codes.npy`` takes longer than to read all of them; a cell's rows lie side by side. Whatever is searched has the
same similarity either way. The folder can be deleted at any time: without it all is read.

- ``index.json``: how many cells are read for a frame, and what share of the nearest that found;
- ``centres.npy``: (C, D) float32, the mean direction of each cell;
- ``starts.npy``: (C + 1,) int64, where each cell's rows begin, and the end;
- ``order.npy``: (N,) int32, which row of the addition each is;
- ``codes.npy``: (N, D) int8 in that order, mapped.

FAISS makes the cells (:mod:`.indexing`); they are read without it, and nothing is ever unpickled.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..types import FloatArray, IntArray

INDEX = "index"
"""Folder of an index, in that of its addition."""
ABOUT, CENTRES, STARTS, ORDER, INDEX_CODES = "index.json", "centres.npy", "starts.npy", "order.npy", "codes.npy"
FORMAT_VERSION = 1
MOST_READ = 0.5  # share of the searched rows: where more would be read, all are, and then the answer is exact
_COMPARED = 32  # rows, by which an index of other codes is told
_MOST_ABOUT_BYTES = 1 << 16


@dataclass(frozen=True)
class CellIndex:
    """An addition's index, opened.

    Args:
        centres: (C, D) float32.
        starts: (C + 1,) where each cell's rows begin.
        order: (N,) row of the addition.
        codes: (N, D) mapped, in that order.
        probes: cells that are read for a frame.
        recall: share of the nearest that was found so, of a sample.
    """

    centres: FloatArray
    starts: IntArray
    order: NDArray[np.int32]
    codes: NDArray[np.int8]
    probes: int
    recall: float

    def near(self, descriptors: FloatArray, searched: NDArray[np.bool_]) -> IntArray | None:
        """Which rows of the index to read for some frames: those that are searched, in the cells next to any frame.

        Args:
            descriptors: (B, D).
            searched: (N,) rows of the addition. A cell counts by the share of it that is searched: where others are hidden, more cells are read.

        Returns:
            Places in ``codes``, rising; None where these are so many that all may as well be read.
        """
        left, sizes = searched[self.order], np.diff(self.starts)
        before = np.concatenate([[0], left.cumsum()])
        shares = (before[self.starts[1:]] - before[self.starts[:-1]]) / np.maximum(sizes, 1)
        # By torch, as all products of a search: another library's threads would spin beside its.
        nearest = (torch.from_numpy(descriptors) @ torch.from_numpy(self.centres).T).argsort(dim=1, descending=True).numpy()
        reached = shares[nearest].cumsum(axis=1) - shares[nearest]  # by the cells before
        read = np.zeros(len(sizes), dtype=bool)
        read[nearest[reached < self.probes]] = True
        found = np.flatnonzero(np.repeat(read, sizes) & left)
        return found if len(found) <= MOST_READ * before[-1] else None


def read_index(folder: Path, codes: NDArray[np.int8]) -> CellIndex | None:
    """The index of an addition.

    Args:
        folder: of the index.
        codes: (N, D) of the addition.

    Returns:
        None where there is none, or it is damaged or of other codes.
    """
    try:
        with (folder / ABOUT).open(encoding="utf-8") as file:
            about = json.loads(file.read(_MOST_ABOUT_BYTES))
        centres, starts, order, copy = (_array(folder / name) for name in (CENTRES, STARTS, ORDER, INDEX_CODES))
        found = CellIndex(centres, starts, order, copy, int(about["probes"]), float(about["recall"]))
        usable = about["format_version"] == FORMAT_VERSION and _fits(found, codes)
    except (OSError, ValueError, EOFError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    return found if usable else None


def _array(path: Path) -> NDArray[Any]:
    """A file that says it is larger than it is, or holds objects, is a ValueError; nothing is read yet."""
    found: NDArray[Any] = np.lib.format.open_memmap(path, mode="c")
    return found


def _fits(index: CellIndex, codes: NDArray[np.int8]) -> bool:
    """Whether an index is one, and of these codes."""
    centres, starts, order = index.centres, index.starts, index.order
    if centres.ndim != 2 or centres.shape[1] != codes.shape[1] or centres.dtype != np.float32 or not np.isfinite(centres).all():
        return False
    if not 1 <= index.probes <= len(centres) or index.codes.shape != codes.shape or index.codes.dtype != np.int8:
        return False
    if starts.shape != (len(centres) + 1,) or starts.dtype != np.int64 or order.shape != (len(codes),) or order.dtype != np.int32:
        return False
    if (
        not len(codes)
        or starts[0] != 0
        or starts[-1] != len(codes)
        or (np.diff(starts) < 0).any()
        or order.min() < 0
        or order.max() >= len(codes)
    ):
        return False
    if (np.bincount(order, minlength=len(codes)) != 1).any():
        return False
    some = np.linspace(0, len(codes) - 1, _COMPARED).astype(np.int64)
    return np.array_equal(index.codes[some], codes[order[some]])
