"""How long a result takes once the frames' features are there, and how long the fit of confidence, and how far answers moved: beside an earlier build, in one run.

The demo's drive, with the checkpoint of the earlier build, is geolocated by both in turns, each in a process of its own that has loaded everything and done it once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.geodesy import haversine_m
from vidtag_engine.types import InputError

from .fit_beside import fit_beside
from .isles_world import ROOT
from .warm_session import warm_session

TITLE = "Seconds from the last frame's features to the result, and of the fit of confidence, beside an earlier build (demo, simulated)"
_TIMES, _COLD_TIMES = 9, 5
# Run in each build's folder, by its own modules, whose places differ: JSON lines in and out.
_SERVER = """
import json, sys
from pathlib import Path
try:
    from vidtag_engine.geolocation import geolocate, load
except ImportError:
    from vidtag_engine.geolocate import geolocate, load
from vidtag_engine.settings import GeolocateSettings
try:
    from vidtag_engine.grid import load_aoi
except ImportError:
    from vidtag_engine.gallery import load_aoi

case, folder = Path(sys.argv[1]), Path(sys.argv[2])
settings = GeolocateSettings(resolution_m=float(sys.argv[3]), always_answer=True)
loaded, aoi = load(str(case / "checkpoint")), load_aoi(str(case / "aoi.geojson"))
for line in sys.stdin:
    batch = geolocate(sorted(case.glob("*.mp4")), aoi, loaded, folder / "result.gpkg", settings, overwrite=True)
    found = [one.trajectory for one in batch.results]
    places = [[float(x) for one in found for x in getattr(one, name)] for name in ("lat_deg", "lon_deg", "confidence")]
    print(json.dumps({"search_s": batch.seconds["search"], "places": places}), flush=True)
"""


def run(seed: int = 0, *, before: Path | None = None, case: Path | None = None, resolution_m: float = 25.0) -> dict[str, Any]:
    """This build beside an earlier one, taken in turns: seconds and memory of a whole command, of its search stage, of the fit of confidence, and the answers.

    Args:
        seed: of the videos that confidence is fitted on.
        before: a checkout of the earlier build, such as ``git worktree add ../before COMMIT`` makes; its demo and checkpoint are used.
        case: another folder as the demo's (``checkpoint``, ``aoi.geojson``, videos): its answers and search stage alone are compared.
        resolution_m: of the grid.

    Returns:
        ``search_stage_ratio`` (median of nine), ``answers_m`` (the farthest that a frame's place moved) and ``answers_confidence`` (the most that a confidence
        did, of frames that both rate); of the demo also ``cold_ratio`` and ``peak_ratio`` (median of five), and what :func:`.warm_session` and :func:`.fit_beside`
        give.
    """
    if before is None or not (before / "vidtag_engine").is_dir():
        raise InputError("There is no earlier build to compare with: give --before, a checkout of one (git worktree add ../before COMMIT).")
    before = before.resolve()
    folder = case.resolve() if case else before / "resources" / "demo"
    found = _answers(before, folder, resolution_m)
    if case is None:
        found |= {"simulated": True} | _cold(before, folder) | warm_session(before, folder) | fit_beside(before, seed)
    return found


def _answers(before: Path, case: Path, resolution_m: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        builds = [_Build(root, case, Path(scratch) / name, resolution_m) for name, root in (("new", ROOT), ("before", before))]
        try:
            first = [build.once() for build in builds]
            timed = [[build.once()["search_s"] for build in builds] for _ in range(_TIMES)]
        finally:
            for build in builds:
                build.stop()
    new_s, before_s = np.median(np.array(timed), axis=0).tolist()
    new, old = (np.array(one["places"], dtype=np.float64) for one in first)
    moved_m, apart = haversine_m(*new[:2], *old[:2]), np.abs(new[2] - old[2])
    return {
        "search_stage_ratio": round(new_s / before_s, 4),
        "search_stage_s": round(new_s, 4),
        "search_stage_before_s": round(before_s, 4),
        "answers_m": round(float(np.nanmax(moved_m)), 4),
        "answers_confidence": round(float(np.nanmax(apart)), 6) if np.isfinite(apart).any() else None,
        "frames": int(np.isfinite(moved_m).sum()),
    }


def _cold(before: Path, demo: Path) -> dict[str, Any]:
    """The command from its start to its end, in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "cold.gpkg"
        given = [
            demo / "drive.mp4",
            "--aoi",
            demo / "aoi.geojson",
            "--checkpoint",
            demo / "checkpoint",
            "--resolution-m",
            "25",
            "--device",
            "cpu",
        ]
        command = [sys.executable, "-m", "vidtag_engine", "geolocate", *map(str, given), "--overwrite", "--output", str(output)]
        for root in (ROOT, before):  # files are read into memory, caches are made
            _measured(command, root)
        turns = np.array([[_measured(command, root) for root in (ROOT, before)] for _ in range(_COLD_TIMES)])
    (new_s, new_mb), (before_s, before_mb) = np.median(turns, axis=0).tolist()
    return {
        "cold_ratio": round(new_s / before_s, 4),
        "cold_s": round(new_s, 2),
        "cold_before_s": round(before_s, 2),
        "peak_ratio": round(new_mb / before_mb, 4),
        "peak_mb": round(new_mb),
        "peak_before_mb": round(before_mb),
    }


def _measured(command: list[str], root: Path) -> tuple[float, float]:
    """Seconds and megabytes at most of a command."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise InputError(f"The build in {root} cannot geolocate its demo ({process.returncode}): make its demo run first.")
    return time.perf_counter() - began, used.ru_maxrss / 1024


class _Build:
    """A process of one build that geolocates a case's videos whenever it is asked."""

    def __init__(self, root: Path, case: Path, folder: Path, resolution_m: float) -> None:
        folder.mkdir()
        environment = {**os.environ, "PYTHONPATH": str(root)}
        self._root = root
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(case), str(folder), str(resolution_m)],
            cwd=root, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def once(self) -> dict[str, Any]:
        """One geolocation."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("again\n")
        self._process.stdin.flush()
        if not (line := self._process.stdout.readline()):
            raise InputError(f"The build in {self._root} cannot geolocate its demo: what it says stands above; make its demo run first.")
        found: dict[str, Any] = json.loads(line)
        return found

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()
