"""Run a benchmark: a table for people, then one JSON object with its keys on the last line.

python -m benchmarks --list
python -m benchmarks NAME [--seed N]
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from typing import Any

# A benchmark is a module here with TITLE and run(seed, ...) -> dict of keys.
NAMES = ("seneca", "demo", "overhead", "memory", "real_inputs", "bad_inputs", "decode")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=NAMES)
    parser.add_argument("--list", action="store_true", help="name the benchmarks")
    parser.add_argument("--seed", type=int, default=0, help="of everything random")
    parser.add_argument("--write-docs", action="store_true", help="bad_inputs: write the table in docs")
    arguments = parser.parse_args()
    if arguments.list or arguments.name is None:
        for name in NAMES:
            print(f"{name:12} {importlib.import_module(f'benchmarks.{name}').TITLE}")
        return 0
    module = importlib.import_module(f"benchmarks.{arguments.name}")
    extra: dict[str, Any] = {"write_docs": True} if arguments.write_docs else {}
    result = module.run(seed=arguments.seed, **extra)
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
