"""Training of both phases from videos with truth tracks."""

from .features import TrainingSource
from .on_dataset import dataset_settings, train_on_dataset
from .settings import PhaseSettings, TrainSettings, recipe
from .train import TrainResult, train

__all__ = [
    "PhaseSettings",
    "TrainResult",
    "TrainSettings",
    "TrainingSource",
    "dataset_settings",
    "recipe",
    "train",
    "train_on_dataset",
]
