"""Small pictures of frames: each is the picture of its moment, in a file of their own, whole or not at all."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyogrio
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.export_cases import PROVENANCE, video
from tests.video_maker import decode_all, number_of, numbered, write_video
from vidtag_engine.cli.app import app
from vidtag_engine.command_arguments import ThumbnailsArguments
from vidtag_engine.commands.thumbnails import run_thumbnails
from vidtag_engine.export import write_geopackage
from vidtag_engine.export.thumbnails_file import key_of
from vidtag_engine.feedback import Feedback
from vidtag_engine.file_marks import foreign_layers, own_kind
from vidtag_engine.types import CancelledError, InputError
from vidtag_engine.video import open_source, source_digest

STAMPS = [0, 1, 2, 7, 9, 10, 40, 41, 60, 75, 76, 77, 90, 120, 121, 150]


def result_of(path: Path, *sources: tuple[Path, list[float]], kind: str = "video") -> Path:
    """A result of these videos with frames at these times."""
    results = []
    for source, times in sources:
        count = len(times)
        one = video(source.name, [1.0] * count, [2.0] * count, [0.5] * count, time_s=times)
        results.append(replace(one, info=replace(one.info, kind=kind, path=source), sha256=source_digest(source)))
    write_geopackage(path, results, PROVENANCE)
    return path


def held(path: Path) -> dict[str, tuple]:
    with closing(sqlite3.connect(path)) as database:
        return {
            row[0]: row[1:] for row in database.execute("SELECT key, video, sha256, frame_index, time_s, longest_px, jpeg FROM pictures")
        }


def image_of(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


@pytest.mark.parametrize("name", ["uneven.mp4", "b frames é.mkv", "plain.avi"])
def test_each_is_the_picture_that_plain_decoding_shows_then(tmp_path, name):
    avi = name.endswith("avi")
    clip = write_video(
        tmp_path / name, 90 if avi else STAMPS, codec="mpeg4" if avi else "libx264", options={} if avi else {"bf": "2", "g": "12"}
    )
    every = decode_all(clip)
    rows = [0, 3, 4, 8, 11, 15]
    # Copies of a result may have its times in milliseconds: the picture is the same.
    times = [every[row][0] if place % 2 else round(every[row][0], 3) for place, row in enumerate(rows)]
    result = result_of(tmp_path / "r.gpkg", (clip, times))
    before = result.read_bytes()
    said = run_thumbnails(ThumbnailsArguments(str(result)))
    file = tmp_path / "r.pictures.gpkg"
    assert (said["file"], said["pictures"], said["frames"], said["read"], said["missing"]) == (str(file), 6, 6, 1, [])
    assert said["bytes"] == file.stat().st_size
    found = held(file)
    for index, row in enumerate(rows):
        of, sha256, frame, time_s, longest_px, jpeg = found[key_of(name, times[index])]
        assert (of, sha256, frame, time_s, longest_px) == (name, source_digest(clip), index, times[index], 240)
        assert number_of(image_of(jpeg)) == row
    assert own_kind(file) == "thumbnails"
    assert foreign_layers(file) == []
    assert result.read_bytes() == before
    assert pyogrio.list_layers(file).tolist() == [["pictures", None]]
    assert len(pyogrio.raw.read(file, layer="pictures", columns=["jpeg"])[3][0]) == 6


def test_they_are_small_and_upright(tmp_path):
    clip = write_video(tmp_path / "turned.mp4", 30, size=(640, 320), turn=90)
    info = open_source(clip)
    result = result_of(tmp_path / "r.gpkg", (clip, [0.0, 0.5]))
    run_thumbnails(ThumbnailsArguments(str(result), longest_px=160))
    for *_, jpeg in held(tmp_path / "r.pictures.gpkg").values():
        assert image_of(jpeg).shape == (160, 80, 3) if info.height_px > info.width_px else (80, 160, 3)


def test_a_folder_of_images_has_them_too(tmp_path):
    folder = tmp_path / "walk"
    folder.mkdir()
    for number in range(5):
        Image.fromarray(numbered(number, 128, 64)).save(folder / f"{number}.png")
    times = [float(one) for one in (0, 2, 4)]
    result = result_of(tmp_path / "r.gpkg", (folder, times), kind="images")
    said = run_thumbnails(ThumbnailsArguments(str(result)))
    found = held(tmp_path / "r.pictures.gpkg")
    assert said["pictures"] == 3
    assert [number_of(image_of(found[key_of("walk", time_s)][-1])) for time_s in times] == [0, 2, 4]


def test_a_damaged_frame_has_none(tmp_path):
    folder = tmp_path / "walk"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(numbered(number, 128, 64)).save(folder / f"{number}.png")
    (folder / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n rotten")
    result = result_of(tmp_path / "r.gpkg", (folder, [0.0, 1.0, 2.0]), kind="images")
    assert run_thumbnails(ThumbnailsArguments(str(result)))["pictures"] == 2
    assert set(held(tmp_path / "r.pictures.gpkg")) == {"walk@0", "walk@2000"}


def test_another_video_of_that_name_is_refused_and_a_renamed_one_found(tmp_path):
    clip = write_video(tmp_path / "a.mp4", STAMPS)
    result = result_of(tmp_path / "r.gpkg", (clip, [0.0, 2.0]))
    (tmp_path / "elsewhere").mkdir()
    clip.rename(tmp_path / "elsewhere" / "renamed.mp4")
    write_video(tmp_path / "a.mp4", [0, 9, 30, 61])
    with pytest.raises(InputError, match="SHA-256 differs"):
        run_thumbnails(ThumbnailsArguments(str(result)))
    assert not list(tmp_path.glob("*.pictures*"))
    assert run_thumbnails(ThumbnailsArguments(str(result), videos=[str(tmp_path / "elsewhere")]))["pictures"] == 2


def test_what_is_there_is_not_read_again_and_outlives_its_video(tmp_path):
    one, two = write_video(tmp_path / "a.mp4", STAMPS), write_video(tmp_path / "b.mp4", STAMPS, size=(192, 96))
    times = [time_s for time_s, _ in decode_all(one)][::3]
    result = result_of(tmp_path / "r.gpkg", (one, times))
    run_thumbnails(ThumbnailsArguments(str(result)))
    before = held(tmp_path / "r.pictures.gpkg")
    assert run_thumbnails(ThumbnailsArguments(str(result)))["read"] == 0
    assert held(tmp_path / "r.pictures.gpkg") == before
    assert run_thumbnails(ThumbnailsArguments(str(result), longest_px=64))["read"] == 1
    run_thumbnails(ThumbnailsArguments(str(result)))
    # Located again with another video: the first one is gone by now.
    result.unlink()
    result_of(result, (one, times), (two, times[:2]))
    one.unlink()
    said = run_thumbnails(ThumbnailsArguments(str(result)))
    assert (said["pictures"], said["read"], said["missing"]) == (len(times) + 2, 1, [])
    assert before.items() <= held(tmp_path / "r.pictures.gpkg").items()
    # Where it has more frames than pictures, that is said, and those that are there stay.
    result.unlink()
    write_video(one, STAMPS)
    result_of(result, (one, [*times, 2.0]), (two, times[:2]))
    one.unlink()
    said = run_thumbnails(ThumbnailsArguments(str(result)))
    assert said["pictures"] == len(times) + 2
    [missing] = said["missing"]
    assert missing["video"] == "a.mp4"
    assert "was not found" in missing["why"]


def test_a_cancel_leaves_the_earlier_file(tmp_path):
    clip = write_video(tmp_path / "a.mp4", STAMPS)
    result = result_of(tmp_path / "r.gpkg", (clip, [0.0, 1.0, 2.0, 3.0]))
    run_thumbnails(ThumbnailsArguments(str(result)))
    before = (tmp_path / "r.pictures.gpkg").read_bytes()
    told = []
    feedback = Feedback(lambda *words: told.append(words), cancelled=lambda: len(told) > 2)
    with pytest.raises(CancelledError):
        run_thumbnails(ThumbnailsArguments(str(result), longest_px=100), feedback=feedback)
    assert len(told) > 2
    assert (tmp_path / "r.pictures.gpkg").read_bytes() == before
    assert not list(tmp_path.glob(".vidtag-*"))


def test_bad_input_is_one_sentence(tmp_path):
    clip = write_video(tmp_path / "a.mp4", STAMPS)
    result = result_of(tmp_path / "r.gpkg", (clip, [0.0, 1.0]))
    for arguments, words in (
        (ThumbnailsArguments(str(tmp_path / "none.gpkg")), "is not there"),
        (ThumbnailsArguments(str(result), longest_px=5000), "give 32 to 640"),
        (ThumbnailsArguments(str(result), videos=[str(tmp_path / "no folder")]), "is not there"),
        (ThumbnailsArguments(str(result), output=str(result)), "also an input"),
    ):
        with pytest.raises(InputError, match=words):
            run_thumbnails(arguments)
    (tmp_path / "r.pictures.gpkg").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"r\.pictures\.gpkg exists"):
        run_thumbnails(ThumbnailsArguments(str(result)))
    assert (tmp_path / "r.pictures.gpkg").read_bytes() == b"mine"


def test_by_the_command_line_and_the_worker(tmp_path):
    clip = write_video(tmp_path / "a.mp4", STAMPS)
    result = result_of(tmp_path / "r.gpkg", (clip, [0.0, 2.5]))
    told = CliRunner().invoke(app, ["thumbnails", str(result), "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["pictures"] == 2
    arguments = {"result": str(result), "output": str(tmp_path / "other.gpkg")}
    request = json.dumps({"type": "request", "id": 1, "command": "thumbnails", "arguments": arguments})
    with subprocess.Popen(
        [sys.executable, "-m", "vidtag_engine.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        worker.stdin.write(request + "\n")
        worker.stdin.flush()
        answers = [json.loads(worker.stdout.readline())]
        while answers[-1]["type"] not in ("result", "error"):
            answers.append(json.loads(worker.stdout.readline()))
        worker.stdin.close()
    assert answers[-1]["type"] == "result", answers
    assert held(tmp_path / "other.gpkg") == held(tmp_path / "r.pictures.gpkg")


def test_the_key_is_rounded_as_qgis_does():
    assert key_of("a@b.mp4", 12.0) == "a@b.mp4@12000"
    assert key_of("a", 0.0005) == "a@1"
    assert key_of("a", 1.0333667 * 7) == "a@7234"
