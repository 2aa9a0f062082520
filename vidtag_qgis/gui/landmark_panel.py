"""The workbench's page "Landmarks": things that are seen in the picture and found on the map say where the camera stood."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsDistanceArea,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsWkbTypes,
)
from qgis.gui import QgsMapCanvas, QgsRubberBand, QgsVertexMarker
from qgis.PyQt.QtCore import QPointF, QRectF, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QImage, QPainter, QPainterPath, QPen
from qgis.PyQt.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..aoi import ELLIPSOID, WGS84
from ..translation import tr
from .corrections import Corrections
from .flow_layout import FlowLayout
from .map_marks import PickTool, transformed

_COLOUR = "#d01c8b"
_CORNERS = 72
_FEWEST = 3


class LandmarkPicture(QWidget):
    """The frame with its landmarks on it. ``clicked`` carries the place of a click in the picture's own pixels.

    Args:
        parent: of the widget.
    """

    clicked = pyqtSignal(float, float)

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.image = QImage()
        self.points: list[tuple[float, float]] = []
        self.setMinimumSize(200, 125)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName(tr("Picture to click landmarks in"))

    def show_image(self, image: QImage) -> None:
        """Show a picture; an empty one clears."""
        self.image = image
        self.update()

    def show_points(self, points: list[tuple[float, float]]) -> None:
        """Draw these, in the picture's own pixels, with their numbers."""
        self.points = points
        self.update()

    def heightForWidth(self, width: int) -> int:
        """Qt's name: as high as the picture wants."""
        return width * self.image.height() // self.image.width() if self.image.width() else width * 9 // 16

    def hasHeightForWidth(self) -> bool:
        """Qt's name: it does."""
        return True

    def mouseReleaseEvent(self, event: Any) -> None:
        """Qt's name: the mouse was let go over it."""
        room = self._room()
        spot = event.position() if hasattr(event, "position") else QPointF(event.pos())
        if event.button() == Qt.MouseButton.LeftButton and not self.image.isNull() and room.contains(spot):
            scale = self.image.width() / room.width()
            self.clicked.emit((spot.x() - room.x()) * scale, (spot.y() - room.y()) * scale)

    def paintEvent(self, event: Any) -> None:
        """Qt's name: draw it."""
        if self.image.isNull():
            return
        room, painter = self._room(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(room, self.image)
        scale = room.width() / self.image.width()
        for number, (x_px, y_px) in enumerate(self.points, 1):
            spot = QPointF(room.x() + x_px * scale, room.y() + y_px * scale)
            for colour, width in (("#ffffff", 4), (_COLOUR, 2)):
                painter.setPen(QPen(QColor(colour), width))
                painter.drawEllipse(spot, 6.0, 6.0)
            # A pen's width does not widen letters: their outline is drawn, to be read on any picture.
            letters = QPainterPath()
            letters.addText(spot + QPointF(9, -6), self.font(), str(number))
            painter.strokePath(letters, QPen(QColor("#ffffff"), 3))
            painter.fillPath(letters, QColor(_COLOUR))
        painter.end()

    def _room(self) -> QRectF:
        """Where the picture is drawn."""
        size = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        return QRectF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2, size.width(), size.height())


class LandmarkPanel(QWidget):
    """Click a thing in the picture, then its place on the map; from three pairs on the engine says where the camera stood.

    Args:
        canvas: the map.
        corrections: that asks the engine.
        parent: of the widget.
    """

    def __init__(self, canvas: QgsMapCanvas, corrections: Corrections, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._canvas, self._corrections = canvas, corrections
        self._moment = ("", 0.0)
        self._videos: list[str] = []
        self.pairs: list[tuple[float, float, float, float]] = []
        self.pending: Optional[tuple[float, float]] = None
        self._marks: list[QgsVertexMarker] = []
        self._band: Optional[QgsRubberBand] = None
        self.tool: Optional[PickTool] = None
        self.picture = LandmarkPicture(self)
        self.table = QTableWidget(0, 4, self)
        self.table.setHorizontalHeaderLabels([tr("x, y (px)"), tr("Latitude"), tr("Longitude"), tr("Off (px)")])
        self.table.verticalHeader().setVisible(False)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setMinimumHeight(110)
        self.table.setTabKeyNavigation(False)  # else the focus never leaves it
        self.table.setAccessibleName(tr("Landmarks"))
        self.fov_field = QDoubleSpinBox(self)
        self.fov_field.setRange(0.0, 170.0)
        self.fov_field.setSuffix("°")
        self.fov_field.setSpecialValueText(tr("not known"))
        self.fov_field.setToolTip(
            tr(
                "Horizontal field of view of the lens. Where it is not known, the video's file, landmarks of other frames, and four or more of this one tell it."
            )
        )
        self.remove_button, self.solve_button, self.pin_button = (
            QPushButton(text, self) for text in (tr("Remove"), tr("Where was the camera?"), tr("Pin there"))
        )
        self.message_label = QLabel(self)
        self.message_label.setWordWrap(True)
        self.message_label.setTextFormat(Qt.TextFormat.PlainText)
        layout, form = QVBoxLayout(self), QFormLayout()
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.message_label)
        layout.addWidget(self.table)
        form.addRow(tr("Field of view"), self.fov_field)
        layout.addLayout(form)
        layout.addLayout(FlowLayout(self.remove_button, self.solve_button, self.pin_button))
        self.picture.clicked.connect(self.click_picture)
        self.remove_button.clicked.connect(self._remove)
        self.solve_button.clicked.connect(lambda: self.solve(pin=False))
        self.pin_button.clicked.connect(lambda: self.solve(pin=True))
        self._changed()

    # Opened and closed.

    def wake(self) -> None:
        """Have a tool for the map."""
        if self.tool is None:
            self.tool = PickTool(self._canvas)
            self.tool.clicked.connect(lambda place, _reach: self.click_map(place))

    def rest(self) -> None:
        """Take everything off the map."""
        self._clear_map()
        if self.tool is not None:
            self._canvas.unsetMapTool(self.tool)
            self.tool.deleteLater()
            self.tool = None

    def set_frame(self, video: str, time_s: float, image: QImage, videos: Sequence[str] = ()) -> None:
        """The frame that is shown, and where its video may lie; landmarks of another frame are let go."""
        self._videos = list(videos)
        if (video, time_s) != self._moment:
            self._moment, self.pairs, self.pending = (video, time_s), [], None
            self._changed()
        self.picture.show_image(image)

    # Clicks.

    def click_picture(self, x_px: float, y_px: float) -> None:
        """Something in the picture is meant; its place is clicked on the map next."""
        self.pending = (x_px, y_px)
        if self.tool is not None:
            self._canvas.setMapTool(self.tool)
        self._changed()

    def click_map(self, place: QgsPointXY) -> None:
        """Where that is, in the map's coordinates."""
        system = self._canvas.mapSettings().destinationCrs()
        point = transformed(place, QgsCoordinateTransform(system, QgsCoordinateReferenceSystem(WGS84), QgsProject.instance()))
        if self.pending is None or point is None:
            self.message_label.setText(tr("Click something in the picture first, then its place on the map."))
            return
        self.pairs.append((*self.pending, point.y(), point.x()))
        self.pending = None
        if self.tool is not None:
            self._canvas.unsetMapTool(self.tool)
        self._changed()

    def _remove(self) -> None:
        rows = sorted({index.row() for index in self.table.selectedIndexes()}, reverse=True) or (
            [len(self.pairs) - 1] if self.pairs else []
        )
        for row in rows:
            del self.pairs[row]
        self._changed()

    def _changed(self, residuals_px: Optional[list[float]] = None) -> None:
        """Show the pairs, in the picture, in the list and on the map."""
        self.picture.show_points([pair[:2] for pair in self.pairs] + ([self.pending] if self.pending else []))
        self.table.setRowCount(len(self.pairs))
        for row, (x_px, y_px, lat_deg, lon_deg) in enumerate(self.pairs):
            off = "" if residuals_px is None else f"{abs(residuals_px[row]):.1f}"
            for column, text in enumerate((f"{x_px:.0f}, {y_px:.0f}", f"{lat_deg:.6f}", f"{lon_deg:.6f}", off)):
                self.table.setItem(row, column, QTableWidgetItem(text))
        self.table.resizeColumnsToContents()
        enough = len(self.pairs) >= _FEWEST and bool(self._moment[0])
        self.solve_button.setEnabled(enough)
        self.pin_button.setEnabled(enough)
        if residuals_px is None:
            self._clear_map()
            self._mark_pairs()
            self.message_label.setText(
                tr("Now click its place on the map.") if self.pending
                else tr("Click something in the picture that you can find on the map: {count} of at least three.").format(count=len(self.pairs))
            )  # fmt: skip

    # The camera.

    def solve(self, *, pin: bool) -> None:
        """Ask where the camera stood; with ``pin`` it becomes a pin."""
        video, time_s = self._moment
        asked = {
            "time_s": time_s, "video": video, "points": [list(pair) for pair in self.pairs], "width_px": float(self.picture.image.width()),
            "height_px": float(self.picture.image.height()), "fov_deg": self.fov_field.value() or None, "videos": self._videos, "pin": pin,
        }  # fmt: skip
        self.message_label.setText(tr("Reckoning…"))
        self._corrections.landmarks(asked, lambda answer: self._found(video, time_s, answer), self.message_label.setText)

    def _found(self, video: str, time_s: float, answer: dict[str, Any]) -> None:
        if (video, time_s) != self._moment:
            return
        places = answer["places"]
        self._changed(places[0]["residual_px"] if places else [0.0] * len(self.pairs))
        self._clear_map()
        self._mark_pairs()
        for place in places:
            self._draw(place)
        said = [
            tr("{lat:.6f}, {lon:.6f}, looking to {bearing:.0f}°; within {major:.0f} × {minor:.0f} m with 90 %.").format(
                lat=place["lat_deg"],
                lon=place["lon_deg"],
                bearing=place["bearing_deg"],
                major=place["semi_major_m"],
                minor=place["semi_minor_m"],
            )
            for place in places
        ]
        if places and answer["lens"] != "given":
            lens = {
                "landmarks": tr("by the landmarks of other frames and of this one"),
                "file": tr("by the video's file and the landmarks"),
            }.get(answer["lens"], tr("by the landmarks"))
            said.append(tr("Field of view {degrees:.0f}°, {how}.").format(degrees=places[0]["fov_deg"], how=lens))
        if answer["ambiguous"]:
            said.insert(0, tr("Several places fit these clicks: add a landmark."))
        if answer["suspect"] is not None:
            said.append(tr("Landmark {number} does not fit the others: look at it again.").format(number=answer["suspect"] + 1))
        self.message_label.setText("\n".join([*said, *answer["notes"]]))

    def _draw(self, place: dict[str, Any]) -> None:
        """The camera and its ellipse on the map."""
        measure = QgsDistanceArea()
        measure.setEllipsoid(ELLIPSOID)
        measure.setSourceCrs(QgsCoordinateReferenceSystem(WGS84), QgsProject.instance().transformContext())
        middle, corners = QgsPointXY(place["lon_deg"], place["lat_deg"]), []
        for step in range(_CORNERS):
            angle = 2 * math.pi * step / _CORNERS
            along, across = place["semi_major_m"] * math.cos(angle), place["semi_minor_m"] * math.sin(angle)
            bearing = math.radians(place["azimuth_deg"]) + math.atan2(across, along)
            corners.append(measure.computeSpheroidProject(middle, math.hypot(along, across), bearing))
        if self._band is None:
            self._band = QgsRubberBand(self._canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
            self._band.setStrokeColor(QColor(_COLOUR))
            self._band.setFillColor(QColor(208, 28, 139, 50))
            self._band.setWidth(2)
        self._band.addGeometry(QgsGeometry.fromPolygonXY([corners]), QgsCoordinateReferenceSystem(WGS84))
        self._mark(middle, QgsVertexMarker.IconType.ICON_CROSS)

    def _mark_pairs(self) -> None:
        for _, _, lat_deg, lon_deg in self.pairs:
            self._mark(QgsPointXY(lon_deg, lat_deg), QgsVertexMarker.IconType.ICON_CIRCLE)

    def _mark(self, point: QgsPointXY, icon: Any) -> None:
        system = self._canvas.mapSettings().destinationCrs()
        place = transformed(point, QgsCoordinateTransform(QgsCoordinateReferenceSystem(WGS84), system, QgsProject.instance()))
        if place is None:
            return
        mark = QgsVertexMarker(self._canvas)
        mark.setIconType(icon)
        mark.setColor(QColor(_COLOUR))
        mark.setPenWidth(3)
        mark.setCenter(place)
        self._marks.append(mark)

    def _clear_map(self) -> None:
        for item in [*self._marks, *([self._band] if self._band is not None else [])]:
            self._canvas.scene().removeItem(item)
        self._marks, self._band = [], None
