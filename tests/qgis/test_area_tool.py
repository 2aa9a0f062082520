"""\"Draw area\", offscreen: clicks on a real map become an area that the algorithms take, with its count told meanwhile."""

from __future__ import annotations

import re

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingFeatureSourceDefinition,
    QgsProject,
    QgsRectangle,
    QgsSettings,
)
from qgis.gui import QgsMapMouseEvent, QgsRubberBand
from qgis.PyQt.QtCore import QEvent, Qt
from qgis.PyQt.QtGui import QKeyEvent

from tests.qgis.common import desktop_with_plugin, until
from vidtag_qgis import area_estimate
from vidtag_qgis.algorithms.grid_gallery import GridGallery
from vidtag_qgis.aoi import read_area
from vidtag_qgis.gui import area_tool

pytestmark = pytest.mark.qgis
CORNERS = [QgsPointXY(159.93, -19.222), QgsPointXY(159.934, -19.222), QgsPointXY(159.934, -19.218), QgsPointXY(159.93, -19.218)]


@pytest.fixture
def desktop(qgis_processing, engine_here):
    """QGIS with the plugin and a map of the isle in degrees."""
    QgsSettings().remove(area_estimate.RATE)
    desktop = desktop_with_plugin()
    desktop.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    desktop.canvas.setExtent(QgsRectangle(159.92, -19.23, 159.94, -19.21))
    until(lambda: not desktop.canvas.isDrawing(), 10)
    yield desktop
    desktop.plugin.unload()
    assert not bands(desktop)
    assert desktop.canvas.mapTool() is None
    QgsProject.instance().clear()
    QgsSettings().remove(area_estimate.RATE)


def bands(desktop) -> list:
    return [item for item in desktop.canvas.scene().items() if isinstance(item, QgsRubberBand)]


def mouse(desktop, place: QgsPointXY, button=Qt.MouseButton.LeftButton, kind=QEvent.Type.MouseButtonRelease) -> None:
    canvas = desktop.canvas
    spot = canvas.getCoordinateTransform().transform(place).toQPointF().toPoint()
    event = QgsMapMouseEvent(canvas, kind, spot, button)
    getattr(canvas.mapTool(), "canvasMoveEvent" if kind == QEvent.Type.MouseMove else "canvasReleaseEvent")(event)


def told(drawing: area_tool.AreaDrawing) -> list[float]:
    """Square kilometres and points that the line tells."""
    return [float(number.replace(",", "")) for number in re.findall(r"([\d.,]+) (?:km²|gallery points)", drawing.text_label.text())]


def start(desktop) -> area_tool.AreaDrawing:
    desktop.plugin._actions.area.setChecked(True)
    return desktop.plugin._actions.drawing


def draw(desktop, corners=CORNERS) -> None:
    for corner in corners:
        mouse(desktop, corner)
    mouse(desktop, corners[-1], Qt.MouseButton.RightButton)


def test_a_drawn_area_is_counted_while_drawn_and_taken_by_the_algorithms(desktop):
    drawing = start(desktop)
    assert "Click the corners" in drawing.text_label.text()
    for corner in CORNERS[:2]:
        mouse(desktop, corner)
    assert "Click the corners" in drawing.text_label.text()
    mouse(desktop, CORNERS[2], kind=QEvent.Type.MouseMove)  # not clicked yet: told already
    assert told(drawing) == pytest.approx([0.0931, 149], rel=0.02)  # whole pixels
    assert "How long they take is known once" in drawing.text_label.text()
    mouse(desktop, CORNERS[2])
    mouse(desktop, CORNERS[3])
    assert told(drawing) == pytest.approx([0.1862, 298], rel=0.02)
    drawing.resolution_field.setValue(10)
    assert told(drawing) == pytest.approx([0.1862, 1862], rel=0.02)
    area_estimate.remember_rate(2000, 4.0)
    drawing.resolution_field.setValue(25)
    assert drawing.text_label.text().endswith("at most about 1 s to compute them once.")
    drawing.resolution_field.setValue(0.1)
    assert told(drawing) == pytest.approx([0.1862, 18_620_000], rel=0.02)
    mouse(desktop, CORNERS[0], Qt.MouseButton.RightButton)
    assert desktop.plugin._actions.drawing is None
    assert not desktop.plugin._actions.area.isChecked()
    assert "in the layer VidTAG area" in desktop.bar.currentItem().text()

    [layer] = QgsProject.instance().mapLayersByName(area_tool.LAYER)
    algorithm = GridGallery()
    algorithm.initAlgorithm({})
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    area = read_area(algorithm, {"AOI": QgsProcessingFeatureSourceDefinition(layer.id())}, context, "AOI", "EXTENT")
    expected = area_estimate.area_m2(
        QgsGeometry.fromPolygonXY([CORNERS]), QgsCoordinateReferenceSystem("EPSG:4326"), QgsProject.instance().transformContext()
    )
    assert area.area_m2 == pytest.approx(expected, rel=0.02)  # whole pixels
    assert area.crs == "EPSG:4326"


def test_a_second_area_goes_into_the_same_layer_in_its_system(desktop):
    start(desktop)
    draw(desktop)
    desktop.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:32757"))
    until(lambda: not desktop.canvas.isDrawing(), 10)
    start(desktop)
    extent = desktop.canvas.extent()
    extent.scale(0.2)
    corners = [
        QgsPointXY(extent.xMinimum(), extent.yMinimum()),
        QgsPointXY(extent.xMaximum(), extent.yMinimum()),
        QgsPointXY(extent.xMaximum(), extent.yMaximum()),
    ]
    draw(desktop, corners)
    [layer] = QgsProject.instance().mapLayersByName(area_tool.LAYER)
    assert layer.crs().authid() == "EPSG:4326"
    assert layer.featureCount() == 2
    assert QgsRectangle(159.91, -19.24, 159.95, -19.20).contains(layer.extent())
    assert "holds 2 polygons" in desktop.bar.currentItem().text()


def test_what_is_no_area_is_said_and_keys_take_back(desktop):
    drawing = start(desktop)
    draw(desktop, CORNERS[:2])
    assert "at least three corners" in desktop.bar.currentItem().text()
    assert not QgsProject.instance().mapLayersByName(area_tool.LAYER)
    for corner in CORNERS:
        mouse(desktop, corner)
    for key, left in ((Qt.Key.Key_Backspace, 3), (Qt.Key.Key_A, 3), (Qt.Key.Key_Escape, 0)):
        drawing.tool.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier))
        assert len(drawing.tool.corners) == left
    desktop.canvas.unsetMapTool(drawing.tool)  # another tool ends it
    assert desktop.plugin._actions.drawing is None
    crossing = QgsGeometry.fromPolygonXY([[CORNERS[0], CORNERS[2], CORNERS[1], CORNERS[3]]])
    size = area_estimate.area_m2(crossing, QgsCoordinateReferenceSystem("EPSG:4326"), QgsProject.instance().transformContext())
    assert size == pytest.approx(93_000, rel=0.02)  # as it will be mended


def test_what_the_engine_would_refuse_is_told_at_once():
    assert "at most 100,000,000 are possible" in area_estimate.sentence(3e11, 10)
    assert "about 50,000,000,000 gallery points: 'Geolocate video' makes the likeliest alone" in area_estimate.sentence(5e12, 10)
    assert "smaller than one step" in area_estimate.sentence(100.0, 25)
    assert area_estimate.sentence(5e9, 100).startswith("5,000 km², about 500,000 gallery points")
