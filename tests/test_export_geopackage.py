"""The canonical GeoPackage, looked at with GDAL's own tools, with sqlite3, and read back."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Geod

from tests.export_cases import CREATED, PROVENANCE, START, drive, every_kind, video
from vidtag_engine.export import read_aoi, read_geopackage, write_geopackage
from vidtag_engine.types import FrameState, InputError

AOI = shapely.box(159.9, -19.3, 160.0, -19.1)
needs_gdal = pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="GDAL's command line tools are not installed")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("gpkg") / "Ergebnis ü.gpkg"
    write_geopackage(path, every_kind(), PROVENANCE, aoi=AOI)
    return path


def rows(path, sql):
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(sql)]


def features(path, layer, tmp_path):
    """The layer as GDAL gives it, by ogr2ogr to GeoJSON."""
    out = tmp_path / f"{layer}.geojson"
    subprocess.run(["ogr2ogr", "-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=15", out, path, layer], check=True, capture_output=True)
    return json.loads(out.read_text(encoding="utf-8"))["features"]


@needs_gdal
def test_gdal_sees_layers_types_and_datetimes(written):
    text = subprocess.run(["ogrinfo", "-so", "-al", written], check=True, capture_output=True, text=True)
    assert "warning" not in text.stderr.lower()
    sections = {part.split("\n", 1)[0]: part for part in text.stdout.split("Layer name: ")[1:]}
    assert {"trajectory", "frames", "videos", "aoi"} <= set(sections)
    assert "Geometry: Multi Line String" in sections["trajectory"]
    assert "Geometry: Point" in sections["frames"]
    assert "Geometry: Multi Line String" in sections["videos"]
    for layer, fields in {"trajectory": ("start_time", "end_time"), "frames": ("time",), "videos": ("start_time", "end_time")}.items():
        for field in fields:
            assert f"{field}: DateTime" in sections[layer]
        assert 'ID["EPSG",4326]' in sections[layer]


@needs_gdal
def test_steps_as_gdal_reads_them(written, tmp_path):
    results = {result.info.name: result.trajectory for result in every_kind()}
    steps = features(written, "trajectory", tmp_path)
    geod = Geod(ellps="WGS84")
    for name, expected in {
        "Fahrt ü 東京.mp4": 39,
        "a <b> & 'c' \"d\".mp4": 11 + 14,
        "one.mp4": 0,
        "none.mp4": 0,
        "dateline.mp4": 2,
        "empty.mp4": 0,
    }.items():
        mine = [step for step in steps if step["properties"]["video"] == name]
        assert len(mine) == expected, name
        t = results[name]
        for step in mine:
            p = step["properties"]
            a, b = p["from_index"], p["to_index"]
            assert b == a + 1
            points = [xy for part in step["geometry"]["coordinates"] for xy in part]
            assert points[0] == pytest.approx([t.lon_deg[a], t.lat_deg[a]], abs=1e-12)
            assert points[-1] == pytest.approx([t.lon_deg[b], t.lat_deg[b]], abs=1e-12)
            assert p["confidence"] == min(p["from_confidence"], p["to_confidence"])
            assert (p["from_confidence"], p["to_confidence"]) == pytest.approx((t.confidence[a], t.confidence[b]))
            length = geod.inv(t.lon_deg[a], t.lat_deg[a], t.lon_deg[b], t.lat_deg[b])[2]
            assert p["length_m"] == pytest.approx(length)
            assert p["speed_mps"] == pytest.approx(length / (t.time_s[b] - t.time_s[a]))
    # The line is broken where frames are damaged: no step touches frames 12 to 14.
    touched = {
        i
        for s in steps
        if s["properties"]["video"].startswith("a <b>")
        for i in (s["properties"]["from_index"], s["properties"]["to_index"])
    }
    assert touched == set(range(12)) | set(range(15, 30))


@needs_gdal
def test_step_across_the_antimeridian_is_cut(written, tmp_path):
    first = next(s for s in features(written, "trajectory", tmp_path) if s["properties"]["video"] == "dateline.mp4")
    assert first["geometry"] == {
        "type": "MultiLineString",
        "coordinates": [[[179.5, 10.0], [180.0, 10.25]], [[-180.0, 10.25], [-179.5, 10.5]]],
    }
    video_row = next(v for v in features(written, "videos", tmp_path) if v["properties"]["video"] == "dateline.mp4")
    assert len(video_row["geometry"]["coordinates"]) == 2
    assert video_row["properties"]["length_m"] == pytest.approx(122_722 + 77_780, abs=2)


def test_times_keep_milliseconds(written):
    stored = rows(written, "SELECT frame_index, time_s, time FROM frames WHERE video = 'Fahrt ü 東京.mp4' ORDER BY fid")
    assert len(stored) == 40
    for row in stored:
        exact = START + timedelta(seconds=row["time_s"])
        assert abs(datetime.fromisoformat(row["time"]) - exact) <= timedelta(microseconds=501)
    assert stored[1]["time"] == "2024-05-01T12:00:01.156Z"
    assert len({row["time"] for row in stored}) == 40


def test_frames_above_one_a_second_stay_apart(tmp_path):
    fast = drive("fast.mp4", 60, time_s=np.arange(60) / 29.97)
    write_geopackage(tmp_path / "o.gpkg", [fast], PROVENANCE)
    times = [row["time"] for row in rows(tmp_path / "o.gpkg", "SELECT time FROM frames ORDER BY fid")]
    assert times == sorted(set(times))
    assert len(times) == 60


def test_frames_without_an_answer_are_there(written):
    lost = rows(written, "SELECT * FROM frames WHERE state <> 'located'")
    assert len(lost) == 3 + 2
    for row in lost:
        assert row["geom"] is None
        assert row["state"] == "damaged"
        assert row["confidence"] is None
        assert row["time"] is not None


def test_videos_row(written):
    found = {row["video"]: row for row in rows(written, "SELECT * FROM videos")}
    assert list(found) == [result.info.name for result in every_kind()]
    gap = found["a <b> & 'c' \"d\".mp4"]
    assert (gap["frames"], gap["located"], gap["damaged"], gap["repeated"]) == (30, 27, 2, 5)
    assert gap["time_source"] == "synthetic"
    assert gap["start_time"] == "2000-01-01T00:00:00.000Z"
    t = every_kind()[1].trajectory
    assert gap["mean_confidence"] == pytest.approx(np.nanmean(t.confidence))
    assert gap["sha256"] == "ab" * 32
    assert json.loads(gap["damaged_stretches_s"]) == [[3.0, 4.5]]
    steps = rows(written, "SELECT sum(length_m) AS total FROM trajectory WHERE video = 'Fahrt ü 東京.mp4'")
    first = found["Fahrt ü 東京.mp4"]
    assert first["length_m"] == pytest.approx(steps[0]["total"])
    assert first["embedded_gps"] == "GPS5"
    for name in ("one.mp4", "none.mp4", "empty.mp4"):
        assert found[name]["geom"] is None
        assert found[name]["length_m"] == 0
    assert found["none.mp4"]["mean_confidence"] is None
    assert found["empty.mp4"]["start_time"] is None


def test_one_frame_gives_a_point_and_no_line(written):
    assert len(rows(written, "SELECT * FROM frames WHERE video = 'one.mp4' AND geom IS NOT NULL")) == 1
    assert not rows(written, "SELECT * FROM trajectory WHERE video = 'one.mp4'")


def test_standing_still_gives_valid_lines(written):
    import geopandas

    lines = geopandas.read_file(written, layer="trajectory")
    assert lines.geometry.is_valid.all()
    standing = lines[lines.video == "standing.mp4"]
    assert len(standing) == 2
    assert (standing.length_m == 0).all()
    assert np.isnan(standing.speed_mps.iloc[0])  # no time passes
    assert standing.speed_mps.iloc[1] == 0


def test_standard_tables(written):
    with closing(sqlite3.connect(written)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("PRAGMA application_id").fetchone()[0] == 0x47504B47  # "GPKG"
        assert database.execute("PRAGMA user_version").fetchone()[0] == 10200
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    contents = {row["table_name"]: row for row in rows(written, "SELECT * FROM gpkg_contents")}
    assert set(contents) == {"trajectory", "frames", "videos", "regions", "aoi", "layer_styles"}
    assert {row["last_change"] for row in contents.values()} == {"2025-01-02T03:04:05.678Z"}
    columns = {row["name"]: row["type"] for row in rows(written, "PRAGMA table_info(frames)")}
    assert columns["time"] == "DATETIME"


def test_one_default_style_a_layer(written):
    styles = rows(written, "SELECT * FROM layer_styles")
    assert sorted(row["f_table_name"] for row in styles) == ["aoi", "frames", "regions", "trajectory", "videos"]
    for row in styles:
        assert row["useAsDefault"] == 1
        assert row["f_geometry_column"] == "geom"
        assert row["owner"] == ""
        kinds = {"aoi": "singleSymbol"}
        assert f'<renderer-v2 type="{kinds.get(row["f_table_name"], "RuleRenderer")}"' in row["styleQML"]


def test_provenance_is_standard_metadata_without_paths(written):
    (row,) = rows(written, "SELECT m.*, r.* FROM gpkg_metadata m JOIN gpkg_metadata_reference r ON r.md_file_id = m.id")
    assert (row["md_scope"], row["mime_type"], row["reference_scope"]) == ("dataset", "application/json", "geopackage")
    assert len(rows(written, "SELECT * FROM gpkg_extensions WHERE extension_name = 'gpkg_metadata'")) == 2
    data = json.loads(row["metadata"])
    assert data["schema_version"] == 4
    assert data["settings"] == {"aoi": "aoi.gpkg", "cache": "x", "nested": ["v.mp4", "k"], "rate_hz": 1.0}
    assert "inputs" not in data
    inputs = [dict(row) for row in rows(written, "SELECT video, file, sha256 FROM videos ORDER BY fid")]
    assert inputs[0] == {"video": "Fahrt ü 東京.mp4", "file": "Fahrt ü 東京.mp4", "sha256": "ab" * 32}
    assert data["seed"] == 7
    everything = written.read_bytes()
    for secret in (b"someone", b"Someone", b"/home", b"Users"):
        assert secret not in everything


def test_reads_back_what_was_written(written):
    results, provenance = read_geopackage(written)
    assert provenance.created_utc == CREATED
    assert provenance.seed == 7
    assert provenance.gallery == PROVENANCE.gallery
    for got, put in zip(results, every_kind(), strict=True):
        assert got.info == replace(put.info, path=type(put.info.path)(put.info.path.name))
        assert got.report == put.report
        assert got.sha256 == put.sha256
        assert got.seconds == put.seconds
        assert got.trajectory.state == put.trajectory.state
        assert got.trajectory.confidence_radius_m == put.trajectory.confidence_radius_m
        for name in (
            "frame_index",
            "time_s",
            "lat_deg",
            "lon_deg",
            "confidence",
            "score",
            "runner_up_m",
            "phase1_lat_deg",
            "phase1_lon_deg",
            "course_deg",
        ):
            np.testing.assert_array_equal(getattr(got.trajectory, name), getattr(put.trajectory, name), err_msg=name)
    assert read_aoi(written).equals(AOI)


def test_writing_again_what_was_read_changes_nothing(written, tmp_path):
    results, provenance = read_geopackage(written)
    write_geopackage(tmp_path / "again.gpkg", results, provenance, aoi=read_aoi(written))
    for layer in ("trajectory", "frames", "videos", "aoi", "layer_styles", "gpkg_metadata"):
        assert rows(tmp_path / "again.gpkg", f"SELECT * FROM {layer}") == rows(written, f"SELECT * FROM {layer}"), layer


def test_start_times_of_other_zones_and_without_one(tmp_path):
    from datetime import timezone

    zoned = datetime(2024, 5, 1, 14, 0, 0, 999999, tzinfo=timezone(timedelta(hours=2)))
    naive = datetime(2024, 5, 1, 12)  # noqa: DTZ001
    write_geopackage(tmp_path / "o.gpkg", [drive("a", 3, start=zoned), drive("b", 3, start=naive)], PROVENANCE)
    assert [row["base_time"] for row in rows(tmp_path / "o.gpkg", "SELECT base_time FROM videos")] == [
        "2024-05-01T12:00:00.999Z",
        "2024-05-01T12:00:00.000Z",
    ]
    results, _ = read_geopackage(tmp_path / "o.gpkg")
    assert results[1].info.start_time == datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_no_results_yet_is_a_file_with_all_columns(tmp_path, written):
    write_geopackage(tmp_path / "o.gpkg", [], PROVENANCE)
    for layer in ("trajectory", "frames", "videos", "regions"):
        assert rows(tmp_path / "o.gpkg", f"PRAGMA table_info({layer})") == rows(written, f"PRAGMA table_info({layer})")
    assert read_geopackage(tmp_path / "o.gpkg")[0] == []
    assert read_aoi(tmp_path / "o.gpkg") is None


def test_located_but_without_a_place_counts_as_no_answer(tmp_path):
    odd = video("odd.mp4", [1, np.nan, 1.1], [2, np.nan, 2.1], [0.5, 0.5, np.nan])
    odd = replace(odd, trajectory=replace(odd.trajectory, state=(FrameState.LOCATED,) * 3))
    write_geopackage(tmp_path / "o.gpkg", [odd], PROVENANCE)
    assert [row["geom"] is None for row in rows(tmp_path / "o.gpkg", "SELECT geom FROM frames")] == [False, True, False]
    assert not rows(tmp_path / "o.gpkg", "SELECT * FROM trajectory")


def test_undecodable_and_control_characters_in_a_name(tmp_path):
    write_geopackage(tmp_path / "o.gpkg", [drive("caf\udce9\x07\n.mp4", 3)], PROVENANCE)
    assert read_geopackage(tmp_path / "o.gpkg")[0][0].info.name == "caf\ufffd.mp4"


def test_two_videos_of_one_name_are_refused(tmp_path):
    with pytest.raises(InputError, match="same|name"):
        write_geopackage(tmp_path / "o.gpkg", [drive("a"), drive("a")], PROVENANCE)
    assert not list(tmp_path.iterdir())


def test_a_batch_of_many_frames_is_written_quickly(tmp_path):
    import time

    batch = [drive(f"{i}.mp4", 600, i) for i in range(20)]
    write_geopackage(tmp_path / "warm.gpkg", batch[:1], PROVENANCE)
    began = time.perf_counter()
    write_geopackage(tmp_path / "o.gpkg", batch, PROVENANCE)
    assert time.perf_counter() - began < 10  # about 0.6 s on an idle machine
    assert len(read_geopackage(tmp_path / "o.gpkg")[0]) == 20


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (None, "not there"),
        (b"", "not a VidTAG result"),
        (b"no database" * 100, "not a GeoPackage"),
        ("UPDATE gpkg_metadata SET metadata = replace(metadata, '\"schema_version\": 4', '\"schema_version\": 99')", "newer"),
        ("DELETE FROM gpkg_metadata", "no provenance"),
        ("UPDATE gpkg_metadata SET metadata = '{'", "damaged"),
        ("DROP TABLE frames", "damaged"),
        ("UPDATE frames SET state = 'nonsense'", "damaged"),
        ("UPDATE frames SET geom = x'00' WHERE geom IS NOT NULL", "damaged"),
    ],
)
def test_what_is_not_a_result_is_refused_by_name(tmp_path, damage, says):
    path = tmp_path / "x.gpkg"
    if isinstance(damage, bytes):
        path.write_bytes(damage)
    elif damage is not None:
        write_geopackage(path, [drive(count=3)], PROVENANCE)
        with closing(sqlite3.connect(path)) as database, database:
            for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f'DROP TRIGGER "{trigger}"')
            database.execute(damage)
    with pytest.raises(InputError, match=says) as raised:
        read_geopackage(path)
    assert "x.gpkg" in str(raised.value)


def test_the_stored_bounds_hold_every_row(written):
    """GDAL rounds them, see findings/gdal-extent-excludes-its-points.sh."""
    with closing(sqlite3.connect(written)) as database:
        stored = {
            name: box
            for name, *box in database.execute(
                "SELECT table_name, min_x, min_y, max_x, max_y FROM gpkg_contents WHERE data_type = 'features'"
            )
        }
    for layer in ("frames", "trajectory", "videos", "regions"):
        rows = pyogrio.read_dataframe(written, layer=layer).geometry.dropna()
        if rows.empty:
            assert stored[layer] == [None] * 4
            continue
        assert rows.total_bounds.tolist() == pytest.approx(stored[layer], abs=1e-12)
        west, south, east, north = rows.total_bounds
        assert stored[layer][0] <= west
        assert stored[layer][1] <= south
        assert stored[layer][2] >= east
        assert stored[layer][3] >= north
