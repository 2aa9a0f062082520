"""The parameters of "Geolocate video", each with its help."""

from __future__ import annotations

from typing import ClassVar

from qgis.core import (
    QgsProcessing,
    QgsProcessingOutputFolder,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingOutputVectorLayer,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from ..translation import mark, tr
from .base import GRIDS, VidTAGAlgorithm
from .inputs import EitherFile, EitherFiles

RESULT_LAYERS = ("trajectory", "frames", "videos", "regions")
"""Layers of the result that a model's next step may take as they are."""
DECODERS = {"hmm": mark("All frames of a video together"), "none": mark("Each frame by itself")}


class GeolocateParameters(VidTAGAlgorithm):
    """What "Geolocate video" takes and gives."""

    VIDEOS, FOLDER, IMAGES, TABLE = "VIDEOS", "FOLDER", "IMAGES", "TABLE"
    AOI, EXTENT = "AOI", "EXTENT"
    CHECKPOINT, RESOLUTION, RATE = "CHECKPOINT", "RESOLUTION", "RATE"
    FROM, TO, START_TIME = "FROM", "TO", "START_TIME"
    RADIUS, GRID, EXHAUSTIVE, DEVICE, BATCH_SIZE, SEED, RESUME = (
        "CONFIDENCE_RADIUS", "GRID", "EXHAUSTIVE", "DEVICE", "BATCH_SIZE", "SEED", "RESUME",
    )  # fmt: skip
    MOTION = "MOTION"
    GUESS_AREA, CITIES = "GUESS_AREA", "CITIES"
    REFERENCE, SHARE_PLACES = "REFERENCE", "SHARE_PLACES"
    ROADS, MOTION_TRACK = "ROADS", "MOTION_TRACK"
    DECODER, CONTINUOUS, ENCODE_ALL, ALWAYS_ANSWER, KEEP_SCORES = "DECODER", "CONTINUOUS", "ENCODE_ALL", "ALWAYS_ANSWER", "KEEP_SCORES"
    OUTPUT, KML, MAP, OUTPUT_CRS = "OUTPUT", "KML", "MAP", "OUTPUT_CRS"
    LOAD, TRACK = "LOAD", "TRACK"
    RETRY_FAILED, RESULTS = "RETRY_FAILED", "RESULTS"
    READS = (VIDEOS, FOLDER, IMAGES, TABLE, AOI, CHECKPOINT, CITIES, REFERENCE, ROADS, MOTION_TRACK)
    WRITES: ClassVar[dict[str, str]] = {OUTPUT: "result", KML: "kml", MAP: "map"}
    LAYERS = ("TRAJECTORY", "FRAMES", "REGIONS", "TRACK")
    SINKS = (("TRAJECTORY", "trajectory"), ("FRAMES", "frames"), ("REGIONS", "regions"))

    def declare(self) -> None:
        """Declare inputs and outputs."""
        self._declare_inputs()
        self._declare_settings()
        self._declare_outputs()

    def _declare_inputs(self) -> None:
        folder, file = QgsProcessingParameterFile.Behavior.Folder, QgsProcessing.SourceType.TypeFile
        self.add(
            EitherFiles(self.VIDEOS, tr("Videos (or a folder of them below)"), file),
            tr("Video files, in any format that FFmpeg reads; give some, or a folder. Each gives a trajectory of its own."),
        )
        self.add(
            self.folder(self.FOLDER, tr("Folder of videos")),
            tr("All videos in this folder and its subfolders, besides those above."),
        )
        self.area(
            tr(
                "Where the videos may be from; the answer lies inside. Both empty: where the checkpoint was trained, or with a worldwide one the world's land."
            )
        )
        # It may be left out, as QGIS passes over the default of a file parameter and would ask for it.
        self.add(
            EitherFile(self.CHECKPOINT, tr("Checkpoint (folder, geoclip or none)"), folder, defaultValue="geoclip"),
            tr(
                "The trained model: a folder that 'Train for an area' has written, a .safetensors file, a Hub id, or geoclip for the worldwide one. "
                "none: by the way along roads alone, without any model; give the roads below."
            ),
        )
        self.add(
            QgsProcessingParameterFeatureSource(self.ROADS, tr("Roads"), [QgsProcessing.SourceType.TypeVectorLine], optional=True),
            tr(
                "Streets of the area: a line layer, or a file such as an OpenStreetMap extract (.osm.pbf). The turns, stops and speeds of each video are then "
                "compared with them, and the ways that fit are a layer of the result. With 'Selected features only', the selected ones."
            ),
        )
        self.add(
            self.number(self.RESOLUTION, tr("Grid resolution (m)"), 100.0, minimum=0.1, maximum=5e6),
            tr("Step of the grid of candidate places. Halving it makes four times as many points. Over the world's land take 1000 m."),
        )
        self.add(
            self.number(self.RATE, tr("Frames per second (0: every frame)"), 1.0, minimum=0.0, maximum=1000.0),
            tr("How many frames of each second of video are located."),
        )

    def _declare_settings(self) -> None:
        integer = QgsProcessingParameterNumber.Type.Integer
        self.advanced(
            self.folder(self.IMAGES, tr("Folder of images")),
            tr("Still images that are one sequence, in the order of their EXIF times, else of their names."),
        )
        self.advanced(
            QgsProcessingParameterFeatureSource(self.TABLE, tr("Table of videos"), [QgsProcessing.SourceType.TypeVector], optional=True),
            tr(
                "More videos, each with what holds of it alone: a layer or a file (CSV, GeoPackage, spreadsheet) with the columns file and, as they are "
                "known, start_time, from, to (seconds) and area (a file of polygons). Paths are relative to the table's folder. With a table the area "
                "above may be left empty; rows without one are then searched where the checkpoint was trained."
            ),
        )
        self.advanced(
            QgsProcessingParameterBoolean(self.GUESS_AREA, tr("Guess the area"), defaultValue=False, optional=True),
            tr(
                "Where nobody knows the area: each video is sought in the cities that it is likeliest of, at most five that together have 90 %, and how likely "
                "each of them is counts in the answer. Leave the area of interest empty. A video of no known city is left out, and the log says why."
            ),
        )
        self.advanced(
            EitherFile(self.CITIES, tr("Checkpoint of cities (folder)"), QgsProcessingParameterFile.Behavior.Folder, optional=True),
            tr("Guesses the area: a folder that train-city has written. Empty: one in your folder of checkpoints. See 'Guess city'."),
        )
        self.advanced(
            self.folder(self.REFERENCE, tr("Reference images (folder)")),
            tr(
                "A database that 'Build reference database' has made. Videos are recognised by its pictures: with the checkpoint geoclip by them alone, with one "
                "that was trained by both."
            ),
        )
        self.advanced(
            QgsProcessingParameterBoolean(self.SHARE_PLACES, tr("Share places"), defaultValue=False, optional=True),
            tr(
                "Also keeps in the result places and thumbnails of the reference images that are your own, for 'Check frames' and whoever gets the result. "
                "Otherwise only those of a platform's openly licensed pictures."
            ),
        )
        self.advanced(
            QgsProcessingParameterFile(self.MOTION_TRACK, tr("Motion track"), optional=True, fileFilter=tr("CSV (*.csv);;All files (*.*)")),
            tr(
                "How the camera moved, as a phone or a car recorded it, in the place of what the pictures tell: a CSV with time_s, heading_deg or yaw_rate_dps, "
                "and speed_mps, speed_kmh or speed. For one video, with roads."
            ),
        )
        self.advanced(self.number(self.FROM, tr("From (s)"), 0.0, minimum=0.0), tr("Start of the stretch of each video."))
        self.advanced(self.number(self.TO, tr("To (s)"), None, minimum=0.0), tr("End of the stretch of each video; empty: its end."))
        self.advanced(
            QgsProcessingParameterDateTime(self.START_TIME, tr("Start time (UTC)"), optional=True),
            tr("When each video begins, in UTC or in the time zone below. Empty: what the file says; else a flagged base, 2000-01-01."),
        )
        self.time_zone()
        self.advanced(
            self.number(self.RADIUS, tr("Confidence radius (m)"), None, minimum=0.1),
            tr("A frame's confidence is the probability that the truth lies within this of its point. Empty: ten times the resolution."),
        )
        self.advanced(
            self.choice(self.GRID, tr("Grid"), GRIDS),
            tr("Candidate places equally far from each other on the ground, or the paper's grid of degrees."),
        )
        self.advanced(
            QgsProcessingParameterBoolean(self.EXHAUSTIVE, tr("Compare every grid point"), defaultValue=False),
            tr("A large area is otherwise searched coarse to fine, which nearly always gives the same answer and is far faster."),
        )
        self._declare_decoding()
        self.device()
        self.advanced(
            self.number(self.BATCH_SIZE, tr("Batch size"), None, minimum=1, maximum=4096, kind=integer),
            tr("Frames at once; less takes less memory."),
        )
        self.advanced(
            self.number(self.SEED, tr("Seed"), 0, minimum=0, kind=integer), tr("Of everything random, so that a run can be repeated.")
        )
        self.advanced(
            QgsProcessingParameterBoolean(self.RESUME, tr("Go on from an existing result"), defaultValue=False),
            tr("Videos that an earlier run of the same settings has put there are not done again. Otherwise the file is replaced."),
        )
        self.advanced(
            QgsProcessingParameterBoolean(self.RETRY_FAILED, tr("Try failed videos again"), defaultValue=False, optional=True),
            tr(
                "With 'Go on from an existing result': also videos of a batch that failed before and have not changed since, as after a lack of memory. "
                "Otherwise they stay failed, with why."
            ),
        )
        self.overwrite()
        self.copies_crs(tr("Trajectory, Frames, Confidence regions and Track"))

    def _declare_decoding(self) -> None:
        self.advanced(
            self.choice(self.DECODER, tr("Frames are located"), DECODERS),
            tr("All frames of a video together, as a camera moves; or each frame at its own best place, without regions."),
        )
        self.advanced(
            QgsProcessingParameterString(self.MOTION, tr("Top speed"), optional=True),
            tr(
                "Of the camera: walk (8 km/h), bicycle (45), car (160), drone (80), or a number in km/h. No step of the decoded line is longer than it allows, "
                "but where the camera must have been carried off. Empty: nothing is known of it."
            ),
        )
        for name, title, text in (
            (self.CONTINUOUS, tr("Places between the grid points"),
             tr("Moves each frame's own pick to the best place between the grid points. A decoded line lies between them anyway.")),
            (self.ENCODE_ALL, tr("Encode every frame"),
             tr("Also a frame that shows what the last one showed, as at a red light; such a frame otherwise takes its features.")),
            (self.ALWAYS_ANSWER, tr("Always answer"),
             tr("Gives the best guess, not rated, also for a video that is judged to be from outside the area, unlike all that the checkpoint knows, or on "
             "ground that it knows nothing of. "
             "Otherwise its frames have no geometry, and their state says why.")),
            (self.KEEP_SCORES, tr("Keep scores for pins"),
             tr("Leaves a folder beside the result, named as it and ending in .scores, with which 'Solve with pins' decodes it again.")),
        ):  # fmt: skip
            self.advanced(QgsProcessingParameterBoolean(name, title, defaultValue=False), text)

    def _declare_outputs(self) -> None:
        lines, points, areas = (
            QgsProcessing.SourceType.TypeVectorLine, QgsProcessing.SourceType.TypeVectorPoint, QgsProcessing.SourceType.TypeVectorPolygon,
        )  # fmt: skip
        self.add(
            QgsProcessingParameterFileDestination(self.OUTPUT, tr("Result"), "GeoPackage (*.gpkg)"),
            tr(
                "The whole result: trajectory, frames, videos, regions, styles and the record of what made it. Of several videos each is first kept in a folder "
                "beside it, named as it and ending in .results, with the batch's page."
            ),
        )
        self.advanced(
            QgsProcessingParameterBoolean(self.LOAD, tr("Load the result's layers"), defaultValue=True, optional=True),
            tr(
                "Adds the result's own layers to the project, in a group a video (one group from 9 videos on). A layer that is there already is read anew. "
                "A step of a model and qgis_process load none."
            ),
        )
        for name, title, kind, text in (
            ("TRAJECTORY", tr("Trajectory"), lines,
             tr("A copy of the trajectory as a layer: a line from each located frame to the next, with both confidences and the speed.")),
            ("FRAMES", tr("Frames"), points,
             tr("A copy of the frames as a layer: a point a frame, with its confidence; frames without an answer have no geometry.")),
            ("REGIONS", tr("Confidence regions"), areas,
             tr("A copy of the regions: where each frame lies with 50 and with 90 %, and the same for the whole video. Several parts are several hypotheses.")),
            (self.TRACK, tr("Track with times as M"), lines,
             tr("A line a video for trajectory tools (LineStringZM). M is the time of each vertex in seconds since 1970-01-01 UTC, Z is 0.")),
        ):  # fmt: skip
            self.add(QgsProcessingParameterFeatureSink(name, title, kind, optional=True, createByDefault=False), text)
        kml = QgsProcessingParameterFileDestination(self.KML, "KML", "KML (*.kml)", optional=True, createByDefault=False)
        self.add(kml, tr("For Google Earth: a track with times and a styled line."))
        picture = QgsProcessingParameterFileDestination(self.MAP, tr("Map picture"), "PNG (*.png)", optional=True, createByDefault=False)
        self.add(picture, tr("The trajectories on a map, coloured by confidence."))
        for name, text in (
            ("VIDEO_COUNT", tr("Videos")), ("FRAME_COUNT", tr("Frames")), ("LOCATED_COUNT", tr("Frames located")),
            ("NOT_RATED_COUNT", tr("Frames located, but not rated")), ("MEAN_CONFIDENCE", tr("Mean confidence; none where no frame is rated")),
            ("LENGTH_M", tr("Length (m)")), ("GALLERY_POINTS", tr("Gallery points")), ("SKIPPED_COUNT", tr("Videos left out")),
            ("OUTSIDE_COUNT", tr("Videos judged to be from outside the area")), ("UNFAMILIAR_COUNT", tr("Videos unlike all that the checkpoint knows")),
            ("UNKNOWN_GROUND_COUNT", tr("Videos on ground that the checkpoint knows nothing of")), ("WITHHELD_COUNT", tr("Videos whose answer is withheld")),
        ):  # fmt: skip
            self.addOutput(QgsProcessingOutputNumber(name, text))
        self.addOutput(QgsProcessingOutputFolder(self.RESULTS, tr("Folder of a batch's results; empty of a single video")))
        self.addOutput(QgsProcessingOutputString("CHECKPOINT_NAME", tr("Checkpoint")))
        self.addOutput(QgsProcessingOutputString("WITHHELD_REASON", tr("Why answers are withheld; empty where none is")))
        for kind in RESULT_LAYERS:
            self.addOutput(QgsProcessingOutputVectorLayer(f"RESULT_{kind.upper()}", tr("The result's own layer {kind}", kind=kind)))
