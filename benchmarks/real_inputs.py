"""Real videos from elsewhere, put to a checkpoint that knows one field: do they run through, is any shown with a probability, and which are withheld?

The checkpoint is trained on Seneca's flight 1 (real), as the README has it. In-area videos are 80 s pieces of flight 2.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.geolocation import geolocate, load
from vidtag_engine.grid import load_aoi
from vidtag_engine.settings import GeolocateSettings

from .recordings import DATA, recordings
from .seneca import AOI, RESOLUTION_M, checkpoint_of

TITLE = "Real inputs (Lund, GoPro, KLV) put to a checkpoint of another place"
FILES = ("lund/walk.mp4", "gopro/max-heromode.mp4", "klv/aphill_klv_10s.ts", "klv/h264_klv.ts", "klv/aphill_240_1fps_crf32.mp4")
PIECE_S = 80.0


def run(seed: int = 0) -> dict[str, Any]:
    """What is said of each file, beside pieces of the known place."""
    seneca = recordings("seneca")
    area = load_aoi(AOI)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        loaded = load(str(checkpoint_of("flight1", work / "field", seed)), "cpu")

        def said(path: Path, from_s: float = 0.0, to_s: float | None = None) -> dict[str, Any]:
            output = work / f"{path.stem}-{len(list(work.glob('*.gpkg')))}.gpkg"
            batch = geolocate([path], area, loaded, output, GeolocateSettings(resolution_m=RESOLUTION_M, from_s=from_s, to_s=to_s))
            found = batch.results[0].trajectory
            assert found.verdict is not None
            rated = bool(np.isfinite(found.confidence).any())
            return {
                "frames": len(found.state),
                "state": found.verdict.state.value,
                "shown_with_probability": rated,
                "why": found.verdict.why,
            }

        pieces = [said(seneca / "flight2.mp4", float(start), float(start) + PIECE_S) for start in np.arange(0.0, 520.0, 20.0)]
        files = {name: said(DATA / name) for name in FILES}
    return {
        "in_area_videos": len(pieces),
        "in_area_kept": sum(one["state"] == "located" for one in pieces),
        "ran_through": sum(one["frames"] > 0 for one in files.values()),
        "withheld": sum(one["state"] != "located" for one in files.values()),
        "shown_with_probability": sum(one["shown_with_probability"] for one in files.values()),
        "files": files,
    }
