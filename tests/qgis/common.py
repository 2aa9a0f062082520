"""What the tests of several algorithms share."""

from __future__ import annotations

import http.server
import importlib.util
import os
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)

ROOT = Path(__file__).resolve().parent.parent.parent
SQUARE = "POLYGON((159.930 -19.222, 159.934 -19.222, 159.934 -19.218, 159.930 -19.218, 159.930 -19.222))"
START = "2024-05-01T10:00:00"


def a_second_s() -> float:
    """How long a cancel may take: a second and what the test itself needs; longer where others keep the machine busy."""
    return 1.5 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def load_tool():
    """tools/qgis_run.py, which is no package."""
    specification = importlib.util.spec_from_file_location("qgis_run", ROOT / "tools" / "qgis_run.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


qgis_run = load_tool()


def polygons(*wkts: str, crs: str = "EPSG:4326", kind: str = "Polygon") -> QgsVectorLayer:
    """A layer of the project."""
    layer = QgsVectorLayer(f"{kind}?crs={crs}", "area", "memory")
    features = []
    for wkt in wkts:
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    QgsProject.instance().addMapLayer(layer)
    return layer


class Told(QgsProcessingFeedback):
    """Feedback that remembers, and may cancel when it hears a word."""

    def __init__(self, cancel_at: str = "") -> None:
        super().__init__()
        self.said: list[str] = []
        self.fractions: list[float] = []
        self.cancel_at = cancel_at
        self.cancelled_s = 0.0
        self.progressChanged.connect(self.fractions.append)

    def hear(self, text: str) -> None:
        self.said.append(text)
        if self.cancel_at and self.cancel_at in text and not self.cancelled_s:
            self.cancelled_s = time.monotonic()
            self.cancel()

    def pushInfo(self, text: str) -> None:
        self.hear(text)

    def pushWarning(self, text: str) -> None:
        self.hear(text)

    def reportError(self, text: str, fatal: bool = False) -> None:
        self.hear(text)

    def setProgressText(self, text: str) -> None:
        self.hear(text)


def algorithm_of(name: str):
    """A fresh algorithm of the provider."""
    return QgsApplication.processingRegistry().createAlgorithmById(f"vidtag:{name}")


def context_of() -> QgsProcessingContext:
    """A context that knows the project's layers."""
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    return context


def run(algorithm, parameters: dict, feedback=None, context=None) -> dict:
    """Check and run as Processing does."""
    context = context or context_of()
    feedback = feedback or Told()
    usable, text = algorithm.checkParameterValues(parameters, context)
    assert usable, text
    results, done = algorithm.run(parameters, context, feedback, {}, False)  # errors are raised, not swallowed
    assert done
    return results


def problem_of(name: str, parameters: dict) -> str:
    """What an algorithm says of its parameters."""
    usable, text = algorithm_of(name).checkParameterValues(parameters, context_of())
    assert usable == (text == "")
    return text


def layer_of(path: str | Path, name: str = "") -> QgsVectorLayer:
    """A vector file's layer, opened."""
    layer = QgsVectorLayer(f"{path}|layername={name}" if name else str(path), name or "layer", "ogr")
    assert layer.isValid(), path
    return layer


def workers() -> list[int]:
    """Workers that this process has started and that still run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            parent = f"PPid:\t{os.getpid()}\n" in status.read_text()
            command = (status.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if parent and b"vidtag_engine.worker" in command:
            found.append(int(status.parent.name))
    return found


def until(condition, timeout_s: float = 60.0) -> bool:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        QgsApplication.processEvents()
        if condition():
            return True
        time.sleep(0.01)
    return False


class Handler(http.server.BaseHTTPRequestHandler):
    """Says nothing of what it is asked."""

    def answer(self, body: bytes, status: int = 200, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(handler, asked: list):
    """A server on the loopback, with its address as ``url`` and what its handler notes as ``asked``."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.asked, running.url = asked, f"http://127.0.0.1:{running.server_port}"
        threading.Thread(target=running.serve_forever, daemon=True).start()
        try:
            yield running
        finally:
            running.shutdown()


@contextmanager
def saying_yes():
    """Whoever sits before QGIS answers Yes to what it asks meanwhile; some versions ask where others do not."""
    from qgis.PyQt.QtCore import QTimer
    from qgis.PyQt.QtWidgets import QApplication, QMessageBox

    def answer() -> None:
        asked = QApplication.activeModalWidget()
        if isinstance(asked, QMessageBox):
            asked.button(QMessageBox.StandardButton.Yes).click()

    timer = QTimer()
    timer.timeout.connect(answer)
    timer.start(50)
    try:
        yield
    finally:
        timer.stop()


class Desktop:
    """QGIS's interface as far as the plugin uses it, with a real message bar and a real map."""

    def __init__(self) -> None:
        from qgis.gui import QgsMapCanvas, QgsMessageBar
        from qgis.PyQt.QtWidgets import QMainWindow

        self.window = QMainWindow()
        self.bar = QgsMessageBar(self.window)
        self.canvas = QgsMapCanvas(self.window)
        self.window.setCentralWidget(self.canvas)
        self.factories, self.opened, self.menu, self.tools = [], [], [], []

    def messageBar(self):
        return self.bar

    def mainWindow(self):
        return self.window

    def registerOptionsWidgetFactory(self, factory) -> None:
        self.factories.append(factory)

    def unregisterOptionsWidgetFactory(self, factory) -> None:
        self.factories.remove(factory)

    def showOptionsDialog(self, parent, page) -> None:
        self.opened.append(page)

    def mapCanvas(self):
        return self.canvas

    def addPluginToMenu(self, menu, action) -> None:
        self.menu.append(action)

    def removePluginMenu(self, menu, action) -> None:
        self.menu.remove(action)

    def addToolBarIcon(self, action) -> None:
        self.tools.append(action)

    def removeToolBarIcon(self, action) -> None:
        self.tools.remove(action)

    def addDockWidget(self, area, dock) -> None:
        self.window.addDockWidget(area, dock)

    def removeDockWidget(self, dock) -> None:
        self.window.removeDockWidget(dock)


def desktop_with_plugin() -> Desktop:
    """QGIS's window, shown, with the plugin in its menus."""
    from vidtag_qgis.plugin import VidTAGPlugin

    desktop = Desktop()
    desktop.plugin = VidTAGPlugin(desktop)
    desktop.plugin.initGui()
    desktop.window.resize(900, 600)
    desktop.window.show()
    return desktop
