"""Whose a file is, and what an output may replace."""

from __future__ import annotations

import ast
import os
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from vidtag_engine import command_arguments, command_files, file_marks
from vidtag_engine.file_marks import first_refusal, mark_geopackage, mark_of, own_kind, refusal

ROOT = Path(__file__).resolve().parents[1]
SHARED = (
    "protocol.py",
    "command_arguments.py",
    "evidence_arguments.py",
    "file_marks.py",
    "geopackage_metadata.py",
    "command_files.py",
    "frame_ring.py",
)


@pytest.mark.parametrize("name", SHARED)
def test_the_plugin_has_the_same_copy(name):
    copy = ROOT / "vidtag_qgis" / "engine_client" / name
    assert not copy.is_symlink()
    assert copy.read_bytes() == (ROOT / "vidtag_engine" / name).read_bytes()


@pytest.mark.parametrize("name", SHARED)
def test_standard_library_only(name):
    tree = ast.parse((ROOT / "vidtag_engine" / name).read_text(encoding="utf-8"), feature_version=(3, 9))
    imported = {alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    assert imported <= sys.stdlib_module_names


def test_every_output_and_input_is_an_argument_of_the_protocol():
    kinds = {
        re.sub(r"\B(?=[A-Z])", "-", name.removesuffix("Arguments")).lower(): set(vars(command_arguments)[name].__dataclass_fields__)
        for name in dir(command_arguments)
        if name.endswith("Arguments")
    }
    for command in command_files.OUTPUTS:
        missing = (set(command_files.OUTPUTS[command]) | set(command_files.INPUTS[command])) - kinds[command]
        assert missing <= {"markdown"}, command
    assert set(command_files.OUTPUTS) == set(command_files.INPUTS) == set(kinds)


def geopackage(path: Path, kind: str | None = None, layers: tuple[str, ...] = ("lots",)) -> Path:
    """A GeoPackage as GDAL writes it."""
    import geopandas
    import shapely

    for layer in layers:
        geopandas.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(1, 2)], crs="EPSG:4326").to_file(path, layer=layer, driver="GPKG")
    if kind:
        with closing(sqlite3.connect(path)) as database, database:
            mark_geopackage(database, kind)
    return path


def test_a_marked_geopackage_is_known_and_still_read_by_gdal(tmp_path):
    import pyogrio

    path = geopackage(tmp_path / "a.gpkg", "gallery", ("gallery",))
    assert own_kind(path) == "gallery"
    assert pyogrio.list_layers(path).tolist() == [["gallery", "Point"]]
    assert own_kind(geopackage(tmp_path / "b.gpkg")) is None
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.gpkg", "b.gpkg"]


def test_looking_leaves_nothing_beside_a_file_that_is_open_elsewhere(tmp_path):
    path = geopackage(tmp_path / "a.gpkg", "review", ("pins",))
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode = wal")
        other.execute("CREATE TABLE more (n)")
        other.commit()
        before = {entry.name: entry.stat().st_mtime_ns for entry in tmp_path.iterdir()}
        assert own_kind(path) == "review"
        assert {entry.name: entry.stat().st_mtime_ns for entry in tmp_path.iterdir()} == before


FOREIGN = {
    "track.gpx": b'<?xml version="1.0"?><gpx version="1.1" creator="Garmin"><metadata><desc>VidTAG gpx</desc></metadata></gpx>',
    "places.kml": b'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><!-- Generator: VidTAG kml --><Document/></kml>',
    "table.csv": b"video,lat,lon\na,1,2\n",
    "area.geojson": b'{"type": "FeatureCollection", "name": "VidTAG geojson", "features": []}',
    "numbers.json": b'{"a": 1}',
    "page.html": b"<!DOCTYPE html><html><head><title>VidTAG evaluation</title></head></html>",
    "notes.md": b"# VidTAG markdown\n",
    "empty": b"",
    "zeros": bytes(1000),
    "cut.png": b"\x89PNG\r\n\x1a\n\0\0",
    "cut.tif": b"II*\0\xff\xff\xff\xff",
    "cut.gpkg": b"SQLite format 3\0" + bytes(50),
    "utf16.csv": "video,frame_index,generator\na,1,VidTAG".encode("utf-16"),
    "deep.json": b'{"a":' * 50_000,
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("kind", [kind for kind in file_marks.KINDS if kind != "checkpoint"])
def test_a_foreign_file_is_refused_for_every_kind(name, kind, tmp_path):
    path = tmp_path / name
    path.write_bytes(FOREIGN[name])
    assert own_kind(path) is None
    said = refusal(path, kind)
    assert said is not None
    assert name in said
    assert "choose another output" in said
    assert refusal(path, kind, overwrite=True) is None


def test_a_copy_without_a_mark_is_told_from_another_thing(tmp_path):
    path = tmp_path / "monday.gpx"
    path.write_bytes(FOREIGN["track.gpx"])
    assert "bears no mark of this tool" in refusal(path, "gpx")
    assert "is no CSV copy of this tool" in refusal(path, "csv")
    own = geopackage(tmp_path / "r.gpkg", "result", ("frames",))
    assert "another file of this tool (result)" in refusal(own, "gallery")
    assert refusal(own, "result") is None


def test_a_layer_that_a_person_put_into_a_result_keeps_it(tmp_path):
    path = geopackage(tmp_path / "r.gpkg", "result", ("frames", "my notes"))
    assert file_marks.foreign_layers(path) == ["my notes"]
    assert "my notes" in refusal(path, "result")


@pytest.mark.parametrize("way", ["itself", "symbolic", "hard", "relative", "absent", "twice"])
def test_an_input_is_refused_by_whatever_name_and_even_with_overwrite(way, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path, other = tmp_path / "a.gpx", tmp_path / "b.gpx"
    path.write_text(f'<gpx creator="{mark_of("gpx")}"/>')
    assert refusal(path, "gpx") is None
    if way == "symbolic":
        other.symlink_to(path)
    elif way == "hard":
        other.hardlink_to(path)
    given = {"itself": path, "relative": Path("sub/../a.gpx"), "absent": path, "twice": path}.get(way, other)
    (tmp_path / "sub").mkdir()
    if way == "absent":
        path.unlink()
    for overwrite in (False, True):
        if way == "twice":
            said = first_refusal([(path, "gpx"), (Path("a.gpx"), "gpx")], overwrite=overwrite)
        else:
            said = refusal(path, "gpx", inputs=["{}", "\0", "x" * 5000, f"{given}|layername=tracks"], overwrite=overwrite)
        assert said is not None
        assert ("two outputs" if way == "twice" else "input") in said


def test_files_of_a_folder_that_is_read(tmp_path):
    from PIL import Image

    photo = tmp_path / "photo_000001.jpg"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(photo)
    assert "input" in refusal(photo, "frame", inputs=[tmp_path], overwrite=True)
    exif = Image.Exif()
    exif[0x0131] = mark_of("frame")
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(photo, exif=exif)
    assert own_kind(photo) == "frame"
    assert "input" in refusal(photo, "frame", inputs=[tmp_path])
    assert refusal(photo, "frame") is None
    result = geopackage(tmp_path / "r.gpkg", "result", ("frames",))
    assert refusal(result, "result", inputs=[tmp_path]) is None, "a result may lie among its videos, and be made again"
    assert refusal(tmp_path / "new.gpkg", "result", inputs=[tmp_path]) is None


def test_places_where_no_file_can_be(tmp_path):
    assert "is a folder" in refusal(tmp_path, "kml")
    assert "does not exist" in refusal(tmp_path / "no" / "a.kml", "kml")
    os.mkfifo(tmp_path / "pipe")
    assert "no file" in refusal(tmp_path / "pipe", "kml", overwrite=True)
    link = tmp_path / "link.kml"
    link.symlink_to(tmp_path / "gone.kml")
    assert refusal(link, "kml") is not None, "whose it is cannot be known"


def test_a_checkpoint_folder_that_is_another_models(tmp_path):
    model = tmp_path / "clip"
    model.mkdir()
    assert refusal(model, "checkpoint") is None
    (model / "notes.txt").write_text("kept")
    assert refusal(model, "checkpoint") is None
    (model / "config.json").write_text('{"architectures": ["CLIPModel"], "preset": "x"}')
    assert "config.json" in refusal(model, "checkpoint")
    assert refusal(model, "checkpoint", overwrite=True) is None
    assert "input" in refusal(model, "checkpoint", inputs=[model / "config.json"], overwrite=True)
    (model / "config.json").write_text('{"format_version": 1, "preset": "vidtag-compact", "training_extent": null, "sha256": "a"}')
    assert refusal(model, "checkpoint") is None
    (model / "training").mkdir()
    assert refusal(model, "checkpoint") is None
    (model / "training" / "run1.csv").write_text("mine")
    assert "training" in refusal(model, "checkpoint")
    (model / "training" / "phase1.json").write_text('{"run_key": "a", "step": 1}')
    assert refusal(model, "checkpoint") is None


def test_only_the_beginning_of_a_large_file_is_read(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as handle:
        handle.truncate(50 * 2**30)
    assert own_kind(path) is None


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("export", {"result": "r.gpkg", "kml": "r.review.gpkg"}),
        ("solve", {"result": "r.gpkg", "output": "r.review.gpkg"}),
        ("match", {"result": "r.gpkg", "roads": "roads.gpkg", "output": "r.review.gpkg"}),
        ("evaluate", {"result": "r.gpkg", "truth": "t.gpx", "errors": "r.review.gpkg"}),
        ("geolocate", {"videos": ["a.mp4"], "output": "r.gpkg", "kml": "r.review.gpkg"}),
    ],
)
def test_the_pins_beside_a_result_are_never_replaced(tmp_path, monkeypatch, command, arguments):
    monkeypatch.chdir(tmp_path)
    geopackage(tmp_path / "r.gpkg", "result", ("trajectory",))
    geopackage(tmp_path / "r.review.gpkg", "review", ("pins",))
    why = command_files.command_refusal(command, {**arguments, "overwrite": True})
    assert why is not None
    assert "r.review.gpkg is also an input of this call" in why
