"""How whole videos are decoded, fitted on a trained model's held-out sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..models.vidtag import VidTAG
from ..trajectory import (
    Decoder,
    FitVideo,
    PathCalibration,
    Recall,
    best_weight,
    fit_familiarity,
    fit_path,
    fit_threshold,
    known_ground,
    typical_speed_mps,
)
from ..trajectory.decoder import Scores
from ..types import CancelCheck, FloatArray
from .dataset import TrainingSequence

_MOST_VIDEOS = 400
_MOST_FRAMES = 64  # of a video
_HALVED_FRAMES = 16
_CHUNK = 8192
_MOST_KEPT = 100_000_000  # scores, frames times places
_WEIGHTS = (0.0, 1.0, 4.0, 16.0)  # of what is remembered


@torch.inference_mode()
def calibrate_path(
    model: VidTAG,
    cover_lat_lon_deg: FloatArray,
    spacing_m: float,
    training: Sequence[TrainingSequence],
    validation: Sequence[TrainingSequence],
    *,
    temperature: float,
    reach_m: float,
    place_axes: FloatArray | None = None,
    seed: int = 0,
    cancelled: CancelCheck | None = None,
) -> PathCalibration:
    """Fit decoding, confidence, regions and abstention.

    Args:
        model: trained, in evaluation; with what it is to remember.
        cover_lat_lon_deg: (M, 2) an even cover of the training area.
        spacing_m: of it.
        training: for speeds, places and what is familiar.
        validation: held out; evenly out of all where there are very many.
        temperature: where the search for one begins.
        reach_m: over which a remembered frame speaks for places around it.
        place_axes: (K, D) directions that tell places apart, for what is familiar; None where training found none.
        seed: of everything random.
        cancelled: asked between videos.
    """
    device = model.device
    validation = [_middle(s, _MOST_FRAMES) for s in validation[:: -(-len(validation) // _MOST_VIDEOS)]]
    frames = [FrameScores(model, torch.from_numpy(np.asarray(s.features[0], dtype=np.float32)).to(device)) for s in validation]
    cover = PlaceScores(model, cover_lat_lon_deg, spacing_m, reach_m)

    few = sum(map(len, validation)) * len(cover_lat_lon_deg) <= _MOST_KEPT
    kept = [cover.kept(one) for one in frames] if few else []

    def videos(weight: float) -> list[FitVideo]:
        scores = [one(weight) for one in kept] or [cover.scores(one, weight) for one in frames]
        return [FitVideo(one, s.time_s, s.lat_lon_deg) for one, s in zip(scores, validation, strict=True)]

    speed = typical_speed_mps([(s.time_s, s.lat_lon_deg) for s in training])
    options: dict[str, Any] = {"temperature": temperature, "speed_mps": speed, "cancelled": cancelled}
    weight = best_weight(cover_lat_lon_deg, spacing_m, videos, _WEIGHTS if model.memory is not None else (0.0,), **options)
    found = fit_path(cover_lat_lon_deg, spacing_m, videos(weight), **options)
    known = known_ground(cover_lat_lon_deg, spacing_m, np.concatenate([s.lat_lon_deg for s in training]))
    ground = PlaceScores(model, known.lat_lon_deg, known.spacing_m, reach_m)
    halves = (
        (cover.scores(one, weight), ground.scores(one, weight), *_first(s, _HALVED_FRAMES))
        for one, s in zip(frames, validation, strict=True)
    )
    threshold = fit_threshold(known, Decoder(cover_lat_lon_deg, spacing_m, found.motion), halves, found.sharp_evidence, seed)
    familiarity = fit_familiarity([s.features[0] for s in training], [s.features[0] for s in validation], axes=place_axes, seed=seed)
    recall = Recall(weight, reach_m) if weight else None
    return replace(found, elsewhere=replace(known, threshold=threshold), familiarity=familiarity, recall=recall)


class FrameScores:
    """A video's frames as they are scored: their embeddings, and as the memory compares them.

    Args:
        model: on any device.
        features: (T, D) of all the video's frames, in order.
    """

    @torch.inference_mode()
    def __init__(self, model: VidTAG, features: torch.Tensor) -> None:
        self.queries = model.embed_video(features)
        self.in_context = model.memory.in_context(features.to(model.device)) if model.memory is not None else None


class PlaceScores:
    """Scores of frames over places: by location embeddings, and by what the model remembers.

    Args:
        model: of both.
        lat_lon_deg: (M, 2) an even cover.
        spacing_m: of it.
        reach_m: over which a remembered frame speaks.
    """

    @torch.inference_mode()
    def __init__(self, model: VidTAG, lat_lon_deg: FloatArray, spacing_m: float, reach_m: float) -> None:
        self.embeddings = embedded(model, lat_lon_deg)
        self.recalled = model.memory.over(lat_lon_deg, spacing_m, reach_m) if model.memory is not None else None

    def scores(self, frames: FrameScores, weight: float) -> Scores:
        """What gives the (B, M) scores of a slice of frames, those of memory by their weight."""

        @torch.inference_mode()
        def given(rows: slice) -> FloatArray:
            cosines = frames.queries[rows] @ self.embeddings.T
            scores: FloatArray = cosines.float().cpu().numpy()
            if weight and self.recalled is not None and frames.in_context is not None:
                scores += weight * self.recalled(frames.in_context[rows]).cpu().numpy()
            return scores

        return given

    def kept(self, frames: FrameScores) -> Callable[[float], Scores]:
        """The same for any weight, with both kinds computed once and held in half precision."""
        everything = slice(0, len(frames.queries))
        cosines = self.scores(frames, 0.0)(everything)
        seen = (self.scores(frames, 1.0)(everything) - cosines).astype(np.float16)
        cosines = cosines.astype(np.float16)
        return lambda weight: lambda rows: cosines[rows].astype(np.float32) + weight * seen[rows]


def embedded(model: VidTAG, lat_lon_deg: FloatArray) -> torch.Tensor:
    """(N, E) embeddings of places."""
    parts = np.array_split(lat_lon_deg, -(-len(lat_lon_deg) // _CHUNK))
    return torch.cat([model.embed_locations(torch.from_numpy(part)) for part in parts])


def _middle(sequence: TrainingSequence, frames: int) -> TrainingSequence:
    start = max(0, (len(sequence) - frames) // 2)
    return sequence.part(start, start + frames) if len(sequence) > frames else sequence


def _first(sequence: TrainingSequence, frames: int) -> tuple[FloatArray, FloatArray]:
    return sequence.time_s[:frames], sequence.lat_lon_deg[:frames]
