"""Dual frame encoder (paper 3.1): frozen backbones side by side, their answers concatenated and unit-normalised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..types import CancelCheck, CancelledError, FloatArray, InputError
from .backbones import BACKBONES, BackboneSpec, Weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray


def batch_size_for(device: torch.device) -> int:
    """Pictures encoded at once where nobody says: what suits the device."""
    return _BATCH.get(device.type, 4)


@dataclass(frozen=True)
class FrameEncoderPreset:
    """Backbones in the order of concatenation; whether the answer is unit-normalised (GeoCLIP's image MLP wants CLIP's own scale)."""

    backbones: tuple[str, ...]
    unit_norm: bool


FRAME_ENCODER_PRESETS: dict[str, FrameEncoderPreset] = {
    "vidtag-l14": FrameEncoderPreset(("clip-vit-l14", "dinov2-vit-l14"), unit_norm=True),
    "vidtag-compact": FrameEncoderPreset(("efficientnet-lite0", "efficientnet-lite2"), unit_norm=True),
    "geoclip": FrameEncoderPreset(("clip-vit-l14",), unit_norm=False),
}
# Frames a forward pass. Larger ones gain nothing on a CPU and cost memory.
_BATCH = {"cuda": 32, "mps": 8, "cpu": 4}


class FrameEncoder(nn.Module):
    """Frozen backbones: pictures in, one feature vector a picture out.

    Args:
        modules: by name, in the order of concatenation.
        sources: by name, where the weights come from.
        unit_norm: whether ``forward`` normalises.
    """

    def __init__(self, modules: dict[str, nn.Module], sources: dict[str, str], *, unit_norm: bool = True) -> None:
        super().__init__()
        self.backbone_names = tuple(modules)
        self.weights_source = dict(sources)
        self.unit_norm = unit_norm
        # channels_last makes convolutions a fifth faster on a CPU and leaves a ViT as it is.
        self.backbones = nn.ModuleList(modules.values()).to(memory_format=torch.channels_last)
        self.requires_grad_(False)
        self.eval()

    @property
    def feature_dim(self) -> int:
        """Width of ``forward``'s answer."""
        return sum(spec.feature_dim for spec in self._specs)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def _specs(self) -> list[BackboneSpec]:
        return [BACKBONES[name] for name in self.backbone_names]

    def train(self, mode: bool = True) -> FrameEncoder:  # noqa: ARG002
        """Stays in evaluation mode: the backbones are frozen (paper 3.1), their batch statistics too."""
        super().train(False)
        return self

    def preprocess(self, image: NDArray[np.uint8]) -> tuple[Tensor, ...]:
        """One picture, ready for each backbone.

        Shorter side to the backbone's size (bicubic, antialiased) and centre crop, or the whole picture squeezed; then the backbone's mean and deviation.

        Args:
            image: (H,W,3) uint8 RGB, upright.

        Returns:
            One (3,h,w) float32 tensor a backbone.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise ValueError(f"a picture is (H, W, 3) uint8, not {image.shape} {image.dtype}")
        picture = Image.fromarray(image)
        return tuple(_prepare(picture, spec) for spec in self._specs)

    @torch.no_grad()
    def forward(self, batches: tuple[Tensor, ...]) -> Tensor:
        """Features of a batch: one (N,3,h,w) tensor a backbone in, (N, feature_dim) float32 out. bf16 on CUDA, fp32 elsewhere."""
        device = self.device
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            parts = [
                module(batch.to(device, memory_format=torch.channels_last)).float()
                for module, batch in zip(self.backbones, batches, strict=True)
            ]
        features = torch.cat(parts, dim=-1)
        return F.normalize(features, dim=-1) if self.unit_norm else features

    def encode_images(
        self, images: Iterable[NDArray[np.uint8]], batch_size: int | None = None, cancelled: CancelCheck | None = None
    ) -> Iterator[FloatArray]:
        """Features of any number of pictures, a batch at a time.

        Args:
            images: (H,W,3) uint8 RGB; taken one by one, never more than a batch is held.
            batch_size: None: what suits the device.
            cancelled: asked before every batch.

        Yields:
            (n, feature_dim) float32.

        Raises:
            CancelledError: once ``cancelled`` says so.
        """
        size = batch_size or batch_size_for(self.device)
        waiting: list[tuple[Tensor, ...]] = []
        for image in images:
            waiting.append(self.preprocess(image))
            if len(waiting) == size:
                yield self._encode(waiting, cancelled)
                waiting = []
        if waiting:
            yield self._encode(waiting, cancelled)

    def _encode(self, prepared: list[tuple[Tensor, ...]], cancelled: CancelCheck | None) -> FloatArray:
        if cancelled is not None and cancelled():
            raise CancelledError
        features: FloatArray = self.forward(tuple(torch.stack(parts) for parts in zip(*prepared, strict=True))).cpu().numpy()
        return features


def _prepare(picture: Image.Image, spec: BackboneSpec) -> Tensor:
    """Resize and crop in one step, to the same pixels as resize-then-crop; or squeeze, where the backbone takes the picture whole."""
    size, (width, height) = spec.size_px, picture.size
    box = None
    if not spec.whole:
        short = min(width, height)
        across, down = (size * width // short, size * height // short)
        left, top = (across - size) // 2, (down - size) // 2
        box = (left * width / across, top * height / down, (left + size) * width / across, (top + size) * height / down)
    pixels = torch.from_numpy(np.array(picture.resize((size, size), Image.Resampling.BICUBIC, box=box)))
    scaled = (pixels.permute(2, 0, 1).float() / 255.0 - torch.tensor(spec.mean)[:, None, None]) / torch.tensor(spec.std)[:, None, None]
    return scaled.contiguous()


def build_frame_encoder(preset: str, device: torch.device | str = "cpu", *, weights: Weights = "pretrained") -> FrameEncoder:
    """The frame encoder of a preset.

    Args:
        preset: "vidtag-l14", "vidtag-compact" or "geoclip".
        device: where it runs.
        weights: "random" only for tests of shapes and cost.

    Raises:
        InputError: for an unknown preset, and where weights cannot be had (the sentence says where to put the file).
    """
    if preset not in FRAME_ENCODER_PRESETS:
        raise InputError(f"Preset {preset!r} is not known: give one of {', '.join(FRAME_ENCODER_PRESETS)}.")
    chosen = FRAME_ENCODER_PRESETS[preset]
    built = {name: BACKBONES[name].build(weights) for name in chosen.backbones}
    encoder = FrameEncoder(
        {name: module for name, (module, _) in built.items()},
        {name: source for name, (_, source) in built.items()},
        unit_norm=chosen.unit_norm,
    )
    return encoder.to(device)
