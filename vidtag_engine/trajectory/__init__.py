"""From candidates to a path: positions with a calibrated confidence, and tracks to compare them with."""

from .calibration import LEAST_VIDEOS, Calibration
from .cuts import cuts
from .decoder import Decoded, Decoder, Evidence, Motion, Pin
from .decoder_calibration import PathCalibration, Recall
from .ground import TrainingGround
from .hypotheses import RADII_M, hypotheses, mass_about, spread, verdict
from .novelty import Familiarity
from .out_of_area import Elsewhere, lead_beyond
from .steps import Steps, assemble, parts, runner_up_m, steps

__all__ = [
    "LEAST_VIDEOS",
    "RADII_M",
    "Calibration",
    "Decoded",
    "Decoder",
    "Elsewhere",
    "Evidence",
    "Familiarity",
    "Motion",
    "PathCalibration",
    "Pin",
    "Recall",
    "Steps",
    "TrainingGround",
    "assemble",
    "cuts",
    "hypotheses",
    "lead_beyond",
    "mass_about",
    "parts",
    "runner_up_m",
    "spread",
    "steps",
    "verdict",
]
