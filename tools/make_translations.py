#!/usr/bin/python3
"""Bring resources/i18n up to date with the windows' words: new ones are added to each ``vidtag_XX.ts``, those that are gone go, and lrelease makes the ``.qm``.

Usage: ``tools/make_translations.py``, with lrelease from Debian's qttools5-dev-tools. What nobody has translated yet is named, and ends with 1: open the
``.ts`` in Qt Linguist, or write it there.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "resources" / "i18n"
CONTEXT = "VidTAG"


def words() -> list[str]:
    """Every text that the plugin gives to ``tr``: constants, and values of the module's own constants that are given by name."""
    found: dict[str, None] = {}
    for path in sorted((ROOT / "vidtag_qgis").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr" and node.args:
                given = node.args[0]
                value = given.value if isinstance(given, ast.Constant) else named.get(getattr(given, "id", ""))
                if isinstance(value, str):
                    found[value] = None
    return [*found, *_formats()]


def _formats() -> list[str]:
    """What places may be copied as, which the windows take from a table."""
    tree = ast.parse((ROOT / "vidtag_qgis" / "coordinates.py").read_text(encoding="utf-8"))
    tables = [node.value for node in tree.body if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "FORMATS"]
    return [str(key.value) for key in tables[0].keys if isinstance(key, ast.Constant)] if tables and isinstance(tables[0], ast.Dict) else []


def translations(path: Path) -> dict[str, str]:
    """What a ``.ts`` says, by the English text."""
    if not path.exists():
        return {}
    messages = ET.parse(path).getroot().iter("message")
    return {message.findtext("source", ""): message.findtext("translation", "") or "" for message in messages}


def write(path: Path, language: str, sources: list[str], known: dict[str, str]) -> list[str]:
    """Write a ``.ts``, and return what has no translation."""
    root = ET.Element("TS", {"version": "2.1", "language": language, "sourcelanguage": "en"})
    context = ET.SubElement(root, "context")
    ET.SubElement(context, "name").text = CONTEXT
    missing = []
    for source in sources:
        message = ET.SubElement(context, "message")
        ET.SubElement(message, "source").text = source
        translation = ET.SubElement(message, "translation")
        translation.text = known.get(source, "")
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
    sources, lacking = words(), 0
    for path in sorted(FOLDER.glob("vidtag_*.ts")):
        language = path.stem.removeprefix("vidtag_")
        missing = write(path, language, sources, translations(path))
        lacking += len(missing)
        for text in missing:
            print(f"{path.name}: {text}")
        if lrelease is None:
            sys.exit("lrelease is not there: install qttools5-dev-tools.")
        subprocess.run([lrelease, "-silent", str(path), "-qm", str(path.with_suffix(".qm"))], check=True)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
