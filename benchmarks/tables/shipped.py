"""VidTAG as it is shipped: what the checkpoint remembers beside the location encoder, and all frames of a drive decoded together."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from ..isles_world import TEST_SPLITS
from .lab import Lab, Placement
from .rows import SHIPPED
from .store import Entry


def place_shipped(lab: Lab, seed: int = 0) -> Placement:
    """The lines of all test drives.

    Args:
        lab: whose world, budget and store.
        seed: of the training.
    """
    entry, alone = lines(lab, seed), lab.place(replace(SHIPPED, seed=seed))
    ends = np.cumsum([len(drive.sequence) for drive in alone.drives])[:-1]
    return replace(alone, predicted=np.split(entry.arrays["lines"], ends), seconds=entry.values["seconds"])


def lines(lab: Lab, seed: int) -> Entry:
    """The lines alone, decoded now or read from the store."""
    from ..isles_paths import made_from, open_paths  # which needs this package

    specification = {**made_from(lab, seed), "splits": TEST_SPLITS}
    entry = lab.store.get(specification)
    if entry is None:
        paths = open_paths(lab, seed)
        started = time.perf_counter()
        found = [decoded.lat_lon_deg for decoded in paths.decoded(lab.seen_by(SHIPPED).of(*TEST_SPLITS))]
        entry = Entry({"seconds": round(time.perf_counter() - started, 3)}, {"lines": np.concatenate(found)})
        lab.store.put(specification, entry)
    return entry
