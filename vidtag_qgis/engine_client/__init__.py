"""The plugin's side of the door to the engine: find its interpreter, start it, talk to it, stop it.

Standard library only and no QGIS import, so that it is tested without QGIS; clean for Python 3.9, which QGIS 3.22 on Windows runs.
"""

from .client import EngineClient, run_request
from .command_arguments import GeolocateArguments
from .errors import (
    EngineCancelledError,
    EngineError,
    EngineInputError,
    EngineInternalError,
    EngineNotFoundError,
    EngineStoppedError,
    EngineUnwrittenError,
    EngineVersionError,
)
from .interpreter import EngineInterpreter, find_interpreter
from .warm import WarmEngine

__all__ = [
    "EngineCancelledError",
    "EngineClient",
    "EngineError",
    "EngineInputError",
    "EngineInternalError",
    "EngineInterpreter",
    "EngineNotFoundError",
    "EngineStoppedError",
    "EngineUnwrittenError",
    "EngineVersionError",
    "GeolocateArguments",
    "WarmEngine",
    "find_interpreter",
    "run_request",
]
