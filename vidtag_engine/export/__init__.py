"""Results out: the canonical GeoPackage, its copies in other formats, and a picture of the map."""

from .batch_page import BatchRow, write_batch_page
from .geopackage import as_geodataframe, result_tables, write_geopackage
from .geopackage_read import ANSWERS, read_answers, read_aoi, read_areas, read_failed, read_geopackage, read_provenance
from .map_picture import check_picture_name, write_map
from .page import page_body, write_page
from .raster import RasterPlan, map_system, plan_raster, write_raster, write_raster_picture
from .registry import EXPORTERS, Exporter
from .tables import located_mask
from .verdict_text import verdict_sentence

__all__ = [
    "ANSWERS",
    "EXPORTERS",
    "BatchRow",
    "Exporter",
    "RasterPlan",
    "as_geodataframe",
    "check_picture_name",
    "located_mask",
    "map_system",
    "page_body",
    "plan_raster",
    "read_answers",
    "read_aoi",
    "read_areas",
    "read_failed",
    "read_geopackage",
    "read_provenance",
    "result_tables",
    "verdict_sentence",
    "write_batch_page",
    "write_geopackage",
    "write_map",
    "write_page",
    "write_raster",
    "write_raster_picture",
]
