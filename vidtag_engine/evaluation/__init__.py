"""How good a trajectory is, beside a known one: the paper's metrics and reports of them."""

from .evaluate import Report, VideoReport, evaluate_geopackage, evaluate_results
from .metrics import RADII_KM, dfd_deg, dfd_m, errors_m, frame_accuracy, median_error_m, mrd_deg, mrd_m, video_error_m, video_prediction
from .on_dataset import DatasetReport, evaluate_dataset

__all__ = [
    "RADII_KM",
    "DatasetReport",
    "Report",
    "VideoReport",
    "dfd_deg",
    "dfd_m",
    "errors_m",
    "evaluate_dataset",
    "evaluate_geopackage",
    "evaluate_results",
    "frame_accuracy",
    "median_error_m",
    "mrd_deg",
    "mrd_m",
    "video_error_m",
    "video_prediction",
]
