"""The GeoPackage of a run: written anew after each video, and never over what a person has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from .atomic import write_text
from .batch import earlier_failed, earlier_results
from .export import read_failed, write_geopackage
from .export.edits import changes_by_a_person, count_videos, later_schema, open_elsewhere, state_of
from .export.review_file import copy_review, settle_pins
from .export.scores_file import share_scores
from .feedback import Feedback
from .geopackage_metadata import SCHEMA
from .grid import AreaOfInterest
from .store import Merged, ResultStore, merge_into
from .types import FailedVideo, InputError, Provenance, VideoResult

_MOST_SIBLINGS = 1000
_WRITTEN = "merged.state"
"""In a store: the state in which the file that was merged of it was left."""


class ResultFile:
    """Where a run writes to.

    Args:
        path: of the GeoPackage, which may exist.
        overwrite: the user wants it to be replaced, whatever it is; edits that are under way are refused all the same.

    Attributes:
        path: as given, or a sibling once the file was found changed while the run was under way.
        notes: a sentence where that happened.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path = path
        self._overwrite = overwrite
        self.notes: list[str] = []
        self._state = state_of(path)
        self._told = _rows(_failed_of(path))

    def check(self) -> None:
        """Before hours of work: refuse to replace what a person has changed or is changing. Raises InputError, which says what was changed."""
        name = self.path.name
        if open_elsewhere(self.path):
            raise InputError(
                f"{name} is open for editing in another program: save and stop editing there (in QGIS, toggle editing off), or choose another output."
            )
        if not self._overwrite and (later := later_schema(self.path)) is not None:
            raise InputError(
                f"{name} was written by a newer VidTAG (schema {later}, this one writes {SCHEMA}), and what that added would be lost: update VidTAG,"
                " choose another output, or add --overwrite to replace it."
            )
        settle_pins(self.path)
        if not self._overwrite and (changed := changes_by_a_person(self.path)):
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            raise InputError(f"A person has changed {name} ({changed[0]}{more}): choose another output, or add --overwrite to replace it.")

    def write(self, results: Sequence[VideoResult], failed: Sequence[FailedVideo], provenance: Provenance, aoi: AreaOfInterest) -> None:
        """Write all that is finished. A file that another program has changed since, or has open to, stays as it is, and a sibling is written.

        Raises:
            InputError: it cannot be written.
        """
        self._make_way()
        write_geopackage(self.path, results, provenance, aoi=aoi, failed=_named_apart(results, failed), overwrite=self._overwrite)
        self._state, self._told = state_of(self.path), _rows(failed)

    def merge(self, stores: Sequence[ResultStore], feedback: Feedback = Feedback()) -> Merged:
        """Write all that is in stores, while no other process does; as :meth:`write` where another program has changed the file.

        Raises:
            InputError: it cannot be written.
            CancelledError: stopped; the file is as it was.
        """
        written = stores[0].folder / _WRITTEN
        if self.path.exists() and _text(written) == state_of(self.path):  # another worker of the same batch has written it
            self._state = state_of(self.path)
        self._make_way()
        merged = merge_into(self.path, stores, overwrite=self._overwrite, feedback=feedback)
        self._state = state_of(self.path)
        write_text(written, self._state)
        return merged

    def count(self) -> int:
        """Videos in the file, those that failed, too; 0 where there is none."""
        return count_videos(self.path)

    def _make_way(self) -> None:
        """What a person has changed meanwhile stays: a sibling is written then."""
        if self.path.exists() and (open_elsewhere(self.path) or state_of(self.path) != self._state):
            self._step_aside()
        try:
            settle_pins(self.path)
        except InputError:  # pins that were drawn meanwhile cannot be given their moments: the result that tells them stays
            self._step_aside()

    def tell(self, results: Sequence[VideoResult], failed: Sequence[FailedVideo], provenance: Provenance, aoi: AreaOfInterest) -> None:
        """At the end: write once more if the file does not yet tell of every failed video. Raises InputError as :meth:`write`."""
        if results and _rows(failed) != self._told:
            self.write(results, failed, provenance, aoi)

    def _step_aside(self) -> None:
        before = self.path
        numbered = (before.with_name(f"{before.stem}-{number}.gpkg") for number in range(2, _MOST_SIBLINGS))
        self.path = next((one for one in numbered if not one.exists()), before)
        if self.path is before:
            raise InputError(f"{before.name} is being edited, and every name beside it is taken: choose another output.")
        copy_review(before, self.path)
        share_scores(before, self.path)
        self.notes.append(
            f"{before.name} was changed or opened for editing in another program while this ran: it stays as it is, and all videos are in"
            f" {self.path.name}."
        )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _failed_of(path: Path) -> list[FailedVideo]:
    try:
        return read_failed(path)
    except InputError:
        return []  # no result, or none of ours


def _rows(failed: Sequence[FailedVideo]) -> set[tuple[str, str]]:
    return {(one.info.path.name, one.sha256) for one in failed}


def _named_apart(results: Sequence[VideoResult], failed: Sequence[FailedVideo]) -> list[FailedVideo]:
    """The failed videos by names that no result has, and none twice."""
    taken = {one.info.name for one in results}
    named = []
    for one in failed:
        names = (one.info.name if number == 1 else f"{one.info.name} ({number})" for number in count(1))
        name = next(name for name in names if name not in taken)
        taken.add(name)
        named.append(replace(one, info=replace(one.info, name=name)))
    return named


def earlier_of(
    file: ResultFile | None, provenance: Provenance, names: set[str], *, anew: bool, any_grid: bool
) -> tuple[dict[str, VideoResult], list[FailedVideo]]:
    """What an earlier run left in the output: finished videos by SHA-256, and failed ones that this run, whose videos have ``names``, is not about."""
    if file is None:
        return {}, []
    file.check()
    return earlier_results(file.path, provenance, overwrite=anew, any_grid=any_grid), [] if anew else earlier_failed(file.path, names)
