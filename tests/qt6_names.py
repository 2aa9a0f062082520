"""Every name and chain of attributes that Python files take from ``qgis.PyQt``, looked up in the PyQt6 of the Python that runs this.

    python tests/qt6_names.py FILE...

It prints JSON: how many names and chains were looked up, and those that are not there, each as its file, its line and the chain from the module on.
"""

import ast
import importlib
import json
import sys
from pathlib import Path


def names_from_qt(tree):
    """What each of a file's names stands for: ``{"Qt": "QtCore.Qt"}``."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[:2] == ["qgis", "PyQt"]:
            for alias in node.names:
                found[alias.asname or alias.name] = (node.lineno, ".".join([*node.module.split(".")[2:], alias.name]))
    return found


def chains(tree):
    """Every one, the parts of longer ones too, with its line."""
    names = names_from_qt(tree)
    yield from names.values()
    for node in ast.walk(tree):
        attributes, inner = [], node
        while isinstance(inner, ast.Attribute):
            attributes.insert(0, inner.attr)
            inner = inner.value
        if attributes and isinstance(inner, ast.Name) and inner.id in names:
            yield node.lineno, ".".join([names[inner.id][1], *attributes])


def is_there(chain):
    module, *attributes = chain.split(".")
    try:
        thing = importlib.import_module(f"PyQt6.{module}")
        for attribute in attributes:
            thing = getattr(thing, attribute)
    except (ImportError, AttributeError):
        return False
    return True


def main():
    seen, missing = {}, []
    for file in sys.argv[1:]:
        for line, chain in chains(ast.parse(Path(file).read_text(encoding="utf-8"))):
            if chain not in seen:
                seen[chain] = is_there(chain)
            if not seen[chain]:
                missing.append([file, line, chain])
    print(json.dumps({"looked_up": len(seen), "missing": missing}))


if __name__ == "__main__":
    main()
