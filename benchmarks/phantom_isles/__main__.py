"""``python -m benchmarks.phantom_isles make-demo --output DIR --seed 0 [--frames N]``: make an isle's drives."""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path

from .config import ISLES, DrivesConfig, RenderConfig
from .world import build_world
from .write import write_isle


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.phantom_isles", description=__doc__)
    parser.add_argument("command", choices=["make-demo"])
    parser.add_argument("--output", type=Path, required=True, help="folder to write below")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--isle", choices=sorted(ISLES), default="sandy-island")
    parser.add_argument(
        "--frames", type=int, default=DrivesConfig.train_frames, help="training pictures, at least (every street comes first)"
    )
    options = parser.parse_args()
    start = time.perf_counter()
    render = RenderConfig()
    world = build_world(ISLES[options.isle], options.seed, render)
    built_s = time.perf_counter() - start
    print(f"World of {len(world.plots)} houses and {world.network.length_m / 1000:.1f} km of streets made in {built_s:.0f} s.")
    made = write_isle(options.output, world, dataclasses.replace(DrivesConfig(), train_frames=options.frames), render)
    pictures = sum(row["frames"] for row in made["drives"])
    spent = time.perf_counter() - start - built_s
    print(f"{pictures} pictures in {spent:.0f} s ({1000 * spent / pictures:.0f} ms each) below {options.output}.")


if __name__ == "__main__":
    main()
