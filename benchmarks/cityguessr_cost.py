"""What a guess and a training step cost, each beside the same work without CityGuessr in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from vidtag_engine.guessing import guess_city, load_cities
from vidtag_engine.inference.encode import encode_video
from vidtag_engine.models.city_net import CityNet, CityNetConfig
from vidtag_engine.models.cityguessr import CityGuessrConfig, cityguessr_loss
from vidtag_engine.models.videomae import FEATURE_DIM, FRAMES, SIZE_PX
from vidtag_engine.settings import GeolocateSettings
from vidtag_engine.video import open_source

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "resources" / "demo"
COUNTS = (166, 157, 91, 6)  # of CityGuessr68k
BATCH, PAIRS, STEPS = 12, 7, 2


def guess_ratio() -> dict[str, Any]:
    """A warm guess of the demo's drive, of sixty frames, beside encoding its frames alone, in pairs."""
    settings = GeolocateSettings(rate_hz=60 / 39.0)  # so that there are sixty frames
    loaded = load_cities(DEMO / "cities")
    loaded = replace(loaded, card=replace(loaded.card, rate_hz=settings.rate_hz))
    assert loaded.encoder is not None
    encoder, video = loaded.encoder, DEMO / "drive.mp4"
    info = open_source(video)

    def alone() -> None:
        encode_video(info, encoder, settings)

    def whole() -> None:
        guess_city([video], loaded)

    frames = len(encode_video(info, encoder, settings).features)
    alone()
    whole()
    ratios = []
    for _ in range(PAIRS):
        first, second = _seconds(alone), _seconds(whole)
        ratios.append(second / first)
    return {"guess_ratio": round(statistics.median(ratios), 3), "guess_frames": frames}


def step_ratio() -> dict[str, Any]:
    """A training step at full size (VideoMAE-S, batch 12, random weights) beside the same encoder with a plain linear head a level, through transformers alone."""
    torch.manual_seed(0)
    videos = torch.randn(BATCH, FRAMES, 3, SIZE_PX, SIZE_PX)
    labels = torch.stack([torch.randint(count, (BATCH,)) for count in COUNTS], dim=1)
    scene, text = torch.rand(BATCH, 16).softmax(dim=1), functional.normalize(torch.randn(BATCH, 512), dim=1)
    config = CityNetConfig(encoder="videomae-s", head=CityGuessrConfig(counts=COUNTS, feature_dim=FEATURE_DIM, text_dim=512))
    ours = CityNet(config, "random").train()
    optimiser = torch.optim.Adam(ours.parameters(), lr=1e-3)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        cityguessr_loss(ours(videos), labels, scene, text).backward()
        optimiser.step()

    plain = _plain()
    heads = nn.ModuleList(nn.Linear(FEATURE_DIM, count) for count in COUNTS)
    other = torch.optim.Adam([*plain.parameters(), *heads.parameters()], lr=1e-3)

    def bare() -> None:
        other.zero_grad(set_to_none=True)
        feature = plain(videos).last_hidden_state.mean(dim=1)
        sum(functional.cross_entropy(head(feature), labels[:, level]) for level, head in enumerate(heads)).backward()  # type: ignore[union-attr]
        other.step()

    bare()
    step()
    times = [(_seconds(bare), _seconds(step)) for _ in range(STEPS)]
    return {
        "cityguessr_steps_s": round(statistics.median(second for _, second in times), 2),
        "transformers_steps_s": round(statistics.median(first for first, _ in times), 2),
        "cityguessr_steps_ratio": round(statistics.median(second / first for first, second in times), 3),
    }


def _plain() -> Any:
    from transformers import VideoMAEConfig, VideoMAEModel

    return VideoMAEModel(
        VideoMAEConfig(
            image_size=SIZE_PX, num_frames=FRAMES, hidden_size=FEATURE_DIM, num_hidden_layers=12, num_attention_heads=6,
            intermediate_size=4 * FEATURE_DIM,
        )
    ).train()  # fmt: skip


def _seconds(work: Callable[[], object]) -> float:
    since = time.perf_counter()
    work()
    return time.perf_counter() - since
