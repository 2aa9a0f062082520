"""Video clips that benchmarks make: a window moving over a large picture of coloured noise, so that motion compensation has work to do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import numpy as np
from PIL import Image


def make_clip(path: Path, *, width_px: int, height_px: int, seconds: int, rate_hz: int, seed: int = 0) -> None:
    """Write an H.264 clip."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (60, 80, 3), dtype=np.uint8))
    ground = np.asarray(coarse.resize((width_px + 400, height_px + 300), Image.Resampling.BICUBIC)).astype(np.int16)
    ground = np.clip(ground + rng.integers(-20, 20, ground.shape, dtype=np.int16), 0, 255).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate_hz)
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        stream.options = {"preset": "veryfast", "g": str(rate_hz * 4)}
        frames = seconds * rate_hz
        for number in range(frames):
            angle = 2 * np.pi * number / max(1, min(frames, 60 * rate_hz))
            left, top = int(200 + 199 * np.cos(angle)), int(150 + 149 * np.sin(angle))
            picture = np.ascontiguousarray(ground[top : top + height_px, left : left + width_px])
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def repeat_clip(source: Path, target: Path, times: int) -> None:
    """Write the same clip several times over, without encoding again."""
    command = ["ffmpeg", "-v", "error", "-y", "-stream_loop", str(times - 1), "-i", str(source), "-c", "copy", str(target)]
    subprocess.run(command, check=True)
