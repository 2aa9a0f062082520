"""The Processing algorithm "Match roads"."""

from __future__ import annotations

import os
import re
from typing import Any, ClassVar, Optional

from qgis.core import (
    QgsFeatureSource,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFileDestination,
    QgsProcessingUtils,
)

from ..aoi import crs_name
from ..engine_client.command_arguments import MatchArguments
from ..layers import copy_layer
from ..roads import RoadsError, check_roads, write_roads
from ..translation import mark, tr
from . import checks
from .base import VidTAGAlgorithm

_HELP = mark("""Lays the trajectory of a result on roads, as a car drives: a frame lies where its place, its confidence and the way along the roads from the \
frame before agree best.

Roads are any line layer. They may be driven both ways, and meet where they touch or cross, bridges too. Where no road is in reach, the line breaks; how \
far is in reach follows from each frame's confidence.

It helps where the camera did follow roads: a drone, or a walk through a park, is drawn away from the truth. The model's own trajectory stays as it is.""")


_PINNED = mark("It is the line of 'Solve with pins'.")


class MatchRoads(VidTAGAlgorithm):
    """Result and roads in; the trajectory along the roads out."""

    ID, TITLE, TEXT = "matchroads", mark("Match roads"), _HELP
    SUMMARY = mark("Lays the trajectory of a result on a layer of roads.")
    TAGS = ("map matching", "match", "roads", "streets", "osm", "network", "snap", "trajectory", "car", "drive")
    READS = ("RESULT", "ROADS")
    WRITES: ClassVar[dict[str, str]] = {"OUTPUT": "result"}
    LAYERS = ("MATCHED",)

    def declare(self) -> None:
        """Declare inputs and outputs."""
        self.result_file()
        self.answer()
        self.add(
            QgsProcessingParameterFeatureSource("ROADS", tr("Roads"), [QgsProcessing.SourceType.TypeVectorLine]),
            tr("Lines in any coordinate system, such as OpenStreetMap's streets. With 'Selected features only', the selected ones."),
        )
        self.overwrite()
        self.copies_crs(tr("Matched trajectory"))
        lines = QgsProcessing.SourceType.TypeVectorLine
        self.add(
            QgsProcessingParameterFeatureSink("MATCHED", tr("Matched trajectory"), lines),
            tr("A line a step, along the roads, with the length and speed along them."),
        )
        self.add(
            QgsProcessingParameterFileDestination(
                "OUTPUT", tr("Result with the matched line"), "GeoPackage (*.gpkg)", optional=True, createByDefault=False
            ),
            tr("If asked for: a copy of the result, with the layer trajectory_matched beside the model's own."),
        )
        for name, text in (
            ("VIDEO_COUNT", tr("Videos")), ("LOCATED_COUNT", tr("Frames located")), ("MATCHED_COUNT", tr("Frames on a road")),
            ("MOVED_M", tr("Median move of a frame (m)")),
        ):  # fmt: skip
            self.addOutput(QgsProcessingOutputNumber(name, text))

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the parameters."""
        result, output = self.result(parameters, context), self.file_out(parameters, "OUTPUT", context)
        if problem := checks.check_result(result) or checks.check_answer(result, self.chosen_answer(parameters, context)):
            return problem
        try:
            check_roads(self._roads(parameters, context))
        except RoadsError as error:
            return str(error)
        inputs = {tr("Result (input)"): result, tr("Roads (input)"): self.layer_file(parameters, "ROADS", context)}
        return (
            checks.check_inputs_stay(inputs, self.labels(parameters, ["MATCHED", "OUTPUT"]))
            or checks.check_folders([output] if output else [])
            or checks.check_geopackage_name(output)
        )

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine, then copy the line into its layer."""
        result, output = self.result(parameters, context), self.file_out(parameters, "OUTPUT", context)
        written = output or QgsProcessingUtils.generateTempFilename("matched.gpkg")
        os.makedirs(os.path.dirname(written), exist_ok=True)
        roads = self._roads(parameters, context)
        # The engine's sentences name the file.
        file = QgsProcessingUtils.generateTempFilename(re.sub(r"[^\w. -]", "_", roads.sourceName())[:60] + ".gpkg")
        try:
            count = write_roads(roads, result, file, context, feedback)
        except RoadsError as error:
            raise QgsProcessingException(str(error)) from error
        feedback.pushInfo(tr("{count:,} roads near the line.", count=count))
        answer = self.chosen_answer(parameters, context)
        overwrite = self.parameterAsBoolean(parameters, "OVERWRITE", context)
        arguments = MatchArguments(
            result=result, roads=file, output=written, crs=crs_name(roads.sourceCrs()), answer=answer, overwrite=overwrite
        )
        said = self.ask("match", arguments, feedback, when_cancelled=tr("Cancelled; nothing was written."))
        for video in said["videos"]:
            line = tr(
                "{name}: {matched} of {located} located frames lie on a road.",
                name=video["name"],
                matched=video["matched"],
                located=video["located"],
            )
            feedback.pushInfo(f"{line} {tr(_PINNED)}" if video.get("pinned") else line)
        moved = sorted(video["median_moved_m"] for video in said["videos"] if video["median_moved_m"] is not None)
        outputs: dict[str, Any] = {
            "VIDEO_COUNT": len(said["videos"]),
            "LOCATED_COUNT": sum(video["located"] for video in said["videos"]),
            "MATCHED_COUNT": sum(video["matched"] for video in said["videos"]),
            "MOVED_M": moved[len(moved) // 2] if moved else None,
        }
        crs = self.parameterAsCrs(parameters, "OUTPUT_CRS", context)
        outputs["MATCHED"] = copy_layer(
            written, "trajectory_matched", self, parameters, "MATCHED", context, feedback, crs=crs, like="trajectory"
        )
        return {**outputs, "OUTPUT": output} if output else outputs

    def _roads(self, parameters: dict[str, Any], context: QgsProcessingContext) -> QgsFeatureSource:
        source = self.parameterAsSource(parameters, "ROADS", context)
        if source is None:
            raise RoadsError(tr("The roads cannot be read: {given}. Give a line layer or a vector file.", given=parameters.get("ROADS")))
        return source
