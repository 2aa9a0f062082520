#!/usr/bin/env python3
"""Make (once) and print the folder of a Python environment for this checkout.

    tools/environment.py engine   torch and everything pyproject.toml names
    tools/environment.py docs     the engine's, lent, plus what runs the documentation's notebook
    tools/environment.py qgis     the system's PyQGIS plus pytest-qgis
    tools/environment.py qt6      PyQt6 and the type stubs of QGIS 4, which the plugin is checked against
    tools/environment.py panoramax  the Panoramax server, which the tests ask for pictures

Environments lie in ``$VIDTAG_CACHE`` (else ``$XDG_CACHE_HOME/vidtag``, else ``~/.cache/vidtag``) under a key of what they were made
from: the requirements, the interpreter and the machine type. A fresh clone with the same requirements finds them and installs
nothing; one whose requirements changed takes an older environment that fulfils them all. The checkout itself is not installed into
them: callers put it on ``PYTHONPATH``.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
# PyQGIS belongs to the distribution's interpreter, whatever `python3` on PATH is.
SYSTEM_PYTHON = Path("/usr/bin/python3")
QGIS_REQUIREMENTS = ["pytest>=8,<9", "pytest-qgis>=2.0", "pytest-timeout>=2.3"]
# From 1.0 on qgis-stubs is of QGIS 4; 1.0.0.dev2 was made after QGIS 4.2. Each is fixed, as another version may find something else, and all are named:
# nothing is installed that they ask for, since qgis-stubs asks for PyQt6-stubs, which no type checker can read and which hide PyQt6's own.
QT6_REQUIREMENTS = [
    "PyQt6==6.11.0",
    "PyQt6-Qt6==6.11.2",
    "PyQt6-sip==13.13.0",
    "mypy==1.14.1",
    "mypy-extensions==1.2.0",
    "qgis-stubs==1.0.0.dev2",
    "typing-extensions==4.16.0",
]

# The tests hold what this very server does; another version may do something else. Its uploader, panoramax_cli, cannot lie beside it: 1.4.1 asks for
# another geopic-tag-reader. What the tests upload goes by the server's own API.
PANORAMAX_REQUIREMENTS = ["geovisio==2.15.1"]


def engine_requirements() -> list[str]:
    """Every requirement of pyproject.toml, its own extras resolved, sorted."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    names = [
        *project["dependencies"],
        *(name for extra in ("geoclip", "cityguessr", "motion", "cluster", "faiss", "benchmarks") for name in extras[extra]),
    ]
    names += [entry for entry in extras["dev"] if not entry.startswith(project["name"])]
    return sorted(set(names))


def docs_requirements() -> list[str]:
    """What the documentation takes beside the engine's environment."""
    return sorted(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]["docs"])


def cache_folder() -> Path:
    """Where environments lie."""
    if chosen := os.environ.get("VIDTAG_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vidtag"


def interpreter_of(kind: str) -> Path:
    """The Python an environment is made from; PyQGIS needs the distribution's."""
    if SYSTEM_PYTHON.exists():
        return SYSTEM_PYTHON
    if kind == "qgis":
        sys.exit("PyQGIS comes with the system's Python at /usr/bin/python3, which is not there: install python3-qgis.")
    return Path(sys.executable)


def key_of(kind: str, requirements: list[str], interpreter: Path) -> str:
    """Name of the environment: what it is for and a digest of what it was made from."""
    version = subprocess.run([interpreter, "-c", "import sys; print(sys.version)"], check=True, capture_output=True, text=True).stdout
    made_from = json.dumps([kind, requirements, version, platform.machine()])
    return f"{kind}-{hashlib.sha256(made_from.encode()).hexdigest()[:12]}"


# Run by an environment's own interpreter: whether what it holds fulfils requirements.
_FULFILS = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
from pip._vendor.packaging.requirements import Requirement
for given in map(Requirement, json.loads(sys.argv[1])):
    if given.marker is None or given.marker.evaluate():
        try:
            held = version(given.name)
        except PackageNotFoundError:
            sys.exit(1)
        if not given.specifier.contains(held, prereleases=True):
            sys.exit(1)
"""


def fulfils(interpreter: Path, requirements: list[str]) -> bool:
    """Whether an environment holds everything that is required, in a version that is allowed."""
    asked = subprocess.run([interpreter, "-c", _FULFILS, json.dumps(requirements)], check=False, capture_output=True)
    return asked.returncode == 0


def older(folder: Path, kind: str, requirements: list[str], interpreter: Path) -> Path | None:
    """An environment of the same interpreter that was made for other requirements and fulfils these; a torch takes 8 GB, and one is enough."""
    for other in sorted(folder.parent.glob(f"{kind}-*")):
        python = other / "bin" / "python"
        same = (other / "READY").is_file() and not other.is_symlink() and python.resolve() == interpreter.resolve()
        if same and fulfils(python, requirements):
            return other
    return None


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Two makes at once must not build the same environment."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def run(command: list[str | Path]) -> None:
    """Run a command, what it prints on standard error; standard output is for the folder's name alone."""
    subprocess.run(command, check=True, stdout=sys.stderr)


def make(kind: str) -> Path:
    """Return the environment's folder, made now if it is not there."""
    requirements = {
        "engine": engine_requirements,
        "docs": docs_requirements,
        "qgis": lambda: QGIS_REQUIREMENTS,
        "qt6": lambda: QT6_REQUIREMENTS,
        "panoramax": lambda: PANORAMAX_REQUIREMENTS,
    }[kind]()
    interpreter = interpreter_of(kind)
    # Of an engine's environment that was made anew, another one: its path is in it.
    lent = make("engine") if kind == "docs" else None
    folder = cache_folder() / key_of(kind, [*requirements, *([lent.resolve().name] if lent else [])], interpreter)
    ready = folder / "READY"
    with only_one(folder.with_suffix(".lock")):
        if ready.exists():
            return folder
        if folder.is_symlink():  # to one that is gone
            folder.unlink()
        shutil.rmtree(folder, ignore_errors=True)  # a broken-off earlier try
        if lent is None and (found := older(folder, kind, requirements, interpreter)):
            folder.symlink_to(found.name)
            return folder
        print(
            f"Making the {kind} environment in {folder} (once; the engine's takes about 8 GB, that of panoramax 0.3, that of docs 0.1).",
            file=sys.stderr,
        )
        arguments = ["--system-site-packages"] if kind == "qgis" else []
        run([interpreter, "-m", "venv", *arguments, folder])
        if lent is not None:
            # pip takes what is lent for given and never removes it; what it installs comes before.
            site = Path("lib") / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
            (folder / site / "engine.pth").write_text(f"{lent.resolve() / site}\n", encoding="utf-8")
        pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--progress-bar", "off", "--no-compile"]
        if lent is None:
            run([*pip, "--upgrade", "pip", "hatchling"])
        run([*pip, *(["--no-deps"] if kind == "qt6" else []), *requirements])
        ready.write_text("\n".join(requirements) + "\n", encoding="utf-8")
    return folder


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["engine", "docs", "qgis", "qt6", "panoramax"])
    try:
        print(make(parser.parse_args().kind))
    except subprocess.CalledProcessError as error:
        sys.exit(f"Setting up failed at: {' '.join(map(str, error.cmd))[:300]}\nSee the lines above, then run make again.")


if __name__ == "__main__":
    main()
