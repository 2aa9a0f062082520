from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class BatchRow:
    video: str
    state: str | None
    why: str = ""
    mean_confidence: float | None = None
    confidence_radius_m: float | None = None
    frames: int = 0
    located: int = 0
    length_m: float | None = None
    start_time: str | None = None
    duration_s: float | None = None
    lines: tuple = ()
    area: str | None = None


def write_batch_page(
    path: Path, rows: Iterable[BatchRow], *, title: str, output: str | None, created_utc: datetime, overwrite: bool = False
) -> None:
    list(rows)
