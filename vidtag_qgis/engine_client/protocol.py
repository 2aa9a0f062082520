"""The door between QGIS and the engine: JSON lines, typed once.

Standard library only, clean for Python 3.9: the plugin carries a copy, byte for byte. One JSON object a line, UTF-8. The worker says ``hello`` first. The client
sends ``request``, ``cancel`` and ``shutdown``; a request is answered by any number of ``progress``, ``log`` and ``partial`` and one ``result`` or ``error``.
What each command takes is in ``command_arguments.py``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Union, get_args

PROTOCOL_VERSION = 1


class ProtocolError(ValueError):
    """A line that is not a message of this protocol."""


@dataclass(frozen=True)
class Hello:
    """First line of a worker."""

    type: ClassVar[str] = "hello"
    protocol: int
    engine: str


@dataclass(frozen=True)
class Request:
    """Do ``command``, one of ``worker_commands.COMMANDS``, with ``arguments``."""

    type: ClassVar[str] = "request"
    id: int
    command: str
    arguments: dict[str, Any] = field(default_factory=dict)
    protocol: int = PROTOCOL_VERSION


@dataclass(frozen=True)
class Cancel:
    """Stop the request ``id``; finished parts are kept."""

    type: ClassVar[str] = "cancel"
    id: int


@dataclass(frozen=True)
class Shutdown:
    """End the worker."""

    type: ClassVar[str] = "shutdown"


@dataclass(frozen=True)
class ProgressEvent:
    """``fraction`` of the whole request in 0..1, the stage's name, a line for people."""

    type: ClassVar[str] = "progress"
    id: int
    fraction: float
    stage: str
    message: str = ""


@dataclass(frozen=True)
class LogEvent:
    """A line for the log. ``level`` is "info" or "warning"."""

    type: ClassVar[str] = "log"
    id: int
    level: str
    text: str


@dataclass(frozen=True)
class PartialEvent:
    """A finished part of the result, already saved: one video's summary."""

    type: ClassVar[str] = "partial"
    id: int
    value: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ResultEvent:
    """The request is done."""

    type: ClassVar[str] = "result"
    id: int
    value: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ErrorEvent:
    """The request failed, and ``value`` names what was kept.

    ``kind`` is "input" (``message`` is for the user), "unwritten" (likewise, and asked again later it may go well), "cancelled", "protocol" or "internal".
    """

    type: ClassVar[str] = "error"
    id: int
    kind: str
    message: str
    detail: str = ""
    value: dict[str, Any] = field(default_factory=dict)


Message = Union[Hello, Request, Cancel, Shutdown, ProgressEvent, LogEvent, PartialEvent, ResultEvent, ErrorEvent]
_KINDS: dict[str, Any] = {kind.type: kind for kind in get_args(Message)}


def to_line(message: Message) -> str:
    """Return the message as one line of JSON, with its end of line."""
    return json.dumps({"type": message.type, **asdict(message)}, ensure_ascii=False, allow_nan=False) + "\n"


def from_line(line: str) -> Message:
    """Return the message of one line. Unknown fields are passed over, so that newer peers may add some.

    Raises:
        ProtocolError: not JSON, not an object, an unknown type or a missing field.
    """
    try:
        data = json.loads(line)
        kind = _KINDS[data["type"]]
    except (ValueError, TypeError, KeyError) as error:
        raise ProtocolError(f"Not a message of this protocol: {line.strip()[:200]!r}") from error
    known = {f.name for f in fields(kind)}
    try:
        message: Message = kind(**{name: value for name, value in data.items() if name in known})
    except TypeError as error:
        raise ProtocolError(f"A {data['type']!r} message lacks a field: {error}") from error
    return message
