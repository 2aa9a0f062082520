"""What a checkpoint says of a video: the same code for whoever geolocates, evaluates, trains or measures."""

from .retrieve import Retrieved, best_places, retrieve

__all__ = ["Retrieved", "best_places", "retrieve"]
