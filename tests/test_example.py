"""The real example that ships: its files, and that the command runs from end to end."""

import hashlib
import importlib.util
from pathlib import Path

import pytest

from vidtag_engine.video import open_source, read_track

ROOT = Path(__file__).resolve().parent.parent
FLIGHTS = ROOT / "resources" / "example"
SHARED = ROOT.parent / "shared" / "data" / "seneca"


@pytest.mark.parametrize(("flight", "pictures"), [("flight1", 76), ("flight2", 91)])
def test_the_flights_are_there_with_their_tracks(flight, pictures):
    info, track = open_source(FLIGHTS / f"{flight}.mp4"), read_track(FLIGHTS / f"{flight}.gpx")
    assert len(track.time_s) == pictures
    assert track.time_s[0] == info.start_time.timestamp()
    assert "CC0" in (FLIGHTS / "LICENSE").read_text(encoding="utf-8")
    assert "OpenDroneMap" in (FLIGHTS / "README.md").read_text(encoding="utf-8")


@pytest.mark.data
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the recordings are not in {SHARED.name}'s folder beside the checkout")
def test_they_are_the_recordings_byte_for_byte():
    for name in ("flight1.mp4", "flight2.mp4", "flight1.gpx", "flight2.gpx", "LICENSE"):
        assert hashlib.sha256((FLIGHTS / name).read_bytes()).digest() == hashlib.sha256((SHARED / name).read_bytes()).digest(), name


@pytest.mark.slow
def test_the_command_learns_finds_evaluates_and_draws(tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("example_tool", ROOT / "tools" / "example.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    monkeypatch.setattr(example, "OUTPUT", tmp_path / "example")
    # Enough of a training to see that all of it works; how good the full one is, `make example` says.
    monkeypatch.setattr(example, "TRAINING", {**example.TRAINING, "views": 0, "phase1_steps": 8, "phase2_steps": 2, "validate_every": 4})
    example.main()
    said = capsys.readouterr().out
    assert "Median error against the track: " in said
    assert "73 s after flight 1" in said
    made = {path.name for path in (tmp_path / "example").iterdir()}
    assert {"checkpoint", "flight2.gpkg", "flight2.kml", "flight2.png", "errors.png"} <= made
    example.main()  # again: the checkpoint is there, and the outputs are its own
    assert "Learning" not in capsys.readouterr().out
