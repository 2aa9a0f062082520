"""How few lines it takes until a trajectory is on the screen: three of Python, and after `make demo` one in a shell."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import vidtag_engine as vidtag
from tests import docs_commands, docs_folder
from vidtag_engine.screen import has_screen

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "resources" / "demo"
README = (ROOT / "README.md").read_text(encoding="utf-8")
FLIGHT = ROOT / "resources" / "example" / "flight1.mp4"


@pytest.fixture
def browser(tmp_path, monkeypatch):
    """A browser that notes what it was given; the file of its notes."""
    notes, program = tmp_path / "opened", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" >> "{notes}"\n', encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("BROWSER", str(program))
    return notes


def _vidtag(folder, *words):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "vidtag_engine", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.slow
def test_three_lines_of_python_show_a_trajectory(browser, tmp_path):
    """As the README has them, on the demo's files."""
    (block,) = [one for one in docs_commands.indented(ROOT / "README.md") if one.startswith("import ")]
    assert len(block.splitlines()) == 3
    folder = docs_folder.prepared(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", block], cwd=folder, check=True, env=environment)
    page = Path(browser.read_text(encoding="utf-8").strip().removeprefix("file://"))
    text = page.read_text(encoding="utf-8")
    assert "data:image/png;base64," in text
    assert "<td>drive.mp4</td><td>40</td><td>40</td>" in text
    assert not re.search(r"https?://", text)


def test_one_line_in_a_shell_shows_a_trajectory(browser, tmp_path):
    """What `make demo` says and the README shows is one line; with the demo's checkpoint, which is here, it goes the whole way."""
    assert "    tools/vidtag geolocate my.mp4 --show\n" in README
    demo = (ROOT / "tools" / "demo.py").read_text(encoding="utf-8")
    assert "tools/vidtag geolocate YOUR.mp4 --show" in demo
    assert "tools/vidtag geolocate YOUR.mp4 --checkpoint" in demo
    done = _vidtag(tmp_path, "geolocate", str(DEMO / "drive.mp4"), "--checkpoint", str(DEMO / "checkpoint"), "--to", "5", "--show")
    assert done.returncode == 0, done.stderr
    assert browser.read_text(encoding="utf-8").strip() == (tmp_path / "drive.html").as_uri()
    assert (tmp_path / "drive.gpkg").is_file()


@pytest.mark.slow
def test_a_video_of_another_place_is_shown_with_why_it_has_no_line(browser, tmp_path):
    done = _vidtag(tmp_path, "geolocate", str(FLIGHT), "--checkpoint", str(DEMO / "checkpoint"), "--to", "20", "--show")
    assert done.returncode == 5, done.stderr
    assert browser.read_text(encoding="utf-8").strip() == (tmp_path / "flight1.html").as_uri()
    assert "<p>flight1.mp4 is not located: " in (tmp_path / "flight1.html").read_text(encoding="utf-8")


def test_without_a_screen_the_page_is_named(tmp_path, monkeypatch):
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not has_screen()
    done = _vidtag(tmp_path, "geolocate", str(DEMO / "drive.mp4"), "--checkpoint", str(DEMO / "checkpoint"), "--to", "2", "--show")
    assert done.returncode == 0, done.stderr
    assert "no browser" in done.stderr
    assert "drive.html" in done.stdout.split()


def test_a_page_replaces_nothing_of_anybody_elses(tmp_path):
    (tmp_path / "drive.html").write_text("<html>mine</html>", encoding="utf-8")
    done = _vidtag(tmp_path, "geolocate", str(DEMO / "drive.mp4"), "--checkpoint", str(DEMO / "checkpoint"), "--to", "2", "--show")
    assert done.returncode == 2
    assert "drive.html" in done.stderr
    assert not (tmp_path / "drive.gpkg").exists()


def test_a_result_of_several_has_no_name_by_itself(tmp_path):
    done = _vidtag(tmp_path, "geolocate", str(DEMO / "drive.mp4"), str(FLIGHT), "--checkpoint", str(DEMO / "checkpoint"))
    assert done.returncode == 2
    assert "Give --output" in done.stderr


def test_what_a_notebook_shows(tmp_path):
    found = vidtag.geolocate(DEMO / "drive.mp4", checkpoint=DEMO / "checkpoint", resolution_m=50, to_s=5)
    assert "data:image/png;base64," in found._repr_html_()
    shown = vidtag.evaluate(found, DEMO / "drive.gpx")._repr_html_()
    assert "<td>median error</td>" in shown
    assert "<p>" in shown
