"""How the retrieval methods of a comparison are all evaluated: over a gallery that is embedded for each model and kept nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.evaluation.retrieval import Placed, place
from vidtag_engine.grid import Grid
from vidtag_engine.models.vidtag import VidTAG
from vidtag_engine.search import EmbeddedGallery

# Above this, embeddings of the gallery are made anew in each of the two passes: 1.5 million points of 256 numbers.
_MEMORY_BYTES = 1536 * 1024**2


def retrieve(model: VidTAG, sequences: Sequence[TrainingSequence], gallery: Grid) -> Placed:
    """Place sequences as at inference (paper Fig. 5); see :func:`..retrieval.retrieve`."""
    model.eval()
    points = EmbeddedGallery(model, gallery, model.device, weights_sha256="", cache_dir=None, memory_limit_bytes=_MEMORY_BYTES)
    return place(model, sequences, points)
