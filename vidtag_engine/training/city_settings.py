"""What decides a training of CityGuessr."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..models.city_net import EncoderKind
from ..models.cityguessr import Parts
from ..models.text_targets import MINILM
from ..settings import validated
from ..types import InputError


class CityTrainSettings(BaseModel):
    """Everything that decides a training of CityGuessr; each field is an option of ``vidtag train-city``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: EncoderKind = Field(
        "frames",
        description="What comes before the heads: frames (mean of frozen frame features; trains on a CPU), tempgeo (mean of a trained VidTAG's z*), or "
        "videomae-s (the paper's, trained with the heads).",
    )
    preset: Literal["vidtag-compact", "vidtag-l14"] = Field("vidtag-compact", description="Frame encoder of frames: vidtag-compact or vidtag-l14.")
    parts: Parts = Field(
        "full", description="Losses: plain (heads alone), sca (attention and scene), sca_text (attention and text), full (all, the paper's)."
    )
    text_encoder: str = Field(MINILM, description="What reads the places' names: minilm, or architecture:weights of open_clip, such as ViT-B-32:openai.")
    text_reduction: Literal["sum", "mean"] = Field(
        "sum", description="Of the text loss over a batch: sum (published), or mean, which weighs it less by the batch."
    )
    epochs: int = Field(60, ge=1, description="Passes over the videos.")
    batch_size: int = Field(12, ge=1, description="Videos a step.")
    learning_rate: float = Field(1e-3, gt=0, description="Of Adam.")
    weight_decay: float = Field(0.01, ge=0, description="Of AdamW; 0 is Adam.")
    schedule: Literal["constant", "cosine"] = Field("cosine", description="Of the learning rate: cosine, or constant (the paper's).")
    dropout: float = Field(0.5, ge=0, lt=1, description="Of the videos' features while training (not in the paper).")
    drawn_clips: bool = Field(True, description="Frames are drawn anew in each epoch; without it always the same sixteen (the paper's).")
    rate_hz: float | None = Field(1.0, gt=0, description="Frames a second taken from videos.")
    validation_fraction: float = Field(0.15, ge=0, lt=1, description="Share of the videos held out, to choose the epoch and to calibrate on.")
    half: bool = Field(True, description="Store weights in half precision.")
    seed: int = Field(0, description="Of everything random.")
    device: str = Field("auto", description="auto, cpu, cuda or mps.")


PAPER: dict[str, Any] = {
    "encoder": "videomae-s",
    "epochs": 12,
    "weight_decay": 0.0,
    "schedule": "constant",
    "dropout": 0.0,
    "drawn_clips": False,
    "rate_hz": 5.0,
}
"""What the published training does otherwise: VideoMAE-S, Adam at 1e-3, twelve epochs, the same sixteen frames in each."""


def city_recipe(name: str, **changes: Any) -> CityTrainSettings:
    """A recipe's settings, changed where asked: ``default`` or ``paper``.

    Raises:
        InputError: no such recipe, or a setting that cannot be.
    """
    if name not in {"default", "paper"}:
        raise InputError(f"Recipe {name!r} is unknown: use default or paper.")
    given = {key: value for key, value in changes.items() if value is not None}
    settings: CityTrainSettings = validated(CityTrainSettings, {**(PAPER if name == "paper" else {}), **given})
    return settings
