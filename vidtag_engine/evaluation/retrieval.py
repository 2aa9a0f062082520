"""Both retrievals of many videos from stored features, without smoothing: how everything that is compared is evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..gallery import EmbeddedGallery, top_k
from ..models import GeoCLIP, VidTAG
from ..training.dataset import TrainingSequence
from ..types import CancelCheck, CancelledError, FloatArray


@dataclass(frozen=True)
class Placed:
    """Where frames were placed: a (T, 2) array of lat, lon in degrees a sequence.

    Args:
        predicted: the final answer.
        phase1: of the first retrieval; equal to ``predicted`` where nothing refines it.
    """

    predicted: list[FloatArray]
    phase1: list[FloatArray]


@torch.inference_mode()
def retrieve(
    model: VidTAG | GeoCLIP, sequences: Sequence[TrainingSequence], gallery: EmbeddedGallery, cancelled: CancelCheck | None = None
) -> Placed:
    """Phase I, GeoRefiner and Phase II (paper Fig. 5), the gallery being gone through once a phase for all sequences together.

    Args:
        model: in evaluation mode, with or without TempGeo and GeoRefiner.
        sequences: their plain views are placed.
        gallery: the points to choose from; each frame gets the best one.
        cancelled: asked before each sequence.

    Raises:
        CancelledError: once ``cancelled`` says so.
    """
    if not sequences:
        return Placed([], [])
    frames = []
    for sequence in sequences:
        if cancelled and cancelled():
            raise CancelledError("Stopped; features are kept, and the same command goes on from there.")
        frames.append(model.embed_video(torch.from_numpy(sequence.features[0])))
    first = _best(frames, gallery)
    if not model.has_refiner:
        return Placed(first, first)
    refined = []
    for sequence, own, places in zip(sequences, frames, first, strict=True):
        context = model.video_context(torch.from_numpy(sequence.features[0]), own)
        refined.append(model.refine_video(model.embed_locations(torch.from_numpy(places)), context))
    return Placed(_best(refined, gallery), first)


def _best(queries: list[torch.Tensor], gallery: EmbeddedGallery) -> list[FloatArray]:
    """The best gallery point of every query, all sequences in one pass: (T, 2) a sequence."""
    found = top_k(torch.cat(queries), gallery, 1)
    places = np.concatenate([found.lat_deg, found.lon_deg], axis=1)
    return np.split(places, np.cumsum([len(part) for part in queries])[:-1])
