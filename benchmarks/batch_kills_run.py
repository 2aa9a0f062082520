"""Processes that are killed while they keep a batch's results, merge them, geolocate or train: before or after a given step, or at a given moment.

A step is a call by which files are made, written through, renamed or removed; it is counted by the process itself, in what Python calls for it.
"""

from __future__ import annotations

import builtins
import functools
import gc
import io
import json
import os
import runpy
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, Self

ROOT = Path(__file__).resolve().parents[1]
VIDEOS = 6
FAILS = 2
"""Number of the made-up video that has no result."""
KILLED = -signal.SIGKILL
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_TIMEOUT_S = 300
_PLACING = ("rename", "replace", "link")
"""Calls by which a file that is written takes its place."""
_FRAMES = 4


class Killer:
    """A helper process that has imported everything, and forks one for each job.

    Args:
        base: a folder to make; beside it helpers share what is cached.
    """

    def __init__(self, base: Path) -> None:
        self.base = base
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LD_LIBRARY_PATH", "HOME"}}
        (base / "tmp").mkdir(parents=True)
        self._environment = kept | {
            "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "VIDTAG_CACHE": str(base.parent / "cache"), "TMPDIR": str(base / "tmp"),
            "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "80",
        }  # fmt: skip

    def __enter__(self) -> Self:
        self._helper = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.batch_kills_run"],
            cwd=self.base, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        assert self._helper.stdin is not None
        self._helper.stdin.close()
        self._helper.wait(_TIMEOUT_S)

    def run(
        self,
        folder: Path,
        words: tuple[str, ...] = (),
        *,
        count: bool = False,
        at: int = 0,
        after: bool = False,
        after_s: float | None = None,
        placing: bool = False,
    ) -> tuple[int, str]:
        """Keep made-up results in a folder, or run a command line there.

        Args:
            folder: to run in.
            words: after ``vidtag``; none: the made-up batch.
            count: give the number of steps.
            at: number of the step at which the process is killed, from 1; 0 is never.
            after: it is killed once that step is done, not before.
            after_s: it is killed after so many seconds.
            placing: only the steps by which a file takes its place count.

        Returns:
            the exit status, or the number of steps, and the last line that was said.

        Raises:
            RuntimeError: steps are to be counted, and the job did not go through.
        """
        asked = {
            "folder": str(folder), "words": words, "count": count, "at": at, "after": after, "after_s": after_s, "said": str(self.base / "said"),
            "placing": placing,
        }  # fmt: skip
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        self._helper.stdin.write(json.dumps(asked) + "\n")
        self._helper.stdin.flush()
        code = int(self._helper.stdout.readline())
        said = (self.base / "said").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = said[-1] if said else ""
        if count:
            if code:
                raise RuntimeError(f"{' '.join(words) or 'the made-up batch'} must go through, but: {last}")
            return int(last), ""
        return code, last


class Steps:
    """Counts the calls that change files below a folder, and kills the process before or after a given one.

    Args:
        folder: below which files count.
        at: number of the step, from 1; 0 is never.
        after: kill once it is done.
        placing: only calls by which a file takes its place count.
    """

    def __init__(self, folder: str, at: int, *, after: bool, placing: bool) -> None:
        self.folder, self.at, self.after, self.placing, self.number, self.on = folder, at, after, placing, 0, True

    def install(self) -> None:
        """Take the place of what Python's libraries call to change files."""
        import pyogrio

        for name in _PLACING:
            self._wrap(os, name, lambda given, _: self._below(given[0]))
        if self.placing:
            return
        for name in ("unlink", "remove", "mkdir", "rmdir", "truncate"):
            self._wrap(os, name, lambda given, named: "dir_fd" in named or self._below(given[0]))
        self._wrap(os, "fsync", lambda _given, _named: True)
        self._wrap(os, "open", lambda given, _: self._below(given[0]) and bool(given[1] & _WRITES))
        for module in (io, builtins):
            self._wrap(module, "open", lambda given, named: self._below(given[0]) and bool(set("wax+") & set(_mode(given, named))))
        self._wrap(pyogrio, "write_dataframe", lambda given, _: self._below(given[1]))
        self._wrap(sqlite3, "connect", lambda given, _: self._below(given[0]), factory=_connection(self))

    def step(self, call: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """One call that counts."""
        if not self.on:
            return call(*given, **named)
        self.number += 1
        mine = self.number == self.at
        if mine and not self.after:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return call(*given, **named)
        finally:
            if mine:
                os.kill(os.getpid(), signal.SIGKILL)

    def _wrap(self, module: Any, name: str, counts: Callable[[Any, Any], bool], **more: Any) -> None:
        call = getattr(module, name)

        @functools.wraps(call)
        def wrapped(*given: Any, **named: Any) -> Any:
            if counts(given, named):
                return self.step(call, *given, **named, **more)
            return call(*given, **named)

        setattr(module, name, wrapped)

    def _below(self, where: Any) -> bool:
        return isinstance(where, str | bytes | os.PathLike) and os.fsdecode(os.path.abspath(where)).startswith(self.folder)  # noqa: PTH100


def _connection(steps: Steps) -> type[sqlite3.Connection]:
    """A database whose commits count as steps."""

    class Connection(sqlite3.Connection):
        def commit(self) -> None:
            steps.step(super().commit)

        def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
            return steps.step(super().execute, sql, *given) if sql == "COMMIT" else super().execute(sql, *given)

        def __exit__(self, *given: object) -> Any:
            return steps.step(super().__exit__, *given)

    return Connection


def _mode(given: tuple[Any, ...], named: dict[str, Any]) -> str:
    return str(given[1] if len(given) > 1 else named.get("mode", "r"))


def keep_batch(folder: Path) -> None:
    """Keep a few made-up results, one of them a failure, and merge them, as :class:`.work.Work` does."""
    from vidtag_engine.batch import BatchInput
    from vidtag_engine.grid import load_aoi
    from vidtag_engine.keeping import BatchSettings, keeper_of
    from vidtag_engine.own_areas import TableOfVideos, searched_area
    from vidtag_engine.settings import GeolocateSettings
    from vidtag_engine.stored_batch import StoredBatch
    from vidtag_engine.types import FailedVideo, TimeSource, VideoInfo

    from .batch_results import AREA, made_up_record, made_up_result, name_of

    settings = GeolocateSettings(resolution_m=5000.0)
    area = searched_area(load_aoi(AREA), settings)
    inputs = [BatchInput(name, folder / name) for name in map(name_of, range(VIDEOS))]
    record = made_up_record(area.grid.digest)
    keeper = keeper_of(TableOfVideos((), settings), area, inputs, record, folder / "batch.gpkg", BatchSettings())
    assert isinstance(keeper, StoredBatch)
    for number, one in enumerate(inputs):
        result = made_up_result(number, 0, _FRAMES)
        if keeper.known(one, None, area.grid.digest):
            continue
        with keeper.working_on(one) as held:
            if not held:
                raise RuntimeError(f"somebody else works on {one.name}")
            if keeper.has(one, result.sha256, None, area.grid.digest):
                continue
            if number == FAILS:
                info = VideoInfo(one.path, one.name, "video", 0, 0, None, datetime(2000, 1, 1, tzinfo=UTC), TimeSource.SYNTHETIC)
                keeper.fail(one, FailedVideo(info, "It has no picture.", result.sha256), area)
            else:
                keeper.put(one, result, area)
        if number == VIDEOS - 2:  # as is due every few minutes
            keeper.merge()
    keeper.close()


def make_batch(folder: Path) -> None:
    """The files that the made-up results are of."""
    from .batch_results import name_of

    for number in range(VIDEOS):
        (folder / name_of(number)).touch()


def _serve() -> None:
    """The helper: import and do everything once, then fork for each request."""
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401
    import rich.progress  # noqa: F401
    import timm  # noqa: F401

    import vidtag_engine.cli
    import vidtag_engine.commands.export
    import vidtag_engine.training  # noqa: F401

    with tempfile.TemporaryDirectory() as scratch:
        make_batch(Path(scratch))
        keep_batch(Path(scratch))
    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(asked)
        if asked["after_s"] is not None:
            _kill_later(child, asked["after_s"])
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _kill_later(child: int, after_s: float) -> None:
    """Kill it then, if it is still there; it stays to be waited for."""
    until = time.monotonic() + after_s
    while time.monotonic() < until and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(min(0.002, max(0.0, until - time.monotonic())))
    os.kill(child, signal.SIGKILL)


def _become(asked: dict[str, Any]) -> NoReturn:
    """In the forked process: do the job."""
    said = os.open(asked["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    for descriptor in (1, 2):
        os.dup2(said, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(asked["folder"])
    steps = Steps(asked["folder"], asked["at"], after=asked["after"], placing=asked["placing"])
    code = 1
    try:
        if asked["count"] or asked["at"]:
            steps.install()
        if asked["words"]:
            code = _command(asked["words"])
        else:
            keep_batch(Path(asked["folder"]))
            code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the interpreter would print it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        steps.on = False
        if asked["count"]:
            os.write(1, f"\n{steps.number}\n".encode())
        os._exit(code)


def _command(words: list[str]) -> int:
    sys.argv = ["vidtag", *words]
    try:
        runpy.run_module("vidtag_engine", run_name="__main__")
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    return 0


if __name__ == "__main__":
    _serve()
