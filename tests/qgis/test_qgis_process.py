"""As a user without a window calls it: the real ``qgis_process`` with the staged plugin and a private profile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from qgis.core import Qgis, QgsVectorLayer

from tests.qgis.common import qgis_run

pytestmark = pytest.mark.qgis
ROOT = Path(__file__).resolve().parent.parent.parent
DEMO = ROOT / "resources" / "demo"
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[159.930, -19.222], [159.934, -19.222], [159.934, -19.218], [159.930, -19.218], [159.930, -19.222]]],
}


@pytest.fixture
def aoi(tmp_path) -> Path:
    path = tmp_path / "area é.geojson"
    path.write_text(json.dumps(SQUARE), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["VIDEOS=/no/such é.mp4", "EXTENT=159.93,159.94,-19.23,-19.22"], "/no/such é.mp4 is not there"),
        (["VIDEOS={video}", "EXTENT=179,-179,-19,-18"], "179,181,-19,-18"),
        (["VIDEOS={video}", "EXTENT=0,1,0,1", "TRAJECTORY={folder}/s.gpkg", "FRAMES={folder}/s.gpkg"], "go to the same file"),
    ],
)
def test_what_is_wrong_is_said_and_the_exit_status_shows_it(headless, tmp_path, arguments, said):
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"x")
    arguments = [argument.format(video=video, folder=tmp_path) for argument in arguments]
    status, results, text = qgis_run.run([*arguments, f"OUTPUT={tmp_path}/out.gpkg"], headless)
    assert status != 0
    assert results == {}
    assert said in text
    assert "Traceback" not in text
    assert not (tmp_path / "out.gpkg").exists()


@pytest.mark.skipif(Qgis.QGIS_VERSION_INT < 32400, reason="qgis_process reads no standard input before 3.24")
def test_parameters_as_json_on_standard_input(headless):
    given = {"inputs": {"EXTENT": "159.93,159.934,-19.222,-19.218 [EPSG:4326]", "RESOLUTION": 25}}
    command = [qgis_run.qgis_process(), "run", "vidtag:gridgallery", "-"]
    done = subprocess.run(command, env=headless, input=json.dumps(given), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout[done.stdout.index("{") :])["results"]["COUNT"] == pytest.approx(298, rel=0.05)


def test_the_real_program_is_taken():
    """Debian 12's wrapper adds an option that makes every command unknown."""
    binary = Path("/usr/bin/qgis_process.bin")
    assert qgis_run.qgis_process() == str(binary) if binary.exists() else "qgis_process" in qgis_run.qgis_process()


def test_the_tool_takes_the_same_folder_again(engine_python, tmp_path):
    """Its profile has the plugin enabled then; and a Python of the user's own on PATH is not for QGIS."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(engine_python)
    variables = {**os.environ, "VIDTAG_ENGINE_PYTHON": engine_python, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    given = ["--work", "work é", "--algorithm", "vidtag:gridgallery", "EXTENT=159.93,159.934,-19.222,-19.218 [EPSG:4326]", "RESOLUTION=25"]
    for _ in range(2):
        command = [sys.executable, str(ROOT / "tools" / "qgis_run.py"), *given]
        done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.strip().splitlines()[-1])["COUNT"] == pytest.approx(298, rel=0.05)
        assert "Traceback" not in done.stderr


def test_without_an_engine_it_is_refused(headless, tmp_path):
    """qgis_process runs algorithms whose canExecute says no."""
    (tmp_path / "clip.mp4").write_bytes(b"x")
    variables = {**headless, "VIDTAG_ENGINE_PYTHON": str(tmp_path / "none")}
    arguments = [f"VIDEOS={tmp_path}/clip.mp4", "EXTENT=0,1,0,1", "RESOLUTION=1000", f"OUTPUT={tmp_path}/out.gpkg"]
    status, results, text = qgis_run.run(arguments, variables)
    assert (status != 0, results) == (True, {})
    assert "VIDTAG_ENGINE_PYTHON names is not there" in text


@pytest.mark.slow
def test_a_whole_run(headless, inputs, aoi, tmp_path):
    output, frames = tmp_path / "out.gpkg", tmp_path / "frames.geojson"
    arguments = [
        f"VIDEOS={inputs}/a.mp4", f"VIDEOS={inputs}/b é.mp4", f"AOI={aoi}", f"CHECKPOINT={inputs}/checkpoint", "RESOLUTION=25", "RATE=2",
        "START_TIME=2024-05-01T10:00:00Z", f"OUTPUT={output}", f"FRAMES={frames}", f"TRAJECTORY={tmp_path}/lines.gpkg",
    ]  # fmt: skip
    status, results, text = qgis_run.run(arguments, headless)
    assert status == 0, text
    assert (results["VIDEO_COUNT"], results["FRAME_COUNT"], results["LOCATED_COUNT"]) == (2, 24, 24)
    assert results["OUTPUT"] == str(output)
    assert results["RESULTS"] == str(tmp_path / "out.results")
    assert (tmp_path / "out.results" / "index.html").is_file()
    for place, count in ((f"{output}|layername=frames", 24), (f"{output}|layername=trajectory", 22), (str(tmp_path / "lines.gpkg"), 22)):
        layer = QgsVectorLayer(place, "layer", "ogr")
        assert layer.featureCount() == count
    copies = json.loads(frames.read_text(encoding="utf-8"))["features"]
    assert {copy["properties"]["time_iso"] for copy in copies} >= {"2024-05-01T10:00:00.500Z"}
    assert {copy["properties"]["video"] for copy in copies} == {"a.mp4", "b é.mp4"}


@pytest.mark.slow
def test_an_interrupt_stops_the_engine_and_keeps_finished_videos(headless, inputs, aoi, tmp_path):
    """Ctrl+C: QGIS cancels. 3.22 ends with 0 all the same, so the sentence and the file are what counts."""
    output = tmp_path / "out.gpkg"
    command = [
        qgis_run.qgis_process(), "run", qgis_run.ALGORITHM, "--", f"VIDEOS={inputs}/a.mp4", f"VIDEOS={inputs}/long.mp4", f"AOI={aoi}",
        f"CHECKPOINT={inputs}/checkpoint", "RESOLUTION=25", "RATE=2", f"OUTPUT={output}",
    ]  # fmt: skip
    log = tmp_path / "log"
    with log.open("w") as handle:
        process = subprocess.Popen(command, env=headless, stdout=handle, stderr=subprocess.STDOUT, start_new_session=True)
        until = time.monotonic() + 300
        while not output.exists() and time.monotonic() < until and process.poll() is None:
            time.sleep(0.1)
        assert output.exists(), log.read_text()  # a busy machine may need minutes for the first video
        time.sleep(0.5)
        [worker] = children_of(process.pid)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert f"1 finished video is kept in {output}" in log.read_text()
    assert QgsVectorLayer(f"{output}|layername=frames", "frames", "ogr").featureCount() == 12
    assert not worker.exists()


def children_of(parent: int) -> list[Path]:
    """The /proc folders of a process's children."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found.append(folder)
        except OSError:
            continue  # gone meanwhile
    return found


def test_nothing_heavy_is_imported(headless):
    """QGIS loads numpy by itself; what comes with the plugin is counted from before it."""
    script = """
import sys
sys.path[:0] = [{plugins!r}, "/usr/share/qgis/python/plugins"]
from qgis.core import QgsApplication, QgsProcessingContext
app = QgsApplication([], False)
app.initQgis()
from processing.core.Processing import Processing
Processing.initialize()
before = set(sys.modules)
import vidtag_qgis
plugin = vidtag_qgis.classFactory(None)
plugin.initProcessing()
algorithm = app.processingRegistry().createAlgorithmById("vidtag:geolocatevideo")
parameters = {{"VIDEOS": [__file__], "EXTENT": "0,1,0,1", "RESOLUTION": 1000, "OUTPUT": "/tmp/o.gpkg"}}
print(algorithm.checkParameterValues(parameters, QgsProcessingContext()), file=sys.stderr)
print(sorted({{name.split(".")[0] for name in set(sys.modules) - before}}))
""".format(plugins=headless["QGIS_PLUGINPATH"])
    file = Path(headless["QGIS_CUSTOM_CONFIG_PATH"]) / "script.py"
    file.write_text(script, encoding="utf-8")
    run = subprocess.run([sys.executable, str(file)], env=headless, capture_output=True, text=True, check=False, timeout=60)
    assert "vidtag_qgis" in run.stdout, run.stderr
    new = set(json.loads(run.stdout.strip().splitlines()[-1].replace("'", '"')))
    assert not new & {
        "numpy",
        "torch",
        "torchvision",
        "cv2",
        "timm",
        "open_clip",
        "av",
        "rasterio",
        "fiona",
        "shapely",
        "pyproj",
        "pandas",
        "vidtag_engine",
    }
    assert new - {"vidtag_qgis"} <= set(sys.stdlib_module_names), new


@pytest.mark.slow
@pytest.mark.skipif(
    not (DEMO / "checkpoint" / "config.json").is_file() or not (DEMO / "drive.mp4").is_file(), reason="resources/demo is not made yet"
)
def test_the_demo(headless, tmp_path):
    output = tmp_path / "demo.gpkg"
    arguments = [
        f"VIDEOS={DEMO}/drive.mp4", f"AOI={DEMO}/aoi.geojson", f"CHECKPOINT={DEMO}/checkpoint", "RESOLUTION=25",
        f"OUTPUT={output}", f"MAP={tmp_path}/map.png",
    ]  # fmt: skip
    status, results, text = qgis_run.run(arguments, {**headless, "OMP_NUM_THREADS": str(os.cpu_count())})
    assert status == 0, text
    assert results["LOCATED_COUNT"] == results["FRAME_COUNT"] > 10
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
