"""An algorithm of the plugin run from a window: a task in QGIS's own list, with its progress and its words, whose layers are loaded when it is done."""

from __future__ import annotations

import time
from typing import Any, Optional

from qgis.core import (
    QgsApplication,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..translation import tr


class _Heard(QgsProcessingFeedback):
    """Feedback that passes words on, from whichever thread."""

    said = pyqtSignal(str, str)

    def pushInfo(self, info: str) -> None:
        super().pushInfo(info)
        self.said.emit("info", info)

    def pushWarning(self, warning: str) -> None:
        super().pushWarning(warning)
        self.said.emit("warning", warning)

    def setProgressText(self, text: str) -> None:
        super().setProgressText(text)
        self.said.emit("stage", text)

    def reportError(self, error: str, fatalError: bool = False) -> None:
        super().reportError(error, fatalError)
        self.said.emit("error", error)


class AlgorithmRun(QObject):
    """One run. Signals come in the main thread.

    ``said`` carries "info", "warning", "stage" or "error", and a line; ``progressed`` the share that is done, and how many seconds it may still take, below 0
    where nobody knows; ``done`` whether it went through, and the algorithm's outputs.

    Args:
        algorithm_id: such as ``vidtag:geolocatevideo``.
        parameters: of it.
        parent: of the Qt object.
    """

    said = pyqtSignal(str, str)
    progressed = pyqtSignal(float, float)
    done = pyqtSignal(bool, dict)

    def __init__(self, algorithm_id: str, parameters: dict[str, Any], parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._id, self._parameters = algorithm_id, parameters
        self._context = QgsProcessingContext()
        self._context.setProject(QgsProject.instance())
        self._feedback = _Heard(False)
        self._feedback.said.connect(self._heard)
        self._feedback.progressChanged.connect(self._progress)
        self._task: Optional[QgsProcessingAlgRunnerTask] = None
        self._algorithm: Any = None
        self._since_s = 0.0
        self.error = ""

    def start(self) -> Optional[str]:
        """Begin. Returns what is wrong with the parameters, in one sentence; then nothing runs."""
        self._algorithm = QgsApplication.processingRegistry().createAlgorithmById(self._id)
        if self._algorithm is None:
            return tr("Processing does not know {name}: switch the provider VidTAG on in its options.", name=self._id)
        usable, why = self._algorithm.canExecute()
        if usable:
            usable, why = self._algorithm.checkParameterValues(self._parameters, self._context)
        if not usable:
            return str(why)
        self._since_s = time.monotonic()
        self._task = QgsProcessingAlgRunnerTask(self._algorithm, self._parameters, self._context, self._feedback)
        self._task.executed.connect(self._executed)
        QgsApplication.taskManager().addTask(self._task)
        return None

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self._task is not None

    def cancel(self) -> None:
        """Stop within a second; what is finished is kept, and the last word says where."""
        self._feedback.cancel()
        if self._task is not None:
            self._task.cancel()

    def _heard(self, kind: str, text: str) -> None:
        if kind == "error":
            self.error = text
        self.said.emit(kind, text)

    def _progress(self, percent: float) -> None:
        taken_s = time.monotonic() - self._since_s
        # Below that nobody can say how fast it goes: the engine starts, and looks at the videos.
        left_s = taken_s * (100.0 - percent) / percent if percent > 5.0 and taken_s > 2.0 else -1.0
        self.progressed.emit(percent / 100.0, left_s)

    def _executed(self, succeeded: bool, results: dict[str, Any]) -> None:
        self._task = None
        if succeeded:
            load_layers(self._context)
        self.done.emit(succeeded, results)


def load_layers(context: QgsProcessingContext) -> None:
    """Put into the project what an algorithm has asked to be loaded, as QGIS's own dialog does."""
    project, feedback = context.project(), QgsProcessingFeedback()
    for source, details in context.layersToLoadOnCompletion().items():
        layer = context.takeResultLayer(source) or QgsVectorLayer(source, details.name, "ogr")
        if layer is None or not layer.isValid():
            continue
        layer.setName(details.name)
        project.addMapLayer(layer)
        if details.postProcessor() is not None:
            details.postProcessor().postProcessLayer(layer, context, feedback)


def duration(seconds: float) -> str:
    """How long something may still take, for people."""
    if seconds < 90:
        return tr("{seconds} s", seconds=max(1, round(seconds)))
    return tr("{minutes} min", minutes=round(seconds / 60)) if seconds < 5400 else tr("{hours:.1f} h", hours=seconds / 3600)
