"""What the classification methods share: labelled frames, the trunk over stored features, and the training loop."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from vidtag_engine.datasets.training_sequence import TrainingSequence
from vidtag_engine.geodesy import haversine_m
from vidtag_engine.training.settings import TrainSettings
from vidtag_engine.training.steps import learning_rate
from vidtag_engine.types import FloatArray, IntArray, Progress, ProgressCallback

from .s2_cells import Cells

SCENES = 16  # Places2's, as CityGuessr68k lists them
_CHUNK = 2048


@dataclass(frozen=True)
class LabelledFrames:
    """Frames of many sequences, one after the other.

    Args:
        features: (V, N, D) unit-normalised; view 0 is the plain picture.
        lat_lon_deg: (N, 2) truth.
        scene: (N, 16) soft scene labels; zeros where there are none.
    """

    features: FloatArray
    lat_lon_deg: FloatArray
    scene: FloatArray

    @classmethod
    def of(cls, sequences: Sequence[TrainingSequence], scenes: Sequence[FloatArray | None]) -> LabelledFrames:
        """Of sequences and their scene labels, (16,) or (T, 16) each."""
        soft = [np.zeros((len(s), SCENES)) + (0.0 if scene is None else scene) for s, scene in zip(sequences, scenes, strict=True)]
        return cls(
            np.concatenate([s.features for s in sequences], axis=1),
            np.concatenate([s.lat_lon_deg for s in sequences]),
            np.concatenate(soft).astype(np.float32),
        )

    def __len__(self) -> int:
        return len(self.lat_lon_deg)


@dataclass(frozen=True)
class Batch:
    """Features (N, D), classes (N,) at each level from coarse to fine, soft scenes (N, 16)."""

    features: Tensor
    classes: tuple[Tensor, ...]
    scene: Tensor


class FrameClassifier(nn.Module, ABC):
    """A network that says of every frame by itself how likely each cell is.

    Args:
        levels: partitions, coarse to fine; the finest one answers.
    """

    def __init__(self, levels: Sequence[Cells]) -> None:
        super().__init__()
        self.levels = tuple(levels)

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """Scalar training loss."""

    @abstractmethod
    def log_probabilities(self, features: Tensor) -> Tensor:
        """(N, D) features to (N, C) log-probabilities of the finest cells."""

    @property
    def finest(self) -> Cells:
        """What it answers with."""
        return self.levels[-1]

    @torch.inference_mode()
    def classify(self, features: FloatArray) -> IntArray:
        """(N, D) features to (N,) most likely cells."""
        self.eval()
        parts = torch.from_numpy(np.asarray(features, dtype=np.float32)).split(_CHUNK)
        found: IntArray = torch.cat([self.log_probabilities(part).argmax(dim=-1) for part in parts]).numpy()
        return found

    def place(self, sequences: Sequence[TrainingSequence]) -> list[FloatArray]:
        """Where the plain views' frames are: the centres of their cells, (T, 2) a sequence."""
        return [self.finest.centres_deg[self.classify(s.features[0])] for s in sequences]


class Trunk(nn.Module):
    """Stored features to a vector a frame: what VidTAG's rows have before TempGeo, and one hidden layer.

    Args:
        feature_dim: D of the features.
        width: of the projection and of what comes out.
        dropout: of the features and of the hidden layer.
    """

    def __init__(self, feature_dim: int, width: int = 256, dropout: float = 0.1) -> None:
        super().__init__()
        self.projection = nn.Linear(feature_dim, width)
        self.hidden = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.Mish(), nn.Dropout(dropout))

    def forward(self, features: Tensor) -> Tensor:
        """(N, D) to (N, width)."""
        hidden: Tensor = self.hidden(self.projection(features))
        return hidden


@dataclass
class Fitted:
    """What a training took: the best validation score (mean of log(1 + error / resolution)), when, and the log."""

    score: float = float("inf")
    step: int = 0
    seconds: float = 0.0
    rows: list[dict[str, Any]] = field(default_factory=list)


def fit_classifier(
    model: FrameClassifier,
    training: LabelledFrames,
    validation: LabelledFrames,
    settings: TrainSettings,
    progress: ProgressCallback | None = None,
) -> Fitted:
    """Train as Phase I trains: the same optimiser, number of steps, frames a batch, schedule and choice of the step on validation.

    Frames are drawn one by one from all videos; frames whose cells are unknown at some level are not drawn.
    """
    labels = np.stack([cells.classes(training.lat_lon_deg) for cells in model.levels])
    usable = np.flatnonzero((labels >= 0).all(axis=0))
    phase, frames = settings.phase1, settings.phase1.batch_clips * settings.clip_frames
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=phase.learning_rate, weight_decay=phase.weight_decay)
    fitted, best, started = Fitted(), {}, time.perf_counter()
    for step in range(phase.steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(phase, step, len(training), settings.clip_frames)
        torch.manual_seed(settings.seed * 1_000_003 + step)
        rng = np.random.default_rng([settings.seed, step])
        chosen = rng.choice(usable, frames)
        model.train()
        loss = model.loss(_batch(training, labels, chosen, rng.integers(0, len(training.features), frames)))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        if step + 1 == phase.steps or (step + 1) % settings.validate_every == 0:
            errors_m = _errors_m(model, validation)
            score = float(np.log1p(errors_m / settings.resolution_m).mean())
            median_m = float(np.median(errors_m))
            fitted.rows.append({"step": step + 1, "loss": round(float(loss.detach()), 5), "median_m": round(median_m, 2), "score": score})
            if score < fitted.score:
                fitted.score, fitted.step = score, step + 1
                best = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
            if progress:
                progress(
                    Progress((step + 1) / phase.steps, "classifier", f"loss {float(loss.detach()):.3f}, validation median {median_m:.0f} m")
                )
    if best:
        model.load_state_dict(best)
    fitted.seconds = time.perf_counter() - started
    model.eval()
    return fitted


def _batch(frames: LabelledFrames, labels: IntArray, chosen: IntArray, views: IntArray) -> Batch:
    features = np.asarray(frames.features[views, chosen], dtype=np.float32)
    return Batch(torch.from_numpy(features), tuple(torch.from_numpy(row[chosen]) for row in labels), torch.from_numpy(frames.scene[chosen]))


def _errors_m(model: FrameClassifier, frames: LabelledFrames) -> FloatArray:
    places = model.finest.centres_deg[model.classify(frames.features[0])]
    return haversine_m(places[:, 0], places[:, 1], frames.lat_lon_deg[:, 0], frames.lat_lon_deg[:, 1])


def soft_cross_entropy(logits: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy against soft labels (N, K); frames without labels (rows of zeros) do not count."""
    return -(wanted * F.log_softmax(logits, dim=-1)).sum(dim=-1).mean()
