"""Frames that show what the last encoded one showed: not encoded again, and never far from their own features."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
import torch
from PIL import Image

from vidtag_engine.inference.encode import VideoFeatures, encode_video
from vidtag_engine.models.frame_encoder import FrameEncoder, build_frame_encoder
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.types import FrameState
from vidtag_engine.video import FrameReader, open_source
from vidtag_engine.video.near_duplicates import BLOCK_LIMIT, MEAN_LIMIT, Repeats, differences

if TYPE_CHECKING:
    from collections.abc import Sequence

DRIVE = Path(__file__).resolve().parents[1] / "resources" / "demo" / "drive.mp4"


@pytest.fixture(scope="module")
def encoder() -> FrameEncoder:
    return build_frame_encoder("vidtag-compact")


@pytest.fixture(scope="module")
def street() -> np.ndarray:
    """A picture of the demo drive, (336,448,3)."""
    with FrameReader(open_source(DRIVE), rate_hz=None, to_s=0.2) as reader:
        image = next(frame.image for frame in reader)
    assert image is not None
    return image


def write(path: Path, pictures: Sequence[np.ndarray], crf: int = 26) -> Path:
    """A clip of four pictures a second, compressed as cameras and recorders do."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=4)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.options = "yuv420p", {"crf": str(crf), "preset": "veryfast", "g": "8"}
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def noisy(picture: np.ndarray, levels: float, seed: int) -> np.ndarray:
    """As a sensor gives it."""
    return np.clip(picture + np.random.default_rng(seed).normal(0, levels, picture.shape), 0, 255).astype(np.uint8)


def nearer(picture: np.ndarray, share: float) -> np.ndarray:
    """The same street from further ahead."""
    height, width = picture.shape[:2]
    wide, high = width / (1 + share), height / (1 + share)
    box = ((width - wide) / 2, (height - high) / 2, (width + wide) / 2, (height + high) / 2)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC, box=box))


def both(path: Path, encoder: FrameEncoder) -> tuple[VideoFeatures, VideoFeatures]:
    """Without repeats, and with every frame encoded."""
    info = open_source(path)
    found = encode_video(info, encoder, GeolocateSettings(rate_hz=None))
    every = encode_video(info, encoder, GeolocateSettings(rate_hz=None, encode_all=True))
    assert found.frames == every.frames
    assert found.features.shape == every.features.shape == (len(every.frames), encoder.feature_dim)
    assert every.report.repeated == 0
    return found, every


def test_a_standing_camera_is_encoded_once_and_stays_near_its_own_features(
    tmp_path: Path, encoder: FrameEncoder, street: np.ndarray
) -> None:
    found, every = both(write(tmp_path / "stand.mp4", [noisy(street, 2, seed) for seed in range(16)]), encoder)
    assert found.report.repeated >= 12  # of 16 pictures in two groups of the codec
    assert (found.features * every.features).sum(axis=1).min() > 0.99


def test_a_far_car_passes_and_a_near_one_does_not(tmp_path: Path, encoder: FrameEncoder, street: np.ndarray) -> None:
    for size, most_repeated, least_repeated in ((10, 9, 6), (120, 0, 0)):
        pictures = [street.copy() for _ in range(10)]
        for number, picture in enumerate(pictures):
            left = 20 + 30 * number
            picture[220 : 220 + size // 2, left : left + size] = (200, 30, 30)
        found, every = both(write(tmp_path / f"{size}.mp4", pictures), encoder)
        assert least_repeated <= found.report.repeated <= most_repeated
        assert (found.features * every.features).sum(axis=1).min() > 0.99


def test_a_slow_drive_is_encoded_frame_by_frame(tmp_path: Path, encoder: FrameEncoder, street: np.ndarray) -> None:
    """1 % a frame: at one frame a second, 10 cm a second towards a house 10 m away."""
    found, _ = both(write(tmp_path / "slow.mp4", [noisy(nearer(street, 0.01 * n), 2, n) for n in range(10)]), encoder)
    assert found.report.repeated == 0


def test_small_steps_add_up(street: np.ndarray, encoder: FrameEncoder) -> None:
    """Each is below the limit; together they are not, since the last encoded picture is what all are compared with."""
    repeats = encoder.repeats()
    new = [
        not repeats.repeats(encoder.preprocess(np.clip(street.astype(np.int16) // 2 + n, 0, 255).astype(np.uint8))[0]) for n in range(12)
    ]
    step = Repeats((1 / 255,) * 3)
    assert not step.repeats(torch.zeros(3, 16, 16))
    assert [step.repeats(torch.full((3, 16, 16), 0.3 * n)) for n in range(1, 7)] == [True, True, False, True, True, False]
    assert sum(new) == 12  # a grey level each


def test_slides_are_encoded_once_each_and_damaged_stretches_stay(tmp_path: Path, encoder: FrameEncoder, street: np.ndarray) -> None:
    folder = tmp_path / "slides"
    folder.mkdir()
    slides = [street, street[:, ::-1], street[::-1]]
    for number in range(9):
        Image.fromarray(np.ascontiguousarray(slides[number // 3])).save(folder / f"{number}.png")
    (folder / "4.png").write_bytes(b"damaged")
    found = encode_video(open_source(folder, kind="images"), encoder, GeolocateSettings(rate_hz=None))
    assert [state for _, _, state in found.frames].count(FrameState.DAMAGED) == 1
    assert found.report.repeated == 5
    expected = np.concatenate(list(encoder.encode_images([np.ascontiguousarray(slide) for slide in slides])))
    np.testing.assert_allclose(found.features, expected[[0, 0, 0, 1, 1, 2, 2, 2]], atol=1e-5)


def test_differences_are_means_over_pixels_and_blocks() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.uniform(0, 255, (2, 3, 50, 41)).astype(np.float32)
    mean, block = differences(first, second)
    by_hand = [
        np.mean([abs(float(first[c, y, x]) - float(second[c, y, x])) for c in range(3) for y in range(i, i + 6) for x in range(j, j + 5)])
        for i in range(0, 48, 6)
        for j in range(0, 40, 5)
    ]
    assert mean == pytest.approx(np.abs(first - second).mean(), rel=1e-5)
    assert block == pytest.approx(max(by_hand), rel=1e-5)
    assert MEAN_LIMIT < BLOCK_LIMIT
