"""Seconds that a video of a batch costs beside encoding its frames, once the engine is warm."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.geolocation import geolocate
from vidtag_engine.grid import load_aoi
from vidtag_engine.inference.encode import encode_video
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.video import open_source
from vidtag_engine.warm import Warm

from .batch_kills import distinct_copies
from .isles_world import ROOT

_FRAMES = 10
_ROUNDS = 3


def overhead(videos: int) -> dict[str, Any]:
    """The demo's drive, its first ten frames, in files that differ: a whole batch, less the same encoder alone on the same files; the median of three rounds."""
    demo = ROOT / "resources" / "demo"
    with tempfile.TemporaryDirectory() as scratch, _cache(Path(scratch) / "cache"):
        folder = Path(scratch)
        paths = [folder / f"drive-{number:03d}.mp4" for number in range(videos)]
        distinct_copies(demo / "drive.mp4", paths)
        settings = GeolocateSettings(resolution_m=25.0, to_s=float(_FRAMES), device="cpu")
        warm, aoi = Warm(), load_aoi(str(demo / "aoi.geojson"))
        geolocate(paths[:2], aoi, str(demo / "checkpoint"), folder / "warm.gpkg", settings, warm=warm)
        loaded = warm.checkpoint(str(demo / "checkpoint"), "cpu")
        rounds = []
        for number in range(_ROUNDS):
            since = time.perf_counter()
            found = geolocate(paths, aoi, str(demo / "checkpoint"), folder / f"batch-{number}.gpkg", settings, warm=warm)
            whole_s = time.perf_counter() - since
            frames = sum(one["frames"] for one in found.summaries)
            since = time.perf_counter()
            for path in paths:
                encode_video(open_source(path), loaded.encoder, settings)
            encoding_s = time.perf_counter() - since
            rounds.append((whole_s, encoding_s, *(found.seconds.get(part, 0.0) for part in _PARTS), frames))
    whole_s, encoding_s, *parts_s, frames = np.median(np.array(rounds), axis=0).tolist()
    return {
        "overhead_a_video_s": round(float(np.median([(one[0] - one[1]) / videos for one in rounds])), 4),
        "batch_s": round(whole_s, 2),
        "batch_encoding_s": round(encoding_s, 2),
        "batch_videos": videos,
        "batch_frames": int(frames),
        "parts_a_video_s": {part: round(value / videos, 4) for part, value in zip(_PARTS, parts_s, strict=True)},
    }


_PARTS = ("decode", "encode", "search", "write")
"""What a run's own clock tells of, some of it at once with other parts."""


@contextlib.contextmanager
def _cache(folder: Path) -> Iterator[None]:
    """Meanwhile what is cached lies there."""
    before = os.environ.get("VIDTAG_CACHE")
    os.environ["VIDTAG_CACHE"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["VIDTAG_CACHE"]
        else:
            os.environ["VIDTAG_CACHE"] = before
