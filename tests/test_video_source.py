"""Opening inputs: what is known before frames are read, and one clear sentence for every input that cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.video_maker import number_of, numbered, write_video
from vidtag_engine.types import FrameState, InputError, TimeSource
from vidtag_engine.video import FrameReader, find_videos, open_source, unique_names
from vidtag_engine.video.container import open_container

ROOT = Path(__file__).resolve().parent.parent


def audio_only(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 8000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def no_frames(path: Path) -> Path:
    with av.open(str(path), "w", options={"movflags": "empty_moov+frag_keyframe"}) as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.start_encoding()
    return path


def headless(path: Path) -> Path:
    data = write_video(path, 30, options={"crf": "1"}).read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])
    return path


def of_bytes(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def folder_with(path: Path, *names: str) -> Path:
    path.mkdir()
    for name in names:
        (path / name).write_bytes(b"not an image")
    return path


BAD = {
    "missing": (lambda d: d / "no.mp4", "auto", "does not exist"),
    "folder as video": (lambda d: folder_with(d / "f"), "video", "is a folder, not a video"),
    "text": (lambda d: of_bytes(d / "a.mp4", b"Dear analyst,\n" * 50), "auto", "is not a video"),
    "random": (lambda d: of_bytes(d / "a.mp4", np.random.default_rng(0).bytes(4000)), "auto", "is not a video"),
    "no moov": (lambda d: headless(d / "a.mp4"), "auto", r"truncated .*\(moov\) is missing"),
    "audio only": (lambda d: audio_only(d / "a.m4a"), "auto", "only audio, no pictures"),
    "no frames": (lambda d: no_frames(d / "a.mp4"), "auto", "without a single picture|no picture|is not a video"),
    "empty file": (lambda d: of_bytes(d / "a.mp4", b""), "auto", "is empty"),
    "empty folder": (lambda d: folder_with(d / "f"), "images", "holds no images"),
    "empty folder, auto": (lambda d: folder_with(d / "f"), "auto", "holds no images"),
    "folder of videos": (lambda d: folder_with(d / "f", "a.mp4", "b.MOV"), "auto", "is a folder of videos"),
    "no readable image": (lambda d: folder_with(d / "f", "a.jpg", "b.png"), "images", "2 image files and none can be read"),
    "missing folder": (lambda d: d / "f", "images", "does not exist"),
    "file as folder": (lambda d: of_bytes(d / "a.mp4", b"x"), "images", "not a folder of images"),
    "device": (lambda _: Path("/dev/null"), "auto", "not a regular file"),
    "url": (lambda _: Path("http:/nowhere.invalid/a.mp4"), "auto", "does not exist"),
    "kind": (lambda d: d / "a.mp4", "film", "kind 'film'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_that_names_it(case, tmp_path):
    make, kind, words = BAD[case]
    path = make(tmp_path)
    with pytest.raises(InputError, match=words) as caught:
        open_source(path, kind=kind)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert message.endswith(".")
    assert ";" in message or "," in message  # what is wrong, then what to do


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
@pytest.mark.parametrize("become", ["seteuid", "setuid"])  # with the first one access(2) still answers for the real user
def test_a_file_without_permission_is_refused(become):
    code = f"""
import os, sys
from pathlib import Path
from vidtag_engine.types import InputError
from vidtag_engine.video import open_source
if os.geteuid() == 0: os.{become}(65534)
try: open_source(Path(sys.argv[1]))
except InputError as error: print(error)
"""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "a.mp4"
        path.write_bytes(b"x" * 100)
        path.chmod(0o000)
        done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.strip() == f"{path} may not be read by this user; change its permissions.", done.stderr


def test_start_time_comes_from_the_argument_then_the_container_then_a_flagged_base(tmp_path):
    dated = write_video(tmp_path / "a.mp4", 3, metadata={"creation_time": "2021-05-06T07:08:09.000000Z"})
    bare = write_video(tmp_path / "b.mp4", 3)
    info = open_source(dated)
    assert (info.start_time, info.time_source) == (datetime(2021, 5, 6, 7, 8, 9, tzinfo=UTC), TimeSource.CONTAINER)
    info = open_source(bare)
    assert (info.start_time, info.time_source) == (datetime(2000, 1, 1, tzinfo=UTC), TimeSource.SYNTHETIC)
    given = datetime(2022, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))
    info = open_source(dated, start_time=given)
    assert (info.start_time, info.time_source) == (datetime(2022, 1, 2, 1, tzinfo=UTC), TimeSource.ARGUMENT)
    assert open_source(bare, start_time=datetime(2022, 1, 2)).start_time == datetime(2022, 1, 2, tzinfo=UTC)  # noqa: DTZ001
    zero = write_video(tmp_path / "c.mp4", 3, metadata={"creation_time": "1904-01-01T00:00:00.000000Z"})
    assert open_source(zero).time_source is TimeSource.SYNTHETIC


def test_data_of_a_cut_mp4_keep_their_distance_to_the_pictures(tmp_path):
    """FFmpeg's own way with edit lists says them up to one sample too early; the tool that cut the file knows better."""
    words, whole, cut = tmp_path / "said.srt", tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    words.write_text("".join(f"{i + 1}\n00:00:0{i},000 --> 00:00:0{i + 1},000\nfix {i}\n\n" for i in range(9)))
    made = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=r=10:s=64x48:d=9", "-i", words, "-c:v", "libx264", "-c:s", "mov_text"]
    subprocess.run([*made, "-g", "10", whole], check=True, timeout=60)
    subprocess.run(["ffmpeg", "-v", "error", "-ss", "3.2", "-i", whole, "-map", "0", "-c", "copy", cut], check=True, timeout=60)
    with open_container(cut, for_data=True) as container:
        stream = container.streams.subtitles[0]
        said = {bytes(p)[2:]: float(p.pts * stream.time_base) for p in container.demux(stream) if p.size and p.pts is not None}
    assert said[b"fix 4"] == pytest.approx(4.0 - 3.2, abs=0.005)
    assert said[b"fix 8"] == pytest.approx(8.0 - 3.2, abs=0.005)


def test_what_is_known_of_a_video(tmp_path):
    info = open_source(write_video(tmp_path / "a.mp4", 90, size=(160, 96)))
    assert (info.name, info.kind, info.width_px, info.height_px) == ("a.mp4", "video", 160, 96)
    assert info.duration_s == pytest.approx(3.0)
    assert info.embedded_gps is None
    assert not info.variable_frame_rate
    assert open_source(write_video(tmp_path / "v.mp4", [0, 1, 2, 60, 61, 90])).variable_frame_rate


@pytest.mark.parametrize(
    ("value", "duration_s"),
    [
        ("PT3S", 3.0),
        ("PT0H0M3.0S", 3.0),
        ("00:00:03.000000000", 3.0),
        ("00:00:07,250", None),
        ("ten seconds", None),
        ("PT", None),
    ],
)
def test_a_tag_of_duration_in_whatever_form(tmp_path, value, duration_s):
    """Some programs write ISO 8601 where Matroska's statistics have a clock; FFmpeg appends the language to the tag's name."""
    plain = write_video(tmp_path / "a.mp4", 90)
    path = tmp_path / "b.mkv"
    options = ["-metadata:s:v", f"DURATION-eng={value}", "-c", "copy", "-f", "matroska"]
    # FFmpeg writes a duration of its own into a file, but not into a pipe.
    with path.open("wb") as file:
        subprocess.run(["ffmpeg", "-v", "error", "-i", plain, *options, "pipe:1"], check=True, stdout=file)
    assert open_source(path).duration_s == (None if duration_s is None else pytest.approx(duration_s))
    with FrameReader(open_source(path), 1.0) as reader:
        assert len(list(reader)) == 3


def test_names_with_signs_that_ffmpeg_reads_otherwise(tmp_path):
    for name in ("http:x.mp4", "%03d.mp4", "a|b.mp4", "-i.mp4", "ünï cödé.mp4"):
        assert open_source(write_video(tmp_path / "plain.mp4", 3).rename(tmp_path / name)).name == name


def test_videos_of_a_folder(tmp_path):
    for name in ("b.mp4", "a.MOV", ".hidden.mp4", "notes.txt", "sub/c.mkv", ".cache/d.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [p.name for p in find_videos(tmp_path, recursive=False)] == ["a.MOV", "b.mp4"]
    assert [p.name for p in find_videos(tmp_path, recursive=True)] == ["a.MOV", "b.mp4", "c.mkv"]
    (tmp_path / "none").mkdir()
    for bad, words in ((tmp_path / "none", "holds no videos"), (tmp_path / "x", "does not exist"), (tmp_path / "b.mp4", "is a file")):
        with pytest.raises(InputError, match=words):
            find_videos(bad, recursive=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "none" / "a.png")
    with pytest.raises(InputError, match="--images"):
        find_videos(tmp_path / "none", recursive=False)


def test_names_differ_within_a_batch(tmp_path):
    paths = [tmp_path / p for p in ("one/day/a.mp4", "two/day/a.mp4", "two/day/b.mp4")]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, 2)
    names = [info.name for info in unique_names([open_source(p) for p in [*paths, paths[0]]])]
    assert len(set(names)) == 4
    assert names[1:3] == ["two/day/a.mp4", "b.mp4"]


def picture(
    path: Path, number: int, taken: str | None = None, orientation: int = 1, subsec: str | None = None, offset: str | None = None
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    ifd = exif.get_ifd(0x8769)
    for tag, value in ((0x9003, taken), (0x9291, subsec), (0x9011, offset)):
        if value is not None:
            ifd[tag] = value
    image = Image.fromarray(numbered(number, 128, 64))
    if orientation == 6:  # stored a quarter turn anticlockwise
        image = image.transpose(Image.Transpose.ROTATE_90)
    image.save(path, exif=exif, quality=95)


def frames_of(folder: Path, rate_hz: float | None = 1.0, **window: float):
    with FrameReader(open_source(folder, kind="images"), rate_hz, **window) as reader:
        return list(reader), reader


def test_images_in_the_order_of_their_exif_times(tmp_path):
    picture(tmp_path / "c.jpg", 1, "2020:01:01 10:00:00")
    picture(tmp_path / "a.jpg", 2, "2020:01:01 10:00:07", orientation=6)
    picture(tmp_path / "b.jpg", 3, "2020:01:01 10:00:07", subsec="5")
    info = open_source(tmp_path)
    assert (info.kind, info.start_time, info.time_source) == ("images", datetime(2020, 1, 1, 10, tzinfo=UTC), TimeSource.EXIF)
    frames, reader = frames_of(tmp_path, None)
    assert [number_of(f.image) for f in frames] == [1, 2, 3]
    assert [f.time_s for f in frames] == [0.0, 7.0, 7.5]
    assert {f.image.shape for f in frames} == {(64, 128, 3)}
    assert reader.report.sampled == reader.expected_frames == 3
    picture(tmp_path / "d.jpg", 4, "2020:01:01 12:00:03", offset="+02:00")
    assert [number_of(f.image) for f in frames_of(tmp_path, None)[0]] == [1, 4, 2, 3]


def test_images_in_the_order_of_their_names_where_one_has_no_time(tmp_path):
    picture(tmp_path / "10.jpg", 10, "2020:01:01 10:00:00")
    picture(tmp_path / "2.jpg", 2)
    picture(tmp_path / "1.jpg", 1)
    (tmp_path / ".3.jpg").write_bytes(b"hidden")
    info = open_source(tmp_path)
    assert info.time_source is TimeSource.SYNTHETIC
    frames, _ = frames_of(tmp_path)
    assert [(number_of(f.image), f.time_s) for f in frames] == [(1, 0.0), (2, 1.0), (10, 2.0)]
    assert [f.time_s for f in frames_of(tmp_path, 1.0, from_s=1.0, to_s=2.0)[0]] == [1.0]
    with pytest.raises(InputError, match="lasts 3"):
        frames_of(tmp_path, 1.0, from_s=9.0)


def test_unreadable_images_are_counted_and_given_as_damaged(tmp_path):
    for number in range(4):
        picture(tmp_path / f"{number}.jpg", number)
    (tmp_path / "1.jpg").write_bytes(b"no image")
    whole = (tmp_path / "2.jpg").read_bytes()
    (tmp_path / "2.jpg").write_bytes(whole[: len(whole) // 2])
    frames, reader = frames_of(tmp_path)
    assert [f.state for f in frames] == [FrameState.LOCATED, FrameState.DAMAGED, FrameState.DAMAGED, FrameState.LOCATED]
    assert frames[1].image is None
    assert reader.report.damaged == 2
    assert reader.report.damaged_stretches_s == ((1.0, 3.0),)


def test_grey_sixteen_bit_and_palette_images_become_rgb(tmp_path):
    Image.fromarray(np.full((8, 8), 32896, dtype=np.uint16)).save(tmp_path / "a.png")
    Image.new("P", (8, 8), 3).save(tmp_path / "b.png")
    Image.new("RGBA", (8, 8), (10, 20, 30, 128)).save(tmp_path / "c.png")
    frames, _ = frames_of(tmp_path)
    assert [f.image.shape for f in frames] == [(8, 8, 3)] * 3
    assert frames[0].image.mean() == 128
