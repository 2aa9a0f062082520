"""The plugin as it is shipped: what is in it, and that the portal's rules are kept."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "tools" / "plugin.py"


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


def sources(folder: Path) -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9)) for path in folder.rglob("*.py")}


def test_the_copy_of_the_protocol_is_the_engines(staged):
    copy = staged / "engine_client" / "protocol.py"
    assert not copy.is_symlink()
    assert copy.read_bytes() == (ROOT / "vidtag_engine" / "protocol.py").read_bytes()


def test_the_zip_is_what_the_portal_takes(archive, staged):
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        assert opened.testzip() is None
        unpacked = {name: opened.read(name) for name in names}
    assert {name.split("/")[0] for name in names} == {"vidtag_qgis"}
    assert {"vidtag_qgis/__init__.py", "vidtag_qgis/metadata.txt", "vidtag_qgis/LICENSE", "vidtag_qgis/resources/icon.svg"} <= set(names)
    assert not [
        name for name in names if Path(name).suffix not in {".py", ".txt", ".svg", ".html", ".qml", ".model3", ""} or "__pycache__" in name
    ]
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
    assert general["hasProcessingProvider"] == "yes"
    assert "engine" in general["about"]  # the portal asks that external dependencies are named there
    assert (staged / general["icon"]).is_file()
    from vidtag_engine import __version__

    assert general["version"] == __version__


def test_the_plugin_imports_qt_through_qgis_and_nothing_of_the_engine(staged):
    allowed = {"qgis", "processing", *sys.stdlib_module_names}
    for path, tree in sources(staged).items():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names.append(node.module or "")
            assert {name.split(".")[0] for name in names} <= allowed, path


def test_processing_and_gui_are_not_imported_at_module_level(staged):
    """qgis_process, models and a server have no window."""
    for path, tree in sources(staged).items():
        for node in tree.body:
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            assert not module.startswith(("processing", "qgis.gui", "qgis.utils", "qgis.PyQt.QtWidgets")), path


def test_what_the_portals_scanners_block(staged):
    for path, tree in sources(staged).items():
        for node in ast.walk(tree):
            assert not isinstance(node, ast.Assert), (path, node.lineno)
            if isinstance(node, ast.ExceptHandler):
                broad = node.type is None or getattr(node.type, "id", "") in {"Exception", "BaseException"}
                assert not isinstance(node.body[0], ast.Pass), (path, node.lineno)
                assert not (broad and isinstance(node.body[0], ast.Continue)), (path, node.lineno)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}, (path, node.lineno)
            if isinstance(node, ast.keyword) and node.arg == "shell":
                assert ast.unparse(node.value) == "False", path
        assert not re.search(r"""["'][0-9a-fA-F]{40,}["']""", path.read_text(encoding="utf-8")), path


def test_enums_have_their_scope(staged):
    """``QgsProcessing.TypeFile`` is gone with Qt 6; ``QgsProcessing.SourceType.TypeFile`` works from 3.22 on."""
    unscoped = re.compile(
        r"\b(?:Qgs\w+|Qt|QVariant|QMetaType)\.(?:Type|Flag|Format|Geometry|Skip)[A-Z]\w+\b(?!\.)|\bQVariant\.(?:String|Int|Double|DateTime)\b"
    )
    for path in staged.rglob("*.py"):
        assert not unscoped.findall(path.read_text(encoding="utf-8")), path


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
            assert f"def {test or 'test_'}" in file.read_text(encoding="utf-8"), (short, test)
    assert named > 60


def test_a_folder_that_is_no_plugin_is_not_replaced(tmp_path):
    (tmp_path / "vidtag_qgis").mkdir()
    (tmp_path / "vidtag_qgis" / "mine.txt").write_text("keep")
    run = subprocess.run([sys.executable, str(TOOL), "stage", str(tmp_path)], capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "no staged plugin" in run.stderr
    assert (tmp_path / "vidtag_qgis" / "mine.txt").read_text() == "keep"
