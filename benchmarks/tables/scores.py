"""The paper's numbers from where frames were placed, and how sure a difference of two methods is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidtag_engine.evaluation.comparison import Comparison
from vidtag_engine.evaluation.evaluate import accuracy_of
from vidtag_engine.evaluation.metrics import RADII_KM, errors_m
from vidtag_engine.types import FloatArray

from ..isles_world import Drive


def scores(drives: Sequence[Drive], predicted: Sequence[FloatArray]) -> dict[str, float]:
    """Frame-wise and video-wise metrics (App. E).

    Args:
        drives: with the truth.
        predicted: (T, 2) a drive.

    Returns:
        ``a0.5km`` … ``a25km`` and ``va0.5km`` … in per cent, ``median_km``, ``video_median_km``, ``dfd_km``, ``dfd_deg``, ``mrd_km``, ``mrd_deg``.
    """
    nothing = [np.full(len(places), np.nan) for places in predicted]
    found = accuracy_of(
        [
            Comparison(places, drive.sequence.lat_lon_deg, places, none, np.nan, frames=len(places))
            for drive, places, none in zip(drives, predicted, nothing, strict=True)
        ],
        RADII_KM,
    )
    result = {f"a{radius:g}km": percent for radius, percent in found.frame_accuracy_percent.items()}
    result |= {f"va{radius:g}km": percent for radius, percent in found.video_accuracy_percent.items()}
    result |= {"median_km": found.median_m / 1000, "video_median_km": found.video_median_m / 1000}
    result |= {"dfd_km": found.dfd_m / 1000, "dfd_deg": found.dfd_deg, "mrd_km": found.mrd_m / 1000, "mrd_deg": found.mrd_deg}
    return {name: float(value) for name, value in result.items()}


def mean_scores(each: Sequence[dict[str, float]]) -> dict[str, float]:
    """Means over training seeds, and with ``_sd`` behind the name the standard deviations (of one run: none)."""
    result = {name: float(np.mean([one[name] for one in each])) for name in each[0]}
    if len(each) > 1:
        result |= {f"{name}_sd": float(np.std([one[name] for one in each], ddof=1)) for name in each[0]}
    return result


@dataclass(frozen=True)
class Difference:
    """A difference of means and its 95 % interval."""

    mean: float
    low: float
    high: float

    def to_dict(self, digits: int = 2) -> dict[str, Any]:
        """Plain JSON values."""
        return {"mean": round(self.mean, digits), "low": round(self.low, digits), "high": round(self.high, digits)}


def paired_difference(
    first: Sequence[Sequence[FloatArray]], second: Sequence[Sequence[FloatArray]], *, draws: int = 4000, seed: int = 0
) -> Difference:
    """How much larger the second's mean over all frames is, by a bootstrap that draws whole drives and training seeds, both methods' together.

    The frames of a drive succeed or fail together, so drives are what is drawn, not frames; and with few training seeds their luck belongs into the interval.

    Args:
        first, second: values by training seed, drive and frame (1 for within 1 km, say); the same drives in both.
        draws: of the bootstrap.
        seed: of the bootstrap.
    """
    difference = np.array(
        [[b.sum() - a.sum() for a, b in zip(firsts, seconds, strict=True)] for firsts, seconds in zip(first, second, strict=True)]
    )
    frames = np.array([len(values) for values in first[0]], dtype=np.float64)
    rng = np.random.default_rng(seed)
    seeds, drives = difference.shape
    means = np.empty(draws)
    for number in range(draws):
        weight = np.bincount(rng.integers(0, drives, drives), minlength=drives)
        chosen = rng.integers(0, seeds, seeds)
        means[number] = (difference[chosen] @ weight).mean() / (frames @ weight)
    low, high = np.percentile(means, [2.5, 97.5])
    return Difference(float(difference.sum(axis=1).mean() / frames.sum()), float(low), float(high))


def within(drives: Sequence[Drive], predicted: Sequence[FloatArray], radius_km: float) -> list[FloatArray]:
    """Per drive (T,): 100 for frames within a radius, else 0."""
    return [
        100.0 * (errors_m(places, drive.sequence.lat_lon_deg) <= 1000.0 * radius_km)
        for drive, places in zip(drives, predicted, strict=True)
    ]
