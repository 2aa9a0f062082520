"""What a new checkpoint says of itself."""

from __future__ import annotations

import datetime
from typing import Any

from ..grid import AreaOfInterest
from ..models.checkpoint import CheckpointCard
from ..trajectory import Calibration
from .settings import TrainSettings


def card_of(
    name: str, settings: TrainSettings, aoi: AreaOfInterest, calibration: Calibration, metrics: dict[str, Any], videos: int, frames: int
) -> CheckpointCard:
    """What the checkpoint says of itself."""
    return CheckpointCard(
        name=name,
        preset=settings.preset,
        training_extent=aoi.bounds,
        sigma=tuple(settings.sigma),  # type: ignore[arg-type]
        calibration=calibration.to_dict(),
        licence="GPL-2.0-or-later",
        metrics={
            **metrics,
            "training_videos": videos,
            "training_frames": frames,
            "recipe": settings.recipe,
            "resolution_m": settings.resolution_m,
            "rate_hz": settings.rate_hz,
        },
        created_utc=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
