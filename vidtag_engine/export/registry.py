"""The formats that a result can be copied to. A new one is a file beside its siblings and a line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..types import Provenance, VideoResult
from .csv_table import write_csv
from .geojson import write_geojson
from .gpx import write_gpx
from .kml import write_kml

Exporter = Callable[[Path | str, Sequence[VideoResult], Provenance], None]

# Name of the command line's option: its file's suffix, and what writes it.
EXPORTERS: dict[str, tuple[str, Exporter]] = {
    "kml": (".kml", write_kml),
    "gpx": (".gpx", write_gpx),
    "geojson": (".geojson", write_geojson),
    "csv": (".csv", write_csv),
}
