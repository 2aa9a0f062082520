#!/usr/bin/python3
"""Draw the dock "Check frames" beside a map into docs/images, from a result of the demo and with the real engine; it needs no screen.

Usage: ``$(tools/environment.py qgis)/bin/python tools/screenshot_frames.py RESULT.gpkg [FILE.png]``, with ``drive.mp4`` beside the result and
``VIDTAG_ENGINE_PYTHON`` set. The reference images of a result that ``vidtag geolocate --reference … --share-places`` gave stand beside the frame and lie on the
map: docs/images/check-frames-reference.png is of a test drive of a simulated world, with the database that ``vidtag reference build`` makes of its train split.
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
_UTM_SOUTH = 32700


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
    names = ("frames", "trajectory", "matches")
    layers = [QgsVectorLayer(f"{sys.argv[1]}|layername={name}", f"drive — {name}", "ogr") for name in names]
    layers = [layer for layer in layers if layer.isValid() and layer.featureCount()]
    QgsProject.instance().addMapLayers(layers)
    desktop.canvas.setLayers(layers)
    middle = layers[1].extent().center()
    metric = QgsCoordinateReferenceSystem(f"EPSG:{_UTM_SOUTH - (100 if middle.y() >= 0 else 0) + int((middle.x() + 180) // 6) + 1}")
    desktop.canvas.setDestinationCrs(metric)
    width, height, dock_width = (1180, 640, 500) if len(layers) < len(names) else (1040, 580, 440)
    desktop.window.resize(width, height)
    desktop.window.show()
    dock = add_dock(desktop)
    dock.show()
    desktop.window.resizeDocks([dock], [dock_width], Qt.Orientation.Horizontal)
    to_map = QgsCoordinateTransform(layers[0].crs(), metric, QgsProject.instance())
    shown = to_map.transformBoundingBox(layers[1].extent())
    shown.scale(1.15)
    desktop.canvas.setExtent(shown)
    dock.view.pick_button.setChecked(True)
    dock.show_row(min(ROW, layers[0].featureCount() // 2))
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
