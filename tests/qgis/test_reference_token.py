"""A platform's token: kept by QGIS's real authentication manager, handed to the engine, and told nowhere. The platform is a server here, switched on for it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from qgis.core import QgsApplication, QgsAuthMethodConfig, QgsProcessingException, QgsProcessingParameterAuthConfig, QgsProject

from tests.qgis.common import ROOT, Handler, Told, algorithm_of, context_of, problem_of, qgis_run, run, serving
from tests.qgis.test_reference import AREA, _jpeg
from vidtag_qgis import tokens
from vidtag_qgis.algorithms import build_reference

pytestmark = pytest.mark.qgis
TOKEN = "MLY|invented|0123456789"
PASSWORD = "a master password"


@pytest.fixture(autouse=True)
def clean_project(qgis_processing):
    QgsProject.instance().clear()


@pytest.fixture
def graph():
    """A server that answers as the Graph API does, with a token alone; it remembers what came."""
    asked: list[tuple[str, str]] = []
    picture = _jpeg(1)

    class Answering(Handler):
        def do_GET(self):
            given, path = self.headers.get("Authorization", ""), urlsplit(self.path)
            asked.append((self.path, given))
            status, body = self._answer(path, given)
            self.answer(body, status)

        def _answer(self, path, given: str) -> tuple[int, bytes]:
            if path.path.endswith(".jpg"):
                return 200, picture
            if given != f"OAuth {TOKEN}":
                return 401, b"{}"
            if path.path != "/images":
                return 200, json.dumps({"thumb_1024_url": f"{self.server.url}{path.path}.jpg?signature=x", "id": path.path[1:]}).encode()
            west, south, east, north = (float(side) for side in parse_qs(path.query)["bbox"][0].split(","))
            inside = [one for one in _items() if west <= one["geometry"]["coordinates"][0] <= east and south <= 48.135 <= north]
            return 200, json.dumps({"data": inside}).encode()

    with serving(Answering, asked) as running:
        yield running


def _items() -> list[dict]:
    return [
        {
            "id": str(number), "geometry": {"type": "Point", "coordinates": [11.5735 + number / 1000, 48.135]}, "sequence": "s", "width": 4000,
            "height": 3000, "captured_at": 1_600_000_000_000 + number, "creator": {"username": "Ada"}, "computed_compass_angle": 90.0,
        }
        for number in range(3)
    ]  # fmt: skip


@pytest.fixture
def on(plugin, engine_here, graph, tmp_path, monkeypatch):
    """An engine and a dialog whose constants say that the platform is on; the engine's, where the server here is."""
    engine_folder = switched_on(tmp_path / "engine", graph.url)
    monkeypatch.setenv("VIDTAG_ENGINE_PATH", str(engine_folder))
    monkeypatch.setenv("VIDTAG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(build_reference, "OFF", frozenset())
    return graph


def switched_on(folder: Path, url: str) -> Path:
    shutil.copytree(ROOT / "vidtag_engine", folder / "vidtag_engine", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    sources = folder / "vidtag_engine" / "reference" / "sources"
    _replace(sources / "__init__.py", r"^OFF = \{.*?^\}", "OFF: dict[str, str] = {}")
    _replace(sources / "mapillary.py", r"^API = .*?$", f'API = "{url}"')
    _replace(sources / "mapillary.py", r"^PICTURE_HOSTS = .*?$", f'PICTURE_HOSTS = ("{url}",)')
    return folder


def _replace(path: Path, pattern: str, text: str) -> None:
    changed, count = re.subn(pattern, text, path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert count == 1, path
    path.write_text(changed, encoding="utf-8")


@pytest.fixture
def manager():
    """QGIS's authentication manager, of the tests' own profile, with a master password; what a test stores is taken away."""
    manager = QgsApplication.authManager()
    assert not manager.isDisabled()
    assert not Path(manager.authenticationDatabasePath()).is_relative_to(Path.home() / ".local")
    assert manager.setMasterPassword(PASSWORD, True)
    before = set(manager.configIds())
    yield manager
    manager.setMasterPassword(PASSWORD, True)
    for one in set(manager.configIds()) - before:
        manager.removeAuthenticationConfig(one)


def store(manager, method: str, **values: str) -> str:
    config = QgsAuthMethodConfig(method)
    config.setName("street-level pictures")
    for name, value in values.items():
        config.setConfig(name, value)
    assert manager.storeAuthenticationConfig(config)
    return config.id()


def given(output: Path, **more) -> dict:
    return {
        "SOURCE": "mapillary",
        "OUTPUT": str(output),
        "YES_QUERY": True,
        "YES_DOWNLOAD_MB": 500,
        "WIDTH": 24,
        "CALIBRATE": False,
        **AREA,
        **more,
    }


def holding(folder: Path, secret: str) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]


def test_switched_off_nothing_of_it_is_offered(plugin):
    definitions = algorithm_of("buildreferencedatabase").parameterDefinitions()
    assert not [one for one in definitions if isinstance(one, QgsProcessingParameterAuthConfig)]
    assert "mapillary" not in algorithm_of("buildreferencedatabase")._choices["SOURCE"]


@pytest.mark.slow
def test_the_token_reaches_the_platform_and_is_told_nowhere(on, manager, tmp_path):
    configuration = store(manager, "Basic", username="", password=TOKEN)
    parameters, told, algorithm = given(tmp_path / "db", AUTH=configuration), Everything(), algorithm_of("buildreferencedatabase")
    results = run(algorithm, parameters, told)
    assert results["IMAGES"] == 3
    of_the_api = [sent for path, sent in on.asked if ".jpg" not in path]
    assert set(of_the_api) == {f"OAuth {TOKEN}"}
    assert not [path for path, _ in on.asked if "MLY" in path]
    assert "signature" not in json.dumps(results)
    said = [*told.said, json.dumps(results), algorithm.asPythonCommand(parameters, context_of())]
    assert configuration in algorithm.asPythonCommand(parameters, context_of())
    assert not [line for line in said if TOKEN in line]
    # Database, cache of pictures, the engine's folder; and QGIS's profile, in which the token lies encrypted.
    assert list((tmp_path / "cache").rglob("*.jpg"))
    profile = Path(manager.authenticationDatabasePath()).parent
    assert [file for folder in (tmp_path, profile) for file in holding(folder, TOKEN)] == []


@pytest.mark.slow
def test_a_token_that_the_platform_refuses_is_not_told(on, manager, tmp_path):
    configuration, told = store(manager, "APIHeader", Authorization="OAuth MLY|wrong"), Everything()
    with pytest.raises(QgsProcessingException) as refused:
        run(algorithm_of("buildreferencedatabase"), given(tmp_path / "db", AUTH=configuration), told)
    assert str(refused.value).startswith("Mapillary refused the question or the token (status 401)")
    assert {sent for _, sent in on.asked} == {"OAuth MLY|wrong"}
    assert not [line for line in [*told.said, str(refused.value)] if "MLY" in line]
    assert holding(tmp_path, "MLY|wrong") == []


@pytest.mark.slow
def test_an_engine_that_fails_does_not_tell_it(on, manager, tmp_path):
    configuration, told = store(manager, "Basic", password=TOKEN), Everything()
    source = tmp_path / "engine/vidtag_engine/reference/sources/mapillary.py"
    _replace(source, r"(?=        tiles, seen = touched)", "        raise RuntimeError\n")
    with pytest.raises(QgsProcessingException, match="The engine failed") as failed:
        run(algorithm_of("buildreferencedatabase"), given(tmp_path / "db", AUTH=configuration), told)
    assert any("Traceback" in line for line in told.said)
    assert not [line for line in [*told.said, str(failed.value)] if TOKEN in line]


class Everything(Told):
    """What is told in whatever way, the debugging lines too."""

    def pushDebugInfo(self, text: str) -> None:
        self.hear(text)

    def pushConsoleInfo(self, text: str) -> None:
        self.hear(text)

    def pushCommandInfo(self, text: str) -> None:
        self.hear(text)


@pytest.mark.parametrize(
    ("method", "values", "token"),
    [
        ("Basic", {"username": "me", "password": f" {TOKEN} "}, TOKEN),
        ("APIHeader", {"Authorization": f"OAuth {TOKEN}"}, TOKEN),
        ("APIHeader", {"authorization": f"Bearer {TOKEN}", "Accept": "text/plain"}, TOKEN),
        ("APIHeader", {"X-Token": TOKEN}, TOKEN),
    ],
)  # fmt: skip
def test_kinds_of_configurations(manager, method, values, token):
    assert tokens.stored_token(store(manager, method, **values), "Mapillary") == token


@pytest.mark.parametrize(
    ("method", "values", "said"),
    [
        ("Basic", {"username": "me", "password": ""}, "holds no token"),
        ("Basic", {"username": "me", "password": "MLY|two\nlines"}, "holds no token"),
        ("APIHeader", {"Accept": "text/plain", "X-Token": "MLY|x"}, "holds no token"),
        ("EsriToken", {"token": "MLY|x"}, "is none of these: Basic authentication, API Header"),
    ],
)  # fmt: skip
def test_configurations_without_a_token(manager, method, values, said):
    with pytest.raises(tokens.TokenError, match=said) as raised:
        tokens.stored_token(store(manager, method, **values), "Mapillary")
    assert "MLY" not in str(raised.value)


def test_none_or_an_unknown_configuration_is_a_sentence(on, manager, tmp_path):
    problem = problem_of("buildreferencedatabase", given(tmp_path / "db"))
    assert problem.startswith("Mapillary asks for a token of your own: store it under Settings > Options > Authentication")
    problem = problem_of("buildreferencedatabase", given(tmp_path / "db", AUTH=TOKEN))
    assert "is not stored in this QGIS profile: give its id of seven signs, never the token." in problem
    assert TOKEN not in problem
    assert on.asked == []


def test_without_a_master_password_nobody_is_asked_and_it_is_a_sentence(on, manager, tmp_path, monkeypatch):
    from qgis import utils

    monkeypatch.setattr(utils, "iface", None)
    configuration = store(manager, "Basic", password=TOKEN)
    manager.clearMasterPassword()
    with pytest.raises(QgsProcessingException, match="set QGIS_AUTH_PASSWORD_FILE to a file that holds it"):
        run(algorithm_of("buildreferencedatabase"), given(tmp_path / "db", AUTH=configuration))
    assert on.asked == []


_STORE = """
import os, sys
from qgis.core import QgsApplication, QgsAuthMethodConfig
application = QgsApplication([], False, sys.argv[1])
application.initQgis()
manager = QgsApplication.authManager()
assert manager.setMasterPassword(sys.argv[3], True)
config = QgsAuthMethodConfig("Basic")
config.setName("street-level pictures")
config.setConfig("password", sys.argv[2])
assert manager.storeAuthenticationConfig(config)
print("id", config.id(), flush=True)
os._exit(0)
"""


@pytest.mark.slow
def test_without_a_window_the_password_comes_from_a_file(graph, engine_python, tmp_path):
    """The real qgis_process, with a profile of its own."""
    variables = qgis_run.prepare(tmp_path / "qgis", engine_python)
    _replace(
        tmp_path / "qgis/plugins/vidtag_qgis/algorithms/build_reference.py", r'^OFF = frozenset\(\{"mapillary"\}\)', "OFF = frozenset()"
    )
    password = tmp_path / "password.txt"
    password.write_text(PASSWORD)
    (tmp_path / "auth").mkdir()
    variables |= {
        "VIDTAG_ENGINE_PATH": str(switched_on(tmp_path / "engine", graph.url)), "VIDTAG_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1",
        "QGIS_AUTH_DB_DIR_PATH": str(tmp_path / "auth"),
    }  # fmt: skip
    with_file = {**variables, "QGIS_AUTH_PASSWORD_FILE": str(password)}
    done = subprocess.run(
        [sys.executable, "-c", _STORE, str(tmp_path / "storing"), TOKEN, PASSWORD],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    configuration = re.search(r"^id (\w{7})$", done.stdout, re.MULTILINE)[1]
    words = [f"{name}={value}" for name, value in given(tmp_path / "db", AUTH=configuration).items()]
    status, _, text = qgis_run.run(words, variables, "vidtag:buildreferencedatabase")
    assert status != 0
    assert "set QGIS_AUTH_PASSWORD_FILE to a file that holds it" in text
    assert graph.asked == []
    status, results, text = qgis_run.run(words, with_file, "vidtag:buildreferencedatabase")
    assert status == 0, text
    assert results["IMAGES"] == 3
    assert TOKEN not in text + json.dumps(results)
    assert holding(tmp_path, TOKEN) == []
