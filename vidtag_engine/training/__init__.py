"""Training of both phases from videos with truth tracks."""

from .features import TrainingSource
from .settings import PhaseSettings, TrainSettings, recipe
from .train import TrainResult, train

__all__ = ["PhaseSettings", "TrainResult", "TrainSettings", "TrainingSource", "recipe", "train"]
