"""The workbench, offscreen: a real map, a real run of the engine, what is shown of it, and places as text."""

from __future__ import annotations

import math
import os
import shutil
import signal
import zipfile
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qgis.PyQt.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from qgis.PyQt.QtTest import QTest

from tests.qgis.common import ROOT, Desktop, desktop_with_plugin, polygons, until, workers
from vidtag_qgis import coordinates, map_filter, settings
from vidtag_qgis.edits import file_of
from vidtag_qgis.engine_client import EngineError
from vidtag_qgis.gui import run_panel, workbench
from vidtag_qgis.gui.algorithm_run import duration

pytestmark = pytest.mark.qgis
DEMO = ROOT / "resources" / "demo"
MGRS = [
    (48.85837, 2.294481, "31UDQ4825011951"), (60.39299, 5.32415, "32VKN9747700830"), (78.2232, 15.6267, "33XWG1427883355"),
    (78.9, 9.01, "33XUH7147865412"), (80.5, 33.1, "37XCK9146942910"), (79.0, 20.99, "33XXH2737776516"),
    (-33.856784, 151.215297, "56HLH3490052290"), (0.0001, 0.0001, "31NAA6603200011"), (-0.0001, -0.0001, "30MZE3396799988"),
    (83.999, -179.999, "01XDP6501128893"), (-79.999, 179.99, "60CWS5794417036"), (40.689247, -74.044502, "18TWL8073504700"),
    (-19.22, 159.932, "57KWU9796674567"), (71.99, 41.9, "37WFV0004190225"), (63.99, 3.0, "32VKS0675209716"),
    (22.1313, 87.04332, "45QWE0446747360"), (50.35271, 159.2821, "57UWR2006877885"), (-75.14894, -12.37584, "28CEB7505458113"),
    (67.6675, -139.24585, "07WER7437406847"), (-3.06649, -91.23378, "15MXS9628760895"), (-77.7519, -101.97727, "14CMU2952067528"),
    (-45.59104, -102.42678, "13GGK0071148168"), (21.23872, -134.38828, "08QNJ6347448690"), (9.16803, 26.61883, "35PML5812313451"),
]  # fmt: skip
"""By NGA's GEOTRANS, as the package mgrs 1.6.0 has it."""


@pytest.fixture
def desktop(qgis_processing, engine_here):
    """QGIS with the plugin; afterwards nothing of it may be left."""
    QgsSettings().remove(run_panel.CHECKPOINTS)
    desktop = desktop_with_plugin()
    desktop.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    yield desktop
    if desktop.plugin.provider is not None:
        desktop.plugin.unload()
    QgsProject.instance().clear()
    QgsSettings().remove(run_panel.CHECKPOINTS)


def opened(desktop: Desktop) -> workbench.Workbench:
    [action] = [action for action in desktop.tools if action.text() == workbench.TITLE]
    action.trigger()
    return desktop.plugin._actions.dock


def drop(widget, paths: list[Path]) -> bool:
    """Drag files over a widget and let them go; whether it took them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    enter = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    widget.dragEnterEvent(enter)
    widget.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier))
    return enter.isAccepted()


def aoi() -> QgsVectorLayer:
    layer = QgsVectorLayer(str(DEMO / "aoi.geojson"), "aoi", "ogr")
    QgsProject.instance().addMapLayer(layer)
    return layer


def test_it_never_opens_by_itself_and_opens_and_closes_by_its_action(desktop):
    assert desktop.plugin._actions.dock is None
    dock = opened(desktop)
    assert dock.isVisible()
    [action] = [action for action in desktop.tools if action.text() == workbench.TITLE]
    action.trigger()
    assert not dock.isVisible()
    assert not action.isChecked()


def test_it_may_be_small(desktop):
    dock = opened(desktop)
    assert dock.minimumSizeHint().width() < 420
    assert dock.minimumSizeHint().height() < 420


def test_videos_are_dropped_once_each_and_taken_off(desktop, tmp_path):
    videos = opened(desktop).run_panel.videos
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "more").mkdir()
    assert drop(videos, [tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "more"])
    drop(videos, [tmp_path / "a.mp4"])
    assert videos.files == [str(tmp_path / "a.mp4"), str(tmp_path / "b.mp4")]
    assert videos.folders == [str(tmp_path / "more")]
    data = QMimeData()
    data.setText("no file")
    event = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    videos.dragEnterEvent(event)
    assert not event.isAccepted()
    videos.setCurrentRow(0)
    QTest.keyClick(videos, Qt.Key.Key_Delete)
    assert videos.files == [str(tmp_path / "b.mp4")]
    videos.clearSelection()
    videos.remove_chosen()
    assert videos.paths == []


def test_the_area_is_told_live(desktop):
    panel = opened(desktop).run_panel
    panel.area_box.setCurrentIndex(panel.area_box.findData(run_panel.LAYER))
    assert "no layer of polygons yet" in panel.area_label.text()
    layer = polygons("POLYGON((0 0, 0.01 0, 0.01 0.01, 0 0.01, 0 0))", "POLYGON((1 0, 1.01 0, 1.01 0.01, 1 0.01, 1 0))")
    panel.layer_box.setLayer(layer)
    both = panel.area_label.text()
    assert both.startswith("2.5 km²")
    panel.selected_box.setChecked(True)
    assert "Nothing is selected" in panel.area_label.text()
    layer.selectByIds([next(layer.getFeatures()).id()])
    panel._tell()
    assert panel.area_label.text().startswith("1.2 km²")
    panel.resolution_field.setValue(10.0)
    assert "gallery points" in panel.area_label.text()
    panel.area_box.setCurrentIndex(panel.area_box.findData(run_panel.CANVAS))
    desktop.canvas.setExtent(QgsRectangle(0, 0, 0.001, 0.001))
    small = panel.area_label.text()
    desktop.canvas.setExtent(QgsRectangle(0, 0, 0.1, 0.1))
    assert panel.area_label.text() != small


def test_a_result_that_nobody_named_takes_the_place_of_nothing(desktop, tmp_path):
    panel = opened(desktop).run_panel
    (tmp_path / "drive.mp4").write_bytes(b"x")
    panel.videos.add([str(tmp_path / "drive.mp4")])
    assert panel.parameters()["OUTPUT"] == str(tmp_path / "drive.gpkg")
    (tmp_path / "drive.gpkg").write_bytes(b"earlier")
    assert panel.parameters()["OUTPUT"] == str(tmp_path / "drive-2.gpkg")
    panel.output_field.setFilePath(str(tmp_path / "mine"))
    assert panel.parameters()["OUTPUT"] == str(tmp_path / "mine.gpkg")


def test_drawing_is_asked_for_and_a_drawn_area_is_meant(desktop):
    from qgis.core import QgsGeometry

    from vidtag_qgis.gui.area_tool import add_area

    dock = opened(desktop)
    dock.run_panel.area_box.setCurrentIndex(dock.run_panel.area_box.findData(run_panel.TRAINED))
    dock.run_panel.draw_button.click()
    assert desktop.plugin._actions.drawing is not None
    drawn = add_area(QgsGeometry.fromWkt("POLYGON((0 0, 0.01 0, 0.01 0.01, 0 0.01, 0 0))"), desktop.canvas)
    assert dock.run_panel.area_layer is drawn
    desktop.plugin._actions.area.setChecked(False)


def test_what_is_missing_is_one_sentence(desktop, tmp_path):
    panel = opened(desktop).run_panel
    panel.run_button.click()
    assert panel.message_label.text() == "Add at least one video: drop it on the list, or choose it."
    video = tmp_path / "gone.mp4"
    panel.videos.add([str(video)])
    panel.area_box.setCurrentIndex(panel.area_box.findData(run_panel.LAYER))
    panel.run_button.click()
    assert "Draw the area" in panel.message_label.text()
    panel.area_box.setCurrentIndex(panel.area_box.findData(run_panel.TRAINED))
    panel.run_button.click()
    assert "is not there" in panel.message_label.text()
    assert panel.run is None
    assert panel.run_button.isEnabled()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        panel.videos.add([str(tmp_path / name)])
    panel.run_button.click()
    assert "One folder at a time" in panel.message_label.text()


def started(dock: workbench.Workbench, folder: Path) -> run_panel.RunPanel:
    panel = dock.run_panel
    shutil.copy(DEMO / "drive.mp4", folder / "drive.mp4")
    panel.videos.add([str(folder / "drive.mp4")])
    panel.area_box.setCurrentIndex(panel.area_box.findData(run_panel.LAYER))
    panel.layer_box.setLayer(aoi())
    panel.checkpoint_box.setEditText(str(DEMO / "checkpoint"))
    panel.run_button.click()
    assert panel.run is not None, panel.message_label.text()
    return panel


@pytest.mark.slow
def test_a_run_from_drop_to_frames_then_filtered_by_rule(desktop, tmp_path):
    dock = opened(desktop)
    shares = []
    panel = started(dock, tmp_path)
    panel.run.progressed.connect(lambda share, _left: shares.append(share))
    assert not panel.run_button.isEnabled()
    assert panel.cancel_button.isEnabled()
    assert until(lambda: panel.run is None, 300), panel.message_label.text()
    assert "frames located" in panel.message_label.text(), panel.message_label.text()
    assert "MB beside the result" in panel.message_label.text()
    assert shares == sorted(shares)
    assert shares[-1] > 0.9
    result = str(tmp_path / "drive.gpkg")
    assert Path(result).is_file()
    # Its layers are loaded in a group of their own, and the viewer shows the first frame.
    assert dock.tabs.currentWidget() is dock.view
    group = QgsProject.instance().layerTreeRoot().children()[0]
    assert group.name() == "drive.mp4"
    assert dock.layer is not None
    assert file_of(dock.layer) == str(Path(result).resolve())
    assert until(lambda: dock.rows and not dock.view.picture_label.picture.isNull())
    # What is shown is chosen by a rule: rows, selections and edits do not change.
    show, frames = dock.show_panel, dock.layer
    shown = map_filter.layers_of(result)
    assert {layer.name().split(" (")[0] for layer in shown} >= {"Frames", "Trajectory", "Confidence regions"}
    before = frames.featureCount()
    show.confidence_slider.setValue(60)
    assert '"confidence" >= 0.6' in frames.renderer().rootRule().filterExpression()
    assert frames.featureCount() == before
    assert frames.subsetString() == "" or "confidence" not in frames.subsetString()
    assert drawn(frames) == sum(1 for row in dock.rows if row.point is not None and (row.confidence is None or row.confidence >= 0.6))
    show.not_rated_box.setChecked(False)
    show.to_slider.setValue(50)
    assert drawn(frames) == sum(1 for row in dock.rows if row.confidence is not None and row.confidence >= 0.6 and row.time_s <= 5.0)
    show.all_button.click()
    assert frames.renderer().rootRule().filterExpression() == ""
    # The place as text, of the frame that is shown.
    row = next(number for number, one in enumerate(dock.rows) if one.point is not None)
    dock.show_row(row)
    point = dock.rows[row].point
    show.copy("Decimal")
    assert QGuiApplication.clipboard().text() == f"{point.y():.6f}, {point.x():.6f}"
    assert show.place_labels["MGRS"].text().startswith("57K")


@pytest.fixture
def shown(desktop, tmp_path):
    """The demo's drive, located with scores kept, and the workbench that shows its first frame."""
    dock = opened(desktop)
    panel = started(dock, tmp_path)
    assert until(lambda: panel.run is None, 300), panel.message_label.text()
    assert until(lambda: dock.rows, 30)
    return dock


def quiet(dock: workbench.Workbench) -> bool:
    """Wait until what was said is written."""
    return until(lambda: not dock.corrections.at_work, 60)


@pytest.mark.slow
def test_pins_are_confirmed_solved_with_and_taken_back(shown, tmp_path):
    correct = shown.correct_panel
    assert quiet(shown)
    assert not correct.solve_button.isEnabled()
    shown.show_row(7)
    correct.confirm_button.click()
    assert quiet(shown)
    assert correct.pins_table.rowCount() == 1
    assert correct.pins_table.item(0, 2).text() == "confirmed"
    assert [layer.name() for layer in QgsProject.instance().mapLayersByName("pins")] == ["pins"]
    before = {path.name: path.read_bytes() for path in (tmp_path / "drive.scores").iterdir()}
    correct.solve_button.click()
    assert quiet(shown)
    assert correct.message_label.text().startswith("Solved in ")
    [layer] = QgsProject.instance().mapLayersByName("Trajectory, with pins")
    assert layer.featureCount() > 0
    assert layer.readOnly()
    correct.solve_button.click()  # again: the layers that are there are read anew, and none is added
    assert quiet(shown)
    assert len(QgsProject.instance().mapLayersByName("Trajectory, with pins")) == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "drive.scores").iterdir()} == before
    shown.show_row(0)
    correct.pins_table.itemActivated.emit(correct.pins_table.item(0, 0))
    assert shown.row == 7
    correct.remove_pin_button.click()
    assert quiet(shown)
    assert correct.pins_table.rowCount() == 0


@pytest.mark.slow
def test_frames_and_stretches_are_judged_beside_the_result(shown, tmp_path):
    correct = shown.correct_panel
    result = (tmp_path / "drive.gpkg").read_bytes()
    shown.show_row(3)
    correct.stretch_button.click()
    shown.show_row(6)
    assert correct.moment_label.text() == "drive.mp4, 3 to 6 s"
    correct.comment_field.setText("the bridge")
    correct.who_field.setText("A. Nalyst")
    correct.state_buttons["accepted"].click()
    shown.show_row(20)
    correct.bookmark_button.click()
    assert quiet(shown)
    assert correct.review_table.rowCount() == 2
    assert [correct.review_table.item(0, column).text() for column in range(6)] == [
        "drive.mp4",
        "3",
        "6",
        "accepted",
        "the bridge",
        "A. Nalyst",
    ]
    assert correct.counts_label.text() == "drive.mp4: 4 accepted, 36 not judged"
    assert correct.comment_field.text() == ""
    assert (tmp_path / "drive.gpkg").read_bytes() == result
    # Whoever opens the result anew sees it.
    layer = QgsVectorLayer(f"{tmp_path / 'drive.review.gpkg'}|layername=review", "review", "ogr")
    assert next(layer.getFeatures())["state"] == "accepted"
    correct.review_table.selectRow(0)
    correct.remove_review_button.click()
    assert quiet(shown)
    assert correct.review_table.rowCount() == 1


@pytest.mark.slow
def test_a_camera_is_found_by_landmarks_and_pinned(shown, desktop):
    """A camera whose place and lens are known, and what it would see: the page finds it again."""
    from qgis.core import QgsDistanceArea

    panel, measure = shown.landmark_panel, QgsDistanceArea()
    measure.setEllipsoid("EPSG:7030")
    measure.setSourceCrs(QgsCoordinateReferenceSystem("EPSG:4326"), QgsProject.instance().transformContext())
    row = next(number for number, one in enumerate(shown.rows) if one.point is not None)
    shown.show_row(row)
    assert until(lambda: not shown.view.picture_label.image.isNull(), 60)
    camera = QgsPointXY(shown.rows[row].point)
    shown.tabs.setCurrentIndex([shown.tabs.tabText(one) for one in range(shown.tabs.count())].index("Landmarks"))
    width, height = panel.picture.image.width(), panel.picture.image.height()
    focal_px = width / 2 / math.tan(math.radians(30))
    assert not panel.solve_button.isEnabled()
    for bearing_deg, away_m in ((70.0, 120.0), (88.0, 200.0), (105.0, 90.0), (114.0, 260.0)):
        place = measure.computeSpheroidProject(camera, away_m, math.radians(bearing_deg))
        panel.picture.clicked.emit(width / 2 + focal_px * math.tan(math.radians(bearing_deg - 90.0)), height / 2)
        assert desktop.canvas.mapTool() is panel.tool
        panel.click_map(place)
    assert panel.table.rowCount() == 4
    panel.fov_field.setValue(60.0)
    panel.solve_button.click()
    assert until(lambda: "looking to" in panel.message_label.text(), 60), panel.message_label.text()
    lat_deg, lon_deg = (float(part) for part in panel.message_label.text().split(", ")[:2])
    assert measure.measureLine(camera, QgsPointXY(lon_deg, lat_deg)) < 3.0
    assert "looking to 90°" in panel.message_label.text()
    assert panel._band is not None
    panel.pin_button.click()
    assert quiet(shown)
    assert until(lambda: shown.correct_panel.pins_table.rowCount() == 1, 30)
    # Three do for another frame, whose lens the first one's landmarks have told.
    shown.tabs.setCurrentWidget(shown.view)
    row += 3
    shown.show_row(row)
    assert until(lambda: shown.playing.time_s == shown.rows[row].time_s and not shown.view.picture_label.image.isNull(), 60)
    camera = QgsPointXY(shown.rows[row].point)
    shown.tabs.setCurrentIndex([shown.tabs.tabText(one) for one in range(shown.tabs.count())].index("Landmarks"))
    assert panel.table.rowCount() == 0
    assert panel._videos
    assert all(video.endswith("drive.mp4") for video in panel._videos)
    for bearing_deg, away_m in ((70.0, 120.0), (88.0, 400.0), (114.0, 90.0)):
        place = measure.computeSpheroidProject(camera, away_m, math.radians(bearing_deg))
        panel.picture.clicked.emit(width / 2 + focal_px * math.tan(math.radians(bearing_deg - 90.0)), height / 2)
        panel.click_map(place)
    panel.fov_field.setValue(0.0)
    panel.solve_button.click()
    assert until(lambda: "looking to" in panel.message_label.text(), 60), panel.message_label.text()
    lat_deg, lon_deg = (float(part) for part in panel.message_label.text().split(", ")[:2])
    assert measure.measureLine(camera, QgsPointXY(lon_deg, lat_deg)) < 6.0
    assert "Field of view 60°, by the landmarks of other frames and of this one." in panel.message_label.text()
    shown.close()
    assert panel._band is None
    assert panel.tool is None


@pytest.mark.slow
def test_what_is_judged_is_the_frame_that_the_video_went_to(shown, tmp_path):
    correct = shown.correct_panel
    assert until(lambda: shown.view.bar.play_button.isEnabled(), 30)
    shown.show_row(2)
    assert correct.moment_label.text() == "drive.mp4, 2 s"
    shown.playing.go_to(20.4)
    assert until(lambda: shown.row == 20, 30)
    assert correct.moment_label.text() == "drive.mp4, 20 s"
    correct.state_buttons["rejected"].click()
    assert quiet(shown)
    layer = QgsVectorLayer(f"{tmp_path / 'drive.review.gpkg'}|layername=review", "review", "ogr")
    assert [(feature["from_s"], feature["to_s"]) for feature in layer.getFeatures()] == [(20.0, 20.0)]


@pytest.mark.slow
def test_what_was_judged_waits_for_an_engine(shown, tmp_path, monkeypatch):
    correct = shown.correct_panel
    assert quiet(shown)

    def none_there() -> str:
        raise EngineError("Install the engine first.")

    with monkeypatch.context() as without:
        without.setattr("vidtag_qgis.gui.corrections.engine.interpreter", none_there)
        shown.show_row(4)
        correct.state_buttons["accepted"].click()
        assert until(lambda: "Install the engine first." in correct.message_label.text(), 30), correct.message_label.text()
        assert not (tmp_path / "drive.review.gpkg").exists()
    shown.show_row(5)
    correct.state_buttons["unsure"].click()
    assert quiet(shown)
    layer = QgsVectorLayer(f"{tmp_path / 'drive.review.gpkg'}|layername=review", "review", "ogr")
    assert [(feature["from_s"], feature["state"]) for feature in layer.getFeatures()] == [(4.0, "accepted"), (5.0, "unsure")]


@pytest.mark.slow
def test_a_case_is_handed_over_from_the_dock(shown, tmp_path):
    group = shown.hand_over
    group.case_field.setText("2026/17")
    group.frames_field.setValue(4)
    assert not group.regions_box.isChecked()
    group.regions_box.setChecked(True)
    group.make(str(tmp_path / "case"))
    assert quiet(shown)
    assert "files" in group.message_label.text(), group.message_label.text()
    assert group.page == str(tmp_path / "case" / "drive.mp4.html")
    assert "2026/17" in Path(group.page).read_text(encoding="utf-8")
    assert Path(group.page).read_text(encoding="utf-8").count("data:image/jpeg") >= 4
    assert Path(group.page).with_suffix(".pdf").read_bytes().startswith(b"%PDF-")
    with zipfile.ZipFile(tmp_path / "case" / "result.kmz") as archive:
        assert b"<Polygon" in archive.read("doc.kml")
    group.make(str(tmp_path / "case"))
    assert quiet(shown)
    assert "holds files already" in group.message_label.text()


@pytest.mark.slow
def test_a_killed_engine_loses_nothing_of_the_review(shown, tmp_path):
    correct = shown.correct_panel
    assert quiet(shown)
    killed = 0
    for number in range(6):
        shown.show_row(number)
        correct.state_buttons["unsure"].click()
        if number % 2:
            for pid in workers():
                os.kill(pid, signal.SIGKILL)
                killed += 1
    assert killed
    assert quiet(shown)
    correct.corrections.review("list")
    assert quiet(shown)
    kept = correct.review_table.rowCount()
    layer = QgsVectorLayer(f"{tmp_path / 'drive.review.gpkg'}|layername=review", "review", "ogr")
    assert layer.featureCount() == kept
    assert kept == 6


def drawn(layer: QgsVectorLayer) -> int:
    """Features that the renderer draws: those that its rules let through."""
    from qgis.core import QgsExpressionContext, QgsExpressionContextUtils, QgsRenderContext

    renderer, context = layer.renderer().clone(), QgsRenderContext()
    scopes = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    context.setExpressionContext(scopes)
    renderer.startRender(context, layer.fields())
    count = 0
    for feature in layer.getFeatures():
        context.expressionContext().setFeature(feature)
        count += bool(feature.hasGeometry() and renderer.willRenderFeature(feature, context))
    renderer.stopRender(context)
    return count


@pytest.mark.slow
def test_cancel_stops_a_run_and_says_so(desktop, tmp_path):
    dock = opened(desktop)
    panel = started(dock, tmp_path)
    assert until(lambda: panel.bar.value() > 0 or "ngine" not in panel.message_label.text(), 60)
    panel.cancel_button.click()
    assert until(lambda: panel.run is None, 30)
    assert "ancel" in panel.message_label.text()
    assert panel.run_button.isEnabled()
    assert not (tmp_path / "drive.gpkg").exists()


def test_a_closed_dock_holds_nothing_of_the_project(desktop):
    dock = opened(desktop)
    dock.close()
    assert dock.run_panel._links == []
    desktop.canvas.setExtent(QgsRectangle(0, 0, 1, 1))  # nobody listens any more


@pytest.mark.parametrize(("lat_deg", "lon_deg", "known"), MGRS)
def test_mgrs_is_that_of_geotrans(lat_deg, lon_deg, known):
    assert coordinates.mgrs(lat_deg, lon_deg).replace(" ", "") == known


def test_other_ways_to_write_a_place():
    assert coordinates.decimal(-19.22, 159.932) == "-19.220000, 159.932000"
    assert coordinates.utm_text(-19.22, 159.932) == "57S 597967 7874567"
    assert coordinates.dms(-19.22, 159.932) == "19°13′12.00″S 159°55′55.20″E"
    assert coordinates.utm_text(89.0, 10.0) == coordinates.mgrs(-81.0, 10.0) == ""
    assert (
        coordinates.link("OpenStreetMap", 1.5, 2.25)
        == "https://www.openstreetmap.org/?mlat=1.500000&mlon=2.250000#map=18/1.500000/2.250000"
    )


def test_a_link_is_opened_by_a_click_alone_and_never_offline(desktop, monkeypatch):
    from qgis.PyQt.QtGui import QDesktopServices

    asked = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: asked.append(url.toString()) or True)
    show = opened(desktop).show_panel
    assert not show.link_buttons["Panoramax"].isEnabled()
    show.set_place(QgsPointXY(159.932, -19.22), QgsCoordinateReferenceSystem("EPSG:4326"))
    assert "learns your computer's address and this place" in show.link_buttons["Panoramax"].toolTip()
    show.link_buttons["Panoramax"].click()
    assert asked == ["https://api.panoramax.xyz/?focus=map&map=18/-19.220000/159.932000"]
    settings.set_offline(True)
    try:
        show.link_buttons["OpenStreetMap"].click()
    finally:
        settings.set_offline(False)
    assert len(asked) == 1
    assert "works offline" in show.place_message.text()


@pytest.mark.parametrize(
    ("wanted", "fields", "expression"),
    [
        (map_filter.MapFilter(), ("confidence", "time_s"), ""),
        (map_filter.MapFilter(0.5), ("confidence",), '("confidence" >= 0.5 or "confidence" is null)'),
        (map_filter.MapFilter(0.5, not_rated=False), ("time_s",), ""),
        (map_filter.MapFilter(from_s=1, to_s=2), ("from_time_s", "to_time_s"), '"to_time_s" >= 1.000 and "from_time_s" <= 2.000'),
        (map_filter.MapFilter(to_s=2, video="it's"), ("time_s", "video"), "(\"video\" <> 'it''s' or (\"time_s\" <= 2.000))"),
    ],
)
def test_filters_are_expressions(wanted, fields, expression):
    assert wanted.expression(fields) == expression


def test_how_long_it_takes_is_said_in_units_that_people_use():
    assert [duration(seconds) for seconds in (0.2, 45, 600, 9000)] == ["1 s", "45 s", "10 min", "2.5 h"]
    QgsApplication.processEvents()


@pytest.mark.slow
def test_what_was_judged_is_kept_though_the_plugin_is_taken_away_at_once(shown, desktop, tmp_path):
    shown.show_row(2)
    shown.correct_panel.state_buttons["rejected"].click()
    desktop.plugin.unload()
    layer = QgsVectorLayer(f"{tmp_path / 'drive.review.gpkg'}|layername=review", "review", "ogr")
    assert [(feature["from_s"], feature["state"]) for feature in layer.getFeatures()] == [(2.0, "rejected")]
