"""How the picture moves: how far it shifts sideways and how much of it changes, from one small grey picture to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from ..feedback import Feedback
from ..types import FloatArray
from .container import open_container, orientation, prepare_decoder, upright, video_stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

WIDTH_PX, HEIGHT_PX = 96, 72
RATE_HZ = 10.0  # pictures looked at in a second, where there are as many
MOST_S = 300.0  # of a video that are decoded
_FAST_HZ = 24.0  # from this rate on, pictures that no other needs are skipped undecoded
# A camera behind a windscreen sees the bonnet below; above are sky and what is printed into the picture.
_ROWS = slice(HEIGHT_PX // 10, HEIGHT_PX * 7 // 10)
_STILL = 0.004  # of the picture's contrast; below it nothing has changed but what coding changes
_BLOCK = 256  # pairs of pictures transformed at once


@dataclass(frozen=True)
class ImageMotion:
    """What moves between neighbouring pictures of a video.

    Args:
        time_s: (n,) middle moment of each pair of pictures, seconds after the video's start.
        gap_s: (n,) seconds between the two pictures.
        shift: (n,) how far the picture's content moves to the right, in widths of the picture a second.
        change: (n,) mean absolute difference of the two pictures over their contrast.
    """

    time_s: FloatArray
    gap_s: FloatArray
    shift: FloatArray
    change: FloatArray


def image_motion(path: Path, *, most_s: float = MOST_S, feedback: Feedback = Feedback()) -> ImageMotion:
    """Decode a video at a small size and measure how its picture moves.

    Args:
        path: of the video.
        most_s: seconds that are looked at, from its start.
        feedback: asked to stop at every picture.

    Raises:
        InputError: the video cannot be opened.
        CancelledError: ``feedback`` said so.
    """
    times: list[float] = []
    pictures: list[NDArray[np.float32]] = []
    for time_s, picture in _small_pictures(path, feedback):
        if time_s > most_s:
            break
        if not times or time_s >= times[-1] + 0.999 / RATE_HZ:
            times.append(time_s)
            pictures.append(picture())
    return motion_of(np.array(times), np.array(pictures, dtype=np.float32).reshape(-1, HEIGHT_PX, WIDTH_PX))


def motion_of(time_s: FloatArray, pictures: NDArray[np.float32]) -> ImageMotion:
    """Measure the motion between neighbouring grey pictures.

    Args:
        time_s: (n + 1,) ascending.
        pictures: (n + 1, height, width), of any range.
    """
    if len(time_s) < 2:
        nothing = np.zeros(0)
        return ImageMotion(nothing, nothing, nothing, nothing)
    gap_s = np.diff(time_s)
    shifts, changes = [], []
    for start in range(0, len(gap_s), _BLOCK):
        block = pictures[start : start + _BLOCK + 1]
        shifts.append(_shift_widths(block))
        contrast = np.maximum(block.std(axis=(1, 2)), 1e-6)
        changes.append(np.abs(np.diff(block, axis=0)).mean(axis=(1, 2)) / np.minimum(contrast[1:], contrast[:-1]))
    return ImageMotion((time_s[1:] + time_s[:-1]) / 2, gap_s, _middle_of_three(np.concatenate(shifts) / gap_s), np.concatenate(changes))


def _middle_of_three(values: FloatArray) -> FloatArray:
    """Each value's median with its neighbours: a shift that only one pair of pictures shows was matched wrongly."""
    held = np.pad(values, 1, mode="edge")
    middle: FloatArray = np.median(np.stack([held[:-2], held[1:-1], held[2:]]), axis=0)
    return middle


def _small_pictures(path: Path, feedback: Feedback) -> Iterator[tuple[float, Any]]:
    """Time of each picture after the first, and what makes it small, upright and grey."""
    with open_container(path) as container:
        stream = video_stream(container, path)
        context = prepare_decoder(stream)
        if stream.average_rate and stream.average_rate >= _FAST_HZ:
            context.skip_frame = "NONREF"
        origin: float | None = None
        for frame in _decoded(container, stream):
            feedback.check()
            if frame.pts is None:
                continue
            moment = float(frame.pts * stream.time_base)
            origin = moment if origin is None else origin

            def small(frame: Any = frame) -> NDArray[np.float32]:
                turn, mirror = orientation(frame)
                size = (HEIGHT_PX, WIDTH_PX) if turn % 2 else (WIDTH_PX, HEIGHT_PX)
                plain = frame.reformat(width=size[0], height=size[1], format="gray", interpolation="AREA").to_ndarray()
                return upright(plain, turn, mirror).astype(np.float32)

            yield moment - origin, small


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Every picture that decodes; damaged ones are passed over."""
    for packet in container.demux(stream):
        try:
            yield from stream.codec_context.decode(packet if packet.size else None)
        except (av.error.FFmpegError, EOFError):
            continue


def _shift_widths(pictures: NDArray[np.float32]) -> FloatArray:
    """Sideways shift (n,) between neighbours of (n + 1, h, w), in widths, by phase correlation of their upper parts; to the right is positive."""
    part = np.log1p(np.maximum(pictures[:, _ROWS], 0))
    part = part - part.mean(axis=(1, 2), keepdims=True)
    height, width = part.shape[1:]
    window = np.hanning(height + 2)[1:-1, None] * np.hanning(width + 2)[1:-1]
    spectrum = np.fft.rfft2(part * window)
    cross = spectrum[1:] * np.conj(spectrum[:-1])
    # Fine detail flickers with the coding, and slow changes of light are no motion.
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    weight = np.exp(-((frequency / 0.25) ** 2)) * (1 - np.exp(-((frequency / 0.02) ** 2)))
    surface = np.fft.irfft2(weight * cross / np.maximum(np.abs(cross), 1e-12), s=(height, width))
    # A turn moves the picture sideways; what moves it up and down is the road.
    rows = np.r_[0:5, height - 4 : height]
    ridge = surface[:, rows].max(axis=1)
    columns = ridge.argmax(axis=1)
    index = np.arange(len(ridge))
    left, top, right = ridge[index, columns - 1], ridge[index, columns], ridge[index, (columns + 1) % width]
    bend = left - 2 * top + right
    fine = np.where(bend < -1e-12, 0.5 * (left - right) / np.where(bend < -1e-12, bend, -1.0), 0.0)
    moved = (columns + fine + width / 2) % width - width / 2
    still = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2)) < _STILL * np.maximum(pictures.std(axis=(1, 2))[1:], 1e-6)
    shift: FloatArray = np.where(still, 0.0, moved) / width
    return shift
