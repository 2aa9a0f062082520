#!/usr/bin/env python3
"""Run an algorithm, by default "Geolocate video", through the real ``qgis_process``, with this checkout's plugin and engine and a private QGIS profile.

    tools/qgis_run.py VIDEOS=drive.mp4 AOI=area.geojson CHECKPOINT=folder RESOLUTION=25 OUTPUT=drive.gpkg

Arguments go to ``qgis_process run`` as they are (repeat a key to give several values). The last line is the outputs
as one JSON object. ``--python`` names the engine's interpreter; by default it is that of ``tools/environment.py engine``.

Standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ALGORITHM = "vidtag:geolocatevideo"
PLUGIN = "vidtag_qgis"


def qgis_process() -> str:
    """The program: ``qgis_process.bin`` where it is (Debian 12's wrapper breaks the command line), else ``qgis_process``."""
    for name in ("/usr/bin/qgis_process.bin", "qgis_process.bin", "qgis_process"):
        if found := shutil.which(name):
            return found
    sys.exit("qgis_process was not found: install QGIS (on Debian and Ubuntu: apt-get install qgis).")


def engine_python() -> str:
    """The interpreter of the engine's environment, made now if it is not there."""
    tool = [sys.executable, str(ROOT / "tools" / "environment.py"), "engine"]
    run = subprocess.run(tool, stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        sys.exit(run.returncode)
    return str(Path(run.stdout.strip()) / "bin" / "python")


def environment(folder: Path, python: str | None) -> dict[str, str]:
    """Variables for QGIS: staged plugin, private profile, no screen, this checkout's engine."""
    variables = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "QGIS_PLUGINPATH": str(folder / "plugins"),
        "QGIS_CUSTOM_CONFIG_PATH": str(folder / "profile"),
        "XDG_RUNTIME_DIR": str(folder / "runtime"),
        "VIDTAG_ENGINE_PATH": str(ROOT),
    }
    if python:
        variables["VIDTAG_ENGINE_PYTHON"] = python
    # QGIS runs on the system's Python; a virtual environment that this script was started from is not for it.
    # It finds its own by the first python3 on PATH, which must be the one beside it.
    variables["PATH"] = os.pathsep.join([str(Path(qgis_process()).parent), variables.get("PATH", "")])
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        variables.pop(name, None)
    return variables


def prepare(folder: Path, python: str | None) -> dict[str, str]:
    """Stage the plugin below ``folder``, enable it there, and return the variables for QGIS. The same folder may be taken again."""
    folder = folder.resolve()
    for name in ("plugins", "profile", "runtime"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "runtime").chmod(0o700)
    stage = [sys.executable, str(ROOT / "tools" / "plugin.py"), "stage", str(folder / "plugins")]
    subprocess.run(stage, check=True, stdout=subprocess.DEVNULL)
    variables = environment(folder, python)
    enable = subprocess.run([qgis_process(), "plugins", "enable", PLUGIN], env=variables, capture_output=True, text=True, check=False)
    if enable.returncode and "already enabled" not in enable.stdout + enable.stderr:  # as in a profile of an earlier run
        sys.exit(f"QGIS did not take the plugin:\n{enable.stdout}{enable.stderr}")
    return variables


def run(arguments: list[str], variables: dict[str, str], algorithm: str = ALGORITHM) -> tuple[int, dict[str, Any], str]:
    """Run an algorithm; its messages are printed as they come.

    Returns:
        Exit status, outputs (empty where it failed), and what QGIS said was wrong.
    """
    command = [qgis_process(), "--json", "run", algorithm, "--", *arguments]
    process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    said: list[str] = []

    def listen() -> None:
        for line in process.stderr or ():
            text = line.rstrip()
            if text and not _noise(text):
                said.append(text)
                print(text, file=sys.stderr, flush=True)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    output = process.stdout.read() if process.stdout else ""
    status = process.wait()
    listener.join(5)
    try:
        answer = json.loads(output[output.index("{") :])
    except ValueError:
        print(output.strip(), file=sys.stderr)
        return status or 1, {}, "\n".join([*said[-20:], output.strip()])
    results = answer.get("results", {}) if isinstance(answer, dict) else {}
    if status == 0 and not results:  # 3.22 ends with 0 after a cancel
        status = 1
    return status, results, "\n".join(said[-20:])


def _noise(line: str) -> bool:
    """Lines of Qt and QGIS that are of no use to anyone."""
    return any(words in line for words in ("DeprecationWarning", "QStandardPaths", "setapi()", "propagateSizeHints", "Problem with GRASS"))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="the engine's interpreter")
    parser.add_argument("--algorithm", default=ALGORITHM, help="its id, or the path of a model")
    parser.add_argument("--work", type=Path, help="folder for profile and staged plugin; a temporary one by default")
    parser.add_argument("arguments", nargs="+", metavar="KEY=VALUE")
    given = parser.parse_args()
    python = given.python or os.environ.get("VIDTAG_ENGINE_PYTHON") or engine_python()
    with tempfile.TemporaryDirectory(prefix="vidtag-qgis-") as temporary:
        variables = prepare(given.work or Path(temporary), python)
        status, results, _ = run(given.arguments, variables, given.algorithm)
    if status:
        sys.exit(f"qgis_process failed (exit status {status}); why is said above.")
    print(json.dumps(results, ensure_ascii=False))


if __name__ == "__main__":
    main()
