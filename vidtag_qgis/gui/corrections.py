"""What a person says of a result, written by the engine one request after another, beside QGIS's windows; and the layers that come of it."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import Any, Callable, Optional

from qgis.core import QgsProject, QgsTask, QgsVectorLayer
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from .. import engine
from ..edits import file_of, guard, real, table_of
from ..engine_client import EngineCancelledError, EngineError, EngineInputError, EngineUnwrittenError
from ..engine_client.command_arguments import LandmarksArguments, PinArguments, ReportArguments, ReviewArguments, SolveArguments
from ..layers import finish
from ..translation import mark, tr, translated
from ..unwritten import Entry, Unwritten
from .pin_maker import show_pins
from .tasks import Call, start

_FINISH_S = 15.0
_ARGUMENTS: dict[str, Any] = {"pin": PinArguments, "review": ReviewArguments, "landmarks": LandmarksArguments}
_ASKS = ("list", "states")
"""Actions that write nothing."""
PINNED = {"frames_pinned": "frames", "trajectory_pinned": "trajectory", "regions_pinned": "regions"}
"""Layers of a result that was solved with pins, and whose style they have."""


@dataclass(frozen=True)
class _Asked:
    """A request that waits: the command, its arguments, what is done with the answer, and how often it is asked again where the engine ends meanwhile.

    ``entry`` is what is kept of it until it is written.
    """

    command: str
    arguments: Any
    then: Callable[[dict[str, Any]], None]
    tries: int = 2
    failed: Optional[Callable[[str], None]] = None
    entry: Optional[Entry] = None

    @property
    def writes(self) -> bool:
        """Whether something would be lost if nobody did it."""
        return getattr(self.arguments, "action", "") not in _ASKS


class Corrections(QObject):
    """Pins, judgements and solving again, for one result at a time.

    Nothing is lost where the engine is killed: what is asked is written whole or not at all, and asked of the next engine. Pins and judgements that cannot be
    written are kept in the profile, and tried again when something else was written, when their result is looked at again, and when somebody asks for it.

    ``pins_changed`` and ``review_changed`` carry the rows of the result that is looked at; ``said`` a sentence; ``busy`` whether something is being written;
    ``unwritten_changed`` how many things are still to be written, and why the last of them is.

    Args:
        parent: of the Qt object.
        unwritten: where they are kept; None is the profile.
    """

    pins_changed = pyqtSignal(list)
    review_changed = pyqtSignal(list, dict)
    said = pyqtSignal(str)
    busy = pyqtSignal(bool)
    unwritten_changed = pyqtSignal(int, str)

    def __init__(self, parent: Optional[QObject] = None, unwritten: Optional[Unwritten] = None) -> None:
        super().__init__(parent)
        self.result = ""
        self.unwritten = unwritten or Unwritten()
        self._waiting: deque[_Asked] = deque()
        self._task: Optional[Call] = None
        self._asked: Optional[_Asked] = None
        self._awake = False
        self._stuck = False
        self._rows: list[dict[str, Any]] = []
        self._pins: list[dict[str, Any]] = []

    def wake(self) -> None:
        """The window is open: tell it of the result that is looked at."""
        self._awake = True
        result, self.result = self.result, ""
        self.look_at(result)

    def rest(self) -> None:
        """The window is closed, and may be gone. What was said is still written; nobody waits for lists any more."""
        self._awake = False
        self._waiting = deque(asked for asked in self._waiting if asked.writes)
        if self._task is not None and self._asked is not None and not self._asked.writes:
            self._task.cancel()

    def finish(self) -> None:
        """The plugin is taken away, or QGIS ends: wait for what is still to be written, some seconds at most."""
        self.rest()
        until_s = time.monotonic() + _FINISH_S
        while self.at_work and not self._stuck and time.monotonic() < until_s:
            QCoreApplication.processEvents()
            time.sleep(0.01)
        for asked in (self._asked, *self._waiting):
            if asked is not None and asked.entry is not None:
                self.unwritten.refused(asked.entry, mark("QGIS ended before it was written."))

    def _tell(self, signal: str, *values: Any) -> None:
        if self._awake:  # else the Qt object may be gone
            getattr(self, signal).emit(*values)

    @property
    def at_work(self) -> bool:
        """Whether something is being written or waits."""
        return self._task is not None or bool(self._waiting)

    def look_at(self, result: str) -> None:
        """From now on speak of this result; empty for none."""
        if result == self.result:
            return
        self.result, self._pins, self._rows = result, [], []
        self._tell("pins_changed", [])
        self._tell("review_changed", [], {})
        if result:
            self.pin("list")
            self.review("list")
            self.try_again()
        self._tell_unwritten()

    # What could not be written.

    def try_again(self) -> None:
        """Ask once more for what could not be written of the result that is looked at."""
        for entry in self.unwritten.waiting(self.result):
            if any(
                asked.entry is not None and asked.entry.name == entry.name for asked in (self._asked, *self._waiting) if asked is not None
            ):
                continue
            kind = _ARGUMENTS[entry.command]
            try:
                arguments = kind(**entry.arguments)
            except TypeError:  # of another version
                continue
            self._waiting.append(_Asked(entry.command, arguments, lambda _: self._late(), entry=entry))
        self._next()

    def give_up(self) -> None:
        """Forget what could not be written of the result that is looked at."""
        for entry in self.unwritten.waiting(self.result):
            self.unwritten.remove(entry)
        self._tell_unwritten()

    def keep(self, command: str, arguments: dict[str, Any], why: str) -> None:
        """Keep what somebody else could not have written."""
        self.unwritten.refused(self.unwritten.add(command, arguments), why)
        self.try_again()  # at once, as its engine may have been killed
        self._tell_unwritten()

    def _late(self) -> None:
        """Something that had waited is written."""
        if not self.unwritten.waiting(self.result):
            self._tell("said", tr("All that was said is written now."))
        self.pin("list")
        self.review("list")

    def _tell_unwritten(self) -> None:
        waiting = self.unwritten.waiting(self.result)
        self._tell("unwritten_changed", len(waiting), translated(tr(waiting[-1].why)) if waiting else "")

    def pin(self, action: str, pin: Optional[dict[str, Any]] = None, number: Optional[int] = None) -> None:
        """One thing with the pins, as of the engine's command "pin"."""
        if action == "remove":
            number, pin = _meant(self._pins, number, ("video", "time_s"))
        elif action == "add" and pin is not None:
            pin = {**pin, "when": now()}
        self._ask("pin", PinArguments(self.result, pin, action, number), lambda answer: self._pinned(action, answer))
        if action != "list":
            self.pin("list")

    def review(self, action: str, row: Optional[dict[str, Any]] = None, number: Optional[int] = None) -> None:
        """One thing with the judgements, as of the engine's command "review"."""
        if row is not None and action == "add":
            row = {**row, "when": now()}
        elif action == "remove":
            number, row = _meant(self._rows, number, ("video", "from_s", "to_s"))
        self._ask("review", ReviewArguments(self.result, action, row, number), lambda answer: self._reviewed(action, answer))
        if action not in _ASKS:
            self.review("list")
        elif action == "list":
            self.review("states")

    def landmarks(self, asked: dict[str, Any], then: Callable[[dict[str, Any]], None], failed: Callable[[str], None]) -> None:
        """Where the camera was, by landmarks; arguments but the result as of the engine's command "landmarks"."""

        def done(answer: dict[str, Any]) -> None:
            then(answer)
            if answer["pin"] is not None:
                show_pins(answer["review"])
                self.pin("list")

        self._ask("landmarks", LandmarksArguments(self.result, **asked, when=now()), done, failed)

    def report(self, asked: dict[str, Any], then: Callable[[dict[str, Any]], None], failed: Callable[[str], None]) -> None:
        """Make a folder to hand over; arguments but the result as of the engine's command "report"."""
        self._ask("report", ReportArguments(self.result, **asked), then, failed)

    def solve(self) -> None:
        """Decode the videos that have pins again. The model's own layers stay; the new ones stand beside them."""
        if self.result and (why := guard().refusal([self.result])):
            self._tell("said", why)
            return
        self._ask("solve", SolveArguments(self.result), self._solved)

    def _ask(
        self, command: str, arguments: Any, then: Callable[[dict[str, Any]], None], failed: Optional[Callable[[str], None]] = None
    ) -> None:
        if not self.result:
            self._tell("said", tr("Look at a result first: choose its layer of frames under 'Check frames'."))
            return
        said = asdict(arguments)
        kept = said["pin"] is True if command == "landmarks" else said.get("action") in ("add", "change", "remove")
        entry = self.unwritten.add(command, said) if kept else None
        self._waiting.append(_Asked(command, arguments, then, failed=failed, entry=entry))
        self._next()

    def _next(self) -> None:
        if self._task is not None or not self._waiting:
            self._tell("busy", self._task is not None)
            return
        asked = self._asked = self._waiting.popleft()
        command, arguments, result = asked.command, asked.arguments, asked.arguments.result
        try:
            python = engine.interpreter()
        except EngineError as error:
            # Lists are nothing without an engine; what was said waits for the next thing that is asked.
            self._waiting = deque(one for one in (asked, *self._waiting) if one.writes)
            self._stuck = True
            self._tell("said", translated(str(error)))
            self._tell("busy", False)
            return
        self._stuck = False

        def ask(task: QgsTask) -> dict[str, Any]:
            with guard().writing([result] if command == "solve" else []):
                return engine.request(python, command, asdict(arguments), cancelled=task.isCanceled)

        def done(answer: Optional[dict[str, Any]], error: Optional[EngineError]) -> None:
            self._task = self._asked = None
            if asked.entry is not None:
                self._settle(asked, answer, error)
            if answer is None and asked.tries and not isinstance(error, (EngineInputError, EngineCancelledError)):
                self._waiting.appendleft(replace(asked, tries=asked.tries - 1))  # the engine has ended: another one does it
            elif answer is None:
                kept = asked.entry is not None and (isinstance(error, EngineUnwrittenError) or not isinstance(error, EngineInputError))
                why = translated(str(error))
                self._tell("said", f"{why} {tr('What you said is kept, and can be tried again.')}" if kept else why)
                if asked.failed is not None and self._awake:
                    asked.failed(why)
            elif result == self.result and self._awake:  # another one may be looked at by now
                asked.then(answer)
            self._next()

        self._tell("busy", True)
        self._task = Call(f"VidTAG: {command}", ask)
        self._task.done.connect(done)
        start(self._task)

    def _settle(self, asked: _Asked, answer: Optional[dict[str, Any]], error: Optional[EngineError]) -> None:
        """What was kept of a request goes as it is written or makes no sense, and else stays."""
        entry = asked.entry
        if entry is None:
            return
        late = bool(entry.why)
        if answer is not None or (isinstance(error, EngineInputError) and not isinstance(error, EngineUnwrittenError)):
            self.unwritten.remove(entry)
        elif isinstance(error, EngineUnwrittenError) or not asked.tries:
            self.unwritten.refused(entry, str(error))
        self._tell_unwritten()
        if answer is not None and not late:
            self.try_again()

    def _pinned(self, action: str, answer: dict[str, Any]) -> None:
        if action == "list":
            self._pins = answer["pins"]
            self._tell("pins_changed", self._pins)
            return
        show_pins(answer["review"])
        pin = answer["pin"]
        said = {
            "add": tr("Pin {number} is set at {time:g} s of {video}."),
            "remove": tr("The pin at {time:g} s of {video} is gone."),
            "change": tr("Pin {number} is changed."),
        }[action]
        self._tell("said", said.format(number=pin["number"], time=pin["time_s"], video=pin["video"]))

    def _reviewed(self, action: str, answer: dict[str, Any]) -> None:
        if action == "list":
            self._rows = answer["rows"]
            if answer["problems"]:
                self._tell("said", answer["problems"][0])
        elif action == "states":
            frames = {one["video"]: {**one["counts"], "not_judged": one["state"].count(None)} for one in answer["videos"]}
            self._tell("review_changed", self._rows, frames)
        elif action == "add":
            self._tell("said", tr("Kept in the review file beside the result."))

    def _solved(self, answer: dict[str, Any]) -> None:
        show_pinned(self.result)
        moved = sum(video["moved"] for video in answer["videos"])
        text = tr("Solved in {seconds:.1f} s: {moved} frames moved.", seconds=answer["seconds"], moved=moved)
        self._tell("said", " ".join([text, *answer["notes"]]))


def now() -> str:
    """When something is said, by which the engine knows it again where it is asked twice."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def _meant(listed: list[dict[str, Any]], number: Optional[int], names: tuple[str, ...]) -> tuple[Optional[int], Optional[dict[str, Any]]]:
    """The number of what is to go and what a person saw under it, so that nothing else goes, however often it is asked; without a number the last one."""
    found = [one for one in listed if number is None or one["number"] == number]
    last = max(found, key=lambda one: int(one["number"]), default=None)
    return (number, None) if last is None else (last["number"], {name: last[name] for name in names})


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
