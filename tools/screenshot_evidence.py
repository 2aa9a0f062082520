#!/usr/bin/python3
"""Draw what the workbench says of one frame beside the map: reference images, candidate places and posterior, by the real engine; it needs no screen.

Usage: ``$(tools/environment.py qgis)/bin/python tools/screenshot_evidence.py RESULT.gpkg FILE.png ROW`` with ``VIDTAG_ENGINE_PYTHON`` set, the result's scores
and its video beside it. docs/images/check-frames-places.png is frame 2 of the demo's drive, located with ``--to 5 --confidence-radius-m 100``;
docs/images/check-frames-strip.png is frame 30 of resources/example/flight2.mp4, located with ``--share-places`` and the database that
``vidtag reference build --video flight1.mp4 --truth flight1.gpx`` makes.
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
sys.path[:0] = [str(ROOT), "/usr/share/qgis/python/plugins"]
_WIDTH, _HEIGHT, _DOCK_PX = 1180, 760, 480


def main() -> None:
    """Open it, step to the frame, press the buttons, and save what is shown."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.update(QGIS_CUSTOM_CONFIG_PATH=tempfile.mkdtemp(prefix="vidtag-screenshots-"), VIDTAG_ENGINE_PATH=str(ROOT))
    from qgis.core import QgsApplication
    from qgis.PyQt.QtGui import QFont

    application = QgsApplication([], True)
    application.setFont(QFont("DejaVu Sans", 9))
    application.initQgis()
    from processing.core.Processing import Processing

    Processing.initialize()
    _session(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.flush()
    os._exit(0)  # QGIS's own end may crash a script that holds widgets


def _session(result: str, target: Path, row: int) -> None:
    from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsProject, QgsVectorLayer
    from qgis.PyQt.QtCore import Qt
    from qgis.PyQt.QtGui import QColor

    common: Any = importlib.import_module("tests.qgis.common")
    workbench: Any = importlib.import_module("vidtag_qgis.gui.workbench")
    desktop, until, project = common.desktop_with_plugin(), common.until, QgsProject.instance()
    desktop.canvas.setCanvasColor(QColor("white"))
    desktop.window.resize(_WIDTH, _HEIGHT)
    layers = [QgsVectorLayer(f"{result}|layername={name}", name.title(), "ogr") for name in ("trajectory", "frames")]
    for layer in layers:
        project.addMapLayer(layer)
    middle = layers[0].extent().center()
    zone = (32600 if middle.y() >= 0 else 32700) + int((middle.x() + 180) // 6) + 1
    desktop.canvas.setDestinationCrs(QgsCoordinateReferenceSystem(f"EPSG:{zone}"))
    [action] = [one for one in desktop.tools if one.text() == workbench.TITLE]
    action.trigger()
    dock = next(iter(desktop.window.findChildren(workbench.Workbench)))
    panel = dock.evidence.panel
    dock.show_row(row)
    panel.places_button.click()
    panel.posterior_button.click()
    if not until(lambda: panel.posterior_label.text().startswith("Posterior of frame") and dock.evidence.candidates, 120):
        sys.exit(panel.posterior_label.text())
    until(lambda: dock.view.picture_label.isEnabled() and not dock.view.picture_label.image.isNull(), 60)
    if len(dock.evidence.images) > 1:
        panel.image_buttons[1].click()
    places = dock.evidence.layers.layer("candidates")
    extent = places.extent()
    extent.combineExtentWith(layers[0].extent())
    box = QgsCoordinateTransform(places.crs(), desktop.canvas.mapSettings().destinationCrs(), project).transformBoundingBox(extent)
    box.scale(1.2)
    desktop.canvas.setLayers(project.layerTreeRoot().checkedLayers())
    desktop.canvas.setExtent(box)
    desktop.canvas.refresh()
    desktop.window.resizeDocks([dock], [_DOCK_PX], Qt.Orientation.Horizontal)
    end_s = time.monotonic() + 4.0
    until(lambda: time.monotonic() > end_s, 5.0)  # the map is drawn in the background
    desktop.window.grab().save(str(target))
    print(target)
    dock.rest()


if __name__ == "__main__":
    main()
