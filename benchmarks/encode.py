"""Encoding on a CPU: our frame encoder against its backbones as timm gives them, run eagerly in float32 on the same prepared pictures.

Three rounds of both in turn in one process, the networks' translation made before. The peer gets all threads and the same batches, in the memory
layout that timm gives by default. ``speedup_compact`` is the median of the pairs' ratios; ``min_cosine`` the smallest cosine between the two
features of a picture. A ViT-L/14 is not translated (OpenVINO makes ViTs slower), so both sides of it are the same code.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from torch.nn import functional as F  # noqa: N812

from vidtag_engine.models.backbones import BACKBONES
from vidtag_engine.models.frame_encoder import batch_size_for, build_frame_encoder
from vidtag_engine.video import FrameReader, open_source

from .clips import make_clip

TITLE = "encode: the compact preset's backbones against eager timm, on the CPU (120 pictures, float32)"
FRAMES, ROUNDS = 120, 3


def run(seed: int = 0) -> dict[str, Any]:
    """Measure; keys ``speedup_compact``, ``min_cosine``, ``ours_ms``, ``timm_ms`` (a picture), ``translate_s``, ``load_s``."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        make_clip(work / "clip.mp4", width_px=640, height_px=480, seconds=FRAMES // 4, rate_hz=8, seed=seed)
        ours = build_frame_encoder("vidtag-compact", compiled_folder=work)
        peer = [_as_timm_gives_it(name) for name in ours.backbone_names]
        with FrameReader(open_source(work / "clip.mp4"), rate_hz=4.0) as reader:
            prepared = [ours.preprocess(frame.image) for frame in reader if frame.image is not None]
        started = time.perf_counter()
        ours.compile_backbones()
        translate_s = time.perf_counter() - started
        fresh = build_frame_encoder("vidtag-compact", compiled_folder=work)
        started = time.perf_counter()
        fresh.compile_backbones()
        load_s = time.perf_counter() - started
        ours_s, timm_s, cosine = [], [], 1.0
        for number in range(ROUNDS + 1):  # the first is a warm-up
            started = time.perf_counter()
            features = np.concatenate(list(ours.encode_prepared(prepared)))
            between = time.perf_counter()
            expected = _encode(peer, prepared)
            if number:
                ours_s.append(between - started)
                timm_s.append(time.perf_counter() - between)
            cosine = min(cosine, float((features * expected).sum(axis=1).min()))
    return {
        "speedup_compact": round(float(np.median(np.array(timm_s) / np.array(ours_s))), 2),
        "min_cosine": round(cosine, 7),
        "ours_ms": round(1e3 * float(np.median(ours_s)) / len(prepared), 2),
        "timm_ms": round(1e3 * float(np.median(timm_s)) / len(prepared), 2),
        "translate_s": round(translate_s, 2),
        "load_s": round(load_s, 2),
        "frames": len(prepared),
        "threads": torch.get_num_threads(),
    }


def _as_timm_gives_it(name: str) -> torch.nn.Module:
    """The backbone without our memory layout."""
    module, _ = BACKBONES[name].build("pretrained")
    assert isinstance(module, timm.models.EfficientNet)
    return module.eval()


@torch.inference_mode()
def _encode(modules: list[torch.nn.Module], prepared: list[tuple[torch.Tensor, ...]]) -> np.ndarray:
    size = batch_size_for(torch.device("cpu"))
    found = []
    for start in range(0, len(prepared), size):
        batches = (torch.stack(parts) for parts in zip(*prepared[start : start + size], strict=True))
        found.append(F.normalize(torch.cat([module(batch) for module, batch in zip(modules, batches, strict=True)], dim=-1), dim=-1))
    features: np.ndarray = torch.cat(found).numpy()
    return features
