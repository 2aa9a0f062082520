"""A layer of roads as the engine takes it: a GeoPackage with the roads that a result's line may lie on, in their own coordinate system."""

from __future__ import annotations

import math
from typing import Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureSource,
    QgsFields,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsRectangle,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsWkbTypes,
)

from .aoi import WGS84

_REACHES = 57.0
"""The engine looks for roads within 8 standard deviations of the line, which are at most 7.1 confidence radii each."""
_DEG_M = 110_000.0


class RoadsError(ValueError):
    """A layer that holds no roads; the message says why and what to do."""


def check_roads(source: QgsFeatureSource) -> None:
    """Raise RoadsError where the layer cannot hold roads."""
    name = source.sourceName()
    if QgsWkbTypes.geometryType(source.wkbType()) != QgsWkbTypes.GeometryType.LineGeometry:
        raise RoadsError(f"The roads {name!r} are no lines: give a line layer.")
    if not source.sourceCrs().isValid():
        raise RoadsError(f"The roads {name!r} have no coordinate reference system: set it in the layer's properties.")


def write_roads(source: QgsFeatureSource, result: str, path: str, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> int:
    """Write the roads about a result's frames, both those of the model and those that were solved with pins.

    Args:
        source: the layer, or its selected features.
        result: the GeoPackage whose line is to be matched.
        path: of the GeoPackage to write.

    Returns:
        Roads written.

    Raises:
        RoadsError: none lies there, or they cannot be written.
    """
    kind = QgsWkbTypes.multiType(QgsWkbTypes.linearType(QgsWkbTypes.flatType(source.wkbType())))
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = "GPKG", "roads"
    writer = QgsVectorFileWriter.create(path, QgsFields(), kind, source.sourceCrs(), context.transformContext(), options)
    request = QgsFeatureRequest().setNoAttributes()
    request.setInvalidGeometryCheck(QgsFeatureRequest.InvalidGeometryCheck.GeometryNoCheck)
    if (near := _near(result, source.sourceCrs(), context)) is not None:
        request.setFilterRect(near)
    count = 0
    for feature in source.getFeatures(request):
        if feedback.isCanceled():
            break
        if feature.hasGeometry():
            count += 1
            road = QgsFeature()
            road.setGeometry(_flat(feature.geometry()))
            writer.addFeature(road)
    problem = writer.errorMessage()
    del writer  # closes the file
    if problem:
        raise RoadsError(
            f"The roads {source.sourceName()!r} cannot be written for the engine ({problem}): save them as a GeoPackage first."
        )
    if not count and not feedback.isCanceled():
        raise RoadsError(f"No road of {source.sourceName()!r} lies near the line: give the roads of its place, or select some there.")
    return count


def _flat(geometry: QgsGeometry) -> QgsGeometry:
    """Straight pieces without heights."""
    flat = QgsGeometry(geometry)
    if QgsWkbTypes.isCurvedType(flat.wkbType()):
        flat = QgsGeometry(flat.constGet().segmentize())
    flat.get().dropZValue()
    flat.get().dropMValue()
    flat.convertToMultiType()
    return flat


def _near(result: str, crs: QgsCoordinateReferenceSystem, context: QgsProcessingContext) -> Optional[QgsRectangle]:
    """Where roads may matter, in their system; None for everywhere."""
    frames, pinned, videos = (QgsVectorLayer(f"{result}|layername={name}", name, "ogr") for name in ("frames", "frames_pinned", "videos"))
    near = frames.extent()
    if pinned.isValid():
        near.combineExtentWith(pinned.extent())
    radius_m = videos.maximumValue(videos.fields().indexOf("confidence_radius_m"))
    if near.isNull() or near.width() > 180.0 or not isinstance(radius_m, float):
        return None
    margin = _REACHES * radius_m / _DEG_M
    across = margin / max(0.05, math.cos(math.radians(min(89.0, max(abs(near.yMinimum()), abs(near.yMaximum()))))))
    near = QgsRectangle(near.xMinimum() - across, near.yMinimum() - margin, near.xMaximum() + across, near.yMaximum() + margin)
    to_roads = QgsCoordinateTransform(QgsCoordinateReferenceSystem(WGS84), crs, context.transformContext())
    try:
        return to_roads.transformBoundingBox(near)
    except QgsCsException:
        return None
