"""How long a result takes once the frames' features are there, and how long the fit of confidence, and how far answers moved: beside an earlier build, in one run.

The demo's drive, with the checkpoint of the earlier build, is geolocated by both in turns, each in a process of its own that has loaded everything and done it once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.geodesy import haversine_m
from vidtag_engine.types import InputError

from .fit_beside import fit_beside
from .isles_world import ROOT

TITLE = "Seconds from the last frame's features to the result, and of the fit of confidence, beside an earlier build (demo, simulated)"
_TIMES = 9
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

demo, folder = Path(sys.argv[1]), Path(sys.argv[2])
loaded, aoi = load(str(demo / "checkpoint")), load_aoi(str(demo / "aoi.geojson"))
for line in sys.stdin:
    batch = geolocate([demo / "drive.mp4"], aoi, loaded, folder / "result.gpkg", GeolocateSettings(resolution_m=25.0), overwrite=True)
    found = batch.results[0].trajectory
    places = [found.lat_deg.tolist(), found.lon_deg.tolist()]
    print(json.dumps({"search_s": batch.seconds["search"], "places": places}), flush=True)
"""


def run(seed: int = 0, *, before: Path | None = None) -> dict[str, Any]:
    """``search_stage_ratio`` (median of nine, new over before, taken in turns) and ``answers_m`` (the farthest that a frame's place moved); see :func:`.fit_beside`.

    Args:
        seed: of the videos that confidence is fitted on.
        before: a checkout of the earlier build, such as ``git worktree add ../before COMMIT`` makes; its demo and checkpoint are used.
    """
    if before is None or not (before / "vidtag_engine").is_dir():
        raise InputError("There is no earlier build to compare with: give --before, a checkout of one (git worktree add ../before COMMIT).")
    demo = before.resolve() / "resources" / "demo"
    with tempfile.TemporaryDirectory() as scratch:
        builds = [_Build(root, demo, Path(scratch) / name) for name, root in (("new", ROOT), ("before", before.resolve()))]
        try:
            first = [build.once() for build in builds]
            timed = [[build.once()["search_s"] for build in builds] for _ in range(_TIMES)]
        finally:
            for build in builds:
                build.stop()
    new_s, before_s = np.median(np.array(timed), axis=0).tolist()
    places = [np.array(one["places"], dtype=np.float64) for one in first]
    moved_m = haversine_m(*places[0], *places[1])
    return {
        "simulated": True,
        "search_stage_ratio": round(new_s / before_s, 4),
        "search_stage_s": round(new_s, 4),
        "search_stage_before_s": round(before_s, 4),
        "answers_m": round(float(np.nanmax(moved_m)), 4),
        "frames": int(np.isfinite(moved_m).sum()),
    } | fit_beside(before, seed)


class _Build:
    """A process of one build that geolocates the demo's drive whenever it is asked."""

    def __init__(self, root: Path, demo: Path, folder: Path) -> None:
        folder.mkdir()
        environment = {**os.environ, "PYTHONPATH": str(root)}
        self._root = root
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(demo), str(folder)],
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
