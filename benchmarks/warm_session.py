"""The second run of *Geolocate video* in one QGIS session, beside an earlier build's second run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.types import InputError

from .isles_world import ROOT

_SESSIONS = 3
_PYTHON = "/usr/bin/python3"
_SCRIPT = Path(__file__).with_name("qgis_session.py")


def warm_session(before: Path, demo: Path) -> dict[str, Any]:
    """Sessions of both builds in turns. In each: the demo's drive, then another video of the same kind (the drive encoded anew, a little brighter).

    Args:
        before: a checkout of the earlier build.
        demo: whose checkpoint and area are used.

    Returns:
        ``warm_ratio`` (median second run over the earlier build's), the seconds, and ``idle_mb`` of the engine that stays.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        videos = [demo / "drive.mp4", folder / "other.mp4"]
        encode = [
            "ffmpeg",
            "-v",
            "error",
            "-i",
            str(videos[0]),
            "-vf",
            "eq=brightness=0.02",
            "-c:v",
            "libx264",
            "-crf",
            "20",
            str(videos[1]),
        ]
        subprocess.run(encode, check=True)
        turns = [[_session(root, demo, folder, videos) for root in (ROOT, before)] for _ in range(_SESSIONS)]
    new, old = ([turn[side]["seconds"] for turn in turns] for side in (0, 1))
    (first_s, second_s), (_, before_s) = np.median(new, axis=0).tolist(), np.median(old, axis=0).tolist()
    return {
        "warm_ratio": round(second_s / before_s, 4),
        "warm_s": round(second_s, 2),
        "warm_before_s": round(before_s, 2),
        "session_first_s": round(first_s, 2),
        "idle_mb": round(max(turn[0]["idle_mb"] or 0.0 for turn in turns)),
    }


def _session(root: Path, demo: Path, folder: Path, videos: list[Path]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=folder) as out:
        variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))},
            "QT_QPA_PLATFORM": "offscreen",
            "VIDTAG_ENGINE_PYTHON": sys.executable,
            "QGIS_CUSTOM_CONFIG_PATH": out,
            "XDG_RUNTIME_DIR": out,
        }
        command = [_PYTHON, str(_SCRIPT), str(root), str(demo), out, *map(str, videos)]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if not lines:
            raise InputError(f"QGIS did not run the plugin of {root}: {(done.stderr or done.stdout).strip()[-500:]}")
        found: dict[str, Any] = json.loads(lines[-1])
        return found
