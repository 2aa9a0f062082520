"""``python -m simulator make-demo | make-world | make-calibration | make-drives | picture-page``: simulated drives, again and again from a seed."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from vidtag_engine.cli.terminal import progress_bar, say_error
from vidtag_engine.types import InputError

from .config import ISLES, DrivesConfig, RenderConfig
from .towns.config import CALIBRATION_FRAMES, SEEDS, SIZES, config_sha256, seed_of
from .towns.isles import WORLD_ISLES
from .towns.layouts import LAYOUTS
from .towns.long_videos import DrivesOrder, make_drives
from .towns.make import Order, make_calibration, make_world
from .towns.pictures import write_page
from .world import build_world
from .write import write_isle


def make_demo(options: argparse.Namespace) -> None:
    """One small isle, built whole."""
    start = time.perf_counter()
    render = RenderConfig()
    world = build_world(ISLES[options.isle], options.seed, render)
    built_s = time.perf_counter() - start
    print(f"World of {len(world.plots)} houses and {world.network.length_m / 1000:.1f} km of streets made in {built_s:.0f} s.")
    made = write_isle(options.output, world, dataclasses.replace(DrivesConfig(), train_frames=options.frames), render)
    pictures = sum(row["frames"] for row in made["drives"])
    spent = time.perf_counter() - start - built_s
    print(f"{pictures} pictures in {spent:.0f} s ({1000 * spent / pictures:.0f} ms each) below {options.output}.")


def make_all(options: argparse.Namespace) -> None:
    """All isles of the world."""
    size = SIZES[options.size]
    given = {name: getattr(options, name) for name in ("train_frames", "val_frames", "test_frames") if getattr(options, name) is not None}
    order = Order(options.output, options.seed, options.isles, dataclasses.replace(size, **given), options.layouts)
    print(f"Simulated world, configuration {config_sha256(order.config)}, seed {order.seed}, {len(order.isles)} isles.")
    with progress_bar() as bar:
        made = make_world(order, options.workers, bar)
    frames = made["rendered_frames"]
    print(f"{made['frames']} pictures below {options.output}; {frames} of them rendered now in {made['seconds']:.0f} s", end="")
    print(f" ({1000 * made['seconds'] * options.workers / frames:.0f} ms a picture and process)." if frames else ".")


def make_more(options: argparse.Namespace) -> None:
    """More held-out drives in a world."""
    with progress_bar() as bar:
        made = make_calibration(options.world, options.frames, options.workers, bar)
    print(f"{sum(row['frames'] for row in made['drives'])} pictures of {len(made['drives'])} drives below {options.world}.")


def make_long(options: argparse.Namespace) -> None:
    """Long drives at many pictures a second."""
    order = DrivesOrder(
        options.output, options.seed, options.count, options.isles, float(options.fps), options.width, options.least_s, options.most_s
    )
    with progress_bar() as bar:
        names = make_drives(order, bar)
    print(f"{len(names)} drives in {options.output}, with the road layers of their isles.")


def make_page(options: argparse.Namespace) -> None:
    """The page of pictures."""
    print(write_page(options.world, options.docs))


def _chosen(known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    """A comma-separated choice of known names, for the command line."""

    def names(text: str) -> tuple[str, ...]:
        chosen = tuple(text.split(","))
        if unknown := set(chosen) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))} not known; there are {', '.join(known)}")
        return chosen

    return names


def _seed(text: str) -> int:
    try:
        return seed_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no seed; give a whole number, or one of {', '.join(SEEDS)}") from None


def _count(least: int) -> Callable[[str], int]:
    """A whole number that is not too small, for the command line."""

    def count(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not usable; give a whole number of at least {least}")
        return int(text)

    return count


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("make-demo", help="the demo's isle and its drives")
    demo.add_argument("--output", type=Path, required=True, help="folder to write below")
    demo.add_argument("--seed", type=int, default=0)
    demo.add_argument("--isle", choices=sorted(ISLES), default="sandy-island")
    demo.add_argument(
        "--frames", type=int, default=DrivesConfig.train_frames, help="training pictures, at least (every street comes first)"
    )
    demo.set_defaults(run=make_demo)
    world = commands.add_parser("make-world", help="towns on eleven isles, in the layouts of MSLS, videos with GPX and CityGuessr68k")
    world.add_argument("--output", type=Path, required=True, help="folder to write below; a run that was broken off goes on")
    world.add_argument("--seed", type=_seed, default="dev", help=f"a number, or one of {', '.join(SEEDS)}")
    world.add_argument("--size", choices=sorted(SIZES), default="full")
    for name in ("train", "val", "test"):
        world.add_argument(f"--{name}-frames", type=_count(0), help="pictures over all isles; the size's number if not given")
    world.add_argument("--isles", type=_chosen(tuple(WORLD_ISLES)), default=tuple(WORLD_ISLES), help="names, with commas; all if not given")
    world.add_argument("--layouts", type=_chosen(LAYOUTS), default=LAYOUTS, help=f"of {','.join(LAYOUTS)}")
    world.add_argument("--workers", type=_count(1), default=2, help="processes")
    world.set_defaults(run=make_all)
    more = commands.add_parser("make-calibration", help="further held-out drives in a world that was made, for confidence to be fitted on")
    more.add_argument("--world", type=Path, required=True, help="what make-world wrote; its other drives and its manifest stay as they are")
    more.add_argument("--frames", type=_count(1), default=CALIBRATION_FRAMES, help="pictures over all isles")
    more.add_argument("--workers", type=_count(1), default=2, help="processes")
    more.set_defaults(run=make_more)
    drives = commands.add_parser("make-drives", help="long drives as videos, with their truth and the road layers of their isles")
    drives.add_argument("--output", type=Path, required=True, help="folder; a run that was broken off goes on")
    drives.add_argument("--seed", type=_seed, default="dev", help=f"a number, or one of {', '.join(SEEDS)}")
    drives.add_argument("--count", type=_count(1), default=30)
    drives.add_argument("--fps", type=_count(10), default=10, help="pictures a second, at least 10")
    drives.add_argument("--width", type=_count(64), default=480, help="of the pictures, which are 16 to 9")
    drives.add_argument("--least-s", type=float, default=DrivesOrder.least_s, help="duration of the shortest drive")
    drives.add_argument("--most-s", type=float, default=DrivesOrder.most_s, help="duration of the longest drive")
    drives.add_argument(
        "--isles", type=_chosen(tuple(WORLD_ISLES)), default=tuple(WORLD_ISLES), help="names, with commas; all if not given"
    )
    drives.set_defaults(run=make_long)
    page = commands.add_parser("picture-page", help="docs/phantom-isles.md with contact sheets and maps of a world that was made")
    page.add_argument("--world", type=Path, required=True, help="what make-world wrote")
    page.add_argument("--docs", type=Path, default=Path(__file__).resolve().parents[1] / "docs")
    page.set_defaults(run=make_page)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except InputError as error:
        say_error(str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
