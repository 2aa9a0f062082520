"""An engine that stays for the next request: it has its libraries, checkpoint, networks and area in memory, so that a second run begins at once."""

from __future__ import annotations

import os
import threading
from typing import Any, Callable, Optional, Sequence

from .client import EngineClient, run_request
from .errors import EngineError, EngineStoppedError
from .interpreter import EngineInterpreter, child_environment

IDLE_S = 600.0
"""After so long without work the engine is let go."""
ALONE = ("train", "doctor", "thumbnails")
"""Requests that have an engine of their own: a training leaves nothing for the next request and may take all memory, a check shall see what a start sees, and
small pictures of a long video take minutes, in which pins are set."""
_AGAIN = "The engine that was kept for this run has ended: it is started again{where}."


def _never() -> bool:
    return False


class WarmEngine:
    """At most one engine, kept between requests. Threads may ask at once: whoever comes while it is at work gets an engine of their own.

    Args:
        idle_s: how long it is kept without work; 0 keeps none.
    """

    def __init__(self, idle_s: float = IDLE_S) -> None:
        self.idle_s = idle_s
        self._at_work = threading.Lock()
        self._client: Optional[EngineClient] = None
        self._made_for: Any = None
        self._timer: Optional[threading.Timer] = None
        self._closed = False

    @property
    def pid(self) -> Optional[int]:
        """Number of the kept engine's process, None where none is kept."""
        client = self._client
        return client.pid if client is not None and client.running else None

    def request(
        self,
        interpreter: EngineInterpreter,
        command: str,
        arguments: dict[str, Any],
        *,
        own_folders: Sequence[str] = (),
        cancelled: Callable[[], bool] = _never,
        **callbacks: Any,
    ) -> dict[str, Any]:
        """Do one request; arguments, errors and answer as ``run_request``.

        Where the kept engine turns out to have ended, a new one does the request; what was finished and saved by then is not done again.
        """
        # A lock that is taken means work; what waited for it would wait for another's video.
        if self._closed or command in ALONE or self.idle_s <= 0 or not self._at_work.acquire(blocking=False):
            return run_request(interpreter, command, arguments, own_folders=own_folders, cancelled=cancelled, **callbacks)
        try:
            return self._request(interpreter, command, arguments, own_folders, cancelled, callbacks)
        finally:
            self._at_work.release()
            self._wait()

    def status(self) -> Optional[dict[str, Any]]:
        """What the kept engine holds (``memory_mb``, ``checkpoint``, ``gallery_points``); None where none is kept or it is at work."""
        if not self._at_work.acquire(blocking=False):
            return None
        try:
            if self._client is None:
                return None
            return self._client.request("status", {}, silence_timeout_s=2.0, cancelled=_never)
        except EngineError:
            self._let_go()
            return None
        finally:
            self._at_work.release()

    @property
    def busy(self) -> bool:
        """Whether the kept engine is at work."""
        return self._at_work.locked()

    def keep_for(self, idle_s: float) -> None:
        """Choose anew how long it is kept without work; 0 lets it go."""
        self.idle_s = idle_s
        if idle_s <= 0:
            self.let_go()
        elif not self.busy:
            self._wait()

    def let_go(self) -> None:
        """Stop the kept engine, unless it is at work."""
        if self._at_work.acquire(blocking=False):
            try:
                self._let_go()
            finally:
                self._at_work.release()

    def close(self) -> None:
        """Stop the engine for good, also one that is at work: its request fails then."""
        self._closed = True
        client, self._client = self._client, None
        if self._timer is not None:
            self._timer.cancel()
        if client is not None:
            client.close()

    def _request(
        self,
        interpreter: EngineInterpreter,
        command: str,
        arguments: dict[str, Any],
        own_folders: Sequence[str],
        cancelled: Callable[[], bool],
        callbacks: dict[str, Any],
    ) -> dict[str, Any]:
        saved: list[Any] = []
        told = callbacks.pop("on_partial", None)

        def on_partial(value: dict[str, Any]) -> None:
            saved.append(value)
            if told is not None:
                told(value)

        def ask(what: dict[str, Any]) -> dict[str, Any]:
            client = self._ready(interpreter, own_folders, cancelled)
            try:
                return client.request(command, what, cancelled=cancelled, on_partial=on_partial, **callbacks)
            finally:
                if not (client.running and client.orderly):  # what it holds now is in doubt
                    self._let_go()

        kept = self._client
        try:
            return ask(arguments)
        except EngineStoppedError:
            if kept is None or self._closed:
                raise
            if (log := callbacks.get("on_log")) is not None:
                count = 0 if arguments.get("overwrite") else len(saved)
                where = f", and goes on after {count} finished video{'s' if count > 1 else ''}" if count else ""
                log("warning", _AGAIN.format(where=where))
            return ask(_onward(arguments) if saved else arguments)

    def _ready(self, interpreter: EngineInterpreter, own_folders: Sequence[str], cancelled: Callable[[], bool]) -> EngineClient:
        """The kept engine, where it runs with this interpreter and these variables; else a new one in its place."""
        if self._timer is not None:
            self._timer.cancel()
        made_for = (interpreter, tuple(own_folders), tuple(sorted(child_environment(os.environ, interpreter, own_folders).items())))
        if self._client is None or not self._client.running or self._made_for != made_for:
            self._let_go()
            self._client, self._made_for = EngineClient(interpreter, own_folders=own_folders, cancelled=cancelled), made_for
        return self._client

    def _wait(self) -> None:
        """Let the engine go after ``idle_s``, unless a request comes before."""
        if self._timer is not None:
            self._timer.cancel()
        if self._client is not None and not self._closed:
            self._timer = threading.Timer(self.idle_s, self.let_go)
            self._timer.daemon = True
            self._timer.start()

    def _let_go(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def _onward(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same request, going on from what the ended engine has saved. One that may overwrite begins again: what is not its own is still in its way."""
    return {**arguments, "anew": False} if "anew" in arguments else arguments
