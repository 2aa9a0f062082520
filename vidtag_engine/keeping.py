"""Where a run's finished videos go: into its only file, or, of a batch, into a store that the file is a merge of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from .batch import BatchInput, check_name_free, check_same_settings, summary_of
from .export import read_areas, read_failed, read_geopackage
from .export.edits import count_videos
from .feedback import Feedback
from .grid import AreaOfInterest
from .own_areas import SearchedArea, TableOfVideos
from .result_file import ResultFile, earlier_of
from .store import EntryKey, Inventory, ResultStore, is_store, share_out, store_of
from .stored_batch import StoredBatch, has_scores
from .types import FailedVideo, OwnSettings, Provenance, VideoResult

MOST_WARNED = 100
"""Videos of an earlier run whose warnings are said again; of more the table and the page tell."""


class Known(Protocol):
    """What knows which videos need no answer."""

    @property
    def scores_beside(self) -> Path | None:
        """The result that scores are kept beside; None where they are not kept."""

    def has(self, one: BatchInput, sha256: str, own: OwnSettings | None, grid_digest: str) -> bool:
        """Whether a video need not be done, by the digest of its bytes. Raises InputError where another recording has its name."""


class Keeper(Known, Protocol):
    """What holds the finished videos of a run.

    Attributes:
        failed: videos of this run that have no result.
        resumed: names of videos that were finished before.
        aoi: all that was searched.
        provenance: what makes the results.
    """

    failed: list[FailedVideo]
    resumed: list[str]
    aoi: AreaOfInterest
    provenance: Provenance

    @property
    def results(self) -> Sequence[VideoResult]:
        """Of this and of earlier runs, in order."""

    @property
    def folder(self) -> Path | None:
        """Of the store; None where there is none."""

    @property
    def notes(self) -> list[str]:
        """What a user should know of the file, a sentence each."""

    def earlier(self, one: BatchInput) -> VideoResult | None:
        """The result of a video that was finished before."""

    def known(self, one: BatchInput, own: OwnSettings | None, grid_digest: str) -> bool:
        """Whether a video need not be done, as its file is the one that was; noted here."""

    def working_on(self, one: BatchInput) -> Any:
        """A context in which a video is this process's; it gives False where it is another's."""

    def put(self, one: BatchInput, result: VideoResult, area: SearchedArea) -> None:
        """Keep a result."""

    def fail(self, one: BatchInput, failed: FailedVideo, area: SearchedArea | None) -> None:
        """Keep why there is none."""

    def close(self) -> Path | None:
        """Write the file whole; its path, None where there is none."""

    def summaries(self) -> list[dict[str, Any]]:
        """Of every result, as :func:`.batch.summary_of`."""


class OneFile:
    """Results in memory, and in the GeoPackage if there is one: written anew, whole, after each video.

    Args:
        file: of the run; None writes nothing.
        provenance: of the run.
        table: of videos, which knows their areas.
        run: area of videos that have none of their own.
        inputs: of the run.
        anew: earlier results are done again.
        keep_scores: a result whose scores are not there is done again.
    """

    def __init__(
        self, file: ResultFile | None, provenance: Provenance, table: TableOfVideos, run: SearchedArea | None, inputs: Sequence[BatchInput],
        *, anew: bool, keep_scores: bool,
    ) -> None:  # fmt: skip
        kept, self._others = earlier_of(file, provenance, {one.name for one in inputs}, anew=anew, any_grid=run is None)
        self._kept = table.still_right(kept, inputs)
        self.file = file
        self.aoi, self.provenance = table.joined(run, provenance, list(self._kept.values()), file.path if file else None)
        self._keep_scores = keep_scores
        self.results: list[VideoResult] = list(self._kept.values())
        self.failed: list[FailedVideo] = []
        self.resumed: list[str] = []

    @property
    def notes(self) -> list[str]:
        """As of :class:`Keeper`."""
        return self.file.notes if self.file is not None else []

    @property
    def folder(self) -> Path | None:
        """As of :class:`Keeper`."""
        return None

    @property
    def scores_beside(self) -> Path | None:
        """As of :class:`Keeper`."""
        return self.file.path if self.file is not None and self._keep_scores else None

    def earlier(self, one: BatchInput) -> VideoResult | None:
        """As of :class:`Keeper`."""
        return next((known for known in self.results if known.info.name == one.name), None)

    def known(self, one: BatchInput, own: OwnSettings | None, grid_digest: str) -> bool:  # noqa: ARG002
        """Nothing is known before its bytes are read."""
        return False

    def has(self, one: BatchInput, sha256: str, own: OwnSettings | None, grid_digest: str) -> bool:  # noqa: ARG002 - a row's were looked at when the run began
        """As of :class:`Keeper`."""
        earlier = self._kept.get(sha256)
        if earlier is not None and earlier.info.name == one.name and has_scores(self.scores_beside, sha256):
            self.resumed.append(one.name)
            return True
        check_name_free(one.name, sha256, self.results)
        return False

    @contextmanager
    def working_on(self, one: BatchInput) -> Iterator[bool]:  # noqa: ARG002
        """Nobody else writes this file."""
        yield True

    def put(self, one: BatchInput, result: VideoResult, area: SearchedArea) -> None:  # noqa: ARG002
        """As of :class:`Keeper`. Raises InputError where the file cannot be written."""
        self.results = [*(known for known in self.results if known.info.name != one.name), result]
        if self.file is not None:
            self.file.write(self.results, [*self.failed, *self._others], self.provenance, self.aoi)

    def fail(self, one: BatchInput, failed: FailedVideo, area: SearchedArea | None) -> None:  # noqa: ARG002
        """As of :class:`Keeper`."""
        self.failed.append(failed)

    def close(self) -> Path | None:
        """As of :class:`Keeper`. Raises InputError where the file cannot be written."""
        if self.file is None:
            return None
        self.file.tell(self.results, [*self.failed, *self._others], self.provenance, self.aoi)
        return self.file.path

    def summaries(self) -> list[dict[str, Any]]:
        """As of :class:`Keeper`."""
        return [summary_of(one) for one in self.results]


@dataclass(frozen=True)
class BatchSettings:
    """Where the results of a batch are kept, and which of its videos fall to this process.

    Args:
        results: folder of the store; None is beside the output.
        shard: which of how many equal shares of the videos, counted from 1; None is all.
        retry_failed: what failed before, and has not changed since, is done again.
        cluster: "local", or the address of a Dask scheduler, whose workers do the work; None is this process.
    """

    results: Path | None = None
    shard: tuple[int, int] | None = None
    retry_failed: bool = False
    cluster: str | None = None

    def share(self, inputs: Sequence[BatchInput]) -> list[BatchInput]:
        """The videos that fall to this process."""
        if self.shard is None:
            return list(inputs)
        number, count = self.shard
        wanted = Inventory.of([(one.name, one.path) for one in inputs])
        return [one for one, falls_to in zip(inputs, share_out(wanted.videos, count), strict=True) if falls_to == number]


def keeper_of(
    table: TableOfVideos,
    run: SearchedArea | None,
    inputs: Sequence[BatchInput],
    provenance: Provenance,
    output: Path | None,
    batch: BatchSettings,
    *,
    overwrite: bool = False,
    anew: bool = False,
    keep_scores: bool = False,
    feedback: Feedback = Feedback(),
) -> OneFile | StoredBatch:
    """What keeps a run's results: a store where there are several videos, or one was named, or lies beside the output.

    Args:
        table, run, inputs, provenance: of the run.
        output: the GeoPackage; None writes none.
        batch: where the store is.
        overwrite: the output is replaced whatever it is.
        anew: no earlier result is taken up.
        keep_scores: scores are kept beside the output.
        feedback: of the run.

    Raises:
        InputError: what is there is of other settings, or not to be replaced.
    """
    file = ResultFile(output, overwrite=overwrite) if output is not None else None
    folder = batch.results or (store_of(output) if output is not None else None)
    alone = len(inputs) == 1 and batch.results is None and batch.cluster is None
    if folder is None or (alone and not is_store(folder)):
        return OneFile(file, provenance, table, run, inputs, anew=anew, keep_scores=keep_scores)
    if file is not None:
        file.check()
        if not anew:
            check_same_settings(file.path, provenance, any_grid=run is None)
    store = ResultStore.begin(folder, provenance, grid_digest=run.grid.digest if run else None, output=output, anew=anew)
    if anew and batch.results is None:
        store.clear()
    if file is not None and not anew:
        _take_up(file.path, store, run, provenance)
    kept = StoredBatch(
        store, file, provenance, table, run, anew=anew, retry_failed=batch.retry_failed, keep_scores=keep_scores, feedback=feedback
    )
    Inventory.of([(one.name, one.path) for one in inputs]).save(store.folder)
    return kept


def _take_up(output: Path, store: ResultStore, run: SearchedArea | None, provenance: Provenance) -> None:
    """Put into a store what a file holds that was not made of it, or made of one that is gone."""
    if not output.exists() or count_videos(output) <= len(store.entries()):
        return
    results, made = read_geopackage(output)
    named = read_areas(output)
    grids = made.gallery.get("areas", {})
    every: list[VideoResult | FailedVideo] = [*results, *read_failed(output)]
    for one in every:
        own = one.own if isinstance(one, VideoResult) else None
        digest = own.grid_digest if own and own.grid_digest else run.grid.digest if run else ""
        key = EntryKey(one.info.name, one.sha256, own, digest)
        if store.named(key):
            continue
        gallery = {name: value for name, value in provenance.gallery.items() if name != "areas"}
        if own and own.area and own.area in named:
            store.keep_area(digest, named[own.area], own.area)
            gallery["areas"] = {own.area: grids.get(own.area)}
        whole = run.aoi.geometry if run else None
        store.save(key, one, replace(made, gallery=gallery), aoi=whole, named=named)
