"""Both retrievals of many videos from stored features: how the retrieval methods of a comparison are all evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...gallery import EmbeddedGallery, Grid, top_k
from ...models.vidtag import VidTAG
from ...training.dataset import TrainingSequence
from ...types import FloatArray

# Above this, embeddings of the gallery are made anew in each of the two passes: 1.5 million points of 256 numbers.
_MEMORY_BYTES = 1536 * 1024**2


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
def retrieve(model: VidTAG, sequences: Sequence[TrainingSequence], gallery: Grid) -> Placed:
    """Place sequences as at inference (paper Fig. 5), without smoothing: the best point of each frame, refined and retrieved again where the model can.

    Args:
        model: VidTAG, with or without TempGeo and GeoRefiner.
        sequences: their plain views are placed.
        gallery: the points to choose from.
    """
    model.eval()
    device = model.device
    points = EmbeddedGallery(model, gallery, device, weights_sha256="", cache_dir=None, memory_limit_bytes=_MEMORY_BYTES)
    features = [torch.from_numpy(np.asarray(s.features[0], dtype=np.float32)) for s in sequences]
    frames = [model.embed_video(part) for part in features]
    first = _best(frames, points)
    if not model.has_refiner:
        return Placed(first, first)
    refined = []
    for part, frame, places in zip(features, frames, first, strict=True):
        gps = model.embed_locations(torch.from_numpy(places))
        refined.append(model.refine_video(gps, model.video_context(part, frame)))
    return Placed(_best(refined, points), first)


def _best(queries: list[torch.Tensor], gallery: EmbeddedGallery) -> list[FloatArray]:
    """The best gallery point of every query, all sequences in one pass: (T, 2) a sequence."""
    found = top_k(torch.cat(queries), gallery, 1)
    places = np.concatenate([found.lat_deg, found.lon_deg], axis=1)
    return np.split(places, np.cumsum([len(part) for part in queries])[:-1])
