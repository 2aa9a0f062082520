"""The review beside a result: by moments, in place, robust against what other programs write, and through worker and command line alike."""

from __future__ import annotations

import hashlib
import json
import math
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Geod
from typer.testing import CliRunner

from benchmarks import review_kills
from tests.other_program import OtherProgram
from tests.test_corrections import EAST, FRAMES, place, written  # noqa: F401 - a fixture
from tests.test_review_file import at_rate
from vidtag_engine import protocol
from vidtag_engine.cli.app import app
from vidtag_engine.command_arguments import LandmarksArguments, PinArguments, ReviewArguments
from vidtag_engine.commands.landmark_lens import file_lens
from vidtag_engine.commands.landmarks import run_landmarks
from vidtag_engine.commands.pin import list_pins, run_pin
from vidtag_engine.commands.pin_actions import run_pin_action
from vidtag_engine.commands.review import run_review
from vidtag_engine.commands.solve import run_solve
from vidtag_engine.export import read_geopackage
from vidtag_engine.export.moments import VideoMoments
from vidtag_engine.export.pins import PinRow, read_pins
from vidtag_engine.export.review_file import review_path
from vidtag_engine.file_marks import foreign_layers, own_kind
from vidtag_engine.types import InputError
from vidtag_engine.video.digest import source_digest

GEOD = Geod(ellps="WGS84")


def review(path, action="list", number=None, **row):
    return run_review(ReviewArguments(str(path), action, row or None, number))


def states(path):
    [video] = review(path, "states")["videos"]
    return video


def test_the_newest_judgement_of_a_moment_holds(written):  # noqa: F811
    before = hashlib.sha256(written.read_bytes()).digest()
    first = review(written, "add", from_s=0, to_s=88, state="accepted", who="Ada")["row"]
    review(written, "add", from_s=16.0, to_s=40.0, state="rejected", comment="another street")
    review(written, "add", from_s=24.0, state="unsure")
    review(written, "add", from_s=8.0, bookmark=True)
    review(written, "add", from_s=32.0, comment="a mill")
    expected = ["accepted"] * 2 + ["rejected", "unsure", "rejected", "rejected"] + ["accepted"] * 6
    assert states(written)["state"] == expected
    assert states(written)["counts"] == {"accepted": 8, "rejected": 3, "unsure": 1}
    assert states(written)["bookmark"] == [index == 1 for index in range(FRAMES)]
    assert (first["video"], first["sha256"], first["number"], first["who"]) == ("town.mp4", "ab" * 32, 1, "Ada")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(first["when"])).total_seconds() < 60
    moved = review(written, "change", 2, from_s=24.0)["row"]  # a stretch stays one
    assert (moved["from_s"], moved["to_s"]) == (24.0, 40.0)
    review(written, "change", 2, from_s=16.0)
    moved = review(written, "change", 3, from_s=32.0)["row"]
    assert (moved["from_s"], moved["to_s"]) == (32.0, 32.0)
    review(written, "change", 1, comment="seen again")  # says it anew
    assert states(written)["state"] == ["accepted"] * FRAMES
    assert review(written, "remove")["row"]["comment"] == "a mill"
    assert review(written, "remove", 1)["row"]["state"] == "accepted"
    assert states(written)["state"][:6] == [None, None, "rejected", "rejected", "unsure", "rejected"]
    assert hashlib.sha256(written.read_bytes()).digest() == before
    json.dumps([review(written), review(written, "states")])


def test_a_review_outlives_its_result(tmp_path):
    path = at_rate(tmp_path / "r.gpkg", 1)
    review(path, "add", from_s=48.0, state="accepted")
    review(path, "add", from_s=60.0, to_s=70.0, state="rejected")
    at_rate(path, 2)  # replaces the result: samples 0, 16, … 80 s
    assert dict(zip(states(path)["time_s"], states(path)["state"], strict=True)) == {
        0: None, 16: None, 32: None, 48: "accepted", 64: "rejected", 80: None,
    }  # fmt: skip
    at_rate(path, 4)  # 0, 32, 64 s: the frame at 48 s is just half a step away
    assert states(path)["state"].count("rejected") == 1


def test_files_of_pins_alone_get_the_table_and_stay_open_elsewhere(written):  # noqa: F811
    run_pin(written, PinRow("", 6, *place(26, 33)))
    file = review_path(written)
    with closing(sqlite3.connect(file)) as database:  # as an earlier version made it
        database.execute("ALTER TABLE pins DROP COLUMN confirmed")
        database.commit()
    assert [(pin.kind, pin.confirmed) for pin in read_pins(file)] == [("here", False)]
    inode = file.stat().st_ino
    with OtherProgram(file) as other:
        assert other.ask("PRAGMA journal_mode = WAL") == "wal"
        assert other.ask("SELECT count(*) FROM pins") == 1
        review(written, "add", from_s=8.0, state="unsure", who="Ada")
        assert other.ask("SELECT state FROM review") == "unsure"
        other.ask("BEGIN IMMEDIATE")
        with pytest.raises(InputError, match="is being written to by another program.*toggle editing off"):
            review(written, "add", from_s=16.0, state="accepted")
        other.ask("ROLLBACK")
        assert len(review(written)["rows"]) == 1
    assert file.stat().st_ino == inode
    frame = pyogrio.read_dataframe(file, layer="review")  # GDAL sees a table without geometry
    assert (frame.state.tolist(), frame.who.tolist(), frame.bookmark.tolist(), frame.from_s.tolist()) == (
        ["unsure"],
        ["Ada"],
        [False],
        [8.0],
    )
    assert "geometry" not in frame
    assert str(frame.when.dtype).startswith("datetime64")
    assert (own_kind(file), foreign_layers(file)) == ("review", [])


def test_what_people_write_in_another_program_is_told_and_kept(written):  # noqa: F811
    review(written, "add", from_s=8.0, state="accepted")
    file = review_path(written)
    with closing(sqlite3.connect(file)) as database:
        database.execute("ALTER TABLE review ADD COLUMN colour TEXT")
        database.execute("INSERT INTO review (video, from_s, state, colour) VALUES ('town.mp4', 16, ' Rejected', 'red')")
        database.execute("INSERT INTO review (video, from_s, state) VALUES ('town.mp4', 24, 'ok')")
        database.execute("INSERT INTO review (video, from_s, to_s, state) VALUES ('town.mp4', 'soon', 3, 'unsure')")
        database.execute("INSERT INTO review (from_s, state) VALUES (24, 'unsure')")
        database.execute("INSERT INTO review (video, from_s, to_s, state) VALUES ('town.mp4', 24, 3, 'unsure')")
        database.execute("""INSERT INTO review (video, from_s, state, "when") VALUES ('town.mp4', 24, 'unsure', 'noon')""")
        database.commit()
    said = review(written)
    assert [row["number"] for row in said["rows"]] == [1, 2]
    starts = [
        "Row 3 in the table review of town ü.review.gpkg says 'ok' in its column state: write accepted, rejected or unsure, or leave it empty, or"
    ]
    starts += [
        "Row 4 in the table review of town ü.review.gpkg does not say its moment",
        "Row 5 in .* does not say its video",
        "Row 6 .* ends at 3 s",
    ]
    starts += ["Row 7 .* says 'noon' in its column when"]
    assert len(said["problems"]) == len(starts)
    assert all(re.match(start, problem) for start, problem in zip(starts, said["problems"], strict=True))
    assert states(written)["state"][:4] == [None, "accepted", "rejected", None]
    with pytest.raises(InputError, match="Row 3 .* says 'ok'"):
        review(written, "change", 3, comment="what?")
    review(written, "change", 2, comment="a wrong turn")
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT colour, comment, state, from_s FROM review WHERE fid = 2").fetchone() == (
            "red",
            "a wrong turn",
            "rejected",
            16,
        )
    assert review(written, "remove", 2)["row"]["colour"] == "red"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"from_s": 8, "state": "fine"}, "no state 'fine': choose accepted, rejected or unsure"),
        ({"from_s": 8}, "says nothing"),
        ({"state": "accepted"}, "does not say its moment"),
        ({"from_s": 30, "to_s": 8, "state": "accepted"}, "30 to 8 s is no stretch of town.mp4: give two times from 0 to 88 s"),
        ({"from_s": 200, "state": "accepted"}, "no stretch"),
        ({"from_s": "soon", "state": "accepted"}, "cannot be understood"),
        ({"from_s": 8, "state": "accepted", "colour": "red"}, "no 'colour'"),
        ({"from_s": 8, "state": "accepted", "video": "other.mp4"}, "no video 'other.mp4'.*town.mp4"),
    ],
)
def test_rows_that_do_not_fit_are_refused(written, row, says):  # noqa: F811
    with pytest.raises(InputError, match=says):
        review(written, "add", **row)
    assert not review_path(written).exists()


def pin(path, action="add", number=None, **values):
    return run_pin_action(PinArguments(str(path), values or None, action, number))


def test_pins_of_three_kinds_are_set_changed_and_taken_back(written):  # noqa: F811
    t = read_geopackage(written)[0][0].trajectory
    confirmed = pin(written, frame_index=2, kind="confirmed", who="Ada")
    assert (confirmed["number"], confirmed["time_s"], confirmed["video"]) == (1, 16.0, "town.mp4")  # as ever
    told = confirmed["pin"]
    assert (told["lat_deg"], told["lon_deg"]) == (t.lat_deg[2], t.lon_deg[2])
    assert (told["radius_m"], told["kind"], told["here"]) == (t.confidence_radius_m, "confirmed", True)
    lat, lon = place(26, 33)
    pin(written, frame_index=6, lat_deg=lat, lon_deg=lon, kind="not here")
    pin(written, frame_index=8, lat_deg=lat, lon_deg=lon, here=True)
    assert [one["kind"] for one in pin(written, "list")["pins"]] == ["confirmed", "not here", "here"]
    changed = pin(written, "change", 2, why="no such bridge")["pin"]
    assert (changed["why"], changed["kind"]) == ("no such bridge", "not here")
    assert pin(written, "change", 3, radius_m=20.0, kind="not here")["pin"]["here"] is False
    frame = pyogrio.read_dataframe(review_path(written), layer="pins")
    assert (frame.confirmed.tolist(), frame.here.tolist()) == ([True, False, False], [True, False, False])
    assert frame.why.fillna("").tolist() == ["", "no such bridge", ""]
    with pytest.raises(InputError, match="lies outside the area"):
        pin(written, "change", 1, lat_deg=50.0)
    for number, values, says in (
        (9, {"why": "x"}, "no pin 9.*(1, 2, 3)"),
        (1, {"who": "x"}, "who of a pin cannot be changed"),
        (1, {}, "not said what"),
    ):
        with pytest.raises(InputError, match=says):
            pin(written, "change", number, **values)
    with pytest.raises(InputError, match="no pins of the kind 'maybe': choose here, not here or confirmed"):
        pin(written, frame_index=9, kind="maybe")
    with pytest.raises(InputError, match="Frame 3 of town.mp4 has no place that could be confirmed"):
        pin(written, frame_index=3, kind="confirmed")
    assert pin(written, "remove")["pin"]["number"] == 3
    assert [one.kind for one in list_pins(written)] == ["confirmed", "not here"]
    assert run_solve(written)["videos"][0]["pins"] == 2
    json.dumps(pin(written, "list"))


def test_a_pin_that_says_both_is_what_here_says(written):  # noqa: F811
    """As when a person unticks ``here`` of a confirmed pin in QGIS."""
    pin(written, frame_index=2, kind="confirmed")
    with closing(sqlite3.connect(review_path(written))) as database:
        for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            database.create_function(name, 1, lambda _: 0)
        database.execute("UPDATE pins SET here = 0")
        database.commit()
    assert [one.kind for one in list_pins(written)] == ["not here"]


def clicks_from(lat, lon, bearing, width_px, ways, fov_deg=60.0):
    focal_px = width_px / 2 / math.tan(math.radians(fov_deg) / 2)
    points = []
    for azimuth, away_m in ways:
        other_lon, other_lat, _ = GEOD.fwd(lon, lat, azimuth, away_m)
        points.append([width_px / 2 + focal_px * math.tan(math.radians(azimuth - bearing)), 50.0, other_lat, other_lon])
    return points


def test_landmarks_become_a_pin_and_are_kept(written):  # noqa: F811
    lat, lon = place(EAST[0] + 6, EAST[1])
    points = clicks_from(lat, lon, 30.0, 640, ((8, 150), (25, 500), (48, 250)))
    options = {"points": points, "width_px": 640, "height_px": 360, "fov_deg": 60.0}
    found = run_landmarks(LandmarksArguments(str(written), 48.0, **options))
    [camera] = found["places"]
    assert GEOD.inv(camera["lon_deg"], camera["lat_deg"], lon, lat)[2] < 0.5
    assert camera["bearing_deg"] == pytest.approx(30.0, abs=0.1)
    assert not review_path(written).exists()  # nothing was asked to be kept
    found = run_landmarks(LandmarksArguments(str(written), 48.0, pin=True, who="Ada", **options))
    json.dumps(found)
    [kept] = list_pins(written)
    assert (kept.radius_m, kept.who, kept.time_s, kept.kind) == (camera["semi_major_m"], "Ada", 48.0, "here")
    layer = pyogrio.read_dataframe(review_path(written), layer="landmarks")
    assert isinstance(layer, geopandas.GeoDataFrame)
    assert layer.crs.to_epsg() == 4326
    assert [[x, y, point.y, point.x] for x, y, point in zip(layer.x_px, layer.y_px, layer.geometry, strict=True)] == points
    assert (set(layer.pin), set(layer.who), set(layer.time_s), set(layer.video)) == ({1}, {"Ada"}, {48.0}, {"town.mp4"})
    assert shapely.box(*layer.total_bounds).area > 0
    assert foreign_layers(review_path(written)) == []
    again = run_landmarks(LandmarksArguments(str(written), 48.0))
    assert (again["points"], again["width_px"], again["places"]) == (points, 640, [])
    moved = run_solve(written)["videos"][0]
    assert (moved["pins"], moved["moved"]) == (1, FRAMES - 1)
    with pytest.raises(InputError, match="already"):
        run_landmarks(LandmarksArguments(str(written), 48.0, pin=True, **options))
    with pytest.raises(InputError, match="100 s lies outside the video town.mp4"):
        run_landmarks(LandmarksArguments(str(written), 100.0, **options))
    with pytest.raises(InputError, match="Landmark 1 cannot be understood"):
        run_landmarks(LandmarksArguments(str(written), 48.0, points=[[1, 2, 3]]))


def test_three_landmarks_do_after_others_of_the_same_video(written):  # noqa: F811
    """The lens that five of another frame tell is that of this frame; one's own earlier clicks on this frame are not counted twice."""
    size = {"width_px": 640, "height_px": 360}
    lat, lon = place(EAST[0] + 6, EAST[1])
    three = clicks_from(lat, lon, 30.0, 640, ((12, 150), (27, 900), (48, 320)))
    [alone] = run_landmarks(LandmarksArguments(str(written), 48.0, points=three, **size))["places"]
    five = clicks_from(*place(EAST[0] + 2, EAST[1]), 10.0, 640, ((-12, 120), (-2, 400), (9, 90), (18, 800), (30, 200)))
    first = run_landmarks(LandmarksArguments(str(written), 16.0, points=five, pin=True, **size))
    assert first["lens"] == "common"
    again = run_landmarks(LandmarksArguments(str(written), 16.0, points=five, **size))
    assert (again["lens"], again["places"]) == ("common", first["places"])
    found = run_landmarks(LandmarksArguments(str(written), 48.0, points=three, **size))
    assert found["lens"] == "landmarks"
    [camera] = found["places"]
    assert GEOD.inv(camera["lon_deg"], camera["lat_deg"], lon, lat)[2] < 5
    assert camera["semi_major_m"] < alone["semi_major_m"] / 3
    assert camera["fov_deg"] == pytest.approx(60.0, abs=1.0)
    assert run_landmarks(LandmarksArguments(str(written), 48.0, points=three, fov_deg=60.0, **size))["lens"] == "given"


@pytest.mark.parametrize(
    ("turned", "told", "view_deg"), [(False, "26", 69.39), (True, "26", 69.39), (False, "28.0", 65.47), (False, "0", None)]
)
def test_a_video_tells_its_lens(tmp_path, turned, told, view_deg):
    """As phones write it: 2 atan(18 mm / focal length), across the picture's longer side, whichever way it is held."""
    path, size = tmp_path / "phone.mov", "36x64" if turned else "64x36"
    key = f"com.apple.quicktime.camera.focal_length.35mm_equivalent={told}"
    source = ["-f", "lavfi", "-i", f"testsrc=size={size}:rate=5:duration=1", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-v", "error", *source, "-movflags", "use_metadata_tags", "-metadata", key, path], check=True)
    video = VideoMoments(
        "phone", "phone.mov", source_digest(path), *((36, 64) if turned else (64, 36)), 1.0, np.array([0]), np.array([0.0])
    )
    lens = file_lens(video, [], tmp_path)
    assert file_lens(video, [path], tmp_path / "elsewhere") == lens
    assert file_lens(replace(video, sha256="0" * 64), [path], tmp_path) is None  # another file than the one that was located
    assert file_lens(replace(video, file="gone.mov"), [], tmp_path) is None
    if view_deg is None:
        assert lens is None
    else:
        assert 2 * math.degrees(math.atan(0.5 / lens.focal_share)) == pytest.approx(view_deg, abs=0.01)
        assert lens.spread == 0.1


def test_the_command_line_reviews_and_finds_places(written):  # noqa: F811
    def said(*words, code=0):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == code, done.output
        return done.output

    assert "has no review" in said("review", "list", written)
    assert "nothing to remove" in said("review", "remove", written, code=2)
    assert said("review", "add", written, "--from-s", 8, "--to-s", 24, "--state", "accepted", "--who", "Ada").startswith(
        "Noted 1: town.mp4 at 8 to 24 s: accepted"
    )
    assert json.loads(said("review", "add", written, "--from-s", 40, "--bookmark", "--json"))["bookmark"] is True
    listed = said("review", "list", written).splitlines()
    assert listed[0].startswith("1: town.mp4 at 8 to 24 s: accepted (Ada, ")
    assert listed[-1] == "town.mp4: 3 frames accepted, 0 rejected, 0 unsure"
    assert json.loads(said("review", "list", written, "--json"))["counts"][0]["accepted"] == 3
    assert "no state 'good'" in said("review", "add", written, "--from-s", 8, "--state", "good", code=2)
    assert said("review", "remove", written).startswith("Removed 2: town.mp4 at 40 s: bookmark")
    said("pin", written, "--frame", 2, "--confirmed")
    assert ", confirmed, within" in said("pins", written)
    assert "the mill" in said("pins", written, "--note", 1, "--why", "the mill") + said("pins", written)
    assert "give --at with a place, or --confirmed" in " ".join(said("pin", written, "--frame", 4, code=2).split())
    lat, lon = place(EAST[0] + 6, EAST[1])
    points = clicks_from(lat, lon, 30.0, 640, ((8, 150), (25, 500), (48, 250)))
    words = [word for x, y, *there in points for word in ("--point", f"{x},{y}={there[0]},{there[1]}")]
    out = said("landmarks", written, "town.mp4", 48, *words, "--fov", 60, "--size", "640x360", "--pin")
    assert f"{lat:.4f}" in out
    assert "Pinned as 2" in out
    assert "is no landmark" in said("landmarks", written, "town.mp4", 48, "--point", "3,4", "--size", "640x360", code=2)


def test_the_worker_answers_as_the_functions_do(written, tmp_path):  # noqa: F811
    calls = [
        ("review", asdict(ReviewArguments(str(written), "add", {"from_s": 8.0, "state": "accepted"}))),
        ("pin", {"result": str(written), "pin": {"frame_index": 2, "kind": "confirmed"}}),
        ("landmarks", asdict(LandmarksArguments(str(written), 48.0, points=[[1, 1, 2, 2]]))),
        ("review", asdict(ReviewArguments(str(written), "states"))),
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "vidtag_engine.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
    ) as process:
        answers = []
        protocol.from_line(process.stdout.readline().decode())
        for number, (command, arguments) in enumerate(calls):
            process.stdin.write(protocol.to_line(protocol.Request(number, command, arguments)).encode())
            process.stdin.flush()
            answers.append(protocol.from_line(process.stdout.readline().decode()))
        process.stdin.close()
    assert answers[0].value["row"]["state"] == "accepted"
    assert answers[1].value["pin"]["kind"] == "confirmed"
    assert answers[2].message.startswith("Too few landmarks to find a place by (1)")
    assert answers[3].value["videos"][0]["state"][1] == "accepted"


def test_nothing_is_lost_where_the_result_goes(written):  # noqa: F811
    review(written, "add", from_s=8.0, state="accepted")
    written.unlink()
    with pytest.raises(InputError, match="is not there"):
        review(written, "add", from_s=8.0, state="rejected")
    rows = pyogrio.read_dataframe(review_path(written), layer="review")
    assert rows.state.tolist() == ["accepted"]
    assert np.isfinite(rows.from_s).all()


def test_the_first_words_of_several_programs_all_stay(written):  # noqa: F811
    """None of them finds a review file, and each makes one."""
    code = (
        "import sys; from pathlib import Path; from vidtag_engine.commands.review import add_review; sys.stdin.readline();"
        " add_review(Path(sys.argv[1]), {'from_s': float(sys.argv[2]), 'state': 'accepted'})"
    )
    several = [
        subprocess.Popen([sys.executable, "-c", code, str(written), str(8.0 * number)], stdin=subprocess.PIPE, text=True)
        for number in range(5)
    ]
    for one in several:
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in several:
        assert one.wait(60) == 0
        one.stdin.close()
    assert sorted(row["from_s"] for row in review(written)["rows"]) == [0, 8, 16, 24, 32]
    assert [left.name for left in written.parent.iterdir() if left.name.startswith(".")] == []


def test_a_row_that_is_asked_for_again_is_there_once(written):  # noqa: F811
    """As after an engine that was killed between writing and saying so."""
    row = {"from_s": 8.0, "state": "accepted", "when": "2026-05-01T10:00:00.125Z"}
    assert review(written, "add", **row)["row"]["number"] == review(written, "add", **row)["row"]["number"] == 1
    assert review(written, "add", **{**row, "when": "2026-05-01T10:00:00.126Z"})["row"]["number"] == 2


def test_a_pin_that_is_asked_for_again_is_there_once_and_its_landmarks_too(written):  # noqa: F811
    when = "2026-05-01T10:00:00.125+00:00"
    asked = {"time_s": 8.0, "kind": "confirmed", "when": when}
    first = run_pin_action(PinArguments(str(written), asked, "add"))
    assert run_pin_action(PinArguments(str(written), asked, "add"))["number"] == first["number"] == 1
    with pytest.raises(InputError, match="There is a pin for 8 s"):
        run_pin_action(PinArguments(str(written), {**asked, "when": "2026-05-01T10:00:00.126+00:00"}, "add"))
    with pytest.raises(InputError, match="There is a pin for 8 s"):
        run_pin_action(PinArguments(str(written), {**asked, "kind": "not here", "lat_deg": 10.0, "lon_deg": 20.0}, "add"))
    lat, lon = place(20, 33)
    points = clicks_from(lat, lon, 90.0, 640, [(70.0, 120.0), (88.0, 200.0), (105.0, 90.0), (114.0, 260.0)])
    found = LandmarksArguments(str(written), 32.0, points=points, width_px=640.0, height_px=360.0, fov_deg=60.0, pin=True, when=when)
    number = run_landmarks(found)["pin"]["number"]
    with closing(sqlite3.connect(review_path(written))) as database, database:  # as of one that was killed between pin and landmarks
        for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            database.create_function(name, 1, lambda _: 0)
        database.execute("DELETE FROM landmarks")
    assert run_landmarks(found)["pin"]["number"] == number
    assert len(run_landmarks(LandmarksArguments(str(written), 32.0))["points"]) == 4
    assert len(list_pins(written)) == 2


def test_what_is_removed_by_its_list_is_that_and_nothing_else(written):  # noqa: F811
    for time_s in (0.0, 8.0):
        review(written, "add", from_s=time_s, state="accepted")
        pin(written, "add", time_s=time_s, kind="confirmed")
    row = {"video": "town.mp4", "from_s": 8.0, "to_s": 8.0}
    asked = {"video": "town.mp4", "time_s": 8.0}
    with pytest.raises(InputError, match=r"Row 1 in .*review.gpkg is another one by now: list its review again"):
        run_review(ReviewArguments(str(written), "remove", row, 1))
    with pytest.raises(InputError, match=r"Pin 1 in .*review.gpkg is another one by now: list its pins again"):
        run_pin_action(PinArguments(str(written), asked, "remove", 1))
    for _ in range(2):  # the second time it is gone already
        assert run_review(ReviewArguments(str(written), "remove", row, 2))["row"]["from_s"] == 8.0
        assert run_pin_action(PinArguments(str(written), asked, "remove", 2))["pin"]["time_s"] == 8.0
    assert [one["from_s"] for one in review(written)["rows"]] == [0.0]
    assert [one.time_s for one in list_pins(written)] == [0.0]


@pytest.mark.slow
def test_an_engine_killed_at_any_moment_loses_and_doubles_nothing():
    found = review_kills.run(seed=1, kills=40)
    assert found["kills"] >= 40
    assert found["requests"] >= 25
    assert {name: count for name, count in found.items() if name not in {"kills", "requests"}} == dict.fromkeys(
        ("lost", "doubled", "damaged", "left", "refused"), 0
    )
