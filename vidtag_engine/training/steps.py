"""One training step of each phase, as pure functions of model, batch and settings."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..datasets.training_sequence import TrainingSequence
from ..geodesy import EARTH_RADIUS_M
from ..models.vidtag import VidTAG
from ..types import FloatArray
from .dataset import draw_batch
from .losses import contrastive_loss, softened_targets, weighted_hinge_loss
from .noise import NoiseModel
from .settings import PhaseSettings, TrainSettings


def ground_distance_m(a_deg: Tensor, b_deg: Tensor) -> Tensor:
    """Great-circle distances (N, M) in metres between (N, 2) and (M, 2) lat, lon in degrees, float64 in, float32 out."""
    vectors = []
    for points in (a_deg, b_deg):
        lat, lon = torch.deg2rad(points.double()).unbind(-1)
        vectors.append(torch.stack([lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()], -1))
    # From chords, not from angles' cosines: those lose metres to rounding.
    chord = torch.cdist(vectors[0], vectors[1], compute_mode="donot_use_mm_for_euclid_dist")
    return (2 * EARTH_RADIUS_M * torch.asin((chord / 2).clamp(max=1.0))).float()


class AreaSampler:
    """Draws points all over an area: its grid's points, moved by up to half a step.

    Args:
        points: (G, 2) lat, lon in degrees.
        resolution_m: the grid's step.
    """

    def __init__(self, points: FloatArray, resolution_m: float) -> None:
        self.points, self.resolution_m = points, resolution_m

    def draw(self, count: int, rng: np.random.Generator) -> FloatArray:
        """(count, 2) points."""
        chosen = self.points[rng.integers(0, len(self.points), count)].copy()
        step_deg = self.resolution_m / 111_320.0
        chosen[:, 0] = np.clip(chosen[:, 0] + rng.uniform(-0.5, 0.5, count) * step_deg, -90, 90)
        chosen[:, 1] += rng.uniform(-0.5, 0.5, count) * step_deg / np.maximum(np.cos(np.radians(chosen[:, 0])), 0.01)
        return chosen


def phase1_loss(
    model: VidTAG,
    sequences: list[TrainingSequence],
    area: AreaSampler,
    settings: TrainSettings,
    rng: np.random.Generator,
    light: FloatArray | None = None,
) -> Tensor:
    """Loss of one Phase I batch (Sec. 3.5, eq. 1); ``light`` (Q, D) is what may be added to whole clips."""
    device = next(model.parameters()).device
    features, places = draw_batch(sequences, settings.phase1.batch_clips, settings.clip_frames, rng, reverse=settings.reverse)
    if light is not None and len(light):
        size = settings.light_noise * rng.uniform(-1.0, 1.0, (len(features), 1, 1))
        features = (features + size * light[rng.integers(len(light), size=len(features))][:, None]).astype(np.float32)
    branches = [branch.flatten(0, 1) for branch in model.embed_branches(torch.from_numpy(features).to(device))]
    flat = places.reshape(-1, 2)

    def loss(locations: Tensor, targets: Tensor | None) -> Tensor:
        return torch.stack([contrastive_loss(frames, locations, model.logit_scale.exp(), targets) for frames in branches]).mean()

    if settings.phase1_targets == "identity":
        return loss(model.embed_locations(torch.from_numpy(flat)), None)
    columns = np.concatenate([flat, area.draw(settings.negatives, rng)])
    locations = model.embed_locations(torch.from_numpy(columns))
    distance_m = ground_distance_m(torch.from_numpy(flat), torch.from_numpy(columns)).to(device)
    softening_m = settings.softening_m or 2.0 * settings.resolution_m
    return loss(locations, softened_targets(distance_m, softening_m))


def phase2_loss(
    model: VidTAG, sequences: list[TrainingSequence], noise: NoiseModel, settings: TrainSettings, rng: np.random.Generator
) -> Tensor:
    """Loss of one Phase II batch (eqs. 2-5): everything but GeoRefiner is frozen."""
    device = next(model.parameters()).device
    features, places = draw_batch(sequences, settings.phase2.batch_clips, settings.clip_frames, rng, reverse=settings.reverse)
    with torch.no_grad():
        _, context = model.encode_frames(torch.from_numpy(features).to(device))
        truth = model.embed_locations(torch.from_numpy(places))
        noisy = model.embed_locations(torch.from_numpy(noise.apply(places, rng)))
    refined = model.refine(noisy, context)
    return weighted_hinge_loss(refined, truth, alpha=settings.weight_of_negatives, beta=settings.beta, targets=settings.phase2_targets)


def learning_rate(phase: PhaseSettings, step: int, frames: int, clip_frames: int) -> float:
    """Learning rate of a step (from 0): linear warm-up, then the phase's schedule."""
    warmup = phase.warmup_steps if phase.warmup_steps is not None else min(1000, phase.steps // 10)
    if step < warmup:
        return phase.learning_rate * (step + 1) / warmup
    if phase.schedule == "cosine":
        done = (step - warmup) / max(1, phase.steps - warmup)
        return phase.learning_rate * (0.01 + 0.99 * 0.5 * (1.0 + float(np.cos(np.pi * done))))
    per_decay = phase.steps_per_decay or max(1, round(frames / (phase.batch_clips * clip_frames)))
    return phase.learning_rate * phase.decay ** (step // per_decay)
