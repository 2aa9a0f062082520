"""Grid points embedded, and looked up: every point, coarse to fine, or by a beam."""

from .choose import Search, search_over
from .continuous import between_points
from .embedding_cache import EmbeddedGallery
from .exhaustive import HeldGallery, posterior_mass, top_k
from .smoothness import Smoothness, measure_smoothness
from .state_grid import StateGrid

__all__ = [
    "EmbeddedGallery",
    "HeldGallery",
    "Search",
    "Smoothness",
    "StateGrid",
    "between_points",
    "measure_smoothness",
    "posterior_mass",
    "search_over",
    "top_k",
]
