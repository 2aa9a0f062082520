"""Real videos from elsewhere, put to a checkpoint that knows one field: do they run through, and does the confidence say that the place is unknown?

The checkpoint is trained on Seneca's flight 1 (real). In-area videos are 80 s pieces of flight 2. Its 5th percentile of median confidence is the bar.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.export import located_mask
from vidtag_engine.gallery import load_aoi
from vidtag_engine.geolocate import geolocate, load
from vidtag_engine.settings import GeolocateSettings

from .recordings import DATA, recordings
from .seneca import AOI, RESOLUTION_M, checkpoint_of

TITLE = "Real inputs (Lund, GoPro, KLV) put to a checkpoint of another place"
FILES = ("lund/walk.mp4", "gopro/max-heromode.mp4", "klv/aphill_klv_10s.ts", "klv/h264_klv.ts", "klv/aphill_240_1fps_crf32.mp4")
PIECE_S = 80.0


def run(seed: int = 0) -> dict[str, Any]:
    """Median confidence of each file, beside that of pieces of the known place."""
    seneca = recordings("seneca")
    area = load_aoi(AOI)
    result: dict[str, Any] = {"files": {}}
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        loaded = load(str(checkpoint_of("flight1", work / "field", seed)), "cpu")

        def median_confidence(path: Path, from_s: float = 0.0, to_s: float | None = None) -> tuple[float, int]:
            output = work / f"{path.stem}-{len(list(work.glob('*.gpkg')))}.gpkg"
            settings = GeolocateSettings(resolution_m=RESOLUTION_M, from_s=from_s, to_s=to_s, always_answer=True)
            batch = geolocate([path], area, loaded, output, settings)
            confidence = batch.results[0].trajectory.confidence
            rated = confidence[np.isfinite(confidence)]
            return float(np.median(rated)) if len(rated) else float("nan"), int(located_mask(batch.results[0].trajectory).sum())

        starts = np.arange(0.0, 520.0, 20.0)
        inside = [median_confidence(seneca / "flight2.mp4", from_s=float(s), to_s=float(s) + PIECE_S)[0] for s in starts]
        bar = float(np.percentile(inside, 5))
        for name in FILES:
            median, frames = median_confidence(DATA / name)
            result["files"][name] = {"frames": frames, "median_confidence": round(median, 4), "below": median < bar}
    known = list(result["files"].values())
    return {
        "in_area_videos": len(inside),
        "in_area_median": round(float(np.median(inside)), 4),
        "in_area_5th_percentile": round(bar, 4),
        "ran_through": sum(entry["frames"] > 0 for entry in known),
        "below": sum(entry["below"] for entry in known),
        **result,
    }
