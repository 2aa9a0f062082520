"""Results of a later minor number are read everywhere, and those of a higher major number are refused with one sentence."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.world_maker import aoi_text
from vidtag_engine.cli import app
from vidtag_engine.commands.match import run_match
from vidtag_engine.commands.pin import run_pin
from vidtag_engine.commands.solve import run_solve
from vidtag_engine.evaluation import evaluate_geopackage
from vidtag_engine.export import read_aoi, read_failed, read_geopackage
from vidtag_engine.export.edits import LIKE, changes_by_a_person, later_schema
from vidtag_engine.export.geopackage_read import read_answers
from vidtag_engine.export.pins import PinRow
from vidtag_engine.geolocation import geolocate, load
from vidtag_engine.geopackage_metadata import SCHEMA, Schema, schema_of, schema_record, schema_refusal
from vidtag_engine.grid import load_aoi
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.types import InputError

SAVED = Path(__file__).parent / "fixtures" / "saved_files"
LAYERS = ("trajectory", "frames", "videos", "regions", "aoi")
SETTINGS = GeolocateSettings(resolution_m=20.0, keep_scores=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result of today, with scores."""
    output = tmp_path_factory.mktemp("made") / "drive.gpkg"
    geolocate([SAVED / "flight.mp4"], load_aoi(aoi_text()), load(str(SAVED / "checkpoint"), "cpu"), output, SETTINGS)
    return output


@pytest.fixture
def result(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made.parent, tmp_path / "copy")
    return tmp_path / "copy" / "drive.gpkg"


@pytest.fixture
def later(result: Path) -> Path:
    """As a later version may write it: two more columns in every layer, a layer of its own, two more keys in its record."""
    raise_schema(result, SCHEMA.major, SCHEMA.minor + 3)
    return result


def raise_schema(path: Path, major: int, minor: int, columns: dict[str, str] | None = None) -> None:
    """Add columns and a layer, and give the record these numbers; all with the moments of the engine itself."""
    detections = geopandas.GeoDataFrame({"video": ["flight.mp4"], "what": ["a sign"]}, geometry=[shapely.Point(159.932, -19.218)], crs=4326)
    pyogrio.write_dataframe(detections, path, layer="detections", driver="GPKG", append=True)
    with closing(sqlite3.connect(path)) as database, database:
        [(row, text)] = database.execute(
            "SELECT id, metadata FROM gpkg_metadata WHERE md_standard_uri = 'urn:vidtag:provenance'"
        ).fetchall()
        record = json.loads(text) | {"schema_version": major, "schema_minor": minor, "licences": ["none"]}
        record["settings"]["dream"] = True
        database.execute("UPDATE gpkg_metadata SET metadata = ? WHERE id = ?", (json.dumps(record), row))
        for layer in LAYERS:
            for name, kind in (
                {"heading_deg": "REAL DEFAULT 90.0", "weather": "TEXT DEFAULT 'rain'"} if columns is None else columns
            ).items():
                database.execute(f'ALTER TABLE {layer} ADD COLUMN "{name}" {kind}')
        moment = database.execute("SELECT last_change FROM gpkg_contents WHERE table_name = 'frames'").fetchone()[0]
        database.execute("UPDATE gpkg_contents SET last_change = ?", (moment,))


def record_of(path: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(path)) as database:
        return json.loads(database.execute("SELECT metadata FROM gpkg_metadata ORDER BY id DESC").fetchone()[0])


def rows_of(path: Path, layer: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f'SELECT * FROM "{layer}" ORDER BY fid')]


def said(path: Path) -> str:
    """All that a result says, as text."""
    results, provenance = read_geopackage(path)
    assert read_failed(path) == []
    provenance.settings.pop("dream", None)
    with np.printoptions(threshold=100_000, floatmode="unique"):
        return f"{results!r} {provenance!r} {read_aoi(path)!r}"


def test_the_record_names_both_numbers(made: Path) -> None:
    record = record_of(made)
    assert schema_of(record) == SCHEMA
    assert {name: record[name] for name in schema_record()} == schema_record()
    # Versions from before compare this whole number with the highest that they know, which was 4 at most, and know no minor number.
    assert isinstance(record["schema_version"], int)
    assert record["schema_version"] >= 4
    assert schema_of(record_of(SAVED / "schema_4.gpkg")) == Schema(4, 0)


def test_a_later_minor_number_says_the_same(made: Path, later: Path) -> None:
    assert said(later) == said(made)
    assert later_schema(later) == Schema(SCHEMA.major, SCHEMA.minor + 3)
    assert later_schema(made) is None


NAMES = st.text(st.characters(codec="utf-8", exclude_characters='"\0', exclude_categories=("Cs",)), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    minor=st.integers(0, 10_000),
    names=st.lists(NAMES.map(lambda name: f"later_{name}"), max_size=4, unique_by=str.lower),
    kind=st.sampled_from(["TEXT", "REAL DEFAULT 1.5", "DATETIME DEFAULT 'never'", "BLOB DEFAULT x'47500001'"]),
)
def test_whatever_columns_a_minor_number_adds(made: Path, tmp_path: Path, minor: int, names: list[str], kind: str) -> None:
    path = tmp_path / "any.gpkg"
    path.unlink(missing_ok=True)
    shutil.copy(made, path)
    raise_schema(path, SCHEMA.major, SCHEMA.minor + minor, dict.fromkeys(names, kind))
    assert said(path) == said(made)


def test_a_later_minor_number_is_evaluated_and_exported(made: Path, later: Path, tmp_path: Path) -> None:
    truth = SAVED / "flight.gpx"
    assert evaluate_geopackage(later, truth).to_dict()["overall"] == evaluate_geopackage(made, truth).to_dict()["overall"]
    for path, copy in ((made, "made"), (later, "later")):
        given = [part for form in ("kml", "gpx", "csv", "geojson") for part in (f"--{form}", str(tmp_path / f"{copy}.{form}"))]
        asked = CliRunner().invoke(app, ["export", str(path), *given])
        assert asked.exit_code == 0, asked.output
    for form in ("csv", "gpx"):
        assert (tmp_path / f"made.{form}").read_text() == (tmp_path / f"later.{form}").read_text()


def test_solving_and_matching_in_place_keep_what_is_not_known(later: Path, tmp_path: Path) -> None:
    rows = {layer: rows_of(later, layer) for layer in (*LAYERS, "detections")}
    record = record_of(later)
    frame = rows_of(later, "frames")[4]
    run_pin(later, PinRow("", 4, frame["best_lat_deg"], frame["best_lon_deg"] + 30 / 105_000))
    for _ in range(2):  # the second takes the place of the first's layers
        assert run_solve(later)["videos"][0]["pins"] == 1
    places = [(row["best_lon_deg"], row["best_lat_deg"]) for row in rows["frames"]]
    geopandas.GeoDataFrame({"name": ["road"]}, geometry=[shapely.LineString(places)], crs=4326).to_file(tmp_path / "roads.gpkg")
    for _ in range(2):
        run_match(later, tmp_path / "roads.gpkg")
    assert {layer: rows_of(later, layer) for layer in rows} == rows
    assert record_of(later) == record
    assert {str(name) for name, _ in pyogrio.list_layers(later)} >= {*LIKE, "detections"}
    assert read_answers(later, "pinned")[0][0].pinned
    run_solve(later, output=tmp_path / "copy.gpkg")
    assert {layer: rows_of(tmp_path / "copy.gpkg", layer) for layer in rows} == rows


def test_what_a_later_version_added_is_not_a_persons_and_what_a_person_adds_is(later: Path) -> None:
    frame = rows_of(later, "frames")[4]
    run_pin(later, PinRow("", 4, frame["best_lat_deg"], frame["best_lon_deg"]))
    run_solve(later)
    with closing(sqlite3.connect(later)) as database, database:
        database.execute("ALTER TABLE frames_pinned ADD COLUMN weather TEXT DEFAULT 'rain'")  # as that version's own solving would
    assert changes_by_a_person(later) == []
    run_solve(later)
    with closing(sqlite3.connect(later)) as database, database:
        database.execute("ALTER TABLE frames_pinned ADD COLUMN checked TEXT DEFAULT 'by Ada'")
    assert changes_by_a_person(later) == ["the added column checked of the layer frames_pinned"]
    with pytest.raises(InputError, match="A person has changed the added column checked"):
        run_solve(later)
    notes = geopandas.GeoDataFrame({"note": ["here"]}, geometry=[shapely.Point(159.932, -19.218)], crs=4326)
    pyogrio.write_dataframe(notes, later, layer="notes", driver="GPKG", append=True)
    assert "the added layer notes" in changes_by_a_person(later)


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("major", [SCHEMA.major, SCHEMA.major + 1])
def test_geolocating_does_not_replace_what_a_later_version_wrote(result: Path, anew: bool, major: int) -> None:
    later = SCHEMA.minor + 1
    raise_schema(result, major, later)
    before = result.read_bytes()
    given = ([SAVED / "flight.mp4"], load_aoi(aoi_text()), load(str(SAVED / "checkpoint"), "cpu"), result, SETTINGS)
    with pytest.raises(InputError, match=rf"drive.gpkg was written by a newer VidTAG \(schema {major}.{later}, this one writes {SCHEMA}\)"):
        geolocate(*given, anew=anew)
    assert result.read_bytes() == before
    geolocate(*given, overwrite=True)
    assert schema_of(record_of(result)) == SCHEMA


@pytest.mark.parametrize("command", ["evaluate", "export", "solve", "pin", "match"])
def test_a_higher_major_number_is_refused_with_one_sentence(result: Path, tmp_path: Path, command: str) -> None:
    """Also where its record lacks what is known of a record today, and a layer is gone."""
    raise_schema(result, SCHEMA.major + 1, 2)
    with closing(sqlite3.connect(result)) as database, database:
        record = {"schema": "vidtag", "schema_version": SCHEMA.major + 1, "schema_minor": 2, "made": {"by": "something new"}}
        database.execute("UPDATE gpkg_metadata SET metadata = ?", (json.dumps(record),))
        database.execute("ALTER TABLE frames RENAME TO moments")
    before = result.read_bytes()
    options = {
        "evaluate": ["--truth", str(SAVED / "flight.gpx")],
        "export": ["--csv", str(tmp_path / "o.csv")],
        "pin": ["--frame", "1", "--at", "-19.218,159.932"],
        "match": ["--roads", str(SAVED / "flight.gpx"), "--layer", "tracks"],
    }
    asked = CliRunner().invoke(app, [command, str(result), *options.get(command, [])])
    told = " ".join(asked.output.split())
    assert asked.exit_code == 2
    assert f"drive.gpkg was written by a newer VidTAG (schema {SCHEMA.major + 1}.2, this one knows {SCHEMA}); update VidTAG." in told
    assert "Traceback" not in told
    assert result.read_bytes() == before
    assert not (tmp_path / "o.csv").exists()
    for read in (read_geopackage, read_failed, read_aoi):
        with pytest.raises(InputError, match=r"written by a newer VidTAG"):
            read(result)


@given(major=st.integers(1, 1000), minor=st.integers(0, 1000))
def test_only_the_major_number_is_refused(major: int, minor: int) -> None:
    schema = schema_of(json.loads(json.dumps(schema_record(Schema(major, minor)))))
    assert schema == (major, minor)
    assert (schema_refusal("x.gpkg", schema) is None) == (major <= SCHEMA.major)
