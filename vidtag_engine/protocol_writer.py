"""The engine's side of the door: messages written as whole lines."""

from __future__ import annotations

import threading
from typing import IO

from . import protocol


class ProtocolWriter:
    """Writes messages, one whole line at a time, from any thread.

    Args:
        stream: where the lines go; binary, owned by the writer.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self.gone = threading.Event()

    def send(self, message: protocol.Message) -> None:
        """Write one message; sets ``gone`` where the reader has closed its end."""
        line = protocol.to_line(message).encode("utf-8")
        with self._lock:
            try:
                self._stream.write(line)
                self._stream.flush()
            except (OSError, ValueError):
                self.gone.set()
