"""What a result and its copies tell: not where the checkpoint was trained, no user, no folder. Every string and every byte is read."""

from __future__ import annotations

import base64
import binascii
import getpass
import json
import re
import socket
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from vidtag_engine.cli.app import app
from vidtag_engine.models import from_pretrained
from vidtag_engine.trajectory import Calibration

pytestmark = pytest.mark.slow
DEMO = Path(__file__).resolve().parent.parent / "resources" / "demo"
CHECKPOINT = DEMO / "checkpoint"
NUMBER = re.compile(rb"-?\d{1,3}\.\d{4,17}")
BASE64 = re.compile(rb"[A-Za-z0-9+/]{32,}={0,2}")
MOST_RECORD_BYTES = 20_000
AREA = (159.925, -19.224, 159.935, -19.216)
"""What is searched (west, south, east, north): a part of where the checkpoint was trained, so that it knows ground beyond."""


class Places:
    """Places of training to look for.

    Args:
        lat_lon_deg: (N, 2).
    """

    def __init__(self, lat_lon_deg):
        self.places = np.unique(np.asarray(lat_lon_deg, dtype=np.float64), axis=0)

    def found_in(self, data: bytes) -> int:
        """How many of them the bytes hold, as text, as base64 or as 4 or 8 bytes at any offset.

        Latitude and longitude stand side by side, in any order; or apart, as in two columns, and then more than chance brings about.
        """
        count = self._count([float(word) for word in NUMBER.findall(data)], 6)
        for part in [data, *filter(None, (decoded(word) for word in BASE64.findall(data)))]:
            for kind in ("<f8", ">f8", "<f4", ">f4"):
                size = np.dtype(kind).itemsize
                for offset in range(size):
                    values = np.frombuffer(part[offset : offset + max(0, len(part) - offset) // size * size], dtype=kind)
                    count += self._count(values[np.isfinite(values) & (np.abs(values) <= 180)], None, kind)
        return count

    def _count(self, values, decimals, kind="<f8"):
        places, values = self.places.astype(kind), np.asarray(values, dtype=kind)
        if decimals is not None:
            places, values = np.round(places, decimals), np.round(values, decimals)
        pairs = {pair for a, b in pairwise(values.tolist()) for pair in ((a, b), (b, a))}
        together = sum(tuple(place) in pairs for place in places.tolist())
        apart = int(np.isin(places, values).all(axis=1).sum())
        return together + (apart if apart > 0.02 * len(places) else 0)


def decoded(word: bytes) -> bytes:
    try:
        return base64.b64decode(word[: len(word) // 4 * 4], validate=True)
    except (binascii.Error, ValueError):
        return b""


@pytest.fixture(scope="module")
def training():
    """Where the demo's checkpoint was trained: each training frame's place, and the cover of the ground about them outside of what is searched here."""
    calibration = json.loads((CHECKPOINT / "config.json").read_text(encoding="utf-8"))["calibration"]
    cover = Calibration.from_dict(calibration).path.out_of_area.lat_lon_deg
    south_west, north_east = np.array(AREA[1::-1]), np.array(AREA[:1:-1])
    inside = ((cover >= south_west) & (cover <= north_east)).all(axis=1)
    frames = from_pretrained(CHECKPOINT)[0].memory.places_deg
    return {"frames": Places(frames), "cover": Places(cover[~inside]), "whole cover": Places(cover)}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A folder with everything that a run, an evaluation, a heat map and a correction write, from a video in a folder of a telling name."""
    folder = tmp_path_factory.mktemp("told")
    secret = tmp_path_factory.mktemp("zorro's secret")
    for name in ("drive.mp4", "drive.gpx"):
        (secret / name).write_bytes((DEMO / name).read_bytes())
    (secret / "broken.mp4").write_bytes(b"no video" * 50)
    result, at = str(folder / "d.gpkg"), ["--aoi", ",".join(map(str, AREA)), "--checkpoint", str(CHECKPOINT), "--resolution-m", "25"]
    copies = [word for kind in ("kml", "gpx", "geojson", "csv") for word in (f"--{kind}", str(folder / f"d.{kind}"))]
    for words in (
        [
            "geolocate",
            str(secret),
            *at,
            "--to",
            "6",
            "--keep-scores",
            "--always-answer",
            "--output",
            result,
            "--map",
            str(folder / "d.png"),
            *copies,
        ],
        ["pin", result, "--frame", "2", "--at", place_in_result(folder), "--who", ""],
        ["solve", result],
        ["evaluate", result, "--truth", str(secret / "drive.gpx"), "--html", str(folder / "e.html"), "--errors", str(folder / "e.gpkg")],
        ["heatmap", str(secret / "drive.mp4"), *at, "--to", "2", "--output", str(folder / "h.tif")],
    ):
        done = CliRunner().invoke(app, [word() if callable(word) else word for word in words])
        assert done.exit_code == 0, done.output
    return folder


def place_in_result(folder):
    def place():
        with closing(sqlite3.connect(folder / "d.gpkg")) as database:
            lat, lon = database.execute("SELECT best_lat_deg, best_lon_deg FROM frames WHERE frame_index = 2").fetchone()
        return f"{lat:.5f},{lon:.5f}"

    return place


def written(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def pieces(path):
    """Names and bytes: the file's own, and every cell of a GeoPackage, so that none is cut by a page."""
    yield path.name, path.read_bytes()
    if path.suffix == ".gpkg":
        with closing(sqlite3.connect(path)) as database:
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    for cell in row:
                        if isinstance(cell, str | bytes):
                            yield f"{path.name} {table}", cell.encode() if isinstance(cell, str) else cell


def test_the_search_finds_what_a_checkpoint_does_hold(training):
    """Or it would find nothing anywhere."""
    card = (CHECKPOINT / "config.json").read_bytes()
    assert len(training["cover"].places) > 300
    assert training["whole cover"].found_in(card) >= len(training["whole cover"].places) > 1000
    assert training["frames"].found_in(np.asarray(training["frames"].places[:50], dtype=np.float32).tobytes()) >= 50
    some = training["frames"].places[7]
    assert training["frames"].found_in(f"at {some[0]:.6f}, {some[1]:.6f}".encode()) >= 1


def test_no_output_tells_where_the_checkpoint_was_trained(told, training):
    kinds = {path.suffix for path in written(told)}
    assert kinds >= {".gpkg", ".kml", ".gpx", ".geojson", ".csv", ".png", ".html", ".tif", ".safetensors"}
    for path in written(told):
        for what, data in pieces(path):
            for kind in ("frames", "cover"):
                assert training[kind].found_in(data) == 0, f"{what} holds {kind} of the training"


def test_no_output_names_a_user_a_machine_or_a_folder(told):
    words = [
        getpass.getuser(),
        socket.gethostname(),
        Path.home().name,
        "zorro",
        "told0",
        str(Path.home()),
        str(told),
        str(CHECKPOINT.parent),
    ]
    words = {word.encode() for word in words if len(word) > 3 and word not in {"root", "localhost"}}
    for path in written(told):
        if path.suffix != ".png":  # pictures of maps are no text
            for what, data in pieces(path):
                assert not [word for word in words if word in data], what


def test_the_record_is_small_and_the_inputs_are_in_videos(told):
    with closing(sqlite3.connect(told / "d.gpkg")) as database:
        [(record,)] = database.execute("SELECT metadata FROM gpkg_metadata WHERE md_standard_uri = 'urn:vidtag:provenance'").fetchall()
        rows = database.execute("SELECT video, file, state, why, length(sha256) FROM videos").fetchall()
        longest = [max((len(str(cell)) for row in database.execute(f'SELECT * FROM "{table}"') for cell in row), default=0)
                   for table in ("gpkg_metadata", "videos", "gpkg_contents")]  # fmt: skip
    assert len(record.encode()) <= MOST_RECORD_BYTES
    assert max(longest) <= MOST_RECORD_BYTES
    assert "inputs" not in json.loads(record)
    assert [row[:3] for row in rows] == [("drive.mp4", "drive.mp4", "located"), ("broken.mp4", "broken.mp4", "failed")]
    assert rows[1][3].startswith("broken.mp4 is not a video that FFmpeg can read")
    assert [row[4] for row in rows] == [64, 64]
