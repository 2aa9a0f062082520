#!/usr/bin/python3
"""Bring resources/i18n up to date with the plugin's words: new ones are added to each ``vidtag_XX.ts``, those that are gone go, and lrelease makes the ``.qm``.

Usage: ``tools/make_translations.py``, with lrelease from Debian's qttools5-dev-tools. What nobody has translated yet is named, and ends with 1: open the
``.ts`` in Qt Linguist, or write it there. Messages are sorted by their English text, so that two branches rarely touch the same lines; after a merge with a
conflict take both sides and run this again. docs/contributing.md says how to begin a language, and has the glossary.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "resources" / "i18n"
CONTEXT, ENGINE_CONTEXT = "VidTAG", "VidTAG engine"
PROSE = re.compile(r"[A-Za-z]{2,}[,:;)]? [A-Za-z('{]|^[A-Z][a-z]+ing\b|^[a-z]+ [a-z]+$")
"""What is a sentence, or a part of one, and no key or code."""
_NO_SENTENCE = re.compile(r"\s*(SELECT|INSERT|CREATE|PRAGMA|<|#|import )|.*(\\d|\\w|\[\^|\||layername=)", re.DOTALL)
NOT_SAID = frozenset({
    "(it printed nothing)", "(the engine closed", "No module named", "(the engine closed its input)", "(unexpected output) {strip}", "C:\\Program Files",
    "Processing ", "png jpeg", "png jpeg pdf svg",
    "Installing collected packages:", "vidtag-engine {engine}\n", "{kind} is no kind of file", "Python {names} ({python})", "# Packages from",
    "the package index of your pip (its configuration and PIP_ variables hold){further}", " and from {torch_index}", "No module named '?pip",
})  # fmt: skip
"""Texts of the client that are looked for, logged or names."""
NOT_SHOWN = ("__main__.py", "frame_ring.py", "protocol.py", "platforms.py", "command_arguments.py", "command_files.py")
"""Files of the client whose texts nobody reads in QGIS: its command line, and faults of the program."""


def words() -> list[str]:
    """Every text that the plugin gives to ``tr`` or ``mark``, and what the styles' legends say, in the order of the alphabet."""
    found: set[str] = set()
    for path in (ROOT / "vidtag_qgis").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"tr", "mark"} and node.args:
                given = node.args[0]
                value = given.value if isinstance(given, ast.Constant) else named.get(getattr(given, "id", ""))
                if isinstance(value, str):
                    found.add(value)
    return sorted(found | set(_formats()) | set(_legends()))


def _formats() -> list[str]:
    """What places may be copied as, which the windows take from a table."""
    tree = ast.parse((ROOT / "vidtag_qgis" / "coordinates.py").read_text(encoding="utf-8"))
    tables = [node.value for node in tree.body if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "FORMATS"]
    return [str(key.value) for key in tables[0].keys if isinstance(key, ast.Constant)] if tables and isinstance(tables[0], ast.Dict) else []


def _legends() -> Iterator[str]:
    """Labels in the legends of the styles; not those that are numbers alone."""
    for path in (ROOT / "resources" / "styles").glob("*.qml"):
        for element in ET.parse(path).getroot().iter():
            label = element.get("label", "") if element.tag in {"rule", "category", "range"} else ""
            if re.search("[A-Za-z]{2}", label):
                yield label


def engine_words(known: set[str]) -> list[str]:
    """Patterns of the sentences that reach people from the engine: all of its client's, and of the engine's own those that somebody has chosen.

    Args:
        known: what a ``.ts`` has: a pattern of the engine's is chosen by putting it there.
    """
    client = {one for path in (ROOT / "vidtag_qgis" / "engine_client").glob("*.py") if path.name not in NOT_SHOWN for one in patterns(path)}
    engine = {one for path in (ROOT / "vidtag_engine").rglob("*.py") for one in patterns(path)}
    return sorted((client - NOT_SAID) | (engine & known))


def patterns(path: Path) -> set[str]:
    """The sentences in a file, their values by name, such as ``{video} is empty: copy it again.`` of an f-string."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) or _is_sum(node)
        for part in ast.walk(node)
        if part is not node
    }
    outside = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)} | {id(one) for one in _matched(tree)}
    found = set()
    for node in ast.walk(tree):
        if (
            id(node) not in outside
            and id(node) not in inner
            and (text := _pattern(node))
            and PROSE.search(text)
            and not _NO_SENTENCE.match(text)
        ):
            found.add(text)
    return found


def _matched(tree: ast.Module) -> Iterator[ast.AST]:
    """What is looked for in texts, and never said."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield from (node.left, *node.comparators)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"compile", "search", "match", "split"}
        ):
            yield from node.args


def _is_sum(node: ast.AST) -> bool:
    """Whether texts are put one after the other with +."""
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and _is_text(node.left)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)) or _is_sum(node)


def _pattern(node: ast.AST) -> str:
    """A text with its values by name; empty where it is none. A constant has its own fields, for ``format``."""
    names: list[str] = []

    def put(part: ast.AST) -> str:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            return re.sub(r"\{(?![a-z_]+\})|(?<!\{[a-z_])(?<![a-z_])\}", lambda brace: brace[0] * 2, part.value)
        if isinstance(part, ast.JoinedStr):
            return "".join(map(put, part.values))
        if _is_sum(part):
            return put(part.left) + put(part.right)  # type: ignore[attr-defined]
        name = _name(part.value if isinstance(part, ast.FormattedValue) else part)  # type: ignore[arg-type]
        while name in names:
            name += "_"
        names.append(name)
        return f"{{{name}}}"

    return put(node) if _is_text(node) else ""


def _name(node: ast.expr) -> str:
    """A short name for a value: of the variable, attribute, key or function that it comes from."""
    if isinstance(node, ast.Name):
        return node.id.strip("_").lower() or "value"
    if isinstance(node, ast.Attribute):
        return _name(node.value) if node.attr in {"name", "strerror", "path"} else node.attr.strip("_").lower()
    if isinstance(node, ast.Subscript):
        return node.slice.value if isinstance(node.slice, ast.Constant) and str(node.slice.value).isidentifier() else _name(node.value)
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "value")
        return (
            "count"
            if name == "len"
            else "names"
            if name == "join"
            else _name(node.args[0])
            if node.args and name in {"str", "type"}
            else name.strip("_")
        )
    children = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr) and not isinstance(child, ast.Constant)]
    return _name(children[0]) if children else "value"


def translations(path: Path, context: str = CONTEXT) -> dict[str, str]:
    """What a ``.ts`` says in a context, by the English text."""
    if not path.exists():
        return {}
    contexts = [one for one in ET.parse(path).getroot().iter("context") if one.findtext("name") == context]
    return {
        message.findtext("source", ""): message.findtext("translation", "") or "" for one in contexts for message in one.iter("message")
    }


def write(path: Path, language: str, texts: dict[str, list[str]], known: dict[str, dict[str, str]]) -> list[str]:
    """Write a ``.ts``, and return what has no translation."""
    root = ET.Element("TS", {"version": "2.1", "language": language, "sourcelanguage": "en"})
    missing = []
    for name, sources in texts.items():
        context = ET.SubElement(root, "context")
        ET.SubElement(context, "name").text = name
        for source in sources:
            message = ET.SubElement(context, "message")
            ET.SubElement(message, "source").text = source
            translation = ET.SubElement(message, "translation")
            translation.text = known[name].get(source, "")
            if not translation.text:
                translation.set("type", "unfinished")
                missing.append(source)
    ET.indent(root, " ")
    path.write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n' + ET.tostring(root, encoding="unicode") + "\n", encoding="utf-8"
    )
    return missing


def main() -> int:
    """Do it for every language that is there."""
    lrelease = shutil.which("lrelease") or shutil.which("lrelease-qt5")
    if lrelease is None:
        sys.exit("lrelease is not there: install qttools5-dev-tools.")
    sources, lacking = words(), 0
    for path in sorted(FOLDER.glob("vidtag_*.ts")):
        language = path.stem.removeprefix("vidtag_")
        known = {name: translations(path, name) for name in (CONTEXT, ENGINE_CONTEXT)}
        texts = {CONTEXT: sources, ENGINE_CONTEXT: engine_words(set(known[ENGINE_CONTEXT]))}
        missing = write(path, language, texts, known)
        lacking += len(missing)
        for name, there in texts.items():
            for text in sorted(set(known[name]) - set(there)):
                print(f"{path.name}: gone: {text}")
        for text in missing:
            print(f"{path.name}: {text}")
        subprocess.run([lrelease, "-silent", str(path), "-qm", str(path.with_suffix(".qm"))], check=True)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
