"""Both retrievals of many videos from stored features, without smoothing: how everything that is compared is evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..datasets.training_sequence import TrainingSequence
from ..feedback import Feedback
from ..inference import best_places, retrieve
from ..models import GeoCLIP, VidTAG
from ..search import EmbeddedGallery, top_k
from ..types import FloatArray


@dataclass(frozen=True)
class Placed:
    """Where frames were placed: a (T, 2) array of lat, lon in degrees a sequence.

    Args:
        predicted: the final answer.
        phase1: of the first retrieval; equal to ``predicted`` where nothing refines it.
    """

    predicted: list[FloatArray]
    phase1: list[FloatArray]


def place(
    model: VidTAG | GeoCLIP, sequences: Sequence[TrainingSequence], gallery: EmbeddedGallery, feedback: Feedback = Feedback()
) -> Placed:
    """Both retrievals of all sequences (:func:`vidtag_engine.inference.retrieve`), each frame at its best point of the gallery.

    Args:
        model: in evaluation mode, with or without TempGeo and GeoRefiner.
        sequences: their plain views are placed.
        gallery: the points to choose from.
        feedback: asked to stop before each sequence.

    Raises:
        CancelledError: once ``feedback`` says so.
    """

    def check() -> None:
        feedback.check()

    videos = [torch.from_numpy(sequence.features[0]) for sequence in sequences]
    found = retrieve(model, videos, lambda queries: top_k(queries, gallery, 1), check=check)
    return Placed([best_places(one.final) for one in found], [best_places(one.first) for one in found])
