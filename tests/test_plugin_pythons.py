"""What of the plugin needs no QGIS, under newer Pythons than the engine's: QGIS 4 comes with 3.12 and newer, whatever the engine's own Python is."""

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vidtag_qgis.engine_client.errors import PythonNotFoundError
from vidtag_qgis.engine_client.python_finder import check_python, python_candidates

ROOT = Path(__file__).resolve().parent.parent
LENT = ("pytest", "pytest-timeout", "pip", "setuptools", "hatchling")
"""What the tests need, all of it pure Python."""


@pytest.fixture(scope="module")
def pythons() -> dict[str, str]:
    """Those of this machine, by version."""
    found: dict[str, str] = {}
    for candidate in python_candidates(os.environ):
        try:
            python = check_python(candidate)
        except PythonNotFoundError:
            continue
        found.setdefault(".".join(map(str, python.version[:2])), python.python)
    return found


def lend(names: tuple[str, ...], packages: Path) -> None:
    """Link distributions of this environment, and all that they require, into another one's folder of packages."""
    queue, seen = list(names), set()
    while queue:
        distribution = importlib.metadata.distribution(queue.pop())
        if distribution.metadata["Name"] in seen:
            continue
        seen.add(distribution.metadata["Name"])
        queue += [re.match(r"[\w.-]+", entry).group() for entry in distribution.requires or [] if ";" not in entry]
        for top in {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}:
            (packages / top).symlink_to(distribution.locate_file(top))


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_the_engine_client_under_a_newer_python(version, pythons, tmp_path):
    """The whole of its tests, in an environment of that Python; the worker stays in the engine's own."""
    if version not in pythons:
        pytest.skip(f"There is no Python {version} with venv on this machine.")
    subprocess.run([pythons[version], "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    [packages] = tmp_path.glob("venv/lib/python3*/site-packages")
    lend(LENT, packages)
    python = str(tmp_path / "venv" / "bin" / "python")
    compiled = "import pathlib\nfor file in pathlib.Path('vidtag_qgis').rglob('*.py'): compile(file.read_bytes(), str(file), 'exec')"
    subprocess.run([python, "-W", "error", "-c", compiled], cwd=ROOT, check=True)
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "VIDTAG_ENGINE_PYTHON": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"}
    tests = ["tests/test_plugin_client.py", "tests/test_plugin_environment.py"]
    run = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr
    assert int(re.search(r"(\d+) passed", run.stdout)[1]) > 70
