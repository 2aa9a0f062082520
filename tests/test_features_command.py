"""`vidtag features`: what it stores is what trainings and evaluations look up, over any number of processes, and whatever befalls them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image
from typer.testing import CliRunner

from tests.dataset_maker import write_msls
from tests.world_maker import aoi_text, fly, ground
from vidtag_engine.cli.app import app
from vidtag_engine.feedback import Feedback
from vidtag_engine.models.frame_encoder import FrameEncoder
from vidtag_engine.training import recipe
from vidtag_engine.training.encode_features import FeatureOptions, duration_text, encode_features, encode_source
from vidtag_engine.training.features import StoreError, TrainingSource, _load
from vidtag_engine.types import CancelledError, InputError

FEW_STEPS = ("--phase1-steps", "2", "--phase2-steps", "0")


def run(*arguments: object, status: int = 0) -> dict:
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert done.exit_code == status, done.output
    return json.loads(done.stdout.strip().splitlines()[-1])


def files_in(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, hidden or not."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def drives(tmp_path_factory) -> Path:
    """Four short flights with tracks."""
    folder = tmp_path_factory.mktemp("drives")
    world = ground()
    for number, frames in enumerate((6, 3, 5, 4)):
        fly(folder / f"drive{number}.mp4", [(80, 100 + 50 * number), (300, 140 + 40 * number)], frames, world=world)
    return folder


@pytest.fixture(scope="module")
def whole(drives, tmp_path_factory) -> Path:
    """Features of all of them, made in one go."""
    folder = tmp_path_factory.mktemp("made") / "whole"
    said = run("features", "--video", drives, "--truth", drives, "--output", folder)
    assert (said["encoded"], said["there"], said["failed"], said["pictures"]) == (4, 0, [], 18)
    return folder


@pytest.fixture
def no_encoder(monkeypatch):
    """Whoever encodes a picture from here on fails."""

    def refused(*_arguments: object, **_options: object) -> None:
        pytest.fail("a picture was encoded")

    monkeypatch.setattr(FrameEncoder, "encode_prepared", refused)
    monkeypatch.setattr(FrameEncoder, "forward", refused)


def test_a_training_encodes_nothing_that_features_stored(drives, whole, tmp_path, no_encoder):
    before = files_in(whole)
    said = run(
        "train", "--video", drives, "--truth", drives, "--aoi", aoi_text(), "--resolution-m", 40, "--features", whole, "--output", tmp_path / "town", *FEW_STEPS
    )  # fmt: skip
    assert said["metrics"]["validation_frames"] > 0
    assert files_in(whole) == before


def test_altered_copies_another_rate_and_kept_videos_are_found_too(drives, tmp_path, request):
    kept, mine = tmp_path / "kept", tmp_path / "mine"
    for folder, numbers in ((kept, (3,)), (mine, (0, 1, 2))):
        folder.mkdir()
        for number in numbers:
            for suffix in (".mp4", ".gpx"):
                (folder / f"drive{number}{suffix}").symlink_to(drives / f"drive{number}{suffix}")
    options = ["--augment", "aerial", "--views", 2, "--seed", 7, "--fps", "all", "--no-layout"]
    sources = ["--video", mine, "--truth", mine, "--validation", kept]
    assert run("features", *sources, *options, "--output", tmp_path / "f")["encoded"] == 4
    assert {_load(path)["features"].shape[0] for path in (tmp_path / "f").iterdir()} == {3}
    request.getfixturevalue("no_encoder")
    run(
        "train",
        *sources,
        *options,
        "--aoi",
        aoi_text(),
        "--resolution-m",
        40,
        "--features",
        tmp_path / "f",
        "--output",
        tmp_path / "o",
        *FEW_STEPS,
    )


def test_images_and_cities_are_found_too(drives, tmp_path, request, monkeypatch):
    from vidtag_engine.training import city_run

    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(ground(number, 64)).save(folder / f"{number}.jpg")
    said = run("features", "--video", drives, "--images", folder, "--for", "train-city", "--fps", 0.5, "--output", tmp_path / "f")
    assert (said["sources"], said["encoded"]) == (5, 5)
    assert all("layout" not in _load(path) for path in (tmp_path / "f").iterdir())
    request.getfixturevalue("no_encoder")

    class _EnoughError(Exception):
        pass

    def loaded(*_arguments: object) -> None:
        raise _EnoughError

    monkeypatch.setattr(city_run, "named_by_gazetteer", loaded)
    with pytest.raises(_EnoughError):
        CliRunner().invoke(
            app,
            ["train-city", "--video", str(drives), "--truth", str(drives), "--fps", "0.5", "--features", str(tmp_path / "f"), "--output", str(tmp_path / "o")],
            catch_exceptions=False,
        )  # fmt: skip


def test_a_data_set_is_trained_and_evaluated_on_what_is_stored(tmp_path, request):
    root, store = tmp_path / "MSLS", tmp_path / "f"
    write_msls(root, {"amsterdam": (52.3, 4.8)}, sequences=12, frames=16)
    data = ["--dataset", "msls", "--root", root]
    one, two = (run("features", *data, "--output", store, "--shard", f"{number}/2") for number in (1, 2))
    assert min(one["encoded"], two["encoded"]) > 0
    said = run("features", *data, "--output", store)
    assert (said["encoded"], said["there"]) == (0, one["encoded"] + two["encoded"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FrameEncoder, "encode_prepared", lambda *_a, **_k: pytest.fail("a picture was encoded"))
        run("train", *data, "--features", store, "--output", tmp_path / "town", *FEW_STEPS)
    evaluation = run("features", *data, "--for", "evaluate", "--checkpoint", tmp_path / "town", "--output", store)
    assert evaluation["encoded"] > 0
    request.getfixturevalue("no_encoder")
    found = run("evaluate", *data, "--checkpoint", tmp_path / "town", "--features", store)
    assert found["sequences"] == evaluation["sources"]


def test_shards_together_are_the_whole(drives, whole, tmp_path):
    folder, sources = tmp_path / "shared", 0
    for number in (1, 2, 3):
        said = run("features", "--video", drives, "--output", folder, "--shard", f"{number}/3")
        assert (said["encoded"], said["there"], said["shard"]) == (said["sources"], 0, f"{number}/3")
        sources += said["sources"]
    assert sources == 4
    assert files_in(folder) == files_in(whole)


def test_several_processes_at_once_share_the_work(drives, whole, tmp_path):
    folder = tmp_path / "shared"
    command = [sys.executable, "-m", "vidtag_engine", "features", "--video", str(drives), "--output", str(folder), "--json"]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()) for _ in range(2)]
    said = [json.loads(worker.communicate(timeout=300)[0]) for worker in workers]
    assert sum(one["encoded"] for one in said) == 4
    assert files_in(folder) == files_in(whole)


def test_killed_and_resumed(drives, whole, tmp_path):
    folder = tmp_path / "f"
    slow = (
        "import sys, time; from vidtag_engine.training.features import FeatureStore as S; encode = S.encode\n"
        "def slowly(self, content, feedback):\n"
        "    if content.name == 'drive2.mp4': time.sleep(600)\n"
        "    return encode(self, content, feedback)\n"
        "S.encode = slowly; from vidtag_engine.cli import main; main()"
    )
    killed = subprocess.Popen(
        [sys.executable, "-c", slow, "features", "--video", str(drives), "--output", str(folder)],
        stderr=subprocess.DEVNULL,
        env=_environment(),
    )
    until_s = time.monotonic() + 240
    while len(list(folder.glob("*.safetensors")) if folder.is_dir() else []) < 2 or not list(folder.glob("*.lock")):
        assert killed.poll() is None, "it ended by itself"
        assert time.monotonic() < until_s
        time.sleep(0.1)
    # While it holds one, whoever comes beside it leaves that one to it.
    beside = run("features", "--video", drives, "--output", folder)
    assert (beside["encoded"], beside["there"], beside["elsewhere"]) == (1, 2, ["drive2.mp4"])
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    (torn,) = list(folder.glob("*.safetensors"))[:1]
    torn.write_bytes(torn.read_bytes()[:100])
    said = run("features", "--video", drives, "--output", folder)
    assert (said["encoded"], said["there"], said["elsewhere"]) == (2, 2, [])
    assert files_in(folder) == files_in(whole)


def test_a_stop_keeps_what_is_finished(drives, tmp_path):
    sources = [TrainingSource(path, None, "video") for path in sorted(drives.glob("*.mp4"))]
    told: list[str] = []
    feedback = Feedback(lambda step: told.append(step.message), lambda: any("drive1" in message for message in told))
    with pytest.raises(CancelledError, match="finished videos are kept"):
        encode_features(sources, options(), tmp_path / "f", feedback=feedback)
    assert [path.suffix for path in (tmp_path / "f").iterdir()] == [".safetensors"]


def test_bad_videos_are_listed_and_the_rest_goes_on(drives, tmp_path):
    bad, empty = tmp_path / "bad.mp4", tmp_path / "empty.mp4"
    bad.write_bytes(b"no video")
    empty.touch()
    said = run("features", "--video", bad, "--video", drives, "--video", empty, "--output", tmp_path / "f")
    assert (said["encoded"], [one["name"] for one in said["failed"]]) == (4, ["bad.mp4", "empty.mp4"])
    assert all(one["why"].endswith(".") for one in said["failed"])
    assert len(files_in(tmp_path / "f")) == 4
    assert run("features", "--video", bad, "--output", tmp_path / "f", status=3)["failed"]


def test_the_same_video_is_encoded_once(drives, tmp_path):
    again = tmp_path / "again.mp4"
    again.write_bytes((drives / "drive1.mp4").read_bytes())
    said = run("features", "--video", drives / "drive1.mp4", "--video", drives / "drive1.mp4", "--video", again, "--output", tmp_path / "f")
    assert (said["sources"], said["encoded"], said["there"]) == (2, 1, 1)


def test_a_step_is_of_plain_values(drives, whole, tmp_path):
    """As a worker on another machine runs it: with an encoder of its own, which it keeps."""
    import pickle

    source, asked = pickle.loads(pickle.dumps((TrainingSource(drives / "drive3.mp4", None, "video"), options())))
    done = encode_source(source, asked, tmp_path)
    assert done is not None
    assert (done.new, done.pictures) == (True, 4)
    (name,) = done.files
    assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()
    assert encode_source(source, asked, tmp_path).new is False
    with FileLock(tmp_path / name.replace(".safetensors", ".lock")):
        assert encode_source(source, asked, tmp_path).new is False
        (tmp_path / name).unlink()
        assert encode_source(source, asked, tmp_path) is None


def test_what_cannot_be_written_ends_the_run(drives, whole, tmp_path):
    """The next video would fare no better."""
    for path in whole.iterdir():
        (tmp_path / path.name).mkdir()
    with pytest.raises(StoreError, match="Features cannot be stored in"):
        encode_features([TrainingSource(path, None, "video") for path in sorted(drives.glob("*.mp4"))], options(), tmp_path)
    assert all(path.is_dir() for path in tmp_path.iterdir())


def test_how_long_it_will_take_is_told(drives, tmp_path, monkeypatch):
    from vidtag_engine.training import encode_features as module

    monkeypatch.setattr(module, "_TOLD_AFTER_S", 0.0)
    sources = [TrainingSource(path, None, "video") for path in sorted(drives.glob("*.mp4"))]
    told = []
    encode_features(sources, options(), tmp_path / "f", feedback=Feedback(told.append))
    fractions = [step.fraction for step in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert any("2 of 4, about " in step.message and step.message.endswith(" left") for step in told)
    assert [duration_text(seconds) for seconds in (41, 60, 3599, 12_000)] == ["41 s", "1 min", "1 h 0 min", "3 h 20 min"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("features",), "nothing to encode"),
        (("features", "--video", "VIDEOS", "--for", "calibrate"), "no command 'calibrate'"),
        (("features", "--video", "VIDEOS", "--shard", "3/2"), "no share of the videos"),
        (("features", "--video", "VIDEOS", "--split", "val"), "--split is a data set's"),
        (("features", "--video", "VIDEOS", "--root", "VIDEOS"), "--root is a data set's"),
        (("features", "--video", "VIDEOS", "--checkpoint", "mine"), "--for evaluate"),
        (("features", "--video", "VIDEOS", "--for", "evaluate", "--checkpoint", "mine"), "give --dataset"),
        (
            ("features", "--video", "VIDEOS", "--for", "train-city", "--augment", "street", "--views", "2"),
            "leave out --augment and --views",
        ),
        (("features", "--video", "VIDEOS", "--preset", "large"), "preset"),
        (("features", "--video", "VIDEOS", "--preset", "vidtag-l14", "--layout"), "leave the layout out"),
        (("features", "--video", "VIDEOS", "--fps", "fast"), "--fps 'fast' is not a number"),
        (("features", "--video", "VIDEOS", "--recipe", "best"), "Recipe 'best' is unknown"),
        (("features", "--video", "VIDEOS", "--truth", "EMPTY"), "has no track"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(drives, tmp_path, arguments, said):
    (tmp_path / "empty").mkdir()
    places = {"VIDEOS": str(drives), "EMPTY": str(tmp_path / "empty")}
    error = run(*(places.get(word, word) for word in arguments), "--output", tmp_path / "f", status=2)["error"]
    assert said in error
    assert error.count("\n") == 0


def test_a_data_set_brings_its_own(drives, tmp_path):
    root = tmp_path / "MSLS"
    write_msls(root, {"amsterdam": (52.3, 4.8)}, sequences=2, frames=16)
    data = ("--dataset", "msls", "--root", root, "--output", tmp_path / "f")
    assert "brings its own videos" in run("features", *data, "--video", drives, status=2)["error"]
    evaluated = ("--for", "evaluate", "--checkpoint", "mine", "--fps", 2, "--preset", "vidtag-l14")
    assert "leave out --preset and --fps" in run("features", *data, *evaluated, status=2)["error"]
    (tmp_path / "f").write_text("a file")
    with pytest.raises(InputError, match="is a file"):
        encode_features([TrainingSource(drives / "drive3.mp4", None, "video")], options(), tmp_path / "f")


def options() -> FeatureOptions:
    """Of a training's defaults."""
    return FeatureOptions.of_training(recipe("default"))


def _environment() -> dict[str, str]:
    root = Path(__file__).resolve().parent.parent
    return {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}


def test_features_are_unit_vectors_in_half_precision(whole):
    for path in whole.iterdir():
        stored = _load(path)
        assert stored["features"].dtype == np.float16
        assert np.allclose(np.linalg.norm(stored["features"].astype(np.float32), axis=2), 1.0, atol=2e-3)
