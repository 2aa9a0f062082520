#!/usr/bin/python3
"""Draw every algorithm's dialog into docs/images/<id>.png: run it by the system's Python with PyQGIS; it needs no screen.

Usage: ``tools/screenshots.py [FOLDER]``.
"""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "resources" / "demo"
sys.path[:0] = [str(ROOT), "/usr/share/qgis/python/plugins"]

FILLED: dict[str, dict[str, Any]] = {
    "geolocatevideo": {
        "VIDEOS": ["drive.mp4"], "EXTENT": "159.9192,159.9400,-19.2295,-19.2103 [EPSG:4326]", "CHECKPOINT": "checkpoint", "RESOLUTION": 25,
        "OUTPUT": "drive.gpkg",
    },
    "gridgallery": {"EXTENT": "159.9192,159.9400,-19.2295,-19.2103 [EPSG:4326]", "RESOLUTION": 25, "CHECKPOINT": "checkpoint"},
    "similarityheatmap": {
        "VIDEO": "drive.mp4", "EXTENT": "159.9192,159.9400,-19.2295,-19.2103 [EPSG:4326]", "CHECKPOINT": "checkpoint", "RESOLUTION": 25,
    },
    "evaluatetrajectory": {"RESULT": "drive.gpkg", "TRUTH_FILE": "drive.gpx"},
    "exporttrajectory": {"RESULT": "drive.gpkg", "KML": "drive.kml", "FRAMES": "pictures", "VIDEOS": ["drive.mp4"]},
    "finetune": {"FOLDER": "drives", "EXTENT": "159.9192,159.9400,-19.2295,-19.2103 [EPSG:4326]", "RESOLUTION": 25, "OUTPUT": "checkpoint"},
    "checkengine": {},
}  # fmt: skip


def main() -> None:
    """Open each dialog, fill it in and save what it shows."""
    from qgis.core import QgsApplication
    from qgis.PyQt.QtGui import QFont

    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    application = QgsApplication([], True)
    application.setFont(QFont("DejaVu Sans", 9))
    application.initQgis()
    from processing.core.Processing import Processing

    Processing.initialize()
    from processing.gui.AlgorithmDialog import AlgorithmDialog

    from vidtag_qgis.plugin import VidTAGPlugin

    plugin = VidTAGPlugin(None)
    plugin.initProcessing()
    registered = {algorithm.name() for algorithm in plugin.provider.algorithms()}
    for name, values in FILLED.items():
        if name not in registered:
            continue
        dialog = AlgorithmDialog(QgsApplication.processingRegistry().createAlgorithmById(f"vidtag:{name}"))
        dialog.setParameters(values)
        dialog.resize(980, 760)
        dialog.show()
        for _ in range(20):
            QgsApplication.processEvents()
        dialog.grab().save(str(folder / f"{name}.png"))
        print(folder / f"{name}.png")
        dialog.close()
        dialog.deleteLater()
    plugin.unload()
    sys.stdout.flush()
    os._exit(0)  # QGIS's own shutdown order is no matter of ours


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["QGIS_CUSTOM_CONFIG_PATH"] = tempfile.mkdtemp(prefix="vidtag-screenshots-")
    main()
