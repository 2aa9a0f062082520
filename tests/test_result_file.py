"""A file that a person edits is never replaced, and what is added to a result goes into it in place."""

import sqlite3
from contextlib import closing
from pathlib import Path

import geopandas
import pyogrio
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

from tests.export_cases import PROVENANCE, around, as_schema_2, drive, unsure
from tests.other_program import OtherProgram
from vidtag_engine.export import read_failed, read_geopackage, write_geopackage
from vidtag_engine.export.corrections import with_layers
from vidtag_engine.export.edits import changes_by_a_person, open_elsewhere, state_of
from vidtag_engine.export.pins import PinRow, read_pins
from vidtag_engine.export.review_file import add_pins, review_path
from vidtag_engine.export.scores_file import scores_folder
from vidtag_engine.export.tables import frames_table, steps_table
from vidtag_engine.result_file import ResultFile
from vidtag_engine.types import FailedVideo, InputError, TimeSource, VideoInfo

AOI = around(-19.22, 159.93, 0.1)


class Area:
    geometry = AOI


@pytest.fixture
def result(tmp_path):
    path = tmp_path / "r é.gpkg"
    write_geopackage(path, [drive(), unsure()], PROVENANCE, aoi=AOI)
    return path


def edit(path, layer="frames", column="score"):
    """As GDAL does it, and so QGIS."""
    frame = pyogrio.read_dataframe(path, layer=layer).head(1)
    pyogrio.write_dataframe(frame, path, layer=layer, append=True)


def add_layer(path):
    pyogrio.write_dataframe(geopandas.GeoDataFrame({"note": ["mine"]}, geometry=[shapely.Point(1, 2)], crs=4326), path, layer="my notes")


def add_column(path):
    with closing(sqlite3.connect(path)) as database, database:  # GDAL does just this, and no more
        database.execute("ALTER TABLE videos ADD COLUMN remark TEXT")


def save_style(path):
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO layer_styles (f_table_name, styleName, useAsDefault) VALUES ('frames', 'mine', 1)")


def change_style(path):
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "UPDATE layer_styles SET styleQML = '<qgis/>', update_time = '2030-01-01T00:00:00.000Z' WHERE f_table_name = 'aoi'"
        )


def save_project(path):
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE qgis_projects (name TEXT PRIMARY KEY, metadata BLOB, content BLOB)")


CHANGES = [
    (edit, "the layer frames"),
    (add_layer, "the added layer my notes"),
    (add_column, "the added column remark of the layer videos"),
    (save_style, "the style mine of the layer frames"),
    (change_style, "the style VidTAG aoi of the layer aoi"),
    (save_project, "a saved QGIS project"),
]


@pytest.mark.parametrize(("change", "words"), CHANGES, ids=[change.__name__ for change, _ in CHANGES])
def test_a_change_by_a_person_is_named_and_kept(result, change, words):
    assert changes_by_a_person(result) == []
    change(result)
    assert changes_by_a_person(result) == [words]
    before = result.read_bytes()
    with pytest.raises(InputError, match=f"A person has changed r é.gpkg .{words}.*: choose another output, or add --overwrite"):
        ResultFile(result, overwrite=False).check()
    file = ResultFile(result, overwrite=True)
    file.check()
    assert result.read_bytes() == before
    file.write([drive()], [], PROVENANCE, Area)  # it was asked for
    assert file.path == result
    assert changes_by_a_person(result) == []


@pytest.mark.parametrize(("change", "words"), CHANGES, ids=[change.__name__ for change, _ in CHANGES])
def test_a_change_while_a_batch_runs_sends_the_rest_to_a_sibling(result, change, words):
    add_pins(result, [PinRow("drive.mp4", 3, -19.2, 159.9)])
    scores_folder(result).mkdir()
    (scores_folder(result) / "ab.safetensors").write_bytes(b"scores")
    (result.parent / "r é-2.gpkg").write_text("taken")
    file = ResultFile(result, overwrite=True)
    file.check()
    file.write([drive()], [], PROVENANCE, Area)
    change(result)
    kept = result.read_bytes()
    file.write([drive(), unsure()], [], PROVENANCE, Area)
    file.write([drive(), unsure()], [], PROVENANCE, Area)
    assert result.read_bytes() == kept
    assert file.path.name == "r é-3.gpkg"
    assert len(read_geopackage(file.path)[0]) == 2
    assert read_pins(review_path(file.path)) == read_pins(review_path(result)) != []
    assert [one.name for one in scores_folder(file.path).iterdir()] == ["ab.safetensors"]
    [note] = file.notes
    assert (
        "r é.gpkg was changed or opened for editing in another program while this ran: it stays as it is, and all videos are in r é-3.gpkg"
        in note
    )


def test_edits_that_are_not_saved_yet_are_seen(result):
    file = ResultFile(result)
    with OtherProgram(result) as other:
        assert not open_elsewhere(result)
        other.edit_as_qgis_does()
        assert open_elsewhere(result)
        for overwrite in (False, True):
            with pytest.raises(InputError, match="r é.gpkg is open for editing in another program: save and stop editing there"):
                ResultFile(result, overwrite=overwrite).check()
        before = state_of(result)
        file.write([drive()], [], PROVENANCE, Area)
        assert state_of(result) == before
        assert other.ask("SELECT count(*) FROM videos") == 2
    assert file.path.name == "r é-2.gpkg"
    assert not open_elsewhere(result)
    ResultFile(result, overwrite=False).check()


def test_a_log_that_a_killed_program_left_is_no_edit_under_way(result, tmp_path):
    copy = tmp_path / "copy.gpkg"
    with OtherProgram(result) as other:
        other.edit_as_qgis_does()
        other.ask("UPDATE gpkg_contents SET description = 'seen' WHERE table_name = 'videos'")
        for suffix in ("", "-wal"):
            Path(f"{copy}{suffix}").write_bytes(Path(f"{result}{suffix}").read_bytes())
    assert not open_elsewhere(copy)
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT description FROM gpkg_contents WHERE table_name = 'videos'").fetchone() == ("seen",)


def test_layers_are_added_in_place_and_all_or_none(result, monkeypatch):
    add_layer(result)
    number = result.stat().st_ino
    layers = {"frames_pinned": (frames_table(drive()), "frames"), "trajectory_pinned": (steps_table(drive()), "trajectory")}
    with OtherProgram(result) as other:
        other.edit_as_qgis_does()  # of another layer
        with_layers(result, layers)
        assert other.ask("SELECT count(*) FROM frames_pinned") == 40
    assert result.stat().st_ino == number
    assert changes_by_a_person(result) == ["the added layer my notes"]
    with closing(sqlite3.connect(result)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        before = list(database.iterdump())
    found = pyogrio.read_dataframe(result, layer="frames_pinned")
    assert_geodataframe_equal(found, pyogrio.read_dataframe(result, layer="frames").head(40))
    assert (
        len(pyogrio.read_dataframe(result, layer="frames_pinned", bbox=tuple(found.geometry[:5].total_bounds))) >= 5
    )  # the index is whole
    monkeypatch.setattr(
        "vidtag_engine.export.corrections.add_style", lambda *_: (_ for _ in ()).throw(sqlite3.OperationalError("disk is full"))
    )
    with pytest.raises(InputError, match="the disk is full"):
        with_layers(result, {"frames_pinned": (frames_table(unsure()), "frames")})
    with closing(sqlite3.connect(result)) as database:
        assert list(database.iterdump()) == before


def test_a_solved_layer_that_a_person_changed_is_not_made_anew(result, tmp_path):
    layers = {"frames_pinned": (frames_table(drive()), "frames")}
    with_layers(result, layers)
    with OtherProgram(result) as other:
        other.edit_as_qgis_does()
        with pytest.raises(InputError, match="open for editing in another program, and its layer frames_pinned would be made anew"):
            with_layers(result, layers)
    with_layers(result, layers)
    edit(result, "frames_pinned")
    with pytest.raises(InputError, match="A person has changed the layer frames_pinned in r é.gpkg.*give --output"):
        with_layers(result, layers)
    with_layers(result, layers, tmp_path / "copy.gpkg")
    assert len(pyogrio.read_dataframe(result, layer="frames_pinned")) == 41
    assert len(pyogrio.read_dataframe(tmp_path / "copy.gpkg", layer="frames_pinned")) == 40


def test_a_style_of_ones_own_for_a_solved_layer_stays(result):
    layers = {"frames_pinned": (frames_table(drive()), "frames")}
    with_layers(result, layers)
    with closing(sqlite3.connect(result)) as database, database:
        database.execute("UPDATE layer_styles SET useAsDefault = 0 WHERE f_table_name = 'frames_pinned'")
        database.execute("INSERT INTO layer_styles (f_table_name, styleName, useAsDefault) VALUES ('frames_pinned', 'mine', 1)")
    with_layers(result, layers, result.with_name("copy.gpkg"))
    with closing(sqlite3.connect(result.with_name("copy.gpkg"))) as database:
        rows = database.execute(
            "SELECT styleName, useAsDefault FROM layer_styles WHERE f_table_name = 'frames_pinned' ORDER BY 1"
        ).fetchall()
    assert rows == [("VidTAG frames_pinned", 0), ("mine", 1)]


def test_results_of_schema_2_with_pins_and_solved_layers_count_as_unchanged(result):
    with_layers(result, {"frames_pinned": (frames_table(drive()), "frames")})
    as_schema_2(result, [PinRow("drive.mp4", 2, -19.2, 159.9)])
    with closing(sqlite3.connect(result)) as database, database:
        database.execute("UPDATE gpkg_contents SET last_change = '2026-01-01T00:00:00.000Z' WHERE table_name IN ('pins', 'frames_pinned')")
    assert changes_by_a_person(result) == []
    edit(result)
    assert changes_by_a_person(result) == ["the layer frames"]


def test_failed_videos_are_rows_with_names_of_their_own(result):
    info = VideoInfo(
        Path("/home/someone/my videos/drive.mp4"), "drive.mp4", "video", 0, 0, None, PROVENANCE.created_utc, TimeSource.SYNTHETIC
    )
    why = "/home/someone/my videos/drive.mp4 is not a video that FFmpeg can read (see /var/log/x y.log); convert it."
    file = ResultFile(result)
    file.write([drive()], [FailedVideo(info, why), FailedVideo(info, why, "cd" * 32)], PROVENANCE, Area)
    state = result.stat().st_mtime_ns
    file.tell([drive()], [FailedVideo(info, why), FailedVideo(info, why, "cd" * 32)], PROVENANCE, Area)
    assert result.stat().st_mtime_ns == state  # it tells of them already
    rows = pyogrio.read_dataframe(result, layer="videos")
    assert rows.video.tolist() == ["drive.mp4", "drive.mp4 (2)", "drive.mp4 (3)"]
    assert rows.state.fillna("").tolist() == ["", "failed", "failed"]
    assert rows.geometry.isna().tolist() == [False, True, True]
    assert rows.why[1] == "drive.mp4 is not a video that FFmpeg can read (see x y.log); convert it."
    assert rows.sha256.fillna("").tolist() == ["ab" * 32, "", "cd" * 32]
    assert rows[["width_px", "decoded", "mean_confidence", "start_time", "base_time"]].isna().to_numpy()[1:].all()
    assert [one.info.name for one in read_geopackage(result)[0]] == ["drive.mp4"]
    assert [one.why for one in read_failed(result)] == [rows.why[1]] * 2
    file.tell([drive()], [], PROVENANCE, Area)  # all done at last
    assert read_failed(result) == []
    assert b"someone" not in result.read_bytes()
