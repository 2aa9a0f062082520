"""What the whole job costs beside its two backbones alone: decoding, preparing pictures, TempGeo, the gallery, retrieval and writing."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from vidtag_engine.batch import compiled_folder
from vidtag_engine.geolocation import geolocate
from vidtag_engine.grid import load_aoi, make_grid
from vidtag_engine.models import VidTAG, VidTAGConfig
from vidtag_engine.models.checkpoint import CheckpointCard, save_pretrained
from vidtag_engine.models.frame_encoder import FrameEncoder, batch_size_for, build_frame_encoder
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.video import FrameReader, open_source

from .clips import make_clip

TITLE = "Overhead: the whole job (60 frames, 40,000 points not cached) over its two backbones alone"
AOI = "10.0,50.0,10.0703,50.045"  # about 5 km x 5 km
RESOLUTION_M = 25.0
ROUNDS = 5


def run(seed: int = 0) -> dict[str, Any]:
    """Time both, in turn, and give the median of the pairs' ratios. Loading the checkpoint counts; imports do not."""
    return measure(seed)


def measure(seed: int, *, cached: bool = False, translated: bool = False, rounds: int = ROUNDS) -> dict[str, Any]:
    """The whole job against the networks alone, in turn, after a round to warm up.

    Args:
        seed: of the clip and the weights.
        cached: the gallery's embeddings are found in the cache, and the networks alone run as the job runs them: batches side by side.
            Without it the gallery is new each time, and the networks alone take one batch after the other with all threads.
        translated: both sides in OpenVINO instead of PyTorch; loading that belongs to the job.
        rounds: pairs.
    """
    area = load_aoi(AOI)
    # A cache of its own: whether this user's backbones have been translated before must not matter.
    with tempfile.TemporaryDirectory() as temporary, mock.patch.dict(os.environ, {"VIDTAG_CACHE": temporary}):
        work = Path(temporary)
        make_clip(work / "clip.mp4", width_px=640, height_px=480, seconds=60, rate_hz=25, seed=seed)
        torch.manual_seed(seed)
        card = CheckpointCard(name="random", preset="vidtag-compact")
        save_pretrained(VidTAG(VidTAGConfig.preset("vidtag-compact", sigma="city")), work / "checkpoint", card)
        encoder = build_frame_encoder("vidtag-compact", compiled_folder=compiled_folder() if translated else None)
        if translated:
            encoder.compile_backbones()  # which leaves the translation for the job to find
        with FrameReader(open_source(work / "clip.mp4"), rate_hz=1.0) as reader:
            started = time.perf_counter()
            prepared = [encoder.preprocess(frame.image) for frame in reader if frame.image is not None]
            reading_s = time.perf_counter() - started
        whole, alone, parts = [], [], []
        for number in range(rounds + 1):
            started = time.perf_counter()
            batch = geolocate(
                [work / "clip.mp4"],
                area,
                str(work / "checkpoint"),
                work / f"{number}.gpkg",
                GeolocateSettings(resolution_m=RESOLUTION_M, device="cpu"),
                cache_dir=work / ("cache" if cached else f"cache{number}"),
            )
            whole.append(time.perf_counter() - started)
            # Decoding runs beside the networks: its seconds are not part of the sum.
            summed = sum(seconds for part, seconds in batch.seconds.items() if part != "decode")
            parts.append({**batch.seconds, "load and rest": whole[-1] - summed})
            alone.append(_side_by_side(encoder, prepared) if cached else _one_by_one(encoder, prepared))
    ratios = np.array(whole[1:]) / np.array(alone[1:])
    share = {name: round(float(np.median([p[name] / w for p, w in zip(parts[1:], whole[1:], strict=True)])), 4) for name in parts[-1]}
    return {
        "ratio": round(float(np.median(ratios)), 3),
        "ratio_of_fastest": round(min(whole[1:]) / min(alone[1:]), 3),  # what a machine with nothing else to do would show
        "decode_share": share["decode"],
        "whole_s": round(float(np.median(whole[1:])), 2),
        "backbones_s": round(float(np.median(alone[1:])), 2),
        # What decoding and preparing take by themselves: where the networks leave no core idle, no job can have a smaller ratio.
        "reading_s": round(reading_s, 2),
        "least_ratio": round(1.0 + reading_s / float(np.median(alone[1:])), 3),
        "gallery_points": make_grid(area, RESOLUTION_M).count,
        "frames": len(prepared),
        "share": share,
    }


def _one_by_one(encoder: FrameEncoder, prepared: list[tuple[torch.Tensor, ...]]) -> float:
    """Seconds of the networks on pictures that are ready, a batch at a time."""
    size = batch_size_for(encoder.device)
    batches = [tuple(torch.stack(p) for p in zip(*prepared[i : i + size], strict=True)) for i in range(0, len(prepared), size)]
    started = time.perf_counter()
    for batch in batches:
        encoder(batch)
    return time.perf_counter() - started


def _side_by_side(encoder: FrameEncoder, prepared: list[tuple[torch.Tensor, ...]]) -> float:
    """The same as the job runs them."""
    started = time.perf_counter()
    for _ in encoder.encode_prepared(prepared):
        pass
    return time.perf_counter() - started
