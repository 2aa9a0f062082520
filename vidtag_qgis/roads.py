"""A layer of roads as the engine takes it: the file as it is, or a GeoPackage with the roads that a line may lie on, in their own system."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass
from typing import Any, Iterator, Optional, Sequence

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureSource,
    QgsFields,
    QgsGeometry,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsRectangle,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsWkbTypes,
)

from .aoi import WGS84, Area, crs_name, named_file
from .compat import is_null, text_field
from .translation import tr

_REACHES = 57.0
"""The engine looks for roads within 8 standard deviations of the line, which are at most 7.1 confidence radii each."""
_DEG_M = 110_000.0
TAGS = (
    "name", "street", "strassenname", "nom", "highway", "fclass", "class", "oneway", "layer", "bridge", "tunnel", "junction", "other_tags",
)  # fmt: skip
"""Attributes that the engine looks for in a network of roads, in small letters."""
_READ_BY_THE_ENGINE = (".pbf", ".osm")  # of which QGIS opens the points
_MARGIN = 0.05  # of the area's box, beside it: roads that only graze it are the engine's to leave out


class RoadsError(ValueError):
    """A layer that holds no roads; the message says why and what to do."""


@dataclass(frozen=True)
class NetworkFile:
    """Roads as the engine reads them.

    Args:
        path: of the file.
        layer: its name, where the file's name alone does not say.
        crs: of it; None where the file says.
    """

    path: str
    layer: Optional[str] = None
    crs: Optional[str] = None


def check_given_roads(algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> None:
    """Raise RoadsError where a parameter gives no network of roads. A file that QGIS reads otherwise than the engine is the engine's to judge."""
    source = algorithm.parameterAsSource(parameters, name, context)
    if _as_it_is(named_file(parameters[name])):
        return
    if source is None:
        raise RoadsError(tr("The roads cannot be read: {given}. Give a line layer or a vector file.", given=parameters[name]))
    check_roads(source)


def network_file(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    name: str,
    area: Optional[Area],
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> Optional[NetworkFile]:
    """The roads of a parameter for the engine: a file as it lies, of anything else the roads about the area with what they say of themselves.

    Args:
        algorithm, parameters, name, context: which parameter of which call.
        area: that is searched; None writes all.
        feedback: told how many roads were written.

    Returns:
        None where none are given.

    Raises:
        RoadsError: there are none, or they cannot be written.
    """
    if parameters.get(name) in (None, ""):
        return None
    check_given_roads(algorithm, parameters, name, context)
    if (file := named_file(parameters[name])) is not None:
        path, _, layer = file.partition("|layername=")
        return NetworkFile(path, layer or None)
    source = algorithm.parameterAsSource(parameters, name, context)
    # The engine's sentences name the file.
    path = QgsProcessingUtils.generateTempFilename(re.sub(r"[^\w. -]", "_", source.sourceName())[:60] + ".gpkg")
    near = None if area is None else _about(area, source.sourceCrs(), context)
    count = _write(source, path, near, TAGS, context, feedback)
    if not count and not feedback.isCanceled():
        raise RoadsError(
            tr("No road of {name!r} lies in the area: give the roads of this place, or select some there.", name=source.sourceName())
        )
    feedback.pushInfo(
        tr("{count:,} roads in and about the area.", count=count) if near is not None else tr("{count:,} roads.", count=count)
    )
    return NetworkFile(path, crs=crs_name(source.sourceCrs()))


def _as_it_is(file: Optional[str]) -> bool:
    return file is not None and file.lower().partition("|")[0].endswith(_READ_BY_THE_ENGINE)


def check_roads(source: QgsFeatureSource) -> None:
    """Raise RoadsError where the layer cannot hold roads."""
    name = source.sourceName()
    if QgsWkbTypes.geometryType(source.wkbType()) != QgsWkbTypes.GeometryType.LineGeometry:
        raise RoadsError(tr("The roads {name!r} are no lines: give a line layer.", name=name))
    if not source.sourceCrs().isValid():
        raise RoadsError(tr("The roads {name!r} have no coordinate reference system: set it in the layer's properties.", name=name))


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
    count = _write(source, path, _near(result, source.sourceCrs(), context), (), context, feedback)
    if not count and not feedback.isCanceled():
        raise RoadsError(
            tr("No road of {name!r} lies near the line: give the roads of its place, or select some there.", name=source.sourceName())
        )
    return count


def _write(
    source: QgsFeatureSource,
    path: str,
    near: Optional[QgsRectangle],
    names: Sequence[str],
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> int:
    """Write roads to a GeoPackage, and return how many.

    Args:
        source: of them.
        path: of the GeoPackage.
        near: where they are wanted, in their system; None for everywhere.
        names: attributes to keep as text, in small letters, those that there are.
    """
    kept: dict[str, int] = {}
    for index, title in enumerate(source.fields().names()):
        if title.lower() in names:
            kept.setdefault(title.lower(), index)
    fields = QgsFields()
    for name in kept:
        fields.append(text_field(name))
    kind = QgsWkbTypes.multiType(QgsWkbTypes.linearType(QgsWkbTypes.flatType(source.wkbType())))
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName = "GPKG", "roads"
    writer = QgsVectorFileWriter.create(path, fields, kind, source.sourceCrs(), context.transformContext(), options)
    request = QgsFeatureRequest().setSubsetOfAttributes(list(kept.values())) if kept else QgsFeatureRequest().setNoAttributes()
    request.setInvalidGeometryCheck(QgsFeatureRequest.InvalidGeometryCheck.GeometryNoCheck)
    if near is not None:
        request.setFilterRect(near)
    count = 0
    for feature in source.getFeatures(request):
        if feedback.isCanceled():
            break
        if feature.hasGeometry():
            count += 1
            road = QgsFeature(fields)
            road.setGeometry(_flat(feature.geometry()))
            road.setAttributes([_text(feature.attribute(index)) for index in kept.values()])
            writer.addFeature(road)
    problem = writer.errorMessage()
    del writer  # closes the file
    if problem:
        raise RoadsError(
            tr(
                "The roads {name!r} cannot be written for the engine ({problem}): save them as a GeoPackage first.",
                name=source.sourceName(),
                problem=problem,
            )
        )
    return count


def _text(value: Any) -> Optional[str]:
    """An attribute as text: 1.0 is 1, as tags have it."""
    if is_null(value):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _about(area: Area, crs: QgsCoordinateReferenceSystem, context: QgsProcessingContext) -> Optional[QgsRectangle]:
    """The box about an area, in another system; None where it is not known here, or not one box."""
    if os.path.isfile(area.text.partition("|")[0]):
        return None
    try:
        shapes = [one["geometry"] for one in json.loads(area.text)["features"] if one["geometry"]]
    except (ValueError, KeyError, TypeError):
        return None
    xy = [place for shape in shapes for place in _places(shape.get("coordinates", []))]
    own = QgsCoordinateReferenceSystem(area.crs or WGS84)
    if not xy or not own.isValid():
        return None
    box = QgsRectangle(min(x for x, _ in xy), min(y for _, y in xy), max(x for x, _ in xy), max(y for _, y in xy))
    if own.isGeographic() and (box.width() > 180.0 or box.xMinimum() < -180.0 or box.xMaximum() > 180.0):
        return None
    try:
        box = QgsCoordinateTransform(own, crs, context.transformContext()).transformBoundingBox(box)
    except QgsCsException:
        return None
    box.grow(_MARGIN * max(box.width(), box.height()))
    return box if box.isFinite() else None


def _places(coordinates: Any) -> Iterator[tuple[float, float]]:
    """The places in the coordinates of a GeoJSON's geometry, however deep they lie."""
    if coordinates and isinstance(coordinates[0], (int, float)):
        yield float(coordinates[0]), float(coordinates[1])
    else:
        for part in coordinates:
            yield from _places(part)


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
