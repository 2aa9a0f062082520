"""The plugin against QGIS 4, as far as that can be had: the real PyQt6, and the type stubs of QGIS 4. No QGIS 4 itself runs here."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OF_QT_5 = {  # reached on Qt 5 alone
    ("vidtag_qgis/compat.py", "QtCore.QVariant.Type"),  # before QGIS 3.38
    ("vidtag_qgis/compat.py", "QtWidgets.QAction"),  # where QtGui has none
    ("vidtag_qgis/compat.py", "QtWidgets.QShortcut"),  # as the line above
}
AT_RUN_TIME = {"QgsMapLayerTemporalProperties": "QgsVectorLayerTemporalProperties", "QgsLayerTreeNode": "QgsLayerTreeGroup"}
"""What QGIS hands out by the type of its base, and the class that Python sees."""
KNOWN = {  # of what the stubs do not know or the type checker does not understand: why it is sound
    '"type[QVariant]" has no attribute "Type"': "reached before QGIS 3.38 alone",
    '"QgsFields" has no attribute "__iter__" (not iterable)': "it has a length and its items by number, which is enough to go through them",
    '"QgsProcessingModelerParameterWidget" has no attribute "setParameterValue"': "one variable for two kinds of widget, each in its own branch",
    'No overload variant of "disconnect" of "pyqtBoundSignal" matches argument type "function"': "methods in a list, which are taken for functions",
    'Argument 3 to "getattr" has incompatible type "str"; expected "bool"': "a default of another type",
    'Argument 1 to "_go_to" of "FrameDock" has incompatible type "QgsMapLayer"; expected "QgsVectorLayer"': "a layer that has been looked up by its fields",
    'Argument 1 to "_nearest" of "FrameDock" has incompatible type "QgsMapLayer"; expected "QgsVectorLayer"': "as the line above",
    'Argument 1 to "_follow" of "CreateEnvironmentDialog" has incompatible type "Call"; expected "Setup"': "both are the plugin's own",
}
MEANT = {  # what the plugin gets from QGIS as Any, since 3.22 has not all the names, and what it is
    r"\biface: Any": "iface: QgisInterface",
    r"\bsource: Any": "source: QgsFeatureSource",
    r"(canvas\w+Event\(self, event): Any": r"\1: QgsMapMouseEvent",
    r"(keyPressEvent\(self, event): Any": r"\1: QKeyEvent",
    r"(showEvent\(self, event): Any": r"\1: QShowEvent",
    r"(closeEvent\(self, event): Any": r"\1: QCloseEvent",
    r"(paintEvent\(self, event): Any": r"\1: QPaintEvent",
    r"_tool_changed\(self, new: Any": "_tool_changed(self, new: QgsMapTool",
}
MEANT_IMPORTS = """
from qgis.core import QgsFeatureSource
from qgis.gui import QgisInterface, QgsMapMouseEvent, QgsMapTool
from qgis.PyQt.QtGui import QCloseEvent, QKeyEvent, QPaintEvent, QShowEvent
"""


@pytest.fixture(scope="module")
def environment() -> Path:
    tool = [sys.executable, str(ROOT / "tools" / "environment.py"), "qt6"]
    return Path(subprocess.run(tool, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


def looked_up(environment: Path, files: list[Path]) -> dict:
    command = [environment / "bin" / "python", ROOT / "tests" / "qt6_names.py", *files]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_pyqt6_has_every_name_and_attribute(environment, tmp_path):
    """In the plugin, its tests and the tools; and the kinds of fields, which compat.py puts together from words."""
    kinds = next(
        ast.literal_eval(node.value)
        for node in ast.parse((ROOT / "vidtag_qgis" / "compat.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and node.targets[0].id == "_FIELD_TYPES"
    )
    named = tmp_path / "named.py"
    named.write_text("from qgis.PyQt.QtCore import QMetaType\n" + "".join(f"QMetaType.Type.{new}\n" for new, _ in kinds.values()))
    files = [path for folder in ("vidtag_qgis", "tools", "tests/qgis") for path in sorted((ROOT / folder).rglob("*.py"))]
    found = looked_up(environment, [*files, named])
    assert {(Path(file).relative_to(ROOT).as_posix(), chain) for file, _, chain in found["missing"]} == OF_QT_5
    assert found["looked_up"] > 100


def test_what_pyqt6_lacks_would_be_found(environment, tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from qgis.PyQt import QtGui\nfrom qgis.PyQt.QtCore import QRegExp, Qt as Q\nfrom qgis.PyQt.QtWidgets import QFrame, QDialog\n"
        "Q.AlignCenter\nQFrame.NoFrame\nQFrame.Shape.NoFrame\nQDialog.exec_\nQDialog.exec\nQtGui.QAction\nQtGui.QFontMetrics.width\nQ.GlobalColor.red\n"
    )
    assert {chain for _, _, chain in looked_up(environment, [wrong])["missing"]} == {
        "QtCore.QRegExp", "QtCore.Qt.AlignCenter", "QtWidgets.QFrame.NoFrame", "QtWidgets.QDialog.exec_", "QtGui.QFontMetrics.width"
    }  # fmt: skip


def findings(environment: Path, what: str, folder: Path) -> list[tuple[str, int, str]]:
    """What the type checker says about calls of QGIS and Qt: file, line, message. None and a value are not told apart: pointers may always be null."""
    command = [
        environment / "bin" / "python",
        "-m",
        "mypy",
        "--config-file=",
        "--cache-dir",
        environment / "mypy-cache",
        "--no-error-summary",
    ]
    options = ["--check-untyped-defs", "--ignore-missing-imports", "--no-strict-optional", "--explicit-package-bases"]
    off = [option for code in ("assignment", "method-assign") for option in ("--disable-error-code", code)]  # of our variables, not of QGIS
    run = subprocess.run([*command, *options, *off, what], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stdout + run.stderr
    assert "[syntax]" not in run.stdout
    found = re.findall(r"^(\S+?):(\d+): error: (.*?)(?:; maybe .*)?  \[[\w-]+\]$", run.stdout, re.MULTILINE)
    return [(file, int(line), message) for file, line, message in found]


def added_names(environment: Path) -> set[str]:
    """Older names that QGIS 4 gives its classes at its start, such as ``QgsWkbTypes.GeometryType.PolygonGeometry``; the stubs carry the lines that do it."""
    [stubs] = environment.glob("lib/python3*/site-packages/qgis-stubs")
    text = "".join((stubs / module / "__init__.py").read_text(encoding="utf-8") for module in ("core", "gui"))
    return set(re.findall(r"^(Q\w+(?:\.\w+)+) = ", text, re.MULTILINE))


def typed_copy(folder: Path) -> None:
    """The plugin with the types that are meant in the place of Any; lines keep their numbers."""
    shutil.copytree(ROOT / "vidtag_qgis", folder / "vidtag_qgis", ignore=shutil.ignore_patterns("__pycache__"))
    met = set()
    for path in (folder / "vidtag_qgis").rglob("*.py"):
        text = typed = path.read_text(encoding="utf-8")
        for written, meant in MEANT.items():
            typed, count = re.subn(written, meant, typed)
            met |= {written} if count else set()
        if typed != text:
            path.write_text(typed + MEANT_IMPORTS, encoding="utf-8")
    assert met == set(MEANT)


def test_qgis_4_has_every_call_of_the_plugin(environment, tmp_path):
    typed_copy(tmp_path)
    added = added_names(environment)
    unknown, known, lent = [], set(), set()
    for file, line, message in findings(environment, "vidtag_qgis", tmp_path):
        missing = re.fullmatch(r'"(?:type\[)?(\w+)\]?" has no attribute "(\w+)"', message)
        source = (tmp_path / file).read_text(encoding="utf-8").splitlines()[line - 1]
        if missing and added.intersection(re.findall(rf"Q\w+(?:\.\w+)*\.{missing[2]}\b", source)):
            continue
        if missing and missing[1] in AT_RUN_TIME:
            lent.add(f"{AT_RUN_TIME[missing[1]]}.{missing[2]}")
        elif message in KNOWN:
            known.add(message)
        else:
            unknown.append(f"{file}:{line}: {message}")
    assert unknown == []
    assert known == set(KNOWN)  # none without use
    classes = sorted({name.split(".")[0] for name in lent})
    (tmp_path / "lent.py").write_text(f"from qgis.core import {', '.join(classes)}\n" + "\n".join(sorted(lent)) + "\n")
    assert findings(environment, "lent.py", tmp_path) == []
    assert {f"{name}.setMode" for name in classes} & lent


def test_what_qgis_4_lacks_would_be_found(environment, tmp_path):
    """Names that 3.22 had and QGIS 4 has no more, Qt 5's ways, an argument too many, and one of another type."""
    (tmp_path / "wrong.py").write_text(
        "from qgis.core import QgsProcessingModelChildParameterSource, QgsProject, QgsVectorLayer\n"
        "from qgis.gui import QgsLayerTreeView, QgsProcessingAlgorithmDialogBase\n"
        "from qgis.PyQt.QtWidgets import QDialog\n"
        "def use(dialog: QDialog, layer: QgsVectorLayer) -> None:\n"
        "    dialog.exec_()\n"
        "    layer.setOpacity('much')\n"
        "    QgsProject.instance().mapLayer('a', 'b')\n"
        "    print(QgsProcessingModelChildParameterSource.Source.StaticValue)\n"
        "    layer.featureCount()\n"
    )
    assert [line for _, line, _ in findings(environment, "wrong.py", tmp_path)] == [2, 5, 6, 7, 8]
