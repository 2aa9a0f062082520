"""What a second worker of a Dask cluster gains: two workers of one thread each beside one, and beside this machine's serial run with two threads."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from vidtag_engine.types import InputError

from .batch_kills import distinct_copies
from .isles_world import ROOT

_ROUNDS = 3
_FRAMES = 10
_STARTS_S = 120.0


def efficiency(videos: int) -> dict[str, Any]:
    """Seconds of batches of the demo's drive, its first ten frames, taken in turns, each after a first batch that loads what workers keep; medians of three rounds.

    A worker that computes with one thread decodes ahead in another one. So on a machine of two cores one worker alone has more than half of what there is,
    and two cannot have twice as much. A batch system gives each worker its own cores: that is the second figure.

    Returns:
        ``dask_efficiency``: how many times the throughput of one worker two have, over two, where workers may use all cores; ``dask_efficiency_a_core_each``:
        where each is held to a core of its own. None where this build works on no cluster.
    """
    if importlib.util.find_spec("vidtag_engine.cluster") is None:
        return {"dask_efficiency": None, "dask_efficiency_a_core_each": None}
    demo = ROOT / "resources" / "demo"
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as running:
        folder = Path(scratch)
        paths = [folder / f"drive-{number:03d}.mp4" for number in range(videos)]
        distinct_copies(demo / "drive.mp4", paths)
        clusters = [
            running.enter_context(_cluster(folder / f"cluster-{count}-{held}", count, held=held))
            for held in (False, True)
            for count in (1, 2)
        ]
        ways = [*((where, 1) for where in clusters), ("", 2)]
        turns = [[_timed(folder, number, where, threads) for where, threads in ways] for number in range(_ROUNDS)]
    one_s, two_s, one_held_s, two_held_s, serial_s = np.median(np.array(turns), axis=0).tolist()
    return {
        "dask_efficiency": round(one_s / two_s / 2, 3),
        "dask_one_worker_s": round(one_s, 2),
        "dask_two_workers_s": round(two_s, 2),
        "dask_efficiency_a_core_each": round(one_held_s / two_held_s / 2, 3),
        "dask_one_worker_a_core_each_s": round(one_held_s, 2),
        "dask_two_workers_a_core_each_s": round(two_held_s, 2),
        "dask_serial_two_threads_s": round(serial_s, 2),
        "dask_videos": videos,
    }


def _timed(folder: Path, number: int, cluster: str, threads: int) -> float:
    """One run in a process of its own, which tells how long its second batch took."""
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.batch_cluster", str(folder), str(number), cluster],
        cwd=ROOT, env=_environment(folder, threads), stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if process.returncode:
        raise InputError("A batch on the cluster did not go through: what it says stands above.")
    seconds = float(json.loads(process.stdout.splitlines()[-1]))
    print(f"{cluster or 'serial'}: {seconds:.1f} s", file=sys.stderr)
    return seconds


def _run(folder: Path, number: str, cluster: str) -> float:
    from vidtag_engine.geolocation import geolocate
    from vidtag_engine.grid import load_aoi
    from vidtag_engine.keeping import BatchSettings
    from vidtag_engine.settings import GeolocateSettings
    from vidtag_engine.warm import Warm

    demo, warm, seconds = ROOT / "resources" / "demo", Warm(), 0.0
    settings, aoi = GeolocateSettings(resolution_m=25.0, to_s=float(_FRAMES), device="cpu"), load_aoi(str(demo / "aoi.geojson"))
    every = sorted(folder.glob("*.mp4"))
    for name, paths in (("first", every[:4]), ("whole", every)):
        output = folder / f"{name}-{number}-{cluster.rpartition(':')[2]}.gpkg"
        since = time.perf_counter()
        geolocate(paths, aoi, str(demo / "checkpoint"), output, settings, batch=BatchSettings(cluster=cluster or None), warm=warm)
        seconds = time.perf_counter() - since
    return seconds


@contextmanager
def _cluster(folder: Path, workers: int, *, held: bool) -> Iterator[str]:
    """The address of a scheduler that has as many workers of one thread; held to a core each, or not."""
    folder.mkdir()
    where, dask = folder / "scheduler.json", [sys.executable, "-m"]
    commands: Sequence[list[str]] = [
        [*dask, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(where)],
        *[
            [*dask, "distributed.cli.dask_worker", "--host", "127.0.0.1", "--scheduler-file", str(where), "--nthreads", "1", "--no-nanny", "--no-dashboard",
             "--local-directory", str(folder / str(number))]
            for number in range(workers)
        ],
    ]  # fmt: skip
    with (folder / "log").open("wb") as log, ExitStack() as running:
        cores = sorted(os.sched_getaffinity(0))
        for number, command in enumerate(commands, -1):
            process = running.enter_context(
                subprocess.Popen(command, cwd=folder, env=_environment(folder.parent, 1), stdout=log, stderr=log)
            )
            running.callback(process.terminate)
            if held and number >= 0:
                os.sched_setaffinity(process.pid, {cores[number % len(cores)]})  # before it has threads, which then inherit it
        until = time.monotonic() + _STARTS_S
        while not where.is_file():
            if time.monotonic() > until:
                raise InputError("Dask's scheduler does not start: install the engine with its extra 'cluster'.")
            time.sleep(0.1)
        yield str(json.loads(where.read_text(encoding="utf-8"))["address"])


def _environment(folder: Path, threads: int) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(threads), "VIDTAG_CACHE": str(folder / "cache")}


if __name__ == "__main__":
    print(json.dumps(_run(Path(sys.argv[1]), sys.argv[2], sys.argv[3])))
