"""What the frame viewer has on the map: a tool that picks a frame with a click, and the marker of the frame that is shown."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsCsException, QgsPointXY, QgsProject
from qgis.gui import QgsMapCanvas, QgsMapTool, QgsVertexMarker
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor

REACH_PX = 15
"""How far from a frame's point a click still means it, pixels."""


class PickTool(QgsMapTool):
    """Tells where the map was clicked: ``clicked`` carries the place in the map's coordinates and the reach there, map units."""

    clicked = pyqtSignal(QgsPointXY, float)

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def canvasReleaseEvent(self, event: Any) -> None:
        """Qt's name: the mouse button was let go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(event.mapPoint(), REACH_PX * self.canvas().mapUnitsPerPixel())


class Marker:
    """A ring about the frame that is shown, or a square about what else is pointed at. ``remove()`` takes it off the map for good."""

    def __init__(self, canvas: QgsMapCanvas, colour: str = "#d01c8b", *, square: bool = False) -> None:
        self._canvas = canvas
        self._mark: Optional[QgsVertexMarker] = QgsVertexMarker(canvas)
        self._mark.setIconType(QgsVertexMarker.IconType.ICON_BOX if square else QgsVertexMarker.IconType.ICON_CIRCLE)
        self._mark.setColor(QColor(colour))
        self._mark.setIconSize(18)
        self._mark.setPenWidth(4)
        self._mark.setZValue(1000)
        self.place: Optional[QgsPointXY] = None
        self.hide()

    def show_at(self, point: Optional[QgsPointXY], crs: QgsCoordinateReferenceSystem, *, pan: bool) -> None:
        """Put it at a point of this coordinate system, None hides it; with ``pan`` the map follows where the point is near its edge or beyond."""
        self.place = None if point is None else transformed(point, map_transform(self._canvas, crs))
        if self._mark is None or self.place is None:
            self.hide()
            return
        self._mark.setCenter(self.place)
        self._mark.show()
        if pan:
            inner = self._canvas.extent()
            inner.scale(0.8)
            if not inner.contains(self.place):
                self._canvas.setCenter(self.place)
                self._canvas.refresh()

    def hide(self) -> None:
        """Show none: the frame has no place."""
        if self._mark is not None:
            self._mark.hide()

    @property
    def visible(self) -> bool:
        """Whether it is on the map."""
        return self._mark is not None and self._mark.isVisible()

    def remove(self) -> None:
        """Take it off the map."""
        if self._mark is not None:
            self._canvas.scene().removeItem(self._mark)
            self._mark = None


def map_transform(canvas: QgsMapCanvas, crs: QgsCoordinateReferenceSystem) -> QgsCoordinateTransform:
    """From a coordinate system into the map's."""
    return QgsCoordinateTransform(crs, canvas.mapSettings().destinationCrs(), QgsProject.instance())


def transformed(point: QgsPointXY, transform: QgsCoordinateTransform) -> Optional[QgsPointXY]:
    """The point in the map's coordinates; None where the map's system does not reach there."""
    try:
        return transform.transform(point)
    except QgsCsException:
        return None
