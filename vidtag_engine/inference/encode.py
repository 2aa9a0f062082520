"""One video's features: decoded, sampled and prepared in one thread, encoded in others beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..feedback import Feedback
from ..local_features import LocalRows
from ..models.frame_encoder import FrameEncoder, batch_size_for
from ..settings import GeolocateSettings
from ..types import DecodeReport, FloatArray, FrameState, VideoInfo
from ..video import FrameReader, ReadAhead
from ..video.near_duplicates import Repeats


@dataclass(frozen=True)
class VideoFeatures:
    """What the networks make of a video.

    Args:
        frames: (index, time_s, state) of every sampled frame.
        features: (T, D) of those with a picture, with the layout after them where the encoder gives it; a repeated one has those of the picture that it repeats.
        report: of reading it.
        seconds: ``decode`` (decoding and preparing, beside the networks), ``wait`` (of the networks for it) and ``encode``.
        local: (T,) local features likewise, where the encoder finds them: 17 kB a frame.
    """

    frames: list[tuple[int, float, FrameState]]
    features: FloatArray
    report: DecodeReport
    seconds: dict[str, float]
    local: LocalRows | None = None


@dataclass(frozen=True)
class _Ready:
    """A sampled frame: ready for the networks, or without a picture, or a repeat. The picture itself is let go."""

    index: int
    time_s: float
    state: FrameState
    prepared: tuple[Tensor, ...] | None
    repeated: bool
    details: NDArray[np.void] | None = None


def encode_video(
    info: VideoInfo,
    encoder: FrameEncoder,
    settings: GeolocateSettings,
    *,
    feedback: Feedback = Feedback(),
) -> VideoFeatures:
    """Decode, sample and encode.

    Args:
        info: the opened video.
        encoder: the checkpoint's.
        settings: rate, stretch, batch size, and whether repeats are encoded too.
        feedback: told at each frame, with the share of the frames where their number is known; asked to stop before each batch.

    Raises:
        CancelledError: once ``feedback`` says so.
    """
    frames: list[tuple[int, float, FrameState]] = []
    rows: list[int] = []  # of each frame with a picture, where its features will stand
    details: list[NDArray[np.void]] = []
    size = settings.batch_size or batch_size_for(encoder.device)
    with (
        FrameReader(info, settings.rate_hz, settings.from_s, settings.to_s, feedback) as reader,
        ReadAhead(_ready(reader, encoder, None if settings.encode_all else encoder.repeats()), 2 * size) as ahead,
    ):
        expected = reader.expected_frames

        def pictures() -> Iterator[tuple[Tensor, ...]]:
            encoded = 0
            for frame in ahead:
                frames.append((frame.index, frame.time_s, frame.state))
                feedback.tell(min(1.0, len(frames) / expected) if expected else 0.0, "frames", f"{info.name}: frame {len(frames)}")
                if frame.prepared is not None:
                    encoded += 1
                    rows.append(encoded - 1)
                    details.extend(() if frame.details is None else (frame.details,))
                    yield frame.prepared
                elif frame.repeated:
                    rows.append(encoded - 1)

        since = time.perf_counter()
        blocks = list(encoder.encode_prepared(pictures(), batch_size=size, feedback=feedback))
        spent = time.perf_counter() - since
        encoded = np.concatenate(blocks) if blocks else np.zeros((0, encoder.feature_dim + encoder.layout_dim), np.float32)
        seconds = {"decode": ahead.busy_s, "wait": ahead.waited_s, "encode": spent - ahead.waited_s}
        report = replace(reader.report, repeated=len(rows) - len(encoded))
    local = LocalRows([np.array(details)]).take(np.array(rows)) if details else None
    return VideoFeatures(frames, encoded[rows] if report.repeated else encoded, report, seconds, local)


def _ready(reader: FrameReader, encoder: FrameEncoder, repeats: Repeats | None) -> Iterator[_Ready]:
    """Every sampled frame, prepared and compared."""
    for frame in reader:
        prepared = None if frame.image is None else encoder.preprocess(frame.image)
        repeated = prepared is not None and repeats is not None and repeats.repeats(prepared[0])
        details = None if repeated or frame.image is None or encoder.local is None else encoder.local(frame.image)
        yield _Ready(frame.index, frame.time_s, frame.state, None if repeated else prepared, repeated, details)
