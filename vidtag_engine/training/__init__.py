"""Training of both phases from videos with truth tracks."""

from .area import area_of
from .features import TrainingSource
from .on_dataset import dataset_settings, train_on_dataset
from .settings import PhaseSettings, TrainSettings, recipe
from .train import TrainResult, train

__all__ = [
    "PhaseSettings",
    "TrainResult",
    "TrainSettings",
    "TrainingSource",
    "area_of",
    "dataset_settings",
    "recipe",
    "train",
    "train_on_dataset",
]
