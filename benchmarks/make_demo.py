"""Make the demo again from its seed: render the isle, train on its drives, and put what the demo needs into ``resources/demo``.

python -m benchmarks.make_demo [--world FOLDER] [--seed N]

Everything of it is simulated. The test drives are seen by no training and no choice of settings.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from vidtag_engine.cli.terminal import progress_bar
from vidtag_engine.feedback import Feedback
from vidtag_engine.grid import load_aoi
from vidtag_engine.training import recipe, train
from vidtag_engine.training.sources import pair_sources

from .checkpoint_files import copy_checkpoint

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "resources" / "demo"
RESOLUTION_M = 25.0
# Every street in both directions takes about 4,000 pictures; twice that shows most of them in two lights.
TRAINING_FRAMES = 8000
SETTINGS: dict[str, Any] = {
    "resolution_m": RESOLUTION_M,
    "sigma": (32.0, 256.0, 2048.0, 8192.0),
    "softening_m": 50.0,
    "negatives": 512,
    "dropout": 0.3,
    "feature_dropout": 0.1,
    # So that the checkout stays small: the checkpoint is part of it.
    "remembered_width": 96,
    "phase1_steps": 900,
    "phase2_steps": 150,
    "validate_every": 50,
}
# The decoder's confidence is fitted by video, which the few validation drives alone are too few for: every so many training drives join them.
HELD_OUT = 6


def make_checkpoint(world: Path, output: Path, *, features: Path, seed: int, **changes: Any) -> dict[str, Any]:
    """Train on the world's training drives; its validation drives choose the step and calibrate. Returns the metrics."""
    drives = pair_sources([world / "train"], [world / "train"])
    with progress_bar() as bar:
        result = train(
            [drive for number, drive in enumerate(drives) if number % HELD_OUT],
            load_aoi(world / "aoi.geojson"),
            output,
            recipe("default", seed=seed, **{**SETTINGS, **changes}),
            validation_sources=[*pair_sources([world / "val"], [world / "val"]), *drives[::HELD_OUT]],
            feature_folder=features,
            feedback=Feedback(bar),
        )
    return result.card.metrics


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, default=ROOT / "build" / "isle", help="rendered world; made if absent")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    world: Path = arguments.world
    if not (world / "drives.json").exists():
        command = [sys.executable, "-m", "simulator", "make-demo", "--output", str(world), "--seed", str(arguments.seed)]
        command += ["--frames", str(TRAINING_FRAMES)]
        subprocess.run(command, check=True)
    with tempfile.TemporaryDirectory() as temporary:
        checkpoint = Path(temporary) / "sandy-island"
        metrics = make_checkpoint(world, checkpoint, features=world / "features", seed=arguments.seed)
        print(json.dumps(metrics, indent=1))
        copy_checkpoint(checkpoint, DEMO / "checkpoint", "log.json", "curve.png")
    for suffix in (".mp4", ".gpx"):
        shutil.copy((world / "test" / "demo").with_suffix(suffix), (DEMO / "drive").with_suffix(suffix))
    shutil.copy(world / "aoi.geojson", DEMO / "aoi.geojson")


if __name__ == "__main__":
    main()
