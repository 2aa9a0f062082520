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
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QDateTime, Qt

from .aoi import ELLIPSOID, WGS84
from .compat import field_type, is_null, iso_text
from .stored_times import StoredTimes
from .translation import tr

_NAMES = ("time", "timestamp", "datetime", "date_time", "time_utc", "utc")


class TruthError(ValueError):
    """A layer that is no truth; the message says why and what to do."""


def write_truth(
    source: QgsFeatureSource,
    path: str,
    start_field: str,
    end_field: str,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
    layer: Optional[QgsVectorLayer] = None,
) -> int:
    """Write the layer's positions as CSV. What has no time is left out, and counted in the feedback.

    ``layer`` is what ``source`` comes from, where there is one: old QGIS drops zones that its file has. Times without a zone are UTC.

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
    count = without = 0
    stored = StoredTimes(layer)
    with open(path, "w", encoding="utf-8", newline="") as handle:
        table = csv.writer(handle)
        table.writerow(["time", "lat", "lon"])
        for feature in source.getFeatures(request):
            if feedback.isCanceled():
                break
            before = count
            for time, point in _positions(feature, start, end, measure, stored):
                table.writerow([time, repr(point.y()), repr(point.x())])
                count += 1
            without += count == before
    if not count:
        raise TruthError(
            tr("No position of the truth {name!r} has a time: give a layer with a date and time field.", name=source.sourceName())
        )
    if without:
        feedback.pushWarning(
            tr(
                "{without} features of the truth {name!r} have no place or no time that can be read, and were left out.",
                without=without,
                name=source.sourceName(),
            )
        )
    return count


def time_fields(source: QgsFeatureSource, start_field: str, end_field: str) -> tuple[Optional[str], Optional[str]]:
    """The fields that times come from: as given, else found by name and type; (None, None) for M values.

    Raises:
        TruthError: the layer has no times that can be understood.
    """
    name, fields = source.sourceName(), source.fields()
    kind = QgsWkbTypes.geometryType(source.wkbType())
    if kind not in (QgsWkbTypes.GeometryType.PointGeometry, QgsWkbTypes.GeometryType.LineGeometry):
        raise TruthError(tr("The truth {name!r} has neither points nor lines: give a track as points or as lines.", name=name))
    if not source.sourceCrs().isValid():
        raise TruthError(tr("The truth {name!r} has no coordinate reference system: set it in the layer's properties.", name=name))
    if kind == QgsWkbTypes.GeometryType.PointGeometry:
        start = start_field or _by_type(fields)
        if start is None:
            raise TruthError(tr("The truth {name!r} has no one date and time field: choose the field with the time.", name=name))
        return start, None
    if start_field and end_field:
        return start_field, end_field
    if not start_field and QgsWkbTypes.hasM(source.wkbType()):
        return None, None
    if fields.indexOf("start_time") >= 0 and fields.indexOf("end_time") >= 0 and not start_field:
        return "start_time", "end_time"
    raise TruthError(
        tr("The lines of the truth {name!r} have no times: choose the fields with their start and end, or give points.", name=name)
    )


def _by_type(fields: QgsFields) -> Optional[str]:
    timed = [field.name() for field in fields if field.type() == field_type("datetime")]
    if len(timed) == 1:
        return timed[0]
    wanted = [name for name in (timed or [field.name() for field in fields]) if name.lower() in _NAMES]
    return wanted[0] if wanted else None


def _positions(
    feature: QgsFeature, start: Optional[str], end: Optional[str], measure: QgsDistanceArea, stored: StoredTimes
) -> Iterator[tuple[str, QgsPointXY]]:
    geometry = feature.geometry()
    if geometry.isNull():
        return
    if start is None:
        for vertex in geometry.vertices():
            yield repr(vertex.m()), QgsPointXY(vertex)
    elif end is None:
        text = _text(feature, start, stored)
        for vertex in geometry.vertices() if text else ():
            yield text, QgsPointXY(vertex)
    else:
        yield from _along(feature, (start, end), measure, stored)


def _along(feature: QgsFeature, ends: tuple[str, str], measure: QgsDistanceArea, stored: StoredTimes) -> Iterator[tuple[str, QgsPointXY]]:
    """Vertices of a line at even speed."""
    begin, finish = (_unix_s(_text(feature, field, stored)) for field in ends)
    if begin is None or finish is None:
        return
    points = [QgsPointXY(vertex) for vertex in feature.geometry().vertices()]
    lengths = [0.0]
    for before, after in zip(points, points[1:]):  # noqa: B905, RUF007 - Python 3.9
        lengths.append(lengths[-1] + measure.measureLine(before, after))
    for length, point in zip(lengths, points):  # noqa: B905 - Python 3.9
        yield repr(begin + (finish - begin) * (length / lengths[-1] if lengths[-1] > 0 else 0.0)), point


def _text(feature: QgsFeature, field: str, stored: StoredTimes) -> str:
    """A time as the engine's table takes it; empty where there is none."""
    value: Any = feature[field]
    if isinstance(value, QDateTime):
        if not value.isValid():
            return ""
        local = value.timeSpec() == Qt.TimeSpec.LocalTime
        return (stored.iso_text(feature.id(), field) if local else None) or iso_text(value)
    return "" if is_null(value) else str(value).strip()


def _unix_s(text: str) -> Optional[float]:
    moment = QDateTime.fromString(text.replace(" ", "T", 1), Qt.DateFormat.ISODateWithMs)
    if not moment.isValid():
        return None
    if moment.timeSpec() == Qt.TimeSpec.LocalTime:  # no zone: UTC
        moment.setTimeSpec(Qt.TimeSpec.UTC)
    return moment.toMSecsSinceEpoch() / 1000.0
