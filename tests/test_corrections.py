"""Pins and solving again: the person's word moves the line, the model's own layers stay, and all is read back by other eyes."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Geod
from typer.testing import CliRunner

from tests.export_cases import NAN, PROVENANCE, video
from vidtag_engine.cli.app import app
from vidtag_engine.command_arguments import EvaluateArguments, ExportArguments
from vidtag_engine.commands.evaluate import run_evaluate
from vidtag_engine.commands.export import run_export
from vidtag_engine.commands.match import run_match
from vidtag_engine.commands.pin import pin_from, run_pin, run_remove
from vidtag_engine.commands.solve import run_solve, solve
from vidtag_engine.export import write_geopackage
from vidtag_engine.export.corrections import with_layers
from vidtag_engine.export.pins import PinRow, pins_table, read_pins
from vidtag_engine.export.review_file import add_pins, review_path
from vidtag_engine.export.scores_file import read_scores, scores_path, write_scores
from vidtag_engine.feedback import Feedback
from vidtag_engine.trajectory import Decoder, EmissionModel, PathCalibration, TransitionModel
from vidtag_engine.trajectory.decoder_calibration import RadiusMap
from vidtag_engine.trajectory.scores import VideoScores
from vidtag_engine.types import CancelledError, FrameState, InputError

GEOD = Geod(ellps="WGS84")
SPACING_M = 100.0
SIDE = 40
LAT, LON = 10.0, 20.0
CALIBRATION = PathCalibration(
    EmissionModel(0.05, error_correlation=0.3), TransitionModel(12.0), 300.0, SPACING_M, 50, (RadiusMap(300.0, 1.0, 0.0),), 0.5, 0.9
)
OWN = ("trajectory", "frames", "videos", "regions", "aoi")


def place(row, column):
    """Latitude and longitude of a cell of the square town."""
    return LAT + row * SPACING_M / 110_600.0, LON + column * SPACING_M / 109_600.0


CELLS = np.array([place(row, column) for row in range(SIDE) for column in range(SIDE)])
AOI = shapely.box(*CELLS.min(axis=0)[::-1] - 0.0005, *CELLS.max(axis=0)[::-1] + 0.0005)
WEST, EAST = (20, 5), (20, 33)  # two places that look alike; the west one a little more like it
FRAMES = 12


def town(*, withheld=False, damaged=()):
    """A video that drives north in the east while its pictures rather look like the west, and its scores."""
    rows = [row for row in range(FRAMES) if row not in damaged]
    time_s = np.arange(FRAMES) * 8.0
    scores = np.zeros((len(rows), SIDE * SIDE), dtype=np.float32)
    for n, row in enumerate(rows):
        for (r, c), most in ((WEST, 0.62), (EAST, 0.6)):
            apart = np.hypot(*((CELLS - place(r + row, c)) * (110_600.0, 109_600.0)).T)
            scores[n] += most * np.exp(-((apart / 250.0) ** 2))
    decoder = Decoder(CELLS, SPACING_M, CALIBRATION.transition)
    decoded = decoder.decode(scores, time_s[rows], CALIBRATION.emission, accuracy_m=CALIBRATION.accuracy_m)
    lat, lon = np.full((2, FRAMES), NAN)
    if not withheld:
        lat[rows], lon[rows] = decoded.lat_lon_deg.T + 1e-5  # the model moved its places to a finer grid
    result = video("town.mp4", lat, lon, np.where(np.isfinite(lat), 0.5, NAN), time_s=time_s)
    states = tuple(
        (FrameState.OUTSIDE_AOI if withheld else FrameState.LOCATED) if row in rows else FrameState.DAMAGED for row in range(FRAMES)
    )
    result = replace(result, trajectory=replace(result.trajectory, state=states))
    return result, VideoScores(CELLS, SPACING_M, scores, np.array(rows), time_s[rows], decoded.lat_lon_deg, CALIBRATION)


@pytest.fixture
def written(tmp_path):
    """Path of a result with one video whose scores were kept."""
    result, kept = town(damaged=(3,))
    path = tmp_path / "town ü.gpkg"
    write_geopackage(path, [result], PROVENANCE, aoi=AOI)
    write_scores(path, result.sha256, kept)
    return path


def rows_of(path, layer):
    with closing(sqlite3.connect(path)) as database:
        return database.execute(f"SELECT * FROM {layer}").fetchall()


def away_m(t, cell, rows):
    """Distance of some frames from a drive north from a cell."""
    truth = np.array([place(cell[0] + row, cell[1]) for row in rows])
    return GEOD.inv(t.lon_deg[rows], t.lat_deg[rows], truth[:, 1], truth[:, 0])[2]


def test_scores_come_back(tmp_path):
    result, kept = town()
    path = write_scores(tmp_path / "r.gpkg", result.sha256, replace(kept, cuts=(4, 7)))
    assert path == scores_path(tmp_path / "r.gpkg", result.sha256)
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    got = read_scores(path)
    assert got.cuts == (4, 7)
    assert got.calibration == CALIBRATION
    for name in ("lat_lon_deg", "frame_index", "time_s", "line"):
        np.testing.assert_array_equal(getattr(got, name), getattr(kept, name), err_msg=name)
    assert np.abs(got.scores - kept.scores).max() <= 2.0**-12
    with pytest.raises(ValueError, match="shapes"):
        write_scores(tmp_path / "r.gpkg", result.sha256, replace(kept, time_s=kept.time_s[1:]))


def test_a_pin_moves_the_whole_line_to_the_other_place():
    result, kept = town()
    assert away_m(result.trajectory, WEST, range(FRAMES)).max() < 200
    solved = solve(result.trajectory, kept, [PinRow("town.mp4", 6, *place(EAST[0] + 6, EAST[1]))])
    assert away_m(solved, EAST, range(FRAMES)).max() < 200
    assert (solved.lat_deg[6], solved.lon_deg[6]) == place(EAST[0] + 6, EAST[1])
    assert np.isnan(result.trajectory.course_deg).all()
    assert np.cos(np.radians(solved.course_deg)).min() > 0.9  # north
    cut = solve(result.trajectory, replace(kept, cuts=(2,)), [PinRow("town.mp4", 6, *place(EAST[0] + 6, EAST[1]))])
    assert np.isnan(cut.course_deg[:2]).all()  # a shot too short
    within = solved.hypotheses.within
    assert (np.diff(within, axis=1) >= 0).all()
    assert within[6, 1] > 0.9
    point = shapely.Point(solved.lon_deg[0], solved.lat_deg[0])
    assert solved.hypotheses.region90[0].covers(point)


def test_not_here_moves_it_too_and_what_agrees_changes_nothing():
    result, kept = town()
    t = result.trajectory
    denied = solve(t, kept, [PinRow("town.mp4", 6, *place(WEST[0] + 6, WEST[1]), here=False, radius_m=1500.0)])
    assert away_m(denied, EAST, range(FRAMES)).max() < 200
    agreed = solve(t, kept, [PinRow("town.mp4", 6, *place(30, 30), here=False, radius_m=100.0)])
    np.testing.assert_array_equal(agreed.lat_deg, t.lat_deg)  # the model's own finer places are kept
    np.testing.assert_array_equal(agreed.score, t.score)


def test_a_pin_between_cells_and_smaller_than_one_still_counts():
    result, kept = town()
    lat, lon = place(EAST[0] + 6.5, EAST[1] + 0.5)
    solved = solve(result.trajectory, kept, [PinRow("town.mp4", 6, lat, lon, radius_m=5.0)])
    assert away_m(solved, EAST, range(FRAMES)).max() < 250


def test_a_person_lifts_a_withheld_answer():
    result, kept = town(withheld=True, damaged=(3,))
    solved = solve(result.trajectory, kept, [PinRow("town.mp4", 6, *place(EAST[0] + 6, EAST[1]))])
    assert [one is FrameState.LOCATED for one in solved.state] == [row != 3 for row in range(FRAMES)]
    assert np.isnan(solved.lat_deg[3])
    assert np.isnan(solved.hypotheses.within[3]).all()


def test_solved_layers_stand_beside_the_models_own(written):
    before = {layer: rows_of(written, layer) for layer in OWN}
    for index in (6, 8):  # a second time takes the place of the first
        run_pin(written, PinRow("", index, *place(EAST[0] + index, EAST[1]), who="Ada", why="the church"))
        said = run_solve(written)
    assert said["videos"][0]["pins"] == 2
    assert said["videos"][0]["moved"] == FRAMES - 1
    assert said["videos"][0]["farthest_m"] == pytest.approx(2800, abs=300)
    for layer in OWN:
        assert rows_of(written, layer) == before[layer], layer
    frames = pyogrio.read_dataframe(written, layer="frames_pinned")
    own = pyogrio.read_dataframe(written, layer="frames")
    assert list(frames.columns) == list(own.columns)
    assert len(frames) == FRAMES
    assert frames.geometry[3] is None
    assert frames.state[3] == "damaged"
    assert frames.course_deg.isna().tolist() == [True] * 4 + [False] * (FRAMES - 4)  # a part of three frames is too short
    assert frames.geometry[6].equals(shapely.Point(*place(EAST[0] + 6, EAST[1])[::-1]))
    steps = pyogrio.read_dataframe(written, layer="trajectory_pinned")
    assert list(steps.columns) == list(pyogrio.read_dataframe(written, layer="trajectory").columns)
    assert len(steps) == FRAMES - 3
    assert set(pyogrio.read_dataframe(written, layer="regions_pinned").level) == {50, 90}
    styles = {row[3] for row in rows_of(written, "layer_styles")}
    assert {"frames_pinned", "trajectory_pinned", "regions_pinned", "frames"} <= styles
    assert len(rows_of(written, "layer_styles")) == len(styles)
    pins = read_pins(review_path(written))
    assert [(pin.who, pin.why, pin.here, pin.frame_index, pin.time_s, pin.video) for pin in pins] == [
        ("Ada", "the church", True, index, index * 8.0, "town.mp4") for index in (6, 8)
    ]
    assert pins[0].when is not None
    with closing(sqlite3.connect(written)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_copy_gets_the_layers_its_pins_and_the_scores(written, tmp_path):
    before, steps = hashlib.sha256(written.read_bytes()).digest(), []
    output, pin = tmp_path / "corrected é.gpkg", {"frame_index": 6, "lat_deg": place(26, 33)[0], "lon_deg": place(26, 33)[1], "here": True}
    brought = [pin_from({**pin, "video": None, "when": "2024-05-01T10:00:00.5Z", "who": "Ada"})]
    said = run_solve(written, output=output, pins=brought, feedback=Feedback(progress=steps.append))
    assert hashlib.sha256(written.read_bytes()).digest() == before
    assert (said["output"], said["notes"], said["videos"][0]["pins"]) == (str(output), [], 1)
    assert [(step.stage, step.fraction) for step in steps] == [("solve", 0.0), ("solve", 0.95)]
    for layer in OWN:
        assert rows_of(output, layer) == rows_of(written, layer), layer
    [kept] = read_pins(review_path(output))
    assert (kept.video, kept.who, kept.when) == ("town.mp4", "Ada", datetime(2024, 5, 1, 10, 0, 0, 500_000, tzinfo=UTC))
    assert (kept.sha256, kept.time_s, kept.frame_index) == ("ab" * 32, 48.0, 6)
    again = tmp_path / "again.gpkg"
    run_solve(output, output=again)  # from the copy's own pins and its scores
    assert rows_of(again, "frames_pinned") == rows_of(output, "frames_pinned")
    (linked,), (own,) = ((path.with_suffix(".scores")).iterdir() for path in (again, written))
    assert linked.samefile(own)
    own.unlink()
    assert read_scores(linked).spacing_m == SPACING_M
    said = run_solve(output)  # into itself
    assert said["output"] == str(output)


@pytest.fixture
def one_of_two(tmp_path):
    """A result with two videos, of which one is solved with a pin; and where the pin is."""
    result, kept = town(withheld=True)
    other = video("other.mp4", *np.array([place(2, 2 + step) for step in range(4)]).T, np.full(4, 0.5), time_s=np.arange(4) * 8.0)
    path = tmp_path / "two é.gpkg"
    write_geopackage(path, [result, other], PROVENANCE, aoi=AOI)
    write_scores(path, result.sha256, kept)
    pinned = place(EAST[0] + 6, EAST[1])
    run_solve(path, pins=[PinRow("town.mp4", 6, *pinned)], output=tmp_path / "solved é.gpkg")
    return tmp_path / "solved é.gpkg", pinned


def test_the_pinned_answer_is_exported_where_there_is_one(one_of_two, tmp_path):
    path, pinned = one_of_two
    own, solved = pyogrio.read_dataframe(path, layer="frames"), pyogrio.read_dataframe(path, layer="frames_pinned")
    for answer in ("auto", "pinned", "model"):
        copies = {kind: str(tmp_path / f"{answer}.{kind}") for kind in ("csv", "geojson", "gpx", "kml")}
        said = run_export(ExportArguments(str(path), **copies, answer=answer))
        assert said["pinned"] == ([] if answer == "model" else ["town.mp4"])
        table = csv.DictReader(Path(copies["csv"]).read_text(encoding="utf-8").splitlines())
        rows = {(row["video"], int(row["frame_index"])): row for row in table}
        assert len(rows) == FRAMES + 4
        town_frames = own[own.video == "town.mp4"] if answer == "model" else solved
        for frame in [*own[own.video == "other.mp4"].itertuples(), *town_frames.itertuples()]:
            row, point = rows[frame.video, frame.frame_index], frame.geometry
            assert row["state"] == frame.state
            assert (row["lon_deg"], row["lat_deg"]) == (("", "") if point is None else (repr(point.x), repr(point.y)))
        assert (rows["town.mp4", 6]["lat_deg"] == repr(pinned[0])) == (answer != "model")
        made = json.loads(Path(copies["geojson"]).read_text(encoding="utf-8"))
        assert [one.get("pinned", False) for one in made["provenance"]["inputs"]] == [answer != "model", False]
        shown = {feature["properties"]["video"] for feature in made["features"] if feature["properties"]["layer"] == "regions"}
        assert ("town.mp4" in shown) == (answer != "model")
        for kind in ("gpx", "kml"):
            assert ("pins set by a person" in Path(copies[kind]).read_text(encoding="utf-8")) == (answer != "model")


def test_the_pinned_answer_is_evaluated_and_said_to_be(one_of_two, tmp_path):
    path, _ = one_of_two
    truth = tmp_path / "truth.csv"
    start = pyogrio.read_dataframe(path, layer="frames_pinned").time[0].timestamp()
    rows = [f"{start + 8.0 * row},{','.join(map(repr, place(EAST[0] + row, EAST[1])))}" for row in range(FRAMES)]
    truth.write_text("\n".join(["time,lat,lon", *rows]))
    arguments = EvaluateArguments(str(path), str(truth), video="town.mp4", html=str(tmp_path / "r.html"))
    for answer in ("auto", "pinned"):
        said = run_evaluate(replace(arguments, answer=answer))
        assert said["pinned"] == ["town.mp4"]
        assert (said["overall"]["compared"], said["overall"]["median_m"] < 200) == (FRAMES, True)
        assert "solved with pins set by a person" in said["notes"][0]
        assert "pins set by a person: it is not the model" in (tmp_path / "r.html").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="No frame of"):  # the model withheld every frame
        run_evaluate(replace(arguments, answer="model"))
    run = CliRunner().invoke(app, ["evaluate", str(path), "--truth", str(truth), "--video", "town.mp4", "--json"])
    assert "solved with pins set by a person" in json.loads(run.stdout)["videos"][0]["note"]


def test_the_pinned_line_is_laid_on_roads(one_of_two, tmp_path):
    path, _ = one_of_two
    lines = [shapely.LineString([place(*a)[::-1], place(*b)[::-1]]) for a, b in (((15, 33), (39, 33)), ((2, 0), (2, 12)))]
    roads = tmp_path / "roads.gpkg"
    pyogrio.write_dataframe(geopandas.GeoDataFrame(geometry=lines, crs="EPSG:4326"), roads)
    for answer, names in (("auto", {"town.mp4", "other.mp4"}), ("model", {"other.mp4"})):  # the model withheld the town's line
        output = tmp_path / f"{answer}.gpkg"
        said = run_match(path, roads, output=output, answer=answer)
        assert {one["name"]: one.get("pinned", False) for one in said["videos"]} == {name: name == "town.mp4" for name in names}
        matched = pyogrio.read_dataframe(output, layer="trajectory_matched")
        assert set(matched.video) == names
        assert matched.geometry.within(shapely.union_all(lines).buffer(1e-6)).all()
    with pytest.raises(InputError, match="has no pinned answer"):
        run_match(tmp_path / "two é.gpkg", roads, output=tmp_path / "o.gpkg", answer="pinned")


def test_a_pinned_answer_that_is_not_there_is_refused(written, tmp_path):
    output = ["--csv", str(tmp_path / "o.csv")]
    run = CliRunner().invoke(app, ["export", str(written), *output, "--answer", "pinned"])
    assert run.exit_code == 2
    assert "has no pinned answer: run 'vidtag solve' first" in " ".join(run.output.split())
    assert CliRunner().invoke(app, ["export", str(written), *output]).exit_code == 0
    with pytest.raises(InputError, match="no answer 'mine': choose auto, model or pinned"):
        run_export(ExportArguments(str(written), csv=output[1], answer="mine"))


def test_scores_that_cannot_be_linked_are_told(written, tmp_path):
    (tmp_path / "c.scores").write_text("a file where the folder should be")
    pins = [PinRow("", 6, *place(26, 33))]
    said = run_solve(written, output=tmp_path / "c.gpkg", pins=pins)
    assert "The scores stay beside town ü.gpkg alone" in said["notes"][0]
    assert len(rows_of(tmp_path / "c.gpkg", "frames_pinned")) == FRAMES


def test_a_stopped_or_wrong_request_writes_nothing(written, tmp_path):
    pins, output = [PinRow("", 6, *place(26, 33))], tmp_path / "c.gpkg"
    with pytest.raises(CancelledError):
        run_solve(written, output=output, pins=pins, feedback=Feedback(cancelled=lambda: True))
    for more, says in (
        ({"pins": pins}, "give an output besides the result"),
        ({"pins": pins, "output": written}, "give an output besides the result"),
        ({"pins": [], "output": output}, "has no pins"),
        ({"pins": [PinRow("", 99, 10, 20)], "output": output}, "no frame 99"),
        ({"pins": pins, "output": tmp_path / "c.shp"}, "must end in .gpkg"),
        ({"pins": pins, "output": tmp_path / "none" / "c.gpkg"}, "does not exist"),
    ):
        with pytest.raises(InputError, match=says):
            run_solve(written, **more)
    for wrong in ({"frame_index": 6}, {"frame_index": 6, "lat_deg": 1, "lon_deg": 2, "height": 3}, {"when": "noon"}):
        with pytest.raises(InputError, match="A pin cannot be understood"):
            pin_from(wrong)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["town ü.gpkg", "town ü.scores"]


def test_the_models_own_layers_cannot_be_written_over(written):
    for layer in OWN:
        with pytest.raises(ValueError, match="not written over"):
            with_layers(written, {layer: (pins_table([]), "pins")})


def test_solving_is_quick(written):
    """Under a second on an idle core; generous here, for busy machines."""
    run_pin(written, PinRow("", 6, *place(EAST[0] + 6, EAST[1])))
    run_solve(written)
    began = time.process_time()
    run_solve(written)
    assert time.process_time() - began < 3


def test_pins_that_a_person_drew_in_another_program(written):
    """A bare point with a frame's number, saved by another program that holds the file in write-ahead mode."""
    drawn = {"video": ["town.mp4"], "frame_index": [6], "why": [None]}
    point = shapely.Point(*place(EAST[0] + 6, EAST[1])[::-1])
    review = review_path(written)
    pyogrio.write_dataframe(
        geopandas.GeoDataFrame(drawn, geometry=[point], crs=4326), review, layer="pins", layer_options={"GEOMETRY_NAME": "geom"}
    )
    assert read_pins(review) == [PinRow("town.mp4", 6, *place(EAST[0] + 6, EAST[1]), number=1)]
    with closing(sqlite3.connect(review)) as other:
        for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):  # of the triggers, which need not do anything
            other.create_function(name, 1, lambda _: 0)
        assert other.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        other.execute("UPDATE pins SET why = 'the mill'")
        other.commit()
        assert review.with_name(review.name + "-wal").stat().st_size > 0
        said = run_solve(written)
    assert said["videos"][0]["pins"] == 1
    assert [pin.why for pin in read_pins(review)] == ["the mill"]


@pytest.mark.parametrize(
    ("pin", "says"),
    [
        (PinRow("other.mp4", 6, 10, 20), "no video 'other.mp4'.*town.mp4"),
        (PinRow("", 99, 10, 20), "no frame 99.*0 to 11"),
        (PinRow("", 6, 100, 20), "not on Earth"),
        (PinRow("", 6, 10, 20, radius_m=0), "radius of 0 m"),
        (PinRow("", 6, 11.0, 20.0), "48 s of town.mp4 lies outside the area that was searched"),
        (PinRow("", None, 10, 20, time_s=88.1), "88.1 s lies outside the video town.mp4.*0 to 88 s"),
        (PinRow("", None, 10, 20, time_s=-1.0), "-1 s lies outside the video"),
        (PinRow("", None, 10, 20, time_s=NAN), "outside the video"),
    ],
)
def test_pins_that_do_not_fit_are_refused(written, pin, says):
    before = hashlib.sha256(written.read_bytes()).digest()
    with pytest.raises(InputError, match=says):
        run_pin(written, pin)
    assert hashlib.sha256(written.read_bytes()).digest() == before
    assert not review_path(written).exists()


def test_what_cannot_be_solved_is_said(written, tmp_path):
    with pytest.raises(InputError, match="has no pins.*vidtag pin"):
        run_solve(written)
    add_pins(written, [PinRow("town.mp4", 6, 11.0, 20.0)])  # by hand, past the checks
    with pytest.raises(InputError, match=r"frame 6 of town\.mp4 lies .* m outside the area"):
        run_solve(written)
    run_remove(written)
    run_pin(written, PinRow("town.mp4", 3, 10.01, 20.01))
    with pytest.raises(InputError, match="Frame 3 .* has no picture"):
        run_solve(written)
    (file,) = (tmp_path / "town ü.scores").iterdir()
    file.write_bytes(file.read_bytes()[:-500])
    with pytest.raises(InputError, match="damaged.*--keep-scores"):
        run_solve(written)
    file.unlink()
    with pytest.raises(InputError, match="not there.*--keep-scores"):
        run_solve(written)


def test_command_line(written):
    runner = CliRunner()
    lat, lon = place(EAST[0] + 6, EAST[1])
    done = runner.invoke(app, ["pin", str(written), "--frame", "6", "--at", f"{lat},{lon}", "--who", "Ada", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["video"] == "town.mp4"
    done = runner.invoke(app, ["pin", str(written), "--frame", "2", "--at", f"{lat} {lon}"])
    assert done.exit_code == 2
    done = runner.invoke(app, ["solve", str(written)])
    assert done.exit_code == 0, done.output
    assert "frames_pinned" in done.stdout
    copy = written.with_name("copy.gpkg")
    done = runner.invoke(app, ["solve", str(written), "--output", str(copy), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["output"] == str(copy)
    assert rows_of(copy, "frames_pinned") == rows_of(written, "frames_pinned")
