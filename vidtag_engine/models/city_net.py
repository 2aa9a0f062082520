"""CityGuessr with the encoder before it: what of a video goes in, one feature a video, and the heads."""

from __future__ import annotations

from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from ..settings import EncoderKind
from .cityguessr import CityGuessr, CityGuessrConfig, CityGuessrOutput
from .tempgeo import TempGeo
from .videomae import FEATURE_DIM, VideoMAE
from .vidtag import VidTAG, VidTAGConfig, projection_of

Weights = Literal["pretrained", "random", "empty"]
_FLOOR = 1e-6  # of a deviation: a feature that never changes says nothing and divides by nothing


class CityNetConfig(BaseModel):
    """Everything that fixes the network's shape.

    Args:
        encoder: ``frames``: the mean of the frozen frame features; ``tempgeo``: of TempGeo's z* over them; ``videomae-s``: VideoMAE-S over pictures (published).
        frame_encoder: preset of the frame encoder that ``frames`` and ``tempgeo`` take features from; empty for VideoMAE-S.
        input_dim: width of these features.
        vidtag: configuration of the VidTAG whose TempGeo it is; None but for ``tempgeo``.
        head: of the heads and what follows them; its ``feature_dim`` is that of the encoder's answer.
        dropout: of the feature, while training; not in the paper.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoder: EncoderKind
    frame_encoder: str = ""
    input_dim: int = Field(0, ge=0)
    vidtag: dict[str, Any] | None = None
    head: CityGuessrConfig
    dropout: float = Field(0.0, ge=0, lt=1)


class FrameMean(nn.Module):
    """Frames' features to one of the video: their mean, each number less its mean over training videos and divided by its deviation among them.

    Without this ImageNet's features, which are positive and lie close together, would take the heads' linear layers thousands of steps.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    def start_from(self, features: Tensor) -> None:
        """Take mean and deviation from training videos' own means (videos, width)."""
        self.mean = features.mean(dim=0)
        self.deviation = features.std(dim=0, correction=0).clamp(min=_FLOOR)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, T, width) to (B, width)."""
        return (frames.mean(dim=1) - self.mean) / self.deviation


class TempGeoMean(nn.Module):
    """Frames' features to the mean of a trained VidTAG's z* (paper 3.2), standardised as :class:`FrameMean` does; TempGeo itself stays as it was trained."""

    def __init__(self, config: VidTAGConfig) -> None:
        super().__init__()
        self.window = config.window
        self.projection = projection_of(config.feature_dim, config.projection_dim)
        self.tempgeo = TempGeo(config.tempgeo)
        self.standard = FrameMean(config.tempgeo.width)
        self.projection.requires_grad_(False)
        self.tempgeo.requires_grad_(False)

    @classmethod
    def of(cls, model: VidTAG) -> TempGeoMean:
        """With the weights of a trained VidTAG."""
        made = cls(model.config)
        made.projection.load_state_dict(model.projection.state_dict())
        made.tempgeo.load_state_dict(model.tempgeo.state_dict())
        return made

    def train(self, mode: bool = True) -> TempGeoMean:
        """TempGeo stays in evaluation mode: its dropout would be noise here."""
        super().train(mode)
        self.tempgeo.eval()
        return self

    def z_star(self, frames: Tensor) -> Tensor:
        """(B, T, features) to (B, T, width); longer videos go in pieces, which see their own frames alone."""
        pieces = frames.split(self.window, dim=1)
        return torch.cat([self.tempgeo(self.projection(piece), None, 0) for piece in pieces], dim=1)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, T, features) to (B, width)."""
        pooled: Tensor = self.standard(self.z_star(frames))
        return pooled


class CityNet(nn.Module):
    """Encoder and CityGuessr.

    Args:
        config: of both.
        weights: of VideoMAE-S: "pretrained" fetches them; "random" is for tests and benchmarks; "empty" is filled from a checkpoint.
    """

    def __init__(self, config: CityNetConfig, weights: Weights = "pretrained") -> None:
        super().__init__()
        self.config = config
        self.encoder: FrameMean | TempGeoMean | VideoMAE
        if config.encoder == "videomae-s":
            self.encoder = VideoMAE("pretrained" if weights == "pretrained" else "random")
        elif config.encoder == "tempgeo":
            self.encoder = TempGeoMean(VidTAGConfig.model_validate(config.vidtag))
        else:
            self.encoder = FrameMean(config.input_dim)
        self.head = CityGuessr(config.head)

    def forward(self, videos: Tensor) -> CityGuessrOutput:
        """(B, T, input_dim) features, or (B, 16, 3, 224, 224) pictures for VideoMAE-S, to the scores of B videos."""
        feature = self.encoder(videos)
        output: CityGuessrOutput = self.head(functional.dropout(feature, self.config.dropout, self.training))
        return output


def width_of(config: VidTAGConfig | None, encoder: EncoderKind, input_dim: int) -> int:
    """Width of an encoder's answer."""
    if encoder == "videomae-s":
        return FEATURE_DIM
    return config.tempgeo.width if encoder == "tempgeo" and config is not None else input_dim
