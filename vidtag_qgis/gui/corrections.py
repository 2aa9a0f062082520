"""What a person says of a result, written by the engine one request after another, beside QGIS's windows; and the layers that come of it."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Callable, Optional

from qgis.core import QgsProject, QgsTask, QgsVectorLayer
from qgis.PyQt.QtCore import QObject, pyqtSignal

from .. import engine
from ..edits import file_of, guard, real, table_of
from ..engine_client import EngineCancelledError, EngineError, EngineInputError
from ..engine_client.command_arguments import PinArguments, ReviewArguments, SolveArguments
from ..layers import finish
from ..translation import tr
from .pin_maker import show_pins
from .tasks import Call, start

PINNED = {"frames_pinned": "frames", "trajectory_pinned": "trajectory", "regions_pinned": "regions"}
"""Layers of a result that was solved with pins, and whose style they have."""


@dataclass(frozen=True)
class _Asked:
    """A request that waits: the command, its arguments, what is done with the answer, and how often it is asked again where the engine ends meanwhile."""

    command: str
    arguments: Any
    then: Callable[[dict[str, Any]], None]
    tries: int = 2


class Corrections(QObject):
    """Pins, judgements and solving again, for one result at a time.

    Nothing is lost where the engine is killed: what is asked is written whole or not at all, and asked of the next engine.

    ``pins_changed`` and ``review_changed`` carry the rows of the result that is looked at; ``said`` a sentence; ``busy`` whether something is being written.

    Args:
        parent: of the Qt object.
    """

    pins_changed = pyqtSignal(list)
    review_changed = pyqtSignal(list, dict)
    said = pyqtSignal(str)
    busy = pyqtSignal(bool)

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self.result = ""
        self._waiting: deque[_Asked] = deque()
        self._task: Optional[Call] = None

    @property
    def at_work(self) -> bool:
        """Whether something is being written or waits."""
        return self._task is not None or bool(self._waiting)

    def look_at(self, result: str) -> None:
        """From now on speak of this result; empty for none."""
        if result == self.result:
            return
        self.result = result
        self.pins_changed.emit([])
        self.review_changed.emit([], {})
        if result:
            self.pin("list")
            self.review("list")

    def pin(self, action: str, pin: Optional[dict[str, Any]] = None, number: Optional[int] = None) -> None:
        """One thing with the pins, as of the engine's command "pin"."""
        self._ask("pin", PinArguments(self.result, pin, action, number), lambda answer: self._pinned(action, answer))

    def review(self, action: str, row: Optional[dict[str, Any]] = None, number: Optional[int] = None) -> None:
        """One thing with the judgements, as of the engine's command "review"."""
        if row is not None and action == "add":
            row = {**row, "when": datetime.now(UTC).isoformat(timespec="milliseconds")}  # by which the engine knows it again
        self._ask("review", ReviewArguments(self.result, action, row, number), lambda answer: self._reviewed(action, answer))

    def solve(self) -> None:
        """Decode the videos that have pins again. The model's own layers stay; the new ones stand beside them."""
        if self.result and (why := guard().refusal([self.result])):
            self.said.emit(why)
            return
        self._ask("solve", SolveArguments(self.result), self._solved)

    def _ask(self, command: str, arguments: Any, then: Callable[[dict[str, Any]], None]) -> None:
        if not self.result:
            self.said.emit(tr("Look at a result first: choose its layer of frames under 'Check frames'."))
            return
        self._waiting.append(_Asked(command, arguments, then))
        self._next()

    def _next(self) -> None:
        if self._task is not None or not self._waiting:
            self.busy.emit(self._task is not None)
            return
        asked = self._waiting.popleft()
        command, arguments, result = asked.command, asked.arguments, asked.arguments.result
        try:
            python = engine.interpreter()
        except EngineError as error:
            self._waiting.clear()
            self.said.emit(str(error))
            self.busy.emit(False)
            return

        def ask(task: QgsTask) -> dict[str, Any]:
            with guard().writing([result] if command == "solve" else []):
                return engine.request(python, command, asdict(arguments), cancelled=task.isCanceled)

        def done(answer: Optional[dict[str, Any]], error: Optional[EngineError]) -> None:
            self._task = None
            if answer is None and asked.tries and not isinstance(error, (EngineInputError, EngineCancelledError)):
                self._waiting.appendleft(
                    _Asked(command, arguments, asked.then, asked.tries - 1)
                )  # the engine has ended: another one does it
            elif answer is None:
                self.said.emit(str(error))
            elif result == self.result:  # another one may be looked at by now
                asked.then(answer)
            self._next()

        self.busy.emit(True)
        self._task = Call(f"VidTAG: {command}", ask)
        self._task.done.connect(done)
        start(self._task)

    def _pinned(self, action: str, answer: dict[str, Any]) -> None:
        self.pins_changed.emit(answer["pins"])
        if action in ("add", "confirm"):
            show_pins(answer["review"])
            self.said.emit(
                tr("Pin {number} is set at {time:g} s of {video}.").format(
                    number=answer["number"], time=answer["time_s"], video=answer["video"]
                )
            )
        elif action == "remove":
            show_pins(answer["review"])
            self.said.emit(tr("The pin at {time:g} s of {video} is gone.").format(time=answer["time_s"], video=answer["video"]))

    def _reviewed(self, action: str, answer: dict[str, Any]) -> None:
        self.review_changed.emit(answer["rows"], answer["frames"])
        if action == "add":
            self.said.emit(tr("Kept in the review file beside the result."))

    def _solved(self, answer: dict[str, Any]) -> None:
        show_pinned(self.result)
        moved = sum(video["moved"] for video in answer["videos"])
        text = tr("Solved in {seconds:.1f} s: {moved} frames moved.").format(seconds=answer["seconds"], moved=moved)
        self.said.emit(" ".join([text, *answer["notes"]]))


def show_pinned(result: str) -> list[QgsVectorLayer]:
    """The layers of a result that was solved with pins: read anew where they are in the project, else added above it."""
    project, found = QgsProject.instance(), []
    there = {
        table_of(layer): layer
        for layer in project.mapLayers().values()
        if isinstance(layer, QgsVectorLayer) and file_of(layer) == real(result)
    }
    titles = {
        "frames_pinned": tr("Frames, with pins"),
        "trajectory_pinned": tr("Trajectory, with pins"),
        "regions_pinned": tr("Regions, with pins"),
    }
    for table, kind in PINNED.items():
        layer = there.get(table)
        if layer is not None:
            layer.dataProvider().reloadData()
            layer.triggerRepaint()
        else:
            layer = QgsVectorLayer(f"{result}|layername={table}", titles[table], "ogr")
            if not layer.isValid():
                continue
            finish(layer, kind, result)
            layer.setReadOnly(True)
            project.addMapLayer(layer, False)
            node = project.layerTreeRoot().insertLayer(0, layer)
            node.setItemVisibilityChecked(kind != "regions")
            node.setExpanded(False)
        found.append(layer)
    return found
