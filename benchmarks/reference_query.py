"""One process that asks a database: ``python -m benchmarks.reference_query DATABASE QUERIES.npy PART`` prints seconds and the peak of its memory as JSON."""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vidtag_engine.reference.along import Moments
from vidtag_engine.reference.database import StoredReferences
from vidtag_engine.reference.store import Store
from vidtag_engine.types import FloatArray

PLACES, SPACING_M, REACH_M, QUERIES = 40_000, 25.0, 150.0, 60
_METRE_DEG = 1.0 / 111_195.0
_TIMES = 7
_SPEED_MPS = 10.0


def lattice(part: float = 1.0) -> FloatArray:
    """(M, 2) places of a square town, or of a square in its corner that is a part of it."""
    side = round(math.sqrt(PLACES * part))
    north, east = np.mgrid[:side, :side].reshape(2, -1) * SPACING_M * _METRE_DEG
    return np.stack([north, east], axis=1)


def queried(folder: Path, queries: FloatArray, part: float) -> dict[str, Any]:
    """Seconds from descriptors, of frames as they are and mirrored, to scores over the places, the first time and then."""
    asked, mirrored = torch.from_numpy(queries), torch.from_numpy(np.roll(queries, 1, axis=0))
    since = time.perf_counter()
    references = StoredReferences(Store.open(folder))
    opened_s = time.perf_counter() - since
    places = lattice(part)
    since = time.perf_counter()
    similarity = references.over(places, SPACING_M, REACH_M, either_way=True)
    over_s = time.perf_counter() - since
    since = time.perf_counter()
    moments = Moments(np.arange(len(queries), dtype=np.float64), _SPEED_MPS)
    similarity(asked, None, mirrored, moments)
    first_s = time.perf_counter() - since
    taken = []
    for _ in range(_TIMES):
        since = time.perf_counter()
        similarity(asked, None, mirrored, moments)
        taken.append(time.perf_counter() - since)
    found = similarity.search.nearest(queries, 200)
    if part == 1.0:
        np.save(folder.with_suffix(".rows.npy"), found.rows)
    # The kernel's own mark: getrusage would count the parent's memory, from before this program was started.
    peak_mb = next(
        int(line.split()[1]) / 1000
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        if line.startswith("VmHWM")
    )
    return {
        "opened_s": round(opened_s, 3), "over_s": round(over_s, 3), "first_s": round(first_s, 3), "query_s": round(float(np.median(taken)), 3),
        "peak_mb": round(peak_mb, 1), "references": len(similarity.search),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(queried(Path(sys.argv[1]), np.load(sys.argv[2]), float(sys.argv[3]))))
