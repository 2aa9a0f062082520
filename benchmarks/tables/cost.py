"""What a method costs: multiply-adds, parameters, seconds."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.baselines import FrameClassifier
from vidtag_engine.models.backbones import BACKBONES
from vidtag_engine.models.frame_encoder import FrameEncoder
from vidtag_engine.models.vidtag import VidTAG

from .store import Entry, Store

_TIMED_FRAMES = 24


def backbone_encoder(names: tuple[str, ...]) -> FrameEncoder:
    """Backbones with random weights: cost does not depend on them."""
    return FrameEncoder({name: BACKBONES[name].build("random")[0] for name in names}, dict.fromkeys(names, "random"))


def backbone_cost(names: tuple[str, ...], store: Store) -> dict[str, float]:
    """``macs`` and ``parameters`` of a frame's backbones, and ``seconds`` a frame takes here, from picture to features; measured once."""
    specification = {"backbone_cost": names, "threads": torch.get_num_threads()}
    entry = store.get(specification)
    if entry is None:
        encoder = backbone_encoder(names)
        rng = np.random.default_rng(0)
        pictures = [rng.integers(0, 255, (336, 448, 3), dtype=np.uint8) for _ in range(_TIMED_FRAMES)]
        list(encoder.encode_images(pictures[:4]))
        started = time.perf_counter()
        list(encoder.encode_images(pictures))
        seconds = (time.perf_counter() - started) / len(pictures)
        batch = tuple(part[None] for part in encoder.preprocess(pictures[0]))
        with FlopCounterMode(display=False) as counter:
            encoder(batch)
        parameters = sum(parameter.numel() for parameter in encoder.parameters())
        entry = Entry({"macs": counter.get_total_flops() / 2, "parameters": parameters, "seconds": seconds})
        store.put(specification, entry)
    return {name: float(value) for name, value in entry.values.items()}


@torch.inference_mode()
def head_macs(model: torch.nn.Module, feature_dim: int, points: int, frames: int = 16) -> float:
    """Multiply-adds a frame of everything after the backbones: the head, and comparing with the points of a gallery whose embeddings are kept.

    Args:
        model: VidTAG (with or without its parts) or a classifier.
        feature_dim: D.
        points: of the gallery.
        frames: of the video.
    """
    features = torch.randn(frames, feature_dim)
    with FlopCounterMode(display=False) as counter:
        if isinstance(model, FrameClassifier):
            model.log_probabilities(features)
        elif isinstance(model, VidTAG):
            found = model.embed_video(features)
            if model.has_refiner:
                model.refine_video(model.embed_locations(torch.zeros(frames, 2, dtype=torch.float64)), model.video_context(features, found))
    macs = counter.get_total_flops() / 2 / frames
    if isinstance(model, VidTAG):
        macs += points * model.config.embedding_dim * (2 if model.has_refiner else 1)
    return macs
