"""Results to export: ordinary ones and every odd one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from vidtag_engine.types import DecodeReport, FrameState, Provenance, TimeSource, Trajectory, VideoInfo, VideoResult

START = datetime(2024, 5, 1, 12, 0, 0, 123000, tzinfo=UTC)
CREATED = datetime(2025, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
PROVENANCE = Provenance(
    settings={
        "aoi": "/home/someone/private/aoi.gpkg",
        "cache": Path("/var/cache/x"),
        "nested": ["C:\\Users\\Someone\\v.mp4", "~/k"],
        "rate_hz": 1.0,
    },
    checkpoint={"name": "isle", "sha256": "00" * 32},
    gallery={"kind": "equal-earth", "resolution_m": 10.0, "count": 321, "digest": "ff"},
    versions={"vidtag": "0.1.0"},
    seed=7,
    created_utc=CREATED,
)


def video(name, lat, lon, confidence, *, time_s=None, start=START, source=TimeSource.CONTAINER, embedded=None):
    lat, lon, confidence = (np.asarray(a, dtype=float) for a in (lat, lon, confidence))
    count = len(lat)
    located = np.isfinite(lat)
    return VideoResult(
        info=VideoInfo(Path("/home/someone/videos") / name, name, "video", 640, 480, float(count), start, source, embedded, 90, True),
        trajectory=Trajectory(
            frame_index=np.arange(count),
            time_s=np.arange(count) * 1.0333667 if time_s is None else np.asarray(time_s, dtype=float),
            lat_deg=lat,
            lon_deg=lon,
            confidence=confidence,
            score=(confidence / 2).astype(np.float32),
            runner_up_m=np.where(confidence <= 0.5, 321.5, np.nan),
            phase1_lat_deg=lat + 1e-3,
            phase1_lon_deg=lon,
            state=tuple(FrameState.LOCATED if ok else FrameState.DAMAGED for ok in located),
            confidence_radius_m=100.0,
        ),
        report=DecodeReport(3 * count, count, 2, ((3.0, 4.5),), repeated=5),
        sha256="ab" * 32,
        seconds={"decode": 1.25},
    )


def drive(name="drive.mp4", count=40, seed=1, gap=None, **more):
    rng = np.random.default_rng(seed)
    heading = np.cumsum(rng.normal(0, 0.12, count))
    lat = -19.22 + np.cumsum(np.cos(heading)) * 1e-4
    lon = 159.93 + np.cumsum(np.sin(heading)) * 1e-4
    confidence = 0.5 + 0.48 * np.sin(np.arange(count) / 6 + seed)
    if gap:
        for array in (lat, lon, confidence):
            array[gap] = np.nan
    return video(name, lat, lon, confidence, **more)


NAN = float("nan")
SYNTHETIC = {"start": datetime(2000, 1, 1, tzinfo=UTC), "source": TimeSource.SYNTHETIC}


def every_kind():
    """Name by name: an unbroken drive, one with a gap, one frame, no answer, across ±180°, standing still, no frames."""
    return [
        drive("Fahrt ü 東京.mp4", embedded="GPS5"),
        drive("a <b> & 'c' \"d\".mp4", 30, 4, gap=slice(12, 15), **SYNTHETIC),
        video("one.mp4", [-19.2], [159.9], [0.7]),
        video("none.mp4", [NAN, NAN], [NAN, NAN], [NAN, NAN]),
        video("dateline.mp4", [10, 10.5, 11], [179.5, -179.5, -179.0], [0.1, 0.5, 0.9]),
        video("standing.mp4", [5, 5, 5], [6, 6, 6], [0.9, 0.9, 0.9], time_s=[0, 0, 1]),
        video("empty.mp4", [], [], []),
    ]
