"""Run a benchmark: a table for people, then one JSON object with its keys on the last line.

python -m benchmarks --list
python -m benchmarks NAME [--seed N]
python -m benchmarks seneca [--seed N] [--seeds 5]
python -m benchmarks encode [--seed N] [--world DIR [--store DIR]]
python -m benchmarks isles [--seed N|dev] [--quick] [--world DIR] [--difficulty] [--no-layout]
python -m benchmarks decoder|calibration|abstention [--seed N|dev] [--quick] [--world DIR] [--no-layout]
python -m benchmarks offset [--seed N|dev]
python -m benchmarks reference [--seed N] [--world DIR]
python -m benchmarks batch [--seed N] [--rows growth,kills] [--counts 100,1000] [--before CHECKOUT] [--quick]
python -m benchmarks startup --before CHECKOUT [--case DIR --resolution-m M]
python -m benchmarks tables [--seed N|dev] [--quick] [--only 4,7] [--world DIR] [--sweep]
python -m benchmarks odometry [--seed N] [--rows graph,short] [--drives N] [--quick] [--fit]
python -m benchmarks odometry --world DIR [--checkpoint CHECKPOINT]
python -m benchmarks recognition --world DIR [--rows shipped,networks] [--seeds N]
python -m benchmarks landmarks [--seed N] [--quick]
python -m benchmarks pins [--rows speed,worst] [--world DIR --checkpoint FOLDER] [--drives N] [--seed N]
python -m benchmarks viewer_memory [--seed N] [--world FOLDER_OF_PICTURES]
python -m benchmarks review_kills [--seed N] [--kills N]
python -m benchmarks workbench [--seed N] [--rows click,hover,scrub,play,filter] [--world FOLDER_OF_PICTURES]
python -m benchmarks paper_rows [--seed N|dev] [--world DIR] [--rows paper,no_tempgeo] [--seeds N] [--sweep [--most-steps N]] [--partial]
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulator.towns.config import SEEDS
from vidtag_engine.cli.terminal import say_error
from vidtag_engine.types import InputError

# A benchmark is a module here with TITLE and run(seed, ...) -> dict of keys.
NAMES = (
    "seneca", "caliterra", "demo", "overhead", "overhead_fast", "memory", "real_inputs", "bad_inputs", "files_kept", "decode", "encode", "repeats", "geoclip",
    "search", "continuous", "world", "tracks", "isles", "tables", "decoder", "calibration", "abstention", "offset", "startup", "course",
    "cityguessr", "panoramax", "reference", "paper_rows", "recognition", "odometry", "batch", "landmarks", "workbench", "pins",
    "review_kills", "viewer_memory",
)  # fmt: skip
WORLDS = (
    "isles",
    "tables",
    "decoder",
    "calibration",
    "abstention",
    "offset",
    "cityguessr",
    "paper_rows",
)  # their seed is a world's, which may have a name


def _seed(text: str) -> int | str:
    """A number, or the name of a world's seed."""
    return int(text) if text.lstrip("-").isdigit() else text


def main(given: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=NAMES)
    parser.add_argument("--list", action="store_true", help="name the benchmarks")
    parser.add_argument("--seed", type=_seed, default=0, help="of everything random; of the isles: of the world, a number or dev")
    # Options of single benchmarks, under the names that their run() gives them; one that is not given is not passed on.
    only = parser.add_argument_group("of single benchmarks")
    only.add_argument("--write-docs", action="store_true", default=None, help="bad_inputs, search: write their page in docs")
    only.add_argument(
        "--quick",
        action="store_true",
        default=None,
        help="those of the isles: a small world and budget; world: fewer places and queries; files_kept, batch: few",
    )
    only.add_argument(
        "--world", type=Path, help="those of the isles, encode, recognition: a folder with a rendered world; workbench: pictures"
    )
    only.add_argument("--store", type=Path, help="encode: folder of the isles' trainings, where not the benchmarks' own")
    only.add_argument("--difficulty", action="store_true", default=None, help="isles: only how hard the world is, by fine-tuned GeoCLIP")
    only.add_argument(
        "--no-layout",
        dest="layout",
        action="store_false",
        default=None,
        help="isles, decoder, calibration, abstention: as vidtag train --no-layout",
    )
    only.add_argument("--only", help="tables: their numbers, such as 4,7,fig8")
    only.add_argument("--output", type=Path, help="tables: folder of the page")
    only.add_argument(
        "--sweep", action="store_true", default=None, help="tables, paper_rows: choose the learning rates on the dev world instead"
    )
    only.add_argument("--rows", help="paper_rows, recognition, odometry, batch, workbench: some of its rows, with commas")
    only.add_argument("--checkpoint", help="odometry: with --world, one that knows the drives' isles")
    only.add_argument("--drives", type=int, help="odometry: of a row")
    only.add_argument("--fit", action="store_true", default=None, help="odometry: fit how sure to be, and write what ships")
    only.add_argument("--seeds", type=int, help="paper_rows, recognition: trainings of a row; seneca: trainings")
    only.add_argument("--most-steps", type=int, help="paper_rows: that a training may take while choosing")
    only.add_argument("--partial", action="store_true", default=None, help="paper_rows: what is done by now; nothing is trained")
    only.add_argument("--before", type=Path, help="startup, batch: a checkout of an earlier build")
    only.add_argument("--counts", help="batch: numbers of results, with commas")
    only.add_argument("--kills", type=int, help="review_kills: processes that are killed at least")
    only.add_argument("--case", type=Path, help="startup: a folder with checkpoint, aoi.geojson and videos, in place of the demo")
    only.add_argument("--resolution-m", type=float, help="startup: of the case's grid")
    arguments = parser.parse_args(given)
    if arguments.list or arguments.name is None:
        for name in NAMES:
            print(f"{name:12} {importlib.import_module(f'benchmarks.{name}').TITLE}")
        return 0
    module = importlib.import_module(f"benchmarks.{arguments.name}")
    options = (
        "write_docs", "quick", "world", "store", "difficulty", "layout", "only", "output", "sweep", "before", "case", "resolution_m",
        "rows", "seeds", "most_steps", "partial", "drives", "fit", "checkpoint", "counts",
    )  # fmt: skip
    extra = {name: value for name in options if (value := getattr(arguments, name)) is not None}
    if foreign := [name for name in extra if name not in inspect.signature(module.run).parameters]:
        parser.error(f"--{foreign[0].replace('_', '-')} is no option of {arguments.name}; see --help")
    if isinstance(arguments.seed, str) and (arguments.name not in WORLDS or arguments.seed not in SEEDS):
        parser.error(f"{arguments.seed!r} is no seed; give a whole number, or for {' and '.join(WORLDS)} one of {', '.join(SEEDS)}")
    try:
        result: dict[str, Any] = module.run(seed=arguments.seed, **extra)
    except InputError as error:
        say_error(str(error))
        return 2
    print(module.TITLE)
    for key, value in result.items():
        if not isinstance(value, list | dict):
            print(f"  {key:32} {value:.4g}" if isinstance(value, float) else f"  {key:32} {value}")
        elif isinstance(value, dict):
            for name, entry in value.items():
                print(f"  {key}.{name}: {entry}")
    print(json.dumps(result, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
