"""Are probabilities and regions right? Test drives of a world that nothing was tuned on (simulated)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binom

from vidtag_engine.geodesy import haversine_m
from vidtag_engine.trajectory import RADII_M, brier, ece, mass_about
from vidtag_engine.trajectory.fit import truth_levels
from vidtag_engine.trajectory.regions import highest

from .isles_paths import Paths, open_lab, open_paths
from .isles_world import Drive

TITLE = "Calibration by video: probabilities within radii, coverage and size of regions, isles (simulated)"


def run(seed: int | str = 0, *, quick: bool = False, world: Path | None = None) -> dict[str, Any]:
    """The world's test drives, and those in quarters that nothing was trained on by themselves.

    Args:
        seed: of the world.
        quick: a small world and budget.
        world: a folder with a rendered world, instead of the benchmark's own.
    """
    lab, _ = open_lab(seed, quick=quick, world=world)
    paths = open_paths(lab)
    result = measure(paths, lab.world.of("test"))
    unseen = lab.world.of("test_unseen")
    if unseen:
        result |= {f"unseen_{name}": value for name, value in measure(paths, unseen).items()}
    return {"simulated": True, "calibration_drives": paths.calibration.videos, **result}


def measure(paths: Paths, drives: list[Drive]) -> dict[str, Any]:
    """Every number, over frames for probabilities and over drives for coverage."""
    fitted, decoder = paths.calibration, paths.decoder
    said, errors, covered, sizes = [], [], [], []
    for drive, decoded in zip(drives, paths.decoded(drives), strict=True):
        truth = drive.sequence.lat_lon_deg
        chance = fitted.chances(lambda radii, of=decoded: mass_about(of.marginal, decoder, of.lat_lon_deg, radii), RADII_M)  # type: ignore[misc]
        said.append(np.maximum.accumulate(chance, axis=1))
        errors.append(haversine_m(*decoded.lat_lon_deg.T, *truth.T))
        levels = truth_levels(decoder, decoded.marginal, truth)
        covered.append([np.mean(levels <= level) for level in (fitted.level50, fitted.level90)])
        share = decoded.marginal[len(truth) // 2].data.astype(np.float64)
        sizes.append(int(highest(share, [fitted.level90]).sum()) * decoder.spacing_m**2 / 1e6)
    chances, error = np.concatenate(said), np.concatenate(errors)
    by_radius = {}
    for column, radius_m in enumerate(RADII_M):
        right = error <= radius_m
        base = float(np.mean((right.mean() - right) ** 2))
        by_radius[f"{radius_m:g}m"] = {
            "share": round(float(right.mean()), 4),
            "mean_said": round(float(chances[:, column].mean()), 4),
            "ece": round(ece(chances[:, column], right), 4),
            "brier_skill": round(1.0 - brier(chances[:, column], right) / base, 4) if base else float("nan"),
        }
    share50, share90 = np.mean(covered, axis=0)
    low, high = binom.interval(0.95, len(drives), 0.9)
    return {
        "drives": len(drives),
        "ece_max": max(one["ece"] for one in by_radius.values()),
        "brier_skill_min": min(one["brier_skill"] for one in by_radius.values()),
        "coverage_50": round(float(share50), 4),
        "coverage_90": round(float(share90), 4),
        "coverage_ok": bool(low / len(drives) <= share90 <= high / len(drives)),
        "coverage_interval": [round(low / len(drives), 4), round(high / len(drives), 4)],
        "region_median_km2": round(float(np.median(sizes)), 3),
        "by_radius": by_radius,
    }
