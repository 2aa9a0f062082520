"""Videos made on the fly, with each picture's number burnt into it as blocks that survive any coding."""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

BITS, BLOCK = 12, 16


@functools.cache
def _grid(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Column and twice the row of each pixel, wrapped to a byte."""
    x, y = np.meshgrid(np.arange(width), 2 * np.arange(height))
    return x.astype(np.uint8), y.astype(np.uint8)


def numbered(number: int, width: int, height: int) -> np.ndarray:
    """A picture that shows ``number`` as 12 black or white blocks over a moving texture; asymmetric, so that turns show."""
    x, y = _grid(width, height)
    picture = np.stack([x + np.uint8(3 * number % 256), y + np.uint8(number % 256), x // 2 + y // 2], axis=-1)
    for bit in range(BITS):
        row, column = divmod(bit, 6)
        value = 255 if number >> bit & 1 else 0
        picture[row * BLOCK : (row + 1) * BLOCK, column * BLOCK : (column + 1) * BLOCK] = value
    return picture


def number_of(picture: np.ndarray) -> int:
    """The number burnt into an upright picture."""
    total = 0
    for bit in range(BITS):
        row, column = divmod(bit, 6)
        block = picture[row * BLOCK + 4 : (row + 1) * BLOCK - 4, column * BLOCK + 4 : (column + 1) * BLOCK - 4]
        total |= int(block.mean() > 128) << bit
    return total


def write_video(
    path: Path,
    pts: list[int] | int,
    *,
    time_base: Fraction = Fraction(1, 30),
    size: tuple[int, int] = (128, 64),
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    turn: int = 0,
    picture: np.ndarray | None = None,
) -> Path:
    """Write numbered pictures (or one ``picture`` over and over) with the given timestamps (a count means 0, 1, 2, …).

    ``turn``: quarter turns clockwise to be upright.
    """
    times = list(range(pts)) if isinstance(pts, int) else pts
    with av.open(str(path), "w", options=container_options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=30, options=options or {})
        stored = size[::-1] if turn % 2 else size
        stream.width, stream.height = stored
        stream.pix_fmt = pix_fmt
        stream.time_base = stream.codec_context.time_base = time_base
        stream.codec_context.thread_count = 1
        for number, moment in enumerate(times):
            shown = numbered(number, *size) if picture is None else picture
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.rot90(shown, turn)), format="rgb24")
            frame.pts, frame.time_base = moment, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def decode_all(path: Path) -> list[tuple[float, np.ndarray]]:
    """The oracle: every picture by plain decoding, as (seconds after the first shown picture, stored RGB picture), in order."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [(f.pts, f.to_ndarray(format="rgb24")) for f in container.decode(stream)]
        base = stream.time_base
    first = min(pts for pts, _ in frames)
    return [(float((pts - first) * base), picture) for pts, picture in sorted(frames, key=lambda f: f[0])]


def brute_force(frames: list[tuple[float, np.ndarray]], rate_hz: float, from_s: float, end_s: float) -> list[int]:
    """The wanted pictures by walking through every moment."""
    chosen: list[int] = []
    k = 0
    while (moment := from_s + k / rate_hz) < end_s - 1e-6:
        on_screen = max([i for i, (time_s, _) in enumerate(frames) if time_s <= moment + 1e-6], default=0)
        if on_screen not in chosen:
            chosen.append(on_screen)
        k += 1
    return chosen
