"""What was said of drives, split by how they lie to training: today's build and a new one are counted alike."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.evaluation.ways import WAYS
from vidtag_engine.trajectory import RADII_M
from vidtag_engine.types import FloatArray

from .counting import Interval, Said, coverage_of, debiased_ece, interval_of_mean, said_wrong

ALL = "all"


@dataclass(frozen=True)
class Record:
    """One drive as one training's model answered it, and the truth.

    Args:
        drive: its name, the same in all trainings.
        seed: of the training.
        split: how it lies to training.
        chances: (T, R) said to lie within RADII_M; NaN where no probability is given.
        error_m: (T,) of its line.
        covered50, covered90: shares of the frames whose truths lie in the 50 and 90 % regions; NaN where there is none.
        region_km2: of the middle frame's 90 % region.
        withheld: not answered, for whatever reason.
        state: why not, or ``answered``.
    """

    drive: str
    seed: int
    split: str
    chances: FloatArray
    error_m: FloatArray
    covered50: float
    covered90: float
    region_km2: float
    withheld: bool = False
    state: str = "answered"


def by_split(records: Sequence[Record], *, draws: int = 2000) -> dict[str, dict[str, Any]]:
    """The figures of all drives, and of each split that has any.

    Args:
        records: of all drives and trainings.
        draws: of every bootstrap.
    """
    groups = {ALL: list(records), **{name: [one for one in records if one.split == name] for name in WAYS}}
    return {name: figures(part, draws=draws) for name, part in groups.items() if part}


def figures(records: Sequence[Record], *, draws: int = 2000) -> dict[str, Any]:
    """A group's figures: of every drive, withheld or not, and under ``answered`` of the answered ones alone with the share kept.

    ``drives`` are different videos, ``drive_runs`` counts each once for every training. ``said80_*`` is of frames said to lie within a radius with at least 80 %;
    ``said80_judged_*``: they come of 30 drive runs at least. ``ece`` counts drives as clusters, ``ece_frames`` frames as independent.
    """
    names, seeds = [one.drive for one in records], [one.seed for one in records]
    kept = interval_of_mean([not one.withheld for one in records], names, seeds, draws=draws)
    states = sorted({one.state for one in records})
    answered = [one for one in records if not one.withheld]
    return {
        "drives": len(set(names)),
        "drive_runs": len(records),
        "kept": _rounded(kept.mean),
        "kept_interval": _ends(kept),
        "states": {state: sum(one.state == state for one in records) for state in states},
        **_posteriors(records, draws),
        "answered": {"drives": len({one.drive for one in answered}), "drive_runs": len(answered), **_posteriors(answered, draws)},
    }


def beside(new: dict[str, dict[str, Any]], today: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What :func:`by_split` found of a new build against today's, by group.

    ``region_ratio`` of the median regions; ``said80_share_*``: frames that the new one says, over those that today's says rightly (None: it says none).
    """
    result = {}
    for name in new.keys() & today.keys():
        now, then = new[name], today[name]
        found = {"region_ratio": _ratio(now["region_median_km2"], then["region_median_km2"])}
        for key in map(radius_key, RADII_M):
            found[f"said80_share_{key}"] = _ratio(now[f"said80_count_{key}"], then[f"said80_right_{key}"])
        result[name] = found
    return {name: result[name] for name in (ALL, *WAYS) if name in result}


def save_records(records: Iterable[Record], path: Path) -> None:
    """Keep records as JSON, for another build's to be set beside them."""
    rows = [asdict(one) | {"chances": one.chances.tolist(), "error_m": one.error_m.tolist()} for one in records]
    path.write_text(json.dumps(rows), encoding="utf-8")


def load_records(path: Path) -> list[Record]:
    """What :func:`save_records` kept."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [
        Record(
            **row | {"chances": np.array(row["chances"], dtype=np.float64).reshape(-1, len(RADII_M)), "error_m": np.array(row["error_m"])}
        )
        for row in rows
    ]


def radius_key(radius_m: float) -> str:
    """A radius in a key's name: 500m."""
    return f"{radius_m:g}m"


def frames_of(records: Sequence[Record]) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Frames of all records: chances (N, R), errors (N,), names of their drives (N,) and seeds of the trainings (N,)."""
    chances = np.concatenate([np.zeros((0, len(RADII_M))), *(one.chances for one in records)])
    error_m = np.concatenate([np.zeros(0), *(one.error_m for one in records)])
    lengths = [len(one.error_m) for one in records]
    return chances, error_m, np.repeat([one.drive for one in records], lengths), np.repeat([one.seed for one in records], lengths)


def _posteriors(records: Sequence[Record], draws: int) -> dict[str, Any]:
    chances, error_m, drives, seeds = frames_of(records)
    result: dict[str, Any] = {"frames": len(error_m), "rated": int(np.isfinite(chances).all(axis=1).sum())}
    clustered, independent = {}, {}
    for column, radius_m in enumerate(RADII_M):
        key, said, right = radius_key(radius_m), chances[:, column], error_m <= radius_m
        claim = said_wrong(said, right, drives, seed_ids=seeds, draws=draws)
        result |= {f"said80_{name}_{key}": value for name, value in _of_claim(claim).items()}
        clustered[key], independent[key] = debiased_ece(said, right, drives), debiased_ece(said, right)
    names, trainings = [one.drive for one in records], [one.seed for one in records]
    coverage, meets = coverage_of([one.covered90 for one in records], names, trainings, draws=draws)
    regions = np.array([one.region_km2 for one in records], dtype=np.float64)
    return result | {
        "ece_max": _rounded(_largest(clustered.values())),
        "ece_by_radius": {key: _rounded(value) for key, value in clustered.items()},
        "ece_frames_max": _rounded(_largest(independent.values())),
        "ece_frames_by_radius": {key: _rounded(value) for key, value in independent.items()},
        "coverage_50": _rounded(interval_of_mean([one.covered50 for one in records], names, trainings, draws=1).mean),
        "coverage_90": _rounded(coverage.mean),
        "coverage_90_interval": _ends(coverage),
        "coverage_90_meets": meets,
        "region_median_km2": _rounded(float(np.nanmedian(regions)) if np.isfinite(regions).any() else float("nan")),
    }


def _of_claim(claim: Said) -> dict[str, Any]:
    return {
        "wrong": _rounded(claim.wrong),
        "upper": _rounded(claim.upper),
        "count": claim.frames,
        "right": claim.right,
        "drives": claim.drives,
        "drive_runs": claim.runs,
        "judged": claim.judged,
    }


def _ratio(above: float | None, below: float | None) -> float | None:
    return round(above / below, 4) if above is not None and below else None


def _largest(values: Iterable[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return max(known, default=float("nan"))


def _ends(interval: Interval) -> list[float | None]:
    return [_rounded(interval.low), _rounded(interval.high)]


def _rounded(value: float, digits: int = 4) -> float | None:
    """For JSON, in which there is no NaN."""
    return round(value, digits) if np.isfinite(value) else None
