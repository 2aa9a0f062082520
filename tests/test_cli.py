"""The command line as a user meets it: help with examples, a count, a doctor, and bad input in one sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vidtag_engine import __version__
from vidtag_engine.cli.app import app

RUNNER = CliRunner()
BOX = "10,50,10.05,50.03"


@pytest.mark.parametrize(
    "command", ["geolocate", "train", "evaluate", "gallery", "export", "benchmark", "pin", "solve", "match", "caches list", "caches clear"]
)
def test_help_has_an_example(command: str) -> None:
    result = RUNNER.invoke(app, [*command.split(), "--help"], env={"COLUMNS": "160"})
    assert result.exit_code == 0
    assert f"vidtag {command}" in result.output


def test_version() -> None:
    assert __version__ in RUNNER.invoke(app, ["--version"]).output


def test_gallery_counts_what_it_writes(tmp_path: Path) -> None:
    counted = json.loads(RUNNER.invoke(app, ["gallery", "--aoi", BOX, "--resolution-m", "200", "--json"]).stdout)["count"]
    output = tmp_path / "grid.gpkg"
    result = RUNNER.invoke(app, ["gallery", "--aoi", BOX, "--resolution-m", "200", "--output", str(output)])
    assert result.exit_code == 0, result.output
    said = subprocess.run(["ogrinfo", "-ro", "-so", str(output), "gallery"], capture_output=True, text=True, check=True).stdout
    assert f"Feature Count: {counted}" in said
    assert list(tmp_path.iterdir()) == [output]


def test_bad_input_is_one_sentence_and_status_2(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["gallery", "--aoi", "5,5,4,6"])
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.slow
def test_doctor_tells_what_is_there_and_what_to_do() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "vidtag_engine", "doctor", "--json"], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
    )  # fmt: skip
    report = json.loads(run.stdout)
    assert report["ok"], report["advice"]
    assert run.returncode == 0
    assert report["versions"]["vidtag-engine"] == __version__
    assert report["device"]["precision"] in {"float32", "bfloat16"}
    states = {entry["name"]: entry["found"] for entry in report["weights"]}
    assert states["vidtag-compact"]
    assert states["geoclip-heads"]
    missing = [entry for entry in report["weights"] if not entry["found"]]
    assert all(len(entry["said"]) > 40 for entry in missing)


@pytest.mark.slow
def test_pip_install_gives_the_command(tmp_path: Path) -> None:
    """A wheel built from this checkout brings the engine, its styles and the command."""
    root = Path(__file__).resolve().parent.parent
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(tmp_path), str(root)]
    subprocess.run(pip, check=True, cwd=tmp_path)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run([str(tmp_path / "bin" / "vidtag"), "--version"], capture_output=True, text=True, check=False, cwd=tmp_path,
                         env={**environment, "PYTHONPATH": str(tmp_path)})  # fmt: skip
    assert run.stdout.strip() == f"vidtag {__version__}", run.stderr
    code = "from vidtag_engine.export.geopackage_tables import add_styles; import vidtag_engine; print(vidtag_engine.__file__)"
    where = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path,
                           env={**environment, "PYTHONPATH": str(tmp_path)}).stdout  # fmt: skip
    assert where.startswith(str(tmp_path))
    assert sorted(p.name for p in (tmp_path / "vidtag_engine" / "resources" / "styles").iterdir()) == sorted(
        p.name for p in (root / "resources" / "styles").glob("*.qml")
    )
