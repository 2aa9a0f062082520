"""Long work beside QGIS's windows: each is a task in QGIS's own list, with progress and cancel there too."""

from __future__ import annotations

from typing import Any, Callable, Optional

from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import pyqtSignal

from ..engine_client import EngineError
from ..engine_client.environment import create
from ..engine_client.environment_files import ManagedEnvironment
from ..engine_client.environment_plan import Agreement, SetupPlan
from ..translation import tr


class Call(QgsTask):
    """One function in a thread of its own. ``done`` is emitted in the main thread with the result, or with the error.

    Args:
        title: in QGIS's task list.
        function: takes the task, so that it can ask ``isCanceled()``; may raise EngineError.
    """

    done = pyqtSignal(object, object)

    def __init__(self, title: str, function: Callable[[QgsTask], Any]) -> None:
        super().__init__(title, QgsTask.Flag.CanCancel)
        self._function = function
        self.result: Any = None
        self.error: Optional[EngineError] = None

    def run(self) -> bool:
        """Called by QGIS in a thread of its own."""
        try:
            self.result = self._function(self)
        except EngineError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - an error that leaves a task's thread takes QGIS down
            self.error = EngineError(tr("A fault of VidTAG: {kind}: {error}. Please report it.", kind=type(error).__name__, error=error))
        return self.error is None

    def finished(self, result: bool) -> None:
        """Called by QGIS in the main thread."""
        _ALIVE.discard(self)
        self.done.emit(self.result, self.error)


class Setup(Call):
    """Makes an environment. ``said`` and ``logged`` come in the main thread while it does.

    Args:
        plan: what to make.
        agreed: the user's consent to it.
    """

    said = pyqtSignal(float, str)
    logged = pyqtSignal(str)

    def __init__(self, plan: SetupPlan, agreed: Agreement) -> None:
        super().__init__(tr("VidTAG: making the engine's environment"), self._make)
        self._plan, self._agreed = plan, agreed
        self.lines: list[str] = []
        self.last: tuple[float, str] = (0.0, "")

    def _make(self, task: QgsTask) -> ManagedEnvironment:
        return create(self._plan, self._agreed, on_progress=self._progress, on_line=self._line, cancelled=self.isCanceled)

    def _progress(self, fraction: float, stage: str, message: str) -> None:
        if (fraction, message) != self.last:
            self.last = (fraction, message)
            self.setProgress(100.0 * fraction)
            self.said.emit(fraction, message)

    def _line(self, line: str) -> None:
        self.lines.append(line)
        self.logged.emit(line)


# QGIS owns only the C++ half of a task; the Python half must live until it is done.
_ALIVE: set[Call] = set()


def start(task: Call) -> Call:
    """Hand a task to QGIS."""
    _ALIVE.add(task)
    QgsApplication.taskManager().addTask(task)
    return task


def running_setup() -> Optional[Setup]:
    """The environment that is being made now, None where there is none."""
    return next((task for task in _ALIVE if isinstance(task, Setup)), None)
