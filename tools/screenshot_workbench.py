#!/usr/bin/python3
"""Draw the workbench's pages beside a map into docs/images: the demo's drive, located, checked, corrected and shown by the real engine; it needs no screen.

Usage: ``$(tools/environment.py qgis)/bin/python tools/screenshot_workbench.py [FOLDER]`` with ``VIDTAG_ENGINE_PYTHON`` set.
"""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

import importlib
import math
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), "/usr/share/qgis/python/plugins"]
DEMO = ROOT / "resources" / "demo"
_DOCK_PX = 470


def main() -> None:
    """Open it, do what an analyst does, and save what each page shows."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.update(QGIS_CUSTOM_CONFIG_PATH=tempfile.mkdtemp(prefix="vidtag-screenshots-"), VIDTAG_ENGINE_PATH=str(ROOT))
    from qgis.core import QgsApplication
    from qgis.PyQt.QtGui import QFont

    application = QgsApplication([], True)
    application.setFont(QFont("DejaVu Sans", 9))
    application.initQgis()
    from processing.core.Processing import Processing

    Processing.initialize()
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    with tempfile.TemporaryDirectory() as scratch:
        _session(Path(scratch), target)
    sys.stdout.flush()
    os._exit(0)  # QGIS's own end may crash a script that holds widgets


def _session(folder: Path, target: Path) -> None:
    from qgis.core import QgsApplication, QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsFillSymbol, QgsProject, QgsVectorLayer
    from qgis.PyQt.QtCore import Qt
    from qgis.PyQt.QtGui import QColor

    common: Any = importlib.import_module("tests.qgis.common")
    workbench: Any = importlib.import_module("vidtag_qgis.gui.workbench")
    shutil.copy(DEMO / "drive.mp4", folder / "drive.mp4")
    shutil.copytree(DEMO / "checkpoint", folder / "sandy-island")
    desktop, until, project = common.desktop_with_plugin(), common.until, QgsProject.instance()
    desktop.canvas.setCanvasColor(QColor("white"))
    desktop.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:32757"))
    desktop.window.resize(1180, 720)
    [action] = [one for one in desktop.tools if one.text() == workbench.TITLE]
    action.trigger()
    dock = next(iter(desktop.window.findChildren(workbench.Workbench)))
    area = QgsVectorLayer(str(DEMO / "aoi.geojson"), "Area of interest", "ogr")
    area.renderer().setSymbol(QgsFillSymbol.createSimple({"color": "240,240,235", "outline_color": "120,120,120"}))
    project.addMapLayer(area)

    def shown(extent: Any, crs: Any, factor: float) -> None:
        box = QgsCoordinateTransform(crs, desktop.canvas.mapSettings().destinationCrs(), project).transformBoundingBox(extent)
        box.scale(factor)
        desktop.canvas.setLayers(project.layerTreeRoot().checkedLayers())
        desktop.canvas.setExtent(box)
        desktop.canvas.refresh()

    def picture(name: str) -> None:
        desktop.window.resizeDocks([dock], [_DOCK_PX], Qt.Orientation.Horizontal)
        end_s = time.monotonic() + 2.0
        until(lambda: time.monotonic() > end_s, 3.0)  # the map is drawn in the background
        desktop.window.grab().save(str(target / f"{name}.png"))
        print(target / f"{name}.png")

    panel = dock.run_panel
    panel.layer_box.setLayer(area)
    dock.tabs.setCurrentIndex(0)
    shown(area.extent(), area.crs(), 1.1)
    _run(panel, folder, until, picture)
    project.layerTreeRoot().findLayer(area.id()).setItemVisibilityChecked(False)
    _say(dock, until)
    shown(dock.layer.extent(), dock.layer.crs(), 1.3)
    dock.tabs.setCurrentIndex(2)
    dock.correct_panel.message_label.clear()
    picture("workbench-correct")
    _landmarks(dock, until)
    picture("workbench-landmarks")
    dock.tabs.setCurrentIndex(4)
    dock.show_panel.confidence_slider.setValue(80)
    dock.show_panel.to_slider.setValue(250)
    picture("workbench-show")
    QgsApplication.processEvents()
    dock.rest()


def _run(panel: Any, folder: Path, until: Any, picture: Any) -> None:
    """Locate the drive; a picture while that goes on."""
    panel.videos.add([str(folder / "drive.mp4")])
    panel.checkpoint_box.setEditText(str(folder / "sandy-island"))
    panel.run_button.click()
    panel.checkpoint_box.setEditText("sandy-island")  # and not a folder of this machine
    until(lambda: panel.bar.value() > 300, 60)
    picture("workbench-locate")
    if not until(lambda: panel.run is None, 300):
        sys.exit(panel.message_label.text())


def _landmarks(dock: Any, until: Any) -> None:
    """What a camera with a lens of 60 degrees would see of four places about the frame."""
    from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsDistanceArea, QgsPointXY, QgsProject

    panel, measure, project = dock.landmark_panel, QgsDistanceArea(), QgsProject.instance()
    wgs84 = QgsCoordinateReferenceSystem("EPSG:4326")
    measure.setEllipsoid("EPSG:7030")
    measure.setSourceCrs(wgs84, project.transformContext())
    dock.show_row(18)
    until(lambda: not dock.view.picture_label.image.isNull() and dock.view.picture_label.isEnabled(), 60)
    dock.tabs.setCurrentIndex(3)
    to_map = QgsCoordinateTransform(wgs84, dock.landmark_panel._canvas.mapSettings().destinationCrs(), project)  # noqa: SLF001 - a picture of it
    width, height = panel.picture.image.width(), panel.picture.image.height()
    focal_px = width / 2 / math.tan(math.radians(30))
    for number, (bearing_deg, away_m) in enumerate(((48.0, 130.0), (62.0, 210.0), (75.0, 100.0), (84.0, 240.0))):
        place = measure.computeSpheroidProject(QgsPointXY(dock.rows[18].point), away_m, math.radians(bearing_deg))
        panel.click_picture(width / 2 + focal_px * math.tan(math.radians(bearing_deg - 66.0)) + (-1) ** number, height * 0.45)
        panel.click_map(to_map.transform(place))
    panel.fov_field.setValue(60.0)
    panel.solve_button.click()
    until(lambda: not dock.corrections.at_work, 60)


def _say(dock: Any, until: Any) -> None:
    """Judge a stretch and a frame, and confirm a place."""
    correct = dock.correct_panel
    for place, row in enumerate((9, 15)):
        dock.show_row(row)
        if not place:
            correct.stretch_button.click()
    correct.who_field.setText("A. Nalyst")
    correct.comment_field.setText("the bend by the two towers")
    correct.state_buttons["accepted"].click()
    dock.show_row(31)
    correct.state_buttons["unsure"].click()
    dock.show_row(7)
    correct.confirm_button.click()
    until(lambda: not dock.corrections.at_work, 60)


if __name__ == "__main__":
    main()
