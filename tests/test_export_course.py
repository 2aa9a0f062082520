"""The course over ground in every output, read by other programs' eyes."""

from __future__ import annotations

import csv
import json
import math
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import gpxpy
import numpy as np
import pytest

from tests.export_cases import PROVENANCE, drive
from vidtag_engine.export import EXPORTERS, read_geopackage, write_geopackage
from vidtag_engine.export.columns import course_text
from vidtag_engine.trajectory import with_course

GX = "{http://www.google.com/kml/ext/2.2}"
KML = "{http://www.opengis.net/kml/2.2}"
TRACK_POINT = "{http://www.garmin.com/xmlschemas/TrackPointExtension/v2}"
SAVED = Path(__file__).resolve().parent / "fixtures" / "saved_files"


def headed(name="drive.mp4"):
    """A drive with a gap, and a course at most of its frames; the last almost due north from the west."""
    result = drive(name, 40, gap=slice(20, 22))
    course = with_course(replace(result.trajectory, confidence=np.full(40, np.nan)), 5.0).course_deg
    course[5:8] = np.nan
    course[39] = 359.999
    return replace(result, trajectory=replace(result.trajectory, course_deg=course))


def as_known(texts):
    return [float(text) if text not in {"", None} else math.nan for text in texts]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    write_geopackage(folder / "out.gpkg", [headed()], PROVENANCE)
    for suffix, write in EXPORTERS.values():
        write(folder / f"out{suffix}", [headed()], PROVENANCE)
    return folder


def test_the_result_gives_it_back(folder):
    wanted = headed().trajectory.course_deg
    assert 20 < np.isfinite(wanted).sum() < 38
    np.testing.assert_array_equal(read_geopackage(folder / "out.gpkg")[0][0].trajectory.course_deg, wanted)
    with closing(sqlite3.connect(folder / "out.gpkg")) as database:
        found = database.execute("SELECT course_deg FROM frames ORDER BY frame_index").fetchall()
        assert dict(database.execute("SELECT name, type FROM pragma_table_info('frames')"))["course_deg"] == "REAL"
    assert [value is None for (value,) in found] == np.isnan(wanted).tolist()


@pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="GDAL's command line tools are not installed")
def test_gdal_reads_it(folder, tmp_path):
    subprocess.run(["ogr2ogr", "-f", "CSV", tmp_path / "frames.csv", folder / "out.gpkg", "frames"], check=True)
    with (tmp_path / "frames.csv").open(encoding="utf-8", newline="") as file:
        found = as_known(row["course_deg"] for row in csv.DictReader(file))
    np.testing.assert_allclose(found, headed().trajectory.course_deg, atol=1e-9)
    said = subprocess.run(["ogrinfo", "-so", folder / "out.gpkg", "frames"], check=True, capture_output=True, text=True).stdout
    assert "course_deg: Real" in said
    for name in ("out.kml", "out.gpx"):
        assert "ERROR" not in subprocess.run(["ogrinfo", "-al", folder / name], check=True, capture_output=True, text=True).stderr


@pytest.mark.parametrize("name", ["schema_1.gpkg", "schema_2.gpkg", "schema_3.gpkg", "schema_4.gpkg"])
def test_results_of_earlier_schemas_have_none(name):
    for result in read_geopackage(SAVED / name)[0]:
        assert len(result.trajectory.course_deg) == len(result.trajectory.time_s)
        assert np.isnan(result.trajectory.course_deg).all()


def test_csv_and_geojson(folder):
    wanted = headed().trajectory.course_deg
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        np.testing.assert_array_equal(as_known(row["course_deg"] for row in csv.DictReader(file)), wanted)
    features = json.loads((folder / "out.geojson").read_text("utf-8"))["features"]
    found = [one["properties"]["course_deg"] for one in features if one["properties"]["layer"] == "frames"]
    np.testing.assert_array_equal(as_known(found), wanted)


def test_gpx_has_it_in_the_extension_that_other_programs_read(folder):
    text = (folder / "out.gpx").read_text("utf-8")
    points = [point for segment in gpxpy.parse(text).tracks[0].segments for point in segment.points]
    course = headed().trajectory.course_deg
    wanted = course[np.isfinite(headed().trajectory.lat_deg)]
    found = [
        next((one.findtext(f"{TRACK_POINT}course") for one in point.extensions if one.tag == f"{TRACK_POINT}TrackPointExtension"), None)
        for point in points
    ]
    assert [one is None for one in found] == np.isnan(wanted).tolist()
    assert [one for one in found if one is not None] == [course_text(value) for value in wanted if math.isfinite(value)]
    assert found[-1] == "0.00"  # the extension's type ends below 360


def test_kml_turns_the_icon_and_tells_where_it_is_known(folder):
    root = ET.parse(folder / "out.kml").getroot()
    course, known = headed().trajectory.course_deg, np.isfinite(headed().trajectory.lat_deg)
    tracks = list(root.iter(f"{GX}Track"))
    assert len(tracks) == 2
    angles = [entry.text or "" for track in tracks for entry in track.iter(f"{GX}angles")]
    assert len(angles) == len(list(root.iter(f"{GX}coord")))  # as many as places, or a viewer leaves them out
    wanted = [course_text(value) if math.isfinite(value) else "" for value in course[known]]
    assert angles == [f"{text} 0 0" if text else "" for text in wanted]
    told = [
        value.text or ""
        for track in tracks
        for data in track.iter(f"{GX}SimpleArrayData")
        if data.get("name") == "course_deg"
        for value in data
    ]
    assert told == wanted
    fields = [field.get("name") for field in root.iter(f"{GX}SimpleArrayField")]
    assert fields == ["confidence", "course_deg", "street"]


def test_kml_without_a_course_has_no_angles(tmp_path):
    EXPORTERS["kml"][1](tmp_path / "out.kml", [drive()], PROVENANCE)
    assert not list(ET.parse(tmp_path / "out.kml").getroot().iter(f"{GX}angles"))
