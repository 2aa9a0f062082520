"""Settings of training, validated once at the door, and the two recipes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..local_features import LocalFeaturesKind
from ..models.frame_encoder import has_layout
from ..models.reference_database import MOST_WIDTH
from ..models.vidtag import is_compact
from ..settings import TrainedPreset, validated
from ..types import InputError


class PhaseSettings(BaseModel):
    """One phase's optimisation. Steps, not epochs: small sets would never leave the paper's warm-up otherwise.

    Args:
        steps: optimiser steps; 0 leaves the phase out.
        batch_clips: sequences a batch.
        learning_rate: peak.
        schedule: ``"step"``: times ``decay`` each ``steps_per_decay`` (paper: StepLR an epoch); ``"cosine"``: down to 1 % at the end.
        decay: factor of ``"step"``.
        steps_per_decay: steps between decays; None is one pass over the clips.
        warmup_steps: linear; None is a tenth of the steps, at most 1000.
        weight_decay: of AdamW; 0 is Adam.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(ge=0)
    batch_clips: int = Field(16, ge=1)
    learning_rate: float = Field(gt=0)
    schedule: Literal["step", "cosine"] = "cosine"
    decay: float = Field(0.99, gt=0, le=1)
    steps_per_decay: int | None = Field(None, ge=1)
    warmup_steps: int | None = Field(None, ge=0)
    weight_decay: float = Field(0.0, ge=0)


class TrainSettings(BaseModel):
    """Everything that decides a training run.

    Args:
        preset: ``vidtag-compact``, ``vidtag-dino-s``, ``vidtag-dino-b`` or ``vidtag-l14``.
        sigma: ``auto`` (from the area's size), a preset's name or the capsules' own values.
        rate_hz: frames a second taken from videos; None takes every picture.
        clip_frames: frames a clip (paper: 16).
        phase1, phase2: budgets.
        phase1_targets: ``identity`` (paper) or ``softened`` by distance.
        softening_m: fall-off of softened targets; None is twice the resolution.
        negatives: points drawn anew from the area at each step, besides the batch's own; only with softened targets.
        phase2_targets: ``identity`` (paper) or ``similarity``.
        noise: ``paper`` (degrees) or ``fitted`` to Phase I's errors on the validation split.
        noise_jumps: share of Phase II's sequences of which a stretch of frames is moved to where another training video went, in most cases to another region. Else
            GeoRefiner sees no error of Phase I that leads to another city, and cannot learn to undo it (not in the paper).
        alpha, beta: weights of the Phase II loss (paper: 10, 1).
        alpha_batch_clips: clips a batch that ``alpha`` is meant for (paper: 128); with other batches it is scaled by their clips over these. The fewer the clips,
            the more of a frame's negatives are its own clip's frames, which it cannot be unlike. None scales nothing.
        augment, views: kind of stored altered copies and how many a picture.
        reverse: play half of the clips backwards.
        tempgeo_layers: 0 turns TempGeo off.
        lone_frames: a branch that sees each frame alone, beside TempGeo (not in the paper).
        residual: frame MLPs start as the features themselves (not in the paper; all presets but ``vidtag-l14``).
        whitening: what the first layer (all presets but ``vidtag-l14`` have it) starts from: ``principal`` axes, and is trained on; or what tells ``places`` apart
            (learned whitening from videos that meet and from altered copies), and stays so. Where too few meet it is ``principal`` after all.
        light_noise: how much of what two videos differ by where they meet is added to whole clips, with a random sign and size: another drive's light
            (not in the paper).
        remembered_width: numbers that the checkpoint keeps of each band of each training frame, to be read beside the location encoder where held-out videos
            show that it helps (not in the paper); 0 keeps none.
        layout: reference images are also compared by what stands where in the picture (not in the paper; the default of all presets but ``vidtag-l14``, which
            cannot).
        aggregation: how much each axis of what reference images are compared by counts is learned from stretches of the training's own videos, seen again from
            between their frames (not in the paper; single frames were found more often, whole videos were not).
        either_way: frames are also compared as a street's other way would show them, with the layout's columns swapped (not in the paper; it takes a layout,
            and as many held-out videos as calibrate probabilities).
        in_sequence: a frame's nearest reference images are judged by what its neighbours in time see along the same drive (not in the paper;
            recognised streets were met more nearly, and fewer of all frames were found).
        likelihood_ratios: how similar a frame is to reference images is read as how many times likelier that is where they show its place (not in the paper).
        local_features: what is kept of the training pictures' details, by which a frame's most similar reference images are judged again (re-ranking; not in the
            paper): ``none``, or ``xfeat``, 17 kB a picture on the disk.
        sectors: of the compass, that states of the decoder have beside their places; 0: none (not in the paper; it did not show a gain).
        dropout: in TempGeo, GeoRefiner. feature_dropout: of the fused features.
        validation_fraction: of the sequences (or, with fewer than four, of their frames in blocks).
        validate_every: steps between validations.
        keep: which step's weights a phase ends with: the ``best`` on validation, or the ``last`` (paper). The best is the one with the least mean of log errors, in
            which a frame in another city weighs as much as several in another street: it may be an early one. Both are in the checkpoint's metrics.
        hold_out_streets: fit confidence with a second model that did not see some held-out videos' streets, so that it holds on streets that nobody drove.
        refit: after choosing the number of steps on held-out blocks, train again on everything for that long.
        resolution_m: of the grid that validation retrieves from, and the scale of softened targets.
        warm_start: vidtag-l14's location encoder starts from GeoCLIP's; sigma 8, which GeoCLIP lacks, from its 16.
        half: store weights in half precision.
        seed: of everything random.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: TrainedPreset = "vidtag-compact"
    recipe: Literal["default", "paper"] = "default"
    sigma: str | tuple[float, ...] = "auto"
    rate_hz: float | None = Field(1.0, gt=0)
    clip_frames: int = Field(16, ge=1)
    phase1: PhaseSettings
    phase2: PhaseSettings
    phase1_targets: Literal["identity", "softened"] = "softened"
    softening_m: float | None = Field(None, gt=0)
    negatives: int = Field(512, ge=0)
    phase2_targets: Literal["identity", "similarity"] = "similarity"
    noise: Literal["paper", "fitted"] = "fitted"
    noise_jumps: float = Field(0.0, ge=0, le=1)
    alpha: float = 10.0
    alpha_batch_clips: int | None = Field(None, ge=1)
    beta: float = 1.0
    augment: Literal["none", "street", "aerial"] = "none"
    views: int = Field(0, ge=0, le=64)
    reverse: bool = False
    tempgeo_layers: int = Field(2, ge=0)
    lone_frames: bool = False
    residual: bool = False
    light_noise: float = Field(0.0, ge=0, le=10)
    whitening: Literal["principal", "places"] = "principal"
    remembered_width: int = Field(0, ge=0, le=MOST_WIDTH)
    layout: bool = False
    aggregation: bool = False
    either_way: bool = True
    in_sequence: bool = False
    likelihood_ratios: bool = True
    local_features: LocalFeaturesKind = "none"
    sectors: Literal[0, 4, 8] = 0
    dropout: float = Field(0.1, ge=0, lt=1)
    feature_dropout: float = Field(0.0, ge=0, lt=1)
    validation_fraction: float = Field(0.15, ge=0, lt=1)
    validate_every: int = Field(50, ge=1)
    keep: Literal["best", "last"] = "best"
    hold_out_streets: bool = True
    refit: bool = True
    resolution_m: float = Field(100.0, gt=0)
    warm_start: bool = True
    half: bool = True
    seed: int = 0
    device: str = "auto"

    @model_validator(mode="after")
    def _details_of_images(self) -> TrainSettings:
        if self.local_features != "none" and not self.remembered_width:
            raise ValueError("local features are of reference images: without remembered_width leave them out")
        return self

    @property
    def weight_of_negatives(self) -> float:
        """Alpha at Phase II's own batch; see ``alpha_batch_clips``."""
        return self.alpha if self.alpha_batch_clips is None else self.alpha * self.phase2.batch_clips / self.alpha_batch_clips


def recipe(name: str, **changes: Any) -> TrainSettings:
    """Return a recipe's settings, changed where asked. ``phase1_steps`` and ``phase2_steps`` set the budgets.

    ``paper``: App. A's losses, noise, batch, rates and schedule, trained to the end; budgets in steps, a warm-up of at most a tenth of them. ``default``: what
    measured better on small sets (softened targets over points of the area, noise fitted to Phase I's errors, cosine schedule, a reference database);
    with all presets but vidtag-l14 also learned whitening, a branch for lone frames, residual frame MLPs, other drives' light, and what stands where in
    reference images.
    """
    steps = {phase: changes.pop(f"{phase}_steps", None) for phase in ("phase1", "phase2")}
    changes = {key: value for key, value in changes.items() if value is not None or key == "rate_hz"}
    if name not in {"default", "paper"}:
        raise InputError(f"Recipe {name!r} is unknown: use default or paper.")
    if name == "paper":
        base: dict[str, Any] = {
            "phase1": {"steps": 2000, "batch_clips": 128, "learning_rate": 5e-5, "schedule": "step", "decay": 0.99},
            "phase2": {"steps": 500, "batch_clips": 128, "learning_rate": 1e-4, "schedule": "step", "decay": 0.95},
            "phase1_targets": "identity",
            "phase2_targets": "identity",
            "noise": "paper",
            "alpha_batch_clips": 128,
            "keep": "last",
            "negatives": 0,
        }
    else:
        base = {
            "phase1": {"steps": 800, "batch_clips": 16, "learning_rate": 1e-3, "weight_decay": 0.01},
            "phase2": {"steps": 300, "batch_clips": 16, "learning_rate": 3e-4, "weight_decay": 0.01},
            "remembered_width": MOST_WIDTH,
        }
        preset = str(changes.get("preset", "vidtag-compact"))
        if is_compact(preset):
            base |= {"lone_frames": True, "residual": True, "whitening": "places", "light_noise": 1.0}
        base["layout"] = has_layout(preset) and changes.get("remembered_width") != 0
    for phase, count in steps.items():
        if count is not None:
            base[phase]["steps"] = count
    settings: TrainSettings = validated(TrainSettings, {"recipe": name, **base, **changes})
    return settings


def sigma_of(text: str) -> str | tuple[float, ...]:
    """A preset's name as it is; ``256,2048,16384`` as numbers."""
    if text.replace(",", "").replace(".", "").replace(" ", "").isdigit():
        return tuple(float(part) for part in text.split(","))
    return text
