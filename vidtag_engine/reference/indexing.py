"""Indices of a database's additions (:mod:`.cell_index`): made, measured and found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..atomic import making_folder
from ..feedback import Feedback
from ..types import FloatArray, InputError, IntArray
from .cell_index import ABOUT, CENTRES, FORMAT_VERSION, INDEX, INDEX_CODES, MOST_READ, ORDER, STARTS, CellIndex, read_index
from .codes import BLOCK_ROWS, MOST_CODE, Codes, decode, fastest_product
from .similarity import NEIGHBOURS
from .store import Store
from .work import SEGMENTS

LEAST_ROWS = 10_000  # of an addition: fewer, some 8 MB, are soon read; a build adds at least so many at once but for the last ones
RECALL, NEAR_TIE = 0.98, 0.002  # what an index finds of a frame's nearest; a hit counts if it is within so much of the last of them
_SAMPLE = 256  # images that stand for frames
_LEAST_SAMPLE = 64  # images with enough of other drives beside them
_MOST_CELLS = 4_096  # the sample that they are trained on is then 0.8 GB
_TRAINED_A_CELL, _ROUNDS = 64, 10  # of k-means, with which cells hardly get better
_LOST = -(2**31)


@dataclass(frozen=True)
class Indexed:
    """What became of an addition.

    Args:
        images: of it.
        cells: it was parted into; 0: it is too small for an index.
        probes: cells that must be read for a frame; 0: its images are of too few drives to measure that.
        recall: share of the nearest that is found so.
    """

    images: int
    cells: int = 0
    probes: int = 0
    recall: float = 1.0

    @property
    def worth(self) -> bool:
        """Whether an index was written: one that reads more than half of an addition saves nothing."""
        return 0 < self.probes <= MOST_READ * self.cells


def indices(store: Store) -> list[CellIndex | None]:
    """Of each addition its index; None where it has none that is usable."""
    return [
        read_index(store.folder / SEGMENTS / segment.name / INDEX, codes)
        for segment, codes in zip(store.manifest.segments, store.codes, strict=True)
    ]


def make_indices(store: Store, feedback: Feedback = Feedback()) -> list[Indexed]:
    """Give an index to each addition of a database that has none and is large enough.

    Args:
        store: opened.
        feedback: of the whole.

    Returns:
        Of each addition that had no index.

    Raises:
        InputError: FAISS is not installed, or an index cannot be written.
        CancelledError: stopped; the indices that were finished are kept.
    """
    feedback = feedback.saying("Stopped; finished parts are kept, and the same command goes on from there.")
    cuts = np.cumsum([segment.rows for segment in store.manifest.segments])[:-1]
    there, drives = np.split(store.there, cuts), np.split(store.rows["drive"], cuts)
    missing = [number for number, index in enumerate(indices(store)) if index is None]
    found = []
    for place, number in enumerate(missing):
        codes, own = store.codes[number], feedback.part(place / len(missing), (place + 1) / len(missing))
        if there[number].sum() < LEAST_ROWS:
            found.append(Indexed(len(codes)))
            continue
        folder = store.folder / SEGMENTS / store.manifest.segments[number].name / INDEX
        found.append(_make(folder, codes, store.manifest.scale, drives[number], there[number], own))
    feedback.tell(1.0, "done", store.folder.name)
    return found


def _make(folder: Path, codes: Codes, scale: float, drives: IntArray, there: NDArray[np.bool_], feedback: Feedback) -> Indexed:
    """An addition's index, written whole or not at all."""
    count = min(_MOST_CELLS, round(len(codes) ** 0.5))
    told = _with_others(drives, there)
    if len(told) < _LEAST_SAMPLE:  # without other drives nothing tells how an unknown video would fare
        return Indexed(len(codes), count)
    feedback.tell(0.0, "database", f"{count:,} cells of {len(codes):,} images")
    centres = _centres(codes, scale, count)
    cells = np.empty(len(codes), dtype=np.int32)
    for begin in _blocks(len(codes), feedback.part(0.2, 0.6)):
        block = torch.from_numpy(decode(codes[begin : begin + BLOCK_ROWS], scale))
        cells[begin : begin + BLOCK_ROWS] = (block @ torch.from_numpy(centres).T).argmax(dim=1).numpy()
    probes, recall = _probes(codes, scale, cells, centres, drives, there, told, feedback.part(0.6, 0.8))
    made = Indexed(len(codes), count, probes, recall)
    if not made.worth:
        return made
    order = np.argsort(cells, kind="stable").astype(np.int32)
    with making_folder(folder) as part:
        np.save(part / CENTRES, centres)
        np.save(part / STARTS, np.concatenate([[0], np.bincount(cells, minlength=count).cumsum()]).astype(np.int64))
        np.save(part / ORDER, order)
        with (part / INDEX_CODES).open("wb") as file:  # not by a mapped one, where a full disk would end the process
            np.lib.format.write_array_header_1_0(file, {"descr": "|i1", "fortran_order": False, "shape": codes.shape})
            for begin in _blocks(len(codes), feedback.part(0.8, 1.0)):
                file.write(codes[order[begin : begin + BLOCK_ROWS]].data)
        (part / ABOUT).write_text(json.dumps({"format_version": FORMAT_VERSION, "probes": probes, "recall": recall}), encoding="utf-8")
        if folder.exists():  # of other codes, or damaged
            shutil.rmtree(folder)
    return made


def _blocks(count: int, feedback: Feedback) -> Iterator[int]:
    """Where blocks of rows begin, told and stopped between them."""
    for begin in range(0, count, BLOCK_ROWS):
        feedback.check()
        feedback.tell(begin / count, "database", "indexing")
        yield begin


def _centres(codes: Codes, scale: float, count: int) -> FloatArray:
    """(C, D) means of cells of like codes, of length 1, by FAISS's k-means over a sample."""
    try:
        import faiss
    except ImportError as error:
        raise InputError(
            "An index is made by FAISS, which is not installed: pip install faiss-cpu. Without an index all of a database is searched."
        ) from error
    rng = np.random.default_rng(0)
    sample = np.sort(rng.choice(len(codes), min(len(codes), _TRAINED_A_CELL * count), replace=False))
    means = faiss.Kmeans(
        codes.shape[1], count, niter=_ROUNDS, spherical=True, seed=1, min_points_per_centroid=1, max_points_per_centroid=_TRAINED_A_CELL
    )
    means.train(decode(codes[sample], scale))
    centres: FloatArray = np.ascontiguousarray(means.centroids, dtype=np.float32)
    return centres


def _with_others(drives: IntArray, there: NDArray[np.bool_]) -> IntArray:
    """Rows that are there with enough images of other drives beside them."""
    _, drive = np.unique(drives, return_inverse=True)
    others = there.sum() - np.bincount(drive[there], minlength=int(drive.max()) + 1)[drive]
    return np.flatnonzero(there & (others >= 2 * NEIGHBOURS))


def _probes(
    codes: Codes,
    scale: float,
    cells: IntArray,
    centres: FloatArray,
    drives: IntArray,
    there: NDArray[np.bool_],
    told: IntArray,
    feedback: Feedback,
) -> tuple[int, float]:
    """The fewest cells that must be read for a frame so that enough of its nearest are found, and the share that is then; by some of the rows ``told``."""
    rng = np.random.default_rng(1)
    sample = np.sort(rng.choice(told, min(_SAMPLE, len(told)), replace=False))
    similarity, rows = _nearest_of_others(codes, scale, sample, drives, there, feedback)
    counts = similarity >= similarity[:, NEIGHBOURS - 1 : NEIGHBOURS] - NEAR_TIE
    nearest = np.argsort(-(decode(codes[sample], scale) @ centres.T), axis=1)
    ranks = np.empty_like(nearest)
    np.put_along_axis(ranks, nearest, np.arange(len(centres))[None], axis=1)
    found = np.zeros(ranks.shape)
    np.add.at(found, (np.nonzero(counts)[0], np.take_along_axis(ranks, cells[rows], axis=1)[counts]), 1.0)
    recalls = np.minimum(found.cumsum(axis=1) / NEIGHBOURS, 1.0).mean(axis=0)
    probes = int(np.argmax(recalls >= RECALL)) + 1
    return probes, float(recalls[probes - 1])


def _nearest_of_others(
    codes: Codes, scale: float, sample: IntArray, drives: IntArray, there: NDArray[np.bool_], feedback: Feedback
) -> tuple[FloatArray, IntArray]:
    """(S, 2 k) similarities and rows of a sample's nearest in all codes, near ties of the k-th among them.

    An image's own drive is left out, as an unknown video has no images of its own here: those are so near that any index finds them.
    """
    _, drives = np.unique(drives, return_inverse=True)
    own = drives[sample]
    queries, product = torch.from_numpy(np.ascontiguousarray(codes[sample])), fastest_product()
    best = torch.full((len(sample), 2 * NEIGHBOURS), _LOST, dtype=torch.int32)
    where = torch.zeros(best.shape, dtype=torch.int64)
    for begin in _blocks(len(codes), feedback):
        part = slice(begin, begin + BLOCK_ROWS)
        found = product(queries, torch.from_numpy(np.asarray(codes[part])))
        found[torch.from_numpy(~there[part] | (drives[part] == own[:, None]))] = _LOST
        values, columns = found.topk(min(2 * NEIGHBOURS, found.shape[1]), dim=1)
        best, chosen = torch.cat([best, values], dim=1).topk(2 * NEIGHBOURS, dim=1)
        where = torch.cat([where, columns + begin], dim=1).gather(1, chosen)
    return best.numpy() * np.float32((scale / MOST_CODE) ** 2), where.numpy()
