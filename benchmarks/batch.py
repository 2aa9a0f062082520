"""Ten thousand videos: what keeping their results takes, whether a kill loses any, what several workers gain, and what a video costs beside its encoding.

``write_s_10000`` and ``peak_mb`` are of made-up results of 60 frames, kept one by one and merged as a run does. ``--rows`` takes some of growth, ratio, kills,
dask and overhead; ``--counts`` other numbers of results.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidtag_engine.types import InputError

from .batch_cluster import efficiency
from .batch_kills import kills
from .batch_overhead import overhead
from .batch_writing import growth, ratios, room_for

TITLE = "Batches: seconds to keep results by their number, kills, workers, and overhead a video"
ROWS = ("growth", "ratio", "kills", "dask", "overhead")
COUNTS, QUICK_COUNTS = (100, 300, 1000, 3000, 10_000), (30, 60, 100, 300)
RATIO_COUNTS, QUICK_RATIO_COUNTS = (300, 1000), (60,)
VIDEOS, QUICK_VIDEOS = 100, 10
CLUSTER_VIDEOS, QUICK_CLUSTER_VIDEOS = 60, 8


def run(
    seed: int = 0, *, rows: str | None = None, counts: str | None = None, before: Path | None = None, quick: bool = False
) -> dict[str, Any]:
    """Measure batches.

    Args:
        seed: of made-up results and of random moments.
        rows: some of ``ROWS``, with commas; None: all.
        counts: numbers of results whose growth is measured, with commas, at least two.
        before: a checkout of the earlier build; None takes it from the repository.
        quick: small counts, few kills, few videos.

    Returns:
        ``write_exponent``, ``write_s_<most>``, ``peak_mb``, ``write_ratio_<count>``, ``kills``, ``lost``, ``twice``, ``dask_efficiency`` and
        ``overhead_a_video_s`` of the rows that were run, and what they are made of.
    """
    wanted = rows.split(",") if rows else list(ROWS)
    if unknown := [one for one in wanted if one not in ROWS]:
        raise InputError(f"There is no row {unknown[0]!r}: give some of {', '.join(ROWS)}.")
    of_growth = _counts(counts) if counts else QUICK_COUNTS if quick else COUNTS
    found: dict[str, Any] = {"simulated": True}
    for row in ROWS:
        if row not in wanted:
            continue
        if row == "growth":
            room_for(max(of_growth))
            found |= growth(of_growth, seed)
        elif row == "ratio":
            found |= ratios(QUICK_RATIO_COUNTS if quick else RATIO_COUNTS, seed, before)
        elif row == "kills":
            found |= kills(seed, quick=quick)
        elif row == "dask":
            found |= efficiency(QUICK_CLUSTER_VIDEOS if quick else CLUSTER_VIDEOS)
        elif row == "overhead":
            found |= overhead(QUICK_VIDEOS if quick else VIDEOS)
    return found


def _counts(text: str) -> tuple[int, ...]:
    counts = sorted({int(one) for one in text.split(",") if one.strip().isdigit()})
    if len(counts) < 2 or counts[0] < 1:
        raise InputError(f"{text!r} are no numbers of results: give at least two, such as 100,1000.")
    return tuple(counts)
