"""What a checkpoint says of a video: the same code for whoever geolocates, evaluates, trains or measures."""

from .emissions import Emissions, FrameScores, ScoredPlaces, similarity_to
from .retrieve import Retrieved, best_places, retrieve

__all__ = ["Emissions", "FrameScores", "Retrieved", "ScoredPlaces", "best_places", "retrieve", "similarity_to"]
