"""How well ``--truth-offset-s auto`` finds a clock that is off: drives whose truth is shifted by -30 to 30 s."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.cli.terminal import progress_bar
from vidtag_engine.truth_offset import AUTO, apply_offset
from vidtag_engine.types import Progress
from vidtag_engine.video import open_source, read_track

from .offset_drives import LEAST_TURNS, drives
from .recordings import recordings

TITLE = "Clock offsets found from the picture's motion: drives whose truth is shifted by -30 to 30 s (simulated, and a GoPro's recording)"
SHIFTS_S, WRONG_S = (-30.0, -17.3, -4.6, 0.0, 8.1, 21.7, 30.0), 2.0
DEMO = Path(__file__).resolve().parent.parent / "resources" / "demo"
DEMO_TURNS = 2


def run(seed: int | str = 0) -> dict[str, Any]:
    """Shift every drive's truth, ask for the offset, and compare.

    Args:
        seed: of the simulated drives; "dev" are those that the thresholds were chosen on.

    Returns:
        ``median_error_s`` and ``sure_and_wrong`` (off by more than 2 s, as a share of the sure) over those that were sure, ``sure_share`` over drives with at
        least two turns, and each by group.
    """
    cases = [("demo", DEMO_TURNS, DEMO / "drive.mp4", DEMO / "drive.gpx")]
    cases.append(("gopro", 0, gopro := recordings("gopro") / "max-heromode.mp4", gopro))
    found: dict[str, list[tuple[bool, bool, float]]] = defaultdict(list)
    with progress_bar() as bar:
        rows = drives(str(seed), bar)
        cases += [(_group(row), row["turns"], row["video"], row["track"]) for row in rows]
        for number, (group, turns, video, track) in enumerate(cases):
            bar(Progress(number / len(cases), "offset", video.name))
            found[group] += [(turns >= LEAST_TURNS, *one) for one in _offsets(video, track)]
    everything = [one for group in found.values() for one in group]
    result: dict[str, Any] = {"seed": str(seed), "drives": len(cases), "shifts": len(SHIFTS_S), **_scores(everything)}
    for group, ones in found.items():
        result |= {f"{group}_{key}": value for key, value in _scores(ones).items()}
    return result


def _group(row: dict[str, Any]) -> str:
    place = "town" if row["name"].startswith("town") else "isle"
    return f"{place}_{row['kind']}"


def _offsets(video: Path, track_file: Path) -> list[tuple[bool, float]]:
    """Whether it was sure, and how far off it was, for every shift."""
    info, track = open_source(video), read_track(track_file)
    found = []
    for shift_s in SHIFTS_S:
        _, done = apply_offset(replace(track, time_s=track.time_s - shift_s), info, AUTO, video)
        found.append((done.found is not None and done.found.sure, abs(done.offset_s - shift_s)))
    return found


def _scores(ones: list[tuple[bool, bool, float]]) -> dict[str, Any]:
    """Of (has turns, is sure, error in seconds)."""
    sure = np.array([error for _, is_sure, error in ones if is_sure])
    turning = [is_sure for turns, is_sure, _ in ones if turns]
    return {
        "tried": len(ones),
        "sure": len(sure),
        "sure_share": round(float(np.mean(turning)), 3) if turning else None,
        "median_error_s": round(float(np.median(sure)), 3) if len(sure) else None,
        "sure_and_wrong": round(float((sure > WRONG_S).mean()), 4) if len(sure) else 0.0,
    }
