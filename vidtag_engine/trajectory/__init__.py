"""From candidates to a path: positions with a calibrated confidence, and tracks to compare them with."""

from .calibration import Calibration, brier, ece, fit_best, fit_temperature, log_loss, reliability
from .confidence import default_radius_m, mass_within
from .path import Steps, assemble, parts, runner_up_m, steps
from .track import Alignment, align, align_track, interpolate_track

__all__ = [
    "Alignment",
    "Calibration",
    "Steps",
    "align",
    "align_track",
    "assemble",
    "brier",
    "default_radius_m",
    "ece",
    "fit_best",
    "fit_temperature",
    "interpolate_track",
    "log_loss",
    "mass_within",
    "parts",
    "reliability",
    "runner_up_m",
    "steps",
]
