"""The workbench: how long a click, a movement of the mouse and a scrub take until the frame is painted, and how even playing is.

A 1080p H.264 video of 60 s (25 pictures a second, a key picture every 250, x264 with B-frames, 4 Mbit/s) is made: a camera that wanders over pictures, with
sensor noise. *Check frames* shows it in a real QGIS window (Xvfb where it is there, else offscreen). 50 frames are drawn once; none has been shown before, and no
smaller copy of the video exists. Each time ends with the paint event of the exact frame. ``click_ms`` leaves a second between clicks, as a person does;
``click_at_once_ms`` none, in a viewer that has just been opened. ``pyav_ms`` is plain PyAV in the same run: seek to the key picture, decode to the target, to RGB.
``filter_ms`` is how long a step of the slider that filters 20,000 frames holds the window, ``filter_map_ms`` how long until the map is painted anew.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from vidtag_engine.types import InputError

from .isles_world import ROOT

TITLE = "workbench: click, hover, scrub, play and filter in the workbench (1080p H.264, GOP 250, 60 s)"
ROWS = ("click", "hover", "scrub", "play", "filter")
WIDTH, HEIGHT, RATE, SECONDS, GROUP, BITS_A_SECOND, TARGETS = 1920, 1080, 25, 60, 250, 4_000_000, 50
_PYTHON = "/usr/bin/python3"
_SCRIPT = Path(__file__).with_name("workbench_session.py")


def describe() -> str:
    """What this measures, for people."""
    return __doc__ or ""


def run(seed: int = 0, rows: str = ",".join(ROWS), world: Path | None = None) -> dict[str, Any]:
    """Measure.

    Args:
        seed: of the targets and the noise.
        rows: which, with commas.
        world: a folder of JPEG pictures that the camera wanders over; None takes those of the isles in the docs.

    Returns:
        Medians in milliseconds and their worst, ``play_late_share``, ``marker_off_share``, ``pyav_ms`` and ``ratio`` (PyAV's over a click's).
    """
    chosen = rows.split(",")
    if unknown := [row for row in chosen if row not in ROWS]:
        raise InputError(f"The row {unknown[0]!r} is not known; there are {', '.join(ROWS)}.")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        clip = write_clip(folder / "clip.mp4", world or ROOT / "docs" / "phantom-isles", seed)
        rng = np.random.default_rng(seed)
        targets = [round(float(moment), 3) for moment in rng.permutation(SECONDS)[:TARGETS] + 0.5]
        plan = {"clip": str(clip), "rows": chosen, "targets": targets, "seconds": SECONDS, "rate": RATE}
        (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        python = [_PYTHON, str(_SCRIPT), str(ROOT), str(folder / "plan.json")]
        command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", *python] if shutil.which("xvfb-run") else python
        variables = {**os.environ, "VIDTAG_ENGINE_PYTHON": sys.executable, "VIDTAG_ENGINE_PATH": str(ROOT), "PYTHONPATH": str(ROOT)}
        variables["QT_QPA_PLATFORM"] = "xcb" if command[0] == "xvfb-run" else "offscreen"
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=900)
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if not lines:
            raise InputError(f"QGIS's window did not get through: {done.stderr.strip()[-500:]}")
        keys: dict[str, Any] = json.loads(lines[-1])
        plain_ms = pyav_ms(clip, targets)
        keys.update(pyav_ms=float(np.median(plain_ms)), display=variables["QT_QPA_PLATFORM"], clip_mb=round(clip.stat().st_size / 1e6, 1))
        if "click_ms" in keys:
            keys["ratio"] = keys["pyav_ms"] / keys["click_ms"]
        return keys


def write_clip(path: Path, pictures: Path, seed: int) -> Path:
    """A camera that wanders over a wall of pictures, with noise, so that motion and noise must be coded."""
    files = sorted(pictures.glob("*.jpg"))
    if not files:
        raise InputError(f"{pictures} holds no picture that ends in .jpg; give a folder of JPEG pictures.")
    tiles = [np.asarray(Image.open(files[n * len(files) // 24 % len(files)]).convert("RGB").resize((960, 720))) for n in range(24)]
    wall = np.concatenate([np.concatenate(tiles[row * 6 : row * 6 + 6], axis=1) for row in range(4)], axis=0)
    high, wide = wall.shape[:2]
    planes = av.VideoFrame.from_ndarray(wall, format="rgb24").to_ndarray(format="yuv420p").reshape(-1)
    luma = planes[: high * wide].reshape(high, wide)
    chroma = planes[high * wide :].reshape(2, high // 2, wide // 2)
    rng = np.random.default_rng(seed)
    noise = [rng.integers(-3, 4, (HEIGHT, WIDTH), dtype=np.int16) for _ in range(8)]
    options = {"g": str(GROUP), "keyint_min": str(GROUP), "sc_threshold": "0", "preset": "veryfast"}
    options |= {"b": str(BITS_A_SECOND), "maxrate": str(BITS_A_SECOND * 3 // 2), "bufsize": str(BITS_A_SECOND * 2)}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for k in range(RATE * SECONDS):
            x, y = 2 * int((wide - WIDTH) / 4 * (1 - np.cos(k / 190))), 2 * int((high - HEIGHT) / 4 * (1 - np.cos(k / 97)))
            seen = luma[y : y + HEIGHT, x : x + WIDTH].astype(np.int16) + noise[k % 8]
            parts = [np.clip(seen, 0, 255).astype(np.uint8)]
            parts += [plane[y // 2 : (y + HEIGHT) // 2, x // 2 : (x + WIDTH) // 2] for plane in chroma]
            frame = av.VideoFrame.from_ndarray(np.concatenate([part.reshape(-1, WIDTH) for part in parts]), format="yuv420p")
            frame.pts = k
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def pyav_ms(clip: Path, targets: list[float]) -> list[float]:
    """Plain PyAV with the container kept open: milliseconds from the wish to the RGB picture, a target each."""
    taken = []
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for target in targets:
            began = time.perf_counter()
            container.seek(round(target / stream.time_base), stream=stream, backward=True)
            held: Any = None
            for frame in container.decode(stream):
                if held is not None and frame.time > target + 1e-3:
                    break
                held = frame
            held.to_ndarray(format="rgb24")
            taken.append(1000 * (time.perf_counter() - began))
    return taken
