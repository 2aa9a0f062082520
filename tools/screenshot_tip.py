#!/usr/bin/python3
"""Draw a frame's map tip with its picture into docs/images, from a result and its pictures. A tip is a window of its own: run it on a screen, such as Xvfb's.

Usage: ``xvfb-run -a -s "-screen 0 1000x700x24" /usr/bin/python3 tools/screenshot_tip.py RESULT.gpkg [FILE.png]``, after ``vidtag thumbnails RESULT.gpkg``.
"""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), "/usr/share/qgis/python/plugins"]
_SIZE_PX = (760, 580)


def main() -> None:
    """Load the layers as the plugin does, rest on a frame, and save what the screen shows."""
    os.environ["QGIS_CUSTOM_CONFIG_PATH"] = tempfile.mkdtemp(prefix="vidtag-screenshots-")
    from qgis.core import QgsApplication, QgsProject, QgsVectorLayer
    from qgis.gui import QgsMapCanvas, QgsMapTip
    from qgis.PyQt.QtCore import QPoint
    from qgis.PyQt.QtGui import QColor, QFont, QGuiApplication

    application = QgsApplication([], True)
    application.setFont(QFont("DejaVu Sans", 9))
    application.initQgis()
    from vidtag_qgis.layers import finish

    layers: dict[str, Any] = {}
    for name in ("frames", "trajectory"):
        layers[name] = QgsVectorLayer(f"{sys.argv[1]}|layername={name}", name, "ogr")
        QgsProject.instance().addMapLayer(layers[name])
        finish(layers[name], name, str(Path(sys.argv[1]).resolve()))
    canvas = QgsMapCanvas()
    canvas.setCanvasColor(QColor("white"))
    canvas.setLayers(list(layers.values()))
    canvas.setDestinationCrs(layers["frames"].crs())
    canvas.resize(*_SIZE_PX)
    extent = layers["trajectory"].extent()
    extent.scale(1.4)
    canvas.setExtent(extent)
    canvas.show()

    def wait(seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            application.processEvents()
            time.sleep(0.01)

    wait(3.0)
    features = [one for one in layers["frames"].getFeatures() if not one.geometry().isNull()]
    place = features[len(features) // 2].geometry().asPoint()
    spot = canvas.mapSettings().mapToPixel().transform(place)
    tip = QgsMapTip()
    tip.showMapTip(layers["frames"], place, QPoint(round(spot.x()), round(spot.y())), canvas)
    wait(2.0)
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs" / "images" / "map-tip.png"
    QGuiApplication.primaryScreen().grabWindow(0, 0, 0, *_SIZE_PX).save(str(target))
    print(target)
    sys.stdout.flush()
    os._exit(0)  # QGIS's own end may crash a script that holds widgets


if __name__ == "__main__":
    main()
