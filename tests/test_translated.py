"""Every text that the plugin shows goes through ``tr`` or ``mark``: read from its source, without QGIS."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = ROOT / "vidtag_qgis"
PROSE = re.compile(r"[A-Za-z]{2,}[,:;)']? [a-zA-Z({']")
CODE = re.compile(
    r"\s*(SELECT|INSERT|PRAGMA|CREATE|ATTACH|UPDATE|DELETE)\b|.*(layername=|https?://|<!DOCTYPE|</|\\d|\.\w+\(|md_standard|<>|is null|coalesce\()"
    r"|[\w ]+\(\*\.\w+\)\Z",
    re.DOTALL,
)
"""What has spaces and is for no person: SQL, addresses of layers, markup, patterns."""
SHOWN_FIRST = {
    "QLabel", "QPushButton", "QGroupBox", "QCheckBox", "QgsCollapsibleGroupBox", "QToolButton", "addRow", "setText", "setToolTip", "setPlaceholderText",
    "setWindowTitle", "setSpecialValueText", "setPlainText", "pushInfo", "pushWarning", "setProgressText", "setAccessibleName", "QgsProcessingException",
}  # fmt: skip
"""Calls whose first argument is shown, be it a single word."""
SHOWN_SECOND = re.compile(r"(QgsProcessing(Parameter|Output)\w+|EitherFiles?|number|choice|folder)$")
"""Calls whose second argument is a title in a dialog."""
TRANSLATING = {"tr", "mark"}
NOT_SHOWN = {
    "TAGS": "words to search by, in English in every language", "_TAGS": "as TAGS", "FORMATS": "taken by the tool from the table itself",
    "HERE": "what a field of pins holds", "NOT_HERE": "as HERE", "_SAYS_NOT": "as HERE", "ENGINE_CONTEXT": "a name",
}  # fmt: skip
"""Names whose values are no texts, with the reason."""
EXCEPTIONS = {
    ("algorithms/check_engine.py", "report_text"): "the report is pasted into issues, so it is English",
    ("algorithms/check_engine.py", "page"): "as report_text",
    ("algorithms/check_engine.py", "_device"): "as report_text",
    ("algorithms/check_engine.py", "_plugin_version"): "as report_text",
    ("gui/report.py", "report_text"): "as report_text",
    ("gui/report.py", "_surroundings"): "as report_text",
    ("gui/base_map.py", ""): "the map's attribution, which its licence asks for as it is",
    ("engine.py", "keep"): "a file's name",
}
"""Functions (or, with an empty name, the module itself) whose texts stay as they are, with the reason."""


def texts(tree: ast.Module, named: frozenset[str] = frozenset()) -> Iterator[tuple[int, str, str]]:
    """Line, function and text of what looks as if it were shown and is not translated; ``named`` are constants that are given to tr by name."""
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in documentation or not (
            isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        ):
            continue
        over = list(ancestors(node, above))
        if (
            any(isinstance(one, ast.JoinedStr) for one in over)
            or is_left_out(over)
            or (isinstance(over[0], ast.Dict) and is_key(node, over[0]))
        ):
            continue
        if any(isinstance(one, ast.Name) and one.id in named for target in getattr(over[0], "targets", ()) for one in ast.walk(target)):
            continue
        text = (node.value if isinstance(node, ast.Constant) else "".join(fixed(node))).replace("VidTAG", "")
        if (PROSE.search(text) and not CODE.match(text)) or (re.search("[A-Za-z]{2}", text) and is_in_shown_place(*call_of(node, over))):
            yield node.lineno, next((one.name for one in over if isinstance(one, ast.FunctionDef)), ""), text


def given_by_name() -> frozenset[str]:
    """Names of constants that are given to tr anywhere in the plugin."""
    calls = [
        node
        for path in PLUGIN.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    return frozenset(one.args[0].id for one in calls if called(one) == "tr" and one.args and isinstance(one.args[0], ast.Name))


def is_key(node: ast.AST, of: ast.Dict) -> bool:
    return any(node is key for key in of.keys)


def ancestors(node: ast.AST, above: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    while node in above:
        node = above[node]
        yield node


def fixed(node: ast.JoinedStr) -> Iterator[str]:
    """The parts of an f-string; values as a letter that makes no word."""
    for part in node.values:
        yield str(part.value) if isinstance(part, ast.Constant) else "{"


def is_left_out(over: list[ast.AST]) -> bool:
    """Whether something above translates the text, or is no place of texts."""
    for one in over:
        if isinstance(one, ast.Call) and called(one) in TRANSLATING:
            return True
        if isinstance(one, ast.Assign | ast.AnnAssign):
            targets = one.targets if isinstance(one, ast.Assign) else [one.target]
            if any(isinstance(name, ast.Name) and name.id in NOT_SHOWN for target in targets for name in ast.walk(target)):
                return True
    return isinstance(over[0], ast.Compare) or (isinstance(over[0], ast.Call) and called(over[0]) in {"compile", "sub", "execute", "match"})


def called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""


def call_of(node: ast.AST, over: list[ast.AST]) -> tuple[ast.AST, ast.AST]:
    """The argument that a text is, or is one of the choices for, and what is above it."""
    for one in over:
        if not isinstance(one, ast.IfExp | ast.BoolOp):
            return node, one
        node = one
    return node, node


def is_in_shown_place(node: ast.AST, parent: ast.AST) -> bool:
    """Whether an argument is one that people read."""
    if not isinstance(parent, ast.Call) or node not in parent.args:
        return False
    place, name = parent.args.index(node), called(parent)
    word = node.value if isinstance(node, ast.Constant) else ""
    return (place == 0 and name in SHOWN_FIRST) or (place == 1 and bool(SHOWN_SECOND.match(name)) and word not in {"KML", "VidTAG"})


GIVEN = given_by_name() - {"text"}


@pytest.mark.parametrize(
    "path",
    [one for one in sorted(PLUGIN.rglob("*.py")) if "engine_client" not in one.parts],
    ids=lambda one: one.relative_to(PLUGIN).as_posix(),
)
def test_what_is_shown_is_translated(path: Path) -> None:
    name = path.relative_to(PLUGIN).as_posix()
    left = [
        f"{name}:{line}: {text}"
        for line, function, text in texts(ast.parse(path.read_text(encoding="utf-8")), GIVEN)
        if (name, function) not in EXCEPTIONS
    ]
    assert not left, "give these to tr(), or to mark() where they stand in a table:\n" + "\n".join(left)


def test_nothing_is_translated_before_qgis_says_its_language() -> None:
    """At import, in a class or as a default there is no translation yet: ``mark`` it there, and give it to ``tr`` in a function."""
    early = []
    for path in sorted(PLUGIN.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        late = {
            id(one)
            for function in ast.walk(tree)
            if isinstance(function, FUNCTIONS)
            for part in body_of(function)
            for one in ast.walk(part)
        }
        early += [
            f"{path.name}:{one.lineno}"
            for one in ast.walk(tree)
            if isinstance(one, ast.Call) and called(one) == "tr" and id(one) not in late
        ]
    assert not early, early


FUNCTIONS = (ast.FunctionDef, ast.Lambda)


def body_of(function: ast.FunctionDef | ast.Lambda) -> list[ast.AST]:
    return [function.body] if isinstance(function, ast.Lambda) else list(function.body)


@pytest.mark.parametrize(
    "source",
    [
        'feedback.pushInfo(f"{count} roads.")', 'raise Error("Give a layer.")', 'button = QPushButton("Stop")', 'self.number("TO", "To (s)", 1.0)',
        'TEXTS = {"a": "As in the paper"}', 'button.setText("Stop" if running else tr("Go"))', 'def said(x):\n return "none found" if x else tr("found")',
    ],
)  # fmt: skip
def test_a_text_that_is_not_translated_is_found(source: str) -> None:
    assert list(texts(ast.parse(source)))


def test_exceptions_are_still_needed() -> None:
    for name, function in EXCEPTIONS:
        tree = ast.parse((PLUGIN / name).read_text(encoding="utf-8"))
        assert any(where == function for _, where, _ in texts(tree)), (name, function)
