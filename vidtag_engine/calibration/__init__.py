"""Everything that is fitted on held-out videos: how they are decoded, how sure to be, and when to withhold an answer."""

from .fit_decoder import best_weight, fit_path, typical_speed_mps
from .novelty import fit_novelty
from .out_of_area import fit_out_of_area, training_ground
from .posteriors import FitVideo
from .reliability import brier, ece, log_loss, reliability
from .temperature import fit_temperature

__all__ = [
    "FitVideo",
    "best_weight",
    "brier",
    "ece",
    "fit_novelty",
    "fit_out_of_area",
    "fit_path",
    "fit_temperature",
    "log_loss",
    "reliability",
    "training_ground",
    "typical_speed_mps",
]
