"""A checkpoint of before is calibrated anew on further videos, and its weights stay as they are."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vidtag_engine.cli.app import app
from vidtag_engine.models.checkpoint import from_pretrained, save_pretrained, stored_in_half
from vidtag_engine.reference.similarity import NEIGHBOURS
from vidtag_engine.trajectory import LEAST_VIDEOS, Calibration

DEMO = Path(__file__).resolve().parent.parent / "resources" / "demo"


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> Path:
    """The demo's checkpoint as 0.1.0 would have written it, but for how it was calibrated to read references."""
    folder = tmp_path_factory.mktemp("old") / "checkpoint"
    model, card = from_pretrained(DEMO / "checkpoint")
    plain = {name: value for name, value in card.calibration.items() if name not in ("ground", "videos")}
    recall = {**plain["path"]["recall"], "neighbours": NEIGHBOURS, "either_way": True, "sequence_mps": 9.0}
    plain["path"] = {**plain["path"], "recall": recall}
    save_pretrained(model, folder, dataclasses.replace(card, calibration=plain))
    return folder


@pytest.mark.slow
def test_a_checkpoint_of_before_can_tell_again_and_has_the_same_weights(old, tmp_path):
    arguments = []
    for number in range(LEAST_VIDEOS):
        for suffix in (".mp4", ".gpx"):
            shutil.copy((DEMO / "drive").with_suffix(suffix), tmp_path / f"drive{number}{suffix}")
        arguments += ["--video", str(tmp_path / f"drive{number}.mp4"), "--truth", str(tmp_path / f"drive{number}.gpx")]
    before = from_pretrained(old)[1]
    assert Calibration.from_dict(before.calibration).cannot_tell
    made = CliRunner().invoke(app, ["calibrate", str(old), *arguments, "--output", str(tmp_path / "new"), "--json"])
    assert made.exit_code == 0, made.output
    said = json.loads(made.stdout.strip().splitlines()[-1])
    assert any(f"{LEAST_VIDEOS} held-out videos calibrated" in line for line in said["tells"])
    _, card = from_pretrained(tmp_path / "new")
    assert card.sha256 == before.sha256
    after = Calibration.from_dict(card.calibration)
    assert after.cannot_tell == ""
    assert after.path.videos == LEAST_VIDEOS
    # References are read as before.
    assert after.path.database_weight.either_way
    assert after.path.database_weight.sequence_mps is not None
    assert after.ground.knows(Calibration.from_dict(before.calibration).path.out_of_area.lat_lon_deg).all()
    # What its training looks like is kept; how strange held-out videos are is new.
    assert after.path.novelty.centres.shape == Calibration.from_dict(before.calibration).path.novelty.centres.shape
    assert len(after.path.novelty.held_out) == LEAST_VIDEOS


@pytest.mark.parametrize("half", [True, False])
def test_how_the_weights_were_stored_is_told_by_their_digest(half, tmp_path):
    model, card = from_pretrained(DEMO / "checkpoint")
    written = save_pretrained(model, tmp_path / "copy", dataclasses.replace(card, created_utc=""), half=half)
    again, _ = from_pretrained(tmp_path / "copy")
    assert stored_in_half(again, written) is half
    assert (written.sha256 == card.sha256) is half


def test_the_worlds_checkpoint_is_refused_before_anything_is_fetched(tmp_path):
    refused = CliRunner().invoke(app, ["calibrate", "geoclip", "--output", str(tmp_path / "new")])
    assert refused.exit_code == 2
    assert "vidtag train" in " ".join(refused.output.split())


def test_too_few_videos_are_refused_in_a_sentence_that_says_how_many_it_takes(old, tmp_path):
    given = ["--video", str(DEMO / "drive.mp4"), "--truth", str(DEMO / "drive.gpx"), "--output", str(tmp_path / "new")]
    refused = CliRunner().invoke(app, ["calibrate", str(old), *given])
    assert refused.exit_code == 2
    assert f"at least {LEAST_VIDEOS}" in " ".join(refused.output.split())
    assert not (tmp_path / "new" / "config.json").exists()
