"""How sure a figure is: frames of a drive are right or wrong together, so it is drives, and trainings, that are drawn again.

Every interval is a percentile bootstrap that draws whole drives with all their trainings and, where there are several, the trainings' seeds, both at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, rankdata

from vidtag_engine.types import FloatArray, IntArray

BINS = 10
DRAWS = 2000
ECE_DRAWS = 400
SAID_AT = 0.8
FEWEST_SAID = 30  # drives of a group, below which its claim is not judged
COVERAGE = (0.85, 0.95)


@dataclass(frozen=True)
class Interval:
    """A figure and its 95 % interval, or what of it lies between other shares; NaN of nothing."""

    mean: float
    low: float
    high: float

    def meets(self, low: float, high: float) -> bool:
        """Whether it has a value in common with another interval."""
        return bool(self.low <= high and self.high >= low)

    def to_list(self, digits: int = 4) -> list[float]:
        """Its two ends."""
        return [round(self.low, digits), round(self.high, digits)]

    def to_dict(self, digits: int = 4) -> dict[str, float]:
        """Plain JSON values."""
        return {"mean": round(self.mean, digits), "low": round(self.low, digits), "high": round(self.high, digits)}


@dataclass(frozen=True)
class Said:
    """What came of the frames that were said to be right with a chance of at least so much.

    Args:
        wrong: share of them that is not; NaN of none.
        frames, drives, runs: how many were said, of how many different videos, and of how many videos counted once for each training.
        upper: 95 % bound of ``wrong``, from above alone; 1 where nothing was said.
    """

    wrong: float
    frames: int
    drives: int
    runs: int
    upper: float

    @property
    def right(self) -> int:
        """How many were said rightly."""
        return round(self.frames * (1.0 - self.wrong)) if self.frames else 0

    @property
    def judged(self) -> bool:
        """Whether they come of enough videos, each counted once for each training, to be judged."""
        return self.runs >= FEWEST_SAID


def said_wrong(
    chances: ArrayLike, right: ArrayLike, drive_ids: ArrayLike, at: float = SAID_AT, *, seed_ids: ArrayLike | None = None,
    draws: int = DRAWS, seed: int = 0,
) -> Said:  # fmt: skip
    """How often a claim is wrong, its bound clustered by video.

    The bound is the 95th percentile of a bootstrap by drive and training. Where nothing at all was wrong that would be 0, however few drives there were: it is never
    below what no wrong drive of so many different ones still allows, 1 - 0.05^(1/drives).

    Args:
        chances: (N,) said of frames; NaN where nothing was said.
        right: (N,) whether it was so.
        drive_ids: (N,) of their drives, any values that tell drives apart, the same in all trainings.
        at: the claim is a chance of at least so much.
        seed_ids: (N,) of the trainings; None where there is one.
        draws, seed: of the bootstrap.
    """
    said = np.asarray(chances, dtype=np.float64) >= at
    drives, seeds = _numbers(drive_ids)[said], _numbers(seed_ids, len(said))[said]
    if not said.any():
        return Said(float("nan"), 0, 0, 0, 1.0)
    wrong = 1.0 - np.asarray(right, dtype=np.float64)[said]
    means = _means(wrong, np.ones(len(wrong)), drives, seeds, draws, seed)
    count = len(np.unique(drives))
    upper = max(float(np.nanquantile(means, 0.95)), 1.0 - 0.05 ** (1.0 / count))
    runs = len(np.unique(np.stack([drives, seeds]), axis=1).T)
    return Said(float(wrong.mean()), len(wrong), count, runs, upper)


def interval_of_mean(
    values: ArrayLike, drive_ids: ArrayLike, seed_ids: ArrayLike | None = None, weights: ArrayLike | None = None, *,
    draws: int = DRAWS, seed: int = 0,
) -> Interval:  # fmt: skip
    """A mean and its interval; for a paired difference of two methods, that of the differences.

    Args:
        values: (N,) of frames, or of drives; NaN are left out.
        drive_ids, seed_ids: (N,) of their drives and trainings.
        weights: (N,) of values that stand for several, such as a drive's mean for its frames.
        draws, seed: of the bootstrap.
    """
    found = np.asarray(values, dtype=np.float64)
    weight = np.ones(len(found)) if weights is None else np.asarray(weights, dtype=np.float64)
    known = np.isfinite(found)
    drives, seeds = _numbers(drive_ids)[known], _numbers(seed_ids, len(found))[known]
    if not known.any():
        return Interval(float("nan"), float("nan"), float("nan"))
    means = _means(found[known], weight[known], drives, seeds, draws, seed)
    low, high = np.nanpercentile(means, [2.5, 97.5])
    return Interval(float(np.average(found[known], weights=weight[known])), float(low), float(high))


def paired_difference(
    first: ArrayLike, second: ArrayLike, drive_ids: ArrayLike, seed_ids: ArrayLike | None = None, weights: ArrayLike | None = None, *,
    draws: int = DRAWS, seed: int = 0,
) -> Interval:  # fmt: skip
    """How much larger the second's mean is, over the same frames or drives in the same order; see :func:`interval_of_mean`."""
    difference = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    return interval_of_mean(difference, drive_ids, seed_ids, weights, draws=draws, seed=seed)


def debiased_ece(chances: ArrayLike, right: ArrayLike, drive_ids: ArrayLike | None = None, bins: int = BINS) -> float:
    """Expected calibration error in bins of equal mass, less what sampling alone adds to it.

    In a bin |mean chance - share right| is too large on average, as its sampling error counts whichever way it points. As Kumar et al. (2019) do for this absolute
    error, its expected rise under a normal sampling error is taken off: E|gap + e| - |gap|, e ~ N(0, v), here in closed form, not by drawing. v is that of frames
    that are independent, or with ``drive_ids`` that of a mean over clusters: frames of a drive, in all trainings, are right or wrong together, so that v is larger
    and more is taken off. What is left is on average not too small: of chances that are exact, about half of the rise stays. Equal chances share a bin, so that
    bins may differ in size.

    Args:
        chances: (N,); NaN are left out.
        right: (N,) whether it was so.
        drive_ids: (N,) clusters; None: every frame by itself.
        bins: how many.

    Returns:
        not below 0; NaN of no frames.
    """
    said, was = np.asarray(chances, dtype=np.float64), np.asarray(right, dtype=np.float64)
    known = np.isfinite(said)
    clusters = None if drive_ids is None else _numbers(drive_ids)[known]
    said, was = said[known], was[known]
    if not len(said):
        return float("nan")
    bin_of = np.minimum(((rankdata(said) - 0.5) / len(said) * bins).astype(int), bins - 1)
    total = 0.0
    for number in np.unique(bin_of):
        here = bin_of == number
        gap, variance = _gap(was[here] - said[here], was[here], None if clusters is None else clusters[here])
        spread = np.sqrt(variance)
        # The mean of a folded normal.
        folded = (
            gap
            if spread == 0
            else spread * np.sqrt(2 / np.pi) * np.exp(-0.5 * (gap / spread) ** 2) + gap * (1 - 2 * norm.cdf(-gap / spread))
        )
        total += here.mean() * (2.0 * gap - folded)
    return float(max(0.0, total))


def ece_difference(
    first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike], drive_ids: ArrayLike, seed_ids: ArrayLike | None = None, *,
    draws: int = ECE_DRAWS, seed: int = 0,
) -> Interval:  # fmt: skip
    """How much larger the second's ECE is, of the same frames in the same order.

    Args:
        first, second: chances and whether they were right, (N,) each.
        drive_ids, seed_ids: (N,) of their drives and trainings.
        draws, seed: of the bootstrap.
    """
    (a, a_right), (b, b_right) = ((np.asarray(said, dtype=np.float64), np.asarray(was, dtype=np.float64)) for said, was in (first, second))
    drives, seeds = _numbers(drive_ids), _numbers(seed_ids, len(a))
    differences = [
        debiased_ece(b[rows], b_right[rows], clusters) - debiased_ece(a[rows], a_right[rows], clusters)
        for rows, clusters in _drawn(drives, seeds, draws, seed)
    ]
    low, high = np.nanpercentile(differences, [2.5, 97.5])
    return Interval(debiased_ece(b, b_right, drives) - debiased_ece(a, a_right, drives), float(low), float(high))


def coverage_of(covered: ArrayLike, drive_ids: ArrayLike, seed_ids: ArrayLike | None = None, **options: Any) -> tuple[Interval, bool]:
    """Mean share of a drive's frames whose truths lie in their regions, and whether its interval meets .85 to .95.

    Args:
        covered: (N,) a drive and training.
        drive_ids, seed_ids: (N,) of them.
        options: of the bootstrap.
    """
    interval = interval_of_mean(covered, drive_ids, seed_ids, **options)
    return interval, interval.meets(*COVERAGE)


def _gap(error: FloatArray, was: FloatArray, clusters: IntArray | None) -> tuple[float, float]:
    """A bin's |mean error|, and the variance of its mean."""
    mean, count = float(error.mean()), len(error)
    if clusters is None:
        share = float(was.mean())
        return abs(mean), share * (1.0 - share) / count
    sums = np.bincount(clusters, error - mean, minlength=1)
    present = len(np.unique(clusters))
    if present < 2:  # one drive is one draw
        chance = float((was - error).mean())
        return abs(mean), chance * (1.0 - chance)
    return abs(mean), float((sums**2).sum()) / count**2 * present / (present - 1)


def _numbers(ids: ArrayLike | None, count: int = 0) -> IntArray:
    """Numbers from 0 in place of any ids; all 0 of none."""
    if ids is None:
        return np.zeros(count, dtype=np.int64)
    return np.unique(np.asarray(ids), return_inverse=True)[1].reshape(-1).astype(np.int64)


def _means(values: FloatArray, weights: FloatArray, drives: IntArray, seeds: IntArray, draws: int, seed: int) -> FloatArray:
    """(draws,) weighted means of the bootstrap; NaN for a draw that holds none of the values."""
    shape = (int(seeds.max()) + 1, int(drives.max()) + 1)
    above, below = np.zeros(shape), np.zeros(shape)
    np.add.at(above, (seeds, drives), values * weights)
    np.add.at(below, (seeds, drives), weights)
    used_seeds, used_drives = below.any(axis=1), below.any(axis=0)
    above, below = above[np.ix_(used_seeds, used_drives)], below[np.ix_(used_seeds, used_drives)]
    rng = np.random.default_rng(seed)
    of_drives = rng.multinomial(below.shape[1], np.full(below.shape[1], 1 / below.shape[1]), size=draws)
    of_seeds = rng.multinomial(below.shape[0], np.full(below.shape[0], 1 / below.shape[0]), size=draws)
    top, bottom = (np.einsum("bs,sd,bd->b", of_seeds, part, of_drives, optimize=True) for part in (above, below))
    with np.errstate(invalid="ignore", divide="ignore"):
        means: FloatArray = np.where(bottom > 0, top / bottom, np.nan)
    return means


def _drawn(drives: IntArray, seeds: IntArray, draws: int, seed: int) -> Iterator[tuple[NDArray[np.int64], IntArray]]:
    """Rows of the frames of a bootstrap's draws, and clusters: a drive that is drawn twice is two."""
    rng = np.random.default_rng(seed)
    count, trainings = int(drives.max()) + 1, int(seeds.max()) + 1
    rows = [[np.flatnonzero((drives == drive) & (seeds == training)) for training in range(trainings)] for drive in range(count)]
    for _ in range(draws):
        chosen = rng.integers(0, trainings, trainings)
        parts = [np.concatenate([rows[drive][training] for training in chosen]) for drive in rng.integers(0, count, count)]
        yield np.concatenate(parts), np.repeat(np.arange(count), [len(part) for part in parts])
