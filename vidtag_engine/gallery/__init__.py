"""Where to look: area of interest, grid, embedded gallery, search."""

from .aoi import AreaOfInterest, load_aoi
from .choose import Search, search_over
from .continuous import between_points
from .cover import Cover
from .embedding_cache import EmbeddedGallery
from .grid import Grid, check_size, make_grid
from .point_list import join_grids, points_grid
from .points_file import write_points
from .search import HeldGallery, posterior_mass, top_k
from .smoothness import Smoothness, measure_smoothness
from .wide_grid import WideGrid, plan_grid
from .world import area_without_aoi

__all__ = [
    "AreaOfInterest",
    "Cover",
    "EmbeddedGallery",
    "Grid",
    "HeldGallery",
    "Search",
    "Smoothness",
    "WideGrid",
    "area_without_aoi",
    "between_points",
    "check_size",
    "join_grids",
    "load_aoi",
    "make_grid",
    "measure_smoothness",
    "plan_grid",
    "points_grid",
    "posterior_mass",
    "search_over",
    "top_k",
    "write_points",
]
