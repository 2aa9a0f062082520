"""What a worker of a cluster does with one video: it gets plain values, and gives back the file of a store that it has written."""

from __future__ import annotations

import json
import socket
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import shapely

from . import __version__
from .batch import BatchInput, default_cache_folder, warnings_of_video
from .export.provenance import from_json
from .feedback import Feedback
from .grid import AreaOfInterest
from .loaded import provenance_of
from .own_areas import SearchedArea, TableOfVideos, searched_area
from .settings import GeolocateSettings, validated
from .store import settings_identity, write_entry
from .stored_batch import another_video
from .types import FailedVideo, FrameState, InputError, OwnSettings, Provenance, VideoResult
from .video import VideoRow
from .warm import Warm
from .ways import NONE, Ways
from .work import Begun, VideoAnswers

ANSWER = f"{__name__}:answer"
"""How workers are told what to do."""
_ONE_AT_A_TIME = threading.Lock()
_WARM = Warm()


@dataclass
class KnownDigests:
    """What a worker has to know of a store that it does not see: which bytes of one video have a result.

    Args:
        finished: beginnings of the digests of those that have one of the same stretch and area.
        others: of all that have one.
    """

    finished: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    @property
    def scores_beside(self) -> Path | None:
        """Scores are not kept of what a cluster answers."""
        return None

    def has(self, one: BatchInput, sha256: str, own: OwnSettings | None, grid_digest: str) -> bool:  # noqa: ARG002
        """As of :class:`.keeping.Known`."""
        if any(sha256.startswith(part) for part in self.finished):
            return True
        if any(not sha256.startswith(part) for part in self.others):
            raise another_video(one.name)
        return False


class RunHere:
    """A run on this worker: its checkpoint and roads, loaded once, and the area of the last video.

    Args:
        key: that tells the run from others.
        task: any of its tasks, as of :func:`answer`.

    Raises:
        InputError: this machine has another checkpoint, or another version of VidTAG.
    """

    def __init__(self, key: str, task: dict[str, Any]) -> None:
        self.key = key
        self.stopped: Callable[[], bool] = lambda: False
        self.settings: GeolocateSettings = validated(GeolocateSettings, task["settings"])
        loaded = None if task["checkpoint"] == NONE else _WARM.chosen(task["checkpoint"], self.settings)
        ways = Ways(self.settings) if self.settings.roads is not None else None
        area = _area_of(task, self.settings)
        made = provenance_of(self.settings, loaded, area.grid, None, ways.digest if ways else None)
        if _identity(made) != _identity(from_json(task["record"])[0]):
            raise InputError(
                f"The worker on {socket.gethostname()} has another checkpoint, database or roads than this machine under the same names:"
                " let all machines see the same files."
            )
        self._area = (task["area"], area)
        begun = Begun(TableOfVideos([], self.settings), [], {}, {}, None, loaded, None, ways)
        self.answers = VideoAnswers(
            begun, KnownDigests(), self.settings, default_cache_folder(), Feedback(cancelled=lambda: self.stopped()), _WARM
        )

    def answer(self, task: dict[str, Any]) -> dict[str, Any]:
        """Arguments and what is returned as of :func:`answer`."""
        video = task["video"]
        one = BatchInput(video["name"], Path(video["path"]), video["kind"], _time_of(video["start_time"]))
        if self._area[0] != task["area"]:
            self._area = (task["area"], _area_of(task, self.settings))
        area = self._area[1]
        if area.grid.digest != task["grid_digest"]:
            raise InputError(
                f"The worker on {socket.gethostname()} makes another grid of the same area: install the same versions of vidtag-engine and its packages."
            )
        row = video["row"]
        rows = [VideoRow(one.path, "", _time_of(row["start_time"]), row["from_s"], row["to_s"])] if row else []
        table = TableOfVideos(rows, self.settings)
        if area.name:
            area = table.give(one.path, area)
        known = KnownDigests(frozenset(task["finished"]), frozenset(task["others"]))
        self.answers.run, self.answers.known = replace(self.answers.run, table=table), known
        found = self.answers.outcome(area, one)
        if found is None:
            return {"entry": None}
        record, named = from_json(task["record"])[0], {area.name: area.aoi.geometry} if area.name else {}
        with tempfile.TemporaryDirectory(prefix="vidtag-") as folder:
            path = Path(folder) / "entry.gpkg"
            write_entry(path, found, record, aoi=None if area.name else area.aoi.geometry, named=named, mark=task["mark"])
            entry = path.read_bytes()
        if isinstance(found, FailedVideo):
            return {"entry": entry, "sha256": found.sha256, "why": found.why}
        return {"entry": entry, "sha256": found.sha256, "why": None, **_told(found, one.path), "notes": self.answers.notes}


_RUN: RunHere | None = None


def answer(task: dict[str, Any], stopped: Callable[[], bool]) -> dict[str, Any]:
    """Answer one video.

    Args:
        task: ``version`` of the engine that asks; ``settings`` of the run, and the ``checkpoint``'s name; ``record`` that the result bears; ``area`` that the video
            is sought in (``wkb``, ``notes``, ``name``), and its ``grid_digest``; ``finished`` and ``others`` of :class:`KnownDigests`; ``mark`` of its file; and the
            ``video`` (``name``, ``path``, ``kind``, ``start_time``, and the ``row`` of a table with what holds of it alone).
        stopped: whether nobody waits for it any more.

    Returns:
        ``entry``, the bytes of its file in the store, None where the store has it; its ``sha256``; ``why`` there is no result, or None; and of a result
        ``warnings``, ``unknown_ground``, ``seconds`` by part, and the search's ``notes``.

    Raises:
        InputError: this worker cannot answer any video of the run.
        CancelledError: stopped.
    """
    global _RUN  # noqa: PLW0603 - what a worker process keeps from one video to the next
    if task["version"] != __version__:
        raise InputError(
            f"The worker on {socket.gethostname()} has vidtag-engine {__version__}, and {task['version']} asks: install the same version on all machines."
        )
    with _ONE_AT_A_TIME:  # also where a worker has several threads: a model answers one video at a time
        key = json.dumps([task["settings"], task["checkpoint"], *_identity(from_json(task["record"])[0])])
        if _RUN is None or _RUN.key != key:
            _RUN = None  # before the new one: two at once may not fit the memory
            _RUN = RunHere(key, task)
        _RUN.stopped = stopped
        return _RUN.answer(task)


def _identity(made: Provenance) -> tuple[str, Any]:
    """What answers depend on, but the video and the area."""
    return settings_identity(made.settings, made.checkpoint), made.checkpoint.get("references")


def _area_of(task: dict[str, Any], settings: GeolocateSettings) -> SearchedArea:
    area = task["area"]
    return searched_area(AreaOfInterest(shapely.from_wkb(area["wkb"]), area["area_m2"], tuple(area["notes"])), settings, area["name"])


def _time_of(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _told(found: VideoResult, path: Path) -> dict[str, Any]:
    verdict = found.trajectory.verdict
    unknown = verdict is not None and verdict.state is FrameState.UNKNOWN_GROUND
    return {"warnings": warnings_of_video(found, path), "unknown_ground": unknown, "seconds": found.seconds}
