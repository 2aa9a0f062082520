"""Are probabilities and regions right? Test drives of a world that nothing was tuned on (simulated)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binom

from vidtag_engine.geodesy import haversine_m
from vidtag_engine.trajectory import RADII_M, Decoded, brier, ece, mass_about
from vidtag_engine.trajectory.fit import truth_levels
from vidtag_engine.trajectory.lead import line_lead
from vidtag_engine.trajectory.regions import highest
from vidtag_engine.types import FloatArray

from .isles_paths import Paths, open_lab, open_paths
from .isles_world import TEST_SPLITS, Drive

TITLE = "Calibration by video: probabilities within radii, coverage and size of regions, isles (simulated)"


def run(seed: int | str = 0, *, quick: bool = False, world: Path | None = None, layout: bool = True) -> dict[str, Any]:
    """All test drives; then those on streets that training drove, and those on others, by themselves.

    Args:
        seed: of the world.
        quick: a small world and budget.
        world: a folder with a rendered world, instead of the benchmark's own.
        layout: remembered frames are also compared by what stands where in them.
    """
    lab, _ = open_lab(seed, quick=quick, world=world, layout=layout)
    paths = open_paths(lab)
    drives = lab.world.of(*TEST_SPLITS)
    found = [judged(paths, drive) for drive in drives]
    result = {"simulated": True, "calibration_drives": paths.calibration.videos, **measure(found)}
    for name, split in (("seen", "test"), ("unseen", "test_unseen")):
        if part := [one for one, drive in zip(found, drives, strict=True) if drive.split == split]:
            result |= {f"{name}_{key}": value for key, value in measure(part).items()}
    return result


@dataclass(frozen=True)
class Judged:
    """What was said of a drive, and what was so.

    Args:
        chances: (T, R) said to lie within RADII_M.
        error_m: (T,) of the line.
        covered: shares of the frames whose truths lie in the 50 and 90 % regions.
        region_km2: of the middle frame's 90 % region.
    """

    chances: FloatArray
    error_m: FloatArray
    covered: tuple[float, float]
    region_km2: float


def judged(paths: Paths, drive: Drive) -> Judged:
    """A drive's answer beside its truth."""
    fitted, decoder, truth = paths.calibration, paths.decoder, drive.sequence.lat_lon_deg
    decoded, chances = answered(paths, drive, paths.scores(drive))
    levels = truth_levels(decoder, decoded.marginal, truth)
    share = decoded.marginal[len(truth) // 2].data.astype(np.float64)
    return Judged(
        np.maximum.accumulate(chances, axis=1),
        haversine_m(*decoded.lat_lon_deg.T, *truth.T),
        (float(np.mean(levels <= fitted.level50)), float(np.mean(levels <= fitted.level90))),
        int(highest(share, [fitted.level90]).sum()) * decoder.spacing_m**2 / 1e6,
    )


def answered(paths: Paths, drive: Drive, scores: FloatArray) -> tuple[Decoded, FloatArray]:
    """A drive's line and posterior from its scores over the paths' places, and (T, R) how likely the truth is said to lie within RADII_M of the line."""
    fitted, decoder, decoded = paths.calibration, paths.decoder, paths.decode(drive, scores)
    lead = line_lead(decoder, scores, decoded.lat_lon_deg, fitted.accuracy_m)
    return decoded, fitted.chances(lambda radii: mass_about(decoded.marginal, decoder, decoded.lat_lon_deg, radii), RADII_M, lead)


def measure(drives: Sequence[Judged]) -> dict[str, Any]:
    """Every number, over frames for probabilities and over drives for coverage."""
    chances, error = (np.concatenate(parts) for parts in zip(*((one.chances, one.error_m) for one in drives), strict=True))
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
    share50, share90 = np.mean([one.covered for one in drives], axis=0)
    low, high = binom.interval(0.95, len(drives), 0.9)
    return {
        "drives": len(drives),
        "ece_max": max(one["ece"] for one in by_radius.values()),
        "brier_skill_min": min(one["brier_skill"] for one in by_radius.values()),
        "coverage_50": round(float(share50), 4),
        "coverage_90": round(float(share90), 4),
        "coverage_ok": bool(low / len(drives) <= share90 <= high / len(drives)),
        "coverage_interval": [round(low / len(drives), 4), round(high / len(drives), 4)],
        "region_median_km2": round(float(np.median([one.region_km2 for one in drives])), 3),
        "by_radius": by_radius,
    }
