"""A batch: what is finished stays finished, on one machine or on many, and one command makes the file of it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import geopandas
import pyogrio
import pytest
import shapely
from filelock import FileLock
from typer.testing import CliRunner

import vidtag_engine as vidtag
from tests.world_maker import fly, ground
from vidtag_engine import stored_batch
from vidtag_engine.batch import batch_inputs
from vidtag_engine.cli.app import app
from vidtag_engine.commands.merge import run_merge
from vidtag_engine.export import read_areas, read_failed, read_geopackage, write_geopackage
from vidtag_engine.feedback import Feedback
from vidtag_engine.file_marks import own_kind
from vidtag_engine.geolocation import geolocate
from vidtag_engine.grid import load_aoi
from vidtag_engine.job import Job
from vidtag_engine.keeping import BatchSettings
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.store import EntryKey, Inventory, ResultStore, share_out, store_of
from vidtag_engine.types import CancelledError, InputError
from vidtag_engine.work import Work

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "resources" / "demo"
SETTINGS = GeolocateSettings(resolution_m=50.0, always_answer=True)
WAYS = ([(100, 110), (300, 200)], [(120, 120), (280, 280)], [(90, 200), (250, 120)])


@pytest.fixture(scope="module")
def loaded():
    return vidtag.load(DEMO / "checkpoint", "cpu")


@pytest.fixture(scope="module")
def drives(tmp_path_factory):
    folder, world = tmp_path_factory.mktemp("drives"), ground()
    for name, way in zip(("a.mp4", "b.mp4", "c.mp4"), WAYS, strict=True):
        fly(folder / name, way, 3, world=world, gpx=False)
    return folder


@pytest.fixture
def aoi():
    return load_aoi(str(DEMO / "aoi.geojson"))


@pytest.fixture
def run(drives, loaded, aoi, tmp_path):
    """A run over the three videos, or others; its file is ``r.gpkg``."""

    def of(videos=None, output=tmp_path / "r.gpkg", **more):
        videos = sorted(drives.glob("*.mp4")) if videos is None else videos
        return geolocate(videos, aoi, loaded, output, more.pop("settings", SETTINGS), **more)

    return of


@pytest.fixture
def looked_at(monkeypatch):
    """Names of the videos that were really worked on."""
    seen, work = [], Job.run

    def counted(job, info, sha256, seen_before=None):
        seen.append(info.name)
        return work(job, info, sha256, seen_before)

    monkeypatch.setattr(Job, "run", counted)
    return seen


def rows(path, layer, without=("processing_s",)):
    with closing(sqlite3.connect(path)) as database:
        cursor = database.execute(f"SELECT * FROM {layer} ORDER BY video")
        names = [one[0] for one in cursor.description]
        return [tuple(value for name, value in zip(names, row, strict=True) if name not in {*without, "fid"}) for row in cursor]


LAYERS = ("videos", "frames", "trajectory", "regions")


def test_the_file_is_what_writing_all_at_once_gives(run, tmp_path):
    found = run()
    write_geopackage(tmp_path / "once.gpkg", list(found.results), found.provenance, aoi=found.aoi)
    for layer in LAYERS:
        assert rows(tmp_path / "r.gpkg", layer, without=()) == rows(tmp_path / "once.gpkg", layer, without=())
    assert [one.info.name for one in found] == ["a.mp4", "b.mp4", "c.mp4"]
    assert found.store == tmp_path / "r.results"
    assert (found.store / "index.html").is_file()
    assert found["b.mp4"].info.name == "b.mp4"


def test_a_single_video_has_no_folder(run, drives, tmp_path):
    assert run([drives / "a.mp4"]).store is None
    assert sorted(one.name for one in tmp_path.iterdir()) == ["r.gpkg"]


def test_what_is_finished_is_neither_opened_nor_read_again(run, looked_at, monkeypatch):
    first = run()
    monkeypatch.setattr("vidtag_engine.work.source_digest", lambda _: pytest.fail("read again"))
    again = run()
    assert looked_at == ["a.mp4", "b.mp4", "c.mp4"]
    assert again.resumed == looked_at
    assert again.summaries == first.summaries
    assert sorted(again.warnings) == sorted(first.warnings)


def test_a_touched_file_is_known_by_its_bytes_and_a_changed_one_is_another(run, drives, looked_at, tmp_path):
    copies = [tmp_path / name for name in ("a.mp4", "b.mp4")]
    for copy in copies:
        copy.write_bytes((drives / copy.name).read_bytes())
    run(copies)
    os.utime(copies[0])
    assert sorted(run(copies).resumed) == looked_at == ["a.mp4", "b.mp4"]
    copies[0].write_bytes((drives / "c.mp4").read_bytes())
    found = run(copies)
    assert [one.why for one in found.failed] == ["The results hold another video named a.mp4: rename this one, or choose another output."]
    assert [one.info.name for one in found] == ["a.mp4", "b.mp4"]  # what was found of the recording of before stays


def test_a_failed_video_is_a_row_and_is_tried_again_when_asked_or_changed(run, drives, looked_at, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    videos = [bad, drives / "a.mp4"]
    found = run(videos)
    assert [one.info.name for one in read_failed(tmp_path / "r.gpkg")] == ["bad.mp4"]
    why = found.failed[0].why.replace(f"{tmp_path}/", "")  # no folder of this machine is kept
    opened = []
    for expected, more in (([], {}), (["bad.mp4"], {"batch": BatchSettings(retry_failed=True)})):
        opened.clear()
        with pytest.MonkeyPatch.context() as patch:
            real = Work.outcome
            patch.setattr(Work, "outcome", lambda work, area, one, real=real: (opened.append(one.name), real(work, area, one))[1])
            again = run(videos, **more)
        assert opened == expected
        assert [one.why.replace(f"{tmp_path}/", "") for one in again.failed] == [why]
    bad.write_bytes((drives / "b.mp4").read_bytes())
    healed = run(videos)
    assert healed.failed == []
    assert looked_at == ["a.mp4", "bad.mp4"]
    assert read_failed(tmp_path / "r.gpkg") == []


def test_two_names_of_equal_bytes_are_two_rows(run, drives, tmp_path):
    copy = tmp_path / "copy.mp4"
    copy.write_bytes((drives / "a.mp4").read_bytes())
    run([drives / "a.mp4", copy])
    videos = pyogrio.read_dataframe(tmp_path / "r.gpkg", layer="videos")
    assert sorted(videos["video"]) == ["a.mp4", "copy.mp4"]
    assert videos["sha256"].nunique() == 1


def test_the_file_is_made_again_where_it_is_gone_or_behind(run, looked_at, tmp_path):
    run()
    whole = {layer: rows(tmp_path / "r.gpkg", layer) for layer in LAYERS}
    (tmp_path / "r.gpkg").unlink()
    run()
    assert {layer: rows(tmp_path / "r.gpkg", layer) for layer in LAYERS} == whole
    (tmp_path / "r.gpkg").unlink()
    told = run_merge([tmp_path / "r.results"])
    assert (told["output"], told["videos"], told["missing"]) == (str(tmp_path / "r.gpkg"), 3, [])
    assert {layer: rows(tmp_path / "r.gpkg", layer) for layer in LAYERS} == whole
    assert looked_at == ["a.mp4", "b.mp4", "c.mp4"]


def test_a_result_of_before_there_were_stores_is_taken_up(run, drives, looked_at, tmp_path):
    run([drives / "a.mp4"])  # of a single video: as older versions wrote it
    found = run()
    assert looked_at == ["a.mp4", "b.mp4", "c.mp4"]
    assert found.resumed == ["a.mp4"]
    assert [row[1] for row in rows(tmp_path / "r.gpkg", "videos")] == ["a.mp4", "b.mp4", "c.mp4"]


def test_what_earlier_runs_have_found_of_other_videos_stays(run, drives, tmp_path):
    run([drives / "a.mp4", drives / "b.mp4"])
    run([drives / "c.mp4"])
    assert [row[1] for row in rows(tmp_path / "r.gpkg", "videos")] == ["a.mp4", "b.mp4", "c.mp4"]


def test_other_settings_are_refused_and_replaced_only_when_asked(run, drives, tmp_path):
    run()
    coarser = SETTINGS.model_copy(update={"resolution_m": 100.0})
    with pytest.raises(
        InputError, match=r"^r\.gpkg holds results of other settings: choose another output, or add --overwrite to replace it\.$"
    ):
        run(settings=coarser)
    (tmp_path / "r.gpkg").unlink()
    with pytest.raises(InputError, match=r"^r\.results holds results of other settings: choose another place, or add --overwrite"):
        run(settings=coarser)
    found = run([drives / "a.mp4", drives / "b.mp4"], settings=coarser, overwrite=True)
    assert [one.info.name for one in found] == ["a.mp4", "b.mp4"]
    assert len(list((tmp_path / "r.results" / "results").glob("*/*.gpkg"))) == 2


def test_another_area_is_refused(run, drives, loaded, tmp_path):
    run()
    (tmp_path / "r.gpkg").unlink()
    west = load_aoi("159.924,-19.222,159.928,-19.218")
    with pytest.raises(InputError, match=r"^r\.results holds results of other settings"):
        geolocate(sorted(drives.glob("*.mp4")), west, loaded, tmp_path / "r.gpkg", SETTINGS)


def test_a_folder_of_something_else_is_left_alone(run, tmp_path):
    (tmp_path / "r.results").mkdir()
    (tmp_path / "r.results" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match=r"^r\.results is there and holds no results of a batch: move it away"):
        run()
    assert (tmp_path / "r.results" / "thesis.txt").read_text() == "mine"


def test_a_store_that_was_being_made_when_the_process_was_killed_is_made_again(run, tmp_path):
    (tmp_path / "r.results").mkdir()
    (tmp_path / "r.results" / "store.lock").touch()
    (tmp_path / "r.results" / ".vidtag-999999-aaaaaaaa-x").mkdir()
    assert len(run()) == 3


def test_while_another_process_merges_a_run_goes_on(run, monkeypatch, tmp_path):
    run()
    monkeypatch.setattr("vidtag_engine.store.folder._MERGE_WAIT_S", 0.2)
    with FileLock(tmp_path / "r.results" / "merge.lock"), pytest.raises(InputError, match="has been merging r.results for an hour"):
        run(anew=True)
    assert len(list((tmp_path / "r.results").glob("results/*/*.gpkg"))) == 3  # each was saved, and the first merge was left to the other
    assert len(run()) == 3


def test_a_cancelled_batch_has_its_file(run, looked_at, tmp_path):
    steps = []
    with pytest.raises(CancelledError, match="finished videos are kept"):
        run(feedback=Feedback(steps.append, lambda: len(looked_at) == 3))
    assert [row[1] for row in rows(tmp_path / "r.gpkg", "videos")] == ["a.mp4", "b.mp4"]
    assert run().resumed == ["a.mp4", "b.mp4"]


def test_merges_meanwhile_are_as_rare_as_they_are_long(run, monkeypatch):
    merges, merge = [], stored_batch.StoredBatch.merge
    monkeypatch.setattr(stored_batch.StoredBatch, "merge", lambda kept, *more, **named: (merges.append(1), merge(kept, *more, **named))[1])
    run()
    assert len(merges) == 2  # after the first, and at the end
    monkeypatch.setattr(stored_batch, "_MERGE_EVERY_S", 0.0)
    monkeypatch.setattr(stored_batch, "_MOST_OF_TIME", 1e9)
    merges.clear()
    run(anew=True)
    assert len(merges) == 3


# ---- many workers ----


def test_shares_together_are_the_whole(run, drives, tmp_path):
    run()
    store = tmp_path / "store"
    for number in (1, 2, 3):
        found = run(output=None, batch=BatchSettings(store, (number, 3)))
        assert found.output is None
        told = run_merge([store], tmp_path / "shares.gpkg") if len(found) else None
        assert told is not None
        assert len(told["missing"]) == 3 - number
    for layer in LAYERS:
        assert rows(tmp_path / "shares.gpkg", layer) == rows(tmp_path / "r.gpkg", layer)


def test_stores_of_several_machines_are_merged_and_those_of_other_settings_are_not(run, drives, tmp_path):
    run()
    for number in (1, 2):
        run(output=None, batch=BatchSettings(tmp_path / f"s{number}", (number, 2)))
    run_merge([tmp_path / "s1", tmp_path / "s2"], tmp_path / "both.gpkg")
    for layer in LAYERS:
        assert rows(tmp_path / "both.gpkg", layer) == rows(tmp_path / "r.gpkg", layer)
    run(output=None, settings=SETTINGS.model_copy(update={"resolution_m": 100.0}), batch=BatchSettings(tmp_path / "s3"))
    with pytest.raises(InputError, match=r"^s1 and s3 are of different settings or checkpoints: merge those of one run only\.$"):
        run_merge([tmp_path / "s1", tmp_path / "s3"], tmp_path / "no.gpkg")
    assert not (tmp_path / "no.gpkg").exists()


def test_a_video_that_another_process_works_on_is_left_to_it(run, looked_at, tmp_path):
    store = tmp_path / "store"
    run(output=None, batch=BatchSettings(store, (1, 3)))
    looked_at.clear()
    missing = run_merge([store], tmp_path / "m.gpkg")["missing"]
    key = next(path for path in (store / "inventory").glob("*.json"))
    assert {one["video"] for one in json.loads(key.read_text())["videos"]} >= set(missing)
    opened = ResultStore(store)
    with FileLock(store / "locks" / f"{EntryKey(missing[0], '').name_part}.lock"):
        found = run(output=None, batch=BatchSettings(store))
    assert looked_at == [missing[1]]
    assert any("being worked on by other processes" in note for note in found.warnings)
    assert len(opened.entries()) < 3
    run(output=None, batch=BatchSettings(store))
    assert looked_at == [missing[1], missing[0]]


def test_where_other_processes_have_all_videos_there_is_nothing_to_write(run, drives, tmp_path):
    store = ResultStore.begin(tmp_path / "r.results", run(output=None, batch=BatchSettings(tmp_path / "other")).provenance)
    (store.folder / "locks").mkdir()
    with ExitStack() as held:
        for video in drives.glob("*.mp4"):
            held.enter_context(FileLock(store.folder / "locks" / f"{EntryKey(video.name, '').name_part}.lock"))
        found = run()
        assert (len(found), found.failed, found.output) == (0, [], None)
        assert "3 videos, such as a.mp4, are being worked on by other processes" in found.warnings[-1]
        said = " ".join(CliRunner().invoke(app, ["caches", "clear", "store", str(store.folder), "--yes", "--even-unmerged"]).output.split())
        assert "it is locked" in said
        assert store.folder.exists()
    assert not (tmp_path / "r.gpkg").exists()
    assert len(run()) == 3


def test_a_page_that_is_somebody_elses_stays(run, tmp_path):
    run()
    page = tmp_path / "r.results" / "index.html"
    assert own_kind(page) == "page"
    page.write_text("<html>mine</html>")
    found = run(anew=True)
    assert page.read_text() == "<html>mine</html>"
    assert "index.html in r.results was not written by VidTAG and stays" in found.warnings[0]
    assert run_merge([tmp_path / "r.results"])["notes"] == [found.warnings[0]]
    cleared = CliRunner().invoke(app, ["caches", "clear", "store", str(tmp_path / "r.results"), "--yes"])
    assert cleared.exit_code == 0, cleared.output
    assert [one.name for one in (tmp_path / "r.results").iterdir()] == ["index.html"]


@pytest.mark.slow
def test_two_workers_at_once_do_each_video_once_and_a_killed_one_leaves_its_video_to_the_other(drives, tmp_path):
    videos = []
    for number in range(6):
        videos.append(tmp_path / f"v{number}.mp4")
        videos[-1].write_bytes((drives / "abc"[number % 3]).with_suffix(".mp4").read_bytes())
    asked = [
        sys.executable, "-m", "vidtag_engine", "geolocate", *map(str, videos), "--aoi", str(DEMO / "aoi.geojson"), "--checkpoint", str(DEMO / "checkpoint"),
        "--resolution-m", "50", "--always-answer", "--results", str(tmp_path / "store"), "--json",
    ]  # fmt: skip
    first, second = (subprocess.Popen(asked, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in range(2))
    deadline = time.monotonic() + 120
    while not list((tmp_path / "store").glob("results/*/*.gpkg")) and time.monotonic() < deadline:
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    told = json.loads(second.communicate(timeout=240)[0])
    assert second.returncode == 0
    assert len(told["videos"]) == 6
    assert run_merge([tmp_path / "store"], tmp_path / "all.gpkg")["videos"] == 6


@pytest.mark.parametrize("count", [1, 2, 7])
def test_each_video_falls_to_one_worker_whatever_the_order(drives, count):
    paths = sorted(drives.glob("*.mp4"))
    falls = []
    for order in (paths, paths[::-1]):
        inputs = batch_inputs(order, [])
        shares = [BatchSettings(shard=(number, count)).share(inputs) for number in range(1, count + 1)]
        assert sorted(one.name for share in shares for one in share) == ["a.mp4", "b.mp4", "c.mp4"]
        falls.append([sorted(one.name for one in share) for share in shares])
    assert falls[0] == falls[1]
    wanted = Inventory.of([(path.name, path) for path in paths])
    assert [one.path for one in wanted.videos] == ["a.mp4", "b.mp4", "c.mp4"]
    assert set(share_out(wanted.videos, count)) <= set(range(1, count + 1))


# ---- areas of videos of their own ----


def test_areas_of_videos_of_their_own_are_in_the_merge(drives, aoi, tmp_path):
    west, east = (159.924, -19.222, 159.928, -19.218), (159.930, -19.222, 159.936, -19.217)
    for name, box in (("west", west), ("east", east)):
        geopandas.GeoDataFrame(geometry=[shapely.box(*box)], crs="EPSG:4326").to_file(tmp_path / f"{name}.geojson")
    table = [{"file": drives / "a.mp4", "area": tmp_path / "west.geojson"}, {"file": drives / "b.mp4", "area": tmp_path / "east.geojson"}]
    found = vidtag.geolocate(
        [drives / "c.mp4"], table=table, aoi=DEMO / "aoi.geojson", checkpoint=DEMO / "checkpoint", resolution_m=50, always_answer=True,
        output=tmp_path / "t.gpkg",
    )  # fmt: skip
    areas = read_areas(tmp_path / "t.gpkg")
    assert {name: area.equals(shapely.box(*box)) for (name, area), box in zip(sorted(areas.items()), (east, west), strict=True)} == {
        "east": True,
        "west": True,
    }
    _, made = read_geopackage(tmp_path / "t.gpkg")
    assert set(made.gallery["areas"]) == {"east", "west"}
    assert made.gallery["digest"] == found.provenance.gallery["digest"]
    # Another file of that name, which is another area: told apart in the merge of both.
    (tmp_path / "sub").mkdir()
    geopandas.GeoDataFrame(geometry=[shapely.box(159.928, -19.222, 159.933, -19.218)], crs="EPSG:4326").to_file(
        tmp_path / "sub" / "west.geojson"
    )
    copy = tmp_path / "d.mp4"
    copy.write_bytes((drives / "a.mp4").read_bytes())
    vidtag.geolocate(
        [drives / "c.mp4"], table=[{"file": copy, "area": tmp_path / "sub" / "west.geojson"}],
        aoi=DEMO / "aoi.geojson", checkpoint=DEMO / "checkpoint", resolution_m=50,
        always_answer=True, output=tmp_path / "t.gpkg",
    )  # fmt: skip
    videos = pyogrio.read_dataframe(tmp_path / "t.gpkg", layer="videos", read_geometry=False).set_index("video")
    assert len(read_areas(tmp_path / "t.gpkg")) == 3
    assert videos["area"].dropna().nunique() == 3
    assert videos.loc["d.mp4", "area"] != videos.loc["a.mp4", "area"] == "west"


def test_areas_of_a_result_that_is_taken_up_keep_their_names(drives, tmp_path):
    for name, box in (("west", (159.924, -19.222, 159.928, -19.218)), ("other", (159.930, -19.222, 159.936, -19.217))):
        (tmp_path / name).mkdir()
        geopandas.GeoDataFrame(geometry=[shapely.box(*box)], crs="EPSG:4326").to_file(tmp_path / name / "west.geojson")

    def run(*rows):
        table = [{"file": drives / file, "area": tmp_path / area / "west.geojson"} for file, area in rows]
        return vidtag.geolocate(
            table=table, checkpoint=DEMO / "checkpoint", resolution_m=50, always_answer=True, output=tmp_path / "t.gpkg"
        )

    run(("a.mp4", "west"))  # a single video has no store, as nothing had of older versions
    found = run(("b.mp4", "other"), ("c.mp4", "west"))
    named = {one.info.name: one.own.area for one in found}
    assert named == {"a.mp4": "west", "b.mp4": "west (2)", "c.mp4": "west"}
    videos = pyogrio.read_dataframe(tmp_path / "t.gpkg", layer="videos", read_geometry=False).set_index("video")
    assert videos["area"].to_dict() == named
    assert sorted(read_areas(tmp_path / "t.gpkg")) == ["west", "west (2)"]


# ---- the command line ----


def test_the_command_line_says_what_does_not_go_together(drives, tmp_path):
    asked = ["geolocate", str(drives / "a.mp4"), "--aoi", str(DEMO / "aoi.geojson"), "--checkpoint", str(DEMO / "checkpoint")]
    store = ["--results", str(tmp_path / "store")]
    for more, said in (
        (["--shard", "1/2", "-o", str(tmp_path / "x.gpkg")], "give --results, the folder that all of them write to"),
        (["--shard", "0/2", *store], "'0/2' is no share of the videos"),
        (["--shard", "3/2", *store], "'3/2' is no share of the videos"),
        (["--shard", "1/2", *store, "-o", str(tmp_path / "x.gpkg")], "leave out --output, and run 'vidtag merge' when all are done"),
        (["--shard", "1/2", *store, "--overwrite"], "one worker would remove what others have done"),
        ([*store, "--kml", str(tmp_path / "x.kml")], "Copies are made of the whole result"),
    ):
        ended = CliRunner().invoke(app, [*asked, *more])
        assert ended.exit_code == 2
        assert said in " ".join(ended.output.split())
    assert not (tmp_path / "store").exists()


def test_merge_says_what_it_cannot_merge(tmp_path):
    with pytest.raises(InputError, match="holds no results of a batch: give a folder that 'vidtag geolocate' wrote"):
        run_merge([tmp_path], tmp_path / "x.gpkg")
    (tmp_path / "store.json").write_text(
        json.dumps({"format": "vidtag-store", "version": 99, "identity": "x", "grid": None, "settings": {}, "checkpoint": {}})
    )
    with pytest.raises(InputError, match="written by a newer VidTAG: update VidTAG"):
        run_merge([tmp_path], tmp_path / "x.gpkg")
    (tmp_path / "store.json").write_text(
        json.dumps({"format": "vidtag-store", "version": 1, "identity": "x", "grid": None, "settings": {}, "checkpoint": {}})
    )
    with pytest.raises(InputError, match="holds no finished video yet: run geolocate first"):
        run_merge([tmp_path], tmp_path / "x.gpkg")
    with pytest.raises(InputError, match="Give --output, the GeoPackage to write"):
        run_merge([tmp_path])
    assert store_of(tmp_path / "a.gpkg") == tmp_path / "a.results"


def test_a_damaged_file_of_a_store_is_one_sentence(run, tmp_path):
    run()
    damaged = next((tmp_path / "r.results").glob("results/*/*.gpkg"))
    damaged.write_bytes(damaged.read_bytes()[:3000])
    with pytest.raises(InputError, match=r"in the store r\.results is damaged .*: delete it, and run geolocate again\.$"):
        run_merge([tmp_path / "r.results"])
    damaged.unlink()
    assert len(run()) == 3
