"""Results of a batch as they come from long drives, made up: what writing costs does not depend on where they lie."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import shapely

from vidtag_engine.types import (
    DecodeReport,
    FrameState,
    Hypotheses,
    Provenance,
    TimeSource,
    Trajectory,
    Verdict,
    VideoInfo,
    VideoResult,
)

FRAMES = 60
AREA = "13,55,14,56"
RADIUS_M = 100.0
_VERTICES = 41
_RADII_M = (25.0, 100.0, 500.0, 1000.0)
_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def made_up_record(grid_digest: str) -> Provenance:
    """What made the results, the same for all."""
    return Provenance({"rate_hz": 1.0}, {"name": "made up", "sha256": "0" * 64}, {"digest": grid_digest}, {"vidtag": "0"}, 0, _MOMENT)


def made_up_result(number: int, seed: int, frames: int = FRAMES) -> VideoResult:
    """A drive with a region of 41 vertices for each frame at both levels.

    Args:
        number: of the video, which its name and its digest tell.
        seed: of the benchmark.
        frames: that were sampled.
    """
    rng = np.random.default_rng([seed, number])
    lat, lon = 55.7 + np.cumsum(rng.normal(0, 1e-4, frames)), 13.2 + np.cumsum(rng.normal(0, 1e-4, frames))
    region50, region90 = (_regions(lat, lon, radius_deg, rng) for radius_deg in (1e-3, 3e-3))
    within = np.sort(rng.uniform(0, 1, (frames, len(_RADII_M))), axis=1)
    entropy_bits, share = rng.uniform(0, 5, frames), rng.uniform(0, 1, frames)
    found = Hypotheses(_RADII_M, within, entropy_bits, lat + 0.01, lon, share, 1 - share, region50, region90, lat, lon)
    verdict = Verdict(FrameState.LOCATED, 0.9, 0.5, (0.1, 0.2, 0.3, 0.4), 2.0, region50[0], region90[0])
    line = Trajectory(
        np.arange(frames) * 25, np.arange(frames) * 1.0, lat, lon, rng.uniform(0, 1, frames), rng.uniform(0, 1, frames),
        rng.uniform(0, 1e4, frames), lat, lon, (FrameState.LOCATED,) * frames, RADIUS_M, found, verdict,
    )  # fmt: skip
    name = name_of(number)
    info = VideoInfo(Path(name), name, "video", 1920, 1080, float(frames), _MOMENT, TimeSource.CONTAINER)
    return VideoResult(info, line, DecodeReport(25 * frames, frames, 0), f"{seed:08x}{number:056x}", {"encode": 1.0})


def name_of(number: int) -> str:
    """Of a made-up video."""
    return f"drive-{number:05d}.mp4"


def _regions(lat: np.ndarray, lon: np.ndarray, radius_deg: float, rng: np.random.Generator) -> tuple[shapely.MultiPolygon, ...]:
    """A ragged ring around each place."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, (len(lat), _VERTICES)), axis=1)
    reach = radius_deg * rng.uniform(0.7, 1.3, angle.shape)
    rings = np.stack([lon[:, None] + reach * np.cos(angle), lat[:, None] + reach * np.sin(angle)], axis=2)
    return tuple(shapely.MultiPolygon([one]) for one in shapely.polygons(rings))
