"""A QGIS with windows, offscreen: the plugin of a folder runs *Geolocate video* on each video in turn.

Run by the system's Python, which has PyQGIS:

    QT_QPA_PLATFORM=offscreen /usr/bin/python3 benchmarks/qgis_session.py ROOT CASE OUT VIDEO...

One line of JSON: ``seconds`` a run, ``idle_mb`` of the engine that stays three seconds after the last, null where none stays.
"""

# ruff: noqa: E402
from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

ROOT, CASE, OUT = map(Path, sys.argv[1:4])
sys.path[:0] = [str(ROOT), "/usr/share/qgis/python/plugins"]
sys.path.append(str(Path(__file__).resolve().parent.parent))  # the window that stands in for QGIS's, where the build has none
os.environ["VIDTAG_ENGINE_PATH"] = str(ROOT)

from qgis.core import QgsApplication

APPLICATION = QgsApplication([], True)
APPLICATION.initQgis()

import processing
from processing.core.Processing import Processing

Processing.initialize()
common: Any = importlib.import_module("tests.qgis.common")


def main() -> None:
    """Run them."""
    desktop = common.desktop_with_plugin()
    seconds = []
    for number, video in enumerate(sys.argv[4:]):
        given = {
            "VIDEOS": [video],
            "AOI": str(CASE / "aoi.geojson"),
            "CHECKPOINT": str(CASE / "checkpoint"),
            "RESOLUTION": 25.0,
            "DEVICE": "cpu",
            "OUTPUT": str(OUT / f"{number}.gpkg"),
        }
        began = time.perf_counter()
        processing.run("vidtag:geolocatevideo", given)
        seconds.append(time.perf_counter() - began)
    time.sleep(3.0)
    kept = common.workers()
    pages = int(Path(f"/proc/{kept[0]}/statm").read_text().split()[1]) if kept else 0
    print(json.dumps({"seconds": seconds, "idle_mb": pages * os.sysconf("SC_PAGESIZE") / 2**20 if kept else None}), flush=True)
    desktop.plugin.unload()


main()
os._exit(0)  # QGIS without its own main loop does not always end by itself
