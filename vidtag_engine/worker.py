"""The engine as a child process: requests in on stdin, messages out on stdout, one JSON object a line.

``vidtag worker`` (or ``python -m vidtag_engine.worker``) is what the QGIS plugin talks to; the messages are in ``protocol``. Standard
output belongs to the protocol alone: whatever else the process or a C library prints there goes to standard error instead. Nothing heavy is
imported before the first request, so that the greeting comes at once.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from . import __version__, command_arguments, offline, protocol
from .protocol_writer import ProtocolWriter

if TYPE_CHECKING:
    from .commands.player import PlayerSession
    from .feedback import Feedback
    from .types import Progress
    from .warm import Warm

_Arguments = TypeVar("_Arguments")
PROGRESS_INTERVAL_S = 0.1
SHUTDOWN_GRACE_S = 10.0
"""How long a request may take to notice that nobody is listening any more before the process ends regardless."""
REST_S = 2.0
"""After so long without a request memory that only work needs is given back."""


class Keeper:
    """What stays from one request to the next, and the rest in between."""

    def __init__(self) -> None:
        self.at_work = threading.Lock()
        self._warm: Warm | None = None
        self.player: PlayerSession | None = None
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
    """

    def __init__(self, request: protocol.Request, writer: ProtocolWriter, keeper: Keeper) -> None:
        self.request = request
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
        command = COMMANDS.get(self.request.command)
        if command is None:
            known = ", ".join(sorted(COMMANDS))
            text = f"This engine ({__version__}) does not know the command {self.request.command!r}; it knows {known}."
            return protocol.ErrorEvent(identity, "protocol", text)
        from .types import CancelledError, InputError

        try:
            return protocol.ResultEvent(identity, command(self))
        except _ArgumentsError as error:
            return protocol.ErrorEvent(identity, "protocol", str(error))
        except InputError as error:
            return protocol.ErrorEvent(identity, "input", str(error), value=self._kept())
        except CancelledError as error:
            return protocol.ErrorEvent(identity, "cancelled", str(error) or "Cancelled.", value=self._kept())

    def _kept(self) -> dict[str, Any]:
        output = self.request.arguments.get("output")
        return {"videos": self.kept, "output": output if self.kept else None}


class _ArgumentsError(ValueError):
    """Arguments that the command does not have or lacks: client and engine do not fit together."""


def _one_line(error: BaseException) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _geolocate(job: Job) -> dict[str, Any]:
    arguments = _arguments(job, command_arguments.GeolocateArguments)
    from .geolocation import run_geolocate
    from .video import find_videos

    files: list[str] = []
    for path in map(Path, arguments.videos):
        files += [str(found) for found in find_videos(path, recursive=True)] if path.is_dir() else [str(path)]
    arguments = replace(arguments, videos=files)
    return run_geolocate(arguments, feedback=job.feedback, partial=job.partial, log=job.log, warm=job.keeper.warm)


def _heatmap(job: Job) -> dict[str, Any]:
    arguments = _arguments(job, command_arguments.HeatmapArguments)
    from .heatmap import run_heatmap

    return run_heatmap(arguments, feedback=job.feedback, log=job.log, warm=job.keeper.warm)


def _reference(job: Job) -> dict[str, Any]:
    arguments = _arguments(job, command_arguments.ReferenceArguments)
    from .commands.reference import run_reference

    return run_reference(arguments, feedback=job.feedback, log=job.log)


def _reference_layer(job: Job) -> dict[str, Any]:
    arguments = _arguments(job, command_arguments.ReferenceLayerArguments)
    from .commands.reference import run_layer

    return run_layer(arguments, feedback=job.feedback)


def _arguments(job: Job, kind: type[_Arguments]) -> _Arguments:
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(job.request.arguments) - known):
        # A setting that is passed over in silence would change the answer without a word.
        raise _ArgumentsError(
            f"This engine ({__version__}) does not know the setting {unknown[0]!r}: the plugin is newer. Update the engine."
        )
    try:
        return kind(**job.request.arguments)
    except TypeError as error:
        raise _ArgumentsError(f"A setting is missing from the request: {error}") from error


def _doctor(job: Job) -> dict[str, Any]:  # noqa: ARG001 - every command takes its job
    from .commands.doctor import run_doctor

    return run_doctor()


def _status(job: Job) -> dict[str, Any]:
    return job.keeper.warm.status()


def _gallery(job: Job) -> dict[str, Any]:
    arguments = _arguments(job, command_arguments.GalleryArguments)
    from .commands.gallery import run_gallery

    return run_gallery(arguments, feedback=job.feedback)


def _evaluate(job: Job) -> dict[str, Any]:
    arguments = _arguments(job, command_arguments.EvaluateArguments)
    from .commands.evaluate import run_evaluate

    return run_evaluate(arguments, feedback=job.feedback)


def _export(job: Job) -> dict[str, Any]:
    arguments = _arguments(job, command_arguments.ExportArguments)
    from .commands.export import run_export

    return run_export(arguments, feedback=job.feedback)


def _solve(job: Job) -> dict[str, Any]:
    arguments = _arguments(job, command_arguments.SolveArguments)
    from .commands.pin import pin_from
    from .commands.solve import run_solve

    pins = None if arguments.pins is None else [pin_from(pin) for pin in arguments.pins]
    output = Path(arguments.output) if arguments.output else None
    return run_solve(Path(arguments.result), output=output, pins=pins, overwrite=arguments.overwrite, feedback=job.feedback)


def _pin(job: Job) -> dict[str, Any]:
    arguments = _arguments(job, command_arguments.PinArguments)
    from .commands.pin import pin_from, run_pin
    from .export.review_file import review_path

    written = run_pin(Path(arguments.result), pin_from(arguments.pin))
    return {"review": str(review_path(Path(arguments.result))), "number": written.number, "time_s": written.time_s, "video": written.video}


def _match(job: Job) -> dict[str, Any]:
    arguments = _arguments(job, command_arguments.MatchArguments)
    from .commands.match import run_match

    return run_match(
        Path(arguments.result), arguments.roads, output=Path(arguments.output) if arguments.output else None, layer=arguments.layer,
        crs=arguments.crs, answer=arguments.answer, overwrite=arguments.overwrite, feedback=job.feedback,
    )  # fmt: skip


def _train(job: Job) -> dict[str, Any]:
    arguments = _arguments(job, command_arguments.TrainArguments)
    from .commands.train import run_train

    return run_train(arguments, feedback=job.feedback, log=job.log)


def _guess(job: Job) -> dict[str, Any]:
    arguments = _arguments(job, command_arguments.GuessArguments)
    from .guessing import run_guess

    return run_guess(arguments, feedback=job.feedback, partial=job.partial, load=job.keeper.warm.cities)


def _picture(job: Job) -> dict[str, Any]:
    arguments = _arguments(job, command_arguments.PictureArguments)
    from .commands.picture import run_picture

    return run_picture(arguments, feedback=job.feedback)


def _player(job: Job) -> dict[str, Any]:
    kinds: dict[str, type[Any]] = {
        "player-open": command_arguments.PlayerOpenArguments,
        "player-seek": command_arguments.PlayerSeekArguments,
        "player-play": command_arguments.PlayerPlayArguments,
        "player-prepare": command_arguments.PlayerPrepareArguments,
    }
    from .commands.player import answer

    job.keeper.player, value = answer(job.keeper.player, _arguments(job, kinds[job.request.command]), job.tell, job.feedback)
    return value


COMMANDS: dict[str, Callable[[Job], dict[str, Any]]] = {
    "geolocate": _geolocate,
    "gallery": _gallery,
    "heatmap": _heatmap,
    "evaluate": _evaluate,
    "export": _export,
    "solve": _solve,
    "pin": _pin,
    "match": _match,
    "train": _train,
    "guess": _guess,
    "reference": _reference,
    "reference-layer": _reference_layer,
    "picture": _picture,
    "player-open": _player,
    "player-seek": _player,
    "player-play": _player,
    "player-prepare": _player,
    "doctor": _doctor,
    "status": _status,
}


class Worker:
    """Reads messages until the end of input and runs one request at a time beside that.

    Args:
        lines: where messages come from; binary.
        writer: where answers go.
    """

    def __init__(self, lines: IO[bytes], writer: ProtocolWriter) -> None:
        self._lines = lines
        self._writer = writer
        self._job: Job | None = None
        self._thread: threading.Thread | None = None
        self._keeper = Keeper()

    def serve(self) -> bool:
        """Greet, then read until shutdown or the end of input.

        Returns:
            Whether nothing is running any more. Where False, a request did not stop in time.
        """
        self._writer.send(protocol.Hello(protocol.PROTOCOL_VERSION, __version__))
        for line in self._lines:
            if not line.strip():
                continue
            try:
                message = protocol.from_line(line.decode("utf-8", errors="replace"))
            except protocol.ProtocolError as error:
                self._writer.send(protocol.ErrorEvent(-1, "protocol", str(error)))
                continue
            if isinstance(message, protocol.Shutdown):
                break
            self._handle(message)
        return self._finish()

    def _handle(self, message: protocol.Message) -> None:
        if isinstance(message, protocol.Request):
            self._start(message)
        elif isinstance(message, protocol.Cancel):
            if self._job is not None and self._job.request.id == message.id:
                self._job.cancel()
        else:
            self._writer.send(protocol.ErrorEvent(-1, "protocol", f"A worker takes no {message.type!r} message."))

    def _start(self, request: protocol.Request) -> None:
        if request.protocol != protocol.PROTOCOL_VERSION:
            text = f"This engine ({__version__}) speaks protocol {protocol.PROTOCOL_VERSION}; the request speaks {request.protocol}."
            self._writer.send(protocol.ErrorEvent(request.id, "protocol", text))
        elif self._job is not None and not self._job.answering.is_set():
            self._writer.send(protocol.ErrorEvent(request.id, "protocol", "A request is running already; this one was not started."))
        else:
            self._job = Job(request, self._writer, self._keeper)
            self._thread = threading.Thread(target=self._job.run, name=f"request-{request.id}", daemon=True)
            self._thread.start()

    def _finish(self) -> bool:
        if self._job is None or self._thread is None:
            return True
        self._job.cancel()
        self._thread.join(SHUTDOWN_GRACE_S)
        return not self._thread.is_alive()


def main() -> int:
    """Entry of ``vidtag worker``.

    Returns:
        The exit status: 0.
    """
    if offline.asked():
        offline.begin()
    # The protocol keeps the real stdout under a number of its own; number 1, which C libraries also write to, becomes stderr.
    sys.stdout.flush()
    writer = ProtocolWriter(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    stopped = True
    with contextlib.suppress(KeyboardInterrupt):
        stopped = Worker(sys.stdin.buffer, writer).serve()
    if not stopped:
        # A thread inside a long C call cannot be joined, and tearing the interpreter down under it may crash or hang.
        sys.stderr.flush()
        os._exit(0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
