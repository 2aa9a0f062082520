"""The loop that trains CityGuessr: seeded epoch by epoch, judged on held-out videos, resumable."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..calibration.levels import LevelScores, level_scores
from ..feedback import Feedback
from ..models.city_net import CityNet, FrameMean, TempGeoMean
from ..models.cityguessr import Hierarchy, cityguessr_loss, frames_of_video
from ..settings import CityTrainSettings
from ..types import IntArray
from .dataset import clip_indices
from .state import TrainingState, optimiser_tensors, restore_optimiser

CLIP_FRAMES, EVERY = 16, 5
_MOST_FRAMES = 4096  # of one video at once


@dataclass(frozen=True)
class CityVideo:
    """A video to train or judge on.

    Args:
        name: for people.
        count: frames that there are.
        read: gives some of them by their numbers: (n, D) features, or (n, 3, 224, 224) pictures.
        labels: (4,) of city, state, country and continent; -1 for a level that is not known.
        scene: (16,) soft labels, or None.
        text: (width,) target, or None.
    """

    name: str
    count: int
    read: Callable[[Sequence[int]], Tensor]
    labels: tuple[int, int, int, int]
    scene: Tensor | None = None
    text: Tensor | None = None


@dataclass
class CityRun:
    """What the epochs gave: a row each, and the best one's weights."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: int = 0
    best_loss: float = math.inf
    best_top1: float = -1.0


class CityTrainer:
    """Trains a network on videos.

    Args:
        net: on its device.
        training, validation: without validation the last epoch's weights stay.
        hierarchy: of the labels.
        settings: of the run.
        state: where to save; None saves nothing.
        feedback: told at each step.
    """

    def __init__(
        self,
        net: CityNet,
        training: Sequence[CityVideo],
        validation: Sequence[CityVideo],
        hierarchy: Hierarchy,
        settings: CityTrainSettings,
        *,
        state: TrainingState | None = None,
        feedback: Feedback = Feedback(),
    ) -> None:
        self.net, self.training, self.validation = net, training, validation
        self.hierarchy, self.settings, self.state, self.feedback = hierarchy, settings, state, feedback
        self.device = next(net.parameters()).device

    def run(self) -> CityRun:
        """Train to the end.

        Raises:
            CancelledError: stopped; what the epochs before gave is saved.
        """
        settings = self.settings
        standardise(self.net, self.training)
        trained = [p for p in self.net.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        run, first = self._resume(optimiser)
        started = time.perf_counter()
        for epoch in range(first, settings.epochs):
            for group in optimiser.param_groups:
                turn = math.pi * epoch / settings.epochs
                group["lr"] = settings.learning_rate * (0.5 * (1.0 + math.cos(turn)) if settings.schedule == "cosine" else 1.0)
            loss = self._epoch(epoch, optimiser)  # stopped within it, it is trained again: the epoch before is saved
            self._judge(run, epoch + 1, loss, time.perf_counter() - started)
            self._save(epoch + 1, run, optimiser)
        if run.best:
            self.net.load_state_dict(run.best)
        self.net.eval()
        return run

    def _epoch(self, epoch: int, optimiser: torch.optim.Optimizer) -> float:
        """One pass; its randomness depends on (seed, epoch) alone. Returns the mean loss a step."""
        settings = self.settings
        rng = np.random.default_rng([settings.seed, epoch])
        torch.manual_seed(settings.seed * 1_000_003 + epoch)
        order = rng.permutation(len(self.training))
        batches = np.array_split(order, max(1, round(len(order) / settings.batch_size)))
        self.net.train()
        losses = []
        for number, batch in enumerate(batches):
            self.feedback.check(f"Stopped in epoch {epoch + 1}; run the same command again to go on from there.")
            videos = [self.training[place] for place in batch]
            output = self.net(torch.stack([self._clip(video, rng) for video in videos]).to(self.device))
            loss = cityguessr_loss(
                output,
                torch.tensor([video.labels for video in videos], device=self.device),
                _stacked([video.scene for video in videos], self.device),
                _stacked([video.text for video in videos], self.device),
                parts=settings.parts,
                text_reduction=settings.text_reduction,
            )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
            done = (epoch + (number + 1) / len(batches)) / settings.epochs
            self.feedback.tell(done, "train", f"epoch {epoch + 1} of {settings.epochs}, loss {losses[-1]:.3f}")
        return float(np.mean(losses))

    def _clip(self, video: CityVideo, rng: np.random.Generator) -> Tensor:
        """Sixteen frames of a video."""
        drawn = self.settings.drawn_clips and self.settings.encoder != "videomae-s"
        numbers = clip_indices(video.count, CLIP_FRAMES, rng).tolist() if drawn else frames_of_video(video.count, EVERY, CLIP_FRAMES)
        return video.read(numbers)

    def _judge(self, run: CityRun, epoch: int, loss: float, seconds: float) -> None:
        """Add a row to the log, and keep the weights where city top-1 is the best so far (published), the smaller loss deciding among equals."""
        row: dict[str, Any] = {"stage": "cities", "epoch": epoch, "loss": round(loss, 5), "seconds": round(seconds, 1)}
        if self.validation:
            scores = scores_of(self.net, self.validation)
            found: LevelScores = level_scores(scores, labels_of_videos(self.validation), self.hierarchy)
            city_loss = (
                float(scores[0].log_softmax(dim=1).gather(1, torch.from_numpy(labels_of_videos(self.validation)[:, :1])).mean()) * -1.0
            )
            row |= {**{f"{name}_top1": round(value, 3) for name, value in found.top1.items()}, "city_loss": round(city_loss, 5)}
            if (found.top1["city"], -city_loss) > (run.best_top1, -run.best_loss):
                run.best_top1, run.best_loss, run.best_epoch = found.top1["city"], city_loss, epoch
                run.best = {name: value.detach().clone() for name, value in self.net.state_dict().items()}
        else:
            run.best_epoch = epoch
        run.rows.append(row)

    def _save(self, epoch: int, run: CityRun, optimiser: torch.optim.Optimizer) -> None:
        if self.state is None:
            return
        tensors = {f"model.{name}": value.detach().cpu().contiguous() for name, value in self.net.state_dict().items()}
        tensors |= {f"best.{name}": value.detach().cpu().contiguous() for name, value in run.best.items()}
        tensors |= optimiser_tensors(self.net, optimiser)
        best = {"best_epoch": run.best_epoch, "best_loss": run.best_loss if run.best else None, "best_top1": run.best_top1}
        self.state.save("cities", {"step": epoch, "rows": run.rows, **best}, tensors)

    def _resume(self, optimiser: torch.optim.Optimizer) -> tuple[CityRun, int]:
        """Where to start: the saved state, or the beginning."""
        saved = self.state.load("cities") if self.state else None
        if saved is None:
            return CityRun(), 0
        meta, tensors = saved
        self.net.load_state_dict({name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")})
        restore_optimiser(self.net, optimiser, tensors)
        best = {name.removeprefix("best."): value.to(self.device) for name, value in tensors.items() if name.startswith("best.")}
        loss = math.inf if meta["best_loss"] is None else meta["best_loss"]
        return CityRun(meta["rows"], best, meta["best_epoch"], loss, meta["best_top1"]), int(meta["step"])


def standardise(net: CityNet, videos: Sequence[CityVideo]) -> None:
    """Let the encoder of frozen features start from the mean and deviation of training videos; VideoMAE-S has its own norms."""
    encoder = net.encoder
    if isinstance(encoder, FrameMean):
        encoder.start_from(torch.stack([whole(video).mean(dim=0) for video in videos]).to(encoder.mean.device))
    elif isinstance(encoder, TempGeoMean):
        with torch.no_grad():
            device = encoder.standard.mean.device
            means = [encoder.z_star(whole(video)[None].to(device)).mean(dim=1)[0] for video in videos]
        encoder.standard.start_from(torch.stack(means))


def whole(video: CityVideo) -> Tensor:
    """All frames of a video, or very many evenly out of all."""
    return video.read(list(range(0, video.count, -(-video.count // _MOST_FRAMES)))).float()


@torch.inference_mode()
def scores_of(net: CityNet, videos: Sequence[CityVideo]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(videos, labels) scores of each level on the CPU: of all frames of each video, for VideoMAE-S of its sixteen (published)."""
    net.eval()
    device = next(net.parameters()).device
    rows: list[tuple[Tensor, ...]] = []
    for video in videos:
        pictures = net.config.encoder == "videomae-s"
        given = video.read(frames_of_video(video.count, EVERY, CLIP_FRAMES)) if pictures else whole(video)
        rows.append(net(given[None].to(device)).scores)
    city, state, country, continent = (torch.cat(level).float().cpu() for level in zip(*rows, strict=True))
    return city, state, country, continent


def labels_of_videos(videos: Sequence[CityVideo]) -> IntArray:
    """(videos, 4)."""
    return np.array([video.labels for video in videos], dtype=np.int64).reshape(-1, 4)


def _stacked(parts: Sequence[Tensor | None], device: torch.device) -> Tensor | None:
    """One tensor, where every video has one."""
    there = [part for part in parts if part is not None]
    return torch.stack(there).float().to(device) if len(there) == len(parts) else None
