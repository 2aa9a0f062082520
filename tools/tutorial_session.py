"""What ``tools/tutorial_pictures.py`` has QGIS do: the tutorial's steps, each with a picture. QGIS runs it with ``--code``; it is no program of its own."""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsDateTimeRange,
    QgsFillSymbol,
    QgsInterval,
    QgsLineSymbol,
    QgsProject,
    QgsRasterLayer,
    QgsSingleSymbolRenderer,
    QgsTemporalNavigationObject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtWidgets import QApplication, QDialogButtonBox, QDockWidget, QFileDialog, QLineEdit, QPushButton, QToolButton
from qgis.utils import iface

PICTURES = Path(os.environ["VIDTAG_PICTURES"])
WORK = Path.cwd()
LONG_S = 1200.0
GEOLOCATE = {
    "AOI": "aoi", "CHECKPOINT": str(WORK / "checkpoint"), "RESOLUTION": 25, "OUTPUT": str(WORK / "drive.gpkg"),
}  # fmt: skip
HEATMAP = {
    "VIDEO": str(WORK / "drive.mp4"), "AOI": "aoi", "CHECKPOINT": str(WORK / "checkpoint"), "RESOLUTION": 25, "OUTPUT": str(WORK / "heat.tif"),
}  # fmt: skip
EVALUATE = {
    "RESULT": str(WORK / "drive.gpkg"), "TRUTH_FILE": str(WORK / "drive.gpx"), "ERRORS": str(WORK / "errors.gpkg"), "REPORT": str(WORK / "report.html"),
}  # fmt: skip


def wait(seconds: float = 0.0, until: Callable[[], bool] | None = None) -> None:
    """Let QGIS work for some seconds, or until something holds."""
    end = time.monotonic() + (LONG_S if until else seconds)
    while time.monotonic() < end and not (until and until()):
        QgsApplication.processEvents()
        time.sleep(0.02)
    if until and not until():
        raise TimeoutError("a step of the tutorial did not come to its end")


def settle() -> None:
    """Wait until the map is drawn."""
    wait(1.0)
    wait(until=lambda: not iface.mapCanvas().isDrawing())
    wait(0.5)


def picture(name: str, widget: Any = None) -> None:
    """Save what a window shows; by default the main one."""
    settle()
    (widget or iface.mainWindow()).grab().save(str(PICTURES / f"{name}.png"))
    print(f"{name}.png", file=sys.stderr, flush=True)


def dock(title: str, *, shown: bool = True) -> Any:
    """One of QGIS's panels by its title, shown or hidden."""
    for panel in iface.mainWindow().findChildren(QDockWidget):
        if panel.windowTitle().startswith(title):
            panel.setVisible(shown)
            return panel
    raise LookupError(f"QGIS has no panel {title!r}")


def start() -> None:
    """The window as a new user has it: layers on the left, the toolbox on the right, the area on the map."""
    window = iface.mainWindow()
    window.setGeometry(0, 0, 1360, 860)
    for panel in window.findChildren(QDockWidget):
        panel.setVisible(panel.windowTitle() in {"Layers", "Processing Toolbox"})
    layer = QgsVectorLayer(str(WORK / "aoi.geojson"), "aoi", "ogr")
    symbol = QgsFillSymbol.createSimple({"color": "240,240,235,255", "outline_color": "90,90,90,255", "outline_width": "0.4"})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    QgsProject.instance().addMapLayer(layer)
    QgsProject.instance().setCrs(layer.crs())
    toolbox = dock("Processing Toolbox")
    window.resizeDocks([dock("Layers"), toolbox], [330, 300], Qt.Orientation.Horizontal)
    wait(1)
    toolbox.findChild(QLineEdit).setText("vidtag")
    zoom(layer)


def zoom(layer: Any, factor: float = 1.1) -> None:
    """Show a layer whole, with some room about it."""
    extent = layer.extent()
    extent.scale(factor)
    iface.mapCanvas().setExtent(extent)
    iface.mapCanvas().refresh()


def add_file(dialog: Any, path: Path) -> None:
    """Choose a file for the dialog's field of several inputs, by its buttons: QGIS 3.22 does not take files that a script sets."""
    field = next(line for line in dialog.findChildren(QLineEdit) if line.text().startswith("0 inputs"))
    field.parent().findChild(QToolButton).click()
    wait(1)
    chosen: list[bool] = []

    def choose() -> None:
        window = QApplication.activeModalWidget()
        if not isinstance(window, QFileDialog):
            QTimer.singleShot(300, choose)
            return
        window.findChild(QLineEdit).setText(str(path))
        chosen.append(True)
        window.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Open).click()

    QTimer.singleShot(300, choose)
    next(button for button in dialog.findChildren(QPushButton) if button.text().replace("&", "").startswith("Add File")).click()
    wait(until=lambda: bool(chosen))
    # The dialog's own Run is an OK button, too.
    buttons = [box.button(QDialogButtonBox.StandardButton.Ok) for box in dialog.findChildren(QDialogButtonBox)]
    next(button for button in buttons if button and button is not dialog.runButton() and button.text().replace("&", "") == "OK").click()
    wait(1)


def run_dialog(name: str, values: dict[str, Any], filled: str = "", log: str = "", video: Path | None = None) -> None:
    """An algorithm by its dialog: filled in, Run pressed, closed; with pictures of both where they have a name."""
    import processing

    dialog = processing.createAlgorithmDialog(f"vidtag:{name}", values)
    dialog.resize(900, 700)
    dialog.show()
    wait(1)
    if video:
        add_file(dialog, video)
    if filled:
        picture(filled, dialog)
    done: list[bool] = []
    began = time.monotonic()
    dialog.algorithmFinished.connect(lambda *_: done.append(True))
    dialog.runButton().click()
    wait(until=lambda: bool(done))
    print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    wait(3)
    if log:
        picture(log, dialog)
    dialog.close()
    wait(1)


def result() -> None:
    """The layers of the result on the map, as they were loaded."""
    put_last(layers("aoi")[0])
    for node in QgsProject.instance().layerTreeRoot().findLayers():
        node.setExpanded(not node.name().startswith("Videos"))
    dock("Processing Toolbox", shown=False)
    zoom(layers("trajectory")[0], 3.0)


def put_first(layer: Any) -> None:
    """Draw a layer over all others."""
    _moved(layer, 0)


def put_last(layer: Any) -> None:
    """Draw a layer under all others."""
    _moved(layer, -1)


def _moved(layer: Any, place: int) -> None:
    root = QgsProject.instance().layerTreeRoot()
    node = root.findLayer(layer.id())
    root.insertChildNode(place, node.clone())
    node.parent().removeChildNode(node)


def show(*names: str) -> None:
    """Show the layers of these names alone, the first with its legend."""
    for node in QgsProject.instance().layerTreeRoot().findLayers():
        node.setItemVisibilityChecked(node.name().lower().startswith(names))
        node.setExpanded(node.name().lower().startswith(names[0]))


def layers(kind: str) -> list[Any]:
    """Layers of the project whose name starts so."""
    return [layer for layer in QgsProject.instance().mapLayers().values() if layer.name().lower().startswith(kind)]


def temporal() -> None:
    """The Temporal Controller amid the drive."""
    dock("Temporal Controller")
    show("frames", "trajectory", "aoi")
    zoom(layers("trajectory")[0])
    controller = iface.mapCanvas().temporalController()
    frames = layers("frames")[0]
    moments = sorted(feature["time"].toPyDateTime() for feature in frames.getFeatures())
    controller.setTemporalExtents(QgsDateTimeRange(moments[0], moments[-1] + timedelta(seconds=1)))
    controller.setFrameDuration(QgsInterval(5.0))
    controller.setNavigationMode(QgsTemporalNavigationObject.NavigationMode.Animated)
    wait(1)
    controller.setCurrentFrameNumber(4)
    wait(2)


def without_time() -> None:
    """The whole drive again."""
    iface.mapCanvas().temporalController().setNavigationMode(QgsTemporalNavigationObject.NavigationMode.NavigationOff)
    dock("Temporal Controller", shown=False)
    wait(1)


def kept(name: str) -> bool:
    """Whether an earlier session's result is to be shown again instead of being made."""
    return bool(os.environ.get("VIDTAG_KEEP")) and (WORK / name).is_file()


def geolocate() -> None:
    """The drive, located."""
    if kept("drive.gpkg"):
        from vidtag_qgis.layers import finish

        for kind in ("trajectory", "frames"):
            layer = QgsVectorLayer(f"{WORK / 'drive.gpkg'}|layername={kind}", kind.capitalize(), "ogr")
            QgsProject.instance().addMapLayer(layer)
            finish(layer, kind)
    else:
        run_dialog("geolocatevideo", GEOLOCATE, "geolocate", "log", WORK / "drive.mp4")


def heat_map() -> None:
    """The heat map, below the frames and the line."""
    if kept("heat.tif"):
        QgsProject.instance().addMapLayer(QgsRasterLayer(str(WORK / "heat.tif"), "Heat map"))
    else:
        run_dialog("similarityheatmap", HEATMAP)
    put_last(layers("heat")[0])
    put_last(layers("aoi")[0])
    show("heat", "frames", "aoi")
    zoom(layers("aoi")[0])


def errors() -> None:
    """A line from each answer to its truth."""
    if kept("errors.gpkg"):
        from vidtag_qgis.layers import finish

        made = QgsVectorLayer(str(WORK / "errors.gpkg"), "Errors", "ogr")
        QgsProject.instance().addMapLayer(made)
        finish(made, "errors")
    else:
        run_dialog("evaluatetrajectory", EVALUATE, log="evaluate")
    track = QgsVectorLayer(f"{WORK / 'drive.gpx'}|layername=tracks", "truth (drive.gpx)", "ogr")
    track.setRenderer(QgsSingleSymbolRenderer(QgsLineSymbol.createSimple({"color": "40,40,40,255", "width": "0.6"})))
    QgsProject.instance().addMapLayer(track)
    put_first(layers("frames")[0])
    show("error", "frames", "truth", "aoi")
    extent = track.extent()
    extent.combineExtentWith(layers("trajectory")[0].extent())
    extent.scale(1.2)
    iface.mapCanvas().setExtent(extent)


def session() -> None:
    """All steps."""
    start()
    picture("area")
    geolocate()
    result()
    picture("result")
    temporal()
    picture("temporal")
    without_time()
    heat_map()
    picture("heatmap")
    errors()
    picture("errors")


def run() -> None:
    """Run, and end QGIS whatever came of it."""
    status = 0
    try:
        session()
    except Exception:  # noqa: BLE001 - it is printed, and QGIS would otherwise stay open unseen
        traceback.print_exc()
        status = 1
    sys.stderr.flush()
    os._exit(status)


QTimer.singleShot(2000, run)
