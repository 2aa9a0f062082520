#!/usr/bin/env python3
"""Draw the pictures of the plugin's windows for the docs, offscreen, in an English QGIS without an engine.

QT_QPA_PLATFORM=offscreen $(tools/environment.py qgis)/bin/python tools/screenshots.py
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
sys.path[:0] = [str(ROOT), "/usr/share/qgis/python/plugins"]


def main() -> None:
    """Write both pictures."""
    home = tempfile.mkdtemp(prefix="vidtag-screenshots-")
    # The pictures show the folders of nobody in particular.
    os.environ.update(QGIS_CUSTOM_CONFIG_PATH=home, VIDTAG_CACHE="/home/user/.cache/vidtag")
    os.environ.pop("VIDTAG_ENGINE_PYTHON", None)
    from qgis.core import QgsApplication

    application = QgsApplication([], True)
    application.initQgis()
    from vidtag_qgis.gui.create_dialog import CreateEnvironmentDialog
    from vidtag_qgis.gui.options import EngineOptionsPage

    page = EngineOptionsPage()
    page.resize(760, 620)
    dialog = CreateEnvironmentDialog()
    dialog.resize(800, 700)
    until = time.monotonic() + 60
    while not dialog.python_field.filePath() and time.monotonic() < until:
        application.processEvents()
    dialog.python_field.setFilePath("/usr/bin/python3")
    dialog.stage_label.setText("")
    IMAGES.mkdir(exist_ok=True)
    for widget, name in ((page, "options-page.png"), (dialog, "create-environment.png")):
        widget.show()
        application.processEvents()
        widget.grab().save(str(IMAGES / name))
    sys.stdout.flush()
    os._exit(0)  # QGIS's own end may crash a script that holds widgets


if __name__ == "__main__":
    main()
