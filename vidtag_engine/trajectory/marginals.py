"""Marginals over places as they are kept, a sparse row a frame, and how near places are to each other."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ..types import FloatArray, IntArray

TINY = 1e-30  # of float32
_LEFT_OUT = 1e-4  # of a frame's mass, in its faintest places
_ROWS = 64  # written out at once


def apart2(one: FloatArray, other: FloatArray) -> FloatArray:
    """(N, K) float32 squares of the straight-line distances between points (N, 3) and (K, 3)."""
    middle = other.mean(axis=0)  # squares of metres must not be lost beside squares of the Earth's radius
    one, other = one - middle, other - middle
    squares = one @ (-2.0 * other.T)
    squares += (one**2).sum(axis=1)[:, None]
    squares += (other**2).sum(axis=1)
    result: FloatArray = np.maximum(squares, 0.0, out=squares).astype(np.float32)
    return result


def nearness(one: FloatArray, other: FloatArray, length_m: float) -> FloatArray:
    """(N, K) float32 exp(-(distance / length)^2) between points (N, 3) and (K, 3); 0 below `TINY`, as numbers near the least of float32 multiply slowly."""
    power = apart2(one, other)
    power *= np.float32(-1.0 / length_m**2)
    far = power < np.log(TINY)
    near: FloatArray = np.exp(power, out=power)
    near[far] = 0.0
    return near


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


def most_held(marginal: sparse.csr_matrix, most: int) -> tuple[IntArray, FloatArray]:
    """Numbers of at most so many places, those with the most mass in any frame; and their (T, K) mass."""
    peak = np.zeros(marginal.shape[1], dtype=np.float32)
    for begin in range(0, marginal.shape[0], _ROWS):
        np.maximum(peak, marginal[begin : begin + _ROWS].toarray().max(axis=0), out=peak)
    held = np.argsort(-peak, kind="stable")[: min(most, int((peak > 0).sum()))]
    mass = [marginal[begin : begin + _ROWS].toarray()[:, held] for begin in range(0, marginal.shape[0], _ROWS)]
    return held, np.concatenate(mass)
