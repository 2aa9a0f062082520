"""What a checkpoint says of a video: the same code for whoever geolocates, evaluates, trains or measures."""

from .emissions import Emissions, FrameScores, ScoredPlaces, similarity_to
from .posterior import Posterior, PosteriorDecoder, chances
from .retrieve import Retrieved, best_places, retrieve
from .verdicts import frame_by_frame, judged, with_hypotheses

__all__ = [
    "Emissions",
    "FrameScores",
    "Posterior",
    "PosteriorDecoder",
    "Retrieved",
    "ScoredPlaces",
    "best_places",
    "chances",
    "frame_by_frame",
    "judged",
    "retrieve",
    "similarity_to",
    "with_hypotheses",
]
