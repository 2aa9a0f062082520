"""The layer of guessed places, read by GDAL's own programs."""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from vidtag_engine.export.places_file import PlaceRow, write_places
from vidtag_engine.file_marks import own_kind
from vidtag_engine.guessing import Guesses, VideoGuess
from vidtag_engine.inference.city_guess import CityGuess
from vidtag_engine.models.city_table import CityTable, table_of
from vidtag_engine.types import LEVELS, InputError, TimeSource, VideoInfo

NAMES = [
    ("Albacé", "Nord", "Insel", "Meer"), ("Berga", "Nord", "Insel", "Meer"), ("Cala", "Süd", "Insel", "Meer"), ("Dole", "", "Land", "Meer"),
]  # fmt: skip
ROW = PlaceRow(
    "a é.mp4", "ab" * 32, "city", 1, ("Albacé", "Nord", "Insel", "Meer"), 0.75, known=True, why="", outline=shapely.box(10, 50, 11, 51)
)
needs_gdal = pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="GDAL's command line tools are not installed")


def table() -> CityTable:
    """Four squares of a degree, two of them in one state; the last lies in no named state."""
    boxes = [shapely.box(x, 50, x + 1, 51) for x in (10, 12, 14, 16)]
    return table_of(NAMES, np.array([[50.5, box.centroid.x] for box in boxes]), boxes)


def guessed(name: str, shares: list[float], *, rated: bool = True, why: str = "") -> VideoGuess:
    info = VideoInfo(Path(name), name, "video", 64, 48, 6.0, datetime(2024, 5, 1, tzinfo=UTC), TimeSource.SYNTHETIC)
    return VideoGuess(info, "ab" * 32, CityGuess(table(), np.log(shares), rated, why=why), {})


def features(path: Path) -> list[dict]:
    run = subprocess.run(["ogr2ogr", "-f", "GeoJSON", "/vsistdout/", path, "places"], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)["features"]


@needs_gdal
def test_columns_are_what_gdal_sees(tmp_path: Path) -> None:
    write_places(tmp_path / "é p.gpkg", [ROW])
    said = subprocess.run(["ogrinfo", "-ro", "-so", tmp_path / "é p.gpkg", "places"], capture_output=True, text=True, check=True).stdout
    assert "Geometry: Multi Polygon" in said
    assert "Feature Count: 1" in said
    assert 'ID["EPSG",4326]' in said
    columns = dict(line.split(": ") for line in said.splitlines() if line.split(":")[0].islower() and " (" in line)
    names = ["video", "sha256", "level", "rank", "name", *LEVELS, "probability", "known", "why"]
    assert list(columns) == names
    assert {name: columns[name].split(" ")[0] for name in ("rank", "probability", "known")} == {
        "rank": "Integer", "probability": "Real", "known": "Integer(Boolean)"
    }  # fmt: skip
    [feature] = features(tmp_path / "é p.gpkg")
    assert feature["properties"] == {
        "video": "a é.mp4", "sha256": "ab" * 32, "level": "city", "rank": 1, "name": "Albacé", "city": "Albacé", "state": "Nord", "country": "Insel",
        "continent": "Meer", "probability": 0.75, "known": True, "why": None,
    }  # fmt: skip
    assert shapely.geometry.shape(feature["geometry"]).equals(shapely.box(10, 50, 11, 51))  # x is the longitude


@needs_gdal
def test_every_level_has_its_places_with_the_sums_of_their_cities(tmp_path: Path) -> None:
    Guesses([guessed("a.mp4", [0.1, 0.15, 0.7, 0.05])]).save(tmp_path / "p.gpkg")
    found = features(tmp_path / "p.gpkg")
    rows = [tuple(one["properties"][name] for name in ("level", "rank", "name")) for one in found]
    assert rows == [
        ("continent", 1, "Meer"), ("country", 1, "Insel"), ("country", 2, "Land"), ("state", 1, "Süd"), ("state", 2, "Nord"), ("state", 3, "Land"),
        ("city", 1, "Cala"), ("city", 2, "Berga"), ("city", 3, "Albacé"), ("city", 4, "Dole"),
    ]  # fmt: skip
    said = [one["properties"]["probability"] for one in found]
    np.testing.assert_allclose(said, [1.0, 0.95, 0.05, 0.7, 0.25, 0.05, 0.7, 0.15, 0.1, 0.05])
    assert max(said) <= 1.0
    north = next(one for one in found if one["properties"]["name"] == "Nord")
    assert (north["properties"]["city"], north["properties"]["state"], north["properties"]["country"]) == (None, "Nord", "Insel")
    assert shapely.geometry.shape(north["geometry"]).equals(shapely.union_all([shapely.box(10, 50, 11, 51), shapely.box(12, 50, 13, 51)]))


@needs_gdal
def test_what_is_not_rated_and_what_is_of_no_known_city_has_no_probability(tmp_path: Path) -> None:
    shares = [0.4, 0.3, 0.2, 0.1]
    Guesses([guessed("u.mp4", shares, rated=False), guessed("f.mp4", shares, why="None of the 4.")]).save(tmp_path / "p.gpkg")
    found = [one["properties"] for one in features(tmp_path / "p.gpkg")]
    assert {(one["video"], one["probability"], one["known"], one["why"]) for one in found} == {
        ("u.mp4", None, True, None), ("f.mp4", None, False, "None of the 4.")
    }  # fmt: skip
    for video in ("u.mp4", "f.mp4"):
        assert [one["name"] for one in found if one["video"] == video and one["level"] == "city"] == ["Albacé", "Berga", "Cala", "Dole"]


def test_lines_of_an_outline_are_left_out_and_a_row_without_polygons_is_kept(tmp_path: Path) -> None:
    square = shapely.box(1, 1, 2, 2)
    mixed = shapely.GeometryCollection([shapely.LineString([(0, 0), (1, 1)]), square])
    rows = [replace(ROW, outline=outline) for outline in (mixed, shapely.MultiPolygon())]
    write_places(tmp_path / "p.gpkg", rows)
    found = pyogrio.read_dataframe(tmp_path / "p.gpkg", layer="places")
    assert len(found) == 2
    assert found.geometry[0].equals(square)
    assert found.geometry[1].is_empty


def test_it_is_marked_styled_and_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "p.gpkg"
    write_places(path, [ROW])
    assert own_kind(path) == "places"
    with sqlite3.connect(path) as database:
        [(layer, qml, default)] = database.execute("SELECT f_table_name, styleQML, useAsDefault FROM layer_styles").fetchall()
    assert (layer, default) == ("places", 1)
    assert "Probability that the video was taken here" in qml
    write_places(path, [ROW, ROW])  # its own is replaced
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        write_places(path, [ROW, None])  # type: ignore[list-item]
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    foreign = tmp_path / "mine.gpkg"
    foreign.write_bytes(b"a person's own")
    with pytest.raises(InputError, match=r"mine\.gpkg"):
        write_places(foreign, [ROW])
    assert foreign.read_bytes() == b"a person's own"
    with pytest.raises(InputError, match=r"must end in \.gpkg"):
        write_places(tmp_path / "p.shp", [ROW])


def test_no_probability_is_more_than_one() -> None:
    """Of many cities the sum may be rounded up."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        shares = rng.random(4)
        guess = guessed("a.mp4", list(shares / shares.sum() * (1 + 1e-9))).guess
        assert max(place.probability for level in range(4) for place in guess.places(level)) <= 1.0
    assert math.isnan(guessed("a.mp4", [0.25] * 4, rated=False).guess.places(0)[0].probability)
