"""Bad input about pins, and about results that a person has changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import shapely

from vidtag_engine.export import write_geopackage
from vidtag_engine.export.pins import PinRow
from vidtag_engine.export.review_file import add_pins
from vidtag_engine.types import DecodeReport, FrameState, Provenance, TimeSource, Trajectory, VideoInfo, VideoResult

from .bad_input_cases import EAST, NORTH, SOUTH, WEST, Case, geolocate

_PLACE = f"{(SOUTH + NORTH) / 2},{(WEST + EAST) / 2}"
_SHA256 = "5e" * 32
_FRAMES = 10


def _pin(result: str, *more: str, at: str = _PLACE) -> tuple[str, ...]:
    return ("pin", result, "--at", at, "--who", "", *more)


CASES = (
    Case("a pin outside the area that was searched", _pin("pinned.gpkg", "--frame", "2", at="48.2,16.4"), ("48.2", "outside the area")),
    Case("a second pin for one frame", _pin("pinned.gpkg", "--frame", "3"), ("pinned.review.gpkg", "--remove 1")),
    Case("a second word on a moment between two frames", _pin("pinned.gpkg", "--time-s", "3.2", "--not-here"), ("--remove 1",)),
    Case("a pin after the video's end", _pin("pinned.gpkg", "--time-s", "99"), ("99 s", "seaside.mp4")),
    Case("a pin on a frame that was not sampled", _pin("pinned.gpkg", "--frame", "99"), ("frame 99",)),
    Case("a pin that does not say its moment", _pin("pinned.gpkg"), ("--frame", "--time-s")),
    Case("a pin with two moments", _pin("pinned.gpkg", "--frame", "1", "--time-s", "1"), ("--frame", "--time-s")),
    Case(
        "a pin on a video that the result does not hold",
        _pin("pinned.gpkg", "--frame", "1", "--video", "other.mp4"),
        ("other.mp4", "seaside.mp4"),
    ),
    Case("a pin to be removed that is not there", ("pins", "pinned.gpkg", "--remove", "7"), ("pinned.review.gpkg", "7")),
    Case("nothing to undo", ("pins", "bare.gpkg", "--undo"), ("bare.gpkg",)),
    Case("pins of a file that is no result", ("pins", "drive.gpx"), ("drive.gpx",)),
    Case("two pins for one moment, drawn by hand", ("solve", "doubled.gpkg"), ("doubled.gpkg", "seaside.mp4", "1 and 2")),
    Case("a pin far from any sampled frame", ("solve", "gap.gpkg"), ("seaside.mp4", "15 s")),
    Case("pins of another video alone", ("solve", "strangers.gpkg"), ("strangers.gpkg", "away.mp4")),
    Case("an output that a person has edited", geolocate("drive.mp4", output="edited.gpkg"), ("edited.gpkg", "the layer frames")),
    Case("an output with a column that a person added", geolocate("drive.mp4", output="remarks.gpkg"), ("remarks.gpkg", "remark")),
    Case("an output with a style that a person saved", geolocate("drive.mp4", output="styled.gpkg"), ("styled.gpkg", "my style")),
    Case("a batch of which no video can be read", geolocate("drive.gpx", "doubled.gpkg"), ("drive.gpx",)),
)


def make_inputs(folder: Path) -> None:
    """Results of a made-up video, with pins and edits of every kind."""
    lat, lon = (float(part) for part in _PLACE.split(","))
    here = PinRow("seaside.mp4", 3, lat, lon, sha256=_SHA256, time_s=3.0)
    pins = {
        "pinned": [here],
        "bare": [],
        "doubled": [here, PinRow("seaside.mp4", 3, lat + 0.001, lon, sha256=_SHA256, time_s=3.0)],
        "gap": [PinRow("seaside.mp4", None, lat, lon, sha256=_SHA256, time_s=15.0)],
        "strangers": [PinRow("away.mp4", 3, lat, lon, sha256="7a" * 32, time_s=3.0)],
        "edited": [],
        "remarks": [],
        "styled": [],
    }
    for name, some in pins.items():
        _write(folder / f"{name}.gpkg")
        if some:
            add_pins(folder / f"{name}.gpkg", some)
    for name, statement in (
        (
            "edited",
            "UPDATE gpkg_contents SET last_change = '2030-01-01T00:00:00.000Z' WHERE table_name = 'frames'",
        ),  # as GDAL does with an edit
        ("remarks", "ALTER TABLE videos ADD COLUMN remark TEXT"),
        ("styled", "INSERT INTO layer_styles (f_table_name, styleName, useAsDefault) VALUES ('frames', 'my style', 1)"),
    ):
        with closing(sqlite3.connect(folder / f"{name}.gpkg")) as database, database:
            database.execute(statement)


def _write(path: Path) -> None:
    """A result of ten frames, the video going on for ten seconds more."""
    lat = np.linspace(SOUTH, NORTH, _FRAMES)
    lon = np.full(_FRAMES, (WEST + EAST) / 2)
    sure = np.full(_FRAMES, 0.5)
    unknown = np.full(_FRAMES, np.nan)
    frames = (np.arange(_FRAMES), np.arange(_FRAMES, dtype=float), lat, lon, sure, sure, unknown, lat, lon)
    video = VideoResult(
        VideoInfo(Path("seaside.mp4"), "seaside.mp4", "video", 64, 48, 20.0, datetime(2026, 5, 1, tzinfo=UTC), TimeSource.CONTAINER),
        Trajectory(*frames, (FrameState.LOCATED,) * _FRAMES, 100.0),
        DecodeReport(_FRAMES, _FRAMES, 0),
        _SHA256,
    )
    made = Provenance({}, {"name": "made-up", "sha256": ""}, {"resolution_m": 40.0, "digest": ""}, {}, 0, datetime(2026, 5, 2, tzinfo=UTC))
    write_geopackage(path, [video], made, aoi=shapely.box(WEST, SOUTH, EAST, NORTH))
