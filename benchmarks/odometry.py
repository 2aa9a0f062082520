"""Drives placed by the shape of their way alone, on road maps as users have them (simulated); every frame is counted, whatever the verdict.

``graph`` has turns and speeds with the errors that stage A states; ``shape_only`` those that odometry on pictures was measured to
have; ``regular_grid`` the same on equal, right-angled blocks; ``short`` drives of 20 s; ``elsewhere`` drives of another
city than the map's, none of which can be right; ``small`` and ``large`` drives on squares of 2.5 and of 10 km.
``timing`` decodes networks of 1,000 to 100,000 places. ``--fit`` fits what ships on other seeds' drives.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.cli.terminal import progress_bar
from vidtag_engine.types import InputError, Progress

from .by_split import Record, figures
from .odometry_drives import RADIUS_M, ROWS, placed_drives, record_of, share_within
from .odometry_fit import fit_roads
from .odometry_rendered import errors, keys, rendered
from .odometry_timing import timing
from .odometry_world import short_drives

TITLE = "Drives placed by the shape of their way alone (simulated)"


def run(
    seed: int = 0,
    rows: str | None = None,
    drives: int | None = None,
    quick: bool = False,
    fit: bool = False,
    world: Path | None = None,
    checkpoint: str | None = None,
) -> dict[str, Any]:
    """Place drives, or fit how sure to be.

    Args:
        seed: of networks, maps, drives and errors.
        rows: some of ``ROWS`` and ``timing``, with commas; None: all.
        drives: of each row; None is each one's own.
        quick: a tenth of them.
        fit: fit what ships on the drives of this seed, and write it.
        world: a folder of rendered drives: their videos are placed instead, and odometry on them is compared with the truth. Or a rendered world, whose seed is
            ``seed``: its test drives are placed with and without roads.
        checkpoint: with ``world``: that knows the isles, to be asked with and without roads; of a world its trainings, with commas.
    """
    if world is not None and (world / "world.json").is_file():
        return {"simulated": True} | short_drives(world, (checkpoint or "").split(","), seed)
    if world is not None:
        of_videos = rendered(world, checkpoint, rows, drives)
        return {"simulated": True} | of_videos | (errors(world) if rows is None else {}) | keys(of_videos)
    wanted = rows.split(",") if rows else [*ROWS, "timing"]
    if unknown := [one for one in wanted if one not in ROWS and one != "timing"]:
        raise InputError(f"There is no row {unknown[0]!r}: give some of {', '.join([*ROWS, 'timing'])}.")
    if fit:
        with progress_bar() as bar:
            return fit_roads(seed, drives or 150, bar)
    result: dict[str, Any] = {"simulated": True, "seed": seed}
    with progress_bar() as bar:
        for name in wanted:
            if name == "timing":
                result |= timing(seed)
                continue
            row = ROWS[name]
            count = drives or (max(11, row.drives // 10) if quick else row.drives)
            found = []
            for number, one in enumerate(placed_drives(row, seed, count)):
                found.append(record_of(one))
                right = np.mean([np.mean(record.error_m <= RADIUS_M) for record in found])
                bar(Progress(number / count, name, f"{right:.1%} within 500 m"))
            result[name] = figures(found) | share_within(found)
            _say(name, found)
    return result | _keys(result)


def _say(name: str, found: list[Record]) -> None:
    within = share_within(found)
    said = np.concatenate([one.chances[:, 2] for one in found]) >= 0.8
    right = np.concatenate([one.error_m for one in found]) <= RADIUS_M
    wrong = 1.0 - float(right[said].mean()) if said.any() else float("nan")
    print(
        f"{name}: {within['a500m']:.1%} of frames within 500 m, {within['a50m']:.1%} within 50; of {said.mean():.1%} said with 80 % {wrong:.1%} are wrong;"
        f" 90 % regions hold {np.mean([one.covered90 for one in found]):.1%}; {sum(one.withheld for one in found)} of {len(found)} withheld"
    )


def _keys(result: dict[str, Any]) -> dict[str, float]:
    """The figures that are asked for by name."""
    names = {"graph": "graph_a05km", "shape_only": "shape_only_a05km", "regular_grid": "regular_grid_a05km", "short": "short_a05km"}
    return {key: result[row]["a500m"] for row, key in names.items() if row in result}
