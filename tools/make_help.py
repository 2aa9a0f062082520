#!/usr/bin/python3
"""Write resources/help/*.html from the algorithms' own texts: run it by the system's Python with PyQGIS.

tools/make_help.py [FOLDER]
"""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

import html
import os
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from qgis.core import QgsApplication, QgsProcessingParameterDefinition  # noqa: E402

from vidtag_qgis.provider import ALGORITHMS  # noqa: E402

STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}code{background:#eee;padding:0 .2em}"
    "td,th{border-bottom:1px solid #ccc;padding:.3em .6em;text-align:left;vertical-align:top}pre{background:#eee;padding:.6em;overflow:auto}"
)
EXAMPLES = {
    "geolocatevideo": "VIDEOS=drive.mp4 AOI=area.geojson CHECKPOINT=checkpoint RESOLUTION=25 OUTPUT=drive.gpkg",
    "guesscity": "VIDEOS=drive.mp4 CHECKPOINT=cities OUTPUT=places.gpkg PLACES=likely.gpkg",
    "gridgallery": "AOI=area.geojson RESOLUTION=25 OUTPUT=points.gpkg",
    "similarityheatmap": "VIDEO=drive.mp4 AOI=area.geojson CHECKPOINT=checkpoint RESOLUTION=25 OUTPUT=map.tif",
    "solvewithpins": "RESULT=drive.gpkg PINS=pins.gpkg FRAME_FIELD=frame_index OUTPUT=corrected.gpkg",
    "matchroads": "RESULT=drive.gpkg ROADS=streets.gpkg MATCHED=matched.gpkg",
    "evaluatetrajectory": "RESULT=drive.gpkg TRUTH_FILE=drive.gpx ERRORS=errors.gpkg REPORT=report.html",
    "exporttrajectory": "RESULT=drive.gpkg KML=drive.kml FRAMES=pictures VIDEOS=drive.mp4",
    "finetune": "FOLDER=drives AOI=area.geojson RESOLUTION=25 OUTPUT=checkpoint",
    "buildreferencedatabase": "FOLDER=drives AOI=area.geojson RESOLUTION=25 OUTPUT=my-references",
    "referenceimages": "REFERENCE=my-references OUTPUT=what-it-holds.gpkg",
    "checkengine": "OUTPUT=report.html",
    "status": "RESULT=drive.gpkg",
}
ENGINE = (
    "<h2>The engine</h2>\n<p>The engine runs in a Python environment of its own, which QGIS never imports. "
    "<i>Settings &gt; Options &gt; VidTAG</i> makes it or names its Python, else the variable <code>VIDTAG_ENGINE_PYTHON</code> does. "
    "<i>Check the engine</i> says what is there and what is missing.</p>"
)


def parameter_row(parameter: Any) -> str:
    """One parameter: what it is called in the dialog, by its key, and its help."""
    keys = getattr(parameter, "words", None)
    told = "" if keys is None else " For scripts: " + ", ".join(f"<code>{html.escape(key)}</code>" for key in keys) + "."
    title = f"{html.escape(parameter.description())}<br><code>{parameter.name()}</code>"
    return f"<tr><td>{title}</td><td>{html.escape(parameter.help())}{told}</td></tr>"


def table(title: str, rows: list[str]) -> str:
    """A titled table, nothing for no rows."""
    return f"<h2>{title}</h2>\n<table>\n" + "\n".join(rows) + "\n</table>" if rows else ""


def page(algorithm: Any) -> str:
    """The page of one algorithm."""
    shown = [p for p in algorithm.parameterDefinitions() if not p.flags() & QgsProcessingParameterDefinition.Flag.FlagHidden]
    folded = QgsProcessingParameterDefinition.Flag.FlagAdvanced
    inputs = [parameter_row(p) for p in shown if not p.isDestination() and not p.flags() & folded]
    advanced = [parameter_row(p) for p in shown if not p.isDestination() and p.flags() & folded]
    outputs = [parameter_row(p) for p in shown if p.isDestination()]
    names = {p.name() for p in shown}
    numbers = [
        f"<tr><td><code>{o.name()}</code></td><td>{html.escape(o.description())}</td></tr>"
        for o in algorithm.outputDefinitions()
        if o.name() not in names
    ]
    paragraphs = "\n".join(f"<p>{html.escape(part, quote=False)}</p>" for part in re.split(r"\n\s*\n", algorithm.shortHelpString()))
    parts = [
        f"<h1>{html.escape(algorithm.displayName())}</h1>",
        paragraphs,
        table("Inputs", inputs),
        table("Advanced", advanced),
        table("Outputs", outputs),
        table("Values for models and scripts", numbers),
        ENGINE,
        f"<h2>Without a window</h2>\n<pre>qgis_process plugins enable vidtag_qgis\nqgis_process run vidtag:{algorithm.name()} -- {EXAMPLES[algorithm.name()]}</pre>",
    ]
    body = "\n".join(part for part in parts if part)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>VidTAG: {html.escape(algorithm.displayName())}</title>\n'
        f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def main() -> None:
    """Write all pages, to resources/help or the folder given."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "resources" / "help"
    application = QgsApplication([], False)
    application.initQgis()
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ALGORITHMS:
        algorithm = kind().create()
        (folder / f"{algorithm.name()}.html").write_text(page(algorithm), encoding="utf-8")
    application.exitQgis()


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    main()
