"""A layer of pins as the engine takes them: where a person says that the camera was, or was not, in a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureSource,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QDateTime

from .aoi import WGS84
from .compat import is_null, iso_text
from .translation import tr

HERE, NOT_HERE = "here", "not here"
_SAYS_HERE = {"here", "confirmed", "yes", "true", "t", "y", "1"}
_SAYS_NOT = {"not here", "not_here", "nothere", "not", "no", "false", "f", "n", "0"}


class PinsError(ValueError):
    """A layer that holds no pins; the message says why and what to do."""


@dataclass(frozen=True)
class PinFields:
    """Which fields of a layer say what of a pin; empty ones do not.

    Args:
        frame: number of the sampled frame; it or ``time`` must be there.
        video: name of the video.
        here: whether the camera was here.
        time: seconds after the video's start, which go before the frame's number.
        digest: SHA-256 of the video.
    """

    frame: str
    video: str = ""
    here: str = ""
    time: str = ""
    digest: str = ""


def pin_fields(source: QgsFeatureSource, frame: str = "", video: str = "", here: str = "") -> PinFields:
    """The fields as given, else by the names that they have in a review file's layer of pins. Where a frame field is given, it alone says the moment.

    Raises:
        PinsError: the layer cannot hold pins.
    """
    name, known = source.sourceName(), source.fields().names()
    if QgsWkbTypes.geometryType(source.wkbType()) != QgsWkbTypes.GeometryType.PointGeometry:
        raise PinsError(tr("The pins {name!r} are no points: give a point layer.", name=name))
    if not source.sourceCrs().isValid():
        raise PinsError(tr("The pins {name!r} have no coordinate reference system: set it in the layer's properties.", name=name))
    time, digest = ("" if frame or field not in known else field for field in ("time_s", "sha256"))
    frame = frame or ("frame_index" if "frame_index" in known else "")
    if not frame and not time:
        raise PinsError(
            tr("The pins {name!r} do not say which frame each is of: choose the field with the frame's number (frame_index).", name=name)
        )
    return PinFields(frame, video or ("video" if "video" in known else ""), here or ("here" if "here" in known else ""), time, digest)


def read_pins(
    source: QgsFeatureSource,
    fields: PinFields,
    *,
    meaning: str,
    radius_m: float,
    who: str,
    context: QgsProcessingContext,
    feedback: QgsProcessingFeedback,
) -> list[dict[str, Any]]:
    """The pins as objects for the engine, in WGS 84; a point of several parts is several pins.

    Args:
        source: the layer.
        fields: of it.
        meaning: "here" or "not here", where no field says it.
        radius_m: how near is meant, where the layer's field ``radius_m`` does not say.
        who: has set them, where the layer's field ``who`` does not say.

    Raises:
        PinsError: there is none, or one lacks its frame or place.
    """
    request = QgsFeatureRequest().setDestinationCrs(QgsCoordinateReferenceSystem(WGS84), context.transformContext())
    pins: list[dict[str, Any]] = []
    for number, feature in enumerate(source.getFeatures(request), 1):
        if feedback.isCanceled():
            break
        said = _said(feature, fields, tr("Pin {number} of {name!r}", number=number, name=source.sourceName()), meaning == HERE)
        said = {"radius_m": radius_m, "who": who or None, **{name: value for name, value in said.items() if value is not None}}
        pins += [{**said, "lat_deg": point.y(), "lon_deg": point.x()} for point in feature.geometry().vertices()]
    if not pins and not feedback.isCanceled():
        raise PinsError(tr("The layer {name!r} has no pin (or no selected one): set at least one.", name=source.sourceName()))
    return pins


def _said(feature: QgsFeature, fields: PinFields, which: str, here: bool) -> dict[str, Any]:
    """What a feature's attributes say; None for what they do not."""
    if not feature.hasGeometry() or feature.geometry().isEmpty():
        raise PinsError(tr("{which} has no place: set its point on the map, or delete it.", which=which))
    time_s = _value(feature, fields.time)
    when = _value(feature, "when")
    here_value = _value(feature, fields.here)
    says_here = _here(here_value, here, which, fields.here)
    says_confirmed = here_value.strip().lower() == "confirmed" if isinstance(here_value, str) else _value(feature, "confirmed") is True
    return {
        "frame_index": _frame_index(feature, fields, which) if time_s is None else None,
        "time_s": time_s,
        "video": _text(feature, fields.video),
        "sha256": _text(feature, fields.digest),
        "here": says_here,
        "confirmed": True if says_here and says_confirmed else None,
        "radius_m": _value(feature, "radius_m"),
        "who": _text(feature, "who"),
        "when": iso_text(when) if isinstance(when, QDateTime) and when.isValid() else None,
        "why": _text(feature, "why"),
    }


def _frame_index(feature: QgsFeature, fields: PinFields, which: str) -> int:
    """The number of a pin's frame, where it does not say its time."""
    frame = _value(feature, fields.frame)
    try:
        index = int(frame)
    except (TypeError, ValueError):
        index = -1
    if index < 0 or (isinstance(frame, float) and frame != index):
        raise PinsError(
            tr(
                "{which} does not say its frame: give a whole number in its field {frame!r}, or delete the pin.",
                which=which,
                frame=fields.frame,
            )
        )
    return index


def _here(value: Any, otherwise: bool, which: str, field: str) -> bool:
    if value is None:
        return otherwise
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().lower()
    if word in _SAYS_HERE or word in _SAYS_NOT:
        return word in _SAYS_HERE
    raise PinsError(
        tr(
            "{which} says {value!r} in its field {field!r}: write {HERE!r} or {NOT_HERE!r}, or true or false.",
            which=which,
            value=value,
            field=field,
            HERE=HERE,
            NOT_HERE=NOT_HERE,
        )
    )


def _text(feature: QgsFeature, name: str) -> Optional[str]:
    value = _value(feature, name)
    return None if value is None or not str(value).strip() else str(value).strip()


def _value(feature: QgsFeature, name: str) -> Any:
    """An attribute; None where it is NULL or the layer has no such field."""
    index = feature.fields().indexOf(name) if name else -1
    value = feature.attributes()[index] if index >= 0 else None
    return None if is_null(value) else value
