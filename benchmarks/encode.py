"""Encoding on a CPU: our frame encoder and other ways to run its backbones, against timm and open_clip run eagerly in float32.

The pictures are of the demo drive (rendered, which int8 is calibrated on, other frames of it) and of a clip of moving noise that nothing is calibrated
on; ``min_cosine`` is over both. All sides get the same prepared pictures and batches; the peer has all threads and timm's own memory layout, all ways of
ours run batches side by side on as many threads together. Rounds of all of them in turn in one process; each round's ratio to the peer, of which the
median is given.

``ways`` has them all for the compact preset; ``speedup_compact`` and ``min_cosine`` are of the one that is shipped (``openvino``). The ViT-L/14 pair has
random weights and few pictures: ``speedup_l14`` is of what is shipped (eager float32), ``ways_l14`` what else there is.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from vidtag_engine.models.backbones import BACKBONES
from vidtag_engine.models.frame_encoder import FRAME_ENCODER_PRESETS, FrameEncoder, batch_size_for, build_frame_encoder
from vidtag_engine.video import FrameReader, open_source

from .clips import make_clip
from .encode_ways import LARGE_WAYS, WAYS, build
from .isles_world import ROOT, RUNS

TITLE = "encode: backbones on the CPU, ours and others against eager timm and open_clip (float32)"
FRAMES, CALIBRATION, ROUNDS = 60, 32, 3
LARGE_FRAMES = 2
SHIPPED = "openvino"
DEMO = ROOT / "resources" / "demo" / "drive.mp4"
Prepared = list[tuple[Tensor, ...]]


def run(seed: int = 0, *, world: Path | None = None, store: Path | None = None) -> dict[str, Any]:
    """Measure.

    Args:
        seed: of the clip, and of the sample of drives.
        world: a rendered world of the isles, for ``a1km_loss``; without it that key is left out.
        store: folder of the isles' trainings; what is not there is trained.
    """
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        result = _compact(work, seed) | _large(work)
    if world is not None:
        from .encode_isles import a1km_loss

        result |= a1km_loss(world, store or RUNS, seed)
    return result


def _compact(work: Path, seed: int) -> dict[str, Any]:
    make_clip(work / "clip.mp4", width_px=640, height_px=480, seconds=FRAMES // 4, rate_hz=8, seed=seed)
    ours = build_frame_encoder("vidtag-compact", compiled_folder=work)
    drive = _prepared(ours, DEMO)
    calibration, prepared = drive[::4][:CALIBRATION], drive[2::4][: FRAMES // 2] + _prepared(ours, work / "clip.mp4")[: FRAMES // 2]
    translate_s = _seconds(ours.compile_backbones)
    load_s = _seconds(lambda: build_frame_encoder("vidtag-compact", compiled_folder=work))
    ways, build_s, failed = {SHIPPED: ours}, {}, {}
    for way in WAYS:
        if way == SHIPPED:
            continue
        started = time.perf_counter()
        try:
            ways[way] = _in(way, "vidtag-compact", calibration, work / way)
        except Exception as error:  # noqa: BLE001 - a peer that does not run here is told, and the others are measured
            failed[way] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        build_s[way] = round(time.perf_counter() - started, 1)
    found = _side_by_side(ways, _peer("vidtag-compact", "pretrained"), prepared, ROUNDS)
    return {
        "speedup_compact": found[SHIPPED]["speedup"],
        "min_cosine": found[SHIPPED]["min_cosine"],
        "ours_ms": found[SHIPPED]["ms"],
        "timm_ms": found["peer"]["ms"],
        "translate_s": round(translate_s, 2),
        "load_s": round(load_s, 2),
        "ways": {way: {**row, **({"build_s": build_s[way]} if way in build_s else {})} for way, row in found.items()} | failed,
        "frames": len(prepared),
        "threads": torch.get_num_threads(),
    }


def _large(work: Path) -> dict[str, Any]:
    """The paper's backbones, one after the other: two of them in several forms would not fit a small machine's memory."""
    whole: dict[str, list[float]] = {}
    cosine: dict[str, float] = {}
    for name in FRAME_ENCODER_PRESETS["vidtag-l14"].backbones:
        torch.manual_seed(0)
        module, _ = BACKBONES[name].build("random")
        module.eval().requires_grad_(False)
        size = BACKBONES[name].size_px
        generator = torch.Generator().manual_seed(0)
        coarse = torch.randn(LARGE_FRAMES, 3, 14, 14, generator=generator)
        prepared: list[tuple[torch.Tensor, ...]] = [(picture,) for picture in F.interpolate(coarse, (size, size), mode="bicubic")]
        ways: dict[str, Callable[[], FrameEncoder]] = {"shipped": lambda: _encoder({name: module})}  # noqa: B023 - called below
        for way in LARGE_WAYS:
            ways[way] = lambda way=way: _encoder({name: WAYS[way](module, [p for (p,) in prepared], work / f"{name}-{way}")})  # type: ignore[misc]  # noqa: B023
        for way, make in ways.items():
            (work / f"{name}-{way}").mkdir(parents=True, exist_ok=True)
            found = _side_by_side({way: make()}, [module], prepared, 1)
            whole.setdefault(way, []).append(found[way]["ms"])
            whole.setdefault(f"{way} peer", []).append(found["peer"]["ms"])
            cosine[way] = min(cosine.get(way, 1.0), found[way]["min_cosine"])
    rows = {
        way: {
            "ms": round(sum(whole[way]), 1),
            "speedup": round(sum(whole[f"{way} peer"]) / sum(whole[way]), 2),
            "min_cosine": cosine[way],
        }
        for way in cosine
    }
    return {"speedup_l14": rows["shipped"]["speedup"], "ways_l14": rows}


def _in(way: str, preset: str, calibration: Prepared, work: Path) -> FrameEncoder:
    """The frame encoder with its backbones run in a way."""
    names = FRAME_ENCODER_PRESETS[preset].backbones
    return _encoder({name: build(way, name, [p[number] for p in calibration], work / name) for number, name in enumerate(names)})


def _encoder(modules: dict[str, nn.Module]) -> FrameEncoder:
    return FrameEncoder(modules, dict.fromkeys(modules, "benchmark"))


def _peer(preset: str, weights: Any) -> list[nn.Module]:
    """The backbones as timm and open_clip give them, without our memory layout."""
    return [BACKBONES[name].build(weights)[0].eval() for name in FRAME_ENCODER_PRESETS[preset].backbones]


def _side_by_side(ways: dict[str, FrameEncoder], peer: list[nn.Module], prepared: Prepared, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds a picture, speed-up and smallest cosine against the peer, of each way and of the ``peer``."""
    spent: dict[str, list[float]] = {way: [] for way in ("peer", *ways)}
    cosine = dict.fromkeys(ways, 1.0)
    for number in range(rounds + 1):  # the first is a warm-up
        started = time.perf_counter()
        expected = _encode(peer, prepared)
        spent["peer"].append(time.perf_counter() - started)
        for way, encoder in ways.items():
            started = time.perf_counter()
            features = np.concatenate(list(encoder.encode_prepared(prepared)))
            spent[way].append(time.perf_counter() - started)
            if number == 0:
                cosine[way] = float((features * expected).sum(axis=1).min())
    seconds = {way: np.array(each[1:]) for way, each in spent.items()}
    return {
        way: {
            "ms": round(1e3 * float(np.median(each)) / len(prepared), 2),
            "speedup": round(float(np.median(seconds["peer"] / each)), 2),
            "min_cosine": round(cosine.get(way, 1.0), 7),
        }
        for way, each in seconds.items()
    }


def _prepared(encoder: FrameEncoder, path: Path) -> Prepared:
    with FrameReader(open_source(path), rate_hz=None) as reader:
        return [encoder.preprocess(frame.image) for frame in reader if frame.image is not None]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@torch.inference_mode()
def _encode(modules: list[nn.Module], prepared: Prepared) -> np.ndarray:
    size = batch_size_for(torch.device("cpu"))
    found = []
    for start in range(0, len(prepared), size):
        batches = (torch.stack(parts) for parts in zip(*prepared[start : start + size], strict=True))
        found.append(F.normalize(torch.cat([module(batch) for module, batch in zip(modules, batches, strict=True)], dim=-1), dim=-1))
    features: np.ndarray = torch.cat(found).numpy()
    return features
