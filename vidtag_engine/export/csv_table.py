"""CSV: a row a sampled frame, also those without an answer."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic import write_text
from ..file_marks import GENERATOR
from ..types import Provenance, VideoResult
from .columns import iso_texts, time_known
from .confidence_tables import FRAME_COLUMNS
from .place_names import PLACE_COLUMNS
from .tables import check_names, frames_table

COLUMNS = (
    "video", "frame_index", "time_s", "time_utc", "time_source", "lat_deg", "lon_deg", "confidence", "runner_up_m",
    "phase1_lat_deg", "phase1_lon_deg", "score", "state", *FRAME_COLUMNS, *PLACE_COLUMNS, "course_deg", "street", "generator",
)  # fmt: skip


def write_csv(path: Path | str, results: Sequence[VideoResult], provenance: Provenance, *, overwrite: bool = False) -> None:  # noqa: ARG001 - every exporter's form
    """Write all frames as UTF-8 CSV with a header; empty where unknown, ``time_utc`` too where the time base is synthetic.

    The last column, ``generator``, says whose the table is: a comment line would be taken for the header by GDAL, pandas and spreadsheets.

    Raises:
        InputError: it cannot be written, would replace what is not this tool's own (unless ``overwrite``), or two videos share a name.
    """
    check_names(results)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in results:
        table = frames_table(result)
        times = iso_texts(table.pop("time")) if time_known(result) else [None] * len(table["video"])
        table["time_utc"] = times
        table["generator"] = [GENERATOR] * len(table["video"])
        writer.writerows(zip(*([_cell(value) for value in table[name]] for name in COLUMNS), strict=True))
    write_text(path, text.getvalue(), "csv", overwrite=overwrite)


def _cell(value: Any) -> Any:
    """A number in full, an empty cell for what is unknown."""
    if value is None:
        return ""
    if isinstance(value, float | np.floating):
        return repr(float(value)) if math.isfinite(value) else ""
    return value
