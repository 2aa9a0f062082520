"""Light work for the workers of a cluster, and the processes of one: what tests of clusters share."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOUBLE, LETHAL, LONG = (f"tests.cluster_work:{name}" for name in ("double", "lethal", "long"))
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}


def double(value, stopped):
    return 2 * value


def lethal(value, stopped):
    """Of 13 the process dies."""
    if value == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.02)
    return os.getpid()


def long(folder, stopped):
    """Goes on until it is told to stop, and then says so."""
    (Path(folder) / "begun").touch()
    while not stopped():
        time.sleep(0.05)
    (Path(folder) / "stopped").touch()


class Processes:
    """A scheduler and workers on the loopback, each a process.

    Args:
        folder: for what they write.
    """

    def __init__(self, folder):
        self._folder, self._file = folder, folder / "scheduler.json"
        self._all = []
        self.workers = []
        self.begin_scheduler()

    def begin_scheduler(self):
        self._file.unlink(missing_ok=True)
        self.scheduler = self._begin("dask_scheduler", "--port", "0", "--no-dashboard")
        while not self._file.is_file():
            assert self.scheduler.poll() is None
            time.sleep(0.05)

    @property
    def address(self):
        import json

        while True:
            with contextlib.suppress(ValueError):
                return json.loads(self._file.read_text())["address"]
            time.sleep(0.05)

    def begin_workers(self, count, *more):
        """Without a nanny a worker that dies is gone; with ``--nanny`` it begins again."""
        options = ["--nthreads", "1", "--memory-limit", "0", "--no-dashboard", "--local-directory", str(self._folder)]
        self.workers = [
            self._begin("dask_worker", *options, *(("--no-nanny",) if "--nanny" not in more else ()), *more) for _ in range(count)
        ]

    def _begin(self, module, *options):
        with (self._folder / "log.txt").open("ab") as log:
            started = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", "--host", "127.0.0.1", "--scheduler-file", str(self._file), *options],
                stdout=log, stderr=log, cwd=self._folder, env={**os.environ, **ENVIRONMENT}, start_new_session=True,
            )  # fmt: skip
        self._all.append(started)
        return started

    def end(self):
        for one in self._all:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)  # with what a nanny has started
            one.wait()
