"""How sure to be of what a database of reference images says: fitted on the database itself, without any training.

Each drive is geolocated by the others, as an unknown video would be; and once more without any reference within 150 m of it, as on a street that nobody drove.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..datasets.training_sequence import TrainingSequence
from ..feedback import Feedback
from ..grid import AreaOfInterest, make_grid
from ..models.place_recognizer import PlaceRecognizer, PlaceRecognizerConfig
from ..reference.database import StoredReferences
from ..reference.similarity import NEIGHBOURS
from ..reference.store import Store
from ..trajectory import LEAST_VIDEOS, UNFITTED_TEMPERATURE, Calibration, DatabaseWeight, TrainingGround
from ..types import FloatArray
from .calibrate import calibrate_path
from .novelty import fit_novelty

BLOCK_M = 300.0  # across, of what is hidden about a drive
_LEAST_FRAMES = 4  # fewer are no way
_MOST_FRAMES = 64  # of a drive
_MOST_SEQUENCES = 400  # that are fitted on
_MOST_POINTS = 60_000  # of the cover


class _Described(StoredReferences):
    """A database that is asked by descriptors."""

    def in_context(self, features: torch.Tensor) -> torch.Tensor:
        """They are in context already."""
        return features.float()

    def mirrored(self, features: torch.Tensor) -> None:
        """What stands where in the picture cannot be told from them."""
        del features


def sequences_of(store: Store, most: int = _MOST_SEQUENCES) -> list[tuple[int, TrainingSequence]]:
    """Drives of a database, evenly out of very many, by descriptors: each one's number, and its images in the order in which they were taken.

    Args:
        store: opened.
        most: sequences; of a drive's several views one is taken.
    """
    rows = np.flatnonzero(store.there)
    of = store.rows[rows]
    order = np.lexsort((of["number"], of["sequence"]))
    rows, of = rows[order], of[order]
    lat_lon_deg = store.lat_lon_deg[rows]
    starts = np.flatnonzero(np.diff(of["sequence"], prepend=-1))
    parts = [part for part in np.split(np.arange(len(rows)), starts[1:]) if len(part) >= _LEAST_FRAMES]
    drives: dict[int, NDArray[Any]] = {}
    for part in parts:
        drives.setdefault(int(of["drive"][part[0]]), part)
    chosen = list(drives.items())[:: -(-len(drives) // most) or 1]
    found = []
    for drive, part in chosen:
        middle = part[max(0, (len(part) - _MOST_FRAMES) // 2) :][:_MOST_FRAMES]
        time_s = of["time_s"][middle]
        known = np.isfinite(time_s).all() and (np.diff(time_s) > 0).all()
        seconds = time_s - time_s[0] if known else np.arange(len(middle), dtype=np.float64)
        local = store.local.take(rows[middle]) if store.local else None
        found.append(
            (drive, TrainingSequence(f"drive {drive}", store.descriptors(rows[middle])[None], lat_lon_deg[middle], seconds, local=local))
        )
    return found


@torch.inference_mode()
def calibrate_references(store: Store, area: AreaOfInterest, *, seed: int = 0, feedback: Feedback = Feedback()) -> Calibration:
    """Fit decoding, confidence, regions and when to withhold on a database's own drives.

    Args:
        store: opened.
        area: that its images lie in.
        seed: of everything random.
        feedback: of the whole fit.

    Returns:
        Without how whole videos are decoded where fewer than eight drives are there: what is found with it is then not rated.
    """
    reach_m, resolution_m = store.reach_m, store.manifest.resolution_m
    drives = sequences_of(store)
    numbers, videos = [number for number, _ in drives], [video for _, video in drives]
    places = store.lat_lon_deg[store.there]
    ground = TrainingGround.about(places, reach_m, None)
    either_way = bool(store.manifest.layout_dim)
    weight = DatabaseWeight(1.0, reach_m, None, NEIGHBOURS, either_way)
    unrated = Calibration(
        UNFITTED_TEMPERATURE, database_weight=weight, speed_mps=store.speed_mps, ground=ground, videos=len(videos), of_references=True
    )
    if len(videos) < LEAST_VIDEOS:
        return unrated
    grid = make_grid(area, max(resolution_m, math.sqrt(area.area_m2 / _MOST_POINTS) * 1.02))
    points, spacing_m = np.concatenate(list(grid.chunks())), math.sqrt(grid.area_m2 / grid.count)
    model = PlaceRecognizer(_Described(store), reach_m)
    model.config = PlaceRecognizerConfig(store.manifest.frame_encoder, model.memory.dim, 0)
    novelty = fit_novelty([one.features[0] for one in videos], [], names=[one.name for one in videos], seed=seed)
    path = calibrate_path(
        model, points[ground.knows(points, spacing_m)], spacing_m, videos, videos, temperature=UNFITTED_TEMPERATURE, reach_m=reach_m, places=_thinned(places),
        novelty=novelty, neighbours=NEIGHBOURS, own=lambda number: torch.from_numpy(store.rows["drive"] == numbers[number]), block_m=BLOCK_M, seed=seed,
        feedback=feedback,
    )  # fmt: skip
    # Each drive was compared with all others there; here they would be held out from themselves. What is kept of a picture cannot be mirrored any more, so the fit
    # reads the way that it was taken: new videos are found either way, and what is said of them errs on the careful side.
    read = replace(path.database_weight, either_way=either_way) if path.database_weight else None
    path = replace(path, novelty=novelty, database_weight=read)
    return replace(unrated, path=path, n_frames=sum(map(len, videos)))


def _thinned(places: FloatArray, most: int = 200_000) -> FloatArray:
    """Places evenly out of very many."""
    return places[:: -(-len(places) // most) or 1]
