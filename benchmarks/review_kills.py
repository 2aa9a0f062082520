"""Engines killed while they write a review: judgements and pins are added and removed, each in a process that is killed at a random moment and asked again.

Each request runs in a process of its own, forked with everything loaded; SIGKILL comes at a moment drawn evenly over the time that such a request takes.
It is asked again, with the very same arguments, until one answers, as the workbench does. Every 25 requests begin with a result that has no review file yet.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from vidtag_engine.command_arguments import PinArguments, ReviewArguments
from vidtag_engine.commands.pin_actions import run_pin_action
from vidtag_engine.commands.review import run_review
from vidtag_engine.export import write_geopackage
from vidtag_engine.export.review_file import review_path
from vidtag_engine.types import DecodeReport, FrameState, InputError, Provenance, TimeSource, Trajectory, VideoInfo, VideoResult

TITLE = "review_kills: engines killed at random moments while they write judgements and pins"
FRAMES, ROUND = 200, 25
_TRIES = 6


def run(seed: int = 0, kills: int = 500) -> dict[str, Any]:
    """Kill until so many processes were killed before they answered.

    Args:
        seed: of the requests and the moments.
        kills: at least so many.

    Returns:
        ``kills``, ``requests``, ``lost`` and ``doubled`` (rows of judgements and pins that are not there, or too many), ``damaged`` files, ``left`` (hidden
        files after the last request), and ``refused``, requests that were refused though they had been asked before.
    """
    if not hasattr(os, "fork"):
        raise InputError("This needs a system that forks processes: run it on Linux or macOS.")
    rng, total = np.random.default_rng(seed), Counter(kills=0, requests=0, lost=0, doubled=0, damaged=0, left=0, refused=0)
    with tempfile.TemporaryDirectory() as scratch:
        while total["kills"] < kills:
            folder = Path(scratch) / f"{total['requests']}"
            folder.mkdir()
            total.update(_round(folder / "made up.gpkg", rng))
    return dict(total)


def _round(result: Path, rng: np.random.Generator) -> Counter[str]:
    """Some requests to one result, and what is wrong with its review file afterwards."""
    _make(result)
    counts: Counter[str] = Counter()
    expected: dict[str, set[str]] = {"review": set(), "pins": set()}
    usual_s = 0.1
    for number in range(ROUND):
        table = ("review", "pins")[number % 2]
        words, removes = f"number {number}", number > 6 and rng.random() < 0.3 and bool(expected[table])
        if removes:
            words = sorted(expected[table])[int(rng.integers(len(expected[table])))]
        request = _removal(result, table, words) if removes else _addition(result, table, words, number)
        usual_s = _until_answered(request, rng, usual_s, counts)
        counts["requests"] += 1
        (expected[table].remove if removes else expected[table].add)(words)
    counts += _faults(result, expected)
    return counts


def _addition(result: Path, table: str, words: str, number: int) -> Callable[[], Any]:
    when = (datetime(2026, 5, 1, tzinfo=UTC) + timedelta(milliseconds=number)).isoformat(timespec="milliseconds")
    if table == "review":
        row = {
            "video": "made-up.mp4",
            "from_s": float(number),
            "to_s": float(number + 3),
            "state": "unsure",
            "comment": words,
            "when": when,
        }
        return lambda: run_review(ReviewArguments(str(result), "add", row))
    pin = {"video": "made-up.mp4", "time_s": float(number), "kind": "confirmed", "why": words, "when": when}
    return lambda: run_pin_action(PinArguments(str(result), pin, "add"))


def _removal(result: Path, table: str, words: str) -> Callable[[], Any]:
    """As from a list: the row's number, and what a person saw under it."""
    column, moment = ("comment", "from_s, to_s") if table == "review" else ("why", "time_s")
    with closing(sqlite3.connect(review_path(result))) as database:
        query = f"SELECT fid, video, {moment} FROM {table} WHERE {column} = ?"
        number, video, *times = database.execute(query, (words,)).fetchone()
    if table == "review":
        row = {"video": video, "from_s": times[0], "to_s": times[1]}
        return lambda: run_review(ReviewArguments(str(result), "remove", row, number))
    return lambda: run_pin_action(PinArguments(str(result), {"video": video, "time_s": times[0]}, "remove", number))


def _until_answered(request: Callable[[], Any], rng: np.random.Generator, usual_s: float, counts: Counter[str]) -> float:
    """Ask, kill and ask again; the last time nobody kills. Returns how long a request takes, as the next one shall be killed within that."""
    for attempt in range(_TRIES):
        since = time.perf_counter()
        child = os.fork()
        if child == 0:
            status = 1
            with contextlib.suppress(BaseException):
                request()
                status = 0
            os._exit(status)
        if attempt < _TRIES - 1:
            time.sleep(rng.uniform(0.0, 1.2 * usual_s))
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            counts["kills"] += 1
            continue
        counts["refused"] += os.WEXITSTATUS(status) != 0
        return float(min(max(time.perf_counter() - since, 0.01), 0.3))
    return usual_s


def _faults(result: Path, expected: dict[str, set[str]]) -> Counter[str]:
    """What lies there, read by SQLite alone, beside what was said."""
    counts: Counter[str] = Counter()
    with closing(sqlite3.connect(review_path(result))) as database:
        counts["damaged"] += database.execute("PRAGMA integrity_check").fetchone() != ("ok",)
        for table, column in (("review", "comment"), ("pins", "why")):
            found = Counter(words for (words,) in database.execute(f"SELECT {column} FROM {table}"))  # nosec B608
            counts["lost"] += len(expected[table] - set(found))
            counts["doubled"] += sum(found.values()) - len(expected[table] & set(found))
    counts["left"] += len([one for one in result.parent.iterdir() if one.name.startswith(".") or one.name.endswith("-journal")])
    return counts


def _make(path: Path) -> None:
    """A result of one made-up video that drives north."""
    nothing, time_s, start = np.full(FRAMES, np.nan), np.arange(FRAMES) * 1.0, datetime(2026, 5, 1, tzinfo=UTC)
    trajectory = Trajectory(
        frame_index=np.arange(FRAMES), time_s=time_s, lat_deg=10.0 + time_s * 1e-4, lon_deg=np.full(FRAMES, 20.0), confidence=np.full(FRAMES, 0.8),
        score=np.full(FRAMES, 0.6), runner_up_m=nothing, phase1_lat_deg=nothing, phase1_lon_deg=nothing, state=(FrameState.LOCATED,) * FRAMES,
        confidence_radius_m=250.0,
    )  # fmt: skip
    info = VideoInfo(Path("made-up.mp4"), "made-up.mp4", "video", 640, 360, float(FRAMES), start, TimeSource.CONTAINER)
    result = VideoResult(info=info, trajectory=trajectory, report=DecodeReport(FRAMES, FRAMES, 0, ()), sha256="ab" * 32)
    provenance = Provenance(
        settings={"rate_hz": 1.0}, checkpoint={}, gallery={"resolution_m": 25.0}, versions={}, seed=0, created_utc=start
    )
    write_geopackage(path, [result], provenance, aoi=shapely.box(19.9, 9.9, 20.1, 10.2))
