"""The area of interest as it goes to the engine: GeoJSON and its CRS by name, whatever layer, selection or extent it comes from; or a file.

QGIS opens one kind of geometry of a file at a time, so that of a KML with a pin and a polygon it shows the pin alone. Such a file goes to the
engine as it is, which takes the polygon and says what it left out, as on the command line.

The coordinates stay as they are: reprojecting, mending and the 180th meridian are the engine's, so that the command line and QGIS give the
same area.
"""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass
from typing import Any, Optional

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsDistanceArea,
    QgsFeatureRequest,
    QgsFeatureSource,
    QgsGeometry,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingFeatureSourceDefinition,
    QgsProperty,
    QgsProviderRegistry,
    QgsRectangle,
    QgsVectorLayer,
    QgsWkbTypes,
)

from .translation import tr

WGS84 = "EPSG:4326"
ELLIPSOID = "EPSG:7030"
_READ_BY_THE_ENGINE = (
    ".kml",
    ".kmz",
    ".geojson",
    ".json",
)  # QGIS drops a polygon's second outer ring, and follows links to coordinate systems
_WIDEST_SIDE_DEG = 180.0  # the engine takes a longer one for the short way across the 180th meridian
_CORNERS = 35  # on each side of a rectangle that is wider: QGIS measures sides of some degrees well
_EXTENT = re.compile(r"\s*" + r"\s*,\s*".join([r"([-+0-9.eE]+)"] * 4) + r"\s*(?:\[.*\])?\s*\Z")


class AreaError(ValueError):
    """An area that cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Area:
    """The area of interest.

    Args:
        text: a FeatureCollection as GeoJSON, or a file's path with ``|layername=`` or not.
        crs: the system of its coordinates, in a form that PROJ knows; None where the file says it.
        area_m2: its size on the ellipsoid, roughly: overlaps count twice. NaN where QGIS cannot tell.
    """

    text: str
    crs: Optional[str]
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
        raise AreaError(tr("Give the area of interest as a polygon layer or as an extent, not both: leave one of them empty."))
    if has_layer:
        source = algorithm.parameterAsSource(parameters, layer, context)
        file = named_file(parameters[layer])
        if file is not None and (
            source is None or file.lower().partition("|")[0].endswith(_READ_BY_THE_ENGINE) or not _may_hold_polygons(source)
        ):
            return _file_area(file, context)
        if source is None:
            raise AreaError(
                tr("The area of interest cannot be read: {given}. Give a polygon layer or a vector file.", given=parameters[layer])
            )
        geometries, crs = _layer_geometries(source), source.sourceCrs()
    elif has_extent:
        geometries, crs = _extent_geometry(algorithm, parameters, context, extent)
    else:
        raise AreaError(tr("Where is the video from? Give an area of interest: a polygon layer or an extent."))
    features = [{"type": "Feature", "properties": {}, "geometry": json.loads(geometry.asJson(9))} for geometry in geometries]
    text = json.dumps({"type": "FeatureCollection", "features": features}, allow_nan=False)
    return Area(text, crs_name(crs), _size_m2(geometries, crs, context))


def is_given(parameters: dict[str, Any], layer: str, extent: str) -> bool:
    """Whether an area is given, as a layer or as an extent."""
    return any(parameters.get(name) not in (None, "") for name in (layer, extent))


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
        wrong = tr(
            "The extent's xmax ({xmax:g}) is smaller than its xmin ({xmin:g}); the order is xmin,xmax,ymin,ymax.", xmax=xmax, xmin=xmin
        )
        if xmin <= 180 and xmax >= -180:
            across = f"{xmin:g},{xmax + 360:g},{ymin:g},{ymax:g}"
            wrong += f" {tr('To cross the 180th meridian, add 360: {extent}.', extent=across)}"
        raise AreaError(wrong)
    if ymax < ymin:
        raise AreaError(
            tr("The extent's ymax ({ymax:g}) is smaller than its ymin ({ymin:g}); the order is xmin,xmax,ymin,ymax.", ymax=ymax, ymin=ymin)
        )


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
            tr(
                "The extent {given} has no area: give xmin,xmax,ymin,ymax and its CRS, such as 9.1,9.3,48.7,48.9 [EPSG:4326].",
                given=parameters[name],
            )
        )
    geometry = QgsGeometry.fromRect(rectangle)
    return [
        geometry.densifyByCount(_CORNERS)
        if crs.isGeographic() and _WIDEST_SIDE_DEG < rectangle.width() < 2 * _WIDEST_SIDE_DEG
        else geometry
    ], crs


def named_file(value: Any) -> Optional[str]:
    """The path (with ``|layername=``) that a parameter names; None where it is a layer of the project, or only a part of the file is meant."""
    if isinstance(value, QgsProcessingFeatureSourceDefinition):
        if value.selectedFeaturesOnly or value.featureLimit != -1 or getattr(value, "filterExpression", ""):
            return None
        value = value.source
    if isinstance(value, QgsProperty):
        value = value.staticValue()
    if not isinstance(value, str):
        return None
    path, *options = value.split("|")
    kept = [option for option in options if option.startswith("layername=")]
    if not os.path.isfile(path) or len(kept) < len(options):
        return None
    return "|".join([os.path.abspath(path), *kept])


def _may_hold_polygons(source: Any) -> bool:
    """Whether a layer or a source is of polygons, or of geometries of any kind."""
    kind = QgsWkbTypes.geometryType(source.wkbType())
    return kind in {QgsWkbTypes.GeometryType.PolygonGeometry, QgsWkbTypes.GeometryType.UnknownGeometry}


def _file_area(file: str, context: QgsProcessingContext) -> Area:
    """A file that the engine reads: here only whether it has polygons, and how large they are."""
    path, _, layer = file.partition("|layername=")
    size_m2, found = 0.0, False
    # Without a kind of geometry in its address a layer gives all of its features.
    names = {sublayer.name() for sublayer in QgsProviderRegistry.instance().querySublayers(path) if sublayer.providerKey() == "ogr"}
    for name in {layer} if layer else names:
        opened = QgsVectorLayer(f"{path}|layername={name}", name, "ogr")
        crs = opened.crs() if opened.crs().isValid() else QgsCoordinateReferenceSystem(WGS84)
        geometries = [one for one in geometries_of(opened) if _polygonal(one)]
        # Of collections with heights QGIS 3.22 gives nothing: whether there is a polygon among them is then the engine's to say.
        collections = QgsWkbTypes.geometryType(opened.wkbType()) == QgsWkbTypes.GeometryType.UnknownGeometry
        found = found or bool(geometries) or (collections and opened.featureCount() != 0)
        measured = _size_m2(geometries, crs, context)
        size_m2 += 0.0 if math.isnan(measured) else measured
    if not found:
        raise AreaError(
            tr("The area of interest {path} has no polygons: give a polygon layer or a file with a polygon.", path=os.path.basename(path))
        )
    return Area(file, None, size_m2 or math.nan)


def _polygonal(geometry: QgsGeometry) -> bool:
    """Whether a geometry is a polygon, or a collection with one."""
    return any(part.dimension() == 2 for part in geometry.constParts())


def _layer_geometries(source: QgsFeatureSource) -> list[QgsGeometry]:
    name = source.sourceName()
    found = geometries_of(source) if _may_hold_polygons(source) else []
    whole = QgsWkbTypes.geometryType(source.wkbType()) == QgsWkbTypes.GeometryType.PolygonGeometry
    if not whole and not any(_polygonal(geometry) for geometry in found):
        raise AreaError(tr("The area of interest {name!r} has no polygons: give a polygon layer.", name=name))
    if not source.sourceCrs().isValid():
        raise AreaError(
            tr("The area of interest {name!r} has no coordinate reference system: set it in the layer's properties.", name=name)
        )
    if not found:
        raise AreaError(tr("The area of interest {name!r} has no polygon (or no selected one): select or draw at least one.", name=name))
    if not all(geometry.boundingBox().isFinite() for geometry in found):
        raise AreaError(tr("The area of interest {name!r} has a corner that is not a number: mend the layer.", name=name))
    return found


def geometries_of(source: Any) -> list[QgsGeometry]:
    """All of a layer or source that are not empty. Those that are not valid are the engine's to mend, so they are read as they are."""
    request = QgsFeatureRequest().setNoAttributes()
    request.setInvalidGeometryCheck(QgsFeatureRequest.InvalidGeometryCheck.GeometryNoCheck)
    found = [QgsGeometry(feature.geometry()) for feature in source.getFeatures(request) if feature.hasGeometry()]
    return [geometry for geometry in found if not geometry.isEmpty()]


def _size_m2(geometries: list[QgsGeometry], crs: QgsCoordinateReferenceSystem, context: QgsProcessingContext) -> float:
    measure = QgsDistanceArea()
    measure.setSourceCrs(crs, context.transformContext())
    measure.setEllipsoid(ELLIPSOID)
    total = sum(measure.measureArea(geometry) for geometry in geometries)
    return total if total > 0 else math.nan  # a ring all around the world measures 0
