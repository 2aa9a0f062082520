"""The Processing algorithm "Evaluate trajectory"."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Optional

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterString,
    QgsProcessingUtils,
)

from .. import video_places
from ..engine_client.command_arguments import EvaluateArguments
from ..layers import copy_layer
from ..translation import filled, mark, tr
from ..truth import TruthError, time_fields, write_truth
from . import checks
from .base import VidTAGAlgorithm
from .inputs import EitherFile

_HELP = mark("""Compares a result of 'Geolocate video' with where the camera really was.

The truth is a GPX, CSV or SRT track, a video that carries its own positions, or a layer with times: points, or lines with a start and an end. \
It is matched with the frames by time.

The outputs are the metrics of the VidTAG paper, a line from each answer to its truth with its length in metres, and a report with a map and \
charts that can be kept or sent: one HTML file.""")
_NUMBERS = (
    ("COMPARED_COUNT", mark("Frames compared"), "compared"), ("MEDIAN_M", mark("Median error (m)"), "median_m"), ("MEAN_M", mark("Mean error (m)"), "mean_m"),
    ("P90_M", mark("90th percentile of the error (m)"), "p90_m"), ("PHASE1_MEDIAN_M", mark("Median error of Phase I (m)"), "phase1_median_m"),
    ("VIDEO_MEDIAN_M", mark("Video error, median (m)"), "video_median_m"), ("DFD_DEG", mark("Discrete Fréchet distance (°)"), "dfd_deg"),
    ("DFD_M", mark("Discrete Fréchet distance (m)"), "dfd_m"), ("MRD_DEG", mark("Mean range difference (°)"), "mrd_deg"),
    ("MRD_M", mark("Mean range difference (m)"), "mrd_m"),
)  # fmt: skip
_OF_CONFIDENCE = (
    ("ECE", mark("Calibration error"), "ece"), ("BRIER", mark("Brier score"), "brier"),
    ("NOT_RATED_COUNT", mark("Frames compared that are not rated, and in no number of confidence"), "not_rated"),
)  # fmt: skip
_WITHIN = (("WITHIN_500M", "0.5"), ("WITHIN_1KM", "1"), ("WITHIN_5KM", "5"), ("WITHIN_25KM", "25"))


class EvaluateTrajectory(VidTAGAlgorithm):
    """Result and truth in; metrics, errors and a report out."""

    ID, TITLE, TEXT = "evaluatetrajectory", mark("Evaluate trajectory"), _HELP
    SUMMARY = mark("Compares a result with the truth: the paper's metrics, a layer of errors and a report.")
    TAGS = ("evaluate", "accuracy", "error", "truth", "gpx", "metrics", "report", "frechet", "compare")
    READS = ("RESULT", "TRUTH_FILE", "TRUTH")
    WRITES: ClassVar[dict[str, str]] = {"REPORT": "html", "MAP": "map", "JSON": "evaluation"}
    LAYERS = ("ERRORS",)

    def declare(self) -> None:
        """Declare inputs and outputs."""
        file = QgsProcessingParameterFile.Behavior.File
        self.result_file()
        self.answer()
        self.add(
            EitherFile("TRUTH_FILE", tr("Truth: a file (or a layer below)"), file),
            tr("A GPX, CSV or SRT track, or a video that carries its positions (GoPro, KLV)."),
        )
        kinds = [QgsProcessing.SourceType.TypeVectorPoint, QgsProcessing.SourceType.TypeVectorLine]
        self.add(
            QgsProcessingParameterFeatureSource("TRUTH", tr("Truth: a layer instead"), kinds, optional=True),
            tr("Instead of a file: points with a time, or lines with a start and an end time, or with Unix seconds as M values."),
        )
        self.add(
            QgsProcessingParameterField("TIME_FIELD", tr("Time (start) field"), parentLayerParameterName="TRUTH", optional=True),
            tr("The layer's field with the time. Empty: its only date and time field, or the one named time; for lines, start_time."),
        )
        self.advanced(
            QgsProcessingParameterField("END_FIELD", tr("End time field"), parentLayerParameterName="TRUTH", optional=True),
            tr("For lines: the field with the time at the end. Empty: end_time."),
        )
        self.advanced(
            QgsProcessingParameterString("VIDEO", tr("Video"), optional=True),
            tr("Name of the video to compare, where the result holds several and the times do not tell."),
        )
        self.truth_offset()
        self.overwrite()
        lines = QgsProcessing.SourceType.TypeVectorLine
        self.add(
            QgsProcessingParameterFeatureSink("ERRORS", tr("Errors"), lines, optional=True),
            tr("A line from each answer to its truth, with the error in metres and the confidence."),
        )
        self.add(
            QgsProcessingParameterFileDestination("REPORT", tr("Report"), "HTML (*.html)", optional=True),
            tr("The metrics with a map and charts, in one HTML file."),
        )
        for name, text, suffix in (("MAP", tr("Map picture"), "PNG (*.png)"), ("JSON", tr("Metrics (JSON)"), "JSON (*.json)")):
            extra = QgsProcessingParameterFileDestination(name, text, suffix, optional=True, createByDefault=False)
            self.add(extra, tr("Only if asked for."))
        for name, text, _ in (*_NUMBERS, *_OF_CONFIDENCE):
            self.addOutput(QgsProcessingOutputNumber(name, tr(text)))
        for name, radius in _WITHIN:
            self.addOutput(
                QgsProcessingOutputNumber(name, tr("Frames within {radius} km (%)", radius=filled("{value:g}", {"value": float(radius)})))
            )

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the parameters."""
        truth = self.file_in(parameters, "TRUTH_FILE", context)
        has_layer = parameters.get("TRUTH") not in (None, "")
        result = self.result(parameters, context)
        problem = (
            checks.check_result(result)
            or checks.check_answer(result, self.chosen_answer(parameters, context))
            or checks.check_truth_offset(self.chosen_truth_offset(parameters, context))
        )
        if problem:
            return problem
        if bool(truth) == has_layer:
            return (
                tr("Give the truth once: as a file, or as a layer.")
                if truth
                else tr("Where was the camera? Give the truth: a file or a layer.")
            )
        if truth and not os.path.exists(truth):
            return tr("The truth {truth} is not there: correct its path.", truth=truth)
        if has_layer:
            source = self.parameterAsSource(parameters, "TRUTH", context)
            if source is None:
                return tr("The truth cannot be read: {given}. Give a layer or a vector file.", given=parameters["TRUTH"])
            try:
                time_fields(source, *self._fields(parameters, context))
            except TruthError as error:
                return str(error)
        outputs = ["ERRORS", "REPORT", "MAP", "JSON"]
        files = [self.file_out(parameters, name, context) for name in outputs[1:]]
        destinations = {tr("Result (input)"): result, **self.labels(parameters, outputs)}
        return checks.check_destinations(destinations) or checks.check_folders(path for path in files if path)

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine, then copy the errors to their layer."""
        truth = self.file_in(parameters, "TRUTH_FILE", context)
        if not truth:
            truth = QgsProcessingUtils.generateTempFilename("truth.csv")
            source = self.parameterAsSource(parameters, "TRUTH", context)
            try:
                layer = self.parameterAsVectorLayer(parameters, "TRUTH", context)
                count = write_truth(source, truth, *self._fields(parameters, context), context, feedback, layer)
            except TruthError as error:
                raise QgsProcessingException(str(error)) from error
            feedback.pushInfo(tr("{count:,} positions of the truth.", count=count))
        paths = {name: self.file_out(parameters, name, context) for name in ("REPORT", "MAP", "JSON")}
        for path in filter(None, paths.values()):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        wants_errors = parameters.get("ERRORS") not in (None, "")
        errors = QgsProcessingUtils.generateTempFilename("errors.gpkg") if wants_errors else None
        offset = self.chosen_truth_offset(parameters, context)
        arguments = EvaluateArguments(
            result=self.result(parameters, context),
            truth=os.path.abspath(truth),
            video=self.parameterAsString(parameters, "VIDEO", context) or None,
            errors=errors,
            html=paths["REPORT"],
            map=paths["MAP"],
            json=paths["JSON"],
            answer=self.chosen_answer(parameters, context),
            truth_offset_s=offset,
            videos=[folder for folder in video_places.remembered() if os.path.isdir(folder)] if offset else [],
            overwrite=self.parameterAsBoolean(parameters, "OVERWRITE", context),
        )
        said = self.ask("evaluate", arguments, feedback, when_cancelled=tr("Cancelled; nothing was compared."))
        for note in said["notes"]:
            feedback.pushInfo(self.words()(note))
        overall = said["overall"]
        outputs: dict[str, Any] = {name: overall[key] for name, _, key in _NUMBERS}
        outputs.update({name: overall["confidence"].get(key) for name, _, key in _OF_CONFIDENCE})
        outputs.update({name: overall["frame_accuracy_percent"].get(radius) for name, radius in _WITHIN})
        outputs.update({name: path for name, path in paths.items() if path})
        feedback.pushInfo(
            tr("Median error {median_m:,.1f} m over {compared} frames.", median_m=overall["median_m"], compared=overall["compared"])
        )
        if errors:
            outputs["ERRORS"] = copy_layer(errors, "errors", self, parameters, "ERRORS", context, feedback)
        return outputs

    def _fields(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[str, str]:
        return (
            self.parameterAsString(parameters, "TIME_FIELD", context),
            self.parameterAsString(parameters, "END_FIELD", context),
        )
