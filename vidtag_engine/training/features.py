"""Backbone features, computed once and stored (App. I: this is what makes training hours instead of days)."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ..models.frame_encoder import FrameEncoder
from ..trajectory.track import align_track
from ..types import CancelCheck, FrameState, InputError, Progress, ProgressCallback, VideoInfo
from ..video import FrameReader, ImageFolder, open_source, read_track, source_digest
from .augment import augmented_views
from .dataset import TrainingSequence

_FORMAT = 2  # raised when pictures are prepared in another way: stored features are then made again


@dataclass(frozen=True)
class TrainingSource:
    """A video (or folder of images) and where its truth lies; no truth path means what is embedded in it."""

    path: Path
    truth: Path | None
    kind: str = "auto"


class FeatureStore:
    """Features on disk, one safetensors file per video, encoder and kind of views.

    Args:
        folder: where files lie; made if absent.
        encoder: computes what is missing.
        augment, views, seed: of the altered copies.
        rate_hz: frames a second taken.
    """

    def __init__(self, folder: Path, encoder: FrameEncoder, *, augment: str, views: int, seed: int, rate_hz: float | None) -> None:
        self.folder, self.encoder = folder, encoder
        self.augment, self.views, self.seed, self.rate_hz = augment, views if augment != "none" else 0, seed, rate_hz
        folder.mkdir(parents=True, exist_ok=True)

    def sequence(self, source: TrainingSource, progress: ProgressCallback | None, cancelled: CancelCheck | None) -> TrainingSequence | None:
        """Return the source's features and truth; None where no frame has a true place.

        Raises:
            InputError: the source or its truth cannot be read.
            CancelledError: ``cancelled`` said so.
        """
        info = open_source(source.path, kind=source.kind)
        features, time_s, names = self._features(info, progress, cancelled)
        track = read_track(source.truth or source.path)
        lat, lon, _ = align_track(track, info, time_s, names)
        known = np.isfinite(lat) & np.isfinite(lon)
        if not known.any():
            return None
        truth = np.stack([lat, lon], axis=1)
        return TrainingSequence(info.name, features[:, known], truth[known], time_s[known])

    def _features(
        self, info: VideoInfo, progress: ProgressCallback | None, cancelled: CancelCheck | None
    ) -> tuple[np.ndarray, np.ndarray, list[str] | None]:
        """(V, T, D) features and (T,) times, from the store or computed now."""
        made_from = {
            "format": _FORMAT,
            "content": source_digest(info.path),
            "encoder": [*self.encoder.backbone_names, *map(str, self.encoder.weights_source.values())],
            "rate_hz": self.rate_hz,
            "views": [self.augment, self.views, self.seed] if self.views else [],
        }
        path = self.folder / f"{hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:24]}.safetensors"
        if (stored := _load(path)) is not None:
            return stored["features"].astype(np.float32), stored["time_s"], _names(info, stored["time_s"])
        times: list[float] = []
        with FrameReader(info, rate_hz=self.rate_hz, cancelled=cancelled) as reader:
            expected = reader.expected_frames

            def pictures() -> Iterator[np.ndarray]:
                for frame in reader:
                    if frame.image is None or frame.state is not FrameState.LOCATED:
                        continue
                    times.append(frame.time_s)
                    yield frame.image
                    yield from augmented_views(frame.image, self.augment, self.views, (self.seed, frame.index))
                    if progress:
                        progress(Progress(min(1.0, len(times) / expected) if expected else 0.0, "features", info.name))

            blocks = list(self.encoder.encode_images(pictures(), cancelled=cancelled))
        if not times:
            raise InputError(f"{info.path.name} has no readable frame: check that it plays, or leave it out.")
        stacked = np.concatenate(blocks).reshape(len(times), self.views + 1, -1).transpose(1, 0, 2)
        time_s = np.asarray(times)
        # Half precision is exact enough for unit vectors and halves the store.
        _save(path, {"features": np.ascontiguousarray(stacked.astype(np.float16)), "time_s": time_s})
        return stacked.astype(np.float16).astype(np.float32), time_s, _names(info, time_s)


def _names(info: VideoInfo, time_s: np.ndarray) -> list[str] | None:
    """File names of an image sequence's frames: truth may belong to names where pictures carry no time."""
    if info.kind != "images":
        return None
    folder = ImageFolder.read(info.path)
    return [folder.paths[int(np.argmin(np.abs(folder.time_s - moment)))].name for moment in time_s]


def _load(path: Path) -> dict[str, np.ndarray] | None:
    """A stored file, or None where there is none or it is damaged (then it is made again)."""
    try:
        stored = load_file(path)
    except (OSError, SafetensorError):
        return None
    return stored if {"features", "time_s"} <= set(stored) and stored["features"].ndim == 3 else None


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write whole or not at all."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        save_file(arrays, temporary)
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"Features cannot be stored in {path.parent.name}: {error.strerror or error}; free some space.") from error
    finally:
        temporary.unlink(missing_ok=True)


def load_sequences(
    store: FeatureStore, sources: Sequence[TrainingSource], progress: ProgressCallback | None, cancelled: CancelCheck | None
) -> list[TrainingSequence]:
    """Every source's features and truth, in order, with progress over all of them.

    Raises:
        InputError: a source cannot be read, or has no frame with a true place.
    """
    sequences: list[TrainingSequence] = []
    for number, source in enumerate(sources):

        def part(step: Progress, number: int = number) -> None:
            if progress:
                progress(Progress((number + step.fraction) / len(sources), step.stage, step.message))

        if (sequence := store.sequence(source, part, cancelled)) is None:
            raise InputError(
                f"No frame of {source.path.name} has a true position: its track does not overlap it in time; check start times or leave it out."
            )
        sequences.append(sequence)
    return sequences
