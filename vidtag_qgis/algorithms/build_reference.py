"""The Processing algorithm "Build reference database"."""

from __future__ import annotations

import os
from typing import Any, Optional

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputFolder,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterAuthConfig,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from ..aoi import Area, is_given, read_area
from ..engine_client.command_arguments import ReferenceArguments
from ..homes import read_homes
from ..tokens import TokenError, check_stored, stored_token
from ..translation import mark, tr, translated
from . import checks
from .base import VidTAGAlgorithm
from .inputs import DETAILS, EitherFiles

_HELP = mark("""Makes a database of reference images, pictures with known places, by which 'Geolocate video' recognises where a video was taken. Nothing is trained.

Its pictures are your own (videos with tracks, folders of photographs with places), or those of Panoramax, a platform of openly licensed street-level \
pictures, in an area that you draw. The same call goes on where it was broken off, and adds what is new to a database that is there.

Nothing is asked over the network before you say yes, twice. The first yes lets the platform's servers be asked which pictures there are: api.panoramax.xyz, \
or the address that you give. They learn this machine's network address and the map tiles that the area lies in, about 2 km wide, not its outline. Run it \
without the second yes to be told how many pictures of how many megabytes there are, and under which licences; nothing is fetched and nothing is made then. \
The second yes is the most megabytes that may be fetched, from the servers that the pictures lie on, and they learn which pictures are fetched.

With too few drives nothing tells how sure to be: places are found, and are 'not rated'.""")
_SOURCES = {
    "own": mark("Own videos and pictures"), "panoramax": "Panoramax", "folder": mark("Folder of photographs with places"), "msls": mark("Folder of MSLS"),
}  # fmt: skip
_WITH_TOKEN = {"mapillary": "Mapillary"}
"""Platforms that ask for a token of the user's own."""
OFF = frozenset({"mapillary"})
"""Those that are made and not offered; as the engine has it, and for its reasons (reference/sources)."""
_PLATFORMS = ("panoramax", *_WITH_TOKEN)
_PRESETS = {
    "vidtag-compact": mark("Compact for any computer"), "vidtag-l14": mark("Large as in the paper"),
    "vidtag-dino-s": mark("DINOv2 small"), "vidtag-dino-b": mark("DINOv2 base"),
}  # fmt: skip


class BuildReference(VidTAGAlgorithm):
    """Pictures with places in, a database that videos are recognised by out."""

    ID, TITLE, TEXT = "buildreferencedatabase", mark("Build reference database"), _HELP
    SUMMARY = mark("Makes a database of pictures with known places, by which videos are recognised without training.")
    TAGS = ("reference", "database", "pictures", "photographs", "street-level", "panoramax", "recognition", "images", "track")
    READS = ("VIDEOS", "TRACKS", "FOLDER", "IMAGES", "AOI", "HOME_ZONES")

    def __init__(self) -> None:
        super().__init__()
        self._token: Optional[str] = None

    def declare(self) -> None:
        """Declare inputs and outputs."""
        file = QgsProcessing.SourceType.TypeFile
        with_token = {name: title for name, title in _WITH_TOKEN.items() if name not in OFF}
        self.add(
            self.choice("SOURCE", tr("Pictures from"), {**_SOURCES, **with_token}),
            tr(
                "Your own videos and pictures below; Panoramax, in the area below; or one of two kinds of folders, which the address under 'Advanced' names."
            ),
        )
        self.add(EitherFiles("VIDEOS", tr("Videos (or a folder of them below)"), file), tr("Own videos whose way is known."))
        self.add(
            QgsProcessingParameterMultipleLayers("TRACKS", tr("Tracks"), file, optional=True),
            tr("Their GPX or CSV tracks, one a video, in the same order. Empty: tracks beside the videos, or positions inside them."),
        )
        self.add(self.folder("FOLDER", tr("Folder of videos and tracks")), tr("Videos with tracks of the same names, also in subfolders."))
        self.add(self.folder("IMAGES", tr("Folder of images")), tr("Own photographs with EXIF positions, which are one sequence."))
        self.area(tr("Pictures outside are left out. A platform is asked about it; of your own, empty: all are taken."), preselect=False)
        self.add(
            QgsProcessingParameterFeatureSource(
                "HOME_ZONES", tr("Home zones"), [QgsProcessing.SourceType.TypeVectorAnyGeometry], None, optional=True
            ),
            tr(
                "Pictures there are left out and not even fetched: polygons whole, points with the radius below. With 'Selected features only', the selected ones."
            ),
        )
        self.add(
            self.number("HOME_RADIUS", tr("Radius about points (m)"), 300.0, minimum=1.0, maximum=999_999.0),
            tr("Of home zones that are points."),
        )
        self.add(
            self.number("RESOLUTION", tr("Grid resolution (m)"), 100.0, minimum=0.1, maximum=5e6),
            tr("The resolution that videos will be sought at."),
        )
        yes = QgsProcessingParameterBoolean("YES_QUERY", tr("Yes, ask the servers"), defaultValue=False, optional=True)
        self.add(
            yes,
            tr(
                "For a platform: its servers may be asked which pictures of the area there are. They learn this machine's network address and the map tiles "
                "that the area lies in. Without it nothing is asked, and the sentence that says so names the servers and the tiles."
            ),
        )
        self.add(
            self.number("YES_DOWNLOAD_MB", tr("Yes, fetch at most (MB)"), None, minimum=0.1, maximum=1e9),
            tr(
                "For a platform: no more than this comes. Empty: only how many pictures of how many megabytes there are is said, and nothing is made."
            ),
        )
        if with_token:
            self.add(
                QgsProcessingParameterAuthConfig("AUTH", tr("Token (authentication configuration)"), optional=True),
                tr(
                    "For {names}: your own token there, kept by QGIS as the password of a 'Basic authentication' or as an 'API Header'. It is "
                    "sent to the platform's server alone, and written nowhere.",
                    names=", ".join(with_token.values()),
                ),
            )
        self._declare_settings()
        self._declare_outputs()

    def _declare_settings(self) -> None:
        integer = QgsProcessingParameterNumber.Type.Integer
        self.advanced(
            QgsProcessingParameterString("ADDRESS", tr("Address of the source"), optional=True),
            tr("Another Panoramax server than the catalogue of all of them; of the two kinds of folders, the folder."),
        )
        self.advanced(
            QgsProcessingParameterString("HOMES", tr("Home zones as text"), multiLine=True, optional=True),
            tr("More of them: LAT,LON,METRES each, such as 55.7047,13.1910,300, on lines of their own or with ; between them."),
        )
        self.advanced(
            self.choice("PRESET", tr("Size"), _PRESETS),
            tr(
                "What pictures are described by: compact runs on any computer; large is for graphics cards; DINOv2 lies between, and its accuracy here was not "
                "measured. All but compact fetch weights once. A database that is there keeps its own."
            ),
        )
        self.advanced(
            self.number("RATE", tr("Frames per second (0: every frame)"), 1.0, minimum=0.0, maximum=1000.0),
            tr("Frames taken from own videos."),
        )
        self.advanced(
            self.number("EVERY", tr("Least way between pictures (m)"), 2.0, minimum=0.0),
            tr("Own pictures nearer than this to the one before are left out: the camera stood."),
        )
        self.advanced(
            self.number("WIDTH", tr("Numbers kept of a band"), 96, minimum=8, maximum=512, kind=integer),
            tr("Of each of a picture's four or eight bands, one byte each."),
        )
        self.advanced(
            self.choice("LOCAL_FEATURES", tr("Details kept of pictures"), DETAILS),
            tr(
                "A frame's best pictures are looked at again by them, which finds more streets that were driven the same way. XFeat must be installed: 'Check the "
                "engine' says how. A database that is there keeps its own."
            ),
        )
        self.advanced(
            self.number("SPOT", tr("Spot size (m)"), 10.0, minimum=0.1),
            tr("Of a source one picture is taken of each spot of this size and each eighth of the horizon, the newest."),
        )
        self.advanced(
            self.number("PER_SEQUENCE", tr("Most pictures of a drive"), None, minimum=1, kind=integer),
            tr("Of a source. Empty: any number."),
        )
        self.advanced(
            self.number("OLDEST_YEARS", tr("Oldest (years)"), None, minimum=0.01),
            tr("A source's older pictures are left out. Empty: none."),
        )
        self.advanced(
            self.number("WIDTH_PX", tr("Width that is enough (pixels)"), 1024, minimum=256, maximum=8192, kind=integer),
            tr("Where a source has a picture in several sizes."),
        )
        self.advanced(
            QgsProcessingParameterBoolean("MIXED_LICENCES", tr("Licences may differ"), defaultValue=False, optional=True),
            tr("A source's pictures may have several licences. Otherwise that is refused, as each licence binds all that is made of them."),
        )
        self.advanced(
            QgsProcessingParameterBoolean("SHARED", tr("May be passed on"), defaultValue=False, optional=True),
            tr("Your own pictures are no secret: results tell their places and show them. Otherwise the database is private."),
        )
        self.advanced(QgsProcessingParameterString("AUTHOR", tr("Author"), optional=True), tr("Name that your pictures' licence asks for."))
        self.advanced(
            QgsProcessingParameterString("LICENCE", tr("Licence"), optional=True), tr("Of your own pictures, such as CC-BY-SA-4.0.")
        )
        self.advanced(
            QgsProcessingParameterBoolean("CALIBRATE", tr("Calibrate"), defaultValue=True, optional=True),
            tr(
                "Fits how sure to be, on the database's own drives, each of which is left out in turn. A later call does it where this one does not."
            ),
        )
        self.device()

    def _declare_outputs(self) -> None:
        # No destination: QGIS would offer a temporary folder, and hours of work would go with it.
        self.add(
            QgsProcessingParameterFile("OUTPUT", tr("Database folder (made if need be)"), QgsProcessingParameterFile.Behavior.Folder),
            tr(
                "Where the database goes; one that is there is added to. The same folder, inputs and settings go on with a run that was broken off."
            ),
        )
        self.addOutput(QgsProcessingOutputFolder("OUTPUT", tr("Database folder; none where nothing was made")))
        for name, text in (
            ("IMAGES", tr("Reference images")), ("DRIVES", tr("Drives that they are of")), ("ADDED", tr("Images added by this call")),
            ("TO_FETCH", tr("Pictures to be fetched, where that was only asked")), ("ESTIMATED_MB", tr("Their estimated size (MB)")),
        ):  # fmt: skip
            self.addOutput(QgsProcessingOutputNumber(name, text))
        self.addOutput(QgsProcessingOutputString("QUESTION", tr("What a yes to fetching would mean; empty where nothing is to be asked")))
        self.addOutput(QgsProcessingOutputString("NOT_RATED", tr("Why no probability will be shown; empty where there is one")))

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the parameters."""
        output = self.file_in(parameters, "OUTPUT", context).strip()
        problem = (
            self._problem_of_source(parameters, context)
            or checks.check_homes(self._written_homes(parameters, context))
            or checks.check_lasting(output, tr("database"))
            or checks.check_folders([os.path.join(os.path.abspath(output), checks.DATABASE)])
            or checks.check_database_folder(output)
        )
        if problem:
            return problem
        self._area(parameters, context)  # raises AreaError, as does the next
        self._homes(parameters, context)
        return None

    def prepareAlgorithm(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> bool:
        """QGIS calls this in the main thread, where it may ask for its master password."""
        prepared = super().prepareAlgorithm(parameters, context, feedback)
        platform = _WITH_TOKEN.get(self.chosen(parameters, "SOURCE", context))
        if platform and not self._refused:
            try:
                self._token = stored_token(self._configuration(parameters, context), platform)
            except TokenError as error:
                self._refused = str(error)
        return prepared

    def _problem_of_source(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        given = any(parameters.get(name) not in (None, "", []) for name in ("VIDEOS", "TRACKS", "FOLDER", "IMAGES"))
        source = self.chosen(parameters, "SOURCE", context)
        if source == "own":
            return self._problem_of_own(parameters, context)
        title = tr(self._choices["SOURCE"][source])
        if given:
            return tr(
                "Pictures are from '{title}': leave videos, tracks and folders empty, or choose '{own}'.",
                title=title,
                own=tr(_SOURCES["own"]),
            )
        if not is_given(parameters, "AOI", "EXTENT"):
            return tr(
                "Which area? Draw the area that pictures of '{title}' are wanted of, and give it as a polygon layer or an extent.",
                title=title,
            )
        address = self._address(parameters, context)
        if source not in _PLATFORMS and not os.path.isdir(address):
            return (
                tr(
                    "'{title}' takes the folder as 'Address of the source', and {address} is no folder: give one.",
                    title=title,
                    address=address,
                )
                if address
                else tr("'{title}' takes the folder as 'Address of the source': give one.", title=title)
            )
        if source in _WITH_TOKEN:
            try:
                check_stored(self._configuration(parameters, context), title)
            except TokenError as error:
                return str(error)
        return None

    def _problem_of_own(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        videos, tracks = self.files(parameters, "VIDEOS", context), self.files(parameters, "TRACKS", context)
        folder, images = (self.file_in(parameters, name, context) for name in ("FOLDER", "IMAGES"))
        if not videos and not folder and not images:
            return tr(
                "Which pictures? Give videos with their tracks, a folder of them, a folder of images, or choose where else pictures are from."
            )
        problem = checks.check_videos(videos, folder, images) or checks.check_files(tracks, tr("track"))
        if not problem and tracks and len(tracks) != len(videos):
            return tr(
                "{tracks} tracks are given for {videos} videos: give one track a video, in the same order, or none.",
                tracks=len(tracks),
                videos=len(videos),
            )
        return problem

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine; it may take hours."""
        output = self.file_in(parameters, "OUTPUT", context).strip()
        if problem := self.problem(parameters, context):  # a model's values were not checked before
            raise QgsProcessingException(problem)
        output = os.path.abspath(output)
        kept = tr("Cancelled. What was finished is kept in {output}: the same inputs, settings and folder go on from there.", output=output)
        said = self.ask("reference", self._arguments(parameters, context, output), feedback, when_cancelled=kept)
        if "question" in said:
            return self._asked(said, feedback)
        words = self.words()
        for note in said["notes"]:
            feedback.pushInfo(words(note))
        for why, count in said["left_out"].items():
            feedback.pushWarning(tr("Left out, {why}: {count:,}.", why=translated(why), count=count))
        if said["not_rated"]:
            feedback.pushWarning(words(tr("No probability will be shown: {not_rated}.", not_rated=said["not_rated"])))
        feedback.pushInfo(
            tr(
                "{images:,} reference images of {drives:,} drives; {added:,} are new.",
                images=said["images"],
                drives=said["drives"],
                added=said["added"],
            )
        )
        return {
            "OUTPUT": said["output"],
            "IMAGES": said["images"],
            "DRIVES": said["drives"],
            "ADDED": said["added"],
            "TO_FETCH": 0,
            "ESTIMATED_MB": 0,
            "QUESTION": "",
            "NOT_RATED": words(said["not_rated"]),
        }

    def _asked(self, said: dict[str, Any], feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """What is told where nobody has said yes to fetching."""
        yes = self.parameterDefinition("YES_DOWNLOAD_MB").description()
        feedback.pushWarning(said["question"])
        if said["count"]:
            feedback.pushWarning(
                tr(
                    "Nothing was fetched and nothing was made. If you agree, run it again with at least {estimated_mb:,} as '{yes}'.",
                    estimated_mb=said["estimated_mb"],
                    yes=yes,
                )
            )
        else:
            feedback.pushWarning(
                tr("Nothing was made. Run it again with any number as '{yes}' to go on: nothing has to be fetched.", yes=yes)
            )
        return {"TO_FETCH": said["count"], "ESTIMATED_MB": said["estimated_mb"], "QUESTION": said["question"], "NOT_RATED": ""}

    def _arguments(self, parameters: dict[str, Any], context: QgsProcessingContext, output: str) -> ReferenceArguments:
        area, source = self._area(parameters, context), self.chosen(parameters, "SOURCE", context)
        folder, images = (self.file_in(parameters, name, context) for name in ("FOLDER", "IMAGES"))
        per_sequence = self.optional_number(parameters, "PER_SEQUENCE", context)
        return ReferenceArguments(
            output=output,
            videos=[*self.files(parameters, "VIDEOS", context), *([os.path.abspath(folder)] if folder else [])],
            truths=self.files(parameters, "TRACKS", context),
            images=[os.path.abspath(images)] if images else [],
            aoi=area.text if area else None,
            aoi_crs=area.crs if area else None,
            homes=self._homes(parameters, context),
            preset=self.chosen(parameters, "PRESET", context),
            resolution_m=self.parameterAsDouble(parameters, "RESOLUTION", context),
            rate_hz=self.parameterAsDouble(parameters, "RATE", context) or None,
            every_m=self.parameterAsDouble(parameters, "EVERY", context),
            width=self.parameterAsInt(parameters, "WIDTH", context),
            local_features=self.chosen(parameters, "LOCAL_FEATURES", context),
            author=self.parameterAsString(parameters, "AUTHOR", context).strip(),
            licence=self.parameterAsString(parameters, "LICENCE", context).strip(),
            private=not self.parameterAsBoolean(parameters, "SHARED", context),
            calibrate=self.parameterAsBoolean(parameters, "CALIBRATE", context),
            device=self.chosen(parameters, "DEVICE", context),
            source=None if source == "own" else source,
            address=self._address(parameters, context),
            yes_query=self.parameterAsBoolean(parameters, "YES_QUERY", context),
            yes_download_mb=self.optional_number(parameters, "YES_DOWNLOAD_MB", context),
            spot_m=self.parameterAsDouble(parameters, "SPOT", context),
            per_sequence=None if per_sequence is None else int(per_sequence),
            oldest_years=self.optional_number(parameters, "OLDEST_YEARS", context),
            mixed_licences=self.parameterAsBoolean(parameters, "MIXED_LICENCES", context),
            width_px=self.parameterAsInt(parameters, "WIDTH_PX", context),
            token=self._token or "",
        )

    def _area(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[Area]:
        """The area; None where none is given and all pictures are taken."""
        return read_area(self, parameters, context, "AOI", "EXTENT") if is_given(parameters, "AOI", "EXTENT") else None

    def _configuration(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """Id of the authentication configuration; empty where none is chosen."""
        return str(self.parameterAsString(parameters, "AUTH", context) or "").strip()

    def _homes(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """All home zones, as the engine takes them. Raises AreaError where the layer cannot be used."""
        radius_m = self.parameterAsDouble(parameters, "HOME_RADIUS", context)
        return [*self._written_homes(parameters, context), *read_homes(self, parameters, context, "HOME_ZONES", radius_m)]

    def _written_homes(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        lines = self.parameterAsString(parameters, "HOMES", context).replace(";", "\n").splitlines()
        return [line.strip() for line in lines if line.strip()]

    def _address(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        given = self.parameterAsString(parameters, "ADDRESS", context).strip()
        return os.path.abspath(given) if os.path.isdir(given) else given
