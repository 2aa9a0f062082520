"""Home zones as they go to the engine: polygons whole, points with a radius, whatever layer, selection or file they come from."""

from __future__ import annotations

import json
import os
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProviderRegistry,
    QgsVectorLayer,
    QgsWkbTypes,
)

from .aoi import WGS84, AreaError, crs_name, geometries_of, named_file
from .translation import tr


def read_homes(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext, name: str, radius_m: float
) -> list[str]:
    """Home zones of the parameter ``name``, as the engine's ``homes``; none where it is left empty.

    Args:
        radius_m: about points.

    Raises:
        AreaError: it holds something else, or nothing: who gives home zones must not learn afterwards that none was left out.
    """
    if parameters.get(name) in (None, ""):
        return []
    file = named_file(parameters[name])
    if file is not None:
        return _of_file(file, context, radius_m)
    source = algorithm.parameterAsSource(parameters, name, context)
    if source is None:
        raise AreaError(
            tr("The home zones cannot be read: {given}. Give a layer of polygons or points, or a vector file.", given=parameters[name])
        )
    return _checked(_of_layer(source, source.sourceCrs(), source.sourceName(), context, radius_m), source.sourceName())


def _of_file(file: str, context: QgsProcessingContext, radius_m: float) -> list[str]:
    """All that a file has: of a KML with a pin and a polygon QGIS itself would show the pin alone."""
    path, _, layer = file.partition("|layername=")
    names = {sublayer.name() for sublayer in QgsProviderRegistry.instance().querySublayers(path) if sublayer.providerKey() == "ogr"}
    found: list[str] = []
    for one in [layer] if layer else sorted(names):
        opened = QgsVectorLayer(f"{path}|layername={one}", one, "ogr")
        if not opened.isValid():
            raise AreaError(
                tr("The home zones cannot be read: {path} has no layer {one!r} that QGIS reads.", path=os.path.basename(path), one=one)
            )
        crs = opened.crs() if opened.crs().isValid() else QgsCoordinateReferenceSystem(WGS84)
        found += _of_layer(opened, crs, os.path.basename(path), context, radius_m)
    return _checked(found, os.path.basename(path))


def _of_layer(layer: Any, crs: QgsCoordinateReferenceSystem, name: str, context: QgsProcessingContext, radius_m: float) -> list[str]:
    geometries = geometries_of(layer)
    if geometries and not crs.isValid():
        raise AreaError(tr("The home zones {name!r} have no coordinate reference system: set it in the layer's properties.", name=name))
    if QgsWkbTypes.geometryType(layer.wkbType()) == QgsWkbTypes.GeometryType.UnknownGeometry and len(geometries) < layer.featureCount():
        # Of collections with heights QGIS 3.22 gives nothing.
        raise AreaError(
            tr("The home zones {name!r} have a feature whose geometry QGIS cannot read: save them as a layer of polygons.", name=name)
        )
    parts = [part for geometry in geometries for part in geometry.asGeometryCollection()]
    if any(QgsWkbTypes.geometryType(part.wkbType()) == QgsWkbTypes.GeometryType.LineGeometry for part in parts):
        raise AreaError(
            tr("The home zones {name!r} hold lines, which enclose no ground: give polygons or points, or buffer them first.", name=name)
        )
    if not all(geometry.boundingBox().isFinite() for geometry in geometries):
        raise AreaError(tr("The home zones {name!r} have a corner that is not a number: mend the layer.", name=name))
    polygons = [part for part in parts if QgsWkbTypes.geometryType(part.wkbType()) == QgsWkbTypes.GeometryType.PolygonGeometry]
    points = [part.asPoint() for part in parts if QgsWkbTypes.geometryType(part.wkbType()) == QgsWkbTypes.GeometryType.PointGeometry]
    return [*_areas(polygons, crs), *_circles(points, crs, name, context, radius_m)]


def _areas(polygons: list[QgsGeometry], crs: QgsCoordinateReferenceSystem) -> list[str]:
    """GeoJSON whose coordinates stay as they are: reprojecting and mending are the engine's."""
    if not polygons:
        return []
    features = [{"type": "Feature", "properties": {}, "geometry": json.loads(one.asJson(9))} for one in polygons]
    system = {"type": "name", "properties": {"name": crs_name(crs)}}
    return [json.dumps({"type": "FeatureCollection", "crs": system, "features": features}, allow_nan=False)]


def _circles(
    points: list[QgsPointXY], crs: QgsCoordinateReferenceSystem, name: str, context: QgsProcessingContext, radius_m: float
) -> list[str]:
    to_degrees = QgsCoordinateTransform(crs, QgsCoordinateReferenceSystem(WGS84), context.transformContext())
    try:
        placed = [to_degrees.transform(point) for point in points]
    except QgsCsException as error:
        raise AreaError(tr("The home zones {name!r} have a point that is no place on the globe: mend the layer.", name=name)) from error
    return [f"{point.y():.9f},{point.x():.9f},{radius_m:g}" for point in placed]


def _checked(found: list[str], name: str) -> list[str]:
    if not found:
        raise AreaError(
            tr("The home zones {name!r} hold no polygon and no point (or no selected one): select or draw at least one.", name=name)
        )
    return found
