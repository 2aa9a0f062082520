"""The moving part of the dock "Check frames": the video beside the map, each following the other."""

from __future__ import annotations

import time
from typing import Any, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsDateTimeRange,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsWkbTypes,
)
from qgis.gui import QgsRubberBand
from qgis.PyQt.QtCore import QDateTime, QObject, Qt, QTimer
from qgis.PyQt.QtGui import QColor, QImage

from ..frames import FrameRow
from ..moments import Line
from ..translation import tr
from .map_marks import REACH_PX, PickTool, map_transform, transformed
from .pictures import PictureRequest
from .player import Player

HOVER_EVERY_MS = 30
_MARK = QColor(208, 28, 139)


class FramePlaying(QObject):
    """Plays the dock's video. It holds an engine, a map tool and a mark only between ``wake()`` and ``rest()``.

    Args:
        dock: a FrameDock.
        canvas: the map.
    """

    def __init__(self, dock: Any, canvas: Any) -> None:
        super().__init__(dock)
        self._dock, self._canvas = dock, canvas
        self._view, self._bar = dock.view, dock.view.bar
        self.player: Optional[Player] = None
        self.tool: Optional[PickTool] = None
        self.circle: Optional[QgsRubberBand] = None
        self.line = Line([])
        self.time_s = 0.0
        self._points: dict[str, list[Optional[QgsPointXY]]] = {}
        self._hovered: Optional[QgsPointXY] = None
        self._hover_timer = QTimer(self)
        self._hover_timer.setSingleShot(True)
        self._hover_timer.setInterval(HOVER_EVERY_MS)
        self._hover_timer.timeout.connect(self._hover)
        self._own_range: Optional[QgsDateTimeRange] = None
        self._links: list[tuple[Any, Any]] = []
        bar = self._bar
        bar.play_button.clicked.connect(self.toggle)
        bar.scrubbed.connect(self.go_to)
        bar.visited.connect(self.go_to)
        bar.seen_button.toggled.connect(self._pick_place)
        bar.temporal_box.toggled.connect(lambda on: self._tell_map_time() if on else None)
        keys = {"J": lambda: self._faster(-1), "K": self.pause, "L": lambda: self._faster(1), "Space": self.toggle}
        keys.update({"Left": lambda: self._step(-1), "Right": lambda: self._step(1)})
        bar.add_keys(dock.view, keys)

    # Opened and closed.

    def wake(self) -> None:
        """The dock is opened."""
        player = self.player = Player(self)
        player.opened.connect(self._opened)
        player.shown.connect(self._shown)
        player.failed.connect(self._failed)
        player.damaged.connect(self._damaged)
        player.playing_changed.connect(self._bar.show_speed)
        self.tool = PickTool(self._canvas)
        self.tool.clicked.connect(self._place_clicked)
        for signal, slot in (
            (self._view.picture_label.painted, player.painted),
            (self._canvas.xyCoordinates, self._hovers),
            (self._canvas.mapToolSet, self._tool_changed),
            (self._canvas.temporalRangeChanged, self._map_time_changed),
            (self._canvas.destinationCrsChanged, self._crs_changed),
        ):
            signal.connect(slot)
            self._links.append((signal, slot))

    def rest(self) -> None:
        """The dock is closed: nothing of it stays on the map or runs."""
        for signal, slot in self._links:
            signal.disconnect(slot)
        self._links.clear()
        self._hover_timer.stop()
        self._bar.seen_button.setChecked(False)
        self._clear_visits()
        if self.tool is not None:
            self._canvas.unsetMapTool(self.tool)
            self.tool.deleteLater()
        if self.player is not None:
            self.player.close()
            self.player.deleteLater()
        self.player = self.tool = None
        self._bar.show_speed(0.0)

    def forget(self) -> None:
        """Another video, or none, is looked at."""
        self.line, self._points = Line([]), {}
        self._clear_visits()
        self._bar.setVisible(False)
        if self.player is not None:
            self.player.forget()

    def set_rows(self, rows: list[FrameRow]) -> None:
        """The frames of the video that is looked at now."""
        self.line, self._points = Line(rows), {}
        self._bar.setVisible(True)
        self._bar.set_duration(rows[-1].time_s if rows else 0.0)

    # The video.

    @property
    def rate(self) -> float:
        """How fast it plays; 0 for a pause."""
        return 0.0 if self.player is None else self.player.rate

    def show(self, request: PictureRequest) -> None:
        """Show the picture at the request's time."""
        if self.player is not None:
            self.player.open(request)
            self.time_s = request.time_s
            self._fit(self.player)
            self.player.seek(request.time_s)
            self._tell_time()

    def go_to(self, time_s: float) -> None:
        """Go to any moment of the video: the marker at once, the picture as soon as it is there."""
        if self.player is not None and self._dock.row >= 0:
            self._moved(time_s)
            self._view.wait()
            self._fit(self.player)
            self.player.seek(time_s)

    def _fit(self, player: Player) -> None:
        label = self._view.picture_label
        player.fit(max(label.width(), label.height()) * label.devicePixelRatioF())

    def toggle(self) -> None:
        """Play, or pause."""
        if self._may_play() and self.player is not None:
            self.player.toggle()

    def pause(self) -> None:
        """Stand still."""
        if self.player is not None:
            self.player.pause()

    def _faster(self, direction: int) -> None:
        if self._may_play() and self.player is not None:
            self.player.faster(direction)

    def _step(self, count: int) -> None:
        if not self._may_play():
            self._dock.show_row(self._dock.row + count)
        elif self.player is not None:
            self.player.step(count)

    def _may_play(self) -> bool:
        return self._dock.row >= 0 and self._bar.play_button.isEnabled()

    def set_playable(self, playable: bool) -> None:
        """Whether the frames are a video's, and not a folder's images."""
        for widget in (self._bar.play_button, self._bar.time_slider):
            widget.setEnabled(playable)

    def _opened(self, duration_s: float) -> None:
        self._bar.set_duration(duration_s)
        self._bar.show_time(self.time_s)

    def _shown(self, image: QImage, time_s: float) -> None:
        self._view.picture_label.show_image(image, time_s)
        self._view.tell("", locatable=False)
        self._follow()

    def _follow(self) -> None:
        """Where a picture came by itself, the dock goes along."""
        if self.player is not None and abs(self.player.time_s - self.time_s) > 1e-6:
            self._moved(self.player.time_s)

    def _failed(self, sentence: str, locatable: bool) -> None:
        self._view.show_picture("")
        self._view.tell(sentence, locatable=locatable)

    def _damaged(self, _time_s: float) -> None:
        self._view.show_picture("")
        self._view.tell(tr("The video is damaged here: this frame has no picture."), locatable=False)
        self._follow()

    def _moved(self, time_s: float) -> None:
        """The moment that is looked at is another one: marker, facts, slider and map's time follow."""
        self.time_s = time_s
        self._dock.stand_at(self.line.row_at(time_s), self.line.place_at(time_s))
        self._tell_time()

    def _tell_time(self) -> None:
        self._bar.show_time(self.time_s)
        self._tell_map_time()
        self._dock.moment_changed.emit(str(self._view.video_box.currentData() or ""), self.time_s)

    # The map leads.

    def _places(self, crs: QgsCoordinateReferenceSystem) -> list[Optional[QgsPointXY]]:
        """The frames' places in a coordinate system."""
        layer, key = self._dock.layer, crs.toWkt()
        if layer is None:
            return []
        if key not in self._points:
            self._points = {} if len(self._points) > 3 else self._points
            transform = QgsCoordinateTransform(layer.crs(), crs, QgsProject.instance())
            self._points[key] = [None if row.point is None else transformed(row.point, transform) for row in self._dock.rows]
        return self._points[key]

    def _crs_changed(self) -> None:
        self._points = {}

    def _hovers(self, place: QgsPointXY) -> None:
        """The mouse moved on the map: only its latest place counts, thirty times a second."""
        if not self._bar.hover_button.isChecked() or self._dock.row < 0:
            return
        self._hovered = QgsPointXY(place)
        if not self._hover_timer.isActive():
            self._hover_timer.start(0 if time.monotonic() - getattr(self, "_hovered_s", 0.0) > HOVER_EVERY_MS / 1000 else HOVER_EVERY_MS)

    def _hover(self) -> None:
        self._hovered_s = time.monotonic()
        place, self._hovered = self._hovered, None
        if place is None:
            return
        crs = self._canvas.mapSettings().destinationCrs()
        when = self.line.nearest(place, REACH_PX * self._canvas.mapUnitsPerPixel(), self._places(crs))
        if when is not None and abs(when - self.time_s) > 1e-3:
            self.go_to(when)

    def _pick_place(self, on: bool) -> None:
        if self.tool is None:
            return
        if on:
            self._canvas.setMapTool(self.tool)
            return
        self._clear_visits()
        if self._canvas.mapTool() is self.tool:
            self._canvas.unsetMapTool(self.tool)

    def _tool_changed(self, new: Any, *_: Any) -> None:
        if new is not self.tool:
            self._bar.seen_button.setChecked(False)

    def _place_clicked(self, place: QgsPointXY, _reach: float) -> None:
        """List every time the camera was within the radius, measured on the ground about the place."""
        geographic = QgsCoordinateReferenceSystem("EPSG:4326")
        there = transformed(place, QgsCoordinateTransform(self._canvas.mapSettings().destinationCrs(), geographic, QgsProject.instance()))
        if there is None:
            return
        about = QgsCoordinateReferenceSystem.fromProj(f"+proj=aeqd +lat_0={there.y():.9f} +lon_0={there.x():.9f} +datum=WGS84 +units=m")
        radius_m = self._bar.radius_box.value()
        self._bar.show_visits(self.line.visits(QgsPointXY(0.0, 0.0), radius_m, self._places(about)))
        self._points.pop(about.toWkt(), None)
        ring = QgsGeometry.fromPointXY(QgsPointXY(0.0, 0.0)).buffer(radius_m, 24)
        ring.transform(map_transform(self._canvas, about))
        if self.circle is None:
            self.circle = QgsRubberBand(self._canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
            self.circle.setStrokeColor(_MARK)
            self.circle.setFillColor(QColor(208, 28, 139, 40))
            self.circle.setWidth(2)
        self.circle.setToGeometry(ring, None)

    def _clear_visits(self) -> None:
        self._bar.show_visits(None)
        if self.circle is not None:
            self._canvas.scene().removeItem(self.circle)
            self.circle = None

    # The map's time.

    def _start(self) -> Optional[QDateTime]:
        """The moment of the video's start, where the result knows it."""
        known = next((row for row in self._dock.rows if row.time), None)
        if known is None:
            return None
        moment = QDateTime.fromString(known.time, Qt.DateFormat.ISODateWithMs)
        return moment.addMSecs(-round(known.time_s * 1000)) if moment.isValid() else None

    def _tell_map_time(self) -> None:
        start = self._start() if self._bar.temporal_box.isChecked() else None
        if start is None:
            return
        begin = start.addSecs(int(self.time_s + 1e-3))
        wanted = QgsDateTimeRange(begin, begin.addSecs(1), True, False)
        if self._own_range != wanted or self._canvas.temporalRange() != wanted:
            self._own_range = wanted
            self._canvas.setTemporalRange(wanted)

    def _map_time_changed(self) -> None:
        start = self._start() if self._bar.temporal_box.isChecked() else None
        shown = self._canvas.temporalRange()
        if start is None or shown == self._own_range or not shown.begin().isValid():
            return
        self._own_range = shown
        when = start.msecsTo(shown.begin()) / 1000.0
        last_s = self._dock.rows[-1].time_s if self._dock.rows else 0.0
        if -1e-3 <= when <= max(last_s, 0.0 if self.player is None else self.player.duration_s):
            self.go_to(max(0.0, when))
