"""The Processing algorithm "Guess city"."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Optional

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputBoolean,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingOutputVectorLayer,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
)

from .. import video_places
from ..engine_client.command_arguments import GuessArguments
from ..guessed_places import LAYER, likely_rows
from ..layers import copy_layer
from ..translation import mark, tr
from . import checks
from .base import VidTAGAlgorithm
from .inputs import EitherFiles

_HELP = mark("""Says which of the cities that a checkpoint knows each video was taken in, or that it was taken in none of them.

Give one or more videos and a checkpoint of cities, which train-city makes on the command line. Each city lies in a state, a country and a continent, \
and each of these levels has its five likeliest places, with the probability that the video was taken there.

The layer of likely places holds the fewest that together have 90 %, or what you choose, at most five a video. Give it as the area of interest to \
'Geolocate video', or join the two in a model. The GeoPackage holds all levels.

A video that is unlike those of every known city has no likely place, and the log says why. Places whose probability nothing has calibrated are \
'not rated': they are in order, and all five are taken.""")
LEVELS = {"city": mark("Cities"), "state": mark("States"), "country": mark("Countries"), "continent": mark("Continents")}


class GuessCity(VidTAGAlgorithm):
    """Videos and a checkpoint of cities in, the places that they may be of out."""

    ID, TITLE, TEXT = "guesscity", mark("Guess city"), _HELP
    SUMMARY = mark("Says which city, state, country and continent videos were taken in, of those that a checkpoint knows.")
    TAGS = ("city", "town", "country", "continent", "where", "place", "guess", "classify", "cityguessr")
    READS = ("VIDEOS", "FOLDER", "IMAGES", "CHECKPOINT")
    WRITES: ClassVar[dict[str, str]] = {"OUTPUT": "places"}
    LAYERS = ("PLACES",)

    def declare(self) -> None:
        """Declare inputs and outputs."""
        integer = QgsProcessingParameterNumber.Type.Integer
        self.add(
            EitherFiles("VIDEOS", tr("Videos (or a folder of them below)"), QgsProcessing.SourceType.TypeFile),
            tr("Video files, in any format that FFmpeg reads; give some, or a folder. Each is guessed by itself."),
        )
        self.add(self.folder("FOLDER", tr("Folder of videos")), tr("All videos in this folder and its subfolders, besides those above."))
        self.add(
            QgsProcessingParameterFile("CHECKPOINT", tr("Checkpoint of cities (folder)"), QgsProcessingParameterFile.Behavior.Folder),
            tr("A folder that train-city has written, on the command line; a .safetensors file or a Hub id, too."),
        )
        self.add(self.choice("LEVEL", tr("Likely places are"), LEVELS), tr("What the layer of likely places is made of."))
        self.add(
            self.number("MOST", tr("Probability that they have together"), 0.9, minimum=0.01, maximum=1.0),
            tr(
                "The fewest places that together have so much are taken, at most five of each video. More of it is a larger area to search."
            ),
        )
        self.advanced(
            self.folder("IMAGES", tr("Folder of images")),
            tr("Still images that are one sequence, in the order of their EXIF times, else of their names."),
        )
        self.advanced(self.number("FROM", tr("From (s)"), 0.0, minimum=0.0), tr("Start of the stretch of each video."))
        self.advanced(self.number("TO", tr("To (s)"), None, minimum=0.0), tr("End of the stretch of each video; empty: its end."))
        self.device()
        self.advanced(
            self.number("BATCH_SIZE", tr("Batch size"), None, minimum=1, maximum=4096, kind=integer),
            tr("Frames at once; less takes less memory."),
        )
        self.overwrite()
        self.copies_crs(tr("Likely places"))
        self._declare_outputs()

    def _declare_outputs(self) -> None:
        self.add(
            QgsProcessingParameterFileDestination("OUTPUT", tr("All guessed places"), "GeoPackage (*.gpkg)"),
            tr("Of every video and level the five likeliest places, as polygons."),
        )
        self.add(
            QgsProcessingParameterFeatureSink("PLACES", tr("Likely places"), QgsProcessing.SourceType.TypeVectorPolygon, optional=True),
            tr(
                "The fewest that together have the probability above: an area of interest for 'Geolocate video'. Empty where the video is of no known city."
            ),
        )
        self.addOutput(QgsProcessingOutputString("CITY", tr("Likeliest city, of the first video whose city is known; empty where none is")))
        self.addOutput(QgsProcessingOutputNumber("PROBABILITY", tr("Its probability; none where it is not rated")))
        self.addOutput(QgsProcessingOutputBoolean("KNOWN", tr("Whether a video is of a known city")))
        for name, text in (
            ("COUNT", tr("Likely places")), ("VIDEO_COUNT", tr("Videos")), ("UNKNOWN_COUNT", tr("Videos of no known city")),
            ("SKIPPED_COUNT", tr("Videos left out")),
        ):  # fmt: skip
            self.addOutput(QgsProcessingOutputNumber(name, text))
        self.addOutput(QgsProcessingOutputString("UNKNOWN_REASON", tr("Why videos are of no known city; empty where none is")))
        self.addOutput(QgsProcessingOutputVectorLayer("RESULT_PLACES", tr("The file's own layer of all guessed places")))

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the parameters."""
        output = self.parameterAsFileOutput(parameters, "OUTPUT", context)
        folder, images = (self.file_in(parameters, name, context) for name in ("FOLDER", "IMAGES"))
        return (
            checks.check_videos(self.files(parameters, "VIDEOS", context), folder, images)
            or checks.check_city_checkpoint(self._checkpoint(parameters, context))
            or self.stretch_problem(parameters, context)
            or checks.check_destinations(self.labels(parameters, ["OUTPUT", "PLACES"]))
            or checks.check_folders([output] if output else [])
            or checks.check_geopackage_name(output)
        )

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine, then copy the likely places."""
        output = self.file_out(parameters, "OUTPUT", context) or ""
        os.makedirs(os.path.dirname(output), exist_ok=True)
        folder, images = (self.file_in(parameters, name, context) for name in ("FOLDER", "IMAGES"))
        batch_size = self.optional_number(parameters, "BATCH_SIZE", context)
        arguments = GuessArguments(
            checkpoint=self._checkpoint(parameters, context),
            videos=[*self.files(parameters, "VIDEOS", context), *([os.path.abspath(folder)] if folder else [])],
            images=[os.path.abspath(images)] if images else [],
            output=output,
            from_s=self.parameterAsDouble(parameters, "FROM", context),
            to_s=self.optional_number(parameters, "TO", context),
            device=self.chosen(parameters, "DEVICE", context),
            batch_size=None if batch_size is None else int(batch_size),
            overwrite=self.parameterAsBoolean(parameters, "OVERWRITE", context),
        )
        said = self.ask("guess", arguments, feedback, when_cancelled=tr("Cancelled; no places were written."))
        video_places.remember([*arguments.videos, *arguments.images])
        videos = said["videos"]
        unknown = [f"{video['name']}: {video['why']}" for video in videos if not video["known"]]
        left_out = [tr("{name} was left out: {why}", name=one["name"], why=one["why"]) for one in said["failed"]]
        for note in [*said["notes"], *unknown, *left_out]:
            feedback.pushWarning(self.words()(note))
        rows = likely_rows(output, self.chosen(parameters, "LEVEL", context), self.parameterAsDouble(parameters, "MOST", context))
        known = [video for video in videos if video["known"]]
        best = known[0]["levels"]["city"][0] if known else {}
        outputs: dict[str, Any] = {
            "OUTPUT": output,
            "CITY": best.get("name", ""),
            "PROBABILITY": best.get("probability"),  # None where it is not rated: NaN stops QGIS's expressions
            "KNOWN": bool(known),
            "COUNT": len(rows),
            "VIDEO_COUNT": len(videos),
            "UNKNOWN_COUNT": len(unknown),
            "SKIPPED_COUNT": len(left_out),
            "UNKNOWN_REASON": "; ".join(unknown) if len(videos) > 1 else "".join(video["why"] for video in videos),
            "RESULT_PLACES": f"{output}|layername={LAYER}",
        }
        crs = self.parameterAsCrs(parameters, "OUTPUT_CRS", context)
        places = copy_layer(output, LAYER, self, parameters, "PLACES", context, feedback, crs=crs, rows=rows)
        return outputs if places is None else {**outputs, "PLACES": places}

    def _checkpoint(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        given = self.parameterAsString(parameters, "CHECKPOINT", context).strip()
        return os.path.abspath(given) if os.path.exists(given) else given
