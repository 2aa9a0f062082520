"""Figures of the rows by how drives lie to training, with intervals over drives and trainings, and differences of two rows on the same frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from vidtag_engine.evaluation.metrics import RADII_KM, dfd_m, errors_m, mrd_m
from vidtag_engine.evaluation.ways import WAYS
from vidtag_engine.types import FloatArray, IntArray

from .counting import Interval, interval_of_mean, paired_difference
from .isles_world import Drive

ALL = "all"
MEDIAN_DRAWS = 400
_SHORT = {f"a{radius:g}km".replace(".", ""): radius for radius in RADII_KM}


@dataclass(frozen=True)
class Answers:
    """A row's answers.

    Args:
        drives: with their truths.
        split: of each drive, by its name.
        places: by training, (T, 2) a drive.
    """

    drives: tuple[Drive, ...]
    split: dict[str, str]
    places: list[list[FloatArray]]

    @cached_property
    def errors_m(self) -> list[list[FloatArray]]:
        """By training, (T,) a drive."""
        return [[errors_m(one, drive.sequence.lat_lon_deg) for one, drive in zip(every, self.drives, strict=True)] for every in self.places]

    def within(self, radius_km: float) -> list[FloatArray]:
        """(T,) of each training's drives, one after the other: 100 for frames within a radius, else 0."""
        return [100.0 * (one <= 1000.0 * radius_km) for every in self.errors_m for one in every]

    @cached_property
    def dfd_km(self) -> list[FloatArray]:
        """(1,) likewise: the discrete Fréchet distance of a drive."""
        return self._of_lines(dfd_m)

    @cached_property
    def mrd_km(self) -> list[FloatArray]:
        """(1,) likewise: the mean range difference of a drive."""
        return self._of_lines(mrd_m)

    def rows(self, split: str) -> list[int]:
        """Numbers of a split's drives in those lists, of all trainings."""
        here = [number for number, drive in enumerate(self.drives) if split in (ALL, self.split[drive.sequence.name])]
        return [training * len(self.drives) + number for training in range(len(self.places)) for number in here]

    def ids(self, values: Sequence[FloatArray], rows: Sequence[int]) -> tuple[FloatArray, IntArray, IntArray]:
        """Values of some of a list's rows put together, and of each its drive and training."""
        lengths = [len(values[row]) for row in rows]
        whose, training = (
            np.repeat([of(row, len(self.drives)) for row in rows], lengths) for of in (lambda a, b: a % b, lambda a, b: a // b)
        )
        return np.concatenate([values[row] for row in rows]), whose, training

    def _of_lines(self, measured: Callable[[FloatArray, FloatArray], float]) -> list[FloatArray]:
        return [
            np.array([measured(one, drive.sequence.lat_lon_deg) / 1000.0])
            for every in self.places
            for one, drive in zip(every, self.drives, strict=True)
        ]


def figures(answers: Answers) -> dict[str, Any]:
    """By split ``drives`` and [mean, low, high] of ``a05km`` and its kin, ``dfd_km`` and ``mrd_km`` (means over drives) and ``median_km``."""
    result = {}
    for split, rows in _parts(answers):
        part: dict[str, Any] = {"drives": len(rows) // len(answers.places)}
        for name, values in _measures(answers).items():
            part[name] = _listed(interval_of_mean(*answers.ids(values, rows)))
        result[split] = part | {"median_km": _listed(_median_km(answers, rows))}
    return result


def differences(worse: Answers, better: Answers) -> dict[str, Any]:
    """By split, how much more the second has on the same frames or drives, with the trainings of one seed beside each other: [mean, low, high]."""
    result = {}
    for split, rows in _parts(worse):
        part: dict[str, Any] = {"drives": len(rows) // len(worse.places)}
        for (name, first), second in zip(_measures(worse).items(), _measures(better).values(), strict=True):
            values, drives, trainings = worse.ids(first, rows)
            part[name] = _listed(paired_difference(values, better.ids(second, rows)[0], drives, trainings))
        result[split] = part
    return result


def page(result: dict[str, Any]) -> str:
    """What people read: rows over all drives, then each split's share within 1 km, then differences within 1 km and in DFD."""
    shown = (*_SHORT, "median_km", "dfd_km", "mrd_km")
    lines = [_line("all drives", shown)] + [_line(row, [_said(of[ALL][name]) for name in shown]) for row, of in result["rows"].items()]
    for title, measure, rows in (
        ("a1km by split", "a1km", result["rows"]),
        ("difference, a1km", "a1km", result["differences"]),
        ("difference, dfd_km", "dfd_km", result["differences"]),
    ):
        lines += ["", _line(title, (ALL, *WAYS))]
        lines += [_line(row, [_said(of[split][measure]) if split in of else "" for split in (ALL, *WAYS)]) for row, of in rows.items()]
    equal = {row: one for row, one in result["at_equal_a25km"].items() if isinstance(one, dict)}
    if equal:
        lines += ["", f"at the step with a25km of {result['at_equal_a25km']['validation_a25km']} % on validation drives"]
        lines += [
            f"{row:24} steps {one['steps']}: a1km {_said(one[ALL]['a1km'])}, a25km {_said(one[ALL]['a25km'])}" for row, one in equal.items()
        ]
    return "\n".join(lines + ([f"not done yet: {', '.join(result['missing'])}"] if result["missing"] else []))


def _parts(answers: Answers) -> Iterator[tuple[str, list[int]]]:
    for split in (ALL, *WAYS):
        if rows := answers.rows(split):
            yield split, rows


def _measures(answers: Answers) -> dict[str, list[FloatArray]]:
    return {name: answers.within(radius) for name, radius in _SHORT.items()} | {"dfd_km": answers.dfd_km, "mrd_km": answers.mrd_km}


def _median_km(answers: Answers, rows: Sequence[int]) -> Interval:
    """The median error of all frames; drives and trainings are drawn again as for means."""
    error_km = [one / 1000.0 for every in answers.errors_m for one in every]
    trainings, count = len(answers.places), len(rows) // len(answers.places)
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(MEDIAN_DRAWS):
        of_drives, of_trainings = rng.integers(count, size=count), rng.integers(trainings, size=trainings)
        drawn.append(
            np.median(np.concatenate([error_km[rows[training * count + drive]] for training in of_trainings for drive in of_drives]))
        )
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(np.median(np.concatenate([error_km[row] for row in rows]))), float(low), float(high))


def _line(name: str, entries: Iterable[str]) -> str:
    return f"{name:36}" + "".join(f"{entry:>24}" for entry in entries)


def _listed(interval: Interval) -> list[float]:
    return [round(interval.mean, 3), *interval.to_list(3)]


def _said(of: Sequence[float]) -> str:
    return f"{of[0]:.4g} [{of[1]:.4g}, {of[2]:.4g}]"
