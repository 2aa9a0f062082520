"""The GeoPackage of a batch, made again of the results that were kept video by video, on one machine or on many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..batch import check_output, check_same_settings
from ..feedback import Feedback
from ..file_marks import first_refusal
from ..result_file import ResultFile
from ..store import ResultStore, StoredRow, read_row, store_of
from ..stored_batch import write_page
from ..types import InputError, Provenance

_SUFFIX = ".results"


def run_merge(
    stores: Sequence[Path], output: Path | None = None, *, overwrite: bool = False, feedback: Feedback = Feedback()
) -> dict[str, Any]:
    """Merge stores into the canonical GeoPackage, and write the batch's page into the first.

    Args:
        stores: folders of results, all of the same settings, checkpoint and area.
        output: of the GeoPackage; None is the name of the only store, beside it: ``drives.gpkg`` for ``drives.results``.
        overwrite: replace what is there, whatever it is.
        feedback: told how far it is.

    Returns:
        ``output``, ``page``, ``videos`` and ``failed`` (counts), ``states`` (counts by state), ``missing`` (names of videos that were wanted and have neither
        result nor failure), ``failures`` (name and reason of each).

    Raises:
        InputError: they cannot be merged, or the output must not be replaced.
        CancelledError: stopped; nothing was written.
    """
    if not stores:
        raise InputError("There is nothing to merge: give at least one folder of results.")
    output = output or _output_of(stores)
    check_output(output)
    opened = [ResultStore(folder) for folder in stores]
    if (why := first_refusal([(output, "result")], inputs=[], overwrite=overwrite, replace="add --overwrite")) is not None:
        raise InputError(why)
    file = ResultFile(output, overwrite=overwrite)
    file.check()
    if not overwrite:
        check_same_settings(output, _record_of(opened[0]), any_grid=opened[0].grid_digest is None)
    feedback.tell(0.0, "merge", output.name)
    with opened[0].merging(wait=True):
        merged = file.merge(opened, feedback.saying("Stopped; nothing was written."))
        notes = write_page(opened, output, merged)
    rows = _rows(opened)
    states: dict[str, int] = {}
    for row in rows:
        states[row.state or "none"] = states.get(row.state or "none", 0) + 1
    feedback.tell(1.0, "done", file.path.name)
    return {
        "output": str(file.path),
        "page": str(opened[0].folder / "index.html"),
        "videos": merged.videos,
        "failed": merged.failed,
        "states": states,
        "missing": merged.missing,
        "failures": [{"name": row.video, "reason": row.why} for row in rows if row.state == "failed"],
        "notes": [*file.notes, *notes],
    }


def _output_of(stores: Sequence[Path]) -> Path:
    if len(stores) == 1 and stores[0].name.endswith(_SUFFIX):
        output = stores[0].absolute().with_suffix(".gpkg")
        if store_of(output) == stores[0].absolute():
            return output
    raise InputError("Give --output, the GeoPackage to write: only of one folder that is called NAME.results it follows by itself.")


def _record_of(store: ResultStore) -> Provenance:
    """As far as a file is told from one of other settings by it."""
    return Provenance(store.settings, store.checkpoint, {"digest": store.grid_digest}, {}, 0, datetime.now(UTC))


def _rows(stores: Sequence[ResultStore]) -> list[StoredRow]:
    """Each video once, the result where one store has a result and another a failure."""
    found: dict[str, StoredRow] = {}
    for store in stores:
        for entry in store.in_order():
            row = read_row(entry.path)
            if row.video not in found or (found[row.video].state == "failed" and not entry.failed):
                found[row.video] = row
    return list(found.values())
