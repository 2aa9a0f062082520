"""The plugin as it is shipped: what is in it, and that the portal's rules are kept."""

from __future__ import annotations

import ast
import configparser
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from vidtag_qgis.engine_client.environment_plan import engine_version, source_files

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "tools" / "plugin.py"
ALLOWED_SUFFIXES = {
    ".ts",
    ".qm",
    ".py",
    ".pyi",
    ".typed",
    ".txt",
    ".svg",
    ".html",
    ".qml",
    ".model3",
    ".json",
    ".geojson",
    ".toml",
    ".md",
    "",
}


@pytest.fixture(scope="module")
def staged(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("plugins")
    for _ in range(2):  # the second time over the first
        subprocess.run([sys.executable, str(TOOL), "stage", str(folder)], check=True, capture_output=True)
    assert [path.name for path in folder.iterdir()] == ["vidtag_qgis"]
    return folder / "vidtag_qgis"


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("zip")
    first, second = folder / "vidtag_qgis.zip", folder / "again.zip"
    for output in (first, second):
        subprocess.run([sys.executable, str(TOOL), "zip", str(output)], check=True, capture_output=True)
    assert first.read_bytes() == second.read_bytes()
    return first


def own_files(folder: Path) -> list[Path]:
    """What runs inside QGIS: all of it but the engine's source, which is carried along."""
    return [path for path in folder.rglob("*.py") if "engine_source" not in path.parts]


def sources(folder: Path) -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9)) for path in own_files(folder)}


def test_the_copy_of_the_protocol_is_the_engines(staged):
    copy = staged / "engine_client" / "protocol.py"
    assert not copy.is_symlink()
    assert copy.read_bytes() == (ROOT / "vidtag_engine" / "protocol.py").read_bytes()


def test_the_engine_can_be_built_from_what_the_zip_carries(staged, tmp_path):
    """The real pip and hatchling, in a folder with a space, without a network."""
    carried = tmp_path / "a copy"
    shutil.copytree(staged / "engine_source", carried)
    assert source_files(str(carried)) == source_files(str(ROOT))
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        str(tmp_path),
        f"{carried}[geoclip]",
    ]
    subprocess.run(command, check=True, capture_output=True)
    [wheel] = tmp_path.glob("vidtag_engine-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
        metadata = opened.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    assert {path for path in source_files(str(ROOT)) if path.startswith("vidtag_engine/")} <= names
    assert "vidtag_engine/resources/styles/frames.qml" in names
    assert engine_version(str(carried)) == wheel.name.split("-")[1]
    assert "Requires-Dist: torch" in metadata


def test_the_zip_is_what_the_portal_takes(archive, staged):
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        assert opened.testzip() is None
        unpacked = {name: opened.read(name) for name in names}
    assert {name.split("/")[0] for name in names} == {"vidtag_qgis"}
    assert {"vidtag_qgis/__init__.py", "vidtag_qgis/metadata.txt", "vidtag_qgis/LICENSE", "vidtag_qgis/resources/icon.svg"} <= set(names)
    assert not [name for name in names if Path(name).suffix not in ALLOWED_SUFFIXES or "__pycache__" in name]
    assert archive.stat().st_size < 25 * 1024 * 1024
    assert unpacked == {
        f"vidtag_qgis/{path.relative_to(staged).as_posix()}": path.read_bytes() for path in staged.rglob("*") if path.is_file()
    }


def test_metadata(staged):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(staged / "metadata.txt", encoding="utf-8")
    general = parser["general"]
    for key in (
        "name",
        "qgisMinimumVersion",
        "description",
        "about",
        "version",
        "author",
        "email",
        "homepage",
        "tracker",
        "repository",
        "changelog",
    ):
        assert general[key].strip(), key
    assert "plugin" not in general["name"].lower()
    assert general["qgisMinimumVersion"] == "3.22"
    assert general["qgisMaximumVersion"] == "4.99"  # test_qgis4.py checks what 4 asks for
    assert "supportsQt6" not in general  # without effect by now
    assert general["hasProcessingProvider"] == "yes"
    assert "engine" in general["about"]  # the portal asks that external dependencies are named there
    assert (staged / general["icon"]).is_file()
    from vidtag_engine import __version__

    assert general["version"] == __version__


def test_the_plugin_imports_qt_through_qgis_and_nothing_of_the_engine(staged):
    allowed = {"qgis", "osgeo", "processing", *sys.stdlib_module_names}  # GDAL's bindings come with every QGIS
    for path, tree in sources(staged).items():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names.append(node.module or "")
            assert {name.split(".")[0] for name in names} <= allowed, path


def test_processing_and_gui_are_not_imported_at_module_level(staged):
    """qgis_process, models and a server have no window; what is in ``gui`` is reached from inside functions alone."""
    for path, tree in sources(staged).items():
        if "gui" in path.relative_to(staged).parts:
            continue
        for node in tree.body:
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            assert not module.startswith(("processing", "qgis.gui", "qgis.utils", "qgis.PyQt.QtWidgets", "gui")), path
            assert not {"gui", "qgis.gui"} & set(names), path


def scanner(name: str) -> str:
    """A scanner's program in this environment."""
    return str(Path(sys.executable).with_name(name))


def test_bandit_finds_nothing(staged):
    """As the portal runs it: every rule, every severity, and a single finding blocks the upload. The engine's source is scanned too."""
    run = subprocess.run([scanner("bandit"), "-r", "-f", "json", "-q", str(staged)], capture_output=True, text=True, check=False)
    report = json.loads(run.stdout)
    assert [(f["test_id"], f["filename"], f["line_number"], f["issue_text"]) for f in report["results"]] == []
    assert report["errors"] == []
    assert report["metrics"]["_totals"]["loc"] > 5000  # it has read something


def test_bandit_would_find_something(tmp_path):
    """The way it is run is one that finds."""
    (tmp_path / "bad.py").write_text("import subprocess\nsubprocess.call('ls', shell=True)\nassert True\n")
    run = subprocess.run([scanner("bandit"), "-r", "-f", "json", "-q", str(tmp_path)], capture_output=True, text=True, check=False)
    assert {"B101", "B404", "B602"} <= {finding["test_id"] for finding in json.loads(run.stdout)["results"]}


def secrets_in(folder: Path) -> dict:
    run = subprocess.run([scanner("detect-secrets"), "scan", "--all-files", "."], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)["results"]


@pytest.mark.slow
def test_detect_secrets_finds_nothing(staged, tmp_path):
    assert secrets_in(staged) == {}
    (tmp_path / "bad.py").write_text('token = "' + "0123456789abcdef" * 4 + '"\n')
    assert "bad.py" in secrets_in(tmp_path)


def newer_than_python_39(folder: Path, cache: Path) -> list[str]:
    """What a type checker says of the code under Python 3.9's standard library, which QGIS on Windows runs up to 3.34."""
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file=",
        "--python-version",
        "3.9",
        "--ignore-missing-imports",
        "--follow-imports=silent",
    ]
    run = subprocess.run([*command, "--cache-dir", cache, folder.name], cwd=folder.parent, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stdout + run.stderr
    return [line for line in run.stdout.splitlines() if ": error: " in line]


def test_nothing_is_used_that_came_after_python_39(tmp_path):
    """A linter that knows the engine's Python alone writes ``datetime.UTC``, which the plugin would find on no Python 3.9."""
    assert newer_than_python_39(ROOT / "vidtag_qgis", tmp_path / "cache") == []
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "__init__.py").write_text("from datetime import UTC\nfrom itertools import pairwise\n")
    assert len(newer_than_python_39(tmp_path / "newer", tmp_path / "cache")) == 2


def test_every_exception_to_a_rule_has_its_reason(staged):
    """A ``# nosec`` names its rule, and a comment says why within the lines above it or on it."""
    for path in staged.rglob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if "# nosec" in line:
                assert re.search(r"# nosec B\d{3}", line), (path, number + 1)
                if "subprocess  # nosec B404" not in line:
                    before = "\n".join(lines[max(0, number - 6) : number + 1])
                    assert re.search(r"#(?! nosec| noqa: \w+\s*$) *[\w`]|# noqa: \w+ - ", before), (path, number + 1)


QT_ENUM_OWNERS = r"(?:Qt|Q[A-Z]\w+|Qgs\w+|Qgis)"
# A class's attribute in CamelCase that begins with a capital letter and stands without a call or another dot is an enum's value without scope.
UNSCOPED = re.compile(rf"(?<![\w.]){QT_ENUM_OWNERS}\.(?!QGIS_|Type\b|[A-Z_]+\b(?<![a-z]))[A-Z]\w*\b(?!\s*[.(\[])")


def test_enums_have_their_scope(staged):
    """``QgsProcessing.TypeFile`` is gone with Qt 6; ``QgsProcessing.SourceType.TypeFile`` works from 3.22 on."""
    for wrong in ("QgsProcessing.TypeFile,", "Qt.AlignCenter)", "QVariant.String", "QMessageBox.Yes:", "QgsTask.CanCancel "):
        assert UNSCOPED.search(wrong), wrong
    for right in ("QgsProcessing.SourceType.TypeFile", "Qgis.QGIS_VERSION_INT", "QgsOptionsWidgetFactory()", "Qgis.MessageLevel.Info,"):
        assert not UNSCOPED.search(right), right
    for path in own_files(staged):
        code = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if not line.strip().startswith(("#", '"""', "``")))
        code = re.sub(r'"""[\s\S]*?"""', "", code)
        assert not UNSCOPED.findall(code), (path, UNSCOPED.findall(code))


def test_nothing_of_qt_5_alone(staged):
    """PyQt by its own name, ``exec_`` and the classes that moved: what breaks on QGIS 4."""
    gone = re.compile(
        r"\bPyQt[56]\b|\bexec_\(|\bQRegExp\b|\bQTextCodec\b|\bQAction\b|\bQDesktopWidget\b|\bpyqtWrapperType\b|\.toTime_t\(|\bprint_\("
    )
    for path in own_files(staged):
        if path.name != "compat.py":  # the one place for both
            assert not gone.findall(path.read_text(encoding="utf-8")), path


def test_what_3_22_lacks_or_hangs_on_is_not_used(staged):
    """Absent there: per-band temporal mode, groups of outputs, some enums. Asks a question: saving a style. Fails while editing: subsets."""
    absent = re.compile(
        r"FixedRangePerBand|\bgroupName\b|\bQgis\.(?:WkbType|ProcessingSourceType|GeometryType)\b|QgsVectorLayerTemporalProperties\.TemporalMode"
        r"|saveStyleToDatabase|setSubsetString"
    )
    for path in staged.rglob("*.py"):
        assert not absent.findall(path.read_text(encoding="utf-8")), path


def test_every_test_that_the_table_of_traps_names_is_there():
    table = (ROOT / "docs" / "traps.md").read_text(encoding="utf-8")
    file, named = None, 0
    for short, test in re.findall(r"`((?:[qt]/\w+\.py)?)(?:::(\w+))?`", table):
        file = ROOT / short.replace("q/", "tests/qgis/").replace("t/", "tests/") if short else file
        if short or test:
            named += 1
            assert re.search(rf"^def {test}\(" if test else r"^def test_", file.read_text(encoding="utf-8"), re.MULTILINE), (
                file.name,
                test,
            )
    assert named > 100
    rows = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith(("| trap |", "| what |"))]
    assert len(rows) == len(set(rows)) > 60
    for row in rows:
        assert re.search(r"`(?:[qt]/\w+\.py)?::\w+`|`[qt]/\w+\.py`", row), row  # none without a test


def test_a_folder_that_is_no_plugin_is_not_replaced(tmp_path):
    (tmp_path / "vidtag_qgis").mkdir()
    (tmp_path / "vidtag_qgis" / "mine.txt").write_text("keep")
    run = subprocess.run([sys.executable, str(TOOL), "stage", str(tmp_path)], capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "no staged plugin" in run.stderr
    assert (tmp_path / "vidtag_qgis" / "mine.txt").read_text() == "keep"
