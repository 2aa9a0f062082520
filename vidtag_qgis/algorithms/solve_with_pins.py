"""The Processing algorithm "Solve with pins"."""

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
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterString,
)

from ..engine_client.command_arguments import SolveArguments
from ..layers import copy_layer
from ..pins import HERE, NOT_HERE, PinFields, PinsError, pin_fields, read_pins
from ..translation import filled, mark, tr
from . import checks
from .base import VidTAGAlgorithm

_HELP = mark("""Locates the frames of a result again with what you know: pins say that the camera was at a place in a frame, or was not.

A pin counts for the whole video, not only for its frame: all frames are decoded together again, and those before and after follow as a camera can \
move. A frame with a pin 'here' gets the pin's place. A pin also lifts an answer that was withheld.

The result must have been made with 'Keep scores for pins' in 'Geolocate video'. Pins come from a point layer, or from the result's review \
file ('drive.review.gpkg' beside 'drive.gpkg'), to which 'Check frames' adds them. They are known by the video and its time, and stay right \
when the video is located again with other settings. The output is a copy of the result, its pins in a review file beside it, in which \
'frames_pinned', 'trajectory_pinned' and 'regions_pinned' stand beside the model's own layers; those stay as they are.""")
SINKS = (("TRAJECTORY", "trajectory"), ("FRAMES", "frames"), ("REGIONS", "regions"))


class SolveWithPins(VidTAGAlgorithm):
    """Result and pins in; the corrected result out."""

    ID, TITLE, TEXT = "solvewithpins", mark("Solve with pins"), _HELP
    SUMMARY = mark("Locates the frames of a result again with your pins: the camera was here, or was not.")
    TAGS = ("pin", "pins", "correct", "correction", "manual", "fix", "here", "not here", "solve", "review", "trajectory")
    READS = ("RESULT", "PINS")
    WRITES: ClassVar[dict[str, str]] = {"OUTPUT": "result"}
    LAYERS = ("TRAJECTORY", "FRAMES", "REGIONS")

    def declare(self) -> None:
        """Declare inputs and outputs."""
        self.result_file(
            mark("The GeoPackage that 'Geolocate video' wrote, with its scores kept, or a copy of it that this algorithm made.")
        )
        self.add(
            QgsProcessingParameterFeatureSource("PINS", tr("Pins"), [QgsProcessing.SourceType.TypeVectorPoint], optional=True),
            tr("Points where the camera was, or was not. Empty: those of the review file beside the result."),
        )
        numeric, anything = QgsProcessingParameterField.DataType.Numeric, QgsProcessingParameterField.DataType.Any
        for name, title, kind, text in (
            ("FRAME_FIELD", tr("Frame field"), numeric, tr("Number of each pin's frame. Empty: by time_s, where there is such a field, else frame_index.")),
            ("HERE_FIELD", tr("Field that says here or not"), anything, tr("True or false, 1 or 0, here or not here. Empty: here, where there is such a field.")),
            ("VIDEO_FIELD", tr("Video field"), anything, tr("The video's name, where the result holds several. Empty: video, where there is such a field.")),
        ):  # fmt: skip
            field = QgsProcessingParameterField(name, title, type=kind, parentLayerParameterName="PINS", optional=True)
            self.add(field, text)
        self.add(
            self.choice("MEANING", tr("The camera was"), {HERE: tr("Here"), NOT_HERE: tr("Not here")}),
            tr("What a pin says for which no field says it."),
        )
        self.add(
            self.number("RADIUS", tr("Radius (m)"), 50.0, minimum=0.1, maximum=1e6),
            tr("How near a pin is meant. A field radius_m of the layer goes before."),
        )
        self.advanced(
            QgsProcessingParameterString("WHO", tr("Who says so"), optional=True),
            tr("For the record. A field who of the layer goes before."),
        )
        self.overwrite()
        self.copies_crs(tr("Corrected trajectory, Corrected frames and Confidence regions"))
        self._declare_outputs()

    def _declare_outputs(self) -> None:
        lines, points, areas = (
            QgsProcessing.SourceType.TypeVectorLine, QgsProcessing.SourceType.TypeVectorPoint, QgsProcessing.SourceType.TypeVectorPolygon,
        )  # fmt: skip
        self.add(
            QgsProcessingParameterFileDestination("OUTPUT", tr("Corrected result"), "GeoPackage (*.gpkg)"),
            tr("A copy of the result with what was solved from the pins; these go to a review file beside it."),
        )
        self.add(
            QgsProcessingParameterFeatureSink("TRAJECTORY", tr("Corrected trajectory"), lines, optional=True),
            tr("A line a step, as a layer."),
        )
        self.add(
            QgsProcessingParameterFeatureSink("FRAMES", tr("Corrected frames"), points, optional=True), tr("A point a frame, as a layer.")
        )
        self.add(
            QgsProcessingParameterFeatureSink("REGIONS", tr("Confidence regions"), areas, optional=True, createByDefault=False),
            tr("If asked for: where each frame lies with 50 and with 90 %, given the pins."),
        )
        for name, text in (
            ("VIDEO_COUNT", tr("Videos with pins")), ("PIN_COUNT", tr("Pins")), ("MOVED_COUNT", tr("Frames that moved")), ("FARTHEST_M", tr("Farthest move (m)")),
        ):  # fmt: skip
            self.addOutput(QgsProcessingOutputNumber(name, text))

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the parameters."""
        result = self.result(parameters, context)
        if problem := checks.check_result(result) or checks.check_scores(result):
            return problem
        try:
            self._fields(parameters, context)
        except PinsError as error:
            return str(error)
        output = self.file_out(parameters, "OUTPUT", context)
        inputs = {tr("Result (input)"): result, tr("Pins (input)"): self.layer_file(parameters, "PINS", context)}
        return (
            checks.check_inputs_stay(inputs, self.labels(parameters, ["OUTPUT", *(name for name, _ in SINKS)]))
            or checks.check_folders([output] if output else [])
            or checks.check_geopackage_name(output)
        )

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine, then copy what it solved into what else was asked for."""
        output = self.file_out(parameters, "OUTPUT", context) or ""
        os.makedirs(os.path.dirname(output), exist_ok=True)
        result, pins = self.result(parameters, context), self._pins(parameters, context, feedback)
        arguments = SolveArguments(
            result=result, output=output, pins=pins, overwrite=self.parameterAsBoolean(parameters, "OVERWRITE", context)
        )
        said = self.ask("solve", arguments, feedback, when_cancelled=tr("Cancelled; nothing was written."))
        for note in said["notes"]:
            feedback.pushWarning(self.words()(note))
        for video in said["videos"]:
            feedback.pushInfo(_video_line(video))
        outputs: dict[str, Any] = {
            "OUTPUT": output,
            "VIDEO_COUNT": len(said["videos"]),
            "PIN_COUNT": sum(video["pins"] for video in said["videos"]),
            "MOVED_COUNT": sum(video["moved"] for video in said["videos"]),
            "FARTHEST_M": max((video["farthest_m"] or 0.0 for video in said["videos"]), default=0.0),
        }
        crs = self.parameterAsCrs(parameters, "OUTPUT_CRS", context)
        for name, like in SINKS:
            copied = copy_layer(output, f"{like}_pinned", self, parameters, name, context, feedback, crs=crs, like=like)
            if copied is not None:
                outputs[name] = copied
        return outputs

    def _fields(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[PinFields]:
        """The fields of the layer of pins; None where the result's own pins are meant."""
        if parameters.get("PINS") in (None, ""):
            return None
        source = self.parameterAsSource(parameters, "PINS", context)
        if source is None:
            raise PinsError(tr("The pins cannot be read: {given}. Give a point layer or a vector file.", given=parameters["PINS"]))
        return pin_fields(source, *(self.parameterAsString(parameters, f"{name}_FIELD", context) for name in ("FRAME", "VIDEO", "HERE")))

    def _pins(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Optional[list[dict[str, Any]]]:
        try:
            fields = self._fields(parameters, context)
            if fields is None:
                return None
            return read_pins(
                self.parameterAsSource(parameters, "PINS", context),
                fields,
                meaning=self.chosen(parameters, "MEANING", context),
                radius_m=self.parameterAsDouble(parameters, "RADIUS", context),
                who=self.parameterAsString(parameters, "WHO", context).strip(),
                context=context,
                feedback=feedback,
            )
        except PinsError as error:
            raise QgsProcessingException(str(error)) from error


def _video_line(video: dict[str, Any]) -> str:
    values = {"name": video["name"], "pins": video["pins"], "moved": video["moved"], "farthest": video["farthest_m"]}
    if not video["farthest_m"]:
        text = tr("{name}: 1 pin, {moved} frames moved.") if video["pins"] == 1 else tr("{name}: {pins} pins, {moved} frames moved.")
    elif video["pins"] == 1:
        text = tr("{name}: 1 pin, {moved} frames moved, the farthest by {farthest:,.0f} m.")
    else:
        text = tr("{name}: {pins} pins, {moved} frames moved, the farthest by {farthest:,.0f} m.")
    return filled(text, values)
