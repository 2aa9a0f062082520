"""Judgements beside a result: kept by moment, in place, read by other eyes, and by whoever comes after another run."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyogrio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.export_cases import PROVENANCE
from tests.test_corrections import AOI, town
from vidtag_engine.cli.app import app
from vidtag_engine.commands.pin import run_pin, run_pin_action
from vidtag_engine.commands.review import run_review
from vidtag_engine.export import write_geopackage
from vidtag_engine.export.pins import PinRow, read_pins
from vidtag_engine.export.review_file import review_path
from vidtag_engine.export.review_table import STATES, ReviewRow, add_review, change_review, read_review, remove_review, states_at
from vidtag_engine.types import InputError


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "town.gpkg"
    write_geopackage(path, [town()[0]], PROVENANCE, aoi=AOI)
    return path


def test_what_is_judged_comes_back_and_the_result_stays(written):
    before = hashlib.sha256(written.read_bytes()).digest()
    said = run_review(written, "add", {"from_s": 8.0, "to_s": 24.0, "state": "accepted", "comment": "the church", "who": "A. Nalyst"})
    assert said["number"] == 1
    [row] = said["rows"]
    assert (row["video"], row["from_s"], row["to_s"], row["state"]) == ("town.mp4", 8.0, 24.0, "accepted")
    assert datetime.fromisoformat(row["when"]) <= datetime.now(UTC)
    assert said["frames"] == {"town.mp4": {"accepted": 3, "unsure": 0, "rejected": 0, "not_judged": 9}}
    assert hashlib.sha256(written.read_bytes()).digest() == before
    # As other programs read it: a table without geometry, beside the layer of pins.
    layers = dict(pyogrio.list_layers(review_path(written)).tolist())
    assert layers["review"] is None
    assert layers["pins"] == "Point"
    frame = pyogrio.read_dataframe(review_path(written), layer="review")
    assert frame["comment"].tolist() == ["the church"]
    assert str(frame["when"].dtype).startswith("datetime64")


def test_rows_are_changed_and_removed_in_place_beside_pins(written):
    run_pin(written, PinRow("town.mp4", 2, 10.0, 20.0))
    run_review(written, "add", {"from_s": 8.0, "bookmark": True})
    run_review(written, "change", {"comment": "look again", "state": "unsure"}, 1)
    [row] = read_review(written)
    assert (row.bookmark, row.comment, row.state) == (True, "look again", "unsure")
    assert len(read_pins(review_path(written))) == 1
    run_review(written, "remove", number=1)
    assert read_review(written) == []
    assert len(read_pins(review_path(written))) == 1
    with pytest.raises(InputError, match="has no review 1"):
        run_review(written, "remove", number=1)


def test_a_judgement_outlives_another_result_of_the_video(written):
    run_review(written, "add", {"from_s": 8.0, "state": "rejected"})
    fewer, _ = town(damaged=(1,))
    write_geopackage(written, [replace(fewer, info=replace(fewer.info, name="renamed.mp4"))], PROVENANCE, aoi=AOI)
    assert run_review(written)["frames"]["renamed.mp4"]["rejected"] == 1


def test_a_file_that_is_open_elsewhere_is_written_all_the_same(written):
    run_review(written, "add", {"from_s": 8.0, "state": "accepted"})
    with closing(sqlite3.connect(review_path(written))) as other:
        assert other.execute("SELECT count(*) FROM review").fetchone() == (1,)
        run_review(written, "add", {"from_s": 16.0, "state": "accepted"})
        assert other.execute("SELECT count(*) FROM review").fetchone() == (2,)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"from_s": 8.0}, "says nothing"),
        ({"from_s": 8.0, "state": "maybe"}, "no judgement 'maybe'"),
        ({"from_s": 24.0, "to_s": 8.0, "state": "accepted"}, "is none"),
        ({"from_s": float("nan"), "state": "accepted"}, "is none"),
        ({"state": "accepted"}, "does not say its moment"),
        ({"from_s": 900.0, "state": "accepted"}, "lies beyond town.mp4"),
        ({"from_s": 8.0, "state": "accepted", "video": "other.mp4"}, "say which one is meant"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(written, row, said):
    with pytest.raises(InputError, match=said):
        run_review(written, "add", row)
    assert not review_path(written).exists()


def test_rows_by_hand_are_read_or_refused_by_number(written):
    run_review(written, "add", {"from_s": 8.0, "state": "accepted"})
    with closing(sqlite3.connect(review_path(written))) as database, database:
        database.execute("ALTER TABLE review ADD COLUMN colour TEXT")
        database.execute("INSERT INTO review (sha256, from_s, state, colour) VALUES ('ab', 1.0, ' Unsure ', 'red')")
    assert read_review(written)[1].state == "unsure"
    assert read_review(written)[1].to_s == 1.0
    with closing(sqlite3.connect(review_path(written))) as database, database:
        database.execute("UPDATE review SET state = 'good' WHERE fid = 2")
    with pytest.raises(InputError, match="Review 2 in town.review.gpkg says 'good': write one of accepted, unsure, rejected"):
        read_review(written)


START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 20), st.integers(0, 8), st.sampled_from(["", *STATES]), st.integers(0, 5)),
    max_size=12,
)


@settings(deadline=None)
@given(ROWS, st.lists(st.integers(0, 30), max_size=20))
def test_the_newest_judgement_of_a_moment_holds(made, times):
    rows = [
        ReviewRow("v", sha256, float(begin), float(begin + length), state, comment="c", when=START + timedelta(seconds=when), number=number)
        for number, (sha256, begin, length, state, when) in enumerate(made, 1)
    ]
    for time_s, found in zip(times, states_at(rows, "a", [float(one) for one in times]), strict=True):
        holding = [row for row in rows if row.sha256 == "a" and row.state and row.from_s <= time_s <= row.to_s]
        expected = max(holding, key=lambda row: (row.when, row.number)).state if holding else ""
        assert found == expected


def test_rows_are_added_changed_and_removed_by_the_functions_too(tmp_path):
    result = tmp_path / "r.gpkg"
    result.touch()
    write_geopackage(result, [town()[0]], PROVENANCE, aoi=AOI, overwrite=True)
    added = add_review(result, ReviewRow("town.mp4", "ab" * 32, 1.0, 1.0, comment="é ∅"))
    assert change_review(result, added.number, state="accepted").comment == "é ∅"
    assert remove_review(result, added.number).state == "accepted"
    assert read_review(result) == []


def test_a_row_that_is_asked_for_again_is_there_once(written):
    row = {"from_s": 8.0, "state": "accepted", "when": "2026-05-01T10:00:00.125Z"}
    assert run_review(written, "add", row)["number"] == run_review(written, "add", row)["number"] == 1
    assert run_review(written, "add", {**row, "when": "2026-05-01T10:00:00.126Z"})["number"] == 2
    with pytest.raises(InputError, match="cannot be understood"):
        run_review(written, "add", {**row, "when": "yesterday"})


def test_pins_are_confirmed_noted_listed_and_taken_back(written):
    result, _ = town()
    said = run_pin_action(written, "confirm", {"time_s": 16.0})
    [pin] = said["pins"]
    assert (pin["here"], pin["why"], pin["radius_m"]) == (True, "confirmed", result.trajectory.confidence_radius_m)
    assert (pin["lat_deg"], pin["lon_deg"]) == pytest.approx((result.trajectory.lat_deg[2], result.trajectory.lon_deg[2]), abs=1e-9)
    assert run_pin_action(written, "note", {"why": "seen by two"}, said["number"])["pins"][0]["why"] == "seen by two"
    run_pin_action(written, "add", {"time_s": 40.0, "lat_deg": 10.0, "lon_deg": 20.0, "here": False})
    assert len(run_pin_action(written, "list")["pins"]) == 2
    assert [one["why"] for one in run_pin_action(written, "remove")["pins"]] == ["seen by two"]
    assert run_pin_action(written, "remove", None, 1)["pins"] == []
    with pytest.raises(InputError, match="no action"):
        run_pin_action(written, "paint")


def test_a_frame_without_a_place_cannot_be_confirmed(tmp_path):
    path = tmp_path / "r.gpkg"
    write_geopackage(path, [town(withheld=True)[0]], PROVENANCE, aoi=AOI)
    with pytest.raises(InputError, match="has no place to confirm"):
        run_pin_action(path, "confirm", {"time_s": 16.0})


def test_the_command_line(written):
    runner = CliRunner()
    told = runner.invoke(app, ["review", str(written), "--from-s", "8", "--to-s", "16", "--accept", "--who", "me"])
    assert told.exit_code == 0, told.output
    assert "1. town.mp4, 8 to 16 s: accepted · (me)" in told.output
    assert "town.mp4: 2 accepted, 10 not judged" in told.output
    assert json.loads(runner.invoke(app, ["review", str(written), "--json"]).output)["rows"][0]["who"] == "me"
    assert (
        "give one of --accept, --unsure and --reject"
        in runner.invoke(app, ["review", str(written), "--accept", "--reject", "--from-s", "8"]).output
    )
    assert "Nothing is said" in runner.invoke(app, ["review", str(written), "--from-s", "8"]).output
    assert runner.invoke(app, ["review", str(written), "--remove", "1"]).exit_code == 0
