"""What the last run with an area was set to, kept in the project and offered when the dialog is opened for that area again.

Only a dialog sees it: the values are put in as what it shows at first, beside the parameters' defaults, which stay as they are. So scripts, models, batches
of ``qgis_process`` and whatever else names no value run as they always did.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Optional

from qgis.core import QgsProcessingAlgorithm, QgsProcessingContext, QgsProject

from .algorithms.inputs import Choice
from .translation import filled, tr

SCOPE, ENTRY = "vidtag", "geolocate_settings"
MOST_AREAS = 20
NUMBERS = ("RESOLUTION", "RATE", "CONFIDENCE_RADIUS")
CHOICES = ("GRID", "DECODER")
SWITCHES = ("EXHAUSTIVE", "CONTINUOUS", "ENCODE_ALL", "KEEP_SCORES")
TEXTS = ("TIME_ZONE",)
CHECKPOINT = "CHECKPOINT"
PLACES = (CHECKPOINT, "REFERENCE")
"""Those whose value may be a path, kept relative to the project."""


@dataclass(frozen=True)
class Run:
    """One run's settings.

    Args:
        parameter: that gave the area, AOI or EXTENT; empty where none was given.
        area: the layer's id, the file's path or the extent's text.
        title: of the area, for people.
        settings: values by parameter.
        at: when, local time.
    """

    parameter: str
    area: str
    title: str
    settings: dict[str, Any]
    at: str = ""

    @property
    def key(self) -> str:
        """What the run is found again by."""
        return f"{self.parameter}:{self.area}"


def with_windows() -> bool:
    """Whether this is a QGIS with windows; not ``qgis_process``, a server or a script of its own."""
    from qgis import utils

    return utils.iface is not None


def run_of(algorithm: Any, parameters: dict[str, Any], context: QgsProcessingContext) -> Optional[Run]:
    """What a run is set to, to be remembered when it has succeeded; None where nothing is remembered. In the main thread."""
    project = QgsProject.instance()
    if not with_windows() or context.project() is not project:
        return None
    parameter, area, title = _area_of(algorithm, parameters, context)
    if parameter and not area:
        return None  # a layer that is gone after the run
    found: dict[str, Any] = {name: algorithm.optional_number(parameters, name, context) for name in NUMBERS}
    found["RESOLUTION"], found["RATE"] = (algorithm.parameterAsDouble(parameters, name, context) for name in ("RESOLUTION", "RATE"))
    found.update({name: algorithm.chosen(parameters, name, context) for name in CHOICES})
    found.update({name: algorithm.parameterAsBoolean(parameters, name, context) for name in SWITCHES})
    found.update({name: algorithm.parameterAsString(parameters, name, context) for name in TEXTS})
    for name in PLACES:
        place = algorithm.parameterAsString(parameters, name, context).strip()
        found[name] = project.writePath(os.path.abspath(place)) if os.path.exists(place) else place
    settings = {name: value for name, value in found.items() if value not in (None, "")}
    return Run(parameter, area, title, settings)


def remember(run: Run) -> None:
    """Keep it in the project, as the last one and as that of its area. In the main thread."""
    now = f"{datetime.now().astimezone():%Y-%m-%d %H:%M}"
    kept = [one for one in _kept() if one.key != run.key]
    runs = [Run(run.parameter, run.area, run.title, run.settings, now), *kept][:MOST_AREAS]
    QgsProject.instance().writeEntry(SCOPE, ENTRY, json.dumps([asdict(one) for one in runs]))


def offer(algorithm: Any) -> str:
    """Have the dialog that is about to open show the settings of the last run with its area; returns what is said of it, empty for nothing.

    The area is the one that the dialog opens with; where it opens with none, that of the project's last run, which it then opens with.
    """
    if not with_windows():
        return ""
    preselected = algorithm.parameterDefinition("AOI").defaultValue()
    runs = [one for one in _kept() if _is_there(one)]
    run = next((one for one in runs if one.parameter == "AOI" and one.area == preselected), None) if preselected else next(iter(runs), None)
    if run is None:
        return ""
    values = dict(run.settings)
    for name in set(PLACES) & set(values):
        place = QgsProject.instance().readPath(values[name])
        values[name] = place if os.path.exists(place) else values[name]
    if run.parameter:
        values[run.parameter] = QgsProject.instance().readPath(run.area) if _is_path(run) else run.area
    for name, value in values.items():
        _show(algorithm, name, value)
    settings = run.settings
    facts = [tr("checkpoint {name}", name=os.path.basename(str(values.get(CHECKPOINT, ""))))]
    if values.get("REFERENCE"):
        facts.append(tr("reference images {name}", name=os.path.basename(str(values["REFERENCE"]))))
    facts.append(filled("{resolution:g} m", {"resolution": settings.get("RESOLUTION", 0)}))
    facts.append(tr("{rate:g} frames a second", rate=settings["RATE"]) if settings.get("RATE") else tr("every frame"))
    said = {"area": run.title, "at": run.at, "facts": ", ".join(facts)}
    shown = (
        tr("Shown are the settings of the last run with the area {area}, {at}: {facts}.", **said)
        if run.parameter
        else tr("Shown are the settings of the last run with no area, {at}: {facts}.", **said)
    )
    return f"{shown} {tr('Change what you like: they are kept in this project, and only this dialog takes them.')}"


def _show(algorithm: QgsProcessingAlgorithm, name: str, value: Any) -> None:
    definition = algorithm.parameterDefinition(name)
    if definition is None or not definition.checkValueIsAcceptable(value):
        return  # of another version of the plugin
    definition.setGuiDefaultValueOverride(definition.in_words(value) if isinstance(definition, Choice) else value)


def _area_of(algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[str, str, str]:
    """The parameter that gave the area, what finds it again (empty where nothing does), and its title."""
    project = QgsProject.instance()
    if parameters.get("AOI") not in (None, ""):
        layer = algorithm.parameterAsVectorLayer(parameters, "AOI", context)
        if layer is not None and project.mapLayer(layer.id()) is not None:
            return "AOI", layer.id(), layer.name()
        given = parameters["AOI"]
        if isinstance(given, str) and os.path.isfile(given.split("|", 1)[0]):
            return "AOI", project.writePath(os.path.abspath(given)), os.path.basename(given)
        return "AOI", "", ""
    if parameters.get("EXTENT") not in (None, ""):
        extent = parameters["EXTENT"]
        return "EXTENT", extent.strip() if isinstance(extent, str) else "", str(extent)
    return "", "", ""


def _is_path(run: Run) -> bool:
    return run.parameter == "AOI" and QgsProject.instance().mapLayer(run.area) is None


def _is_there(run: Run) -> bool:
    """Whether the area can still be given, and the checkpoint and the reference images be read."""
    project = QgsProject.instance()
    if _is_path(run) and not os.path.isfile(project.readPath(run.area).split("|", 1)[0]):
        return False
    places = [str(run.settings.get(name, "")) for name in PLACES]
    return all(os.path.exists(project.readPath(place)) for place in places if place.startswith(("/", ".")))


def _kept() -> list[Run]:
    """The project's runs, the latest first; none where its entry is not what this version writes."""
    text, there = QgsProject.instance().readEntry(SCOPE, ENTRY)
    if not there:
        return []
    try:
        return [Run(**one) for one in json.loads(text)]
    except (ValueError, TypeError):
        return []
