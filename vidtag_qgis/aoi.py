"""The area of interest as it goes to the engine: GeoJSON and its CRS by name, whatever layer, selection or extent it comes from.

The coordinates stay as they are: reprojecting, mending and the 180th meridian are the engine's, so that the command line and QGIS give the
same area.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsDistanceArea,
    QgsFeatureRequest,
    QgsFeatureSource,
    QgsGeometry,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsRectangle,
    QgsWkbTypes,
)

WGS84 = "EPSG:4326"
ELLIPSOID = "EPSG:7030"
_EXTENT = re.compile(r"\s*" + r"\s*,\s*".join([r"([-+0-9.eE]+)"] * 4) + r"\s*(?:\[.*\])?\s*\Z")


class AreaError(ValueError):
    """An area that cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Area:
    """The area of interest.

    Args:
        geojson: a FeatureCollection, as text.
        crs: the system of its coordinates, in a form that PROJ knows.
        area_m2: its size on the ellipsoid, roughly: overlaps count twice. NaN where QGIS cannot tell.
    """

    geojson: str
    crs: str
    area_m2: float


def read_area(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext, layer: str, extent: str
) -> Area:
    """Read the area from the parameter named ``layer`` or the one named ``extent``; exactly one must be given.

    Raises:
        AreaError: none, both, or one that cannot be used.
    """
    has_layer, has_extent = (parameters.get(name) not in (None, "") for name in (layer, extent))
    if has_layer and has_extent:
        raise AreaError("Give the area of interest as a polygon layer or as an extent, not both: leave one of them empty.")
    if has_layer:
        source = algorithm.parameterAsSource(parameters, layer, context)
        if source is None:
            raise AreaError(f"The area of interest cannot be read: {parameters[layer]}. Give a polygon layer or a vector file.")
        geometries, crs = _layer_geometries(source), source.sourceCrs()
    elif has_extent:
        geometries, crs = _extent_geometry(algorithm, parameters, context, extent)
    else:
        raise AreaError("Where is the video from? Give an area of interest: a polygon layer or an extent.")
    features = [{"type": "Feature", "properties": {}, "geometry": json.loads(geometry.asJson(9))} for geometry in geometries]
    text = json.dumps({"type": "FeatureCollection", "features": features}, allow_nan=False)
    return Area(text, crs_name(crs), _size_m2(geometries, crs, context))


def crs_name(crs: QgsCoordinateReferenceSystem) -> str:
    """A coordinate system in a form that PROJ knows: its code, or WKT where it has none."""
    if crs.authid().startswith(("EPSG:", "ESRI:", "OGC:", "IGNF:")):
        return crs.authid()
    return crs.toWkt(
        Qgis.CrsWktVariant.Preferred if hasattr(Qgis, "CrsWktVariant") else QgsCoordinateReferenceSystem.WktVariant.WKT_PREFERRED
    )


def _check_extent_text(value: Any) -> None:
    """Refuse xmax < xmin while it can be seen: QGIS turns the two round without a word, and 179,-179 becomes almost the whole world."""
    match = _EXTENT.match(value) if isinstance(value, str) else None
    if match is None:
        return
    try:
        xmin, xmax, ymin, ymax = (float(text) for text in match.groups())
    except ValueError:
        return
    if xmax < xmin:
        across = (
            f" To cross the 180th meridian, add 360: {xmin:g},{xmax + 360:g},{ymin:g},{ymax:g}." if xmin <= 180 and xmax >= -180 else ""
        )
        raise AreaError(f"The extent's xmax ({xmax:g}) is smaller than its xmin ({xmin:g}); the order is xmin,xmax,ymin,ymax.{across}")
    if ymax < ymin:
        raise AreaError(f"The extent's ymax ({ymax:g}) is smaller than its ymin ({ymin:g}); the order is xmin,xmax,ymin,ymax.")


def _extent_geometry(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext, name: str
) -> tuple[list[QgsGeometry], QgsCoordinateReferenceSystem]:
    _check_extent_text(parameters[name])
    crs = algorithm.parameterAsExtentCrs(parameters, name, context)
    if not crs.isValid():
        crs = QgsCoordinateReferenceSystem(WGS84)
    rectangle: QgsRectangle = algorithm.parameterAsExtent(parameters, name, context)
    if not rectangle.isFinite() or not rectangle.width() > 0 or not rectangle.height() > 0:
        raise AreaError(
            f"The extent {parameters[name]} has no area: give xmin,xmax,ymin,ymax and its CRS, such as 9.1,9.3,48.7,48.9 [EPSG:4326]."
        )
    return [QgsGeometry.fromRect(rectangle)], crs


def _layer_geometries(source: QgsFeatureSource) -> list[QgsGeometry]:
    name = source.sourceName()
    if QgsWkbTypes.geometryType(source.wkbType()) != QgsWkbTypes.GeometryType.PolygonGeometry:
        raise AreaError(f"The area of interest {name!r} has no polygons: give a polygon layer.")
    if not source.sourceCrs().isValid():
        raise AreaError(f"The area of interest {name!r} has no coordinate reference system: set it in the layer's properties.")
    # Geometries that are not valid are the engine's to mend, so they are read as they are.
    request = QgsFeatureRequest().setNoAttributes()
    request.setInvalidGeometryCheck(QgsFeatureRequest.InvalidGeometryCheck.GeometryNoCheck)
    found = [QgsGeometry(feature.geometry()) for feature in source.getFeatures(request) if feature.hasGeometry()]
    found = [geometry for geometry in found if not geometry.isEmpty()]
    if not found:
        raise AreaError(f"The area of interest {name!r} has no polygon (or no selected one): select or draw at least one.")
    if not all(geometry.boundingBox().isFinite() for geometry in found):
        raise AreaError(f"The area of interest {name!r} has a corner that is not a number: mend the layer.")
    return found


def _size_m2(geometries: list[QgsGeometry], crs: QgsCoordinateReferenceSystem, context: QgsProcessingContext) -> float:
    measure = QgsDistanceArea()
    measure.setSourceCrs(crs, context.transformContext())
    measure.setEllipsoid(ELLIPSOID)
    total = sum(measure.measureArea(geometry) for geometry in geometries)
    return total if total > 0 else math.nan  # a ring all around the world measures 0
