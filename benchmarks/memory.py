"""Peak memory of the whole command on long 1080p video, compact preset, and whether it grows with length."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from vidtag_engine.models import VidTAG, VidTAGConfig
from vidtag_engine.models.checkpoint import CheckpointCard, save_pretrained

from .clips import make_clip, repeat_clip

TITLE = "Peak memory: 10 and 20 minutes of 1080p, compact"
AOI = "10.0,50.0,10.0703,50.045"
_PEAK = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""


def run(seed: int = 0) -> dict[str, Any]:
    """Run the command twice and read the kernel's own peak of each."""
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        minute, once, twice = work / "minute.mp4", work / "once.mp4", work / "twice.mp4"
        make_clip(minute, width_px=1920, height_px=1080, seconds=60, rate_hz=10, seed=seed)
        repeat_clip(minute, once, 10)
        repeat_clip(minute, twice, 20)
        torch.manual_seed(seed)
        card = CheckpointCard(name="random", preset="vidtag-compact")
        save_pretrained(VidTAG(VidTAGConfig.preset("vidtag-compact", sigma="city")), work / "checkpoint", card)
        peaks = []
        for video in (once, twice):
            command = [
                sys.executable, "-m", "vidtag_engine", "geolocate", str(video), "--aoi", AOI, "--resolution-m", "25", "--device", "cpu",
                "--checkpoint", str(work / "checkpoint"), "--output", str(video.with_suffix(".gpkg")),
            ]  # fmt: skip
            environment = {**os.environ, "PYTHONPATH": str(root), "VIDTAG_CACHE": str(work / "cache")}
            out = subprocess.run([sys.executable, "-c", _PEAK, *command], check=True, capture_output=True, text=True, env=environment)
            peaks.append(int(out.stdout.split()[-1]) * 1024 / 1e9)
    return {
        "peak_gb": round(peaks[0], 3),
        "peak_gb_double_length": round(peaks[1], 3),
        "growth": round(peaks[1] / peaks[0], 4),
    }
