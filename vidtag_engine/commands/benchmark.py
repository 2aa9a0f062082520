"""How fast this machine does each part of the work, and which part it waits for."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from ..batch import compiled_folder
from ..feedback import Feedback
from ..grid import load_aoi, make_grid
from ..models import GeoCLIP, VidTAG, VidTAGConfig, build_frame_encoder, load_geoclip, pick_device
from ..models.frame_encoder import FRAME_ENCODER_PRESETS, FrameEncoder, batch_size_for
from ..models.openvino_backbone import CompiledBackbone
from ..search import EmbeddedGallery, top_k
from ..types import InputError
from ..video import FrameReader, open_source

_SIZE_PX, _RATE_HZ, _SECONDS = (1280, 720), 25, 8
_PART_S = 4.0  # that a part is measured for, at least once
_AREA, _STEP_M = "10.0,50.0,10.0703,50.045", 70.0  # about 5 km x 5 km, 5,000 places
_FRAMES, _KEPT = 60, 512


@dataclass(frozen=True)
class Rate:
    """One part of the work.

    Args:
        part: its name.
        value, unit: how much a second.
        frame_ms: what a sampled frame of a video takes of it, one a second being sampled; None where that hangs on the area.
        note: what was measured.
    """

    part: str
    value: float
    unit: str
    frame_ms: float | None
    note: str


@dataclass(frozen=True)
class Rates:
    """All parts.

    Args:
        preset: whose networks.
        device: that they ran on; ``threads`` of PyTorch.
        weights: "pretrained", or "random" where the pretrained ones are not here (which takes the same time).
        rates: by part.
        bound: the part that a job waits for.
        advice: what would make that part shorter.
        hour_s: seconds that an hour of such video takes at a frame a second, between decoding wholly beside the networks and not at all.
    """

    preset: str
    device: str
    threads: int
    weights: str
    rates: tuple[Rate, ...]
    bound: str
    advice: str
    hour_s: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def measure_rates(preset: str = "vidtag-compact", device: str = "auto", *, feedback: Feedback = Feedback()) -> Rates:
    """Measure each part by itself, a few seconds each, on a made clip of 1280 x 720 at 25 pictures a second.

    Args:
        preset: of the frame encoder: "vidtag-compact", "vidtag-dino-s", "vidtag-dino-b", "vidtag-l14" or "geoclip".
        device: as for geolocating.
        feedback: between the parts.

    Raises:
        InputError: an unknown preset or device.
        CancelledError: once ``feedback`` says so.
    """
    place = pick_device(device)

    def step(fraction: float, part: str) -> None:
        feedback.check()
        feedback.tell(fraction, part)

    step(0.0, "loading")
    encoder, weights = _encoder(preset, place)
    model = _model(preset).to(place).eval()
    with tempfile.TemporaryDirectory() as temporary:
        step(0.1, "decode")
        decode, images = _decode(Path(temporary) / "clip.mp4")
    step(0.3, "prepare")
    prepare = _repeated(lambda: len([encoder.preprocess(image) for image in images]))
    step(0.4, "encode")
    prepared = [encoder.preprocess(image) for image in images] * 8
    size = batch_size_for(place)
    batches = prepared[: 4 * size]
    encode = _repeated(lambda: sum(len(block) for block in encoder.encode_prepared(batches, size, feedback)))
    step(0.7, "location encoder")
    locate, search = _gallery(model, place)
    how = "OpenVINO" if any(isinstance(module, CompiledBackbone) for module in encoder.backbones) else "PyTorch"
    names = " + ".join(encoder.backbone_names)
    rates = (
        Rate("decode", decode, "s of video/s", 1e3 / decode, f"H.264, {_SIZE_PX[0]} x {_SIZE_PX[1]}, {_RATE_HZ} pictures/s"),
        Rate("prepare", prepare, "pictures/s", 1e3 / prepare, "scaled for each network"),
        Rate("encode", encode, "pictures/s", 1e3 / encode, f"{names}, {how}, batches of {size}"),
        Rate("location encoder", locate, "places/s", None, "once an area, then cached; few of a large area's"),
        Rate("search", search, "frames x places/s", None, f"every place compared, {_KEPT} kept a frame"),
    )
    bound, hour_s = _bound(rates)
    return Rates(preset, str(place), torch.get_num_threads(), weights, rates, bound, _advice(bound, preset, place.type), hour_s)


def _bound(rates: tuple[Rate, ...]) -> tuple[str, tuple[float, float]]:
    """What a job waits for, and an hour's seconds: reading runs beside the networks, but on a CPU takes its cores from them."""
    frame_ms = {rate.part: rate.frame_ms for rate in rates if rate.frame_ms is not None}
    reading = frame_ms["decode"] + frame_ms["prepare"]
    bound = "encode" if frame_ms["encode"] >= reading else max(("decode", "prepare"), key=lambda part: frame_ms[part])
    return bound, (round(3.6 * max(reading, frame_ms["encode"]), 1), round(3.6 * (reading + frame_ms["encode"]), 1))


def _advice(bound: str, preset: str, device: str) -> str:
    """What a user can do about the part that a job waits for."""
    if bound != "encode":
        return "Videos of fewer pixels are read faster; --from and --to leave out what is not needed."
    means = ["fewer frames a second (--fps)"]
    if preset != "vidtag-compact":
        means.append("a checkpoint of the preset vidtag-compact")
    if device == "cpu":
        means.append("a graphics card (--device cuda or mps)")
    return f"Shorter with {' or '.join(means)}."


def _encoder(preset: str, place: torch.device) -> tuple[FrameEncoder, str]:
    """The preset's networks as a job runs them; with random weights where the pretrained are not here, and then in PyTorch: no translation is kept of these."""
    if preset not in FRAME_ENCODER_PRESETS:
        raise InputError(f"Preset {preset!r} is not known: give one of {', '.join(FRAME_ENCODER_PRESETS)}.")
    try:
        encoder, weights = build_frame_encoder(preset, place, compiled_folder=compiled_folder()), "pretrained"
    except InputError:
        encoder, weights = build_frame_encoder(preset, place, weights="random"), "random"
    encoder.compile_backbones()
    return encoder, weights


def _model(preset: str) -> VidTAG | GeoCLIP:
    """A model of the preset's sizes: GeoCLIP as it is, VidTAG untrained."""
    return load_geoclip() if preset == "geoclip" else VidTAG(VidTAGConfig.preset(preset, sigma="city"))


def _decode(clip: Path) -> tuple[float, list[Any]]:
    """Seconds of video read a second, a picture a second being taken, and the pictures."""
    _write_clip(clip)
    info = open_source(clip)
    images: list[Any] = []

    def once() -> int:
        with FrameReader(info, rate_hz=1.0) as reader:
            images[:] = [frame.image for frame in reader if frame.image is not None]
        return _SECONDS

    return _repeated(once), images


def _write_clip(path: Path) -> None:
    """A window moving over coloured noise, so that motion compensation has work to do."""
    width, height = _SIZE_PX
    rng = np.random.default_rng(0)
    ground = np.kron(rng.integers(0, 235, (56, 94, 3), dtype=np.uint8), np.ones((16, 16, 1), np.uint8))
    ground += rng.integers(0, 20, ground.shape, dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE_HZ)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "veryfast", "g": str(4 * _RATE_HZ)}
        for number in range(_SECONDS * _RATE_HZ):
            left, top = number % 200, number % 150
            picture = np.ascontiguousarray(ground[top : top + height, left : left + width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _gallery(model: VidTAG | GeoCLIP, place: torch.device) -> tuple[float, float]:
    """Places embedded a second, and comparisons of frames with places a second."""
    grid = make_grid(load_aoi(_AREA), _STEP_M)
    gallery = EmbeddedGallery(model, grid, place, weights_sha256="", cache_dir=None)
    started = time.perf_counter()
    gallery.prepare()
    locate = grid.count / (time.perf_counter() - started)
    queries = F.normalize(torch.randn(_FRAMES, gallery.dim, generator=torch.Generator().manual_seed(0)), dim=1)

    def once() -> int:
        top_k(queries, gallery, _KEPT)
        return _FRAMES * grid.count

    return locate, _repeated(once)


def _repeated(work: Callable[[], int]) -> float:
    """How much is done a second: once to warm up, then over and over for a while."""
    work()
    done, started = 0, time.perf_counter()
    while True:
        done += work()
        spent = time.perf_counter() - started
        if spent >= _PART_S:
            return done / spent
