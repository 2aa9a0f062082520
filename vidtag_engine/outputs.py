"""Outputs are looked at before hours of work, not after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .command_files import command_refusal
from .file_marks import place_refusal
from .types import InputError


def check_place(path: Path) -> None:
    """Refuse a file to write that is a folder, or whose folder is missing or closed. Raises InputError."""
    if (why := place_refusal(path)) is not None:
        raise InputError(why)


def check_files(command: str, arguments: Mapping[str, Any], *, also_read: Iterable[str] = ()) -> None:
    """Refuse a call whose outputs would replace an input, or what is not this tool's own of that kind.

    Args:
        command: of the protocol.
        arguments: its values by the protocol's names.
        also_read: more files that it reads.

    Raises:
        InputError: the first that is not to be written.
    """
    if (why := command_refusal(command, arguments, also_read=also_read)) is not None:
        raise InputError(why)
