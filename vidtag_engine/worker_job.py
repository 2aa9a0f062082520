"""One request of a worker at work: its callbacks for the engine, and its only answer; and what stays from one request to the next."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from . import __version__, protocol
from .protocol_writer import ProtocolWriter

if TYPE_CHECKING:
    from .commands.places import PlacesSession
    from .commands.player import PlayerSession
    from .feedback import Feedback
    from .types import Progress
    from .warm import Warm

Arguments = TypeVar("Arguments")
PROGRESS_INTERVAL_S = 0.1
REST_S = 2.0
"""After so long without a request memory that only work needs is given back."""


class Keeper:
    """What stays from one request to the next, and the rest in between."""

    def __init__(self) -> None:
        self.at_work = threading.Lock()
        self._warm: Warm | None = None
        self.player: PlayerSession | None = None
        self.places: PlacesSession | None = None
        self._timer: threading.Timer | None = None

    @property
    def warm(self) -> Warm:
        """Made by the first request that asks: it brings torch with it."""
        from .warm import Warm

        self._warm = self._warm or Warm()
        return self._warm

    def rest_soon(self) -> None:
        """Give memory back unless a request comes within ``REST_S``."""
        self.stay()
        self._timer = threading.Timer(REST_S, self._rest)
        self._timer.daemon = True
        self._timer.start()

    def stay(self) -> None:
        """A request has come."""
        if self._timer is not None:
            self._timer.cancel()

    def _rest(self) -> None:
        with self.at_work:
            if self._warm is not None:
                self._warm.rest()


class Job:
    """One request at work: its callbacks for the engine, and its only answer.

    Args:
        request: what was asked.
        writer: where its messages go.
        keeper: has what earlier requests have left.
        commands: what may be asked, by name.
    """

    def __init__(
        self, request: protocol.Request, writer: ProtocolWriter, keeper: Keeper, commands: Mapping[str, Callable[[Job], dict[str, Any]]]
    ) -> None:
        self.request = request
        self._commands = commands
        self.keeper = keeper
        self.kept: list[dict[str, Any]] = []
        self.answering = threading.Event()
        self._writer = writer
        self._stop = threading.Event()
        self._sent_s = float("-inf")
        self._stage: str | None = None

    def cancel(self) -> None:
        """Ask the request to stop; it does so at the next look."""
        self._stop.set()

    @property
    def feedback(self) -> Feedback:
        """What the request's work tells, and asks."""
        # Not before the first request: the worker is there at once, and types bring numpy with them.
        from .feedback import Feedback

        return Feedback(self.progress, self.cancelled)

    def cancelled(self) -> bool:
        """Whether the request shall stop: it was asked to, or nobody reads what it writes."""
        return self._stop.is_set() or self._writer.gone.is_set()

    def progress(self, progress: Progress) -> None:
        """Pass on how far the work is: at most ten times a second, but always a new stage and the end."""
        now_s = time.monotonic()
        if progress.stage == self._stage and progress.fraction < 1.0 and now_s - self._sent_s < PROGRESS_INTERVAL_S:
            return
        self._sent_s, self._stage = now_s, progress.stage
        fraction = min(1.0, max(0.0, float(progress.fraction)))
        self._writer.send(protocol.ProgressEvent(self.request.id, fraction, progress.stage, progress.message))

    def log(self, level: str, text: str) -> None:
        """Pass on a line for the log; ``level`` is "info" or "warning"."""
        self._writer.send(protocol.LogEvent(self.request.id, level, text))

    def tell(self, value: dict[str, Any]) -> None:
        """Pass on a part that nobody keeps, such as a picture that is played."""
        self._writer.send(protocol.PartialEvent(self.request.id, value))

    def partial(self, value: dict[str, Any]) -> None:
        """Pass on a finished, saved part, and remember it for the answer to a cancel."""
        self.kept.append(value)
        self._writer.send(protocol.PartialEvent(self.request.id, value))

    def run(self) -> None:
        """Do the request and send its one answer, whatever happens."""
        self.keeper.stay()
        try:
            with self.keeper.at_work:
                answer = self._answer()
        except BaseException as error:  # noqa: BLE001 - the client waits for an answer; this thread has nobody else to tell
            answer = protocol.ErrorEvent(self.request.id, "internal", _one_line(error), traceback.format_exc())
        self.keeper.rest_soon()
        self.answering.set()  # from here on the next request may come
        try:
            self._writer.send(answer)
        except (TypeError, ValueError) as error:  # the result holds something JSON cannot say, such as a NaN
            text = f"The engine's answer cannot be sent: {error}"
            self._writer.send(protocol.ErrorEvent(self.request.id, "internal", text, traceback.format_exc()))

    def _answer(self) -> protocol.ResultEvent | protocol.ErrorEvent:
        identity = self.request.id
        command = self._commands.get(self.request.command)
        if command is None:
            known = ", ".join(sorted(self._commands))
            text = f"This engine ({__version__}) does not know the command {self.request.command!r}; it knows {known}."
            return protocol.ErrorEvent(identity, "protocol", text)
        from .types import CancelledError, InputError, UnwrittenError

        try:
            return protocol.ResultEvent(identity, command(self))
        except _ArgumentsError as error:
            return protocol.ErrorEvent(identity, "protocol", str(error))
        except UnwrittenError as error:
            return protocol.ErrorEvent(identity, "unwritten", str(error), value=self._kept())
        except InputError as error:
            return protocol.ErrorEvent(identity, "input", str(error), value=self._kept())
        except CancelledError as error:
            return protocol.ErrorEvent(identity, "cancelled", str(error) or "Cancelled.", value=self._kept())

    def arguments(self, kind: type[Arguments]) -> Arguments:
        """What the request gives, as an object of the command's class."""
        known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
        if unknown := sorted(set(self.request.arguments) - known):
            # A setting that is passed over in silence would change the answer without a word.
            raise _ArgumentsError(
                f"This engine ({__version__}) does not know the setting {unknown[0]!r}: the plugin is newer. Update the engine."
            )
        try:
            return kind(**self.request.arguments)
        except TypeError as error:
            raise _ArgumentsError(f"A setting is missing from the request: {error}") from error

    def _kept(self) -> dict[str, Any]:
        output = self.request.arguments.get("output")
        return {"videos": self.kept, "output": output if self.kept else None}


class _ArgumentsError(ValueError):
    """Arguments that the command does not have or lacks: client and engine do not fit together."""


def _one_line(error: BaseException) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
