#!/usr/bin/env python3
"""A real example: learn one flight over a field, find another, say how far off it was, and draw it. Run by ``make example`` in the engine's environment.

The flights are OpenDroneMap's Seneca (see resources/example/README.md). Results lie in ``build/example``; broken off, the same command goes on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import vidtag_engine as vidtag
from vidtag_engine.cli.terminal import plain_errors, watched

ROOT = Path(__file__).resolve().parent.parent
FLIGHTS = ROOT / "resources" / "example"
OUTPUT = ROOT / "build" / "example"
AREA = "-83.3087,41.0342,-83.3026,41.0388"  # the fields, and some 40 m about them
# What suits pictures from above that may be turned any way, and a single short flight; chosen on finding flight 1 by flight 2.
TRAINING: dict[str, Any] = {
    "resolution_m": 10.0, "sigma": "site", "augment": "aerial", "views": 11, "reverse": True, "softening_m": 10.0, "negatives": 512, "dropout": 0.3,
    "feature_dropout": 0.3, "phase1_steps": 200, "validate_every": 25, "phase2_steps": 100,
}  # fmt: skip


def main() -> None:
    """Train, geolocate, evaluate, draw."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    checkpoint, result = OUTPUT / "checkpoint", OUTPUT / "flight2.gpkg"
    with plain_errors():
        if not (checkpoint / "model.safetensors").is_file():
            print("Learning flight 1 (76 pictures) ...", flush=True)
            with watched() as feedback:
                vidtag.train(FLIGHTS / "flight1.mp4", FLIGHTS / "flight1.gpx", aoi=AREA, output=checkpoint, feedback=feedback, **TRAINING)
        print("Finding flight 2 (91 pictures) ...", flush=True)
        with watched() as feedback:
            found = vidtag.geolocate(
                FLIGHTS / "flight2.mp4",
                aoi=AREA,
                checkpoint=checkpoint,
                resolution_m=10.0,
                output=result,
                overwrite=True,
                feedback=feedback,
            )
        report = vidtag.evaluate(result, FLIGHTS / "flight2.gpx")
        pictures = [OUTPUT / "flight2.png", OUTPUT / "errors.png"]
        found.save(pictures[0], overwrite=True)
        report.write_map(pictures[1], overwrite=True)
        kml = found.save(OUTPUT / "flight2.kml", overwrite=True)
    for note in found.warnings:
        print(note)
    print(f"GeoPackage:   {result}\nKML:          {kml}\nMap pictures: {pictures[0]}\n              {pictures[1]}")
    print(f"Median error against the track: {report.overall.median_m:.1f} m")
    print("Flight 2 began 73 s after flight 1, in the same light: this shows that the chain works, not that it works on another day.")


if __name__ == "__main__":
    main()
