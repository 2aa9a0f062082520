"""One request to the engine, from start to answer, with progress on the way and a cancel that works."""

from __future__ import annotations

import contextlib
import queue
import re
import shutil
import time
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

from . import protocol
from .errors import (
    EngineCancelledError,
    EngineInputError,
    EngineInternalError,
    EngineNotFoundError,
    EngineStoppedError,
    EngineUnwrittenError,
    EngineVersionError,
)
from .interpreter import HOW_TO, EngineInterpreter
from .process import EngineProcess

HELLO_TIMEOUT_S = 60.0
"""A cold start from a slow disk under a virus scanner takes its time; the greeting itself comes within a second."""
POLL_S = 0.05
CANCEL_GRACE_S = 0.5
STOP_GRACE_S = 0.2
_LACKING = re.compile(r"No module named '(\w+)")
REPORT = "This is a fault of VidTAG: please report it with the log below."


def _never() -> bool:
    return False


def _clear_after(pid: int, arguments: dict[str, Any]) -> None:
    """Remove the hidden folders that a killed engine was writing in, beside the outputs that it was asked for and among the results of a batch."""
    for value in arguments.values():
        if isinstance(value, str) and value:
            with contextlib.suppress(OSError, ValueError):  # no path
                left, results = f".vidtag-{pid}-*", Path(value).with_suffix(".results")
                for folder in (*Path(value).parent.glob(left), *results.glob(left), *results.glob(f"results/*/{left}")):
                    shutil.rmtree(folder, ignore_errors=True)


def _ignore(*_: Any) -> None:
    return None


class EngineClient:
    """A worker that has greeted, and its requests one after another. A context manager: leaving it stops the process.

    Args:
        interpreter: which Python.
        own_folders: QGIS's own folders, taken off PATH.
        cancelled: asked about twenty times a second while waiting; a request may have its own.
        hello_timeout_s: how long the worker may take to greet.

    Raises:
        EngineNotFoundError: the interpreter does not start, or has no engine in it.
        EngineVersionError: the engine speaks another protocol.
        EngineStoppedError: it ended or stayed silent.
        EngineCancelledError: ``cancelled`` said so.
    """

    def __init__(
        self,
        interpreter: EngineInterpreter,
        *,
        own_folders: Sequence[str] = (),
        cancelled: Callable[[], bool] = _never,
        hello_timeout_s: float = HELLO_TIMEOUT_S,
    ) -> None:
        self._cancelled = cancelled
        self._process = EngineProcess(interpreter, own_folders)
        self._last_id = 0
        self.orderly = True
        """Whether the last request ended with an answer that leaves the engine as it was: a result, a word on bad input, or an obeyed cancel."""
        try:
            self.engine_version = self._greeting(hello_timeout_s)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> EngineClient:  # noqa: PYI034 - typing.Self came after 3.9
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Number of the engine's process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there; where not, the client is of no more use."""
        return self._process.exit_status is None

    def close(self) -> None:
        """Stop the engine and everything it started."""
        self._process.stop(STOP_GRACE_S)

    def request(
        self,
        command: str,
        arguments: dict[str, Any],
        *,
        on_progress: Callable[[float, str, str], None] = _ignore,
        on_log: Callable[[str, str], None] = _ignore,
        on_partial: Callable[[dict[str, Any]], None] = _ignore,
        silence_timeout_s: Optional[float] = None,
        cancelled: Optional[Callable[[], bool]] = None,
    ) -> dict[str, Any]:
        """Do one request and return its result.

        Args:
            command: "geolocate" or "doctor".
            arguments: of the command, plain JSON values.
            on_progress: called with the fraction in 0..1, the stage and a line for people.
            on_log: called with the level and the text.
            on_partial: called with the summary of a part that is finished and saved.
            silence_timeout_s: how long the engine may say nothing; None for any time (a large model may take minutes a step).
            cancelled: of this request; None is the client's.

        Raises:
            EngineInputError, EngineInternalError, EngineVersionError, EngineStoppedError: as their names say.
            EngineCancelledError: ``cancelled`` said so; the process may have been killed by then, so the client is of no more use.
        """
        self._last_id += 1
        self.orderly, asked_to_stop = False, cancelled or self._cancelled
        waiting = _Waiting(self._last_id, arguments.get("output"), on_progress, on_log, on_partial)
        self._process.send(protocol.Request(self._last_id, command, arguments))
        silent_since_s = time.monotonic()
        cancel_until_s: Optional[float] = None
        while True:
            if cancel_until_s is None and asked_to_stop():
                cancel_until_s = time.monotonic() + CANCEL_GRACE_S
                self._process.send(protocol.Cancel(self._last_id))
            if cancel_until_s is not None and time.monotonic() > cancel_until_s:
                # It is in the middle of a long step and was asked once: asking again would only take time. What is finished is on disk already.
                self._process.stop(0.0)
                _clear_after(self._process.pid, arguments)
                raise waiting.cancelled("Cancelled.")
            try:
                message = self._process.receive(POLL_S)
            except queue.Empty:
                if silence_timeout_s is not None and time.monotonic() - silent_since_s > silence_timeout_s:
                    raise self._stopped(f"The engine has said nothing for {silence_timeout_s:g} s and was stopped.") from None
                continue
            silent_since_s = time.monotonic()
            if message is None:
                if cancel_until_s is not None:
                    raise waiting.cancelled("Cancelled.")
                raise self._stopped("The engine ended before it answered.")
            self.orderly = _is_orderly(message)
            result = waiting.take(message, self._process)
            if result is not None:
                return result

    def _greeting(self, timeout_s: float) -> str:
        until_s = time.monotonic() + timeout_s
        while time.monotonic() < until_s:
            if self._cancelled():
                raise EngineCancelledError("Cancelled.")
            try:
                message = self._process.receive(POLL_S)
            except queue.Empty:
                continue
            if message is None:
                raise self._did_not_start()
            if isinstance(message, protocol.Hello):
                if message.protocol != protocol.PROTOCOL_VERSION:
                    raise _version_error(self._process.interpreter, message)
                return message.engine
        raise self._stopped(f"The engine did not greet within {timeout_s:g} s ({self._process.interpreter.python}) and was stopped.")

    def _did_not_start(self) -> Exception:
        interpreter = self._process.interpreter
        self.close()
        tail = self._process.stderr_tail()
        if "No module named" in tail and "vidtag_engine" in tail.rsplit("No module named", 1)[1]:
            text = f"There is no VidTAG engine in {interpreter.python} (from {interpreter.source}). {HOW_TO}"
            return EngineNotFoundError(text, tail)
        if (lacking := _LACKING.search(tail)) is not None:
            return _lacks(interpreter, lacking[1], tail)
        return self._stopped(f"The engine in {interpreter.python} (from {interpreter.source}) ended before it greeted.")

    def _stopped(self, text: str) -> EngineStoppedError:
        status = self._process.exit_status
        self.close()
        status = self._process.exit_status if status is None else status
        tail = self._process.stderr_tail()
        how = f" Exit status {status}." if status is not None else ""
        if status in (-9, 137):
            how += " The system killed it, most likely for want of memory: take a coarser grid or a smaller batch."
        # Our own remark that its input is closed is not a word of the engine's.
        words = [line for line in tail.strip().splitlines() if line.strip() and not line.startswith("(the engine closed")]
        last = words[-1] if words else "(it printed nothing)"
        return EngineStoppedError(f"{text}{how} Its last words: {last[:300]}", tail)


class _Waiting:
    """What has come for one request so far."""

    def __init__(
        self,
        identity: int,
        output: Optional[str],
        on_progress: Callable[[float, str, str], None],
        on_log: Callable[[str, str], None],
        on_partial: Callable[[dict[str, Any]], None],
    ) -> None:
        self._id = identity
        self._output = output
        self._on_progress = on_progress
        self._on_log = on_log
        self._on_partial = on_partial
        self._kept: list[dict[str, Any]] = []

    def take(self, message: protocol.Message, process: EngineProcess) -> Optional[dict[str, Any]]:
        """Take one message in; returns the result when it is that."""
        if isinstance(message, protocol.ErrorEvent) and message.id in (self._id, -1):
            raise self._error(message, process)
        if getattr(message, "id", None) != self._id:
            return None  # of an earlier request
        if isinstance(message, protocol.ProgressEvent):
            self._on_progress(message.fraction, message.stage, message.message)
        elif isinstance(message, protocol.LogEvent):
            self._on_log(message.level, message.text)
        elif isinstance(message, protocol.PartialEvent):
            self._kept.append(message.value)
            self._on_partial(message.value)
        elif isinstance(message, protocol.ResultEvent):
            return message.value
        return None

    def cancelled(self, text: str) -> EngineCancelledError:
        """The error that says what is kept."""
        return EngineCancelledError(text, self._kept, self._output if self._kept else None)

    def _error(self, event: protocol.ErrorEvent, process: EngineProcess) -> Exception:
        if event.kind == "cancelled":
            return self.cancelled(event.message)
        if event.kind in ("input", "unwritten"):
            kind = EngineInputError if event.kind == "input" else EngineUnwrittenError
            return kind(event.message, event.detail)
        if event.kind == "protocol":
            return EngineVersionError(event.message, event.detail)
        if (lacking := _LACKING.search(event.message)) is not None:
            return _lacks(process.interpreter, lacking[1], event.detail)
        return EngineInternalError(f"The engine failed: {event.message}. {REPORT}", event.detail or process.stderr_tail())


def _is_orderly(message: protocol.Message) -> bool:
    return isinstance(message, protocol.ResultEvent) or (
        isinstance(message, protocol.ErrorEvent) and message.kind in ("input", "unwritten", "cancelled")
    )


def _lacks(interpreter: EngineInterpreter, package: str, detail: str) -> EngineNotFoundError:
    text = f"The engine's Python, {interpreter.python} (from {interpreter.source}), has no {package}, which the engine needs. {HOW_TO}"
    return EngineNotFoundError(text, detail)


def _version_error(interpreter: EngineInterpreter, hello: protocol.Hello) -> EngineVersionError:
    newer, older = ("engine", "plugin") if hello.protocol > protocol.PROTOCOL_VERSION else ("plugin", "engine")
    return EngineVersionError(
        f"Plugin and engine do not fit together: the engine {hello.engine} in {interpreter.python} speaks protocol {hello.protocol}, "
        f"this plugin {protocol.PROTOCOL_VERSION}. The {newer} is newer: update the {older}."
    )


def run_request(
    interpreter: EngineInterpreter,
    command: str,
    arguments: dict[str, Any],
    *,
    own_folders: Sequence[str] = (),
    cancelled: Callable[[], bool] = _never,
    **callbacks: Any,
) -> dict[str, Any]:
    """Start the engine, do one request, stop the engine. Arguments and errors as ``EngineClient`` and its ``request`` have them."""
    with EngineClient(interpreter, own_folders=own_folders, cancelled=cancelled) as client:
        return client.request(command, arguments, **callbacks)
