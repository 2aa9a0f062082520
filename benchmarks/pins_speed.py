"""How long a pin takes until there is a new line: 600 frames over 40,000 places, made up, in one process, whose decoder stays from solve to solve."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from vidtag_engine.commands.pin import run_pin
from vidtag_engine.commands.solve import run_solve
from vidtag_engine.export import write_geopackage
from vidtag_engine.export.pins import PinRow
from vidtag_engine.export.review_file import remove_pin
from vidtag_engine.export.scores_file import scores_folder, write_scores
from vidtag_engine.trajectory import Decoder, EmissionModel, PathCalibration, TransitionModel
from vidtag_engine.trajectory.decoder_calibration import RadiusMap
from vidtag_engine.trajectory.scores import VideoScores
from vidtag_engine.types import DecodeReport, FrameState, Provenance, TimeSource, Trajectory, VideoInfo, VideoResult

FRAMES, SIDE, SPACING_M = 600, 200, 25.0
_LAT, _LON = 10.0, 20.0


def speed(seed: int) -> dict[str, Any]:
    """``pin_solve_s``: the median over pins that are added one after another and taken back, of a solve; and the megabytes of the kept scores."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "made-up.gpkg"
        places = _made(path, rng)
        taken = []
        for row in (300, 60, 550):
            run_pin(path, PinRow("made-up.mp4", row, float(places[row, 0]), float(places[row, 1]), radius_m=50.0))
            taken.append(_seconds(path))
        for _ in range(2):
            remove_pin(path, None)
            taken.append(_seconds(path))
        size_mb = sum(one.stat().st_size for one in scores_folder(path).iterdir()) / 1e6
    return {
        "pin_solve_s": round(float(np.median(taken)), 3),
        "pin_frames": FRAMES,
        "pin_states": SIDE * SIDE,
        "scores_mb": round(size_mb, 1),
    }


def _seconds(path: Path) -> float:
    since = time.perf_counter()
    run_solve(path)
    return time.perf_counter() - since


def _made(path: Path, rng: np.random.Generator) -> Any:
    """A drive across a square lattice whose pictures look like the place, and a little like others; returns where it went."""
    step_deg = SPACING_M / 110_600.0
    rows, columns = np.divmod(np.arange(SIDE * SIDE), SIDE)
    cells = np.column_stack([_LAT + rows * step_deg, _LON + columns * step_deg])
    way = np.column_stack(
        [np.linspace(_LAT + 20 * step_deg, _LAT + 180 * step_deg, FRAMES), _LON + step_deg * (100 + 60 * np.sin(np.arange(FRAMES) / 90.0))]
    )
    scores = np.empty((FRAMES, len(cells)), dtype=np.float32)
    for frame, place in enumerate(way):
        apart = np.hypot(*((cells - place) / step_deg).T)
        scores[frame] = 0.6 * np.exp(-((apart / 4.0) ** 2)) + 0.1 * rng.random(len(cells), dtype=np.float32)
    time_s = np.arange(FRAMES) * 1.0
    calibration = PathCalibration(
        EmissionModel(0.05, error_correlation=0.3), TransitionModel(12.0), 100.0, SPACING_M, 50, (RadiusMap(250.0, 1.0, 0.0),), 0.5, 0.9
    )
    decoded = Decoder(cells, SPACING_M, calibration.transition).decode(scores, time_s, calibration.emission, accuracy_m=100.0)
    nothing = np.full(FRAMES, np.nan)
    trajectory = Trajectory(
        frame_index=np.arange(FRAMES), time_s=time_s, lat_deg=decoded.lat_lon_deg[:, 0], lon_deg=decoded.lat_lon_deg[:, 1], confidence=np.full(FRAMES, 0.8),
        score=np.full(FRAMES, 0.6), runner_up_m=nothing, phase1_lat_deg=nothing, phase1_lon_deg=nothing, state=(FrameState.LOCATED,) * FRAMES,
        confidence_radius_m=250.0,
    )  # fmt: skip
    start = datetime(2026, 5, 1, tzinfo=UTC)
    info = VideoInfo(Path("made-up.mp4"), "made-up.mp4", "video", 640, 360, float(FRAMES), start, TimeSource.CONTAINER)
    result = VideoResult(info=info, trajectory=trajectory, report=DecodeReport(FRAMES, FRAMES, 0, ()), sha256="ab" * 32)
    provenance = Provenance(
        settings={"rate_hz": 1.0}, checkpoint={}, gallery={"resolution_m": SPACING_M}, versions={}, seed=0, created_utc=start
    )
    write_geopackage(path, [result], provenance, aoi=shapely.box(*cells.min(axis=0)[::-1] - step_deg, *cells.max(axis=0)[::-1] + step_deg))
    kept = VideoScores(cells, SPACING_M, scores, np.arange(FRAMES), time_s, decoded.lat_lon_deg, calibration)
    write_scores(path, result.sha256, replace(kept, scores=scores))
    return decoded.lat_lon_deg
