"""Kills while a batch is kept, merged and geolocated, and while a checkpoint is trained: what was finished must be there once, and the same command goes on."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from .batch_kills_run import FAILS, KILLED, VIDEOS, Killer, make_batch
from .batch_results import name_of
from .files_kept_run import is_whole

_GEOLOCATED = 4
_GEOLOCATED_S = 5
_AT_ONCE = 2
_WHERE = ("--aoi=159.9285,-19.2215,159.935,-19.2145", "--resolution-m", "40", "--device", "cpu")
_RANDOM_KEPT, _RANDOM_GEOLOCATED, _RANDOM_TRAINED = 170, 30, 20


@dataclass
class Case:
    """One kill, and what became of it.

    Args:
        job: "keep", "geolocate" or "train".
        moment: of the kill, in words.
        killed: whether the process was still there to be killed.
        lost: videos that were finished and were done again or are missing, or what else is not as it was.
        twice: rows that are there twice.
        unreadable: files that are damaged.
        left_behind: hidden folders of the killed process that are there at the end.
    """

    job: str
    moment: str
    killed: bool = False
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> bool:
        """Whether anything is."""
        return bool(self.lost or self.twice or self.unreadable or self.left_behind)

    @property
    def why(self) -> str:
        """What is wrong, in words."""
        return (
            f"{self.job}, {self.moment}: lost {self.lost}, twice {self.twice}, unreadable {self.unreadable}, left behind {self.left_behind}"
        )


@dataclass(frozen=True)
class Moment:
    """When a process is killed: at a step, from 1, or after some seconds."""

    step: int = 0
    after: bool = False
    after_s: float | None = None

    def __str__(self) -> str:
        """In words."""
        return f"{'after' if self.after else 'before'} step {self.step}" if self.step else f"at {self.after_s:.3f} s"


def kills(seed: int, *, quick: bool = False) -> dict[str, Any]:
    """Kill each job at its steps and at random moments, two at a time; ``quick``: some of these, and no training.

    What keeps and merges made-up results is killed before and after each step; a training before and after each file takes its place; ``geolocate``, whose steps
    are those of the first with networks between them, at some.
    """
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as running:
        base = Path(scratch).resolve()
        killers = [running.enter_context(Killer(base / f"helper-{number}")) for number in range(_AT_ONCE)]
        _make_inputs(base, seed)
        cases = _kept(killers, rng, quick=quick) + _geolocated(killers, rng, quick=quick)
        cases += [] if quick else _trained(killers, rng)
    made = [one for one in cases if one.killed]
    return {
        "kills": len(made),
        "lost": sum(len(one.lost) for one in cases),
        "twice": sum(len(one.twice) for one in cases),
        "unreadable": sum(len(one.unreadable) for one in cases),
        "left_behind": sum(len(one.left_behind) for one in cases),
        **{f"kills_{job}": sum(one.job == job for one in made) for job in ("keep", "geolocate", "train")},
        "kills_at_steps": sum("step" in one.moment for one in made),
        "kills_at_random": sum("step" not in one.moment for one in made),
        "why": [one.why for one in cases if one.wrong],
    }


def _kept(killers: Sequence[Killer], rng: np.random.Generator, *, quick: bool) -> list[Case]:
    """Made-up results, one of them a failure."""

    def fresh(killer: Killer) -> Path:
        folder = killer.base / "batch"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        make_batch(folder)
        return folder

    steps, lasts_s = _steps(killers[0], fresh, ())
    wanted = {name_of(number): number != FAILS for number in range(VIDEOS)}
    at_steps = [Moment(step, after) for step in range(1, steps + 1, 7 if quick else 1) for after in (False, True)]
    moments = at_steps + _at_random(lasts_s, 10 if quick else _RANDOM_KEPT, rng)
    return _each(killers, moments, lambda killer, moment: _batch_case(killer, "keep", fresh(killer), (), moment, wanted))


def _geolocated(killers: Sequence[Killer], rng: np.random.Generator, *, quick: bool) -> list[Case]:
    """The command, on short videos, with a checkpoint that has learnt nothing."""
    names = [f"drive-{number}.mp4" for number in range(_GEOLOCATED)]
    words = ("geolocate", *names, "--checkpoint", "../../tiny", *_WHERE, "--output", "batch.gpkg", "--to", str(_GEOLOCATED_S))
    _must(killers[0], _copied(killers[0]), words)  # which embeds the grid and translates the networks for this machine
    steps, lasts_s = _steps(killers[0], _copied, words)
    at_steps = [Moment(step, after) for step in range(1, steps + 1, 60 if quick else 12) for after in (False, True)]
    moments = at_steps + _at_random(lasts_s, 2 if quick else _RANDOM_GEOLOCATED, rng)
    wanted = dict.fromkeys(names, True)
    return _each(killers, moments, lambda killer, moment: _batch_case(killer, "geolocate", _copied(killer), words, moment, wanted))


def _trained(killers: Sequence[Killer], rng: np.random.Generator) -> list[Case]:
    """A training of a few steps, whose frames' features are there already."""
    words = (
        "train", "--video", "drive-0.mp4", "--truth", "drive.gpx", *_WHERE, "--phase1-steps", "2", "--phase2-steps", "2", "--output", "learned",
    )  # fmt: skip
    folder = _copied(killers[0])
    _must(killers[0], folder, words)
    unbroken = _weights_sha256(folder / "learned")
    steps, lasts_s = _steps(killers[0], _copied, words, placing=True)
    at_steps = [Moment(step, after) for step in range(1, steps + 1) for after in (False, True)]
    moments = at_steps + _at_random(lasts_s, _RANDOM_TRAINED, rng)

    def case_of(killer: Killer, moment: Moment) -> Case:
        folder, case = _copied(killer), Case("train", str(moment))
        learned = folder / "learned"
        code, _ = killer.run(folder, words, at=moment.step, after=moment.after, after_s=moment.after_s, placing=True)
        case.killed = code == KILLED
        code, said = killer.run(folder, words if case.killed else (*words, "--overwrite"))
        if code:
            case.lost.append(f"the same command does not go on: {said}")
        elif not is_whole(learned / "model.safetensors") or _weights_sha256(learned) != unbroken:
            case.unreadable.append("the checkpoint is not what the unbroken training makes")
        case.left_behind += [str(path.relative_to(folder)) for path in folder.rglob(".vidtag-*")]
        return case

    return _each(killers, moments, case_of)


def _each(killers: Sequence[Killer], moments: Sequence[Moment], case_of: Callable[[Killer, Moment], Case]) -> list[Case]:
    """A case of each moment, as many at a time as there are helpers."""
    free: SimpleQueue[Killer] = SimpleQueue()
    for killer in killers:
        free.put(killer)

    def one(moment: Moment) -> Case:
        killer = free.get()
        try:
            case = case_of(killer, moment)
        finally:
            free.put(killer)
        if case.wrong:
            print(case.why, file=sys.stderr)
        return case

    with ThreadPoolExecutor(len(killers)) as pool:
        return list(pool.map(one, moments))


def _at_random(lasts_s: float, count: int, rng: np.random.Generator) -> list[Moment]:
    return [Moment(after_s=float(one)) for one in rng.uniform(0, lasts_s, count)]


def _steps(killer: Killer, fresh: Callable[[Killer], Path], words: tuple[str, ...], *, placing: bool = False) -> tuple[int, float]:
    """How many steps a job has, and how long it lasts."""
    steps, _ = killer.run(fresh(killer), words, count=True, placing=placing)
    folder, since = fresh(killer), time.perf_counter()
    _must(killer, folder, words)
    return steps, time.perf_counter() - since


def _copied(killer: Killer) -> Path:
    folder = killer.base / "work"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(killer.base.parent / "videos", folder)
    return folder


def _batch_case(killer: Killer, job: str, folder: Path, words: tuple[str, ...], moment: Moment, wanted: dict[str, bool]) -> Case:
    """Kill, look what is finished, let the same command go on, and look again. ``wanted`` says of each video whether it has a result."""
    case, output = Case(job, str(moment)), folder / "batch.gpkg"
    code, _ = killer.run(folder, words, at=moment.step, after=moment.after, after_s=moment.after_s)
    case.killed = code == KILLED
    finished = _finished(folder)
    if output.exists() and not is_whole(output):
        case.unreadable.append("the GeoPackage after the kill")
    if output.exists() and (gone := _rows(output, "SELECT video FROM videos") - set(finished)):
        case.lost += [f"{one} is in the GeoPackage alone" for one in gone]
    code, said = killer.run(folder, words)
    if code:
        case.lost.append(f"the same command does not go on: {said}")
        return case
    after = _finished(folder)
    case.lost += [f"{video} was done again" for video, state in finished.items() if after.get(video) != state]
    case.left_behind += [str(path.relative_to(folder)) for path in folder.rglob(".vidtag-*")]
    if not is_whole(output):
        case.unreadable.append("the GeoPackage")
        return case
    case.lost += [f"{one} is missing" for one in set(wanted) - _rows(output, "SELECT video FROM videos")]
    answered = {video for video, result in wanted.items() if result}
    case.lost += [f"frames of {one} are missing" for one in answered - _rows(output, "SELECT DISTINCT video FROM frames")]
    for layer, of_one in (("videos", "video"), ("frames", "video, frame_index"), ("trajectory", "video, from_index")):
        twice = _rows(output, f"SELECT video FROM {layer} GROUP BY {of_one} HAVING count(*) > 1")
        case.twice += [f"{one} in {layer}" for one in twice]
    return case


def _finished(folder: Path) -> dict[str, tuple[int, int]]:
    """The videos whose file is in its place, by name, with what tells that file from one that was written anew."""
    found: dict[str, tuple[int, int]] = {}
    for path in folder.glob("batch.results/results/??/*.gpkg"):
        (video,) = _rows(path, "SELECT video FROM videos")
        found[video] = (path.stat().st_ino, path.stat().st_mtime_ns)
    return found


def _rows(path: Path, sql: str) -> set[str]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        return {row[0] for row in database.execute(sql)}


def _weights_sha256(learned: Path) -> str:
    return str(json.loads((learned / "config.json").read_text(encoding="utf-8"))["sha256"])


def _must(killer: Killer, folder: Path, words: tuple[str, ...]) -> None:
    code, said = killer.run(folder, words)
    if code:
        raise RuntimeError(f"{' '.join(words) or 'the made-up batch'} must go through, but: {said}")


def _make_inputs(base: Path, seed: int) -> None:
    """Short videos that differ, one's track, and a checkpoint that has learnt nothing."""
    from . import bad_input_cases

    made = base / "made"
    made.mkdir()
    bad_input_cases.make_inputs(made, seed)
    shutil.copytree(made / "tiny", base / "tiny")
    videos = base / "videos"
    videos.mkdir()
    distinct_copies(made / "drive.mp4", [videos / f"drive-{number}.mp4" for number in range(_GEOLOCATED)])
    shutil.copy(made / "drive.gpx", videos / "drive.gpx")


def distinct_copies(source: Path, copies: Sequence[Path]) -> None:
    """The same video in files that differ: behind each a box that players skip says its number."""
    for number, path in enumerate(copies):
        text = f"copy {number}".encode()
        path.write_bytes(source.read_bytes() + (8 + len(text)).to_bytes(4, "big") + b"free" + text)
