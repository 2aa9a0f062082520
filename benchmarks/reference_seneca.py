"""A flight found by a database of another, with no training, beside the plain nearest neighbour and the trained checkpoint (real pictures)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from vidtag_engine.grid import load_aoi
from vidtag_engine.loaded import load
from vidtag_engine.settings import ReferenceSettings
from vidtag_engine.training import TrainingSource
from vidtag_engine.training.reference_build import build
from vidtag_engine.types import InputError

from .recordings import recordings
from .seneca import AOI, RESOLUTION_M, nearest_neighbour, place


def seneca(learn: str = "flight1", find: str = "flight2") -> dict[str, Any]:
    """Median errors and their ratio; nothing where the recordings are not there."""
    try:
        folder = recordings("seneca")
    except InputError:
        return {}
    area = load_aoi(AOI)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        source = TrainingSource(folder / f"{learn}.mp4", folder / f"{learn}.gpx")
        build(work / "references", [source], ReferenceSettings(resolution_m=RESOLUTION_M), aoi=area)
        loaded = load(str(work / "references"))
        found = place(folder, find, loaded, area, work / "found.gpkg")
        plain = nearest_neighbour(folder, learn, find, loaded, work / "features", 0)
    return {
        "train_free_seneca_median_m": found["median_m"],
        "train_free_seneca_within_40m": found["within_40m"],
        "nearest_neighbour_seneca_median_m": plain["nearest_neighbour_median_m"],
        "train_free_seneca_ratio": round(found["median_m"] / plain["nearest_neighbour_median_m"], 3),
    }
