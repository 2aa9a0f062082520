"""The Processing algorithm "Geolocate video"."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any, Optional

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
)

from .. import engine
from ..aoi import read_area
from ..compat import iso_text
from ..engine_client import GeolocateArguments
from ..layers import copy_layer
from . import checks
from .base import GRIDS, VidTAGAlgorithm

_HELP = """Finds where in an area a video was taken, frame by frame, and the way that the camera took.

Give one or more videos, the area that they are from, and a checkpoint: a model trained for that area gives useful positions; <i>geoclip</i> \
knows the whole world, roughly. The area is covered with a grid of candidate places, and every frame gets the best of them, with a confidence: \
the probability that the true place lies within the confidence radius.

The result is a GeoPackage with the layers <i>trajectory</i> (a line a step), <i>frames</i> (a point a frame) and <i>videos</i>, with styles, \
times for the temporal controller, and the record of what it was made from. Trajectory and frames can be copied to layers of any format, too.

The engine runs in a Python environment of its own: Settings &gt; Options &gt; Processing &gt; Providers &gt; VidTAG. Cancel stops it within \
a second; videos finished by then are kept."""
_TAGS = tuple("geolocalisation geolocalization where place trajectory track frames camera drone dashcam gps osint geoclip ai".split())


class GeolocateVideo(VidTAGAlgorithm):
    """Videos and an area in, trajectories with confidence out. The engine does the work, in a process of its own."""

    ID, TITLE, TEXT, TAGS = "geolocatevideo", "Geolocate video", _HELP, _TAGS
    SUMMARY = "Finds where in an area a video was taken, frame by frame, and the way that the camera took."
    VIDEOS, FOLDER, IMAGES = "VIDEOS", "FOLDER", "IMAGES"
    AOI, EXTENT = "AOI", "EXTENT"
    CHECKPOINT, RESOLUTION, RATE = "CHECKPOINT", "RESOLUTION", "RATE"
    FROM, TO, START_TIME = "FROM", "TO", "START_TIME"
    RADIUS, GRID, EXHAUSTIVE, DEVICE, BATCH_SIZE, SEED, RESUME = (
        "CONFIDENCE_RADIUS", "GRID", "EXHAUSTIVE", "DEVICE", "BATCH_SIZE", "SEED", "RESUME",
    )  # fmt: skip
    OUTPUT, KML, MAP, OUTPUT_CRS = "OUTPUT", "KML", "MAP", "OUTPUT_CRS"
    SINKS = (("TRAJECTORY", "trajectory"), ("FRAMES", "frames"))

    def declare(self) -> None:
        """Declare inputs and outputs."""
        self._declare_inputs()
        self._declare_settings()
        self._declare_outputs()

    def _declare_inputs(self) -> None:
        folder, file = QgsProcessingParameterFile.Behavior.Folder, QgsProcessing.SourceType.TypeFile
        self.add(
            QgsProcessingParameterMultipleLayers(self.VIDEOS, "Videos", file, optional=True),
            "Video files, in any format that FFmpeg reads. Each gives a trajectory of its own.",
        )
        self.add(
            self.folder(self.FOLDER, "Folder of videos"),
            "All videos in this folder and its subfolders, besides those above.",
        )
        self.area("Where the videos may be from; the answer lies inside.")
        # Optional, as QGIS passes over the default of a file parameter that is left out and would ask for it.
        self.add(
            QgsProcessingParameterFile(self.CHECKPOINT, "Checkpoint (folder, or geoclip)", folder, defaultValue="geoclip", optional=True),
            "The trained model: a folder that `vidtag train` has written, a .safetensors file, a Hub id, or geoclip for the worldwide one.",
        )
        self.add(
            self.number(self.RESOLUTION, "Grid resolution (m)", 100.0, minimum=0.1, maximum=5e6),
            "Step of the grid of candidate places. Halving it makes four times as many points.",
        )
        self.add(
            self.number(self.RATE, "Frames per second (0: every frame)", 1.0, minimum=0.0, maximum=1000.0),
            "How many frames of each second of video are located.",
        )

    def _declare_settings(self) -> None:
        integer = QgsProcessingParameterNumber.Type.Integer
        self.advanced(
            self.folder(self.IMAGES, "Folder of images (one sequence)"),
            "Still images that are one sequence, in the order of their EXIF times, else of their names.",
        )
        self.advanced(self.number(self.FROM, "From (s)", 0.0, minimum=0.0), "Start of the stretch of each video.")
        self.advanced(self.number(self.TO, "To (s)", None, minimum=0.0), "End of the stretch of each video; empty: its end.")
        self.advanced(
            QgsProcessingParameterDateTime(self.START_TIME, "Start time (UTC)", optional=True),
            "When each video begins. Empty: what the file says; else a flagged base, 2000-01-01.",
        )
        self.advanced(
            self.number(self.RADIUS, "Confidence radius (m)", None, minimum=0.1),
            "A frame's confidence is the probability that the truth lies within this of its point. Empty: ten times the resolution.",
        )
        self.advanced(
            self.choice(self.GRID, "Grid", GRIDS), "equal-earth: points equally spaced on the ground. latlon: the paper's grid of degrees."
        )
        self.advanced(
            QgsProcessingParameterBoolean(self.EXHAUSTIVE, "Compare every grid point", defaultValue=False),
            "A large area is otherwise searched coarse to fine, which nearly always gives the same answer and is far faster.",
        )
        self.device()
        self.advanced(
            self.number(self.BATCH_SIZE, "Batch size", None, minimum=1, maximum=4096, kind=integer),
            "Frames at once; less takes less memory.",
        )
        self.advanced(self.number(self.SEED, "Seed", 0, minimum=0, kind=integer), "Of everything random, so that a run can be repeated.")
        self.advanced(
            QgsProcessingParameterBoolean(self.RESUME, "Go on from the result file where it exists", defaultValue=False),
            "Videos that an earlier run of the same settings has put there are not done again. Otherwise the file is replaced.",
        )

        self.advanced(
            QgsProcessingParameterCrs(self.OUTPUT_CRS, "Coordinate system of the copied layers", optional=True),
            "For the layers Trajectory and Frames below. Empty: WGS 84. The result file itself is always in WGS 84.",
        )

    def _declare_outputs(self) -> None:
        lines, points = QgsProcessing.SourceType.TypeVectorLine, QgsProcessing.SourceType.TypeVectorPoint
        self.add(
            QgsProcessingParameterFileDestination(self.OUTPUT, "Result", "GeoPackage (*.gpkg)"),
            "The whole result: trajectory, frames, videos, styles and the record of what made it.",
        )
        self.add(
            QgsProcessingParameterFeatureSink("TRAJECTORY", "Trajectory", lines, optional=True),
            "A copy of the trajectory as a layer: a line from each located frame to the next, with both confidences and the speed.",
        )
        self.add(
            QgsProcessingParameterFeatureSink("FRAMES", "Frames", points, optional=True),
            "A copy of the frames as a layer: a point a frame, with its confidence; frames without an answer have no geometry.",
        )
        kml = QgsProcessingParameterFileDestination(self.KML, "KML", "KML (*.kml)", optional=True, createByDefault=False)
        self.add(kml, "For Google Earth: a track with times and a styled line.")
        picture = QgsProcessingParameterFileDestination(self.MAP, "Map picture", "PNG (*.png)", optional=True, createByDefault=False)
        self.add(picture, "The trajectories on a map, coloured by confidence.")
        for name, text in (
            ("VIDEO_COUNT", "Videos"), ("FRAME_COUNT", "Frames"), ("LOCATED_COUNT", "Frames located"),
            ("MEAN_CONFIDENCE", "Mean confidence"), ("LENGTH_M", "Length (m)"), ("GALLERY_POINTS", "Gallery points"), ("SKIPPED_COUNT", "Videos left out"),
        ):  # fmt: skip
            self.addOutput(QgsProcessingOutputNumber(name, text))
        self.addOutput(QgsProcessingOutputString("CHECKPOINT_NAME", "Checkpoint"))

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the parameters."""
        outputs = [self.OUTPUT, *(name for name, _ in self.SINKS), self.KML, self.MAP]
        files = [self.parameterAsFileOutput(parameters, name, context) for name in (self.OUTPUT, self.KML, self.MAP)]
        problem = (
            checks.check_videos(*self._inputs(parameters, context))
            or checks.check_checkpoint(self._checkpoint(parameters, context))
            or checks.check_destinations(self.labels(parameters, outputs))
            or checks.check_folders(path for path in files if path)
        )
        if problem:
            return problem
        if files[0] and not files[0].lower().endswith(".gpkg"):
            return f"The result {files[0]} must end in .gpkg: it is a GeoPackage. Other formats are outputs of their own."
        end_s = self.optional_number(parameters, self.TO, context)
        if end_s is not None and end_s <= self.parameterAsDouble(parameters, self.FROM, context):
            return f"The stretch ends at {end_s:g} s, before it begins: make 'To' larger than 'From'."
        area = read_area(self, parameters, context, self.AOI, self.EXTENT)
        return checks.check_point_count(area.area_m2, self.parameterAsDouble(parameters, self.RESOLUTION, context))

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine, then copy its result into what else was asked for."""
        arguments = self._arguments(parameters, context)
        for path in filter(None, (arguments.output, arguments.kml, arguments.map)):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        result = engine.run("geolocate", asdict(arguments), feedback)
        outputs = {
            self.OUTPUT: arguments.output,
            "VIDEO_COUNT": len(result["videos"]),
            "FRAME_COUNT": result["frames"],
            "LOCATED_COUNT": result["located"],
            "MEAN_CONFIDENCE": result.get("mean_confidence"),
            "LENGTH_M": sum(video["length_m"] for video in result["videos"]),
            "GALLERY_POINTS": result["gallery_points"],
            "SKIPPED_COUNT": len(result["skipped"]),
            "CHECKPOINT_NAME": result["checkpoint"],
        }
        outputs.update({name: path for name, path in ((self.KML, arguments.kml), (self.MAP, arguments.map)) if path})
        crs = self.parameterAsCrs(parameters, self.OUTPUT_CRS, context)
        for output, layer in self.SINKS:
            copied = copy_layer(arguments.output, layer, self, parameters, output, context, feedback, crs=crs)
            if copied is not None:
                outputs[output] = copied
        return outputs

    def _arguments(self, parameters: dict[str, Any], context: QgsProcessingContext) -> GeolocateArguments:
        videos, folder, images = self._inputs(parameters, context)
        area = read_area(self, parameters, context, self.AOI, self.EXTENT)
        checkpoint = self._checkpoint(parameters, context)
        batch_size = self.optional_number(parameters, self.BATCH_SIZE, context)
        start = self.parameterAsDateTime(parameters, self.START_TIME, context)
        return GeolocateArguments(
            aoi=area.geojson,
            aoi_crs=area.crs,
            output=self.file_out(parameters, self.OUTPUT, context) or "",
            videos=[os.path.abspath(place) for place in [*videos, folder] if place],
            images=[os.path.abspath(images)] if images else [],
            checkpoint=os.path.abspath(checkpoint) if os.path.exists(checkpoint) else checkpoint,
            resolution_m=self.parameterAsDouble(parameters, self.RESOLUTION, context),
            rate_hz=self.parameterAsDouble(parameters, self.RATE, context) or None,
            from_s=self.parameterAsDouble(parameters, self.FROM, context),
            to_s=self.optional_number(parameters, self.TO, context),
            start_time=iso_text(start) if start.isValid() else None,
            exhaustive=self.parameterAsBoolean(parameters, self.EXHAUSTIVE, context),
            grid=self.parameterAsEnumString(parameters, self.GRID, context),
            confidence_radius_m=self.optional_number(parameters, self.RADIUS, context),
            device=self.parameterAsEnumString(parameters, self.DEVICE, context),
            batch_size=None if batch_size is None else int(batch_size),
            seed=self.parameterAsInt(parameters, self.SEED, context),
            kml=self.file_out(parameters, self.KML, context),
            map=self.file_out(parameters, self.MAP, context),
            overwrite=not self.parameterAsBoolean(parameters, self.RESUME, context),
        )

    def _inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[list[str], str, str]:
        videos = self.parameterAsFileList(parameters, self.VIDEOS, context)
        folder, images = (self.parameterAsFile(parameters, name, context) for name in (self.FOLDER, self.IMAGES))
        return [video for video in videos if video], folder, images

    def _checkpoint(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        return self.parameterAsString(parameters, self.CHECKPOINT, context).strip() or checks.WORLDWIDE
