"""How whole videos are decoded, fitted on a trained model's held-out sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ..models.vidtag import VidTAG
from ..trajectory import Decoder, FitVideo, PathCalibration, fit_familiarity, fit_path, fit_threshold, known_ground, typical_speed_mps
from ..types import CancelCheck, FloatArray
from .dataset import TrainingSequence

_MOST_VIDEOS = 400
_MOST_FRAMES = 64  # of a video
_HALVED_FRAMES = 16
_CHUNK = 8192


@torch.inference_mode()
def calibrate_path(
    model: VidTAG,
    cover_lat_lon_deg: FloatArray,
    spacing_m: float,
    training: Sequence[TrainingSequence],
    validation: Sequence[TrainingSequence],
    *,
    temperature: float,
    place_axes: FloatArray | None = None,
    seed: int = 0,
    cancelled: CancelCheck | None = None,
) -> PathCalibration:
    """Fit decoding, confidence, regions and abstention.

    Args:
        model: trained, in evaluation.
        cover_lat_lon_deg: (M, 2) an even cover of the training area.
        spacing_m: of it.
        training: for speeds, places and what is familiar.
        validation: held out; evenly out of all where there are very many.
        temperature: where the search for one begins.
        place_axes: (K, D) directions that tell places apart, for what is familiar; None where training found none.
        seed: of everything random.
        cancelled: asked between videos.
    """
    device = next(model.parameters()).device
    validation = [_middle(s, _MOST_FRAMES) for s in validation[:: -(-len(validation) // _MOST_VIDEOS)]]
    gallery = embedded(model, cover_lat_lon_deg)
    frames = [model.embed_video(torch.from_numpy(np.asarray(s.features[0], dtype=np.float32)).to(device)) for s in validation]
    videos = [
        FitVideo(lambda rows, queries=queries: _scores(queries[rows], gallery), s.time_s, s.lat_lon_deg)  # type: ignore[misc]
        for queries, s in zip(frames, validation, strict=True)
    ]
    speed = typical_speed_mps([(s.time_s, s.lat_lon_deg) for s in training])
    found = fit_path(cover_lat_lon_deg, spacing_m, videos, temperature=temperature, speed_mps=speed, cancelled=cancelled)
    known = known_ground(cover_lat_lon_deg, spacing_m, np.concatenate([s.lat_lon_deg for s in training]))
    places = embedded(model, known.lat_lon_deg)
    halves = (
        (
            lambda rows, queries=queries: _scores(queries[rows], gallery),
            lambda rows, queries=queries: _scores(queries[rows], places),
            *_first(s, _HALVED_FRAMES),
        )
        for queries, s in zip(frames, validation, strict=True)
    )
    threshold = fit_threshold(known, Decoder(cover_lat_lon_deg, spacing_m, found.motion), halves, found.evidence, seed)
    familiarity = fit_familiarity([s.features[0] for s in training], [s.features[0] for s in validation], axes=place_axes, seed=seed)
    return replace(found, elsewhere=replace(known, threshold=threshold), familiarity=familiarity)


def embedded(model: VidTAG, lat_lon_deg: FloatArray) -> torch.Tensor:
    """(N, E) embeddings of places."""
    parts = np.array_split(lat_lon_deg, -(-len(lat_lon_deg) // _CHUNK))
    return torch.cat([model.embed_locations(torch.from_numpy(part)) for part in parts])


def _middle(sequence: TrainingSequence, frames: int) -> TrainingSequence:
    start = max(0, (len(sequence) - frames) // 2)
    return sequence.part(start, start + frames) if len(sequence) > frames else sequence


def _first(sequence: TrainingSequence, frames: int) -> tuple[FloatArray, FloatArray]:
    return sequence.time_s[:frames], sequence.lat_lon_deg[:frames]


def _scores(queries: torch.Tensor, gallery: torch.Tensor) -> FloatArray:
    scores: FloatArray = (queries @ gallery.T).float().cpu().numpy()
    return scores
