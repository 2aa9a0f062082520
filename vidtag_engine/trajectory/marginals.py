"""Marginals over places as they are kept, a sparse row a frame, and how near places are to each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from ..types import FloatArray, IntArray

TINY = 1e-30  # of float32
_LEAST_POWER = np.nextafter(np.float32(np.log(TINY)), np.float32(0.0))  # the first number of float32 above its logarithm
_IN_CACHE = 32_768  # numbers worked on at once
Held = tuple[IntArray, FloatArray]  # numbers of K places, and their (T, K) mass
_ROWS = 32  # made dense at once
_LEFT_OUT = 1e-4  # of a frame's mass, in its faintest places


def apart2(one: FloatArray, other: FloatArray) -> FloatArray:
    """(N, K) float32 squares of the straight-line distances between points (N, 3) and (K, 3)."""
    return _by_rows(one, other, lambda _: None)


def nearness(one: FloatArray, other: FloatArray, length_m: float) -> FloatArray:
    """(N, K) float32 exp(-(distance / length)^2) between points (N, 3) and (K, 3); 0 below `TINY`, as numbers near the least of float32 multiply slowly."""
    return _by_rows(one, other, lambda squares: to_nearness(squares, length_m))


def to_nearness(squares: FloatArray, length_m: float) -> None:
    """Turn squares of distances into nearness, in place; both as above."""
    squares *= np.float32(-1.0 / length_m**2)
    near = squares >= _LEAST_POWER
    # Exponentials that leave the range of float32 take ten times as long, and so does picking out what is far.
    np.maximum(squares, _LEAST_POWER, out=squares)
    np.exp(squares, out=squares)
    squares *= near


def _by_rows(one: FloatArray, other: FloatArray, change: Callable[[FloatArray], None]) -> FloatArray:
    """Squares of distances, changed in place while a few rows of them are in the processor's cache."""
    middle = other.mean(axis=0)  # squares of metres must not be lost beside squares of the Earth's radius
    one, other = one - middle, other - middle
    twice, squares_one, squares_other = -2.0 * other.T, (one**2).sum(axis=1)[:, None], (other**2).sum(axis=1)
    result: FloatArray = np.empty((len(one), len(other)), dtype=np.float32)
    size = max(1, _IN_CACHE // max(1, len(other)))
    for begin in range(0, len(one), size):
        rows = slice(begin, begin + size)
        squares = one[rows] @ twice
        squares += squares_one[rows]
        squares += squares_other
        np.maximum(squares, 0.0, out=result[rows], casting="same_kind")
        change(result[rows])
    return result


def thinned(mass: FloatArray, most: int) -> tuple[IntArray, FloatArray]:
    """Numbers and shares of places, summing to 1, without the faintest."""
    total = float(mass.sum(dtype=np.float64))
    share = mass / np.float32(total) if total > TINY else np.full_like(mass, 1.0 / len(mass))
    kept = np.flatnonzero(share > _LEFT_OUT / len(share))
    if len(kept) > most:
        kept = np.sort(kept[np.argpartition(-share[kept], most)[:most]])
    values = share[kept]
    return kept.astype(np.int32), values / np.float32(values.sum(dtype=np.float64))


def stacked(rows: list[tuple[IntArray, FloatArray]], places: int) -> sparse.csr_matrix:
    """(T, M) of the rows of :func:`thinned`."""
    ends = np.cumsum([0] + [len(kept) for kept, _ in rows])
    kept, values = (np.concatenate(column) for column in zip(*rows, strict=True))
    return sparse.csr_matrix((values, kept, ends), shape=(len(rows), places))


def first_of_each_box(points_m: FloatArray, side_m: float) -> IntArray:
    """Numbers, rising, of the first of the points (N, 3) in each box of a lattice."""
    box = np.floor(points_m / side_m).astype(np.int64)
    order = np.lexsort(box.T)
    begins = np.append(True, (box[order[1:]] != box[order[:-1]]).any(axis=1))
    return np.sort(order[begins[: len(order)]])


def most_held(marginal: sparse.csr_matrix, most: int) -> Held:
    """Numbers of at most so many places, those with the most mass in any frame; and their (T, K) mass."""
    frames, places = marginal.shape
    peak = np.zeros(places, dtype=np.float32)
    # Whole rows of zeros and shares are gone through faster than the places of the shares are picked out.
    blocks = [slice(start, min(start + _ROWS, frames)) for start in range(0, frames, _ROWS)]
    for rows in blocks:
        np.maximum(peak, _dense(marginal, rows).max(axis=0), out=peak)
    some = np.flatnonzero(peak > 0)
    held = some[np.argsort(-peak[some], kind="stable")[:most]]
    mass = np.empty((frames, len(held)), dtype=np.float32)
    for rows in blocks:
        mass[rows] = _dense(marginal, rows)[:, held]
    return held, mass


def _dense(marginal: sparse.csr_matrix, rows: slice) -> FloatArray:
    """Some rows in full, without a copy of their shares."""
    ends = marginal.indptr[rows.start : rows.stop + 1]
    part = slice(ends[0], ends[-1])
    block = sparse.csr_matrix(
        (marginal.data[part], marginal.indices[part], ends - ends[0]), shape=(len(ends) - 1, marginal.shape[1]), copy=False
    )
    dense: FloatArray = block.toarray()
    return dense
