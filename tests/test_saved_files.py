"""Files that people saved with earlier versions keep working: a checkpoint, and results of every schema. tests/fixtures/saved_files/make.sh made them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from typer.testing import CliRunner

from tests.world_maker import aoi_text
from vidtag_engine.cli import app
from vidtag_engine.commands.match import run_match
from vidtag_engine.commands.pin import run_pin
from vidtag_engine.commands.solve import run_solve
from vidtag_engine.evaluation import evaluate_geopackage
from vidtag_engine.export import read_aoi, read_failed, read_geopackage
from vidtag_engine.export.edits import changes_by_a_person
from vidtag_engine.export.geopackage_read import read_answers
from vidtag_engine.export.pins import PinRow, read_pins
from vidtag_engine.export.review_file import pins_of, review_path
from vidtag_engine.geodesy import geodesic_m
from vidtag_engine.geolocation import geolocate, load
from vidtag_engine.grid import load_aoi
from vidtag_engine.settings import GeolocateSettings, validated
from vidtag_engine.types import FrameState, InputError

SAVED = Path(__file__).parent / "fixtures" / "saved_files"
FLIGHT, TRUTH = SAVED / "flight.mp4", SAVED / "flight.gpx"
SCHEMAS = (1, 2, 3, 4)
WITH_HYPOTHESES = SCHEMAS[1:]
each = pytest.mark.parametrize("schema", SCHEMAS)


@pytest.fixture
def result(schema: int, tmp_path: Path) -> Path:
    """A copy of a saved result, in a folder that can be written to, with its scores where they were kept."""
    shutil.copy(SAVED / f"schema_{schema}.gpkg", tmp_path / "drive.gpkg")
    if (scores := SAVED / f"schema_{schema}.scores").is_dir():
        shutil.copytree(scores, tmp_path / "drive.scores")
    return tmp_path / "drive.gpkg"


def rows_of(path: Path, layer: str) -> list[dict]:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f'SELECT * FROM "{layer}" ORDER BY fid')]


def points_of(path: Path, layer: str = "frames") -> np.ndarray:
    """(T, 2) lat, lon as GDAL reads them."""
    shapes = pyogrio.read_dataframe(path, layer=layer).geometry
    return np.array([[shape.y, shape.x] for shape in shapes])


@pytest.fixture(scope="module")
def located(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What this version answers with the saved checkpoint, asked in the words of before."""
    output = tmp_path_factory.mktemp("located") / "now.gpkg"
    given = ["geolocate", str(FLIGHT), "--aoi", aoi_text(), "--checkpoint", str(SAVED / "checkpoint"), "--resolution-m", "20"]
    asked = CliRunner().invoke(app, [*given, "--decoder", "viterbi", "--keep-scores", "--output", str(output)])
    assert asked.exit_code == 0, asked.output
    return output


def test_a_saved_checkpoint_places_frames_where_it_did_and_does_not_rate_them(located: Path) -> None:
    """It does not say what ground it knows, so that nothing tells how sure to be."""
    before = json.loads((SAVED / "places.json").read_text(encoding="utf-8"))
    (video,), made = read_geopackage(located)
    now = video.trajectory
    apart_m = geodesic_m(np.array(before["lat_deg"]), np.array(before["lon_deg"]), now.lat_deg, now.lon_deg)
    assert len(apart_m) == 10
    assert apart_m.max() < 0.1
    assert [state.value for state in now.state] == before["state"] == ["located"] * 10
    assert all(value is not None for value in before["confidence"])
    assert np.isnan(now.confidence).all()
    assert now.verdict is not None
    assert now.verdict.state is FrameState.LOCATED
    assert np.isnan([now.verdict.inside, now.verdict.familiarity, *now.verdict.within]).all()
    assert "made before checkpoints kept what they know" in now.verdict.why
    [row] = rows_of(located, "videos")
    assert [row[name] for name in ("mean_confidence", "inside", "familiarity", "unknown_share", "p_100m")] == [None] * 5
    assert made.settings["decoder"] == "hmm"


def test_the_old_word_for_the_decoder_is_read_everywhere(located: Path, tmp_path: Path) -> None:
    assert validated(GeolocateSettings, {"decoder": "viterbi"}).decoder == "hmm"
    again = geolocate([FLIGHT], load_aoi(aoi_text()), load(str(SAVED / "checkpoint"), "cpu"), tmp_path / "again.gpkg",
                      validated(GeolocateSettings, {"resolution_m": 20.0, "decoder": "hmm"}))  # fmt: skip
    np.testing.assert_array_equal(again.results[0].trajectory.lat_deg, read_geopackage(located)[0][0].trajectory.lat_deg)


@pytest.mark.parametrize("schema", [2])
def test_a_run_of_before_is_not_taken_for_one_of_now(result: Path, schema: int) -> None:
    """Its places are the same, but its confidences are of another kind: the videos are done again only where the user says so."""
    given = ([FLIGHT], load_aoi(aoi_text()), load(str(SAVED / "checkpoint"), "cpu"), result)
    settings = validated(GeolocateSettings, {"resolution_m": 20.0, "decoder": "viterbi"})
    before = result.read_bytes()
    with pytest.raises(InputError, match="holds results of other settings"):
        geolocate(*given, settings)
    assert result.read_bytes() == before
    geolocate(*given, settings, overwrite=True)
    assert rows_of(result, "videos")[0]["mean_confidence"] is None
    assert [pin.why for pin in read_pins(review_path(result))] == ["the church"]  # taken over before the result went


@each
def test_a_saved_result_is_read_as_it_was_written(result: Path, schema: int) -> None:
    (video,), made = read_geopackage(result)
    frames, t = rows_of(result, "frames"), video.trajectory
    np.testing.assert_array_equal(np.stack([t.lat_deg, t.lon_deg], axis=1), points_of(result))
    np.testing.assert_array_equal(t.frame_index, [row["frame_index"] for row in frames])
    np.testing.assert_array_equal(t.score, [row["score"] for row in frames])
    np.testing.assert_array_equal(t.confidence, [np.nan if row["confidence"] is None else row["confidence"] for row in frames])
    assert np.isnan(t.confidence).all() == (schema == 4)  # that version knew that this checkpoint cannot tell
    assert (t.hypotheses is not None, t.verdict is not None) == (schema in WITH_HYPOTHESES,) * 2
    if t.hypotheses is not None:
        np.testing.assert_array_equal(t.hypotheses.entropy_bits, [row["entropy_bits"] for row in frames])
        assert shapely.area(t.hypotheses.region90[0]) > shapely.area(t.hypotheses.region50[0]) > 0
    assert made.settings["resolution_m"] == 20.0
    assert read_aoi(result).area > 0
    assert read_failed(result) == []
    assert changes_by_a_person(result) == []


@each
def test_a_saved_result_is_evaluated(result: Path, schema: int) -> None:
    report = evaluate_geopackage(result, TRUTH, answer="model").to_dict()
    truth = np.array([[float(part.split('"')[1]), float(part.split('"')[3])] for part in TRUTH.read_text().split("<trkpt ")[1:]])
    errors_m = geodesic_m(*truth.T, *points_of(result).T)
    assert report["overall"]["median_m"] == pytest.approx(np.median(errors_m), abs=0.01)


@each
def test_a_saved_result_is_exported(result: Path, schema: int, tmp_path: Path) -> None:
    copies = {name: tmp_path / f"copy.{name}" for name in ("kml", "gpx", "csv", "geojson")}
    asked = CliRunner().invoke(app, ["export", str(result), *(part for name, path in copies.items() for part in (f"--{name}", str(path)))])
    assert asked.exit_code == 0, asked.output
    layer = "frames_pinned" if schema == 2 else "frames"
    places = points_of(result, layer)
    table = geopandas.read_file(copies["csv"])
    np.testing.assert_allclose(table[["lat_deg", "lon_deg"]].astype(float), places, atol=1e-7)
    track = pyogrio.read_dataframe(copies["gpx"], layer="track_points").geometry
    np.testing.assert_allclose([[shape.y, shape.x] for shape in track], places, atol=1e-7)
    features = [one for one in json.loads(copies["geojson"].read_text())["features"] if one["geometry"]["type"] == "Point"]
    np.testing.assert_allclose([one["geometry"]["coordinates"][1::-1] for one in features[:10]], places, atol=1e-6)
    assert copies["kml"].read_text().count("<gx:coord>") == 10


@each
def test_a_saved_result_is_laid_on_roads(result: Path, schema: int, tmp_path: Path) -> None:
    lat, lon = points_of(result).T
    road = shapely.LineString(np.column_stack([lon, lat + 5 / 111_000]))
    geopandas.GeoDataFrame({"name": ["road"]}, geometry=[road], crs="EPSG:4326").to_file(tmp_path / "roads.gpkg")
    said = run_match(result, tmp_path / "roads.gpkg", answer="model")
    assert said["videos"][0]["matched"] == 10
    line = shapely.union_all(pyogrio.read_dataframe(result, layer="trajectory_matched").geometry)
    assert line.distance(road) < 1e-6
    assert len(read_geopackage(result)[0]) == 1
    assert changes_by_a_person(result) == []


@each
def test_a_saved_result_takes_a_pin_and_is_solved_where_its_scores_were_kept(result: Path, schema: int) -> None:
    lat, lon = points_of(result)[8]
    run_pin(result, PinRow("", 8, lat, lon - 40 / 105_000, who="Bea"))
    pins = pins_of(result, read_geopackage(result)[0])
    # A result of schema 2 holds pins itself: they come first.
    assert [(pin.who, pin.frame_index) for pin in pins] == ([("Ada", 4)] if schema == 2 else []) + [("Bea", 8)]
    if schema != 2:
        with pytest.raises(InputError, match="run geolocate again with --keep-scores"):
            run_solve(result)
        return
    said = run_solve(result)
    assert said["videos"][0]["pins"] == 2
    (solved,), _ = read_answers(result, "pinned")
    for pin in pins:
        row = int(np.flatnonzero(solved.trajectory.frame_index == pin.frame_index)[0])
        there = (solved.trajectory.lat_deg[row], solved.trajectory.lon_deg[row])
        assert geodesic_m(*map(np.atleast_1d, (*there, pin.lat_deg, pin.lon_deg)))[0] <= pin.radius_m


@pytest.mark.parametrize("schema", [2])
def test_the_answer_that_was_solved_then_is_still_there(result: Path, schema: int) -> None:
    (own,), _ = read_answers(result, "model")
    (solved,), _ = read_answers(result)
    assert (own.pinned, solved.pinned) == (False, True)
    np.testing.assert_array_equal(
        np.stack([solved.trajectory.lat_deg, solved.trajectory.lon_deg], axis=1), points_of(result, "frames_pinned")
    )


@pytest.mark.parametrize("schema", SCHEMAS)
def test_layers_and_columns_keep_their_names_and_types(located: Path, schema: int) -> None:
    """Styles, expressions and models of people name them."""

    def columns(path: Path, layer: str) -> dict[str, str]:
        with closing(sqlite3.connect(path)) as database:
            return dict(database.execute("SELECT name, type FROM pragma_table_info(?)", (layer,)))

    saved = SAVED / f"schema_{schema}.gpkg"
    there = {str(name) for name, _ in pyogrio.list_layers(saved)} & {"trajectory", "frames", "videos", "regions", "aoi"}
    assert there >= {"trajectory", "frames", "videos", "aoi"}
    for layer in there:
        old, new = columns(saved, layer), columns(located, layer)
        assert old.items() <= new.items(), layer
        # In the same order: some read them by number.
        assert [name for name in new if name in old] == list(old), layer


@pytest.mark.parametrize("schema", [2])
def test_pins_keep_their_columns(result: Path, schema: int) -> None:
    before = set(rows_of(result, "pins")[0])
    run_pin(result, PinRow("", 8, *points_of(result)[8]))
    assert before <= set(rows_of(review_path(result), "pins")[0])


def test_saved_files_say_nothing_of_a_machine_or_a_person() -> None:
    for path in (one for one in SAVED.rglob("*") if one.is_file() and not one.name.startswith("make")):
        held = path.read_bytes()
        for said in (b"/home/", b"/root/", b"/tmp/", b"/Users/", b"C:\\", b"file:///"):
            assert said not in held, (path.name, said)
