"""The loop of both phases: seeded step by step, validated, resumable."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..datasets.training_sequence import TrainingSequence
from ..feedback import Feedback
from ..geodesy import haversine_m
from ..inference import best_places, retrieve
from ..models.vidtag import VidTAG
from ..search import HeldGallery, top_k
from ..types import CancelledError, FloatArray
from .noise import PAPER_NOISE, NoiseModel, fit_noise
from .settings import TrainSettings
from .start import drive_differences, near_m
from .state import TrainingState, optimiser_tensors, restore_optimiser
from .steps import AreaSampler, learning_rate, phase1_loss, phase2_loss


@dataclass
class PhaseRun:
    """What one pass through a phase found: its best validation and when, and the step whose weights the model has now."""

    best_error: float = float("inf")
    best_step: int = 0
    kept_step: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Retrieval:
    """Validation's picks: per sequence (T, 2) lat, lon of each phase and the errors in metres."""

    phase1: list[FloatArray]
    phase2: list[FloatArray]

    def errors_m(self, sequences: list[TrainingSequence], which: str) -> FloatArray:
        """Distances of all frames from the truth."""
        picks = self.phase1 if which == "phase1" else self.phase2
        return np.concatenate(
            [haversine_m(p[:, 0], p[:, 1], s.lat_lon_deg[:, 0], s.lat_lon_deg[:, 1]) for p, s in zip(picks, sequences, strict=True)]
        )


class Trainer:
    """Trains one model on stored features.

    Args:
        model: on its device.
        training, validation: sequences; without validation the last step is taken.
        grid_points: (G, 2) lat, lon that validation retrieves from and negatives are drawn around.
        settings: of the run.
        state: where to save; None saves nothing.
        feedback: called at each step.
        fixed: parts of the model that no phase trains.
        validated: called at each validation with the phase's name, the step and the frames' errors in metres.
    """

    def __init__(
        self,
        model: VidTAG,
        training: list[TrainingSequence],
        validation: list[TrainingSequence],
        grid_points: FloatArray,
        settings: TrainSettings,
        *,
        state: TrainingState | None = None,
        feedback: Feedback = Feedback(),
        fixed: frozenset[str] = frozenset(),
        validated: Callable[[str, int, FloatArray], None] | None = None,
    ) -> None:
        self.model, self.training, self.validation, self.settings = model, training, validation, settings
        self.area = AreaSampler(grid_points, settings.resolution_m)
        self.state, self.feedback = state, feedback
        self.fixed, self.validated = fixed, validated
        self.noise: NoiseModel = PAPER_NOISE
        self.device = next(model.parameters()).device

    def phase1(self, stage: str, steps: int) -> PhaseRun:
        """Train TempGeo, frame MLP, location encoder and logit scale contrastively."""
        frozen = {"georefiner"} | self.fixed
        settings = self.settings
        light = drive_differences(self.training, near_m(settings), settings.seed) if settings.light_noise > 0 else None
        return self._phase(
            stage, steps, frozen, lambda rng: phase1_loss(self.model, self.training, self.area, self.settings, rng, light), "phase1"
        )

    def phase2(self, stage: str, steps: int) -> PhaseRun:
        """Train GeoRefiner to undo noise; everything else is frozen."""
        if not self.model.has_refiner:
            return PhaseRun()
        self.noise = replace(
            self._noise(), jump_share=self.settings.noise_jumps, elsewhere=tuple(sequence.lat_lon_deg for sequence in self.training)
        )
        kept = {name.split(".")[0] for name, _ in self.model.named_parameters()} - {"georefiner"}
        return self._phase(stage, steps, kept, lambda rng: phase2_loss(self.model, self.training, self.noise, self.settings, rng), "phase2")

    def _noise(self) -> NoiseModel:
        """Phase II's noise: the paper's, or fitted to Phase I's errors where they can be seen."""
        if self.settings.noise == "paper":
            return PAPER_NOISE
        # Without validation sequences the altered views stand in: better than none, though too small.
        seen = self.validation or [
            TrainingSequence(s.name, s.features[-1:], s.lat_lon_deg, s.time_s) for s in self.training if s.features.shape[0] > 1
        ]
        if not seen:
            return NoiseModel(metric=True, jitter_m=self.settings.resolution_m, shift_m=self.settings.resolution_m)
        return fit_noise(self.retrieve(seen).phase1, [s.lat_lon_deg for s in seen], self.settings.resolution_m)

    def _phase(self, stage: str, steps: int, frozen: set[str], loss_of: Callable[[np.random.Generator], Tensor], which: str) -> PhaseRun:
        """One phase's loop. Every step's randomness depends on (seed, stage, step) alone: a resumed run equals an unbroken one."""
        phase = self.settings.phase1 if which == "phase1" else self.settings.phase2
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(name.split(".")[0] not in frozen)
        trained = [p for p in self.model.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(trained, lr=phase.learning_rate, weight_decay=phase.weight_decay)
        run, first = self._resume(stage, optimiser)
        frames = sum(len(s) for s in self.training)
        key = sum(map(ord, stage))
        started = time.perf_counter()
        if which == "phase2" and first == 0 and self.validation:
            # An untrained GeoRefiner gives back what it is given: where training it does not help on validation, that start is kept.
            self._validate(run, stage, 0, float("nan"), which, 0.0)
        for step in range(first, steps):
            try:
                self.feedback.check(f"Stopped in {stage} at step {step}; run the same command again to go on from there.")
            except CancelledError:
                self._save(stage, step, run, optimiser)
                raise
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(phase, step, frames, self.settings.clip_frames)
            torch.manual_seed(self.settings.seed * 1_000_003 + key * 7919 + step)
            self.model.train()
            loss = loss_of(np.random.default_rng([self.settings.seed, key, step]))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
            last = step + 1 == steps
            if last or (step + 1) % self.settings.validate_every == 0:
                self._validate(run, stage, step + 1, float(loss.detach()), which, time.perf_counter() - started)
                self._save(stage, step + 1, run, optimiser)
            self.feedback.tell((step + 1) / steps, stage, self._line(run, float(loss.detach())))
        run.kept_step = steps
        if run.best and self.validation:
            self.model.load_state_dict(run.best)
            run.kept_step = run.best_step
        for parameter in self.model.parameters():
            parameter.requires_grad_(True)
        self.model.eval()
        return run

    def _line(self, run: PhaseRun, loss: float) -> str:
        """The progress bar's words."""
        median = run.rows[-1].get("median_m") if run.rows else None
        return f"loss {loss:.3f}" + (f", validation median {median:.0f} m" if median is not None else "")

    def _validate(self, run: PhaseRun, stage: str, step: int, loss: float, which: str, seconds: float) -> None:
        """Add a row to the log and keep the weights if they are the best so far."""
        row: dict[str, Any] = {
            "stage": stage,
            "step": step,
            "loss": round(loss, 5) if not np.isnan(loss) else None,
            "seconds": round(seconds, 1),
        }
        if self.validation:
            errors = self.retrieve(self.validation, refine=which == "phase2").errors_m(self.validation, which)
            # The mean of log errors uses every frame, and one frame in the wrong quarter cannot outweigh the rest.
            score = float(np.log1p(errors / self.settings.resolution_m).mean())
            row |= {"median_m": round(float(np.median(errors)), 2), "mean_m": round(float(errors.mean()), 2), "score": round(score, 5)}
            if score < run.best_error:
                run.best_error, run.best_step = score, step
                if self.settings.keep == "best":
                    run.best = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
            if self.validated:
                self.validated(which, step, errors)
        else:
            run.best_step = step
        run.rows.append(row)

    @torch.inference_mode()
    def gallery(self) -> Tensor:
        """(G, E) embeddings of the validation grid."""
        self.model.eval()
        parts = np.array_split(self.area.points, -(-len(self.area.points) // 8192))
        return torch.cat([self.model.embed_locations(torch.from_numpy(part)) for part in parts])

    @torch.inference_mode()
    def retrieve(self, sequences: list[TrainingSequence], *, refine: bool = False) -> Retrieval:
        """Both retrievals of sequences over the validation grid (plain views)."""
        gallery = HeldGallery(self.area.points, self.gallery())
        videos = [torch.from_numpy(sequence.features[0]) for sequence in sequences]
        found = retrieve(self.model, videos, lambda queries: top_k(queries, gallery, 1), refine=refine)
        refined = [best_places(one.final) for one in found if one.refined is not None]
        return Retrieval([best_places(one.first) for one in found], refined)

    def _save(self, stage: str, step: int, run: PhaseRun, optimiser: torch.optim.Optimizer) -> None:
        if self.state is None:
            return
        tensors = {f"model.{k}": v.detach().cpu().contiguous() for k, v in self.model.state_dict().items()}
        tensors |= {f"best.{k}": v.detach().cpu().contiguous() for k, v in run.best.items()}
        tensors |= optimiser_tensors(self.model, optimiser)
        error = run.best_error if np.isfinite(run.best_error) else None
        self.state.save(stage, {"step": step, "best_error": error, "best_step": run.best_step, "rows": run.rows}, tensors)

    def _resume(self, stage: str, optimiser: torch.optim.Optimizer) -> tuple[PhaseRun, int]:
        """Where to start: this stage's saved state, or the beginning."""
        saved = self.state.load(stage) if self.state else None
        if saved is None:
            return PhaseRun(), 0
        meta, tensors = saved
        self.model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
        restore_optimiser(self.model, optimiser, tensors)
        best = {k.removeprefix("best."): v.to(self.device) for k, v in tensors.items() if k.startswith("best.")}
        error = meta["best_error"] if meta["best_error"] is not None else float("inf")
        return PhaseRun(error, meta["best_step"], best=best, rows=meta["rows"]), int(meta["step"])
