"""What a training of the tables is: plain values that decide everything about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks.baselines.geoclip_finetuned import geoclip_config, geoclip_settings
from vidtag_engine.models.vidtag import VidTAGConfig
from vidtag_engine.training import TrainSettings

from ..isles_settings import Budget, rates_of, settings_for
from ..isles_world import BACKBONE_NAMES

RETRIEVAL = ("vidtag", "geoclip")
CLASSIFICATION = ("planet", "isns", "geodecoder", "classification")
Refiner = Literal["frames", "tempgeo"]


@dataclass(frozen=True)
class Run:
    """One training.

    Args:
        row: name under which its learning rates are swept.
        varies: the row that it is a variant of, whose rates it takes where it has not been swept itself.
        method: one of ``RETRIEVAL`` or ``CLASSIFICATION``.
        options: ``recipe`` and changes of it, as for :func:`.isles_settings.settings_for`.
        refiner: GeoRefiner on the frame embeddings, on z*, or None.
        mlp: hidden widths of the frame MLP.
        shipped_location: GeoCLIP's sizes, σ and weights for the location encoder.
        backbones: whose features it sees.
        isle: the one it is trained on, or None for all.
        target: ``frames``: every frame's own place; ``cities``: its city's centre (paper 5.3).
        seed: of the training.
        rates: peak learning rates of the phases, where not those of the sweep.
    """

    row: str
    varies: str = ""
    method: str = "vidtag"
    options: dict[str, Any] = field(default_factory=lambda: {"recipe": "paper", "sigma": "globe"})
    refiner: Refiner | None = "frames"
    mlp: tuple[int, ...] = (256,)
    shipped_location: bool = False
    backbones: tuple[str, ...] = BACKBONE_NAMES
    isle: str | None = None
    target: Literal["frames", "cities"] = "frames"
    seed: int = 0
    rates: tuple[float, float] | None = None

    def settings(self, budget: Budget) -> TrainSettings:
        """Its training settings within a budget."""
        swept = rates_of(self.row, self.varies)
        first, second = self.rates or (swept["phase1"], swept["phase2"])
        options = dict(self.options)
        if self.target == "cities":
            # Softened over a metre, frames with the very same target share it, and all others are negatives; no other points of the area are.
            options |= {"phase1_targets": "softened", "softening_m": 1.0, "negatives": 0}
        settings = settings_for(options, budget, seed=self.seed, phase1_rate=first, phase2_rate=second)
        return geoclip_settings(settings) if self.method == "geoclip" else settings

    def config(self, settings: TrainSettings, feature_dim: int) -> VidTAGConfig:
        """The network of a retrieval method."""
        base = VidTAGConfig.preset(
            "vidtag-compact",
            sigma=settings.sigma,
            tempgeo_layers=settings.tempgeo_layers,
            georefiner=self.refiner or False,
            dropout=settings.dropout,
            feature_dropout=settings.feature_dropout,
            lone_frames=settings.lone_frames,
            residual=settings.residual,
        )
        config = base.model_copy(update={"feature_dim": feature_dim, "mlp": self.mlp})
        if self.method == "geoclip":
            config = geoclip_config(config, shipped_location_encoder=self.shipped_location)
        return config
