"""Fits how sure to be of ways on roads, on simulated drives of a seed that nothing else is measured on, and writes what ships."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vidtag_engine.roads.fitted as shipped
from vidtag_engine.calibration.fit_decoder import fit_levels, fit_map, truth_levels
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.roads.fitted import FittedRoads, fitted_roads
from vidtag_engine.trajectory import RADII_M, mass_about
from vidtag_engine.types import FloatArray, Progress, ProgressCallback

from .odometry_drives import RADIUS_M, ROWS, Placed, Row, placed_drives

# What analysts bring: drives of minutes, shorter ones, and cities of equal blocks.
KINDS = {
    "minutes": (1.0, ROWS["shape_only"]),
    "blocks": (0.3, ROWS["regular_grid"]),
    "brief": (0.4, Row("measured", least_s=20.0, most_s=110.0, least_turns=0)),
    "elsewhere": (0.3, ROWS["elsewhere"]),
    "briefly elsewhere": (0.2, Row("measured", least_s=20.0, most_s=110.0, least_turns=0, elsewhere=True)),
}
_OF_ANOTHER = 2.0  # weight of a drive of another city beside one of the map's: together about even, as nobody knows which it is
_FALSE_ALARMS = 0.05  # share of the map's own drives that are taken for those of another city
_CLEAR = 0.985  # share of right frames of videos that count as clear


def fit_roads(seed: int, drives: int, told: ProgressCallback) -> dict[str, Any]:
    """Place drives, and fit what their posteriors mean.

    Args:
        seed: of networks, maps, drives and errors.
        drives: of the first kind; the others have a share of it.
        told: progress.
    """
    fitted = FittedRoads.unfitted(fitted_roads().model)
    found: list[Placed] = []
    here: list[bool] = []
    for number, (name, (share, row)) in enumerate(KINDS.items()):
        count = round(share * drives)
        for index, one in enumerate(placed_drives(row, seed, count, fitted)):
            found.append(one)
            here.append(not row.elsewhere)
            told(Progress((number + index / count) / len(KINDS), name, f"{len(found)} drives"))
    np_here = np.array(here)
    new = fit(fitted, found, np_here, seed)
    file = Path(shipped.__file__).with_name(shipped.FILE)
    file.write_text(json.dumps(new.to_dict(), indent=1) + "\n", encoding="utf-8")
    return {"simulated": True, "drives": len(found), "least_fit": new.least_fit, "clear_from": new.path.recognised_from}


def clear_from(share: FloatArray, right: FloatArray) -> float:
    """The least share of the likeliest candidate from which on at least ``_CLEAR`` of the frames are right; 1 where there is none."""
    for bar in np.unique(share):
        if np.mean(right[share >= bar]) >= _CLEAR:
            return float(bar)
    return 1.0


def fit(fitted: FittedRoads, found: list[Placed], here: NDArray[np.bool_], seed: int) -> FittedRoads:
    """Chances by mass and by how well the network foresees the motion; regions by video (conformal); both of clear and of other videos.

    Drives of another city are right nowhere; regions are of those of the map's.
    """
    masses = [mass_about(one.answer.marginal, one.town.area.cells, one.answer.lat_lon_deg, np.array(RADII_M)) for one in found]
    errors = [
        haversine_m(*one.answer.lat_lon_deg.T, *one.truth_deg.T) if at_home else np.full(len(one.truth_deg), np.inf)
        for one, at_home in zip(found, here, strict=True)
    ]
    fits = np.array([one.answer.fit for one in found])
    low, high = np.quantile(fits, (0.01, 0.99))
    margins = [np.full(len(error), np.clip(value, low, high)) for error, value in zip(errors, fits, strict=True)]
    share = np.array([one.answer.candidates[0][0].share for one in found])
    least_fit = float(np.quantile(fits[here], _FALSE_ALARMS))
    told = here & (fits >= least_fit)
    bar = clear_from(share[told], np.array([float(np.mean(error <= RADIUS_M)) for error in errors])[told])
    kinds = [np.flatnonzero(share >= bar).tolist(), np.flatnonzero(share < bar).tolist()]
    truths = [truth_levels(one.town.area.cells, one.answer.marginal, one.truth_deg) for one in found]
    levels = [fit_levels(truths, [n for n in kind if here[n]], [1.0] * len(found)) for kind in kinds]
    maps = [
        tuple(
            fit_map(
                [masses[n][:, column] for n in kind],
                [np.asarray(errors[n] <= radius_m, dtype=np.float64) for n in kind],
                radius_m,
                [margins[n] for n in kind],
                [1.0 if here[n] else _OF_ANOTHER for n in kind],
            )
            for column, radius_m in enumerate(RADII_M)
        )
        for kind in kinds
    ]
    path = replace(
        fitted.path,
        videos=int(here.sum()),
        maps=maps[0],
        level50=levels[0][0],
        level90=levels[0][1],
        margin_range=(float(low), float(high)),
        unrecognised_maps=maps[1],
        unrecognised50=levels[1][0],
        unrecognised90=levels[1][1],
        recognised_from=bar,
    )
    words = f"{int(here.sum())} simulated drives of seed {seed} and {int((~here).sum())} of other cities, with the errors of odometry on pictures"
    return FittedRoads(fitted.model, path, least_fit, words)
