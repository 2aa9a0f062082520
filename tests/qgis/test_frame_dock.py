"""The dock "Check frames", offscreen: a real map, a real result, pictures from the real engine."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.gui import QgsMapMouseEvent, QgsVertexMarker
from qgis.PyQt.QtCore import QEvent, QPoint, Qt
from qgis.PyQt.QtGui import QImage
from qgis.PyQt.QtWidgets import QDockWidget

from tests.qgis.common import Desktop, desktop_with_plugin, until
from vidtag_qgis import frames, layers, video_places
from vidtag_qgis.gui import frame_dock, workbench

pytestmark = pytest.mark.qgis


@pytest.fixture
def desktop(qgis_processing, engine_here):
    """QGIS with the plugin; afterwards nothing of it may be left."""
    QgsSettings().remove(video_places.FOLDERS)
    desktop = desktop_with_plugin()
    yield desktop
    if desktop.plugin.provider is not None:
        desktop.plugin.unload()
    QgsProject.instance().clear()
    QgsSettings().remove(video_places.FOLDERS)


@pytest.fixture
def result(inputs, tmp_path):
    """Two folders with a result and its video each, whose names are the same: two videos of other content."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        shutil.copy(inputs / "a.gpkg", tmp_path / folder / "a.gpkg")
    shutil.copy(inputs / "a.mp4", tmp_path / "one" / "a.mp4")
    shutil.copy(inputs / "b é.mp4", tmp_path / "two" / "a.mp4")
    digest = hashlib.sha256((inputs / "b é.mp4").read_bytes()).hexdigest()
    with closing(sqlite3.connect(tmp_path / "two" / "a.gpkg")) as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'videos'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')  # those of the spatial index need SpatiaLite
        database.execute("UPDATE videos SET sha256 = ?", (digest,))
        database.commit()
    return tmp_path


def load(geopackage: Path, name: str = "frames") -> QgsVectorLayer:
    layer = QgsVectorLayer(f"{geopackage}|layername=frames", name, "ogr")
    assert layer.isValid()
    QgsProject.instance().addMapLayer(layer)
    return layer


def opened(desktop: Desktop) -> frame_dock.FrameDock:
    [action] = [action for action in desktop.tools if action.text() == workbench.TITLE]
    action.trigger()
    return desktop.plugin._actions.dock


def settled(dock: frame_dock.FrameDock) -> bool:
    """Wait for the picture or the sentence."""
    label = dock.view.picture_label
    return until(lambda: (label.isEnabled() and not label.picture.isNull()) or dock.view.message_label.text() != "", 60)


def click(dock: frame_dock.FrameDock, canvas, place: QgsPointXY) -> None:
    """A mouse button let go over a place of the map."""
    spot = canvas.getCoordinateTransform().transform(place).toQPointF().toPoint()
    event = QgsMapMouseEvent(canvas, QEvent.Type.MouseButtonRelease, QPoint(spot), Qt.MouseButton.LeftButton)
    canvas.mapTool().canvasReleaseEvent(event)


def markers(canvas) -> list:
    return [item for item in canvas.scene().items() if isinstance(item, QgsVertexMarker)]


def truth(engine_python: str, video: Path, times: list[float], folder: Path) -> list[QImage]:
    """What plain decoding shows at these times."""
    code = (
        "import sys, av\n"
        "with av.open(sys.argv[1]) as container:\n"
        "    shown = [(frame.time, frame) for frame in container.decode(video=0)]\n"
        "for number, time in enumerate(sys.argv[3:]):\n"
        "    frame = max((one for one in shown if one[0] <= float(time) + 1e-3), key=lambda one: one[0])[1]\n"
        "    frame.to_image().save(f'{sys.argv[2]}/{number}.png')\n"
    )
    subprocess.run([engine_python, "-c", code, str(video), str(folder), *map(str, times)], check=True)
    return [QImage(str(folder / f"{number}.png")) for number in range(len(times))]


def difference(one: QImage, other: QImage) -> float:
    """Mean of the absolute differences, 0 to 255."""
    assert one.size() == other.size()
    raw = [image.convertToFormat(QImage.Format.Format_RGB888) for image in (one, other)]
    data = [image.constBits().asstring(image.sizeInBytes()) for image in raw]
    return sum(abs(a - b) for a, b in zip(*data, strict=False)) / len(data[0])


def show_map(desktop: Desktop, layer: QgsVectorLayer, crs: str = "EPSG:3857") -> QgsCoordinateTransform:
    canvas = desktop.canvas
    canvas.setLayers([layer])
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem(crs))
    transform = QgsCoordinateTransform(layer.crs(), canvas.mapSettings().destinationCrs(), QgsProject.instance())
    extent = transform.transformBoundingBox(layer.extent())
    extent.scale(1.5)
    canvas.setExtent(extent)
    until(lambda: not canvas.isDrawing(), 10)
    return transform


def test_a_frame_says_where_it_is(desktop, result):
    """Town, state and country, where the result names them; a name that comes twice is said once."""
    path = result / "one" / "a.gpkg"
    with closing(sqlite3.connect(path)) as database, database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'frames'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        assert database.execute("SELECT DISTINCT city, admin1, country FROM frames").fetchall() == [(None, None, None)]  # it lies at sea
        for index, names in enumerate([("Orleans", "Centre", "France"), ("Madrid", "Madrid", "Spain"), ("Singapore", None, "Singapore")]):
            database.execute("UPDATE frames SET city = ?, admin1 = ?, country = ? WHERE frame_index = ?", (*names, index))
    load(path)
    dock = opened(desktop)
    said = []
    for number in range(4):
        dock.view.slider.setValue(number)
        said.append(dock.view.facts_label.text().splitlines()[2:])
    assert said == [["Orleans, Centre, France"], ["Madrid, Spain"], ["Singapore"], []]


def test_a_click_shows_the_frame_and_a_step_moves_the_marker(desktop, result, engine_python, tmp_path):
    layer = load(result / "one" / "a.gpkg")
    transform = show_map(desktop, layer)
    dock = opened(desktop)
    assert dock.isVisible()
    rows = dock.rows
    assert [row.index for row in rows] == list(range(12))
    [marker] = markers(desktop.canvas)
    dock.view.pick_button.setChecked(True)
    assert desktop.canvas.mapTool() is dock.tool

    wanted = rows[7]
    click(dock, desktop.canvas, transform.transform(wanted.point))
    assert dock.rows[dock.row].point.distance(wanted.point) < 1e-9
    assert settled(dock)
    assert dock.view.message_label.text() == ""
    pictures = truth(engine_python, result / "one" / "a.mp4", [row.time_s for row in rows], tmp_path)
    for number in (dock.row, 0, 11, 5, 6):
        dock.view.slider.setValue(number)
        assert dock.row == number
        assert settled(dock)
        assert until(lambda: dock.view.picture_label.isEnabled(), 60)
        shown = dock.view.picture_label.picture.toImage()
        apart = [difference(shown, picture) for picture in pictures]
        assert apart.index(min(apart)) == number
        assert apart[number] < 0.3 * sorted(apart)[1]  # what JPEG loses of so coarse a pattern is less
        place = transform.transform(rows[number].point)
        assert marker.isVisible()
        assert dock.marker.place.distance(place) < 1e-6
        assert (
            desktop.canvas.getCoordinateTransform().toMapCoordinates(marker.pos().toPoint()).distance(place)
            < 2 * desktop.canvas.mapUnitsPerPixel()
        )
    text = dock.view.facts_label.text()
    assert text.startswith("Frame 6 of 0 to 11 · 0:03.000 · 2024-05-01 10:00:03.000 UTC")
    assert "not rated" in text.lower()  # of a checkpoint that nothing calibrated

    dock.view.next_button.click()
    assert (dock.row, dock.view.slider.value()) == (7, 7)
    dock.view.previous_button.click()
    assert dock.row == 6
    before = dock.row
    click(dock, desktop.canvas, QgsPointXY(0, 0))  # far from every frame
    assert dock.row == before


def test_the_map_follows_and_turns_to_another_system(desktop, result):
    layer = load(result / "one" / "a.gpkg")
    show_map(desktop, layer)
    dock = opened(desktop)
    desktop.canvas.setCenter(QgsPointXY(0, 0))
    dock.show_row(3)
    assert not desktop.canvas.extent().contains(dock.marker.place)
    dock.view.pan_box.setChecked(True)
    dock.show_row(4)
    assert desktop.canvas.extent().contains(dock.marker.place)
    desktop.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    assert dock.marker.place.distance(dock.rows[4].point) < 1e-9


def test_what_is_selected_on_the_layer_is_shown(desktop, result):
    layer = load(result / "one" / "a.gpkg")
    dock = opened(desktop)
    layer.selectByIds([dock.rows[9].feature_id])
    assert dock.row == 9
    layer.setSubsetString("frame_index < 4")
    assert until(lambda: len(dock.rows) == 4, 5)


def test_a_frame_without_a_place_has_a_picture_and_no_marker(desktop, result):
    layer = load(result / "one" / "a.gpkg")
    layer.startEditing()
    for feature in layer.getFeatures("frame_index = 2"):
        layer.changeGeometry(feature.id(), frames.QgsVectorLayer("Point", "", "memory").getFeature(0).geometry())
        layer.changeAttributeValue(feature.id(), layer.fields().indexOf("state"), "outside_aoi")
    assert layer.commitChanges()
    dock = opened(desktop)
    dock.show_row(1)
    assert dock.marker.visible
    dock.show_row(2)
    assert not dock.marker.visible
    assert settled(dock)
    assert not dock.view.picture_label.picture.isNull()
    assert "Not in this area, no place on the map" in dock.view.facts_label.text()
    dock.show_row(3)
    assert dock.marker.visible


def test_a_video_that_is_not_there_can_be_located(desktop, result, monkeypatch):
    shutil.move(result / "one" / "a.mp4", result / "elsewhere é.mp4")
    load(result / "one" / "a.gpkg")
    dock = opened(desktop)
    assert settled(dock)
    assert dock.view.message_label.text() == "The video a.mp4 was not found: say where it is."
    assert not dock.view.locate_button.isHidden()
    assert dock.view.picture_label.picture.isNull()
    for path, said in ((result / "two" / "a.mp4", "is not the file that the result was made from"), (result / "elsewhere é.mp4", "")):
        monkeypatch.setattr(frame_dock.QFileDialog, "getOpenFileName", lambda *_, path=path: (str(path), ""))
        dock.view.tell("", locatable=True)
        dock.view.locate_button.click()
        assert settled(dock)
        assert said in dock.view.message_label.text()
    assert until(lambda: not dock.view.picture_label.picture.isNull(), 60)
    assert dock.view.locate_button.isHidden()


def test_a_second_result_has_none_of_the_firsts(desktop, result, engine_python, tmp_path):
    first = load(result / "one" / "a.gpkg", "a first")
    dock = opened(desktop)
    assert settled(dock)
    assert not dock.view.picture_label.picture.isNull()
    second = load(result / "two" / "a.gpkg", "b second")
    assert dock.layer is first
    dock.view.layer_box.setCurrentIndex(1)
    assert dock.layer is second
    assert dock.view.picture_label.picture.isNull()  # at once
    assert len(markers(desktop.canvas)) == 1
    assert settled(dock)
    assert dock.view.message_label.text() == ""
    [mine, firsts] = (truth(engine_python, result / name / "a.mp4", [0.0], tmp_path)[0] for name in ("two", "one"))
    shown = dock.view.picture_label.picture.toImage()
    assert difference(shown, mine) < 0.3 * difference(shown, firsts)
    shutil.copy(result / "one" / "a.mp4", result / "two" / "a.mp4")  # now the file beside it has its name and not its content
    dock.close()
    opened(desktop)
    dock.view.layer_box.setCurrentIndex(dock.view.layer_box.findData(second.id()))
    assert settled(dock)
    assert "is not the file that the result was made from" in dock.view.message_label.text()
    assert dock.view.picture_label.picture.isNull()
    QgsProject.instance().removeMapLayer(second.id())
    assert dock.layer is first
    assert settled(dock)
    QgsProject.instance().removeMapLayer(first.id())
    assert dock.layer is None
    assert not dock.marker.visible
    assert dock.view.picture_label.picture.isNull()
    assert dock.view.facts_label.text() == ""
    assert dock.view.message_label.text() == frame_dock.NO_LAYER


def test_stepping_fast_never_waits_and_ends_at_the_last(desktop, inputs, result):
    load(result / "one" / "a.gpkg")
    dock = opened(desktop)
    told = []
    dock.playing.player.shown.connect(lambda _, time_s: told.append(time_s))
    for number in [*range(12), *range(11, -1, -1), 8]:
        dock.show_row(number)
    assert until(lambda: told and dock.view.picture_label.isEnabled(), 60)
    assert len(told) < 12
    assert told[-1] == pytest.approx(dock.rows[8].time_s, abs=0.001)


def test_a_pin_is_set_with_a_click(desktop, result):
    """At the time of the frame that is shown, into the review file beside the result; the map shows it; a second one is refused in the engine's words."""
    geopackage = result / "one" / "a.gpkg"
    frames_layer = load(geopackage)
    to_map = show_map(desktop, frames_layer)
    before = hashlib.sha256(geopackage.read_bytes()).digest()
    dock = opened(desktop)
    assert settled(dock)
    dock.show_row(6)
    frame = dock.rows[6]
    place = QgsPointXY(159.9320, -19.2200)
    for here, again in ((True, False), (False, True)):
        (dock.view.here_button if here else dock.view.not_here_button).setChecked(True)
        assert desktop.canvas.mapTool() is dock.pins.tool
        click(dock, desktop.canvas, to_map.transform(place))
        assert desktop.canvas.mapTool() is None
        assert not dock.view.here_button.isChecked()
        assert until(lambda: dock.pins.task is None, 60)
        said = dock.view.message_label.text()
        assert (
            "already, number 1 in a.review.gpkg" if again else f"Pin 1 is set at {frame.time_s:g} s of a.mp4, in a.review.gpkg."
        ) in said
    [pins] = [layer for layer in QgsProject.instance().mapLayers().values() if layer.name() == "pins"]
    [pin] = pins.getFeatures()
    digest = hashlib.sha256((result / "one" / "a.mp4").read_bytes()).hexdigest()
    assert (pin["video"], pin["sha256"], pin["time_s"], pin["frame_index"], pin["here"]) == (
        "a.mp4",
        digest,
        frame.time_s,
        frame.index,
        True,
    )
    width_deg = desktop.canvas.mapUnitsPerPixel() / 111_000
    assert pin.geometry().asPoint().distance(place) < 2 * width_deg
    assert hashlib.sha256(geopackage.read_bytes()).digest() == before
    dock.view.here_button.setChecked(True)
    dock.view.not_here_button.setChecked(True)
    assert not dock.view.here_button.isChecked()
    dock.view.not_here_button.setChecked(False)
    assert desktop.canvas.mapTool() is None


def test_pins_on_a_copied_layer_go_beside_the_result_that_it_was_copied_from(result):
    copy = QgsVectorLayer("Point?crs=EPSG:4326&field=video:string", "x", "memory")
    assert frames.pinned_result(copy) == ""
    frames.remember_videos(copy, str(result / "one" / "a.gpkg"))
    assert frames.pinned_result(copy) == str(result / "one" / "a.gpkg")
    (result / "one" / "a.gpkg").unlink()
    assert frames.pinned_result(copy) == ""


def test_closed_and_unloaded_it_leaves_nothing(desktop, result):
    load(result / "one" / "a.gpkg")
    dock = opened(desktop)
    assert settled(dock)
    dock.view.pick_button.setChecked(True)
    pid, folder = dock.playing.player.engine_pid, dock.pictures.folder
    assert Path(folder).is_dir()
    assert Path(f"/proc/{pid}").exists()
    dock.close()
    assert not desktop.plugin._actions.workbench.isChecked()
    assert not Path(folder).is_dir()
    assert not Path(f"/proc/{pid}").exists()
    assert markers(desktop.canvas) == []
    assert desktop.canvas.mapTool() is None
    opened(desktop)
    assert settled(dock)
    pid = dock.playing.player.engine_pid
    desktop.plugin.unload()
    QgsApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not Path(f"/proc/{pid}").exists()
    assert markers(desktop.canvas) == []
    assert desktop.menu == desktop.tools == []
    assert desktop.window.findChildren(QDockWidget) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("vidtag")]


def test_without_an_engine_it_says_what_to_do(desktop, result, monkeypatch):
    monkeypatch.setenv("VIDTAG_ENGINE_PYTHON", str(result / "no python"))
    load(result / "one" / "a.gpkg")
    dock = opened(desktop)
    assert settled(dock)
    assert "no python" in dock.view.message_label.text()
    assert dock.view.locate_button.isHidden()


def test_a_copied_layer_knows_its_videos(desktop, result):
    copy = QgsVectorLayer(
        "Point?crs=EPSG:4326&field=video:string&field=frame_index:int&field=time_s:double&field=state:string&field=confidence:double",
        "x",
        "memory",
    )
    assert frames.is_frames_layer(copy)
    assert frames.video_files(copy) == {}
    finisher = layers.LayerFinish("frames", str(result / "one" / "a.gpkg"))  # what Processing calls for a layer that it loads
    finisher.postProcessLayer(copy, QgsProcessingContext(), QgsProcessingFeedback())
    [known] = frames.video_files(copy).values()
    assert known == frames.read_video_files(str(result / "one" / "a.gpkg"))["a.mp4"]
    assert (known.file, known.kind, len(known.sha256)) == ("a.mp4", "video", 64)
    assert not frames.is_frames_layer(QgsVectorLayer("Point?crs=EPSG:4326&field=video:string", "x", "memory"))


def test_where_videos_are_looked_for(tmp_path):
    QgsSettings().remove(video_places.FOLDERS)
    (tmp_path / "day 1" / "ü").mkdir(parents=True)
    (tmp_path / "day 2").mkdir()
    for place in ("day 1/ü/a.mp4", "day 2/b.mp4"):
        (tmp_path / place).write_bytes(b"1")
    video_places.remember([str(tmp_path / "day 2" / "b.mp4"), str(tmp_path / "gone.mp4")])
    video_places.remember([str(tmp_path / "day 1")])
    assert video_places.remembered() == [str(tmp_path / "day 1"), str(tmp_path / "day 2")]
    assert video_places.candidates("b.mp4", video_places.remembered()) == [str(tmp_path / "day 2" / "b.mp4")]
    assert video_places.candidates("a.mp4", video_places.remembered()) == [str(tmp_path / "day 1" / "ü" / "a.mp4")]
    assert video_places.candidates("day 2", [str(tmp_path / "day 2")]) == [str(tmp_path / "day 2")]
    assert video_places.candidates("c.mp4", ["", str(tmp_path)]) == []
    for number in range(30):
        (tmp_path / str(number)).mkdir()
        video_places.remember([str(tmp_path / str(number))])
    assert len(video_places.remembered()) == video_places.MOST_FOLDERS
    QgsSettings().remove(video_places.FOLDERS)
