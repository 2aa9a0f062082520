"""The engine's environment as the plugin makes it, without QGIS: the real venv and the real pip, on a small engine in place of the large one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import time
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from vidtag_qgis.engine_client import EngineNotFoundError, find_interpreter, run_request
from vidtag_qgis.engine_client import environment as env
from vidtag_qgis.engine_client import environment_files as files
from vidtag_qgis.engine_client.environment_plan import Package, SetupPlan, read_packages, source_files, torch_requirement
from vidtag_qgis.engine_client.errors import EnvironmentSetupError, PythonNotFoundError, SetupCancelledError
from vidtag_qgis.engine_client.pip_errors import explain
from vidtag_qgis.engine_client.pip_run import PipProgress, fetch_python, pip_environment, proxy_variables, run_logged, without_credentials
from vidtag_qgis.engine_client.python_finder import (
    StandalonePython,
    check_python,
    find_python,
    find_uv,
    launcher_list,
    no_python_sentence,
    python_candidates,
)

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (Package("anchor", "1.0", "MIT", 0.1, 0.2),)
WORKER = """
import json, sys
import anchor
print(json.dumps({"type": "hello", "protocol": 1, "engine": "0.0.1"}), flush=True)
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "request":
        value = {"versions": {"anchor": anchor.VERSION}, "ok": True}
        print(json.dumps({"type": "result", "id": message["id"], "value": value}), flush=True)
    else:
        break
"""


def wheel(folder: Path, name: str, version: str, body: str, requires: str = "") -> Path:
    """A wheel, made by hand: what a wheel is, is written in PEP 427."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", textwrap.dedent(body))
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture(scope="session")
def build_tools(tmp_path_factory) -> Path:
    """Wheels of what builds the engine; pip and hatchling are packed again from this environment, so that no test needs a network."""
    import importlib.metadata

    folder = tmp_path_factory.mktemp("build tools")
    queue, seen = ["pip", "hatchling", "setuptools"], set()
    while queue:
        distribution = importlib.metadata.distribution(queue.pop())
        name = distribution.metadata["Name"]
        if name in seen:
            continue
        seen.add(name)
        queue += [re.match(r"[\w.-]+", entry).group() for entry in distribution.requires or [] if ";" not in entry]
        plain = re.sub(r"[-.]+", "_", name)
        with zipfile.ZipFile(folder / f"{plain}-{distribution.version}-py3-none-any.whl", "w") as archive:
            for file in distribution.files:
                if (
                    ".." not in file.parts
                    and "__pycache__" not in file.parts
                    and file.name not in {"INSTALLER", "REQUESTED", "direct_url.json"}
                ):
                    archive.write(distribution.locate_file(file), str(file))
    return folder


@pytest.fixture
def wheels(build_tools, tmp_path) -> Path:
    folder = tmp_path / "räder und wheels"
    folder.mkdir()
    for path in build_tools.iterdir():
        (folder / path.name).symlink_to(path)
    wheel(folder, "anchor", "1.0", "VERSION = '1.0'\n")
    return folder


@pytest.fixture
def source(tmp_path) -> Path:
    """A small engine: a worker that greets and a doctor that answers, and one requirement."""
    folder = tmp_path / "plugin ü" / "engine_source"
    (folder / "vidtag_engine").mkdir(parents=True)
    (folder / "vidtag_engine" / "__init__.py").write_text('__version__ = "0.0.1"\n')
    (folder / "vidtag_engine" / "worker.py").write_text(WORKER)
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "vidtag-engine"\nversion = "0.0.1"\ndependencies = ["anchor>=1"]\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["vidtag_engine"]\n'
    )
    return folder


@pytest.fixture(scope="session")
def standalone() -> StandalonePython:
    return find_python()


@pytest.fixture
def plan(source, wheels, standalone, tmp_path) -> SetupPlan:
    return SetupPlan(str(tmp_path / "cache é dir"), standalone, str(source), packages=PACKAGES, wheels=str(wheels), extras=())


@pytest.mark.slow
def test_made_found_used_moved_and_removed(plan, source, tmp_path, monkeypatch):
    """One environment through its whole life; paths have spaces and letters beyond ASCII."""
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "elsewhere"))
    monkeypatch.delenv("VIDTAG_ENGINE_PYTHON", raising=False)
    seen, lines = [], []
    made = env.create(plan, plan.agree(), on_progress=lambda *event: seen.append(event), on_line=lines.append)
    assert (made.ready, made.flavour, made.engine, made.current) == (True, "cpu", "0.0.1", True)
    fractions = [fraction for fraction, _, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert [stage for index, stage in enumerate(s for _, s, _ in seen) if index == 0 or seen[index - 1][1] != stage] == [
        "venv", "tools", "engine", "check", "done",
    ]  # fmt: skip
    log = Path(made.log).read_text(encoding="utf-8")
    assert log.splitlines() == lines
    assert "Successfully installed" in log
    assert "agreed to at 20" in log
    assert not (tmp_path / "elsewhere").exists()
    assert not (Path(made.folder) / "tmp").exists()

    assert env.create(plan, plan.agree()) == made  # nothing to do
    assert Path(made.log).read_text(encoding="utf-8") == log
    found = find_interpreter(environment={}, setting_cache=plan.cache)
    assert found.python == made.python
    assert run_request(found, "doctor", {})["versions"] == {"anchor": "1.0"}

    new = tmp_path / "other disk ß"
    (Path(plan.cache) / "galleries").mkdir()
    (Path(plan.cache) / "somebody's").mkdir()
    assert files.move_cache(plan.cache, str(new)) == ["engine-plugin-cpu", "galleries"]
    assert os.listdir(plan.cache) == ["somebody's"]
    [moved] = files.find_environments(str(new), str(source))
    assert (moved.ready, moved.current) == (True, True)
    assert env.check(moved.python)["ok"] is True

    (source / "vidtag_engine" / "news.py").write_text("NEWS = 1\n")  # the plugin was updated
    assert files.find_environments(str(new), str(source))[0].current is False
    later = replace(plan, cache=str(new))
    (source / "vidtag_engine" / "worker.py").write_text("raise RuntimeError('no luck')\n")
    with pytest.raises(EnvironmentSetupError, match="the engine does not start.*no luck"):
        env.create(later, later.agree())
    assert not files.find_environments(str(new), str(source))[0].ready
    (source / "vidtag_engine" / "worker.py").write_text(WORKER)
    updated = env.create(later, later.agree())
    assert (updated.ready, updated.current) == (True, True)
    assert subprocess.run([updated.python, "-c", "import vidtag_engine.news"], cwd=tmp_path, check=False).returncode == 0

    files.remove(updated.folder)
    assert files.find_environments(str(new), str(source)) == []
    assert os.listdir(new) == ["galleries"]
    with pytest.raises(EngineNotFoundError):
        find_interpreter(environment={}, setting_cache=str(new))


@pytest.mark.slow
def test_broken_off_it_is_never_taken_for_whole_and_goes_on(plan, wheels):
    """Cancelled in the middle of the engine's step, then a package is missing, then it goes on: the environment itself is not made again, but where it was cut off
    while installing."""
    stop = threading.Event()

    def on_line(line: str) -> None:
        if "hatchling" in line and "Successfully installed" in line:
            stop.set()

    with pytest.raises(SetupCancelledError, match="goes on from there"):
        env.create(plan, plan.agree(), on_line=on_line, cancelled=stop.is_set)
    [half] = files.find_environments(plan.cache, plan.source)
    assert not half.ready
    with pytest.raises(EngineNotFoundError):
        find_interpreter(environment={}, setting_cache=plan.cache)
    begun = Path(half.folder, "pyvenv.cfg").stat().st_mtime_ns

    (anchor,) = wheels.glob("anchor-*")
    anchor.rename(wheels.parent / anchor.name)
    with pytest.raises(EnvironmentSetupError, match="The folder of wheels has no anchor") as raised:
        env.create(plan, plan.agree())
    assert "No matching distribution" in raised.value.detail
    assert not files.find_environments(plan.cache, plan.source)[0].ready

    (wheels.parent / anchor.name).rename(anchor)
    assert env.create(plan, plan.agree()).ready
    assert Path(half.folder, "pyvenv.cfg").stat().st_mtime_ns == begun

    # Cut off while it was installing: a package may lie there in half, which pip would take for whole.
    folder = Path(plan.folder)
    state = json.loads((folder / files.STATE).read_text())
    state.update(done=["venv", "tools"], installing=True)
    (folder / files.STATE).write_text(json.dumps(state))
    (folder / "READY").unlink()
    cut = next((folder / "lib").glob("*/site-packages/anchor.py"))
    cut.write_text("VERSION = ")
    with pytest.raises(SetupCancelledError):
        env.create(plan, plan.agree(), cancelled=lambda: True)
    assert not cut.exists()
    assert not files.read_state(plan.folder)["done"]
    assert "goes on from there" in (folder / files.LOG).read_text()  # the log of all tries stays


def test_nothing_is_done_without_consent_to_this_very_plan(plan):
    other = replace(plan, packages=(*PACKAGES, Package("big", "1", "proprietary", 900.0, 900.0)))
    with pytest.raises(EnvironmentSetupError, match="consent is for another plan"):
        env.create(other, plan.agree())
    assert not Path(plan.cache).exists()


def test_two_at_once_are_refused(plan):
    Path(plan.folder).mkdir(parents=True)
    with files.only_one(plan.folder), pytest.raises(EnvironmentSetupError, match="being made already"):
        env.create(plan, plan.agree())


def test_no_room_is_said_before_anything_is_fetched(plan):
    large = replace(plan, packages=(Package("huge", "1", "MIT", 1e9, 1e9),))
    with pytest.raises(EnvironmentSetupError, match=r"There is no room: 1000000\.0 GB are needed"):
        env.create(large, large.agree())
    assert not Path(plan.folder, "pyvenv.cfg").exists()


def test_room_is_asked_for_what_a_folder_of_wheels_unpacks_to(plan, tmp_path):
    """Whatever the list says: the folder may hold PyTorch's other, larger build, and older wheels of a package besides."""
    folder = tmp_path / "wheels é"
    folder.mkdir()
    for name, megabytes in (("torch-2.14.1-cp311-x", 5), ("torch-2.13.0+cpu-cp311-x", 2), ("numpy-2.4-py3-none-any", 1)):
        with zipfile.ZipFile(folder / f"{name}.whl", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a", bytes(megabytes * 1_000_000))
    (folder / "broken-1-py3-none-any.whl").write_bytes(b"no zip")
    (folder / "notes.txt").write_text("no wheel")
    listed = replace(plan, wheels=str(folder), packages=(Package("torch", "1", "BSD", 1.0, 3.0),))
    assert listed.installed_mb == listed.needed_mb == pytest.approx(6.0)
    assert replace(listed, packages=(Package("torch", "1", "BSD", 1.0, 9.0),)).needed_mb == 9.0
    assert replace(listed, wheels=None).needed_mb == 4.0


def test_what_a_broken_off_removal_has_left_is_cleared_away(plan):
    """QGIS was closed while it removed an environment: no environment is shown, and the next making or removing frees the disk."""
    rest = Path(plan.cache, "engine-plugin-cuda.removing-77")
    (rest / "lib").mkdir(parents=True)
    (rest / "lib" / "torch.so").write_bytes(b"x")
    files.write_state(str(rest), {"made_by": files.MADE_BY, "done": ["venv"]})
    Path(plan.cache, "engine-mine").mkdir()
    assert files.find_environments(plan.cache, plan.source) == []
    assert files.left_over(plan.cache) == [str(rest)]
    other = Path(plan.cache, "engine-plugin-cpu")
    other.mkdir()
    files.write_state(str(other), {"made_by": files.MADE_BY, "done": ["venv"]})
    files.remove(str(other))
    assert os.listdir(plan.cache) == ["engine-mine"]

    rest.mkdir()
    said = []
    huge = replace(plan, packages=(Package("huge", "1", "MIT", 1e9, 1e9),))
    with pytest.raises(EnvironmentSetupError, match="There is no room"):  # asked after the disk was freed
        env.create(huge, huge.agree(), on_progress=lambda _, __, message: said.append(message))
    assert said == ["Clearing away what an earlier removal has left"]
    assert not rest.exists()


def test_an_update_needs_no_room_for_what_is_there(tmp_path, monkeypatch):
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "torch").write_bytes(bytes(8_000_000))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10e6))
    files.check_room(str(tmp_path), 17.0, with_what_is_there=True)
    for needed_mb, counts in ((17.0, False), (19.0, True)):
        with pytest.raises(EnvironmentSetupError, match="There is no room"):
            files.check_room(str(tmp_path), needed_mb, with_what_is_there=counts)


def test_no_network_is_said_in_a_sentence(tmp_path, monkeypatch):
    """The real pip against a port where nobody listens."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://someone:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path))
    for retries, said in (("1", "The package index cannot be reached.*goes on where it stopped"), ("0", "names no version of anchor")):
        monkeypatch.setenv("PIP_RETRIES", retries)
        lines: list[str] = []
        command = [sys.executable, "-m", "pip", "download", "-d", str(tmp_path), "anchor"]
        assert run_logged(command, pip_environment(os.environ, str(tmp_path)), str(tmp_path), lines.append, lambda: False)
        assert re.search(said, explain("\n".join(lines)))
        assert "secret" not in "".join(lines)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")
def test_cancel_ends_pip_and_all_it_started(tmp_path):
    pid_file = tmp_path / "pid"
    child = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    started = time.monotonic()
    with pytest.raises(SetupCancelledError):
        run_logged(
            [sys.executable, "-c", parent], os.environ, str(tmp_path), print, lambda: pid_file.exists() and pid_file.read_text() != ""
        )
    assert time.monotonic() - started < 10
    stat = Path(f"/proc/{pid_file.read_text()}/stat")

    def gone() -> bool:
        try:
            return stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            return True

    until = time.monotonic() + 10  # a busy machine takes its time even over a kill
    while not gone() and time.monotonic() < until:
        time.sleep(0.02)
    assert gone()


def test_what_was_not_made_by_the_plugin_is_left_alone(tmp_path):
    (tmp_path / "engine-mine").mkdir()
    (tmp_path / "engine-mine" / "READY").touch()
    with pytest.raises(EnvironmentSetupError, match="not made by VidTAG"):
        files.remove(str(tmp_path / "engine-mine"))
    assert files.find_environments(str(tmp_path), str(ROOT)) == []
    assert files.move_cache(str(tmp_path), str(tmp_path.parent / "new")) == []
    with pytest.raises(EnvironmentSetupError, match="lies in the old one"):
        files.move_cache(str(tmp_path), str(tmp_path / "new"))


def test_plans_that_cannot_work(plan, tmp_path):
    for changes, said in [
        ({"flavour": "tpu"}, "cpu or cuda"),
        ({"source": str(tmp_path)}, "install the plugin again"),
        ({"wheels": "/no/such"}, "folder of wheels is not there"),
        ({"torch_index": "--index-url=x"}, "begins with https"),
    ]:
        with pytest.raises(EnvironmentSetupError, match=said):
            replace(plan, **changes)


def test_the_engines_source_is_the_checkouts_and_nothing_else():
    inside = source_files(str(ROOT))
    shipped = {"resources/styles/frames.qml", "resources/countries/countries.geojson"}
    assert {"pyproject.toml", "README.md", "LICENSE", "vidtag_engine/worker.py", *shipped} <= set(inside)
    assert {path.split("/")[0] for path in inside} == {"pyproject.toml", "README.md", "LICENSE", "vidtag_engine", "resources"}
    assert not [path for path in inside if "__pycache__" in path]


@pytest.mark.parametrize("flavour", ["cpu", "cuda"])
def test_the_list_for_the_consent_names_what_the_engine_needs(flavour):
    packages = read_packages(str(ROOT / "resources" / "engine" / "packages.json"), flavour)
    names = {package.name.lower().replace("_", "-") for package in packages}
    assert {"torch", "torchvision", "timm", "open-clip-torch", "av", "rasterio", "geoclip"} <= names
    offered = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {
        re.split(r"[=<>\[]", wanted)[0] for extra in SetupPlan.__dataclass_fields__["extras"].default for wanted in offered[extra]
    } <= names
    assert any(name.startswith("nvidia") for name in names) == (flavour == "cuda")
    assert all(package.licence for package in packages)
    total = sum(package.installed_mb for package in packages)
    assert (1000 < total < 3500) if flavour == "cpu" else (4000 < total < 9000)


# ---- which Python ----


def test_the_python_found_is_a_real_one_outside_any_environment(standalone):
    run = subprocess.run(
        [standalone.python, "-c", "import sys; print(sys.prefix == sys.base_prefix, *sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["True", *map(str, standalone.version[:2])]
    assert standalone.version >= (3, 11)
    assert check_python(sys.executable).python != sys.executable  # this test runs in an environment


def fake_python(path: Path, **answer) -> str:
    """A program that answers the question as some Python of another machine would."""
    told = {"python": str(path), "version": [3, 12, 1], "bits": 64, "prefix": "/usr", "missing": [], **answer}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(told)}\nEND\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(sys.platform == "win32", reason="the fakes are shell scripts")
def test_pythons_that_will_not_do_are_refused_with_the_reason(tmp_path):
    for answer, said in [
        ({"version": [3, 9, 5]}, r"is Python 3\.9\.5; the engine needs 3\.11"),
        ({"bits": 32}, "32-bit"),
        ({"missing": ["ssl"]}, "without SSL"),
        ({"missing": ["ensurepip"]}, "sudo apt install python3.12-venv"),
        ({"prefix": r"C:\Program Files\QGIS 3.40.1\apps\Python312"}, "belongs to QGIS"),
        ({"prefix": r"C:\OSGeo4W\apps\Python312"}, "belongs to QGIS"),
        ({"prefix": "/Applications/QGIS.app/Contents/Resources/python"}, "belongs to QGIS"),
        ({"prefix": str(tmp_path / "own" / "python")}, "belongs to QGIS"),
    ]:
        with pytest.raises(PythonNotFoundError, match=said):
            check_python(fake_python(tmp_path / "python", **answer), own_folders=[str(tmp_path / "own")])
    assert check_python(fake_python(tmp_path / "python", prefix=r"C:\Users\qgis\Python312")).version == (3, 12, 1)
    for bad in (str(tmp_path / "none"), "/bin/ls"):
        with pytest.raises(PythonNotFoundError, match="does not answer"):
            check_python(bad)


@pytest.mark.skipif(sys.platform == "win32", reason="the fakes are shell scripts")
def test_uv_brings_a_python_or_says_why_not(tmp_path, standalone):
    """uv's answers as uv 0.13.9 gives them; the real one needs a network."""
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(
        f"#!/bin/sh\n[ $2 = install ] && echo 'Installed Python 3.12' >&2 && exit 0\n[ $2 = find ] && echo '{standalone.python}'\n"
    )
    uv.chmod(0o755)
    assert find_uv({"PATH": str(uv.parent), "HOME": str(tmp_path)}) == str(uv)
    assert fetch_python(str(uv)) == standalone
    uv.write_text(
        "#!/bin/sh\necho '  cause: dns error' >&2\necho '  cause: failed to lookup address information: Name or service not known' >&2\nexit 1\n"
    )
    with pytest.raises(EnvironmentSetupError, match="cannot be reached"):
        fetch_python(str(uv))


@pytest.mark.skipif(sys.platform == "win32", reason="the fakes are shell scripts")
def test_a_tried_version_comes_before_a_newer_one(tmp_path):
    places = [fake_python(tmp_path / str(minor) / "python", version=[3, minor, 0]) for minor in (9, 15, 13, 12)]
    assert find_python(candidates=places).version == (3, 12, 0)
    assert find_python(candidates=places[:2]).version == (3, 15, 0)
    with pytest.raises(PythonNotFoundError, match=r"No Python 3\.11 or newer was found outside QGIS") as raised:
        find_python(candidates=places[:1])
    assert "3.9.0" in raised.value.detail
    with pytest.raises(PythonNotFoundError, match="apt install"):
        find_python(candidates=[fake_python(tmp_path / "python", missing=["ensurepip"])])


def test_candidates_never_are_this_process_or_qgis(tmp_path):
    qgis = tmp_path / "QGIS.app" / "Contents" / "MacOS" / "bin"
    good = tmp_path / "bin"
    for folder in (qgis, good):
        folder.mkdir(parents=True)
        (folder / "python3.11").touch()
    found = python_candidates({"PATH": f"{qgis}{os.pathsep}{good}", "HOME": str(tmp_path)}, [str(qgis.parent)], "linux")
    assert found[0] == str(good / "python3.11")
    assert not [place for place in found if place.startswith(str(qgis))]
    assert sys.executable not in found


def test_windows_launchers_list_is_read():
    text = " -V:3.12 *        C:\\Users\\Zoë B\\AppData\\Local\\Programs\\Python\\Python312\\python.exe\r\n -V:3.9           C:\\Python39\\python.exe\n"
    assert launcher_list(text) == [r"C:\Users\Zoë B\AppData\Local\Programs\Python\Python312\python.exe", r"C:\Python39\python.exe"]
    assert launcher_list(" -3.11-64        C:\\Python311\\python.exe\n") == [r"C:\Python311\python.exe"]
    assert launcher_list("No installed Pythons found!") == []


@pytest.mark.parametrize(("platform", "said"), [("win32", "python.org"), ("darwin", "brew install"), ("linux", "apt install python3-venv")])
def test_what_to_install_is_said_for_each_system(platform, said):
    assert said in no_python_sentence([], platform)


# ---- pip's surroundings ----


def test_pip_gets_the_users_index_and_ca_and_none_of_qgis():
    inherited = {
        "PATH": "/usr/bin", "HOME": "/home/u", "PIP_INDEX_URL": "https://mirror.example/simple", "PIP_CERT": "/ca.pem", "PIP_TARGET": "/t",
        "PIP_USER": "1", "PIP_NO_DEPS": "1", "PYTHONHOME": "/qgis", "LD_LIBRARY_PATH": "/qgis", "SSL_CERT_FILE": "/ca.pem", "https_proxy": "old",
    }  # fmt: skip
    variables = pip_environment(inherited, "/room", {"HTTPS_PROXY": "http://new:1"}, platform="linux")
    assert variables["PIP_INDEX_URL"] == "https://mirror.example/simple"
    assert (variables["PIP_CERT"], variables["SSL_CERT_FILE"]) == ("/ca.pem", "/ca.pem")
    assert variables["PIP_USER"] == "0"
    assert not {"PIP_TARGET", "PIP_NO_DEPS", "PYTHONHOME", "LD_LIBRARY_PATH"} & set(variables)
    assert variables["https_proxy"] == variables["HTTPS_PROXY"] == "http://new:1"
    assert variables["TMPDIR"] == "/room"
    assert pip_environment(inherited, "R:\\", platform="win32")["TEMP"] == "R:\\"


def test_qgis_proxy_becomes_variables():
    values = {
        "proxyEnabled": "true",
        "proxyType": "HttpProxy",
        "proxyHost": "proxy.example",
        "proxyPort": "8080",
        "proxyUser": "a@b",
        "proxyPassword": "p:w/",
    }
    assert proxy_variables(values)["HTTPS_PROXY"] == "http://a%40b:p%3Aw%2F@proxy.example:8080"
    assert proxy_variables({**values, "noProxyUrls": "http://intra.example/x|localhost"})["NO_PROXY"] == "intra.example,localhost"
    assert proxy_variables({**values, "proxyUser": "", "proxyPort": "0"})["HTTP_PROXY"] == "http://proxy.example"
    assert proxy_variables({**values, "proxyEnabled": "false"}) == {}
    assert proxy_variables({**values, "proxyType": "DefaultProxy"}) == {}
    with pytest.raises(EnvironmentSetupError, match="SOCKS"):
        proxy_variables({**values, "proxyType": "Socks5Proxy"})


def test_logs_hold_no_passwords():
    assert (
        without_credentials("Looking in indexes: https://me:secret@host.example/simple, http://x/")
        == "Looking in indexes: https://host.example/simple, http://x/"
    )


def test_progress_is_read_from_what_pip_prints():
    progress = PipProgress(packages=4, megabytes=600.0)
    lines = """
        Processing /home/Zoë B/.cache/vidtag/engine-plugin-cpu/source
        Collecting torch>=2.4 (from vidtag-engine==0.1.0)
          Downloading torch-2.14.1-cp311-cp311-manylinux_2_28_x86_64.whl.metadata (29 kB)
        Collecting numpy>=1.26 (from vidtag-engine==0.1.0)
          Using cached numpy-2.4.6-cp311-cp311-manylinux.whl.metadata (6.1 kB)
        Using cached numpy-2.4.6-cp311-cp311-manylinux.whl (60.0 MB)
        Downloading torch-2.14.1-cp311-cp311-manylinux_2_28_x86_64.whl (540.0 MB)
        Progress 0 of 540000000
        Progress 270000000 of 540000000
        Progress 540000000 of 540000000
        Installing collected packages: numpy, torch, vidtag-engine
        """
    fractions, kept, messages = [], 0, []
    for line in textwrap.dedent(lines).strip().splitlines():
        kept += not progress.feed(line)
        fractions.append(progress.fraction)
        messages.append(progress.message)
    assert fractions == sorted(fractions)
    assert kept == 8  # the figures are no lines for a log
    assert messages[0] == "Preparing VidTAG's engine"
    assert messages[8] == "Downloading torch: 270 of 540 MB"
    assert fractions[8] == pytest.approx(0.05 + 0.55 * (60 + 270) / 600)
    assert fractions[-1] == 0.6
    progress.installed(2)
    assert progress.fraction == pytest.approx(0.6 + 0.4 * 2 / 3)
    progress.installed(9)
    assert progress.fraction == 1.0


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "The disk is full"),
        ("ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407 Proxy Authentication Required'))", "proxy refuses"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate'))", "PIP_CERT"),
        ("ERROR: HTTP error 403 while getting x\n403 Client Error: Forbidden for url", "refuses you"),
        ("Failed to establish a new connection: [Errno -3]\nERROR: No matching distribution found for torch", "cannot be reached"),
        ("The virtual environment was not created successfully because ensurepip is not available.", "apt install python3-venv"),
        ("ERROR: No matching distribution found for torch>=2.4", r"has no torch>=2\.4 for this system"),
        ("ERROR: ResolutionImpossible: for help visit", "do not fit together"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "may not be written"),
        ("Segmentation fault", None),
    ],
)  # fmt: skip
def test_troubles_become_sentences(printed, said):
    sentence = explain(printed)
    assert sentence is None if said is None else re.search(said, sentence)


def test_which_torch_is_asked_for():
    torch = "torch (2.15.0)\nAvailable versions: 2.15.0, 2.14.1+cpu, 2.14.1, 2.13.0+cpu, 2.13.0"
    vision = "torchvision (0.30.0)\nAvailable versions: 0.30.0, 0.29.1+cpu, 0.29.1, 0.28.0+cpu"
    assert torch_requirement(torch, vision, "cpu", "linux") == "torchvision==0.29.1+cpu"
    assert torch_requirement(torch, vision, "cuda", "linux") is None  # the usual one
    assert (
        torch_requirement("Available versions: 2.9.0+cu126", "Available versions: 0.24.0+cu126", "cuda", "win32")
        == "torchvision==0.24.0+cu126"
    )
    assert torch_requirement("Available versions: 2.9.0", "", "cpu", "win32") is None
    assert torch_requirement("", "", "cpu", "darwin") is None
    for versions, flavour, platform in (
        (("", ""), "cpu", "linux"),
        ((torch, "Available versions: 0.30.0"), "cpu", "linux"),
        (("", ""), "cuda", "win32"),
    ):
        with pytest.raises(EnvironmentSetupError, match="Get started"):
            torch_requirement(*versions, flavour, platform)
