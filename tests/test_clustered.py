"""A batch on a Dask cluster: the rows of a run in one process, whatever dies on the way."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cluster_work import Processes
from tests.world_maker import fly, ground
from vidtag_engine import geolocation
from vidtag_engine.cli.app import app
from vidtag_engine.clustered import _KILLED
from vidtag_engine.export import read_failed
from vidtag_engine.feedback import Feedback
from vidtag_engine.grid import load_aoi
from vidtag_engine.keeping import BatchSettings
from vidtag_engine.loaded import load
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.types import CancelledError, InputError
from vidtag_engine.video import VideoRow

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow
DEMO = Path(__file__).resolve().parent.parent / "resources" / "demo"
SETTINGS = GeolocateSettings(resolution_m=50.0, always_answer=True, device="cpu")
LAYERS = ("videos", "frames", "trajectory", "regions", "matches")
LETHAL = """
import os, signal
from vidtag_engine import batch

class Lethal(batch.BatchInput):
    def open(self, settings, of=batch.BatchInput.open):
        if self.name == "v3.mp4":
            os.kill(os.getpid(), signal.SIGKILL)
        return of(self, settings)

from vidtag_engine import cluster_video
cluster_video.BatchInput = Lethal
"""


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Three flights, and copies of them that differ by what follows the video."""
    folder, world = tmp_path_factory.mktemp("videos"), ground()
    ways = ([(100, 110), (300, 200)], [(120, 120), (280, 280)], [(90, 200), (250, 120)])
    for number, way in enumerate(ways):
        fly(folder / f"v{number}.mp4", way, 3, world=world, gpx=False)
    for number in range(3, 8):
        (folder / f"v{number}.mp4").write_bytes(
            (folder / f"v{number % 3}.mp4").read_bytes() + bytes([0, 0, 0, 8 + number]) + b"free" + bytes(number)
        )
    (folder / "v8.mp4").write_bytes(b"no video")
    return sorted(folder.glob("*.mp4"))


@pytest.fixture
def run(videos, tmp_path):
    """The batch, in this process or on a cluster; one video has a stretch and an area of its own."""

    def of(name, cluster=None, **more):
        rows = [VideoRow(videos[1], "row 1", from_s=1.0, area=str(DEMO / "aoi.geojson"))]
        return geolocation.geolocate(
            [videos[0], *videos[2:]], load_aoi(str(DEMO / "aoi.geojson")), str(DEMO / "checkpoint"), tmp_path / name, SETTINGS, rows=rows,
            batch=BatchSettings(cluster=cluster), **more,
        )  # fmt: skip

    return of


@pytest.fixture
def processes(tmp_path):
    (tmp_path / "cluster").mkdir()
    started = Processes(tmp_path / "cluster")
    yield started
    started.end()


def rows(path):
    found = {}
    with closing(sqlite3.connect(path)) as database:
        for layer in LAYERS:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (layer,)).fetchone():
                continue
            cursor = database.execute(f"SELECT * FROM {layer} ORDER BY fid")
            names = [one[0] for one in cursor.description]
            found[layer] = [tuple(value for name, value in zip(names, row, strict=True) if name != "processing_s") for row in cursor]
    return found


def test_a_worker_dies_and_then_the_scheduler_and_the_rows_are_the_same(run, processes, tmp_path):
    alone = run("alone.gpkg")
    finished = []

    def one_more(result):
        finished.append(result.info.name)
        if len(finished) == 2:
            processes.workers[0].kill()
        if len(finished) == 4:
            processes.scheduler.kill()

    processes.begin_workers(4)
    with pytest.raises(InputError, match="is gone: start it and its workers again, and give the same command; what is finished is kept"):
        run("r.gpkg", processes.address, partial=one_more)
    kept = len(finished)
    assert 4 <= kept < 8
    assert len(rows(tmp_path / "r.gpkg")["videos"]) >= kept
    processes.begin_scheduler()
    processes.begin_workers(2)
    found = run("r.gpkg", processes.address, partial=one_more)
    assert len(found.resumed) == kept
    assert sorted(finished) == [f"v{number}.mp4" for number in range(8)]
    assert rows(tmp_path / "r.gpkg") == rows(tmp_path / "alone.gpkg")
    assert sorted(found.warnings[-8:]) == sorted(alone.warnings[-8:])
    assert [one.info.name for one in found.failed] == [one.info.name for one in alone.failed] == ["v8.mp4"]
    assert found.seconds["gallery"] >= 0


def test_a_video_that_kills_its_worker_is_set_aside(run, processes, tmp_path):
    (tmp_path / "lethal.py").write_text(LETHAL)
    processes.begin_workers(2, "--nanny", "--preload", str(tmp_path / "lethal.py"))
    found = run("r.gpkg", processes.address)
    failed = {one.info.name: one.why for one in read_failed(tmp_path / "r.gpkg")}
    assert set(failed) == {"v3.mp4", "v8.mp4"}
    assert failed["v3.mp4"] == _KILLED.format(name="v3.mp4")
    assert len(found) == 7
    again = run("r.gpkg", processes.address)  # no worker is asked
    assert len(again.resumed) == 7


def test_a_stop_keeps_what_is_finished(run, processes, tmp_path):
    processes.begin_workers(1)
    finished = []
    with pytest.raises(CancelledError, match="finished videos are kept, and the same command goes on from there"):
        run("r.gpkg", processes.address, partial=finished.append, feedback=Feedback(cancelled=lambda: bool(finished)))
    # The worker has two at a time, and the second may be done before the first one's result is written.
    assert 1 <= len(finished) <= 2
    assert len(rows(tmp_path / "r.gpkg")["videos"]) == len(finished)
    assert not list((tmp_path / "r.results" / "locks").iterdir())


def test_bytes_that_have_a_result_are_not_answered_again(run, processes, videos):
    processes.begin_workers(1)
    run("r.gpkg", processes.address)
    for path in videos[:2]:
        path.touch()
    told = []
    found = run("r.gpkg", processes.address, partial=told.append)
    assert told == []
    assert len(found.resumed) == 8


def test_workers_with_another_checkpoint_are_refused(run, processes, tmp_path):
    (tmp_path / "other.py").write_text(
        "from vidtag_engine import cluster_video\ncluster_video.settings_identity = lambda settings, checkpoint: str(id(settings))\n"
    )
    processes.begin_workers(1, "--preload", str(tmp_path / "other.py"))
    with pytest.raises(InputError, match="has another checkpoint, database or roads than this machine under the same names"):
        run("r.gpkg", processes.address)


def test_workers_of_another_version_are_refused(run, processes, tmp_path):
    (tmp_path / "other.py").write_text("from vidtag_engine import cluster_video\ncluster_video.__version__ = '9.9'\n")
    processes.begin_workers(1, "--preload", str(tmp_path / "other.py"))
    with pytest.raises(InputError, match=r"has vidtag-engine 9.9, and .* asks: install the same version on all machines"):
        run("r.gpkg", processes.address)


def test_local_by_the_command_line(videos, tmp_path):
    from typer.testing import CliRunner

    output = tmp_path / "one.gpkg"
    done = CliRunner().invoke(
        app,
        ["geolocate", str(videos[0]), "--aoi", str(DEMO / "aoi.geojson"), "--checkpoint", str(DEMO / "checkpoint"), "--resolution-m", "50", "--always-answer",
         "--output", str(output), "--cluster", "local"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert len(rows(output)["frames"]) == 3
    assert output.with_suffix(".results").is_dir()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"keep_scores": True}, "leave out --keep-scores, or --cluster"),
        ({"guess_area": "auto"}, "guess areas with 'vidtag guess'"),
    ],
)
def test_what_a_cluster_cannot_do_is_said_at_once(videos, tmp_path, settings, sentence):
    with pytest.raises(InputError, match=sentence):
        geolocation.geolocate(
            videos, None, "geoclip", tmp_path / "r.gpkg", GeolocateSettings(**settings), batch=BatchSettings(cluster="local")
        )
    assert list(tmp_path.iterdir()) == []


def test_a_loaded_checkpoint_is_refused(videos, tmp_path):
    with pytest.raises(InputError, match="give its name or its folder"):
        geolocation.geolocate(
            videos, None, load(str(DEMO / "checkpoint"), "cpu"), tmp_path / "r.gpkg", batch=BatchSettings(cluster="local")
        )
