"""The plugin's side of the door, without QGIS: against the real worker, and against children that misbehave."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from vidtag_qgis.engine_client import (
    EngineCancelledError,
    EngineClient,
    EngineInputError,
    EngineInternalError,
    EngineInterpreter,
    EngineNotFoundError,
    EngineStoppedError,
    EngineVersionError,
    find_interpreter,
    platforms,
    run_request,
)
from vidtag_qgis.engine_client.errors import EnvironmentSetupError, PythonNotFoundError
from vidtag_qgis.engine_client.interpreter import cache_folder, child_environment
from vidtag_qgis.engine_client.pip_run import run_logged
from vidtag_qgis.engine_client.protocol import PROTOCOL_VERSION
from vidtag_qgis.engine_client.python_finder import check_python

ROOT = Path(__file__).resolve().parent.parent
# The engine's Python is another one where these run under a Python that has no engine (test_plugin_pythons.py).
REAL = EngineInterpreter(os.environ.get("VIDTAG_ENGINE_PYTHON", sys.executable), "the test", str(ROOT))
HELLO = f'print(\'{{"type": "hello", "protocol": {PROTOCOL_VERSION}, "engine": "9"}}\', flush=True)'


@pytest.fixture
def misbehaving(tmp_path):
    """A child that does what the test says, in place of the worker: edge cases that the real one does not produce."""

    def make(body: str) -> EngineInterpreter:
        package = tmp_path / "fake" / "vidtag_engine"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        text = "import json, os, subprocess, sys, time\n" + textwrap.dedent(body)
        (package / "worker.py").write_text(text, encoding="utf-8")
        return EngineInterpreter(sys.executable, "the test", str(package.parent))

    return make


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def soon(condition, timeout_s: float = 3.0) -> bool:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def test_real_worker_greets_refuses_and_stops():
    from vidtag_engine import __version__

    with EngineClient(REAL) as client:
        pid = client.pid
        assert client.engine_version == __version__
        assert alive(pid)
        with pytest.raises(EngineVersionError, match="does not know the command"):
            client.request("dance", {})
        with pytest.raises(EngineVersionError, match="'horizon'"):
            client.request("geolocate", {"aoi": "0,0,1,1", "output": "o.gpkg", "horizon": 1})
    assert soon(lambda: not alive(pid))


def test_no_folder_or_process_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with EngineClient(REAL) as client:
        assert len(list(tmp_path.iterdir())) == 1
        client.close()
        client.close()  # again: no harm
    assert list(tmp_path.iterdir()) == []


def test_messages_reach_the_callbacks(misbehaving):
    interpreter = misbehaving(f"""
        {HELLO}
        request = json.loads(sys.stdin.readline())
        def say(**message): print(json.dumps({{"id": request["id"], **message}}), flush=True)
        print("a library's chatter", flush=True)
        say(type="progress", fraction=0.5, stage="embed", message="é", new_field=1)
        say(type="log", level="warning", text="mind the gap")
        say(type="partial", value={{"name": "a"}})
        say(type="result", value={{"arguments": request["arguments"]}})
    """)
    seen = []
    result = run_request(
        interpreter,
        "geolocate",
        {"aoi": "∅"},
        on_progress=lambda *event: seen.append(event),
        on_log=lambda *event: seen.append(event),
        on_partial=seen.append,
    )
    assert result == {"arguments": {"aoi": "∅"}}
    assert seen == [(0.5, "embed", "é"), ("warning", "mind the gap"), {"name": "a"}]


@pytest.mark.parametrize(
    ("kind", "error"), [("input", EngineInputError), ("internal", EngineInternalError), ("protocol", EngineVersionError)]
)
def test_error_kinds(misbehaving, kind, error):
    interpreter = misbehaving(f"""
        {HELLO}
        sys.stdin.readline()
        print(json.dumps({{"type": "error", "id": 1, "kind": {kind!r}, "message": "clip.mp4 is empty", "detail": "Traceback"}}), flush=True)
        time.sleep(30)
    """)
    with pytest.raises(error, match="clip.mp4 is empty") as raised:
        run_request(interpreter, "geolocate", {})
    assert raised.value.detail == "Traceback"


@pytest.mark.parametrize(("protocol", "older"), [(PROTOCOL_VERSION + 1, "update the plugin"), (PROTOCOL_VERSION - 1, "update the engine")])
def test_other_protocol_version(misbehaving, protocol, older):
    interpreter = misbehaving(f'print(\'{{"type": "hello", "protocol": {protocol}, "engine": "7.1"}}\', flush=True); time.sleep(30)')
    with pytest.raises(EngineVersionError, match=f"7.1 .*protocol {protocol}.*{older}"):
        EngineClient(interpreter)


def test_garbage_then_death_shows_the_last_words(misbehaving):
    interpreter = misbehaving("print('\\x00garbage'); print('Segmentation something', file=sys.stderr, flush=True); sys.exit(7)")
    with pytest.raises(EngineStoppedError, match="(?s)Exit status 7.*") as raised:
        EngineClient(interpreter)
    assert "garbage" in raised.value.detail
    assert "Segmentation something" in raised.value.detail


def test_silent_child_is_stopped(misbehaving):
    interpreter = misbehaving("time.sleep(60)")
    with pytest.raises(EngineStoppedError, match="did not greet within 0.5 s"):
        EngineClient(interpreter, hello_timeout_s=0.5)


def test_child_that_falls_silent_is_stopped(misbehaving):
    interpreter = misbehaving(f"{HELLO}\ntime.sleep(60)")
    with pytest.raises(EngineStoppedError, match="said nothing for 0.5 s"):
        run_request(interpreter, "doctor", {}, silence_timeout_s=0.5)


def test_death_in_the_middle(misbehaving):
    interpreter = misbehaving(f"{HELLO}\nsys.stdin.readline()\nprint('out of luck', file=sys.stderr, flush=True)\nos.kill(os.getpid(), 9)")
    with pytest.raises(EngineStoppedError, match="memory.*out of luck"):
        run_request(interpreter, "geolocate", {})


def test_lines_before_death_are_all_read(misbehaving):
    """What was written before the end of output counts, also when the process is gone by then."""
    interpreter = misbehaving(f"""
        {HELLO}
        sys.stdin.readline()
        for i in range(500):
            print(json.dumps({{"type": "partial", "id": 1, "value": {{"i": i}}}}))
        print(json.dumps({{"type": "result", "id": 1, "value": {{"n": 500}}}}))
        sys.stdout.flush()
        os._exit(1)
    """)
    seen = []
    assert run_request(interpreter, "geolocate", {}, on_partial=seen.append) == {"n": 500}
    assert len(seen) == 500


def test_cancel_of_a_child_that_listens(misbehaving):
    interpreter = misbehaving(f"""
        {HELLO}
        sys.stdin.readline()
        print(json.dumps({{"type": "partial", "id": 1, "value": {{"name": "a.mp4"}}}}), flush=True)
        assert json.loads(sys.stdin.readline()) == {{"type": "cancel", "id": 1}}
        print(json.dumps({{"type": "error", "id": 1, "kind": "cancelled", "message": "Stopped after a.mp4."}}), flush=True)
    """)
    kept = []
    with pytest.raises(EngineCancelledError, match="Stopped after a.mp4") as raised:
        run_request(interpreter, "geolocate", {"output": "/o.gpkg"}, on_partial=kept.append, cancelled=lambda: bool(kept))
    assert raised.value.kept == kept == [{"name": "a.mp4"}]
    assert raised.value.output == "/o.gpkg"


@pytest.mark.skipif(sys.platform == "win32", reason="looks at processes through /proc and ignores SIGTERM")
def test_cancel_kills_the_whole_tree_within_a_second(misbehaving, tmp_path):
    """The child ignores everything short of a kill and has a child of its own."""
    pids = tmp_path / "pids"
    interpreter = misbehaving(f"""
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
        grandchild = subprocess.Popen([sys.executable, "-c", stubborn])
        open({str(pids)!r}, "w").write(f"{{os.getpid()}} {{grandchild.pid}}")
        {HELLO}
        while True: time.sleep(1)
    """)
    started = []

    def cancelled() -> bool:
        if pids.exists() and pids.read_text() and not started:
            time.sleep(0.3)
            started.append(time.monotonic())
        return bool(started)

    with pytest.raises(EngineCancelledError):
        run_request(interpreter, "geolocate", {}, cancelled=cancelled)
    took_s = time.monotonic() - started[0]
    assert took_s < 1.0  # 0.6 s on an idle machine: half a second to answer, then no more asking
    assert soon(lambda: not any(alive(int(pid)) for pid in pids.read_text().split()))  # a kill is delivered at once, and done soon


def test_what_a_killed_engine_was_writing_is_cleared_away(misbehaving, tmp_path):
    out = tmp_path / "out"
    (out / ".vidtag-1-other").mkdir(parents=True)  # of another engine, which may be at work
    among = out / "g.results" / "results" / "ab"
    among.mkdir(parents=True)
    child = misbehaving(
        f"""
        {HELLO}
        for folder in ({str(among)!r}, {str(out)!r}):
            os.makedirs(os.path.join(folder, f".vidtag-{{os.getpid()}}-half"))
        for line in sys.stdin:
            time.sleep(60)
        """
    )
    asked: list[float] = []

    def cancelled() -> bool:
        asked.append(time.monotonic())
        return len(list(out.iterdir())) > 2 and len(asked) > 5

    with pytest.raises(EngineCancelledError):
        run_request(child, "gallery", {"output": str(out / "g.gpkg"), "extent": "159,160,-20,-18"}, cancelled=cancelled)
    assert sorted(left.name for left in out.iterdir()) == [".vidtag-1-other", "g.results"]
    assert list(among.iterdir()) == []


def test_cancel_before_the_greeting(misbehaving):
    with pytest.raises(EngineCancelledError):
        EngineClient(misbehaving("time.sleep(60)"), cancelled=lambda: True)


def test_interpreter_without_an_engine():
    bare = EngineInterpreter("/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable, "the setting")
    with pytest.raises(EngineNotFoundError, match="There is no VidTAG engine in .*pip install"):
        EngineClient(bare)


def test_the_source_that_came_along_runs_where_no_engine_is_installed(tmp_path):
    """An environment that a checkout's tools made has what the engine needs, and not the engine itself."""
    own = tmp_path / "own source é"
    (own / "vidtag_engine").mkdir(parents=True)
    (own / "vidtag_engine" / "__init__.py").touch()
    (own / "vidtag_engine" / "worker.py").write_text(
        "import json\nprint(json.dumps({'type': 'hello', 'protocol': 1, 'engine': 'own'}), flush=True)\ninput()\n"
    )
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    found = find_interpreter(str(python), environment={}, own_source=str(own))
    assert (found.engine_path, found.carried, found.whole) == (str(own), True, False)
    with EngineClient(found) as client:
        assert client.engine_version == "own"
    [packages] = (tmp_path / "venv").glob("[Ll]ib/**/site-packages")
    for left in ("vidtag_engine-1.0.dist-info", "_vidtag_engine.pth", "__editable__.vidtag_engine-1.pth"):
        (packages / left).touch()
        assert not find_interpreter(str(python), environment={}, own_source=str(own)).carried
        (packages / left).unlink()
    (packages / "torch_geometric").mkdir()
    assert not found.whole
    (packages / "torch").mkdir()
    assert found.whole
    assert find_interpreter(str(python), environment={}, own_source=str(tmp_path)).engine_path is None
    named = {"VIDTAG_ENGINE_PATH": str(ROOT)}
    assert find_interpreter(str(python), environment=named, own_source=str(own)).engine_path == str(ROOT)


def test_a_python_that_lacks_a_package_is_told_from_a_fault(misbehaving):
    hello = "import json, sys\nprint(json.dumps({'type': 'hello', 'protocol': 1, 'engine': '1'}), flush=True)\nsys.stdin.readline()\n"
    said = "print(json.dumps({'type': 'error', 'id': 1, 'kind': 'internal', 'message': \"ModuleNotFoundError: No module named 'torch'\"}), flush=True)"
    with pytest.raises(EngineNotFoundError, match="has no torch, which the engine needs"):
        run_request(misbehaving(hello + said), "geolocate", {})


def test_so_is_one_that_lacks_it_from_the_start(misbehaving):
    with pytest.raises(EngineNotFoundError, match="has no numpy, which the engine needs"):
        EngineClient(misbehaving("raise ModuleNotFoundError(\"No module named 'numpy.core'\")"))


def test_program_that_does_not_start(tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    with pytest.raises(EngineNotFoundError, match="cannot be started"):
        EngineClient(EngineInterpreter(str(broken), "the setting"))


def test_where_the_interpreter_comes_from(tmp_path):
    def environment(name: str, ready: bool = True) -> Path:
        folder = tmp_path / "cache" / "vidtag" / name
        python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        python.parent.mkdir(parents=True)
        python.write_text("#!/bin/sh\n")
        python.chmod(0o755)
        if ready:
            (folder / "READY").touch()
        return python

    variables = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "LOCALAPPDATA": str(tmp_path / "cache")}
    with pytest.raises(EngineNotFoundError, match="was not found.*VIDTAG_ENGINE_PYTHON"):
        find_interpreter(environment=variables)
    environment("engine-broken-off", ready=False)
    with pytest.raises(EngineNotFoundError):
        find_interpreter(environment=variables)
    managed, own, other = environment("engine-1"), environment("mine"), environment("theirs")
    assert find_interpreter(environment=variables).python == str(managed)
    variables["VIDTAG_ENGINE_PYTHON"] = str(own)
    assert find_interpreter(environment=variables).python == str(own)
    assert find_interpreter(str(other), environment=variables).python == str(other)
    assert find_interpreter(str(other.parent.parent), environment=variables).python == str(other)  # the environment's folder
    with pytest.raises(EngineNotFoundError, match="setting.*not there"):
        find_interpreter(str(tmp_path / "gone"), environment=variables)
    with pytest.raises(EngineNotFoundError, match="VIDTAG_ENGINE_PATH names .*correct it"):
        find_interpreter(environment={**variables, "VIDTAG_ENGINE_PATH": str(tmp_path)})
    assert find_interpreter(environment={**variables, "VIDTAG_ENGINE_PATH": str(ROOT)}).engine_path == str(ROOT)
    assert cache_folder({"VIDTAG_CACHE": "/elsewhere"}) == Path("/elsewhere")


def test_links_of_an_environment_are_not_followed(tmp_path):
    """A venv is its python's own path: the resolved one would be the system's."""
    link = tmp_path / "python"
    link.symlink_to(sys.executable)
    assert find_interpreter(str(link), environment={}).python == str(link)


def test_the_child_inherits_nothing_of_qgis(tmp_path):
    own = tmp_path / "QGIS 3.40"
    (own / "bin").mkdir(parents=True)
    inherited = {
        "PYTHONHOME": "/qgis/python", "PYTHONPATH": "/qgis", "VIRTUAL_ENV": "/v", "PIP_INDEX_URL": "x", "QGIS_PREFIX_PATH": "/usr",
        "QGIS_PLUGINPATH": "/p", "PROJ_LIB": "/proj", "PROJ_DATA": "/proj", "GDAL_DATA": "/gdal", "GDAL_DRIVER_PATH": "/d",
        "LD_LIBRARY_PATH": "/l", "LD_PRELOAD": "x.so", "DYLD_INSERT_LIBRARIES": "y", "__PYVENV_LAUNCHER__": "/q",
        "HOME": "/home/u", "CUDA_VISIBLE_DEVICES": "0",
        "HTTPS_PROXY": "http://proxy", "PATH": os.pathsep.join(["/usr/bin", str(own / "bin"), "", str(own) + "-not", "/bin"]),
    }  # fmt: skip
    clean = child_environment(inherited, EngineInterpreter("/py", "test", "/engine"), [str(own)])
    assert clean == {
        "HOME": "/home/u", "CUDA_VISIBLE_DEVICES": "0", "HTTPS_PROXY": "http://proxy",
        "PATH": os.pathsep.join(["/usr/bin", str(own) + "-not", "/bin"]), "PYTHONPATH": "/engine",
        "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8", "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2",
    }  # fmt: skip
    assert "PYTHONPATH" not in child_environment(inherited, EngineInterpreter("/py", "test"))


def test_the_child_inherits_nothing_of_qgis_on_windows():
    inherited = {
        "Path": r"C:\OSGeo4W\bin;C:\Program Files\QGIS 3.40\bin;c:\program files\qgis 3.40\apps\Qt5\bin;C:\Windows\System32;;C:\Program Files\QGIS 3.400",
        "PythonHome": r"C:\Program Files\QGIS 3.40\apps\Python312", "SystemRoot": r"C:\Windows", "GDAL_DATA": "x", "QGIS_PREFIX_PATH": "x",
    }  # fmt: skip
    folders = ["C:/Program Files/QGIS 3.40", "C:\\OSGeo4W\\"]
    clean = child_environment(inherited, EngineInterpreter("python.exe", "test", cache=r"D:\Zwölf Dinge"), folders, "win32")
    assert clean["Path"] == r"C:\Windows\System32;C:\Program Files\QGIS 3.400"
    assert clean["SystemRoot"] == r"C:\Windows"  # without it no process starts there
    assert clean["VIDTAG_CACHE"] == r"D:\Zwölf Dinge"
    assert not {"PythonHome", "GDAL_DATA", "QGIS_PREFIX_PATH", "PATH"} & set(clean)


def test_the_child_inherits_nothing_of_qgis_on_macos():
    inherited = {
        "PATH": "/Applications/QGIS.app/Contents/MacOS/bin:/usr/bin:/Applications/qgis.app/x", "DYLD_LIBRARY_PATH": "/x", "__PYVENV_LAUNCHER__": "/x",
        "PYTHONHOME": "/Applications/QGIS.app/Contents/Resources/python",
    }  # fmt: skip
    clean = child_environment(inherited, EngineInterpreter("/py", "test"), ["/Applications/QGIS.app/Contents/"], "darwin")
    assert clean["PATH"] == "/usr/bin:/Applications/qgis.app/x"
    assert not {"DYLD_LIBRARY_PATH", "__PYVENV_LAUNCHER__", "PYTHONHOME"} & set(clean)


def test_how_a_child_is_started_and_ended_on_each_system():
    assert platforms.popen_options("linux") == platforms.popen_options("darwin") == {"start_new_session": True}
    assert platforms.popen_options("win32") == {
        "creationflags": 0x08000200
    }  # CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP, as Microsoft lists them
    command = platforms.taskkill_command(42, {"SystemRoot": r"D:\WINNT"})
    assert command == [r"D:\WINNT\System32\taskkill.exe", "/F", "/T", "/PID", "42"]
    assert platforms.taskkill_command(42, {})[0] == r"C:\Windows\System32\taskkill.exe"
    assert platforms.venv_python(r"C:\é x", "win32") == r"C:\é x\Scripts\python.exe"
    assert platforms.venv_python("/é x", "darwin") == "/é x/bin/python"


@pytest.fixture
def windows(monkeypatch):
    """What starts and ends children believes to be on Windows. What it would start is recorded; no program is there."""
    started = []

    def refuse(command, **options):
        started.append((command, options))
        raise FileNotFoundError(2, "not on this machine")

    monkeypatch.setattr(platforms.popen_options, "__defaults__", ("win32",))
    monkeypatch.setattr(platforms, "sys", SimpleNamespace(platform="win32"))
    for name in ("Popen", "run"):
        monkeypatch.setattr(subprocess, name, refuse)
    return started


def test_on_windows_nothing_opens_a_console_or_goes_through_a_shell(windows, tmp_path):
    awkward = EngineInterpreter(r"C:\Users\Zoë B & Söhne\envs\python.exe", "the test", r"D:\Quelle é")
    with pytest.raises(EngineNotFoundError, match="cannot be started"):
        EngineClient(awkward)
    with pytest.raises(PythonNotFoundError):
        check_python(awkward.python)
    with pytest.raises(EnvironmentSetupError, match="cannot be started"):
        run_logged([awkward.python, "-m", "pip"], {}, str(tmp_path), print, lambda: False)
    killed = []
    platforms.terminate_tree(SimpleNamespace(pid=42, kill=lambda: killed.append(42)))
    assert killed == [42]  # taskkill may be forbidden
    assert [command[0] for command, _ in windows] == [awkward.python] * 3 + [platforms.taskkill_command(42, os.environ)[0]]
    for command, options in windows:
        assert isinstance(command, list)
        assert not options.get("shell")
        assert options["creationflags"] & 0x08000000  # CREATE_NO_WINDOW
    assert subprocess.list2cmdline(windows[0][0]) == r'"C:\Users\Zoë B & Söhne\envs\python.exe" -m vidtag_engine.worker'


def test_whatever_starts_a_child_asks_how_on_this_system():
    """Every start in the plugin passes ``popen_options``; one that forgets it would flash a console on Windows."""
    starts = 0
    for file in (ROOT / "vidtag_qgis").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"subprocess.Popen", "subprocess.run"}:
                starts += 1
                spread = [ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg is None]
                assert spread in (["options"], ["popen_options()"], ["platforms.popen_options()"]), (file, node.lineno)
    assert starts == 4


@pytest.mark.parametrize("listens", [True, False])
def test_on_windows_the_whole_tree_is_ended(windows, monkeypatch, listens):
    """By taskkill, once where it is enough; what does not go is killed."""
    said = []
    process = SimpleNamespace(pid=42, returncode=None, poll=lambda: process.returncode, kill=lambda: end("kill"))

    def end(how):
        said.append(how)
        process.returncode = 1

    def wait(timeout_s):
        if process.returncode is None:
            raise subprocess.TimeoutExpired("python.exe", timeout_s)

    def run(command, **_):
        if listens:
            end(" ".join(command[1:]))
        return subprocess.CompletedProcess(command, 0)

    process.wait = wait
    monkeypatch.setattr(subprocess, "run", run)
    assert platforms.stop(process, 0.01) == 1
    assert said == (["/F /T /PID 42"] if listens else ["kill"])


def test_on_macos_a_group_that_is_gone_is_no_error(monkeypatch):
    """There the system refuses to signal a group of which nothing is left."""
    asked = []

    def refuse(group, number):
        asked.append((group, number))
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "killpg", refuse)
    platforms.terminate_tree(SimpleNamespace(pid=42))
    platforms.kill_tree(SimpleNamespace(pid=42))
    assert asked == [(42, signal.SIGTERM), (42, signal.SIGKILL)]


def test_a_python_without_streams_is_not_taken_on_windows(tmp_path):
    """``pythonw.exe`` has no standard output: the one beside it is meant."""
    folder = tmp_path / "é Scripts"
    folder.mkdir()
    for name in ("PythonW.exe", "python.exe"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    named = str(folder / "PythonW.exe")
    assert find_interpreter(named, environment={}, platform="win32").python == str(folder / "python.exe")
    assert find_interpreter(environment={"VIDTAG_ENGINE_PYTHON": named}, platform="win32").python == str(folder / "python.exe")
    assert find_interpreter(named, environment={}, platform="linux").python == named
    assert platforms.console_python(r"C:\Ü 3\pythonw.exe", "win32") == r"C:\Ü 3\python.exe"
    (folder / "python.exe").unlink()
    with pytest.raises(EngineNotFoundError, match="is not there"):
        find_interpreter(named, environment={}, platform="win32")


def test_where_the_cache_lies_on_each_system():
    assert cache_folder({"LOCALAPPDATA": "/local", "XDG_CACHE_HOME": "/xdg"}, "win32") == Path("/local/vidtag")
    assert cache_folder({"LOCALAPPDATA": "/local", "XDG_CACHE_HOME": "/xdg"}, "linux") == Path("/xdg/vidtag")
    assert cache_folder({"HOME": "/home/ü"}, "darwin") == Path("/home/ü/.cache/vidtag")


def test_paths_with_spaces_and_letters_beyond_ascii(tmp_path):
    """A link to the interpreter, a source folder and a cache, all of them awkward, with a real worker."""
    folder = tmp_path / "Zoë's \u4e2d\u6587 (1) & more"
    folder.mkdir()
    (folder / "python").symlink_to(REAL.python)
    # Linked from elsewhere, an environment's python finds its packages no more: they are named.
    [packages] = Path(REAL.python).parent.parent.glob("lib/python3*/site-packages")
    (folder / "source here").mkdir()
    (folder / "source here" / "vidtag_engine").symlink_to(ROOT / "vidtag_engine")
    for name in os.listdir(packages):
        if not (folder / "source here" / name).exists():
            (folder / "source here" / name).symlink_to(packages / name)
    interpreter = EngineInterpreter(str(folder / "python"), "the test", str(folder / "source here"), str(folder / "cache"))
    with EngineClient(interpreter) as client, pytest.raises(EngineInputError, match="/no/such é"):
        client.request("geolocate", {"aoi": "0,0,1,1", "videos": ["/no/such é.mp4"], "output": str(tmp_path / "o.gpkg")})


def test_hostile_environment_does_not_reach_a_real_child(monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    with EngineClient(REAL) as client:
        assert client.engine_version


def test_imports_no_more_than_the_standard_library():
    folder = ROOT / "vidtag_qgis" / "engine_client"
    for file in folder.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            assert all(name.split(".")[0] in sys.stdlib_module_names for name in names), (file, names)
    code = (
        "import sys; sys.modules['qgis'] = None; import vidtag_qgis.engine_client; print('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
