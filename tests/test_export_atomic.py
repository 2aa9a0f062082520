"""Whole or not at all: full disks, closed folders, stale logs."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.export_cases import PROVENANCE, drive
from vidtag_engine import atomic
from vidtag_engine.export import EXPORTERS, read_geopackage, write_geopackage, write_map
from vidtag_engine.types import InputError

ROOT = Path(__file__).resolve().parent.parent
WRITERS = {
    "gpkg": write_geopackage,
    "png": lambda path, results, _, **more: write_map(path, results, **more),
    **{name: function for name, (_, function) in EXPORTERS.items()},
}


@pytest.mark.parametrize("kind", WRITERS)
def test_missing_folder_and_folder_as_file(kind, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        WRITERS[kind](tmp_path / "no" / f"o.{kind}", [drive(count=3)], PROVENANCE)
    (tmp_path / f"o.{kind}").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        WRITERS[kind](tmp_path / f"o.{kind}", [drive(count=3)], PROVENANCE)
    assert [entry.name for entry in tmp_path.iterdir()] == [f"o.{kind}"]


@pytest.fixture
def unwritable(tmp_path):
    """A folder that even this user may not write to; for root that is the kernel's own."""
    if os.path.ismount("/sys"):
        yield Path("/sys")
    elif os.name != "posix" or os.geteuid() == 0:
        pytest.skip("needs a folder that nobody may write to: root may write everywhere, and /sys is not mounted")
    else:
        tmp_path.chmod(0o500)
        yield tmp_path
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("kind", WRITERS)
def test_unwritable_folder(kind, unwritable):
    with pytest.raises(InputError, match="no permission|Cannot write"):
        WRITERS[kind](unwritable / f"o.{kind}", [drive(count=3)], PROVENANCE)


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from tests.test_export_atomic import WRITERS
from tests.export_cases import PROVENANCE, drive
from vidtag_engine.types import InputError
import geopandas, matplotlib.backends.backend_agg, matplotlib.figure
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for kind, limit in {"gpkg": 200_000, "csv": 30_000, "kml": 30_000, "gpx": 30_000, "geojson": 30_000, "png": 20_000}.items():
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        WRITERS[kind](Path(sys.argv[1]) / f"o.{kind}", [drive(count=2000)], PROVENANCE, overwrite=True)
    except InputError as error:
        print("SAID", kind, error)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="file size limits are a matter of POSIX")
def test_full_disk_keeps_the_old_file_and_leaves_nothing(tmp_path):
    """A limit on file sizes stands in for the full disk: the same calls fail in the same places."""
    for kind in WRITERS:
        (tmp_path / f"o.{kind}").write_bytes(b"the old one")
    command = [sys.executable, "-c", FULL_DISK, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert "Traceback" not in done.stderr
    for kind in WRITERS:
        assert f"SAID {kind} Cannot write" in done.stdout, done.stdout + done.stderr[-2000:]
        assert (tmp_path / f"o.{kind}").read_bytes() == b"the old one"
    assert done.stdout.count("disk is full") == len(WRITERS)
    assert len(list(tmp_path.iterdir())) == len(WRITERS)


def test_stale_log_of_the_old_file_is_not_replayed(tmp_path):
    """QGIS opens GeoPackages in WAL mode; what it leaves behind must not be read into the new file."""
    path = tmp_path / "o.gpkg"
    write_geopackage(path, [drive("old", 3)], PROVENANCE)
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("PRAGMA journal_mode = wal")
        reader.execute("DELETE FROM trajectory")
        reader.commit()
        assert (tmp_path / "o.gpkg-wal").exists()
        write_geopackage(path, [drive("new", 5)], PROVENANCE)
        with closing(sqlite3.connect(path)) as fresh:
            assert fresh.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert fresh.execute("SELECT count(*) FROM trajectory").fetchone() == (4,)
    assert [entry.name for entry in tmp_path.iterdir()] == ["o.gpkg"]
    assert read_geopackage(path)[0][0].info.name == "new"


def test_wrong_suffix_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.gpkg"):
        write_geopackage(tmp_path / "o.shp", [], PROVENANCE)


def test_new_files_have_ordinary_permissions(tmp_path):
    write_geopackage(tmp_path / "o.gpkg", [drive(count=3)], PROVENANCE)
    (tmp_path / "plain").touch()
    assert (tmp_path / "o.gpkg").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_another_error_leaves_nothing_either(tmp_path):
    from vidtag_engine.atomic import replacing

    def fail():
        with replacing(tmp_path / "o.txt") as part:
            part.write_text("half")
            raise KeyError("bug")

    with pytest.raises(KeyError):
        fail()
    assert not list(tmp_path.iterdir())


def test_a_folder_is_there_whole_or_not_at_all(tmp_path):
    wanted = tmp_path / "network"
    with pytest.raises(ZeroDivisionError), atomic.making_folder(wanted) as part:
        (part / "a").write_text(str(1 / len(list(part.iterdir()))))
    assert list(tmp_path.iterdir()) == []
    with atomic.making_folder(wanted) as part:
        assert not wanted.exists()
        (part / "a").write_text("first")
        (part / "b").write_text("whole")
    assert sorted(path.name for path in wanted.iterdir()) == ["a", "b"]
    # Another process was first: its folder stays.
    with atomic.making_folder(wanted) as part:
        (part / "a").write_text("second")
    assert (wanted / "a").read_text() == "first"
    assert list(tmp_path.iterdir()) == [wanted]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"^Cannot write .*network: "), atomic.making_folder(tmp_path / "absent" / "network"):
        pass
    (tmp_path / "network").write_text("a file")
    with pytest.raises(InputError, match="something else has its name"), atomic.making_folder(tmp_path / "network") as part:
        (part / "a").write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["network"]
