"""The commands that the documentation shows: found in its pages, and run as a reader would."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL)


def pages() -> list[Path]:
    """Every page."""
    return sorted(DOCS.rglob("*.md"))


def blocks(page: Path, kinds: set[str]) -> list[str]:
    """The fenced blocks of some kinds, without their indentation."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [re.sub(rf"^{one['indent']}", "", one["text"], flags=re.MULTILINE) for one in found if one["kind"] in kinds]


def run(page: Path, folder: Path, programs: Path, variables: dict[str, str]) -> str:
    """Run a page's ``sh`` blocks in one shell, stopping at the first that fails; returns what they printed."""
    script = "set -eu\n" + "\n".join(blocks(page, {"sh"}))
    environment = {**variables, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, f"{page.name}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def reader(folder: Path) -> tuple[Path, Path, dict[str, str]]:
    """A reader's machine: the checkout's demo, ``vidtag`` and a working ``qgis_process`` on the path.

    Returns:
        The folder where commands start, that of the programs, and the variables.
    """
    sys.path.insert(0, str(ROOT / "tools"))
    import qgis_run

    programs, home = folder / "bin", folder / "checkout"
    programs.mkdir()
    (home / "resources").mkdir(parents=True)
    shutil.copytree(ROOT / "resources" / "demo", home / "resources" / "demo")
    # Python's name for the engine's `vidtag`, and Debian 12's qgis_process without its broken wrapper, as the tutorial says.
    _program(programs / "vidtag", f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -m vidtag_engine "$@"')
    _program(programs / "qgis_process", f'exec "{qgis_run.qgis_process()}" "$@"')
    for name in ("plugins", "profile", "runtime"):
        (folder / "qgis" / name).mkdir(parents=True)
    (folder / "qgis" / "runtime").chmod(0o700)
    # The plugin is where QGIS looks, and not yet enabled: the pages do that.
    subprocess.run([sys.executable, str(ROOT / "tools" / "plugin.py"), "stage", str(folder / "qgis" / "plugins")], check=True)
    return home, programs, qgis_run.environment(folder / "qgis", sys.executable)


def _program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
