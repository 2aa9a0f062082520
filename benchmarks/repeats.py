"""Frames that show what the last one showed are not encoded again: is the limit right?

Pictures of the demo drive (rendered) stood still, passed by cars of several sizes, and slowly driven towards, with a sensor's noise at 448 x 336 and at
three times that, compressed with x264. Every picture is compared with its clip's first one: by the limit, and by the cosine of the two features.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from vidtag_engine.batch import compiled_folder
from vidtag_engine.models.frame_encoder import build_frame_encoder
from vidtag_engine.video import FrameReader, open_source
from vidtag_engine.video.near_duplicates import BLOCK_LIMIT, MEAN_LIMIT, differences

from .encode import DEMO

TITLE = "repeats: frames taken for the same as the last encoded one, and how far their features are from their own (cosine)"
_STARTS, _PICTURES = (0, 60, 120), 8
_NOISE, _CRF = (1.0, 3.0, 6.0), (23, 32)
_CARS, _CREEPS = (0.03, 0.06, 0.12, 0.25), (0.001, 0.003, 0.01, 0.03)
Clip = tuple[str, list[np.ndarray], int]


def run(seed: int = 0) -> dict[str, Any]:
    """Keys ``min_cosine`` (of pictures taken for the same), ``lowest_mean_below_099`` and, by what happens, the share taken for the same."""
    encoder = build_frame_encoder("vidtag-compact", compiled_folder=compiled_folder())
    encoder.compile_backbones()
    rng = np.random.default_rng(seed)
    rows: list[tuple[str, float, float, float]] = []
    with tempfile.TemporaryDirectory() as temporary, FrameReader(open_source(DEMO), rate_hz=None) as reader:
        scenes = [frame.image for frame in reader if frame.index in _STARTS and frame.image is not None]
        for name, pictures, crf in _clips(scenes, rng):
            seen = _compressed(pictures, crf, Path(temporary) / "clip.mp4")
            prepared = [encoder.preprocess(picture) for picture in seen]
            features = np.concatenate(list(encoder.encode_prepared(prepared)))
            levels = [(picture[0] * 128.0).numpy() for picture in prepared]
            rows += [(name, *differences(levels[n], levels[0]), float(features[n] @ features[0])) for n in range(1, len(seen))]
    same = [row for row in rows if row[1] <= MEAN_LIMIT and row[2] <= BLOCK_LIMIT]
    kinds = sorted({row[0] for row in rows})
    return {
        "min_cosine": round(min(row[3] for row in same), 5),
        "median_cosine": round(float(np.median([row[3] for row in same])), 5),
        "lowest_mean_below_099": round(min((row[1] for row in rows if row[3] < 0.99), default=float("nan")), 3),
        "taken_for_the_same": {kind: _share(kind, rows, same) for kind in kinds},
        "median_mean_difference": {kind: round(float(np.median([row[1] for row in rows if row[0] == kind])), 2) for kind in kinds},
        "pairs": len(rows),
        "rows": [[row[0], *(round(value, 4) for value in row[1:])] for row in rows],
    }


def _share(kind: str, rows: list[tuple[str, float, float, float]], same: list[tuple[str, float, float, float]]) -> float:
    return round(sum(row[0] == kind for row in same) / sum(row[0] == kind for row in rows), 3)


def _clips(scenes: list[np.ndarray], rng: np.random.Generator) -> Iterator[Clip]:
    for small in scenes:
        large = np.asarray(Image.fromarray(small).resize((small.shape[1] * 3, small.shape[0] * 3), Image.Resampling.BICUBIC))
        for scene, size in ((small, "448"), (large, "1344")):
            for noise in _NOISE:
                for crf in _CRF:
                    yield f"standing {size} noise {noise:g} crf {crf}", [_noisy(scene, noise, rng) for _ in range(_PICTURES)], crf
        for car in _CARS:
            yield f"car {car:g}", [_noisy(_with_car(small, car, number), 1.0, rng) for number in range(_PICTURES)], 26
        for creep in _CREEPS:
            yield f"creep {creep:g}", [_noisy(nearer(small, creep * number), 1.0, rng) for number in range(_PICTURES)], 26


def _noisy(picture: np.ndarray, levels: float, rng: np.random.Generator) -> np.ndarray:
    return np.clip(picture + rng.normal(0, levels, picture.shape), 0, 255).astype(np.uint8)


def _with_car(picture: np.ndarray, share: float, number: int) -> np.ndarray:
    """A red box as wide as a share of the picture, crossing it."""
    height, width = picture.shape[:2]
    result = picture.copy()
    left, top = int(width * (0.05 + 0.08 * number)), int(height * 0.6)
    result[top : top + int(width * share * 0.5), left : left + int(width * share)] = (200, 30, 30)
    return result


def nearer(picture: np.ndarray, share: float) -> np.ndarray:
    """The same scene seen from ahead by a share of its distance."""
    height, width = picture.shape[:2]
    wide, high = width / (1 + share), height / (1 + share)
    box = ((width - wide) / 2, (height - high) / 2, (width + wide) / 2, (height + high) / 2)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC, box=box))


def _compressed(pictures: list[np.ndarray], crf: int, path: Path) -> list[np.ndarray]:
    """The pictures as they come out of an H.264 file with two groups of pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=4)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.options = "yuv420p", {"crf": str(crf), "preset": "veryfast", "g": str(_PICTURES // 2)}
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode(None))
    with FrameReader(open_source(path), rate_hz=None) as reader:
        return [frame.image for frame in reader if frame.image is not None]
