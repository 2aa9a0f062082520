"""FAISS over an embedded gallery: flat, which is exact, and inverted lists (IVF), which look at some of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import faiss
import numpy as np
import torch

_LISTS, _PROBED = 1024, 16
_ROUNDS = 3


def run(embeddings: np.ndarray, queries: np.ndarray, batch: int, agreeing: Callable[[np.ndarray], float]) -> dict[str, float]:
    """Build, memory, seconds and agreement of both; threads as torch has them.

    Args:
        embeddings: (N, E) float32: every point of the grid.
        queries: (T, E) float32.
        batch: so many queries are timed.
        agreeing: share of right picks among (T,) point numbers.
    """
    faiss.omp_set_num_threads(torch.get_num_threads())
    width = embeddings.shape[1]
    ivf = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, _LISTS, faiss.METRIC_INNER_PRODUCT)
    ivf.nprobe = _PROBED
    ivf.cp.niter, ivf.cp.max_points_per_centroid = 5, 64
    result: dict[str, float] = {}
    for name, index in (("flat", faiss.IndexFlatIP(width)), ("ivf", ivf)):
        result |= {f"faiss_{name}_{key}": value for key, value in _measured(index, embeddings, queries, batch, agreeing).items()}
    return result


def _measured(
    index: Any, embeddings: np.ndarray, queries: np.ndarray, batch: int, agreeing: Callable[[np.ndarray], float]
) -> dict[str, float]:
    began = time.perf_counter()
    index.train(embeddings)
    index.add(embeddings)
    built = time.perf_counter()
    seconds = []
    for _ in range(_ROUNDS):
        since = time.perf_counter()
        index.search(queries[:batch], 1)
        seconds.append(time.perf_counter() - since)
    _, found = index.search(queries, 1)
    return {
        "build_s": built - began,
        "mb": faiss.serialize_index(index).nbytes / 1e6,
        "s": float(np.median(seconds)),
        "agreement": agreeing(found[:, 0]),
    }
