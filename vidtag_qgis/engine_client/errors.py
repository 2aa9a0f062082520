"""What can go wrong between the plugin and the engine. Every message is meant for the user as it is."""

from __future__ import annotations

from typing import Any, Optional


class EngineError(Exception):
    """Base of all. ``detail`` is for a report (a traceback, the tail of stderr), never the first thing to show."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class EngineNotFoundError(EngineError):
    """No interpreter to run the engine with, or one without the engine in it."""


class EngineVersionError(EngineError):
    """Plugin and engine do not speak the same protocol."""


class EngineInputError(EngineError):
    """The engine refuses an input; the message says which and what to do."""


class EngineUnwrittenError(EngineInputError):
    """What was said makes sense and could not be written for now; asked again later it may be."""


class EngineInternalError(EngineError):
    """The engine failed by a fault of its own."""


class EngineStoppedError(EngineError):
    """The engine's process ended, or fell silent, before it answered."""


class EngineCancelledError(EngineError):
    """Stopped on request.

    Args:
        message: a sentence.
        kept: the summaries of the parts that are finished and saved.
        output: the file they are saved in, None where there are none.
    """

    def __init__(self, message: str, kept: Optional[list[dict[str, Any]]] = None, output: Optional[str] = None) -> None:
        super().__init__(message)
        self.kept = list(kept or [])
        self.output = output


class EnvironmentSetupError(EngineError):
    """The engine's environment cannot be made, checked, moved or removed; what is done is kept, so that the next try goes on from there."""


class PythonNotFoundError(EnvironmentSetupError):
    """No Python to make the environment from, or one that will not do."""


class SetupCancelledError(EnvironmentSetupError):
    """Stopped on request; the next try goes on from there."""
