"""A run whose videos the workers of a cluster answer, and this process keeps."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import shapely
import torch

from . import __version__
from .batch import BatchInput
from .cluster import LOCAL, Cluster, check_installed, connected
from .cluster_video import ANSWER
from .export.provenance import to_json
from .loaded import Loaded
from .models import pick_device
from .own_areas import SearchedArea
from .settings import GeolocateSettings
from .store import file_mark, read_entry
from .stored_batch import StoredBatch
from .types import InputError, VideoError, VideoResult
from .ways import NONE
from .work import Work

_KILLED = (
    "Every process of the cluster that worked on {name} died, so it was set aside: look whether it plays, and how much memory a worker has."
)
_FILES = ("reference", "roads", "motion_track")
"""Settings that name files, which workers run in another folder to see."""


class _Given(NamedTuple):
    """A video that is on its way, with the store's lock on it."""

    area: SearchedArea
    one: BatchInput
    lock: ExitStack


def check_clustered(checkpoint: Loaded | str, settings: GeolocateSettings) -> None:
    """Raise InputError for what the workers of a cluster cannot do, or where Dask is not installed."""
    if not isinstance(checkpoint, str):
        raise InputError(
            "The workers of a cluster load the checkpoint themselves: give its name or its folder, and not one that is loaded."
        )
    if settings.keep_scores:
        raise InputError(
            "Scores are kept beside the result, where the workers of a cluster do not write: leave out --keep-scores, or --cluster."
        )
    if settings.guess_area is not None:
        raise InputError(
            "An area is guessed before videos are given to a cluster: guess areas with 'vidtag guess', and give them with --aoi or --table."
        )
    check_installed()


def clustered(work: Work, mine: Sequence[BatchInput], address: str, checkpoint: str) -> None:
    """Answer videos on a cluster.

    Args:
        work: of the run, whose keeper is a store.
        mine: the videos.
        address: as of :func:`.cluster.connected`.
        checkpoint: its name, or where every worker finds it.

    Raises:
        InputError: the cluster is not there, or cannot go on; finished videos are kept.
        CancelledError: stopped; finished videos are kept.
    """
    _Clustered(work, checkpoint).run(mine, address)


class _Clustered:
    def __init__(self, work: Work, checkpoint: str) -> None:
        if not isinstance(work.keeper, StoredBatch):
            raise TypeError("what workers send is kept in a store")
        self._work, self._keeper, self._checkpoint = work, work.keeper, checkpoint
        self._locks: dict[str, ExitStack] = {}
        self._held: list[tuple[SearchedArea, BatchInput]] = []

    def run(self, mine: Sequence[BatchInput], address: str) -> None:
        work = self._work
        work.total = max(1, len(mine))
        pairs = list(work.run.table.in_order(mine, work.run.area))
        waiting = [(area, one) for area, one in pairs if not self._known(area, one)]
        if not waiting:
            return
        gpus = torch.cuda.device_count() if address == LOCAL and pick_device(work.settings.device).type == "cuda" else 0
        try:
            with connected(address, gpus=gpus, feedback=work.feedback) as cluster:
                self._answer(cluster, waiting)
                # What other processes were at work on when its turn came: done by now, or left to them.
                again, self._held = self._held, []
                self._answer(cluster, [(area, one) for area, one in again if not self._known(area, one)])
        finally:
            for lock in self._locks.values():
                lock.close()
        work.elsewhere = [one.name for _, one in self._held]

    def _known(self, area: SearchedArea, one: BatchInput) -> bool:
        work = self._work
        work.feedback.check()
        if not self._keeper.known(one, work.run.table.own_of(one.path), area.grid.digest):
            return False
        work.had(one)
        return True

    def _answer(self, cluster: Cluster, waiting: Sequence[tuple[SearchedArea, BatchInput]]) -> None:
        work = self._work
        for given, value, killed in cluster.map(ANSWER, self._tasks(waiting)):
            area, one, lock = given
            if killed:
                work.fail(one, one.failed(VideoError(_KILLED.format(name=one.name))), area)
            elif value["entry"] is None:
                self._keeper.resumed.append(one.name)
                work.had(one)
            else:
                self._keep(area, one, value)
                work.done += 1
            lock.close()
            del self._locks[one.name]
            work.feedback.tell(min(1.0, work.done / work.total), "cluster", f"{one.name}, {cluster.threads} at work")

    def _keep(self, area: SearchedArea, one: BatchInput, value: dict[str, Any]) -> None:
        work, since = self._work, time.perf_counter()
        path = self._keeper.take_over(one, area, value["entry"], value["sha256"], value["why"])
        work.clock.add("write", since)
        if value["why"] is not None:
            return
        for part, seconds in value["seconds"].items():
            work.clock.count(part, seconds)
        work.told.heard(value["warnings"], unknown_ground=value["unknown_ground"])
        work.heard.update(dict.fromkeys(value["notes"]))
        if work.told.partial and path and isinstance(result := read_entry(path), VideoResult):
            work.told.partial(result)

    def _tasks(self, waiting: Sequence[tuple[SearchedArea, BatchInput]]) -> Iterator[tuple[_Given, dict[str, Any]]]:
        """The videos that no other process is at work on, each locked from when it is given to a worker until its result is kept."""
        for area, one in waiting:
            lock = ExitStack()
            if lock.enter_context(self._keeper.working_on(one)):
                self._locks[one.name] = lock
                yield _Given(area, one, lock), self._task(area, one)
            else:
                lock.close()
                self._held.append((area, one))

    def _task(self, area: SearchedArea, one: BatchInput) -> dict[str, Any]:
        """A video as :func:`.cluster_video.answer` takes it."""
        own = self._work.run.table.own_of(one.path)
        row = {"start_time": _text(own.start_time), "from_s": own.from_s, "to_s": own.to_s} if own else None
        finished, others = self._keeper.digest_parts(one, own, area.grid.digest)
        return {
            "version": __version__,
            "settings": self._settings(),
            "checkpoint": _everywhere(self._checkpoint),
            "record": to_json(self._keeper.record_of(area)),
            "area": {
                "wkb": shapely.to_wkb(area.aoi.geometry),
                "area_m2": area.aoi.area_m2,
                "notes": list(area.aoi.notes),
                "name": area.name,
            },
            "grid_digest": area.grid.digest,
            "finished": finished,
            "others": others,
            "mark": file_mark(one.path),
            "video": {
                "name": one.name,
                "path": str(one.path.absolute()),
                "kind": one.kind,
                "start_time": _text(one.start_time),
                "row": row,
            },
        }

    def _settings(self) -> dict[str, Any]:
        values = self._work.settings.model_dump(mode="json")
        return values | {name: _everywhere(values[name]) for name in _FILES if values[name] is not None}


def _everywhere(name: str) -> str:
    """The whole path of a file or folder that is there; any other name, and what stands for no file, as it is."""
    path = Path(name).expanduser()
    return str(path.absolute()) if name not in {NONE, "geoclip"} and path.exists() else name


def _text(time_utc: Any) -> str | None:
    return time_utc.isoformat() if time_utc is not None else None
