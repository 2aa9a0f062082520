"""Videos of a table: each with its own moment, stretch and area, in one result that says so; and the same call goes on."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from typer.testing import CliRunner

import vidtag_engine as vidtag
from tests.world_maker import fly, ground
from vidtag_engine.cli.app import app
from vidtag_engine.command_arguments import GeolocateArguments
from vidtag_engine.commands.pin import run_pin
from vidtag_engine.commands.solve import run_solve
from vidtag_engine.export import read_aoi, read_areas, read_geopackage
from vidtag_engine.export.confidence_tables import area_km2
from vidtag_engine.export.pins import PinRow
from vidtag_engine.types import InputError, OwnSettings

pytestmark = pytest.mark.slow
DEMO = Path(__file__).resolve().parent.parent / "resources" / "demo"
WEST, EAST = (159.924, -19.222, 159.928, -19.218), (159.930, -19.222, 159.936, -19.217)
START = "2026-05-01T10:30:00+00:00"


@pytest.fixture(scope="module")
def loaded():
    return vidtag.load(DEMO / "checkpoint", "cpu")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder, world = tmp_path_factory.mktemp("clips"), ground()
    for name, way in (("a.mp4", [(100, 110), (300, 200)]), ("b.mp4", [(120, 120), (280, 280)]), ("c.mp4", [(90, 200), (250, 120)])):
        fly(folder / name, way, 6, world=world, gpx=False)
    for name, box in (("west", WEST), ("east", EAST)):
        geopandas.GeoDataFrame(geometry=[shapely.box(*box)], crs="EPSG:4326").to_file(folder / f"{name}.geojson")
    return folder


@pytest.fixture
def given(loaded, tmp_path):
    return {
        "aoi": DEMO / "aoi.geojson", "checkpoint": loaded, "resolution_m": 50, "rate_hz": 1.0, "always_answer": True, "output": tmp_path / "r.gpkg"
    }  # fmt: skip


def table_of(folder, rows, name="t.csv"):
    pd.DataFrame(rows).to_csv(folder / name, index=False)
    return folder / name


def asked(table, output):
    aoi, checkpoint = str(DEMO / "aoi.geojson"), str(DEMO / "checkpoint")
    return ["geolocate", "--table", str(table), "--aoi", aoi, "--checkpoint", checkpoint, "--output", str(output)]


def videos_of(path):
    return pyogrio.read_dataframe(path, layer="videos", read_geometry=False).set_index("video")


def inside(result, box):
    lat, lon = result.trajectory.lat_deg, result.trajectory.lon_deg
    return bool(((lon >= box[0]) & (lon <= box[2]) & (lat >= box[1]) & (lat <= box[3])).all())


def test_each_video_has_its_own_moment_stretch_and_area(clips, given):
    table = table_of(
        clips,
        [
            {"file": "a.mp4", "start_time": START, "from": 1, "to": 4, "area": "west.geojson"},
            {"file": "b.mp4", "area": "east.geojson"},
            {"file": "c.mp4", "start_time": "2026-05-02 08:00"},
        ],
    )
    result = vidtag.geolocate(table=table, time_zone="Europe/Stockholm", **given)
    west, east, whole = (result[name] for name in ("a.mp4", "b.mp4", "c.mp4"))
    assert inside(west, WEST)
    assert inside(east, EAST)
    assert not inside(whole, WEST)
    assert (west.trajectory.time_s.min(), west.trajectory.time_s.max(), len(east.trajectory.time_s)) == (1.0, 3.0, 6)
    assert west.info.start_time == datetime(2026, 5, 1, 10, 30, tzinfo=UTC)
    assert whole.info.start_time == datetime(2026, 5, 2, 6, 0, tzinfo=UTC)
    assert east.info.time_source.value != "argument"
    # The file says it of each, and of the areas; the whole comes first, which is all that older versions read.
    rows = videos_of(given["output"])
    assert rows["area"].fillna("").to_dict() == {"a.mp4": "west", "b.mp4": "east", "c.mp4": ""}
    said = {name: json.loads(text) if text else None for name, text in rows["own_settings"].items()}
    areas = result.provenance.gallery["areas"]
    assert said["a.mp4"] == {"start_time": "2026-05-01T10:30:00Z", "from_s": 1.0, "to_s": 4.0, "grid_digest": areas["west"]["digest"]}
    assert said["c.mp4"] == {"start_time": "2026-05-02T06:00:00Z"}
    assert pyogrio.read_dataframe(given["output"], layer="aoi")["name"].tolist() == ["aoi", "west", "east"]
    assert read_areas(given["output"])["east"].equals(shapely.MultiPolygon([shapely.box(*EAST)]))
    assert read_aoi(given["output"]).contains(shapely.box(*WEST).centroid)
    regions = pyogrio.read_dataframe(given["output"], layer="regions")
    one = regions[regions["video"] == "a.mp4"].iloc[0]
    assert one["aoi_share"] == pytest.approx(one["area_km2"] / area_km2(shapely.box(*WEST)))
    # Read back it is the same.
    back, made = read_geopackage(given["output"])
    assert [one.own for one in back] == [one.own for one in result]
    assert back[2].own == OwnSettings(start_time=datetime(2026, 5, 2, 6, 0, tzinfo=UTC))
    assert made.gallery["digest"]
    assert str(clips) not in made.gallery.__repr__()


def test_the_same_call_goes_on_and_a_changed_row_is_done_again(clips, given):
    rows = [{"file": "a.mp4", "from": 1, "area": "west.geojson"}, {"file": "b.mp4", "area": "east.geojson"}]
    first = vidtag.geolocate(table=table_of(clips, rows), **{**given, "aoi": None})
    assert "digest" not in first.provenance.gallery  # no area of the run was searched
    assert first.resumed == []
    again = vidtag.geolocate(table=table_of(clips, rows), **{**given, "aoi": None})
    assert again.resumed == ["a.mp4", "b.mp4"]
    # One row changes, one comes; and one goes, whose video stays with its area.
    changed = [{"file": "a.mp4", "from": 2, "area": "west.geojson"}, {"file": "c.mp4", "from": ""}]
    third = vidtag.geolocate(table=table_of(clips, changed), **given)
    assert third.resumed == []
    assert [one.info.name for one in third] == ["a.mp4", "b.mp4", "c.mp4"]
    assert third["a.mp4"].trajectory.time_s.min() == 2.0
    assert sorted(read_areas(given["output"])) == ["east", "west"]
    assert set(third.provenance.gallery["areas"]) == {"east", "west"}
    assert third.provenance.gallery["digest"]
    # Without the table a video of the run's settings is another one.
    fourth = vidtag.geolocate([clips / "a.mp4", clips / "c.mp4"], **given)
    assert fourth.resumed == ["c.mp4"]
    assert fourth["a.mp4"].own is None
    assert fourth["a.mp4"].trajectory.time_s.min() == 0.0
    with pytest.raises(InputError, match="other settings"):
        vidtag.geolocate(table=table_of(clips, rows), **{**given, "aoi": None})


def test_another_area_of_the_same_name_is_told_apart(clips, given, tmp_path):
    (tmp_path / "two").mkdir()
    geopandas.GeoDataFrame(geometry=[shapely.box(*EAST)], crs="EPSG:4326").to_file(tmp_path / "two" / "west.geojson")
    rows = [{"file": str(clips / "a.mp4"), "area": str(clips / "west.geojson")}, {"file": str(clips / "b.mp4"), "area": "two/west.geojson"}]
    result = vidtag.geolocate(table=table_of(tmp_path, rows), **given)
    assert [one.own.area for one in result] == ["west", "west (2)"]
    assert inside(result[1], EAST)
    other = [{"file": str(clips / "c.mp4"), "area": "two/west.geojson"}]
    later = vidtag.geolocate(table=table_of(tmp_path, other), **given)
    # The first run's stay, and so do their names.
    areas = read_areas(given["output"])
    assert areas[later["c.mp4"].own.area].equals(areas["west (2)"])
    assert areas[later["a.mp4"].own.area].equals(shapely.MultiPolygon([shapely.box(*WEST)]))


def test_a_corrected_area_is_searched_again_under_its_name(clips, given, tmp_path):
    area = tmp_path / "spot.geojson"
    rows = [{"file": str(clips / "a.mp4"), "area": "spot.geojson"}]
    for box in (WEST, EAST):
        area.unlink(missing_ok=True)
        geopandas.GeoDataFrame(geometry=[shapely.box(*box)], crs="EPSG:4326").to_file(area)
        result = vidtag.geolocate(table=table_of(tmp_path, rows), **given)
        assert result.resumed == []
        assert inside(result[0], box)
        assert list(read_areas(given["output"])) == ["spot"]


def test_a_pin_is_checked_and_solved_in_the_videos_own_area(clips, given):
    vidtag.geolocate(table=table_of(clips, [{"file": "a.mp4", "area": "west.geojson"}, {"file": "b.mp4"}]), keep_scores=True, **given)
    middle = (EAST[1] + EAST[3]) / 2, (EAST[0] + EAST[2]) / 2
    with pytest.raises(InputError, match="outside the area that was searched"):
        run_pin(given["output"], PinRow("a.mp4", time_s=1.0, frame_index=None, lat_deg=middle[0], lon_deg=middle[1]))
    run_pin(given["output"], PinRow("b.mp4", time_s=1.0, frame_index=None, lat_deg=middle[0], lon_deg=middle[1]))
    run_pin(
        given["output"], PinRow("a.mp4", time_s=1.0, frame_index=None, lat_deg=(WEST[1] + WEST[3]) / 2, lon_deg=(WEST[0] + WEST[2]) / 2)
    )
    run_solve(given["output"])
    regions = pyogrio.read_dataframe(given["output"], layer="regions_pinned", read_geometry=False)
    one = regions[regions["video"] == "a.mp4"].iloc[0]
    assert one["aoi_share"] == pytest.approx(one["area_km2"] / area_km2(shapely.box(*WEST)))


@pytest.mark.parametrize(
    ("rows", "more", "said"),
    [
        ([{"file": "a.mp4", "from": 5}], {"to_s": 4}, r"Row 1 of t\.csv \(a\.mp4\) with the settings of the run: --to 4 s must lie after --from 5 s"),
        ([{"file": "a.mp4", "area": "a.mp4"}], {}, r"Row 1 of t\.csv \(a\.mp4\), column area: "),
        ([{"file": "b.mp4"}], {"videos": ["b.mp4"]}, r"Row 1 of t\.csv \(b\.mp4\) names a video that is given beside the table, too"),
        ([{"file": "a.mp4", "area": "west.geojson"}], {"resolution_m": 1e-4}, r"column area: "),
    ],
)  # fmt: skip
def test_what_a_row_and_the_run_do_not_agree_on(clips, given, rows, more, said):
    table = table_of(clips, rows)
    more["videos"] = [clips / name for name in more.get("videos", [])]
    with pytest.raises(InputError, match=said):
        vidtag.geolocate(table=table, **{**given, **more})
    assert not given["output"].exists()


def test_a_video_that_cannot_be_read_costs_its_row_alone(clips, given):
    (clips / "bad.mp4").write_bytes(b"no video")
    result = vidtag.geolocate(table=[{"file": str(clips / "bad.mp4"), "from": 1}, {"file": str(clips / "a.mp4")}], **given)
    assert [one.info.name for one in result] == ["a.mp4"]
    assert [one.info.name for one in result.failed] == ["bad.mp4"]
    with pytest.raises(InputError, match="is no table of videos: give a file, a pandas table, or a list of dicts"):
        vidtag.geolocate(table=3, **given)


def test_an_output_never_takes_the_place_of_what_a_table_names(clips, given):
    table = table_of(clips, [{"file": "a.mp4"}])
    for name in ("t.csv", "a.mp4"):
        before = (clips / name).read_bytes()
        run = CliRunner().invoke(
            app,
            [*asked(table, given["output"]), "--overwrite", "--csv", str(clips / name)],
        )
        assert run.exit_code == 2, run.output
        assert (clips / name).read_bytes() == before


def test_the_command_line_and_the_worker_take_a_table(clips, given):
    table = table_of(clips, [{"file": "a.mp4", "start_time": START, "to": 2}])
    run = CliRunner().invoke(
        app,
        [*asked(table, given["output"]), "--resolution-m", "50", "--always-answer", "--json"],
    )
    assert run.exit_code == 0, run.output
    said = json.loads(run.stdout)
    assert said["videos"][0]["start_time"] == START
    assert said["table_files"] == [str(clips / "a.mp4")]
    # Rows of a layer that no file holds: whole paths, and the layer's name in what is wrong.
    from vidtag_engine.geolocation import run_geolocate

    rows = [{"file": str(clips / "b.mp4"), "start_time": "2026-05-01T10:30:00", "from": 9.0, "to": 3}]
    arguments = GeolocateArguments(
        str(given["output"]), aoi=str(DEMO / "aoi.geojson"), checkpoint=str(DEMO / "checkpoint"), table="drives", table_rows=rows
    )
    with pytest.raises(InputError, match=r"Row 1 of drives \(.*b\.mp4\), column to: the stretch ends at 3 s and begins at 9 s"):
        run_geolocate(arguments)


def test_without_a_table_nothing_is_said_of_one(clips, given):
    result = vidtag.geolocate(clips / "a.mp4", **given)
    with closing(sqlite3.connect(given["output"])) as database:
        assert database.execute("SELECT area, own_settings FROM videos").fetchall() == [(None, None)]
        assert database.execute("SELECT name FROM aoi").fetchall() == [("aoi",)]
    assert "areas" not in result.provenance.gallery
    assert np.isfinite(result.trajectory.lat_deg).all()
