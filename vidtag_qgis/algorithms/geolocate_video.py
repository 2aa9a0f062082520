"""The Processing algorithm "Geolocate video"."""

from __future__ import annotations

import os
from typing import Any, Optional

from qgis.core import QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback

from .. import remembered, result_layers, settings, video_places
from ..aoi import Area, is_given, read_area
from ..area_estimate import check_point_count, is_wide
from ..compat import push_link
from ..engine_client import GeolocateArguments
from ..layers import copy_layer
from ..roads import NetworkFile, RoadsError, check_given_roads, network_file
from ..track import copy_track
from ..translation import mark, tr
from ..video_table import Rows, TableError, read_table
from . import checks
from .geolocate_parameters import RESULT_LAYERS, GeolocateParameters

_HELP = mark("""Give one or more videos, the area that they are from, and a checkpoint: a model trained for that area gives useful positions; 'geoclip' \
knows the whole world, roughly. The area is covered with a grid of candidate places, and every frame gets the best of them, with a confidence: \
the probability that the true place lies within the confidence radius.

The result is a GeoPackage with the layers 'trajectory' (a line a step), 'frames' (a point a frame), 'videos' and \
'regions' (where a frame lies with 50 and 90 %), with styles, times for the temporal controller, and the record of what it was made from. \
Its layers are loaded into the project. Trajectory, frames and regions can be copied to layers of any format, too, and each video to a line with times as M.

A video that is judged to be from elsewhere, unlike all that the checkpoint knows, or on ground that it knows nothing of, gets no answer, and the log \
says why. Where you know better, keep the scores, set pins and run 'Solve with pins'. Frames whose probability nothing has calibrated are 'not rated': \
they have a place, and no confidence.

Without an area the extent that the checkpoint was trained on is searched, or with a worldwide one the world's land; then take a resolution of 1000 m.

Where there is no checkpoint for the area, 'Build reference database' makes something to recognise its places by without any training: give it under \
'Reference images'.

With a layer of the area's 'Roads' the shape of each video's way, its turns, stops and speeds, is compared with the streets, too. The layer 'candidates' of the \
result has the ways that fit. With the checkpoint 'none' that alone says where it was.

The engine runs in a Python environment of its own: Settings > Options > VidTAG. Cancel stops it within \
a second; videos finished by then are kept. Of several videos each is kept at once, in a folder beside the result, which also has a page of the batch: \
every video's state, why it failed, and a map. 'Go on from an existing result' does the rest of a batch that was stopped.""")
_TAGS = tuple(
    "geolocalisation geolocalization where place trajectory track frames camera drone dashcam gps osint geoclip ai roads streets osm".split()
)

AUTO = "auto"
"""Of what guesses areas: one among the checkpoints that the user keeps."""


class GeolocateVideo(GeolocateParameters):
    """Videos and an area in, trajectories with confidence out. The engine does the work, in a process of its own."""

    ID, TITLE, TEXT, TAGS = "geolocatevideo", "Geolocate video", _HELP, _TAGS
    SUMMARY = mark("Locates the frames of videos within an area, and the way that the camera took.")

    def __init__(self) -> None:
        super().__init__()
        self._to_load = ""
        self._offered = ""
        self._run: Optional[remembered.Run] = None

    def createCustomParametersWidget(self, parent: Any = None) -> None:
        """QGIS asks this when it opens a dialog, and then alone: the usual one, which shows at first what the last run with its area was set to."""
        self._offered = remembered.offer(self)

    def shortHelpString(self) -> str:
        """Text beside the dialog: what it shows at first is said before all else."""
        return "\n\n".join(filter(None, (self._offered, super().shortHelpString())))

    def prepareAlgorithm(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> bool:
        """QGIS calls this in the main thread, where layers may be looked at."""
        self._run = remembered.run_of(self, parameters, context)
        return super().prepareAlgorithm(parameters, context, feedback)

    def postProcessAlgorithm(self, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """QGIS calls this in the main thread, after a run that succeeded and before it loads layers."""
        if self._run is not None:
            remembered.remember(self._run)
        if self._to_load:
            result_layers.load(self._to_load, context)
        return {}

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the parameters."""
        outputs = [self.OUTPUT, *self.LAYERS, self.KML, self.MAP]
        files = [self.parameterAsFileOutput(parameters, name, context) for name in (self.OUTPUT, self.KML, self.MAP)]
        problem = (
            checks.check_videos(*self._inputs(parameters, context), others=parameters.get(self.TABLE) not in (None, ""))
            or self._problem_of_table(parameters, context)
            or checks.check_motion(self._motion(parameters, context))
            or self._problem_of_ways(parameters, context)
            or self._problem_of_checkpoint(parameters, context)
            or checks.check_reference(self.file_in(parameters, self.REFERENCE, context))
            or self._problem_of_guess(parameters, context)
            or checks.check_destinations(self.labels(parameters, outputs))
            or checks.check_folders(path for path in files if path)
            or checks.check_geopackage_name(files[0])
            or self._problem_of_decoding(parameters, context)
            or self.stretch_problem(parameters, context)
            or self._problem_of_scheduler(parameters, context)
        )
        if problem:
            return problem
        area = self._area(parameters, context)
        if area is None:
            return None  # the engine knows where the checkpoint was trained, and counts at once
        resolution_m = self.parameterAsDouble(parameters, self.RESOLUTION, context)
        every = (
            self.parameterAsBoolean(parameters, self.EXHAUSTIVE, context) or self.chosen(parameters, self.GRID, context) != "equal-earth"
        )
        return None if is_wide(area.area_m2, resolution_m) and not every else check_point_count(area.area_m2, resolution_m)

    def _problem_of_checkpoint(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        checkpoint = self._checkpoint(parameters, context)
        return None if checkpoint == checks.NO_CHECKPOINT else checks.check_checkpoint(checkpoint)

    def _problem_of_scheduler(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """Of the setting, which an earlier version or a script may have written; a single video does not look at it."""
        problem = settings.scheduler_problem(settings.scheduler()) if self._several(parameters, context) else None
        return tr("Settings > Options > VidTAG: {problem}", problem=problem) if problem else None

    def _problem_of_ways(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the roads and the motion track."""
        videos, folder, images = self._inputs(parameters, context)
        alone = not folder and parameters.get(self.TABLE) in (None, "")
        given = parameters.get(self.ROADS) not in (None, "")
        problem = checks.check_ways(
            roads=given,
            track=self.file_in(parameters, self.MOTION_TRACK, context),
            without_checkpoint=self._checkpoint(parameters, context) == checks.NO_CHECKPOINT,
            together=self.chosen(parameters, self.DECODER, context) != "none",
            motion=self._motion(parameters, context),
            videos=len(videos) + bool(images) if alone else None,
        )
        if problem or not given:
            return problem
        try:
            check_given_roads(self, parameters, self.ROADS, context)
        except RoadsError as error:
            return str(error)
        return None

    def _problem_of_decoding(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        if self.chosen(parameters, self.DECODER, context) != "none":
            return None
        if self._motion(parameters, context) is not None:
            return tr(
                "A top speed joins frames that are located together: choose that under 'Frames are located', or leave the top speed empty."
            )
        if self.parameterAsBoolean(parameters, self.KEEP_SCORES, context):
            return tr(
                "Scores for pins are kept of frames that are located together: choose that under 'Frames are located', or do not keep scores."
            )
        if checks.is_asked(parameters.get("REGIONS")):
            return tr(
                "Regions come from locating all frames together: choose that under 'Frames are located', or leave out the confidence regions."
            )
        return None

    def _problem_of_guess(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        guess = self._guess_area(parameters, context)
        if guess is None:
            return None
        if is_given(parameters, self.AOI, self.EXTENT):
            return tr("The area is given and is to be guessed as well: leave the area empty, or untick 'Guess the area'.")
        return None if guess == AUTO else checks.check_city_checkpoint(guess)

    def _problem_of_table(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        try:
            read_table(self, parameters, context, self.TABLE)
        except TableError as error:
            return str(error)
        return None

    def _area(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[Area]:
        """The area; None where none is given: the table may have areas, and else the engine searches where the checkpoint was trained, or the world's land."""
        return read_area(self, parameters, context, self.AOI, self.EXTENT) if is_given(parameters, self.AOI, self.EXTENT) else None

    def _guess_area(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """The checkpoint that guesses the area, "auto" for one that the user keeps; None where it is not to be guessed."""
        if not self.parameterAsBoolean(parameters, self.GUESS_AREA, context):
            return None
        given = self.parameterAsString(parameters, self.CITIES, context).strip()
        return (os.path.abspath(given) if os.path.exists(given) else given) or AUTO

    def _motion(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        return self.parameterAsString(parameters, self.MOTION, context).strip() or None

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine, then copy its result into what else was asked for."""
        try:
            roads = network_file(self, parameters, self.ROADS, self._area(parameters, context), context, feedback)
        except RoadsError as error:
            raise QgsProcessingException(str(error)) from error
        arguments = self._arguments(parameters, context, roads)
        output = arguments.output or ""
        for path in filter(None, (output, arguments.kml, arguments.map)):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        if arguments.aoi is None and arguments.guess_area is None:
            feedback.pushInfo(
                tr(
                    "No area is given: videos without one of their own are sought where the reference images lie or the checkpoint was trained, or with a "
                    "worldwide one on the world's land."
                )
            )
        scheduler, why = self._scheduler(parameters, context)
        if scheduler is not None:
            feedback.pushInfo(tr("The workers of the Dask scheduler {scheduler} do the work.", scheduler=scheduler))
        elif why:
            feedback.pushWarning(why)
        result = self.ask("geolocate", arguments, feedback)
        video_places.remember([*arguments.videos, *arguments.images, *result.get("table_files", [])])
        if arguments.keep_scores and checks.check_scores(output):
            feedback.pushWarning(tr("No scores were kept: so wide an area is not decoded as a whole. Pins need a smaller one."))
        outputs = {
            self.OUTPUT: output,
            "VIDEO_COUNT": len(result["videos"]),
            "FRAME_COUNT": result["frames"],
            "LOCATED_COUNT": result["located"],
            "NOT_RATED_COUNT": result.get("not_rated", 0),
            # None where no frame is rated, as models have always had it where none is located: 0 would be a probability, and NaN stops QGIS's expressions.
            "MEAN_CONFIDENCE": result.get("mean_confidence"),
            "LENGTH_M": sum(video["length_m"] for video in result["videos"]),
            "GALLERY_POINTS": result["gallery_points"],
            "SKIPPED_COUNT": len(result["skipped"]),
            self.RESULTS: result.get("results") or "",
            "CHECKPOINT_NAME": result["checkpoint"],
            **_abstentions(result["videos"]),
            **{f"RESULT_{kind.upper()}": f"{output}|layername={kind}" for kind in RESULT_LAYERS},
        }
        if outputs[self.RESULTS]:
            push_link(feedback, tr("The batch's page:"), os.path.join(outputs[self.RESULTS], "index.html"))
        outputs.update({name: path for name, path in ((self.KML, arguments.kml), (self.MAP, arguments.map)) if path})
        crs = self.parameterAsCrs(parameters, self.OUTPUT_CRS, context)
        for sink, layer in self.SINKS:
            copied = copy_layer(output, layer, self, parameters, sink, context, feedback, crs=crs)
            if copied is not None:
                outputs[sink] = copied
        track = copy_track(output, self, parameters, self.TRACK, context, feedback, crs=crs)
        if track is not None:
            outputs[self.TRACK] = track
        self._to_load = output if self.parameterAsBoolean(parameters, self.LOAD, context) else ""
        return outputs

    def _arguments(
        self, parameters: dict[str, Any], context: QgsProcessingContext, roads: Optional[NetworkFile] = None
    ) -> GeolocateArguments:
        videos, folder, images = self._inputs(parameters, context)
        area = self._area(parameters, context)
        table, table_rows = self._table(parameters, context)
        checkpoint = self._checkpoint(parameters, context)
        reference = self.file_in(parameters, self.REFERENCE, context)
        track = self.file_in(parameters, self.MOTION_TRACK, context)
        batch_size = self.optional_number(parameters, self.BATCH_SIZE, context)
        return GeolocateArguments(
            aoi=None if area is None else area.text,
            aoi_crs=None if area is None else area.crs,
            output=self.file_out(parameters, self.OUTPUT, context) or "",
            videos=[os.path.abspath(place) for place in [*videos, folder] if place],
            images=[os.path.abspath(images)] if images else [],
            table=table,
            table_rows=table_rows,
            checkpoint=os.path.abspath(checkpoint) if checkpoint != checks.NO_CHECKPOINT and os.path.exists(checkpoint) else checkpoint,
            resolution_m=self.parameterAsDouble(parameters, self.RESOLUTION, context),
            rate_hz=self.parameterAsDouble(parameters, self.RATE, context) or None,
            from_s=self.parameterAsDouble(parameters, self.FROM, context),
            to_s=self.optional_number(parameters, self.TO, context),
            start_time=self.start_time(parameters, context),
            time_zone=self.chosen_time_zone(parameters, context),
            exhaustive=self.parameterAsBoolean(parameters, self.EXHAUSTIVE, context),
            continuous=self.parameterAsBoolean(parameters, self.CONTINUOUS, context),
            encode_all=self.parameterAsBoolean(parameters, self.ENCODE_ALL, context),
            decoder=self.chosen(parameters, self.DECODER, context),
            motion=self._motion(parameters, context),
            guess_area=self._guess_area(parameters, context),
            reference=os.path.abspath(reference) if reference else None,
            roads=None if roads is None else roads.path,
            roads_layer=None if roads is None else roads.layer,
            roads_crs=None if roads is None else roads.crs,
            motion_track=os.path.abspath(track) if track else None,
            share_places=self.parameterAsBoolean(parameters, self.SHARE_PLACES, context),
            always_answer=self.parameterAsBoolean(parameters, self.ALWAYS_ANSWER, context),
            keep_scores=self.parameterAsBoolean(parameters, self.KEEP_SCORES, context),
            grid=self.chosen(parameters, self.GRID, context),
            confidence_radius_m=self.optional_number(parameters, self.RADIUS, context),
            device=self.chosen(parameters, self.DEVICE, context),
            batch_size=None if batch_size is None else int(batch_size),
            seed=self.parameterAsInt(parameters, self.SEED, context),
            kml=self.file_out(parameters, self.KML, context),
            map=self.file_out(parameters, self.MAP, context),
            # Our own result is begun anew; one that a person has changed is refused, and `overwrite` alone would replace it.
            anew=not self.parameterAsBoolean(parameters, self.RESUME, context),
            overwrite=self.parameterAsBoolean(parameters, "OVERWRITE", context),
            retry_failed=self.parameterAsBoolean(parameters, self.RETRY_FAILED, context),
            cluster=self._scheduler(parameters, context)[0],
        )

    def _several(self, parameters: dict[str, Any], context: QgsProcessingContext) -> bool:
        """Whether more than one video may be meant: what a folder or a table's file holds is not looked up."""
        videos, folder, images = self._inputs(parameters, context)
        table, rows = self._table(parameters, context)
        given = len(videos) + bool(images) + len(rows or ())
        return given > 1 or bool(folder) or (table is not None and rows is None)

    def _scheduler(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[Optional[str], str]:
        """Address of the Dask scheduler whose workers do the work, and why the one in the options is not asked; None and empty of a single video.

        The address holds for every run, so one that it cannot serve is not refused for it.
        """
        address = settings.scheduler()
        if not address or not self._several(parameters, context):
            return None, ""
        if settings.offline():
            return None, tr(
                "The Dask scheduler {address} is not asked, as 'Work offline' opens no connection: all work is done here.", address=address
            )
        if self.parameterAsBoolean(parameters, self.KEEP_SCORES, context):
            return None, tr(
                "The Dask scheduler {address} is not asked, as scores for pins are kept by this computer: all work is done here.",
                address=address,
            )
        if self._guess_area(parameters, context) is not None:
            return None, tr(
                "The Dask scheduler {address} is not asked, as areas are guessed by this computer: all work is done here.", address=address
            )
        return address, ""

    def _table(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[Optional[str], Optional[Rows]]:
        try:
            return read_table(self, parameters, context, self.TABLE)
        except TableError as error:
            raise QgsProcessingException(str(error)) from error

    def _inputs(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[list[str], str, str]:
        videos = self.parameterAsFileList(parameters, self.VIDEOS, context)
        folder, images = (self.parameterAsFile(parameters, name, context) for name in (self.FOLDER, self.IMAGES))
        return [video for video in videos if video], folder, images

    def _checkpoint(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        return self.parameterAsString(parameters, self.CHECKPOINT, context).strip() or checks.WORLDWIDE


def _abstentions(videos: list[dict[str, Any]]) -> dict[str, Any]:
    """How many videos were judged not to be located, by why, how many of them have no answer for it, and why in words: of the one video, else by name."""
    judged = [video for video in videos if video["state"] not in (None, "located")]
    states = [video["state"] for video in judged]
    withheld = [video for video in judged if not video["located"]]
    reasons = [str(video.get("why") or "") if len(videos) == 1 else f"{video['name']}: {video.get('why') or ''}" for video in withheld]
    return {
        "OUTSIDE_COUNT": states.count("outside_aoi"),
        "UNFAMILIAR_COUNT": states.count("unfamiliar"),
        "UNKNOWN_GROUND_COUNT": states.count("unknown_ground"),
        "WITHHELD_COUNT": len(withheld),
        "WITHHELD_REASON": "; ".join(reasons),
    }
