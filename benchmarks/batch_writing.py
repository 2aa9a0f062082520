"""Seconds to keep a batch's results, by how many there are, and beside an earlier build that wrote its whole file after each video.

Each count is measured in a process of its own: ``python -m benchmarks.batch_writing new|before|store FOLDER COUNT SEED``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vidtag_engine.types import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
BEFORE = "d2e2c3a"
"""The last build that wrote its whole file after each video."""
_SAVES_SAMPLED = 12
_WHOLE_COUNT = 100
"""Up to so many videos the earlier build writes as often as it did; of more, some of its writes are timed, evenly spaced."""


def growth(counts: Sequence[int], seed: int) -> dict[str, Any]:
    """Seconds of each count, and how they grow: least squares on the logarithms of both.

    Seconds wait for a disk that others use, too; ``write_cpu_exponent`` is of the processor's seconds alone. ``peak_mb`` is of a process that keeps and merges
    and imports no network library, as 'vidtag merge' does; ``peak_engine_mb`` of one that has imported the engine, of whose memory most is PyTorch's.
    """
    found = {count: measured(ROOT, "new", count, seed) for count in counts}
    most = max(counts)
    of_store = measured(ROOT, "store", most, seed)
    return {
        "write_exponent": _exponent(found, "seconds"),
        "write_cpu_exponent": _exponent(found, "cpu_s"),
        f"write_s_{most}": found[most]["seconds"],
        "peak_mb": of_store["peak_mb"],
        "peak_imports_mb": of_store["peak_imports_mb"],
        "peak_engine_mb": found[most]["peak_mb"],
        "peak_engine_imports_mb": found[most]["peak_imports_mb"],
        "write": {str(count): one for count, one in found.items()},
    }


def _exponent(found: dict[int, dict[str, Any]], what: str) -> float:
    return round(float(np.polyfit(np.log(list(found)), np.log([one[what] for one in found.values()]), 1)[0]), 3)


def ratios(counts: Sequence[int], seed: int, before: Path | None = None) -> dict[str, Any]:
    """New seconds over those of the earlier build, taken one after the other."""
    found: dict[str, Any] = {}
    with earlier_build(before) as root:
        for count in counts:
            new, old = measured(ROOT, "new", count, seed), measured(root, "before", count, seed)
            found |= {
                f"write_ratio_{count}": round(new["seconds"] / old["seconds"], 5),
                f"write_new_s_{count}": new["seconds"],
                f"write_before_s_{count}": old["seconds"],
                f"before_sampled_{count}": old["sampled"],
            }
    return found


@contextmanager
def earlier_build(before: Path | None) -> Iterator[Path]:
    """A folder whose engine is the earlier build's, and whose benchmarks are these.

    Raises:
        InputError: the repository does not hold that build.
    """
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        if before is not None:
            for name in ("vidtag_engine", "resources"):
                (root / name).symlink_to(before.resolve() / name)
        else:
            archive = subprocess.run(
                ["git", "-C", str(ROOT), "archive", BEFORE, "vidtag_engine", "resources/styles", "resources/countries", "pyproject.toml"],
                capture_output=True, check=False,
            )  # fmt: skip
            if archive.returncode:
                raise InputError(f"The repository has no commit {BEFORE} to compare with: give --before, a checkout of it.")
            subprocess.run(["tar", "-x", "-C", scratch], input=archive.stdout, check=True)
        (root / "benchmarks").symlink_to(ROOT / "benchmarks")
        yield root


def measured(root: Path, build: str, count: int, seed: int) -> dict[str, Any]:
    """Seconds and megabytes of a process that keeps as many results."""
    with tempfile.TemporaryDirectory() as scratch:
        process = subprocess.run(
            [sys.executable, "-m", "benchmarks.batch_writing", build, scratch, str(count), str(seed)],
            cwd=root, env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    if process.returncode:
        raise InputError(f"The build in {root} cannot keep {count} results: what it says stands above.")
    found: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    print(f"{build}, {count:,} results: {found['seconds']:.1f} s, {found['peak_mb']} MB", file=sys.stderr)
    return found


def _keep_new(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """As :class:`.work.Work` keeps each video: held while it is worked on, saved, and merged when it is time."""
    from vidtag_engine.batch import BatchInput
    from vidtag_engine.grid import load_aoi
    from vidtag_engine.keeping import BatchSettings, keeper_of
    from vidtag_engine.own_areas import TableOfVideos, searched_area
    from vidtag_engine.settings import GeolocateSettings

    from .batch_results import AREA, made_up_record, made_up_result, name_of

    settings = GeolocateSettings(resolution_m=500.0)
    area = searched_area(load_aoi(AREA), settings)
    inputs = [BatchInput(name, folder / name) for name in map(name_of, range(count))]
    for one in inputs:
        one.path.touch()
    imports_mb = peak_mb()
    clock, record = _Stopwatch(), made_up_record(area.grid.digest)
    keeper = keeper_of(TableOfVideos((), settings), area, inputs, record, folder / "batch.gpkg", BatchSettings())
    for number, one in enumerate(inputs):
        with clock.stopped():
            result = made_up_result(number, seed)
        if keeper.known(one, None, area.grid.digest):
            raise RuntimeError(f"{one.name} was not kept before")
        with keeper.working_on(one):
            keeper.has(one, result.sha256, None, area.grid.digest)
            keeper.put(one, result, area)
    output = keeper.close()
    return clock.told() | _peaks(imports_mb) | {"output_mb": round(output.stat().st_size / 1e6, 1) if output else 0, "sampled": False}


def _keep_in_store(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """The store alone: as many files, then one merge of them."""
    from vidtag_engine.store import EntryKey, Inventory, ResultStore, merge_into

    from .batch_results import made_up_record, made_up_result, name_of

    imports_mb, record, clock = peak_mb(), made_up_record("z"), _Stopwatch()
    store = ResultStore.begin(folder / "batch.results", record, grid_digest="z")
    Inventory.of([(name, folder / name) for name in map(name_of, range(count))]).save(store.folder)
    for number in range(count):
        with clock.stopped():
            result = made_up_result(number, seed)
        store.save(EntryKey(result.info.name, result.sha256, None, "z"), result, record)
    merge_into(folder / "batch.gpkg", [store])
    return clock.told() | _peaks(imports_mb) | {"sampled": False}


def _keep_before(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """As the earlier build's ``geolocate`` wrote all results after each video; where there are many, some of these writes stand for those between."""
    from vidtag_engine.grid import load_aoi
    from vidtag_engine.result_file import ResultFile

    from .batch_results import AREA, made_up_record, made_up_result

    record, area = made_up_record("z"), load_aoi(AREA)
    file = ResultFile(folder / "batch.gpkg")
    results = [made_up_result(number, seed) for number in range(count)]
    sampled = count > _WHOLE_COUNT
    sizes = np.unique(np.linspace(1, count, _SAVES_SAMPLED).round().astype(int)) if sampled else np.arange(1, count + 1)
    imports_mb, taken = peak_mb(), []
    for size in sizes.tolist():
        since = time.perf_counter()
        file.write(results[:size], [], record, area)
        taken.append(time.perf_counter() - since)
    seconds = float(np.interp(np.arange(1, count + 1), sizes, taken).sum())
    return {"seconds": round(seconds, 2), "sampled": sampled} | _peaks(imports_mb)


def _peaks(imports_mb: float) -> dict[str, Any]:
    return {"peak_mb": round(peak_mb()), "peak_imports_mb": round(imports_mb)}


class _Stopwatch:
    """Seconds since it was made, by the clock and of the processor, but for what it was stopped for."""

    def __init__(self) -> None:
        self._began = self._now()

    def told(self) -> dict[str, float]:
        """Both."""
        seconds, cpu_s = self._now() - self._began
        return {"seconds": round(float(seconds), 2), "cpu_s": round(float(cpu_s), 2)}

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Meanwhile nothing counts."""
        since = self._now()
        yield
        self._began += self._now() - since

    @staticmethod
    def _now() -> np.ndarray:
        return np.array([time.perf_counter(), time.process_time()])


def peak_mb() -> float:
    """The most that this process has had in memory; of Linux's two figures the one that knows nothing of the process that started this."""
    status = Path("/proc/self/status")
    if status.is_file():
        (line,) = [one for one in status.read_text(encoding="ascii").splitlines() if one.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def room_for(count: int) -> None:
    """Raise InputError where the results of so many videos do not fit the disk."""
    needed_gb = 0.75e-3 * count  # files of the store, the GeoPackage, and the one that takes its place
    free_gb = shutil.disk_usage(tempfile.gettempdir()).free / 1e9
    if free_gb < needed_gb:
        raise InputError(f"The results of {count} videos take {needed_gb:.1f} GB, and {free_gb:.1f} are free: give smaller --counts.")


if __name__ == "__main__":
    keep = {"new": _keep_new, "before": _keep_before, "store": _keep_in_store}[sys.argv[1]]
    print(json.dumps(keep(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
