"""A layer of timed positions as the engine reads it: a table of time, lat and lon."""

from __future__ import annotations

import csv
from typing import Any, Iterator, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsDistanceArea,
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureSource,
    QgsFields,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QDateTime, Qt

from .aoi import ELLIPSOID, WGS84
from .compat import iso_text

_NAMES = ("time", "timestamp", "datetime", "date_time", "time_utc", "utc")


class TruthError(ValueError):
    """A layer that is no truth; the message says why and what to do."""


def write_truth(
    source: QgsFeatureSource, path: str, start_field: str, end_field: str, context: QgsProcessingContext, feedback: QgsProcessingFeedback
) -> int:
    """Write the layer's positions as CSV.

    Points take their time from a field. Lines take it from their M values (Unix seconds), or move at even speed from a start to an end field.

    Returns:
        Positions written.

    Raises:
        TruthError: no position has a time.
    """
    start, end = time_fields(source, start_field, end_field)
    request = QgsFeatureRequest().setDestinationCrs(QgsCoordinateReferenceSystem(WGS84), context.transformContext())
    request.setInvalidGeometryCheck(QgsFeatureRequest.InvalidGeometryCheck.GeometryNoCheck)
    measure = QgsDistanceArea()
    measure.setSourceCrs(QgsCoordinateReferenceSystem(WGS84), context.transformContext())
    measure.setEllipsoid(ELLIPSOID)
    count = 0
    with open(path, "w", encoding="utf-8", newline="") as handle:
        table = csv.writer(handle)
        table.writerow(["time", "lat", "lon"])
        for feature in source.getFeatures(request):
            if feedback.isCanceled():
                break
            for time, point in _positions(feature, start, end, measure):
                table.writerow([time, repr(point.y()), repr(point.x())])
                count += 1
    if not count:
        raise TruthError(f"No position of the truth {source.sourceName()!r} has a time: give a layer with a date and time field.")
    return count


def time_fields(source: QgsFeatureSource, start_field: str, end_field: str) -> tuple[Optional[str], Optional[str]]:
    """The fields that times come from: as given, else found by name and type; (None, None) for M values.

    Raises:
        TruthError: the layer has no times that can be understood.
    """
    name, fields = source.sourceName(), source.fields()
    kind = QgsWkbTypes.geometryType(source.wkbType())
    if kind not in (QgsWkbTypes.GeometryType.PointGeometry, QgsWkbTypes.GeometryType.LineGeometry):
        raise TruthError(f"The truth {name!r} has neither points nor lines: give a track as points or as lines.")
    if not source.sourceCrs().isValid():
        raise TruthError(f"The truth {name!r} has no coordinate reference system: set it in the layer's properties.")
    if kind == QgsWkbTypes.GeometryType.PointGeometry:
        start = start_field or _by_type(fields)
        if start is None:
            raise TruthError(f"The truth {name!r} has no one date and time field: choose the field with the time.")
        return start, None
    if start_field and end_field:
        return start_field, end_field
    if not start_field and QgsWkbTypes.hasM(source.wkbType()):
        return None, None
    if fields.indexOf("start_time") >= 0 and fields.indexOf("end_time") >= 0 and not start_field:
        return "start_time", "end_time"
    raise TruthError(f"The lines of the truth {name!r} have no times: choose the fields with their start and end, or give points.")


def _by_type(fields: QgsFields) -> Optional[str]:
    timed = [field.name() for field in fields if field.isDateOrTime()]
    if len(timed) == 1:
        return timed[0]
    wanted = [name for name in (timed or [field.name() for field in fields]) if name.lower() in _NAMES]
    return wanted[0] if wanted else None


def _positions(feature: QgsFeature, start: Optional[str], end: Optional[str], measure: QgsDistanceArea) -> Iterator[tuple[str, QgsPointXY]]:
    geometry = feature.geometry()
    if geometry.isNull():
        return
    if start is None:
        for vertex in geometry.vertices():
            yield repr(vertex.m()), QgsPointXY(vertex)
    elif end is None:
        text = _text(feature[start])
        for vertex in geometry.vertices() if text else ():
            yield text, QgsPointXY(vertex)
    else:
        yield from _along(feature, start, end, measure)


def _along(feature: QgsFeature, start: str, end: str, measure: QgsDistanceArea) -> Iterator[tuple[str, QgsPointXY]]:
    """Vertices of a line at even speed."""
    begin, finish = _unix_s(feature[start]), _unix_s(feature[end])
    if begin is None or finish is None:
        return
    points = [QgsPointXY(vertex) for vertex in feature.geometry().vertices()]
    lengths = [0.0]
    for before, after in zip(points, points[1:]):  # noqa: B905, RUF007 - Python 3.9
        lengths.append(lengths[-1] + measure.measureLine(before, after))
    for length, point in zip(lengths, points):  # noqa: B905 - Python 3.9
        yield repr(begin + (finish - begin) * (length / lengths[-1] if lengths[-1] > 0 else 0.0)), point


def _text(value: Any) -> str:
    """A time as the engine's table takes it; empty where there is none."""
    if isinstance(value, QDateTime):
        return iso_text(value) if value.isValid() else ""
    if value is None or (hasattr(value, "isNull") and value.isNull()):
        return ""
    return str(value).strip()


def _unix_s(value: Any) -> Optional[float]:
    if not isinstance(value, QDateTime) or not value.isValid():
        return None
    moment = QDateTime.fromString(iso_text(value), Qt.DateFormat.ISODateWithMs)
    return moment.toMSecsSinceEpoch() / 1000.0
