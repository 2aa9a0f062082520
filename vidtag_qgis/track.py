"""A line a video whose vertices carry their time as M, for tools that work on trajectories."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Optional, Sequence

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureRequest,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsLineString,
    QgsPoint,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsVectorLayer,
    QgsWkbTypes,
)

from .algorithms.checks import is_asked
from .compat import field, is_null, iso_text, text_field
from .layers import Sink
from .translation import tr

KIND = "track"
STANDING_DEG = 1e-9
"""A camera that never moves gives a line of no length, which is invalid: its last vertex is moved by this (0.1 mm), as in the result's own lines."""
LEAST_VERTICES = 2


def copy_track(
    geopackage: str,
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    output: str,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
    *,
    crs: Optional[QgsCoordinateReferenceSystem] = None,
    answer: str = "model",
) -> Optional[str]:
    """Write one LineStringZM a video into the sink of the parameter ``output``; None where no sink is asked for.

    M is the frame's moment in seconds since 1970-01-01T00:00:00Z; Z is 0, as nothing is known of the height. Frames without an answer are left out, and the line
    goes straight from one answer to the next; it does not break at ±180°, beyond which longitudes go on. A video with one answer or none has no line.

    Args:
        crs: of the line; by default WGS 84.
        answer: "model", "pinned" for the videos alone that were solved with pins, or "auto" for that answer where a video has one.

    Raises:
        QgsProcessingException: the result cannot be read or the sink cannot be written.
    """
    if not is_asked(parameters.get(output)):
        return None
    videos = _layer(geopackage, "videos")
    copied = [videos.fields().at(videos.fields().indexOf(name)) for name in ("video", "time_source", "start_time", "end_time")]
    fields = QgsFields()
    for one in (*(QgsField(one) for one in copied), text_field("start_time_iso"), text_field("end_time_iso"), field("frames", "integer")):
        fields.append(one)
    frames = _layer(geopackage, "frames")
    solved = QgsVectorLayer(f"{geopackage}|layername=frames_pinned", "frames_pinned", "ogr")
    pinned = set(solved.uniqueValues(solved.fields().indexOf("video"))) if answer != "model" and solved.isValid() else set()
    sink = Sink(geopackage, algorithm, parameters, output, context, fields, QgsWkbTypes.Type.LineStringZM, videos.crs(), crs)
    for video in videos.getFeatures():
        if feedback.isCanceled():
            break
        name = str(video["video"])
        if is_null(video["base_time"]) or (answer == "pinned" and name not in pinned):  # it failed, or is not asked for
            continue
        rows = _rows(solved if name in pinned else frames, name)
        vertices = _vertices(rows, datetime.fromisoformat(iso_text(video["base_time"]).replace("Z", "+00:00")).timestamp())
        if len(vertices) < LEAST_VERTICES:
            feedback.pushInfo(
                tr("{name} has no track: it needs {LEAST_VERTICES} frames with an answer.", name=name, LEAST_VERTICES=LEAST_VERTICES)
            )
            continue
        times = [rows[0]["time"], rows[-1]["time"]]
        feature = QgsFeature(fields)
        feature.setGeometry(QgsGeometry(QgsLineString(vertices)))
        feature.setAttributes([name, video["time_source"], *times, *(iso_text(time) for time in times), len(vertices)])
        sink.add(feature)
    return sink.finished(KIND)


def _layer(geopackage: str, name: str) -> QgsVectorLayer:
    layer = QgsVectorLayer(f"{geopackage}|layername={name}", name, "ogr")
    if not layer.isValid():
        raise QgsProcessingException(
            tr("The engine's result {geopackage} has no layer {name!r} that QGIS can read.", geopackage=geopackage, name=name)
        )
    return layer


def _rows(layer: QgsVectorLayer, video: str) -> list[QgsFeature]:
    """A video's frames with an answer, in the order of time, each later than the one before."""
    quoted = video.replace("'", "''")
    found = [row for row in layer.getFeatures(QgsFeatureRequest().setFilterExpression(f"\"video\" = '{quoted}'")) if row.hasGeometry()]
    rows: list[QgsFeature] = []
    for row in sorted(found, key=lambda row: (row["time_s"], row["frame_index"])):
        if not rows or row["time_s"] > rows[-1]["time_s"]:
            rows.append(row)
    return rows


def _vertices(rows: Sequence[QgsFeature], base_s: float) -> list[QgsPoint]:
    points: list[QgsPoint] = []
    for row in rows:
        place = row.geometry().asPoint()
        lon_deg = place.x()
        if points:  # the short way round, as the camera went
            lon_deg += 360.0 * round((points[-1].x() - lon_deg) / 360.0)
        points.append(QgsPoint(lon_deg, place.y(), 0.0, base_s + row["time_s"], QgsWkbTypes.Type.PointZM))
    if len(points) >= LEAST_VERTICES and all((one.x(), one.y()) == (points[0].x(), points[0].y()) for one in points):
        points[-1].setX(points[-1].x() + STANDING_DEG)
    return points
