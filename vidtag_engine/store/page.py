"""The files of stores as rows of the batch's page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import shapely

from ..export.batch_page import BatchRow
from .entry import StoredRow, read_row
from .folder import ResultStore

MISSING = "missing"
"""State of a video that was wanted and is not there yet."""


def rows_of_page(stores: Sequence[ResultStore], missing: Sequence[str] = ()) -> Iterator[BatchRow]:
    """A row a video, in the order in which they were wanted, then those that are missing. Raises InputError where a file is damaged."""
    shown: set[str] = set()
    for store in stores:
        for entry in store.in_order():
            if (row := read_row(entry.path)).video not in shown:
                shown.add(row.video)
                yield _page_row(row)
    for name in missing:
        yield BatchRow(name, MISSING)


def _page_row(row: StoredRow) -> BatchRow:
    told = row.summary
    line = shapely.from_wkb(row.line_wkb) if row.line_wkb else None
    parts = () if line is None else tuple(tuple((float(x), float(y)) for x, y in part.coords) for part in shapely.get_parts(line))
    return BatchRow(
        row.video,
        row.state,
        row.why,
        None if math.isnan(row.mean_confidence) else row.mean_confidence,
        None if math.isnan(row.confidence_radius_m) else row.confidence_radius_m,
        int(told.get("frames", 0)),
        int(told.get("located", 0)),
        told.get("length_m"),
        told["start_time"] if told and row.time_source != "synthetic" else None,
        row.duration_s,
        parts,
        row.area,
    )
