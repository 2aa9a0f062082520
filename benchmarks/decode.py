"""Sampling one frame a second against decoding every frame.

A made 1080p H.264 clip (30 pictures a second, 60 s, three B-frames between references, as x264 writes by default) is read twice in
one process: by ``FrameReader`` at 1 a second, and by decoding every picture and converting the same ones to RGB. Once with a key
picture every 250 pictures, once with one every 30. Both give the same pictures, which is checked. ``ratio`` is the time of sampling
over the time of decoding all; ``pictures_share`` is the share of pictures decoded.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from vidtag_engine.video import FrameReader, open_source

if TYPE_CHECKING:
    from numpy.typing import NDArray

TITLE = "decode: sampling at 1 a second against decoding all frames (1080p H.264, 60 s)"
WIDTH, HEIGHT, RATE, SECONDS, GROUPS, REPEATS = 1920, 1080, 30, 60, (250, 30), 2


def describe() -> str:
    """What this measures, for people."""
    return __doc__ or ""


def run(seed: int = 0) -> dict[str, float]:
    """Measure; keys ``gop250_*`` and ``gop30_*``: ``ratio``, ``sample_s``, ``decode_all_s`` (best of two), ``pictures_share``."""
    keys: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for group in GROUPS:
            path = write_clip(Path(folder) / f"gop{group}.mp4", group, seed)
            info = open_source(path)
            sampled_s, all_s, decoded = [], [], 0
            for _ in range(REPEATS):
                started = time.perf_counter()
                with FrameReader(info, 1.0) as reader:
                    sampled = [_fingerprint(frame.image) for frame in reader if frame.image is not None]
                sampled_s.append(time.perf_counter() - started)
                decoded = reader.report.decoded
                started = time.perf_counter()
                everything = _decode_all(path)
                all_s.append(time.perf_counter() - started)
                if sampled != everything:
                    raise AssertionError("sampling and decoding all gave different pictures")
            keys[f"gop{group}_ratio"] = min(sampled_s) / min(all_s)
            keys[f"gop{group}_sample_s"] = min(sampled_s)
            keys[f"gop{group}_decode_all_s"] = min(all_s)
            keys[f"gop{group}_pictures_share"] = decoded / (RATE * SECONDS)
    return keys


def write_clip(path: Path, group: int, seed: int) -> Path:
    """A drive over a textured plane: the picture slides over a larger one, with sensor noise, so that motion and noise must be coded."""
    rng = np.random.default_rng(seed)
    ground = _texture(rng, HEIGHT + 256, WIDTH + 1024)
    luma = [np.clip(ground + rng.integers(-3, 4, ground.shape, dtype=np.int16), 0, 255).astype(np.uint8) for _ in range(4)]
    chroma = [np.clip(_texture(rng, *(n // 2 for n in ground.shape)) // 4 + 96, 0, 255).astype(np.uint8) for _ in range(2)]
    with av.open(str(path), "w") as container:
        options = {"g": str(group), "keyint_min": str(group), "sc_threshold": "0", "preset": "superfast", "bf": "3", "crf": "25"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for k in range(RATE * SECONDS):
            x, y = 2 * int(256 * (1 + np.sin(k / 230))), 2 * int(64 * (1 + np.sin(k / 90)))
            planes = [luma[k % 4][y : y + HEIGHT, x : x + WIDTH]]
            planes += [plane[y // 2 : (y + HEIGHT) // 2, x // 2 : (x + WIDTH) // 2] for plane in chroma]
            frame = av.VideoFrame.from_ndarray(np.concatenate([p.reshape(-1, WIDTH) for p in planes]), format="yuv420p")
            frame.pts = k
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _texture(rng: np.random.Generator, height: int, width: int) -> NDArray[np.int16]:
    """Random blocks of several sizes, (height, width), 0 to 255."""
    total = np.zeros((height, width))
    for size, weight in ((128, 0.5), (32, 0.3), (8, 0.2)):
        coarse = rng.random((height // size + 1, width // size + 1))
        total += weight * np.repeat(np.repeat(coarse, size, 0), size, 1)[:height, :width]
    return (total * 255).astype(np.int16)


def _decode_all(path: Path) -> list[int]:
    wanted = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for number, frame in enumerate(container.decode(stream)):
            if number % RATE == 0:
                wanted.append(_fingerprint(frame.to_ndarray(format="rgb24")))
    return wanted


def _fingerprint(image: NDArray[Any]) -> int:
    return hash(image[::16, ::16].tobytes())
