"""The dock "Check frames": each frame's picture beside its place on the map, stepped through from either side."""

from __future__ import annotations

import math
import os
from functools import partial
from typing import Any, Optional

from qgis.core import QgsPointXY, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QDockWidget, QFileDialog

from .. import video_places
from ..frames import FrameRow, VideoFile, is_frames_layer, newer_schema, pinned_result, read_frames, result_of, video_files
from ..matches import best_matches, match_text, read_match
from ..translation import tr
from ..wording import begun, in_words, state_text
from .frame_playing import FramePlaying
from .frame_view import FrameView
from .map_marks import Marker, PickTool, map_transform, transformed
from .pictures import PictureRequest, Pictures
from .pin_maker import PinMaker

TITLE = "Check frames"
NO_LAYER = "Add the layer frames of a result to the map: 'Geolocate video' loads it, and it lies in the GeoPackage."


class FrameDock(QDockWidget):
    """Works with any layer of frames in the project. While it is closed it holds no marker, tool, picture or process.

    ``moment_changed`` carries the video's name and the time that is looked at, seconds after its start.

    Args:
        iface: QGIS's interface.
    """

    moment_changed = pyqtSignal(str, float)

    def __init__(self, iface: Any) -> None:
        super().__init__(TITLE, iface.mainWindow())
        self.setObjectName("VidTAGCheckFrames")
        self._canvas = iface.mapCanvas()
        self.view = FrameView(self)
        self.setWidget(self.view)
        self.marker: Optional[Marker] = None
        self.pictures: Optional[Pictures] = None
        self.tool: Optional[PickTool] = None
        self.pins: Optional[PinMaker] = None
        self.rows: list[FrameRow] = []
        self.row = -1
        self._frames: dict[str, dict[str, list[FrameRow]]] = {}
        self._files: dict[str, dict[str, VideoFile]] = {}
        self._matches: dict[str, tuple[str, dict[tuple[str, int], int]]] = {}
        self._told: dict[tuple[str, str], str] = {}
        self._request: Optional[PictureRequest] = None
        self._links: list[tuple[Any, Any]] = []
        self._layer_links: dict[str, list[tuple[Any, Any]]] = {}
        self.playing = FramePlaying(self, self._canvas)
        self.view.layer_box.currentIndexChanged.connect(self._layer_chosen)
        self.view.video_box.currentIndexChanged.connect(self._video_chosen)
        self.view.stepped.connect(self.show_row)
        self.view.pick_button.toggled.connect(self._pick)
        self.view.here_button.toggled.connect(self._pin)
        self.view.not_here_button.toggled.connect(self._pin)
        self.view.locate_button.clicked.connect(self._ask_where)

    # Opened and closed.

    def showEvent(self, event: Any) -> None:
        """Qt's name: it is opened."""
        super().showEvent(event)
        self.wake()

    def closeEvent(self, event: Any) -> None:
        """Qt's name: it is closed."""
        self.rest()
        super().closeEvent(event)

    def wake(self) -> None:
        """Put the marker on the map and listen to the project; done when it is opened."""
        if self.pictures is not None:
            return
        self.pictures = Pictures(self)
        self.pictures.shown.connect(self._shown)
        self.pictures.failed.connect(self._failed)
        self.playing.wake()
        self.marker = Marker(self._canvas)
        self.tool = PickTool(self._canvas)
        self.tool.clicked.connect(self._clicked)
        self.pins = PinMaker(self._canvas, self)
        self.pins.tool.clicked.connect(self._pin_clicked)
        self.pins.said.connect(lambda sentence: self.view.tell(sentence, locatable=False))
        project = QgsProject.instance()
        for signal, slot in (
            (project.layersAdded, self._layers_changed),
            (project.layersRemoved, self._layers_changed),
            (self._canvas.destinationCrsChanged, self._place_marker),
            (self._canvas.mapToolSet, self._tool_changed),
        ):
            signal.connect(slot)
            self._links.append((signal, slot))
        self._layers_changed()

    def rest(self) -> None:
        """Take everything off the map and stop the engine; done when it is closed, and when the plugin is unloaded."""
        if self.pictures is None or self.marker is None or self.tool is None:
            return
        for signal, slot in self._links:
            signal.disconnect(slot)
        self._links.clear()
        for layer_id in list(self._layer_links):
            self._unlink(layer_id)
        self._canvas.unsetMapTool(self.tool)
        if self.pins is not None:
            self._canvas.unsetMapTool(self.pins.tool)
            self.pins.tool.deleteLater()
            self.pins.deleteLater()
        for button in (self.view.pick_button, self.view.here_button, self.view.not_here_button):
            button.setChecked(False)
        self.playing.rest()
        self.marker.remove()
        self.pictures.close()
        self.tool.deleteLater()
        self.pictures.deleteLater()
        self.marker, self.tool, self.pictures, self.pins = None, None, None, None
        self._forget()

    # Layers and videos.

    @property
    def layer(self) -> Optional[QgsVectorLayer]:
        """The result that is looked at."""
        layer = QgsProject.instance().mapLayer(self.view.layer_box.currentData() or "")
        return layer if isinstance(layer, QgsVectorLayer) else None

    def _layers_changed(self, *_: Any) -> None:
        """List the project's layers of frames; the chosen one stays chosen while it is there."""
        layers = {layer.id(): layer for layer in QgsProject.instance().mapLayers().values() if is_frames_layer(layer)}
        for layer_id in set(self._layer_links) - set(layers):
            self._unlink(layer_id)
        for layer_id, layer in layers.items():
            if layer_id not in self._layer_links:
                self._link(layer)
        box = self.view.layer_box
        before = box.currentData()
        box.blockSignals(True)
        box.clear()
        for layer in sorted(layers.values(), key=lambda one: one.name()):
            box.addItem(layer.name(), layer.id())
        box.setCurrentIndex(max(0, box.findData(before)) if layers else -1)
        box.blockSignals(False)
        if box.currentData() != before or self.row < 0:
            self._layer_chosen()

    def _link(self, layer: QgsVectorLayer) -> None:
        links = [(layer.selectionChanged, partial(self._selected, layer.id()))]
        links += [(signal, partial(self._reread, layer.id())) for signal in (layer.subsetStringChanged, layer.dataChanged)]
        for signal, slot in links:
            signal.connect(slot)
        self._layer_links[layer.id()] = links

    def _unlink(self, layer_id: str) -> None:
        for signal, slot in self._layer_links.pop(layer_id):
            if QgsProject.instance().mapLayer(layer_id) is not None:  # else its connections went with it
                signal.disconnect(slot)
        for known in (self._frames, self._files, self._matches):
            known.pop(layer_id, None)

    def _forget(self) -> None:
        """Show nothing: another result never stands beside this one's marker or picture."""
        self.rows, self.row, self._request = [], -1, None
        self.view.show_picture("")
        self.view.facts_label.setText("")
        self.view.show_match(b"", "")
        self.view.set_rows(0)
        self.playing.forget()
        if self.marker is not None:
            self.marker.hide()
        if self.pictures is not None:
            self.pictures.forget()

    def _reread(self, layer_id: str, *_: Any) -> None:
        """A layer's frames have changed."""
        self._frames.pop(layer_id, None)
        if layer_id != self.view.layer_box.currentData():
            return
        name, row = self.view.video_box.currentData(), self.row
        self._layer_chosen()
        layer = self.layer
        if layer is not None and row < len(self._frames_of(layer).get(name, [])):
            self._go_to(layer, name, row)  # where it stood

    def _frames_of(self, layer: QgsVectorLayer) -> dict[str, list[FrameRow]]:
        if layer.id() not in self._frames:
            self._frames[layer.id()] = {} if newer_schema(result_of(layer)) else read_frames(layer)
            self._files[layer.id()] = video_files(layer)
            result = pinned_result(layer)
            self._matches[layer.id()] = (result, best_matches(result))
        return self._frames[layer.id()]

    def _layer_chosen(self, *_: Any) -> None:
        self._forget()
        layer, box = self.layer, self.view.video_box
        box.blockSignals(True)
        box.clear()
        if layer is not None:
            for name in self._frames_of(layer):
                box.addItem(name, name)
        box.blockSignals(False)
        box.setVisible(box.count() > 1)
        nothing = tr(NO_LAYER) if layer is None else newer_schema(result_of(layer)) or tr("This layer has no frames.")
        self.view.tell("" if box.count() else nothing, locatable=False)
        if box.count():
            self._video_chosen()

    def _video_chosen(self, *_: Any) -> None:
        self._forget()
        layer = self.layer
        if layer is not None:
            self.rows = self._frames_of(layer).get(self.view.video_box.currentData(), [])
            self.view.set_rows(len(self.rows))
            self.playing.set_rows(self.rows)
            self.show_row(0)

    # One frame.

    def show_row(self, row: int) -> None:
        """Show a frame of the video, by its place in the order of time."""
        if self.pictures is None or not 0 <= row < len(self.rows):
            return
        self._stand(row)
        self._place_marker()
        self.view.wait()
        self._request = self._request_for(self.rows[row])
        images = self._request.video.kind == "images"
        self.playing.set_playable(not images)
        if images:
            near = [self.rows[place] for place in (row + 1, row - 1, row + 2) if 0 <= place < len(self.rows)]
            self.pictures.want(self._request, tuple(map(self._request_for, near)))
        else:
            self.playing.show(self._request)

    def stand_at(self, row: int, place: Optional[QgsPointXY]) -> None:
        """The video is at a moment between frames: show the frame's facts and the marker there, whose picture comes by itself.

        Args:
            row: the latest frame not after it.
            place: of the camera then, in the layer's coordinate system; None hides the marker.
        """
        if self.pictures is None or not 0 <= row < len(self.rows):
            return
        if row != self.row:
            self._stand(row)
        self._mark(place)

    def _stand(self, row: int) -> None:
        self.row = row
        self.view.set_row(row)
        frame = self.rows[row]
        video = self._files.get(self.view.layer_box.currentData(), {}).get(self.view.video_box.currentData())
        self.view.facts_label.setText(facts_of(frame, self.rows[-1].index, "" if video is None else in_words(video.why, {}, {})))
        self._show_match(frame)

    def _show_match(self, frame: FrameRow) -> None:
        """The reference image that the result keeps for this frame, where it keeps one."""
        result, known = self._matches.get(self.view.layer_box.currentData(), ("", {}))
        fid = known.get((self.view.video_box.currentData(), frame.index))
        match = None if fid is None else read_match(result, fid)
        self.view.show_match(b"" if match is None else match.thumbnail, "" if match is None else match_text(match))

    def _request_for(self, frame: FrameRow) -> PictureRequest:
        layer, name = self.layer, self.view.video_box.currentData()
        layer_id = "" if layer is None else layer.id()
        folders = [os.path.dirname(result_of(layer))] if layer is not None and result_of(layer) else []
        return PictureRequest(
            result=layer_id,
            video=self._files.get(layer_id, {}).get(name) or VideoFile(name),
            time_s=frame.time_s,
            folders=tuple(filter(None, [*folders, QgsProject.instance().homePath(), *video_places.remembered()])),
            told=self._told.get((layer_id, name), ""),
        )

    def video_places(self) -> list[str]:
        """Files, or folders of images, that the video which is shown may be; the first that are there."""
        if self._request is None:
            return []
        places = [self._request.told, *(os.path.join(folder, self._request.video.file) for folder in self._request.folders)]
        return [place for place in places if place and os.path.exists(place)]

    def _shown(self, request: PictureRequest, file: str) -> None:
        if request is not self._request:
            return  # of a frame that was stepped on from
        there = self.view.show_picture(file)
        self.view.tell("" if there else tr("The video is damaged here: this frame has no picture."), locatable=False)

    def _failed(self, request: PictureRequest, sentence: str, locatable: bool) -> None:
        if request is self._request:
            self.view.show_picture("")
            self.view.tell(sentence, locatable=locatable)

    def _place_marker(self, *_: Any) -> None:
        if self.row >= 0:
            self._mark(self.rows[self.row].point)

    def _mark(self, point: Optional[QgsPointXY]) -> None:
        layer = self.layer
        if self.marker is None or layer is None:
            return
        self.marker.show_at(point, layer.crs(), pan=self.view.pan_box.isChecked())

    # From the map.

    def _pick(self, on: bool) -> None:
        if self.tool is None:
            return
        if on:
            self._canvas.setMapTool(self.tool)
        elif self._canvas.mapTool() is self.tool:
            self._canvas.unsetMapTool(self.tool)

    def _tool_changed(self, new: Any, *_: Any) -> None:
        self.view.pick_button.setChecked(new is self.tool)
        if self.pins is not None and new is not self.pins.tool:
            self.view.here_button.setChecked(False)
            self.view.not_here_button.setChecked(False)

    def _pin(self, on: bool) -> None:
        """One of the two buttons was pressed or let go: of both at most one is down, and then the map's tool sets pins."""
        here, not_here = self.view.here_button, self.view.not_here_button
        if self.pins is None:
            return
        if on:
            (not_here if self.sender() is here else here).setChecked(False)
            self._canvas.setMapTool(self.pins.tool)
        elif not (here.isChecked() or not_here.isChecked()) and self._canvas.mapTool() is self.pins.tool:
            self._canvas.unsetMapTool(self.pins.tool)

    def _pin_clicked(self, place: QgsPointXY, _reach: float) -> None:
        layer, name = self.layer, self.view.video_box.currentData()
        if self.pins is None or layer is None or self.row < 0:
            return
        here = self.view.here_button.isChecked()
        video = self._files.get(layer.id(), {}).get(name) or VideoFile(name)
        self.pins.set(pinned_result(layer), video, name, self.rows[self.row], place, here=here)
        self._canvas.unsetMapTool(self.pins.tool)
        for button in (self.view.here_button, self.view.not_here_button):
            button.setChecked(False)

    def _clicked(self, place: QgsPointXY, reach: float) -> None:
        """Show the nearest frame within reach, of this result before others that the map shows."""
        mine = self.layer
        others = [layer for layer in self._canvas.layers() if layer.id() in self._layer_links and layer is not mine]
        for layer in [*([mine] if mine is not None else []), *others]:
            found = self._nearest(layer, place, reach)
            if found is not None:
                self._go_to(layer, *found)
                return

    def _nearest(self, layer: QgsVectorLayer, place: QgsPointXY, reach: float) -> Optional[tuple[str, int]]:
        transform = map_transform(self._canvas, layer.crs())
        best, found = reach, None
        for name, rows in self._frames_of(layer).items():
            for number, frame in enumerate(rows):
                point = None if frame.point is None else transformed(frame.point, transform)
                distance = math.inf if point is None else point.distance(place)
                if distance < best:
                    best, found = distance, (name, number)
        return found

    def _selected(self, layer_id: str, selected: list[int], *_: Any) -> None:
        """Show what was selected on the layer, in whichever way."""
        layer = QgsProject.instance().mapLayer(layer_id)
        if self.pictures is None or not selected or not isinstance(layer, QgsVectorLayer):
            return
        for name, rows in self._frames_of(layer).items():
            for number, frame in enumerate(rows):
                if frame.feature_id == selected[0]:
                    self._go_to(layer, name, number)
                    return

    def _go_to(self, layer: QgsVectorLayer, name: str, number: int) -> None:
        for box, wanted in ((self.view.layer_box, layer.id()), (self.view.video_box, name)):
            if box.currentData() != wanted:
                box.setCurrentIndex(box.findData(wanted))
        self.show_row(number)

    # Where the video is.

    def _ask_where(self) -> None:
        request = self._request
        if request is None:
            return
        if request.video.kind == "images":
            path = QFileDialog.getExistingDirectory(self, tr("Where are the images {file}?", file=request.video.file))
        else:
            path, _ = QFileDialog.getOpenFileName(self, tr("Where is {file}?", file=request.video.file))
        if path:
            self.locate(path)

    def locate(self, path: str) -> None:
        """Take this file, or folder of images, as the video that is looked at. The engine checks that it is the one the result was made from."""
        layer = self.layer
        if layer is None or self.row < 0:
            return
        self._told[layer.id(), self.view.video_box.currentData()] = path
        video_places.remember([path])
        self.show_row(self.row)


def facts_of(frame: FrameRow, last: int, why: str = "") -> str:
    """What is known of a frame, in two lines, or three where its place has a name.

    Args:
        frame: its number is the layer's frame_index, as everywhere.
        last: number of the last one.
        why: its video is not located, or not rated.
    """
    minutes, seconds = divmod(frame.time_s, 60.0)
    reason = f": {why}" if why and frame.confidence is None and frame.state != "damaged" else ""
    state = state_text(frame.state)
    if frame.point is None:
        said = tr("{state}, no place on the map", state=begun(state)) + reason
    elif frame.confidence is None:
        said = f"{begun(state)} · {tr('not rated')}{reason}"
    else:
        said = f"{tr('Confidence {share:.0%}', share=frame.confidence)} · {state}"
    moment = f" · {frame.time[:-1].replace('T', ' ')} UTC" if frame.time else ""
    named = f"\n{frame.place}" if frame.place else ""
    number = tr("Frame {number} of 0 to {last}", number=frame.index, last=last)
    return f"{number} · {int(minutes)}:{seconds:06.3f}{moment}\n{said}{named}"


def add_dock(iface: Any) -> FrameDock:
    """Make the dock in QGIS's main window, closed."""
    dock = FrameDock(iface)
    iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    dock.close()
    return dock
