"""The worker as its client meets it: a child process, lines in, lines out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


class Child:
    """A real worker and its pipes. ``prelude`` is run in it before the worker starts."""

    def __init__(self, prelude: str = "") -> None:
        code = f"{prelude}\nimport sys\nfrom vidtag_engine import worker\nsys.exit(worker.main())"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen([sys.executable, "-c", code], env=environment, text=True, encoding="utf-8", **pipes)

    def send(self, **message) -> None:
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def receive(self) -> dict:
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return json.loads(line)

    def until(self, *types: str) -> dict:
        while True:
            message = self.receive()
            if message["type"] in types:
                return message

    def end(self) -> tuple[int, str]:
        self.process.stdin.close()
        rest = self.process.stdout.read()
        status = self.process.wait(20)
        assert rest == "" or rest.startswith("{")
        return status, self.process.stderr.read()


@pytest.fixture
def child(request):
    started = Child(getattr(request, "param", ""))
    yield started
    started.process.kill()
    started.process.wait(10)
    for stream in (started.process.stdin, started.process.stdout, started.process.stderr):
        stream.close()


# A command of the tests' own, registered as the real ones are; the machinery around it is the real one.
PROBE = """
import os, sys, time
from vidtag_engine import worker
from vidtag_engine.types import CancelledError, InputError, Progress
def probe(job):
    arguments = job.request.arguments
    what = arguments["what"]
    if what == "noise":
        print("from python"); os.write(1, b"from a C library\\n"); sys.stdout.flush()
        return {"said": "é ∅"}
    if what == "progress":
        for i in range(2000):
            job.progress(Progress(i / 2000, "embed"))
        job.progress(Progress(1.0, "embed"))
        job.progress(Progress(1.0, "write", "done"))
        return {}
    if what == "wait":
        job.partial({"name": "first.mp4"})
        while not job.cancelled():
            time.sleep(0.005)
        raise CancelledError("Stopped.")
    if what == "hang":
        job.log("info", "hanging")
        time.sleep(60)
    if what == "input":
        raise InputError("clip.mp4 is empty: give a video.")
    if what == "nan":
        return {"value": float("nan")}
    if what == "exit":
        raise SystemExit(3)
    raise RuntimeError("first line\\nsecond line")
worker.COMMANDS["probe"] = probe
"""
with_probe = pytest.mark.parametrize("child", [PROBE], indirect=True)


def ask(child: Child, what: str, identity: int = 1) -> dict:
    child.send(type="request", id=identity, command="probe", arguments={"what": what, "output": "/tmp/out.gpkg"})
    return child.until("result", "error")


def test_greets_at_once_and_imports_nothing_heavy():
    code = "import sys\nfrom vidtag_engine import worker\nworker.main()\nprint(sorted(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = time.monotonic()
    run = subprocess.run([sys.executable, "-c", code], env=environment, input="", capture_output=True, text=True, timeout=30, check=True)
    hello = json.loads(run.stdout)
    from vidtag_engine import __version__, protocol

    assert hello == {"type": "hello", "protocol": protocol.PROTOCOL_VERSION, "engine": __version__}
    assert time.monotonic() - started < 5  # about 0.1 s; machines that build something else beside this are slow
    assert "'json'" in run.stderr
    for heavy in ("numpy", "torch", "av", "rasterio", "shapely"):
        assert f"'{heavy}'" not in run.stderr


@with_probe
def test_only_the_protocol_reaches_stdout(child):
    child.until("hello")
    assert ask(child, "noise") == {"type": "result", "id": 1, "value": {"said": "é ∅"}}
    status, stderr = child.end()
    assert status == 0
    assert "from python" in stderr
    assert "from a C library" in stderr


@with_probe
def test_progress_is_throttled_but_ends_and_stages_are_told(child):
    child.send(type="request", id=1, command="probe", arguments={"what": "progress"})
    told = []
    while (message := child.receive())["type"] != "result":
        told.append(message)
    told = [message for message in told if message["type"] == "progress"]
    assert 3 <= len(told) < 100
    assert told[-2]["fraction"] == 1.0
    assert (told[-1]["stage"], told[-1]["message"]) == ("write", "done")
    assert [m["fraction"] for m in told] == sorted(m["fraction"] for m in told)


@with_probe
def test_cancel_is_answered_within_a_second_and_says_what_is_kept(child):
    child.send(type="request", id=7, command="probe", arguments={"what": "wait", "output": "/tmp/out.gpkg"})
    child.until("partial")
    child.send(type="cancel", id=6)  # of another request: no effect
    child.send(type="request", id=8, command="probe", arguments={"what": "noise"})
    assert child.until("error")["kind"] == "protocol"  # one at a time
    started = time.monotonic()
    child.send(type="cancel", id=7)
    answer = child.until("result", "error")
    assert time.monotonic() - started < 3  # about 0.1 s; see above
    assert (answer["id"], answer["kind"], answer["message"]) == (7, "cancelled", "Stopped.")
    assert answer["value"] == {"videos": [{"name": "first.mp4"}], "output": "/tmp/out.gpkg"}
    assert ask(child, "noise", 9)["type"] == "result"  # ready for the next


@with_probe
@pytest.mark.parametrize(
    ("what", "kind", "message", "detail"),
    [
        ("input", "input", "clip.mp4 is empty: give a video.", ""),
        ("boom", "internal", "RuntimeError: first line second line", "Traceback"),
        ("nan", "internal", "cannot be sent", "Traceback"),
        ("exit", "internal", "SystemExit: 3", "Traceback"),
    ],
)
def test_errors_have_their_kind(child, what, kind, message, detail):
    answer = ask(child, what)
    assert answer["type"] == "error"
    assert answer["kind"] == kind
    assert message in answer["message"]
    assert detail in answer["detail"]
    assert "\n" not in answer["message"]
    assert bool(answer["detail"]) == bool(detail)
    assert ask(child, "noise", 2)["type"] == "result"  # the worker lives on


@with_probe
def test_end_of_input_ends_a_job_that_listens(child):
    child.send(type="request", id=1, command="probe", arguments={"what": "wait"})
    child.until("partial")
    started = time.monotonic()
    assert child.end()[0] == 0
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("child", [PROBE + "worker.SHUTDOWN_GRACE_S = 0.3\n"], indirect=True)
def test_end_of_input_ends_a_job_that_does_not_listen(child):
    child.send(type="request", id=1, command="probe", arguments={"what": "hang"})
    child.until("log")
    started = time.monotonic()
    assert child.end()[0] == 0
    assert time.monotonic() - started < 5


@with_probe
def test_client_that_closed_its_end_cancels_the_job(child):
    child.until("hello")
    child.process.stdout.close()
    child.send(type="request", id=1, command="probe", arguments={"what": "wait"})
    child.process.stdin.close()
    assert child.process.wait(10) == 0


@pytest.mark.parametrize(
    "line",
    ["not json", "[]", "{}", '{"type": "nothing"}', '{"type": "request"}', '{"type": "hello", "protocol": 1, "engine": "x"}', "\udcff"],
)
def test_lines_that_are_no_requests_are_refused_and_survived(child, line):
    child.until("hello")
    child.process.stdin.buffer.write(line.encode("utf-8", "surrogateescape") + b"\n\n")
    child.process.stdin.buffer.flush()
    assert child.receive()["kind"] == "protocol"
    child.send(type="request", id=3, command="no such command")
    answer = child.receive()
    assert (answer["id"], answer["kind"]) == (3, "protocol")
    assert (
        "doctor, evaluate, export, gallery, geolocate, guess, heatmap, landmarks, match, picture, pin, reference, reference-layer, review, solve, status, train"
        in answer["message"]
    )
    child.send(type="shutdown")
    assert child.process.wait(10) == 0


def test_client_that_does_not_fit_is_told(child):
    child.until("hello")
    child.send(type="request", id=1, command="geolocate", arguments={}, protocol=99)
    assert "99" in child.receive()["message"]
    child.send(type="request", id=2, command="geolocate", arguments={"aoi": "0,0,1,1", "output": "x.gpkg", "horizon": True})
    answer = child.receive()
    assert answer["kind"] == "protocol"
    assert "'horizon'" in answer["message"]
    child.send(type="request", id=3, command="geolocate", arguments={"aoi": "0,0,1,1"})
    assert "output" in child.receive()["message"]
    child.send(type="request", id=4, command="heatmap", arguments={"aoi": "0,0,1,1", "output": "x.tif", "kml": "x.kml"})
    assert "'kml'" in child.receive()["message"]
    for identity, command, arguments, said in (
        (5, "solve", {"result": "/no/such.gpkg"}, "/no/such.gpkg"),
        (6, "solve", {"result": "/no/such.gpkg", "pins": [{"frame": 1}]}, "A pin cannot be understood"),
        (7, "match", {"result": "/no/such.gpkg", "roads": "/no/roads.gpkg"}, "/no/such.gpkg"),
    ):
        child.send(type="request", id=identity, command=command, arguments=arguments)
        answer = child.until("result", "error")
        assert (answer["id"], answer["kind"]) == (identity, "input")
        assert said in answer["message"]
    child.send(type="request", id=8, command="match", arguments={"result": "/no/such.gpkg"})
    assert "roads" in child.receive()["message"]
