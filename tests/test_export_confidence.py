"""Hypotheses, verdicts and regions in every output, looked at with GDAL, pyogrio, gpxpy and the picture itself."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from pyproj import Geod

from tests.export_cases import PROVENANCE, drive, every_kind, unsure
from vidtag_engine.batch import summary_of, warnings_of
from vidtag_engine.export import EXPORTERS, read_geopackage, write_geopackage, write_map
from vidtag_engine.export.confidence_tables import FRAME_COLUMNS, WITHIN
from vidtag_engine.export.pins import PinRow
from vidtag_engine.export.review_file import add_pins
from vidtag_engine.types import FrameState

AOI = shapely.box(159.9, -19.3, 160.0, -19.1)
KML = "{http://www.opengis.net/kml/2.2}"
CASES = [
    unsure("sure.mp4"),
    unsure("outside.mp4", state=FrameState.OUTSIDE_AOI),
    unsure("strange.mp4", state=FrameState.UNFAMILIAR, always_answer=True),
    drive("old way.mp4", 5),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("confidence")
    write_geopackage(folder / "out.gpkg", CASES, PROVENANCE, aoi=AOI)
    for suffix, write in EXPORTERS.values():
        write(folder / f"out{suffix}", CASES, PROVENANCE)
    return folder


def layer(path, name):
    return pyogrio.read_dataframe(path, layer=name)


def same(got, put):
    """Both trajectories say the same, regions by their shapes."""
    for name in ("entropy_bits", "runner_up_lat_deg", "runner_up_lon_deg", "runner_up_share", "position_share", "best_lat_deg", "within"):
        np.testing.assert_array_equal(getattr(got.hypotheses, name), getattr(put.hypotheses, name), err_msg=name)
    for level in ("region50", "region90"):
        pairs = [*zip(getattr(got.hypotheses, level), getattr(put.hypotheses, level), strict=True)]
        for a, b in [*pairs, (getattr(got.verdict, level), getattr(put.verdict, level))]:
            assert (a is None) == (b is None)
            assert a is None or a.equals(b)
    assert replace(got.verdict, region50=None, region90=None) == replace(put.verdict, region50=None, region90=None)
    assert got.state == put.state


def test_reads_back_what_was_written(folder):
    results, _ = read_geopackage(folder / "out.gpkg")
    for got, put in zip(results[:3], CASES[:3], strict=True):
        same(got.trajectory, put.trajectory)
    assert results[3].trajectory.hypotheses is None
    assert results[3].trajectory.verdict is None


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="GDAL's command line tools are not installed")
def test_layers_as_ogrinfo_sees_them(folder):
    text = subprocess.run(["ogrinfo", "-so", "-al", folder / "out.gpkg"], check=True, capture_output=True, text=True).stdout
    sections = {part.split("\n", 1)[0]: part for part in text.split("Layer name: ")[1:]}
    assert "Geometry: Multi Polygon" in sections["regions"]
    assert f"Feature Count: {3 * (2 * 5 + 2)}" in sections["regions"]
    for line in ("frame_index: Integer64", "time: DateTime", "level: Integer64", "parts: Integer64", "area_km2: Real", "aoi_share: Real"):
        assert line in sections["regions"]
    for name in FRAME_COLUMNS:
        assert f"{name}: Real" in sections["frames"]
    for line in ("state: String", "inside: Real", "familiarity: Real", "p_25m: Real", "entropy_bits: Real", "why: String"):
        assert line in sections["videos"]
    assert "pins" not in sections  # they lie in a file of their own
    add_pins(folder / "out.gpkg", [PinRow("sure.mp4", 1, -19.2, 159.9)])
    pins = subprocess.run(["ogrinfo", "-so", "-al", folder / "out.review.gpkg"], check=True, capture_output=True, text=True).stdout
    for line in (
        "Geometry: Point",
        "sha256: String",
        "time_s: Real",
        "here: Integer(Boolean)",
        "frame_index: Integer64",
        "radius_m: Real",
        "who: String",
        "when: DateTime",
    ):
        assert line in pins


def test_regions_rows(folder):
    found = layer(folder / "out.gpkg", "regions")
    geod = Geod(ellps="WGS84")
    for case in CASES[:3]:
        mine = found[found.video == case.info.name]
        whole = mine[mine.frame_index.isna()]
        assert sorted(whole.level) == [50, 90]
        assert whole.time.isna().all()
        t = case.trajectory
        for row in range(len(t.state)):
            of_frame = mine[mine.frame_index == row]
            expected = [] if t.hypotheses.region50[row] is None else [90, 50]  # the smaller one is drawn on top
            assert list(of_frame.level) == expected
            for _, one in of_frame.iterrows():
                shape = t.hypotheses.region50[row] if one.level == 50 else t.hypotheses.region90[row]
                assert one.geometry.equals(shape)
                assert one.parts == len(shapely.get_parts(shape))
                assert one.area_km2 == pytest.approx(abs(geod.geometry_area_perimeter(shapely.normalize(shape))[0]) / 1e6)
                assert one.aoi_share == pytest.approx(one.area_km2 * 1e6 / abs(geod.geometry_area_perimeter(AOI)[0]))
                assert one.geometry.is_valid
    assert not len(found[found.video == "old way.mp4"])


def test_withheld_frames_keep_their_guess(folder):
    frames = layer(folder / "out.gpkg", "frames")
    t = CASES[1].trajectory
    mine = frames[frames.video == "outside.mp4"]
    assert list(mine.state) == ["outside_aoi", "outside_aoi", "damaged", "outside_aoi", "outside_aoi", "outside_aoi"]
    assert mine.geometry.isna().all()
    np.testing.assert_array_equal(mine.best_lat_deg, t.hypotheses.best_lat_deg)
    np.testing.assert_array_equal(mine[list(WITHIN)], t.hypotheses.within)
    assert not len(layer(folder / "out.gpkg", "trajectory").query("video == 'outside.mp4'"))
    assert len(layer(folder / "out.gpkg", "trajectory").query("video == 'strange.mp4'")) == 3
    videos = layer(folder / "out.gpkg", "videos").set_index("video")
    assert videos.state.tolist()[:3] == ["located", "outside_aoi", "unfamiliar"]
    assert videos.state.isna().tolist() == [False, False, False, True]
    assert videos.why["outside.mp4"] == t.verdict.why
    assert videos.inside["outside.mp4"] == 0.03
    assert videos.geometry.isna()["outside.mp4"]


def test_a_file_of_schema_1_is_still_read(tmp_path):
    path = tmp_path / "old.gpkg"
    write_geopackage(path, every_kind(), PROVENANCE, aoi=AOI)
    with closing(sqlite3.connect(path)) as database, database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        for name in FRAME_COLUMNS:
            database.execute(f"ALTER TABLE frames DROP COLUMN {name}")
        for name in ("state", "inside", "familiarity", "unknown_share", *WITHIN, "entropy_bits", "why"):
            database.execute(f"ALTER TABLE videos DROP COLUMN {name}")
        for name in ("regions",):
            database.execute(f"DROP TABLE {name}")
            database.execute("DELETE FROM gpkg_contents WHERE table_name = ?", (name,))
        database.execute("UPDATE gpkg_metadata SET metadata = replace(metadata, '\"schema_version\": 4', '\"schema_version\": 1')")
    results, _ = read_geopackage(path)
    for got, put in zip(results, every_kind(), strict=True):
        assert got.trajectory.hypotheses is None
        assert got.trajectory.verdict is None
        np.testing.assert_array_equal(got.trajectory.lat_deg, put.trajectory.lat_deg)
        np.testing.assert_array_equal(got.trajectory.confidence, put.trajectory.confidence)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(3, 7),
    seed=st.integers(0, 1000),
    state=st.sampled_from([FrameState.LOCATED, FrameState.OUTSIDE_AOI, FrameState.UNFAMILIAR, FrameState.UNKNOWN_GROUND]),
    always=st.booleans(),
)
def test_any_hypotheses_come_back_and_a_second_writing_changes_nothing(tmp_path, count, seed, state, always):
    put = unsure("v.mp4", count, state=state, always_answer=always, seed=seed)
    for name in ("a.gpkg", "b.gpkg"):
        (tmp_path / name).unlink(missing_ok=True)
    write_geopackage(tmp_path / "a.gpkg", [put], PROVENANCE, aoi=AOI)
    results, provenance = read_geopackage(tmp_path / "a.gpkg")
    same(results[0].trajectory, put.trajectory)
    write_geopackage(tmp_path / "b.gpkg", results, provenance, aoi=AOI)
    for name in ("frames", "videos", "regions"):
        with closing(sqlite3.connect(tmp_path / "a.gpkg")) as a, closing(sqlite3.connect(tmp_path / "b.gpkg")) as b:
            assert a.execute(f"SELECT * FROM {name}").fetchall() == b.execute(f"SELECT * FROM {name}").fetchall()


def test_csv_has_all_columns(folder):
    with (folder / "out.csv").open(encoding="utf-8", newline="") as handle:
        table = list(csv.DictReader(handle))
    assert set(FRAME_COLUMNS) <= set(table[0])
    h = CASES[0].trajectory.hypotheses
    for row, within, best in zip(table, h.within, h.best_lon_deg, strict=False):
        for name, value in zip((*WITHIN, "best_lon_deg"), (*within, best), strict=True):
            assert row[name] == ("" if np.isnan(value) else repr(float(value)))
    assert {row["state"] for row in table if row["video"] == "outside.mp4"} == {"outside_aoi", "damaged"}


def test_geojson_regions(folder):
    data = json.loads((folder / "out.geojson").read_text(encoding="utf-8"), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    regions = [f for f in data["features"] if f["properties"]["layer"] == "regions"]
    assert len(regions) == 3 * (2 * 5 + 2)
    for one in regions:
        shape = shapely.geometry.shape(one["geometry"])
        assert shape.is_valid
        assert all(part.exterior.is_ccw for part in shape.geoms)  # RFC 7946, 3.1.6
    whole = [f for f in regions if f["properties"]["frame_index"] is None]
    assert len(whole) == 6
    assert whole[0]["properties"]["time"] is None


def test_kml_regions_are_switched_off(folder):
    root = ET.parse(folder / "out.kml").getroot()
    folders = {entry.findtext(f"{KML}name"): entry for entry in root.iter(f"{KML}Folder") if entry.findtext(f"{KML}name") != "Regions"}
    assert folders["outside.mp4"].findtext(f"{KML}description") == f"outside.mp4 is not located: {CASES[1].trajectory.verdict.why}"
    for case in CASES[:3]:
        (regions,) = folders[case.info.name].iterfind(f"{KML}Folder")
        marks = regions.findall(f"{KML}Placemark")
        assert regions.findtext(f"{KML}visibility") == "0"
        assert [mark.findtext(f"{KML}visibility") for mark in marks] == ["0"] * (2 * 5 + 2)
        assert sum(1 for _ in marks[0].iter(f"{KML}Polygon")) == len(shapely.get_parts(case.trajectory.verdict.region90))
    assert folders["old way.mp4"].find(f"{KML}Folder") is None


def test_map_shades_the_region_and_says_why(tmp_path, monkeypatch):
    seen = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (seen.append(self), save(self, *a, **k))[1])
    write_map(tmp_path / "sure.png", CASES[:1], aoi=AOI)
    write_map(tmp_path / "outside.png", [CASES[1]])  # nothing but its region
    write_map(tmp_path / "all.png", [*CASES, *(unsure(f"{i}.mp4", state=FrameState.UNFAMILIAR) for i in range(4))], aoi=AOI)
    banners = [[text.get_text() for text in figure.axes[0].texts if "by all that is known" in text.get_text()] for figure in seen]
    assert banners[0] == []
    assert banners[1] == [f"outside.mp4 is not located: {CASES[1].trajectory.verdict.why}"]
    assert banners[2][0].startswith("outside.mp4 is not located: it is outside_aoi")
    assert banners[2][0].endswith("and 3 more")
    for figure in seen:
        assert "90 % region" in {text.get_text() for text in figure.axes[0].get_legend().get_texts()}
    write_map(tmp_path / "unrated.png", [unsure(rated=False)], aoi=AOI)
    assert "90 % region" not in {text.get_text() for text in seen[-1].axes[0].get_legend().get_texts()}  # nothing has calibrated it


def test_summary_and_warnings_say_state_and_why():
    said = summary_of(CASES[1])
    assert (said["state"], said["located"], said["why"]) == ("outside_aoi", 0, "it is outside_aoi, by all that is known.")
    assert summary_of(CASES[3])["state"] is None
    warned = warnings_of(CASES, AOI.bounds, None)
    assert "outside.mp4 is not located: it is outside_aoi, by all that is known." in warned
    assert "strange.mp4 is not located, and its best guess is shown all the same: it is unfamiliar, by all that is known." in warned
