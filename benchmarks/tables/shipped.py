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
    from ..isles_paths import made_from, open_paths  # which needs this package

    alone = lab.place(replace(SHIPPED, seed=seed))
    specification = {**made_from(lab, seed), "splits": TEST_SPLITS}
    entry = lab.store.get(specification)
    if entry is None:
        paths = open_paths(lab, seed)
        started = time.perf_counter()
        lines = [decoded.lat_lon_deg for decoded in paths.decoded(alone.drives)]
        entry = Entry({"seconds": round(time.perf_counter() - started, 3)}, {"lines": np.concatenate(lines)})
        lab.store.put(specification, entry)
    ends = np.cumsum([len(drive.sequence) for drive in alone.drives])[:-1]
    return replace(alone, predicted=np.split(entry.arrays["lines"], ends), seconds=entry.values["seconds"])
