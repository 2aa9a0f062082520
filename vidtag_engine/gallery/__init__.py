"""Where to look: area of interest, grid, embedded gallery, search."""

from .aoi import AreaOfInterest, load_aoi
from .embedding_cache import EmbeddedGallery
from .grid import Grid, check_size, make_grid
from .point_list import join_grids, points_grid
from .points_file import write_points
from .search import posterior_mass, top_k

__all__ = [
    "AreaOfInterest",
    "EmbeddedGallery",
    "Grid",
    "check_size",
    "join_grids",
    "load_aoi",
    "make_grid",
    "points_grid",
    "posterior_mass",
    "top_k",
    "write_points",
]
