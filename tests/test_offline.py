"""``--offline``: every command runs where there is no network, and opens no internet socket; what would fetch is refused with a sentence.

Sockets are seen by strace, which sees those of C libraries too (libcurl in GDAL), and the commands run in a network namespace of their own, in which
there is not even a loopback. Both work for any user on Debian 12; where one is absent or not allowed, the test says so and is left out.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import LineString

from vidtag_engine import offline
from vidtag_engine.types import FetchError
from vidtag_engine.vectors import is_fetched, open_vector

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "resources" / "demo"
GIVEN = ["--aoi", DEMO / "aoi.geojson", "--checkpoint", DEMO / "checkpoint", "--resolution-m", "50", "--device", "cpu"]
INTERNET = re.compile(r"\b(?:socket|connect|sendto|sendmsg)\(.*AF_INET6?\b")


def why_not() -> str:
    """Why sockets cannot be watched here; empty where they can."""
    if shutil.which("strace") is None or shutil.which("unshare") is None:
        return "strace and unshare (util-linux) watch the sockets: apt install strace"
    tried = subprocess.run(["unshare", "-rn", "strace", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return f"this machine does not let a user watch or unshare: {tried.stderr.strip()}" if tried.returncode else ""


class Watched:
    """Runs commands without a network and reads which internet sockets they asked for.

    Args:
        folder: for the traces.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.environment = folder, {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def run(self, *command: object, stdin: str = "", network: bool = False) -> tuple[subprocess.CompletedProcess, list[str]]:
        trace = self.folder / "trace.txt"
        outer = [] if network else ["unshare", "-rn"]
        watched = [*outer, "strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=%network", "-o", str(trace), *map(str, command)]
        run = subprocess.run(watched, cwd=ROOT, capture_output=True, text=True, check=False, env=self.environment, input=stdin, timeout=900)
        return run, [line for line in trace.read_text().splitlines() if INTERNET.search(line)]

    def vidtag(self, *arguments: object) -> subprocess.CompletedProcess:
        """A command with ``--offline``, which must end well and ask for no socket."""
        run, sockets = self.run(sys.executable, "-m", "vidtag_engine", *arguments, "--offline")
        assert run.returncode == 0, run.stderr
        assert sockets == [], sockets
        return run


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    reason = why_not()
    if reason:
        pytest.skip(reason)
    return Watched(tmp_path_factory.mktemp("watched"))


@pytest.fixture(scope="module")
def located(watched):
    """A result of the demo's video, made while watched, with its scores."""
    result = watched.folder / "drive.gpkg"
    copies = [part for kind in ("kml", "gpx", "geojson", "csv") for part in (f"--{kind}", watched.folder / f"drive.{kind}")]
    watched.vidtag(
        "geolocate", DEMO / "drive.mp4", *GIVEN, "--fps", "0.2", "--keep-scores", "--map", watched.folder / "map.png", *copies, "-o", result
    )
    return result


def test_a_socket_is_seen(watched):
    """The watch can fail: Python's own socket, and one of GDAL's curl, are seen."""
    script = "import socket; socket.socket(socket.AF_INET).connect_ex(('127.0.0.1', 9))"
    assert watched.run(sys.executable, "-c", script)[1]
    run, sockets = watched.run(sys.executable, "-m", "vidtag_engine", "gallery", "--aoi", "http://127.0.0.1:9/area.gpkg", network=True)
    assert run.returncode == 2
    assert any("connect(" in line for line in sockets)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["doctor", "--json"],
        ["gallery", "--aoi", DEMO / "aoi.geojson", "--resolution-m", "50", "--output", "{folder}/grid.gpkg"],
        ["heatmap", DEMO / "drive.mp4", *GIVEN, "--fps", "0.1", "--output", "{folder}/heat.tif"],
        ["evaluate", "{result}", "--truth", DEMO / "drive.gpx", "--html", "{folder}/report.html", "--markdown", "{folder}/report.md"],
        ["export", "{result}", "--kml", "{folder}/copy.kml", "--frames", "{folder}/frames"],
        ["pin", "{result}", "--frame", "0", "--at", "-19.22,159.93", "--here", "--radius-m", "5000"],
        ["pins", "{result}"],
        ["solve", "{result}", "--output", "{folder}/solved.gpkg"],
        ["match", "{result}", "--roads", "{folder}/roads.gpkg", "--output", "{folder}/matched.gpkg"],
        ["benchmark", "--json"],
        [
            "train",
            "--video",
            DEMO / "drive.mp4",
            "--truth",
            DEMO / "drive.gpx",
            "--aoi",
            DEMO / "aoi.geojson",
            "--resolution-m",
            "100",
            "--fps",
            "0.5",
            "--phase1-steps",
            "5",
            "--phase2-steps",
            "5",
            "--output",
            "{folder}/trained",
        ],
    ],
    ids=lambda command: command[0],
)
def test_a_command_runs_without_a_network_and_opens_no_socket(watched, located, command):
    track = gpd.read_file(DEMO / "drive.gpx", layer="track_points").geometry
    gpd.GeoDataFrame(geometry=[LineString(track)], crs="EPSG:4326").to_file(watched.folder / "roads.gpkg")
    shutil.copy(DEMO / "drive.mp4", watched.folder / "drive.mp4")
    watched.vidtag(*(str(part).format(folder=watched.folder, result=located) for part in command))


@pytest.mark.slow
def test_the_engine_that_qgis_starts_opens_no_socket(watched):
    request = {"type": "request", "id": 1, "command": "geolocate", "protocol": protocol_version(), "arguments": {
        "aoi": str(DEMO / "aoi.geojson"), "output": str(watched.folder / "worker.gpkg"), "videos": [str(DEMO / "drive.mp4")],
        "checkpoint": str(DEMO / "checkpoint"), "resolution_m": 50.0, "rate_hz": 0.2}}  # fmt: skip
    watched.environment[offline.VARIABLE] = "1"
    lines = WorkerLines(watched.folder)
    try:
        run, sockets = watched.run(sys.executable, lines.script, json.dumps(request))
    finally:
        del watched.environment[offline.VARIABLE]
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert answers[-1]["type"] == "result", run.stderr
    assert sockets == []


def protocol_version() -> int:
    from vidtag_engine import protocol

    return protocol.PROTOCOL_VERSION


class WorkerLines:
    """A client of a few lines: it starts the worker, asks, and waits for the answer before it closes the worker's input."""

    def __init__(self, folder: Path) -> None:
        self.script = folder / "client.py"
        self.script.write_text(
            "import json, subprocess, sys\n"
            "worker = subprocess.Popen([sys.executable, '-m', 'vidtag_engine.worker'], stdin=-1, stdout=-1, text=True)\n"
            "print(worker.stdout.readline(), end='')\n"
            "worker.stdin.write(sys.argv[1] + '\\n'); worker.stdin.flush()\n"
            "for line in worker.stdout:\n"
            "    print(line, end='')\n"
            "    if json.loads(line)['type'] in ('result', 'error'):\n"
            "        break\n"
            "worker.stdin.close(); worker.wait()\n"
        )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gallery", "--aoi", "http://127.0.0.1:9/area.gpkg"], "save it on this machine as GeoPackage"),
        (["gallery", "--aoi", "zip+http://127.0.0.1:9/area.zip!area.gpkg"], "save it on this machine as GeoPackage"),
        (["gallery", "--aoi", "/vsizip/vsicurl/http://127.0.0.1:9/area.zip/area.gpkg"], "save it on this machine as GeoPackage"),
        (["geolocate", DEMO / "drive.mp4", "--checkpoint", "nobody/nothing", "-o", "{folder}/no.gpkg"], "copy its folder"),
        (["geolocate", DEMO / "drive.mp4", "--aoi", "1,1,1.01,1.01", "-o", "{folder}/no.gpkg"], "put the model.safetensors of Hugging Face's"),
        (["train", "--video", DEMO / "drive.mp4", "--truth", DEMO / "drive.gpx", "--preset", "vidtag-l14", "-o", "{folder}/no"], "put the model.safetensors"),
    ],
)  # fmt: skip
def test_what_would_fetch_is_refused_before_the_work(watched, tmp_path, arguments, said):
    """With a network, and without anything in the caches: nobody is asked, and nothing is written."""
    watched.environment.update(HF_HOME=str(tmp_path / "hub"), TORCH_HOME=str(tmp_path / "torch"))
    command = [str(part).format(folder=tmp_path) for part in arguments]
    try:
        run, sockets = watched.run(sys.executable, "-m", "vidtag_engine", "--offline", *command, network=True)
    finally:
        for name in ("HF_HOME", "TORCH_HOME"):
            del watched.environment[name]
    assert run.returncode == FetchError.exit_status, run.stderr
    last = run.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert "works offline" in last
    assert said in last
    assert sockets == []
    assert {path.name for path in tmp_path.iterdir()} <= {"hub", "torch"}


@pytest.mark.parametrize("name", ["service.xml", "schema.gml", "linked.txt", "linked.geojson"])
def test_a_file_that_leads_to_the_network_opens_no_socket(watched, tmp_path, name):
    """Also without --offline: no link inside a file is followed, whatever the file is called."""
    crs = {"type": "li\\u006Ek", "properties": {"href": "http://127.0.0.1:9/system", "type": "ogcwkt"}}
    linked = json.dumps({"type": "FeatureCollection", "crs": crs, "features": []}).replace("\\\\", "\\")
    schema = "http://127.0.0.1:9/wfs?SERVICE=WFS&amp;VERSION=1.0.0&amp;REQUEST=DescribeFeatureType&amp;TYPENAME=x:a"
    contents = {
        "service.xml": "<OGRWFSDataSource><URL>http://127.0.0.1:9/wfs</URL></OGRWFSDataSource>",
        "schema.gml": '<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:x="http://127.0.0.1:9/x" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://127.0.0.1:9/x {schema}"><gml:featureMember><x:a><x:g>'
        '<gml:Polygon srsName="EPSG:4326"><gml:outerBoundaryIs><gml:LinearRing><gml:coordinates>0,0 0,1 1,1 0,0</gml:coordinates></gml:LinearRing>'
        "</gml:outerBoundaryIs></gml:Polygon></x:g></x:a></gml:featureMember></wfs:FeatureCollection>",
        "linked.txt": linked,
        "linked.geojson": linked,
    }
    (tmp_path / name).write_text(contents[name])
    script = "import sys; from vidtag_engine.vectors import open_vector; one = open_vector(sys.argv[1], 'it'); [one.crs(name) for name in one.layers]"
    run, sockets = watched.run(sys.executable, "-c", script, tmp_path / name, network=True)
    assert sockets == []
    assert (run.returncode == 0) == (name == "schema.gml"), run.stderr


def test_addresses_and_archives_here():
    for text in (
        "https://a.org/a.gpkg",
        "zip+https://a.org/a.zip!a.gpkg",
        "/vsicurl/http://a.org/a",
        "/vsis3/b/a",
        "zip:///vsicurl/https://a/b.zip!c",
    ):
        assert is_fetched(text), text
    for text in ("zip://areas.zip!a.shp", "/vsizip/areas.zip/a.shp", "file:///tmp/a.gpkg", "/vsitar//vsigzip/a.tgz/a.shp"):
        assert not is_fetched(text), text


def test_the_variable_and_the_hook(monkeypatch):
    for value, wanted in {"1": True, "yes": True, "": False, "0": False, "off": False}.items():
        monkeypatch.setenv(offline.VARIABLE, value)
        assert offline.asked() is wanted, value
    monkeypatch.setenv(offline.VARIABLE, "1")
    with pytest.raises(FetchError, match="works offline"):
        open_vector("http://127.0.0.1:9/area.gpkg", "The area")
    script = (
        "import socket, vidtag_engine.offline as o; o.begin(); a, b = socket.socketpair(); b.close(); a.close()\n"
        "for ask in (lambda: socket.create_connection(('127.0.0.1', 9)), lambda: socket.getaddrinfo('a.org', 80)):\n"
        "    try: ask()\n"
        "    except OSError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.count("VidTAG works offline") == 2
