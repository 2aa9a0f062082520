"""What a request asks with, as the class of its command."""

from __future__ import annotations

from dataclasses import fields
from typing import TypeVar

from . import __version__
from .protocol import Request

_Arguments = TypeVar("_Arguments")


class ArgumentsError(ValueError):
    """Arguments that the command does not have or lacks: client and engine do not fit together."""


def arguments_of(request: Request, kind: type[_Arguments]) -> _Arguments:
    """The request's arguments as a class of ``command_arguments``. Raises ArgumentsError where they are none of it."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(request.arguments) - known):
        # A setting that is passed over in silence would change the answer without a word.
        raise ArgumentsError(
            f"This engine ({__version__}) does not know the setting {unknown[0]!r}: the plugin is newer. Update the engine."
        )
    try:
        return kind(**request.arguments)
    except TypeError as error:
        raise ArgumentsError(f"A setting is missing from the request: {error}") from error
