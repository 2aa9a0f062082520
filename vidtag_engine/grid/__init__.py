"""The area of interest, and the reference points in it. No torch."""

from .aoi import AreaOfInterest, join_areas, load_aoi
from .grid import Grid, check_size, make_grid
from .point_list import join_grids, points_grid
from .points_file import write_points
from .wide_grid import WideGrid, plan_grid
from .world import area_without_aoi

__all__ = [
    "AreaOfInterest",
    "Grid",
    "WideGrid",
    "area_without_aoi",
    "check_size",
    "join_areas",
    "join_grids",
    "load_aoi",
    "make_grid",
    "plan_grid",
    "points_grid",
    "write_points",
]
