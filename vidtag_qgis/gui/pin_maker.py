"""Pins set from the frame viewer: a click on the map says where the camera was in the frame that is shown, or was not."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any, Optional

from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsPointXY, QgsProject, QgsTask, QgsVectorLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, pyqtSignal

from .. import engine
from ..aoi import WGS84
from ..engine_client import EngineCancelledError, EngineError, EngineInputError, EngineUnwrittenError
from ..engine_client.command_arguments import PinArguments
from ..frames import FrameRow, VideoFile
from ..layers import finish
from ..translation import tr, translated
from .map_marks import PickTool, transformed
from .tasks import Call, start

NO_RESULT = "Pins lie beside the result, and that of this layer is not there: add the layer frames of the GeoPackage itself."


class PinMaker(QObject):
    """A tool on the map, and the engine that checks and adds the pin. ``said`` carries a sentence, ``written`` comes when a pin is.

    Args:
        canvas: the map.
        parent: of the Qt object.
    """

    said = pyqtSignal(str)
    written = pyqtSignal()
    unwritten = pyqtSignal(dict, str)
    """Arguments of a pin that makes sense and could not be written, and why."""

    def __init__(self, canvas: QgsMapCanvas, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.tool = PickTool(canvas)
        self.task: Optional[Call] = None
        self._arguments: dict[str, Any] = {}

    def set(self, result: str, video: VideoFile, name: str, frame: FrameRow, place: QgsPointXY, *, here: bool) -> None:
        """Add a pin; what came of it is said later.

        Args:
            result: path of the GeoPackage, or empty where it is not known.
            video: that the frame is of.
            name: of the video in the result.
            frame: that is shown.
            place: in the map's coordinates.
            here: whether the camera was there, or was not.
        """
        system = self._canvas.mapSettings().destinationCrs()
        point = transformed(place, QgsCoordinateTransform(system, QgsCoordinateReferenceSystem(WGS84), QgsProject.instance()))
        if not result or point is None:
            self.said.emit(tr(NO_RESULT) if not result else tr("This place has no latitude and longitude: click on another."))
            return
        if self.task is not None:
            self.said.emit(tr("The last pin is still being written: wait a moment."))
            return
        pin = {
            "video": name, "sha256": video.sha256 or None, "time_s": frame.time_s, "frame_index": frame.index, "lat_deg": point.y(), "lon_deg": point.x(),
            "here": here, "who": os.environ.get("USERNAME") or os.environ.get("USER"), "when": _now(),
        }  # fmt: skip
        arguments, python = asdict(PinArguments(result, pin)), engine.interpreter()
        self._arguments = arguments

        def ask(task: QgsTask) -> dict[str, Any]:
            return engine.request(python, "pin", arguments, cancelled=task.isCanceled)

        self.said.emit(tr("Setting the pin…"))
        self.task = Call(tr("VidTAG: setting a pin"), ask)
        self.task.done.connect(self._done)
        start(self.task)

    def _done(self, answer: Optional[dict[str, Any]], error: Optional[EngineError]) -> None:
        self.task = None
        if answer is None:
            self.said.emit(translated(str(error)))
            if isinstance(error, EngineUnwrittenError) or not isinstance(error, (EngineInputError, EngineCancelledError)):
                self.unwritten.emit(self._arguments, str(error))
            return
        show_pins(answer["review"])
        self.written.emit()
        where = os.path.basename(answer["review"])
        self.said.emit(
            tr(
                "Pin {number} is set at {time:g} s of {video}, in {file}. 'Solve with pins' takes it.",
                number=answer["number"],
                time=answer["time_s"],
                video=answer["video"],
                file=where,
            )
        )


def _now() -> str:
    """By which the engine knows a pin again that it is asked for twice."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def show_pins(review: str) -> Optional[QgsVectorLayer]:
    """The layer of pins in the project, added where it is not there, and read anew."""
    project = QgsProject.instance()
    source = f"{review}|layername=pins"
    for layer in project.mapLayers().values():
        if isinstance(layer, QgsVectorLayer) and layer.source().startswith(review):
            layer.dataProvider().reloadData()
            layer.triggerRepaint()
            return layer
    layer = QgsVectorLayer(source, "pins", "ogr")
    if not layer.isValid():
        return None
    finish(layer, "pins")
    project.addMapLayer(layer)
    return layer
