"""What every algorithm of the provider shares: its place in the toolbox, its parameters' habits, its checks."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, Callable, ClassVar, Optional

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
    QgsProviderRegistry,
)
from qgis.PyQt.QtCore import Qt, QUrl
from qgis.PyQt.QtGui import QIcon

from .. import engine
from ..aoi import AreaError
from ..compat import iso_text
from ..edits import guard
from ..engine_client.command_files import command_refusal
from ..places import HELP, ICON, ICONS
from ..translation import mark, tr, translated
from ..wording import in_words
from .inputs import Choice, key_of, only_area
from .output_files import REPLACE, Files, files_of, refusal_of

DEVICES = {"auto": mark("Automatic"), "cpu": mark("Processor (CPU)"), "cuda": mark("NVIDIA graphics card"), "mps": mark("Apple graphics")}
GRIDS = {"equal-earth": mark("Evenly spaced on the ground"), "latlon": mark("In degrees as in the paper")}
_AREA_HELP = mark("Polygons: a layer or a vector file; with 'Selected features only', the selected ones. Or give an extent.")
ANSWERS = {"auto": mark("With pins where there are some"), "model": mark("The model's own"), "pinned": mark("With pins only")}


class VidTAGAlgorithm(QgsProcessingAlgorithm):
    """Base of all algorithms. A child gives ``ID``, ``TITLE``, ``SUMMARY``, ``TEXT`` and ``TAGS``, and defines ``declare``, ``problem`` and ``work``."""

    ID = TITLE = SUMMARY = TEXT = ""
    TAGS: tuple[str, ...] = ()
    READS: tuple[str, ...] = ()
    """Parameters that name what is read: files, folders and layers."""
    WRITES: ClassVar[dict[str, str]] = {}
    """Parameters that name whole files to write, and the kind of each (see ``file_marks``)."""
    LAYERS: tuple[str, ...] = ()
    """Parameters that name layers which QGIS writes."""

    def __init__(self) -> None:
        super().__init__()
        self._files, self._overwrite = Files(), False
        self._refused: Optional[str] = None
        self._choices: dict[str, dict[str, str]] = {}

    def name(self) -> str:
        """Stable id: models and scripts name it."""
        return self.ID

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr(self.TITLE)

    def group(self) -> str:
        """Group in the toolbox."""
        return "VidTAG"

    def groupId(self) -> str:
        """Stable id of the group."""
        return "vidtag"

    def tags(self) -> list[str]:
        """Words to find it by."""
        return [*super().tags(), *self.TAGS, "video", "geolocation", "vidtag"]

    def icon(self) -> QIcon:
        """Icon in the toolbox."""
        own = ICONS / f"{self.ID}.svg"
        return QIcon(str(own if own.is_file() else ICON))

    def createInstance(self) -> VidTAGAlgorithm:
        """A fresh one a run, as Processing asks."""
        return type(self)()

    def helpUrl(self) -> str:
        """The page that comes with the plugin."""
        return QUrl.fromLocalFile(str(HELP / f"{self.ID}.html")).toString()

    def shortDescription(self) -> str:
        """Tooltip in the toolbox."""
        return tr(self.SUMMARY)

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        return tr(self.TEXT)

    def canExecute(self) -> tuple[bool, str]:
        """Whether an engine is set up; looks at files and starts nothing."""
        problem = engine.not_found()
        return problem is None, problem or ""

    def initAlgorithm(self, configuration: Optional[dict[str, Any]] = None) -> None:
        """Declare inputs and outputs."""
        self.declare()

    def declare(self) -> None:
        """Add parameters and outputs."""
        raise NotImplementedError

    def problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """What is wrong with the parameters, in one sentence; None for nothing."""
        raise NotImplementedError

    def work(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Ask the engine once and return the outputs."""
        raise NotImplementedError

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Say in one sentence what is wrong before anything runs. ``qgis_process`` asks this and not ``canExecute``."""
        usable, text = super().checkParameterValues(parameters, context)
        if not usable:
            return False, text
        try:
            problem = self.canExecute()[1] or self.problem(parameters, context) or self._look_at_files(parameters, context)
        except AreaError as error:
            problem = str(error)
        return not problem, problem or ""

    def prepareAlgorithm(self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> bool:
        """QGIS calls this in the main thread, where layers may be looked at. A model's step comes here without ``checkParameterValues``."""
        self._refused = self._look_at_files(parameters, context)
        return True  # what is refused is said by processAlgorithm: only its sentence reaches a script

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Do the work; a model's values are known only now, so the area may still be refused here."""
        failure = self._refused
        if not failure:
            try:
                with ExitStack() as held:
                    if self._files.written:
                        held.enter_context(guard().writing(self._files.written))
                    return self.work(parameters, context, feedback)
            except (AreaError, QgsProcessingException) as error:
                failure = str(error)
        # QGIS keeps what is raised here for good, and with it this frame: what a failed run held, layers of open files among them, must not be in it.
        del parameters, context, feedback
        raise QgsProcessingException(failure)

    def ask(self, command: str, arguments: Any, feedback: QgsProcessingFeedback, *, when_cancelled: str = "") -> dict[str, Any]:
        """Have the engine do one request, whose outputs are looked at once more. Arguments as of ``engine.run``, but of the protocol's class."""
        values = asdict(arguments)
        why = guard().refusal(self._files.written) or command_refusal(
            command, {**values, "overwrite": self._overwrite}, also_read=self._files.inputs, replace=REPLACE
        )
        if why:
            raise QgsProcessingException(translated(why))
        return engine.run(command, values, feedback, when_cancelled=when_cancelled, words=self.words())

    def words(self) -> Callable[[str], str]:
        """What turns the engine's sentences, which name the command line's options, into this dialog's words."""
        labels = {definition.name(): definition.description() for definition in self.parameterDefinitions()}
        choices = {name: {key: tr(text) for key, text in words.items()} for name, words in self._choices.items()}
        return lambda text: in_words(text, labels, choices)

    def _look_at_files(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """Remember what is read and written; returns why it must not be written."""
        if not self.WRITES and not self.LAYERS:
            return None
        self._overwrite = self.parameterAsBoolean(parameters, "OVERWRITE", context)
        self._files = files_of(self, parameters, context, self.READS, self.WRITES, self.LAYERS)
        return refusal_of(self._files, overwrite=self._overwrite)

    # Declaring

    def add(self, parameter: QgsProcessingParameterDefinition, text: str) -> None:
        """Add a parameter with its help."""
        parameter.setHelp(text)
        self.addParameter(parameter)

    def advanced(self, parameter: QgsProcessingParameterDefinition, text: str) -> None:
        """Add a parameter that is folded away."""
        parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        self.add(parameter, text)

    def number(
        self,
        name: str,
        text: str,
        default: Optional[float],
        *,
        minimum: float,
        maximum: float = 1e12,
        kind: Any = QgsProcessingParameterNumber.Type.Double,
    ) -> QgsProcessingParameterNumber:
        """A number's parameter; optional where there is no default."""
        maximum = min(maximum, 2**31 - 1) if kind == QgsProcessingParameterNumber.Type.Integer else maximum
        number = QgsProcessingParameterNumber(
            name, text, kind, defaultValue=default, optional=default is None, minValue=minimum, maxValue=maximum
        )
        number.setMetadata({"widget_wrapper": {"decimals": 2}})  # six by default, which nobody types
        return number

    def choice(self, name: str, text: str, words: dict[str, str]) -> Choice:
        """A choice, the first by default. Scripts and models name it by its key, people by its words."""
        self._choices[name] = words
        return Choice(name, text, words)

    def truth_offset(self) -> None:
        """Add how far the truth's clock is off."""
        self.advanced(
            QgsProcessingParameterString("TRUTH_OFFSET", tr("Truth offset (s)"), optional=True),
            tr(
                "Seconds added to the truth's clock, such as 2.5 where it is 2.5 s behind the video's. auto: found from when the picture turns and the track"
                " does, and added only where that is sure. Empty: none."
            ),
        )

    def chosen_truth_offset(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """The offset as text; None for none."""
        return self.parameterAsString(parameters, "TRUTH_OFFSET", context).strip() or None

    def device(self) -> None:
        """Add the choice of what computes."""
        self.advanced(
            self.choice("DEVICE", tr("Device"), DEVICES), tr("What computes: automatic takes the graphics card where there is one.")
        )

    def result_file(self, text: str = mark("The GeoPackage that 'Geolocate video' wrote.")) -> None:
        """Add the result to work on."""
        self.add(QgsProcessingParameterFile("RESULT", tr("Result"), QgsProcessingParameterFile.Behavior.File), tr(text))

    def answer(self) -> None:
        """Add the choice between the model's answer and the one that was solved with pins; optional, or models made before it would not run."""
        choice = self.choice("ANSWER", tr("Which answer"), ANSWERS)
        choice.setFlags(choice.flags() | QgsProcessingParameterDefinition.Flag.FlagOptional)
        self.add(
            choice,
            tr(
                "Of each video the answer of 'Solve with pins', where there is one, else the model's own; or always the model's own; or the one that was "
                "solved with pins, refused where nothing was."
            ),
        )

    def area(self, what: str, *, preselect: bool = True) -> None:
        """Add the area of interest: polygons or an extent. The dialog opens with the project's only layer of polygons, if ``preselect``."""
        only = only_area() if preselect else None
        self.add(
            QgsProcessingParameterFeatureSource(
                "AOI", tr("Area of interest (or its extent)"), [QgsProcessing.SourceType.TypeVectorPolygon], only, optional=True
            ),
            f"{what} {tr(_AREA_HELP)}",
        )
        self.add(
            QgsProcessingParameterExtent("EXTENT", tr("Extent instead of polygons"), optional=True),
            tr("The area of interest as a rectangle: xmin,xmax,ymin,ymax [CRS]. Across the 180th meridian xmax is over 180: 179,181,…"),
        )

    def folder(self, name: str, text: str) -> QgsProcessingParameterFile:
        """An optional folder's parameter."""
        return QgsProcessingParameterFile(name, text, QgsProcessingParameterFile.Behavior.Folder, optional=True)

    def overwrite(self) -> None:
        """Add the leave to replace files."""
        self.advanced(
            QgsProcessingParameterBoolean("OVERWRITE", tr("Overwrite"), defaultValue=False, optional=True),
            tr(
                "Replaces whatever lies at the outputs. Otherwise only this tool's own files of the same kind are replaced. What is read by the same run, "
                "and what is being edited in QGIS, is never replaced."
            ),
        )

    def copies_crs(self, which: str) -> None:
        """Add the coordinate system of the layers that are copied from the result."""
        self.advanced(
            QgsProcessingParameterCrs("OUTPUT_CRS", tr("Coordinate system of copies"), optional=True),
            tr("For {which} below. Empty: WGS 84. The result file itself is always in WGS 84.", which=which),
        )

    # Reading

    def file_out(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> Optional[str]:
        """Absolute path of a file to write; None where it is not asked for."""
        path = self.parameterAsFileOutput(parameters, name, context)
        return os.path.abspath(path) if path else None

    def time_zone(self) -> None:
        """A parameter for the zone that times without one are in."""
        self.advanced(
            QgsProcessingParameterString("TIME_ZONE", tr("Time zone"), optional=True),
            tr("Zone of the start time, and of pictures' EXIF times that name none, such as Europe/Stockholm. Empty: UTC."),
        )

    def chosen_time_zone(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """Its name; None where none is given."""
        return self.parameterAsString(parameters, "TIME_ZONE", context).strip() or None

    def start_time(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """The start time as ISO text: without a zone of its own in the chosen one, which the engine knows how to reckon with."""
        start = self.parameterAsDateTime(parameters, "START_TIME", context)
        if not start.isValid():
            return None
        local = start.timeSpec() == Qt.TimeSpec.LocalTime and self.chosen_time_zone(parameters, context) is not None
        return start.toString("yyyy-MM-ddTHH:mm:ss.zzz") if local else iso_text(start)

    def optional_number(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> Optional[float]:
        """A number, None where it is left empty."""
        return None if parameters.get(name) in (None, "") else self.parameterAsDouble(parameters, name, context)

    def stretch_problem(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[str]:
        """Why the stretch FROM to TO is none, in one sentence; None where it is one."""
        end_s = self.optional_number(parameters, "TO", context)
        if end_s is None or end_s > self.parameterAsDouble(parameters, "FROM", context):
            return None
        return tr("The stretch ends at {end_s:g} s, before it begins: make 'To' larger than 'From'.", end_s=end_s)

    def files(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> list[str]:
        """Absolute paths of several input files."""
        return [os.path.abspath(path) for path in self.parameterAsFileList(parameters, name, context) if path]

    def file_in(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> str:
        """Path of an input file or folder as it was given, empty where it was not."""
        return self.parameterAsFile(parameters, name, context) or ""

    def result(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """Path of the result to work on; a layer of the result names its file, too."""
        path = self.file_in(parameters, "RESULT", context).split("|", 1)[0]
        return os.path.abspath(path) if path else ""

    def chosen_answer(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """Which answer to take; auto where nothing is said."""
        return self.chosen(parameters, "ANSWER", context)

    def chosen(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> str:
        """The key of a choice, which may be given as key, words or number."""
        words = self._choices[name]
        if (key := key_of(words, parameters.get(name, ""))) is not None:
            return key
        return key_of(words, self.parameterAsEnumString(parameters, name, context)) or next(iter(words))

    def layer_file(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> str:
        """File of an input layer; empty where it has none."""
        layer = self.parameterAsVectorLayer(parameters, name, context)
        if layer is None or layer.providerType() != "ogr":
            return ""
        return QgsProviderRegistry.instance().decodeUri("ogr", layer.source()).get("path") or ""

    def labels(self, parameters: dict[str, Any], names: list[str]) -> dict[str, Any]:
        """Values of outputs by what the user knows them as."""
        return {self.parameterDefinition(name).description(): parameters.get(name) for name in names}
