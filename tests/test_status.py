"""How a result stands, and what to do next."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from tests.export_cases import PROVENANCE, video
from tests.test_corrections import AOI, EAST, place, town
from vidtag_engine.cli.app import app
from vidtag_engine.command_arguments import NextStepsArguments
from vidtag_engine.commands.pin import run_pin
from vidtag_engine.commands.solve import run_solve
from vidtag_engine.commands.status import FORMAT, run_status
from vidtag_engine.export import write_geopackage
from vidtag_engine.export.pins import PinRow
from vidtag_engine.export.review_file import add_pins, review_path
from vidtag_engine.export.scores_file import write_scores
from vidtag_engine.types import FailedVideo, InputError


@pytest.fixture
def written(tmp_path):
    """A result with one video whose scores were kept."""
    result, kept = town()
    path = tmp_path / "town.gpkg"
    write_geopackage(path, [result], PROVENANCE, aoi=AOI)
    write_scores(path, result.sha256, kept)
    return path


def steps(path):
    return [step["id"] for step in run_status(path)["next"]]


def later(path, seconds):
    """As if a file had been written so much later."""
    then = time.time() + seconds
    os.utime(path, (then, then))


def test_without_a_result_it_says_how_to_begin():
    found = run_status()
    assert found["format"] == FORMAT
    assert found["result"] is None
    [step] = found["next"]
    assert step["id"] == "geolocate"
    assert not step["ready"]
    assert step["command"][:2] == ["vidtag", "geolocate"]


def test_pins_are_to_be_solved_with_until_they_are(written):
    assert steps(written) == ["export"]
    later(written, -60)
    run_pin(written, PinRow("town.mp4", 2, *place(22, EAST[1])))
    [first, *_] = run_status(written)["next"]
    assert (first["id"], first["ready"]) == ("solve", True)
    assert first["command"] == ["vidtag", "solve", str(written)]
    assert run_status(written)["result"]["pins"] == 1
    run_solve(written)
    later(written, 60)
    found = run_status(written)
    assert "solve" not in [step["id"] for step in found["next"]]
    assert found["result"]["solved"]
    later(written, -60)  # a pin that is set after that
    add_pins(written, [PinRow("town.mp4", 4, *place(24, EAST[1]), sha256="a" * 64, time_s=32.0)])
    assert steps(written)[0] == "solve"


def test_pins_without_scores_ask_for_scores(written):
    shutil.rmtree(written.with_suffix(".scores"))
    run_pin(written, PinRow("town.mp4", 2, *place(22, EAST[1])))
    assert steps(written)[0] == "keep-scores"


def test_what_failed_is_withheld_or_unsure_has_its_step(tmp_path):
    sure, _ = town()
    withheld, _ = town(withheld=True)
    other = video("other.mp4", [10.0, 10.001], [20.0, 20.001], [0.2, 0.3])
    failed = FailedVideo(replace(other.info, name="broken.mp4", path=other.info.path.with_name("broken.mp4")), "it is cut off", "")
    path = tmp_path / "batch.gpkg"
    named = replace(withheld, info=replace(withheld.info, name="away.mp4"), sha256="b" * 64)
    write_geopackage(path, [sure, named, other], PROVENANCE, aoi=AOI, failed=[failed])
    with closing(sqlite3.connect(path)) as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'videos'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute("UPDATE videos SET state = 'outside_aoi' WHERE video = 'away.mp4'")
        database.commit()
    found = run_status(path)
    by_id = {step["id"]: step for step in found["next"]}
    assert list(by_id) == ["retry-failed", "another-area", "check", "export"]
    assert by_id["retry-failed"]["videos"] == ["broken.mp4"]
    assert by_id["another-area"]["videos"] == ["away.mp4"]
    assert by_id["another-area"]["why"].startswith("1 video was by all that is known taken outside")
    assert by_id["check"]["videos"] == ["other.mp4"]
    assert found["result"]["counts"]["failed"] == 1
    assert found["result"]["frames"] == sum(one["frames"] for one in found["result"]["videos"])
    rated = [confidence for one in (sure, other) for confidence in one.trajectory.confidence]
    assert found["result"]["mean_confidence"] == pytest.approx(sum(rated) / len(rated), abs=1e-4)
    json.dumps(found, allow_nan=False)


def test_places_without_a_probability_ask_for_calibration(tmp_path):
    one = video("a.mp4", [10.0, 10.001], [20.0, 20.001], [float("nan"), float("nan")])
    path = tmp_path / "a.gpkg"
    write_geopackage(path, [one], PROVENANCE, aoi=AOI)
    assert steps(path) == ["calibrate", "export"]
    assert run_status(path)["result"]["not_rated"] == 2


def test_what_is_no_result_is_one_sentence(tmp_path, written):
    with pytest.raises(InputError, match="is not there"):
        run_status(tmp_path / "gone.gpkg")
    (tmp_path / "text.gpkg").write_text("no")
    with pytest.raises(InputError, match="no result"):
        run_status(tmp_path / "text.gpkg")
    run_pin(written, PinRow("town.mp4", 2, *place(22, EAST[1])))
    with pytest.raises(InputError, match="is no result"):
        run_status(review_path(written))


def test_every_command_is_one_that_the_command_line_takes(tmp_path, written):
    """Words that it does not know would send a script into the wall."""
    from typer.main import get_command

    one, _ = town()
    states = ("outside_aoi", "unfamiliar", "unknown_ground")
    unsure = video("unsure.mp4", [10.0, 10.001], [20.0, 20.001], [0.2, 0.3])
    unrated = video("unrated.mp4", [10.0, 10.001], [20.0, 20.001], [float("nan"), float("nan")])
    several = [replace(one, info=replace(one.info, name=f"{state}.mp4"), sha256=state[0] * 64) for state in states]
    failed = FailedVideo(replace(one.info, name="broken.mp4"), "it is cut off", "")
    path = tmp_path / "all.gpkg"
    write_geopackage(path, [unsure, unrated, *several], PROVENANCE, aoi=AOI, failed=[failed])
    with closing(sqlite3.connect(path)) as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'videos'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        for state in states:
            database.execute("UPDATE videos SET state = ? WHERE video = ?", (state, f"{state}.mp4"))
        database.commit()
    shutil.rmtree(written.with_suffix(".scores"))
    run_pin(written, PinRow("town.mp4", 2, *place(22, EAST[1])))
    without = run_status(written)["next"]
    write_scores(written, one.sha256, town()[1])
    found = [*run_status()["next"], *run_status(path)["next"], *without, *run_status(written)["next"]]
    known = {"geolocate", "retry-failed", "keep-scores", "solve", "another-area", "more-references", "calibrate", "check", "export"}
    assert {step["id"] for step in found} == known
    for step in found:
        words, command = list(step["command"][1:]), get_command(app)
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        filled = ["3.5" if word == "SECONDS" else word for word in words]
        command.make_context(step["id"], filled)  # as the command line reads them; raises where it does not know one


def test_the_command_line_says_the_same(written):
    told = CliRunner().invoke(app, ["status", str(written)])
    assert told.exit_code == 0
    assert "12 of 12 frames located, mean confidence 50%" in told.output
    assert "1. Export it for other programs." in told.output
    assert json.loads(CliRunner().invoke(app, ["status", str(written), "--json"]).output) == run_status(written)
    refused = CliRunner().invoke(app, ["status", str(written.with_name("gone.gpkg"))])
    assert refused.exit_code == 2
    assert NextStepsArguments().result is None
