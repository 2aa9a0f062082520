"""Sequences of stored features with their true places, and the clips that a training step sees."""

from __future__ import annotations

import numpy as np

from ..datasets.training_sequence import TrainingSequence
from ..types import FloatArray, InputError, IntArray


def clip_indices(length: int, clip_frames: int, rng: np.random.Generator) -> IntArray:
    """Which frames of a video of ``length`` a clip of ``clip_frames`` takes, in order.

    Half of the time contiguous, half strided over a random span. Shorter videos are given whole, frames repeated in order, so that every clip has the same length.
    """
    if length <= clip_frames:
        return np.sort(np.concatenate([np.arange(length), rng.integers(0, length, clip_frames - length)]))
    if rng.random() < 0.5:
        first = int(rng.integers(0, length - clip_frames + 1))
        return np.arange(first, first + clip_frames)
    span = int(rng.integers(clip_frames, length + 1))
    start = int(rng.integers(0, length - span + 1))
    return start + np.round(np.linspace(0, span - 1, clip_frames)).astype(np.int64)


def draw_batch(
    sequences: list[TrainingSequence], n_clips: int, clip_frames: int, rng: np.random.Generator, *, reverse: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Draw a training batch: videos in proportion to their length, and of each clip's frames one stored view each.

    Args:
        sequences: to draw from.
        n_clips, clip_frames: shape of the batch.
        rng: source of randomness.
        reverse: play half of the clips backwards (a street driven the other way looks different, an overflight does not).

    Returns:
        features (B, T, D) float32 and lat_lon_deg (B, T, 2) float64.
    """
    weights = np.sqrt([len(s) for s in sequences])
    chosen = rng.choice(len(sequences), n_clips, p=weights / weights.sum())
    features, places = [], []
    for number in chosen:
        sequence = sequences[number]
        frames = clip_indices(len(sequence), clip_frames, rng)
        if reverse and rng.random() < 0.5:
            frames = frames[::-1]
        views = sequence.features.shape[0]
        # A clip mostly keeps one kind of view (a whole drive is rotated or bright, not single frames of it), sometimes mixes them.
        view = np.full(len(frames), rng.integers(views)) if rng.random() < 0.5 else rng.integers(0, views, len(frames))
        features.append(sequence.features[view, frames])
        places.append(sequence.lat_lon_deg[frames])
    return np.stack(features).astype(np.float32), np.stack(places)


def split_sequences(
    sequences: list[TrainingSequence], fraction: float, seed: int
) -> tuple[list[TrainingSequence], list[TrainingSequence], str]:
    """Split off validation data, by whole sequences where there are at least four, else by blocks of frames.

    Returns:
        (training, validation, "sequence" | "block" | "none").

    Raises:
        InputError: nothing to train on.
    """
    total = sum(len(s) for s in sequences)
    if total < 2:
        raise InputError("There are fewer than two frames with a true position: give videos and tracks that overlap in time.")
    if fraction <= 0:
        return sequences, [], "none"
    rng = np.random.default_rng([seed, 77])
    if len(sequences) >= 4:
        order = rng.permutation(len(sequences))
        count = min(max(1, round(fraction * len(sequences))), len(sequences) - 1)
        held = set(order[:count].tolist())
        return (
            [s for i, s in enumerate(sequences) if i not in held],
            [s for i, s in enumerate(sequences) if i in held],
            "sequence",
        )
    training: list[TrainingSequence] = []
    validation: list[TrainingSequence] = []
    for sequence in sequences:
        parts = _blocks(len(sequence), fraction, rng)
        for start, stop, held_out in parts:
            (validation if held_out else training).append(sequence.part(start, stop))
    return (training, validation, "block") if training and validation else (sequences, [], "none")


def _blocks(length: int, fraction: float, rng: np.random.Generator) -> list[tuple[int, int, bool]]:
    """Cut a single sequence into runs; every held-out run lies between two training runs."""
    block = max(3, min(8, length // 10))
    period = max(block + 2, round(block / fraction))
    cuts, start = [], 0
    offset = int(rng.integers(2, max(3, period - block)))
    while start < length:
        first, last = min(start + offset, length), min(start + offset + block, length)
        cuts += [(start, first, False), (first, last, True), (last, min(start + period, length), False)]
        start += period
    return [(a, b, held) for a, b, held in cuts if b > a]
