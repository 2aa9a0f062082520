"""Everything that is fitted on held-out videos: how they are decoded, how sure to be, and when to withhold an answer."""

from .fit_decoder import FitVideo, best_weight, fit_path, typical_speed_mps
from .novelty import fit_familiarity
from .out_of_area import fit_elsewhere, known_ground
from .reliability import brier, ece, log_loss, reliability
from .temperature import fit_temperature

__all__ = [
    "FitVideo",
    "best_weight",
    "brier",
    "ece",
    "fit_elsewhere",
    "fit_familiarity",
    "fit_path",
    "fit_temperature",
    "known_ground",
    "log_loss",
    "reliability",
    "typical_speed_mps",
]
