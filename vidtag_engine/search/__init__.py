"""Grid points embedded, and looked up: every point, coarse to fine, or by a beam."""

from .choose import Search, search_over
from .continuous import between_points
from .cover import Cover
from .embedding_cache import EmbeddedGallery
from .exhaustive import HeldGallery, posterior_mass, top_k
from .smoothness import Smoothness, measure_smoothness

__all__ = [
    "Cover",
    "EmbeddedGallery",
    "HeldGallery",
    "Search",
    "Smoothness",
    "between_points",
    "measure_smoothness",
    "posterior_mass",
    "search_over",
    "top_k",
]
