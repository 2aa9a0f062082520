"""KML, GPX, GeoJSON and CSV, read by other programs' eyes."""

from __future__ import annotations

import csv
import json
import math
import shutil
import subprocess
from datetime import datetime
from itertools import pairwise
from xml.etree import ElementTree as ET

import gpxpy
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tests.export_cases import PROVENANCE, START, drive, every_kind
from vidtag_engine.export import EXPORTERS
from vidtag_engine.export.colours import COLOURS, EDGES, NOT_RATED, class_of
from vidtag_engine.export.lines import cut_line, cut_steps

KML = "{http://www.opengis.net/kml/2.2}"
GX = "{http://www.google.com/kml/ext/2.2}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    for suffix, write in EXPORTERS.values():
        write(folder / f"out{suffix}", every_kind(), PROVENANCE)
    return folder


def test_registry_names_every_format():
    assert {name: suffix for name, (suffix, _) in EXPORTERS.items()} == {"kml": ".kml", "gpx": ".gpx", "geojson": ".geojson", "csv": ".csv"}


def kml_folders(folder):
    root = ET.parse(folder / "out.kml").getroot()
    assert root.tag == f"{KML}kml"
    return root, {entry.findtext(f"{KML}name"): entry for entry in root.iter(f"{KML}Folder")}


def test_kml_tracks_have_a_time_for_every_place(folder):
    root, folders = kml_folders(folder)
    assert list(folders) == [result.info.name for result in every_kind()]
    t = every_kind()[0].trajectory
    (track,) = folders["Fahrt ü 東京.mp4"].iter(f"{GX}Track")
    when = [entry.text for entry in track.iter(f"{KML}when")]
    places = [[float(v) for v in entry.text.split()] for entry in track.iter(f"{GX}coord")]
    assert len(when) == len(places) == 40
    assert when[1] == "2024-05-01T12:00:01.156Z"
    np.testing.assert_allclose(np.array(places)[:, :2], np.column_stack([t.lon_deg, t.lat_deg]), atol=1e-9)
    data, *others = track.iter(f"{GX}SimpleArrayData")
    assert [one.get("name") for one in (data, *others)] == ["confidence", "course_deg", "street"]
    assert len(list(data)) == 40
    schema = next(root.iter(f"{KML}Schema"))
    assert next(track.iter(f"{KML}SchemaData")).get("schemaUrl") == f"#{schema.get('id')}"


def test_kml_without_a_known_time_has_no_track_but_broken_lines(folder):
    _, folders = kml_folders(folder)
    unknown = folders["a <b> & 'c' \"d\".mp4"]
    assert not list(unknown.iter(f"{GX}Track"))
    assert not list(unknown.iter(f"{KML}when"))
    assert not list(unknown.iter(f"{KML}TimeSpan"))
    lines = [
        shapely.LineString([[float(v) for v in c.split(",")[:2]] for c in entry.text.split()])
        for line in unknown.iter(f"{KML}LineString")
        for entry in line.iter(f"{KML}coordinates")
    ]
    t = every_kind()[1].trajectory
    bridge = shapely.LineString([(t.lon_deg[11], t.lat_deg[11]), (t.lon_deg[15], t.lat_deg[15])])
    assert bridge.length > 0
    assert not any(line.covers(bridge) for line in lines)
    assert sum(len(line.coords) - 1 for line in lines) == 11 + 14


def test_kml_lines_take_the_colour_of_their_confidence(folder):
    root, folders = kml_folders(folder)
    styles = {s.get("id"): s.findtext(f"{KML}LineStyle/{KML}color") for s in root.iter(f"{KML}Style")}
    t = every_kind()[0].trajectory
    expected = [COLOURS[class_of(min(a, b))] for a, b in zip(t.confidence[:-1], t.confidence[1:], strict=True)]
    got = []
    for mark in folders["Fahrt ü 東京.mp4"].iter(f"{KML}Placemark"):
        for coordinates in mark.iterfind(f"{KML}MultiGeometry/{KML}LineString/{KML}coordinates"):
            colour = styles[mark.findtext(f"{KML}styleUrl").lstrip("#")]
            got += [f"#{colour[6:8]}{colour[4:6]}{colour[2:4]}"] * (len(coordinates.text.split()) - 1)
    assert got == expected


def test_kml_of_one_frame_and_of_none(folder):
    _, folders = kml_folders(folder)
    assert len(list(folders["one.mp4"].iter(f"{KML}Point"))) == 1
    assert not list(folders["one.mp4"].iter(f"{KML}LineString"))
    assert not list(folders["none.mp4"].iter(f"{KML}Placemark"))
    assert "http://maps" not in (folder / "out.kml").read_text(encoding="utf-8")  # opening it must call nobody


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="GDAL's command line tools are not installed")
@pytest.mark.parametrize("name", ["out.kml", "out.gpx", "out.geojson", "out.csv"])
def test_gdal_opens_it(folder, name):
    done = subprocess.run(["ogrinfo", "-al", "-so", folder / name], capture_output=True, text=True, check=True)
    assert "Feature Count" in done.stdout
    assert "ERROR" not in done.stderr


def test_gpx_by_gpxpy(folder):
    gpx = gpxpy.parse((folder / "out.gpx").read_text(encoding="utf-8"))
    results = every_kind()
    assert [track.name for track in gpx.tracks] == [result.info.name for result in results]
    whole, gap, one, none, *_ = gpx.tracks
    t = results[0].trajectory
    points = whole.segments[0].points
    assert [len(segment.points) for segment in whole.segments] == [40]
    np.testing.assert_array_equal([(p.latitude, p.longitude) for p in points], np.column_stack([t.lat_deg, t.lon_deg]))
    assert points[0].time == START
    assert points[1].time.microsecond == 156000
    assert float(points[3].extensions[1].text) == pytest.approx(t.confidence[3], abs=1e-4)
    assert [len(segment.points) for segment in gap.segments] == [12, 15]
    assert all(point.time is None for segment in gap.segments for point in segment.points)
    assert [len(segment.points) for segment in one.segments] == [1]
    assert not none.segments


def test_geojson_keeps_rfc_7946(folder):
    data = json.loads((folder / "out.geojson").read_text(encoding="utf-8"), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert data["type"] == "FeatureCollection"
    assert "crs" not in data
    assert data["provenance"]["seed"] == 7
    frames = [f for f in data["features"] if f["properties"]["layer"] == "frames"]
    steps = [f for f in data["features"] if f["properties"]["layer"] == "trajectory"]
    assert len(frames) == sum(len(r.trajectory.state) for r in every_kind())
    assert sum(f["geometry"] is None for f in frames) == 5
    for feature in data["features"]:
        if feature["geometry"]:
            shape = shapely.geometry.shape(feature["geometry"])
            assert shape.is_valid
            assert shape.bounds[0] >= -180
            assert shape.bounds[2] <= 180
            assert shape.bounds[2] - shape.bounds[0] < 180 or shape.geom_type == "MultiLineString"
    across = next(f for f in steps if f["properties"]["video"] == "dateline.mp4")
    assert across["geometry"]["type"] == "MultiLineString"
    assert across["properties"]["start_time"] == "2024-05-01T12:00:00.123Z"
    assert next(f for f in steps if f["properties"]["video"] == "standing.mp4")["properties"]["speed_mps"] is None


def test_csv_row_by_row(folder):
    with (folder / "out.csv").open(encoding="utf-8", newline="") as handle:
        table = list(csv.DictReader(handle))
    expected = [(r, i) for r in every_kind() for i in range(len(r.trajectory.state))]
    assert len(table) == len(expected)
    for row, (result, i) in zip(table, expected, strict=True):
        t = result.trajectory
        assert row["video"] == result.info.name
        assert row["state"] == t.state[i].value
        for name in ("lat_deg", "lon_deg", "confidence", "runner_up_m"):
            value = getattr(t, name)[i]
            assert (row[name] == "") if math.isnan(value) else (float(row[name]) == value)
        if result.info.time_source.value == "synthetic":
            assert row["time_utc"] == ""
        else:
            assert abs((datetime.fromisoformat(row["time_utc"]) - START).total_seconds() - t.time_s[i]) <= 0.000501


def test_no_results_is_a_valid_file(tmp_path):
    for suffix, write in EXPORTERS.values():
        write(tmp_path / f"o{suffix}", [], PROVENANCE)
    ET.parse(tmp_path / "o.kml")
    assert gpxpy.parse((tmp_path / "o.gpx").read_text()).tracks == []
    assert json.loads((tmp_path / "o.geojson").read_text())["features"] == []


def test_two_videos_of_one_name_are_refused(tmp_path):
    from vidtag_engine.types import InputError

    for suffix, write in EXPORTERS.values():
        with pytest.raises(InputError, match="rename"):
            write(tmp_path / f"o{suffix}", [drive("a"), drive("a")], PROVENANCE)
    assert not list(tmp_path.iterdir())


longitudes = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0, 179.999, -179.999, 0.0]))
points = st.lists(st.tuples(st.floats(-90, 90), longitudes), min_size=2, max_size=8)


@given(points)
def test_cut_lines_stay_on_the_map_and_keep_their_vertices(vertices):
    lat, lon = np.array(vertices).T
    parts = cut_line(lat, lon)
    assert shapely.MultiLineString(parts).is_valid
    for part in parts:
        assert (np.abs(part[:, 0]) <= 180).all()
        assert (np.abs(np.diff(part[:, 0])) <= 180).all()  # never the long way round
    for before, after in pairwise(parts):  # joined at the seam
        assert abs(before[-1, 1] - after[0, 1]) <= 90
    # Every vertex is on the line, up to the two names of ±180°.
    line = shapely.MultiLineString(parts)
    for y, x in vertices:
        assert min(line.distance(shapely.Point(x + turn, y)) for turn in (-360, 0, 360)) < 1e-8


@given(st.tuples(st.floats(-90, 90), longitudes), st.tuples(st.floats(-90, 90), longitudes))
def test_all_steps_at_once_equal_one_by_one(a, b):
    (lat1, lon1), (lat2, lon2) = a, b
    (line,) = cut_steps(*(np.array([value]) for value in (lat1, lon1, lat2, lon2)))
    alone = shapely.MultiLineString(cut_line(np.array([lat1, lat2]), np.array([lon1, lon2])))
    assert line.equals_exact(alone, 1e-15)
    assert line.is_valid


def test_classes_of_confidence():
    assert [class_of(v) for v in (0.0, 0.19, 0.2, 0.5, 0.8, 1.0, float("nan"))] == [0, 0, 1, 2, 4, 4, NOT_RATED]
    assert len(COLOURS) == len(EDGES)
    luminance = [0.2126 * int(c[1:3], 16) + 0.7152 * int(c[3:5], 16) + 0.0722 * int(c[5:7], 16) for c in COLOURS]
    assert luminance == sorted(luminance, reverse=True)  # steady, so it reads in grey and with any colour blindness
