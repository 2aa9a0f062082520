"""The Processing algorithm "Similarity heat map". Registered where the engine's protocol has it."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Optional

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterRasterDestination,
)

from ..aoi import crs_name, read_area
from ..area_estimate import check_point_count
from ..engine_client import command_arguments
from ..layers import finish_on_load
from ..translation import mark, tr
from . import checks
from .base import VidTAGAlgorithm
from .geolocate_parameters import DECODERS
from .inputs import EitherFile

_HELP = mark("""Maps how probable each place of an area is, given a video: a GeoTIFF whose cells sum to 1 over the area.

One band for the whole video, the mean of its frames, or a band a frame. Where several places look alike, the map shows them all, which a single \
point cannot.""")
_TIFF = (".tif", ".tiff")
_BANDS = {"video": mark("One for the whole video"), "frames": mark("One a frame")}


class SimilarityHeatmap(VidTAGAlgorithm):
    """A video and an area in, the posterior over the area as a raster out."""

    ID, TITLE, TEXT = "similarityheatmap", mark("Similarity heat map"), _HELP
    SUMMARY = mark("Maps how probable each place of an area is, given a video.")
    TAGS = ("heatmap", "heat map", "posterior", "probability", "raster", "similarity", "geotiff")
    READS = ("VIDEO", "IMAGES", "AOI", "CHECKPOINT")
    WRITES: ClassVar[dict[str, str]] = {"OUTPUT": "heatmap", "PNG": "heatmap-picture"}

    def declare(self) -> None:
        """Declare inputs and outputs."""
        file, folder = QgsProcessingParameterFile.Behavior.File, QgsProcessingParameterFile.Behavior.Folder
        self.add(
            EitherFile("VIDEO", tr("Video"), file), tr("A video file, in any format that FFmpeg reads; or, below, a folder of images.")
        )
        self.area(tr("Where the video may be from."))
        self.add(
            EitherFile("CHECKPOINT", tr("Checkpoint (folder, or geoclip)"), folder, defaultValue="geoclip"),
            tr("The trained model, as for 'Geolocate video'."),
        )
        self.add(
            self.number("RESOLUTION", tr("Grid resolution (m)"), 100.0, minimum=0.1, maximum=5e6),
            tr("Step of the grid of candidate places, and the side of a cell unless it is given below."),
        )
        self.add(
            self.number("RATE", tr("Frames per second (0: every frame)"), 1.0, minimum=0.0, maximum=1000.0),
            tr("How many frames of each second of video are used."),
        )
        self.add(self.choice("BANDS", tr("Bands"), _BANDS), tr("One band for the whole video, the mean of its frames; or a band a frame."))
        self.advanced(
            self.choice("DECODER", tr("Frames are located"), DECODERS),
            tr("All frames of the video together, if the checkpoint can; or each frame by itself."),
        )
        self.advanced(self.folder("IMAGES", tr("Folder of images")), tr("Still images that are one sequence, instead of a video."))
        self.advanced(self.number("FROM", tr("From (s)"), 0.0, minimum=0.0), tr("Start of the stretch of the video."))
        self.advanced(self.number("TO", tr("To (s)"), None, minimum=0.0), tr("End of the stretch of the video; empty: its end."))
        self.advanced(
            QgsProcessingParameterDateTime("START_TIME", tr("Start time (UTC)"), optional=True),
            tr("When the video begins. Empty: what it says."),
        )
        self.time_zone()
        self.advanced(self.number("CELL", tr("Side of a cell (m)"), None, minimum=0.01), tr("Empty: as the grid resolution."))
        self.advanced(
            QgsProcessingParameterCrs("OUTPUT_CRS", tr("Map's coordinate system"), optional=True),
            tr("Empty: an equal-area plane about the area."),
        )
        self.device()
        self.overwrite()
        self.add(
            QgsProcessingParameterRasterDestination("OUTPUT", tr("Heat map")),
            tr("A GeoTIFF with the probability of each cell; no data outside the area."),
        )
        self.add(
            QgsProcessingParameterFileDestination("PNG", tr("Picture"), "PNG (*.png)", optional=True, createByDefault=False),
            tr("The first band as a picture, if asked for."),
        )
        for name, text in (
            ("BAND_COUNT", tr("Bands")), ("CELL_M", tr("Side of a cell (m)")), ("PEAK_LAT", tr("Latitude of the highest cell (first band)")),
            ("PEAK_LON", tr("Longitude of the highest cell (first band)")),
        ):  # fmt: skip
            self.addOutput(QgsProcessingOutputNumber(name, text))

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the parameters."""
        video, images = (self.file_in(parameters, name, context) for name in ("VIDEO", "IMAGES"))
        if bool(video) == bool(images):
            return tr("A heat map is of one video or one folder of images: give exactly one of them.")
        path, _ = checks.target_of(parameters.get("OUTPUT")) or ("map.tif", "")
        if not path.lower().endswith(_TIFF):
            return tr("The heat map {path} must end in .tif: it is a GeoTIFF.", path=path)
        png = self.file_out(parameters, "PNG", context)
        problem = (
            checks.check_videos([video] if video else [], "", images)
            or self.stretch_problem(parameters, context)
            or checks.check_checkpoint(self._checkpoint(parameters, context))
            or checks.check_destinations(self.labels(parameters, ["OUTPUT", "PNG"]))
            or checks.check_folders([path, *([png] if png else [])])
        )
        if problem:
            return problem
        area = read_area(self, parameters, context, "AOI", "EXTENT")
        return check_point_count(area.area_m2, self.parameterAsDouble(parameters, "RESOLUTION", context))

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine; the style lies beside the raster, and is loaded with it."""
        area = read_area(self, parameters, context, "AOI", "EXTENT")
        video, images = (self.file_in(parameters, name, context) for name in ("VIDEO", "IMAGES"))
        destination = self.parameterAsOutputLayer(parameters, "OUTPUT", context)
        output = os.path.abspath(destination)
        png = self.file_out(parameters, "PNG", context)
        for path in filter(None, (output, png)):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        crs = self.parameterAsCrs(parameters, "OUTPUT_CRS", context)
        arguments = command_arguments.HeatmapArguments(
            output=output,
            aoi=area.text,
            aoi_crs=area.crs,
            video=os.path.abspath(video) if video else None,
            images=os.path.abspath(images) if images else None,
            checkpoint=self._checkpoint(parameters, context),
            resolution_m=self.parameterAsDouble(parameters, "RESOLUTION", context),
            rate_hz=self.parameterAsDouble(parameters, "RATE", context) or None,
            from_s=self.parameterAsDouble(parameters, "FROM", context),
            to_s=self.optional_number(parameters, "TO", context),
            start_time=self.start_time(parameters, context),
            time_zone=self.chosen_time_zone(parameters, context),
            bands=self.chosen(parameters, "BANDS", context),
            decoder=self.chosen(parameters, "DECODER", context),
            cell_m=self.optional_number(parameters, "CELL", context),
            crs=crs_name(crs) if crs.isValid() else None,
            device=self.chosen(parameters, "DEVICE", context),
            png=png,
            overwrite=self.parameterAsBoolean(parameters, "OVERWRITE", context),
        )
        said = self.ask("heatmap", arguments, feedback, when_cancelled=tr("Cancelled; no heat map was written."))
        peak = (said["peaks_lat_lon_deg"] or [[None, None]])[0]
        finish_on_load(destination, "heatmap", context)
        outputs: dict[str, Any] = {
            "OUTPUT": output, "BAND_COUNT": said["bands"], "CELL_M": said["cell_m"], "PEAK_LAT": peak[0], "PEAK_LON": peak[1],
        }  # fmt: skip
        return {**outputs, "PNG": png} if png else outputs

    def _checkpoint(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        given = self.parameterAsString(parameters, "CHECKPOINT", context).strip() or checks.WORLDWIDE
        return os.path.abspath(given) if os.path.exists(given) else given
