"""Streets of frames and candidate ways in every output, read by other programs' eyes."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import gpxpy
import numpy as np
import pyogrio
import pytest
from pyproj import Geod

from tests.export_cases import PROVENANCE, drive, video
from vidtag_engine.command_arguments import ExportArguments
from vidtag_engine.commands.export import run_export
from vidtag_engine.export import EXPORTERS, read_geopackage, write_geopackage
from vidtag_engine.export.candidates_table import read_candidates, streets_text
from vidtag_engine.export.edits import changes_by_a_person
from vidtag_engine.export.page import page_body
from vidtag_engine.file_marks import foreign_layers
from vidtag_engine.types import CandidateWay

GX = "{http://www.google.com/kml/ext/2.2}"
KML = "{http://www.opengis.net/kml/2.2}"
STREET = "{urn:vidtag:gpx}street"
SAVED = Path(__file__).resolve().parent / "fixtures" / "saved_files"
needs_gdal = pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="GDAL's command line tools are not installed")


def on_streets(name="drive.mp4"):
    """A drive with a gap, along two streets whose names are hard on files, and a stretch without a name."""
    result = drive(name, 40, gap=slice(20, 22))
    streets = ["Storgatan"] * 10 + [""] * 5 + ['Rue <d\'Été> & "Fils"'] * 15 + ["東大路\x07"] * 10
    t = replace(result.trajectory, street=tuple(streets))
    lat, lon = -19.2 + np.arange(38) * 1e-4, 159.9 + np.sin(np.arange(38) / 5) * 1e-3
    ways = (
        CandidateWay(1, 0.625, lat, lon, ("Storgatan", 'Rue <d\'Été> & "Fils"')),
        CandidateWay(2, 0.25, lat + 0.01, lon),
        CandidateWay(3, 0.125, lat, lon + 0.02, ("Långa; gatan", "Byvägen")),
    )
    return replace(result, trajectory=t, candidates=ways)


def names_of(result):
    """What every output is to have: of located frames alone, without control characters."""
    located = np.isfinite(result.trajectory.lat_deg)
    return [name.replace("\x07", "") if here else "" for name, here in zip(result.trajectory.street, located, strict=True)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ways")
    write_geopackage(folder / "out.gpkg", [on_streets(), drive("other.mp4", 5)], PROVENANCE)
    for suffix, write in EXPORTERS.values():
        write(folder / f"out{suffix}", [on_streets()], PROVENANCE)
    return folder


def test_streets_stand_after_the_course_and_come_back(folder):
    with closing(sqlite3.connect(folder / "out.gpkg")) as database:
        columns = [row[1:3] for row in database.execute("PRAGMA table_info(frames)")]
        found = [name for (name,) in database.execute("SELECT street FROM frames WHERE video = 'drive.mp4' ORDER BY frame_index")]
    names = [name for name, _ in columns]
    assert names[names.index("course_deg") + 1] == "street"
    assert dict(columns)["street"].startswith("TEXT")
    assert found == [name or None for name in names_of(on_streets())]
    drive_again, other = read_geopackage(folder / "out.gpkg")[0]
    assert list(drive_again.trajectory.street) == names_of(on_streets())
    assert other.trajectory.street == ("",) * 5


def test_candidates_come_back(folder):
    first, other = read_geopackage(folder / "out.gpkg")[0]
    assert other.candidates == ()
    for got, put in zip(first.candidates, on_streets().candidates, strict=True):
        assert (got.rank, got.share) == (put.rank, put.share)
        np.testing.assert_array_equal(got.lat_deg, put.lat_deg)
        np.testing.assert_array_equal(got.lon_deg, put.lon_deg)
    assert [one.streets for one in first.candidates] == [on_streets().candidates[0].streets, (), ("Långa, gatan", "Byvägen")]


@needs_gdal
def test_gdal_reads_the_candidates(folder):
    said = subprocess.run(["ogrinfo", "-al", "-q", folder / "out.gpkg", "candidates"], check=True, capture_output=True, text=True)
    assert not said.stderr
    assert said.stdout.count("MULTILINESTRING") == 3
    summary = subprocess.run(["ogrinfo", "-so", folder / "out.gpkg", "candidates"], check=True, capture_output=True, text=True).stdout
    for line in (
        "Geometry: Multi Line String",
        "video: String",
        "rank: Integer",
        "share: Real",
        "streets: String",
        "length_m: Real",
        "EPSG",
    ):
        assert line in summary


def test_their_attributes(folder):
    table = pyogrio.read_dataframe(folder / "out.gpkg", layer="candidates")
    assert table.columns.tolist() == ["video", "rank", "share", "streets", "length_m", "geometry"]
    assert table["video"].tolist() == ["drive.mp4"] * 3
    assert table["rank"].tolist() == [1, 2, 3]
    assert table["share"].tolist() == [0.625, 0.25, 0.125]
    assert table["streets"].fillna("").tolist() == ['Storgatan; Rue <d\'Été> & "Fils"', "", "Långa, gatan; Byvägen"]
    lengths_m = [Geod(ellps="WGS84").geometry_length(shape) for shape in table.geometry]
    np.testing.assert_allclose(table["length_m"], lengths_m, rtol=1e-9)
    assert table.crs.to_epsg() == 4326


def test_the_layer_is_there_only_where_there_are_ways(folder, tmp_path):
    write_geopackage(tmp_path / "none.gpkg", [drive()], PROVENANCE)
    assert "candidates" not in pyogrio.list_layers(tmp_path / "none.gpkg")[:, 0]
    assert "candidates" in pyogrio.list_layers(folder / "out.gpkg")[:, 0]
    for path in (tmp_path / "none.gpkg", folder / "out.gpkg"):
        assert changes_by_a_person(path) == []
        assert foreign_layers(path) == []
    with closing(sqlite3.connect(folder / "out.gpkg")) as database:
        [(style, default)] = database.execute("SELECT styleQML, useAsDefault FROM layer_styles WHERE f_table_name = 'candidates'")
    assert default
    assert "customdash" in style


def test_a_person_who_edits_a_way_is_seen(folder, tmp_path):
    shutil.copy(folder / "out.gpkg", tmp_path / "edited.gpkg")
    with closing(sqlite3.connect(tmp_path / "edited.gpkg")) as database, database:
        database.execute("ALTER TABLE candidates ADD COLUMN seen TEXT")
    assert changes_by_a_person(tmp_path / "edited.gpkg") == ["the added column seen of the layer candidates"]


def test_a_way_is_cut_at_the_antimeridian_and_joined_again(tmp_path):
    lat, lon = np.array([10.0, 10.1, 10.2, 10.3, 10.4]), np.array([179.9, 179.99, -179.98, -179.9, 179.95])
    ways = (CandidateWay(1, 0.75, lat, lon, ("Date Line",)), CandidateWay(2, 0.25, lat, np.array([179.9, 180.0, -179.98, -179.9, -180.0])))
    result = replace(video("dateline.mp4", lat, lon, np.full(5, 0.5)), candidates=ways)
    write_geopackage(tmp_path / "o.gpkg", [result], PROVENANCE)
    first, second = pyogrio.read_dataframe(tmp_path / "o.gpkg", layer="candidates").geometry
    assert len(first.geoms) == 3
    assert all(max(part.bounds[2] - part.bounds[0] for part in shape.geoms) < 1 for shape in (first, second))
    assert first.is_valid
    for got, put in zip(read_geopackage(tmp_path / "o.gpkg")[0][0].candidates, ways, strict=True):
        np.testing.assert_array_equal(got.lat_deg[:4], put.lat_deg[:4])
        np.testing.assert_array_equal(got.lon_deg[:4], put.lon_deg[:4])


def test_odd_ways_give_valid_lines_or_none(tmp_path):
    one, none = np.array([5.0]), np.zeros(0)
    ways = (
        CandidateWay(1, 0.5, np.repeat(one, 4), np.repeat(one, 4)),
        CandidateWay(2, 0.25, one, one),
        CandidateWay(3, 0.125, none, none),
    )
    write_geopackage(tmp_path / "o.gpkg", [replace(drive(), candidates=ways)], PROVENANCE)
    shapes = pyogrio.read_dataframe(tmp_path / "o.gpkg", layer="candidates").geometry.tolist()
    assert [shape is not None and shape.is_valid for shape in shapes] == [True, True, False]
    assert pyogrio.read_dataframe(tmp_path / "o.gpkg", layer="candidates")["length_m"].tolist() == [0.0, 0.0, 0.0]
    again = read_geopackage(tmp_path / "o.gpkg")[0][0].candidates
    assert [abs(way.lat_deg - 5.0).max(initial=0.0) < 1e-8 for way in again] == [True] * 3
    assert len(again[2].lat_deg) == 0


def test_writing_again_what_was_read_changes_nothing(folder, tmp_path):
    results, provenance = read_geopackage(folder / "out.gpkg")
    write_geopackage(tmp_path / "again.gpkg", results, provenance)
    for layer in ("frames", "candidates", "layer_styles"):
        found = []
        for path in (folder / "out.gpkg", tmp_path / "again.gpkg"):
            with closing(sqlite3.connect(path)) as database:
                found.append(database.execute(f"SELECT * FROM {layer}").fetchall())
        assert found[0] == found[1], layer


@pytest.mark.parametrize("name", ["schema_1.gpkg", "schema_2.gpkg", "schema_3.gpkg", "schema_4.gpkg"])
def test_results_of_earlier_schemas_have_neither(name):
    for result in read_geopackage(SAVED / name)[0]:
        assert result.trajectory.street == ("",) * len(result.trajectory.time_s)
        assert result.candidates == ()


def test_a_result_of_schema_4_5_is_read(folder, tmp_path):
    shutil.copy(folder / "out.gpkg", tmp_path / "old.gpkg")
    with closing(sqlite3.connect(tmp_path / "old.gpkg")) as database, database:
        database.execute("ALTER TABLE frames DROP COLUMN street")
        database.execute("DELETE FROM gpkg_contents WHERE table_name = 'candidates'")
        (text,) = database.execute("SELECT metadata FROM gpkg_metadata").fetchone()
        database.execute("UPDATE gpkg_metadata SET metadata = ?", (json.dumps(json.loads(text) | {"schema_minor": 5}),))
        assert read_candidates(database) == {}
    first = read_geopackage(tmp_path / "old.gpkg")[0][0]
    assert first.trajectory.street == ("",) * 40
    assert first.candidates == ()
    np.testing.assert_array_equal(first.trajectory.lat_deg, on_streets().trajectory.lat_deg)


def test_csv_and_geojson(folder):
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        assert [row["street"] for row in csv.DictReader(file)] == names_of(on_streets())
    features = json.loads((folder / "out.geojson").read_text("utf-8"))["features"]
    found = [one["properties"]["street"] for one in features if one["properties"]["layer"] == "frames"]
    assert found == [name or None for name in names_of(on_streets())]


def test_copies_of_a_result_have_them(folder, tmp_path):
    run_export(ExportArguments(result=str(folder / "out.gpkg"), csv=str(tmp_path / "copy.csv")))
    with (tmp_path / "copy.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["video"] == "drive.mp4"]
    assert [row["street"] for row in rows] == names_of(on_streets())


def test_gpx_has_it_as_an_extension(folder):
    points = [point for segment in gpxpy.parse((folder / "out.gpx").read_text("utf-8")).tracks[0].segments for point in segment.points]
    found = [next((one.text for one in point.extensions if one.tag == STREET), "") for point in points]
    located = np.isfinite(on_streets().trajectory.lat_deg)
    assert found == [name for name, here in zip(names_of(on_streets()), located, strict=True) if here]


def test_kml_has_it_in_the_track_and_where_it_begins(folder):
    root = ET.parse(folder / "out.kml").getroot()
    told = [
        value.text or "" for data in root.iter(f"{GX}SimpleArrayData") if data.get("name") == "street" for value in data.iter(f"{GX}value")
    ]
    located = np.isfinite(on_streets().trajectory.lat_deg)
    assert told == [name for name, here in zip(names_of(on_streets()), located, strict=True) if here]
    begins = next(mark for mark in root.iter(f"{KML}Placemark") if mark.findtext(f"{KML}name") == "Start")
    assert begins.findtext(f"{KML}description").partition("; ")[2].startswith("Storgatan")


@needs_gdal
def test_gdal_reads_the_copies(folder):
    for name in ("out.kml", "out.gpx", "out.csv", "out.geojson"):
        assert "ERROR" not in subprocess.run(["ogrinfo", "-al", folder / name], check=True, capture_output=True, text=True).stderr


def test_the_page_names_the_streets_in_their_order(monkeypatch):
    monkeypatch.setattr("vidtag_engine.export.page.write_map", lambda path, *_, **__: path.write_bytes(b"png"))
    body = page_body([on_streets(), drive("other.mp4", 5)])
    assert "<p>drive.mp4 goes along: Storgatan; Rue &lt;d&#x27;Été&gt; &amp; &quot;Fils&quot;; 東大路.</p>" in body
    assert "other.mp4 goes along" not in body


def test_names_are_parted_by_what_is_in_none_of_them():
    assert streets_text(("A; B", "", "C\x00")) == "A, B; C"
    assert streets_text(()) == ""
