"""From candidates to a path: positions with a calibrated confidence, and tracks to compare them with."""

from .calibration import LEAST_VIDEOS, UNFITTED_TEMPERATURE, UNFITTED_WEIGHT, Calibration
from .course import course_deg, with_course
from .cuts import cuts
from .decoder import Decoded, Decoder, EmissionModel, Pin
from .decoder_calibration import DatabaseWeight, PathCalibration
from .ground import TrainingGround
from .hypotheses import RADII_M, hypotheses, mass_about, spread, verdict
from .novelty import NoveltyDetector
from .out_of_area import OutOfAreaDetector, out_of_area_score
from .steps import Steps, assemble, parts, runner_up_m, steps
from .transition import TransitionModel

__all__ = [
    "LEAST_VIDEOS",
    "RADII_M",
    "UNFITTED_TEMPERATURE",
    "UNFITTED_WEIGHT",
    "Calibration",
    "DatabaseWeight",
    "Decoded",
    "Decoder",
    "EmissionModel",
    "NoveltyDetector",
    "OutOfAreaDetector",
    "PathCalibration",
    "Pin",
    "Steps",
    "TrainingGround",
    "TransitionModel",
    "assemble",
    "course_deg",
    "cuts",
    "hypotheses",
    "mass_about",
    "out_of_area_score",
    "parts",
    "runner_up_m",
    "spread",
    "steps",
    "verdict",
    "with_course",
]
