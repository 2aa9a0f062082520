#!/usr/bin/python3
"""Write the sample models resources/models/*.model3: run it by the system's Python of the oldest QGIS that is supported (3.22).

    tools/make_model.py [FOLDER]

Newer QGIS reads what an older one wrote; the other way round it may not.
"""

# mypy: disable-error-code="import-not-found"
from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), "/usr/share/qgis/python/plugins"]

from qgis.core import (  # noqa: E402
    QgsApplication,
    QgsProcessing,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
)
from qgis.PyQt.QtCore import QPointF  # noqa: E402

Source = QgsProcessingModelChildParameterSource


def videos() -> Any:
    """The videos that the user gives."""
    return QgsProcessingParameterMultipleLayers("videos", "Videos", QgsProcessing.SourceType.TypeFile)


def checkpoint() -> Any:
    """The checkpoint that locates them."""
    folder = QgsProcessingParameterFile.Behavior.Folder
    return QgsProcessingParameterFile("checkpoint", "Checkpoint (folder, or geoclip)", folder, defaultValue="geoclip", optional=True)


def resolution() -> Any:
    """The step of the grid that they are sought on."""
    return QgsProcessingParameterNumber("resolution", "Grid resolution (m)", QgsProcessingParameterNumber.Type.Double, 100.0)


def add_inputs(model: Any, *inputs: Any) -> None:
    """What the user gives."""
    for number, parameter in enumerate(inputs):
        component = QgsProcessingModelParameter(parameter.name())
        component.setPosition(QPointF(120.0 + 230.0 * number, 80.0))
        model.addModelParameter(parameter, component)


def child(
    model: Any,
    name: str,
    algorithm: str,
    place: tuple[float, float],
    sources: dict[str, Any],
    outputs: dict[str, str],
    wanted: tuple[str, ...] = (),
) -> None:
    """Add a step: where its parameters come from, and which of its outputs are the model's, by their titles; those ``wanted`` are always made."""
    step = QgsProcessingModelChildAlgorithm(algorithm)
    step.setChildId(name)
    step.setDescription(step.algorithm().displayName())
    step.setPosition(QPointF(*place))
    for parameter in step.algorithm().parameterDefinitions():
        if parameter.name() in sources:
            step.addParameterSources(parameter.name(), [sources[parameter.name()]])
        elif not parameter.isDestination() and parameter.defaultValue() is not None:
            words = getattr(parameter, "words", None)  # a choice is kept by its key, whose words may change
            step.addParameterSources(parameter.name(), [Source.fromStaticValue(next(iter(words)) if words else parameter.defaultValue())])
    results: dict[str, Any] = {}
    for title, output in outputs.items():
        result = QgsProcessingModelOutput(title, title)
        result.setChildId(name)
        result.setChildOutputName(output)
        result.setMandatory(title in wanted)
        result.setPosition(QPointF(place[0] + 300.0, place[1] + 60.0 * len(results)))
        results[title] = result
    step.setModelOutputs(results)
    model.addChildAlgorithm(step)


def locate_and_export() -> Any:
    """The model: locate videos, then write their tracks and the sure pictures."""
    model = QgsProcessingModelAlgorithm("Locate videos and export tracks and pictures", "VidTAG")
    area = QgsProcessingParameterFeatureSource("area", "Area of interest", [QgsProcessing.SourceType.TypeVectorPolygon])
    least = QgsProcessingParameterNumber(
        "confidence", "Least confidence of a picture", QgsProcessingParameterNumber.Type.Double, 0.5, minValue=0.0, maxValue=1.0
    )
    add_inputs(model, videos(), area, checkpoint(), resolution(), least)
    locate = {
        "VIDEOS": Source.fromModelParameter("videos"),
        "AOI": Source.fromModelParameter("area"),
        "CHECKPOINT": Source.fromModelParameter("checkpoint"),
        "RESOLUTION": Source.fromModelParameter("resolution"),
    }
    export = {
        "RESULT": Source.fromChildOutput("locate", "OUTPUT"),
        "VIDEOS": Source.fromModelParameter("videos"),
        "LEAST_CONFIDENCE": Source.fromModelParameter("confidence"),
    }
    child(model, "locate", "vidtag:geolocatevideo", (350.0, 260.0), locate, {"Result": "OUTPUT", "Trajectory": "TRAJECTORY"})
    child(model, "export", "vidtag:exporttrajectory", (650.0, 480.0), export, {"GPX": "GPX", "Pictures": "FRAMES"})
    return model


def guess_then_locate() -> Any:
    """The model: guess the city of a video, then locate it in the likely places."""
    model = QgsProcessingModelAlgorithm("Guess the city of a video and locate it there", "VidTAG")
    folder = QgsProcessingParameterFile.Behavior.Folder
    cities = QgsProcessingParameterFile("cities", "Checkpoint of cities (folder)", folder)
    add_inputs(model, videos(), cities, checkpoint(), resolution())
    guess = {"VIDEOS": Source.fromModelParameter("videos"), "CHECKPOINT": Source.fromModelParameter("cities")}
    locate = {
        "VIDEOS": Source.fromModelParameter("videos"),
        "AOI": Source.fromChildOutput("guess", "PLACES"),
        "CHECKPOINT": Source.fromModelParameter("checkpoint"),
        "RESOLUTION": Source.fromModelParameter("resolution"),
    }
    # Always made: QGIS 3.22 leaves out an output that nobody asks for, also where the next step takes it, which would then search everywhere.
    child(
        model,
        "guess",
        "vidtag:guesscity",
        (350.0, 260.0),
        guess,
        {"All guessed places": "OUTPUT", "Likely places": "PLACES"},
        ("Likely places",),
    )
    child(
        model, "locate", "vidtag:geolocatevideo", (650.0, 480.0), locate, {"Result": "OUTPUT", "Trajectory": "TRAJECTORY"}, ("Trajectory",)
    )
    return model


MODELS = (locate_and_export, guess_then_locate)
"""Each named as its file."""


def main() -> None:
    """Write the models, to resources/models or the folder given."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "resources" / "models"
    application = QgsApplication([], False)
    application.initQgis()
    from vidtag_qgis.provider import VidTAGProvider

    provider = VidTAGProvider()
    QgsApplication.processingRegistry().addProvider(provider)
    folder.mkdir(parents=True, exist_ok=True)
    for make in MODELS:
        model = make()
        valid, problems = model.validate()
        if not valid:
            raise SystemExit(f"The model {make.__name__} is not valid: {problems}")
        model.toFile(str(folder / f"{make.__name__}.model3"))
        print(folder / f"{make.__name__}.model3")
    QgsApplication.processingRegistry().removeProvider(provider)
    application.exitQgis()


if __name__ == "__main__":
    if os.environ.get("QT_HASH_SEED") != "0":  # Qt shuffles keys by it; the same text at every run, please
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "QT_HASH_SEED": "0", "QT_QPA_PLATFORM": "offscreen"})
    main()
