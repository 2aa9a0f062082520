"""The engine that stays for the next request: with the real worker, and with children that misbehave."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import sys
import textwrap
import threading
import time
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vidtag_engine import command_arguments
from vidtag_engine.export import read_geopackage
from vidtag_engine.feedback import Feedback
from vidtag_engine.grid import load_aoi
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.warm import Warm
from vidtag_qgis.engine_client import (
    EngineCancelledError,
    EngineInputError,
    EngineInternalError,
    EngineInterpreter,
    EngineStoppedError,
    WarmEngine,
    run_request,
)
from vidtag_qgis.engine_client.protocol import PROTOCOL_VERSION

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "resources" / "demo"
REAL = EngineInterpreter(sys.executable, "the test", str(ROOT))
# Answers each request with its process's number, and does what the request's arguments say.
CHILD = f"""
    import json, os, sys, time
    print('{{"type": "hello", "protocol": {PROTOCOL_VERSION}, "engine": "9"}}', flush=True)
    def say(what, **message): print(json.dumps({{"type": what, "id": request["id"], **message}}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if request["type"] == "shutdown": break
        if request["type"] != "request": continue
        wish = request["arguments"]
        mark = wish.get("mark")
        if mark and not os.path.exists(mark):
            open(mark, "w").close()
            if wish.get("partial"): say("partial", value={{"name": "first.mp4"}})
            os._exit(3)
        time.sleep(wish.get("wait_s", 0))
        if wish.get("fail"): say("error", kind=wish["fail"], message="no", detail="")
        else: say("result", value={{"pid": os.getpid(), "arguments": wish}})
"""


@pytest.fixture
def child(tmp_path):
    package = tmp_path / "fake" / "vidtag_engine"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "worker.py").write_text(textwrap.dedent(CHILD), encoding="utf-8")
    return EngineInterpreter(sys.executable, "the test", str(package.parent))


@pytest.fixture
def warm():
    engine = WarmEngine()
    yield engine
    engine.close()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def soon(condition, timeout_s: float = 5.0) -> bool:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


def test_one_process_answers_request_after_request(child, warm):
    first, second = (warm.request(child, "geolocate", {})["pid"] for _ in range(2))
    assert first == second == warm.pid
    warm.close()
    assert soon(lambda: not alive(first))
    assert warm.pid is None


@pytest.mark.parametrize("command", ["train", "doctor"])
def test_a_training_and_a_check_have_a_process_of_their_own(child, warm, command):
    kept = warm.request(child, "geolocate", {})["pid"]
    assert warm.request(child, command, {})["pid"] != kept
    assert warm.pid == kept


def test_kept_for_no_time_it_is_not_kept(child):
    engine = WarmEngine(0.0)
    first, second = (engine.request(child, "geolocate", {})["pid"] for _ in range(2))
    assert first != second
    assert engine.pid is None


def test_without_work_it_is_let_go(child):
    engine = WarmEngine(2.0)
    pid = engine.request(child, "geolocate", {})["pid"]
    assert alive(pid)
    assert soon(lambda: not alive(pid), 20.0)
    engine.idle_s = 600.0
    other = engine.request(child, "geolocate", {})["pid"]
    assert other != pid
    engine.keep_for(0.0)
    assert not alive(other)


def test_other_variables_are_another_engine(child, warm, monkeypatch):
    first = warm.request(child, "geolocate", {})["pid"]
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert warm.request(child, "geolocate", {})["pid"] != first
    assert soon(lambda: not alive(first))


def test_who_comes_while_it_is_at_work_does_not_wait(child, warm):
    kept = warm.request(child, "geolocate", {})["pid"]
    slow = threading.Thread(target=warm.request, args=(child, "geolocate", {"wait_s": 8.0}))
    slow.start()
    assert soon(lambda: warm.busy)
    assert warm.request(child, "geolocate", {})["pid"] != kept
    assert warm.status() is None  # it is not asked while it is at work
    assert slow.is_alive()
    slow.join()
    assert warm.request(child, "geolocate", {})["pid"] == kept


def test_one_that_has_ended_meanwhile_is_started_again_without_a_word(child, warm):
    first = warm.request(child, "geolocate", {})["pid"]
    os.kill(first, signal.SIGKILL)
    assert soon(lambda: not alive(first))
    assert warm.request(child, "geolocate", {})["pid"] != first


def test_one_that_ends_in_a_request_is_started_again_and_goes_on(child, warm, tmp_path):
    logged, parts = [], []
    warm.request(child, "geolocate", {})
    mark = tmp_path / "mark"
    wish = {"mark": str(mark), "partial": True, "anew": True, "overwrite": False, "output": "/o.gpkg"}
    answer = warm.request(child, "geolocate", wish, on_log=lambda *line: logged.append(line), on_partial=parts.append)
    # What is saved is not done again: the request goes on from it.
    assert answer["arguments"] == {**wish, "anew": False}
    assert parts == [{"name": "first.mp4"}]
    assert logged == [
        ("warning", "The engine that was kept for this run has ended: it is started again, and goes on after 1 finished video.")
    ]
    mark.unlink()
    # Allowed to overwrite it begins again, as files that are not its own (a KML of before) would else be in its way.
    wish, logged[:] = {**wish, "overwrite": True}, []
    assert warm.request(child, "geolocate", wish, on_log=lambda *line: logged.append(line))["arguments"]["overwrite"] is True
    assert logged == [("warning", "The engine that was kept for this run has ended: it is started again.")]
    mark.unlink()
    # Where nothing was saved the request is the same.
    assert warm.request(child, "geolocate", {"mark": str(mark), "anew": True})["arguments"]["anew"] is True


def test_a_new_one_that_ends_is_not_started_for_ever(child, warm, tmp_path):
    with pytest.raises(EngineStoppedError, match="Exit status 3"):
        warm.request(child, "geolocate", {"mark": str(tmp_path / "mark")})
    assert warm.pid is None


@pytest.mark.parametrize(("kind", "error", "stays"), [("input", EngineInputError, True), ("internal", EngineInternalError, False)])
def test_after_a_fault_of_its_own_it_does_not_stay(child, warm, kind, error, stays):
    first = warm.request(child, "geolocate", {})["pid"]
    with pytest.raises(error):
        warm.request(child, "geolocate", {"fail": kind})
    assert (warm.request(child, "geolocate", {})["pid"] == first) is stays


def test_a_cancel_that_is_not_heard_ends_it_and_the_next_request_works(child, warm):
    first = warm.request(child, "geolocate", {})["pid"]
    began = time.monotonic()
    with pytest.raises(EngineCancelledError):
        warm.request(child, "geolocate", {"wait_s": 30}, cancelled=lambda: time.monotonic() - began > 0.2)
    assert time.monotonic() - began < 6.0  # of thirty
    # The cancel of an earlier request means nothing to a later one.
    assert warm.request(child, "geolocate", {})["pid"] != first


def _arguments(output: Path, **others: object) -> dict[str, object]:
    return asdict(
        command_arguments.GeolocateArguments(
            **{
                "aoi": (DEMO / "aoi.geojson").read_text(encoding="utf-8"),
                "output": str(output),
                "videos": [str(DEMO / "drive.mp4")],
                "checkpoint": str(DEMO / "checkpoint"),
                "resolution_m": 50.0,
                "rate_hz": 0.25,
                "device": "cpu",
                **others,
            }
        )
    )


def _answer(path: Path) -> list[np.ndarray]:
    found = read_geopackage(path)[0][0].trajectory
    return [found.lat_deg, found.lon_deg, found.confidence, found.score]


@pytest.mark.slow
def test_a_later_run_answers_as_a_new_process_does(warm, tmp_path):
    run_request(REAL, "geolocate", _arguments(tmp_path / "cold.gpkg"))
    # Other areas, resolutions and ways in between, on the same checkpoint.
    west, east = "159.96,-19.98,160,-19.95", "159.98,-19.99,160.02,-19.96"
    for number, others in enumerate(({"aoi": west}, {"resolution_m": 80.0}, {"decoder": "none"}, {"aoi": east, "continuous": True})):
        with contextlib.suppress(EngineInputError):  # a refused area is as good a request as any
            warm.request(REAL, "geolocate", _arguments(tmp_path / f"{number}.gpkg", **others))
    pid = warm.pid
    for name in ("first", "second"):
        warm.request(REAL, "geolocate", _arguments(tmp_path / f"{name}.gpkg"))
        for cold, kept in zip(_answer(tmp_path / "cold.gpkg"), _answer(tmp_path / f"{name}.gpkg"), strict=True):
            np.testing.assert_allclose(kept, cold, rtol=0, atol=1e-6)
    assert warm.pid == pid
    state = warm.status()
    assert state is not None
    assert state["checkpoint"] == "sandy-island"
    with sqlite3.connect(tmp_path / "second.gpkg") as database:
        assert database.execute("SELECT count(*) FROM frames").fetchone()[0] == 10
    assert state["gallery_points"] == warm.request(REAL, "geolocate", _arguments(tmp_path / "third.gpkg"))["gallery_points"]
    resident_mb = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20
    assert state["memory_mb"] == pytest.approx(resident_mb, rel=0.5)


@pytest.mark.slow
def test_a_checkpoint_that_is_written_anew_is_read_anew(warm, tmp_path):
    checkpoint = tmp_path / "checkpoint"
    shutil.copytree(DEMO / "checkpoint", checkpoint)
    arguments = _arguments(tmp_path / "a.gpkg", checkpoint=str(checkpoint))
    warm.request(REAL, "geolocate", arguments)
    shutil.copyfile(DEMO / "checkpoint" / "config.json", checkpoint / "config.json")
    (checkpoint / "model.safetensors").write_bytes(b"not a checkpoint")
    with pytest.raises(EngineInputError, match=r"model\.safetensors"):
        warm.request(REAL, "geolocate", arguments)


def test_the_last_checkpoint_and_the_last_area_are_kept_and_no_other(tmp_path, monkeypatch):
    made = []

    def load(*_):
        card = SimpleNamespace(smoothness={}, sha256=str(len(made)))
        made.append(SimpleNamespace(model=None, device="cpu", card=card))
        return made[-1]

    monkeypatch.setattr("vidtag_engine.warm.load", load)
    monkeypatch.setattr("vidtag_engine.warm.search_over", lambda *_, **__: object())
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"1")
    kept = Warm()

    def area(loaded, text, **settings):
        return kept.area(loaded, None, load_aoi(text), GeolocateSettings(**settings), tmp_path, Feedback())

    first = kept.checkpoint(str(file), "cpu")
    assert kept.checkpoint(str(file), "cpu") is first
    here, there = "0,0,1,1", "2,2,3,3"
    found = area(first, here)
    assert area(first, here) is found
    for others in ({"resolution_m": 7.0}, {"exhaustive": True}, {"grid": "latlon"}):
        assert area(first, here, **others) is not area(first, here)
    found = area(first, here)
    assert area(first, there) is not found
    assert area(first, here) is not found  # another was there meanwhile
    assert kept.checkpoint(str(file), "cuda") is not first
    file.write_bytes(b"22")
    second = kept.checkpoint(str(file), "cuda")
    assert len(made) == 3
    # An area of another checkpoint than the kept one is made for its call alone.
    alone = area(first, here)
    assert area(second, here) is not alone
    assert area(second, here) is area(second, here)
