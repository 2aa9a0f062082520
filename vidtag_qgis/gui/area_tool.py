"""The tool "Draw area": a polygon drawn on the map, with its size, its gallery points and their time told while it is drawn."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import (
    Qgis,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.gui import QgsMapCanvas, QgsMapTool, QgsRubberBand
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import QDoubleSpinBox, QLabel

from ..area_estimate import area_m2, sentence
from ..layers import finish
from ..translation import tr

LAYER = "VidTAG area"
AREA_PROPERTY = "vidtag/area"


class AreaTool(QgsMapTool):
    """Draws a polygon: a click a corner, right button ends, Backspace takes a corner back, Esc gives up.

    ``drawn`` carries the polygon so far, in the map's coordinates, with the mouse as its last corner; ``finished`` the whole one.
    """

    drawn = pyqtSignal(QgsGeometry)
    finished = pyqtSignal(QgsGeometry)

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.corners: list[QgsPointXY] = []
        self._band: Optional[QgsRubberBand] = QgsRubberBand(canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
        self._band.setStrokeColor(QColor("#d01c8b"))
        self._band.setFillColor(QColor(208, 28, 139, 40))
        self._band.setWidth(2)

    def canvasReleaseEvent(self, event: Any) -> None:
        """Qt's name: a mouse button was let go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.corners.append(event.mapPoint())
            self._draw(self.corners)
        elif event.button() == Qt.MouseButton.RightButton:
            corners, self.corners = self.corners, []
            self._draw([])
            self.finished.emit(_polygon(corners))

    def canvasMoveEvent(self, event: Any) -> None:
        """Qt's name: the mouse was moved."""
        if self.corners:
            self._draw([*self.corners, event.mapPoint()])

    def keyPressEvent(self, event: Any) -> None:
        """Qt's name: a key was pressed."""
        if event.key() == Qt.Key.Key_Escape:
            self.corners = []
        elif event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete) and self.corners:
            self.corners.pop()
        else:
            return
        event.ignore()  # else QGIS takes Delete as its own
        self._draw(self.corners)

    def deactivate(self) -> None:
        """Qt's name: another tool was taken."""
        self.corners = []
        self._draw([])
        super().deactivate()

    def remove(self) -> None:
        """Take what it draws off the map for good."""
        if self._band is not None:
            self.canvas().scene().removeItem(self._band)
            self._band = None

    def _draw(self, corners: list[QgsPointXY]) -> None:
        if self._band is None:
            return
        polygon = _polygon(corners)
        self._band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)
        for corner in corners:
            self._band.addPoint(corner)
        self.drawn.emit(polygon)


class AreaDrawing:
    """The tool, and the line in the message bar that tells what is drawn. ``stop()`` takes both away.

    Args:
        iface: QGIS's interface.
        stopped: called when it has ended, also by another tool.
    """

    def __init__(self, iface: Any, stopped: Any) -> None:
        self._iface, self._stopped = iface, stopped
        self._canvas = iface.mapCanvas()
        self._polygon = QgsGeometry()
        tool = AreaTool(self._canvas)
        tool.drawn.connect(self._drawn)
        tool.finished.connect(self._finished)
        self.tool: Optional[AreaTool] = tool
        self.item = iface.messageBar().createMessage(tr("Draw area"), "")
        self.text_label = QLabel(self.item)
        self.text_label.setWordWrap(True)
        self.resolution_field = QDoubleSpinBox(self.item)
        self.resolution_field.setRange(0.1, 5e6)
        self.resolution_field.setDecimals(1)
        self.resolution_field.setSuffix(" m")
        self.resolution_field.setValue(25.0)
        self.resolution_field.setToolTip(tr("Grid resolution, as in 'Geolocate video'"))
        self.resolution_field.valueChanged.connect(self._tell)
        for widget in (self.text_label, self.resolution_field):
            self.item.layout().addWidget(widget)
        iface.messageBar().pushWidget(self.item, Qgis.MessageLevel.Info)
        self._canvas.setMapTool(self.tool)
        self._canvas.mapToolSet.connect(self._tool_changed)
        self._tell()

    def stop(self) -> None:
        """End drawing; what is finished stays."""
        if self.tool is None:
            return
        tool, self.tool = self.tool, None
        self._canvas.mapToolSet.disconnect(self._tool_changed)
        self._canvas.unsetMapTool(tool)
        tool.remove()
        tool.deleteLater()
        self._iface.messageBar().popWidget(self.item)
        self._stopped()

    def _tool_changed(self, new: Any, *_: Any) -> None:
        if new is not self.tool:
            self.stop()

    def _drawn(self, polygon: QgsGeometry) -> None:
        self._polygon = polygon
        self._tell()

    def _tell(self, *_: Any) -> None:
        project = QgsProject.instance()
        size = area_m2(self._polygon, self._canvas.mapSettings().destinationCrs(), project.transformContext())
        self.text_label.setText(sentence(size, self.resolution_field.value()))

    def _finished(self, polygon: QgsGeometry) -> None:
        bar = self._iface.messageBar()
        try:
            layer = add_area(polygon, self._canvas)
        except ValueError as error:
            bar.pushMessage(tr("Draw area"), str(error), Qgis.MessageLevel.Warning)
            return
        self.stop()
        count = layer.featureCount()
        said = tr("The area is in the layer {layer}: give that to 'Geolocate video'.", layer=LAYER)
        if count > 1:
            said += f" {tr('It holds {count} polygons now: all of them are one area, or select those that you mean.', count=count)}"
        bar.pushMessage(
            tr("Draw area"),
            said,
            Qgis.MessageLevel.Success,
        )


def add_area(polygon: QgsGeometry, canvas: QgsMapCanvas) -> QgsVectorLayer:
    """Add a polygon, in the map's coordinates, to the project's scratch layer of areas, which is made where there is none.

    Raises:
        ValueError: it is none, or the map has no coordinate system; a sentence.
    """
    crs = canvas.mapSettings().destinationCrs()
    if not crs.isValid():
        raise ValueError(tr("The project has no coordinate reference system: set it in the project's properties, and draw again."))
    project = QgsProject.instance()
    whole = polygon if polygon.isNull() or polygon.isGeosValid() else polygon.makeValid()
    if area_m2(whole, crs, project.transformContext()) <= 0:
        raise ValueError(tr("An area has at least three corners that are not on a line: draw it again."))
    layer = next((one for one in project.mapLayers().values() if one.customProperty(AREA_PROPERTY)), None)
    if not isinstance(layer, QgsVectorLayer) or not layer.isValid():
        layer = QgsVectorLayer("MultiPolygon", LAYER, "memory")
        layer.setCrs(crs)
        layer.setCustomProperty(AREA_PROPERTY, True)
        finish(layer, "aoi")
        project.addMapLayer(layer)
    try:
        whole.transform(QgsCoordinateTransform(crs, layer.crs(), project))
    except QgsCsException as error:
        raise ValueError(
            tr("The area lies outside {system}, the system of the layer {layer}.", system=layer.crs().userFriendlyIdentifier(), layer=LAYER)
        ) from error
    feature = QgsFeature()
    whole.convertToMultiType()
    feature.setGeometry(whole)
    if layer.isEditable():
        layer.addFeature(feature)
    else:
        layer.dataProvider().addFeatures([feature])
    layer.updateExtents()
    layer.triggerRepaint()
    return layer


def _polygon(corners: list[QgsPointXY]) -> QgsGeometry:
    return QgsGeometry.fromPolygonXY([corners]) if len(corners) > 2 else QgsGeometry()
