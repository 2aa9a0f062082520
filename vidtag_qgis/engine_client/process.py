"""The engine's process: started without a window and in a clean environment, read by threads, stopped with all its children."""

from __future__ import annotations

import collections
import os
import queue
import shutil
import subprocess  # nosec B404
import tempfile
import threading
from typing import IO, Optional, Sequence

from . import platforms, protocol
from .errors import EngineNotFoundError
from .interpreter import HOW_TO, EngineInterpreter, child_environment

STDERR_LINES = 60
LINE_LIMIT_BYTES = 1 << 26
"""A longer line is no message of ours; it is cut there instead of filling the memory."""


class EngineProcess:
    """A running worker.

    Args:
        interpreter: which Python.
        own_folders: QGIS's own folders, taken off PATH.

    Raises:
        EngineNotFoundError: the interpreter cannot be started.
    """

    def __init__(self, interpreter: EngineInterpreter, own_folders: Sequence[str] = ()) -> None:
        self.interpreter = interpreter
        self._tail: collections.deque[str] = collections.deque(maxlen=STDERR_LINES)
        self._messages: queue.Queue[Optional[protocol.Message]] = queue.Queue()
        # A neutral and private working folder: nothing in it can be imported by chance, and QGIS's own is not held busy.
        self._folder = tempfile.mkdtemp(prefix="vidtag-worker-")
        try:
            # The command is a fixed list without a shell; its one variable part is the interpreter that the user chose.
            self._process = subprocess.Popen(  # nosec B603
                interpreter.command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._folder,
                env=child_environment(os.environ, interpreter, own_folders),
                **platforms.popen_options(),
            )
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            text = f"The engine's Python, {interpreter.python}, cannot be started ({error.strerror or error}). {HOW_TO}"
            raise EngineNotFoundError(text) from error
        self._readers = [
            threading.Thread(target=self._read_messages, args=(self._process.stdout,), name="vidtag-messages", daemon=True),
            threading.Thread(target=self._read_stderr, args=(self._process.stderr,), name="vidtag-stderr", daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def exit_status(self) -> Optional[int]:
        """Exit status, None while it runs."""
        return self._process.poll()

    def send(self, message: protocol.Message) -> bool:
        """Send one message; False where the process does not read any more."""
        if self._process.stdin is None:
            return False
        try:
            self._process.stdin.write(protocol.to_line(message).encode("utf-8"))
            self._process.stdin.flush()
        except (OSError, ValueError):
            return False
        return True

    def receive(self, timeout_s: float) -> Optional[protocol.Message]:
        """The next message.

        Raises:
            queue.Empty: none came in time.

        Returns:
            The message, or None when the process has closed its output: everything it wrote has been read then.
        """
        message = self._messages.get(timeout=timeout_s)
        if message is None:
            self._messages.put(None)  # whoever asks again gets the same answer
        return message

    def stderr_tail(self) -> str:
        """The last lines of stderr, and of stdout where they were no messages."""
        return "\n".join(self._tail)

    def stop(self, grace_s: float) -> None:
        """End the process and everything it started: ask, terminate, kill. Safe to call again.

        Args:
            grace_s: how long each of asking and terminating may take.
        """
        self.send(protocol.Shutdown())
        self._close_stdin()
        if not platforms.ended(self._process, grace_s):
            platforms.terminate_tree(self._process)
            if not platforms.ended(self._process, grace_s):
                self._process.kill()
        platforms.kill_tree(self._process)  # also where it ended by itself: what it started must not outlive it
        platforms.ended(self._process, 5.0)
        for reader in self._readers:
            reader.join(2.0)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None and not any(reader.is_alive() for reader in self._readers):
                stream.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _close_stdin(self) -> None:
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:  # what was not flushed has no reader any more
                self._tail.append("(the engine closed its input)")

    def _read_messages(self, stream: IO[bytes]) -> None:
        while True:
            line = stream.readline(LINE_LIMIT_BYTES)
            if not line:
                break
            text = line.decode("utf-8", errors="replace")
            try:
                self._messages.put(protocol.from_line(text))
            except protocol.ProtocolError:
                self._tail.append(f"(unexpected output) {text.strip()[:500]}")
        self._messages.put(None)

    def _read_stderr(self, stream: IO[bytes]) -> None:
        while True:
            line = stream.readline(LINE_LIMIT_BYTES)
            if not line:
                break
            self._tail.append(line.decode("utf-8", errors="replace").rstrip()[:2000])
