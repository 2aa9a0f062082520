"""A batch's results in a store, and the GeoPackage that is merged of it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

from .batch import BatchInput
from .export import read_provenance
from .export.batch_page import write_batch_page
from .export.provenance import scrub_sentence
from .export.scores_file import scores_path
from .feedback import Feedback
from .file_marks import own_kind
from .own_areas import SearchedArea, TableOfVideos
from .result_file import ResultFile
from .store import UNREAD, EntryKey, Merged, ResultStore, StoredRow, file_mark, read_entry, read_row
from .store.page import rows_of_page
from .types import FailedVideo, InputError, OwnSettings, Provenance, VideoResult

_MERGE_EVERY_S = 180.0
_MOST_OF_TIME = 0.05
"""Share of a run's time that merges meanwhile may take."""


class StoredBatch:
    """Results in a store, and the GeoPackage that is merged of it: soon, every few minutes, and at the end.

    Args:
        store: which other processes may work on, too.
        file: of the run; None leaves merging to 'vidtag merge'.
        provenance: of the run.
        table: of videos, which knows their areas.
        run: area of videos that have none of their own.
        anew: earlier results are done again.
        retry_failed: what failed before is done again.
        keep_scores: a result whose scores are not there is done again.
        feedback: of merges.
    """

    def __init__(
        self, store: ResultStore, file: ResultFile | None, provenance: Provenance, table: TableOfVideos, run: SearchedArea | None,
        *, anew: bool = False, retry_failed: bool = False, keep_scores: bool = False, feedback: Feedback = Feedback(),
    ) -> None:  # fmt: skip
        self.store, self.file, self._table, self._run = store, file, table, run
        table.agree(store.named_areas())
        self.aoi, self._record = table.joined(run, provenance, [], None)
        self.provenance = self._record
        self._anew, self._retry_failed = anew, retry_failed
        self._keep_scores, self._feedback = keep_scores, feedback
        self._merged_s = time.monotonic()
        self._took_s = 0.0
        self._new, self._first = False, True
        self.merged = Merged()
        self.failed: list[FailedVideo] = []
        self.resumed: list[str] = []
        for area in table.searched(run):
            store.keep_area(area.grid.digest, area.aoi.geometry, area.name)

    @property
    def results(self) -> StoredResults:
        """Of all videos in the store, read when they are asked for."""
        return StoredResults(self.store)

    @property
    def notes(self) -> list[str]:
        """As of :class:`Keeper`."""
        return self.file.notes if self.file is not None else []

    @property
    def folder(self) -> Path | None:
        """As of :class:`Keeper`."""
        return self.store.folder

    @property
    def scores_beside(self) -> Path | None:
        """As of :class:`Keeper`."""
        return self.file.path if self.file is not None and self._keep_scores else None

    def earlier(self, one: BatchInput) -> VideoResult | None:
        """As of :class:`Keeper`."""
        entries = [entry for entry in self.store.named(EntryKey(one.name, "")) if not entry.failed]
        found = read_entry(entries[0].path) if entries else None
        return found if isinstance(found, VideoResult) else None

    def key(self, one: BatchInput, sha256: str, own: OwnSettings | None, grid_digest: str) -> EntryKey:
        """What a video's file is called by."""
        return EntryKey(one.name, sha256, own, grid_digest)

    def known(self, one: BatchInput, own: OwnSettings | None, grid_digest: str) -> bool:
        """As of :class:`Keeper`: by the size and the time of its file, which the store has noted."""
        key = self.key(one, "", own, grid_digest)
        mark = None if self._anew else file_mark(one.path)
        for entry in self.store.named(key) if mark is not None else ():
            if entry.own_part != key.own_part or self.store.mark_of(entry) != mark:
                continue
            if entry.failed and self._retry_failed:
                return False
            found = read_row(entry.path)
            if not entry.failed and not has_scores(self.scores_beside, found.sha256):
                return False
            self._note(one, entry.failed, found)
            return True
        return False

    def has(self, one: BatchInput, sha256: str, own: OwnSettings | None, grid_digest: str) -> bool:
        """As of :class:`Keeper`."""
        key = self.key(one, sha256, own, grid_digest)
        if not self._anew and self.store.find(key) is not None and has_scores(self.scores_beside, sha256):
            self.resumed.append(one.name)
            return True
        if not self._anew and self.store.holds_another(key):
            raise another_video(one.name)
        return False

    def digest_parts(self, one: BatchInput, own: OwnSettings | None, grid_digest: str) -> tuple[list[str], list[str]]:
        """What :meth:`has` needs to know, for a worker that does not see the store: beginnings of the digests of a video's bytes that have a result.

        Returns:
            Those that have one of the same stretch and area, and all.
        """
        key = self.key(one, "", own, grid_digest)
        there = [] if self._anew else [entry for entry in self.store.named(key) if not entry.failed and entry.digest_part != UNREAD]
        return [entry.digest_part for entry in there if entry.own_part == key.own_part], [entry.digest_part for entry in there]

    def working_on(self, one: BatchInput) -> Any:
        """As of :class:`Keeper`."""
        return self.store.working_on(EntryKey(one.name, ""))

    def put(self, one: BatchInput, result: VideoResult, area: SearchedArea) -> None:
        """As of :class:`Keeper`. Raises InputError where it cannot be written."""
        self._save(one, result, result.sha256, result.own, area)
        if self._first or self._due():
            self.merge()

    def fail(self, one: BatchInput, failed: FailedVideo, area: SearchedArea | None) -> None:
        """As of :class:`Keeper`. Raises InputError where it cannot be written."""
        self.failed.append(failed)
        own, grid_digest = self._table.own_of(one.path), area.grid.digest if area else ""
        if not self._failed_so(self.key(one, failed.sha256, own, grid_digest), failed.why, one.path):
            self._save(one, failed, failed.sha256, own, area)

    def take_over(self, one: BatchInput, area: SearchedArea, entry: bytes, sha256: str, why: str | None) -> Path | None:
        """As :meth:`put`, of a file that a worker of a cluster has written; or as :meth:`fail`, where that says why there is no result.

        Returns:
            Where it is; None where it was there.
        """
        key = self.key(one, sha256, self._table.own_of(one.path), area.grid.digest)
        if why is not None:
            self.failed.append(FailedVideo(one.unopened(), why, sha256))
            if self._failed_so(key, why, one.path):
                return None
        path = self.store.take_over(key, entry, failed=why is not None)
        self._new = True
        if why is None and (self._first or self._due()):
            self.merge()
        return path

    def record_of(self, area: SearchedArea | None) -> Provenance:
        """The record that a video's result bears, which was sought in an area."""
        return self._table.record_of(self._record, area if area and area.name else None)

    def close(self) -> Path | None:
        """As of :class:`Keeper`: the last merge."""
        self.store.refresh()
        if self.file is not None and (self._new or self._stale()):
            self.merge(Feedback(lambda step: self._feedback.tell(1.0, step.stage, step.message)), wait=True)
        elif self.file is not None and self.file.path.exists():
            self.provenance = read_provenance(self.file.path)
        return self.file.path if self.file is not None and self.file.path.exists() else None

    def merge(self, feedback: Feedback = Feedback(), *, wait: bool = False) -> None:
        """Make the GeoPackage and its page of all that is there now. Raises InputError where it cannot be written.

        It is not stopped: whoever stops a run wants what is finished. Where another process is merging, it is left to that one, unless that is waited for.
        """
        if self.file is None:
            return
        since = time.monotonic()
        with self.store.merging(wait=wait) as mine:
            self.store.refresh()
            if not mine or all(one.failed for one in self.store.entries()):
                self._merged_s = time.monotonic()
                return
            self.merged = self.file.merge([self.store], feedback)
            self.file.notes += [note for note in write_page([self.store], self.file.path, self.merged) if note not in self.file.notes]
        self.provenance = self.merged.provenance or self.provenance
        if self.merged.aoi is not None and self.merged.aoi.named:
            self.aoi = replace(self.merged.aoi, notes=self.aoi.notes)
        self._merged_s = time.monotonic()
        self._took_s = self._merged_s - since
        self._new = self._first = False

    def summaries(self) -> list[dict[str, Any]]:
        """As of :class:`Keeper`."""
        return [read_row(one.path).summary for one in StoredResults(self.store).entries]

    def _save(
        self, one: BatchInput, what: VideoResult | FailedVideo, sha256: str, own: OwnSettings | None, area: SearchedArea | None
    ) -> None:
        searched = area or self._run
        grid_digest = searched.grid.digest if searched else ""
        named = {searched.name: searched.aoi.geometry} if searched and searched.name else {}
        whole = self._run.aoi.geometry if self._run else None
        key, record = self.key(one, sha256, own, grid_digest), self.record_of(searched)
        self.store.save(key, what, record, aoi=whole, named=named, mark=file_mark(one.path))
        self._new = True

    def _failed_so(self, key: EntryKey, why: str, path: Path) -> bool:
        before = self.store.failure(key)
        return before is not None and before.why == scrub_sentence(why, path)

    def _note(self, one: BatchInput, failed: bool, row: StoredRow) -> None:
        if failed:
            self.failed.append(FailedVideo(one.unopened(), row.why, row.sha256))
        else:
            self.resumed.append(one.name)

    def _due(self) -> bool:
        """A merge takes as long as the store is large: however long the run is, merges have a small share of its time."""
        return time.monotonic() - self._merged_s > max(_MERGE_EVERY_S, self._took_s / _MOST_OF_TIME)

    def _stale(self) -> bool:
        """Whether the file does not tell of all that the store holds, as after a kill."""
        if self.file is None:
            return False
        entries = self.store.in_order()
        if self.file.count() != len(entries):
            return True
        if not entries:
            return False
        written_s = self.file.path.stat().st_mtime
        return any(one.path.stat().st_mtime > written_s for one in entries)


class StoredResults(Sequence[VideoResult]):
    """The results in a store, each read when it is asked for, in the order in which videos were wanted."""

    def __init__(self, store: ResultStore) -> None:
        self.store = store
        self.entries = [one for one in store.in_order() if not one.failed]

    def __len__(self) -> int:
        """Videos that have a result."""
        return len(self.entries)

    @overload
    def __getitem__(self, which: int) -> VideoResult: ...
    @overload
    def __getitem__(self, which: slice) -> list[VideoResult]: ...
    def __getitem__(self, which: int | slice) -> VideoResult | list[VideoResult]:
        """By number. Raises InputError where its file is damaged."""
        if isinstance(which, slice):
            return [self[number] for number in range(*which.indices(len(self)))]
        found = read_entry(self.entries[which].path)
        if not isinstance(found, VideoResult):
            raise InputError(f"{found.info.name} has no result: {found.why}")
        return found


def write_page(stores: Sequence[ResultStore], output: Path, merged: Merged) -> list[str]:
    """Write the page of a batch into its store, but never over a person's own file of that name.

    Returns:
        a sentence where it was not written.

    Raises:
        InputError: it cannot be written.
    """
    page = stores[0].folder / "index.html"
    if merged.provenance is None:
        return []
    if page.exists() and own_kind(page) != "page":
        return [f"{page.name} in {page.parent.name} was not written by VidTAG and stays: move it away to have the page of the batch."]
    beside = Path(os.path.relpath(output, page.parent)).as_posix()
    rows = rows_of_page(stores, merged.missing)
    write_batch_page(page, rows, title=output.stem, output=beside, created_utc=merged.provenance.created_utc)
    return []


def another_video(name: str) -> InputError:
    """What is said where the results hold another recording of that name."""
    return InputError(f"The results hold another video named {name}: rename this one, or choose another output.")


def has_scores(beside: Path | None, sha256: str) -> bool:
    """Whether a video's scores lie beside a result; so it is where none is named."""
    return beside is None or scores_path(beside, sha256).is_file()
