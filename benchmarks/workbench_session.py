"""A QGIS with windows: *Check frames* is clicked, hovered, scrubbed and played, and each paint event is timed.

Run by the system's Python, which has PyQGIS: ``/usr/bin/python3 benchmarks/workbench_session.py ROOT PLAN.json``. One line of JSON.
"""

# ruff: noqa: E402
from __future__ import annotations

import importlib
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT, PLAN = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
sys.path[:0] = [str(ROOT), "/usr/share/qgis/python/plugins"]

from qgis.core import QgsApplication

APPLICATION = QgsApplication([], True)
APPLICATION.initQgis()

from qgis.core import QgsCoordinateReferenceSystem, QgsFeature, QgsGeometry, QgsPointXY, QgsProject, QgsRectangle, QgsVectorLayer
from qgis.gui import QgsMapMouseEvent
from qgis.PyQt.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from qgis.PyQt.QtGui import QMouseEvent
from qgis.PyQt.QtWidgets import QDockWidget

common: Any = importlib.import_module("tests.qgis.common")
frames: Any = importlib.import_module("vidtag_qgis.frames")
map_filter: Any = importlib.import_module("vidtag_qgis.map_filter")
video_places: Any = importlib.import_module("vidtag_qgis.video_places")

PAUSE_S, PLAYED_S, IN_TIME_S, AT_ONCE, FILTERED = 1.0, 20.0, 0.04, 20, 20_000
Painted = list[tuple[float, float]]


class Paints(QObject):
    """When a widget was painted last."""

    def __init__(self, widget: Any) -> None:
        super().__init__()
        self.last_s = 0.0
        widget.installEventFilter(self)

    def since(self, moment_s: float) -> bool:
        """Whether it was painted after a moment."""
        return self.last_s > moment_s

    def eventFilter(self, _: Any, event: Any) -> bool:
        """Qt's name: an event on its way."""
        if event.type() == QEvent.Type.Paint:
            self.last_s = time.perf_counter()
        return False


def frames_layer() -> Any:
    """One frame a second along a line that bends."""
    columns = "field=video:string&field=frame_index:int&field=time_s:double&field=state:string&field=confidence:double"
    layer = QgsVectorLayer(f"Point?crs=EPSG:3857&{columns}", "frames", "memory")
    rows = []
    for number in range(PLAN["seconds"]):
        feature = QgsFeature(layer.fields())
        feature.setAttributes(["clip.mp4", number, number + 0.5, "located", 0.8])
        feature.setGeometry(QgsGeometry.fromPointXY(place_at(number + 0.5)))
        rows.append(feature)
    layer.dataProvider().addFeatures(rows)
    layer.setCustomProperty(
        frames.VIDEOS_PROPERTY, json.dumps({"clip.mp4": {"file": "clip.mp4", "kind": "video", "sha256": "", "why": ""}})
    )
    QgsProject.instance().addMapLayer(layer)
    return layer


def place_at(time_s: float) -> QgsPointXY:
    """Where the camera is at a sampled moment."""
    return QgsPointXY(10.0 * time_s, 60.0 * math.sin(time_s / 9))


def between(time_s: float) -> QgsPointXY:
    """Where it is between two of them, on the straight line."""
    before = math.floor(time_s - 0.5) + 0.5
    one, other, share = place_at(before), place_at(before + 1.0), time_s - before
    return QgsPointXY(one.x() + share * (other.x() - one.x()), one.y() + share * (other.y() - one.y()))


def wait(done: Callable[[], Any], most_s: float = 30.0) -> None:
    """Let Qt work until it is done."""
    until_s = time.perf_counter() + most_s
    while not done():
        APPLICATION.processEvents()
        time.sleep(0.0005)
        if time.perf_counter() > until_s:
            raise TimeoutError("The viewer did not get there.")


def rest(seconds: float) -> None:
    """Let Qt work for a while."""
    until_s = time.perf_counter() + seconds
    wait(lambda: time.perf_counter() >= until_s, seconds + 5.0)


class Session:
    """The window, and what was painted in it."""

    def __init__(self) -> None:
        self.desktop = common.desktop_with_plugin()
        self.desktop.window.resize(1500, 900)
        video_places.remember([PLAN["clip"]])
        layer = frames_layer()
        canvas = self.canvas = self.desktop.canvas
        canvas.setLayers([layer])
        canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
        canvas.setExtent(QgsRectangle(-20.0, -150.0, 620.0, 150.0))
        self.painted: Painted = []
        self.open()

    def open(self) -> None:
        """Open the dock and wait for its first frame."""
        [action] = [action for action in self.desktop.tools if action.text() == "VidTAG workbench"]
        action.setChecked(True)
        self.dock = self.desktop.window.findChild(QDockWidget, "VidTAGWorkbench")
        self.desktop.window.resizeDocks([self.dock], [900], Qt.Orientation.Horizontal)
        self.dock.view.picture_label.painted.connect(lambda time_s: self.painted.append((time.perf_counter(), time_s)))
        wait(lambda: self.painted or self.dock.view.message_label.text())
        if not self.painted:
            raise RuntimeError(self.dock.view.message_label.text())

    def until_painted(self, act: Callable[[], None], target_s: float) -> float:
        """Milliseconds from an act to the paint of the frame that is on screen at a time."""
        self.painted.clear()
        began = time.perf_counter()
        act()
        wait(partial(self.has_painted, target_s))
        return 1000 * (self.painted[-1][0] - began)

    def has_painted(self, target_s: float) -> bool:
        """Whether the frame on screen at a time has been painted."""
        return any(time_s <= target_s + 1e-3 < time_s + 1.0 / PLAN["rate"] + 1e-6 for _, time_s in self.painted)

    def click(self, target_s: float) -> None:
        """A mouse button let go over a frame's point."""
        spot = self.canvas.getCoordinateTransform().transform(place_at(target_s)).toQPointF().toPoint()
        event = QgsMapMouseEvent(self.canvas, QEvent.Type.MouseButtonRelease, QPoint(spot), Qt.MouseButton.LeftButton)
        self.canvas.mapTool().canvasReleaseEvent(event)

    def hover(self, time_s: float) -> float:
        """The mouse moves over the line; returns the time that this place means."""
        spot = self.canvas.getCoordinateTransform().transform(between(time_s)).toQPointF()
        place = QPointF(round(spot.x()), round(spot.y()))
        event = QMouseEvent(QEvent.Type.MouseMove, place, Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)
        APPLICATION.sendEvent(self.canvas.viewport(), event)
        wait(lambda: abs(self.dock.playing.time_s - time_s) < 0.6, 2.0)
        return float(self.dock.playing.time_s)


def measure() -> dict[str, Any]:
    """Every row of the plan."""
    session, keys, rows = Session(), {}, PLAN["rows"]
    if "click" in rows:
        session.dock.view.pick_button.setChecked(True)
        keys.update(told("click_at_once", [session.until_painted(partial(session.click, t), t) for t in PLAN["targets"][:AT_ONCE]]))
        session.dock.close()
        session.painted.clear()
        session.open()
        session.dock.view.pick_button.setChecked(True)
        taken = []
        for target_s in PLAN["targets"]:
            rest(PAUSE_S)
            taken.append(session.until_painted(partial(session.click, target_s), target_s))
        keys.update(told("click", taken))
        session.dock.view.pick_button.setChecked(False)
    if "hover" in rows:
        keys.update(told("hover", hovered(session)))
    if "scrub" in rows:
        keys.update(scrubbed(session))
    if "play" in rows:
        keys.update(played(session))
    if "filter" in rows:
        keys.update(filtered(session))
    session.desktop.plugin.unload()
    return keys


def told(name: str, taken: list[float]) -> dict[str, Any]:
    """Median and worst."""
    return {f"{name}_ms": statistics.median(taken), f"{name}_worst_ms": max(taken)}


def hovered(session: Session) -> list[float]:
    """From the mouse's movement to the frame of the place below it."""
    session.dock.view.bar.hover_button.setChecked(True)
    taken = []
    for target_s in PLAN["targets"]:
        rest(PAUSE_S / 4)
        session.painted.clear()
        began = time.perf_counter()
        meant_s = session.hover(target_s + 0.27)
        wait(partial(session.has_painted, meant_s))
        taken.append(1000 * (session.painted[-1][0] - began))
    session.dock.view.bar.hover_button.setChecked(False)
    return taken


def scrubbed(session: Session) -> dict[str, Any]:
    """From the slider's movement to the paint of the map with its marker at the new place."""
    paints, taken, off, pictures = Paints(session.canvas.viewport()), [], 0, []
    for target_s in PLAN["targets"]:
        rest(PAUSE_S / 8)
        session.painted.clear()
        began = time.perf_counter()
        session.dock.view.bar.time_slider.setValue(round((target_s + 0.4) * 1000))
        wait(partial(paints.since, began), 2.0)
        taken.append(1000 * (paints.last_s - began))
        marker = session.dock.marker.place
        off += marker is None or (target_s < PLAN["seconds"] - 1 and marker.distance(between(target_s + 0.4)) > 0.5)
        wait(lambda: session.painted)
        pictures.append(1000 * (session.painted[-1][0] - began))
    return {**told("scrub", taken), "scrub_off": off, "scrub_picture_ms": statistics.median(pictures)}


def played(session: Session) -> dict[str, Any]:
    """Frames that were not painted within 40 ms of their time, counted from the first one, and markers that were elsewhere."""
    session.dock.playing.go_to(20.0)
    rest(2.0)
    session.painted.clear()
    off, seen = 0, 0

    def look(time_s: float) -> None:
        nonlocal off, seen
        seen += 1
        marker = session.dock.marker.place
        off += marker is None or marker.distance(between(time_s)) > 0.5

    session.dock.view.picture_label.painted.connect(look)
    session.dock.view.bar.play_button.click()
    wait(lambda: session.painted)
    rest(PLAYED_S)
    session.dock.playing.pause()
    zero_s, first_s = session.painted[0]
    when = {round(time_s * PLAN["rate"]): at - zero_s - (time_s - first_s) for at, time_s in session.painted}
    due = [round(first_s * PLAN["rate"]) + number for number in range(int((PLAYED_S - 0.2) * PLAN["rate"]))]
    late = sum(abs(when.get(number, math.inf)) > IN_TIME_S for number in due)
    image = session.dock.view.picture_label.image
    return {
        "play_late_share": late / len(due),
        "play_frames": len(due),
        "marker_off_share": off / max(1, seen),
        "play_width_px": image.width(),
    }


def filtered(session: Session) -> dict[str, Any]:
    """A slider that filters 20,000 frames by a rule: how long the window is held at each step, and until the map is painted anew."""
    layer = QgsVectorLayer(
        "Point?crs=EPSG:3857&field=state:string&field=confidence:double&field=time_s:double&field=course_deg:double", "many", "memory"
    )
    rows = []
    for number in range(FILTERED):
        feature = QgsFeature(layer.fields())
        feature.setAttributes(["located", (number * 7919 % 1000) / 1000, float(number), None])
        feature.setGeometry(
            QgsGeometry.fromPointXY(QgsPointXY(600.0 * (number * 104729 % FILTERED) / FILTERED, 120.0 * number / FILTERED - 60.0))
        )
        rows.append(feature)
    layer.dataProvider().addFeatures(rows)
    layer.loadNamedStyle(str(ROOT / "resources" / "styles" / "frames.qml"))
    QgsProject.instance().addMapLayer(layer)
    session.canvas.setLayers([layer])
    session.canvas.refresh()
    rest(2.0)
    held: list[float] = []
    drawn: list[float] = []
    done: list[float] = []
    session.canvas.mapCanvasRefreshed.connect(lambda: done.append(time.perf_counter()))
    for step in range(1, 51):
        rest(PAUSE_S / 8)
        done.clear()
        began = time.perf_counter()
        map_filter.show_only([layer], map_filter.MapFilter(step / 51, not_rated=False))
        held.append(1000 * (time.perf_counter() - began))
        wait(lambda: done)
        drawn.append(1000 * (done[-1] - began))
    return {**told("filter", held), "filter_map_ms": statistics.median(drawn), "filter_frames": FILTERED}


print(json.dumps(measure()), flush=True)
os._exit(0)  # QGIS without its own main loop does not always end by itself
