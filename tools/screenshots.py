#!/usr/bin/python3
"""Draw the plugin's windows and every algorithm's dialog into docs/images, in an English QGIS without an engine; it needs no screen.

Usage: ``$(tools/environment.py qgis)/bin/python tools/screenshots.py [FOLDER [ALGORITHM ...]]``; with algorithms their dialogs alone.
"""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), "/usr/share/qgis/python/plugins"]

_EXTENT = "159.9192,159.9400,-19.2295,-19.2103 [EPSG:4326]"
FILLED: dict[str, dict[str, Any]] = {
    "geolocatevideo": {"VIDEOS": ["drive.mp4"], "EXTENT": _EXTENT, "CHECKPOINT": "checkpoint", "RESOLUTION": 25, "OUTPUT": "drive.gpkg"},
    "guesscity": {"VIDEOS": ["drive.mp4"], "CHECKPOINT": "cities", "OUTPUT": "places.gpkg"},
    "gridgallery": {"EXTENT": _EXTENT, "RESOLUTION": 25, "CHECKPOINT": "checkpoint"},
    "similarityheatmap": {"VIDEO": "drive.mp4", "EXTENT": _EXTENT, "CHECKPOINT": "checkpoint", "RESOLUTION": 25},
    "solvewithpins": {
        "RESULT": "drive.gpkg",
        "PINS": "pins",
        "FRAME_FIELD": "frame_index",
        "HERE_FIELD": "here",
        "OUTPUT": "corrected.gpkg",
    },
    "matchroads": {"RESULT": "drive.gpkg", "ROADS": "streets", "MATCHED": "matched.gpkg"},
    "evaluatetrajectory": {"RESULT": "drive.gpkg", "TRUTH_FILE": "drive.gpx"},
    "exporttrajectory": {"RESULT": "drive.gpkg", "KML": "drive.kml", "FRAMES": "pictures", "VIDEOS": ["drive.mp4"]},
    "finetune": {"FOLDER": "drives", "EXTENT": _EXTENT, "RESOLUTION": 25, "OUTPUT": "checkpoint"},
    "buildreferencedatabase": {
        "SOURCE": "panoramax",
        "EXTENT": _EXTENT,
        "HOME_ZONES": "homes",
        "RESOLUTION": 25,
        "YES_QUERY": True,
        "YES_DOWNLOAD_MB": 500,
        "OUTPUT": "references",
    },  # fmt: skip
    "referenceimages": {"REFERENCE": "references", "OUTPUT": "held.gpkg"},
    "checkengine": {},
}
LAYERS = {
    "pins": "Point?crs=EPSG:4326&field=frame_index:integer&field=here:boolean",
    "streets": "LineString?crs=EPSG:32757&field=name:string",
    "homes": "Polygon?crs=EPSG:4326&field=name:string",
}
HEIGHTS_PX = {"buildreferencedatabase": 910}
"""Of those that would hide what matters most; the others are 760 high."""
UNFOLDED = ("geolocatevideo",)
"""Those whose advanced parameters are many: a second picture shows them alone."""


def main() -> None:
    """Open each window, fill it in and save what it shows."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    # The pictures show the folders of nobody in particular.
    os.environ.update(QGIS_CUSTOM_CONFIG_PATH=tempfile.mkdtemp(prefix="vidtag-screenshots-"), VIDTAG_CACHE="/home/user/.cache/vidtag")
    os.environ.pop("VIDTAG_ENGINE_PYTHON", None)
    from qgis.core import QgsApplication
    from qgis.PyQt.QtGui import QFont

    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    application = QgsApplication([], True)
    application.setFont(QFont("DejaVu Sans", 9))
    application.initQgis()
    chosen = sys.argv[2:]
    if not chosen:
        _windows(folder)
    _dialogs(folder, chosen)
    sys.stdout.flush()
    os._exit(0)  # QGIS's own end may crash a script that holds widgets


def _windows(folder: Path) -> None:
    """The options page and the dialog that makes the environment."""
    from qgis.core import QgsApplication

    from vidtag_qgis.gui.create_dialog import CreateEnvironmentDialog
    from vidtag_qgis.gui.options import EngineOptionsPage

    page, dialog = EngineOptionsPage(), CreateEnvironmentDialog()
    page.resize(760, 700)
    dialog.resize(800, 700)
    until = time.monotonic() + 60
    while not dialog.python_field.filePath() and time.monotonic() < until:
        QgsApplication.processEvents()
    dialog.python_field.setFilePath("/usr/bin/python3")
    dialog.stage_label.setText("")
    _save(page, folder / "options-page.png")
    _save(dialog, folder / "create-environment.png")


def _dialogs(folder: Path, chosen: list[str]) -> None:
    """Every algorithm's dialog, or those of the chosen ones."""
    from processing.core.Processing import Processing
    from qgis.core import QgsApplication, QgsProject, QgsVectorLayer
    from qgis.PyQt.QtWidgets import QGroupBox

    Processing.initialize()
    from processing.gui.AlgorithmDialog import AlgorithmDialog

    from vidtag_qgis.plugin import VidTAGPlugin

    plugin: Any = VidTAGPlugin(None)
    plugin.initProcessing()
    for name, place in LAYERS.items():
        QgsProject.instance().addMapLayer(QgsVectorLayer(place, name, "memory"))
    registered = {algorithm.name() for algorithm in plugin.provider.algorithms()}
    for name, values in FILLED.items():
        if name not in registered or (chosen and name not in chosen):
            continue
        dialog = AlgorithmDialog(QgsApplication.processingRegistry().createAlgorithmById(f"vidtag:{name}"))
        # A layer is named by its name, which its parameter's choice shows.
        layers = {key: found[0].id() for key, value in values.items() if (found := QgsProject.instance().mapLayersByName(str(value)))}
        dialog.setParameters({**values, **layers})
        dialog.resize(980, HEIGHTS_PX.get(name, 760))
        _save(dialog, folder / f"{name}.png")
    for name in UNFOLDED if not chosen else ():  # last, as QGIS opens the next dialog as large as the one before
        dialog = AlgorithmDialog(QgsApplication.processingRegistry().createAlgorithmById(f"vidtag:{name}"))
        dialog.resize(980, 2600)
        dialog.show()
        folded = dialog.findChild(QGroupBox, "grpAdvanced")
        folded.setProperty("collapsed", False)  # its own class is not known in Python
        _save(folded, folder / f"{name}-advanced.png")
        dialog.close()
    plugin.unload()


def _save(widget: Any, path: Path) -> None:
    from qgis.core import QgsApplication
    from qgis.PyQt.QtGui import QImage

    widget.show()
    for _ in range(20):
        QgsApplication.processEvents()
    picture = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    # The colours that windows really have fit a palette, which makes the files much smaller; Qt's own palette would dither.
    colours = Counter(picture.constBits().asstring(picture.sizeInBytes()).hex(" ", 4).split())
    palette = [int.from_bytes(bytes.fromhex(colour), sys.byteorder) for colour, _ in colours.most_common(256)]
    picture.convertToFormat(QImage.Format.Format_Indexed8, palette).save(str(path), "PNG", 0)
    print(path)
    widget.close()


if __name__ == "__main__":
    main()
