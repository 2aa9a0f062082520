"""Pins in a file of their own: kept by moment, never rewritten, refused where they make no sense, and taken over from before."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from typer.testing import CliRunner

from tests.export_cases import PROVENANCE, as_schema_2, drive
from tests.other_program import OtherProgram
from tests.test_corrections import CALIBRATION, CELLS, EAST, FRAMES, SPACING_M, place, rows_of, town, written  # noqa: F401 - a fixture
from vidtag_engine.cli.app import app
from vidtag_engine.commands.pin import list_pins, run_pin, run_remove
from vidtag_engine.commands.solve import run_solve
from vidtag_engine.export import write_geopackage
from vidtag_engine.export.pins import PinRow, read_pins
from vidtag_engine.export.review_file import add_pins, review_path, settle_pins
from vidtag_engine.export.scores_file import write_scores
from vidtag_engine.trajectory.scores import VideoScores
from vidtag_engine.types import InputError

WHEN = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)


def at_rate(path, every):
    """The town's video sampled at every so-manieth of its frames, as a result with scores."""
    result, kept = town()
    rows = np.arange(0, FRAMES, every)
    t = result.trajectory
    columns = ("time_s", "lat_deg", "lon_deg", "confidence", "score", "runner_up_m", "phase1_lat_deg", "phase1_lon_deg", "course_deg")
    thinned = {name: getattr(t, name)[rows] for name in columns}
    t = replace(t, frame_index=np.arange(len(rows)), state=tuple(t.state[row] for row in rows), street=(), **thinned)
    result = replace(result, trajectory=t, info=replace(result.info, duration_s=96.0))
    write_geopackage(path, [result], PROVENANCE)
    write_scores(
        path, result.sha256, VideoScores(CELLS, SPACING_M, kept.scores[rows], np.arange(len(rows)), t.time_s, kept.line[rows], CALIBRATION)
    )
    return path


def pinned_times(path):
    """Moments of the frames that lie exactly on the pin in the east."""
    frames = pyogrio.read_dataframe(path, layer="frames_pinned")
    return frames.time_s[[point is not None and point.equals(EAST_6) for point in frames.geometry]].tolist()


EAST_6 = shapely.Point(*place(EAST[0] + 6, EAST[1])[::-1])


def test_a_pin_stays_at_its_moment_when_the_video_is_sampled_at_another_rate(tmp_path):
    """A pin on frame 6 at 48 s is on frame 3 after a run at half the rate, not on frame 6 at 96 s."""
    path = at_rate(tmp_path / "r.gpkg", 1)
    run_pin(path, PinRow("", 6, *place(EAST[0] + 6, EAST[1])))
    run_solve(path)
    assert pinned_times(path) == [48.0]
    at_rate(path, 2)  # replaces the result
    run_solve(path)
    assert pinned_times(path) == [48.0]
    at_rate(path, 4)  # samples 0, 32 and 64 s: 48 s is just half a step away
    run_solve(path)
    assert pinned_times(path) in ([32.0], [64.0])


def test_a_pin_that_has_no_sampled_frame_near_it_is_said(tmp_path):
    path = at_rate(tmp_path / "r.gpkg", 1)
    run_pin(path, PinRow("", 11, *place(31, 33)))
    result, kept = town()
    rows = slice(0, 6)
    t = result.trajectory
    cut = replace(
        t,
        **{name: value[rows] for name, value in vars(t).items() if isinstance(value, np.ndarray)},
        state=t.state[rows],
        street=t.street[rows],
    )
    write_geopackage(path, [replace(result, trajectory=cut, info=replace(result.info, duration_s=96.0))], PROVENANCE)
    with pytest.raises(InputError, match=r"at 88 s of town.mp4 has no sampled frame within half a step \(4 s\): the nearest lies at 40 s"):
        run_solve(path)


def test_pins_of_an_earlier_version_are_converted_by_the_frames_that_they_were_set_on(tmp_path):
    path = at_rate(tmp_path / "r.gpkg", 1)
    old = PinRow("town.mp4", 6, *place(EAST[0] + 6, EAST[1]), radius_m=20.0, who="Ada", when=WHEN, why="the church")
    as_schema_2(path, [old, replace(old, frame_index=8, here=False)])
    expected = [
        replace(old, sha256="ab" * 32, time_s=48.0, number=1),
        replace(old, frame_index=8, here=False, sha256="ab" * 32, time_s=64.0, number=2),
    ]
    assert list_pins(path) == expected
    run_solve(path)
    assert pinned_times(path) == [48.0]
    settle_pins(path)  # as geolocate does before it replaces the result
    at_rate(path, 2)
    assert read_pins(review_path(path)) == expected
    run_solve(path)
    assert pinned_times(path) == [48.0]


def test_a_pin_drawn_by_hand_gets_its_moment_before_the_result_goes(tmp_path):
    path = at_rate(tmp_path / "r.gpkg", 1)
    run_pin(path, PinRow("", 1, *place(21, 33)))
    drawn = geopandas.GeoDataFrame({"video": ["town.mp4", "town.mp4", None], "frame_index": [6, 99, 2]}, geometry=[EAST_6] * 3, crs=4326)
    pyogrio.write_dataframe(drawn, review_path(path), layer="pins", append=True)
    settle_pins(path)
    times = rows_of_columns(review_path(path), "time_s", "frame_index")
    assert times == [(8.0, 1), (48.0, 6), (None, 99), (None, 2)]  # what cannot be known is left to the person
    assert pyogrio.read_dataframe(review_path(path), layer="pins").here.isna().tolist() == [False, True, True, True]


def rows_of_columns(path, *names):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(f"SELECT {', '.join(names)} FROM pins ORDER BY fid").fetchall()


def test_pins_are_added_where_the_file_lies_beside_what_another_program_holds(written):  # noqa: F811
    run_pin(written, PinRow("", 6, *place(26, 33)))
    review = review_path(written)
    number = review.stat().st_ino
    with OtherProgram(review) as other:  # as QGIS holds it while a layer is edited
        assert other.ask("PRAGMA journal_mode = WAL") == "wal"
        assert other.ask("SELECT count(*) FROM pins") == 1
        run_pin(written, PinRow("", 8, *place(28, 33)))
        assert other.ask("SELECT count(*) FROM pins") == 2
        other.ask("BEGIN IMMEDIATE")  # it is writing
        with pytest.raises(InputError, match="town ü.review.gpkg is being written to by another program.*toggle editing off"):
            add_pins(written, [PinRow("town.mp4", 9, 10, 20)])
        other.ask("ROLLBACK")
    assert review.stat().st_ino == number
    assert len(read_pins(review)) == 2
    frame = pyogrio.read_dataframe(review, layer="pins")  # GDAL's own index has them, too
    assert len(pyogrio.read_dataframe(review, layer="pins", bbox=tuple(frame.total_bounds))) == 2
    run_remove(written)
    with closing(sqlite3.connect(review)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT feature_count FROM gpkg_ogr_contents").fetchone() == (1,)
        assert database.execute("SELECT count(*) FROM rtree_pins_geom").fetchone() == (1,)


def test_two_words_on_one_moment_are_refused(written):  # noqa: F811
    first = run_pin(written, PinRow("", 6, *place(26, 33)))
    for again in (PinRow("", 6, *place(26, 5)), PinRow("", None, *place(26, 5), time_s=47.0), PinRow("", 6, *place(26, 5), here=False)):
        with pytest.raises(
            InputError, match=f"a pin for 48 s of town.mp4 already, number {first.number} in town ü.review.gpkg.*--remove {first.number}"
        ):
            run_pin(written, again)
    run_pin(written, PinRow("", 7, *place(27, 5), here=False))
    run_pin(written, PinRow("", 7, *place(27, 9), here=False))  # neither here nor there
    with pytest.raises(InputError, match="already"):
        run_pin(written, PinRow("", 7, *place(27, 9), here=False))
    assert [pin.number for pin in list_pins(written)] == [1, 2, 3]
    add_pins(written, [replace(first, lon_deg=first.lon_deg + 0.01)])  # as if drawn by hand
    with pytest.raises(InputError, match=r"two pins for 48 s of town.mp4 \(1 and 4\): run vidtag pins --remove"):
        run_solve(written)


def test_pins_that_fall_on_one_frame_at_a_lower_rate_leave_the_nearest(tmp_path):
    path = at_rate(tmp_path / "r.gpkg", 1)
    run_pin(path, PinRow("", 6, *place(EAST[0] + 6, EAST[1])))
    run_pin(path, PinRow("", None, *place(EAST[0] + 5, EAST[1]), time_s=41.0))
    at_rate(path, 2)
    said = run_solve(path)
    assert said["notes"] == ["The pin at 41 s of town.mp4 was left out: another lies nearer to its frame."]
    assert pinned_times(path) == [48.0]


def test_pins_of_videos_that_are_not_there_are_told_and_kept(written):  # noqa: F811
    add_pins(written, [PinRow("away.mp4", 3, 10.01, 20.01, sha256="cd" * 32, time_s=3.0)])
    with pytest.raises(InputError, match="of other videos .away.mp4."):
        run_solve(written)
    run_pin(written, PinRow("", 6, *place(26, 33)))
    assert run_solve(written)["notes"] == ["1 of the pins are of videos that town ü.gpkg does not hold."]
    assert len(list_pins(written)) == 2


def test_the_area_may_lie_across_the_antimeridian(tmp_path):
    path = tmp_path / "r.gpkg"
    area = shapely.MultiPolygon([shapely.box(179.9, -1, 180, 1), shapely.box(-180, -1, -179.9, 1)])
    write_geopackage(path, [drive()], PROVENANCE, aoi=area)
    run_pin(path, PinRow("", 1, 0.0, -179.95))
    run_pin(path, PinRow("", 2, 0.0, 179.95))
    with pytest.raises(InputError, match="outside the area"):
        run_pin(path, PinRow("", 3, 0.0, 0.0))
    run_pin(path, PinRow("", 3, 0.0, 0.0, here=False))  # true, wherever the area lies


def test_command_line_lists_and_removes(written):  # noqa: F811
    runner = CliRunner()

    def said(*words, code=0):
        done = runner.invoke(app, [words[0], str(written), *words[1:]])
        assert done.exit_code == code, done.output
        return done.output

    lat, lon = place(EAST[0] + 6, EAST[1])
    assert "has no pins" in said("pins")
    assert "nothing to remove" in said("pins", "--undo", code=2)
    said("pin", "--frame", "6", "--at", f"{lat},{lon}", "--who", "Ada", "--why", "the church")
    said("pin", "--time-s", "65", "--at", f"{lat},{lon}", "--not-here", "--who", "")
    assert "give --frame or --time-s" in said("pin", "--at", f"{lat},{lon}", code=2)
    listed = said("pins").splitlines()
    assert listed[0].startswith(f"1: town.mp4 at 48 s (frame 6), here, within 50 m of {lat:.6f},{lon:.6f} (Ada, ")
    assert listed[0].endswith("the church)")
    assert listed[1].startswith("2: town.mp4 at 65 s (frame 8), not here")
    assert "(1, 2)" in said("pins", "--remove", "7", code=2)
    assert said("pins", "--remove", "1").startswith("Removed 1: town.mp4 at 48 s")
    assert [one["number"] for one in json.loads(said("pins", "--json"))] == [2]
    said("pins", "--undo")
    assert "has no pins" in said("pins")
    assert not rows_of(review_path(written), "pins")
