"""Where to search when nobody says where: the world's land, or the extent that a checkpoint was trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..types import InputError
from .aoi import AreaOfInterest, load_aoi


def land_file() -> Path:
    """The polygons of the world's land, as tools/make_land.py made them from Natural Earth."""
    here = Path(__file__).resolve()
    installed = here.parents[1] / "resources" / "land" / "land.geojson"
    return installed if installed.is_file() else here.parents[2] / "resources" / "land" / "land.geojson"


def area_without_aoi(training_extent: tuple[float, float, float, float] | None) -> AreaOfInterest:
    """The area to search where none was given.

    Args:
        training_extent: of the checkpoint, minx, miny, maxx, maxy in degrees; None of a worldwide one.

    Returns:
        The extent, since a checkpoint knows nothing beyond it, or the world's land. Its notes say which.

    Raises:
        InputError: the land's file is missing.
    """
    if training_extent is not None:
        west, south, east, north = training_extent
        area = load_aoi(f"{west},{south},{east},{north}")
        said = (
            f"No area was given: the extent that the checkpoint was trained on is searched ({west:.4f},{south:.4f},{east:.4f},{north:.4f})."
        )
        return replace(area, notes=(said, *area.notes))
    path = land_file()
    if not path.is_file():
        raise InputError("The world's land (resources/land/land.geojson) is not installed: give an area, or install the engine again.")
    return replace(load_aoi(path), notes=("No area was given: the world's land is searched (Natural Earth 1:10m, widened by 4 km).",))
