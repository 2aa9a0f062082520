"""What is said of a result and cannot be written: kept, told, and written once as soon as that is possible, whatever happens to engine, files and QGIS."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsPointXY, QgsProject, QgsVectorLayer

from tests.qgis.common import ROOT, desktop_with_plugin, until, workers
from vidtag_qgis.gui import workbench
from vidtag_qgis.unwritten import Entry, Unwritten

pytestmark = pytest.mark.qgis


@pytest.fixture
def desktop(qgis_processing, engine_here):
    desktop = desktop_with_plugin()
    desktop.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    yield desktop
    if desktop.plugin.provider is not None:
        desktop.plugin.unload()
    QgsProject.instance().clear()


@pytest.fixture
def folder(located, tmp_path):
    """A copy of the located drive."""
    shutil.copytree(located, tmp_path / "work")
    return tmp_path / "work"


def seen(desktop, folder: Path, tmp_path: Path) -> workbench.Workbench:
    """The workbench with the result's frames; what cannot be written is kept in a folder of the test's own."""
    layer = QgsVectorLayer(f"{folder / 'drive.gpkg'}|layername=frames", "frames", "ogr")
    QgsProject.instance().addMapLayer(layer)
    [action] = [action for action in desktop.tools if action.text() == workbench.TITLE]
    action.trigger()
    dock = desktop.plugin._actions.dock
    dock.corrections.unwritten = Unwritten(str(tmp_path / "profile"))
    assert until(lambda: dock.rows, 30)
    assert quiet(dock)
    return dock


def quiet(dock: workbench.Workbench) -> bool:
    return until(lambda: not dock.corrections.at_work, 90)


def judge(dock: workbench.Workbench, row: int, state: str = "accepted", comment: str = "") -> None:
    dock.show_row(row)
    dock.correct_panel.comment_field.setText(comment)
    dock.correct_panel.state_buttons[state].click()


def written(folder: Path, table: str = "review") -> list[tuple]:
    """What lies in the review file, read by SQLite alone."""
    path = folder / "drive.review.gpkg"
    if not path.exists():
        return []
    columns = "from_s, state, coalesce(comment, ''), sha256" if table == "review" else "time_s, here, coalesce(why, ''), sha256"
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute(f"SELECT {columns} FROM {table} ORDER BY fid").fetchall()


def kept(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "profile").glob("*.json"))


def test_a_result_that_is_gone_or_another_one_keeps_what_is_said(desktop, folder, tmp_path):
    dock, correct = seen(desktop, folder, tmp_path), desktop.plugin._actions.dock.correct_panel
    result = folder / "drive.gpkg"
    digest = dock._digest_of("drive.mp4")
    judge(dock, 1, comment="before")
    assert quiet(dock)
    assert not correct.unwritten_box.isVisibleTo(correct)
    assert kept(tmp_path) == []
    # Gone, as while somebody moves it.
    result.rename(folder / "aside.gpkg")
    judge(dock, 2, comment="while it was gone")
    assert quiet(dock)
    assert correct.unwritten_box.isVisibleTo(correct)
    assert correct.unwritten_label.text().startswith("Not written yet: 1. ")
    assert "drive.gpkg is not there" in correct.unwritten_label.text()
    assert len(kept(tmp_path)) == 1
    # Another video's result lies there, under the very names.
    shutil.copy(folder / "aside.gpkg", result)
    with contextlib.closing(sqlite3.connect(result)) as database, database:
        for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):  # which the spatial index's triggers ask for
            database.create_function(name, 1, lambda _: 0)
        database.execute("UPDATE videos SET sha256 = ?", ("f" * 64,))
    judge(dock, 3, "rejected", "said of the old one")
    dock.correct_panel.confirm_button.click()
    assert quiet(dock)
    assert "no longer holds the video drive.mp4" in correct.unwritten_label.text()
    assert correct.unwritten_label.text().startswith("Not written yet: 3. ")
    assert [row[2] for row in written(folder)] == ["before"]
    # It is back: what is said next takes the others along.
    (folder / "aside.gpkg").replace(result)
    judge(dock, 4, comment="after")
    assert quiet(dock)
    assert not correct.unwritten_box.isVisibleTo(correct)
    assert kept(tmp_path) == []
    assert sorted(row[2] for row in written(folder)) == ["after", "before", "said of the old one", "while it was gone"]
    assert {row[3] for row in written(folder)} == {digest}
    assert [(row[0], row[3]) for row in written(folder, "pins")] == [(dock.rows[3].time_s, digest)]
    assert correct.review_table.rowCount() == 4


def test_a_pin_set_on_the_map_is_kept_too(desktop, folder, tmp_path):
    dock = seen(desktop, folder, tmp_path)
    dock.show_row(5)
    (folder / "drive.gpkg").rename(folder / "aside.gpkg")
    dock.pins.set(
        str(folder / "drive.gpkg"),
        dock._files[dock.layer.id()]["drive.mp4"],
        "drive.mp4",
        dock.rows[5],
        QgsPointXY(dock.rows[5].point),
        here=True,
    )
    assert until(lambda: dock.pins.task is None, 60)
    assert quiet(dock)
    assert len(kept(tmp_path)) == 1
    (folder / "aside.gpkg").rename(folder / "drive.gpkg")
    dock.correct_panel.try_again_button.click()
    assert quiet(dock)
    assert len(written(folder, "pins")) == 1
    assert kept(tmp_path) == []


def test_what_makes_no_sense_is_said_and_not_kept(desktop, folder, tmp_path):
    dock = seen(desktop, folder, tmp_path)
    dock.show_row(5)
    for _ in range(2):
        dock.correct_panel.confirm_button.click()
        assert quiet(dock)
    assert "already" in dock.correct_panel.message_label.text()
    assert kept(tmp_path) == []
    assert not dock.correct_panel.unwritten_box.isVisibleTo(dock.correct_panel)


def test_it_can_be_given_up(desktop, folder, tmp_path):
    dock = seen(desktop, folder, tmp_path)
    (folder / "drive.gpkg").rename(folder / "aside.gpkg")
    judge(dock, 2)
    assert quiet(dock)
    dock.correct_panel.give_up_button.click()
    assert not dock.correct_panel.unwritten_box.isVisibleTo(dock.correct_panel)
    (folder / "aside.gpkg").rename(folder / "drive.gpkg")
    judge(dock, 4, comment="only this")
    assert quiet(dock)
    assert [row[2] for row in written(folder)] == ["only this"]
    assert kept(tmp_path) == []


def test_what_another_qgis_left_is_written_when_its_result_is_looked_at(desktop, folder, tmp_path):
    """It was killed before its engine answered; what a living one has just asked is left to that one."""
    dead, living = Unwritten(str(tmp_path / "profile")), Unwritten(str(tmp_path / "profile"))
    for number, (session, at_s) in enumerate(((dead, time.time() - 3600), (living, time.time()))):
        row = {
            "video": "drive.mp4",
            "from_s": 7.0 + number,
            "to_s": 7.0 + number,
            "state": "unsure",
            "when": "2026-11-01T10:00:00.000+00:00",
        }
        entry = session.add("review", {"result": str(folder / "drive.gpkg"), "action": "add", "row": row, "number": None})
        entry.at_s = at_s
        session._write(entry)
    (tmp_path / "profile" / "notes.txt").write_text("mine")
    (tmp_path / "profile" / "half.json").write_text('{"command": "rev')
    (tmp_path / "profile" / "foreign.json").write_text(
        json.dumps({"command": "train", "arguments": {}, "session": "", "why": "x", "at_s": 0})
    )
    dock = seen(desktop, folder, tmp_path)
    dock.corrections.try_again()
    assert quiet(dock)
    assert [row[0] for row in written(folder)] == [7.0]
    assert [json.loads(path.read_text())["session"] for path in kept(tmp_path) if path.name not in ("half.json", "foreign.json")] == [
        living.session
    ]
    assert (tmp_path / "profile" / "notes.txt").read_text() == "mine"


def test_the_same_said_twice_is_written_once(desktop, folder, tmp_path):
    """An engine that was killed when it had written already: the next one is asked for the very same."""
    dock = seen(desktop, folder, tmp_path)
    judge(dock, 3, comment="once")
    assert quiet(dock)
    [row] = dock.corrections._rows
    again = {
        "video": "drive.mp4",
        "sha256": row["sha256"],
        "from_s": row["from_s"],
        "to_s": row["to_s"],
        "state": row["state"],
        "comment": "once",
        "when": row["when"],
    }
    store = dock.corrections.unwritten
    store.refused(store.add("review", {"result": dock.corrections.result, "action": "add", "row": again, "number": None}), "killed")
    dock.corrections.try_again()
    assert quiet(dock)
    assert len(written(folder)) == 1
    assert kept(tmp_path) == []


@pytest.mark.slow
def test_a_full_disk_keeps_what_is_said_until_there_is_room(desktop, folder, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], capture_output=True, check=False).returncode
    ):
        pytest.skip("a small disk to fill can be made by root alone")
    try:
        work = disk / "work"
        work.mkdir()
        for name in ("drive.gpkg", "drive.mp4"):
            shutil.copy(folder / name, work / name)
        dock = seen(desktop, work, tmp_path)
        for first in (True, False):  # where the review file is yet to be made, and where it is there
            with contextlib.suppress(OSError), (disk / "filler").open("wb") as file:
                while True:
                    file.write(b"\0" * 4096)
            for row in range(3):
                judge(dock, row + (0 if first else 10), comment="x" * 3000)
            assert quiet(dock)
            assert dock.correct_panel.unwritten_label.text().startswith("Not written yet: ")
            (disk / "filler").unlink()
            dock.correct_panel.try_again_button.click()
            assert quiet(dock)
            assert not dock.correct_panel.unwritten_box.isVisibleTo(dock.correct_panel)
            assert len(written(work)) == (3 if first else 6)
        assert kept(tmp_path) == []
        with contextlib.closing(sqlite3.connect(work / "drive.review.gpkg")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        dock.close()
        desktop.plugin.unload()
        QgsProject.instance().clear()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.slow
def test_a_result_that_is_replaced_again_and_again_loses_nothing(desktop, folder, tmp_path):
    """As runs with *Overwrite* do it, whole files in the place of others, while an engine is killed now and then at a random moment."""
    dock, chance = seen(desktop, folder, tmp_path), random.Random(3)
    said, killed = [], 0
    for number in range(30):
        judge(dock, number % len(dock.rows), ("accepted", "unsure", "rejected")[number % 3], f"number {number}")
        said.append(f"number {number}")
        shutil.copy(folder / "drive.gpkg", folder / "new.gpkg")
        (folder / "new.gpkg").replace(folder / "drive.gpkg")
        if chance.random() < 0.4:
            until(lambda: False, chance.random() * 0.15)
            for pid in workers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
    assert killed
    assert quiet(dock)
    dock.corrections.try_again()  # what had been asked of three engines that were killed
    assert quiet(dock)
    assert sorted(row[2] for row in written(folder)) == sorted(said)
    assert kept(tmp_path) == []


@pytest.mark.parametrize("end", ["layer", "project", "dock", "plugin"])
def test_whatever_is_closed_at_once_nothing_is_lost(desktop, folder, tmp_path, end):
    dock = seen(desktop, folder, tmp_path)
    for row in range(4):
        judge(dock, row, comment=f"row {row}")
    if end == "layer":
        QgsProject.instance().removeMapLayer(dock.layer.id())
    elif end == "project":
        QgsProject.instance().clear()
    elif end == "dock":
        dock.close()
    else:
        desktop.plugin.unload()
    if end != "plugin":
        assert quiet(dock)
    assert sorted(row[2] for row in written(folder)) == [f"row {row}" for row in range(4)]
    assert kept(tmp_path) == []


def test_what_qgis_did_not_wait_for_is_written_the_next_time(desktop, folder, tmp_path, monkeypatch):
    from vidtag_qgis.gui import corrections

    dock = seen(desktop, folder, tmp_path)
    monkeypatch.setattr(corrections, "_FINISH_S", 0.0)
    (folder / "drive.gpkg").rename(folder / "aside.gpkg")  # so that nothing goes through meanwhile
    for row in range(3):
        judge(dock, row, comment=f"row {row}")
    desktop.plugin.unload()
    assert len(kept(tmp_path)) == 3
    (folder / "aside.gpkg").rename(folder / "drive.gpkg")
    for path in kept(tmp_path):
        assert Entry(**json.loads(path.read_text())).why


@pytest.mark.parametrize("moment_s", [0.0, 0.05, 0.3])
def test_a_pin_whose_engine_is_killed_is_set_once(desktop, folder, tmp_path, moment_s):
    dock = seen(desktop, folder, tmp_path)
    dock.show_row(5)
    video = dock._files[dock.layer.id()]["drive.mp4"]
    dock.pins.set(str(folder / "drive.gpkg"), video, "drive.mp4", dock.rows[5], QgsPointXY(dock.rows[5].point), here=True)
    until(lambda: False, moment_s)
    for pid in workers():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert until(lambda: dock.pins.task is None, 60)
    assert quiet(dock)
    assert len(written(folder, "pins")) == 1
    assert kept(tmp_path) == []
    assert not dock.correct_panel.unwritten_box.isVisibleTo(dock.correct_panel)
    assert dock.correct_panel.pins_table.rowCount() == 1


def test_what_is_removed_and_cannot_be_is_kept_and_takes_no_other_row(desktop, folder, tmp_path):
    dock, correct = seen(desktop, folder, tmp_path), desktop.plugin._actions.dock.correct_panel
    for row in range(3):
        judge(dock, row, comment=f"row {row}")
    dock.show_row(7)
    correct.confirm_button.click()
    dock.show_row(9)
    correct.confirm_button.click()
    assert quiet(dock)
    review = folder / "drive.review.gpkg"
    with contextlib.closing(sqlite3.connect(review)) as other:  # another program, in the middle of its own edits
        other.execute("BEGIN IMMEDIATE")
        correct.review_table.selectRow(1)
        correct.remove_review_button.click()
        correct.pins_table.clearSelection()
        correct.remove_pin_button.click()  # the last one
        assert quiet(dock)
        assert correct.unwritten_label.text().startswith("Not written yet: 2. ")
        other.rollback()
    assert len(written(folder)) == 3
    correct.try_again_button.click()
    assert quiet(dock)
    assert [row[2] for row in written(folder)] == ["row 0", "row 2"]
    assert [row[0] for row in written(folder, "pins")] == [dock.rows[7].time_s]
    # Asked once more, as after an engine that was killed before it answered: what is gone is no error, and nothing else goes.
    store, result = dock.corrections.unwritten, dock.corrections.result
    gone = {"video": "drive.mp4", "from_s": dock.rows[1].time_s, "to_s": dock.rows[1].time_s}
    store.refused(store.add("review", {"result": result, "action": "remove", "row": gone, "number": 2}), "killed")
    other = {"video": "drive.mp4", "time_s": 99.0}  # the file was replaced meanwhile: another pin has this number
    store.refused(store.add("pin", {"result": result, "action": "remove", "pin": other, "number": 1}), "killed")
    dock.corrections.try_again()
    assert quiet(dock)
    assert "is another one by now" in correct.message_label.text()
    assert len(written(folder)) == 2
    assert len(written(folder, "pins")) == 1
    assert kept(tmp_path) == []


def test_two_people_judge_one_result_at_the_same_time(desktop, folder, tmp_path, engine_python):
    """This QGIS, and another program that says the same kind of things through an engine of its own."""
    code = (
        "import sys; from pathlib import Path; from vidtag_engine.commands.review import add_review\n"
        "for number in range(20): add_review(Path(sys.argv[1]), {'from_s': float(number), 'state': 'rejected', 'comment': f'other {number}'})"
    )
    dock = seen(desktop, folder, tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    other = subprocess.Popen([engine_python, "-c", code, str(folder / "drive.gpkg")], env=environment)
    number = 0
    while other.poll() is None or number < 10:
        judge(dock, number % len(dock.rows), comment=f"mine {number}")
        number += 1
        until(lambda: False, 0.2)
    assert other.returncode == 0
    assert quiet(dock)
    said = [row[2] for row in written(folder)]
    assert sorted(said) == sorted([f"mine {n}" for n in range(number)] + [f"other {n}" for n in range(20)])
    assert kept(tmp_path) == []
    assert dock.correct_panel.review_table.rowCount() == number + 20
