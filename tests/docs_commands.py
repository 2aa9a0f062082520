"""The commands that the documentation shows: found in its pages, and run as a reader would."""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)$")
_COMMAND = re.compile(
    r"(vidtag|vidtag-env/bin/\S+|make|python3?|qgis_process|ogr2ogr|gdalinfo|pip|git|pre-commit|PYTHONPATH=\S*|\S*tools/\S+)\s"
)
# Made from signatures and usage lines: not meant to be run. Docstrings' examples (`pycon`) are run where they come from, by test_doctests.py.
_SIGNATURES = DOCS / "reference" / "python.md"


@dataclass(frozen=True)
class Block:
    """Commands that a page shows together: ``sh`` or ``python``."""

    page: Path
    kind: str
    text: str

    @property
    def name(self) -> str:
        """The page and the first command, for people."""
        return f"{self.page.relative_to(ROOT)}: {self.text.strip().splitlines()[0][:60]}"


def pages() -> list[Path]:
    """Every page of the site."""
    return sorted(DOCS.rglob("*.md"))


def shown_pages() -> list[Path]:
    """Every page that shows commands: those of the site, the README and what the site takes from beside it."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *pages()]


def fenced(page: Path) -> list[tuple[str, str]]:
    """Kind and text of every fenced block, without its indentation; kind ``indented`` for blocks by four spaces."""
    found: list[tuple[str, str]] = []
    lines = iter([*page.read_text(encoding="utf-8").splitlines(), ""])
    before, indented = "", []
    for line in lines:
        if fence := _FENCE.match(line):
            inside = []
            for inner in lines:
                if inner == f"{fence['indent']}```":
                    break
                inside.append(inner.removeprefix(fence["indent"]))
            found.append((fence["kind"], "\n".join(inside)))
        elif line.startswith("    ") and (indented or not before.strip()):
            indented.append(line[4:])
        elif indented:
            found.append(("indented", "\n".join(indented)))
            indented = []
        before = line
    return found


def blocks(page: Path, kinds: set[str]) -> list[str]:
    """The fenced blocks of some kinds."""
    return [text for kind, text in fenced(page) if kind in kinds]


def indented(page: Path) -> list[str]:
    """The blocks by four spaces."""
    return blocks(page, {"indented"})


def commands(page: Path) -> list[Block]:
    """Everything on a page that a reader can run, in order."""
    found = []
    for kind, text in fenced(page):
        if kind == "python" or (kind == "indented" and text.startswith("import ")):
            if page != _SIGNATURES:
                found.append(Block(page, "python", text))
            continue
        lines = text.splitlines()
        if kind == "console":
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        elif kind not in {"sh", "bash"}:
            # Usage lines name what may be left out in brackets.
            lines = [line for line in lines if _COMMAND.match(f"{line} ") and not re.search(r"\[[A-Z]+(\.\.\.)?\]|…", line)]
        if lines and kind in {"sh", "bash", "console", "text", "", "indented"}:
            found.append(Block(page, "sh", "\n".join(lines)))
    return found


def words(line: str) -> list[list[str]]:
    """The words of each command of a line."""
    return [shlex.split(part, comments=True) for part in line.split("&&")]


def run(page: Path, folder: Path, programs: Path, variables: dict[str, str]) -> str:
    """Run a page's ``sh`` blocks in one shell, stopping at the first that fails; returns what they printed."""
    return run_shell(page.name, "\n".join(blocks(page, {"sh"})), folder, programs, variables)


def run_shell(name: str, script: str, folder: Path, programs: Path, variables: dict[str, str]) -> str:
    """Run lines in one shell, stopping at the first that fails; returns what they printed."""
    environment = {**variables, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", f"set -eux\n{script}"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    assert done.returncode == 0, f"{name}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def reader(folder: Path) -> tuple[Path, Path, dict[str, str]]:
    """A reader's machine: the checkout, ``vidtag`` and a working ``qgis_process`` on the path, where QGIS is installed.

    Returns:
        The folder where commands start, that of the programs, and the variables.
    """
    programs, home = folder / "bin", folder / "checkout"
    programs.mkdir()
    home.mkdir()
    # What commands make, they make here; the checkout's own files are reached by links.
    for entry in ROOT.iterdir():
        if not entry.name.startswith(".") and entry.name not in {"build", "dist"}:
            (home / entry.name).symlink_to(entry)
    # Python's name for the engine's `vidtag`, and Debian 12's qgis_process without its broken wrapper, as the tutorial says.
    program(programs / "vidtag", f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -m vidtag_engine "$@"')
    sys.path.insert(0, str(ROOT / "tools"))
    import qgis_run

    try:
        process = qgis_run.qgis_process()
    except SystemExit:
        return home, programs, dict(os.environ)
    program(programs / "qgis_process", f'exec "{process}" "$@"')
    for name in ("plugins", "profile", "runtime"):
        (folder / "qgis" / name).mkdir(parents=True)
    (folder / "qgis" / "runtime").chmod(0o700)
    # The plugin is where QGIS looks, and not yet enabled: the pages do that.
    subprocess.run([sys.executable, str(ROOT / "tools" / "plugin.py"), "stage", str(folder / "qgis" / "plugins")], check=True)
    return home, programs, qgis_run.environment(folder / "qgis", sys.executable)


def docs_python() -> Path:
    """The interpreter that builds the site: the engine's, with what runs its notebook; made now where it is not there."""
    tool = [sys.executable, str(ROOT / "tools" / "environment.py"), "docs"]
    return Path(subprocess.run(tool, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()) / "bin" / "python"


def program(path: Path, line: str) -> None:
    """Write a program of one line for the shell."""
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
