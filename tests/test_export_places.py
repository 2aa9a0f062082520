"""Names of places in results: of frames, of regions, in every format, and none where none is known."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import shapely

from tests.export_cases import NAN, PROVENANCE, drive, moved, unsure, video
from vidtag_engine.export import EXPORTERS, place_names, read_geopackage, write_geopackage
from vidtag_engine.export.edits import changes_by_a_person
from vidtag_engine.export.place_names import place_columns
from vidtag_engine.geopackage_metadata import stored_schema
from vidtag_engine.types import FrameState

ROOT = Path(__file__).resolve().parent.parent
ORLEANS = ("Orleans", "Centre", "France")
SEA = (None, None, None)
KML = "{http://www.opengis.net/kml/2.2}"


def cases():
    """In Orléans, withheld there, asked for all the same, over the Rhine, at sea, in a city that is its own state."""
    return [
        moved(unsure("orleans.mp4"), 47.9025, 1.9090),
        moved(unsure("withheld.mp4", state=FrameState.OUTSIDE_AOI), 47.9025, 1.9090),
        moved(unsure("asked.mp4", state=FrameState.OUTSIDE_AOI, always_answer=True), 47.9025, 1.9090),
        video("rhine.mp4", [48.5790, NAN, 48.5730], [7.7500, NAN, 7.8150], [0.9, NAN, 0.9]),
        drive("sandy.mp4"),
        video("madrid.mp4", [40.4168], [-3.7038], [0.7]),
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("places")
    write_geopackage(folder / "out.gpkg", cases(), PROVENANCE)
    for suffix, write in EXPORTERS.values():
        write(folder / f"out{suffix}", cases(), PROVENANCE)
    return folder


def rows(folder, query, *values):
    with closing(sqlite3.connect(folder / "out.gpkg")) as database:
        return database.execute(query, values).fetchall()


def test_frames_say_where_they_are(folder):
    def named(name):
        return rows(folder, "SELECT city, admin1, country FROM frames WHERE video = ? ORDER BY frame_index", name)

    assert named("orleans.mp4") == [ORLEANS, ORLEANS, SEA, ORLEANS, ORLEANS, ORLEANS]  # the third is damaged
    assert named("withheld.mp4") == [SEA] * 6
    assert named("asked.mp4") == named("orleans.mp4")
    assert named("rhine.mp4") == [("Strasbourg", "Alsace", "France"), SEA, ("Kehl", "Baden-Wuerttemberg", "Germany")]
    assert named("sandy.mp4") == [SEA] * 40
    assert named("madrid.mp4") == [("Madrid", "Madrid", "Spain")]


def test_regions_say_where_they_are(folder):
    def named(name):
        query = "SELECT frame_index, level, city, admin1, country FROM regions WHERE video = ?"
        return {(index, level): tuple(place) for index, level, *place in rows(folder, query, name)}

    assert set(named("orleans.mp4").values()) == {ORLEANS}
    assert len(named("orleans.mp4")) == 12
    assert set(named("withheld.mp4").values()) == {SEA}
    assert set(named("asked.mp4").values()) == {ORLEANS}


def test_a_region_is_named_by_its_own_place(tmp_path):
    """By the frame's position where that lies in it, else by a point of its largest part."""
    result = moved(unsure("orleans.mp4"), 47.9025, 1.9090)
    t = result.trajectory
    kehl, strasbourg = shapely.box(7.80, 48.56, 7.83, 48.59), shapely.box(7.745, 48.575, 7.755, 48.585)
    found = replace(
        t.hypotheses,
        region90=(shapely.union_all([t.hypotheses.region90[0], kehl]), shapely.union_all([kehl, strasbourg]), *t.hypotheses.region90[2:]),
    )
    write_geopackage(tmp_path / "out.gpkg", [replace(result, trajectory=replace(t, hypotheses=found))], PROVENANCE)
    query = "SELECT city FROM regions WHERE level = 90 AND frame_index IN (0, 1) ORDER BY frame_index"
    assert rows(tmp_path, query) == [("Orleans",), ("Kehl",)]


def test_columns_are_text_also_where_nothing_is_known(tmp_path):
    write_geopackage(tmp_path / "out.gpkg", [unsure("sandy.mp4")], PROVENANCE)
    with closing(sqlite3.connect(tmp_path / "out.gpkg")) as database:
        assert str(stored_schema(database)) == "4.6"
        for layer in ("frames", "regions"):
            columns = dict(database.execute("SELECT name, type FROM pragma_table_info(?)", (layer,)))
            assert [columns[name] for name in ("city", "admin1", "country")] == ["TEXT"] * 3
            assert database.execute(f"SELECT count(*) FROM {layer} WHERE coalesce(city, admin1, country) NOT NULL").fetchone() == (0,)


def test_a_result_without_names_is_read_and_exported_with_them(tmp_path):
    """As schema 4.1 is: the columns are not there, and what is made from it has them."""
    path = tmp_path / "out.gpkg"
    write_geopackage(path, cases(), PROVENANCE)
    with closing(sqlite3.connect(path)) as database, database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        for layer in ("frames", "regions"):
            for name in ("city", "admin1", "country"):
                database.execute(f"ALTER TABLE {layer} DROP COLUMN {name}")
        (text,) = database.execute("SELECT metadata FROM gpkg_metadata").fetchone()
        database.execute("UPDATE gpkg_metadata SET metadata = ?", (json.dumps(json.loads(text) | {"schema_minor": 1}),))
    assert changes_by_a_person(path) == []
    results, provenance = read_geopackage(path)
    EXPORTERS["csv"][1](tmp_path / "out.csv", results, provenance)
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as handle:
        assert {row["city"] for row in csv.DictReader(handle)} == {"Orleans", "Strasbourg", "Kehl", "Madrid", ""}


def test_csv(folder):
    with (folder / "out.csv").open(encoding="utf-8", newline="") as handle:
        table = list(csv.DictReader(handle))
    for row in table:
        expected = rows(
            folder, "SELECT city, admin1, country FROM frames WHERE video = ? AND frame_index = ?", row["video"], int(row["frame_index"])
        )
        assert [tuple(row[name] or None for name in ("city", "admin1", "country"))] == expected
    assert list(table[0])[-1] == "generator"


def test_geojson(folder):
    features = json.loads((folder / "out.geojson").read_text(encoding="utf-8"))["features"]
    for layer in ("frames", "regions"):
        said = {
            (one["video"], one["frame_index"], one.get("level")): (one["city"], one["admin1"], one["country"])
            for one in (feature["properties"] for feature in features)
            if one["layer"] == layer
        }
        level = "level" if layer == "regions" else "NULL"
        query = f"SELECT video, frame_index, {level}, city, admin1, country FROM {layer}"
        assert said == {(video, index, level): tuple(place) for video, index, level, *place in rows(folder, query)}


def test_kml(folder):
    root = ET.parse(folder / "out.kml").getroot()
    said = {
        entry.findtext(f"{KML}name"): [mark.findtext(f"{KML}description") or "" for mark in entry.iter(f"{KML}Placemark")]
        for entry in root.iter(f"{KML}Folder")
    }
    in_orleans = [one for one in said["orleans.mp4"] if "Orleans, Centre, France" in one]
    assert len(in_orleans) == len([one for one in said["orleans.mp4"] if one]) == 2 + 3 + 12  # ends, stretches, regions
    assert said["madrid.mp4"][0] == "Frame 0, confidence 70 %; Madrid, Spain"
    assert said["rhine.mp4"][:2] == [
        "Frame 0, confidence 90 %; Strasbourg, Alsace, France",
        "Frame 2, confidence 90 %; Kehl, Baden-Wuerttemberg, Germany",
    ]
    assert not any(";" in one for one in said["sandy.mp4"] + said["withheld.mp4"])


def test_names_are_looked_up_only_where_they_are_written():
    """A run that finds nothing on land loads no gazetteer; one without any frame not even the countries."""
    code = (
        "import sys, tempfile; from pathlib import Path\n"
        "from tests.export_cases import PROVENANCE, drive, video; from vidtag_engine.export import write_geopackage\n"
        "from vidtag_engine.places import countries, gazetteer\n"
        "path = Path(tempfile.mkdtemp()) / 'out.gpkg'\n"
        "write_geopackage(path, [video('none.mp4', [float('nan')], [float('nan')], [float('nan')])], PROVENANCE)\n"
        "assert countries.load_countries.cache_info().currsize == 0\n"
        "write_geopackage(path, [drive()], PROVENANCE)\n"
        "assert countries.load_countries.cache_info().currsize == 1\n"
        "assert gazetteer._load_gazetteer.cache_info().currsize == 0\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_a_batch_that_grows_looks_each_video_up_once(tmp_path, monkeypatch):
    asked = []
    look_up = place_names.places_at
    monkeypatch.setattr(place_names, "places_at", lambda points: asked.append(len(points)) or look_up(points))
    place_names._places_of.cache_clear()
    results = [moved(drive(f"{number}.mp4", 50, number), 47.9, 1.9) for number in range(4)]
    for count in range(1, 5):
        write_geopackage(tmp_path / "out.gpkg", results[:count], PROVENANCE)
    assert sum(asked) == 4 * 50


def test_an_hour_at_a_frame_a_second_takes_a_moment():
    t = moved(drive("long.mp4", 3600), 47.9, 1.9).trajectory
    assert len(place_columns(t.lat_deg, t.lon_deg)["city"]) == 3600
    taken = []
    for _ in range(3):
        place_names._places_of.cache_clear()
        since = time.thread_time()  # of this thread alone: what else the machine does is no matter
        place_columns(t.lat_deg, t.lon_deg)
        taken.append(time.thread_time() - since)
    assert min(taken) < 0.5  # 0.05 s; a collection of all the suite's garbage may fall into one of them
