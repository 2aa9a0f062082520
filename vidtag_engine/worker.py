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
from typing import IO

from . import __version__, offline, protocol
from .protocol_writer import ProtocolWriter
from .worker_commands import COMMANDS
from .worker_job import Job, Keeper

SHUTDOWN_GRACE_S = 10.0
"""How long a request may take to notice that nobody is listening any more before the process ends regardless."""


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
            self._job = Job(request, self._writer, self._keeper, COMMANDS)
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
