#!/usr/bin/env python3
"""Run the engine's tests with the oldest versions that pyproject.toml allows, in an environment that is gone afterwards.

    tools/oldest.py [--keep torch,torchvision [--keep-from PYTHON]] [PYTEST ARGUMENT ...]

Every ``name>=version`` that the engine needs is installed as ``name==version``; what those need in turn, and what the tests need besides, is as new as
fits beside them. A package named in ``--keep`` is not installed: it and what it needs are lent, by links, from the environment of ``--keep-from``
(without it this checkout's, which is then made if it is not there), in the version that lies there. That environment is not changed.

Without pytest's arguments all tests run that are not slow and not QGIS's. Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TESTS = ["-q", "-n", "2", "--dist", "loadfile", "--ignore=tests/qgis", "-m", "not slow"]
_BOUND = re.compile(r"^([\w.-]+(?:\[[^]]*\])?)\s*>=\s*([\w.]+)\s*(?=;|$)")
# Distributions and all that they need, as an interpreter has them: name, version, and their entries in site-packages.
_LENT = """
import importlib.metadata as metadata, json, re, sys
from packaging.requirements import Requirement
found, queue = {}, [(name, "") for name in sys.argv[1:]]
seen = set()
while queue:
    name, extra = queue.pop()
    name = re.sub(r"[-_.]+", "-", name).lower()
    if (name, extra) in seen:
        continue
    seen.add((name, extra))
    one = metadata.distribution(name)
    tops = {file.parts[0] for file in one.files or []} - {"..", "__pycache__"}
    found[name] = {"version": one.version, "entries": sorted(str(one.locate_file(top)) for top in tops)}
    for need in map(Requirement, one.requires or []):
        if need.marker is None or need.marker.evaluate({"extra": extra}):
            queue += [(need.name, extra) for extra in ("", *need.extras)]
print(json.dumps(found))
"""


def plain(name: str) -> str:
    """A package's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(requirement: str) -> str:
    """The package that a requirement names."""
    return plain(re.split(r"[\[<>=!~;\s]", requirement, maxsplit=1)[0])


def oldest(requirement: str) -> str:
    """``name>=version`` as ``name==version``; others as they stand."""
    return _BOUND.sub(r"\1==\2", requirement)


def requirements(keep: set[str]) -> tuple[list[str], list[str]]:
    """What the engine needs, at its oldest, and what its tests need besides; neither with what is kept."""
    needs = [oldest(entry) for entry in PROJECT["dependencies"] if name_of(entry) not in keep]
    extras = PROJECT["optional-dependencies"]
    besides = [entry for entry in [*extras["benchmarks"], *extras["dev"], "hatchling"] if name_of(entry) not in {PROJECT["name"], *keep}]
    return needs, besides


def lend(python: Path, keep: list[str], links: Path, pinned: set[str]) -> dict[str, str]:
    """Fill a folder with links to packages of another environment and what they need, but for ``pinned``; their versions by name."""
    text = subprocess.run([python, "-c", _LENT, *keep], check=True, capture_output=True, text=True).stdout
    found = {name: one for name, one in json.loads(text).items() if name not in pinned}
    links.mkdir()
    for entry in {entry for one in found.values() for entry in one["entries"]}:
        (links / Path(entry).name).symlink_to(entry)
    return {name: one["version"] for name, one in found.items()}


def make(folder: Path, keep: list[str], keep_from: Path | None) -> Path:
    """Make the environment in a folder; its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    pip: list[str | Path] = [
        python,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--progress-bar",
        "off",
        "--quiet",
        "--no-compile",
    ]
    subprocess.run([*pip, "--upgrade", "pip"], check=True)
    needs, besides = requirements(set(keep))
    limits = [entry for entry in needs if "==" in entry]
    if keep:
        if keep_from is None:
            made = subprocess.run(
                [sys.executable, ROOT / "tools" / "environment.py", "engine"], check=True, stdout=subprocess.PIPE, text=True
            )
            keep_from = Path(made.stdout.strip()) / "bin" / "python"
        # Outside the environment pip takes them for given and never removes them; what it installs comes before them.
        lent = lend(keep_from, keep, folder / "lent", {name_of(entry) for entry in needs})
        site = next((folder / "env" / "lib").glob("python3.*")) / "site-packages"
        (site / "lent.pth").write_text(f"{folder / 'lent'}\n", encoding="utf-8")
        limits += [f"{name}=={lent[name].partition('+')[0]}" for name in keep]
        print("Lent:", ", ".join(f"{name} {lent[name]}" for name in keep))
    (folder / "limits.txt").write_text("\n".join(limits) + "\n", encoding="utf-8")
    subprocess.run([*pip, "--constraint", folder / "limits.txt", *needs, *besides], check=True)
    # Only its files are read; what it asks for itself (a newer Pillow than the engine needs) does not concern them.
    subprocess.run([*pip, "--no-deps", *PROJECT["optional-dependencies"]["geoclip"]], check=True)
    return python


def main() -> int:
    """Command line; the status is pytest's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", default="", help="packages that another environment lends, with commas between them")
    parser.add_argument("--keep-from", type=Path, help="that environment's interpreter")
    options, tests = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="vidtag-oldest-") as folder:
        try:
            python = make(Path(folder), [plain(name) for name in options.keep.split(",") if name], options.keep_from)
        except subprocess.CalledProcessError as error:
            sys.exit(f"Setting up failed at: {' '.join(map(str, error.cmd))[:300]}\nSee the lines above.")
        # Nothing may be written beside what is lent.
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run([python, "-m", "pytest", *(tests or TESTS)], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
