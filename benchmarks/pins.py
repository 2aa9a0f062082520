"""What pins are worth: three on the worst frames of isles' videos that start far off (simulated), and how long solving with them takes.

``worst``: each drive of a world's test splits is located on its isle, and kept where its mean error is above a kilometre. Pins *here* then go, by the truth, on the
three frames that lie farthest from it; nothing else of the truth is told. ``pinned_error_ratio`` is the median over those drives' frames with pins over the one
without; the three pinned frames count, and ``unpinned_error_ratio`` leaves them out.

``speed``: see ``pins_speed.py``.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from vidtag_engine.commands.pin import run_pin
from vidtag_engine.commands.solve import run_solve
from vidtag_engine.evaluation.evaluate import evaluate_geopackage
from vidtag_engine.export.pins import PinRow
from vidtag_engine.feedback import Feedback
from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.geolocation import geolocate
from vidtag_engine.grid import AreaOfInterest, load_aoi
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.types import FloatArray, InputError, IntArray
from vidtag_engine.warm import Warm

from .isles_world import TEST_SPLITS
from .pins_speed import speed

TITLE = "pins: three on the worst frames of videos that start above a kilometre (simulated)"
FAR_M, PINS, RADIUS_M = 1000.0, 3, 50.0
ROWS = ("speed", "worst")


def describe() -> str:
    """What this measures, for people."""
    return __doc__ or ""


def run(
    seed: int = 0,
    world: Path | None = None,
    checkpoint: str | None = None,
    drives: int = 0,
    rows: str | None = None,
    feedback: Feedback = Feedback(),
) -> dict[str, Any]:
    """Measure.

    Args:
        seed: of the drawing of drives.
        world: a rendered one, with its drives as videos.
        checkpoint: trained on it.
        drives: how many of them are located; 0 is all.
        rows: some of ``ROWS``, with commas; None: all.
        feedback: of the whole.

    Returns:
        ``pinned_error_ratio``, ``unpinned_error_ratio``, ``before_m`` and ``after_m`` (medians), ``far_videos`` and ``videos``, ``solve_s`` (median).
    """
    wanted = rows.split(",") if rows else list(ROWS)
    if unknown := [one for one in wanted if one not in ROWS]:
        raise InputError(f"There is no row {unknown[0]!r}: give some of {', '.join(ROWS)}.")
    found: dict[str, Any] = speed(seed) if "speed" in wanted else {}
    return found | (_worst(seed, world, checkpoint, drives, feedback) if "worst" in wanted else {})


def _worst(seed: int, world: Path | None, checkpoint: str | None, drives: int, feedback: Feedback) -> dict[str, Any]:
    """What three pins do to drives that start far off."""
    if world is None or checkpoint is None:
        raise InputError("Give a rendered world and a checkpoint of it: --world DIR --checkpoint FOLDER.")
    isles = _isles(world)
    every = sorted(path for split in TEST_SPLITS for path in (world / split).glob("*.mp4"))
    chosen = np.random.default_rng(seed).permutation(len(every))[: drives or len(every)]
    warm, settings = Warm(), GeolocateSettings(rate_hz=None, keep_scores=True, always_answer=True, device="cpu")
    before: list[FloatArray] = []
    after: list[FloatArray] = []
    others: list[tuple[FloatArray, FloatArray]] = []
    solve_s: list[float] = []
    for number, place in enumerate(chosen):
        with tempfile.TemporaryDirectory() as scratch:  # one a drive: scores take megabytes each
            feedback.check()
            video = every[place]
            feedback.tell(number / len(chosen), "pins", video.name)
            output = Path(scratch) / f"{video.stem}.gpkg"
            geolocate([video], isles[video.stem.split("_")[0]], checkpoint, output, settings, warm=warm)
            error_m, rows, truth = _errors(output, video, "model")
            if len(error_m) < PINS + 1 or error_m.mean() <= FAR_M:
                continue
            worst = np.argsort(error_m)[::-1][:PINS]
            for one in worst:
                run_pin(output, PinRow("", int(rows[one]), float(truth[one, 0]), float(truth[one, 1]), radius_m=RADIUS_M))
            since = time.perf_counter()
            run_solve(output)
            solve_s.append(time.perf_counter() - since)
            pinned_m, _, _ = _errors(output, video, "pinned")
            rest = np.setdiff1d(np.arange(len(error_m)), worst)
            before.append(error_m)
            after.append(pinned_m)
            others.append((error_m[rest], pinned_m[rest]))
    if not before:
        return {"simulated": True, "videos": len(chosen), "far_videos": 0}
    before_m, after_m = float(np.median(np.concatenate(before))), float(np.median(np.concatenate(after)))
    rest_before, rest_after = (float(np.median(np.concatenate([pair[side] for pair in others]))) for side in (0, 1))
    return {
        "simulated": True,
        "videos": len(chosen),
        "far_videos": len(before),
        "before_m": round(before_m, 1),
        "after_m": round(after_m, 1),
        "pinned_error_ratio": round(after_m / before_m, 4),
        "unpinned_error_ratio": round(rest_after / rest_before, 4),
        "solve_s": round(float(np.median(solve_s)), 3),
    }


def _isles(world: Path) -> dict[str, AreaOfInterest]:
    """Each isle's area by its name."""
    import geopandas

    frame = geopandas.read_file(world / "aoi.geojson")
    return {str(row["name"]): load_aoi(shapely.to_geojson(row.geometry)) for _, row in frame.iterrows()}


def _errors(result: Path, video: Path, answer: str) -> tuple[FloatArray, IntArray, FloatArray]:
    """Of the frames with an answer and a truth: metres (n,), numbers of the frames (n,), truth (n, 2)."""
    report = evaluate_geopackage(result, video.with_suffix(".gpx"), answer=answer)
    [one], [found] = report.results, report.comparisons.values()
    error_m = geodesic_m(found.predicted[:, 0], found.predicted[:, 1], found.truth[:, 0], found.truth[:, 1])
    rows = np.arange(len(error_m)) if found.rows is None else found.rows
    return np.asarray(error_m, dtype=np.float64), one.trajectory.frame_index[rows], found.truth
