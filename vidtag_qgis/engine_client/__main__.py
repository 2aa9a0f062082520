"""Make the engine's environment without a window, for servers and ``qgis_process``: run in the folder that holds ``vidtag_qgis``.

python3 -m vidtag_qgis.engine_client --flavour cpu
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Optional, Sequence

from ..places import ENGINE_PACKAGES, ENGINE_SOURCE
from .environment import create
from .environment_plan import CPU, FLAVOURS, SetupPlan, read_packages
from .errors import EnvironmentSetupError
from .interpreter import cache_folder, works_offline
from .python_finder import check_python, find_python


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Show what will be installed, ask, make the environment; returns the exit status."""
    parser = argparse.ArgumentParser(prog="vidtag_qgis.engine_client", description=(__doc__ or "").split(":", maxsplit=1)[0] + ".")
    parser.add_argument("--flavour", choices=FLAVOURS, default=CPU, help="build of PyTorch")
    parser.add_argument("--cache", default=str(cache_folder(os.environ)), help="folder for environments (%(default)s)")
    parser.add_argument("--python", help="a Python 3.11 or newer; found by itself by default")
    parser.add_argument("--wheels", help="install from this folder of wheels, without a network")
    parser.add_argument("--torch-index", default="", help="a further index with PyTorch's builds")
    parser.add_argument("--agree", action="store_true", help="agree to size and licences without being asked")
    given = parser.parse_args(arguments)
    try:
        plan = SetupPlan(
            cache=os.path.abspath(given.cache),
            python=check_python(given.python) if given.python else find_python(),
            source=str(ENGINE_SOURCE),
            flavour=given.flavour,
            packages=read_packages(str(ENGINE_PACKAGES), given.flavour),
            wheels=given.wheels and os.path.abspath(given.wheels),
            torch_index=given.torch_index,
            offline=works_offline(os.environ),
        )
        _show(plan)
        if not given.agree and input("Agree and install? [y/N] ").strip().lower() not in {"y", "yes"}:
            print("Nothing was installed.")
            return 1
        made = create(plan, plan.agree(), on_line=print)
    except EnvironmentSetupError as error:
        print(error, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError):
        print("\nStopped. What is done is kept: the next time it goes on from there.", file=sys.stderr)
        return 130
    print(made.python)
    return 0


def _show(plan: SetupPlan) -> None:
    print(f"{'package':32} {'version':12} {'MB':>6}  licence")
    for package in plan.packages:
        print(f"{package.name:32} {package.version:12} {package.installed_mb:6.0f}  {package.licence}")
    print(f"{len(plan.packages)} packages, about {plan.download_mb / 1e3:.1f} GB to fetch and {plan.installed_mb / 1e3:.1f} GB on disk,")
    print(f"from {plan.origin}, with {plan.python.text}, into {plan.folder}.")


if __name__ == "__main__":
    sys.exit(main())
