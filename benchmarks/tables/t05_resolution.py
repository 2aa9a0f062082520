"""Table 5: how fine the gallery is."""

from __future__ import annotations

from .bench import Bench
from .lab import Gallery
from .rows import SHIPPED, VIDTAG
from .runs import Run
from .table import FRAMES, NAME, TRAJECTORY, Column, Table

NUMBER = "5"
RESOLUTIONS_KM = (1.0, 0.5, 0.1)
COLUMNS = (
    NAME,
    Column("resolution_km", "resolution km"),
    Column("points", "points", 0),
    Column("seconds", "search s", 1, "low"),
    *FRAMES,
    *TRAJECTORY,
)


def runs(bench: Bench) -> list[Run]:  # noqa: ARG001
    return [VIDTAG, SHIPPED]


def make(bench: Bench) -> Table:
    rows = []
    for name, run in (("VidTAG as in the paper", VIDTAG), ("ours, retrieval alone", SHIPPED)):
        for resolution_km in RESOLUTIONS_KM:
            gallery = Gallery("grid", 1000 * resolution_km)
            placed = bench.lab.place(run, gallery)
            points = bench.lab.grid(gallery, placed.drives, None).count
            rows.append({"name": name, "resolution_km": resolution_km, "points": points, "seconds": placed.seconds, **placed.scores()})
    frames = sum(len(drive.sequence) for drive in placed.drives)
    notes = (f"Seconds are for all {frames:,} test frames, from stored features to answers, the gallery's embedding included.",)
    return Table(NUMBER, "gallery resolution", COLUMNS, tuple(rows), notes)
