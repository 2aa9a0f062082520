#!/usr/bin/env python3
"""The demo: guess the built-in drive's town and find its street as a user would, through ``qgis_process``, and say how far off that was.

Run by ``make demo`` in the engine's environment. Results lie in ``build/demo``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "resources" / "demo"
OUTPUT = ROOT / "build" / "demo"
RESOLUTION_M = 25


def main() -> None:
    """Guess the city, run the algorithm, evaluate it against the truth, draw the map."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    guess()
    result, picture, kml = OUTPUT / "drive.gpkg", OUTPUT / "drive.png", OUTPUT / "drive.kml"
    for old in (result, picture, kml):
        old.unlink(missing_ok=True)
    command = [
        "/usr/bin/python3",
        str(ROOT / "tools" / "qgis_run.py"),
        "--python",
        sys.executable,
        f"VIDEOS={DEMO / 'drive.mp4'}",
        f"AOI={DEMO / 'aoi.geojson'}",
        f"CHECKPOINT={DEMO / 'checkpoint'}",
        f"RESOLUTION={RESOLUTION_M}",
        f"OUTPUT={result}",
        f"KML={kml}",
    ]
    if (status := subprocess.run(command, check=False).returncode) != 0:
        sys.exit(status)

    from vidtag_engine.evaluation import evaluate_geopackage

    report = evaluate_geopackage(result, DEMO / "drive.gpx")
    report.write_map(picture)
    (OUTPUT / "evaluation.json").write_text(json.dumps(report.to_dict(), indent=1), encoding="utf-8")
    from rich.console import Console

    Console().print(report.table())
    print("The towns and the drive are simulated; no training saw this drive.")
    print(f"GeoPackage:  {result}\nKML:         {kml}\nMap picture: {picture}")
    print(f"Median error against the truth: {report.overall.median_m:.0f} m")
    print("Next, a video of yours, sought on all land (coarse, not rated; the first use fetches CLIP's weights):")
    print("  tools/vidtag geolocate YOUR.mp4 --show")
    print(
        "With a checkpoint that knows its area (the demo's knows one simulated isle, and says of other places that it does not know them):"
    )
    print(f"  tools/vidtag geolocate YOUR.mp4 --checkpoint {(DEMO / 'checkpoint').relative_to(ROOT)} --show")


def guess() -> None:
    """Which of the simulated isles the drive is of: the guess before the street."""
    places = OUTPUT / "places.gpkg"
    places.unlink(missing_ok=True)
    command = ["/usr/bin/python3", str(ROOT / "tools" / "qgis_run.py"), "--algorithm", "vidtag:guesscity", "--python", sys.executable]
    command += [f"VIDEOS={DEMO / 'drive.mp4'}", f"CHECKPOINT={DEMO / 'cities'}", f"OUTPUT={places}"]
    run = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if run.returncode != 0:
        sys.exit(run.returncode)
    said = json.loads(run.stdout.strip().splitlines()[-1])
    isles = len(json.loads((DEMO / "cities" / "config.json").read_text(encoding="utf-8"))["cities"]["names"]["city"])
    print(f"Guess city: {said['CITY']}, with {said['PROBABILITY']:.0%}; of {isles} simulated isles. Their outlines: {places}")


if __name__ == "__main__":
    main()
