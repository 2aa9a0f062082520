"""The moving part of Check frames, offscreen: keys, buttons, mouse and the map's time drive a real video from the real engine."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import time
from itertools import pairwise
from pathlib import Path

import pytest
from qgis.core import QgsDateTimeRange, QgsPointXY, QgsProject, QgsSettings
from qgis.gui import QgsRubberBand
from qgis.PyQt.QtCore import QDateTime, QEvent, QPointF, Qt
from qgis.PyQt.QtGui import QImage, QMouseEvent
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication

from tests.qgis.common import desktop_with_plugin, until, workers
from tests.qgis.test_frame_dock import click, difference, load, opened, result, show_map, truth  # noqa: F401 - a fixture
from vidtag_qgis import moments, video_places
from vidtag_qgis.frames import FrameRow
from vidtag_qgis.gui import player as players

pytestmark = pytest.mark.qgis
KILLS = int(os.environ.get("VIDTAG_TEST_KILLS", "12"))
"""How often an engine is killed."""


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
def dock(desktop, result):  # noqa: F811 - the fixture
    """The dock with its first picture."""
    layer = load(result / "one" / "a.gpkg")
    dock = opened(desktop)
    show_map(desktop, layer)
    dock.painted = []
    dock.playing.player.painted.connect(dock.painted.append)
    assert until(lambda: dock.painted, 60)
    return dock


def painted_at(dock, time_s: float) -> bool:
    """Wait until a picture of this time is painted."""
    return until(lambda: dock.painted and abs(dock.painted[-1] - time_s) < 0.002, 30)


def key(dock, name: str) -> None:
    dock.activateWindow()
    dock.view.picture_label.setFocus()
    QTest.keyClick(dock.view, getattr(Qt.Key, f"Key_{name}"))


def test_scrubbing_shows_the_exact_picture_and_moves_the_marker_at_once(dock, desktop, result, engine_python, tmp_path):  # noqa: F811
    told = []
    dock.moment_changed.connect(lambda video, time_s: told.append((video, round(time_s, 3))))
    for moment in (1.3, 4.71, 0.26):
        dock.painted.clear()
        dock.view.bar.time_slider.setValue(round(moment * 1000))
        before = moments.Line(dock.rows).row_at(moment)
        assert dock.row == before
        one, other = dock.rows[before], dock.rows[before + 1]
        share = (moment - one.time_s) / (other.time_s - one.time_s)
        wanted = QgsPointXY(*(a + share * (b - a) for a, b in ((one.point.x(), other.point.x()), (one.point.y(), other.point.y()))))
        transform = show_map(desktop, dock.layer)
        assert dock.marker.place.distance(transform.transform(wanted)) < 1e-6
        assert told[-1] == ("a.mp4", moment)
        assert until(lambda: dock.painted, 30)
        [picture] = truth(engine_python, result / "one" / "a.mp4", [moment], tmp_path)
        assert difference(dock.view.picture_label.picture.toImage(), picture) < 2.0
        assert dock.view.bar.time_label.text().startswith(moments.clock(moment))
        assert dock.painted[-1] <= moment + 0.001


def test_keys_play_faster_back_and_step(dock):
    player = dock.playing.player
    rates = []
    player.playing_changed.connect(rates.append)
    dock.view.bar.time_slider.setValue(1000)
    assert until(lambda: dock.painted[-1] > 0.9, 30)
    first = dock.painted[-1]
    key(dock, "Right")
    assert until(lambda: dock.painted[-1] > first, 30)
    after = dock.painted[-1]
    key(dock, "Left")
    assert painted_at(dock, first)
    assert after - first < 0.6
    for name, rate in (
        ("L", 1.0),
        ("L", 2.0),
        ("L", 4.0),
        ("L", 4.0),
        ("K", 0.0),
        ("J", -1.0),
        ("J", -2.0),
        ("Space", 0.0),
        ("Space", 1.0),
    ):
        key(dock, name)
        assert player.rate == rate
        assert dock.view.bar.speed_label.text() == (f"{rate:+g}×" if rate else "")
    assert rates == [1.0, 2.0, 4.0, 0.0, -1.0, -2.0, 0.0, 1.0]
    dock.view.bar.play_button.click()
    assert player.rate == 0.0


@pytest.mark.parametrize("rate", [1.0, -1.0])
def test_playing_keeps_time_and_the_marker_in_step(dock, rate):
    dock.playing.go_to(0.5 if rate > 0 else 4.5)
    assert until(lambda: abs(dock.painted[-1] - dock.playing.time_s) < 0.6, 30)
    time.sleep(0.3)
    line, seen = moments.Line(dock.rows), []
    dock.painted.clear()

    def look(time_s: float) -> None:
        place = line.place_at(time_s)
        seen.append((time.perf_counter(), time_s, dock.marker.place, place))

    dock.playing.player.painted.connect(look)
    dock.playing.player.play(rate)
    assert until(lambda: len(seen) > 8, 30)
    assert until(lambda: abs(seen[-1][1] - seen[0][1]) > 2.0, 30)
    dock.playing.pause()
    steps = [(after[1] - before[1]) * rate for before, after in pairwise(seen)]
    assert min(steps) > 0
    took_s, went_s = seen[-1][0] - seen[0][0], abs(seen[-1][1] - seen[0][1])
    assert took_s > 0.9 * went_s
    transform = dock.layer.crs(), dock._canvas.mapSettings().destinationCrs()
    from qgis.core import QgsCoordinateTransform

    to_map = QgsCoordinateTransform(*transform, QgsProject.instance())
    for _, _, marker, place in seen:
        assert marker.distance(to_map.transform(place)) < 1e-6


def test_playing_ends_at_the_end(dock):
    dock.playing.go_to(dock.playing.player.duration_s - 0.6)
    dock.playing.toggle()
    assert until(lambda: dock.playing.rate == 0.0, 30)
    assert dock.painted[-1] > dock.playing.player.duration_s - 0.6


def test_the_mouse_over_the_track_moves_the_video(dock, desktop):
    canvas = desktop.canvas
    transform = show_map(desktop, dock.layer)
    far = max((row for row in dock.rows if row.point is not None), key=lambda row: row.point.distance(dock.rows[0].point))
    there = transform.transform(far.point)
    spot = canvas.getCoordinateTransform().transform(there).toQPointF()

    def move(place: QPointF) -> None:
        event = QMouseEvent(QEvent.Type.MouseMove, place, Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(canvas.viewport(), event)

    move(spot)
    until(lambda: False, 0.2)
    assert dock.row == 0  # not asked for
    dock.view.bar.hover_button.setChecked(True)
    move(spot)
    assert until(lambda: dock.marker.place.distance(there) < 3 * canvas.mapUnitsPerPixel(), 10)
    assert dock.playing.time_s > 0.5
    assert until(lambda: 0 <= dock.playing.time_s - dock.painted[-1] + 0.001 < 0.6, 30)
    here = dock.playing.time_s
    move(QPointF(1.0, 1.0))
    until(lambda: False, 0.2)
    assert dock.playing.time_s == here


def test_every_visit_to_a_place_is_listed_and_leads_there(dock, desktop):
    transform = show_map(desktop, dock.layer)
    bar = dock.view.bar
    bar.radius_box.setValue(20)
    bar.seen_button.setChecked(True)
    assert desktop.canvas.mapTool() is dock.playing.tool
    click(dock, desktop.canvas, transform.transform(dock.rows[6].point))
    assert not bar.visits_list.isHidden()
    assert bar.visits_list.count() >= 1
    [circle] = [item for item in desktop.canvas.scene().items() if isinstance(item, QgsRubberBand)]
    box = circle.asGeometry().boundingBox()
    assert 36 < box.width() < 48  # 40 m on the ground at 19 degrees south, in Web Mercator
    entry = bar.visits_list.item(0)
    dock.painted.clear()
    bar.visits_list.itemClicked.emit(entry)
    assert dock.playing.time_s == pytest.approx(entry.data(Qt.ItemDataRole.UserRole))
    assert until(lambda: dock.painted, 30)
    click(dock, desktop.canvas, QgsPointXY(0, 0))
    assert bar.visits_list.item(0).text() == "The camera was never so near this place."
    bar.seen_button.setChecked(False)
    assert bar.visits_list.isHidden()
    assert not [item for item in desktop.canvas.scene().items() if isinstance(item, QgsRubberBand)]


def test_the_maps_time_follows_and_leads_only_where_asked(dock, desktop):
    canvas, begin = desktop.canvas, QDateTime.fromString("2024-05-01T10:00:00Z", Qt.DateFormat.ISODate)
    before = canvas.temporalRange()
    dock.show_row(4)
    assert canvas.temporalRange() == before
    dock.view.bar.temporal_box.setChecked(True)
    dock.playing.go_to(3.4)
    assert canvas.temporalRange().begin() == begin.addSecs(3)
    assert canvas.temporalRange().end() == begin.addSecs(4)
    canvas.setTemporalRange(QgsDateTimeRange(begin.addSecs(1), begin.addSecs(2)))
    assert dock.playing.time_s == pytest.approx(1.0)
    assert painted_at(dock, 1.0)
    canvas.setTemporalRange(QgsDateTimeRange(begin.addSecs(4000), begin.addSecs(4001)))
    assert dock.playing.time_s == pytest.approx(1.0)
    dock.view.bar.temporal_box.setChecked(False)
    dock.show_row(7)
    assert canvas.temporalRange().begin() == begin.addSecs(4000)


def test_an_engine_killed_while_it_plays_is_one_sentence_and_the_next_wish_starts_another(dock):
    player = dock.playing.player
    pid = player.engine_pid
    player.play()
    assert until(lambda: len(dock.painted) > 3, 30)
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: dock.view.message_label.text(), 30)
    said = dock.view.message_label.text()
    assert "\n" not in said
    assert "ended before it answered" in said
    assert player.rate == 0.0
    dock.painted.clear()
    dock.playing.go_to(2.5)
    assert until(lambda: dock.painted, 60)
    assert player.engine_pid != pid
    assert dock.view.message_label.text() == ""


def test_an_engine_killed_while_nothing_is_wanted_is_started_again_unseen(dock):
    pid = dock.playing.player.engine_pid
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.4)
    dock.painted.clear()
    dock.playing.go_to(2.0)
    assert until(lambda: dock.painted, 60)
    assert dock.playing.player.engine_pid not in {pid, None}
    assert dock.view.message_label.text() == ""


def test_a_video_that_goes_away_is_one_sentence(dock, result):  # noqa: F811 - the fixture
    (result / "one" / "a.mp4").unlink()
    dock.playing.go_to(3.3)
    assert until(lambda: dock.view.message_label.text(), 30)
    assert "a.mp4 is not there any more" in dock.view.message_label.text()
    assert not dock.view.locate_button.isHidden()


@pytest.mark.parametrize("when", ["at once", "playing", "seeking"])
def test_closed_at_any_moment_nothing_is_left(desktop, result, when, tmp_path, monkeypatch):  # noqa: F811 - the fixture
    monkeypatch.setattr(players, "_quick_folder", lambda: str(tmp_path))
    load(result / "one" / "a.gpkg")
    dock = opened(desktop)
    player = dock.playing.player
    if when != "at once":
        assert until(lambda: not dock.view.picture_label.picture.isNull(), 60)
    if when == "playing":
        player.play()
        until(lambda: False, 0.3)
    if when == "seeking":
        dock.playing.go_to(5.0)
    pid = player.engine_pid
    dock.close()
    assert pid is None or not Path(f"/proc/{pid}").exists()
    assert list(tmp_path.glob("vidtag-player-*")) == []
    assert not [line for line in Path("/proc/self/maps").read_text().splitlines() if "vidtag-player-" in line]


def test_no_room_is_said(desktop, result, monkeypatch):  # noqa: F811 - the fixture
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(players.FrameRing, "create", full)
    load(result / "one" / "a.gpkg")
    dock = opened(desktop)
    assert until(lambda: dock.view.message_label.text(), 60)
    assert dock.view.message_label.text() == (
        "There is no room for the viewer's pictures (No space left on device): free some space for temporary files."
    )


def rows(*places: tuple[float, object]) -> list[FrameRow]:
    return [
        FrameRow(number, number, time_s, "", "located", None, None if place is None else QgsPointXY(*place))
        for number, (time_s, place) in enumerate(places)
    ]


def test_places_between_frames_lie_on_the_line_and_gaps_have_none():
    line = moments.Line(rows((0, (0, 0)), (1, (10, 0)), (2, None), (3, (10, 20)), (4, (0, 20)), (5, (0, 0)), (60, (5, 5))))
    assert line.place_at(0.25) == QgsPointXY(2.5, 0)
    assert line.place_at(1.0) == QgsPointXY(10, 0)
    for gap in (1.5, 2.0, 2.5, 30.0):
        assert line.place_at(gap) is None
    assert line.place_at(3.5) == QgsPointXY(5, 20)
    assert line.place_at(60.2) == QgsPointXY(5, 5)
    assert line.place_at(99.0) is None
    points = [row.point for row in line._rows]
    visits = line.visits(QgsPointXY(1, 0), 2.0, points)
    assert [round(time_s, 3) for time_s, _ in visits] == [0.1, 5.0]
    assert [round(distance, 3) for _, distance in visits] == [0.0, 1.0]
    assert line.nearest(QgsPointXY(1, 0), 2.0, points) == pytest.approx(0.1)
    assert line.nearest(QgsPointXY(100, 0), 2.0, points) is None
    assert moments.Line([]).row_at(3.0) == -1
    assert moments.clock(62.55) == "01:02.5"


def test_a_folder_of_images_is_stepped_through_as_before(desktop, result, tmp_path):  # noqa: F811 - the fixture
    import json

    from vidtag_qgis import frames

    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        image = QImage(64, 32, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.red if number else Qt.GlobalColor.blue)
        assert image.save(str(folder / f"{number}.png"))
    layer = load(result / "one" / "a.gpkg")
    layer.setCustomProperty(frames.VIDEOS_PROPERTY, json.dumps({"a.mp4": {"file": "pictures", "kind": "images", "sha256": "", "why": ""}}))
    video_places.remember([str(folder)])
    dock = opened(desktop)
    assert until(lambda: not dock.view.picture_label.picture.isNull(), 60)
    assert not dock.view.bar.play_button.isEnabled()
    assert dock.playing.player.engine_pid is None
    assert dock.view.picture_label.picture.toImage().pixelColor(5, 5).blue() > 200
    key(dock, "Right")
    assert dock.row == 1


def says(dock, words: str) -> bool:
    return until(lambda: words in dock.view.message_label.text(), 30)


@pytest.mark.parametrize("how", ["removed", "replaced", "truncated"])
@pytest.mark.parametrize("when", ["shown", "played"])
def test_a_video_that_changes_is_one_sentence_until_it_is_back(dock, result, how, when, tmp_path):  # noqa: F811 - the fixture
    video, kept = result / "one" / "a.mp4", tmp_path / "kept.mp4"
    video.rename(kept)
    kept_mark = kept.stat().st_mtime_ns
    if how == "replaced":
        shutil.copy(result / "two" / "a.mp4", video)
    elif how == "truncated":
        video.write_bytes(kept.read_bytes()[: kept.stat().st_size // 2])
    if when == "played":
        dock.playing.player.play()
    else:
        dock.playing.go_to(3.3)
    expected = "is not there any more" if how == "removed" else "is not the file that the result was made from"
    assert says(dock, expected), dock.view.message_label.text()
    assert "\n" not in dock.view.message_label.text()
    assert dock.playing.player.rate == 0.0
    assert dock.view.picture_label.image.isNull()  # nothing of the other video
    dock.painted.clear()
    kept.replace(video)
    assert video.stat().st_mtime_ns == kept_mark
    dock.playing.go_to(2.0)
    assert painted_at(dock, 2.0), dock.view.message_label.text()
    assert dock.view.message_label.text() == ""


def test_a_video_cut_short_while_it_plays_is_one_sentence(dock, result):  # noqa: F811 - the fixture
    video = result / "one" / "a.mp4"
    whole = video.read_bytes()
    player = dock.playing.player
    dock.painted.clear()
    player.play()
    assert until(lambda: len(dock.painted) > 3, 30)
    os.truncate(video, len(whole) // 3)
    assert until(lambda: player.rate == 0.0, 60)
    dock.playing.go_to(1.0)
    assert says(dock, "is not the file that the result was made from"), dock.view.message_label.text()
    video.write_bytes(whole)
    dock.painted.clear()
    dock.playing.go_to(2.0)
    assert painted_at(dock, 2.0), dock.view.message_label.text()


@pytest.mark.slow
def test_engines_killed_at_any_moment_leave_no_file_and_no_process(dock, monkeypatch, tmp_path):
    """Many times, while it starts, opens, plays or seeks."""
    monkeypatch.setattr(players, "_quick_folder", lambda: str(tmp_path))
    player, draw = dock.playing.player, random.Random(5)
    pids, end_s = set(), time.monotonic() + 240.0
    while len(pids) < KILLS and time.monotonic() < end_s:
        if len(pids) % 3 == 0:
            player.play()
        else:
            dock.playing.go_to(draw.uniform(0.0, 9.0))
        until(lambda: player.engine_pid not in {None, *pids}, 2.0)
        until(lambda: False, draw.uniform(0.0, 1.5))
        if (pid := player.engine_pid) is not None:
            pids.add(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert len(pids) == KILLS
    player.pause()
    dock.painted.clear()
    dock.playing.go_to(2.0)
    assert painted_at(dock, 2.0), dock.view.message_label.text()
    assert list(tmp_path.glob("vidtag-player-*")) == []  # the ring that is in use has no name
    held = [line for line in Path("/proc/self/maps").read_text().splitlines() if "vidtag-player-" in line]
    assert len(held) == 1
    assert len([pid for pid in workers() if pid in pids - {player.engine_pid}]) == 0
    dock.close()
    assert not [line for line in Path("/proc/self/maps").read_text().splitlines() if "vidtag-player-" in line]
    assert [pid for pid in workers() if pid in pids | {player.engine_pid}] == []
