#!/usr/bin/env python3
"""Do the tutorial in a real QGIS on a screen that nobody sees, and save its pictures in docs/images/tutorial.

    tools/tutorial_pictures.py --work /home/user/vidtag-demo [--python ENGINE] [--pictures FOLDER]

``--work`` is a folder that is made, seen in the pictures, and left there with the results; choose one that names nobody. Needs Xvfb.
The part that QGIS runs is ``tools/tutorial_session.py``. Standard library only.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import qgis_run

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "resources" / "demo"
SCREEN = "1360x860x24"


def prepare_work(folder: Path) -> None:
    """The demo's files, as the tutorial has the reader copy them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("drive.mp4", "drive.gpx", "aoi.geojson"):
        shutil.copy(DEMO / name, folder)
    shutil.copytree(DEMO / "checkpoint", folder / "checkpoint", dirs_exist_ok=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder of the demo's copy and of the results")
    parser.add_argument("--python", help="the engine's interpreter")
    parser.add_argument("--keep", action="store_true", help="show results that lie in the folder already, make only what is missing")
    parser.add_argument("--pictures", type=Path, default=ROOT / "docs" / "images" / "tutorial")
    given = parser.parse_args()
    prepare_work(given.work)
    given.pictures.mkdir(parents=True, exist_ok=True)
    python = given.python or os.environ.get("VIDTAG_ENGINE_PYTHON") or qgis_run.engine_python()
    with tempfile.TemporaryDirectory(prefix="vidtag-tutorial-") as temporary:
        variables = qgis_run.prepare(Path(temporary), python)
        variables |= {"VIDTAG_PICTURES": str(given.pictures.resolve()), "LANG": "C.UTF-8", "TZ": "UTC"}
        variables |= {"VIDTAG_KEEP": "1"} if given.keep else {}
        variables.pop("QT_QPA_PLATFORM")
        session = str(ROOT / "tools" / "tutorial_session.py")
        qgis = [shutil.which("qgis.bin") or "qgis", "--nologo", "--noversioncheck", "--lang", "en", "--code", session]
        command = ["xvfb-run", "-a", "-s", f"-screen 0 {SCREEN}", *qgis]
        status = subprocess.run(command, env=variables, cwd=given.work, check=False).returncode
    if status:
        sys.exit(f"QGIS ended with {status}; what it said stands above.")
    for path in sorted(given.pictures.glob("*.png")):
        print(path)


if __name__ == "__main__":
    main()
