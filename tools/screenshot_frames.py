#!/usr/bin/python3
"""Draw the dock "Check frames" beside a map into docs/images, from a result of the demo and with the real engine; it needs no screen.

Usage: ``$(tools/environment.py qgis)/bin/python tools/screenshot_frames.py RESULT.gpkg [FILE.png]``, with ``drive.mp4`` beside the result and
``VIDTAG_ENGINE_PYTHON`` set.
"""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

import importlib
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
ROW = 22


def main() -> None:
    """Open it, step to a frame and save what it shows."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.update(QGIS_CUSTOM_CONFIG_PATH=tempfile.mkdtemp(prefix="vidtag-screenshots-"), VIDTAG_ENGINE_PATH=str(ROOT))
    from qgis.core import QgsApplication, QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsProject, QgsVectorLayer
    from qgis.PyQt.QtCore import Qt
    from qgis.PyQt.QtGui import QColor, QFont

    application = QgsApplication([], True)
    application.setFont(QFont("DejaVu Sans", 9))
    application.initQgis()
    from vidtag_qgis.gui.frame_dock import add_dock

    common: Any = importlib.import_module("tests.qgis.common")
    desktop, until = common.Desktop(), common.until
    desktop.canvas.setCanvasColor(QColor("white"))
    layers = [QgsVectorLayer(f"{sys.argv[1]}|layername={name}", f"drive — {name}", "ogr") for name in ("frames", "trajectory")]
    QgsProject.instance().addMapLayers(layers)
    desktop.canvas.setLayers(layers)
    desktop.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:32757"))
    desktop.window.resize(1180, 640)
    desktop.window.show()
    dock = add_dock(desktop)
    dock.show()
    desktop.window.resizeDocks([dock], [500], Qt.Orientation.Horizontal)
    to_map = QgsCoordinateTransform(layers[0].crs(), QgsCoordinateReferenceSystem("EPSG:32757"), QgsProject.instance())
    shown = to_map.transformBoundingBox(layers[1].extent())
    shown.scale(1.15)
    desktop.canvas.setExtent(shown)
    dock.view.pick_button.setChecked(True)
    dock.show_row(ROW)
    if not until(lambda: dock.view.picture_label.isEnabled() and not dock.view.picture_label.picture.isNull(), 60):
        sys.exit(dock.view.message_label.text())
    end_s = time.monotonic() + 4.0
    until(lambda: time.monotonic() > end_s, 5.0)  # the map is drawn in the background
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs" / "images" / "check-frames.png"
    desktop.window.grab().save(str(target))
    print(target)
    dock.rest()
    sys.stdout.flush()
    os._exit(0)  # QGIS's own end may crash a script that holds widgets


if __name__ == "__main__":
    main()
