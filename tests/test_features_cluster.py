"""Features and databases of reference images whose pictures a cluster encodes: the same files as without, whatever workers see and which of them die."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.dataset_maker import write_msls
from tests.test_features_command import files_in, run
from tests.world_maker import fly, ground
from vidtag_engine.models.frame_encoder import FrameEncoder
from vidtag_engine.reference.store import Store
from vidtag_engine.reference.work import WHITENING
from vidtag_engine.training import cluster_features
from vidtag_engine.types import InputError

pytest.importorskip("distributed")
pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def drives(tmp_path_factory) -> Path:
    """Three short flights with tracks, and what is no video."""
    folder = tmp_path_factory.mktemp("drives")
    world = ground()
    for number, frames in enumerate((6, 3, 5)):
        fly(folder / f"drive{number}.mp4", [(80, 100 + 50 * number), (300, 140 + 40 * number)], frames, world=world)
    (folder / "bad.mp4").write_bytes(b"no video")
    return folder


@pytest.fixture(scope="module")
def serial(drives, tmp_path_factory) -> Path:
    """Their features without a cluster."""
    folder = tmp_path_factory.mktemp("made") / "serial"
    run("features", "--video", drives, "--output", folder)
    return folder


def test_workers_that_see_the_folder_write_the_same_files(drives, serial, tmp_path):
    folder = tmp_path / "f"
    said = run("features", "--video", drives, "--output", folder, "--cluster", "local")
    assert (said["encoded"], said["there"], said["pictures"], said["elsewhere"]) == (3, 0, 14, [])
    assert [one["name"] for one in said["failed"]] == ["bad.mp4"]
    assert files_in(folder) == files_in(serial)


def test_workers_that_do_not_see_the_folder_send_what_is_missing(drives, serial, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_features, "ENCODE", f"{__name__}:unseeing")
    folder = tmp_path / "f"
    folder.mkdir()
    (kept, torn, missing) = sorted(serial.iterdir())
    (folder / kept.name).write_bytes(kept.read_bytes())
    (folder / torn.name).write_bytes(torn.read_bytes()[:200])
    said = run("features", "--video", drives, "--output", folder, "--cluster", "local")
    assert (said["encoded"], said["there"], len(said["failed"])) == (2, 1, 1)
    assert files_in(folder) == files_in(serial)
    assert missing.name in files_in(folder)


def test_a_video_that_kills_its_worker_is_set_aside(drives, serial, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_features, "ENCODE", f"{__name__}:lethal")
    said = run("features", "--video", drives, "--output", tmp_path / "f", "--cluster", "local")
    # What a worker had stored just before it died is there when it is done again.
    assert said["encoded"] + said["there"] == 2
    (why,) = [one["why"] for one in said["failed"] if one["name"] == "drive1.mp4"]
    assert "died, so it was set aside" in why
    made, whole = (
        {name: text for name, text in files_in(folder).items() if name.endswith(".safetensors")} for folder in (tmp_path / "f", serial)
    )
    assert len(made) == 2
    assert made.items() <= whole.items()


def test_a_data_set_too(tmp_path):
    root = tmp_path / "MSLS"
    write_msls(root, {"amsterdam": (52.3, 4.8)}, sequences=3, frames=16)
    data = ["--dataset", "msls", "--root", root]
    one = run("features", *data, "--output", tmp_path / "serial")
    two = run("features", *data, "--output", tmp_path / "f", "--cluster", "local")
    assert one["encoded"] == two["encoded"] > 0
    assert files_in(tmp_path / "f") == files_in(tmp_path / "serial")


def test_a_database_of_reference_images_is_the_same(drives, tmp_path, monkeypatch):
    options = ["--video", drives, "--truth", drives, "--resolution-m", 40]
    (drives / "bad.gpx").write_text((drives / "drive0.gpx").read_text())
    one = run("reference", "build", *options, "--output", tmp_path / "serial")
    with pytest.MonkeyPatch.context() as patch:
        # All is encoded by others: this process finds every file where it looks for it.
        patch.setattr(FrameEncoder, "encode_prepared", lambda *_a, **_k: pytest.fail("encoded here"))
        two = run("reference", "build", *options, "--output", tmp_path / "f", "--cluster", "local")
    assert (one["added"], one["left_out"]) == (two["added"], two["left_out"])
    first, second = (Store.open(tmp_path / name) for name in ("serial", "f"))
    assert (first.rows == second.rows).all()
    # All but when it was made, which the manifest says.
    first_files, second_files = (
        {
            path.relative_to(store.folder): path.read_bytes()
            for path in store.folder.rglob("*")
            if path.is_file() and path.parent != store.folder
        }
        for store in (first, second)
    )
    assert first_files == second_files
    assert (first.folder / WHITENING).read_bytes() == (second.folder / WHITENING).read_bytes()
    # What kills processes is not looked at here either.
    monkeypatch.setattr(cluster_features, "ENCODE", f"{__name__}:lethal")
    third = run("reference", "build", *options, "--output", tmp_path / "g", "--cluster", "local")
    assert third["added"] < one["added"]
    assert sum(third["left_out"].values()) == sum(one["left_out"].values()) + 1


def test_what_cannot_be_is_one_sentence(drives, tmp_path, monkeypatch):
    from vidtag_engine import cluster

    monkeypatch.setattr(cluster, "_CONNECT_S", 1.0)
    nobody = ("--cluster", "tcp://127.0.0.1:1")
    assert "No Dask scheduler answers" in run("features", "--video", drives, "--output", tmp_path / "f", *nobody, status=2)["error"]
    assert list((tmp_path / "f").iterdir()) == []
    platform = ("--source", "panoramax", "--aoi", "4,52,5,53")
    assert "leave out --cluster" in run("reference", "build", *platform, "--output", tmp_path / "r", *nobody, status=2)["error"]
    task = {"version": "0.0.1"}
    with pytest.raises(InputError, match="install the same version on all machines"):
        cluster_features.encode(task, lambda: False)


def unseeing(task, stopped):
    """As a worker on a machine without the folder."""
    return cluster_features.encode(task | {"mark": "elsewhere"}, stopped)


def lethal(task, stopped):
    """Of one video the process dies."""
    if task["source"]["path"].endswith("drive1.mp4"):
        os.kill(os.getpid(), signal.SIGKILL)
    return cluster_features.encode(task, stopped)
