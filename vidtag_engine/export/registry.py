"""The formats that a result can be copied to. A new one is a file beside its siblings and a line here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ..types import Provenance, VideoResult
from .csv_table import write_csv
from .geojson import write_geojson
from .gpx import write_gpx
from .kml import write_kml


class Exporter(Protocol):
    """What writes a copy of a result."""

    def __call__(self, path: Path | str, results: Sequence[VideoResult], provenance: Provenance, *, overwrite: bool = False) -> None:
        """Write it, unless that would replace what is not this tool's own copy of that kind."""


# Name of the command line's option: its file's suffix, and what writes it.
EXPORTERS: dict[str, tuple[str, Exporter]] = {
    "kml": (".kml", write_kml),
    "gpx": (".gpx", write_gpx),
    "geojson": (".geojson", write_geojson),
    "csv": (".csv", write_csv),
}
