#!/usr/bin/python3
"""Write made_before.model3 beside this file: a chain as people build it on the numbers of "Geolocate video".

It was made with QGIS 3.22 and the plugin as it was before frames could be not rated, and is kept as it is: models that people have must go on running.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2] / "tools"), str(HERE.parents[2]), "/usr/share/qgis/python/plugins"]

from qgis.core import (
    QgsApplication,
    QgsProcessing,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildDependency,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelParameter,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
)

Source = QgsProcessingModelChildParameterSource
MEAN = "@Geolocate_video_MEAN_CONFIDENCE"


def make(child: Any) -> Any:
    """The model: where the mean confidence is a parameter's value, an expression's variable and a condition; ``child`` adds a step."""
    model = QgsProcessingModelAlgorithm("Locate, keep the better half and export", "VidTAG")
    for parameter in (
        QgsProcessingParameterMultipleLayers("videos", "Videos", QgsProcessing.SourceType.TypeFile),
        QgsProcessingParameterFeatureSource("area", "Area of interest", [QgsProcessing.SourceType.TypeVectorPolygon]),
        QgsProcessingParameterFile("checkpoint", "Checkpoint", QgsProcessingParameterFile.Behavior.Folder),
        QgsProcessingParameterBoolean("answer", "Always answer", False),
    ):
        model.addModelParameter(parameter, QgsProcessingModelParameter(parameter.name()))
    given = {"VIDEOS": "videos", "AOI": "area", "CHECKPOINT": "checkpoint", "ALWAYS_ANSWER": "answer"}
    locate = {name: Source.fromModelParameter(parameter) for name, parameter in given.items()} | {"RESOLUTION": Source.fromStaticValue(25)}
    child(model, "locate", "vidtag:geolocatevideo", (0.0, 0.0), locate, {"Result": "OUTPUT", "Frames": "FRAMES"})
    frames = Source.fromChildOutput("locate", "FRAMES")
    better = {"INPUT": frames, "EXPRESSION": Source.fromStaticValue(f'"confidence" >= {MEAN}')}
    child(model, "better", "native:extractbyexpression", (300.0, 0.0), better, {"Better": "OUTPUT"})
    wide = {"INPUT": frames, "DISTANCE": Source.fromExpression(f"0.001 * (1 - {MEAN})")}
    child(model, "wide", "native:buffer", (300.0, 200.0), wide, {"Wide": "OUTPUT"})
    export = {
        "RESULT": Source.fromChildOutput("locate", "OUTPUT"),
        "VIDEOS": Source.fromModelParameter("videos"),
        "LEAST_CONFIDENCE": Source.fromChildOutput("locate", "MEAN_CONFIDENCE"),
    }
    child(model, "export", "vidtag:exporttrajectory", (300.0, 400.0), export, {"CSV": "CSV", "Pictures": "FRAMES"})
    child(model, "judge", "native:condition", (300.0, 600.0), {}, {})
    conditions = {"sure": f"{MEAN} >= 0.5", "unsure": f"{MEAN} < 0.5", "withheld": "@Geolocate_video_WITHHELD_COUNT > 0"}
    model.childAlgorithm("judge").setConfiguration(
        {"conditions": [{"name": name, "expression": text} for name, text in conditions.items()]}
    )
    for number, name in enumerate(conditions):
        child(
            model, name, "native:raisewarning", (600.0, 600.0 + 100.0 * number), {"MESSAGE": Source.fromStaticValue(f"It is {name}.")}, {}
        )
        model.childAlgorithm(name).setDependencies([QgsProcessingModelChildDependency("judge", name)])
    model.childAlgorithm("judge").setDependencies([QgsProcessingModelChildDependency("locate")])
    problems = model.validate()
    if not problems[0]:
        raise SystemExit(f"The model is not valid: {problems[1]}")
    return model


def main() -> None:
    """Write the model."""
    application = QgsApplication([], False)
    application.initQgis()
    from make_model import child
    from processing.core.Processing import Processing

    from vidtag_qgis.provider import VidTAGProvider

    Processing.initialize()
    provider = VidTAGProvider()
    QgsApplication.processingRegistry().addProvider(provider)
    make(child).toFile(str(HERE / "made_before.model3"))
    os._exit(0)  # QGIS's own way out frees the provider twice


if __name__ == "__main__":
    if os.environ.get("QT_HASH_SEED") != "0":  # Qt shuffles keys by it; the same text at every run, please
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "QT_HASH_SEED": "0", "QT_QPA_PLATFORM": "offscreen"})
    main()
