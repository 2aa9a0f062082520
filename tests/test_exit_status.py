"""Each kind of end of a command has an exit status of its own, which docs/start/command-line.md lists."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vidtag_engine.cli.terminal import WITHHELD
from vidtag_engine.types import CancelledError, FetchError, InputError, VideoError

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "resources" / "demo"
GIVEN = ["--aoi", DEMO / "aoi.geojson", "--checkpoint", DEMO / "checkpoint", "--resolution-m", "25", "--device", "cpu"]


def vidtag(*arguments, offline=False):
    command = [sys.executable, "-m", "vidtag_engine", *map(str, arguments)]
    settings = {"HF_HUB_OFFLINE": "1"} if offline else {}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, **settings}, timeout=600)


def test_docs_list_them():
    page = (ROOT / "docs" / "start" / "command-line.md").read_text(encoding="utf-8")
    listed = {int(number) for number in re.findall(r"(?m)^\| (\d+) \|", page)}
    assert listed == {0, 1, WITHHELD, *(kind.exit_status for kind in (InputError, VideoError, FetchError, CancelledError))}


@pytest.mark.parametrize("content", [b"", b"no video at all" * 99])
def test_a_video_that_cannot_be_read(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    run = vidtag("geolocate", tmp_path / "a.mp4", *GIVEN, "--output", tmp_path / "a.gpkg")
    assert run.returncode == VideoError.exit_status == 3
    assert run.stderr.splitlines()[-1].startswith("Error: ")


def test_one_that_is_not_there_is_bad_input(tmp_path):
    assert vidtag("geolocate", tmp_path / "absent.mp4", *GIVEN, "--output", tmp_path / "a.gpkg").returncode == InputError.exit_status == 2


def test_a_checkpoint_that_cannot_be_fetched(tmp_path):
    run = vidtag("geolocate", DEMO / "drive.mp4", "--checkpoint", "nobody/nothing", "--output", tmp_path / "a.gpkg", offline=True)
    assert run.returncode == FetchError.exit_status == 4
    assert "go online once" in run.stderr


@pytest.mark.slow
def test_all_withheld(tmp_path):
    elsewhere = ["--aoi", "2.3,48.8,2.4,48.9", *GIVEN[2:4], "--resolution-m", "500", "--device", "cpu", "--to", "2"]
    run = vidtag("geolocate", DEMO / "drive.mp4", *elsewhere, "--output", tmp_path / "a.gpkg")
    assert run.returncode == WITHHELD == 5
    assert (tmp_path / "a.gpkg").is_file()
    assert "withheld" in run.stderr + run.stdout
