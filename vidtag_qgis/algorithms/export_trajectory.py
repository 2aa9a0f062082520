"""The Processing algorithm "Export trajectory"."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Optional

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
)

from ..engine_client.command_arguments import ExportArguments
from ..track import copy_track
from ..translation import mark, tr
from . import checks
from .base import VidTAGAlgorithm

_HELP = mark("""Copies a result of 'Geolocate video' to other formats: KML, GPX, GeoJSON, CSV, lines with times as M for trajectory tools, and the frames as JPEGs \
that carry their places.

The JPEGs have EXIF positions, the time of the frame (UTC; none where the video's start is not known) and the confidence, so that photo tools and \
'Import geotagged photos' read them. They need the videos: those are looked for where you say and beside the result, and \
checked to be the very files that were located.""")
_COPIES = (
    ("KML", "KML (*.kml)", mark("For Google Earth: a track with times and a coloured line.")),
    ("GPX", "GPX (*.gpx)", mark("For GPS programs: a track a video, with times where they are known.")),
    ("GEOJSON", "GeoJSON (*.geojson)", mark("Steps and frames with all their attributes.")),
    ("CSV", "CSV (*.csv)", mark("A row a frame.")),
)


class ExportTrajectory(VidTAGAlgorithm):
    """Result in; copies in other formats out."""

    ID, TITLE, TEXT = "exporttrajectory", mark("Export trajectory"), _HELP
    SUMMARY = mark("Copies a result to KML, GPX, GeoJSON and CSV, and its frames to JPEGs with EXIF positions.")
    TAGS = ("export", "kml", "gpx", "geojson", "csv", "jpeg", "exif", "frames", "photos", "geotag")
    READS = ("RESULT", "VIDEOS", "FOLDER")
    WRITES: ClassVar[dict[str, str]] = {name: name.lower() for name, _, _ in _COPIES}
    LAYERS = ("TRACK",)

    def declare(self) -> None:
        """Declare inputs and outputs."""
        self.result_file()
        self.answer()
        for name, kind, text in _COPIES:
            title = kind.split(" ")[0]
            self.add(QgsProcessingParameterFileDestination(name, title, kind, optional=True, createByDefault=False), tr(text))
        lines = QgsProcessing.SourceType.TypeVectorLine
        self.add(
            QgsProcessingParameterFeatureSink("TRACK", tr("Track with times as M"), lines, optional=True, createByDefault=False),
            tr("A line a video for trajectory tools (LineStringZM). M is the time of each vertex in seconds since 1970-01-01 UTC, Z is 0."),
        )
        self.add(
            QgsProcessingParameterFolderDestination("FRAMES", tr("Frames as JPEGs"), optional=True, createByDefault=False),
            tr("A folder for a JPEG a located frame. Needs the videos."),
        )
        self.add(
            QgsProcessingParameterMultipleLayers("VIDEOS", tr("Videos (for the frames)"), QgsProcessing.SourceType.TypeFile, optional=True),
            tr("The video files that were located. Not needed where they lie beside the result."),
        )
        self.add(self.folder("FOLDER", tr("Folder of the videos")), tr("Where they lie, in it or in its subfolders."))
        self.advanced(
            self.number("LEAST_CONFIDENCE", tr("Least confidence of a frame"), 0.0, minimum=0.0, maximum=1.0),
            tr("Less sure frames are not written as JPEGs; those that are not rated are."),
        )
        integer = QgsProcessingParameterNumber.Type.Integer
        self.advanced(
            self.number("QUALITY", tr("Quality of the JPEGs"), 92, minimum=1, maximum=95, kind=integer), tr("Larger is better and larger.")
        )
        self.overwrite()
        for name, text in (("FRAME_COUNT", tr("Frames written")), ("LEFT_OUT_COUNT", tr("Frames left out")), ("VIDEO_COUNT", tr("Videos"))):
            self.addOutput(QgsProcessingOutputNumber(name, text))

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the parameters."""
        result = self.result(parameters, context)
        if problem := checks.check_result(result) or checks.check_answer(result, self.chosen_answer(parameters, context)):
            return problem
        names = [name for name, _, _ in _COPIES]
        files = [path for path in (self.file_out(parameters, name, context) for name in names) if path]
        frames = self.file_out(parameters, "FRAMES", context)
        if not files and not frames and not checks.is_asked(parameters.get("TRACK")):
            return tr("There is nothing to write: give at least one output.")
        videos, folder = self.files(parameters, "VIDEOS", context), self.file_in(parameters, "FOLDER", context)
        if frames and os.path.isfile(frames):
            return tr("The output {frames} is a file: give a folder for the frames.", frames=frames)
        return (
            checks.check_files(videos, tr("video"))
            or checks.check_folder(folder, tr("folder of the videos"))
            or checks.check_destinations({tr("Result (input)"): result, **self.labels(parameters, [*names, "TRACK"])})
            or checks.check_folders([*files, *([os.path.join(frames, "frame.jpg")] if frames else [])])
        )

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine."""
        copies = {name: self.file_out(parameters, name, context) for name, _, _ in _COPIES}
        for path in filter(None, copies.values()):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        frames, folder = self.file_out(parameters, "FRAMES", context), self.file_in(parameters, "FOLDER", context)
        arguments = ExportArguments(
            result=self.result(parameters, context),
            frames=frames,
            videos=[*self.files(parameters, "VIDEOS", context), *([os.path.abspath(folder)] if folder else [])],
            least_confidence=self.parameterAsDouble(parameters, "LEAST_CONFIDENCE", context),
            quality=self.parameterAsInt(parameters, "QUALITY", context),
            answer=self.chosen_answer(parameters, context),
            overwrite=self.parameterAsBoolean(parameters, "OVERWRITE", context),
            **{name.lower(): path for name, path in copies.items()},
        )
        kept = tr("Cancelled. The JPEGs written so far are in {frames}, each whole.", frames=frames) if frames else tr("Cancelled.")
        said: dict[str, Any] = {"pinned": [], "frames": 0, "left_out": 0, "videos": 0}
        if frames or any(copies.values()):
            said = self.ask("export", arguments, feedback, when_cancelled=kept)
        if said["pinned"]:
            feedback.pushInfo(tr("The answer of 'Solve with pins' was taken for {names}.", names=", ".join(said["pinned"])))
        if frames:
            feedback.pushInfo(tr("{frames} frames written, {left_out} left out.", frames=said["frames"], left_out=said["left_out"]))
        outputs: dict[str, Any] = {name: path for name, path in {**copies, "FRAMES": frames}.items() if path}
        track = copy_track(arguments.result, self, parameters, "TRACK", context, feedback, answer=arguments.answer)
        if track is not None:
            outputs["TRACK"] = track
        return {**outputs, "FRAME_COUNT": said["frames"], "LEFT_OUT_COUNT": said["left_out"], "VIDEO_COUNT": said["videos"]}
