"""VidTAG as it is shipped: what the checkpoint remembers beside the location encoder, and all frames of a drive decoded together."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from ..isles_world import TEST_SPLITS
from .lab import Lab, Placement
from .rows import SHIPPED
from .runs import Run
from .store import Entry, NotStoredError


def place_shipped(lab: Lab, seed: int = 0) -> Placement:
    """The lines of all test drives.

    Args:
        lab: whose world, budget and store.
        seed: of the training.
    """
    entry, alone = lines(lab, seed), lab.place(replace(SHIPPED, seed=seed))
    ends = np.cumsum([len(drive.sequence) for drive in alone.drives])[:-1]
    return replace(alone, predicted=np.split(entry.arrays["lines"], ends), seconds=entry.values["seconds"])


def lines(lab: Lab, seed: int, run: Run = SHIPPED, reads: str = "both") -> Entry:
    """The lines alone, decoded now or read from the store; arguments as of :func:`..isles_paths.open_paths`."""
    from ..isles_paths import made_from, open_paths  # which needs this package

    specification = {**made_from(lab, seed, run, reads), "splits": TEST_SPLITS}  # type: ignore[arg-type]
    entry = lab.store.get(specification)
    if entry is None:
        if lab.kept and not lab.kept.anew:
            raise NotStoredError(reads)
        paths = open_paths(lab, seed, run, reads)  # type: ignore[arg-type]
        started = time.perf_counter()
        found = [decoded.lat_lon_deg for decoded in paths.decoded(lab.seen_by(SHIPPED).of(*TEST_SPLITS))]
        entry = Entry({"seconds": round(time.perf_counter() - started, 3)}, {"lines": np.concatenate(found)})
        lab.store.put(specification, entry)
    return entry
