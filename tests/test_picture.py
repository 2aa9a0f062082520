"""One picture of a video at a time, as the worker gives it: it is the one that plain decoding shows then."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.video_maker import decode_all, number_of, write_video
from vidtag_engine.command_arguments import PictureArguments
from vidtag_engine.commands.picture import run_picture
from vidtag_engine.feedback import Feedback
from vidtag_engine.types import CancelledError, InputError
from vidtag_engine.video import source_digest

ROOT = Path(__file__).resolve().parent.parent


def ask(video: Path, time_s: float, output: Path, **more) -> dict:
    return run_picture(PictureArguments(videos=[str(video)], time_s=time_s, output=str(output), **more))


@pytest.mark.parametrize("name", ["uneven.mp4", "b frames é.mkv", "plain.avi"])
def test_it_is_the_picture_that_plain_decoding_shows_then(tmp_path, name):
    stamps = 90 if name.endswith("avi") else [0, 1, 2, 7, 9, 10, 40, 41, 60, 75, 76, 77, 90, 120, 121, 150]
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    video = write_video(tmp_path / name, stamps, codec=codec, options={} if codec == "mpeg4" else {"bf": "2", "g": "12"})
    every = decode_all(video)
    for number, (time_s, picture) in enumerate(every):
        answer = ask(video, round(time_s, 3) if number % 2 else time_s, tmp_path / "one.png")
        shown = np.asarray(Image.open(answer["file"]))
        assert answer["time_s"] == pytest.approx(time_s, abs=1e-6)
        assert number_of(shown) == number
        np.testing.assert_array_equal(shown, picture)
        assert (answer["width_px"], answer["height_px"]) == (128, 64)
        assert answer["video"] == str(video)
    between = (every[5][0] + every[6][0]) / 2
    assert ask(video, between, tmp_path / "one.png")["time_s"] == pytest.approx(every[5][0], abs=1e-6)


def test_it_is_made_smaller_and_turned_upright(tmp_path):
    video = write_video(tmp_path / "long side.mp4", 30, size=(256, 128))
    answer = ask(video, 0.5, tmp_path / "p.jpg", longest_px=64)
    with Image.open(answer["file"]) as picture:
        assert (picture.format, picture.size) == ("JPEG", (64, 32))
    assert (answer["width_px"], answer["height_px"]) == (256, 128)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long side.mp4", "p.jpg"]


def test_the_original_is_known_by_its_digest(tmp_path):
    for folder, first in (("wrong", 7), ("right", 0)):
        (tmp_path / folder).mkdir()
        write_video(tmp_path / folder / "a.mp4", [first, first + 5, first + 20])
    wrong, right = tmp_path / "wrong" / "a.mp4", tmp_path / "right" / "a.mp4"
    output = str(tmp_path / "p.png")
    places = [str(tmp_path / "gone" / "a.mp4"), str(wrong), str(right)]
    arguments = PictureArguments(videos=places, time_s=0.0, output=output, sha256=source_digest(right))
    assert run_picture(arguments)["video"] == str(right)
    with pytest.raises(InputError, match="is not the file that the result was made from"):
        run_picture(PictureArguments(videos=places[:2], time_s=0.0, output=output, sha256=source_digest(right)))
    with pytest.raises(InputError, match="gone.a.mp4 is not there: say where it is"):
        run_picture(PictureArguments(videos=places[:1], time_s=0.0, output=output))


def test_a_folder_of_images_is_a_video_too(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(4):
        Image.fromarray(np.full((32, 48, 3), 60 * number, np.uint8)).save(folder / f"{number}.png")
    answers = [ask(folder, float(number), tmp_path / f"{number}.png", kind="images") for number in range(4)]
    assert [int(np.asarray(Image.open(answer["file"])).mean()) for answer in answers] == [0, 60, 120, 180]


def test_what_cannot_be_shown_is_said(tmp_path):
    video = write_video(tmp_path / "a.mp4", 30, time_base=Fraction(1, 30))
    for time_s, output, more, said in (
        (99.0, "p.png", {}, "a.mp4 lasts 1.000 s"),
        (0.0, "p.gif", {}, "must end in .jpg or .png"),
        (0.0, "no folder/p.png", {}, "does not exist"),
        (0.0, "p.png", {"longest_px": 0}, "at least 1"),
        (float("nan"), "p.png", {}, "nan s for a.mp4 is not a number"),
        (-5.0, "p.png", {}, "is not a number of seconds from 0 on"),
    ):
        with pytest.raises(InputError, match=said):
            ask(video, time_s, tmp_path / output, **more)
    with pytest.raises(CancelledError):
        run_picture(
            PictureArguments(videos=[str(video)], time_s=0.5, output=str(tmp_path / "p.png")), feedback=Feedback(cancelled=lambda: True)
        )
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_worker_gives_one_after_another_without_the_networks(tmp_path):
    """Without torch in it the worker is there within a second, and small."""
    video = write_video(tmp_path / "a.mp4", 60)
    requests = [
        {"type": "request", "id": n, "command": "picture", "arguments": {"videos": [str(video)], "time_s": n / 30, "output": str(tmp_path / f"{n}.png")}}
        for n in (7, 3, 50)
    ]  # fmt: skip
    code = "import sys\nfrom vidtag_engine import worker\nworker.main()\nprint('modules', sorted(sys.modules), file=sys.stderr)"
    child = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert json.loads(child.stdout.readline())["type"] == "hello"
    for request in requests:
        child.stdin.write(json.dumps(request) + "\n")
        child.stdin.flush()
        answer = json.loads(child.stdout.readline())
        assert (answer["type"], answer["id"]) == ("result", request["id"])
        assert number_of(np.asarray(Image.open(answer["value"]["file"]))) == request["id"]
    _, errors = child.communicate(timeout=30)
    assert "'torch'" not in errors.partition("modules")[2]
