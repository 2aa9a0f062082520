"""From candidates to a path: positions with a calibrated confidence, and tracks to compare them with."""

from .calibration import LEAST_VIDEOS, Calibration
from .cuts import cuts
from .decoder import Decoded, Decoder, Evidence, Motion, Pin
from .elsewhere import Elsewhere, lead_beyond
from .familiarity import Familiarity
from .fit import FitVideo, best_weight, fit_path, typical_speed_mps
from .fit_novelty import fit_familiarity
from .fit_out_of_area import fit_elsewhere, known_ground
from .fit_temperature import fit_temperature
from .ground import TrainingGround
from .hypotheses import RADII_M, hypotheses, mass_about, spread, verdict
from .path import Steps, assemble, parts, runner_up_m, steps
from .path_calibration import PathCalibration, Recall
from .reliability import brier, ece, log_loss, reliability
from .track import Alignment, align, align_track, interpolate_track

__all__ = [
    "LEAST_VIDEOS",
    "RADII_M",
    "Alignment",
    "Calibration",
    "Decoded",
    "Decoder",
    "Elsewhere",
    "Evidence",
    "Familiarity",
    "FitVideo",
    "Motion",
    "PathCalibration",
    "Pin",
    "Recall",
    "Steps",
    "TrainingGround",
    "align",
    "align_track",
    "assemble",
    "best_weight",
    "brier",
    "cuts",
    "ece",
    "fit_elsewhere",
    "fit_familiarity",
    "fit_path",
    "fit_temperature",
    "hypotheses",
    "interpolate_track",
    "known_ground",
    "lead_beyond",
    "log_loss",
    "mass_about",
    "parts",
    "reliability",
    "runner_up_m",
    "spread",
    "steps",
    "typical_speed_mps",
    "verdict",
]
