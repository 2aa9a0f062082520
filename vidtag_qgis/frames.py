"""The frames of a result as the windows need them: in the order of time, with their places, and which file their video is."""

from __future__ import annotations

import json
import os
import pathlib
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any, Optional

from qgis.core import QgsFeatureRequest, QgsMapLayer, QgsPointXY, QgsProviderRegistry, QgsVectorLayer, QgsWkbTypes
from qgis.PyQt.QtCore import QDateTime

from .compat import is_null, iso_text
from .engine_client.geopackage_metadata import schema_refusal, stored_schema
from .translation import translated

FIELDS = ("video", "frame_index", "time_s", "state", "confidence")
"""What tells a layer of frames, the engine's own or a copy of it, from others."""
VIDEOS_PROPERTY = "vidtag/videos"
"""Custom property of a copied layer: its videos' files, as the result says them."""
PLACE_FIELDS = ("street", "city", "admin1", "country")
"""Where a frame is in words; results before schema 4.2 have none, and those before 4.6 no street."""
RESULT_PROPERTY = "vidtag/result"
"""Custom property of a copied layer: the GeoPackage that it was copied from."""


@dataclass(frozen=True)
class FrameRow:
    """One sampled frame.

    Args:
        feature_id: in the layer.
        index: among the video's sampled frames.
        time_s: seconds after the video's start.
        time: the same as a moment, ISO 8601; empty where the start is not known.
        state: "located", or why there is no answer.
        confidence: 0 to 1; None where it is not rated.
        point: in the layer's coordinate system; None where there is no answer.
        place: "Street, Town, State, Country", as far as they are known.
    """

    feature_id: int
    index: int
    time_s: float
    time: str
    state: str
    confidence: Optional[float]
    point: Optional[QgsPointXY]
    place: str = ""


@dataclass(frozen=True)
class VideoFile:
    """Which file a video of a result is, and what is said of it.

    Args:
        file: its name without a folder.
        kind: "video" or "images".
        sha256: the digest that knows it again, or empty.
        why: why it is not located, or not rated, as a clause; empty where there is nothing to say.
    """

    file: str
    kind: str = "auto"
    sha256: str = ""
    why: str = ""


def is_frames_layer(layer: Optional[QgsMapLayer]) -> bool:
    """Whether it holds the frames of a result."""
    if not isinstance(layer, QgsVectorLayer) or not layer.isValid():
        return False
    return layer.geometryType() == QgsWkbTypes.GeometryType.PointGeometry and all(layer.fields().indexOf(name) >= 0 for name in FIELDS)


def read_frames(layer: QgsVectorLayer) -> dict[str, list[FrameRow]]:
    """Each video's frames in the order of time, those that the layer's filter lets through; videos by name."""
    wanted = [*FIELDS, *(name for name in ("time", "time_source", *PLACE_FIELDS) if layer.fields().indexOf(name) >= 0)]
    found: dict[str, list[FrameRow]] = {}
    for feature in layer.getFeatures(QgsFeatureRequest().setSubsetOfAttributes(wanted, layer.fields())):
        values = {name: None if is_null(feature[name]) else feature[name] for name in wanted}
        if values["video"] is None or values["time_s"] is None or values["frame_index"] is None:
            continue
        geometry = feature.geometry()
        point = None if geometry.isNull() or geometry.isEmpty() else QgsPointXY(next(geometry.vertices()))
        row = FrameRow(
            feature_id=feature.id(),
            index=int(values["frame_index"]),
            time_s=float(values["time_s"]),
            time=_moment(values),
            state=str(values["state"] or ""),
            confidence=None if values["confidence"] is None else float(values["confidence"]),
            point=point,
            place=", ".join(dict.fromkeys(str(values[name]) for name in PLACE_FIELDS if values.get(name))),
        )
        found.setdefault(str(values["video"]), []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (row.time_s, row.index))
    return dict(sorted(found.items()))


def video_files(layer: QgsVectorLayer) -> dict[str, VideoFile]:
    """The files of the layer's videos, by the videos' names: from its GeoPackage, or as a copy remembers them. Empty where nothing is known."""
    stored = layer.customProperty(VIDEOS_PROPERTY)
    if stored:
        try:
            return {str(name): VideoFile(**values) for name, values in json.loads(stored).items()}
        except (ValueError, TypeError, AttributeError):
            return {}  # a project that something else has written to
    return read_video_files(result_of(layer))


def read_video_files(geopackage: str) -> dict[str, VideoFile]:
    """The videos of a result, by name; empty where it is none."""
    if not os.path.isfile(geopackage):
        return {}
    videos = QgsVectorLayer(f"{geopackage}|layername=videos", "videos", "ogr")
    names = ("video", "file", "kind", "sha256")
    if not videos.isValid() or any(videos.fields().indexOf(name) < 0 for name in names):
        return {}
    wanted = [*names, *(["why"] if videos.fields().indexOf("why") >= 0 else [])]  # results of schema 1 have none
    request = QgsFeatureRequest().setSubsetOfAttributes(wanted, videos.fields())
    rows = [{name: "" if is_null(row[name]) else str(row[name]) for name in wanted} for row in videos.getFeatures(request)]
    return {row["video"]: VideoFile(row["file"] or row["video"], row["kind"] or "auto", row["sha256"], row.get("why", "")) for row in rows}


def result_of(layer: QgsVectorLayer) -> str:
    """Path of the GeoPackage that a layer lies in; empty where it lies in none."""
    if layer.providerType() != "ogr":
        return ""
    return str(QgsProviderRegistry.instance().decodeUri("ogr", layer.source()).get("path") or "")


def newer_schema(geopackage: str) -> Optional[str]:
    """Why a result cannot be read, as one sentence: a newer version wrote it. None where it can, and for any other file."""
    if not os.path.isfile(geopackage):
        return None
    try:
        with closing(sqlite3.connect(f"{pathlib.Path(geopackage).resolve().as_uri()}?mode=ro", uri=True)) as database:
            refusal = schema_refusal(os.path.basename(geopackage), stored_schema(database))
    except sqlite3.Error:
        return None
    return refusal and translated(refusal)


def pinned_result(layer: QgsVectorLayer) -> str:
    """Path of the result that pins on a layer's frames belong to: that which it was copied from, or lies in; empty where none is there."""
    places = (str(layer.customProperty(RESULT_PROPERTY) or ""), result_of(layer))
    return next((place for place in places if place and read_video_files(place)), "")


def remember_videos(layer: QgsVectorLayer, geopackage: str) -> None:
    """Let a copied layer know its videos' files, which outlives the result that it was copied from, and that result."""
    layer.setCustomProperty(RESULT_PROPERTY, geopackage)
    files = {name: asdict(video) for name, video in read_video_files(geopackage).items()}
    if files:
        layer.setCustomProperty(VIDEOS_PROPERTY, json.dumps(files))


def _moment(values: dict[str, Any]) -> str:
    time = values.get("time")
    known = isinstance(time, QDateTime) and time.isValid() and values.get("time_source") != "synthetic"
    return iso_text(time) if known else ""
