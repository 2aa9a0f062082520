"""PyQGIS tests, run with the system's Python: ``QT_QPA_PLATFORM=offscreen $(tools/environment.py qgis)/bin/python -m pytest tests/qgis``.

pytest-qgis starts QGIS before it reads this file, with settings of its own, so that the developer's profile stays out of it.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
HAS_QGIS = importlib.util.find_spec("qgis") is not None and importlib.util.find_spec("pytest_qgis") is not None
collect_ignore_glob = [] if HAS_QGIS else ["test_*.py"]

if HAS_QGIS:
    for folder in (str(ROOT), "/usr/share/qgis/python/plugins"):
        if folder not in sys.path:
            sys.path.insert(0, folder)


@pytest.fixture(scope="session", autouse=True)
def nothing_outlives_qgis(qgis_app):
    """What tests made goes before QGIS: it keeps an exception that an algorithm raised, and with it the variables of the test that expected it.
    A layer of a file among them would close itself when QGIS and GDAL have ended, which is a segmentation fault after the last test."""
    yield
    gc.collect()
    for frame in [found for found in gc.get_objects() if isinstance(found, types.FrameType) and found.f_code.co_name.startswith("test_")]:
        with contextlib.suppress(RuntimeError):  # it is running
            frame.clear()
    gc.collect()


@pytest.fixture(scope="session")
def engine_python() -> str:
    """Interpreter of the engine's environment."""
    from vidtag_qgis.engine_client.interpreter import cache_folder, managed_python

    found = os.environ.get("VIDTAG_ENGINE_PYTHON") or managed_python(cache_folder(os.environ))
    if not found:
        pytest.skip("The engine's environment is not there: run tools/environment.py engine.")
    return found


@pytest.fixture(scope="session")
def inputs(engine_python, tmp_path_factory) -> Path:
    """Videos and an untrained checkpoint, made by the engine."""
    folder = tmp_path_factory.mktemp("inputs")
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    script = Path(__file__).with_name("inputs.py")
    subprocess.run([engine_python, str(script), str(folder)], env=variables, check=True, capture_output=True, text=True)
    return folder


@pytest.fixture(scope="session")
def field(engine_python, tmp_path_factory) -> Path:
    """Flights and a database of reference images of them, made by the engine."""
    folder = tmp_path_factory.mktemp("references")
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    script = Path(__file__).with_name("reference_inputs.py")
    subprocess.run([engine_python, str(script), str(folder)], env=variables, check=True, capture_output=True, text=True)
    return folder


@pytest.fixture(scope="session")
def located(engine_python, tmp_path_factory) -> Path:
    """A folder with the demo's drive, its result and its kept scores, made once by the command line; to be copied, not written to."""
    folder, demo = tmp_path_factory.mktemp("located"), ROOT / "resources" / "demo"
    shutil.copy(demo / "drive.mp4", folder / "drive.mp4")
    command = [
        engine_python, "-m", "vidtag_engine", "geolocate", folder / "drive.mp4", "--aoi", demo / "aoi.geojson", "--checkpoint", demo / "checkpoint",
        "--keep-scores", "--output", folder / "drive.gpkg",
    ]  # fmt: skip
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}, check=True, capture_output=True, text=True)
    return folder


@pytest.fixture
def engine_here(engine_python, monkeypatch):
    """The plugin finds this checkout's engine; its numbers run on one core."""
    monkeypatch.setenv("VIDTAG_ENGINE_PYTHON", engine_python)
    monkeypatch.setenv("VIDTAG_ENGINE_PATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def plugin(qgis_processing):
    """The plugin, loaded as without a window."""
    from vidtag_qgis.plugin import VidTAGPlugin

    loaded = VidTAGPlugin(None)
    loaded.initProcessing()
    yield loaded
    loaded.unload()


@pytest.fixture(scope="session")
def headless(tmp_path_factory, engine_python) -> dict:
    """Variables for a real qgis_process with the staged plugin and a private profile."""
    from tests.qgis.common import qgis_run

    return {**qgis_run.prepare(tmp_path_factory.mktemp("qgis"), engine_python), "OMP_NUM_THREADS": "1"}
