"""The Processing algorithm "Train for an area"."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Optional

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingOutputFolder,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from ..aoi import Area, read_area
from ..area_estimate import check_point_count
from ..engine_client.command_arguments import TrainArguments
from ..translation import mark, tr
from . import checks
from .base import VidTAGAlgorithm
from .inputs import DETAILS, EitherFiles

_HELP = mark("""Trains a checkpoint for an area from videos whose way is known, to use in 'Geolocate video'.

Give the videos with a track each, in the same order, or a folder where every video has a track of its name beside it ('drive.mp4' and \
'drive.gpx'). Videos that carry their positions (GoPro, KLV) need no track. The more of the area they cover, in the light and season of what is to \
be found, the better.

A part of the videos is held out to choose the best step and to calibrate the confidence. The checkpoint's folder has the weights, a curve and a \
log. It takes from minutes to hours; cancelled, the same call goes on where it stopped.""")
_PRESETS = {
    "vidtag-compact": mark("Compact for any computer"), "vidtag-l14": mark("Large as in the paper"),
    "vidtag-dino-s": mark("DINOv2 small"), "vidtag-dino-b": mark("DINOv2 base"),
}  # fmt: skip
_RECIPES = {"default": mark("For few videos"), "paper": mark("As in the paper")}
_AUGMENT = {"none": mark("None"), "street": mark("As seen from streets"), "aerial": mark("As seen from the air")}


class Finetune(VidTAGAlgorithm):
    """Videos with tracks, and an area if wanted, in; a checkpoint with its curve and log out."""

    ID, TITLE, TEXT = "finetune", mark("Train for an area"), _HELP
    SUMMARY = mark("Makes a checkpoint for an area from videos with tracks.")
    TAGS = ("train", "finetune", "fine-tune", "learn", "checkpoint", "model", "gpx", "track")
    READS = ("VIDEOS", "TRACKS", "FOLDER", "VALIDATION", "AOI")
    WRITES: ClassVar[dict[str, str]] = {"OUTPUT": "checkpoint"}

    def declare(self) -> None:
        """Declare inputs and outputs."""
        file, integer = QgsProcessing.SourceType.TypeFile, QgsProcessingParameterNumber.Type.Integer
        self.add(EitherFiles("VIDEOS", tr("Videos (or a folder of them below)"), file), tr("Videos to learn from."))
        self.add(
            QgsProcessingParameterMultipleLayers("TRACKS", tr("Tracks"), file, optional=True),
            tr("Their GPX or CSV tracks, one a video, in the same order. Empty: tracks beside the videos, or positions inside them."),
        )
        self.add(self.folder("FOLDER", tr("Folder of videos and tracks")), tr("Videos with tracks of the same names, also in subfolders."))
        self.area(tr("The area that the checkpoint is for. Empty: where the tracks lead, and a margin about it."), preselect=False)
        self.add(
            self.number("RESOLUTION", tr("Grid resolution (m)"), 100.0, minimum=0.1, maximum=5e6),
            tr("The resolution that the checkpoint will be used at."),
        )
        self.add(
            self.number("RATE", tr("Frames per second (0: every frame)"), 1.0, minimum=0.0, maximum=1000.0),
            tr("Frames taken from the videos."),
        )
        self.advanced(
            self.folder("VALIDATION", tr("Folder to validate on")), tr("Videos and tracks. Empty: a part of the videos above is held out.")
        )
        self.advanced(
            self.choice("PRESET", tr("Size"), _PRESETS),
            tr(
                "The compact model runs on any computer; the large one is the paper's, for graphics cards; DINOv2 lies between, and its accuracy here was not "
                "measured. All but compact fetch weights once."
            ),
        )
        self.advanced(self.choice("RECIPE", tr("Recipe"), _RECIPES), tr("For few videos, or the paper's losses and schedule."))
        for name, title, text in (
            ("PHASE1_STEPS", tr("Steps of Phase I"), tr("How long to train the retrieval. Empty: as the recipe.")),
            ("PHASE2_STEPS", tr("Steps of Phase II"), tr("How long to train the refinement; 0 leaves it out. Empty: as the recipe.")),
        ):
            self.advanced(self.number(name, title, None, minimum=0, kind=integer), text)
        self.advanced(
            self.choice("AUGMENT", tr("Altered copies"), _AUGMENT),
            tr("Learn from altered copies of each picture, too: as streets change, or the ground from the air."),
        )
        self.advanced(self.number("VIEWS", tr("Altered copies of a picture"), 0, minimum=0, maximum=64, kind=integer), tr("How many."))
        self.advanced(
            self.choice("LOCAL_FEATURES", tr("Details kept of pictures"), DETAILS),
            tr(
                "A frame's best reference images are looked at again by them, which finds more streets that were driven the same way. XFeat must be installed: "
                "'Check the engine' says how."
            ),
        )
        self.advanced(
            QgsProcessingParameterString("SIGMA", tr("Scales of the location encoder"), defaultValue="auto"),
            tr("auto: by the area's size. Else globe, city, site, or numbers such as 256,2048,16384."),
        )
        self.truth_offset()
        self.device()
        self.overwrite()
        self.advanced(
            self.number("SEED", tr("Seed"), 0, minimum=0, kind=integer), tr("Of everything random, so that a run can be repeated.")
        )
        # No destination: QGIS would offer a temporary folder, and hours of learning would go with it.
        self.add(
            QgsProcessingParameterFile("OUTPUT", tr("Checkpoint folder (made if need be)"), QgsProcessingParameterFile.Behavior.Folder),
            tr("Where the checkpoint goes. The same folder, inputs and settings go on with a run that was broken off."),
        )
        self.addOutput(QgsProcessingOutputFolder("OUTPUT", tr("Checkpoint folder")))
        self.addOutput(QgsProcessingOutputFile("CURVE", tr("Curve (PNG)")))
        self.addOutput(QgsProcessingOutputFile("LOG", tr("Log (JSON)")))
        for name, text in (
            ("SOURCE_COUNT", tr("Videos learnt from")), ("FRAME_COUNT", tr("Frames learnt from")),
            ("PHASE1_MEDIAN_M", tr("Median error of Phase I on held-out frames (m)")), ("PHASE2_MEDIAN_M", tr("Median error on held-out frames (m)")),
        ):  # fmt: skip
            self.addOutput(QgsProcessingOutputNumber(name, text))

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the parameters."""
        videos, tracks = self.files(parameters, "VIDEOS", context), self.files(parameters, "TRACKS", context)
        folder, validation = (self.file_in(parameters, name, context) for name in ("FOLDER", "VALIDATION"))
        if not videos and not folder:
            return tr("What shall be learnt from? Give videos with their tracks, or a folder of them.")
        problem = (
            checks.check_truth_offset(self.chosen_truth_offset(parameters, context))
            or checks.check_files(videos, tr("video"))
            or checks.check_files(tracks, tr("track"))
            or checks.check_folder(folder, tr("folder of videos and tracks"))
            or checks.check_folder(validation, tr("folder to validate on"))
        )
        if problem:
            return problem
        if tracks and len(tracks) != len(videos):
            return tr(
                "{tracks} tracks are given for {videos} videos: give one track a video, in the same order, or none.",
                tracks=len(tracks),
                videos=len(videos),
            )
        output = self._output(parameters, context)
        if problem := checks.check_lasting(output, tr("checkpoint")) or checks.check_folders(
            [os.path.join(os.path.abspath(output), "config.json")]
        ):
            return problem
        area = self._area(parameters, context)
        return None if area is None else check_point_count(area.area_m2, self.parameterAsDouble(parameters, "RESOLUTION", context))

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine; it may take hours."""
        area = self._area(parameters, context)
        folder, validation = (self.file_in(parameters, name, context) for name in ("FOLDER", "VALIDATION"))
        if problem := checks.check_lasting(self._output(parameters, context), tr("checkpoint")):  # a model's value was not checked before
            raise QgsProcessingException(problem)
        output = os.path.abspath(self._output(parameters, context))
        steps = [self.optional_number(parameters, f"PHASE{number}_STEPS", context) for number in (1, 2)]
        arguments = TrainArguments(
            aoi=area.text if area else None,
            aoi_crs=area.crs if area else None,
            output=output,
            videos=[*self.files(parameters, "VIDEOS", context), *([os.path.abspath(folder)] if folder else [])],
            truths=self.files(parameters, "TRACKS", context),
            validation=[os.path.abspath(validation)] if validation else [],
            preset=self.chosen(parameters, "PRESET", context),
            recipe=self.chosen(parameters, "RECIPE", context),
            resolution_m=self.parameterAsDouble(parameters, "RESOLUTION", context),
            rate_hz=self.parameterAsDouble(parameters, "RATE", context) or None,
            sigma=self.parameterAsString(parameters, "SIGMA", context).strip() or "auto",
            phase1_steps=None if steps[0] is None else int(steps[0]),
            phase2_steps=None if steps[1] is None else int(steps[1]),
            augment=self.chosen(parameters, "AUGMENT", context),
            views=self.parameterAsInt(parameters, "VIEWS", context),
            local_features=self.chosen(parameters, "LOCAL_FEATURES", context),
            device=self.chosen(parameters, "DEVICE", context),
            seed=self.parameterAsInt(parameters, "SEED", context),
            overwrite=self.parameterAsBoolean(parameters, "OVERWRITE", context),
            truth_offset_s=self.chosen_truth_offset(parameters, context),
        )
        kept = tr("Cancelled. What is learnt so far is in {output}: the same inputs, settings and folder go on from there.", output=output)
        said = self.ask("train", arguments, feedback, when_cancelled=kept)
        for note in said["notes"]:
            feedback.pushInfo(self.words()(note))
        metrics = said["metrics"]
        self._tell(metrics, feedback)
        return {
            "OUTPUT": said["output"],
            "CURVE": said["curve"],
            "LOG": said["log"],
            "SOURCE_COUNT": said["sources"],
            "FRAME_COUNT": metrics.get("training_frames"),
            "PHASE1_MEDIAN_M": metrics.get("phase1_median_m"),
            "PHASE2_MEDIAN_M": metrics.get("phase2_median_m"),
        }

    def _output(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        return self.file_in(parameters, "OUTPUT", context).strip()

    def _area(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[Area]:
        """The area; None where none is given and the tracks say it."""
        if all(parameters.get(name) in (None, "") for name in ("AOI", "EXTENT")):
            return None
        return read_area(self, parameters, context, "AOI", "EXTENT")

    def _tell(self, metrics: dict[str, Any], feedback: QgsProcessingFeedback) -> None:
        """How good it became; the checkpoint's log.json has all the figures."""
        first, both = metrics.get("phase1_median_m"), metrics.get("phase2_median_m")
        if isinstance(first, (int, float)):
            feedback.pushInfo(tr("Median error on frames that were held out, with Phase I: {error:,.1f} m.", error=first))
        if isinstance(both, (int, float)):
            feedback.pushInfo(tr("Median error on frames that were held out, with both phases: {error:,.1f} m.", error=both))
