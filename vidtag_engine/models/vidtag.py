"""VidTAG (paper 3): frame features and coordinates into one space, and the refiner of what retrieval found there."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ..reference.database import StoredReferences
from ..types import InputError
from .backbones import BACKBONES
from .frame_encoder import FRAME_ENCODER_PRESETS, encoder_of
from .georefiner import GeoRefiner, GeoRefinerConfig
from .location_encoder import SIGMA_PRESETS, LocationEncoder, LocationEncoderConfig
from .reference_database import MOST_FRAMES, MOST_WIDTH, ReferenceDatabase
from .sizes import Share, Size
from .tempgeo import TempGeo, TempGeoConfig
from .windows import blend_windows

if TYPE_CHECKING:
    from collections.abc import Callable

VIDTAG_PRESETS = ("vidtag-l14", "vidtag-compact", "vidtag-dino-s", "vidtag-dino-b")


def is_compact(preset: str) -> bool:
    """Whether a preset's networks are the narrow ones, which features are brought to 256 numbers for; the other is the paper's."""
    return preset in VIDTAG_PRESETS and preset != "vidtag-l14"


class VidTAGConfig(BaseModel):
    """Everything that fixes a VidTAG network's shape.

    Args:
        frame_encoder: preset of the frame encoder whose features it takes.
        feature_dim: width of those features.
        projection_dim: width they are brought to before TempGeo by a linear layer; None: not at all (the paper).
        feature_dropout: part of the features dropped while training (a regulariser for small data sets).
        mlp: hidden widths of the frame MLP, Mish between (paper B.2).
        lone_frames: a second frame MLP sees each frame without TempGeo; a frame's embedding is the direction of both branches' sum (not in the paper).
        residual: frame MLPs add to the features they are given instead of replacing them, and start by adding nothing; takes equal widths (not in the paper).
        tempgeo, location, georefiner: the parts; ``georefiner`` None = off.
        window, overlap: frames that attend to each other at once in ``embed_video``, and what two windows share.
        remembered: training frames that are kept among its weights (see :class:`.reference_database.ReferenceDatabase`; not in the paper).
        remembered_width: of each of their bands.
        remembered_layout: width of what follows the features and says what stands where in the picture, where reference images are compared by that too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    frame_encoder: str = "vidtag-l14"
    feature_dim: Size = 1792
    projection_dim: Size | None = None
    feature_dropout: Share = 0.0
    mlp: tuple[Size, ...] = (1024, 768)
    lone_frames: bool = False
    residual: bool = False
    tempgeo: TempGeoConfig = TempGeoConfig()
    location: LocationEncoderConfig = LocationEncoderConfig()
    georefiner: GeoRefinerConfig | None = GeoRefinerConfig()
    window: Annotated[int, Field(gt=1, le=65_536)] = 512
    overlap: Size = 256
    remembered: Annotated[int, Field(ge=0, le=MOST_FRAMES)] = 0
    remembered_width: Annotated[int, Field(ge=0, le=MOST_WIDTH)] = 0
    remembered_layout: Annotated[int, Field(ge=0, le=65_536)] = 0

    @model_validator(mode="after")
    def _parts_fit(self) -> VidTAGConfig:
        if self.tempgeo.width != (self.projection_dim or self.feature_dim):
            raise ValueError("tempgeo.width differs from the width of what it is given")
        if self.tempgeo.layers and self.tempgeo.width % self.tempgeo.heads:
            raise ValueError("tempgeo.width is not a multiple of tempgeo.heads")
        if self.residual and self.tempgeo.width != self.location.embedding_dim:
            raise ValueError("residual needs embeddings as wide as the features")
        if self.overlap >= self.window:
            raise ValueError("overlap is not smaller than window")
        if bool(self.remembered) != bool(self.remembered_width):
            raise ValueError("remembered and remembered_width: one is none without the other")
        if self.remembered_layout and not self.remembered:
            raise ValueError("remembered_layout without remembered")
        refiner = self.georefiner
        if refiner is None:
            return self
        expected = self.location.embedding_dim if refiner.context == "frames" else self.tempgeo.width
        if refiner.embedding_dim != self.location.embedding_dim or refiner.context_dim != expected:
            raise ValueError("georefiner does not fit the embeddings it is given")
        if refiner.width % refiner.heads:
            raise ValueError("georefiner.width is not a multiple of georefiner.heads")
        return self

    @property
    def embedding_dim(self) -> int:
        """E, of frame and location embeddings alike."""
        return self.location.embedding_dim

    @classmethod
    def preset(
        cls,
        name: str,
        *,
        sigma: str | tuple[float, ...] = "globe",
        tempgeo_layers: int = 2,
        georefiner: bool | Literal["frames", "tempgeo"] = True,
        dropout: float = 0.1,
        feature_dropout: float = 0.0,
        lone_frames: bool = False,
        residual: bool = False,
    ) -> VidTAGConfig:
        """Sizes of a preset.

        Args:
            name: "vidtag-l14" (the paper), or "vidtag-compact", "vidtag-dino-s" or "vidtag-dino-b", which differ by the width of their features alone.
            sigma: "globe", "city", "site", or the σ themselves.
            tempgeo_layers: 0 turns TempGeo off.
            georefiner: False = off; True or "frames" = on the frame embeddings; "tempgeo" = on z*, at TempGeo's width.
            dropout: of TempGeo and GeoRefiner.
            feature_dropout: of the input features.
            lone_frames: with a branch that sees each frame alone.
            residual: with frame MLPs that add to the features; vidtag-l14's widths do not allow it.

        Raises:
            InputError: for an unknown preset or σ name, or residual where it cannot be.
        """
        if name not in VIDTAG_PRESETS:
            raise InputError(f"Preset {name!r} is not known: give one of {', '.join(VIDTAG_PRESETS)}.")
        if isinstance(sigma, str) and sigma not in SIGMA_PRESETS:
            raise InputError(f"Sigma preset {sigma!r} is not known: give one of {', '.join(SIGMA_PRESETS)}.")
        compact = is_compact(name)
        if residual and not compact:
            raise InputError(
                f"Preset {name} cannot have residual frame MLPs, as its embeddings are narrower than its features: use vidtag-compact or "
                "another preset of its widths."
            )
        # TempGeo's inner width and its learned positions are those that give the paper's 56.3 M parameters of Phase I (Table 8), which it does not state.
        width, heads, embedding = (256, 4, 256) if compact else (1792, 8, 512)
        tempgeo = TempGeoConfig(width=width, layers=tempgeo_layers, heads=heads, ffn=1024 if compact else 2400, dropout=dropout)
        if not compact:
            tempgeo = tempgeo.model_copy(update={"positions": "learned", "learned_length": 512})
        context: Literal["frames", "tempgeo"] = "tempgeo" if georefiner == "tempgeo" else "frames"
        refiner_width = width if context == "tempgeo" else embedding
        return cls(
            frame_encoder=encoder_of(name),
            feature_dim=sum(BACKBONES[backbone].feature_dim for backbone in FRAME_ENCODER_PRESETS[encoder_of(name)].backbones),
            projection_dim=width if compact else None,
            feature_dropout=feature_dropout,
            mlp=(256,) if compact else (1024, 768),
            lone_frames=lone_frames,
            residual=residual,
            tempgeo=tempgeo,
            location=LocationEncoderConfig(
                sigma=SIGMA_PRESETS[sigma] if isinstance(sigma, str) else sigma,
                hidden=(512, 512) if compact else (1024, 1024, 1024),
                embedding_dim=embedding,
            ),
            georefiner=GeoRefinerConfig(
                embedding_dim=embedding,
                context=context,
                context_dim=refiner_width,
                width=refiner_width,
                heads=heads,
                ffn=1024 if compact else 2048,
                dropout=dropout,
            )
            if georefiner
            else None,
        )


class VidTAG(nn.Module):
    """TempGeo, frame MLP, location encoder and GeoRefiner; everything but the frozen backbones."""

    def __init__(self, config: VidTAGConfig) -> None:
        super().__init__()
        self.config = config
        width, embedding = config.tempgeo.width, config.embedding_dim
        self.feature_drop = nn.Dropout(config.feature_dropout)
        self.projection = projection_of(config.feature_dim, config.projection_dim)
        self.tempgeo = TempGeo(config.tempgeo)
        normed = bool(config.tempgeo.layers) and config.tempgeo.final_norm
        widths = (width, *config.mlp, embedding)
        self.frame_mlp = _frame_mlp(widths, math.sqrt(width) if normed else 1.0, residual=config.residual)
        self.lone_mlp = _frame_mlp(widths, 1.0, residual=config.residual) if config.lone_frames else None
        self.location_encoder = LocationEncoder(config.location)
        self.georefiner = GeoRefiner(config.georefiner) if config.georefiner else None
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))  # as GeoCLIP and CLIP start
        sizes = (config.remembered, config.feature_dim, config.remembered_width, config.remembered_layout)
        self.memory: ReferenceDatabase | StoredReferences | None = ReferenceDatabase(*sizes) if config.remembered else None

    @property
    def has_refiner(self) -> bool:
        """Whether there is a Phase II."""
        return self.georefiner is not None

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.logit_scale.device

    def encode_frames(
        self, features: Tensor, padding: Tensor | None = None, first: int = 0, count: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Frame embeddings (B,T,E), unit-normalised, and what GeoRefiner takes as ``frames``: the same, or z* (B,T,D) if it is built so.

        Args:
            features: (B,T,feature_dim) unit-normalised, from the frame encoder.
            padding: (B,T) bool, True = padding; what lies there never changes a result. Outputs are zero there.
            first, count: number of the first frame in its video and how many there are in all, where these are a window of it.
        """
        branches, z_star = self._branches(features, padding, first, count)
        frames = branches[0] if len(branches) == 1 else F.normalize(torch.stack(branches).sum(dim=0), dim=-1)
        if padding is not None:
            frames = frames.masked_fill(padding[..., None], 0.0)
        return frames, z_star if self._refines_tempgeo else frames

    def embed_branches(self, features: Tensor) -> list[Tensor]:
        """What Phase I's loss compares with the places, each (B,T,E): TempGeo's embeddings and, where the model has that branch, the lone frames'."""
        return self._branches(features)[0]

    def _branches(
        self, features: Tensor, padding: Tensor | None = None, first: int = 0, count: int | None = None
    ) -> tuple[list[Tensor], Tensor]:
        """Each branch's unit-normalised embeddings, and z*."""
        if features.ndim != 3 or features.shape[-1] != self.config.feature_dim:
            raise ValueError(f"features are (B, T, {self.config.feature_dim}), not {tuple(features.shape)}")
        z = features if padding is None else features.masked_fill(padding[..., None], 0.0)
        z = self.projection(self.feature_drop(z))
        z_star = self.tempgeo(z, padding, first, count)
        branches = [F.normalize(self.frame_mlp(z_star), dim=-1)]
        if self.lone_mlp is not None:
            branches.append(F.normalize(self.lone_mlp(z), dim=-1))
        return branches, z_star

    def embed_frames(self, features: Tensor, padding: Tensor | None = None) -> Tensor:
        """(B,T,feature_dim) to (B,T,E) unit-normalised; see ``encode_frames``."""
        return self.encode_frames(features, padding)[0]

    def embed_locations(self, lat_lon_deg: Tensor) -> Tensor:
        """(...,2) latitude, longitude in degrees (float64) to (...,E) unit-normalised float32."""
        return F.normalize(self.location_encoder(lat_lon_deg), dim=-1)

    def refine(self, gps: Tensor, frames: Tensor, padding: Tensor | None = None, first: int = 0) -> Tensor:
        """Phase II: GPS embeddings (B,T,E) of the first picks, refined by the frames, (B,T,E) unit-normalised.

        ``frames`` is ``embed_frames``' answer (or the second of ``encode_frames``, which is right for every configuration).
        Raises ValueError where there is no refiner.
        """
        if self.georefiner is None:
            raise ValueError("this model has no GeoRefiner: see has_refiner")
        refined: Tensor = self.georefiner(gps, frames, padding, first)
        return refined

    @torch.no_grad()
    def embed_video(self, features: Tensor) -> Tensor:
        """A whole video's frames, any number: (T,feature_dim) to (T,E) on the model's device. What follows the features is not read.

        Up to ``config.window`` frames this is ``embed_frames``; beyond, windows that overlap are blended. Memory beyond input and output
        does not grow with T.
        """
        return self._windowed(len(features), lambda part: self._encode_window(features, part)[0])

    @torch.no_grad()
    def video_context(self, features: Tensor, frames: Tensor) -> Tensor:
        """What ``refine_video`` takes as ``frames``: ``frames`` themselves, or z* (T,D) of a refiner built on it."""
        if not self._refines_tempgeo:
            return frames
        # z* is a LayerNorm's output; blended windows keep its direction, and its norm is put back.
        norm = math.sqrt(self.config.tempgeo.width) if self.config.tempgeo.final_norm and self.config.tempgeo.layers else 1.0
        if len(features) <= self.config.window:
            return self._encode_window(features, slice(0, len(features)))[1]
        return norm * self._windowed(len(features), lambda part: F.normalize(self._encode_window(features, part)[1], dim=-1))

    @torch.no_grad()
    def refine_video(self, gps: Tensor, frames: Tensor) -> Tensor:
        """``refine`` for a whole video, any number of frames: (T,E) and (T,E or D) to (T,E) on the model's device."""

        def run(part: slice) -> Tensor:
            return self.refine(gps[part].to(self.device)[None], frames[part].to(self.device)[None], first=part.start)[0]

        return self._windowed(len(gps), run)

    def remember(self, memory: ReferenceDatabase | StoredReferences | None) -> None:
        """Keep training frames beside the weights, in place of those kept before; None keeps none. A database on disk is no part of the configuration."""
        inside = memory if isinstance(memory, ReferenceDatabase) else None
        frames, width = inside.shape if inside is not None else (0, 0)
        layout = inside.layout_dim if inside is not None else 0
        self.config = self.config.model_copy(update={"remembered": frames, "remembered_width": width, "remembered_layout": layout})
        self.memory = memory.to(self.device) if memory is not None else None

    @property
    def _refines_tempgeo(self) -> bool:
        return self.config.georefiner is not None and self.config.georefiner.context == "tempgeo"

    def _encode_window(self, features: Tensor, part: slice) -> tuple[Tensor, Tensor]:
        own = features[part, : self.config.feature_dim].to(self.device).float()
        frames, context = self.encode_frames(own[None], first=part.start, count=len(features))
        return frames[0], context[0]

    def _windowed(self, count: int, run: Callable[[slice], Tensor]) -> Tensor:
        return blend_windows(count, self.config.window, min(self.config.overlap, self.config.window // 2), run)


def projection_of(inputs: int, outputs: int | None) -> nn.Module:
    """Features to TempGeo's width; at the start it keeps unit vectors at about norm 1."""
    if outputs is None:
        return nn.Identity()
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain=math.sqrt(max(inputs / outputs, 1.0)))
    nn.init.zeros_(layer.bias)
    return layer


class _Residual(nn.Module):
    """An MLP's answer beside its input, brought to norm 1; at the start the input alone."""

    def __init__(self, mlp: nn.Sequential, input_norm: float) -> None:
        super().__init__()
        self.mlp, self.scale = mlp, 1 / input_norm
        nn.init.zeros_(mlp[-1].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = x * self.scale + self.mlp(x)
        return total


def _frame_mlp(widths: tuple[int, ...], input_norm: float, *, residual: bool) -> nn.Module:
    mlp = _mish_mlp(widths, input_norm)
    return _Residual(mlp, input_norm) if residual else mlp


def _mish_mlp(widths: tuple[int, ...], input_norm: float) -> nn.Sequential:
    """Linear layers with Mish between (paper B.2).

    Starts without offsets, the first layer scaled to its input's norm: at torch's default start the offsets of an MLP are larger than
    what a unit vector of 1792 numbers (0.02 each) gives, and all frames would look alike.
    """
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        linear = nn.Linear(inputs, outputs)
        nn.init.normal_(linear.weight, std=(1 / input_norm if i == 0 else 1 / math.sqrt(inputs)))
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.Mish()]
    return nn.Sequential(*layers[:-1])
