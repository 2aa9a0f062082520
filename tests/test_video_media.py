"""Recordings as cameras and editors make them: several streams, fields, pixels that are not square, pictures of many kinds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from tests.field_maker import field_coded
from tests.test_video_source import frames_of, picture
from tests.video_maker import number_of, numbered, write_video
from vidtag_engine.video import FrameReader, ImageFolder, open_source
from vidtag_engine.video.still_image import FULL_SIZE_PX, pixels


def ffmpeg(*words: str | Path) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, words)], check=True, timeout=120)


def numbers(path: Path, rate_hz: float | None = None) -> list[tuple[float, int | None]]:
    with FrameReader(open_source(path, kind="video"), rate_hz) as reader:
        return [(round(f.time_s, 3), None if f.image is None else number_of(f.image)) for f in reader]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_a_thumbnail_before_the_video_is_not_the_video(tmp_path, ending):
    write_video(tmp_path / "drive.mp4", 40)
    Image.fromarray(numbered(99, 512, 256)).save(tmp_path / "thumbnail.jpg")
    both = tmp_path / f"both.{ending}"
    ffmpeg(
        "-i",
        tmp_path / "thumbnail.jpg",
        "-i",
        tmp_path / "drive.mp4",
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy",
        "-disposition:v:0",
        "0",
        both,
    )
    assert [number for _, number in numbers(both)] == list(range(40))
    info = open_source(both)
    assert (info.width_px, info.height_px) == (128, 64)
    assert any("2 video streams" in note and "128 x 64" in note and "512 x 256" in note for note in info.notes)


@pytest.mark.parametrize(("default", "size"), [("v:0", (128, 64)), ("v:1", (256, 128)), (None, (256, 128))])
def test_of_several_streams_the_default_is_read_else_the_largest(tmp_path, default, size):
    write_video(tmp_path / "small.mp4", 8)
    write_video(tmp_path / "large.mp4", 8, size=(256, 128))
    both = tmp_path / "both.mkv"
    flags = ["-disposition:v:0", "0", "-disposition:v:1", "0"]
    flags += [f"-disposition:{default}", "default"] if default else []
    more = ["-default_mode", "passthrough"]
    ffmpeg("-i", tmp_path / "small.mp4", "-i", tmp_path / "large.mp4", "-map", "0", "-map", "1", "-c", "copy", *flags, *more, both)
    info = open_source(both)
    assert (info.width_px, info.height_px) == size
    with FrameReader(info, None) as reader:
        assert {f.image.shape for f in reader} == {(size[1], size[0], 3)}


@pytest.mark.parametrize("ending", ["ts", "mp4", "mkv", "avi"])
def test_two_fields_are_one_picture(tmp_path, ending):
    luma = [numbered(number, 128, 64).mean(axis=2).astype(np.uint8) for number in range(20)]
    (tmp_path / "fields.h264").write_bytes(field_coded(luma))
    made = tmp_path / f"fields.{ending}"
    ffmpeg("-fflags", "+genpts", "-r", "50", "-i", tmp_path / "fields.h264", "-c", "copy", made)
    counts = subprocess.run(
        ["ffprobe", "-v", "error", "-count_packets", "-count_frames", "-show_entries", "stream=nb_read_frames,nb_read_packets", "-of", "csv=p=0", made],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert counts.split()[0] == "20,40"  # it is coded by fields indeed
    assert numbers(made) == [(round(0.04 * number, 3), number) for number in range(20)]
    assert [number for _, number in numbers(made, 5.0)] == [0, 5, 10, 15]


@pytest.mark.parametrize("turn", [0, 1])
def test_pixels_that_are_not_square(tmp_path, turn):
    write_video(tmp_path / "square.mp4", 6, turn=turn)
    wide = tmp_path / "wide.mp4"
    ffmpeg("-i", tmp_path / "square.mp4", "-c", "copy", "-bsf:v", "h264_metadata=sample_aspect_ratio=3/2", wide)
    said = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=width,height,sample_aspect_ratio", "-of", "csv=p=0", wide],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    assert said.endswith("3:2")
    stored = tuple(map(int, said.split(",")[:2]))
    info = open_source(wide)
    assert (info.width_px, info.height_px) == (stored[0] * 3 // 2, stored[1])
    with FrameReader(info, None) as reader:
        frames = list(reader)
    assert {f.image.shape for f in frames} == {(stored[1], stored[0] * 3 // 2, 3)}


def test_pictures_of_phones_and_stereo_cameras(tmp_path):
    heic = Image.Exif()
    heic.get_ifd(0x8769)[0x9003] = "2020:01:01 10:00:00"
    Image.fromarray(numbered(1, 128, 64)).save(tmp_path / "a.HEIC", exif=heic, quality=95)
    later = Image.Exif()
    later.get_ifd(0x8769)[0x9003] = "2020:01:01 10:00:04"
    Image.fromarray(numbered(2, 128, 64)).save(
        tmp_path / "b.mpo", format="MPO", exif=later.tobytes(), quality=95, save_all=True, append_images=[Image.new("RGB", (128, 64))]
    )
    (tmp_path / "c.DNG").write_bytes(b"II*\0raw")
    frames, _ = frames_of(tmp_path, None)
    assert [(f.time_s, number_of(f.image)) for f in frames] == [(0.0, 1), (4.0, 2)]
    assert any("c.DNG is left out" in note for note in open_source(tmp_path, kind="images").notes)


@pytest.mark.parametrize("interleave", ["PIXEL", "BAND"])
@pytest.mark.parametrize("bands", [3, 4])
def test_colour_of_sixteen_bits(tmp_path, interleave, bands):
    shown = numbered(5, 128, 64)
    deep = np.concatenate([shown, np.full((64, 128, 1), 255, np.uint8)], axis=2)[:, :, :bands].astype(np.uint16) * 257
    path = tmp_path / "deep.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=128, height=64, count=bands, dtype="uint16", photometric="RGB", interleave=interleave
    ) as target:
        target.write(deep.transpose(2, 0, 1))
    assert np.array_equal(pixels(path), shown)


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "size"), [("jpg", (16_000, 12_000)), ("png", (10_000, 7_500))])
def test_a_very_large_picture_is_read_reduced(tmp_path, ending, size):
    large = Image.fromarray(np.ascontiguousarray(numbered(7, 128, 96))).resize(size, Image.Resampling.NEAREST)
    large.save(tmp_path / f"large.{ending}", **({"quality": 80} if ending == "jpg" else {"compress_level": 1}))
    before = Image.MAX_IMAGE_PIXELS
    info = open_source(tmp_path, kind="images")
    assert (info.width_px, info.height_px) == size
    assert any("is read reduced" in note and f"large.{ending}" in note for note in info.notes)
    seen = ImageFolder.read(tmp_path).load(0)
    assert seen is not None
    assert seen.shape[0] * seen.shape[1] <= FULL_SIZE_PX
    assert seen.shape[1] / seen.shape[0] == pytest.approx(size[0] / size[1], rel=1e-3)
    small = np.asarray(Image.fromarray(seen).resize((128, 96), Image.Resampling.BOX))
    assert number_of(small) == 7
    assert before == Image.MAX_IMAGE_PIXELS


def test_one_picture_without_a_time_leaves_the_others_theirs(tmp_path):
    for number, taken in ((1, "10:00:00"), (2, "10:00:10"), (3, None), (4, "10:00:30"), (5, None)):
        picture(tmp_path / f"IMG_{number}.jpg", number, f"2020:01:01 {taken}" if taken else None)
    frames, _ = frames_of(tmp_path, None)
    assert [(f.time_s, number_of(f.image)) for f in frames] == [(0.0, 1), (10.0, 2), (20.0, 3), (30.0, 4)]
    notes = open_source(tmp_path, kind="images").notes
    assert any("IMG_3.jpg has no time" in note for note in notes)
    assert any("IMG_5.jpg is left out" in note for note in notes)


def test_unreadable_pictures_are_named(tmp_path):
    for number in range(6):
        picture(tmp_path / f"{number}.jpg", number, f"2020:01:01 10:00:0{number}")
    for number in range(1, 6):
        (tmp_path / f"{number}.jpg").write_bytes(b"no image")
    (note,) = open_source(tmp_path, kind="images").notes
    assert note == "5 pictures (1.jpg, 2.jpg, 3.jpg and others) cannot be read as a picture."
