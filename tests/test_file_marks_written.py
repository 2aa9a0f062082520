"""Every file that is written bears its mark, and other readers take it as before."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.export_cases import PROVENANCE, drive
from vidtag_engine.atomic import replacing
from vidtag_engine.export import EXPORTERS, write_geopackage, write_map
from vidtag_engine.file_marks import KINDS, own_kind, refusal
from vidtag_engine.types import InputError


@pytest.mark.parametrize("kind", EXPORTERS)
def test_a_copy_is_known_and_replaced_but_not_once_another_program_has_saved_it(kind, tmp_path):
    path = tmp_path / f"o.{kind}"
    write = EXPORTERS[kind][1]
    write(path, [drive("a.mp4", 4)], PROVENANCE)
    assert own_kind(path) == kind
    write(path, [drive("b.mp4", 9)], PROVENANCE)
    assert "b.mp4" in path.read_text()
    again = tmp_path / f"again.{kind}"
    convert = ["ogr2ogr", "-f", {"geojson": "GeoJSON"}.get(kind, kind.upper()), again, path]
    convert += {"kml": [], "gpx": ["tracks"], "csv": ["-select", "video"], "geojson": []}[kind]
    subprocess.run(convert, check=True, capture_output=True)
    assert own_kind(again) is None
    before = again.read_bytes()
    with pytest.raises(InputError, match="bears no mark"):
        write(again, [drive("b.mp4", 9)], PROVENANCE)
    assert again.read_bytes() == before
    write(again, [drive("b.mp4", 9)], PROVENANCE, overwrite=True)
    assert own_kind(again) == kind


def test_the_csv_is_a_track_for_our_own_reader_and_a_table_for_pandas(tmp_path):
    import pandas as pd

    from vidtag_engine.video import read_track

    path = tmp_path / "o.csv"
    EXPORTERS["csv"][1](path, [drive("a.mp4", 5)], PROVENANCE)
    table = pd.read_csv(path)
    assert list(table.columns[:2]) == ["video", "frame_index"]
    assert set(table["generator"]) == {"VidTAG"}
    track = read_track(path)
    assert np.allclose(track.lat_deg, table["lat_deg"].dropna())


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".pdf", ".svg"])
def test_map_pictures(suffix, tmp_path):
    path = tmp_path / f"m{suffix}"
    write_map(path, [drive(count=4)])
    assert own_kind(path) == "map"
    write_map(path, [drive(count=5)])
    assert refusal(path, "heatmap-picture") is not None


def test_the_other_pictures_of_matplotlib_are_none_of_ours(tmp_path):
    from matplotlib.figure import Figure

    for suffix in ("png", "pdf", "svg", "jpg"):
        Figure().savefig(tmp_path / f"f.{suffix}")
        assert own_kind(tmp_path / f"f.{suffix}") is None


def test_the_record_of_gdal(tmp_path):
    """gdalinfo and ogrinfo show the marks, so that a person can see them."""
    write_geopackage(tmp_path / "r.gpkg", [drive(count=3)], PROVENANCE)
    assert own_kind(tmp_path / "r.gpkg") == "result"
    write_map(tmp_path / "m.png", [drive(count=3)])
    said = subprocess.run(["gdalinfo", "-json", tmp_path / "m.png"], check=True, capture_output=True, text=True).stdout
    assert json.loads(said)["metadata"][""]["Software"] == "VidTAG map"


def test_a_heat_map_by_its_tag(tmp_path):
    import shapely
    from pyproj import CRS

    from vidtag_engine.export import plan_raster, write_raster, write_raster_picture

    area = shapely.box(10.0, 50.0, 10.01, 50.01)
    plan = plan_raster(area, CRS("EPSG:32632"), 50.0, most_cells=10_000)
    path = tmp_path / "h.tif"
    for _ in range(2):
        write_raster(path, plan, [("one", {}, plan.area_m2)], 1, {"vidtag_video": "a"})
    assert own_kind(path) == "heatmap"
    said = subprocess.run(["gdalinfo", "-json", path], check=True, capture_output=True, text=True).stdout
    assert json.loads(said)["metadata"][""]["TIFFTAG_SOFTWARE"] == "VidTAG heatmap"
    subprocess.run(["gdal_translate", "-q", "-co", "TILED=YES", "-co", "COMPRESS=LZW", path, tmp_path / "again.tif"], check=True)
    subprocess.run(["gdal_calc.py", "--quiet", "-A", path, "--calc=A*2", f"--outfile={tmp_path / 'made.tif'}"], check=True)
    assert own_kind(tmp_path / "made.tif") is None
    big = tmp_path / "big.tif"
    subprocess.run(["gdal_translate", "-q", "-co", "BIGTIFF=YES", path, big], check=True)
    assert own_kind(big) == "heatmap"
    write_raster_picture(tmp_path / "h.png", plan, plan.area_m2, area, "title")
    assert own_kind(tmp_path / "h.png") == "heatmap-picture"
    with pytest.raises(InputError, match="another file of this tool"):
        write_map(tmp_path / "h.png", [drive(count=3)])


def test_a_file_that_appears_while_another_is_written_is_not_lost(tmp_path):
    path = tmp_path / "o.kml"

    def write():
        with replacing(path, "kml") as part:
            part.write_text("new")
            path.write_text("<kml>theirs</kml>")

    with pytest.raises(InputError, match="bears no mark"):
        write()
    assert path.read_text() == "<kml>theirs</kml>"
    assert [one.name for one in tmp_path.iterdir()] == ["o.kml"]


def test_a_file_that_appears_in_the_very_last_moment_is_not_lost(tmp_path, monkeypatch):
    path, link = tmp_path / "o.kml", os.link

    def late(*given):
        path.write_text("<kml>theirs</kml>")
        link(*given)

    monkeypatch.setattr("os.link", late)
    with pytest.raises(InputError), replacing(path, "kml") as part:
        part.write_text("new")
    assert path.read_text() == "<kml>theirs</kml>"


def test_the_file_behind_a_link_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "disk").mkdir()
    link, real = tmp_path / "o.kml", tmp_path / "disk" / "real.kml"
    link.symlink_to(real)
    for count in (3, 5):
        EXPORTERS["kml"][1](link, [drive(f"{count}.mp4", count)], PROVENANCE, overwrite=count == 3)
    assert link.is_symlink()
    assert "5.mp4" in real.read_text()


def wal_of(path: Path, tmp_path: Path) -> None:
    """What a person has set is in the log alone, as when QGIS was killed."""
    away = tmp_path / "away"
    away.mkdir()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = wal")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        database.execute("UPDATE gpkg_contents SET description = 'set by a person'")
        database.commit()
        for one in (path, path.with_name(path.name + "-wal")):
            shutil.copy(one, away)
    for one in away.iterdir():
        shutil.copy(one, path.parent)
    shutil.rmtree(away)


def test_what_lies_in_the_log_of_an_old_file_is_in_it_before_the_log_goes(tmp_path, monkeypatch):
    """Ended right before the last step, the old file holds all that was its own."""
    from vidtag_engine import atomic

    path = tmp_path / "o.gpkg"
    write_geopackage(path, [drive("old", 3)], PROVENANCE)
    wal_of(path, tmp_path)
    assert path.with_name("o.gpkg-wal").stat().st_size > 0

    class EndedError(BaseException):
        pass

    def ended(*_, **__):
        raise EndedError

    monkeypatch.setattr(atomic, "_take_place", ended)
    with pytest.raises(EndedError):
        write_geopackage(path, [drive("new", 3)], PROVENANCE)
    assert [one.name for one in tmp_path.iterdir()] == ["o.gpkg"]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT DISTINCT description FROM gpkg_contents").fetchall() == [("set by a person",)]


PERSON = """
import sqlite3, sys
person = sqlite3.connect(sys.argv[1], isolation_level=None)
person.execute("PRAGMA journal_mode = " + sys.argv[2])
person.execute("BEGIN IMMEDIATE")
person.execute("UPDATE gpkg_contents SET description = 'set by a person'")
print("begun", flush=True)
sys.stdin.readline()
person.execute("COMMIT")
print(person.execute("SELECT DISTINCT description FROM gpkg_contents").fetchall(), flush=True)
"""


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_database_in_the_midst_of_a_change_is_not_replaced(mode, tmp_path):
    """The other program is a process of its own: within one, GDAL's SQLite and Python's do not see each other's locks."""
    path = tmp_path / "o.gpkg"
    write_geopackage(path, [drive("old", 3)], PROVENANCE)
    command = [sys.executable, "-c", PERSON, path, mode]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as person:
        assert person.stdout.readline() == "begun\n"
        with pytest.raises(InputError, match=r"o.gpkg is being changed in another program: save and close it there"):
            write_geopackage(path, [drive("new", 3)], PROVENANCE)
        person.stdin.write("\n")
        person.stdin.flush()
        assert person.stdout.readline() == "[('set by a person',)]\n"


def test_a_log_without_its_database_is_not_thrown_away(tmp_path):
    (tmp_path / "o.gpkg-wal").write_bytes(b"all that is left")
    with pytest.raises(InputError, match="o.gpkg-wal lies beside the output"):
        write_geopackage(tmp_path / "o.gpkg", [drive("new", 3)], PROVENANCE)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("o.gpkg-wal", b"all that is left")]


def test_side_files_of_other_formats_are_left_alone(tmp_path):
    (tmp_path / "o.kml-journal").write_text("my diary")
    EXPORTERS["kml"][1](tmp_path / "o.kml", [drive(count=3)], PROVENANCE)
    assert (tmp_path / "o.kml-journal").read_text() == "my diary"


def test_what_dead_processes_left_goes_and_nothing_else(tmp_path):
    from vidtag_engine.atomic import _MACHINE

    child = subprocess.Popen(["true"])
    child.wait()
    names = {
        f".vidtag-{child.pid}-{_MACHINE}-abc": False,
        f".vidtag-1-{_MACHINE}-abc": True,  # alive
        f".vidtag-{2**40}-{_MACHINE}-abc": True,  # no process's number
        f".vidtag-{child.pid}-00000000-abc": True,  # of another machine
        f".vidtag-{child.pid}": True,
        ".vidtag-notes": True,
        f"vidtag-{child.pid}-{_MACHINE}-abc": True,
    }
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "half.gpkg").write_text("half")
    linked = tmp_path / f".vidtag-{child.pid}-{_MACHINE}-link"
    linked.symlink_to(tmp_path / ".vidtag-notes", target_is_directory=True)
    EXPORTERS["csv"][1](tmp_path / "o.csv", [drive(count=3)], PROVENANCE)
    for name, stays in names.items():
        assert (tmp_path / name).exists() == stays, name
    assert (linked / "half.gpkg").exists()


def test_every_kind_has_a_writer_somewhere():
    """A kind that nothing writes would be a promise without a file behind it."""
    engine = Path(__file__).resolve().parents[1] / "vidtag_engine"
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in engine.rglob("*.py")
        if path.name not in {"file_marks.py", "geopackage_metadata.py", "command_files.py"}
    )
    for kind in set(KINDS) - {"checkpoint"}:
        assert f'"{kind}"' in text or f"'{kind}'" in text, kind
